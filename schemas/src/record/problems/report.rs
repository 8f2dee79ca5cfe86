//! One problem, said in both languages, and the list they are gathered in.
//! Words only; what is a problem is decided elsewhere.

use serde::{Deserialize, Serialize};

use super::PROBLEMS_MAX;
use crate::record::model::Field;
use crate::value::{Lang, ValueSlip};

/// One thing that is wrong with a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Problem {
    /// Where: a dotted path, items in brackets, as `visits[3].visit_at`. Empty for the record.
    pub path: String,
    /// What sort of trouble.
    pub code: ProblemCode,
    zh: String,
    en: String,
}

/// Sorts of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// A field that must be filled is empty.
    Missing,
    /// The record type has no such path.
    Unknown,
    /// The value is not in the stored form of its field.
    Format,
    /// The value is not in the code list.
    NotInList,
    /// The text is too long.
    TooLong,
    /// A list has too many or too few items, or a choice too many or too few codes.
    Count,
    /// Two items of a list have one id, or an id is empty or too long.
    ItemId,
    /// The record type has no such state.
    State,
    /// A computed field differs from what its inputs give. A warning: it invalidates nothing.
    Computed,
}

impl Problem {
    /// The problem in Chinese.
    pub fn zh(&self) -> &str {
        &self.zh
    }

    /// The problem in English.
    pub fn en(&self) -> &str {
        &self.en
    }

    /// The problem in a language.
    pub fn words(&self, lang: Lang) -> &str {
        lang.pick(&self.zh, &self.en)
    }

    /// Whether the record stays valid in spite of it.
    pub fn is_warning(&self) -> bool {
        self.code == ProblemCode::Computed
    }
}

/// Problems as they are found, up to the limit.
pub(super) struct Found(pub(super) Vec<Problem>);

impl Found {
    pub(super) fn push(&mut self, path: String, code: ProblemCode, zh: String, en: String) {
        if !self.is_full() {
            self.0.push(Problem { path, code, zh, en });
        }
    }

    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= PROBLEMS_MAX
    }

    pub(super) fn slip(&mut self, path: String, field: &Field, slip: &ValueSlip) {
        let code = match slip {
            ValueSlip::NotInList { .. } => ProblemCode::NotInList,
            ValueSlip::TooLong { .. } => ProblemCode::TooLong,
            ValueSlip::TooManyChoices { .. }
            | ValueSlip::TooFewChoices { .. }
            | ValueSlip::TooManyItems { .. } => ProblemCode::Count,
            _ => ProblemCode::Format,
        };
        let (zh, en) = (slip.zh(), slip.en());
        self.push(path, code, format!("“{}”：{zh}", field.zh), format!("“{}”: {en}", field.en));
    }

    pub(super) fn unknown(&mut self, path: String) {
        let zh = format!("本类记录没有“{path}”这一项");
        let en = format!("this record type has no “{path}”");
        self.push(path, ProblemCode::Unknown, zh, en);
    }
}
