//! All editions held, as a set: in which order it is handed on, and the roster that it amounts to. What
//! may enter it stands in `door`; what an edition means is worked out in `evaluate`.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::edition::{Edition, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::{CopyId, EditionId, PublicKey};
use xw_schemas::space::Tier;

use super::root::RootFacts;
use super::{InvitationId, Roster, evaluate};

mod door;

/// Editions behind one and the same that are kept of each signer: two prove the contradiction, and
/// nobody buries with his own what somebody else has signed. Joinings that are kept of one invitation:
/// as many burn it.
pub(super) const RIVALS_KEPT: usize = 4;

/// Why an edition is not taken up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RosterRefusal {
    /// It belongs to another network.
    #[error("the roster edition belongs to another network")]
    OtherNetwork,
    /// The edition before it, or the invitation that it replaces, is not held.
    #[error("the roster edition before it is not held")]
    Gap,
    /// Too few distinct root keys signed it, or a newcomer's key did not.
    #[error("too few of the keys that must sign the roster edition have signed it")]
    Threshold,
    /// The founding edition names no root keys.
    #[error("the founding edition names no root keys")]
    NoRoot,
    /// A fact contradicts the roster: an unknown office, or a key that changes its kind.
    #[error("a fact of the roster edition contradicts the roster")]
    Contradiction,
    /// Too few registrars of the office signed it, or somebody else did.
    #[error("not signed by enough registrars of the office, or by others too")]
    Stranger,
    /// Several editions by its signers are held at its place already: they are the proof.
    #[error("several roster editions of this number are held already")]
    EnoughRivals,
}

impl RosterRefusal {
    /// For a Chinese reader.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::OtherNetwork => "该名册版次属于另一个网络",
            Self::Gap => "尚未收到它之前的名册版次或它所用的邀请",
            Self::Threshold => "必须签名的密钥签名不足",
            Self::NoRoot => "首版名册没有根密钥",
            Self::Contradiction => "该名册版次与现有名册矛盾",
            Self::Stranger => "登记员签名不足，或有非登记员的签名",
            Self::EnoughRivals => "同一号的互相矛盾的版次已有多个",
        }
    }
}

/// All editions held, and what they amount to.
#[derive(Debug, Clone)]
pub struct Chain {
    founding: EditionId,
    editions: BTreeMap<EditionId, Edition>,
    places: BTreeMap<(Scope, u64), BTreeSet<EditionId>>,
    copies: BTreeMap<CopyId, EditionId>,
    /// Whether it reads a set that is whole: then nobody's rivals are too many.
    finished: bool,
    roster: Roster,
}

impl Chain {
    /// Begins with the founding edition, which the node got by hand from its county.
    pub fn founded(edition: Edition) -> Result<Self, RosterRefusal> {
        if edition.core().number != 1 || edition.core().scope != Scope::Root {
            return Err(RosterRefusal::Gap);
        }
        let root = RootFacts::founded(&edition)?;
        let founding = edition.id();
        let mut chain = Self {
            founding,
            editions: BTreeMap::new(),
            places: BTreeMap::new(),
            copies: BTreeMap::new(),
            finished: false,
            roster: root.into_roster(),
        };
        chain.insert(edition);
        chain.roster = evaluate::evaluate(&chain);
        Ok(chain)
    }

    /// Reads a set that is whole, out of a store or a file: what was held there is held here, however
    /// many rivals are among it. What is never taken comes with its reason.
    pub fn of_set(
        founding: Edition,
        editions: impl IntoIterator<Item = Edition>,
    ) -> Result<(Self, Vec<(EditionId, RosterRefusal)>), RosterRefusal> {
        let mut chain = Self { finished: true, ..Self::founded(founding)? };
        let refused = chain.add_set(editions);
        chain.finished = false;
        Ok((chain, refused))
    }

    /// The roster that the editions held amount to.
    #[must_use]
    pub fn roster(&self) -> &Roster {
        &self.roster
    }

    /// The founding edition.
    #[must_use]
    pub fn founding(&self) -> &Edition {
        &self.editions[&self.founding]
    }

    /// Takes up an edition. `Ok(true)` when the roster changed.
    ///
    /// Two valid root editions with one number freeze the roster before both, until root names one.
    pub fn add(&mut self, edition: Edition) -> Result<bool, RosterRefusal> {
        Ok(self.add_all([edition])?.0)
    }

    /// Takes up several, each of which may need the ones before it, and works the roster out once.
    /// Whether the roster changed, and how many editions were new.
    ///
    /// # Errors
    /// The first refusal; what came before it is kept.
    pub fn add_all(
        &mut self,
        editions: impl IntoIterator<Item = Edition>,
    ) -> Result<(bool, usize), RosterRefusal> {
        let mut taken = 0;
        let mut refused = Ok(());
        for edition in editions {
            // Signatures stand outside the id: other keys over the same facts are no fork.
            let outcome = match self.editions.get(&edition.id()) {
                Some(held) => self.join(held, &edition),
                None => self.admits(&edition).map(|()| Some(edition)),
            };
            match outcome {
                Ok(None) => {}
                Ok(Some(edition)) => {
                    self.insert(edition);
                    taken += 1;
                }
                Err(why) => {
                    refused = Err(why);
                    break;
                }
            }
        }
        let mut changed = false;
        if taken > 0 {
            let roster = evaluate::evaluate(self);
            changed = roster != self.roster;
            self.roster = roster;
        }
        refused.map(|()| (changed, taken))
    }

    /// Takes up a set in whatever order it comes: what arrives too early is tried again. What is never
    /// taken, with the reason.
    pub fn add_set(
        &mut self,
        editions: impl IntoIterator<Item = Edition>,
    ) -> Vec<(EditionId, RosterRefusal)> {
        let mut waiting: Vec<Edition> = editions.into_iter().collect();
        loop {
            let before = waiting.len();
            let mut refused = Vec::new();
            let mut queue = std::mem::take(&mut waiting).into_iter();
            loop {
                let mut last = None;
                let asked = queue.by_ref().inspect(|edition| last = Some(edition.clone()));
                let Err(why) = self.add_all(asked) else { break };
                // What is refused is the last that was asked for.
                if let Some(edition) = last {
                    refused.push((edition.id(), why));
                    waiting.push(edition);
                }
            }
            if waiting.len() == before || waiting.is_empty() {
                return refused;
            }
        }
    }

    /// What the roster would be with one more edition, for whoever is about to sign it.
    pub fn preview(&self, edition: Edition) -> Result<Roster, RosterRefusal> {
        let mut chain = self.clone();
        chain.add(edition)?;
        Ok(chain.roster)
    }

    fn insert(&mut self, edition: Edition) {
        let core = edition.core();
        let place = (core.scope, core.number);
        self.places.entry(place).or_default().insert(edition.id());
        self.copies.insert(edition.copy_id(), edition.id());
        if let Some(before) = self.editions.insert(edition.id(), edition) {
            let held = self.editions.get(&before.id()).map(Edition::copy_id);
            if held != Some(before.copy_id()) {
                self.copies.remove(&before.copy_id());
            }
        }
    }

    fn facts(&self) -> impl Iterator<Item = &Fact> {
        self.editions.values().flat_map(|edition| &edition.core().facts)
    }

    fn holds(&self, scope: Scope, number: u64, id: &EditionId) -> bool {
        self.places.get(&(scope, number)).is_some_and(|ids| ids.contains(id))
    }

    /// The editions of a scope from the first to the named one.
    pub(super) fn path_to(
        &self,
        scope: Scope,
        number: u64,
        id: EditionId,
    ) -> Option<Vec<&Edition>> {
        let mut path = Vec::new();
        let (mut number, mut id) = (number, id);
        while number > 0 {
            let edition = self.editions.get(&id)?;
            if (edition.core().scope, edition.core().number) != (scope, number) {
                return None;
            }
            path.push(edition);
            (number, id) = (number - 1, edition.core().previous);
        }
        path.reverse();
        Some(path)
    }

    /// The editions of a scope and number, by id.
    pub(super) fn at(&self, scope: Scope, number: u64) -> impl Iterator<Item = &Edition> {
        let ids = self.places.get(&(scope, number)).into_iter().flatten();
        ids.filter_map(|id| self.editions.get(id))
    }

    /// All editions of a scope.
    pub(super) fn of_scope(&self, scope: Scope) -> impl Iterator<Item = &Edition> {
        let places = self.places.range((scope, 0)..=(scope, u64::MAX));
        places.flat_map(|(_, ids)| ids).filter_map(|id| self.editions.get(id))
    }

    /// All editions held, by id.
    pub(super) fn all(&self) -> impl Iterator<Item = &Edition> {
        self.editions.values()
    }

    /// All joining editions.
    pub(super) fn joinings(&self) -> impl Iterator<Item = &Edition> {
        let joins = |(scope, _): &(Scope, u64)| matches!(scope, Scope::Joining { .. });
        let places = self.places.iter().rev().take_while(move |(place, _)| joins(place));
        places.flat_map(|(_, ids)| ids).filter_map(|id| self.editions.get(id))
    }

    /// The copy of an edition that is held, by its name on the wire.
    #[must_use]
    pub fn copy(&self, copy: &CopyId) -> Option<&Edition> {
        self.editions.get(self.copies.get(copy)?)
    }

    /// An edition held.
    #[must_use]
    pub fn edition(&self, id: &EditionId) -> Option<&Edition> {
        self.editions.get(id)
    }

    /// All editions, those first that others need: root's, then level by level the newcomers and the
    /// registrars whom they make.
    pub fn editions(&self) -> impl Iterator<Item = &Edition> {
        let inviters = self.inviters();
        let mut order: Vec<(u8, &Edition)> = self
            .editions
            .values()
            .map(|edition| {
                let step = match replaces(edition) {
                    Some(invitation) => inviters.get(&invitation).map_or(9, |step| step + 1),
                    None => self.step(edition.core().scope),
                };
                (step, edition)
            })
            .collect();
        order.sort_by_key(|(step, edition)| {
            (*step, edition.core().scope, edition.core().number, edition.id())
        });
        order.into_iter().map(|(_, edition)| edition)
    }

    /// Root is 0, and between the levels of registrars their newcomers have room.
    fn step(&self, scope: Scope) -> u8 {
        match scope {
            Scope::Root => 0,
            Scope::Registrar { office, .. } => match self.roster.offices.get(&office) {
                Some(office) => 2 + 2 * tier_number(office.division.tier()),
                None => 8,
            },
            Scope::Joining { .. } => 9,
        }
    }

    /// The step at which each invitation is made.
    fn inviters(&self) -> BTreeMap<InvitationId, u8> {
        self.invited().map(|(invitation, scope)| (invitation, self.step(scope))).collect()
    }

    /// The ids of all editions.
    pub(super) fn ids(&self) -> impl Iterator<Item = &EditionId> {
        self.editions.keys()
    }

    /// How many editions are held.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.editions.len() as u64
    }

    /// The last edition that counts in a scope: what the next one there names.
    #[must_use]
    pub fn tip(&self, scope: Scope) -> Option<(u64, EditionId)> {
        let counted = self.roster.counted.iter().filter_map(|id| self.editions.get(id));
        let own = counted.filter(|edition| edition.core().scope == scope);
        own.map(|edition| (edition.core().number, edition.id())).max()
    }

    /// Root editions that contradict one another, by number.
    pub fn root_rivals(&self) -> impl Iterator<Item = (u64, &BTreeSet<EditionId>)> {
        let roots =
            self.places.iter().filter(|((scope, _), ids)| *scope == Scope::Root && ids.len() > 1);
        roots.map(|((_, number), ids)| (*number, ids))
    }

    /// The offices of every key that any edition held lists.
    pub(super) fn known(&self) -> BTreeMap<PublicKey, BTreeSet<(SignerKind, OfficeId)>> {
        let mut known: BTreeMap<PublicKey, BTreeSet<(SignerKind, OfficeId)>> = BTreeMap::new();
        for fact in self.facts() {
            if let Fact::Signer { key, kind, office, .. } = fact {
                known.entry(*key).or_default().insert((*kind, *office));
            }
        }
        for edition in self.editions.values() {
            let Some((.., office)) = replaces(edition) else { continue };
            for (key, kind) in new_signers(edition) {
                known.entry(key).or_default().insert((kind, office));
            }
        }
        known
    }
}

fn tier_number(tier: Tier) -> u8 {
    match tier {
        Tier::County => 0,
        Tier::Township => 1,
        Tier::Village => 2,
    }
}

/// In the place of which invitation a joining edition stands; `None` for others.
pub(super) fn replaces(edition: &Edition) -> Option<InvitationId> {
    let Scope::Joining { invite } = edition.core().scope else { return None };
    match edition.core().facts.as_slice() {
        [Fact::Replace { by, office, .. }] => Some((invite, *by, *office)),
        _ => None,
    }
}

/// The keys that a joining edition brings.
pub(super) fn new_keys(edition: &Edition) -> Vec<PublicKey> {
    match edition.core().facts.as_slice() {
        [Fact::Replace { node, people, .. }] => node.iter().chain(people).copied().collect(),
        _ => Vec::new(),
    }
}

/// The kind of the keys of a joining edition, in their order.
pub(super) fn new_signers(edition: &Edition) -> impl Iterator<Item = (PublicKey, SignerKind)> {
    let (node, people) = match edition.core().facts.as_slice() {
        [Fact::Replace { node, people, .. }] => (*node, people.clone()),
        _ => (None, Vec::new()),
    };
    let people = people.into_iter().map(|key| (key, SignerKind::Person));
    node.map(|key| (key, SignerKind::Node)).into_iter().chain(people)
}
