//! From a view to its row: the columns to filter and sort by, the document, the words to search.
//! Shows nothing to anybody; the same view and definition always give the same row.

use xw_ledger::view::View;
use xw_schemas::hash::tagged;
use xw_schemas::record::{
    Content, Kind, Lang, Level, RecordType, display, is_bookkeeping, readable, to_json,
};
use xw_schemas::value::Value;

use crate::words::{BORDER, spaced};

/// The header fields that every record type has, shown in lists of several types.
const TITLE: &str = "title";
const NUMBER: &str = "business_no";

/// What is kept of one record beside its entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Row {
    pub(crate) record_type: String,
    pub(crate) state: String,
    pub(crate) sealed: bool,
    pub(crate) created_ms: u64,
    pub(crate) updated_ms: u64,
    pub(crate) changes: u32,
    pub(crate) conflicts: u32,
    pub(crate) problems: u32,
    pub(crate) refused: u32,
    pub(crate) waiting: u32,
    pub(crate) title: Option<String>,
    pub(crate) number: Option<String>,
    /// The content as nested JSON.
    pub(crate) doc: String,
    /// What the search index gets.
    pub(crate) words: String,
    /// The view's canonical bytes and their hash.
    pub(crate) bytes: Vec<u8>,
    pub(crate) hash: [u8; 32],
}

impl Row {
    /// The row of a view. Without the definition, codes are searched for as they are stored.
    /// `level` is the level of the office whose rows these are: what it may not read is in no row
    /// and cannot be searched for.
    pub(crate) fn of(view: &View, definition: Option<&RecordType>, level: Option<Level>) -> Self {
        let bytes = view.bytes();
        let content = match (definition, level) {
            (Some(definition), Some(level)) => readable(definition, &view.content, level).0,
            _ => view.content.clone(),
        };
        let count = |len: usize| u32::try_from(len).unwrap_or(u32::MAX);
        let mut words = String::new();
        gather(definition, &content, "", &mut words);
        let text = |path| content.text(path).map(str::to_owned);
        Self {
            record_type: view.record_type.clone(),
            state: view.state.clone(),
            sealed: view.sealed,
            created_ms: view.created_ms,
            updated_ms: view.updated_ms,
            changes: view.changes,
            conflicts: count(view.conflicts.len()),
            problems: count(view.problems.len()),
            refused: view.refused,
            waiting: view.waiting,
            title: text(TITLE),
            number: text(NUMBER),
            doc: to_json(&content).to_string(),
            words,
            hash: view_hash(&bytes),
            bytes,
        }
    }
}

/// Hash of a view's bytes, kept beside them.
pub(crate) fn view_hash(bytes: &[u8]) -> [u8; 32] {
    tagged("xw/view-bytes/1", &[bytes])
}

/// All texts and labels, each followed by a border.
fn gather(definition: Option<&RecordType>, content: &Content, above: &str, words: &mut String) {
    for (path, value) in &content.values {
        if is_bookkeeping(path) {
            continue;
        }
        let full = format!("{above}{path}");
        if let Some(text) = searchable(definition, &full, value) {
            words.push_str(&spaced(&text));
            words.push(' ');
            words.push(BORDER);
            words.push(' ');
        }
    }
    for (path, items) in &content.lists {
        if is_bookkeeping(path) {
            continue;
        }
        let below = format!("{above}{path}.");
        for item in items {
            gather(definition, &item.content, &below, words);
        }
    }
}

fn searchable(definition: Option<&RecordType>, path: &str, value: &Value) -> Option<String> {
    let field = definition.and_then(|definition| Some((definition, definition.field(path)?)));
    match (value, field) {
        (Value::Null | Value::Bool(_), _) => None,
        (Value::Text(text), _) if text.is_empty() => None,
        (Value::Text(text), Some((definition, field))) => Some(match field.kind {
            Kind::Enum | Kind::EnumMany => display(definition, field, value, Lang::Zh),
            _ => text.clone(),
        }),
        (Value::Text(text), None) => Some(text.clone()),
        // Amounts and measures are searched for as they are read.
        (Value::Int(_), Some((definition, field))) => {
            Some(display(definition, field, value, Lang::Zh))
        }
        (Value::Int(number), None) => Some(number.to_string()),
    }
}
