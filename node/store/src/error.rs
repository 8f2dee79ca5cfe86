//! What goes wrong with the store: our own disk, our own file. No neighbour caused it and no
//! neighbour hears of it.

use std::io;
use std::path::PathBuf;

use xw_ledger::roster::RosterRefusal;
use xw_schemas::checkpoint::NoteFault;
use xw_schemas::record::Lang;

use crate::query::QuerySlip;

/// The store failed us, or was asked for something that is not there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StoreError {
    /// SQLite refused.
    #[error("could not {doing}")]
    Sql {
        /// What was being done.
        doing: &'static str,
        /// What SQLite says.
        source: rusqlite::Error,
    },
    /// Another process, or another part of this one, has the database open for writing.
    #[error("another program owns the database {}", path.display())]
    Owned {
        /// The database.
        path: PathBuf,
    },
    /// A database is to be made where one stands.
    #[error("there is a database at {} already", path.display())]
    Exists {
        /// The database.
        path: PathBuf,
    },
    /// There is no database to open.
    #[error("there is no database at {}", path.display())]
    Missing {
        /// The database.
        path: PathBuf,
    },
    /// The operating system refused a file.
    #[error("could not reach the file {}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: io::Error,
    },
    /// The file is no database of this program, or of another version.
    #[error("the database has format {found}, this program reads format {expected}")]
    Format {
        /// The format found.
        found: i64,
        /// The format that this program reads.
        expected: i64,
    },
    /// The SQLite in this program is too old.
    #[error("the database library {found} is too old")]
    OldLibrary {
        /// Its version.
        found: String,
    },
    /// Something that this program wrote cannot be read back.
    #[error("the database is damaged: {what}")]
    Damaged {
        /// What cannot be read.
        what: String,
    },
    /// The editions stored or given make no roster.
    #[error("the roster editions make no roster")]
    Roster(#[from] RosterRefusal),
    /// A checkpoint is not its log's author's.
    #[error("the checkpoint does not open")]
    Checkpoint(#[from] NoteFault),
    /// A log that is not held here.
    #[error("the log is not held here")]
    UnknownLog,
    /// The question makes no sense for these record types.
    #[error(transparent)]
    Query(#[from] QuerySlip),
}

impl StoreError {
    /// Something stored cannot be read back.
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    /// Whether the disk is full: nothing was saved, and there is something the clerk can do.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        matches!(self, Self::Sql { source, .. }
            if source.sqlite_error_code() == Some(rusqlite::ErrorCode::DiskFull))
    }

    /// Whether bytes in the file cannot be right: the file must be set aside, not written on.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        match self {
            Self::Damaged { .. } => true,
            Self::Sql { source, .. } => {
                matches!(source.sqlite_error_code(), Some(DatabaseCorrupt | NotADatabase))
            }
            _ => false,
        }
    }

    /// What the clerk is told.
    #[must_use]
    pub fn text(&self, lang: Lang) -> String {
        match lang {
            Lang::Zh => self.zh(),
            Lang::En => self.en(),
        }
    }

    /// What a Chinese reader is told.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Sql { .. } if self.is_disk_full() => {
                "磁盘已满，本次内容未保存，请清理磁盘后重试".into()
            }
            Self::Sql { .. } if self.is_damage() => {
                "数据库文件已损坏，请停止使用，并将整个数据目录另存后联系县级管理员".into()
            }
            Self::Sql { doing, source } => format!("数据库操作失败（{doing}）：{source}"),
            Self::Owned { path } => {
                format!("数据库正被另一个程序使用：{}。请先关闭正在运行的乡网程序", path.display())
            }
            Self::Exists { path } => format!("此处已有数据库：{}", path.display()),
            Self::Missing { path } => format!("找不到数据库：{}", path.display()),
            Self::File { path, source } => format!("无法读写文件 {}：{source}", path.display()),
            Self::Format { found, expected } => {
                format!("数据库格式为 {found}，本程序只能读取格式 {expected}，请使用相应版本的程序")
            }
            Self::OldLibrary { found } => format!("数据库组件版本过旧：{found}"),
            Self::Damaged { what } => format!("数据库内容已损坏：{what}"),
            Self::Roster(_) => "名册各版本之间不衔接，无法得出有效名册".into(),
            Self::Checkpoint(_) => "检查点不是该日志作者所签".into(),
            Self::UnknownLog => "本机没有该日志".into(),
            Self::Query(slip) => slip.zh(),
        }
    }

    /// What an English reader is told.
    #[must_use]
    pub fn en(&self) -> String {
        match self {
            Self::Sql { .. } if self.is_disk_full() => {
                "The disk is full; nothing was saved. Free some space and try again".into()
            }
            Self::Sql { source, .. } => format!("{self}: {source}"),
            Self::File { source, .. } => format!("{self}: {source}"),
            Self::Query(slip) => slip.en(),
            _ => self.to_string(),
        }
    }
}

/// Says what was being done when SQLite refused.
pub(crate) trait Doing<T> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError>;
}

impl<T> Doing<T> for Result<T, rusqlite::Error> {
    fn doing(self, doing: &'static str) -> Result<T, StoreError> {
        self.map_err(|source| StoreError::Sql { doing, source })
    }
}
