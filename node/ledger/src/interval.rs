//! When an entry was made, as far as witnesses bear it out: after the newest witness entry that it
//! names, before the first that covers it. Claimed times are compared and never trusted.

use serde::{Deserialize, Serialize};
use xw_schemas::entry::VerifiedEntry;
use xw_schemas::id::EntryId;
use xw_schemas::space::Tier;

use crate::log::{Logs, Point};
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
    /// The newest witness entry that the author held when it wrote.
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
    /// The first witness that covers the entry: deadlines are counted to here.
    #[must_use]
    pub fn not_after(&self) -> Option<u64> {
        match (self.township, self.county) {
            (Some(township), Some(county)) => Some(township.min(county)),
            (either, other) => either.or(other),
        }
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
    let mut interval = Interval { not_before: None, township: None, county: None };
    for held in logs.witnesses(log.space) {
        let newest = held.pins.iter().map(|pin| pin.time_s).max();
        if core.seen == Some(held.at.1) {
            interval.not_before = newest;
        }
        let Some(tier) = roster.witness_rank(&held.witness, &log.node) else { continue };
        let pins = held.pins.iter().filter(|pin| pin.log == core.log);
        let covering = pins.filter(|pin| covers(logs, &core.log, pin.head, place));
        let first = covering.map(|pin| pin.time_s).min();
        let bound = match tier {
            Tier::County => &mut interval.county,
            Tier::Township => &mut interval.township,
            Tier::Village => continue,
        };
        *bound = match (*bound, first) {
            (Some(known), Some(first)) => Some(known.min(first)),
            (known, first) => known.or(first),
        };
    }
    interval
}

/// Whether a pinned prefix contains an entry.
fn covers(logs: &Logs, log: &xw_schemas::id::LogId, head: Point, place: Point) -> bool {
    let Some(log) = logs.log(log) else { return false };
    let on_chain = |(sequence, id): Point| log.at(sequence) == Some(id);
    if head.0 < place.0 || !log.holds(head.0, &head.1) {
        return false;
    }
    if on_chain(head) {
        return on_chain(place);
    }
    let at = usize::try_from(place.0).unwrap_or(usize::MAX);
    let path: Option<Vec<EntryId>> = log.path(head);
    path.is_some_and(|path| path.get(at) == Some(&place.1))
}
