//! A record as an Automerge document: where our own edits become changes. The only module that
//! names Automerge. It never sees a change that [`crate::history`] has not found sound, because
//! Automerge hangs or panics on hostile ones.

mod edit;
mod read;

use std::fmt;

use automerge::{ActorId, Automerge, AutomergeError, ObjType, ReadDoc, TextEncoding};
use xw_schemas::record::{Content, Item};
use xw_schemas::value::Value;

use crate::change::{Actor, ChangeFault, OpId};
use crate::opset::FieldConflict;

/// A record, ready to be edited by one author.
///
/// It is a cache: throw it away and build it again from the record's changes.
pub struct Document {
    automerge: Automerge,
}

/// Which map of the record an edit is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The record itself.
    Root,
    /// An item: from the record downwards the lists and the ids in them.
    Item(Vec<(String, String)>),
}

/// One thing to change in a record.
#[derive(Clone, Debug, PartialEq)]
pub enum Edit {
    /// Sets a value.
    Put {
        /// The map.
        at: Place,
        /// The key, dotted inside structs.
        path: String,
        /// The value.
        value: Value,
    },
    /// Adds an item at the end of a list; the list is made when it is not there.
    Append {
        /// The map that holds the list.
        at: Place,
        /// The list's key, dotted inside structs.
        list: String,
        /// The item, its own lists included.
        item: Item,
    },
}

/// Our own edit could not be made, or sound changes could not be read back.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DocumentError {
    /// Automerge refused.
    #[error("the document library refused")]
    Library(#[from] AutomergeError),
    /// Automerge could not read a change.
    #[error("the document library could not read a change")]
    Unreadable(#[from] automerge::LoadChangeError),
    /// A change is missing that others were written on.
    #[error("{0} changes are missing from the record")]
    Incomplete(usize),
    /// An edit names an item that is not there.
    #[error("there is no item {id} in list {list}")]
    NoSuchItem {
        /// The list.
        list: String,
        /// The id looked for.
        id: String,
    },
    /// A key is empty, too long, contains brackets, or is an item's own id.
    #[error("{0:?} cannot be written as a field")]
    Key(String),
    /// An item id is empty, too long or contains a closing bracket.
    #[error("{0:?} cannot be an item id")]
    ItemId(String),
    /// A text is longer than 20,000 bytes.
    #[error("the text for {0} is longer than 20,000 bytes")]
    TextTooLong(String),
    /// A value is put where a list stands, or a list where a value stands.
    #[error("{0} is a list on one side and a value on the other")]
    ListOrValue(String),
    /// Lists nested more deeply than a record allows.
    #[error("list {0} is nested too deeply")]
    TooDeep(String),
    /// The edits together are more than one change may hold; the document must be dropped.
    #[error("the edits do not make a change that others would accept")]
    Unfit(#[source] ChangeFault),
    /// The record says all that already.
    #[error("the edits change nothing")]
    NothingChanged,
}

impl Document {
    /// Builds the record from sound changes in canonical order
    /// ([`crate::history::History::canonical_order`]); `actor` will be the author of edits.
    pub fn from_changes<'a>(
        actor: Actor,
        raw: impl Iterator<Item = &'a [u8]>,
    ) -> Result<Document, DocumentError> {
        let changes: Vec<automerge::Change> =
            raw.map(automerge::Change::try_from).collect::<Result<_, _>>()?;
        // The encoding is fixed: the library's default depends on which cargo features some other
        // crate switches on.
        let mut automerge = Automerge::new_with_encoding(TextEncoding::UnicodeCodePoint)
            .with_actor(ActorId::from(&actor[..]));
        automerge.apply_changes(changes)?;
        match automerge.get_missing_deps(&[]).len() {
            0 => Ok(Document { automerge }),
            missing => Err(DocumentError::Incomplete(missing)),
        }
    }

    /// Makes the edits in one change and gives its bytes. `time_s` is the claimed time in seconds.
    /// The document holds the change afterwards; after an error it holds none of it, except after
    /// [`DocumentError::Unfit`].
    pub fn edit(&mut self, edits: &[Edit], time_s: i64) -> Result<Vec<u8>, DocumentError> {
        edit::edit(&mut self.automerge, edits, time_s)
    }

    /// The record as people see it. The same as [`crate::opset::OpSet::content`], read through
    /// Automerge.
    pub fn content(&self) -> Content {
        read::content(&self.automerge)
    }

    /// The same as [`crate::opset::OpSet::conflicts`], read through Automerge.
    pub fn conflicts(&self) -> Vec<FieldConflict> {
        read::conflicts(&self.automerge)
    }
}

// A record holds names and numbers of people, so it shows only its size.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} heads)", self.automerge.get_heads().len())
    }
}

/// Automerge's name of an operation in ours; none for the root and for foreign actors.
fn op_id(id: &automerge::ObjId) -> Option<OpId> {
    match id {
        automerge::ObjId::Id(counter, actor, _) => {
            Some(OpId { counter: *counter, actor: actor.to_bytes().try_into().ok()? })
        }
        automerge::ObjId::Root => None,
    }
}

/// Automerge's value in ours; none for objects and for types that no sound change writes.
fn scalar(value: &automerge::Value<'_>) -> Option<Value> {
    match value.as_scalar()? {
        automerge::ScalarValue::Str(text) => Some(Value::Text(text.to_string())),
        automerge::ScalarValue::Int(number) => Some(Value::Int(*number)),
        automerge::ScalarValue::Boolean(truth) => Some(Value::Bool(*truth)),
        automerge::ScalarValue::Null => Some(Value::Null),
        _ => None,
    }
}

fn is_list(value: &automerge::Value<'_>) -> bool {
    matches!(value, automerge::Value::Object(ObjType::List))
}
