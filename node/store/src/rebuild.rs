//! Everything worked out from entries, worked out again: verdicts, standings, rows, words.

use std::collections::BTreeSet;

use xw_schemas::id::LogId;

use crate::digest::ViewDigest;
use crate::error::{Doing, StoreError};
use crate::limits::SETTLE_RECORDS;
use crate::load;
use crate::settle::remaining;
use crate::standing::{FRESH, FRESH_REST, restand};
use crate::store::Store;

const DOING: &str = "rebuild the rows";

impl Store {
    /// Drops what was worked out and works it out again from the entries. `progress` hears how many
    /// records are done, and of how many. A rebuild that is cut short goes on with
    /// [`Store::settle`].
    pub fn rebuild(
        &mut self,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<ViewDigest, StoreError> {
        if !self.is_unlocked() {
            return Err(StoreError::Locked);
        }
        self.may_write()?;
        self.begin_rows(|parts| {
            parts
                .tx
                .execute_batch(&format!(
                    "DELETE FROM verdict; DELETE FROM fork; DELETE FROM poison;
                     DELETE FROM attempt; DELETE FROM dirty; UPDATE record SET standing = NULL;
                     UPDATE log SET finals = 0, witnessed = 0, rest = {};",
                    FRESH_REST.number()
                ))
                .doing(DOING)?;
            *parts.held = load::logs(parts.tx, parts.chain.roster())?;
            for standing in parts.held.assessed.values_mut() {
                *standing = FRESH;
            }
            let all: BTreeSet<LogId> = parts.held.numbers.keys().copied().collect();
            restand(parts.tx, parts.chain.roster(), parts.held, &all)
        })?;
        self.suspects.clear();
        let total = remaining(&self.conn)?;
        progress(0, total);
        loop {
            let settled = self.settle(SETTLE_RECORDS)?;
            progress(total.saturating_sub(settled.remaining), total);
            if settled.remaining == 0 || settled.judged == 0 && settled.quarantined.is_empty() {
                return self.digest(None);
            }
        }
    }
}
