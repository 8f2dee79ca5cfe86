//! What a door did not keep, being a variant too many or behind one. It decides nothing but what a
//! neighbour is asked for: nothing is missing before such an entry, though the one before is not held.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::entry::{Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId};

use super::{DoorRefusal, Logs};

/// Entries remembered in all: some days' work of offices on third copies of their disks. Beyond it a
/// neighbour is asked again what it has, and dropped when it goes on.
const PASSED_OVER_MAX: usize = 16_384;

/// Entries that were not kept since this node started.
#[derive(Debug, Clone, Default)]
pub struct PassedOver {
    logs: BTreeMap<LogId, BTreeSet<EntryId>>,
    count: usize,
}

impl PassedOver {
    /// Why the door does not keep an entry of a log, given what it did not keep before: behind a
    /// variant too many there is no gap.
    pub fn refused(
        &mut self,
        log: LogId,
        previous: &EntryId,
        id: EntryId,
        reason: DoorRefusal,
    ) -> DoorRefusal {
        let follows = self.logs.get(&log).is_some_and(|ids| ids.contains(previous));
        match reason {
            DoorRefusal::MissingPrevious if !follows => return reason,
            DoorRefusal::MissingPrevious | DoorRefusal::EnoughVariants => {}
            _ => return reason,
        }
        if self.count < PASSED_OVER_MAX && self.logs.entry(log).or_default().insert(id) {
            self.count += 1;
        }
        DoorRefusal::EnoughVariants
    }

    /// Whether a witness statement pins an entry that was passed over: then it is wanted after all,
    /// and whoever has it has to be asked.
    #[must_use]
    pub fn is_wanted_by(&self, entry: &VerifiedEntry, logs: &Logs) -> bool {
        let Statement::Witness(pins) = &entry.core().statement else { return false };
        pins.iter().any(|pin| {
            let passed = self.logs.get(&pin.log).is_some_and(|ids| ids.contains(&pin.head));
            passed && !logs.holds(&pin.log, pin.size - 1, &pin.head)
        })
    }
}
