//! The tables. `edition`, `definition`, `log`, `entry`, `body` and `checkpoint` are the truth and
//! only grow; everything else is worked out from them and can be dropped.

use rusqlite::Connection;

use crate::error::{Doing, StoreError};

/// The format of the file, kept in `PRAGMA user_version`.
pub(crate) const FORMAT: i64 = 1;

/// Marks the file as ours, in `PRAGMA application_id`: the letters `XWNG`.
const APPLICATION: i64 = 0x5857_4e47;

/// Makes the tables in an empty file.
pub(crate) fn create(conn: &Connection) -> Result<(), StoreError> {
    conn.execute_batch(TRUTH).doing("make the tables of entries")?;
    conn.execute_batch(DERIVED).doing("make the tables of rows")?;
    conn.execute_batch(&format!(
        "PRAGMA application_id = {APPLICATION}; PRAGMA user_version = {FORMAT};"
    ))
    .doing("mark the database file")
}

/// Refuses a file of another program or format.
pub(crate) fn check_format(conn: &Connection) -> Result<(), StoreError> {
    let read = |pragma| conn.query_row(pragma, [], |row| row.get::<_, i64>(0));
    let application = read("PRAGMA application_id").doing("read the mark of the file")?;
    let found = read("PRAGMA user_version").doing("read the format of the file")?;
    if application == APPLICATION && found == FORMAT {
        return Ok(());
    }
    let found = if application == APPLICATION { found } else { 0 };
    Err(StoreError::Format { found, expected: FORMAT })
}

/// An index over one field of one record type, written as questions write the field. It holds the
/// rows of that type alone. Type and path come from a definition that was checked.
pub(crate) fn field_index(record_type: &str, path: &str) -> String {
    let name = field_index_name(record_type, path);
    format!(
        "CREATE INDEX IF NOT EXISTS \"{name}\"
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
    audience INTEGER NOT NULL, standing INTEGER, UNIQUE(id, division, audience)) STRICT;
CREATE TABLE entry(n INTEGER PRIMARY KEY, id BLOB NOT NULL,
    log_n INTEGER NOT NULL REFERENCES log(n), sequence INTEGER NOT NULL,
    record_n INTEGER REFERENCES record(n), kind INTEGER NOT NULL, received_ms INTEGER NOT NULL,
    bytes BLOB NOT NULL) STRICT;
CREATE INDEX entry_of_log ON entry(log_n, sequence, record_n);
CREATE INDEX entry_of_record ON entry(record_n, log_n, sequence) WHERE record_n IS NOT NULL;
CREATE TABLE body(entry_n INTEGER PRIMARY KEY REFERENCES entry(n), bytes BLOB NOT NULL) STRICT;
CREATE TABLE checkpoint(log_n INTEGER PRIMARY KEY REFERENCES log(n), size INTEGER NOT NULL,
    note TEXT NOT NULL) STRICT;
CREATE TABLE heard(node BLOB PRIMARY KEY, last_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;
CREATE TABLE imported(fingerprint BLOB PRIMARY KEY, digest BLOB NOT NULL, record BLOB NOT NULL,
    file BLOB NOT NULL, row INTEGER NOT NULL) STRICT, WITHOUT ROWID;
";

/// Three indexes over all rows: by time, by type and by township. They carry what lists filter and
/// count by, so that a row is read only when it is shown or a field of it is asked for. With 200,000
/// rows, lists by village, state and standing are quick without indexes of their own.
///
/// `fork` holds the entries of forked logs that stand otherwise than their log's row says.
/// `canonical` stands apart from `view` so that a scan over fields passes fewer pages.
const DERIVED: &str = "
CREATE TABLE fork(entry_n INTEGER PRIMARY KEY REFERENCES entry(n),
    standing INTEGER NOT NULL) STRICT;
CREATE TABLE verdict(entry_n INTEGER PRIMARY KEY REFERENCES entry(n), kind INTEGER NOT NULL,
    reason TEXT NOT NULL) STRICT;
CREATE INDEX verdict_of_trouble ON verdict(kind) WHERE kind >= 2;
CREATE TABLE view(record_n INTEGER PRIMARY KEY REFERENCES record(n), type TEXT NOT NULL,
    township INTEGER NOT NULL, division INTEGER NOT NULL, audience INTEGER NOT NULL,
    state TEXT NOT NULL, sealed INTEGER NOT NULL, created_ms INTEGER NOT NULL, updated_ms INTEGER NOT NULL,
    changes INTEGER NOT NULL, conflicts INTEGER NOT NULL, problems INTEGER NOT NULL,
    refused INTEGER NOT NULL, waiting INTEGER NOT NULL, title TEXT, number TEXT,
    doc BLOB NOT NULL) STRICT;
CREATE INDEX view_by_time ON view(updated_ms, type, state, township);
CREATE INDEX view_by_type ON view(type, updated_ms, state, township);
CREATE INDEX view_by_place ON view(township, updated_ms, type, state, division);
CREATE TABLE canonical(record_n INTEGER PRIMARY KEY REFERENCES record(n), hash BLOB NOT NULL,
    bytes BLOB NOT NULL) STRICT;
CREATE VIRTUAL TABLE fts USING fts5(words, content='', contentless_delete=1,
    tokenize='unicode61 remove_diacritics 0');
CREATE TABLE dirty(record_n INTEGER PRIMARY KEY) STRICT;
CREATE TABLE attempt(record_n INTEGER PRIMARY KEY) STRICT;
CREATE TABLE poison(record_n INTEGER PRIMARY KEY, program TEXT NOT NULL, what TEXT NOT NULL) STRICT;
";
