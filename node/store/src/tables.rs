//! The tables. In the database of entries, `edition`, `definition`, `log`, `entry`, `body` and
//! `checkpoint` are the truth and only grow; standings, verdicts and marks are worked out from them
//! and hold nothing that people wrote. The database of rows is worked out whole and can be dropped.

use rusqlite::Connection;

use crate::error::{Doing, StoreError};

/// The format of both files, kept in `PRAGMA user_version`.
pub(crate) const FORMAT: i64 = 2;

/// Marks the file as ours, in `PRAGMA application_id`: the letters `XWNG`.
const APPLICATION: i64 = 0x5857_4e47;

/// Makes the tables of entries in an empty file.
pub(crate) fn create(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch(TRUTH).doing("make the tables of entries")?;
    conn.execute_batch(&format!(
        "PRAGMA main.application_id = {APPLICATION}; PRAGMA main.user_version = {FORMAT};"
    ))
    .doing("mark the database file")
}

/// Makes the tables of rows in the attached file.
pub(crate) fn create_shown(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch(SHOWN).doing("make the tables of rows")?;
    conn.execute_batch(&format!(
        "PRAGMA shown.application_id = {APPLICATION}; PRAGMA shown.user_version = {FORMAT};"
    ))
    .doing("mark the database file")
}

/// Refuses a file of another program or format.
pub(crate) fn check_format(conn: &Connection) -> Result<(), StoreError> {
    let (application, found) = marks(conn, "main")?;
    if application == APPLICATION && found == FORMAT {
        return Ok(());
    }
    let found = if application == APPLICATION { found } else { 0 };
    Err(StoreError::Format { found, expected: FORMAT })
}

/// Whether the attached file is one of rows that this program understands.
pub(crate) fn shown_is_ours(conn: &Connection) -> Result<bool, StoreError> {
    Ok(marks(conn, "shown")? == (APPLICATION, FORMAT))
}

fn marks(conn: &Connection, schema: &str) -> Result<(i64, i64), StoreError> {
    let read = |pragma: &str| {
        conn.query_row(&format!("PRAGMA {schema}.{pragma}"), [], |row| row.get::<_, i64>(0))
    };
    let application = read("application_id").doing("read the mark of the file")?;
    Ok((application, read("user_version").doing("read the format of the file")?))
}

/// An index over one field of one record type, written as questions write the field. It holds the
/// rows of that type alone. Type and path come from a definition that was checked.
pub(crate) fn field_index(record_type: &str, path: &str) -> String {
    let name = field_index_name(record_type, path);
    format!(
        "CREATE INDEX IF NOT EXISTS shown.\"{name}\"
         ON view((doc ->> '$.{path}'), updated_ms) WHERE type = '{record_type}'"
    )
}

/// What that index is called.
pub(crate) fn field_index_name(record_type: &str, path: &str) -> String {
    format!("view of {record_type} by {path}")
}

/// How firmly an entry stands, for statements that join `entry e`, `log l` and `fork f`.
pub(crate) const STANDING: &str = "coalesce(f.standing, CASE WHEN e.sequence < l.finals THEN 0 \
     WHEN e.sequence < l.witnessed THEN 1 ELSE l.rest END)";

/// `fork` holds the entries of forked logs that stand otherwise than their log's row says. `session`
/// counts the commits of every opening. `imported` keeps where records came from as bodies are kept.
///
/// Entries have no index on their ids: the door knows in memory which it holds, and everything
/// else finds them by log and number or by record. Random 32-byte keys are the dearest to index.
const TRUTH: &str = "
CREATE TABLE meta(key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE edition(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, number INTEGER NOT NULL,
    bytes BLOB NOT NULL) STRICT;
CREATE TABLE definition(n INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, code TEXT NOT NULL,
    bytes BLOB NOT NULL) STRICT;
CREATE TABLE log(n INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, node BLOB NOT NULL,
    division INTEGER NOT NULL, audience INTEGER NOT NULL, received_ms INTEGER NOT NULL,
    finals INTEGER NOT NULL, witnessed INTEGER NOT NULL, rest INTEGER NOT NULL) STRICT;
CREATE TABLE record(n INTEGER PRIMARY KEY, id BLOB NOT NULL, division INTEGER NOT NULL,
    audience INTEGER NOT NULL, standing INTEGER, erased INTEGER NOT NULL DEFAULT 0,
    UNIQUE(id, division, audience)) STRICT;
CREATE TABLE entry(n INTEGER PRIMARY KEY, id BLOB NOT NULL,
    log_n INTEGER NOT NULL REFERENCES log(n), sequence INTEGER NOT NULL,
    record_n INTEGER REFERENCES record(n), kind INTEGER NOT NULL, received_ms INTEGER NOT NULL,
    bytes BLOB NOT NULL) STRICT;
CREATE INDEX entry_of_log ON entry(log_n, sequence, record_n);
CREATE INDEX entry_of_record ON entry(record_n, log_n, sequence) WHERE record_n IS NOT NULL;
CREATE INDEX entry_of_request ON entry(log_n, sequence, record_n) WHERE kind = 3;
CREATE TABLE body(entry_n INTEGER PRIMARY KEY REFERENCES entry(n), bytes BLOB NOT NULL) STRICT;
CREATE TABLE checkpoint(log_n INTEGER PRIMARY KEY REFERENCES log(n), size INTEGER NOT NULL,
    note TEXT NOT NULL) STRICT;
CREATE TABLE heard(node BLOB PRIMARY KEY, last_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE imported(fingerprint BLOB PRIMARY KEY, kept BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE note(key TEXT PRIMARY KEY, value BLOB NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE session(n INTEGER PRIMARY KEY, token BLOB NOT NULL UNIQUE,
    commits INTEGER NOT NULL) STRICT;
CREATE TABLE fork(entry_n INTEGER PRIMARY KEY REFERENCES entry(n),
    standing INTEGER NOT NULL) STRICT;
CREATE TABLE verdict(entry_n INTEGER PRIMARY KEY REFERENCES entry(n), kind INTEGER NOT NULL,
    reason TEXT NOT NULL) STRICT;
CREATE INDEX verdict_of_trouble ON verdict(kind) WHERE kind >= 2;
CREATE TABLE dirty(record_n INTEGER PRIMARY KEY) STRICT;
CREATE TABLE attempt(record_n INTEGER PRIMARY KEY) STRICT;
CREATE TABLE poison(record_n INTEGER PRIMARY KEY, program TEXT NOT NULL, what TEXT NOT NULL) STRICT;
";

/// Three indexes over all rows: by time, by type and by township. They carry what lists filter and
/// count by, so that a row is read only when it is shown or a field of it is asked for. With 200,000
/// rows, lists by village, state and standing are quick without indexes of their own.
///
/// `canonical` stands apart from `view` so that a scan over fields passes fewer pages. `shown_meta`
/// says of which state of the entries these are the rows.
const SHOWN: &str = "
CREATE TABLE shown.shown_meta(key TEXT PRIMARY KEY, value ANY NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE shown.view(record_n INTEGER PRIMARY KEY, type TEXT NOT NULL,
    township INTEGER NOT NULL, division INTEGER NOT NULL, audience INTEGER NOT NULL,
    state TEXT NOT NULL, sealed INTEGER NOT NULL, created_ms INTEGER NOT NULL,
    updated_ms INTEGER NOT NULL, changes INTEGER NOT NULL, conflicts INTEGER NOT NULL,
    problems INTEGER NOT NULL, refused INTEGER NOT NULL, waiting INTEGER NOT NULL, title TEXT,
    number TEXT, doc BLOB NOT NULL) STRICT;
CREATE INDEX shown.view_by_time ON view(updated_ms, type, state, township);
CREATE INDEX shown.view_by_type ON view(type, updated_ms, state, township);
CREATE INDEX shown.view_by_place ON view(township, updated_ms, type, state, division);
CREATE TABLE shown.canonical(record_n INTEGER PRIMARY KEY, hash BLOB NOT NULL,
    bytes BLOB NOT NULL) STRICT;
CREATE VIRTUAL TABLE shown.fts USING fts5(words, content='', contentless_delete=1,
    tokenize='unicode61 remove_diacritics 0');
";
