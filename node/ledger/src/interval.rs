//! When an entry was made, as far as witnesses bear it out: after the witness entry that it names,
//! before the first that covers it, by the clocks of offices above its author; where these
//! contradict each other, by the county's. Claimed times are compared and never trusted.

use serde::{Deserialize, Serialize};
use xw_schemas::entry::VerifiedEntry;
use xw_schemas::space::Tier;

use crate::log::{Log, Logs, Point};
use crate::roster::Roster;

/// A claimed time may differ so much from a witness's before it is called wrong: clocks of offices
/// without a network drift by minutes.
pub const CLOCK_DRIFT_S: u64 = 600;

/// A day, in seconds.
pub const DAY_S: u64 = 86_400;

/// An entry that reached its first witness so many days after its claimed time is a late one (补录),
/// unless a county decides otherwise.
pub const LATE_DAYS: u64 = 3;

/// The bounds of the time at which an entry was made, in seconds since 1970 by witnesses' clocks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Interval {
    /// The word of an office above that the author held when it wrote.
    pub not_before: Option<u64>,
    /// The first pin of the own township that covers the entry.
    pub township: Option<u64>,
    /// The first pin of the county that covers the entry.
    pub county: Option<u64>,
}

/// How a claimed time lies to what witnesses bear out. A label, not a guilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Timeliness {
    /// No witness has covered the entry yet.
    Unwitnessed,
    /// Witnessed soon after.
    Timely,
    /// 补录: witnessed long after the claimed time.
    Late,
    /// The claimed time lies before the witness that the entry itself names.
    Backdated,
    /// The claimed time lies after the first witness.
    Ahead,
}

impl Interval {
    /// What witnesses say: `named` is the time of the witness entry that the entry names, if it counts
    /// and an office above the author made it in the same space; `covering` are rank and time of the
    /// pins that cover the entry.
    #[must_use]
    pub fn of(named: Option<u64>, covering: impl IntoIterator<Item = (Tier, u64)>) -> Self {
        let mut interval = Self { not_before: None, township: None, county: None };
        for (tier, time_s) in covering {
            let bound = match tier {
                Tier::County => &mut interval.county,
                Tier::Township => &mut interval.township,
                Tier::Village => continue,
            };
            *bound = Some(bound.map_or(time_s, |known| known.min(time_s)));
        }
        // A township that claims to have spoken after the county held what followed has a wrong clock.
        let borne_out = |time_s: &u64| {
            interval.county.is_none_or(|county| *time_s <= county.saturating_add(CLOCK_DRIFT_S))
        };
        interval.not_before = named.filter(borne_out);
        interval
    }

    /// The first witness that covers the entry, the county's where there is one: deadlines are
    /// counted to here.
    #[must_use]
    pub fn not_after(&self) -> Option<u64> {
        self.county.or(self.township)
    }

    /// Whether the two witnesses differ by so much that both are to be shown.
    #[must_use]
    pub fn witnesses_differ(&self) -> bool {
        matches!((self.township, self.county), (Some(a), Some(b)) if a.abs_diff(b) > CLOCK_DRIFT_S)
    }

    /// What the claimed time amounts to.
    #[must_use]
    pub fn timeliness(&self, claimed_time_ms: u64, late_days: u64) -> Timeliness {
        let claimed = claimed_time_ms / 1_000;
        if self.not_before.is_some_and(|witness| claimed.saturating_add(CLOCK_DRIFT_S) < witness) {
            return Timeliness::Backdated;
        }
        match self.not_after() {
            None => Timeliness::Unwitnessed,
            Some(witness) if claimed > witness.saturating_add(CLOCK_DRIFT_S) => Timeliness::Ahead,
            Some(witness) if witness - claimed.min(witness) > late_days * DAY_S => Timeliness::Late,
            Some(_) => Timeliness::Timely,
        }
    }
}

impl Timeliness {
    /// For a Chinese reader.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Unwitnessed => "尚未见证",
            Self::Timely => "及时",
            Self::Late => "补录",
            Self::Backdated => "所称时间早于其所依据的见证",
            Self::Ahead => "所称时间晚于首次见证",
        }
    }

    /// For an English reader.
    #[must_use]
    pub fn en(self) -> &'static str {
        match self {
            Self::Unwitnessed => "not witnessed yet",
            Self::Timely => "timely",
            Self::Late => "entered late",
            Self::Backdated => "claims a time before the witness it names",
            Self::Ahead => "claims a time after its first witness",
        }
    }
}

/// Works out the bounds of one entry's time.
#[must_use]
pub fn interval(roster: &Roster, logs: &Logs, entry: &VerifiedEntry) -> Interval {
    let core = entry.core();
    let Some(log) = logs.log(&core.log) else { return Interval::default() };
    let place = (core.sequence, entry.id());
    let (mut named, mut covering) = (None, Vec::new());
    for held in logs.witnesses(log.space) {
        let Some(tier) = roster.witness_rank(&held.witness, &log.node) else { continue };
        if core.seen == Some(held.at.1) {
            named = Some(held.time_s());
        }
        let pins = held.pins.iter().filter(|pin| pin.log == core.log);
        let pins = pins.filter(|pin| covers(log, pin.head, place));
        covering.extend(pins.map(|pin| (tier, pin.time_s)));
    }
    Interval::of(named, covering)
}

/// Whether a pinned prefix contains an entry.
fn covers(log: &Log, head: Point, place: Point) -> bool {
    log.holds(head.0, &head.1) && log.runs_through(place, head)
}
