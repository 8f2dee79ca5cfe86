//! How entries get in: through the door of the logs and onto the disk in one transaction. Nothing
//! is judged here but what can never change.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension as _, params};
use xw_ledger::log::{DoorRefusal, Placed};
use xw_schemas::entry::{Body, Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, RecordId};
use xw_schemas::record::Lang;
use xw_schemas::space::Space;

use crate::error::{Doing, StoreError};
use crate::standing::{FRESH, FRESH_REST, mark_dirty, restand, signed};
use crate::store::{Parts, Store};

/// What became of a batch.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Received {
    /// Entries that extended their logs.
    pub appended: u64,
    /// Entries that prove a fork.
    pub forked: u64,
    /// Entries that were held already.
    pub duplicates: u64,
    /// Bodies that came for entries held without.
    pub bodies: u64,
    /// What was not taken, and why.
    pub refused: Vec<NotReceived>,
    /// Logs that grew.
    pub logs: BTreeSet<LogId>,
}

/// An entry that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotReceived {
    /// Its place in the batch.
    pub index: usize,
    /// The entry.
    pub entry: EntryId,
    /// Why.
    pub reason: ReceiveRefusal,
}

/// Why an entry was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveRefusal {
    /// The door of the logs refused.
    #[error(transparent)]
    Door(#[from] DoorRefusal),
    /// The body is not the one that the entry binds.
    #[error("the body does not match its commitment")]
    BadBody,
}

impl ReceiveRefusal {
    /// For a screen.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        let zh = match self {
            Self::BadBody => "内容与条目所承诺的不一致",
            Self::Door(DoorRefusal::UnknownKey) => "签名密钥不在名册上",
            Self::Door(DoorRefusal::UnknownLog) => "尚未收到该日志的首条",
            Self::Door(DoorRefusal::MissingPrevious) => "尚未收到前一条目",
            Self::Door(DoorRefusal::OtherNode) => "签名节点不是该日志的作者",
            Self::Door(DoorRefusal::WrongRoot) => "条目所写的日志根与实际不符",
            Self::Door(DoorRefusal::EnoughVariants) => "该序号的分叉证据已经足够",
            Self::Door(DoorRefusal::NotItsSpace) => "该机构无权在此共享空间书写",
        };
        match lang {
            Lang::Zh => zh.to_owned(),
            Lang::En => self.to_string(),
        }
    }
}

const DOING: &str = "store received entries";

/// Kinds of entries as kept in the table.
const KIND_OPEN: i64 = 0;
const KIND_CHANGE: i64 = 1;
const KIND_WITNESS: i64 = 2;
pub(crate) const KIND_ERASE: i64 = 3;
const KIND_ERASED: i64 = 4;

/// The stored kind of a statement.
pub(crate) fn kind(statement: &Statement) -> i64 {
    match statement {
        Statement::Open(_) => KIND_OPEN,
        Statement::Change(_) => KIND_CHANGE,
        Statement::Witness(_) => KIND_WITNESS,
        Statement::Erase(_) => KIND_ERASE,
        Statement::Erased(_) => KIND_ERASED,
    }
}

/// An entry on its way in. Its body is in the form in which it will be kept.
pub(crate) struct Arrival {
    pub(crate) entry: VerifiedEntry,
    pub(crate) kept: Option<Vec<u8>>,
    pub(crate) received_ms: u64,
}

impl Store {
    /// Takes entries in, with their bodies where they are to be had, in one durable transaction.
    /// What the door refuses is reported and not kept. Records concerned wait to be settled.
    pub fn receive(
        &mut self,
        batch: Vec<(VerifiedEntry, Option<Body>)>,
        now_ms: u64,
    ) -> Result<Received, StoreError> {
        let mut received = Received::default();
        let mut arrivals = Vec::with_capacity(batch.len());
        let mut places = Vec::with_capacity(batch.len());
        for (index, (entry, body)) in batch.into_iter().enumerate() {
            let fits = |body: &Body| entry.change().is_some_and(|change| body.matches(change));
            if body.as_ref().is_some_and(|body| !fits(body)) {
                let reason = ReceiveRefusal::BadBody;
                received.refused.push(NotReceived { index, entry: entry.id(), reason });
                continue;
            }
            // Sealed before the transaction begins: a seal takes longer than a row. What is held
            // already with its body is not sealed again, however often it is sent.
            let body = body.filter(|_| !self.holds_body(&entry));
            let kept = body.map(|body| self.vault.keep(body.bytes())).transpose()?;
            arrivals.push(Arrival { entry, kept, received_ms: now_ms });
            places.push(index);
        }
        let taken = self.take(&arrivals)?;
        received.refused.extend(
            taken
                .refused
                .iter()
                .map(|refused| NotReceived { index: places[refused.index], ..*refused }),
        );
        received.refused.sort_by_key(|refused| refused.index);
        Ok(Received { refused: received.refused, ..taken })
    }

    fn holds_body(&self, entry: &VerifiedEntry) -> bool {
        let core = entry.core();
        let Some(log_n) = self.held.numbers.get(&core.log) else { return false };
        if !self.held.logs.holds(&core.log, core.sequence, &entry.id()) {
            return false;
        }
        let sql = "SELECT 1 FROM entry e JOIN body b ON b.entry_n = e.n
                   WHERE e.log_n = ?1 AND e.sequence = ?2 AND e.id = ?3";
        let found = self
            .conn
            .prepare_cached(sql)
            .and_then(|mut s| s.exists(params![log_n, signed(core.sequence), entry.id().0]));
        // In doubt it is sealed and written as new.
        found.unwrap_or(false)
    }

    /// Takes in what fits its commitments, or cannot be compared here.
    pub(crate) fn take(&mut self, arrivals: &[Arrival]) -> Result<Received, StoreError> {
        let received = self.transact(DOING, |parts| take(parts, arrivals))?;
        let logs = &self.held.logs;
        let is_own = |log: &LogId| logs.log(log).is_some_and(|log| Some(log.node) == self.own);
        if self.own.is_some() && received.logs.iter().any(is_own) {
            self.high.grew(logs, self.own);
        }
        Ok(received)
    }
}

fn take(parts: &mut Parts<'_>, arrivals: &[Arrival]) -> Result<Received, StoreError> {
    let mut received = Received::default();
    let mut changed: BTreeSet<LogId> = BTreeSet::new();
    let mut dirty: BTreeSet<i64> = BTreeSet::new();
    let mut records: BTreeMap<(RecordId, Space), i64> = BTreeMap::new();
    let mut touched: BTreeMap<LogId, u64> = BTreeMap::new();
    let entries = arrivals.iter().map(|arrival| &arrival.entry);
    let (placed, restood) = parts.held.logs.place_all(parts.chain.roster(), entries);
    changed.extend(restood.logs.keys());
    for (index, placed) in placed {
        let arrival = &arrivals[index];
        let Arrival { entry, kept, received_ms } = arrival;
        let log = entry.core().log;
        match placed {
            Err(refusal) => {
                let reason = refusal.into();
                received.refused.push(NotReceived { index, entry: entry.id(), reason });
            }
            Ok(Placed::Duplicate) => {
                received.duplicates += 1;
                if let Some(record_n) = add_body(parts, entry, kept.as_deref())? {
                    received.bodies += 1;
                    dirty.insert(record_n);
                }
            }
            Ok(placed) => {
                if placed == Placed::Forked {
                    received.forked += 1;
                } else {
                    received.appended += 1;
                }
                received.logs.insert(log);
                let newest = touched.entry(log).or_default();
                *newest = (*newest).max(*received_ms);
                changed.insert(log);
                // Stored before, and without a place until the roster knew its signer again.
                if parts.held.unplaced.remove(&entry.id()) {
                    dirty.extend(add_body(parts, entry, kept.as_deref())?);
                    dirty.extend(row_of(parts, entry)?.and_then(|(_, record_n)| record_n));
                } else {
                    dirty.extend(insert(parts, &mut records, arrival)?);
                }
            }
        }
    }
    for (log, received_ms) in touched {
        touch(parts, &log, received_ms)?;
    }
    restand(parts.tx, parts.chain.roster(), parts.held, &changed)?;
    mark_dirty(parts.tx, dirty)?;
    Ok(received)
}

/// Writes a new entry; gives the row of its record, if it is about one.
fn insert(
    parts: &mut Parts<'_>,
    records: &mut BTreeMap<(RecordId, Space), i64>,
    arrival: &Arrival,
) -> Result<Option<i64>, StoreError> {
    let Arrival { entry, kept, received_ms: now_ms } = arrival;
    let now_ms = *now_ms;
    let core = entry.core();
    let log_n = log_row(parts, entry, now_ms)?;
    let record_n = match core.statement.record() {
        Some(record) => {
            let log = parts.held.logs.log(&core.log);
            let space = log.expect("the entry was placed in this log").space;
            Some(record_row(parts.tx, records, record, space)?)
        }
        None => None,
    };
    parts
        .tx
        .prepare_cached(
            "INSERT INTO entry(id, log_n, sequence, record_n, kind, received_ms, bytes)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )
        .and_then(|mut s| {
            let kind = kind(&core.statement);
            let (sequence, now) = (signed(core.sequence), signed(now_ms));
            s.execute(params![entry.id().0, log_n, sequence, record_n, kind, now, entry.bytes()])
        })
        .doing(DOING)?;
    let entry_n = parts.tx.last_insert_rowid();
    if let Some(kept) = kept
        && !is_erased(parts.tx, record_n)?
    {
        write_body(parts.tx, entry_n, kept)?;
    }
    Ok(record_n)
}

fn write_body(conn: &Connection, entry_n: i64, kept: &[u8]) -> Result<bool, StoreError> {
    let sql = "INSERT OR IGNORE INTO body(entry_n, bytes) VALUES (?1, ?2)";
    let mut statement = conn.prepare_cached(sql).doing(DOING)?;
    Ok(statement.execute(params![entry_n, kept]).doing(DOING)? > 0)
}

/// Whether a record's contents were removed by law: a neighbour that was away may still send some.
fn is_erased(conn: &Connection, record_n: Option<i64>) -> Result<bool, StoreError> {
    let Some(record_n) = record_n else { return Ok(false) };
    conn.prepare_cached("SELECT erased FROM record WHERE n = ?1")
        .and_then(|mut s| s.query_row([record_n], |row| row.get(0)))
        .doing(DOING)
}

/// Keeps the body of an entry that is held without; gives the row of its record if it was news.
fn add_body(
    parts: &Parts<'_>,
    entry: &VerifiedEntry,
    kept: Option<&[u8]>,
) -> Result<Option<i64>, StoreError> {
    let Some(kept) = kept else { return Ok(None) };
    let Some((entry_n, record_n)) = row_of(parts, entry)? else { return Ok(None) };
    if is_erased(parts.tx, record_n)? {
        return Ok(None);
    }
    Ok(if write_body(parts.tx, entry_n, kept)? { record_n } else { None })
}

/// The rows of a stored entry and of its record.
fn row_of(
    parts: &Parts<'_>,
    entry: &VerifiedEntry,
) -> Result<Option<(i64, Option<i64>)>, StoreError> {
    let core = entry.core();
    let Some(log_n) = parts.held.numbers.get(&core.log) else { return Ok(None) };
    parts
        .tx
        .prepare_cached(
            "SELECT n, record_n FROM entry WHERE log_n = ?1 AND sequence = ?2 AND id = ?3",
        )
        .and_then(|mut s| {
            s.query_row(params![log_n, signed(core.sequence), entry.id().0], |row| {
                Ok((row.get(0)?, row.get(1)?))
            })
            .optional()
        })
        .doing(DOING)
}

fn log_row(parts: &mut Parts<'_>, entry: &VerifiedEntry, now_ms: u64) -> Result<i64, StoreError> {
    let id = entry.core().log;
    if let Some(n) = parts.held.numbers.get(&id) {
        return Ok(*n);
    }
    let log = parts.held.logs.log(&id).expect("the entry was placed in this log");
    parts
        .tx
        .prepare_cached(
            "INSERT INTO log(id, node, division, audience, received_ms, finals, witnessed, rest)
             VALUES (?1, ?2, ?3, ?4, ?5, 0, 0, ?6)",
        )
        .and_then(|mut s| {
            let (division, audience) = space_columns(log.space);
            let (now, rest) = (signed(now_ms), FRESH_REST.number());
            s.execute(params![id.0, log.node.0, division, audience, now, rest])
        })
        .doing(DOING)?;
    let n = parts.tx.last_insert_rowid();
    parts.held.numbers.insert(id, n);
    parts.held.assessed.insert(id, FRESH);
    Ok(n)
}

/// When something last came in this log, for the screen that says how old a village's news is.
fn touch(parts: &Parts<'_>, log: &LogId, now_ms: u64) -> Result<(), StoreError> {
    let Some(log_n) = parts.held.numbers.get(log) else { return Ok(()) };
    parts
        .tx
        .prepare_cached("UPDATE log SET received_ms = ?2 WHERE n = ?1")
        .and_then(|mut s| s.execute(params![log_n, signed(now_ms)]))
        .doing(DOING)?;
    Ok(())
}

fn record_row(
    conn: &Connection,
    known: &mut BTreeMap<(RecordId, Space), i64>,
    record: RecordId,
    space: Space,
) -> Result<i64, StoreError> {
    if let Some(n) = known.get(&(record, space)) {
        return Ok(*n);
    }
    let n = match find_record(conn, record, space)? {
        Some(n) => n,
        None => {
            let (division, audience) = space_columns(space);
            conn.prepare_cached("INSERT INTO record(id, division, audience) VALUES (?1, ?2, ?3)")
                .and_then(|mut s| s.execute(params![record.0, division, audience]))
                .doing(DOING)?;
            conn.last_insert_rowid()
        }
    };
    known.insert((record, space), n);
    Ok(n)
}

/// The row of a record.
pub(crate) fn find_record(
    conn: &Connection,
    record: RecordId,
    space: Space,
) -> Result<Option<i64>, StoreError> {
    let (division, audience) = space_columns(space);
    conn.prepare_cached("SELECT n FROM record WHERE id = ?1 AND division = ?2 AND audience = ?3")
        .and_then(|mut s| {
            s.query_row(params![record.0, division, audience], |row| row.get(0)).optional()
        })
        .doing("look for a record")
}

/// Division and audience as kept in the tables.
pub(crate) fn space_columns(space: Space) -> (i64, u8) {
    (signed(space.division.number()), space.audience.number())
}
