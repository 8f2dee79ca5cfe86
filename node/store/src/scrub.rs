//! Makes sure that what was taken out is gone from the files too, and not only from the tables.

use rusqlite::Connection;

use crate::error::{Doing, StoreError};
use crate::store::{Store, meta, set_meta};

/// Where it is kept that something was removed and still lies about.
const OWED: &str = "scrub";

/// Notes, in the transaction that removes something, that the files are to be scrubbed after it.
pub(crate) fn owe(tx: &Connection) -> Result<(), StoreError> {
    set_meta(tx, OWED, 1)
}

impl Store {
    /// Wipes what deleted bodies, rows and words left behind. Pages are zeroed as they are freed, but
    /// the search index keeps the words of a removed row until it is merged, and write-ahead logs
    /// keep old pages until they are emptied. A second for a township. `false` when a reader in the
    /// middle of a question kept the last step from being done; the next opening tries it again.
    pub fn scrub(&mut self) -> Result<bool, StoreError> {
        self.may_write()?;
        if !self.shows() {
            return Err(StoreError::Locked);
        }
        self.conn
            .execute_batch("INSERT INTO fts(fts) VALUES ('optimize')")
            .doing("drop removed words from the search index")?;
        let mut done = true;
        for schema in ["main", "shown"] {
            self.shrink(schema)?;
            done &= self.empty_wal(schema)?;
        }
        if done {
            set_meta(&self.conn, OWED, 0)?;
        }
        Ok(done)
    }

    /// Scrubs if something was removed since, also by a program that ended before it could.
    pub(crate) fn scrub_if_owed(&mut self) -> Result<(), StoreError> {
        if meta::<i64>(&self.conn, OWED)? == Some(1) && !self.scrub()? {
            tracing::warn!("a reader keeps removed contents in the write-ahead log for now");
        }
        Ok(())
    }
}
