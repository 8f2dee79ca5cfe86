//! What somebody holds: roster editions, definitions, entries in their logs, bodies. Fed by a node's
//! store, by a simulation or by a pack; everything else in this crate is worked out from it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use xw_ledger::interval::{Interval, interval};
use xw_ledger::judge::{Definitions, Evidence, Judged, judge};
use xw_ledger::log::{DoorRefusal, Log, Logs, Placed};
use xw_ledger::roster::{Chain, Roster};
use xw_ledger::standing::{LogStanding, Standing};
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, RecordId};
use xw_schemas::record::{RecordType, SchemaHash};
use xw_schemas::space::Space;

use crate::pins::Pins;

/// One record of one space.
pub type Place = (Space, RecordId);

/// Everything held of some spaces.
#[derive(Debug)]
pub struct Holdings {
    chain: Chain,
    definitions: Definitions,
    logs: Logs,
    entries: BTreeMap<EntryId, VerifiedEntry>,
    bodies: BTreeMap<EntryId, Body>,
    records: BTreeMap<Place, BTreeSet<EntryId>>,
}

/// How entries stand and what witnesses say of them, worked out once over everything held.
#[derive(Debug)]
pub struct Assessed {
    standings: BTreeMap<LogId, LogStanding>,
    /// The pins that count.
    pub pins: Pins,
}

impl Holdings {
    /// The roster and the definitions that are held, and no entry yet.
    #[must_use]
    pub fn new(chain: Chain, definitions: impl IntoIterator<Item = Arc<RecordType>>) -> Self {
        Self {
            chain,
            definitions: definitions.into_iter().map(|rt| (rt.hash(), rt)).collect(),
            logs: Logs::of_material(),
            entries: BTreeMap::new(),
            bodies: BTreeMap::new(),
            records: BTreeMap::new(),
        }
    }

    /// Takes an entry, in log order, with its body where that may be used. All variants of a slot are
    /// taken, as many as the material has: which of them counts is known when all is read.
    pub fn take(
        &mut self,
        entry: VerifiedEntry,
        body: Option<Body>,
    ) -> Result<Placed, DoorRefusal> {
        let (id, core) = (entry.id(), entry.core());
        let (placed, _) = self.logs.place(self.chain.roster(), &entry)?;
        if let (Some(body), Some(change)) = (body, entry.change())
            && body.matches(change)
        {
            self.bodies.insert(id, body);
        }
        if placed == Placed::Duplicate {
            return Ok(placed);
        }
        let space = self.logs.log(&core.log).map(|log| log.space);
        if let (Some(space), Some(record)) = (space, core.statement.record()) {
            self.records.entry((space, record)).or_default().insert(id);
        }
        self.entries.insert(id, entry);
        Ok(placed)
    }

    /// The roster.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        self.chain.roster()
    }

    /// All editions held.
    #[must_use]
    pub fn chain(&self) -> &Chain {
        &self.chain
    }

    /// The definitions held.
    #[must_use]
    pub fn definitions(&self) -> &Definitions {
        &self.definitions
    }

    /// A definition held.
    #[must_use]
    pub fn definition(&self, hash: &SchemaHash) -> Option<&Arc<RecordType>> {
        self.definitions.get(hash)
    }

    /// The logs held.
    #[must_use]
    pub fn logs(&self) -> &Logs {
        &self.logs
    }

    /// All entries held, by id.
    pub fn entries(&self) -> impl Iterator<Item = &VerifiedEntry> {
        self.entries.values()
    }

    /// An entry.
    #[must_use]
    pub fn entry(&self, id: &EntryId) -> Option<&VerifiedEntry> {
        self.entries.get(id)
    }

    /// A body held.
    #[must_use]
    pub fn body(&self, id: &EntryId) -> Option<&Body> {
        self.bodies.get(id)
    }

    /// All records of which anything is held, with their entries.
    pub fn records(&self) -> impl Iterator<Item = (&Place, &BTreeSet<EntryId>)> {
        self.records.iter()
    }

    /// The entries of one record.
    pub fn of(&self, place: &Place) -> impl Iterator<Item = &VerifiedEntry> {
        let ids = self.records.get(place).into_iter().flatten();
        ids.filter_map(|id| self.entries.get(id))
    }

    /// Works out how everything stands.
    #[must_use]
    pub fn assess(&self) -> Assessed {
        let roster = self.chain.roster();
        let standings = self.logs.iter();
        let standings =
            standings.filter_map(|(id, _)| Some((*id, self.logs.assess(roster, id)?))).collect();
        let mut pins = Pins::default();
        for (space, _) in self.logs.spaces() {
            // An honest witness speaks in the space of which it speaks; so a space stands by itself.
            let author = |log: &LogId| {
                self.logs.log(log).filter(|log| log.space == *space).map(|log| log.node)
            };
            for held in self.logs.witnesses(*space) {
                if let Some(entry) = self.entries.get(&held.at.1) {
                    pins.add(roster, entry, author);
                }
            }
        }
        pins.sort();
        Assessed { standings, pins }
    }

    /// How an entry stands.
    #[must_use]
    pub fn standing(&self, assessed: &Assessed, entry: &VerifiedEntry) -> Standing {
        let core = entry.core();
        let log = assessed.standings.get(&core.log);
        log.map_or(Standing::Pending, |log| log.of(core.sequence, &entry.id()))
    }

    /// When an entry was made, by witnesses.
    #[must_use]
    pub fn interval(&self, assessed: &Assessed, entry: &VerifiedEntry) -> Interval {
        let forked = self.logs.log(&entry.core().log).is_some_and(|log| log.fork().is_some());
        if forked {
            return interval(self.chain.roster(), &self.logs, entry);
        }
        let space = |log: &LogId| self.logs.log(log).map(|log| log.space);
        assessed.pins.interval(self.chain.roster(), space, entry)
    }

    /// The evidence on one record with the bodies that `body` gives.
    pub fn evidence<'a>(
        &'a self,
        assessed: &Assessed,
        place: &Place,
        body: impl Fn(&EntryId) -> Option<&'a Body>,
    ) -> Vec<Evidence<'a>> {
        self.of(place)
            .map(|entry| Evidence {
                entry,
                body: body(&entry.id()),
                standing: self.standing(assessed, entry),
            })
            .collect()
    }

    /// Judges one record.
    #[must_use]
    pub fn judged(&self, place: &Place, evidence: &[Evidence<'_>]) -> Judged {
        judge(self.chain.roster(), &self.definitions, place.1, evidence)
    }
}

/// The numbers of a log that have more than one entry, with the entries.
pub(crate) fn fork_slots(log: &Log) -> BTreeMap<u64, BTreeSet<EntryId>> {
    let mut slots: BTreeMap<u64, BTreeSet<EntryId>> = BTreeMap::new();
    if log.fork().is_none() {
        return slots;
    }
    for (number, id) in log.entries() {
        slots.entry(number).or_default().insert(id);
    }
    slots.retain(|_, ids| ids.len() > 1);
    slots
}
