//! What goes wrong with the store: our own disk, our own file. No neighbour caused it and no
//! neighbour hears of it.

use std::io;
use std::path::PathBuf;

use rusqlite::ffi;
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
    /// The database cannot be kept where it lies: there is no write-ahead log there.
    #[error("write-ahead logging is not possible at {}", path.display())]
    NoLog {
        /// The database.
        path: PathBuf,
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
    /// What is asked for is readable only with the office's key, and the store is locked.
    #[error("the store is locked; an operator of the office must open it first")]
    Locked,
    /// The key is not the one that bodies and rows are kept under.
    #[error("this is not the office's key that the store was made with")]
    WrongOfficeKey,
    /// The store was made without keys, or is opened without those it was made with.
    #[error("the database {} {}", path.display(), if *encrypted {
        "is encrypted and was opened without its keys"
    } else {
        "is not encrypted and was opened with keys"
    })]
    Keys {
        /// The database.
        path: PathBuf,
        /// Whether the file is encrypted.
        encrypted: bool,
    },
    /// The machine key does not open the file.
    #[error("the machine key does not open the database {}", path.display())]
    WrongMachineKey {
        /// The database.
        path: PathBuf,
    },
    /// The program was built with a database library that cannot encrypt.
    #[error("the database library in this program cannot encrypt")]
    NoCipher,
    /// The system gives no randomness.
    #[error("the system gives no random numbers")]
    Dice {
        /// What the system says.
        source: getrandom::Error,
    },
    /// A store that is only read was to be written.
    #[error("the database was opened for reading only")]
    ReadOnly,
    /// The disk refused to keep something before, and nothing this process holds can be trusted.
    #[error("the disk failed before; the program must be started again")]
    Broken,
    /// A copy of the database did not come out whole.
    #[error("the copy {} is not whole: {what}", path.display())]
    Copy {
        /// The copy.
        path: PathBuf,
        /// What is wrong with it.
        what: String,
    },
    /// A note is longer than notes may be.
    #[error("a note of {bytes} bytes is too long")]
    NoteTooLong {
        /// Its length.
        bytes: usize,
    },
}

impl StoreError {
    /// Something stored cannot be read back.
    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged { what: what.into() }
    }

    /// Whether the disk is full: nothing was saved, and there is something the clerk can do. Space
    /// kept back for this has been given up, so that trying again may help.
    #[must_use]
    pub fn is_disk_full(&self) -> bool {
        // The index of the write-ahead log is the one file that SQLite lengthens by other means.
        self.code() == Some(rusqlite::ErrorCode::DiskFull)
            || self.extended() == Some(ffi::SQLITE_IOERR_SHMSIZE)
    }

    /// Whether bytes in the file cannot be right: the file must be set aside, not written on.
    #[must_use]
    pub fn is_damage(&self) -> bool {
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        matches!(self, Self::Damaged { .. })
            || matches!(self.code(), Some(DatabaseCorrupt | NotADatabase))
    }

    /// Whether the disk failed in a way after which no page in memory can be trusted, as when
    /// fsync fails or a page cannot be what was written: the program must end, start again and
    /// check. The store takes nothing more.
    #[must_use]
    pub fn is_fatal(&self) -> bool {
        use ffi::{
            SQLITE_IOERR_DIR_FSYNC, SQLITE_IOERR_FSTAT, SQLITE_IOERR_FSYNC, SQLITE_IOERR_READ,
            SQLITE_IOERR_SHORT_READ, SQLITE_IOERR_TRUNCATE, SQLITE_IOERR_WRITE,
        };
        use rusqlite::ErrorCode::{DatabaseCorrupt, NotADatabase};
        // A search index that contradicts itself lies on sound pages and is made again by a rebuild.
        let index = self.extended() == Some(ffi::SQLITE_CORRUPT_VTAB);
        matches!(self, Self::Broken)
            || !index && matches!(self.code(), Some(DatabaseCorrupt | NotADatabase))
            || matches!(
                self.extended(),
                Some(
                    SQLITE_IOERR_DIR_FSYNC
                        | SQLITE_IOERR_FSTAT
                        | SQLITE_IOERR_FSYNC
                        | SQLITE_IOERR_READ
                        | SQLITE_IOERR_SHORT_READ
                        | SQLITE_IOERR_TRUNCATE
                        | SQLITE_IOERR_WRITE
                )
            )
    }

    fn code(&self) -> Option<rusqlite::ErrorCode> {
        match self {
            Self::Sql { source, .. } => source.sqlite_error_code(),
            _ => None,
        }
    }

    fn extended(&self) -> Option<std::ffi::c_int> {
        match self {
            Self::Sql { source, .. } => source.sqlite_extended_error_code(),
            _ => None,
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
            Self::Sql { .. } if self.is_damage() && self.is_fatal() => {
                "数据库文件已损坏，本次内容未保存。请重新启动程序：程序会自动检查，把损坏的文件移到一旁，救出其中可读的部分，其余向邻居取回".into()
            }
            Self::Sql { .. } if self.is_fatal() => {
                "磁盘读写出错，本次内容未保存。请重新启动程序；若再次出现，请更换磁盘".into()
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
            Self::NoLog { path } => format!(
                "数据库不能放在这里：{}。网络盘、共享目录和只读盘不支持所需的预写日志，请把节点目录移到本机硬盘。数据库本身没有损坏",
                path.display()
            ),
            Self::Damaged { what } => format!("数据库内容已损坏：{what}"),
            Self::Roster(_) => "名册各版本之间不衔接，无法得出有效名册".into(),
            Self::Checkpoint(_) => "检查点不是该日志作者所签".into(),
            Self::UnknownLog => "本机没有该日志".into(),
            Self::Query(slip) => slip.zh(),
            Self::Locked => "资料库尚未解锁，请先由本机构经办人输入口令解锁".into(),
            Self::WrongOfficeKey => "机构密钥不对：资料库不是用此密钥保存的".into(),
            Self::Keys { path, encrypted: true } => {
                format!("数据库已加密，打开时未提供密钥：{}", path.display())
            }
            Self::Keys { path, encrypted: false } => {
                format!("数据库未加密，却以密钥打开：{}", path.display())
            }
            Self::WrongMachineKey { path } => {
                format!("本机密钥打不开数据库：{}。请确认密钥文件未被替换", path.display())
            }
            Self::NoCipher => "本程序的数据库组件不支持加密".into(),
            Self::Dice { .. } => "操作系统无法提供随机数".into(),
            Self::ReadOnly => "数据库以只读方式打开，不能写入".into(),
            Self::Broken => "此前磁盘出错，请重新启动程序".into(),
            Self::Copy { path, what } => format!("备份文件不完整：{}（{what}）", path.display()),
            Self::NoteTooLong { bytes } => format!("内部备注过长（{bytes} 字节）"),
        }
    }

    /// What an English reader is told.
    #[must_use]
    pub fn en(&self) -> String {
        match self {
            Self::Sql { .. } if self.is_disk_full() => {
                "The disk is full; nothing was saved. Free some space and try again".into()
            }
            Self::Sql { source, .. } if self.is_damage() && self.is_fatal() => format!(
                "{self}: {source}. The database is damaged and nothing was saved. Start the program again: it sets the damaged files aside, saves what can be read of them and fetches the rest"
            ),
            Self::Sql { source, .. } => format!("{self}: {source}"),
            Self::File { source, .. } => format!("{self}: {source}"),
            Self::Query(slip) => slip.en(),
            Self::NoLog { .. } => format!(
                "{self}. Network drives and shared folders cannot; move the node's folder to a disk of this PC. The database is not damaged"
            ),
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
