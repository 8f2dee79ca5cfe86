//! How firmly an entry stands in its log: by cuts, by the county's pin, by the own township's pin,
//! by forks. A function of the entries held and the roster, never of their order of arrival.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xw_schemas::id::EntryId;

use crate::log::{Log, Point};
use crate::roster::{Cut, Roster};

/// How firmly an entry stands. The lower, the firmer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Standing {
    /// 县已见证: under the county's pin, or kept by a cut. Cannot be rewritten.
    Final,
    /// 乡已见证: under the own township's pin.
    Witnessed,
    /// 仅本机: nobody has pinned it.
    Local,
    /// 待补: a cut names an entry that is not held yet.
    Pending,
    /// 有争议: at or above a fork, on no pinned branch.
    Disputed,
    /// 无效: beyond what a cut keeps.
    Void,
}

impl Standing {
    /// Whether the entry counts towards views.
    #[must_use]
    pub fn counts(self) -> bool {
        self <= Self::Local
    }

    /// The number kept in the store.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Final => 0,
            Self::Witnessed => 1,
            Self::Local => 2,
            Self::Pending => 3,
            Self::Disputed => 4,
            Self::Void => 5,
        }
    }

    /// The standing of a stored number.
    #[must_use]
    pub fn from_number(number: u8) -> Option<Self> {
        [Self::Final, Self::Witnessed, Self::Local, Self::Pending, Self::Disputed, Self::Void]
            .into_iter()
            .nth(number.into())
    }
}

/// What stands in one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogStanding {
    /// One chain: three bounds say everything.
    Straight {
        /// Entries below this number are final.
        finals: u64,
        /// Entries below this number are at least witnessed.
        witnessed: u64,
        /// What holds from there on.
        rest: Standing,
    },
    /// Several branches: every entry has its own standing.
    Forked(BTreeMap<EntryId, Standing>),
}

impl LogStanding {
    /// The standing of one entry.
    #[must_use]
    pub fn of(&self, sequence: u64, entry: &EntryId) -> Standing {
        match self {
            Self::Straight { finals, .. } if sequence < *finals => Standing::Final,
            Self::Straight { witnessed, .. } if sequence < *witnessed => Standing::Witnessed,
            Self::Straight { rest, .. } => *rest,
            Self::Forked(standings) => standings.get(entry).copied().unwrap_or(Standing::Pending),
        }
    }
}

/// Judges one log. In this order: a cut of its key; whether the key is on the roster; a decision of
/// root on its fork; the county's pin; the own township's pin where it does not contradict; a fork
/// closes the rest. What root adopts counts in any case.
#[must_use]
pub fn assess(roster: &Roster, log: &Log) -> LogStanding {
    let standing = match roster.cut(&log.node) {
        Some(cut) if cut.exact || roster.node_office(&log.node).is_some() => assess_cut(log, cut),
        _ if roster.node_office(&log.node).is_none() => match roster.suspended(&log.node) {
            Some(_) => assess_suspended(log),
            None => nothing(Standing::Void),
        },
        _ => match roster.adjudicated(&log.id) {
            Some((sequence, id)) if !log.holds(sequence, &id) => nothing(Standing::Pending),
            None if log.branches.is_empty() => {
                let finals = above(log.county);
                let witnessed = above(log.township).max(finals);
                LogStanding::Straight { finals, witnessed, rest: Standing::Local }
            }
            decided => assess_forked(log, decided),
        },
    };
    match roster.adopted_entries(&log.id) {
        None => standing,
        Some(adopted) => adopt(log, &standing, adopted),
    }
}

/// Of a suspended key that stays which the county has pinned while it was on the roster; a registrar's
/// cut takes nothing from that and adds nothing.
fn assess_suspended(log: &Log) -> LogStanding {
    if log.branches.is_empty() {
        let finals = above(log.county);
        return LogStanding::Straight { finals, witnessed: finals, rest: Standing::Void };
    }
    let mut stem = Stem::new(log);
    stem.extend(log.county);
    let judge = |id: &EntryId| if stem.holds(id) { Standing::Final } else { Standing::Void };
    LogStanding::Forked(log.entries().map(|(_, id)| (id, judge(&id))).collect())
}

fn nothing(rest: Standing) -> LogStanding {
    LogStanding::Straight { finals: 0, witnessed: 0, rest }
}

/// The first number above a pin.
fn above(pin: Option<Point>) -> u64 {
    pin.map_or(0, |(sequence, _)| sequence + 1)
}

/// Root's cut keeps exactly what it lists, for ever. A registrar's keeps what the county has witnessed
/// as well, and where the two contradict each other, that alone: so what only the registrar lists
/// stands, but not for ever.
fn assess_cut(log: &Log, cut: &Cut) -> LogStanding {
    let county = log.county.filter(|_| !cut.exact);
    let kept = cut.get(&log.id).copied();
    let held = kept.filter(|(sequence, id)| log.holds(*sequence, id));
    let rest = if kept.is_some() && held.is_none() { Standing::Pending } else { Standing::Void };
    let listed = if cut.exact { Standing::Final } else { Standing::Witnessed };
    if log.branches.is_empty() {
        let finals = above(if cut.exact { held } else { county });
        let witnessed = finals.max(above(held));
        return LogStanding::Straight { finals, witnessed, rest };
    }
    let mut stem = Stem::new(log);
    stem.extend(county);
    let finals = stem.ids.clone();
    stem.extend(held);
    let judge = |id: &EntryId| match () {
        () if finals.contains(id) => Standing::Final,
        () if stem.holds(id) => listed,
        () => rest,
    };
    LogStanding::Forked(log.entries().map(|(_, id)| (id, judge(&id))).collect())
}

fn assess_forked(log: &Log, decided: Option<Point>) -> LogStanding {
    let fork = log.fork().unwrap_or(u64::MAX);
    let mut stem = Stem::new(log);
    stem.extend(decided);
    stem.extend(log.county);
    let finals = stem.ids.clone();
    stem.extend(log.township);
    let judge = |id: &EntryId, sequence: u64| {
        if finals.contains(id) {
            Standing::Final
        } else if stem.holds(id) {
            Standing::Witnessed
        } else if sequence >= fork {
            Standing::Disputed
        } else {
            Standing::Local
        }
    };
    LogStanding::Forked(log.entries().map(|(number, id)| (id, judge(&id, number))).collect())
}

fn adopt(log: &Log, standing: &LogStanding, adopted: &BTreeMap<EntryId, u64>) -> LogStanding {
    let judge = |id: &EntryId, sequence: u64| match adopted.get(id) {
        Some(number) if *number == sequence => Standing::Final,
        Some(_) | None => standing.of(sequence, id),
    };
    LogStanding::Forked(log.entries().map(|(number, id)| (id, judge(&id, number))).collect())
}

/// The one branch that stands, lengthened by whoever does not contradict it.
struct Stem<'a> {
    log: &'a Log,
    tip: Option<Point>,
    ids: BTreeSet<EntryId>,
}

impl<'a> Stem<'a> {
    fn new(log: &'a Log) -> Self {
        Self { log, tip: None, ids: BTreeSet::new() }
    }

    fn holds(&self, id: &EntryId) -> bool {
        self.ids.contains(id)
    }

    /// Follows a pin if its branch runs through the stem's as far as both reach.
    fn extend(&mut self, pin: Option<Point>) {
        let Some(pin) = pin else { return };
        let Some(path) = self.log.path(pin) else { return };
        let path: BTreeSet<EntryId> = path.into_iter().collect();
        if self.tip.is_none_or(|(_, tip)| path.contains(&tip)) {
            (self.tip, self.ids) = (Some(pin), path);
        }
    }
}
