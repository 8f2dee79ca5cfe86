//! A database that is read although pages of it may be bad. After the first page that does not open
//! under its key, SQLCipher gives zeroes for every other one, mostly without a word: so the connection
//! is opened anew after each, and what was read on the way to it is not believed. Never writes.

use std::fmt::Display;

use rusqlite::{Connection, OptionalExtension as _};

use crate::connection::{self, Shown, Site, files_of};
use crate::error::{Doing, StoreError};

/// A database, as far as it can be read.
pub(crate) struct Source {
    site: Site,
    /// The rows beside the entries, where they are read too.
    shown: Option<Shown>,
    /// Whether everything is read of one moment, as far as no page is bad.
    of_one_moment: bool,
    conn: Connection,
}

/// No row of the tables that are read by their numbers is shorter: an entry's signature and log alone
/// take as much.
const ROW_BYTES_MIN: u64 = 48;

/// What is said of a page where SQLite itself says nothing.
const BAD_PAGE: &str = "a page does not open under its key";

impl Source {
    pub(crate) fn open(site: Site, shown: Option<Shown>) -> Result<Self, StoreError> {
        let conn = open(&site, shown.as_ref())?;
        Ok(Self { site, shown, of_one_moment: false, conn })
    }

    /// Reads something, and leaves a connection with which the next thing can be read.
    pub(crate) fn read<T, E: Display>(
        &mut self,
        read: impl FnOnce(&Connection) -> Result<T, E>,
    ) -> Result<T, String> {
        let read = read(&self.conn).map_err(|error| error.to_string());
        match (read, self.mend()) {
            (read, true) => read,
            (Ok(_), false) => Err(BAD_PAGE.to_owned()),
            (Err(error), false) => Err(format!("{BAD_PAGE}: {error}")),
        }
    }

    /// Whether every page read since the last call opened under its key. Where one did not, the
    /// connection is opened anew.
    fn mend(&mut self) -> bool {
        if self.site.key.is_none() || is_sound(&self.conn, self.shown.is_some()) {
            return true;
        }
        // Where that fails the old one goes on failing, and everything that is left counts as bad.
        if let Ok(conn) = open(&self.site, self.shown.as_ref()) {
            self.conn = conn;
            if self.of_one_moment {
                // A moment later than the first: what came between is read too.
                let _ = self.hold();
            }
        }
        false
    }

    /// Reads everything of one moment from here on.
    pub(crate) fn begin(&mut self) -> Result<(), StoreError> {
        self.hold().doing("begin reading")?;
        self.of_one_moment = true;
        Ok(())
    }

    /// Ends the moment.
    pub(crate) fn end(&mut self) -> Result<(), StoreError> {
        self.of_one_moment = false;
        self.conn.execute_batch("COMMIT").doing("end reading")
    }

    fn hold(&self) -> rusqlite::Result<()> {
        self.conn.execute_batch("BEGIN")
    }

    /// The last number of a table, as far as it can be believed: a damaged number must not keep
    /// anybody counting for ever.
    pub(crate) fn last(&mut self, table: &str, column: &str) -> Result<i64, String> {
        let sql = format!("SELECT max({column}) FROM {table}");
        let last = self
            .read(|conn| conn.query_row(&sql, [], |row| row.get::<_, Option<i64>>(0)).optional())?;
        Ok(last.flatten().unwrap_or(0).min(self.rows_max()))
    }

    /// The last entry that any table knows of.
    pub(crate) fn last_entry(&mut self) -> Result<i64, String> {
        let known = [("entry", "n"), ("body", "entry_n"), ("verdict", "entry_n")]
            .map(|(table, column)| self.last(table, column));
        let last = known.iter().flatten().max().copied();
        let [entries, ..] = known;
        last.map_or(entries, Ok)
    }

    /// No file has more rows than fit it at their least length.
    fn rows_max(&self) -> i64 {
        let length = |path| std::fs::metadata(path).map_or(0, |file| file.len());
        let bytes = match self.site.path() {
            Some(path) => files_of(path).iter().map(length).sum(),
            None => u64::MAX,
        };
        i64::try_from(bytes / ROW_BYTES_MIN).unwrap_or(i64::MAX)
    }
}

fn open(site: &Site, shown: Option<&Shown>) -> Result<Connection, StoreError> {
    let conn = connection::reader(site)?;
    if let Some(shown) = shown {
        connection::attach(&conn, shown, false)?;
    }
    Ok(conn)
}

/// Whether every page that a keyed connection has read so far opened under its key.
pub(crate) fn is_sound(conn: &Connection, shows: bool) -> bool {
    ["main", "shown"].iter().take(1 + usize::from(shows)).all(|schema| {
        // Never kept prepared: the answer is worked out when the statement is.
        let sql = format!("PRAGMA {schema}.cipher_status");
        conn.query_row(&sql, [], |row| row.get::<_, String>(0)).is_ok_and(|said| said == "1")
    })
}
