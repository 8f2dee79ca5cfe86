//! What can be found wrong, by stable names and in words.

use xw_schemas::record::Lang;

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What sort of trouble.
    pub code: FindingCode,
    /// Where: a table with its row, a log, a record.
    pub place: String,
    /// What exactly, for whoever repairs it.
    pub detail: String,
}

/// What sort of trouble.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FindingCode {
    /// SQLite finds its own pages or indexes damaged.
    Pages,
    /// A row or table cannot be read.
    Unreadable,
    /// A roster edition does not verify or follow.
    Edition,
    /// A record-type definition is not the one that its hash names.
    Definition,
    /// An entry's bytes do not decode.
    EntryBytes,
    /// A signature does not verify.
    Signature,
    /// The columns beside an entry differ from what it says.
    EntryColumns,
    /// An entry does not follow in its log.
    Chain,
    /// A body is not the one that its entry binds.
    Body,
    /// The row of a log differs from its entries.
    Log,
    /// What stands in a log differs from the rows.
    Standing,
    /// A checkpoint does not open or fits no branch.
    Checkpoint,
    /// A stored verdict is not what the rules say.
    Verdict,
    /// A stored view is not what the entries amount to.
    View,
    /// A row differs from its view.
    Row,
    /// Judging a record fails, or failed before.
    Poison,
    /// The document library reads other contents than the view has.
    Document,
    /// The search index differs from the rows.
    Search,
}

impl FindingCode {
    /// The stable name.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Pages => "pages",
            Self::Unreadable => "unreadable",
            Self::Edition => "edition",
            Self::Definition => "definition",
            Self::EntryBytes => "entry-bytes",
            Self::Signature => "signature",
            Self::EntryColumns => "entry-columns",
            Self::Chain => "chain",
            Self::Body => "body",
            Self::Log => "log",
            Self::Standing => "standing",
            Self::Checkpoint => "checkpoint",
            Self::Verdict => "verdict",
            Self::View => "view",
            Self::Row => "row",
            Self::Poison => "poison",
            Self::Document => "document",
            Self::Search => "search",
        }
    }

    fn words(self) -> (&'static str, &'static str) {
        match self {
            Self::Pages => ("数据库页面损坏", "the database pages are damaged"),
            Self::Unreadable => ("无法读取", "cannot be read"),
            Self::Edition => ("名册版本不成立", "a roster edition does not hold"),
            Self::Definition => ("记录类型定义与其哈希不符", "a definition does not fit its hash"),
            Self::EntryBytes => ("条目字节损坏", "the bytes of an entry are damaged"),
            Self::Signature => ("签名验证不通过", "a signature does not verify"),
            Self::EntryColumns => ("条目与其索引列不符", "an entry differs from its columns"),
            Self::Chain => ("条目在日志中不衔接", "an entry does not follow in its log"),
            Self::Body => ("内容与条目所承诺的不一致", "a body does not match its entry"),
            Self::Log => ("日志行与条目不符", "the row of a log differs from its entries"),
            Self::Standing => ("见证状态与日志不符", "the standing differs from the logs"),
            Self::Checkpoint => ("检查点不成立", "a checkpoint does not hold"),
            Self::Verdict => ("判定结果与规则不符", "a verdict is not what the rules say"),
            Self::View => ("视图与条目不符", "a view is not what the entries amount to"),
            Self::Row => ("查询行与视图不符", "a row differs from its view"),
            Self::Poison => ("记录无法判定，已隔离", "a record cannot be judged and is set aside"),
            Self::Document => {
                ("文档库读出的内容与视图不同", "the document library reads otherwise")
            }
            Self::Search => ("检索索引与记录不符", "the search index differs from the rows"),
        }
    }
}

impl Finding {
    /// What a Chinese reader is told.
    #[must_use]
    pub fn zh(&self) -> String {
        format!("{}：{}（{}）", self.code.words().0, self.place, self.detail)
    }

    /// What an English reader is told.
    #[must_use]
    pub fn en(&self) -> String {
        format!("{}: {} ({})", self.code.words().1, self.place, self.detail)
    }

    /// For a screen.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => self.zh(),
            Lang::En => self.en(),
        }
    }
}
