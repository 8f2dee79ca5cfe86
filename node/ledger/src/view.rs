//! What a record looks like: plain data made from its admitted changes, with its conflicts and
//! problems. The same entries and roster give the same bytes, on every node and in any order.

use serde::{Deserialize, Serialize};
use xw_schemas::hash::tagged;
use xw_schemas::id::{EntryId, PublicKey, RecordId};
use xw_schemas::record::{Content, ProblemCode, Value};

use crate::standing::Standing;
use crate::steps::Step;

/// One record as people see it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct View {
    /// The record.
    pub record: RecordId,
    /// Its type.
    pub record_type: String,
    /// Hex of the definition that its newest change names.
    pub schema: String,
    /// Whether bodies are withheld here: only who and when can be shown.
    pub sealed: bool,
    /// The state; `conflict` when steps contradict one another; empty when sealed.
    pub state: String,
    /// The fields. Of concurrent values the winner; the others stand in `conflicts`.
    pub content: Content,
    /// Places with several different values, and contradicting steps.
    pub conflicts: Vec<Conflict>,
    /// What the merged record lacks or contradicts, as `path` and code.
    pub problems: Vec<ViewProblem>,
    /// All steps, overruled ones included.
    pub steps: Vec<ViewStep>,
    /// Claimed time of the first admitted change, milliseconds since 1970.
    pub created_ms: u64,
    /// Latest claimed time of an admitted change.
    pub updated_ms: u64,
    /// Admitted changes (sealed ones, when sealed).
    pub changes: u32,
    /// Changes that stand in their logs and do not count.
    pub refused: u32,
    /// Changes that stand in their logs and wait.
    pub waiting: u32,
    /// Whose decision removed the contents, and on which ground: what is left is this tombstone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub erased: Option<Tombstone>,
}

/// What stands in the place of erased contents, the same on every node.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Tombstone {
    /// The number of the ground (个人信息保护法 article 47, items 1 to 5).
    pub ground: u64,
    /// The two entries that asked for it, ascending.
    pub because: [EntryId; 2],
    /// The persons who signed them, in the same order.
    pub people: [PublicKey; 2],
    /// The nodes that say that they have removed the contents, ascending.
    pub done: Vec<PublicKey>,
}

/// The state of a record whose contents were removed.
pub const ERASED: &str = "erased";

/// A place with several values, written by people who did not see one another.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Conflict {
    /// `phone`, `visits[…].note`, or `state`.
    pub path: String,
    /// The values, the one shown last.
    pub values: Vec<ConflictValue>,
}

/// One of the values.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConflictValue {
    /// The value; for `state` the state that the step leads to.
    pub value: Value,
    /// The entry that wrote it.
    pub entry: EntryId,
}

/// Something that the merged record lacks or contradicts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ViewProblem {
    /// Where.
    pub path: String,
    /// What sort of trouble.
    pub code: ProblemCode,
}

/// A step as shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewStep {
    /// The step.
    #[serde(flatten)]
    pub step: Step,
    /// The entry that made it.
    pub entry: EntryId,
    /// Whether a higher office's concurrent step overrules it.
    pub overruled: bool,
}

impl View {
    /// The canonical bytes: JSON with sorted keys, as digests and stores hold them.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self)
            .expect("plain data without maps of other keys than text serialises")
    }

    /// Digest of the view and of how firmly the record stands.
    #[must_use]
    pub fn digest(&self, standing: Standing) -> [u8; 32] {
        row_digest(&self.bytes(), standing)
    }
}

/// Digest of one stored row.
#[must_use]
pub fn row_digest(view: &[u8], standing: Standing) -> [u8; 32] {
    tagged("xw/view/1", &[&[standing.number()], view])
}
