//! The one writer: owns the database, and in memory the roster, the logs and the definitions that
//! every entry is judged by. What is in memory is worked out from the file and never ahead of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use rusqlite::{Connection, OptionalExtension as _, Transaction};
use xw_ledger::judge::Definitions;
use xw_ledger::log::Logs;
use xw_ledger::roster::{Chain, Roster};
use xw_ledger::standing::LogStanding;
use xw_schemas::edition::Edition;
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::record::RecordType;

use crate::connection::{self, Site};
use crate::error::{Doing, StoreError};
use crate::limits::WAL_PAGES_AIM;
use crate::lock::{self, Ownership};
use crate::reader::Reader;
use crate::{load, roster, tables};

/// The entries of one node and everything worked out from them.
pub struct Store {
    pub(crate) conn: Connection,
    pub(crate) site: Site,
    pub(crate) chain: Chain,
    pub(crate) definitions: Definitions,
    pub(crate) own: Option<PublicKey>,
    pub(crate) held: HeldLogs,
    /// Records left unsettled by a program that ended uncleanly: any of them may be the reason, so
    /// each is judged alone, with a mark on disk.
    pub(crate) suspects: BTreeSet<i64>,
    /// What is in memory may be ahead of the file and is loaded again before anything else.
    pub(crate) stale: bool,
    // Declared last: the lock is given back after the connection is closed.
    _ownership: Option<Ownership>,
}

/// The logs in memory, and how they are written in the file.
#[derive(Debug, Default)]
pub(crate) struct HeldLogs {
    pub(crate) logs: Logs,
    /// The row of each log.
    pub(crate) numbers: BTreeMap<LogId, i64>,
    /// What stands in each log, as the rows say.
    pub(crate) assessed: BTreeMap<LogId, LogStanding>,
    /// Entries stored that the door does not take under the present roster.
    pub(crate) unplaced: BTreeSet<EntryId>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Store({:?})", self.site)
    }
}

impl Store {
    /// Makes a database for the network that `founding` begins. `own` is this node's key.
    pub fn create(
        path: &Path,
        founding: Edition,
        definitions: Vec<RecordType>,
        own: Option<PublicKey>,
    ) -> Result<Self, StoreError> {
        let ownership = lock::own(path)?;
        if path.exists() {
            return Err(StoreError::Exists { path: path.to_owned() });
        }
        let site = Site::File(path.to_owned());
        Self::found(site, founding, definitions, own, Some(ownership))
    }

    /// The same, in the memory of this process: for simulations and tests.
    pub fn in_memory(
        founding: Edition,
        definitions: Vec<RecordType>,
        own: Option<PublicKey>,
    ) -> Result<Self, StoreError> {
        Self::found(Site::fresh_memory(), founding, definitions, own, None)
    }

    fn found(
        site: Site,
        founding: Edition,
        definitions: Vec<RecordType>,
        own: Option<PublicKey>,
        ownership: Option<Ownership>,
    ) -> Result<Self, StoreError> {
        // A founding edition that makes no roster leaves no file behind.
        let chain = Chain::founded(founding.clone())?;
        let conn = connection::writer(&site, true)?;
        let tx = conn.unchecked_transaction().doing("begin the founding")?;
        tables::create(&tx)?;
        roster::insert_edition(&tx, &founding)?;
        for definition in &definitions {
            roster::insert_definition(&tx, definition)?;
        }
        if let Some(own) = own {
            set_meta(&tx, "own", &own.0[..])?;
        }
        set_meta(&tx, "clean", 0)?;
        tx.commit().doing("commit the founding")?;
        let definitions = definitions.into_iter().map(|d| (d.hash(), Arc::new(d))).collect();
        Ok(Self {
            conn,
            site,
            chain,
            definitions,
            own,
            held: HeldLogs::default(),
            suspects: BTreeSet::new(),
            stale: false,
            _ownership: ownership,
        })
    }

    /// Opens a database; refuses when another process owns it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        let ownership = lock::own(path)?;
        let site = Site::File(path.to_owned());
        let conn = connection::writer(&site, false)?;
        tables::check_format(&conn)?;
        let own: Option<Vec<u8>> = meta(&conn, "own")?;
        let own = own
            .map(|key| key.try_into().map(PublicKey))
            .transpose()
            .map_err(|_| StoreError::damaged("this node's key"))?;
        let suspects = load::suspects(&conn)?;
        set_meta(&conn, "clean", 0)?;
        let chain = load::chain(&conn)?;
        let definitions = load::definitions(&conn)?;
        let held = load::logs(&conn, chain.roster())?;
        let mut store = Self {
            conn,
            site,
            chain,
            definitions,
            own,
            held,
            suspects,
            stale: false,
            _ownership: Some(ownership),
        };
        store.catch_up_standings()?;
        Ok(store)
    }

    /// Ends the work: everything goes into the one file. Dropping a store does the same, silently.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.finish()
    }

    fn finish(&mut self) -> Result<(), StoreError> {
        set_meta(&self.conn, "clean", 1)?;
        if matches!(self.site, Site::File(_)) {
            self.conn
                .query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))
                .doing("copy the write-ahead log back")?;
        }
        Ok(())
    }

    /// The roster by which entries are judged.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        self.chain.roster()
    }

    /// All roster editions held.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// All logs held.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        &self.held.logs
    }

    /// The record-type definitions held.
    #[must_use]
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// This node's key, if the database belongs to a node.
    #[must_use]
    pub fn own(&self) -> Option<PublicKey> {
        self.own
    }

    /// Another connection, which can only read and sees what is committed.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::over(&self.site)
    }

    /// Gives the lock back, as the end of the process does.
    #[cfg(test)]
    pub(crate) fn release(&mut self) {
        self._ownership = None;
    }

    /// Copies the write-ahead log back when it has grown. Only the writer does this.
    pub(crate) fn mind_the_wal(&self) -> Result<(), StoreError> {
        if matches!(self.site, Site::Memory(_)) {
            return Ok(());
        }
        let read = |row: &rusqlite::Row<'_>| Ok((row.get::<_, i64>(1)?, row.get::<_, i64>(2)?));
        let (pages, copied) = self
            .conn
            .query_row("PRAGMA wal_checkpoint(NOOP)", [], read)
            .doing("ask for the length of the write-ahead log")?;
        if pages - copied >= WAL_PAGES_AIM {
            self.conn
                .query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))
                .doing("copy the write-ahead log back")?;
        }
        Ok(())
    }

    /// Does `work` in one durable transaction. After a failure the file is as before, and what is
    /// in memory is made so.
    pub(crate) fn transact<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&mut Parts<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.stale {
            self.reload()?;
        }
        match self.try_transact(doing, work) {
            Ok(done) => {
                self.mind_the_wal()?;
                Ok(done)
            }
            Err(error) => {
                // When not even reading works, the next call tries again before it does anything.
                self.stale = true;
                if let Err(second) = self.reload() {
                    tracing::error!(error = %second, "the logs could not be loaded again");
                }
                Err(error)
            }
        }
    }

    fn try_transact<T>(
        &mut self,
        doing: &'static str,
        work: impl FnOnce(&mut Parts<'_>) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        let tx = self.conn.unchecked_transaction().doing(doing)?;
        let mut parts = Parts {
            tx: &tx,
            chain: &mut self.chain,
            definitions: &mut self.definitions,
            held: &mut self.held,
        };
        let done = work(&mut parts)?;
        tx.commit().doing(doing)?;
        Ok(done)
    }

    /// Works out again from the file what is kept in memory.
    fn reload(&mut self) -> Result<(), StoreError> {
        self.chain = load::chain(&self.conn)?;
        self.definitions = load::definitions(&self.conn)?;
        self.held = load::logs(&self.conn, self.chain.roster())?;
        self.stale = false;
        Ok(())
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.finish() {
            tracing::warn!(error = %error, "the database could not be closed cleanly");
        }
    }
}

/// What the work inside a transaction may change.
pub(crate) struct Parts<'a> {
    pub(crate) tx: &'a Transaction<'a>,
    pub(crate) chain: &'a mut Chain,
    pub(crate) definitions: &'a mut Definitions,
    pub(crate) held: &'a mut HeldLogs,
}

/// A value that the database keeps about itself.
pub(crate) fn meta<T: rusqlite::types::FromSql>(
    conn: &Connection,
    key: &str,
) -> Result<Option<T>, StoreError> {
    conn.query_row("SELECT value FROM meta WHERE key = ?1", [key], |row| row.get(0))
        .optional()
        .doing("read what the database says of itself")
}

/// Keeps a value about the database itself.
pub(crate) fn set_meta(
    conn: &Connection,
    key: &str,
    value: impl rusqlite::ToSql,
) -> Result<(), StoreError> {
    conn.execute(
        "INSERT INTO meta(key, value) VALUES (?1, ?2)
         ON CONFLICT(key) DO UPDATE SET value = excluded.value WHERE value IS NOT excluded.value",
        rusqlite::params![key, value],
    )
    .doing("write what the database says of itself")?;
    Ok(())
}
