//! Every record judged again and compared with its verdicts, row, view and standing, and read a
//! second time through the document library.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};

use rusqlite::{OptionalExtension as _, Row as SqlRow};
use xw_ledger::document::Document;
use xw_ledger::judge::{Evidence, Judged, admitted, judge};
use xw_ledger::standing::LogStanding;
use xw_ledger::verdict::StoredVerdict;
use xw_schemas::id::{LogId, RecordId};
use xw_schemas::space::Space;

use super::search::Words;
use super::{Check, FindingCode};
use crate::load::number;
use crate::parcels::Held;
use crate::reader::verdict;
use crate::row::Row;
use crate::settle::{Case, record_at, space};

impl Check<'_> {
    pub(super) fn records(&mut self, assessed: &BTreeMap<LogId, LogStanding>) {
        let mut words = Words::new();
        let sql = "SELECT r.n, EXISTS (SELECT 1 FROM dirty d WHERE d.record_n = r.n), p.what
                   FROM record r LEFT JOIN poison p ON p.record_n = r.n ORDER BY r.n";
        let rows = self.rows(sql, "record", |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, bool>(1)?, row.get::<_, Option<String>>(2)?))
        });
        let mut skipped = 0;
        for (n, dirty, poison) in rows {
            if let Some(what) = poison {
                self.report.add(FindingCode::Poison, format!("record row {n}"), what);
                skipped += 1;
            } else if dirty {
                self.report.unsettled += 1;
                skipped += 1;
            } else {
                self.record(n, assessed, &mut words);
            }
            self.step();
        }
        self.strangers();
        // Words of records passed over are in the index and cannot be compared.
        words.compare(self, skipped == 0);
    }

    fn record(&mut self, n: i64, assessed: &BTreeMap<LogId, LogStanding>, words: &mut Words) {
        let place = match self.source.read(|conn| record_at(conn, n)) {
            Ok(Some((record, space))) => (record, space),
            Ok(None) => return,
            Err(error) => {
                return self.report.add(FindingCode::Unreadable, format!("record row {n}"), error);
            }
        };
        let name = format!("record {} in {}", place.0, place.1);
        let vault = self.vault;
        let case = match self.source.read(|conn| Case::load(conn, vault, assessed, n)) {
            Ok(Ok(case)) => case,
            Ok(Err(what)) => return self.report.add(FindingCode::Unreadable, name, what),
            Err(error) => return self.report.add(FindingCode::Unreadable, name, error),
        };
        let (judged, row) =
            match case.judge(self.roster, &self.definitions, place.0, self.level, &judge) {
                Ok(judged) => judged,
                Err(what) => return self.report.add(FindingCode::Poison, name, what),
            };
        self.report.records += 1;
        self.compare_verdicts(&name, &case, &judged);
        self.compare_row(&name, n, place.1, row.as_ref(), &judged);
        if judged.view.as_ref().is_some_and(|view| !view.sealed) {
            self.compare_document(&name, place.0, &case);
        }
        if let Some(row) = &row {
            words.add(n, &row.words);
        }
    }

    fn compare_verdicts(&mut self, name: &str, case: &Case, judged: &Judged) {
        for (entry, n) in &case.numbers {
            let stored = self.source.read(|conn| {
                conn.prepare_cached("SELECT kind, reason FROM verdict WHERE entry_n = ?1")?
                    .query_row([n], |row| verdict(row, 0))
                    .optional()
            });
            let wanted: Option<StoredVerdict> = judged.verdicts.get(entry).map(|v| v.stored());
            match stored {
                Ok(stored) if stored.clone().flatten() == wanted => {}
                Ok(_) => {
                    self.report.add(FindingCode::Verdict, name, format!("entry {n}"));
                }
                Err(error) => self.report.add(FindingCode::Verdict, name, error),
            }
        }
    }

    fn compare_row(
        &mut self,
        name: &str,
        n: i64,
        space: Space,
        row: Option<&Row>,
        judged: &Judged,
    ) {
        let standing = row.map(|_| judged.standing.number());
        let sql = "SELECT standing FROM record WHERE n = ?1";
        let stored =
            self.source.read(|conn| conn.query_row(sql, [n], |row| row.get::<_, Option<u8>>(0)));
        if !stored.as_ref().is_ok_and(|stored| *stored == standing) {
            self.report.add(FindingCode::Standing, name, "of the record");
        }
        let sql = "SELECT v.type, v.division, v.audience, v.state, v.sealed, v.created_ms,
                v.updated_ms, v.changes, v.conflicts, v.problems, v.refused, v.waiting, v.title,
                v.number, json(v.doc), c.hash, c.bytes
             FROM view v JOIN canonical c ON c.record_n = v.record_n WHERE v.record_n = ?1";
        let stored = self
            .source
            .read(|conn| conn.prepare_cached(sql)?.query_row([n], stored_row).optional());
        match (stored, row) {
            (Ok(None), None) => {}
            (Ok(Some((stored, at))), Some(row)) => {
                if stored.bytes != row.bytes || stored.hash != row.hash {
                    self.report.add(FindingCode::View, name, "bytes or hash");
                }
                let (bytes, hash, words) = (Vec::new(), [0; 32], String::new());
                let columns =
                    Row { bytes: bytes.clone(), hash, words: words.clone(), ..row.clone() };
                if at != space || (Row { bytes, hash, words, ..stored }) != columns {
                    self.report.add(FindingCode::Row, name, "columns or document");
                }
            }
            (Ok(stored), _) => {
                let what = if stored.is_some() { "should not be there" } else { "is missing" };
                self.report.add(FindingCode::View, name, what);
            }
            (Err(error), _) => self.report.add(FindingCode::Unreadable, name, error),
        }
    }

    /// Two readings of the same changes, by two programs, have to agree. Compared is what the changes
    /// say; that an act counts once, however often it was said, is the view's affair.
    fn compare_document(&mut self, name: &str, record: RecordId, case: &Case) {
        let evidence: Vec<Evidence<'_>> = case.held.iter().map(Held::evidence).collect();
        let read = catch_unwind(AssertUnwindSafe(|| {
            let (history, raw) = admitted(self.roster, &self.definitions, record, &evidence);
            Document::from_changes([0; 16], raw.into_iter())
                .map(|document| (document.content(), history.merged().content()))
        }));
        self.report.documents += 1;
        match read {
            Ok(Ok((read, ours))) => {
                if read != ours {
                    self.report.add(FindingCode::Document, name, "contents");
                }
            }
            Ok(Err(error)) => self.report.add(FindingCode::Document, name, error),
            Err(_) => self.report.add(FindingCode::Document, name, "reading it failed"),
        }
    }

    /// Rows without a record.
    fn strangers(&mut self) {
        for table in ["view", "canonical"] {
            let sql = format!(
                "SELECT record_n FROM {table} WHERE record_n NOT IN (SELECT n FROM record) LIMIT 10"
            );
            for n in self.rows(&sql, table, |row| row.get::<_, i64>(0)) {
                let place = format!("{table} {n}");
                self.report.add(FindingCode::Row, place, "belongs to no record");
            }
        }
    }
}

fn stored_row(row: &SqlRow<'_>) -> rusqlite::Result<(Row, Space)> {
    let stored = Row {
        record_type: row.get(0)?,
        state: row.get(3)?,
        sealed: row.get(4)?,
        created_ms: number(row, 5)?,
        updated_ms: number(row, 6)?,
        changes: row.get(7)?,
        conflicts: row.get(8)?,
        problems: row.get(9)?,
        refused: row.get(10)?,
        waiting: row.get(11)?,
        title: row.get(12)?,
        number: row.get(13)?,
        doc: row.get(14)?,
        words: String::new(),
        hash: row.get(15)?,
        bytes: row.get(16)?,
    };
    Ok((stored, space(row, 1)?))
}
