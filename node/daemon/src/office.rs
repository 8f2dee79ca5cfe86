//! An office at work on its own store: what the people of one PC do to records. Knows nothing of
//! the network; what it stores is handed to the mesh afterwards.

mod acts;
mod answers;
mod export;
mod form;
mod import;
mod keeping;
mod listing;
mod numbers;
mod status;
mod types;

use std::collections::BTreeSet;
use std::sync::Arc;

use xw_ledger::draft::{Author, Signed, Tail, open_log};
use xw_ledger::log::Point;
use xw_ledger::roster::Signer;
use xw_ledger::standing::LogStanding;
use xw_schemas::checkpoint::Checkpoint;
use xw_schemas::cose::SecretKey;
use xw_schemas::id::{LogId, PublicKey};
use xw_schemas::record::{Level, RecordType};
use xw_schemas::space::{Division, Space};
use xw_store::{Reader, Store};

use crate::clock;
use crate::folder::{Folder, Settings};
use crate::request::Who;
use crate::trouble::{Answer, Trouble};

pub(crate) use import::Progress;
pub(crate) use keeping::report;

/// Records judged in one go while others wait.
const SETTLE_RECORDS: usize = 256;

/// One office's PC: its store and its keys.
pub(crate) struct Office {
    pub(crate) folder: Folder,
    pub(crate) settings: Settings,
    pub(crate) store: Store,
    pub(crate) reader: Reader,
    pub(crate) node: SecretKey,
    people: Vec<Person>,
    /// Own entries that the mesh has not been told of.
    fresh: Vec<(LogId, Point)>,
    /// Neighbours connected at present, for the status.
    pub(crate) connected: BTreeSet<PublicKey>,
}

/// A person who works at this PC.
struct Person {
    name: String,
    key: SecretKey,
}

impl Office {
    pub(crate) fn open(folder: Folder) -> Answer<Self> {
        let settings = folder.settings()?;
        let node = folder.node_key()?;
        let people = folder.people()?;
        let store = Store::open(&folder.store_path())?;
        let reader = store.reader()?;
        let people = people.into_iter().map(|(name, key)| Person { name, key }).collect();
        let connected = BTreeSet::new();
        Ok(Self { folder, settings, store, reader, node, people, fresh: Vec::new(), connected })
    }

    /// Own entries stored since the last call.
    pub(crate) fn take_fresh(&mut self) -> Vec<(LogId, Point)> {
        std::mem::take(&mut self.fresh)
    }

    /// Judges what is waiting to be judged, some of it; whether more remains.
    pub(crate) fn settle_some(&mut self) -> Answer<bool> {
        let some = self.store.settle(SETTLE_RECORDS)?;
        // Records that cannot be judged by this program wait without keeping it busy.
        Ok(some.remaining > 0 && some.judged > 0)
    }

    /// Judges everything that is waiting.
    pub(crate) fn settle_all(&mut self) -> Answer<()> {
        self.store.settle_all()?;
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

    /// The people here who may act, the one asked for first.
    fn actors(&self, who: &Who) -> Answer<Vec<(&SecretKey, &Signer)>> {
        let roster = self.store.roster();
        let listed = self
            .people
            .iter()
            .filter_map(|person| Some((person, roster.signer(&person.key.public())?)));
        let wanted = who.person.as_deref();
        let named = listed.filter(|(person, signer)| {
            wanted.is_none_or(|name| signer.name == name || person.name == name)
        });
        let actors: Vec<_> = named.map(|(person, signer)| (&person.key, signer)).collect();
        if actors.is_empty() {
            let names: Vec<&str> = self.people.iter().map(|p| p.name.as_str()).collect();
            return Err(Trouble::new(
                "person",
                format!("本机没有该经办人的密钥。本机经办人：{}", names.join("、")),
                format!("no key of that person lies here; people here: {}", names.join(", ")),
            ));
        }
        Ok(actors)
    }

    /// The end of this node's log in a space; opens one where there is none that can go on.
    fn tail(&mut self, space: Space) -> Answer<Tail> {
        let own = self.own_key();
        let roster = self.store.roster();
        let logs = self.store.logs();
        let open = |log: &LogId| {
            matches!(
                logs.assess(roster, log),
                Some(LogStanding::Straight { rest: xw_ledger::standing::Standing::Local, .. })
            )
        };
        let mut usable: Vec<(u64, LogId)> = logs
            .iter()
            .filter(|(id, log)| log.node == own && log.space == space && open(id))
            .map(|(id, log)| (log.size(), *id))
            .collect();
        usable.sort_unstable();
        if let Some((_, log)) = usable.last()
            && let Some(tail) = Tail::of(logs, *log)
        {
            return Ok(tail);
        }
        let author = Author { node: &self.node, person: None };
        let signed = open_log(roster, space, author, clock::incarnation(), clock::act(), None)?;
        let log = signed.entry.core().log;
        self.keep(vec![signed])?;
        Tail::of(self.store.logs(), log).ok_or_else(|| {
            Trouble::new("log", "无法在该共享空间建立日志", "cannot open a log in that space")
        })
    }

    /// Puts own entries on disk, in one durable step.
    fn keep(&mut self, signed: Vec<Signed>) -> Answer<()> {
        let places: Vec<(LogId, Point)> = signed
            .iter()
            .map(|s| (s.entry.core().log, (s.entry.core().sequence, s.entry.id())))
            .collect();
        let batch = signed.into_iter().map(|s| (s.entry, s.body)).collect();
        let received = self.store.receive(batch, clock::now_ms())?;
        if let Some(refused) = received.refused.first() {
            let zh = refused.reason.text(xw_schemas::record::Lang::Zh);
            let en = refused.reason.text(xw_schemas::record::Lang::En);
            return Err(Trouble::new("door", format!("条目未被接收：{zh}"), en));
        }
        self.fresh.extend(places);
        Ok(())
    }

    /// Signs and stores a witness entry; nothing when there is nothing new.
    pub(crate) fn witness(&mut self, space: Space, targets: &[LogId]) -> Answer<()> {
        let tail = self.tail(space)?;
        let author = Author { node: &self.node, person: None };
        let (roster, logs) = (self.store.roster(), self.store.logs());
        let act = clock::act();
        let signed = xw_ledger::draft::write_witness(roster, logs, &tail, targets, author, act)?;
        signed.map_or(Ok(()), |signed| self.keep(vec![signed]))
    }

    /// Signs a checkpoint of own logs that grew.
    pub(crate) fn checkpoint(&mut self, logs: &BTreeSet<LogId>) -> Answer<()> {
        let network = self.store.roster().network();
        for id in logs {
            let Some(log) = self.store.logs().log(id) else { continue };
            let (size, root) = (log.size(), log.root());
            let checkpoint = Checkpoint { network, log: *id, size, root };
            self.store.set_checkpoint(&checkpoint.sign(&self.node))?;
        }
        Ok(())
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
