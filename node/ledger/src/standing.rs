//! How firmly an entry stands in its log: by cuts, by the county's pin, by the own township's pin,
//! by forks. A function of the entries held and the roster, never of their order of arrival.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xw_schemas::id::EntryId;

use crate::log::{Log, Point};
use crate::roster::Roster;

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

/// Judges one log. In this order: a cut of its key; the county's pin; the own township's pin where
/// it does not contradict; a fork closes the rest.
#[must_use]
pub fn assess(roster: &Roster, log: &Log) -> LogStanding {
    let void = LogStanding::Straight { finals: 0, witnessed: 0, rest: Standing::Void };
    let member = roster.node_office(&log.node).is_some();
    match roster.cut(&log.node) {
        Some(cut) => match cut.get(&log.id) {
            Some((sequence, id)) if log.holds(*sequence, id) => assess_cut(log, (*sequence, *id)),
            Some(_) => LogStanding::Straight { finals: 0, witnessed: 0, rest: Standing::Pending },
            None => void,
        },
        None if !member => void,
        None if log.branches.is_empty() => {
            let above = |pin: Option<Point>| pin.map_or(0, |(sequence, _)| sequence + 1);
            let finals = above(log.county);
            let witnessed = above(log.township).max(finals);
            LogStanding::Straight { finals, witnessed, rest: Standing::Local }
        }
        None => assess_forked(log),
    }
}

fn assess_cut(log: &Log, kept: Point) -> LogStanding {
    if log.branches.is_empty() {
        let finals = kept.0 + 1;
        return LogStanding::Straight { finals, witnessed: finals, rest: Standing::Void };
    }
    let stem = stem(log, Some(kept));
    let judge = |id: &EntryId| if stem.contains(id) { Standing::Final } else { Standing::Void };
    LogStanding::Forked(entries(log).map(|(id, _)| (id, judge(&id))).collect())
}

fn assess_forked(log: &Log) -> LogStanding {
    let fork = log.fork().unwrap_or(u64::MAX);
    let county = stem(log, log.county);
    let mut township = stem(log, log.township);
    if let (Some((high, _)), Some((low, pinned))) = (log.county, log.township) {
        // The township's branch must run through the county's as far as both reach.
        let agrees = if low <= high {
            county.contains(&pinned)
        } else {
            log.county.is_some_and(|(_, id)| township.contains(&id))
        };
        if !agrees {
            township.clear();
        }
    }
    let judge = |id: &EntryId, sequence: u64| {
        if county.contains(id) {
            Standing::Final
        } else if township.contains(id) {
            Standing::Witnessed
        } else if sequence >= fork {
            Standing::Disputed
        } else {
            Standing::Local
        }
    };
    LogStanding::Forked(entries(log).map(|(id, number)| (id, judge(&id, number))).collect())
}

/// The entries from the opening to a pinned one.
fn stem(log: &Log, pin: Option<Point>) -> BTreeSet<EntryId> {
    pin.and_then(|pin| log.path(pin)).map(|path| path.into_iter().collect()).unwrap_or_default()
}

/// Every entry held, with its number.
fn entries(log: &Log) -> impl Iterator<Item = (EntryId, u64)> {
    let chain = log.chain.iter().zip(0..).map(|(id, sequence)| (*id, sequence));
    chain.chain(log.branches.iter().map(|(id, (sequence, _))| (*id, *sequence)))
}
