//! What is looked at before a database is trusted again: its pages after an unclean end, the newest
//! own entries, and whether it knows as much as was written down beside it.

use std::collections::BTreeSet;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension as _, params};
use xw_ledger::log::Logs;
use xw_schemas::entry::RawEntry;
use xw_schemas::id::{EntryId, LogId, NetworkId, PublicKey};

use crate::connection::{self, Site, beside, files_of};
use crate::error::{Doing, StoreError};
use crate::highwater::{self, Session};
use crate::keys::{StoreKeys, Vault, token};
use crate::limits::{SESSIONS_KEPT, START_ENTRIES};
use crate::load;
use crate::source::is_sound;
use crate::store::{meta, set_meta};
use crate::whole::{draft_of, put_in_place};

/// What was found amiss when a store was opened. With any of it, peers are asked for this node's own
/// entries and a new incarnation is begun before anything is written.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Opened {
    /// Own logs of which more is known beside the database than in it.
    pub behind: Vec<Behind>,
    /// Commits that were counted and are not in the database: the write-ahead log lost its end, or
    /// the database was put back from a copy.
    pub lost_commits: u64,
    /// The program that had it open before did not close it.
    pub unclean: bool,
    /// The high-water file is there and cannot be read.
    pub marks_unreadable: bool,
}

impl Opened {
    /// Whether the database may know less than this node once did.
    #[must_use]
    pub fn lost_something(&self) -> bool {
        !self.behind.is_empty() || self.lost_commits > 0
    }
}

/// An own log of which the database lacks the end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// The log.
    pub log: LogId,
    /// Entries that it had.
    pub size: u64,
    /// The last of them.
    pub head: EntryId,
    /// Entries that the database has.
    pub held: u64,
}

const DOING: &str = "open the database";

/// Notes this opening, in the transaction of the caller.
pub(crate) fn begin_session(conn: &Connection) -> Result<Session, StoreError> {
    let session = token()?;
    conn.execute("INSERT INTO session(token, commits) VALUES (?1, 0)", [&session[..]])
        .doing(DOING)?;
    conn.execute(
        "DELETE FROM session WHERE n <= (SELECT max(n) FROM session) - ?1",
        [SESSIONS_KEPT],
    )
    .doing(DOING)?;
    set_meta(conn, "clean", 0)?;
    let keyed: Option<Vec<u8>> = meta(conn, "sealing")?;
    // A locked store judges nothing, so no record can be the reason for its end.
    set_meta(conn, "judging", i64::from(keyed.is_none()))?;
    Ok(session)
}

/// Notes this opening and takes over what the last program left unfinished.
pub(crate) fn take_over(conn: &Connection) -> Result<(BTreeSet<i64>, Session), StoreError> {
    let tx = conn.unchecked_transaction().doing(DOING)?;
    let suspects = load::suspects(&tx)?;
    let session = begin_session(&tx)?;
    tx.commit().doing(DOING)?;
    Ok((suspects, session))
}

/// The opening before, for who only reads.
pub(crate) fn last_session(conn: &Connection) -> Result<Session, StoreError> {
    conn.query_row("SELECT token FROM session ORDER BY n DESC LIMIT 1", [], |row| row.get(0))
        .doing(DOING)
}

/// Says that everything ended, and whether well.
pub(crate) fn end_session(conn: &Connection, well: bool) -> Result<(), StoreError> {
    let tx = conn.unchecked_transaction().doing("close the database")?;
    set_meta(&tx, "judging", 0)?;
    set_meta(&tx, "clean", i64::from(well))?;
    tx.commit().doing("close the database")
}

/// How many counted commits the database lacks.
pub(crate) fn lost_commits(conn: &Connection, site: &Site) -> Result<u64, StoreError> {
    let Some((session, counted)) = site.path().and_then(highwater::last_tick) else {
        return Ok(0);
    };
    let held: Option<i64> = conn
        .query_row("SELECT commits FROM session WHERE token = ?1", [&session[..]], |row| row.get(0))
        .optional()
        .doing(DOING)?;
    let lost = match held {
        Some(held) => counted - held,
        // Not even the opening is there.
        None => counted + 1,
    };
    Ok(u64::try_from(lost).unwrap_or(0))
}

/// Compares the own logs with the high-water file.
pub(crate) fn look_back(opened: &mut Opened, site: &Site, logs: &Logs) -> Result<(), StoreError> {
    let Some(path) = site.path() else { return Ok(()) };
    let marks = match highwater::read(path) {
        Ok(marks) => marks.unwrap_or_default(),
        Err(StoreError::Damaged { .. }) => {
            tracing::warn!("the high-water file cannot be read");
            opened.marks_unreadable = true;
            return Ok(());
        }
        Err(error) => return Err(error),
    };
    for (log, (size, head)) in marks.logs {
        if size > 0 && !logs.holds(&log, size - 1, &head) {
            let held = logs.log(&log).map_or(0, xw_ledger::log::Log::size);
            tracing::error!(log = %log, size, held, "an own log lost its end");
            opened.behind.push(Behind { log, size, head, held });
        }
    }
    Ok(())
}

/// How the bodies of this database are kept, by what it says and the keys given.
pub(crate) fn vault(conn: &Connection, keys: Option<StoreKeys>) -> Result<Vault, StoreError> {
    let sealing: Option<Vec<u8>> = meta(conn, "sealing")?;
    match (keys, sealing) {
        (None, None) => Ok(Vault::Plain),
        (Some(keys), Some(sealing)) if keys.sealing.bytes()[..] == sealing[..] => {
            Ok(Vault::Locked(keys.sealing))
        }
        (Some(_), Some(_)) => Err(StoreError::WrongOfficeKey),
        // The machine key opened the file, or none was needed, and yet the two do not fit.
        (Some(_), None) | (None, Some(_)) => Err(StoreError::damaged("the note of its keys")),
    }
}

/// SQLite's quick look at its pages, which reads them all. Of one that holds the end of a long value
/// it does not see that it is bad; under a key the library has noticed.
pub(crate) fn check_pages(conn: &Connection, keyed: bool) -> Result<(), StoreError> {
    let found: String = conn
        .query_row("PRAGMA main.quick_check(1)", [], |row| row.get(0))
        .doing("check the database after an unclean end")?;
    match found.as_str() {
        "ok" if !keyed || is_sound(conn, false) => Ok(()),
        "ok" => Err(StoreError::damaged("pages: one does not open under its key")),
        found => Err(StoreError::damaged(format!("pages: {found}"))),
    }
}

/// Verifies the newest entries of this node's own logs from their bytes: what it would build on.
pub(crate) fn verify_own(
    conn: &Connection,
    network: NetworkId,
    own: Option<PublicKey>,
) -> Result<(), StoreError> {
    let Some(own) = own else { return Ok(()) };
    let doing = "read the newest own entries";
    let mut logs = conn.prepare("SELECT n FROM log WHERE node = ?1").doing(doing)?;
    let rows = logs.query_map([own.0], |row| row.get::<_, i64>(0)).doing(doing)?;
    let most = i64::try_from(START_ENTRIES).expect("a small constant");
    let sql = "SELECT n, bytes FROM entry WHERE log_n = ?1 ORDER BY sequence DESC LIMIT ?2";
    let mut entries = conn.prepare(sql).doing(doing)?;
    for log_n in rows {
        let mut rows = entries.query(params![log_n.doing(doing)?, most]).doing(doing)?;
        while let Some(row) = rows.next().doing(doing)? {
            let (n, bytes): (i64, Vec<u8>) = (row.get(0).doing(doing)?, row.get(1).doing(doing)?);
            RawEntry::decode(bytes)
                .and_then(|raw| raw.verify(network))
                .map_err(|fault| StoreError::damaged(format!("own entry {n}: {fault}")))?;
        }
    }
    Ok(())
}

/// A first page that does not open is the key's fault or the disk's. The high-water file knows the
/// key.
pub(crate) fn blame(error: StoreError, site: &Site) -> StoreError {
    let (StoreError::WrongMachineKey { path }, Some(key)) = (&error, &site.key) else {
        return error;
    };
    match highwater::read(path) {
        Ok(Some(marks)) if marks.key == Some(key.mark()) => {
            StoreError::damaged("the first page does not open under its own key")
        }
        _ => error,
    }
}

/// Makes a database under another name and gives it its own when it is whole, so that after a power
/// cut there is a whole one or none.
pub(crate) fn make_whole<T>(
    site: &Site,
    path: &Path,
    fill: impl FnOnce(&Connection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    let new = draft_of(path);
    remove(&files_of(&new))?;
    // Rows and marks that another database of this name left behind say nothing of this one.
    remove(&files_of(&beside(path, "view.db")))?;
    remove(&highwater::files(path))?;
    let conn = connection::writer(&Site::file(&new, site.key.clone()))?;
    let made = fill(&conn)?;
    conn.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())).doing("make the database")?;
    conn.close().map_err(|(_, error)| error).doing("make the database")?;
    let failed = |source| StoreError::File { path: path.to_owned(), source };
    put_in_place(&new, path).map_err(failed)?;
    Ok(made)
}

fn remove(files: &[std::path::PathBuf]) -> Result<(), StoreError> {
    for file in files {
        match std::fs::remove_file(file) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::File { path: file.clone(), source });
            }
            _ => {}
        }
    }
    Ok(())
}
