//! Small things that a node remembers: the newest checkpoint of each log, when a neighbour was last
//! heard, what was imported from which file. None of it decides a verdict.

use std::collections::BTreeMap;

use rusqlite::{OptionalExtension as _, params};
use xw_schemas::checkpoint::Checkpoint;
use xw_schemas::id::{LogId, PublicKey, RecordId};

use crate::error::{Doing, StoreError};
use crate::keys::Opened;
use crate::limits::NOTE_BYTES_MAX;
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

    /// The import that a fingerprint was noted for. Refused while the store is locked.
    pub fn import_seen(&self, fingerprint: [u8; 32]) -> Result<Option<Import>, StoreError> {
        let blind = self.vault.blind(fingerprint)?;
        let kept: Option<Vec<u8>> = self
            .conn
            .prepare_cached("SELECT kept FROM imported WHERE fingerprint = ?1")
            .and_then(|mut s| s.query_row([blind], |row| row.get(0)).optional())
            .doing("look for an import")?;
        let Some(kept) = kept else { return Ok(None) };
        match self.vault.read(&kept) {
            Opened::Bytes(bytes) => Import::from_bytes(fingerprint, &bytes).map(Some),
            Opened::Locked => return Err(StoreError::Locked),
            Opened::Damaged => None,
        }
        .ok_or_else(|| StoreError::damaged("the note of an import"))
    }

    /// Remembers imports, in one transaction. Refused while the store is locked.
    pub fn note_imports(&mut self, imports: &[Import]) -> Result<(), StoreError> {
        self.transact("note imports", |parts| {
            let sql = "INSERT OR REPLACE INTO imported(fingerprint, kept) VALUES (?1, ?2)";
            let mut statement = parts.tx.prepare_cached(sql).doing("note imports")?;
            for import in imports {
                let blind = parts.vault.blind(import.fingerprint)?;
                let kept = parts.vault.keep(&import.bytes())?;
                statement.execute(params![blind, kept]).doing("note imports")?;
            }
            Ok(())
        })
    }

    /// A small thing that the program remembers across starts; see [`Store::set_note`].
    pub fn note(&self, key: &str) -> Result<Option<Vec<u8>>, StoreError> {
        self.conn
            .prepare_cached("SELECT value FROM note WHERE key = ?1")
            .and_then(|mut s| s.query_row([key], |row| row.get(0)).optional())
            .doing("read a note")
    }

    /// Remembers a small thing across starts, or forgets it. Notes are kept under the machine key
    /// alone and can be read while the store is locked: nothing personal goes into them. A backup
    /// has them too.
    pub fn set_note(&mut self, key: &str, value: Option<&[u8]>) -> Result<(), StoreError> {
        let doing = "keep a note";
        if let Some(value) = value.filter(|value| value.len() > NOTE_BYTES_MAX) {
            return Err(StoreError::NoteTooLong { bytes: value.len() });
        }
        self.transact(doing, |parts| {
            match value {
                Some(value) => parts.tx.execute(
                    "INSERT OR REPLACE INTO note(key, value) VALUES (?1, ?2)",
                    params![key, value],
                ),
                None => parts.tx.execute("DELETE FROM note WHERE key = ?1", [key]),
            }
            .doing(doing)?;
            Ok(())
        })
    }
}

impl Import {
    /// As kept: digest, record, file, row.
    fn bytes(&self) -> Vec<u8> {
        [&self.digest[..], &self.record.0, &self.file, &self.row.to_be_bytes()].concat()
    }

    fn from_bytes(fingerprint: [u8; 32], bytes: &[u8]) -> Option<Self> {
        let (digest, rest) = bytes.split_first_chunk()?;
        let (record, rest) = rest.split_first_chunk()?;
        let (file, row) = rest.split_first_chunk()?;
        Some(Self {
            fingerprint,
            digest: *digest,
            record: RecordId(*record),
            file: *file,
            row: u32::from_be_bytes(row.try_into().ok()?),
        })
    }
}

/// The log in a note's origin line, before any signature is checked.
pub(crate) fn log_named(note: &str) -> Option<LogId> {
    LogId::from_hex(note.lines().next()?.rsplit('/').next()?)
}
