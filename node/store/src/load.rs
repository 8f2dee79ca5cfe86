//! From the file into memory: editions, definitions and logs, in the order in which they came.

use std::collections::BTreeSet;
use std::sync::Arc;

use rusqlite::{Connection, Row};
use xw_ledger::judge::Definitions;
use xw_ledger::log::Restood;
use xw_ledger::roster::{Chain, Roster};
use xw_ledger::standing::{LogStanding, Standing};
use xw_schemas::edition::Edition;
use xw_schemas::entry::VerifiedEntry;
use xw_schemas::id::{EntryId, LogId};
use xw_schemas::record::RecordType;

use crate::error::{Doing, StoreError};
use crate::standing;
use crate::store::{HeldLogs, Store, meta};

/// The roster's editions.
pub(crate) fn chain(conn: &Connection) -> Result<Chain, StoreError> {
    let mut editions =
        blobs(conn, "SELECT bytes FROM edition ORDER BY n")?.into_iter().map(|bytes| {
            Edition::decode(bytes).map_err(|fault| StoreError::damaged(format!("roster: {fault}")))
        });
    let founding = editions.next().ok_or_else(|| StoreError::damaged("no roster edition"))??;
    // Copies with more signatures stand where the first one came, before those who sign them.
    let (chain, refused) = Chain::of_set(founding, editions.collect::<Result<Vec<_>, _>>()?)?;
    // It counted for nothing when it was stored or would have been refused; a node that does not
    // take it up any more goes on with the others.
    for (edition, refusal) in refused {
        tracing::warn!(%edition, %refusal, "a stored roster edition is refused");
    }
    Ok(chain)
}

/// The record-type definitions.
pub(crate) fn definitions(conn: &Connection) -> Result<Definitions, StoreError> {
    let all = blobs(conn, "SELECT bytes FROM definition ORDER BY n")?;
    all.into_iter()
        .map(|bytes| {
            let definition = RecordType::from_canonical(&bytes)
                .map_err(|_| StoreError::damaged("a record-type definition"))?;
            Ok((definition.hash(), Arc::new(definition)))
        })
        .collect()
}

fn blobs(conn: &Connection, sql: &str) -> Result<Vec<Vec<u8>>, StoreError> {
    let mut statement = conn.prepare(sql).doing("read the roster")?;
    let rows = statement.query_map([], |row| row.get(0)).doing("read the roster")?;
    rows.collect::<Result<_, _>>().doing("read the roster")
}

/// All logs, by taking every entry in again. Signatures were checked before the entries were
/// stored; `verify` checks them again.
pub(crate) fn logs(conn: &Connection, roster: &Roster) -> Result<HeldLogs, StoreError> {
    let mut held = HeldLogs { numbers: numbers(conn)?, ..HeldLogs::default() };
    let mut statement =
        conn.prepare("SELECT n, bytes FROM entry ORDER BY n").doing("read the entries")?;
    let mut rows = statement.query([]).doing("read the entries")?;
    while let Some(row) = rows.next().doing("read the entries")? {
        let (n, bytes) = (row.get::<_, i64>(0), row.get::<_, Vec<u8>>(1));
        let (n, bytes) = (n.doing("read an entry")?, bytes.doing("read an entry")?);
        let entry = VerifiedEntry::from_store(bytes)
            .map_err(|fault| StoreError::damaged(format!("entry {n}: {fault}")))?;
        if let Err(refusal) = held.logs.restore(roster, &entry) {
            tracing::warn!(entry = %entry.id(), reason = %refusal, "a stored entry has no place");
            held.unplaced.insert(entry.id());
        }
    }
    held.logs.reassess(roster, &mut Restood::default());
    held.assessed = assessed(conn)?;
    Ok(held)
}

fn numbers(conn: &Connection) -> Result<std::collections::BTreeMap<LogId, i64>, StoreError> {
    let mut statement = conn.prepare("SELECT id, n FROM log").doing("read the logs")?;
    let rows = statement
        .query_map([], |row| Ok((LogId(row.get(0)?), row.get(1)?)))
        .doing("read the logs")?;
    rows.collect::<Result<_, _>>().doing("read the logs")
}

/// What stands in each log, as the rows say.
pub(crate) fn assessed(
    conn: &Connection,
) -> Result<std::collections::BTreeMap<LogId, LogStanding>, StoreError> {
    let sql =
        "SELECT l.id, l.finals, l.witnessed, l.rest, EXISTS (SELECT 1 FROM fork f JOIN entry e
               ON e.n = f.entry_n WHERE e.log_n = l.n), l.n FROM log l";
    let mut statement = conn.prepare(sql).doing("read the logs")?;
    let mut rows = statement.query([]).doing("read the logs")?;
    let mut all = std::collections::BTreeMap::new();
    while let Some(row) = rows.next().doing("read the logs")? {
        let log = LogId(row.get(0).doing("read a log")?);
        let straight = straight(row).doing("read a log")?;
        let forked: bool = row.get(4).doing("read a log")?;
        let standing = if forked {
            LogStanding::Forked(each(conn, row.get(5).doing("read a log")?)?)
        } else {
            straight
        };
        all.insert(log, standing);
    }
    Ok(all)
}

fn straight(row: &Row<'_>) -> rusqlite::Result<LogStanding> {
    Ok(LogStanding::Straight {
        finals: number(row, 1)?,
        witnessed: number(row, 2)?,
        rest: stood(row, 3)?,
    })
}

/// The standing of every entry of a log.
fn each(
    conn: &Connection,
    log_n: i64,
) -> Result<std::collections::BTreeMap<EntryId, Standing>, StoreError> {
    let sql = format!(
        "SELECT e.id, {} FROM entry e JOIN log l ON l.n = e.log_n
         LEFT JOIN fork f ON f.entry_n = e.n WHERE e.log_n = ?1",
        crate::tables::STANDING
    );
    let mut statement = conn.prepare_cached(&sql).doing("read a forked log")?;
    let rows = statement
        .query_map([log_n], |row| Ok((EntryId(row.get(0)?), stood(row, 1)?)))
        .doing("read a forked log")?;
    rows.collect::<Result<_, _>>().doing("read a forked log")
}

/// Reads a count that is never negative.
pub(crate) fn number(row: &Row<'_>, column: usize) -> rusqlite::Result<u64> {
    let value: i64 = row.get(column)?;
    u64::try_from(value).map_err(|_| rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// Reads a standing.
pub(crate) fn stood(row: &Row<'_>, column: usize) -> rusqlite::Result<Standing> {
    let value: i64 = row.get(column)?;
    u8::try_from(value)
        .ok()
        .and_then(Standing::from_number)
        .ok_or(rusqlite::Error::IntegralValueOutOfRange(column, value))
}

/// What the last program left unsettled if it ended while it might have been judging. A record that
/// it marked as being judged ended it, and is set aside. In the transaction of the caller.
pub(crate) fn suspects(tx: &Connection) -> Result<BTreeSet<i64>, StoreError> {
    let doing = "look for unfinished work";
    let program = env!("CARGO_PKG_VERSION");
    // Another version of the program gets another chance.
    tx.execute(
        "INSERT OR IGNORE INTO dirty SELECT record_n FROM poison WHERE program <> ?1",
        [program],
    )
    .doing(doing)?;
    tx.execute("DELETE FROM poison WHERE program <> ?1", [program]).doing(doing)?;
    tx.execute(
        "INSERT OR REPLACE INTO poison SELECT record_n, ?1, 'the program ended while judging it'
         FROM attempt",
        [program],
    )
    .doing(doing)?;
    tx.execute("DELETE FROM attempt", []).doing(doing)?;
    let judging: Option<i64> = meta(tx, "judging")?;
    if judging == Some(0) {
        return Ok(BTreeSet::new());
    }
    let mut statement = tx.prepare("SELECT record_n FROM dirty").doing(doing)?;
    let rows = statement.query_map([], |row| row.get(0)).doing(doing)?;
    rows.collect::<Result<_, _>>().doing(doing)
}

impl Store {
    /// Brings the rows in line with what stands by the logs as loaded. They differ only when
    /// another version of the program wrote them.
    pub(crate) fn catch_up_standings(&mut self) -> Result<(), StoreError> {
        let logs: BTreeSet<LogId> = self.held.numbers.keys().copied().collect();
        let behind = logs.iter().any(|log| {
            self.held.logs.assess(self.chain.roster(), log).as_ref() != self.held.assessed.get(log)
        });
        if !behind {
            return Ok(());
        }
        self.transact("bring the standings up to date", |parts| {
            standing::restand(parts.tx, parts.chain.roster(), parts.held, &logs)
        })
    }
}
