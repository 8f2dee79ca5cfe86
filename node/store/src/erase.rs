//! What a lawful erasure leaves on this disk: entries, and no contents. Bodies, rows and search words
//! go; `scrub` sees to what SQLite keeps of them.

use rusqlite::Connection;
use xw_ledger::judge::Judged;
use xw_schemas::id::EntryId;

use crate::error::{Doing, StoreError};
use crate::scrub;
use crate::settle::Case;
use crate::store::Parts;

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
    if removed > 0 {
        scrub::owe(parts.tx)?;
    }
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
