//! What one record holds: scalars under dotted paths, and lists of items.
//! A plain tree; it knows nothing of its record type.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::value::Value;

/// The contents of a record, or of one item of a list.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Content {
    /// Scalars by dotted path, such as `applicant.name`.
    pub values: BTreeMap<String, Value>,
    /// Lists by dotted path.
    pub lists: BTreeMap<String, Vec<Item>>,
}

/// One item of a list.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// Name of the item within its list; never changes and is never used again.
    pub id: String,
    /// What it holds.
    pub content: Content,
}

/// Whether a path belongs to the ledger's own bookkeeping (steps, voided items), which record types
/// do not define and content checks pass over.
pub fn is_bookkeeping(path: &str) -> bool {
    path.starts_with('_')
}

impl Content {
    /// The value under a path, unless it is blank.
    pub fn value(&self, path: &str) -> Option<&Value> {
        self.values.get(path).filter(|value| !value.is_blank())
    }

    /// The text under a path, unless it is blank.
    pub fn text(&self, path: &str) -> Option<&str> {
        self.value(path)?.as_text()
    }

    /// The items of a list; none when the list does not exist.
    pub fn items(&self, path: &str) -> &[Item] {
        self.lists.get(path).map_or(&[], Vec::as_slice)
    }
}

// Contents are people's lives: what reaches a log by accident says how much there is, not what.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Content({} values, {} lists)", self.values.len(), self.lists.len())
    }
}

impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item({}, {:?})", self.id, self.content)
    }
}
