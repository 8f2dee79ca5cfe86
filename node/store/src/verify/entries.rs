//! Every entry from its bytes: decoded, its signatures verified, its columns and body compared, and
//! taken into fresh logs in the order in which it came.

use rusqlite::{Row, params};
use xw_ledger::log::{Logs, Placed, Restood};
use xw_schemas::entry::{Body, EntryFault, RawEntry, VerifiedEntry};
use xw_schemas::id::NetworkId;
use xw_schemas::space::Space;

use super::{Check, FindingCode};
use crate::keys::Opened;
use crate::limits::{VERIFY_ENTRIES, VERIFY_THREADS};
use crate::receive::kind;
use crate::settle::space;

/// An entry as the tables have it.
struct Stored {
    n: i64,
    id: Vec<u8>,
    log: Option<Vec<u8>>,
    sequence: i64,
    kind: i64,
    record: Option<(Vec<u8>, Space)>,
    bytes: Vec<u8>,
    body: Option<Vec<u8>>,
}

const SELECT: &str = "SELECT e.n, e.id, l.id, e.sequence, e.kind, e.bytes, b.bytes, r.id,
     r.division, r.audience FROM entry e LEFT JOIN log l ON l.n = e.log_n
     LEFT JOIN record r ON r.n = e.record_n LEFT JOIN body b ON b.entry_n = e.n
     WHERE e.n BETWEEN ?1 AND ?2 ORDER BY e.n";

impl Check<'_> {
    /// Checks all entries and gives the logs that they make.
    pub(super) fn entries(&mut self) -> Logs {
        let mut logs = self.replayed();
        logs.reassess(self.roster, &mut Restood::default());
        logs
    }

    fn replayed(&mut self) -> Logs {
        let mut logs = Logs::new();
        let last = match self.source.last_entry() {
            Ok(last) => last,
            Err(error) => {
                self.report.add(FindingCode::Unreadable, "entry", error);
                return logs;
            }
        };
        let mut from = 1;
        let step = i64::try_from(VERIFY_ENTRIES).expect("a small constant");
        while from <= last {
            let to = last.min(from + step - 1);
            let stored = self.stored(from, to);
            let verified = verify_all(&stored, self.roster.network());
            for (stored, verified) in stored.iter().zip(verified) {
                self.entry(stored, verified, &mut logs);
                self.step();
            }
            from = to + 1;
        }
        self.orphans();
        logs
    }

    /// The rows of a range. Where the range cannot be read, row by row: one damaged page hides no
    /// more than its own rows.
    fn stored(&mut self, from: i64, to: i64) -> Vec<Stored> {
        match self.range(from, to) {
            Ok(rows) => rows,
            Err(error) if from == to => {
                self.report.add(FindingCode::Unreadable, format!("entry {from}"), error);
                Vec::new()
            }
            Err(_) => (from..=to).flat_map(|n| self.stored(n, n)).collect(),
        }
    }

    fn range(&mut self, from: i64, to: i64) -> Result<Vec<Stored>, String> {
        self.source.read(|conn| {
            let mut statement = conn.prepare_cached(SELECT)?;
            statement.query_map(params![from, to], stored)?.collect::<rusqlite::Result<_>>()
        })
    }

    fn entry(&mut self, stored: &Stored, verified: Result<VerifiedEntry, Fault>, logs: &mut Logs) {
        let place = format!("entry {}", stored.n);
        let entry = match verified {
            Ok(entry) => entry,
            Err(Fault::Entry(fault)) => {
                let signature = matches!(fault, EntryFault::BadSignature | EntryFault::WeakKey);
                let code = if signature { FindingCode::Signature } else { FindingCode::EntryBytes };
                self.report.add(code, place, fault);
                return;
            }
            Err(Fault::Panic) => {
                self.report.add(FindingCode::EntryBytes, place, "checking it failed");
                return;
            }
        };
        self.report.entries += 1;
        let core = entry.core();
        let columns = stored.id[..] == entry.id().0[..]
            && stored.log.as_deref() == Some(&core.log.0[..])
            && u64::try_from(stored.sequence) == Ok(core.sequence)
            && stored.kind == kind(&core.statement);
        if !columns {
            self.report.add(FindingCode::EntryColumns, place.clone(), "id, log, number or kind");
        }
        match logs.restore(self.roster, &entry) {
            Ok(Placed::Duplicate) => {
                self.report.add(FindingCode::Chain, place.clone(), "stands twice");
            }
            Ok(_) => {}
            Err(refusal) => self.report.add(FindingCode::Chain, place.clone(), refusal),
        }
        let space = logs.log(&core.log).map(|log| log.space);
        let about = core.statement.record().map(|record| record.0.to_vec()).zip(space);
        if space.is_some() && stored.record != about {
            self.report.add(FindingCode::EntryColumns, place.clone(), "record");
        }
        if let Some(kept) = &stored.body {
            let body = match self.vault.read(kept) {
                Opened::Bytes(bytes) => Body::from_bytes(bytes),
                Opened::Locked => return,
                Opened::Damaged => None,
            };
            self.report.bodies += 1;
            let fits = body.zip(entry.change()).is_some_and(|(body, change)| body.matches(change));
            if !fits {
                self.report.add(FindingCode::Body, place, "commitment");
            }
        }
    }

    /// Rows that belong to no entry.
    fn orphans(&mut self) {
        for table in ["body", "verdict", "fork"] {
            let sql = format!(
                "SELECT entry_n FROM {table} WHERE entry_n NOT IN (SELECT n FROM entry) LIMIT 10"
            );
            for n in self.rows(&sql, table, |row| row.get::<_, i64>(0)) {
                let place = format!("{table} {n}");
                self.report.add(FindingCode::Unreadable, place, "belongs to no entry");
            }
        }
    }
}

fn stored(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let record = match row.get::<_, Option<Vec<u8>>>(7)? {
        Some(id) => Some((id, space(row, 8)?)),
        None => None,
    };
    Ok(Stored {
        n: row.get(0)?,
        id: row.get(1)?,
        log: row.get(2)?,
        sequence: row.get(3)?,
        kind: row.get(4)?,
        bytes: row.get(5)?,
        body: row.get(6)?,
        record,
    })
}

/// Why an entry is not what it should be.
enum Fault {
    Entry(EntryFault),
    Panic,
}

/// Verifies a batch on several threads; the answers stand in the order of the batch.
fn verify_all(stored: &[Stored], network: NetworkId) -> Vec<Result<VerifiedEntry, Fault>> {
    let share = stored.len().div_ceil(VERIFY_THREADS).max(1);
    let verify = |part: &[Stored]| -> Vec<Result<VerifiedEntry, Fault>> {
        part.iter()
            .map(|stored| {
                RawEntry::decode(stored.bytes.clone())
                    .and_then(|raw| raw.verify(network))
                    .map_err(Fault::Entry)
            })
            .collect()
    };
    std::thread::scope(|scope| {
        let parts: Vec<_> = stored
            .chunks(share)
            .map(|part| (part.len(), scope.spawn(move || verify(part))))
            .collect();
        parts
            .into_iter()
            .flat_map(|(len, part)| {
                part.join().unwrap_or_else(|_| (0..len).map(|_| Err(Fault::Panic)).collect())
            })
            .collect()
    })
}
