//! Small things that a node remembers: the newest checkpoint of each log, when a neighbour was last
//! heard, what was imported from which file. None of it decides a verdict.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, params};
use xw_schemas::checkpoint::Checkpoint;
use xw_schemas::id::{LogId, PublicKey, RecordId};

use crate::error::{Doing, StoreError};
use crate::load::number;
use crate::standing::signed;
use crate::store::Store;

/// The newest checkpoint held of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeldCheckpoint {
    /// The log.
    pub log: LogId,
    /// Entries covered.
    pub size: u64,
    /// The signed note.
    pub note: String,
}

/// Where a record was imported from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Import {
    /// Tells this row of a ledger from every other: made from its key columns.
    pub fingerprint: [u8; 32],
    /// Digest of the row's content, to see whether it changed since.
    pub digest: [u8; 32],
    /// The record made of it.
    pub record: RecordId,
    /// Hash of the file.
    pub file: [u8; 32],
    /// The row in the file, from 1.
    pub row: u32,
}

impl Store {
    /// Keeps a checkpoint of a log, signed by its author, unless a newer one is held.
    pub fn set_checkpoint(&mut self, note: &str) -> Result<(), StoreError> {
        let log = log_named(note).ok_or(StoreError::UnknownLog)?;
        let node = self.held.logs.log(&log).ok_or(StoreError::UnknownLog)?.node;
        let checkpoint = Checkpoint::open(note, self.roster().network(), &node)?;
        self.transact("store a checkpoint", |parts| {
            let log_n = parts.held.numbers.get(&log).ok_or(StoreError::UnknownLog)?;
            parts
                .tx
                .execute(
                    "INSERT INTO checkpoint(log_n, size, note) VALUES (?1, ?2, ?3)
                     ON CONFLICT(log_n) DO UPDATE SET size = excluded.size, note = excluded.note
                     WHERE size < excluded.size",
                    params![log_n, signed(checkpoint.size), note],
                )
                .doing("store a checkpoint")?;
            Ok(())
        })
    }

    /// The newest checkpoint of every log that has one.
    pub fn checkpoints(&self) -> Result<Vec<HeldCheckpoint>, StoreError> {
        let doing = "read the checkpoints";
        let sql = "SELECT l.id, c.size, c.note FROM checkpoint c JOIN log l ON l.n = c.log_n
                   ORDER BY l.id";
        let mut statement = self.conn.prepare_cached(sql).doing(doing)?;
        let rows = statement.query_map([], |row| {
            Ok(HeldCheckpoint { log: LogId(row.get(0)?), size: number(row, 1)?, note: row.get(2)? })
        });
        rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
    }

    /// Remembers that a node was heard. Its time never goes back.
    pub fn note_heard(&mut self, node: PublicKey, now_ms: u64) -> Result<(), StoreError> {
        self.transact("note that a neighbour was heard", |parts| {
            parts
                .tx
                .prepare_cached(
                    "INSERT INTO heard(node, last_ms) VALUES (?1, ?2)
                     ON CONFLICT(node) DO UPDATE SET last_ms = max(last_ms, excluded.last_ms)",
                )
                .and_then(|mut s| s.execute(params![node.0, signed(now_ms)]))
                .doing("note that a neighbour was heard")?;
            Ok(())
        })
    }

    /// When each node was last heard.
    pub fn heard(&self) -> Result<BTreeMap<PublicKey, u64>, StoreError> {
        let doing = "read when neighbours were heard";
        let mut statement =
            self.conn.prepare_cached("SELECT node, last_ms FROM heard").doing(doing)?;
        let rows = statement.query_map([], |row| Ok((PublicKey(row.get(0)?), number(row, 1)?)));
        rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
    }

    /// The import that a fingerprint was noted for.
    pub fn import_seen(&self, fingerprint: [u8; 32]) -> Result<Option<Import>, StoreError> {
        self.conn
            .prepare_cached("SELECT digest, record, file, row FROM imported WHERE fingerprint = ?1")
            .and_then(|mut s| {
                s.query_row([fingerprint], |row| {
                    Ok(Import {
                        fingerprint,
                        digest: row.get(0)?,
                        record: RecordId(row.get(1)?),
                        file: row.get(2)?,
                        row: row.get(3)?,
                    })
                })
                .optional()
            })
            .doing("look for an import")
    }

    /// Remembers imports, in one transaction.
    pub fn note_imports(&mut self, imports: &[Import]) -> Result<(), StoreError> {
        self.transact("note imports", |parts| {
            let sql = "INSERT OR REPLACE INTO imported(fingerprint, digest, record, file, row)
                       VALUES (?1, ?2, ?3, ?4, ?5)";
            let mut statement = parts.tx.prepare_cached(sql).doing("note imports")?;
            for i in imports {
                statement
                    .execute(params![i.fingerprint, i.digest, i.record.0, i.file, i.row])
                    .doing("note imports")?;
            }
            Ok(())
        })
    }
}

/// The log in a note's origin line, before any signature is checked.
pub(crate) fn log_named(note: &str) -> Option<LogId> {
    LogId::from_hex(note.lines().next()?.rsplit('/').next()?)
}
