//! The one writer: owns the database, and in memory the roster, the logs and the definitions that
//! every entry is judged by. What is in memory is worked out from the file and never ahead of it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::{Connection, OptionalExtension as _, Transaction};
use xw_custody::OfficeKey;
use xw_ledger::judge::Definitions;
use xw_ledger::log::Logs;
use xw_ledger::roster::{Chain, Roster};
use xw_ledger::standing::LogStanding;
use xw_schemas::edition::Edition;
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::record::{Level, RecordType};

use crate::connection::{self, Shown, Site};
use crate::error::{Doing, StoreError};
use crate::highwater::HighWater;
use crate::keys::{FileKey, StoreKeys, Vault};
use crate::lock::{self, Ownership};
use crate::reader::Reader;
use crate::source::is_sound;
use crate::start::{self, Opened};
use crate::{load, roster, tables};

/// The entries of one node and everything worked out from them.
pub struct Store {
    pub(crate) conn: Connection,
    pub(crate) site: Site,
    pub(crate) chain: Chain,
    pub(crate) definitions: Definitions,
    pub(crate) own: Option<PublicKey>,
    pub(crate) held: HeldLogs,
    /// How bodies are kept, and whether they can be read.
    pub(crate) vault: Vault,
    /// The rows, when they are open.
    pub(crate) shown: Option<Shown>,
    /// Taken from the readers when the rows are closed.
    readable: Arc<AtomicBool>,
    /// Records left unsettled by a program that ended uncleanly: any of them may be the reason, so
    /// each is judged alone, with a mark on disk.
    pub(crate) suspects: BTreeSet<i64>,
    /// What is in memory may be ahead of the file and is loaded again before anything else.
    pub(crate) stale: bool,
    /// The disk failed so that nothing in memory can be trusted; see [`Store::is_broken`].
    pub(crate) broken: bool,
    /// The next start looks at every page, however this one ends.
    doubted: bool,
    /// Nothing may be written.
    pub(crate) read_only: bool,
    /// The files were made by this value.
    pub(crate) is_new: bool,
    pub(crate) opened: Opened,
    pub(crate) high: HighWater,
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
        write!(f, "Store({:?})", self.site.place)
    }
}

impl Store {
    /// Makes a database for the network that `founding` begins. `own` is this node's key. With
    /// `keys` it is encrypted, and locked until [`Store::unlock`]; without, everything lies open.
    pub fn create(
        path: &Path,
        founding: Edition,
        definitions: Vec<RecordType>,
        own: Option<PublicKey>,
        keys: Option<StoreKeys>,
    ) -> Result<Self, StoreError> {
        let ownership = lock::own(path)?;
        if path.exists() {
            return Err(StoreError::Exists { path: path.to_owned() });
        }
        let site = Site::file(path, keys.as_ref().map(|keys| FileKey::new(keys.machine.clone())));
        Self::found(site, founding, definitions, own, keys, Some(ownership))
    }

    /// The same, in the memory of this process: for simulations and tests.
    pub fn in_memory(
        founding: Edition,
        definitions: Vec<RecordType>,
        own: Option<PublicKey>,
    ) -> Result<Self, StoreError> {
        Self::found(Site::fresh_memory(), founding, definitions, own, None, None)
    }

    fn found(
        site: Site,
        founding: Edition,
        definitions: Vec<RecordType>,
        own: Option<PublicKey>,
        keys: Option<StoreKeys>,
        ownership: Option<Ownership>,
    ) -> Result<Self, StoreError> {
        // A founding edition that makes no roster leaves no file behind.
        let chain = Chain::founded(founding.clone())?;
        let found = |conn: &Connection| {
            let tx = conn.unchecked_transaction().doing("begin the founding")?;
            tables::create(&tx)?;
            roster::insert_edition(&tx, &founding)?;
            for definition in &definitions {
                roster::insert_definition(&tx, definition)?;
            }
            if let Some(own) = own {
                set_meta(&tx, "own", &own.0[..])?;
            }
            if let Some(keys) = &keys {
                set_meta(&tx, "sealing", &keys.sealing.bytes()[..])?;
            }
            let session = start::begin_session(&tx)?;
            tx.commit().doing("commit the founding")?;
            Ok(session)
        };
        let (conn, session) = match site.path() {
            Some(path) => {
                let session = start::make_whole(&site, path, found)?;
                (connection::writer(&site)?, session)
            }
            None => {
                let conn = connection::writer(&site)?;
                let session = found(&conn)?;
                (conn, session)
            }
        };
        let definitions = definitions.into_iter().map(|d| (d.hash(), Arc::new(d))).collect();
        let high = HighWater::new(&site, session);
        let mut store = Self {
            conn,
            site,
            chain,
            definitions,
            own,
            held: HeldLogs::default(),
            vault: keys.map_or(Vault::Plain, |keys| Vault::Locked(keys.sealing)),
            shown: None,
            readable: Arc::default(),
            suspects: BTreeSet::new(),
            stale: false,
            broken: false,
            doubted: false,
            read_only: false,
            is_new: true,
            opened: Opened::default(),
            high,
            _ownership: ownership,
        };
        store.begin_showing()?;
        Ok(store)
    }

    /// Opens a database; refuses when another process owns it. With keys it is locked until
    /// [`Store::unlock`]. What was found amiss on the way stands in [`Store::opened`].
    pub fn open(path: &Path, keys: Option<StoreKeys>) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        let ownership = lock::own(path)?;
        Self::open_as(path, keys, Some(ownership))
    }

    /// Opens a database only to read and check it, also while another process owns it: takes no
    /// lock, changes nothing, and refuses to write.
    pub fn open_read_only(path: &Path, keys: Option<StoreKeys>) -> Result<Self, StoreError> {
        if !path.exists() {
            return Err(StoreError::Missing { path: path.to_owned() });
        }
        Self::open_as(path, keys, None)
    }

    /// Without the lock nothing is written.
    fn open_as(
        path: &Path,
        keys: Option<StoreKeys>,
        ownership: Option<Ownership>,
    ) -> Result<Self, StoreError> {
        let read_only = ownership.is_none();
        let site = Site::file(path, keys.as_ref().map(|keys| FileKey::new(keys.machine.clone())));
        let conn = if read_only { connection::reader(&site) } else { connection::writer(&site) };
        let conn = conn.map_err(|error| start::blame(error, &site))?;
        tables::check_format(&conn)?;
        let own = own_key(&conn)?;
        let vault = start::vault(&conn, keys)?;
        let mut opened = Opened { unclean: meta(&conn, "clean")? != Some(1), ..Opened::default() };
        if opened.unclean {
            start::check_pages(&conn, site.key.is_some())?;
        }
        let (suspects, session) = if read_only {
            (BTreeSet::new(), start::last_session(&conn)?)
        } else {
            start::take_over(&conn)?
        };
        opened.lost_commits = start::lost_commits(&conn, &site)?;
        let chain = load::chain(&conn)?;
        let definitions = load::definitions(&conn)?;
        let held = load::logs(&conn, chain.roster())?;
        start::look_back(&mut opened, &site, &held.logs)?;
        start::verify_own(&conn, chain.roster().network(), own)?;
        let high = HighWater::new(&site, session);
        let mut store = Self {
            conn,
            site,
            chain,
            definitions,
            own,
            held,
            vault,
            shown: None,
            readable: Arc::default(),
            suspects,
            stale: false,
            broken: false,
            doubted: false,
            read_only,
            is_new: false,
            opened,
            high,
            _ownership: ownership,
        };
        if !store.read_only {
            store.high.tick(0);
            store.catch_up_standings()?;
        }
        store.begin_showing()?;
        Ok(store)
    }

    /// Opens the rows at once where no key is needed for them.
    fn begin_showing(&mut self) -> Result<(), StoreError> {
        if matches!(self.vault, Vault::Plain) {
            self.show(None)?;
            self.readable.store(self.shows(), Ordering::Release);
        }
        Ok(())
    }

    /// Opens bodies and rows with the office's key. Records that came meanwhile wait to be settled.
    pub fn unlock(&mut self, office: OfficeKey) -> Result<(), StoreError> {
        let sealing = match &self.vault {
            Vault::Locked(sealing) => *sealing,
            Vault::Open(held) if held.public() == office.public() => return Ok(()),
            Vault::Open(_) => return Err(StoreError::WrongOfficeKey),
            Vault::Plain => {
                let path = self.site.path().map(Path::to_owned).unwrap_or_default();
                return Err(StoreError::Keys { path, encrypted: false });
            }
        };
        if office.public() != sealing {
            return Err(StoreError::WrongOfficeKey);
        }
        if !self.read_only {
            // From here on a record may end the program, and the next start must know.
            set_meta(&self.conn, "judging", 1)?;
        }
        let key = FileKey::new(office.database_key());
        self.vault = Vault::Open(Box::new(office));
        if let Err(error) = self.show(Some(key)) {
            self.close_rows()?;
            return Err(error);
        }
        self.readable = Arc::new(AtomicBool::new(self.shows()));
        Ok(())
    }

    /// Forgets the office's key: from here on entries are stored and forwarded, and nothing is read
    /// or judged. Readers answer no more; whoever holds one drops it, for the key is in it. Without
    /// keys there is nothing to forget.
    pub fn lock(&mut self) -> Result<(), StoreError> {
        if matches!(self.vault, Vault::Open(_)) {
            self.close_rows()?;
        }
        Ok(())
    }

    fn close_rows(&mut self) -> Result<(), StoreError> {
        self.readable.store(false, Ordering::Release);
        if let Vault::Open(office) = &self.vault {
            self.vault = Vault::Locked(office.public());
        }
        self.shown = None;
        let writes = self.may_write().is_ok();
        if crate::shown::is_attached(&self.conn)? {
            if writes {
                self.empty_wal("shown")?;
            }
            connection::detach(&self.conn)?;
        }
        if writes {
            set_meta(&self.conn, "judging", 0)?;
        }
        Ok(())
    }

    /// Whether bodies and rows can be read. A store without keys is always open.
    #[must_use]
    pub fn is_unlocked(&self) -> bool {
        self.vault.is_open()
    }

    /// What was found amiss when the store was opened.
    #[must_use]
    pub fn opened(&self) -> &Opened {
        &self.opened
    }

    /// Ends the work: everything goes into the files. Dropping a store does the same, silently.
    pub fn close(mut self) -> Result<(), StoreError> {
        self.finish()
    }

    fn finish(&mut self) -> Result<(), StoreError> {
        if self.read_only {
            return Ok(());
        }
        // What is in memory may be ahead of the file; in a panic it may be anything.
        if self.is_broken() || self.stale || std::thread::panicking() {
            // Nor does SQLite: what waits in the write-ahead logs stays there for the next start,
            // which finds an unclean end and looks at every page.
            return connection::leave_as_is(&self.conn);
        }
        self.high.write(&self.held.logs, self.own)?;
        start::end_session(&self.conn, !self.doubted)?;
        self.empty_wal("main")?;
        if self.shows() {
            self.empty_wal("shown")?;
        }
        Ok(())
    }

    /// Whether the disk failed in a way after which nothing more is written, and nothing that is
    /// read is believed: the program is to end and to start again. Asked for after every piece of
    /// work, for a page that does not open is not always an error to whoever read it.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        self.broken || self.site.key.is_some() && !is_sound(&self.conn, self.shows())
    }

    /// The same, because of what somebody else met who reads these files.
    pub fn give_up(&mut self) {
        self.broken = true;
    }

    /// Something is wrong with the files that does not stop the work: the next start looks at every
    /// page.
    pub fn doubt(&mut self) {
        self.doubted = true;
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

    /// The level of this node's office, which decides what of personal contents its rows show.
    pub(crate) fn level(&self) -> Option<Level> {
        let office = self.roster().node_office(&self.own?)?;
        Some(office.division.tier().into())
    }

    /// Another connection, which can only read and sees what is committed. While the store is
    /// locked it shows entries and no rows.
    pub fn reader(&self) -> Result<Reader, StoreError> {
        Reader::over(&self.site, self.shown.as_ref(), Arc::clone(&self.readable))
    }

    /// Gives the lock back, as the end of the process does.
    #[cfg(test)]
    pub(crate) fn release(&mut self) {
        self._ownership = None;
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
    pub(crate) vault: &'a Vault,
}

/// This node's key as the database has it.
pub(crate) fn own_key(conn: &Connection) -> Result<Option<PublicKey>, StoreError> {
    let own: Option<Vec<u8>> = meta(conn, "own")?;
    own.map(|key| key.try_into().map(PublicKey))
        .transpose()
        .map_err(|_| StoreError::damaged("this node's key"))
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
