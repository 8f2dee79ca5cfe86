//! From entries to rows: every record marked dirty is judged, its verdicts, row and words written.
//! A record whose judging ends in a panic is set aside and does not stop the others.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{Connection, OptionalExtension as _, Row as SqlRow, params};
use xw_ledger::judge::{Definitions, Evidence, Judged, judge};
use xw_ledger::roster::Roster;
use xw_ledger::standing::{LogStanding, Standing};
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, RecordId};
use xw_schemas::record::{Level, SchemaHash};
use xw_schemas::space::{Audience, Division, Space};

use crate::erase;
use crate::error::{Doing, StoreError};
use crate::keys::{Opened, Vault, is_sealed, token};
use crate::limits::SETTLE_RECORDS;
use crate::parcels::Held;
use crate::row::Row;
use crate::shown::note_settled;
use crate::standing::signed;
use crate::store::{Parts, Store};

/// What settling did.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Settled {
    /// Records judged.
    pub judged: u64,
    /// Records whose row changed, came or went.
    pub changed: Vec<ChangedRecord>,
    /// Records set aside because judging them failed.
    pub quarantined: Vec<RecordId>,
    /// Records that still wait to be judged.
    pub remaining: u64,
}

/// A record whose row changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangedRecord {
    /// The record.
    pub record: RecordId,
    /// Its space.
    pub space: Space,
    /// Its type; empty when nothing of it counts any more.
    pub record_type: String,
    /// The two requests on which its contents were removed, when they were.
    pub erased: Option<[EntryId; 2]>,
}

const DOING: &str = "settle records";

/// The rules as a function, so that tests can hand in failing ones.
pub(crate) type Rules = dyn Fn(&Roster, &Definitions, RecordId, &[Evidence<'_>]) -> Judged + Sync;

/// Records judged on a second thread only when there are so many; starting it costs 30 µs.
const SHARE_MIN: usize = 16;

impl Store {
    /// Judges at most `max_records` records that wait for it: the rows in one transaction, what the
    /// entries' side keeps in the next. A node that does not know the rules which the roster names
    /// judges nothing, and a locked one neither; records then wait.
    pub fn settle(&mut self, max_records: usize) -> Result<Settled, StoreError> {
        self.settle_by(max_records, &judge)
    }

    /// Judges all records that wait, as far as that goes.
    pub fn settle_all(&mut self) -> Result<Settled, StoreError> {
        let mut all = Settled::default();
        loop {
            let some = self.settle(SETTLE_RECORDS)?;
            let idle = some.judged == 0 && some.quarantined.is_empty();
            let stuck = idle && some.remaining >= all.remaining && all.remaining > 0;
            all.judged += some.judged;
            all.changed.extend(some.changed);
            all.quarantined.extend(some.quarantined);
            all.remaining = some.remaining;
            if some.remaining == 0 || stuck || !self.may_judge() {
                return Ok(all);
            }
        }
    }

    pub(crate) fn settle_by(
        &mut self,
        max_records: usize,
        rules: &Rules,
    ) -> Result<Settled, StoreError> {
        let mut settled = Settled::default();
        if self.may_judge() {
            self.settle_suspects(max_records, rules, &mut settled)?;
            let left = max_records.saturating_sub(usize::try_from(settled.judged).unwrap_or(0));
            if left > 0 && self.suspects.is_empty() {
                let records = dirty(&self.conn, left)?;
                self.settle_these(&records, rules, &mut settled)?;
            }
        }
        settled.remaining = remaining(&self.conn)?;
        Ok(settled)
    }

    fn may_judge(&self) -> bool {
        self.roster().rules_are_known() && self.is_unlocked() && self.shows()
    }

    /// Records that may have ended the program are judged one by one, each marked on disk before.
    fn settle_suspects(
        &mut self,
        max_records: usize,
        rules: &Rules,
        settled: &mut Settled,
    ) -> Result<(), StoreError> {
        for _ in 0..max_records {
            let Some(record_n) = self.suspects.first().copied() else { return Ok(()) };
            self.transact(DOING, |parts| {
                parts
                    .tx
                    .execute("INSERT OR IGNORE INTO attempt(record_n) VALUES (?1)", [record_n])
                    .doing(DOING)
            })?;
            self.settle_these(&[record_n], rules, settled)?;
            self.suspects.pop_first();
        }
        Ok(())
    }

    /// Loads, judges on two threads, writes. Only the judging is shared: it is pure. The rows are
    /// committed before the marks are cleared, so that whatever happens in between, a mark is left
    /// for every record whose row is not the last word.
    fn settle_these(
        &mut self,
        records: &[i64],
        rules: &Rules,
        settled: &mut Settled,
    ) -> Result<(), StoreError> {
        if self.stale {
            self.reload()?;
        }
        if records.is_empty() {
            return Ok(());
        }
        let mut pending = Vec::with_capacity(records.len());
        for record_n in records {
            pending.extend(take_up(&self.conn, &self.vault, &self.held.assessed, *record_n)?);
        }
        let outcomes =
            judge_all(self.chain.roster(), &self.definitions, &pending, self.level(), rules);
        let token = token()?;
        let mut differs = Vec::with_capacity(pending.len());
        self.transact_rows(&token, |conn| {
            for (pending, outcome) in pending.iter().zip(&outcomes) {
                let written = match outcome {
                    Ok((_, row)) => write_row(conn, pending, row.as_ref())?,
                    Err(_) => false,
                };
                differs.push(written);
            }
            Ok(())
        })?;
        let mut removed = 0;
        let (judged, changed, quarantined) = self.transact(DOING, |parts| {
            let mut one = Settled::default();
            for (at, (pending, outcome)) in pending.iter().zip(&outcomes).enumerate() {
                removed += write_outcome(parts, pending, outcome, differs[at], &mut one)?;
            }
            let mut clear =
                parts.tx.prepare_cached("DELETE FROM dirty WHERE record_n = ?1").doing(DOING)?;
            for record_n in records {
                clear.execute([record_n]).doing(DOING)?;
            }
            run(parts.tx, "DELETE FROM attempt", [])?;
            note_settled(parts.tx, &token)?;
            Ok((one.judged, one.changed, one.quarantined))
        })?;
        settled.judged += judged;
        settled.changed.extend(changed);
        settled.quarantined.extend(quarantined);
        if removed > 0 { self.scrub_if_owed() } else { Ok(()) }
    }
}

/// The next records to be judged; those set aside are passed over.
fn dirty(conn: &Connection, max: usize) -> Result<Vec<i64>, StoreError> {
    let sql = "SELECT record_n FROM dirty ORDER BY record_n LIMIT ?1";
    let mut statement = conn.prepare_cached(sql).doing(DOING)?;
    let rows = statement.query_map([i64::try_from(max).unwrap_or(i64::MAX)], |row| row.get(0));
    rows.doing(DOING)?.collect::<Result<_, _>>().doing(DOING)
}

/// How many records wait to be judged.
pub(crate) fn remaining(conn: &Connection) -> Result<u64, StoreError> {
    conn.prepare_cached("SELECT count(*) FROM dirty")
        .and_then(|mut s| s.query_row([], |row| crate::load::number(row, 0)))
        .doing(DOING)
}

/// A record with everything that is needed to judge it.
struct Pending {
    record_n: i64,
    record: RecordId,
    space: Space,
    /// What is held of it, or what cannot be read.
    case: Result<Case, String>,
}

/// What judging one record came to: its row beside the verdicts, or why it is set aside.
type Outcome = Result<(Judged, Option<Row>), String>;

fn judge_all(
    roster: &Roster,
    definitions: &Definitions,
    pending: &[Pending],
    level: Option<Level>,
    rules: &Rules,
) -> Vec<Outcome> {
    let judge = |part: &[Pending]| -> Vec<Outcome> {
        let one = |pending: &Pending| {
            let case = pending.case.as_ref().map_err(Clone::clone)?;
            case.judge(roster, definitions, pending.record, level, rules)
        };
        part.iter().map(one).collect()
    };
    if pending.len() < SHARE_MIN {
        return judge(pending);
    }
    let (first, second) = pending.split_at(pending.len() / 2);
    std::thread::scope(|scope| {
        let helper = scope.spawn(|| judge(second));
        let mut all = judge(first);
        match helper.join() {
            Ok(rest) => all.extend(rest),
            Err(panic) => std::panic::resume_unwind(panic),
        }
        all
    })
}

/// Loads a record that is to be judged; nothing for one that was set aside.
fn take_up(
    conn: &Connection,
    vault: &Vault,
    assessed: &BTreeMap<LogId, LogStanding>,
    record_n: i64,
) -> Result<Option<Pending>, StoreError> {
    if is_poisoned(conn, record_n)? {
        return Ok(None);
    }
    let Some((record, space)) = record_at(conn, record_n)? else { return Ok(None) };
    let case = Case::load(conn, vault, assessed, record_n)?;
    Ok(Some(Pending { record_n, record, space, case }))
}

/// Writes what the entries' side keeps of a judgement. Gives how many bodies an erasure removed.
fn write_outcome(
    parts: &Parts<'_>,
    pending: &Pending,
    outcome: &Outcome,
    row_differs: bool,
    settled: &mut Settled,
) -> Result<u64, StoreError> {
    let mut removed = 0;
    let Pending { record_n, record, space, case } = pending;
    match (outcome, case) {
        (Ok((judged, row)), Ok(case)) => {
            settled.judged += 1;
            write_verdicts(parts.tx, case, judged)?;
            let standing = judged.view.is_some().then_some(judged.standing).map(Standing::number);
            let sql = "UPDATE record SET standing = ?2 WHERE n = ?1 AND standing IS NOT ?2";
            let stood = run(parts.tx, sql, params![record_n, standing])? > 0;
            let erased = erase::because(judged);
            if erased.is_some() {
                removed = erase::remove_bodies(parts, *record_n, case)?;
            } else {
                erase::mark(parts.tx, *record_n, false)?;
                keep_anew(parts, case)?;
            }
            if stood || row_differs {
                let record_type = row.as_ref().map(|row| row.record_type.clone());
                let record_type = record_type.unwrap_or_default();
                let (record, space) = (*record, *space);
                settled.changed.push(ChangedRecord { record, space, record_type, erased });
            }
        }
        (Err(what), _) | (_, Err(what)) => {
            tracing::error!(record = %record, what, "a record is set aside");
            settled.quarantined.push(*record);
            let sql = "INSERT OR REPLACE INTO poison(record_n, program, what) VALUES (?1, ?2, ?3)";
            run(parts.tx, sql, params![record_n, env!("CARGO_PKG_VERSION"), what])?;
        }
    }
    Ok(removed)
}

/// Bodies that came while the store was locked are kept as others are, once they have been read.
fn keep_anew(parts: &Parts<'_>, case: &Case) -> Result<(), StoreError> {
    for (entry_n, body) in &case.sealed {
        let kept = parts.vault.keep(body)?;
        run(parts.tx, "UPDATE body SET bytes = ?2 WHERE entry_n = ?1", params![entry_n, kept])?;
    }
    Ok(())
}

fn is_poisoned(conn: &Connection, record_n: i64) -> Result<bool, StoreError> {
    conn.prepare_cached("SELECT 1 FROM poison WHERE record_n = ?1")
        .and_then(|mut s| s.exists([record_n]))
        .doing(DOING)
}

/// The record of a row.
pub(crate) fn record_at(
    conn: &Connection,
    record_n: i64,
) -> Result<Option<(RecordId, Space)>, StoreError> {
    conn.prepare_cached("SELECT id, division, audience FROM record WHERE n = ?1")
        .and_then(|mut s| {
            s.query_row([record_n], |row| Ok((RecordId(row.get(0)?), space(row, 1)?))).optional()
        })
        .doing("read a record")
}

/// Reads a space from two columns.
pub(crate) fn space(row: &SqlRow<'_>, at: usize) -> rusqlite::Result<Space> {
    let (division, audience): (i64, i64) = (row.get(at)?, row.get(at + 1)?);
    let space = (|| {
        let division = Division::from_number(u64::try_from(division).ok()?)?;
        let audience = Audience::from_number(u64::try_from(audience).ok()?)?;
        Some(Space { division, audience })
    })();
    space.ok_or(rusqlite::Error::IntegralValueOutOfRange(at, division))
}

/// Everything held of one record, ready to be judged.
pub(crate) struct Case {
    /// The row of each entry.
    pub(crate) numbers: BTreeMap<EntryId, i64>,
    pub(crate) held: Vec<Held>,
    /// Bodies that are kept sealed, by the rows of their entries.
    sealed: Vec<(i64, Vec<u8>)>,
}

impl Case {
    /// Loads a record. The inner error says what cannot be read of it.
    pub(crate) fn load(
        conn: &Connection,
        vault: &Vault,
        assessed: &BTreeMap<LogId, LogStanding>,
        record_n: i64,
    ) -> Result<Result<Self, String>, StoreError> {
        let sql = "SELECT e.n, e.bytes, b.bytes FROM entry e LEFT JOIN body b ON b.entry_n = e.n
                   WHERE e.record_n = ?1 ORDER BY e.log_n, e.sequence, e.n";
        let mut statement = conn.prepare_cached(sql).doing("read the entries of a record")?;
        let mut rows = statement.query([record_n]).doing("read the entries of a record")?;
        let mut case = Self { numbers: BTreeMap::new(), held: Vec::new(), sealed: Vec::new() };
        while let Some(row) = rows.next().doing("read the entries of a record")? {
            match held(row, vault, assessed) {
                Ok(Loaded { n, held, was_sealed }) => {
                    case.numbers.insert(held.entry.id(), n);
                    let body = held.body.as_ref().filter(|_| was_sealed);
                    case.sealed.extend(body.map(|body| (n, body.bytes().to_vec())));
                    case.held.push(held);
                }
                Err(what) => return Ok(Err(what)),
            }
        }
        Ok(Ok(case))
    }

    /// Judges the record. A panic inside the rules comes back as what it said.
    pub(crate) fn judge(
        &self,
        roster: &Roster,
        definitions: &Definitions,
        record: RecordId,
        level: Option<Level>,
        rules: &Rules,
    ) -> Result<(Judged, Option<Row>), String> {
        let evidence: Vec<Evidence<'_>> = self.held.iter().map(Held::evidence).collect();
        // The rules change nothing that outlives them, so nothing half-done can be seen afterwards.
        let judged = catch_unwind(AssertUnwindSafe(|| {
            let judged = rules(roster, definitions, record, &evidence);
            let row = judged.view.as_ref().map(|view| {
                let hash = xw_schemas::id::unhex(&view.schema).and_then(|h| h.try_into().ok());
                let definition = hash.and_then(|hash| definitions.get(&SchemaHash(hash)));
                Row::of(view, definition.map(AsRef::as_ref), level)
            });
            (judged, row)
        }));
        // What a panic says may quote what people wrote, so it goes nowhere; its place the program
        // has told on the way.
        judged.map_err(|_| "judging it failed".to_owned())
    }
}

/// One entry of a record as it is kept.
struct Loaded {
    n: i64,
    held: Held,
    was_sealed: bool,
}

fn held(
    row: &SqlRow<'_>,
    vault: &Vault,
    assessed: &BTreeMap<LogId, LogStanding>,
) -> Result<Loaded, String> {
    let read = |error: rusqlite::Error| error.to_string();
    let n: i64 = row.get(0).map_err(read)?;
    let entry = VerifiedEntry::from_store(row.get(1).map_err(read)?)
        .map_err(|fault| format!("entry {n}: {fault}"))?;
    let mut was_sealed = false;
    let body = match row.get::<_, Option<Vec<u8>>>(2).map_err(read)? {
        Some(kept) => {
            was_sealed = is_sealed(&kept);
            let Opened::Bytes(bytes) = vault.read(&kept) else {
                return Err(format!("body {n}: does not open"));
            };
            Some(Body::from_bytes(bytes).ok_or_else(|| format!("body {n}: length"))?)
        }
        None => None,
    };
    let (log, sequence, id) = (entry.core().log, entry.core().sequence, entry.id());
    let standing = assessed.get(&log).map_or(Standing::Pending, |log| log.of(sequence, &id));
    Ok(Loaded { n, held: Held { entry, body, standing }, was_sealed })
}

fn write_verdicts(conn: &Connection, case: &Case, judged: &Judged) -> Result<(), StoreError> {
    let sql = "INSERT INTO verdict(entry_n, kind, reason) VALUES (?1, ?2, ?3)
               ON CONFLICT(entry_n) DO UPDATE SET kind = excluded.kind, reason = excluded.reason
               WHERE kind <> excluded.kind OR reason <> excluded.reason";
    let mut statement = conn.prepare_cached(sql).doing(DOING)?;
    for (entry, verdict) in &judged.verdicts {
        let Some(entry_n) = case.numbers.get(entry) else { continue };
        let stored = verdict.stored();
        statement.execute(params![entry_n, stored.kind.number(), stored.reason]).doing(DOING)?;
    }
    Ok(())
}

/// Writes what a record amounts to. Says whether that differs from what was there.
fn write_row(conn: &Connection, pending: &Pending, row: Option<&Row>) -> Result<bool, StoreError> {
    let record_n = pending.record_n;
    let held: Option<[u8; 32]> = conn
        .prepare_cached("SELECT hash FROM canonical WHERE record_n = ?1")
        .and_then(|mut s| s.query_row([record_n], |row| row.get(0)).optional())
        .doing(DOING)?;
    if held == row.map(|row| row.hash) {
        return Ok(false);
    }
    let Some(row) = row else {
        drop_row(conn, record_n)?;
        return Ok(true);
    };
    let (division, audience) = crate::receive::space_columns(pending.space);
    run(
        conn,
        "INSERT OR REPLACE INTO view(record_n, type, township, division, audience, state, sealed,
             created_ms, updated_ms, changes, conflicts, problems, refused, waiting, title, number,
             doc)
         VALUES (?1, ?2, ?3 / 1000, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15,
             jsonb(?16))",
        params![
            record_n,
            row.record_type,
            division,
            audience,
            row.state,
            row.sealed,
            signed(row.created_ms),
            signed(row.updated_ms),
            row.changes,
            row.conflicts,
            row.problems,
            row.refused,
            row.waiting,
            row.title,
            row.number,
            row.doc,
        ],
    )?;
    let sql = "INSERT OR REPLACE INTO canonical(record_n, hash, bytes) VALUES (?1, ?2, ?3)";
    run(conn, sql, params![record_n, row.hash, row.bytes])?;
    // Replacing costs a search for the old words, which a new record has none of.
    if held.is_some() {
        run(conn, "DELETE FROM fts WHERE rowid = ?1", [record_n])?;
    }
    run(conn, "INSERT INTO fts(rowid, words) VALUES (?1, ?2)", params![record_n, row.words])?;
    Ok(true)
}

fn drop_row(conn: &Connection, record_n: i64) -> Result<(), StoreError> {
    for sql in [
        "DELETE FROM view WHERE record_n = ?1",
        "DELETE FROM canonical WHERE record_n = ?1",
        "DELETE FROM fts WHERE rowid = ?1",
    ] {
        run(conn, sql, [record_n])?;
    }
    Ok(())
}

fn run(conn: &Connection, sql: &str, params: impl rusqlite::Params) -> Result<usize, StoreError> {
    conn.prepare_cached(sql).and_then(|mut s| s.execute(params)).doing(DOING)
}
