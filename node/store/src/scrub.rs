//! Makes sure that what was taken out is gone from the files too, and not only from the tables.

use crate::error::{Doing, StoreError};
use crate::store::Store;

impl Store {
    /// Wipes what deleted bodies, rows and words left behind: the search index keeps the words of a
    /// removed row until it is merged, and write-ahead logs keep old pages until they are emptied.
    /// Called after an erasure. A second for a township. `false` when readers in the middle of a
    /// question kept the last step from being done; then it is to be called again.
    pub fn scrub(&mut self) -> Result<bool, StoreError> {
        self.may_write()?;
        if !self.shows() {
            return Err(StoreError::Locked);
        }
        let doing = "wipe what was taken out";
        self.conn.execute_batch("INSERT INTO fts(fts) VALUES ('optimize')").doing(doing)?;
        let mut done = true;
        for schema in ["main", "shown"] {
            self.shrink(schema)?;
            done &= self.empty_wal(schema)?;
        }
        Ok(done)
    }
}
