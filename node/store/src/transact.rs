//! Every change of the entries' side happens here: one durable transaction at a time, counted; the
//! write-ahead logs kept short; and what is done when the disk is full or fails.

use crate::connection::Place;
use crate::error::{Doing, StoreError};
use crate::limits::WAL_PAGES_AIM;
use crate::load;
use crate::source::is_sound;
use crate::store::{Parts, Store};

impl Store {
    /// Does `work` in one durable transaction. After a failure the file is as before, and what is
    /// in memory is made so.
    pub(crate) fn transact<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&mut Parts<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.may_write()?;
        if self.stale {
            self.reload()?;
        }
        match self.try_transact(doing, work) {
            Ok((done, None)) => Ok(done),
            Ok((done, Some(commits))) => {
                self.high.tick(commits);
                // The work is on disk, whatever becomes of copying it back.
                if let Err(error) = self.mind_the_wal() {
                    self.after_failure(&error);
                    if self.broken {
                        return Err(error);
                    }
                    tracing::warn!(error = %error, "the write-ahead log could not be copied back");
                }
                Ok(done)
            }
            Err(error) => {
                self.after_failure(&error);
                // When not even reading works, the next call tries again before it does anything.
                self.stale = true;
                if !self.broken
                    && let Err(second) = self.reload()
                {
                    tracing::error!(error = %second, "the logs could not be loaded again");
                }
                Err(error)
            }
        }
    }

    /// Whether anything may be written.
    pub(crate) fn may_write(&self) -> Result<(), StoreError> {
        match self.read_only {
            true => Err(StoreError::ReadOnly),
            false if self.is_broken() => Err(StoreError::Broken),
            false => Ok(()),
        }
    }

    fn try_transact<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&mut Parts<'_>) -> Result<T, StoreError>,
    ) -> Result<(T, Option<i64>), StoreError> {
        let before = self.conn.total_changes();
        let tx = self.conn.unchecked_transaction().doing(doing)?;
        let mut parts = Parts {
            tx: &tx,
            chain: &mut self.chain,
            definitions: &mut self.definitions,
            held: &mut self.held,
            vault: &self.vault,
        };
        let done = work(&mut parts)?;
        // Where no row has changed there is nothing to make durable: a neighbour who sends what is
        // held or refused costs no write and no flush.
        if self.conn.total_changes() == before {
            return Ok((done, None));
        }
        // Counted so that rows and side files can tell a state of the entries from an older one.
        let commits = tx
            .prepare_cached(
                "UPDATE session SET commits = commits + 1 WHERE n = (SELECT max(n) FROM session)
                 RETURNING commits",
            )
            .and_then(|mut s| s.query_row([], |row| row.get(0)))
            .doing(doing)?;
        // What was read on the way may have been nothing but zeroes.
        if self.site.key.is_some() && !is_sound(&tx, self.shown.is_some()) {
            return Err(StoreError::Broken);
        }
        tx.commit().doing(doing)?;
        Ok((done, Some(commits)))
    }

    /// What a failed write asks for, whichever file it was of.
    pub(crate) fn after_failure(&mut self, error: &StoreError) {
        if error.is_disk_full() {
            self.make_room();
        }
        if error.is_fatal() || self.is_broken() {
            tracing::error!(error = %error, "the disk failed; this process writes no more");
            self.broken = true;
        }
    }

    /// Works out again from the file what is kept in memory.
    pub(crate) fn reload(&mut self) -> Result<(), StoreError> {
        self.chain = load::chain(&self.conn)?;
        self.definitions = load::definitions(&self.conn)?;
        self.held = load::logs(&self.conn, self.chain.roster())?;
        self.stale = false;
        Ok(())
    }

    /// Copies the write-ahead logs back when they have grown. Only the writer does this.
    pub(crate) fn mind_the_wal(&self) -> Result<(), StoreError> {
        if matches!(self.site.place, Place::Memory(_)) {
            return Ok(());
        }
        for schema in ["main", "shown"].into_iter().take(1 + usize::from(self.shows())) {
            let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
            let (pages, copied) = self
                .conn
                .query_row(&format!("PRAGMA {schema}.wal_checkpoint(NOOP)"), [], read)
                .doing("ask for the length of the write-ahead log")?;
            if pages - copied >= WAL_PAGES_AIM {
                self.conn
                    .query_row(&format!("PRAGMA {schema}.wal_checkpoint(PASSIVE)"), [], |_| Ok(()))
                    .doing("copy the write-ahead log back")?;
            }
        }
        Ok(())
    }

    /// Copies a whole write-ahead log back and cuts it to nothing. Says whether that was done: a
    /// reader in the middle of a question is waited for, and not for ever.
    pub(crate) fn empty_wal(&self, schema: &str) -> Result<bool, StoreError> {
        if matches!(self.site.place, Place::Memory(_)) {
            return Ok(true);
        }
        let sql = format!("PRAGMA {schema}.wal_checkpoint(TRUNCATE)");
        let busy: bool = self
            .conn
            .query_row(&sql, [], |row| row.get(0))
            .doing("copy the write-ahead log back")?;
        Ok(!busy)
    }
}
