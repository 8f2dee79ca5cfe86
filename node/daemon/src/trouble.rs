//! What a command answers when it cannot do what was asked: a code, Chinese and English, and for
//! forms the fields. The shape is the same on the command line and over the API.

mod trust;

use serde::{Deserialize, Serialize};
use xw_ledger::draft::DraftError;
use xw_ledger::verdict::Refusal;
use xw_schemas::record::{Lang, Problem, ValueSlip};
use xw_store::StoreError;

/// Why something was not done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Trouble {
    /// A stable name, such as `no-right`.
    pub(crate) code: String,
    /// What happened and what to do, in Chinese.
    pub(crate) zh: String,
    /// The same in English.
    pub(crate) en: String,
    /// For forms: what is wrong in which field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<FieldTrouble>,
}

/// What is wrong in one field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FieldTrouble {
    /// Dotted path.
    pub(crate) path: String,
    /// Its Chinese label.
    pub(crate) label: String,
    pub(crate) zh: String,
    pub(crate) en: String,
}

pub(crate) type Answer<T> = Result<T, Trouble>;

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text(Lang::Zh))
    }
}

impl std::error::Error for Trouble {}

impl Trouble {
    pub(crate) fn new(code: &str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { code: code.to_owned(), zh: zh.into(), en: en.into(), fields: Vec::new() }
    }

    pub(crate) fn text(&self, lang: Lang) -> String {
        let (line, sep) = match lang {
            Lang::Zh => (&self.zh, "："),
            Lang::En => (&self.en, ": "),
        };
        let mut text = line.clone();
        for field in &self.fields {
            let said = if lang == Lang::Zh { &field.zh } else { &field.en };
            text.push_str(&format!("\n  {}（{}）{sep}{said}", field.label, field.path));
        }
        text
    }

    pub(crate) fn of_problems(problems: Vec<Problem>, label: impl Fn(&str) -> String) -> Self {
        let mut trouble = Self::new(
            "invalid",
            format!("有 {} 处需要填写或更正，未保存", problems.len()),
            format!("{} fields need attention; nothing was saved", problems.len()),
        );
        trouble.fields = problems
            .into_iter()
            .map(|problem| FieldTrouble {
                label: label(&problem.path),
                zh: problem.zh().to_owned(),
                en: problem.en().to_owned(),
                path: problem.path,
            })
            .collect();
        trouble
    }

    pub(crate) fn of_slips(
        slips: Vec<(String, ValueSlip)>,
        label: impl Fn(&str) -> String,
    ) -> Self {
        let mut trouble = Self::new(
            "invalid",
            format!("有 {} 处填写有误，未保存", slips.len()),
            format!("{} values cannot be read; nothing was saved", slips.len()),
        );
        trouble.fields = slips
            .into_iter()
            .map(|(path, slip)| FieldTrouble {
                label: label(&path),
                zh: slip.zh(),
                en: slip.en(),
                path,
            })
            .collect();
        trouble
    }

    pub(crate) fn of_refusal(refusal: &Refusal) -> Self {
        Self::new(
            refusal.code(),
            format!("按规则不能这样做，未保存：{}", refusal.zh()),
            format!("the rules do not allow this; nothing was saved: {refusal}"),
        )
    }

    pub(crate) fn missing(what_zh: &str, what_en: &str) -> Self {
        Self::new("not-found", format!("没有找到{what_zh}"), format!("there is no {what_en}"))
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Locked) {
            return crate::office::locked(None);
        }
        crate::office::fatal(&error);
        let chain = with_causes(&error);
        Self::new("store", error.zh(), format!("{} ({chain})", error.en()))
    }
}

impl From<DraftError> for Trouble {
    fn from(error: DraftError) -> Self {
        let chain = with_causes(&error);
        Self::new(
            "draft",
            format!("无法生成变更，未保存：{chain}"),
            format!("no change was made: {chain}"),
        )
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        Self::new(
            "file",
            format!("文件无法读写：{error}"),
            format!("cannot read or write a file: {error}"),
        )
    }
}

/// An error and its causes, each once.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}
