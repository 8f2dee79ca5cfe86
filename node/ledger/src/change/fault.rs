//! Why bytes are no change. Every case has a number that stays the same for ever.

/// The bytes are not a change that an honest node writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
#[non_exhaustive]
pub enum ChangeFault {
    /// Longer than [`crate::change::CHANGE_BYTES_MAX`].
    #[error("the change is longer than 64 KiB")]
    TooLong,
    /// The bytes end inside a value.
    #[error("the change ends too early")]
    CutShort,
    /// Not Automerge's first four bytes.
    #[error("the change does not begin like one")]
    Magic,
    /// A document, a compressed change or an unknown chunk.
    #[error("not a plain change chunk")]
    ChunkType,
    /// The checksum is not the first four bytes of the hash.
    #[error("the checksum is wrong")]
    Checksum,
    /// The chunk's length is not the length of its bytes.
    #[error("the chunk length is wrong")]
    Length,
    /// A number is longer than it need be or does not fit.
    #[error("a number is not in its shortest form")]
    Number,
    /// More than 64 dependencies, or not ascending.
    #[error("the dependencies are too many or not ascending")]
    Deps,
    /// An actor is not 16 bytes long.
    #[error("an actor is not 16 bytes long")]
    ActorLength,
    /// More than 64 other actors, not ascending, or the author among them.
    #[error("the other actors are too many or not ascending")]
    OtherActors,
    /// An actor is listed and never used.
    #[error("a listed actor is not used")]
    UnusedActor,
    /// An actor index points nowhere.
    #[error("an actor index points nowhere")]
    ActorIndex,
    /// Sequence number or operation counter out of range.
    #[error("the sequence number or an operation counter is out of range")]
    Counter,
    /// Claimed time out of range.
    #[error("the claimed time is out of range")]
    Time,
    /// A commit message; we never write one.
    #[error("the change carries a message")]
    Message,
    /// Bytes behind the last column.
    #[error("the change carries extra bytes")]
    ExtraBytes,
    /// A column that no change of ours has, or columns not ascending.
    #[error("a column is unknown or out of order")]
    Column,
    /// A column has more or fewer rows than there are operations.
    #[error("a column has the wrong number of rows")]
    Rows,
    /// No operation at all.
    #[error("the change has no operations")]
    NoOps,
    /// More than 4,096 operations.
    #[error("the change has more than 4,096 operations")]
    TooManyOps,
    /// More than 4,096 predecessors.
    #[error("the change has more than 4,096 predecessors")]
    TooManyPreds,
    /// The predecessors of an operation are not ascending.
    #[error("predecessors are not ascending")]
    PredOrder,
    /// An object id that is half there.
    #[error("an object id is malformed")]
    Object,
    /// A key that is missing, ambiguous, empty, too long or contains brackets.
    #[error("a key is malformed")]
    Key,
    /// An action other than making a map or list, putting and deleting.
    #[error("an action is not allowed")]
    ActionType,
    /// A value that is not text, integer, boolean or null.
    #[error("a value has a type that is not allowed")]
    ValueType,
    /// Text longer than 20,000 bytes.
    #[error("a text is longer than 20,000 bytes")]
    TextTooLong,
    /// Text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Utf8,
    /// Well formed, but not the one way in which Automerge writes it.
    #[error("the change is not in its canonical form")]
    NotCanonical,
}

impl ChangeFault {
    /// Its number; never given to another case.
    pub fn code(self) -> u16 {
        self as u16 + 1
    }

    /// The same in Chinese.
    pub fn zh(self) -> &'static str {
        match self {
            Self::TooLong => "变更超过 64 KiB",
            Self::CutShort => "变更提前结束",
            Self::Magic => "开头不是变更标记",
            Self::ChunkType => "不是未压缩的变更块",
            Self::Checksum => "校验和错误",
            Self::Length => "块长度错误",
            Self::Number => "数字不是最短写法",
            Self::Deps => "依赖过多或未按升序",
            Self::ActorLength => "作者编号不是 16 字节",
            Self::OtherActors => "其他作者过多或未按升序",
            Self::UnusedActor => "列出的作者未被使用",
            Self::ActorIndex => "作者序号越界",
            Self::Counter => "序号或操作计数越界",
            Self::Time => "声明时间越界",
            Self::Message => "变更带有附言",
            Self::ExtraBytes => "变更带有多余字节",
            Self::Column => "数据列未知或顺序错误",
            Self::Rows => "数据列行数错误",
            Self::NoOps => "变更没有操作",
            Self::TooManyOps => "操作超过 4096 个",
            Self::TooManyPreds => "前驱超过 4096 个",
            Self::PredOrder => "前驱未按升序",
            Self::Object => "对象编号残缺",
            Self::Key => "字段名不合规",
            Self::ActionType => "操作类型不允许",
            Self::ValueType => "值的类型不允许",
            Self::TextTooLong => "文本超过 20000 字节",
            Self::Utf8 => "文本不是 UTF-8",
            Self::NotCanonical => "变更不是规范写法",
        }
    }

    /// The same in English.
    pub fn en(self) -> String {
        self.to_string()
    }
}
