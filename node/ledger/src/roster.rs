//! Who belongs: from signed editions to the one roster that every rule reads. A function of the set
//! of editions held, never of their order of arrival; never goes back and never chooses by hash.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::edition::{Edition, Fact, OfficeId, SignerKind};
use xw_schemas::id::{EditionId, EntryId, LogId, NetworkId, PublicKey};
use xw_schemas::record::SchemaHash;
use xw_schemas::space::{Division, Space, Tier};

/// The version of the rules in this program. A roster that names another is not judged here.
pub const RULES_VERSION: u64 = 1;

/// An office on the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    /// Its number.
    pub id: OfficeId,
    /// Where it stands.
    pub division: Division,
    /// Its Chinese name.
    pub name: String,
}

/// A key on the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// A PC or a person.
    pub kind: SignerKind,
    /// Whose it is.
    pub office: OfficeId,
    /// The name shown beside what it signed.
    pub name: String,
    /// Roles of a person.
    pub roles: Vec<String>,
}

/// What stands of a cut key: log, last valid number, its entry.
pub type Cut = BTreeMap<LogId, (u64, EntryId)>;

/// The facts as of the newest edition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    network: NetworkId,
    head: EditionId,
    number: u64,
    frozen: bool,
    rules: u64,
    threshold: u64,
    roots: Vec<PublicKey>,
    places: BTreeMap<Division, String>,
    offices: BTreeMap<OfficeId, Office>,
    signers: BTreeMap<PublicKey, Signer>,
    cuts: BTreeMap<PublicKey, Cut>,
    schemas: BTreeMap<String, SchemaHash>,
    adopted: BTreeMap<SchemaHash, String>,
}

/// Why an edition is not taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RosterRefusal {
    /// It belongs to another network.
    #[error("the roster edition belongs to another network")]
    OtherNetwork,
    /// The edition before it is not held.
    #[error("the roster edition before it is not held")]
    Gap,
    /// Too few distinct root keys signed it.
    #[error("too few root keys signed the roster edition")]
    Threshold,
    /// The founding edition names no root keys.
    #[error("the founding edition names no root keys")]
    NoRoot,
    /// A fact contradicts the roster: an unknown office, or a key that changes its kind.
    #[error("a fact of the roster edition contradicts the roster")]
    Contradiction,
}

/// All editions held, and what they amount to.
#[derive(Debug, Clone)]
pub struct Chain {
    editions: BTreeMap<u64, Vec<Edition>>,
    roster: Roster,
}

impl Chain {
    /// Begins with the founding edition, which the node got by hand from its county.
    pub fn founded(edition: Edition) -> Result<Self, RosterRefusal> {
        if edition.core().number != 1 {
            return Err(RosterRefusal::Gap);
        }
        let roster = Roster::founded(&edition)?;
        Ok(Self { editions: BTreeMap::from([(1, vec![edition])]), roster })
    }

    /// The roster of the common prefix of all editions held.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// Takes up an edition. `Ok(true)` when the roster changed.
    ///
    /// Two valid editions with one number freeze the roster before both, until root names one.
    pub fn add(&mut self, edition: Edition) -> Result<bool, RosterRefusal> {
        let number = edition.core().number;
        if edition.network() != self.roster.network {
            return Err(RosterRefusal::OtherNetwork);
        }
        // Signatures stand outside the id: other root keys over the same facts are no fork.
        let mut held = self.editions.get(&number).into_iter().flatten();
        if held.any(|held| held.id() == edition.id()) {
            return Ok(false);
        }
        // Valid against the prefix that it names, which must be held.
        let mut before = self.roster_at(number - 1).ok_or(RosterRefusal::Gap)?;
        before.extend(&edition)?;
        self.editions.entry(number).or_default().push(edition);
        let roster = self.evaluate();
        let changed = roster != self.roster;
        self.roster = roster;
        Ok(changed)
    }

    /// Editions with a number above `above`, in order, for a neighbour that lacks them.
    pub fn above(&self, above: u64) -> impl Iterator<Item = &Edition> {
        self.editions.range(above + 1..).flat_map(|(_, editions)| editions)
    }

    /// The highest number held, also beyond a freeze.
    #[must_use]
    pub fn highest(&self) -> u64 {
        self.editions.keys().next_back().copied().unwrap_or(0)
    }

    fn roster_at(&self, number: u64) -> Option<Roster> {
        let mut editions = self.editions.values().flatten();
        let mut roster = Roster::founded(editions.next()?).ok()?;
        for step in 2..=number {
            let [edition] = self.editions.get(&step)?.as_slice() else { return None };
            roster.extend(edition).ok()?;
        }
        (number >= 1).then_some(roster)
    }

    fn evaluate(&self) -> Roster {
        let last = (1..).take_while(|n| self.editions.get(n).is_some_and(|e| e.len() == 1)).last();
        let mut roster = self
            .roster_at(last.unwrap_or(1))
            .expect("every edition was valid against its prefix when it was added");
        roster.frozen = self.editions.values().any(|editions| editions.len() > 1);
        roster
    }
}

impl Roster {
    fn founded(edition: &Edition) -> Result<Self, RosterRefusal> {
        let mut roster = Self {
            network: edition.network(),
            head: EditionId([0; 32]),
            number: 0,
            frozen: false,
            rules: RULES_VERSION,
            threshold: 0,
            roots: Vec::new(),
            places: BTreeMap::new(),
            offices: BTreeMap::new(),
            signers: BTreeMap::new(),
            cuts: BTreeMap::new(),
            schemas: BTreeMap::new(),
            adopted: BTreeMap::new(),
        };
        // The founding edition is signed by the root keys that it names itself.
        for fact in &edition.core().facts {
            if let Fact::Root { threshold, keys } = fact {
                (roster.threshold, roster.roots) = (*threshold, keys.clone());
            }
        }
        if roster.roots.is_empty() {
            return Err(RosterRefusal::NoRoot);
        }
        roster.extend(edition)?;
        Ok(roster)
    }

    fn extend(&mut self, edition: &Edition) -> Result<(), RosterRefusal> {
        let core = edition.core();
        if core.number != self.number + 1 || core.previous != self.head {
            return Err(RosterRefusal::Gap);
        }
        if !self.is_signed_by_root(edition) {
            return Err(RosterRefusal::Threshold);
        }
        for fact in &core.facts {
            self.take(fact)?;
        }
        // A change of root keys needs the threshold of the new keys too.
        if !self.is_signed_by_root(edition) {
            return Err(RosterRefusal::Threshold);
        }
        (self.number, self.head) = (core.number, edition.id());
        Ok(())
    }

    fn is_signed_by_root(&self, edition: &Edition) -> bool {
        let signed = edition.signers().iter().filter(|key| self.roots.contains(key)).count();
        signed as u64 >= self.threshold
    }

    fn take(&mut self, fact: &Fact) -> Result<(), RosterRefusal> {
        match fact {
            Fact::Root { threshold, keys } => {
                (self.threshold, self.roots) = (*threshold, keys.clone());
            }
            Fact::Rules { version } => self.rules = *version,
            Fact::Place { division, name } => {
                self.places.insert(*division, name.clone());
            }
            Fact::Office { office, division, name } => {
                let entry = Office { id: *office, division: *division, name: name.clone() };
                if self.offices.insert(*office, entry).is_some_and(|o| o.division != *division) {
                    return Err(RosterRefusal::Contradiction);
                }
            }
            Fact::Signer { key, kind, office, name, roles } => {
                let known = self.signers.get(key);
                let moved = known.is_some_and(|s| s.kind != *kind || s.office != *office);
                if moved || !self.offices.contains_key(office) {
                    return Err(RosterRefusal::Contradiction);
                }
                let (kind, office) = (*kind, *office);
                let signer = Signer { kind, office, name: name.clone(), roles: roles.clone() };
                self.signers.insert(*key, signer);
            }
            Fact::Cut { key, kept } => {
                let cut = kept.iter().map(|(log, number, id)| (*log, (*number, *id))).collect();
                self.cuts.insert(*key, cut);
            }
            Fact::Schema { record_type, definition } => {
                self.schemas.insert(record_type.clone(), *definition);
                self.adopted.insert(*definition, record_type.clone());
            }
        }
        Ok(())
    }

    /// The network.
    #[must_use]
    pub fn network(&self) -> NetworkId {
        self.network
    }

    /// The newest edition.
    #[must_use]
    pub fn head(&self) -> EditionId {
        self.head
    }

    /// Its number.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether two editions with one number are held: everything waits for root.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Whether this program knows the rules that the roster names.
    #[must_use]
    pub fn rules_are_known(&self) -> bool {
        self.rules == RULES_VERSION
    }

    /// The version of the rules.
    #[must_use]
    pub fn rules(&self) -> u64 {
        self.rules
    }

    /// The signer of a key.
    #[must_use]
    pub fn signer(&self, key: &PublicKey) -> Option<&Signer> {
        self.signers.get(key)
    }

    /// All signers.
    pub fn signers(&self) -> impl Iterator<Item = (&PublicKey, &Signer)> {
        self.signers.iter()
    }

    /// An office.
    #[must_use]
    pub fn office(&self, id: OfficeId) -> Option<&Office> {
        self.offices.get(&id)
    }

    /// All offices.
    pub fn offices(&self) -> impl Iterator<Item = &Office> {
        self.offices.values()
    }

    /// The office that a key signs for.
    #[must_use]
    pub fn office_of(&self, key: &PublicKey) -> Option<&Office> {
        self.signers.get(key).and_then(|signer| self.offices.get(&signer.office))
    }

    /// The office of a node key; `None` for a person's key.
    #[must_use]
    pub fn node_office(&self, key: &PublicKey) -> Option<&Office> {
        self.signers
            .get(key)
            .filter(|signer| signer.kind == SignerKind::Node)
            .and_then(|signer| self.offices.get(&signer.office))
    }

    /// Node keys that may connect: on the roster and not cut.
    #[must_use]
    pub fn live_nodes(&self) -> BTreeSet<PublicKey> {
        let nodes = self.signers.iter().filter(|(_, signer)| signer.kind == SignerKind::Node);
        nodes.map(|(key, _)| *key).filter(|key| !self.cuts.contains_key(key)).collect()
    }

    /// What stands of a cut key; `None` for a live one.
    #[must_use]
    pub fn cut(&self, key: &PublicKey) -> Option<&Cut> {
        self.cuts.get(key)
    }

    /// The record type that a definition was adopted for.
    #[must_use]
    pub fn adopted(&self, definition: &SchemaHash) -> Option<&str> {
        self.adopted.get(definition).map(String::as_str)
    }

    /// All definitions ever adopted.
    pub fn definitions(&self) -> impl Iterator<Item = (&SchemaHash, &String)> {
        self.adopted.iter()
    }

    /// The definition that new records of a type are written under.
    #[must_use]
    pub fn current_schema(&self, record_type: &str) -> Option<SchemaHash> {
        self.schemas.get(record_type).copied()
    }

    /// The record types in use, with the definition of new records.
    pub fn schemas(&self) -> impl Iterator<Item = (&String, &SchemaHash)> {
        self.schemas.iter()
    }

    /// A division's name.
    #[must_use]
    pub fn place(&self, division: Division) -> Option<&str> {
        self.places.get(&division).map(String::as_str)
    }

    /// All named divisions.
    pub fn places(&self) -> impl Iterator<Item = (&Division, &String)> {
        self.places.iter()
    }

    /// Whether a node replicates a space.
    #[must_use]
    pub fn may_read(&self, node: &PublicKey, space: Space) -> bool {
        self.node_office(node).is_some_and(|office| space.is_read_by(office.division))
    }

    /// Which witness rank a node has over an author's logs, if any: the county over all below it,
    /// a township over its own villages.
    #[must_use]
    pub fn witness_rank(&self, witness: &PublicKey, author: &PublicKey) -> Option<Tier> {
        let (above, below) = (self.node_office(witness)?, self.node_office(author)?);
        let tier = above.division.tier();
        let covers = above.division.covers(below.division) && tier < below.division.tier();
        (covers && tier != Tier::Village).then_some(tier)
    }
}
