//! What a record holds after some set of changes: the visible operations of every key, the items
//! of every list. Never judges a change (that is [`crate::history`]) and keeps no history.

mod apply;
mod check;
mod once;
mod read;
mod unsound;

use std::collections::BTreeMap;
use std::fmt;

use xw_schemas::value::Value;

use crate::change::OpId;

pub use read::{FieldConflict, Mark, Wrote};
pub use unsound::Unsound;

pub(crate) use check::check_ops;
pub(crate) use once::{Once, Told};

/// Deepest object: record 0, list 1, item 2, list of an item 3, its item 4.
pub const DEPTH_MAX: u8 = 4;

/// The key under which an item keeps its id.
pub const ITEM_ID_KEY: &str = "id";

/// The state of a record after a set of changes that is closed under "written on".
///
/// The same set gives the same state, in whatever order it was applied.
#[derive(Clone)]
pub struct OpSet {
    /// The record itself, then the items in the order of arrival.
    maps: Vec<MapObject>,
    lists: Vec<ListObject>,
    objects: BTreeMap<OpId, ObjectAt>,
    max_op: u64,
}

/// Where an object lies in the vectors above.
#[derive(Clone, Copy)]
enum ObjectAt {
    Map(usize),
    List(usize),
}

/// The record's root, always the first map.
const ROOT: usize = 0;

#[derive(Clone)]
struct MapObject {
    depth: u8,
    /// The list it is an item of; none for the root.
    parent: Option<usize>,
    keys: BTreeMap<Box<str>, Vec<Visible>>,
}

/// One operation of a key that nothing has replaced.
#[derive(Clone)]
struct Visible {
    op: OpId,
    what: Held,
}

#[derive(Clone)]
enum Held {
    Value(Value),
    List(usize),
}

#[derive(Clone)]
struct ListObject {
    depth: u8,
    /// The map and the key it stands under.
    parent: usize,
    key: Box<str>,
    elements: BTreeMap<OpId, Element>,
}

#[derive(Clone, Copy)]
struct Element {
    /// The element it was put behind; none for the head of the list.
    after: Option<OpId>,
    map: usize,
}

impl OpSet {
    /// An empty record.
    pub fn new() -> Self {
        let root = MapObject { depth: 0, parent: None, keys: BTreeMap::new() };
        OpSet { maps: vec![root], lists: Vec::new(), objects: BTreeMap::new(), max_op: 0 }
    }

    /// The highest operation counter in it; 0 when empty.
    pub fn max_op(&self) -> u64 {
        self.max_op
    }
}

impl Default for OpSet {
    fn default() -> Self {
        Self::new()
    }
}

// A record holds names and numbers of people, so it shows only its size.
impl fmt::Debug for OpSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (maps, lists) = (self.maps.len(), self.lists.len());
        write!(f, "OpSet({maps} maps, {lists} lists, up to operation {})", self.max_op)
    }
}
