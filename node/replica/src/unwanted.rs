//! What a neighbour holds and this node has no room for: further variants of forked slots, and all
//! behind them. It is told that they are known, or it would send them in every conversation.

use std::collections::{BTreeMap, BTreeSet};

use xw_ledger::log::Point;
use xw_schemas::id::{EntryId, LogId, PublicKey};

use crate::common::{Held, Shared};
use crate::event::{TurnedAway, Why};

/// Entries remembered of one neighbour, of 100 bytes each: a log of many years forked three ways.
/// When there are more it begins anew, and they are sent once more.
const UNWANTED_MAX: usize = 16_384;

/// Entries turned away because enough others stand in their place, by the neighbour that sent them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unwanted {
    neighbours: BTreeMap<PublicKey, BTreeMap<LogId, Branches>>,
}

#[derive(Debug, Clone, Default)]
struct Branches {
    all: BTreeSet<EntryId>,
    ends: BTreeSet<Point>,
}

/// What entries that were turned away say of a neighbour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Verdict {
    /// Something is missing between what both hold.
    pub(crate) gap: bool,
    /// Entries that nobody will ever take.
    pub(crate) never: u32,
}

impl Unwanted {
    /// Takes up what was turned away, in the order in which it was sent.
    pub(crate) fn turned_away(&mut self, peer: PublicKey, entries: &[TurnedAway]) -> Verdict {
        let mut verdict = Verdict::default();
        for entry in entries {
            let logs = self.neighbours.get(&peer);
            let behind = logs.and_then(|logs| logs.get(&entry.log));
            match entry.why {
                Why::Never => verdict.never += 1,
                Why::Gap if behind.is_none_or(|known| !known.all.contains(&entry.previous)) => {
                    verdict.gap = true;
                }
                Why::Gap | Why::Surplus => self.remember(peer, entry),
            }
        }
        verdict
    }

    fn remember(&mut self, peer: PublicKey, entry: &TurnedAway) {
        let logs = self.neighbours.entry(peer).or_default();
        if logs.values().map(|known| known.all.len()).sum::<usize>() >= UNWANTED_MAX {
            logs.clear();
        }
        let known = logs.entry(entry.log).or_default();
        if let Some(number) = entry.point.0.checked_sub(1) {
            known.ends.remove(&(number, entry.previous));
        }
        known.all.insert(entry.point.1);
        known.ends.insert(entry.point);
    }

    /// Forgets a log of which entries were taken that once were turned away.
    pub(crate) fn taken(&mut self, places: &BTreeMap<LogId, Vec<Point>>) {
        for logs in self.neighbours.values_mut() {
            logs.retain(|log, known| {
                let taken = places.get(log).into_iter().flatten();
                !taken.into_iter().any(|(_, id)| known.all.contains(id))
            });
        }
    }

    /// The neighbours that hold an entry which was turned away and which a witness has
    /// pinned since: they have to be asked. Their entries of such a log are forgotten, so that they are
    /// asked once.
    pub(crate) fn wanted(&mut self, held: Held<'_>) -> BTreeSet<PublicKey> {
        let mut peers = BTreeSet::new();
        for (peer, logs) in &mut self.neighbours {
            let before = logs.len();
            logs.retain(|log, known| {
                let mut awaited = held.logs.awaited(log);
                !awaited.any(|(_, (_, id))| known.all.contains(&id))
            });
            if logs.len() < before {
                peers.insert(*peer);
            }
        }
        peers
    }

    /// Forgets everything: another roster may want what this one did not.
    pub(crate) fn forget(&mut self) {
        self.neighbours.clear();
    }

    /// Adds to a list for this neighbour what it need not send. While a pin, a cut or root names an
    /// entry of the log that is not held, any may be wanted.
    pub(crate) fn list(&self, held: Held<'_>, peer: &PublicKey, mut shared: Shared) -> Shared {
        let Some(logs) = self.neighbours.get(peer) else { return shared };
        for (id, tips) in shared.values_mut().flatten() {
            let known = logs.get(id).filter(|_| !held.logs.awaits_any(held.roster(), id));
            tips.extend(known.into_iter().flat_map(|known| known.ends.iter()));
        }
        shared
    }
}
