//! The database of rows: opened when it may be, seen to be that of these entries, begun anew when it
//! is not. Nothing in it is ever the only copy.
//!
//! Settling commits the rows first and clears its marks afterwards. Each settling has a token that
//! both files name. When they differ, the program ended between the two commits, and then the rows
//! also name the entries' state to which they belong; anything else means that one of the files was
//! put back from elsewhere.

use rusqlite::{Connection, OptionalExtension as _, params};
use xw_ledger::judge::Definitions;

use crate::connection::{self, Place, Shown, files_of};
use crate::error::{Doing, StoreError};
use crate::keys::{FileKey, token};
use crate::roster::indexed_fields;
use crate::source::is_sound;
use crate::store::{Parts, Store, meta, set_meta};
use crate::tables;

const DOING: &str = "open the rows";

/// Where entries and rows name the last settling.
const SETTLED: &str = "settled";

/// Where rows name the settling before the last, and the state of the entries when it was done.
const BEFORE: &str = "before";
const SESSION: &str = "session";
const COMMITS: &str = "commits";

impl Store {
    /// Opens the rows beside the entries, and begins them anew if they are not of these entries.
    pub(crate) fn show(&mut self, key: Option<FileKey>) -> Result<(), StoreError> {
        let shown = self.site.shown(key);
        let fits = self.try_show(&shown);
        match fits {
            Ok(true) => {}
            // Who only reads cannot mend: then there are no rows.
            Ok(false) | Err(_) if self.read_only => {
                if is_attached(&self.conn)? {
                    connection::detach(&self.conn)?;
                }
                return Ok(());
            }
            Ok(false) => self.show_anew(&shown, "they belong to other entries")?,
            Err(error) if error.is_damage() => self.show_anew(&shown, "they cannot be read")?,
            Err(error) => return Err(error),
        }
        self.shown = Some(shown);
        if !self.read_only {
            index_fields(&self.conn, &self.definitions)?;
            // A program that ended before it could, or a reader in the way, left this to us.
            if let Err(error) = self.scrub_if_owed() {
                tracing::warn!(error = %error, "what was removed cannot be wiped yet");
            }
        }
        Ok(())
    }

    fn try_show(&self, shown: &Shown) -> Result<bool, StoreError> {
        connection::attach(&self.conn, shown, !self.read_only)?;
        if !fits(&self.conn)? {
            return Ok(false);
        }
        if self.opened.unclean {
            let sound: String = self
                .conn
                .query_row("PRAGMA shown.quick_check(1)", [], |row| row.get(0))
                .doing("check the rows")?;
            return Ok(sound == "ok" && (shown.key.is_none() || is_sound(&self.conn, true)));
        }
        Ok(true)
    }

    /// Makes the file of rows again. Every record is to be judged.
    fn show_anew(&mut self, shown: &Shown, why: &'static str) -> Result<(), StoreError> {
        if is_attached(&self.conn)? {
            connection::detach(&self.conn)?;
        }
        if let Place::File(path) = &shown.place {
            if path.exists() && !self.is_new {
                tracing::warn!(why, "the rows are worked out again from the entries");
            }
            for file in files_of(path) {
                match std::fs::remove_file(&file) {
                    Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                        return Err(StoreError::File { path: file, source });
                    }
                    _ => {}
                }
            }
        }
        connection::attach(&self.conn, shown, true)?;
        let tx = self.conn.unchecked_transaction().doing(DOING)?;
        tables::create_shown(&tx)?;
        tx.commit().doing(DOING)?;
        self.begin_rows(|_| Ok(()))
    }

    /// Empties the rows and marks every record for judging, together with whatever else the entries'
    /// side is to forget. The program may end anywhere in between: then they are begun again.
    pub(crate) fn begin_rows(
        &mut self,
        also: impl FnOnce(&mut Parts<'_>) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let settled = token()?;
        let doing = "begin the rows anew";
        let tx = self.conn.unchecked_transaction().doing(doing)?;
        tx.execute_batch(
            "DELETE FROM view; DELETE FROM canonical; DELETE FROM shown_meta;
             INSERT INTO fts(fts) VALUES ('delete-all');",
        )
        .doing(doing)?;
        tx.commit().doing(doing)?;
        self.transact(doing, |parts| {
            also(parts)?;
            parts
                .tx
                .execute("INSERT OR IGNORE INTO dirty SELECT n FROM record", [])
                .doing(doing)?;
            set_meta(parts.tx, SETTLED, &settled[..])
        })?;
        set_shown_meta(&self.conn, SETTLED, &settled[..])
    }

    /// Puts rows into their file in one commit of its own. `settled` is what the entries' side is to
    /// name when it clears its marks.
    pub(crate) fn transact_rows(
        &mut self,
        settled: &[u8; 16],
        work: impl FnOnce(&Connection) -> Result<(), StoreError>,
    ) -> Result<(), StoreError> {
        let doing = "write rows";
        self.may_write()?;
        let outcome = (|| {
            let tx = self.conn.unchecked_transaction().doing(doing)?;
            work(&tx)?;
            let before: Option<Vec<u8>> = meta(&tx, SETTLED)?;
            set_shown_meta(&tx, BEFORE, before.unwrap_or_default())?;
            set_shown_meta(&tx, SETTLED, &settled[..])?;
            let (session, commits) = session_now(&tx)?;
            set_shown_meta(&tx, SESSION, session)?;
            set_shown_meta(&tx, COMMITS, commits)?;
            tx.commit().doing(doing)
        })();
        outcome.inspect_err(|error| self.after_failure(error))
    }

    /// Whether rows can be read and written.
    pub(crate) fn shows(&self) -> bool {
        self.shown.is_some()
    }
}

/// Notes on the entries' side which settling is done.
pub(crate) fn note_settled(conn: &Connection, settled: &[u8; 16]) -> Result<(), StoreError> {
    set_meta(conn, SETTLED, &settled[..])
}

/// Whether the attached rows are those of these entries.
pub(crate) fn fits(conn: &Connection) -> Result<bool, StoreError> {
    if !tables::shown_is_ours(conn)? {
        return Ok(false);
    }
    let (entries, rows): (Option<Vec<u8>>, Option<Vec<u8>>) =
        (meta(conn, SETTLED)?, shown_meta(conn, SETTLED)?);
    if entries.is_none() || rows.is_none() {
        return Ok(false);
    }
    if entries == rows {
        return Ok(true);
    }
    let before: Option<Vec<u8>> = shown_meta(conn, BEFORE)?;
    let session: Option<Vec<u8>> = shown_meta(conn, SESSION)?;
    let commits: Option<i64> = shown_meta(conn, COMMITS)?;
    let held: Option<i64> = conn
        .query_row("SELECT commits FROM session WHERE token = ?1", [session], |row| row.get(0))
        .optional()
        .doing(DOING)?;
    Ok(before == entries && commits.is_some() && held == commits)
}

fn session_now(conn: &Connection) -> Result<(Vec<u8>, i64), StoreError> {
    conn.query_row("SELECT token, commits FROM session ORDER BY n DESC LIMIT 1", [], |row| {
        Ok((row.get(0)?, row.get(1)?))
    })
    .doing("read what the database says of itself")
}

fn shown_meta<T: rusqlite::types::FromSql>(
    conn: &Connection,
    key: &str,
) -> Result<Option<T>, StoreError> {
    conn.query_row("SELECT value FROM shown_meta WHERE key = ?1", [key], |row| row.get(0))
        .optional()
        .doing(DOING)
}

fn set_shown_meta(
    conn: &Connection,
    key: &str,
    value: impl rusqlite::ToSql,
) -> Result<(), StoreError> {
    conn.prepare_cached("INSERT OR REPLACE INTO shown_meta(key, value) VALUES (?1, ?2)")
        .and_then(|mut s| s.execute(params![key, value]))
        .doing(DOING)?;
    Ok(())
}

/// Whether a database of rows is there, readable or not.
pub(crate) fn is_attached(conn: &Connection) -> Result<bool, StoreError> {
    conn.query_row(
        "SELECT EXISTS (SELECT 1 FROM pragma_database_list WHERE name = 'shown')",
        [],
        |row| row.get(0),
    )
    .doing(DOING)
}

/// The indexes over fields that the definitions ask for.
pub(crate) fn index_fields(conn: &Connection, definitions: &Definitions) -> Result<(), StoreError> {
    for definition in definitions.values() {
        for path in indexed_fields(definition) {
            conn.execute_batch(&tables::field_index(&definition.code, &path))
                .doing("make an index")?;
        }
    }
    Ok(())
}
