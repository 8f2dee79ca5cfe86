//! A copy of the entries while the node works on. The copy knows that it is one: whoever opens it
//! finds the mark, and begins new logs before writing anything. Rows and high-water files are no
//! part of it.

use std::path::Path;

use rusqlite::Connection;
use rusqlite::backup::{Backup, StepResult};
use zeroize::Zeroizing;

use crate::connection::{self, Site, files_of};
use crate::error::{Doing, StoreError};
use crate::keys::{FileKey, token};
use crate::limits::BACKUP_PAGES;
use crate::load::number;
use crate::source::is_sound;
use crate::store::{Store, meta, set_meta};
use crate::whole::{draft_of, put_in_place};

/// Says that a database is a copy that was put back, and from when.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestoreMarker {
    /// When the copy was made, milliseconds since 1970.
    pub made_ms: u64,
}

/// Makes copies of a store from any thread, over a connection of its own. The writer works on; the
/// copy is of the moment at which it was begun.
pub struct Copier {
    site: Site,
}

impl std::fmt::Debug for Copier {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Copier")
    }
}

const DOING: &str = "make a copy of the database";

/// Where the mark is kept.
const MARKER: &str = "restore_marker";

impl Store {
    /// Whoever makes copies of this store.
    #[must_use]
    pub fn copier(&self) -> Copier {
        Copier { site: self.site.clone() }
    }

    /// Makes a copy at `to`, where nothing may be. `machine` is the key of the copy's file, needed
    /// just where this store has one; bodies stay under the office's key as they are. A long copy is
    /// better made by a [`Copier`] on another thread.
    pub fn backup(
        &self,
        to: &Path,
        machine: Option<Zeroizing<[u8; 32]>>,
        now_ms: u64,
    ) -> Result<(), StoreError> {
        self.copier().copy(to, machine, now_ms, &mut |_, _| {}).map(drop)
    }

    /// What a copy made now would hold.
    pub fn held(&self) -> Result<Copied, StoreError> {
        held(&self.conn)
    }

    /// Whether this database is a copy that was put back, and was not told to go on yet.
    pub fn restore_marker(&self) -> Result<Option<RestoreMarker>, StoreError> {
        let made: Option<i64> = meta(&self.conn, MARKER)?;
        Ok(made.map(|made| RestoreMarker { made_ms: made.unsigned_abs() }))
    }

    /// Takes the mark away, once new logs were begun.
    pub fn clear_restore_marker(&mut self) -> Result<(), StoreError> {
        let doing = "note that the copy goes on";
        self.transact(doing, |parts| {
            parts.tx.execute("DELETE FROM meta WHERE key = ?1", [MARKER]).doing(doing)?;
            Ok(())
        })
    }
}

/// What a copy holds. Both only ever grow, so that two equal ones are of one state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Copied {
    /// Entries.
    pub entries: u64,
    /// Roster editions, every copy of one with other signatures counted.
    pub editions: u64,
}

impl Copier {
    /// Makes a copy; see [`Store::backup`]. `progress` hears how many pages are left, and of how
    /// many.
    pub fn copy(
        &self,
        to: &Path,
        machine: Option<Zeroizing<[u8; 32]>>,
        now_ms: u64,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Copied, StoreError> {
        if to.exists() {
            return Err(StoreError::Exists { path: to.to_owned() });
        }
        if machine.is_some() != self.site.key.is_some() {
            let encrypted = self.site.key.is_some();
            return Err(StoreError::Keys { path: to.to_owned(), encrypted });
        }
        let new = draft_of(to);
        remove(&new)?;
        let made = self.fill(&new, machine, now_ms, progress).and_then(|held| {
            let failed = |source| StoreError::File { path: to.to_owned(), source };
            put_in_place(&new, to).map_err(failed)?;
            Ok(held)
        });
        if made.is_err() {
            // Half a copy is worse than none; why it failed is said, not that this failed too.
            let _ = remove(&new);
        }
        made
    }

    fn fill(
        &self,
        new: &Path,
        machine: Option<Zeroizing<[u8; 32]>>,
        now_ms: u64,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Copied, StoreError> {
        let source = connection::reader(&self.site)?;
        // One moment for the whole copy: a writer that commits meanwhile makes it begin again
        // otherwise.
        let moment = source.unchecked_transaction().doing(DOING)?;
        let held = held(&moment)?;
        let mut copy = connection::copy(&Site::file(new, machine.map(FileKey::new)))?;
        {
            let backup = Backup::new(&source, &mut copy).doing(DOING)?;
            loop {
                match backup.step(BACKUP_PAGES).doing(DOING)? {
                    StepResult::Done => break,
                    StepResult::More => {
                        let at = backup.progress();
                        let count = |pages| u64::try_from(pages).unwrap_or(0);
                        progress(count(at.remaining), count(at.pagecount));
                    }
                    _ => return Err(damaged(new, "the database is locked")),
                }
            }
        }
        // Zeroes for a page that does not open would be copied as if they stood there.
        if self.site.key.is_some() && !is_sound(&source, false) {
            return Err(StoreError::Broken);
        }
        mark(&copy, new, now_ms)?;
        Ok(held)
    }
}

fn held(conn: &Connection) -> Result<Copied, StoreError> {
    let sql = "SELECT (SELECT count(*) FROM entry), (SELECT count(*) FROM edition)";
    let counted = conn.query_row(sql, [], |row| {
        Ok(Copied { entries: number(row, 0)?, editions: number(row, 1)? })
    });
    counted.doing(DOING)
}

/// Makes one file of the copy and says in it what it is.
fn mark(copy: &Connection, path: &Path, now_ms: u64) -> Result<(), StoreError> {
    copy.query_row("PRAGMA journal_mode = DELETE", [], |_| Ok(())).doing(DOING)?;
    let tx = copy.unchecked_transaction().doing(DOING)?;
    set_meta(&tx, MARKER, i64::try_from(now_ms).unwrap_or(i64::MAX))?;
    set_meta(&tx, "clean", 1)?;
    set_meta(&tx, "judging", 0)?;
    // Rows that lie where the copy is put back are not its own.
    crate::shown::note_settled(&tx, &token()?)?;
    tx.commit().doing(DOING)?;
    let found: String =
        copy.query_row("PRAGMA quick_check(1)", [], |row| row.get(0)).doing(DOING)?;
    if found == "ok" { Ok(()) } else { Err(damaged(path, &found)) }
}

fn damaged(path: &Path, what: &str) -> StoreError {
    StoreError::Copy { path: path.to_owned(), what: what.to_owned() }
}

fn remove(path: &Path) -> Result<(), StoreError> {
    for file in files_of(path) {
        match std::fs::remove_file(&file) {
            Err(source) if source.kind() != std::io::ErrorKind::NotFound => {
                return Err(StoreError::File { path: file, source });
            }
            _ => {}
        }
    }
    Ok(())
}
