//! What became of each row of an imported ledger: for the screen, the terminal and programs.
//! The caller decides the outcomes; this only holds, counts and shows them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Serialize;

use crate::row::{CellSlip, CellWarning};

/// What became of a whole file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Report {
    /// File name as the clerk knows it.
    pub file_name: String,
    /// SHA-256 of the file, hex: the same file can be found again.
    pub file_sha256: String,
    /// Record type code.
    pub record_type: String,
    /// Chinese name of the ledger that was recognised.
    pub ledger_zh: String,
    /// Name of the sheet that was read.
    pub sheet: String,
    /// Columns that belong to no field and were passed over.
    pub unknown_columns: Vec<String>,
    /// Remarks on the file as a whole, such as sheets that were not read.
    pub notes: Vec<String>,
    /// One line per data row, in sheet order.
    pub rows: Vec<RowReport>,
}

/// What became of one row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RowReport {
    /// Row number as Excel shows it.
    pub number: u32,
    /// What was done with it.
    pub outcome: Outcome,
    /// Record that the row became or already was.
    pub record: Option<String>,
    /// Why it was refused; empty otherwise.
    pub slips: Vec<CellSlip>,
    /// What was understood but should be looked at.
    pub warnings: Vec<CellWarning>,
}

/// What was done with a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A record was made of it.
    New,
    /// It is already here, letter for letter.
    Unchanged,
    /// It is already here with other values, which were changed.
    Changed,
    /// Nothing was done; the clerk must mend it.
    Refused,
}

/// Rows by outcome.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Rows that became records.
    pub new: usize,
    /// Rows that were already here.
    pub unchanged: usize,
    /// Rows whose record was changed.
    pub changed: usize,
    /// Rows that the clerk must mend.
    pub refused: usize,
    /// Rows with something to look at, whatever their outcome.
    pub warned: usize,
}

/// Refused rows that the table spells out; the rest are counted.
const REFUSED_SHOWN_MAX: usize = 200;

impl Outcome {
    /// The word on the screen.
    pub fn zh(self) -> &'static str {
        match self {
            Self::New => "新增",
            Self::Unchanged => "未变",
            Self::Changed => "更新",
            Self::Refused => "未导入",
        }
    }
}

impl Report {
    /// Counts the rows by outcome.
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for row in &self.rows {
            match row.outcome {
                Outcome::New => tally.new += 1,
                Outcome::Unchanged => tally.unchanged += 1,
                Outcome::Changed => tally.changed += 1,
                Outcome::Refused => tally.refused += 1,
            }
            tally.warned += usize::from(!row.warnings.is_empty());
        }
        tally
    }

    /// The report as plain text: the figures, then every refused row with how to mend it, then what
    /// should be looked at.
    pub fn to_table_zh(&self) -> String {
        let tally = self.tally();
        let mut text = format!(
            "{}：{}，工作表“{}”，共 {} 行\n新增 {}，更新 {}，未变 {}，未导入 {}\n",
            self.file_name,
            self.ledger_zh,
            self.sheet,
            self.rows.len(),
            tally.new,
            tally.changed,
            tally.unchanged,
            tally.refused
        );
        let mut line = |indent: &str, words: &str| {
            writeln!(text, "{indent}{words}").expect("writing to a String does not fail");
        };
        if !self.unknown_columns.is_empty() {
            line("", &format!("未识别的列（未导入）：{}", self.unknown_columns.join("、")));
        }
        self.notes.iter().for_each(|note| line("", note));
        let refused = self.rows.iter().filter(|row| row.outcome == Outcome::Refused);
        for row in refused.clone().take(REFUSED_SHOWN_MAX) {
            line("", &format!("第 {} 行未导入：", row.number));
            row.slips.iter().for_each(|slip| line("  ", &slip.sentence_zh()));
        }
        let hidden = tally.refused.saturating_sub(REFUSED_SHOWN_MAX);
        if hidden > 0 {
            line("", &format!("另有 {hidden} 行未导入，请先改正以上各行"));
        }
        for (words, rows) in self.warnings_by_words() {
            line("", &format!("请留意：{words}（第 {} 行）", joined(&rows)));
        }
        text
    }

    /// The same warning on many rows is said once.
    fn warnings_by_words(&self) -> BTreeMap<String, Vec<u32>> {
        let mut words: BTreeMap<String, Vec<u32>> = BTreeMap::new();
        for row in &self.rows {
            for warning in &row.warnings {
                let rows = words.entry(warning.sentence_zh()).or_default();
                if rows.last() != Some(&row.number) {
                    rows.push(row.number);
                }
            }
        }
        words
    }
}

fn joined(rows: &[u32]) -> String {
    /// Row numbers that one warning spells out.
    const SHOWN_MAX: usize = 12;
    let shown: Vec<String> = rows.iter().take(SHOWN_MAX).map(u32::to_string).collect();
    let more = if rows.len() > SHOWN_MAX { " 等" } else { "" };
    format!("{}{more}", shown.join("、"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_gives_figures_reasons_and_each_warning_once() {
        let slip = CellSlip {
            cell: "D8".into(),
            column_zh: "证件号码".into(),
            value: "1305".into(),
            zh: "应为 18 位".into(),
            en: "18 digits".into(),
        };
        let warning = CellWarning {
            cell: "C4".into(),
            column_zh: "联系电话".into(),
            zh: "请核对".into(),
            en: "check".into(),
        };
        let row = |number, outcome, slips: &[CellSlip], warnings: &[CellWarning]| RowReport {
            number,
            outcome,
            record: None,
            slips: slips.to_vec(),
            warnings: warnings.to_vec(),
        };
        let report = Report {
            file_name: "台账.xlsx".into(),
            file_sha256: String::new(),
            record_type: "PVM".into(),
            ledger_zh: "监测对象台账".into(),
            sheet: "Sheet1".into(),
            unknown_columns: vec!["签字".into()],
            notes: Vec::new(),
            rows: vec![
                row(4, Outcome::New, &[], std::slice::from_ref(&warning)),
                row(5, Outcome::Unchanged, &[], &[warning]),
                row(8, Outcome::Refused, &[slip], &[]),
            ],
        };
        let table = report.to_table_zh();
        for wanted in [
            "新增 1，更新 0，未变 1，未导入 1",
            "第 8 行未导入",
            "D8 证件号码“1305”：应为 18 位",
            "请留意：联系电话：请核对（第 4、5 行）",
            "签字",
        ] {
            assert!(table.contains(wanted), "{wanted}\n{table}");
        }
        assert_eq!(report.tally().warned, 2);
    }
}
