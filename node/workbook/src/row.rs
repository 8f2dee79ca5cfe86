//! One data row of a ledger as it was understood, with what is wrong in it.
//! What a cell holds about people never reaches a log: `Debug` masks it.

use std::fmt;

use serde::Serialize;
use xw_schemas::record::Content;

use crate::text::mask;

/// One data row.
#[derive(Clone)]
pub struct Row {
    /// Row number as Excel shows it.
    pub number: u32,
    /// What the row becomes, defaults included.
    pub content: Content,
    /// State that the ledger claims for it, if it has a state column; the caller decides what to
    /// make of the claim, since a state is only reached by steps.
    pub claimed_state: Option<String>,
    /// The office's own number or name for it, by which the same row is known again.
    pub natural_key: Option<NaturalKey>,
    /// Identity of the row: equal for the same row of a later copy of the ledger. SHA-256, hex.
    pub fingerprint: String,
    /// Digest of all values that the ledger gave: differs when the clerk changed anything. Hex.
    pub digest: String,
    /// What is wrong. A row with slips must not be imported.
    pub slips: Vec<CellSlip>,
    /// What was understood but should be looked at.
    pub warnings: Vec<CellWarning>,
}

/// The value by which an office knows a row again.
#[derive(Clone, PartialEq, Eq)]
pub struct NaturalKey {
    /// Path of the field it stands in.
    pub path: String,
    /// The stored text.
    pub value: String,
}

/// Something wrong in a cell that the clerk must mend.
#[derive(Clone, PartialEq, Eq, Serialize)]
pub struct CellSlip {
    /// Where: `F12`, or the row alone (`12`) when a column is missing.
    pub cell: String,
    /// Column heading.
    pub column_zh: String,
    /// The value as it stands there; may name a person.
    pub value: String,
    /// What is wrong and how to mend it, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

/// Something that was understood but should be looked at. Never carries the value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CellWarning {
    /// Where: `F12`.
    pub cell: String,
    /// Column heading.
    pub column_zh: String,
    /// What was done, in Chinese.
    pub zh: String,
    /// The same in English.
    pub en: String,
}

impl Row {
    /// Whether the row may be imported.
    pub fn is_sound(&self) -> bool {
        self.slips.is_empty()
    }
}

impl CellSlip {
    /// `F12 证件号码“…”：…` for the screen of the clerk who has the file anyway.
    pub fn sentence_zh(&self) -> String {
        if self.value.is_empty() {
            format!("{} {}：{}", self.cell, self.column_zh, self.zh)
        } else {
            format!("{} {}“{}”：{}", self.cell, self.column_zh, self.value, self.zh)
        }
    }
}

impl CellWarning {
    /// What was done, with the column but without the value.
    pub fn sentence_zh(&self) -> String {
        format!("{}：{}", self.column_zh, self.zh)
    }
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Row")
            .field("number", &self.number)
            .field("fingerprint", &self.fingerprint)
            .field("slips", &self.slips)
            .field("warnings", &self.warnings)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for NaturalKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "NaturalKey({} = {})", self.path, mask(&self.value))
    }
}

impl fmt::Debug for CellSlip {
    // The messages are left out: they may quote the value.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "CellSlip({} {} {})", self.cell, self.column_zh, mask(&self.value))
    }
}
