//! What one simulated node holds: its disk, which survives a crash, and the memory made from it.
//! Built on the rules of the ledger crate alone; knows nothing of neighbours.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use xw_ledger::judge::{Definitions, Evidence, Judged, erasure_in_force, judge};
use xw_ledger::log::{Logs, Placed, Restood};
use xw_ledger::roster::{Chain, RULES_VERSION};
use xw_ledger::standing::{LogStanding, Standing};
use xw_replica::TurnedAway;
use xw_schemas::edition::Edition;
use xw_schemas::entry::{Body, ChangeStatement, Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, PublicKey, RecordId};
use xw_schemas::record::{Level, SchemaHash};
use xw_schemas::space::{Space, Tier};

use crate::founding::known_types;

/// An entry with its body, where that is held.
#[derive(Debug, Clone)]
pub struct Kept {
    /// The entry.
    pub entry: Arc<VerifiedEntry>,
    /// Its body.
    pub body: Option<Arc<Body>>,
}

/// One durable transaction.
#[derive(Debug, Clone)]
pub enum Commit {
    /// A roster edition.
    Edition(Edition),
    /// A definition, by its hash.
    Definition(SchemaHash),
    /// Entries in the order in which the door took them, and bodies for entries held before.
    Entries(Vec<Kept>),
    /// This node writes in this log from now on.
    Opened(Space, LogId),
    /// It writes in none of its logs any more.
    Retired,
    /// A person typed this entry at this PC.
    Typed(EntryId),
}

impl Commit {
    /// The entries written in it.
    pub(crate) fn entries(&self) -> &[Kept] {
        match self {
            Self::Entries(kept) => kept,
            _ => &[],
        }
    }
}

/// What a node has in memory: nothing that its disk does not give back.
#[derive(Debug, Clone)]
pub struct Memory {
    /// The roster.
    pub chain: Chain,
    /// All logs.
    pub logs: Logs,
    /// The definitions held.
    pub definitions: Definitions,
    /// All entries held.
    pub entries: BTreeMap<EntryId, Kept>,
    /// The change entries of each record.
    pub records: BTreeMap<(Space, RecordId), BTreeSet<EntryId>>,
    /// The logs that this node writes.
    pub own_logs: BTreeMap<Space, LogId>,
    /// What people typed at this PC.
    pub typed: BTreeSet<EntryId>,
    /// Records whose contents were removed.
    pub erased: BTreeSet<(Space, RecordId)>,
    /// Whether this disk is not what it once was: an office that gave its word may have forgotten it.
    pub retired: bool,
    /// The newest version of the rules that the program knows.
    pub rules_known: u64,
    /// Whether it judges by the rules that it knows when the roster names newer ones.
    pub ignores_rules: bool,
    own: PublicKey,
}

/// What the door did with a batch.
#[derive(Debug, Clone, Default)]
pub struct Taken {
    /// What must be written to disk.
    pub kept: Vec<Kept>,
    /// Entries now held, new or not.
    pub held: Vec<(LogId, (u64, EntryId))>,
    /// What was not taken, and why.
    pub turned_away: Vec<TurnedAway>,
}

impl Memory {
    /// The memory of a node that holds the founding edition and the definitions it names.
    ///
    /// # Panics
    /// When the founding edition is none.
    #[must_use]
    pub fn born(own: PublicKey, founding: &Edition) -> Self {
        let chain = Chain::founded(founding.clone()).expect("a county is founded by its edition");
        let named = chain.roster().definitions();
        let definitions =
            named.filter_map(|(hash, _)| Some((*hash, known_types().get(hash)?.clone()))).collect();
        Self {
            chain,
            logs: Logs::new(),
            definitions,
            entries: BTreeMap::new(),
            records: BTreeMap::new(),
            own_logs: BTreeMap::new(),
            typed: BTreeSet::new(),
            erased: BTreeSet::new(),
            retired: false,
            rules_known: RULES_VERSION,
            ignores_rules: false,
            own,
        }
    }

    /// What the disk gives back after a crash.
    #[must_use]
    pub fn reborn(own: PublicKey, founding: &Edition, disk: &[Commit]) -> Self {
        let mut memory = Self::born(own, founding);
        for commit in disk {
            match commit {
                Commit::Edition(edition) => {
                    // An edition that was taken up once is taken up again.
                    let _ = memory.chain.add(edition.clone());
                }
                Commit::Definition(hash) => memory.learn(*hash),
                Commit::Opened(space, log) => {
                    memory.own_logs.insert(*space, *log);
                }
                Commit::Retired => {
                    memory.own_logs.clear();
                    memory.retired = true;
                }
                Commit::Typed(id) => {
                    memory.typed.insert(*id);
                }
                Commit::Entries(_) => {}
            }
        }
        for commit in disk {
            if let Commit::Entries(kept) = commit {
                for kept in kept {
                    let entry = VerifiedEntry::from_store(kept.entry.bytes().to_vec());
                    let entry = Arc::new(entry.expect("what was stored can be read"));
                    memory.remember(Kept { entry, body: kept.body.clone() });
                }
            }
        }
        memory.logs.reassess(memory.chain.roster(), &mut Restood::default());
        memory
    }

    /// Takes a batch through the door.
    pub fn take(&mut self, batch: Vec<Kept>) -> Taken {
        let mut taken = Taken::default();
        let entries = batch.iter().map(|kept| &*kept.entry);
        let (placed, _) = self.logs.place_all(self.chain.roster(), entries);
        for (at, placed) in placed {
            let Kept { entry, body } = &batch[at];
            let (core, id) = (entry.core(), entry.id());
            let (log, point) = (core.log, (core.sequence, id));
            match placed {
                Ok(Placed::Duplicate) => {
                    taken.held.push((log, point));
                    // A body that came late: the entry arrived by way of an office without it.
                    if let Some(held) = self.entries.get_mut(&id)
                        && held.body.is_none()
                        && body.is_some()
                    {
                        held.body.clone_from(body);
                        taken.kept.push(batch[at].clone());
                    }
                }
                Ok(Placed::Appended | Placed::Forked) => {
                    taken.held.push((log, point));
                    self.note(entry);
                    self.entries.insert(id, batch[at].clone());
                    taken.kept.push(batch[at].clone());
                }
                Err(refusal) => {
                    let (previous, why) = (core.previous, refusal.into());
                    taken.turned_away.push(TurnedAway { log, point, previous, why });
                }
            }
        }
        taken
    }

    /// Takes in again what the disk kept.
    fn remember(&mut self, Kept { entry, body }: Kept) {
        let id = entry.id();
        match self.logs.restore(self.chain.roster(), &entry) {
            Ok(Placed::Duplicate) => {
                if let Some(held) = self.entries.get_mut(&id) {
                    held.body = held.body.take().or(body);
                }
            }
            Ok(Placed::Appended | Placed::Forked) => {
                self.note(&entry);
                self.entries.insert(id, Kept { entry, body });
            }
            Err(_) => {}
        }
    }

    fn note(&mut self, entry: &VerifiedEntry) {
        let log = entry.core().log;
        let Some(space) = self.logs.log(&log).map(|log| log.space) else { return };
        if let Some(record) = entry.core().statement.record() {
            self.records.entry((space, record)).or_default().insert(entry.id());
        }
    }

    /// Whether this program knows the rules that the roster names.
    #[must_use]
    pub fn knows_rules(&self) -> bool {
        self.ignores_rules || self.chain.roster().rules() <= self.rules_known
    }

    /// Removes the contents of records whose erasure has come to hold.
    pub fn sweep(&mut self) {
        if !self.knows_rules() {
            return;
        }
        let asked = self
            .entries
            .values()
            .filter(|kept| matches!(kept.entry.core().statement, Statement::Erase(_)));
        let asked: BTreeSet<(Space, RecordId)> = asked
            .filter_map(|kept| {
                let core = kept.entry.core();
                Some((self.logs.log(&core.log)?.space, core.statement.record()?))
            })
            .collect();
        if asked.is_empty() && self.erased.is_empty() {
            return;
        }
        let standings = self.standings();
        let holds = |of: &(Space, RecordId)| {
            erasure_in_force(self.chain.roster(), &self.evidence(&standings, of)).is_some()
        };
        self.erased = asked.into_iter().filter(holds).collect();
        for of in &self.erased {
            for id in self.records.get(of).into_iter().flatten() {
                if let Some(kept) = self.entries.get_mut(id) {
                    kept.body = None;
                }
            }
        }
    }

    /// Takes up an edition; whether the roster changed.
    pub fn add_edition(&mut self, edition: Edition) -> Option<bool> {
        let changed = self.chain.add(edition).ok()?;
        if changed {
            self.logs.reassess(self.chain.roster(), &mut Restood::default());
        }
        Some(changed)
    }

    /// Takes up a definition.
    pub fn learn(&mut self, hash: SchemaHash) {
        if let Some(definition) = known_types().get(&hash) {
            self.definitions.insert(hash, definition.clone());
        }
    }

    /// Adopted definitions that are not held.
    #[must_use]
    pub fn missing_definitions(&self) -> Vec<SchemaHash> {
        let adopted = self.chain.roster().definitions().map(|(hash, _)| *hash);
        adopted.filter(|hash| !self.definitions.contains_key(hash)).collect()
    }

    /// Whether an office of this level gets the bodies of a change; `None` while the definition
    /// that says it is not held.
    #[must_use]
    pub fn may_have_body(&self, change: &ChangeStatement, tier: Tier) -> Option<bool> {
        let adopted = self.chain.roster().adopted(&change.schema);
        if adopted != Some(change.record_type.as_str()) {
            return Some(false);
        }
        let level = Level::from(tier);
        self.definitions.get(&change.schema).map(|rt| rt.body_levels.contains(&level))
    }

    /// The level of a node.
    #[must_use]
    pub fn tier(&self, node: &PublicKey) -> Option<Tier> {
        self.chain.roster().node_office(node).map(|office| office.division.tier())
    }

    /// In each log the lowest number of an entry whose body this node may have and lacks.
    #[must_use]
    pub fn bodies_lacking(&self) -> BTreeMap<LogId, u64> {
        let mut lacking = BTreeMap::new();
        let Some(tier) = self.tier(&self.own) else { return lacking };
        for kept in self.entries.values().filter(|kept| kept.body.is_none()) {
            let Some(change) = kept.entry.change() else { continue };
            let core = kept.entry.core();
            let space = self.logs.log(&core.log).map(|log| log.space);
            if space.is_some_and(|space| self.erased.contains(&(space, change.record))) {
                continue;
            }
            if self.may_have_body(change, tier) == Some(true) {
                let lowest = lacking.entry(core.log).or_insert(core.sequence);
                *lowest = core.sequence.min(*lowest);
            }
        }
        lacking
    }

    /// How the entries of every log stand.
    #[must_use]
    pub fn standings(&self) -> BTreeMap<LogId, LogStanding> {
        let roster = self.chain.roster();
        self.logs.iter().filter_map(|(id, _)| Some((*id, self.logs.assess(roster, id)?))).collect()
    }

    /// The standing of one entry.
    #[must_use]
    pub fn standing(&self, entry: &VerifiedEntry) -> Standing {
        let core = entry.core();
        self.logs.standing(self.chain.roster(), &core.log, core.sequence, &entry.id())
    }

    /// The evidence on one record, with standings read from `standings`.
    #[must_use]
    pub fn evidence<'a>(
        &'a self,
        standings: &BTreeMap<LogId, LogStanding>,
        of: &(Space, RecordId),
    ) -> Vec<Evidence<'a>> {
        let ids = self.records.get(of).into_iter().flatten();
        let kept = ids.filter_map(|id| self.entries.get(id));
        kept.map(|kept| {
            let core = kept.entry.core();
            let standing = standings
                .get(&core.log)
                .map_or(Standing::Pending, |log| log.of(core.sequence, &kept.entry.id()));
            Evidence { entry: &kept.entry, body: kept.body.as_deref(), standing }
        })
        .collect()
    }

    /// The verdicts and the view of one record; none under rules that this program does not know.
    #[must_use]
    pub fn judged(
        &self,
        standings: &BTreeMap<LogId, LogStanding>,
        of: &(Space, RecordId),
    ) -> Judged {
        if !self.knows_rules() {
            return Judged { verdicts: BTreeMap::new(), view: None, standing: Standing::Pending };
        }
        let evidence = self.evidence(standings, of);
        judge(self.chain.roster(), &self.definitions, of.1, &evidence)
    }
}
