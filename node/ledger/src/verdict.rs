//! What the rules say of a change: admitted, waiting or refused with a reason that is kept and shown.

use serde::{Deserialize, Serialize};
use xw_schemas::id::{EntryId, hex};
use xw_schemas::record::{ProblemCode, SchemaHash};

use crate::change::{ChangeFault, ChangeHash};
use crate::opset::Unsound;
use crate::standing::Standing;

/// What the rules say of one change. Every change gets exactly one verdict.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It counts.
    Admitted,
    /// It verifies, and its body is not held here: sealed replication or erasure.
    Sealed,
    /// Something it needs is not held here yet.
    Waiting(Missing),
    /// It counted, and its contents were removed by a lawful erasure.
    Erased,
    /// It does not count.
    Refused(Refusal),
}

/// What a waiting change waits for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    /// A change it was written on, by its Automerge hash.
    Change(ChangeHash),
    /// An earlier entry of its own author on this record that waits itself.
    Entry(EntryId),
    /// A record-type definition.
    Definition(SchemaHash),
    /// The entry that a cut names.
    Cut,
    /// A second person who asks for the same erasure.
    SecondPerson,
    /// The county's witness over what two persons ask: contents that are gone do not come back.
    Witness,
}

/// Why a change does not count.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// Its log does not stand there.
    #[error("the entry does not stand in its log")]
    NotStanding(Standing),
    /// The body is not a change of our form.
    #[error("the body is not a sound change: {0}")]
    Malformed(ChangeFault),
    /// The change does not follow from its causal past.
    #[error("the change does not follow from what it names: {0}")]
    Unsound(Unsound),
    /// Actor or time differ from what log and entry say.
    #[error("author or time inside the change differ from the entry's")]
    OtherAuthor,
    /// The record id belongs to another creator.
    #[error("the record's id belongs to another creator")]
    NotTheCreator,
    /// The record has another type or space.
    #[error("the entry names another record type than the record has")]
    OtherType,
    /// A change it was written on does not count.
    #[error("a change it was written on does not count")]
    OnRefused(ChangeHash),
    /// An earlier change of its author on this record does not count.
    #[error("an earlier change of its author on this record does not count")]
    AfterRefused(EntryId),
    /// No person signed.
    #[error("a change needs the signature of the person who acted")]
    NoPerson,
    /// The person does not belong to the office of the PC, or the key is a PC's.
    #[error("the person does not belong to this office")]
    OtherOffice,
    /// The person's key was cut before.
    #[error("the person's key was revoked before this entry")]
    PersonCut,
    /// None of the person's roles may do this.
    #[error("none of the person's roles may do this")]
    NoRight,
    /// The definition was never adopted, or for another type.
    #[error("the record type's definition is not adopted")]
    SchemaNotAdopted,
    /// The step does not begin where the record stands.
    #[error("the step begins at another state than the record has")]
    OtherState,
    /// No such step is defined.
    #[error("the record type knows no such step")]
    NoSuchStep,
    /// More than one step, or steps written another way.
    #[error("a change makes at most one step, by appending it")]
    BadStep,
    /// The step needs a reason.
    #[error("the step needs a reason")]
    NoReason,
    /// The record is closed.
    #[error("the record is closed")]
    Closed,
    /// Another office has acted: the record cannot be voided any more.
    #[error("another office has acted on the record; it can only be corrected")]
    VoidTooLate,
    /// The record as of the change breaks its type's rules in a place where it did not before.
    #[error("the record would be invalid at {path}")]
    Invalid {
        /// The field.
        path: String,
        /// The sort of problem.
        code: ProblemCode,
    },
    /// The record has grown to its limit.
    #[error("the record has grown to its limit; a successor continues it")]
    TooLong,
}

impl Refusal {
    /// The stable name kept in stores and exports.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotStanding(Standing::Void) => "void",
            Self::NotStanding(_) => "disputed",
            Self::Malformed(_) => "malformed",
            Self::Unsound(_) => "unsound",
            Self::OtherAuthor => "other-author",
            Self::NotTheCreator => "not-the-creator",
            Self::OtherType => "other-type",
            Self::OnRefused(_) => "on-refused",
            Self::AfterRefused(_) => "after-refused",
            Self::NoPerson => "no-person",
            Self::OtherOffice => "other-office",
            Self::PersonCut => "person-cut",
            Self::NoRight => "no-right",
            Self::SchemaNotAdopted => "schema-not-adopted",
            Self::OtherState => "other-state",
            Self::NoSuchStep => "no-such-step",
            Self::BadStep => "bad-step",
            Self::NoReason => "no-reason",
            Self::Closed => "closed",
            Self::VoidTooLate => "void-too-late",
            Self::Invalid { .. } => "invalid",
            Self::TooLong => "too-long",
        }
    }

    /// Whether it is for how the entry stands in its log, whatever it says.
    #[must_use]
    pub fn is_of_the_log(&self) -> bool {
        matches!(self, Self::NotStanding(_))
    }

    /// What a Chinese reader is told.
    #[must_use]
    pub fn zh(&self) -> String {
        let text = match self {
            Self::NotStanding(Standing::Void) => "该密钥已被吊销，此条目无效",
            Self::NotStanding(_) => "日志在此处分叉，条目有争议，暂不采纳",
            Self::Malformed(fault) => return format!("变更内容格式不正确：{}", fault.zh()),
            Self::Unsound(unsound) => return format!("变更与其依据不符：{}", unsound.zh()),
            Self::OtherAuthor => "变更内的作者或时间与条目不一致",
            Self::NotTheCreator => "记录标识属于其他创建者",
            Self::OtherType => "条目所写的记录类型与该记录不符",
            Self::OnRefused(_) => "所依据的变更未被采纳",
            Self::AfterRefused(_) => "同一作者此前对该记录的变更未被采纳",
            Self::NoPerson => "缺少经办人的个人签名",
            Self::OtherOffice => "签名人不属于本机构",
            Self::PersonCut => "签名人的密钥在此之前已被吊销",
            Self::NoRight => "签名人的角色无权做此操作",
            Self::SchemaNotAdopted => "记录类型的定义未被名册采用",
            Self::OtherState => "记录当前状态与该步骤的起始状态不符",
            Self::NoSuchStep => "该记录类型没有这一步骤",
            Self::BadStep => "一次变更最多办理一个步骤，且只能追加",
            Self::NoReason => "该步骤必须写明原因",
            Self::Closed => "记录已归档或作废，不能再修改",
            Self::VoidTooLate => "其他机构已办理过该记录，只能更正，不能作废",
            Self::Invalid { path, .. } => return format!("字段“{path}”不符合记录类型的要求"),
            Self::TooLong => "该记录的变更已达上限，请另建接续记录",
        };
        text.to_owned()
    }
}

impl Verdict {
    /// Whether the change counts.
    #[must_use]
    pub fn is_admitted(&self) -> bool {
        matches!(self, Self::Admitted)
    }

    /// The stored form: a kind and, where there is one, a reason.
    #[must_use]
    pub fn stored(&self) -> StoredVerdict {
        match self {
            Self::Admitted => StoredVerdict { kind: VerdictKind::Admitted, reason: String::new() },
            Self::Sealed => StoredVerdict { kind: VerdictKind::Sealed, reason: String::new() },
            Self::Erased => StoredVerdict { kind: VerdictKind::Erased, reason: String::new() },
            Self::Waiting(missing) => {
                let reason = match missing {
                    Missing::Change(hash) => format!("change {}", hex(&hash.0)),
                    Missing::Entry(entry) => format!("entry {entry}"),
                    Missing::Definition(hash) => format!("definition {}", hex(&hash.0)),
                    Missing::Cut => "cut".to_owned(),
                    Missing::SecondPerson => "second-person".to_owned(),
                    Missing::Witness => "witness".to_owned(),
                };
                StoredVerdict { kind: VerdictKind::Waiting, reason }
            }
            Self::Refused(refusal) => StoredVerdict {
                kind: VerdictKind::Refused,
                reason: format!("{}|{}", refusal.code(), refusal.zh()),
            },
        }
    }
}

/// The verdicts without their reasons.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum VerdictKind {
    /// It counts.
    Admitted,
    /// Its body is not held here.
    Sealed,
    /// It waits.
    Waiting,
    /// It does not count.
    Refused,
    /// Its contents were removed.
    Erased,
}

impl VerdictKind {
    /// All verdicts.
    pub const ALL: [Self; 5] =
        [Self::Admitted, Self::Sealed, Self::Waiting, Self::Refused, Self::Erased];

    /// The number kept in the store.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Admitted => 0,
            Self::Sealed => 1,
            Self::Waiting => 2,
            Self::Refused => 3,
            Self::Erased => 4,
        }
    }
}

/// A verdict as kept beside its entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StoredVerdict {
    /// Which of them.
    pub kind: VerdictKind,
    /// `code|Chinese text` of a refusal, what a waiting change waits for, else empty.
    pub reason: String,
}
