//! What can be asked of the rows: by column, by any field of a record type, by text; sorted by any
//! of them. A question is data: values are bound, paths are checked against the definitions.

mod sql;

use xw_ledger::standing::Standing;
use xw_schemas::record::Lang;
use xw_schemas::space::{Audience, Division};
use xw_schemas::value::Value;

pub(crate) use sql::{Compiled, Hits, KEY_COLUMNS, Scope};

/// A question about records. The default asks for the newest 50 of all.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    /// Record types, such as `SVC`; all when empty.
    pub types: Vec<String>,
    /// Divisions, each with everything below it; all when empty.
    pub divisions: Vec<Division>,
    /// Audiences; all when empty.
    pub audiences: Vec<Audience>,
    /// States; all when empty.
    pub states: Vec<String>,
    /// How firmly records stand; all when empty.
    pub standings: Vec<Standing>,
    /// Only those without, or only those with, bodies withheld.
    pub sealed: Option<bool>,
    /// Only those with, or only those without, conflicts.
    pub has_conflict: Option<bool>,
    /// Only those with, or only those without, problems.
    pub has_problem: Option<bool>,
    /// Only those with, or only those without, changes that do not count.
    pub has_refused: Option<bool>,
    /// Only those with, or only those without, changes that wait.
    pub has_waiting: Option<bool>,
    /// Claimed time of the first change.
    pub created: Range,
    /// Claimed time of the newest change.
    pub updated: Range,
    /// Conditions on fields; all must hold.
    pub fields: Vec<Filter>,
    /// Words that must all occur somewhere in the record.
    pub text: Option<String>,
    /// By what to sort; the newest change first when empty.
    pub sort: Vec<(SortKey, Order)>,
    /// Rows wanted.
    pub limit: u32,
    /// Rows to pass over. Deep pages are cheaper with `after`.
    pub offset: u32,
    /// Where the page before ended.
    pub after: Option<Cursor>,
    /// Whether to count all rows that match.
    pub count_total: bool,
}

impl Default for Query {
    fn default() -> Self {
        Self {
            types: Vec::new(),
            divisions: Vec::new(),
            audiences: Vec::new(),
            states: Vec::new(),
            standings: Vec::new(),
            sealed: None,
            has_conflict: None,
            has_problem: None,
            has_refused: None,
            has_waiting: None,
            created: Range::default(),
            updated: Range::default(),
            fields: Vec::new(),
            text: None,
            sort: Vec::new(),
            limit: 50,
            offset: 0,
            after: None,
            count_total: false,
        }
    }
}

/// A span of claimed time in milliseconds since 1970, from its first up to but not including its
/// last moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Range {
    /// The first moment.
    pub from_ms: Option<u64>,
    /// The moment after the last.
    pub to_ms: Option<u64>,
}

/// A condition on a field.
#[derive(Debug, Clone, PartialEq)]
pub struct Filter {
    /// Dotted path, through structures and lists. In a list, any item will do.
    pub path: String,
    /// The condition.
    pub op: Op,
}

/// What must hold of a field. Values are in stored form.
#[derive(Debug, Clone, PartialEq)]
pub enum Op {
    /// Equal.
    Eq(Value),
    /// Different, or empty.
    Ne(Value),
    /// Less; for days and moments, earlier.
    Lt(Value),
    /// Less or equal.
    Le(Value),
    /// Greater; for days and moments, later.
    Gt(Value),
    /// Greater or equal.
    Ge(Value),
    /// One of these.
    In(Vec<Value>),
    /// A text with this part.
    Contains(String),
    /// A text that begins so.
    StartsWith(String),
    /// Of a field with several codes: this code among them.
    HasCode(String),
    /// Filled, or (false) empty.
    Filled(bool),
}

/// By what rows are sorted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SortKey {
    /// Claimed time of the first change.
    Created,
    /// Claimed time of the newest change.
    Updated,
    /// Division code.
    Division,
    /// Record type.
    Type,
    /// State.
    State,
    /// How firmly it stands.
    Standing,
    /// Title.
    Title,
    /// Business number.
    Number,
    /// A field outside of lists.
    Field(String),
}

/// Up or down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// The smallest first; empty fields before all others.
    Up,
    /// The largest first.
    Down,
}

/// By what rows are counted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupKey {
    /// Record type.
    Type,
    /// State.
    State,
    /// Division.
    Division,
    /// The township that the division belongs to, as its code.
    Township,
    /// How firmly it stands, as its number.
    Standing,
    /// The claimed month of the first change in China's time, `YYYY-MM`.
    CreatedMonth,
    /// A field outside of lists.
    Field(String),
}

/// Where a page ended: the sort values of its last row.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Cursor {
    pub(crate) keys: Vec<Value>,
    pub(crate) row: i64,
}

impl Cursor {
    /// A text to hand out and get back; it holds no more than what the page shows.
    #[must_use]
    pub fn to_text(&self) -> String {
        let json = serde_json::json!([self.row, self.keys]);
        xw_schemas::id::hex(json.to_string().as_bytes())
    }

    /// Reads what [`Cursor::to_text`] wrote.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = xw_schemas::id::unhex(text)?;
        let (row, keys) = serde_json::from_slice(&bytes).ok()?;
        Some(Self { keys, row })
    }
}

/// A question that makes no sense.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum QuerySlip {
    /// None of the record types asked for has such a field.
    #[error("no record type asked for has the field {path}")]
    UnknownField {
        /// The path.
        path: String,
    },
    /// The path names a group or a list, not a field with a value.
    #[error("{path} is a group or a list; name a field in it")]
    NoValue {
        /// The path.
        path: String,
    },
    /// Rows cannot be sorted or counted by a field of a list.
    #[error("{path} stands in a list; rows cannot be sorted or counted by it")]
    InList {
        /// The path.
        path: String,
    },
    /// More conditions, values or sort keys than allowed.
    #[error("the question has too many parts (at most {max})")]
    TooMany {
        /// Most.
        max: usize,
    },
    /// The cursor belongs to another question.
    #[error("the page mark does not fit this question; start again from the first page")]
    BadCursor,
}

impl QuerySlip {
    /// What a Chinese reader is told.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::UnknownField { path } => format!("所查的记录类型没有字段“{path}”"),
            Self::NoValue { path } => format!("“{path}”是分组或清单，请写明其中的字段"),
            Self::InList { path } => format!("“{path}”在清单内，不能按它排序或汇总"),
            Self::TooMany { max } => format!("查询条件过多，最多{max}项"),
            Self::BadCursor => "翻页标记与本次查询不符，请从第一页重新开始".into(),
        }
    }

    /// What an English reader is told.
    #[must_use]
    pub fn en(&self) -> String {
        self.to_string()
    }

    /// For a screen.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => self.zh(),
            Lang::En => self.en(),
        }
    }
}
