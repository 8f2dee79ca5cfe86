//! One Automerge change as we read it: bounded, canonical and without Automerge.
//! Never asks what came before it (that is [`crate::history`]) and never applies anything.

mod column;
mod decode;
mod encode;
mod fault;
mod leb;

use std::fmt;

use xw_schemas::value::Value;

pub use fault::ChangeFault;
pub use xw_schemas::limits::{CHANGE_BYTES_MAX, CHANGE_OPS_MAX as OPS_MAX};

/// Most predecessors in one change, all operations together. Honest changes have at most one per
/// operation outside conflicts.
pub const PREDS_MAX: usize = 4_096;
/// Most dependencies: a record is edited by a handful of offices at a time.
pub const DEPS_MAX: usize = 64;
/// Most other actors that the operations of one change may name.
pub const OTHER_ACTORS_MAX: usize = 64;
/// Longest key in bytes; dotted field paths of the record types stay below 60.
pub const KEY_BYTES_MAX: usize = 120;
/// Longest text value in bytes: 5,000 Chinese characters and room for punctuation.
pub const TEXT_BYTES_MAX: usize = 20_000;
/// Largest operation counter. Half of what Automerge can count, so that no author can push a
/// document to the end of the numbers and stop everyone else from writing.
pub const COUNTER_MAX: u64 = 1 << 31;
/// Latest claimed time in seconds, about the year 36812; Automerge fails on far larger ones.
pub const TIME_S_MAX: i64 = 1 << 40;
/// Longest item id in bytes.
pub const ITEM_ID_BYTES_MAX: usize = 64;

/// Who wrote: the first 16 bytes of hash(log, record).
pub type Actor = [u8; 16];

/// SHA-256 of a change without its magic and checksum: Automerge's own change hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ChangeHash(pub [u8; 32]);

/// One operation's name. Ordered by counter, then actor: Automerge's order for conflicts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OpId {
    /// Lamport counter, one more than everything the author had seen.
    pub counter: u64,
    /// The author.
    pub actor: Actor,
}

/// An object of the document: its root map, or the map or list that an operation made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjId {
    /// The record itself.
    Root,
    /// A list or an item, named by the operation that made it.
    Op(OpId),
}

/// Where inside its object an operation acts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// A key of a map.
    Map(String),
    /// The beginning of a list.
    Head,
    /// Behind that element of a list.
    After(OpId),
}

/// What an operation does.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Makes a map: a list item.
    MakeMap,
    /// Makes a list.
    MakeList,
    /// Sets a scalar.
    Put(Value),
    /// Takes the losing values of a conflict away and leaves the winner.
    Delete,
}

/// One operation; its id follows from its place in the change.
#[derive(Clone, Debug, PartialEq)]
pub struct Op {
    /// The object it acts on.
    pub obj: ObjId,
    /// The place in that object.
    pub key: Key,
    /// True when it makes a new list element.
    pub insert: bool,
    /// What it does.
    pub action: Action,
    /// The operations it replaces, ascending.
    pub pred: Vec<OpId>,
}

/// A decoded change: well formed and canonical, not yet judged against its causal past.
#[derive(Clone, PartialEq)]
pub struct Change {
    /// Its name.
    pub hash: ChangeHash,
    /// Its author.
    pub actor: Actor,
    /// The author's how-manieth change of this document, from 1.
    pub seq: u64,
    /// Counter of its first operation.
    pub start_op: u64,
    /// Claimed time, seconds since 1970.
    pub time_s: i64,
    /// The changes it was written on, ascending.
    pub deps: Vec<ChangeHash>,
    /// Its operations, at least one.
    pub ops: Vec<Op>,
}

impl Change {
    /// Reads one plain change chunk. Work and memory are linear in the byte length and the number
    /// of operations, whatever the bytes claim. `Ok` means that [`Change::encode`] gives `bytes`.
    pub fn decode(bytes: &[u8]) -> Result<Change, ChangeFault> {
        decode::decode(bytes)
    }

    /// The bytes that Automerge writes for this change.
    pub fn encode(&self) -> Vec<u8> {
        encode::encode(self)
    }

    /// Counter of its last operation.
    pub fn max_op(&self) -> u64 {
        self.start_op + (self.ops.len() as u64).saturating_sub(1)
    }

    /// The id of its operation at `index`.
    pub fn op_id(&self, index: usize) -> OpId {
        OpId { counter: self.start_op + index as u64, actor: self.actor }
    }

    /// Its operations with their ids.
    pub fn ops_with_ids(&self) -> impl Iterator<Item = (OpId, &Op)> {
        self.ops.iter().enumerate().map(|(index, op)| (self.op_id(index), op))
    }
}

/// Whether `key` may stand in a record: not empty, not too long, and free of the brackets that
/// paths such as `visits[v1].note` need, so that a path names one place only.
pub fn key_is_sound(key: &str) -> bool {
    !key.is_empty()
        && key.len() <= KEY_BYTES_MAX
        && !key.chars().any(|c| c == '[' || c == ']' || c.is_control())
}

/// Whether `id` may name a list item: 1 to 64 bytes, no closing bracket, no control characters.
pub fn item_id_is_sound(id: &str) -> bool {
    !id.is_empty()
        && id.len() <= ITEM_ID_BYTES_MAX
        && !id.chars().any(|c| c == ']' || c.is_control())
}

impl fmt::Display for ChangeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, &self.0)
    }
}

impl fmt::Debug for ChangeHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        hex(f, &self.0[..6])
    }
}

// What an operation holds may be a person's name or number, so a change shows only what it is.
impl fmt::Debug for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Change({:?}, seq {}, {} ops)", self.hash, self.seq, self.ops.len())
    }
}

impl fmt::Display for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@", self.counter)?;
        hex(f, &self.actor)
    }
}

impl fmt::Debug for OpId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}@", self.counter)?;
        hex(f, &self.actor[..4])
    }
}

fn hex(f: &mut fmt::Formatter<'_>, bytes: &[u8]) -> fmt::Result {
    bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
}
