//! The shape in which records are told: plain data whose members stand in the order of their names, so
//! that writing them down gives JSON of the one spelling at once.

use serde::Serialize;
use xw_ledger::standing::Standing;
use xw_ledger::verdict::VerdictKind;
use xw_schemas::id::{EntryId, LogId, PublicKey, RecordId};
use xw_schemas::record::{ProblemCode, Value};
use xw_schemas::space::{Audience, Division};

/// A record for readers. The members of every part stand in the order of their names, so that
/// writing them down gives the one spelling at once.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are described in schemas/spec/evidence-pack.md")]
pub struct Readable {
    pub audience: Audience,
    pub changes: u32,
    pub conflicts: Vec<ConflictTold>,
    pub created_ms: Option<u64>,
    pub division: Division,
    pub division_zh: Option<String>,
    pub entries: Vec<EntryTold>,
    pub erased: Option<ErasedTold>,
    pub fields: Vec<FieldTold>,
    pub lists: Vec<ListTold>,
    pub problems: Vec<ProblemTold>,
    pub record: RecordId,
    pub refused: u32,
    pub schema: Option<String>,
    pub sealed: bool,
    pub standing: Standing,
    pub standing_zh: &'static str,
    pub state: String,
    pub state_zh: String,
    pub steps: Vec<StepTold>,
    #[serde(rename = "type")]
    pub code: String,
    pub type_zh: String,
    pub updated_ms: Option<u64>,
    pub view_digest: Option<String>,
    pub waiting: u32,
}

/// A field with its Chinese label.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are described in schemas/spec/evidence-pack.md")]
pub struct FieldTold {
    pub path: String,
    pub shown: String,
    pub value: Value,
    pub zh: String,
}

/// A list of items.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are described in schemas/spec/evidence-pack.md")]
pub struct ListTold {
    pub items: Vec<ItemTold>,
    pub path: String,
    pub zh: String,
}

/// One item of a list.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are described in schemas/spec/evidence-pack.md")]
pub struct ItemTold {
    pub fields: Vec<FieldTold>,
    pub id: String,
    pub lists: Vec<ListTold>,
}

/// A step taken.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are described in schemas/spec/evidence-pack.md")]
pub struct StepTold {
    pub by: Option<String>,
    pub claimed_time: Option<String>,
    pub entry: EntryId,
    pub from: String,
    pub from_zh: String,
    pub office: Option<String>,
    pub on_behalf_of: String,
    pub overruled: bool,
    pub reason: String,
    pub role: String,
    pub role_zh: String,
    pub to: String,
    pub to_zh: String,
}

/// A place with several values.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are described in schemas/spec/evidence-pack.md")]
pub struct ConflictTold {
    pub path: String,
    pub values: Vec<ConflictValueTold>,
    pub zh: String,
}

/// One of the values.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are described in schemas/spec/evidence-pack.md")]
pub struct ConflictValueTold {
    pub entry: EntryId,
    pub shown: String,
    pub value: Value,
}

/// Something that the record lacks or contradicts.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are described in schemas/spec/evidence-pack.md")]
pub struct ProblemTold {
    pub code: ProblemCode,
    pub path: String,
}

/// Whose decision removed the contents.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are described in schemas/spec/evidence-pack.md")]
pub struct ErasedTold {
    pub because: [EntryId; 2],
    pub done: Vec<PublicKey>,
    pub ground: u64,
    pub ground_zh: String,
    pub people: [PublicKey; 2],
    pub people_zh: Vec<Option<String>>,
}

/// An entry about the record.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[expect(missing_docs, reason = "the members are described in schemas/spec/evidence-pack.md")]
pub struct EntryTold {
    pub body: bool,
    pub claimed_time: String,
    pub claimed_time_ms: u64,
    pub county_s: Option<u64>,
    pub entry: EntryId,
    pub kind: &'static str,
    pub log: LogId,
    pub node: PublicKey,
    pub not_before_s: Option<u64>,
    pub number: u64,
    pub office_zh: Option<String>,
    pub person: Option<PublicKey>,
    pub person_zh: Option<String>,
    pub reason: String,
    pub republishes: Option<EntryId>,
    pub standing: Standing,
    pub standing_zh: &'static str,
    pub timeliness_zh: &'static str,
    pub township_s: Option<u64>,
    pub verdict: Option<VerdictKind>,
}

impl Readable {
    /// The record as JSON of the one spelling.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("text, numbers and lists are JSON")
    }
}

/// Several records as one file.
#[must_use]
pub fn group(records: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = vec![b'['];
    bytes.extend(records.join(&b','));
    bytes.push(b']');
    bytes
}
