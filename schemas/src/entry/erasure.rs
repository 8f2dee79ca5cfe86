//! What entries say of erasures: on which ground, by whom asked for, where done. Codes only.

use crate::id::{EntryId, RecordId};

/// Why contents may be removed: Personal Information Protection Law (个人信息保护法) article 47.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum ErasureGround {
    /// 处理目的已实现、无法实现或者不再必要。
    PurposeEnded,
    /// 停止提供服务，或者保存期限已届满。
    TermEnded,
    /// 个人撤回同意。
    ConsentWithdrawn,
    /// 违反法律、行政法规或者约定处理。
    Unlawful,
    /// 法律、行政法规规定的其他情形。
    OtherLaw,
}

/// A person's word that a record's contents are to be removed. Codes only: no free text stands in
/// what can never be removed again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erasure {
    /// The record.
    pub record: RecordId,
    /// Its type.
    pub record_type: String,
    /// The ground in law.
    pub ground: ErasureGround,
}

/// A node's word that it holds a record's contents no more.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ErasureReceipt {
    /// The record.
    pub record: RecordId,
    /// The two persons' entries on which it acted, ascending.
    pub because: [EntryId; 2],
}

impl ErasureGround {
    /// All grounds, in the order of their numbers.
    pub const ALL: [Self; 5] = [
        Self::PurposeEnded,
        Self::TermEnded,
        Self::ConsentWithdrawn,
        Self::Unlawful,
        Self::OtherLaw,
    ];

    /// The number in the format, from 1: the item of article 47.
    #[must_use]
    pub fn number(self) -> u64 {
        match self {
            Self::PurposeEnded => 1,
            Self::TermEnded => 2,
            Self::ConsentWithdrawn => 3,
            Self::Unlawful => 4,
            Self::OtherLaw => 5,
        }
    }

    /// The ground of a number.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        Self::ALL.into_iter().find(|ground| ground.number() == number)
    }

    /// For a Chinese reader.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::PurposeEnded => "处理目的已实现、无法实现或不再必要",
            Self::TermEnded => "停止提供服务或保存期限已届满",
            Self::ConsentWithdrawn => "个人撤回同意",
            Self::Unlawful => "违反法律法规或约定处理",
            Self::OtherLaw => "法律、行政法规规定的其他情形",
        }
    }

    /// For an English reader.
    #[must_use]
    pub fn en(self) -> &'static str {
        match self {
            Self::PurposeEnded => "the purpose is reached, cannot be reached or no longer needs it",
            Self::TermEnded => "the service has ended or the retention period is over",
            Self::ConsentWithdrawn => "the person has withdrawn consent",
            Self::Unlawful => "it was processed against law or agreement",
            Self::OtherLaw => "another case provided by law",
        }
    }
}
