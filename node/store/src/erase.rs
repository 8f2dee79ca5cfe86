//! What a lawful erasure leaves on this disk: entries, and no contents. Bodies, rows and search words
//! go, and the pages and log frames that held them are overwritten.

use rusqlite::Connection;
use xw_ledger::judge::Judged;
use xw_schemas::id::EntryId;

use crate::connection::Place;
use crate::error::{Doing, StoreError};
use crate::settle::Case;
use crate::store::{Parts, Store};

const DOING: &str = "remove the contents of a record";

/// The two requests on which a record is erased, if it is.
pub(crate) fn because(judged: &Judged) -> Option<[EntryId; 2]> {
    judged.view.as_ref()?.erased.as_ref().map(|tombstone| tombstone.because)
}

/// Removes the bodies of an erased record and remembers that none is wanted. Gives how many went.
pub(crate) fn remove_bodies(
    parts: &Parts<'_>,
    record_n: i64,
    case: &Case,
) -> Result<u64, StoreError> {
    let mut removed = 0;
    let mut delete = parts.tx.prepare_cached("DELETE FROM body WHERE entry_n = ?1").doing(DOING)?;
    for entry_n in case.numbers.values() {
        removed += delete.execute([entry_n]).doing(DOING)? as u64;
    }
    mark(parts.tx, record_n, true)?;
    Ok(removed)
}

/// Notes whether a record's contents are wanted any more. A request that is voided later lets them
/// be fetched again from whoever still holds them.
pub(crate) fn mark(conn: &Connection, record_n: i64, erased: bool) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE record SET erased = ?2 WHERE n = ?1 AND erased <> ?2")
        .and_then(|mut s| s.execute(rusqlite::params![record_n, erased]))
        .doing(DOING)?;
    Ok(())
}

impl Store {
    /// Drives erased contents out of what SQLite keeps of deleted rows: free pages are zeroed as they
    /// are freed, the search index is merged without them, and the write-ahead logs begin anew.
    pub(crate) fn sweep(&self) -> Result<(), StoreError> {
        self.conn
            .execute_batch("INSERT INTO fts(fts) VALUES ('optimize')")
            .doing("drop erased words from the search index")?;
        if matches!(self.site.place, Place::File(_)) {
            self.conn
                .execute_batch(
                    "PRAGMA wal_checkpoint(TRUNCATE); PRAGMA main.incremental_vacuum;
                     PRAGMA shown.incremental_vacuum; PRAGMA wal_checkpoint(TRUNCATE);",
                )
                .doing("overwrite what held erased contents")?;
        }
        Ok(())
    }
}
