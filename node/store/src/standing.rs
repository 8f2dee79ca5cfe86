//! How firmly entries and records stand, as the rows say. A log without forks takes three numbers,
//! so that a witness entry over 50,000 entries rewrites one row and the narrow rows of records.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, params};
use xw_ledger::log::{Log, Point};
use xw_ledger::roster::Roster;
use xw_ledger::standing::{LogStanding, Standing};
use xw_schemas::id::{EntryId, LogId};

use crate::error::{Doing, StoreError};
use crate::load::number;
use crate::receive::KIND_ERASE;
use crate::store::HeldLogs;
use crate::tables::STANDING;

/// What a log's row says when it is made: nothing is pinned and nothing is wrong.
pub(crate) const FRESH: LogStanding =
    LogStanding::Straight { finals: 0, witnessed: 0, rest: FRESH_REST };

/// How the entries of such a log stand, all of them.
pub(crate) const FRESH_REST: Standing = Standing::Local;

const DOING: &str = "write how firmly entries stand";

/// Writes what stands in these logs where it differs from the rows, with the standing of the
/// records concerned. Records of which an entry begins or ceases to count are to be judged again.
pub(crate) fn restand(
    conn: &Connection,
    roster: &Roster,
    held: &mut HeldLogs,
    logs: &BTreeSet<LogId>,
) -> Result<(), StoreError> {
    for log in logs {
        let (Some(new), Some(log_n)) = (held.logs.assess(roster, log), held.numbers.get(log))
        else {
            continue;
        };
        let old = held.assessed.get(log).unwrap_or(&FRESH);
        if *old == new {
            continue;
        }
        match (old, &new) {
            (
                LogStanding::Straight { finals: f0, witnessed: w0, rest: r0 },
                LogStanding::Straight { finals: f1, witnessed: w1, rest: r1 },
            ) => {
                write_bounds(conn, *log_n, *f1, *w1, *r1)?;
                let (from, to) = changed_range((*f0, *w0, *r0), (*f1, *w1, *r1));
                if !(r0.counts() && r1.counts()) {
                    mark_flips(conn, *log_n, from, to, |sequence, id| {
                        old.of(sequence, id).counts() != new.of(sequence, id).counts()
                    })?;
                }
                mark_requests(conn, *log_n, from, to)?;
                restand_records(conn, *log_n, from, to)?;
            }
            (LogStanding::Forked(was), LogStanding::Forked(now)) => {
                let entries = held.logs.log(log).into_iter().flat_map(Log::entries);
                let changed = entries.filter(|(_, id)| was.get(id) != now.get(id));
                write_some(conn, *log_n, changed, was, now)?;
            }
            _ => {
                write_forked(conn, *log_n, &new)?;
                mark_flips(conn, *log_n, 0, u64::MAX, |sequence, id| {
                    old.of(sequence, id).counts() != new.of(sequence, id).counts()
                })?;
                mark_requests(conn, *log_n, 0, u64::MAX)?;
                restand_records(conn, *log_n, 0, u64::MAX)?;
            }
        }
        held.assessed.insert(*log, new);
    }
    Ok(())
}

/// The numbers from and below which standings differ between two states of a log without forks.
fn changed_range(old: (u64, u64, Standing), new: (u64, u64, Standing)) -> (u64, u64) {
    let differing = [(old.0, new.0), (old.1, new.1)].into_iter().filter(|(a, b)| a != b);
    let (mut from, mut to) = (u64::MAX, 0);
    for (a, b) in differing {
        (from, to) = (from.min(a).min(b), to.max(a).max(b));
    }
    if old.2 != new.2 {
        (from, to) = (from.min(old.1).min(new.1), u64::MAX);
    }
    (from, to)
}

fn write_bounds(
    conn: &Connection,
    log_n: i64,
    finals: u64,
    witnessed: u64,
    rest: Standing,
) -> Result<(), StoreError> {
    conn.prepare_cached("UPDATE log SET finals = ?2, witnessed = ?3, rest = ?4 WHERE n = ?1")
        .and_then(|mut s| {
            s.execute(params![log_n, signed(finals), signed(witnessed), rest.number()])
        })
        .doing(DOING)?;
    Ok(())
}

/// Writes the entries of a log that has, or had, several branches one by one.
fn write_forked(conn: &Connection, log_n: i64, new: &LogStanding) -> Result<(), StoreError> {
    conn.prepare_cached("DELETE FROM fork WHERE entry_n IN (SELECT n FROM entry WHERE log_n = ?1)")
        .and_then(|mut s| s.execute([log_n]))
        .doing(DOING)?;
    let standings: &BTreeMap<EntryId, Standing> = match new {
        LogStanding::Straight { finals, witnessed, rest } => {
            return write_bounds(conn, log_n, *finals, *witnessed, *rest);
        }
        LogStanding::Forked(standings) => standings,
    };
    write_bounds(conn, log_n, 0, 0, Standing::Local)?;
    let mut select =
        conn.prepare_cached("SELECT n, id FROM entry WHERE log_n = ?1").doing(DOING)?;
    let mut insert =
        conn.prepare_cached("INSERT INTO fork(entry_n, standing) VALUES (?1, ?2)").doing(DOING)?;
    let mut rows = select.query([log_n]).doing(DOING)?;
    while let Some(row) = rows.next().doing(DOING)? {
        let (n, id): (i64, [u8; 32]) = (row.get(0).doing(DOING)?, row.get(1).doing(DOING)?);
        // Every entry has a row, so that a forked log is told from a straight one by having any.
        let standing = standings.get(&EntryId(id)).copied().unwrap_or(Standing::Pending);
        insert.execute(params![n, standing.number()]).doing(DOING)?;
    }
    Ok(())
}

/// Writes those entries of a log that has several branches, before and after, which stand otherwise
/// than they did or are new.
fn write_some(
    conn: &Connection,
    log_n: i64,
    changed: impl Iterator<Item = Point>,
    was: &BTreeMap<EntryId, Standing>,
    now: &BTreeMap<EntryId, Standing>,
) -> Result<(), StoreError> {
    let sql = "SELECT n, record_n, kind FROM entry
               WHERE log_n = ?1 AND sequence = ?2 AND id = ?3";
    let mut select = conn.prepare_cached(sql).doing(DOING)?;
    let sql = "INSERT OR REPLACE INTO fork(entry_n, standing) VALUES (?1, ?2)";
    let mut write = conn.prepare_cached(sql).doing(DOING)?;
    let (mut from, mut to, mut dirty) = (u64::MAX, 0, BTreeSet::new());
    for (sequence, id) in changed {
        let standing = now.get(&id).copied().unwrap_or(Standing::Pending);
        let row: (i64, Option<i64>, i64) = select
            .query_row(params![log_n, signed(sequence), id.0], |row| {
                Ok((row.get(0)?, row.get(1)?, row.get(2)?))
            })
            .doing(DOING)?;
        let (entry_n, record_n, kind) = row;
        write.execute(params![entry_n, standing.number()]).doing(DOING)?;
        let flips = was.get(&id).is_some_and(|was| was.counts() != standing.counts());
        if flips || kind == KIND_ERASE {
            dirty.extend(record_n);
        }
        (from, to) = (from.min(sequence), to.max(sequence + 1));
    }
    mark_dirty(conn, dirty)?;
    restand_records(conn, log_n, from, to)
}

/// Marks the records of which somebody in the range asks for the erasure: it holds only once the
/// request is final.
fn mark_requests(conn: &Connection, log_n: i64, from: u64, to: u64) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO dirty(record_n) SELECT record_n FROM entry
               WHERE kind = 3 AND log_n = ?1 AND sequence >= ?2 AND sequence < ?3";
    conn.prepare_cached(sql)
        .and_then(|mut s| s.execute(params![log_n, signed(from), signed(to)]))
        .doing(DOING)?;
    Ok(())
}

/// Marks the records of which an entry in the range begins or ceases to count.
fn mark_flips(
    conn: &Connection,
    log_n: i64,
    from: u64,
    to: u64,
    flips: impl Fn(u64, &EntryId) -> bool,
) -> Result<(), StoreError> {
    let sql = "SELECT id, sequence, record_n FROM entry
               WHERE log_n = ?1 AND sequence >= ?2 AND sequence < ?3 AND record_n IS NOT NULL";
    let mut select = conn.prepare_cached(sql).doing(DOING)?;
    let mut rows = select.query(params![log_n, signed(from), signed(to)]).doing(DOING)?;
    let mut flipped = BTreeSet::new();
    while let Some(row) = rows.next().doing(DOING)? {
        let id = EntryId(row.get(0).doing(DOING)?);
        if flips(number(row, 1).doing(DOING)?, &id) {
            flipped.insert(row.get::<_, i64>(2).doing(DOING)?);
        }
    }
    mark_dirty(conn, flipped)
}

/// These records are to be judged again.
pub(crate) fn mark_dirty(
    conn: &Connection,
    records: impl IntoIterator<Item = i64>,
) -> Result<(), StoreError> {
    let sql = "INSERT OR IGNORE INTO dirty(record_n) VALUES (?1)";
    let mut insert = conn.prepare_cached(sql).doing("mark records for judging")?;
    for record in records {
        insert.execute([record]).doing("mark records for judging")?;
    }
    Ok(())
}

/// A record stands as weakly as the weakest of its entries that count.
fn restand_records(conn: &Connection, log_n: i64, from: u64, to: u64) -> Result<(), StoreError> {
    let sql = format!(
        "UPDATE record SET standing = x.standing FROM (
             SELECT e.record_n, max({STANDING}) AS standing
             FROM entry e JOIN log l ON l.n = e.log_n JOIN verdict v ON v.entry_n = e.n
             LEFT JOIN fork f ON f.entry_n = e.n
             WHERE v.kind <= 1 AND e.record_n IN (
                 SELECT t.record_n FROM entry t WHERE t.log_n = ?1 AND t.sequence >= ?2
                 AND t.sequence < ?3 AND t.record_n IS NOT NULL)
             GROUP BY e.record_n) AS x
         WHERE record.n = x.record_n AND record.standing <> x.standing"
    );
    conn.prepare_cached(&sql)
        .and_then(|mut s| s.execute(params![log_n, signed(from), signed(to)]))
        .doing(DOING)?;
    Ok(())
}

/// As SQLite holds numbers; sequence numbers are far below the limit, which stands for "all".
pub(crate) fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
