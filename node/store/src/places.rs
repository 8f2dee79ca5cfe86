//! When an entry at a place of a log came here. Decides nothing: it is shown.

use rusqlite::{OptionalExtension as _, params};
use xw_schemas::id::{EntryId, LogId};

use crate::error::{Doing, StoreError};
use crate::load::number;
use crate::standing::signed;
use crate::store::Store;

impl Store {
    /// When an entry came to this node, milliseconds since 1970; `None` when it is not held.
    pub fn received_ms(
        &self,
        log: LogId,
        sequence: u64,
        entry: EntryId,
    ) -> Result<Option<u64>, StoreError> {
        let Some(log_n) = self.held.numbers.get(&log) else { return Ok(None) };
        let sql = "SELECT received_ms FROM entry WHERE log_n = ?1 AND sequence = ?2 AND id = ?3";
        self.conn
            .prepare_cached(sql)
            .and_then(|mut s| {
                s.query_row(params![log_n, signed(sequence), entry.0], |row| number(row, 0))
                    .optional()
            })
            .doing("look when an entry came")
    }
}
