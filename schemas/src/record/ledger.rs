//! Ledgers (台账): which columns an office expects and where each stands in the record.
//! Columns and paths only; sheets are written and read elsewhere.

use serde::{Deserialize, Serialize};

use super::model::{Field, Kind, RecordType};

/// Columns that no single path gives.
///
/// `seq` running number, `state` the record's state, `township` and `village` names of the record's
/// division, `year` the year of the path's date, `wan` the path's amount in 万元, `sum` the sum of the
/// path's amounts, `count` the number of items at the path, `yes_if_filled` 是 when the path holds
/// anything, `blank` for the pen.
pub const SPECIALS: [&str; 10] = [
    "seq",
    "state",
    "township",
    "village",
    "year",
    "wan",
    "sum",
    "count",
    "yes_if_filled",
    "blank",
];

/// A ledger of one record type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// Name for the command line, such as `svc-register`.
    pub key: String,
    /// Heading of the sheet.
    pub zh: String,
    /// English heading.
    pub en: String,
    /// Columns in the order of the office.
    pub columns: Vec<Column>,
    /// List with one row per item; without it, one row per record.
    pub rows_from: Option<String>,
}

/// One column of a ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Column {
    /// Heading.
    pub zh: String,
    /// Where the value stands; see [`ColumnPath`].
    pub path: Option<String>,
    /// How the cell is made, when not simply by showing the value: one of [`SPECIALS`].
    pub special: Option<String>,
}

/// A column's path, taken apart.
///
/// Dotted names lead through groups. Behind the name of a list stands `first`, `last`, `all`, or a
/// test such as `side=1`; in a ledger with one row per item, the list of the rows needs none.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ColumnPath<'a> {
    /// Lists passed through, with the items taken from each.
    pub lists: Vec<(String, ColumnStep)>,
    /// Path within the record, or within the last item.
    pub leaf: String,
    /// The field shown.
    pub field: &'a Field,
}

/// Which items of a list a column shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ColumnStep {
    /// The item of this row.
    Row,
    /// The first item.
    First,
    /// The last item.
    Last,
    /// All items, their values joined.
    All,
    /// The items whose field holds a code, their values joined.
    Where {
        /// Field tested.
        field: String,
        /// Code it must hold.
        code: String,
    },
}

impl Ledger {
    /// Takes a column's path apart; none when it leads nowhere.
    pub fn resolve<'a>(&self, rt: &'a RecordType, path: &str) -> Option<ColumnPath<'a>> {
        let mut lists = Vec::new();
        let mut plain = String::new();
        let mut within = String::new();
        let mut parts = path.split('.').peekable();
        let mut field = None;
        while let Some(part) = parts.next() {
            join(&mut plain, part);
            join(&mut within, part);
            let here = rt.field(&plain)?;
            field = Some(here);
            if matches!(here.kind, Kind::List { .. }) {
                let step = match parts.peek() {
                    // A list at the end is the list itself, to be counted.
                    None => break,
                    Some(step) => match ColumnStep::read(rt, &plain, step) {
                        Some(step) => {
                            parts.next();
                            step
                        }
                        None if self.rows_from.as_deref() == Some(plain.as_str()) => {
                            ColumnStep::Row
                        }
                        None => return None,
                    },
                };
                lists.push((std::mem::take(&mut within), step));
            }
        }
        // A step without a field behind it shows nothing.
        if within.is_empty() {
            return None;
        }
        Some(ColumnPath { lists, leaf: within, field: field? })
    }
}

impl ColumnStep {
    fn read(rt: &RecordType, list: &str, text: &str) -> Option<ColumnStep> {
        match text {
            "first" => Some(ColumnStep::First),
            "last" => Some(ColumnStep::Last),
            "all" => Some(ColumnStep::All),
            _ => {
                let (field, code) = text.split_once('=')?;
                let codes = rt.code_list(rt.field(&format!("{list}.{field}"))?)?;
                codes.code(code)?;
                Some(ColumnStep::Where { field: field.to_owned(), code: code.to_owned() })
            }
        }
    }
}

fn join(path: &mut String, part: &str) {
    if !path.is_empty() {
        path.push('.');
    }
    path.push_str(part);
}
