//! Ledgers in: row by row, each whole or refused; the same row again makes no second record, also
//! when the program was killed in between.

use std::collections::BTreeSet;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use xw_ledger::document::{Edit, Place};
use xw_ledger::draft::{Draft, Signed};
use xw_ledger::steps::{NOWHERE, Step};
use xw_schemas::id::{RecordId, unhex};
use xw_schemas::record::{Content, RecordType, Value};
use xw_schemas::space::Space;
use xw_store::{Filter, Import, Op, Order, Query, SortKey};
use xw_workbook::{
    CellSlip, Context, Desk, Outcome, Report, Row, RowReport, Sheet, defaults_for, sha256_hex,
};

use super::Office;
use super::form::{check, merge};
use super::numbers::Numbers;
use crate::clock;
use crate::request::ImportLedger;
use crate::trouble::{Answer, Trouble, with_causes};

/// Hears how far a long job has come: done, of how many.
pub(crate) type Progress<'a> = &'a mut dyn FnMut(u64, u64);

/// Rows stored in one durable step: about 100 ms of work.
const BATCH_ROWS: usize = 200;

/// Header fields that say how a record came here; a changed ledger row does not change them.
const ORIGIN: [&str; 6] =
    ["business_no", "recorded_at", "recorder", "entry_mode", "time_source", "responsible_org"];

/// Rows signed and not yet stored.
#[derive(Default)]
struct Batch {
    signed: Vec<Signed>,
    imports: Vec<Import>,
}

impl Office {
    /// Answers `{report, tally, table_zh, preview}`.
    pub(crate) fn import(&mut self, asked: &ImportLedger, progress: Progress<'_>) -> Answer<Json> {
        let bytes = STANDARD
            .decode(&asked.base64)
            .map_err(|_| Trouble::new("base64", "文件编码有误", "the file is not base64"))?;
        let rt = self.current(&asked.record_type)?;
        let (person, role, to) = self.who_imports(&rt, &asked.who)?;
        let sheet = self.read_sheet(&bytes, &rt, asked, &person)?;
        let step = Step {
            from: NOWHERE.to_owned(),
            to,
            role,
            reason: String::new(),
            on_behalf_of: String::new(),
        };
        let rows = self.take_rows(&rt, &sheet, &step, &person, &bytes, asked.preview, progress)?;
        let report = Report {
            file_name: asked.file_name.clone(),
            file_sha256: sha256_hex(&bytes),
            record_type: rt.code.clone(),
            ledger_zh: sheet.ledger_zh,
            sheet: sheet.name,
            unknown_columns: sheet.unknown_columns,
            notes: sheet.notes,
            rows,
        };
        let tally = serde_json::to_value(report.tally()).unwrap_or_default();
        Ok(json!({
            "tally": tally, "table_zh": report.to_table_zh(), "preview": asked.preview,
            "report": serde_json::to_value(&report).unwrap_or_default(),
        }))
    }

    fn desk(&self, person: &str) -> Desk {
        Desk {
            division_code: self.division().to_string(),
            office_zh: self.settings.office.clone(),
            recorder: person.to_owned(),
            today: clock::day(clock::now_ms()),
        }
    }

    fn read_sheet(
        &self,
        bytes: &[u8],
        rt: &RecordType,
        asked: &ImportLedger,
        person: &str,
    ) -> Answer<Sheet> {
        let defaults = defaults_for(rt, &self.desk(person));
        let roster = self.store.roster();
        let named = |name: &str| {
            let place = roster.places().find(|(_, place)| place.as_str() == name);
            let office = || roster.offices().find(|office| office.name == name);
            place
                .map(|(division, _)| *division)
                .or_else(|| office().map(|office| office.division))
                .map(|division| division.to_string())
        };
        let context = Context { defaults: &defaults, divisions: &named };
        xw_workbook::read(bytes, rt, asked.ledger.as_deref(), &context).map_err(|error| {
            Trouble::new(
                "workbook",
                error.zh(),
                format!("{} ({})", error.en(), with_causes(&error)),
            )
        })
    }

    #[expect(clippy::too_many_arguments, reason = "one import, read once")]
    fn take_rows(
        &mut self,
        rt: &RecordType,
        sheet: &Sheet,
        step: &Step,
        person: &str,
        bytes: &[u8],
        preview: bool,
        progress: Progress<'_>,
    ) -> Answer<Vec<RowReport>> {
        let space = Space { division: self.division(), audience: rt.audience };
        let file = hash_of(&sha256_hex(bytes));
        // Rows that bear a number of ours are known by it, so every number must have its row.
        self.settle_all()?;
        let given = given_paths(rt, &sheet.ledger_key);
        let mut numbers = Numbers::default();
        let mut batch = Batch::default();
        let mut tail = if preview { self.provisional_tail(space)? } else { self.tail(space)? };
        let mut reports = Vec::with_capacity(sheet.rows.len());
        let total = sheet.rows.len() as u64;
        for (done, row) in (0..).zip(&sheet.rows) {
            let mut report = RowReport {
                number: row.number,
                outcome: Outcome::Refused,
                record: None,
                slips: row.slips.clone(),
                warnings: row.warnings.clone(),
            };
            if row.is_sound() {
                match self.known(row, &batch)? {
                    Some((import, stored)) if import.digest == hash_of(&row.digest) => {
                        report.outcome = Outcome::Unchanged;
                        report.record = stored.then(|| import.record.to_string());
                    }
                    Some((import, true)) => {
                        report.record = Some(import.record.to_string());
                        let changed = if preview {
                            Ok(true)
                        } else {
                            self.flush(&mut batch)?;
                            let changed = self.change_row(rt, &import, row, person, file, &given);
                            tail = self.tail(space)?;
                            changed
                        };
                        let outcome = match changed {
                            Ok(false) => Outcome::Unchanged,
                            Ok(true) | Err(_) => Outcome::Changed,
                        };
                        settle_outcome(&mut report, outcome, changed.map(|_| ()));
                    }
                    _ => {
                        let made =
                            self.new_row(rt, row, step, person, file, &mut tail, &mut numbers);
                        match made {
                            Ok((signed, import)) => {
                                report.outcome = Outcome::New;
                                report.record = Some(import.record.to_string());
                                batch.signed.push(signed);
                                batch.imports.push(import);
                            }
                            Err(trouble) => settle_outcome(&mut report, Outcome::New, Err(trouble)),
                        }
                    }
                }
            }
            reports.push(report);
            if batch.signed.len() >= BATCH_ROWS && !preview {
                self.flush(&mut batch)?;
            }
            progress(done + 1, total);
        }
        if !preview {
            self.flush(&mut batch)?;
            self.settle_all()?;
        }
        Ok(reports)
    }

    /// Whether a row was imported before, and whether its record is on disk.
    fn known(&self, row: &Row, batch: &Batch) -> Answer<Option<(Import, bool)>> {
        let fingerprint = hash_of(&row.fingerprint);
        if let Some(import) = batch.imports.iter().find(|i| i.fingerprint == fingerprint) {
            return Ok(Some((*import, false)));
        }
        if let Some(record) = self.numbered(row)? {
            // Our own export, or a sheet that was filled in after it: the number says which record.
            let seen = self.store.import_seen(fingerprint)?.filter(|seen| seen.record == record);
            let digest = seen.map_or([0; 32], |seen| seen.digest);
            let (file, row) = ([0; 32], row.number);
            return Ok(Some((Import { fingerprint, digest, record, file, row }, true)));
        }
        let Some(import) = self.store.import_seen(fingerprint)? else { return Ok(None) };
        // Noted before it was stored: a program killed in between leaves a note without a record.
        let space_holds = |audience| {
            let space = Space { division: self.division(), audience };
            self.store.evidence(space, import.record).map(|held| !held.is_empty())
        };
        let stored = space_holds(xw_schemas::space::Audience::Office)?
            || space_holds(xw_schemas::space::Audience::Township)?
            || space_holds(xw_schemas::space::Audience::County)?;
        Ok(stored.then_some((import, true)))
    }

    /// The record of this office that bears the business number of a row.
    fn numbered(&self, row: &Row) -> Answer<Option<RecordId>> {
        let Some(key) = row.natural_key.as_ref().filter(|key| key.path == "business_no") else {
            return Ok(None);
        };
        let query = Query {
            divisions: vec![self.division()],
            fields: vec![Filter {
                path: key.path.clone(),
                op: Op::Eq(Value::Text(key.value.clone())),
            }],
            sort: vec![(SortKey::Created, Order::Up)],
            limit: 1,
            ..Query::default()
        };
        Ok(self.reader.list(&query)?.rows.first().map(|row| row.record))
    }

    #[expect(clippy::too_many_arguments, reason = "one row with everything it needs")]
    fn new_row(
        &self,
        rt: &RecordType,
        row: &Row,
        step: &Step,
        person: &str,
        file: [u8; 32],
        tail: &mut xw_ledger::draft::Tail,
        numbers: &mut Numbers,
    ) -> Answer<(Signed, Import)> {
        let content = self.complete(rt, row.content.clone(), self.division(), person, numbers)?;
        let content = Content { values: imported(content.values), ..content };
        check(rt, &content, &step.to)?;
        let (record, signed) = self.sign_new(rt, tail, &content, step.clone(), person)?;
        let import = Import {
            fingerprint: hash_of(&row.fingerprint),
            digest: hash_of(&row.digest),
            record,
            file,
            row: row.number,
        };
        Ok((signed, import))
    }

    /// Changes what the ledger changed, in one entry of its own; whether there was anything. What
    /// the ledger has no column for, or only its default, never replaces what stands in the record.
    fn change_row(
        &mut self,
        rt: &RecordType,
        import: &Import,
        row: &Row,
        person: &str,
        file: [u8; 32],
        given: &BTreeSet<String>,
    ) -> Answer<bool> {
        let opened = self.open_record(&import.record.to_string())?;
        let held = &opened.view.content;
        let mut defaults = Content::default();
        defaults_for(rt, &self.desk(person)).fill(rt, &mut defaults);
        let mut edits: Vec<Edit> = row
            .content
            .values
            .iter()
            .filter(|(path, value)| {
                given.contains(*path)
                    && !ORIGIN.contains(&path.as_str())
                    && held.values.get(*path) != Some(value)
                    && !(held.value(path).is_some() && defaults.values.get(*path) == Some(value))
            })
            .map(|(path, value)| Edit::Put {
                at: Place::Root,
                path: path.clone(),
                value: value.clone(),
            })
            .collect();
        // Lists of a ledger cell are added where there were none; items are never overwritten.
        for (list, items) in &row.content.lists {
            if held.items(list).is_empty() {
                edits.extend(items.iter().map(|item| Edit::Append {
                    at: Place::Root,
                    list: list.clone(),
                    item: item.clone(),
                }));
            }
        }
        let mut after = held.clone();
        merge(&mut after, &edits);
        check(rt, &after, &opened.view.state)?;
        let changed = !edits.is_empty();
        if changed {
            self.write(&opened, &Draft { edits, step: None }, person)?;
        }
        let import = Import { digest: hash_of(&row.digest), file, row: row.number, ..*import };
        self.store.note_imports(&[import])?;
        Ok(changed)
    }

    /// Notes first, then stores: what is noted and not stored is made again next time, and what is
    /// stored is always noted.
    fn flush(&mut self, batch: &mut Batch) -> Answer<()> {
        let Batch { signed, imports } = std::mem::take(batch);
        if signed.is_empty() {
            return Ok(());
        }
        self.store.note_imports(&imports)?;
        self.keep(signed)
    }
}

/// The fields that a ledger has columns for.
fn given_paths(rt: &RecordType, ledger: &str) -> BTreeSet<String> {
    let ledger = rt.ledgers.iter().find(|known| known.key == ledger);
    let columns = ledger.into_iter().flat_map(|ledger| &ledger.columns);
    columns.filter_map(|column| column.path.clone()).collect()
}

fn imported(
    mut values: std::collections::BTreeMap<String, Value>,
) -> std::collections::BTreeMap<String, Value> {
    // 表格导入: how the record came in is a fact of this program, not of the sheet.
    values.insert("entry_mode".to_owned(), Value::Text("3".to_owned()));
    values
}

fn settle_outcome(report: &mut RowReport, good: Outcome, result: Answer<()>) {
    match result {
        Ok(()) => report.outcome = good,
        Err(trouble) => {
            report.outcome = Outcome::Refused;
            let cell = report.number.to_string();
            let slip = |column_zh: String, zh: String, en: String| CellSlip {
                cell: cell.clone(),
                column_zh,
                value: String::new(),
                zh,
                en,
            };
            if trouble.fields.is_empty() {
                report.slips.push(slip(String::new(), trouble.zh, trouble.en));
            } else {
                let slips = trouble.fields.into_iter().map(|f| slip(f.label, f.zh, f.en));
                report.slips.extend(slips);
            }
        }
    }
}

fn hash_of(hex: &str) -> [u8; 32] {
    unhex(hex).and_then(|bytes| bytes.try_into().ok()).unwrap_or([0; 32])
}
