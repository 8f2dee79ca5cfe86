//! Ledgers out: a saved question with columns, never a second data entry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use xw_schemas::record::{Content, Lang, Ledger, RecordType, from_json};
use xw_schemas::space::Division;
use xw_workbook::{Head, Line, ROWS_MAX};

use super::Office;
use crate::clock;
use crate::request::ExportLedger;
use crate::trouble::{Answer, Trouble, with_causes};

/// Rows read at once.
const PAGE: u32 = 1_000;

impl Office {
    /// Answers `{file_name, base64, rows}`.
    pub(crate) fn export(&self, asked: &ExportLedger) -> Answer<Json> {
        let rt = self.current(&asked.record_type)?;
        let ledger = find_ledger(&rt, asked.ledger.as_deref())?;
        let mut contents: Vec<(Content, String)> = Vec::new();
        if !asked.blank {
            let mut query = self.query(&asked.list)?;
            query.types = vec![rt.code.clone()];
            query.sealed = Some(false);
            let wanted = asked.list.limit.unwrap_or(ROWS_MAX).min(ROWS_MAX);
            query.limit = PAGE;
            loop {
                let page = self.reader.list(&query)?;
                for row in page.rows {
                    // What a stored row holds was checked when it was settled.
                    let content = from_json(&rt, &row.doc).unwrap_or_default();
                    contents.push((content, row.state));
                }
                query.offset = 0;
                query.after = page.next;
                if query.after.is_none() || contents.len() >= wanted {
                    break;
                }
            }
            contents.truncate(wanted);
        }
        let lines: Vec<Line<'_>> =
            contents.iter().map(|(content, state)| Line { content, state }).collect();
        let date = clock::day(clock::now_ms());
        let name = |code: &str| Division::parse(code).map(|division| self.place_name(division));
        let head = Head {
            office_zh: &self.settings.office,
            title: "",
            date: &date,
            lang: Lang::Zh,
            division_name: &name,
        };
        let bytes = xw_workbook::write(ledger, &rt, &lines, &head).map_err(|error| {
            Trouble::new(
                "workbook",
                error.zh(),
                format!("{} ({})", error.en(), with_causes(&error)),
            )
        })?;
        Ok(json!({
            "file_name": format!("{}-{}-{date}.xlsx", ledger.zh, self.settings.division),
            "base64": STANDARD.encode(bytes),
            "rows": lines.len(),
        }))
    }
}

fn find_ledger<'a>(rt: &'a RecordType, name: Option<&str>) -> Answer<&'a Ledger> {
    let found = match name {
        None => rt.ledgers.first(),
        Some(name) => rt.ledgers.iter().find(|ledger| ledger.key == name || ledger.zh == name),
    };
    found.ok_or_else(|| {
        let all: Vec<String> =
            rt.ledgers.iter().map(|ledger| format!("{}（{}）", ledger.zh, ledger.key)).collect();
        Trouble::new(
            "ledger",
            format!("没有这种台账，可选：{}", all.join("、")),
            "there is no such ledger",
        )
    })
}
