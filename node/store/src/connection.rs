//! How a connection to the database is opened: every setting that durability and safety rest on.
//! Knows no table.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};

use crate::error::{Doing, StoreError};
use crate::limits::{
    BUSY_MS, READER_CACHE_KIB, SQL_BYTES_MAX, SQLITE_VERSION_MIN, STATEMENTS_KEPT, VALUE_BYTES_MAX,
    WAL_BYTES_KEPT, WRITER_CACHE_KIB,
};

/// Where the database is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Site {
    /// In a file.
    File(PathBuf),
    /// In the memory of this process, under a name that its connections share.
    Memory(String),
}

impl Site {
    /// A fresh place in memory.
    pub(crate) fn fresh_memory() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self::Memory(format!("file:/xiangwang-{number}?vfs=memdb"))
    }

    fn name(&self) -> &Path {
        match self {
            Self::File(path) => path,
            Self::Memory(uri) => Path::new(uri),
        }
    }
}

/// The writer's connection; makes the file when `create` says so.
pub(crate) fn writer(site: &Site, create: bool) -> Result<Connection, StoreError> {
    if rusqlite::version_number() < SQLITE_VERSION_MIN {
        return Err(StoreError::OldLibrary { found: rusqlite::version().to_owned() });
    }
    let mut flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    if create || matches!(site, Site::Memory(_)) {
        flags |= OpenFlags::SQLITE_OPEN_CREATE;
    }
    let conn = open(site, flags)?;
    // The page size must be chosen before anything is written; it is ignored afterwards.
    conn.execute_batch("PRAGMA page_size = 8192; PRAGMA auto_vacuum = INCREMENTAL;")
        .doing("prepare the database file")?;
    if matches!(site, Site::File(_)) {
        let mode: String = conn
            .query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))
            .doing("switch to write-ahead logging")?;
        if mode != "wal" {
            return Err(StoreError::damaged("write-ahead logging is not possible here"));
        }
    }
    conn.execute_batch(&format!(
        "PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0;
         PRAGMA journal_size_limit = {WAL_BYTES_KEPT}; PRAGMA foreign_keys = ON;
         PRAGMA secure_delete = ON; PRAGMA cache_size = -{WRITER_CACHE_KIB};"
    ))
    .doing("set up the writing connection")?;
    harden(&conn)?;
    Ok(conn)
}

/// A connection that can only read.
pub(crate) fn reader(site: &Site) -> Result<Connection, StoreError> {
    let flags = match site {
        Site::File(path) if !path.exists() => {
            return Err(StoreError::Missing { path: path.clone() });
        }
        Site::File(_) => OpenFlags::SQLITE_OPEN_READ_ONLY,
        // A database in memory is found only by connections that could also write it.
        Site::Memory(_) => OpenFlags::SQLITE_OPEN_READ_WRITE,
    };
    let conn = open(site, flags | OpenFlags::SQLITE_OPEN_NO_MUTEX)?;
    conn.execute_batch(&format!(
        "PRAGMA query_only = ON; PRAGMA cache_size = -{READER_CACHE_KIB};"
    ))
    .doing("set up a reading connection")?;
    harden(&conn)?;
    Ok(conn)
}

fn open(site: &Site, flags: OpenFlags) -> Result<Connection, StoreError> {
    let conn = Connection::open_with_flags(site.name(), flags | OpenFlags::SQLITE_OPEN_URI)
        .doing("open the database")?;
    conn.busy_timeout(Duration::from_millis(BUSY_MS)).doing("set the waiting time")?;
    Ok(conn)
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
        (Limit::SQLITE_LIMIT_ATTACHED, 0),
    ] {
        conn.set_limit(limit, most).doing("set a limit")?;
    }
    conn.set_prepared_statement_cache_capacity(STATEMENTS_KEPT);
    Ok(())
}
