//! How a connection to the database is opened: every setting that durability and safety rest on.
//! Knows no table.
//!
//! A store is two databases behind one connection: the entries as `main`, and everything readable
//! that was worked out from them as `shown`. Table names are different in both, so that statements
//! name tables and not databases.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags, params};
use zeroize::Zeroizing;

use crate::error::{Doing, StoreError};
use crate::keys::FileKey;
use crate::limits::{
    BUSY_MS, PAGE_BYTES, READER_CACHE_KIB, SQL_BYTES_MAX, SQLITE_VERSION_MIN, STATEMENTS_KEPT,
    VALUE_BYTES_MAX, WAL_BYTES_KEPT, WRITER_CACHE_KIB,
};

/// Where the database is, and the key of its file.
#[derive(Clone)]
pub(crate) struct Site {
    pub(crate) place: Place,
    /// The machine's key; nothing when the store has none.
    pub(crate) key: Option<FileKey>,
}

/// Where a database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// In a file.
    File(PathBuf),
    /// In the memory of this process, under a name that its connections share.
    Memory(String),
}

/// The second database, as far as it can be opened: its place and its key.
#[derive(Clone)]
pub(crate) struct Shown {
    pub(crate) place: Place,
    /// The office's database key; nothing when the store has none.
    pub(crate) key: Option<FileKey>,
}

impl Site {
    /// A file and the key of it.
    pub(crate) fn file(path: &Path, key: Option<FileKey>) -> Self {
        Self { place: Place::File(path.to_owned()), key }
    }

    /// A fresh place in memory.
    pub(crate) fn fresh_memory() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self { place: Place::Memory(format!("xiangwang-{number}")), key: None }
    }

    /// Where the rows of this store are kept.
    pub(crate) fn shown(&self, key: Option<FileKey>) -> Shown {
        let place = match &self.place {
            Place::File(path) => Place::File(beside(path, "view.db")),
            Place::Memory(name) => Place::Memory(format!("{name}-view")),
        };
        Shown { place, key }
    }

    /// The file, for a store that has one.
    pub(crate) fn path(&self) -> Option<&Path> {
        match &self.place {
            Place::File(path) => Some(path),
            Place::Memory(_) => None,
        }
    }
}

impl Place {
    /// As SQLite is told.
    fn name(&self) -> PathBuf {
        match self {
            Self::File(path) => path.clone(),
            Self::Memory(name) => PathBuf::from(format!("file:/{name}?vfs=memdb")),
        }
    }
}

/// A file that belongs to a database: `store.db` has `view.db`, `store.high`, `store.ballast`; any
/// other name stands before them, so that two databases in one folder never share a file.
pub(crate) fn beside(database: &Path, what: &str) -> PathBuf {
    let stem = database.file_stem().unwrap_or_default().to_string_lossy();
    let name = match (stem.as_ref(), what) {
        ("store", "view.db") => what.to_owned(),
        _ => format!("{stem}.{what}"),
    };
    database.with_file_name(name)
}

/// The files that SQLite keeps for one database.
pub(crate) fn files_of(database: &Path) -> [PathBuf; 3] {
    ["", "-wal", "-shm"].map(|ending| {
        let mut name = database.as_os_str().to_owned();
        name.push(ending);
        PathBuf::from(name)
    })
}

/// The writer's connection. Files that are not there are made: who opens an existing store has seen
/// that it is, and its rows may be lost without harm.
pub(crate) fn writer(site: &Site) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(StoreError::OldLibrary { found: rusqlite::version().to_owned() });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
    let conn = open(site, flags)?;
    set_up_writing(&conn, "main", &site.place)?;
    conn.execute_batch("PRAGMA wal_autocheckpoint = 0; PRAGMA foreign_keys = ON;")
        .doing("set up the writing connection")?;
    Ok(conn)
}

/// A connection that can only read.
pub(crate) fn reader(site: &Site) -> Result<Connection, StoreError> {
    let flags = match &site.place {
        Place::File(path) if !path.exists() => {
            return Err(StoreError::Missing { path: path.clone() });
        }
        Place::File(_) => OpenFlags::SQLITE_OPEN_READ_ONLY,
        // A database in memory is found only by connections that could also write it.
        Place::Memory(_) => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let conn = open(site, flags)?;
    conn.execute_batch(&format!("PRAGMA main.cache_size = -{READER_CACHE_KIB};"))
        .doing("set up a reading connection")?;
    Ok(conn)
}

/// A connection that fills a copy. What it copies brings its settings along.
pub(crate) fn copy(site: &Site) -> Result<Connection, StoreError> {
    let conn = open(site, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE)?;
    conn.execute_batch(&format!(
        "PRAGMA page_size = {PAGE_BYTES}; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
    ))
    .doing("prepare the copy")?;
    Ok(conn)
}

/// Puts the rows beside the entries. The file is made if it is not there and the connection writes.
pub(crate) fn attach(conn: &Connection, shown: &Shown, writes: bool) -> Result<(), StoreError> {
    let doing = "open the database of rows";
    let name = shown.place.name();
    let name = name.to_string_lossy();
    match &shown.key {
        // Without a key said, SQLCipher would take the other file's.
        Some(key) => conn.execute("ATTACH ?1 AS shown KEY ?2", params![name, *key.text()]),
        None => conn.execute("ATTACH ?1 AS shown KEY ''", [&name]),
    }
    .doing(doing)?;
    if writes {
        set_up_writing(conn, "shown", &shown.place)?;
    } else {
        conn.execute_batch(&format!("PRAGMA shown.cache_size = -{READER_CACHE_KIB};"))
            .doing(doing)?;
    }
    Ok(())
}

/// Takes the rows away again, with their key.
pub(crate) fn detach(conn: &Connection) -> Result<(), StoreError> {
    conn.flush_prepared_statement_cache();
    conn.execute_batch("DETACH shown").doing("close the database of rows")
}

/// Keeps SQLite from copying the write-ahead logs back when the connection closes.
pub(crate) fn leave_as_is(conn: &Connection) -> Result<(), StoreError> {
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true)
        .map(drop)
        .doing("leave the database as it is")
}

/// What a database that is written to needs, whichever of the two it is.
fn set_up_writing(conn: &Connection, schema: &str, place: &Place) -> Result<(), StoreError> {
    let doing = "set up the writing connection";
    // The page size must be chosen before anything is written; it is ignored afterwards.
    conn.execute_batch(&format!(
        "PRAGMA {schema}.page_size = {PAGE_BYTES}; PRAGMA {schema}.auto_vacuum = INCREMENTAL;"
    ))
    .doing("prepare the database file")?;
    if let Place::File(path) = place {
        let mode: String = conn
            .query_row(&format!("PRAGMA {schema}.journal_mode = WAL"), [], |row| row.get(0))
            .doing("switch to write-ahead logging")?;
        if mode != "wal" {
            return Err(StoreError::NoLog { path: path.clone() });
        }
    }
    conn.execute_batch(&format!(
        "PRAGMA {schema}.synchronous = FULL; PRAGMA {schema}.secure_delete = ON;
         PRAGMA {schema}.journal_size_limit = {WAL_BYTES_KEPT};
         PRAGMA {schema}.cache_size = -{WRITER_CACHE_KIB};"
    ))
    .doing(doing)
}

fn open(site: &Site, flags: OpenFlags) -> Result<Connection, StoreError> {
    let flags = flags | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let conn = Connection::open_with_flags(site.place.name(), flags).doing("open the database")?;
    conn.busy_timeout(Duration::from_millis(BUSY_MS)).doing("set the waiting time")?;
    // The size of encrypted pages is the library's and must stand before a file is attached. Its
    // own log would write to the terminal at every damaged page.
    conn.execute_batch(&format!(
        "PRAGMA cipher_default_page_size = {PAGE_BYTES}; PRAGMA cipher_log_level = NONE;"
    ))
    .doing("set up encryption")?;
    if let (Some(key), Some(path)) = (&site.key, site.path()) {
        use_key(&conn, key, path)?;
    } else if let Some(path) = site.path() {
        refuse_encrypted(path)?;
    }
    harden(&conn)?;
    Ok(conn)
}

/// Gives the connection its key and sees that the first page opens under it.
fn use_key(conn: &Connection, key: &FileKey, path: &Path) -> Result<(), StoreError> {
    if is_plain(path) {
        return Err(StoreError::Keys { path: path.to_owned(), encrypted: false });
    }
    let text = key.text();
    let mut sql = Zeroizing::new(String::with_capacity(32 + text.len()));
    sql.push_str("PRAGMA key = \"");
    sql.push_str(&text);
    sql.push('"');
    conn.execute_batch(&sql).doing("set the key of the database")?;
    let version = conn.query_row("PRAGMA cipher_version", [], |row| row.get::<_, String>(0));
    if version.map_or(true, |version| version.is_empty()) {
        return Err(StoreError::NoCipher);
    }
    match conn.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())) {
        Err(error) if error.sqlite_error_code() == Some(rusqlite::ErrorCode::NotADatabase) => {
            Err(StoreError::WrongMachineKey { path: path.to_owned() })
        }
        opened => opened.doing("read the database"),
    }
}

/// Whether a file is a database that is not encrypted.
fn is_plain(path: &Path) -> bool {
    first_bytes(path).is_some_and(|bytes| bytes == *b"SQLite format 3\0")
}

/// A file of ours that does not say it is SQLite's may be encrypted; other files SQLite refuses
/// in its own words.
fn refuse_encrypted(path: &Path) -> Result<(), StoreError> {
    let whole_pages = path.metadata().is_ok_and(|file| {
        let page = PAGE_BYTES.unsigned_abs();
        file.len() > 0 && file.len() % page == 0
    });
    if whole_pages && !is_plain(path) {
        return Err(StoreError::Keys { path: path.to_owned(), encrypted: true });
    }
    Ok(())
}

fn first_bytes(path: &Path) -> Option<[u8; 16]> {
    use std::io::Read as _;
    let mut bytes = [0; 16];
    std::fs::File::open(path).ok()?.read_exact(&mut bytes).ok()?;
    Some(bytes)
}

fn harden(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch(
        "PRAGMA trusted_schema = OFF; PRAGMA cell_size_check = ON; PRAGMA mmap_size = 0;
         PRAGMA temp_store = MEMORY;",
    )
    .doing("set up the connection")?;
    conn.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true).doing("set defensive mode")?;
    for (limit, most) in [
        (Limit::SQLITE_LIMIT_LENGTH, VALUE_BYTES_MAX),
        (Limit::SQLITE_LIMIT_SQL_LENGTH, SQL_BYTES_MAX),
        (Limit::SQLITE_LIMIT_ATTACHED, 1),
    ] {
        conn.set_limit(limit, most).doing("set a limit")?;
    }
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(())
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use crate::world::Folder;

    #[test]
    fn a_disk_without_write_ahead_logs_is_not_called_damage() {
        let folder = Folder::quick();
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE;
        // Has no memory that processes share, as network drives have none.
        let conn = Connection::open_with_flags_and_vfs(folder.file(), flags, c"unix-none").unwrap();
        let refused = set_up_writing(&conn, "main", &Place::File(folder.file())).unwrap_err();
        assert!(matches!(refused, StoreError::NoLog { .. }), "{refused:?}");
        assert!(!refused.is_damage() && !refused.is_fatal());
        assert!(refused.zh().contains("没有损坏"));
    }
}
