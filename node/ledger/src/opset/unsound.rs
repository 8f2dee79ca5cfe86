//! Why a well-formed change does not fit its causal past. The numbers stay the same for ever.

use crate::change::ChangeHash;

/// The change is not what an honest author would have written on its dependencies.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Unsound {
    /// It is in the history already.
    #[error("the change is already there")]
    AlreadyHeld,
    /// A dependency is not in the history; the change waits, it is not refused for ever.
    #[error("dependency {0} is missing")]
    MissingDep(ChangeHash),
    /// A dependency is contained in another one and is not the author's own last change.
    #[error("a dependency is contained in another one")]
    RedundantDep,
    /// The author's earlier changes are fewer than the sequence number says.
    #[error("a sequence number was skipped")]
    SequenceGap,
    /// The author has used this sequence number for another change.
    #[error("the sequence number is used twice")]
    SequenceTaken,
    /// The author's own last change is not among the dependencies.
    #[error("the author's own last change is not among the dependencies")]
    OwnLastNotNamed,
    /// The first operation is not numbered one more than all that the author had seen.
    #[error("the first operation has the wrong number")]
    StartOp,
    /// An operation on an object that does not exist in the causal past.
    #[error("an operation names an object that does not exist")]
    NoSuchObject,
    /// An insertion behind an element that the list does not have.
    #[error("an operation names a list element that does not exist")]
    NoSuchElement,
    /// An operation that the shape of a record has no place for.
    #[error("an operation does not fit the shape of a record")]
    Shape,
    /// A list inside a list inside a list.
    #[error("lists are nested too deeply")]
    TooDeep,
    /// The predecessors are not exactly the visible operations of the key.
    #[error("the predecessors are not the visible values")]
    Preds,
    /// A list where values or another list stand.
    #[error("a list is made where something stands already")]
    ListOverHeld,
    /// A value where a list stands.
    #[error("a value overwrites a list")]
    ValueOverList,
    /// A deletion that is not the clearing of a conflict in favour of its winner.
    #[error("a deletion is not the clearing of a conflict")]
    Delete,
    /// The value is the one that stands there; an honest author writes nothing.
    #[error("a value is written that already stands there")]
    NothingChanged,
    /// An item without an id.
    #[error("an item has no id")]
    ItemIdMissing,
    /// An item id that is no text, empty, too long or contains a closing bracket.
    #[error("an item id is malformed")]
    ItemIdMalformed,
    /// An item's id written a second time or by a later change.
    #[error("an item id is rewritten")]
    ItemIdRewritten,
}

impl Unsound {
    /// Its number; never given to another case. Faults of bytes have those below 100.
    pub fn code(&self) -> u16 {
        match self {
            Self::AlreadyHeld => 101,
            Self::MissingDep(_) => 102,
            Self::RedundantDep => 103,
            Self::SequenceGap => 104,
            Self::SequenceTaken => 105,
            Self::OwnLastNotNamed => 106,
            Self::StartOp => 107,
            Self::NoSuchObject => 111,
            Self::NoSuchElement => 112,
            Self::Shape => 113,
            Self::TooDeep => 114,
            Self::Preds => 115,
            Self::ListOverHeld => 116,
            Self::ValueOverList => 117,
            Self::Delete => 118,
            Self::NothingChanged => 119,
            Self::ItemIdMissing => 121,
            Self::ItemIdMalformed => 122,
            Self::ItemIdRewritten => 123,
        }
    }

    /// The same in Chinese.
    pub fn zh(&self) -> String {
        let text = match self {
            Self::AlreadyHeld => "变更已存在",
            Self::MissingDep(dep) => return format!("缺少所依赖的变更 {dep}"),
            Self::RedundantDep => "某项依赖已包含在另一项之中",
            Self::SequenceGap => "变更序号不连续",
            Self::SequenceTaken => "变更序号重复使用",
            Self::OwnLastNotNamed => "依赖中没有作者自己的上一个变更",
            Self::StartOp => "首个操作的编号错误",
            Self::NoSuchObject => "操作指向不存在的对象",
            Self::NoSuchElement => "操作指向不存在的列表条目",
            Self::Shape => "操作不符合档案结构",
            Self::TooDeep => "列表嵌套过深",
            Self::Preds => "前驱与当前可见值不一致",
            Self::ListOverHeld => "在已有内容处新建列表",
            Self::ValueOverList => "用单值覆盖列表",
            Self::Delete => "删除操作并非用于消除冲突",
            Self::NothingChanged => "写入的值与现值相同",
            Self::ItemIdMissing => "列表条目没有编号",
            Self::ItemIdMalformed => "列表条目编号不合规",
            Self::ItemIdRewritten => "列表条目编号被改写",
        };
        text.to_owned()
    }

    /// The same in English.
    pub fn en(&self) -> String {
        self.to_string()
    }
}
