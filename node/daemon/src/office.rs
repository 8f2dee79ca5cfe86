//! An office at work on its own store: what the people of one PC do to records. Knows nothing of
//! the network; what it stores is handed to the mesh afterwards.

mod acts;
mod alarms;
mod answers;
mod audit;
mod backup;
mod custody;
mod disk;
mod erasure;
mod export;
mod forks;
mod form;
mod import;
mod incarnation;
mod keeping;
mod listing;
mod logs;
mod machine;
mod numbers;
mod people;
mod registrar;
mod republish;
mod roster;
mod status;
mod types;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use xw_ledger::log::Point;
use xw_schemas::cose::SecretKey;
use xw_schemas::id::{LogId, PublicKey};
use xw_schemas::record::{Level, RecordType};
use xw_schemas::space::Division;
use xw_store::{Reader, Store, StoreKeys};

use crate::folder::{Folder, Settings};
use crate::keys::Keys;
use crate::trouble::{Answer, Trouble};

pub(crate) use audit::Aside;
pub(crate) use backup::{About, open_keys};
use disk::{Checkup, Leftovers, Salvage};
pub(crate) use disk::{DISK_FAILED_TEXT, ballast_bytes, fatal, has_failed};
use erasure::Receipts;
pub(crate) use import::Progress;
use incarnation::Incarnation;
pub(crate) use keeping::report;
pub(crate) use people::locked;
use republish::Outbox;

/// Records judged in one go while others wait.
const SETTLE_RECORDS: usize = 256;

/// One office's PC: its store and its keys.
pub(crate) struct Office {
    pub(crate) folder: Folder,
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) reader: Reader,
    pub(crate) node: SecretKey,
    pub(crate) keys: Keys,
    /// The store was opened since the mesh last asked.
    just_opened: bool,
    /// Own entries that the mesh has not been told of.
    fresh: Vec<(LogId, Point)>,
    /// Neighbours connected at present, for the status.
    pub(crate) connected: BTreeSet<PublicKey>,
    /// Editions were taken up that the mesh has not been told of.
    roster_grown: bool,
    /// Which logs this node writes in, and which entries of its key were not written here.
    incarnation: Incarnation,
    /// What was typed here and does not stand.
    outbox: Outbox,
    /// Erasures that may want this node's receipt.
    receipts: Receipts,
    /// When each neighbour was last found to hold nothing that is not held here.
    equal_ms: BTreeMap<PublicKey, u64>,
    /// When neighbours were compared with for the request that comes next.
    compared_ms: Option<u64>,
    /// What was done about a damaged database when this office was opened.
    salvage: Option<Salvage>,
    /// What earlier salvages left behind.
    leftovers: Leftovers,
    /// The check of the whole database that is made now and then.
    checkup: Checkup,
    /// No neighbour could be asked what it knows of this node before the work went on.
    pub(crate) went_on_unasked: bool,
}

impl Office {
    /// Opens the store of a node with the PC's own keys. Nobody is signed in yet: it stores, forwards
    /// and witnesses, and nothing can be read.
    pub(crate) fn open(folder: Folder) -> Answer<Self> {
        let settings = folder.settings()?;
        let files = folder.key_files();
        let machine = files.machine_keys()?;
        let keys = Keys::open(files, settings.idle)?;
        let node = SecretKey::from_seed(&machine.node);
        let store_keys = StoreKeys { machine: machine.database, sealing: keys.sealing() };
        let (mut store, salvage) = disk::open(&folder, &store_keys, node.public())?;
        let lost = salvage.is_some();
        let incarnation = Incarnation::load(&mut store, node.public(), folder.path(), lost)?;
        if let Some(salvage) = &salvage {
            disk::salvaged(&folder, &mut store, salvage)?;
        }
        let (reader, leftovers) = (store.reader()?, Leftovers::load(&store)?);
        let (equal_ms, checkup) = (Self::load_equal(&store)?, Checkup::load(&store, store_keys)?);
        Ok(Self {
            folder,
            settings,
            store,
            reader,
            node,
            keys,
            just_opened: false,
            fresh: Vec::new(),
            connected: BTreeSet::new(),
            roster_grown: false,
            incarnation,
            outbox: Outbox::new(),
            receipts: Receipts::new(),
            equal_ms,
            compared_ms: None,
            salvage,
            leftovers,
            checkup,
            went_on_unasked: false,
        })
    }

    /// Own entries stored since the last call.
    pub(crate) fn take_fresh(&mut self) -> Vec<(LogId, Point)> {
        std::mem::take(&mut self.fresh)
    }

    /// Whether entries were stored that the mesh has not been told of.
    pub(crate) fn has_fresh(&self) -> bool {
        !self.fresh.is_empty()
    }

    /// Judges what is waiting to be judged, some of it; whether more remains.
    pub(crate) fn settle_some(&mut self) -> Answer<bool> {
        let some = self.store.settle(SETTLE_RECORDS)?;
        self.owe_receipts(&some.changed);
        // Records that cannot be judged by this program wait without keeping it busy.
        Ok(some.remaining > 0 && some.judged > 0)
    }

    /// Judges everything that is waiting.
    pub(crate) fn settle_all(&mut self) -> Answer<()> {
        let all = self.store.settle_all()?;
        self.owe_receipts(&all.changed);
        Ok(())
    }

    pub(crate) fn own_key(&self) -> PublicKey {
        self.node.public()
    }

    pub(crate) fn division(&self) -> Division {
        self.settings.division
    }

    /// The definition under which new records of a type are written.
    fn current(&self, record_type: &str) -> Answer<Arc<RecordType>> {
        let code = record_type.to_ascii_uppercase();
        let hash = self.store.roster().current_schema(&code);
        hash.and_then(|hash| self.store.definitions().get(&hash)).cloned().ok_or_else(|| {
            let known: Vec<&str> =
                self.store.roster().schemas().map(|(code, _)| code.as_str()).collect();
            Trouble::new(
                "record-type",
                format!("没有记录类型“{record_type}”，现有：{}", known.join("、")),
                format!("there is no record type {record_type}; there are {}", known.join(", ")),
            )
        })
    }

    /// Whether offices of a level get the bodies of a record type.
    pub(crate) fn bodies_go_to(&self, record_type: &str, level: Level) -> bool {
        self.current(record_type).is_ok_and(|rt| rt.body_levels.contains(&level))
    }

    /// A division's name, or its code.
    fn place_name(&self, division: Division) -> String {
        let name = self.store.roster().place(division);
        name.map_or_else(|| division.to_string(), str::to_owned)
    }
}

#[cfg(test)]
mod tests;
