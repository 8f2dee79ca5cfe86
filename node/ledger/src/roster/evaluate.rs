//! From the set of editions to the roster: root first, then level by level the registrars of an
//! office and the newcomers whom they invited. Where two speak of one thing, the higher stands.

use std::collections::BTreeMap;

use xw_schemas::edition::{Edition, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::hash::tagged;
use xw_schemas::id::{EditionId, PublicKey};
use xw_schemas::space::Tier;

use super::chain::{Chain, RosterRefusal, new_keys, new_signers};
use super::paths::leading;
use super::{Cut, Delegation, Invitation, Office, PassedOver, Rank, Roster, Signer};

/// The facts of a chain of root editions.
pub(super) struct RootFacts {
    roster: Roster,
}

impl RootFacts {
    pub(super) fn founded(edition: &Edition) -> Result<Self, RosterRefusal> {
        let mut roster = Roster::empty(edition);
        // The founding edition is signed by the root keys that it names itself.
        for fact in &edition.core().facts {
            if let Fact::Root { threshold, keys } = fact {
                (roster.threshold, roster.roots) = (*threshold, keys.clone());
            }
        }
        if roster.roots.is_empty() {
            return Err(RosterRefusal::NoRoot);
        }
        let mut facts = Self { roster };
        facts.extend(edition)?;
        Ok(facts)
    }

    pub(super) fn of(path: &[&Edition]) -> Result<Self, RosterRefusal> {
        let (founding, later) = path.split_first().ok_or(RosterRefusal::Gap)?;
        let mut facts = Self::founded(founding)?;
        for edition in later {
            facts.extend(edition)?;
        }
        Ok(facts)
    }

    pub(super) fn into_roster(self) -> Roster {
        self.roster
    }

    pub(super) fn extend(&mut self, edition: &Edition) -> Result<(), RosterRefusal> {
        let core = edition.core();
        if core.number != self.roster.number + 1 || core.previous != self.roster.head {
            return Err(RosterRefusal::Gap);
        }
        if !self.roster.is_signed_by_root(edition) {
            return Err(RosterRefusal::Threshold);
        }
        for fact in &core.facts {
            self.roster.take_root(fact)?;
        }
        // A change of root keys needs the threshold of the new keys too.
        if !self.roster.is_signed_by_root(edition) {
            return Err(RosterRefusal::Threshold);
        }
        (self.roster.number, self.roster.head) = (core.number, edition.id());
        self.roster.counted.push(edition.id());
        Ok(())
    }
}

impl Roster {
    fn empty(founding: &Edition) -> Self {
        let none = EditionId([0; 32]);
        Self {
            network: founding.network(),
            state: none,
            head: none,
            number: 0,
            frozen: false,
            rules: super::RULES_VERSION,
            threshold: 0,
            roots: Vec::new(),
            places: BTreeMap::new(),
            offices: BTreeMap::new(),
            signers: BTreeMap::new(),
            cuts: BTreeMap::new(),
            schemas: BTreeMap::new(),
            adopted: BTreeMap::new(),
            delegations: BTreeMap::new(),
            invitations: BTreeMap::new(),
            adjudicated: BTreeMap::new(),
            adopted_entries: BTreeMap::new(),
            counted: Vec::new(),
            passed_over: Default::default(),
            known: BTreeMap::new(),
        }
    }

    fn is_signed_by_root(&self, edition: &Edition) -> bool {
        let signed = edition.signers().iter().filter(|key| self.roots.contains(key)).count();
        signed as u64 >= self.threshold
    }

    fn take_root(&mut self, fact: &Fact) -> Result<(), RosterRefusal> {
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
                let signer = Signer {
                    kind: *kind,
                    office: *office,
                    name: name.clone(),
                    roles: roles.clone(),
                    rank: Rank::Root,
                };
                self.signers.insert(*key, signer);
            }
            Fact::Cut { key, kept } => {
                let kept = kept.iter().map(|(log, number, id)| (*log, (*number, *id))).collect();
                self.cuts.insert(*key, Cut { kept, exact: true });
            }
            Fact::Schema { record_type, definition } => {
                self.schemas.insert(record_type.clone(), *definition);
                self.adopted.insert(*definition, record_type.clone());
            }
            Fact::Registrar { office, term, threshold, role, closes } => {
                if !self.offices.contains_key(office) {
                    return Err(RosterRefusal::Contradiction);
                }
                let delegation =
                    Delegation { threshold: *threshold, role: role.clone(), closes: *closes };
                self.delegations.entry(*office).or_default().insert(*term, delegation);
            }
            Fact::Invite { key, office, node, people } => {
                if !self.offices.contains_key(office) || self.invitations.contains_key(key) {
                    return Err(RosterRefusal::Contradiction);
                }
                let invitation = Invitation {
                    office: *office,
                    node: node.clone(),
                    people: people.clone(),
                    rank: Rank::Root,
                    replaced: None,
                };
                self.invitations.insert(*key, invitation);
            }
            // Refused where the edition is read: root replaces no invitation.
            Fact::Replace { .. } => return Err(RosterRefusal::Contradiction),
            Fact::Adjudicate { log, number, entry } => {
                self.adjudicated.insert(*log, (*number, *entry));
            }
            Fact::Adopt { log, number, entry } => {
                self.adopted_entries.entry(*log).or_default().insert(*entry, *number);
            }
            // Read where the leading chain is chosen.
            Fact::Recover { .. } => {}
        }
        Ok(())
    }
}

/// One evaluation.
struct Evaluation<'a> {
    chain: &'a Chain,
    roster: Roster,
    /// What registrars have cut: by whose authority and for which area.
    cuts: Vec<(Rank, OfficeId, PublicKey, Cut)>,
    joinings: BTreeMap<PublicKey, Vec<&'a Edition>>,
}

/// Works the roster out from all editions held.
pub(super) fn evaluate(chain: &Chain) -> Roster {
    let leading = leading(chain);
    let mut roster = RootFacts::of(&leading.path)
        .expect("every edition was valid against its path when it was added")
        .into_roster();
    roster.frozen = leading.frozen;
    for id in leading.passed {
        roster.passed_over.insert((id, None, PassedOver::Rival));
    }
    let mut joinings: BTreeMap<PublicKey, Vec<&Edition>> = BTreeMap::new();
    for edition in chain.joinings() {
        if let Scope::Joining { invite } = edition.core().scope {
            joinings.entry(invite).or_default().push(edition);
        }
    }
    let mut evaluation = Evaluation { chain, roster, cuts: Vec::new(), joinings };
    evaluation.join(Rank::Root);
    for tier in [Tier::County, Tier::Township] {
        let offices: Vec<OfficeId> = evaluation
            .roster
            .delegations
            .keys()
            .filter(|id| {
                evaluation.roster.offices.get(id).is_some_and(|o| o.division.tier() == tier)
            })
            .copied()
            .collect();
        for office in offices {
            evaluation.hear_registrars(office, Rank::Registrar(tier));
        }
        evaluation.join(Rank::Registrar(tier));
    }
    evaluation.close()
}

impl<'a> Evaluation<'a> {
    /// Puts the newcomers on the roster whom this rank has invited.
    fn join(&mut self, rank: Rank) {
        let invited: Vec<PublicKey> = self
            .roster
            .invitations
            .iter()
            .filter(|(_, invitation)| invitation.rank == rank)
            .map(|(key, _)| *key)
            .collect();
        for invite in invited {
            let Some(editions) = self.joinings.remove(&invite) else { continue };
            let withdrawn = self.is_cut(&invite);
            let fitting: Vec<&Edition> =
                editions.iter().filter(|e| !withdrawn && self.fits(&invite, e)).copied().collect();
            let pass = |roster: &mut Roster, edition: &Edition, why| {
                roster.passed_over.insert((edition.id(), None, why));
            };
            if let [edition] = fitting.as_slice() {
                self.replace(&invite, edition);
            }
            for edition in &editions {
                let fits = fitting.iter().any(|other| other.id() == edition.id());
                match (fits, fitting.len()) {
                    (true, 1) => {}
                    (true, _) => pass(&mut self.roster, edition, PassedOver::Rival),
                    (false, _) => pass(&mut self.roster, edition, PassedOver::BadReplacement),
                }
            }
        }
    }

    fn fits(&self, invite: &PublicKey, edition: &Edition) -> bool {
        let Some(invitation) = self.roster.invitations.get(invite) else { return false };
        let [Fact::Replace { node, people }] = edition.core().facts.as_slice() else {
            return false;
        };
        let fresh = |key: &PublicKey| {
            !self.roster.signers.contains_key(key) && !self.roster.invitations.contains_key(key)
        };
        node.is_some() == invitation.node.is_some()
            && people.len() == invitation.people.len()
            && new_keys(edition).iter().all(fresh)
    }

    fn replace(&mut self, invite: &PublicKey, edition: &Edition) {
        let Some(invitation) = self.roster.invitations.get_mut(invite) else { return };
        invitation.replaced = Some(edition.id());
        let node = invitation.node.iter().map(|name| (name.clone(), Vec::new()));
        let names: Vec<_> = node.chain(invitation.people.iter().cloned()).collect();
        let (office, rank) = (invitation.office, invitation.rank);
        for ((key, kind), (name, roles)) in new_signers(edition).zip(names) {
            self.roster.signers.insert(key, Signer { kind, office, name, roles, rank });
        }
        self.roster.counted.push(edition.id());
    }

    /// Whether root or a registrar heard so far has cut a key.
    fn is_cut(&self, key: &PublicKey) -> bool {
        self.roster.cuts.contains_key(key)
            || self.cuts.iter().any(|(_, by, cut, _)| cut == key && self.covers(*by, key))
    }

    /// Whether a key's office, or an invitation's, lies strictly below an office.
    fn covers(&self, above: OfficeId, key: &PublicKey) -> bool {
        let signer = self.roster.signers.get(key).map(|signer| signer.office);
        let office = signer.or_else(|| self.roster.invitations.get(key).map(|i| i.office));
        office.is_some_and(|office| self.is_below(above, office))
    }

    fn is_below(&self, above: OfficeId, below: OfficeId) -> bool {
        let division = |office| self.roster.offices.get(&office).map(|o| o.division);
        matches!((division(above), division(below)), (Some(above), Some(below))
            if above != below && above.covers(below))
    }

    /// Takes the editions that an office's registrars made, term by term.
    fn hear_registrars(&mut self, office: OfficeId, rank: Rank) {
        let terms = self.roster.delegations.get(&office).cloned().unwrap_or_default();
        for (term, delegation) in &terms {
            let scope = Scope::Registrar { office, term: *term };
            let later = terms.range(term + 1..).next().map(|(_, later)| later.closes);
            let heard = match later {
                Some(closes) => self.closed_term(scope, closes, delegation),
                None => self.open_term(scope, delegation),
            };
            for edition in heard {
                self.roster.counted.push(edition.id());
                for (at, fact) in edition.core().facts.iter().enumerate() {
                    if let Err(why) = self.take(fact, office, rank) {
                        self.roster.passed_over.insert((edition.id(), Some(at), why));
                    }
                }
            }
        }
    }

    /// What a superior's closing left of a term: the chain up to the edition that it names.
    fn closed_term(
        &mut self,
        scope: Scope,
        closes: Option<(u64, EditionId)>,
        delegation: &Delegation,
    ) -> Vec<&'a Edition> {
        let path = closes.and_then(|(number, id)| self.chain.path_to(scope, number, id));
        let mut path = path.unwrap_or_default();
        // The superior vouches for the point, not for signatures that were never enough.
        let sound = path.iter().take_while(|e| self.is_signed(e, scope, delegation, true)).count();
        path.truncate(sound);
        for edition in self.chain.of_scope(scope) {
            if !path.iter().any(|kept| kept.id() == edition.id()) {
                self.roster.passed_over.insert((edition.id(), None, PassedOver::Closed));
            }
        }
        path
    }

    /// The chain of the present term, up to where two of one number contradict each other.
    fn open_term(&mut self, scope: Scope, delegation: &Delegation) -> Vec<&'a Edition> {
        let mut path: Vec<&Edition> = Vec::new();
        let mut rivals = false;
        for number in 1.. {
            let before = path.last().map_or(EditionId([0; 32]), |edition| edition.id());
            let next: Vec<&Edition> = self
                .chain
                .at(scope, number)
                .filter(|edition| edition.core().previous == before)
                .filter(|edition| self.is_signed(edition, scope, delegation, false))
                .collect();
            rivals = next.len() > 1;
            let [edition] = next.as_slice() else { break };
            path.push(edition);
        }
        let end = path.len() as u64;
        for edition in self.chain.of_scope(scope) {
            if !path.iter().any(|kept| kept.id() == edition.id()) {
                let rival = rivals && edition.core().number > end;
                let why = if rival { PassedOver::Rival } else { PassedOver::Unsigned };
                self.roster.passed_over.insert((edition.id(), None, why));
            }
        }
        path
    }

    /// Whether enough registrars signed: distinct persons of the office with the role, and in the
    /// present term not cut.
    fn is_signed(
        &self,
        edition: &Edition,
        scope: Scope,
        delegation: &Delegation,
        closed: bool,
    ) -> bool {
        let Scope::Registrar { office, .. } = scope else { return false };
        let in_office = |key: &&PublicKey| {
            let registrar = self.roster.signers.get(key).is_some_and(|signer| {
                signer.office == office
                    && signer.kind == SignerKind::Person
                    && signer.roles.contains(&delegation.role)
            });
            registrar && (closed || !self.is_cut(key))
        };
        edition.signers().iter().filter(in_office).count() as u64 >= delegation.threshold
    }

    /// Takes one fact of a registrar's edition, or says why it has no effect.
    fn take(&mut self, fact: &Fact, own: OfficeId, rank: Rank) -> Result<(), PassedOver> {
        let below = |office: OfficeId| {
            if self.is_below(own, office) { Ok(()) } else { Err(PassedOver::OutsidePrefix) }
        };
        match fact {
            Fact::Signer { key, kind, office, name, roles } => {
                below(*office)?;
                let taken = self.roster.invitations.contains_key(key)
                    || self.roster.signers.get(key).is_some_and(|held| {
                        held.rank < rank || held.kind != *kind || held.office != *office
                    });
                if taken {
                    return Err(PassedOver::Outranked);
                }
                let signer = Signer {
                    kind: *kind,
                    office: *office,
                    name: name.clone(),
                    roles: roles.clone(),
                    rank,
                };
                self.roster.signers.insert(*key, signer);
            }
            Fact::Cut { key, kept } => {
                let again = |(by, office, cut, _): &(Rank, OfficeId, PublicKey, Cut)| {
                    (*by, *office, *cut) == (rank, own, *key)
                };
                // What a registrar has taken, only root gives back.
                if self.cuts.iter().any(again) {
                    return Err(PassedOver::Outranked);
                }
                let kept = kept.iter().map(|(log, number, id)| (*log, (*number, *id))).collect();
                self.cuts.push((rank, own, *key, Cut { kept, exact: false }));
            }
            Fact::Registrar { office, term, threshold, role, closes } => {
                below(*office)?;
                let terms = self.roster.delegations.entry(*office).or_default();
                if terms.range(*term..).next().is_some() {
                    return Err(PassedOver::Outranked);
                }
                let delegation =
                    Delegation { threshold: *threshold, role: role.clone(), closes: *closes };
                terms.insert(*term, delegation);
            }
            Fact::Invite { key, office, node, people } => {
                below(*office)?;
                let taken = self.roster.invitations.contains_key(key)
                    || self.roster.signers.contains_key(key);
                if taken {
                    return Err(PassedOver::Outranked);
                }
                let invitation = Invitation {
                    office: *office,
                    node: node.clone(),
                    people: people.clone(),
                    rank,
                    replaced: None,
                };
                self.roster.invitations.insert(*key, invitation);
            }
            Fact::Root { .. }
            | Fact::Rules { .. }
            | Fact::Place { .. }
            | Fact::Office { .. }
            | Fact::Schema { .. }
            | Fact::Replace { .. }
            | Fact::Adjudicate { .. }
            | Fact::Adopt { .. }
            | Fact::Recover { .. } => return Err(PassedOver::NotItsMatter),
        }
        Ok(())
    }

    /// Settles which cuts hold, and what the roster is called.
    fn close(mut self) -> Roster {
        let mut cuts = std::mem::take(&mut self.cuts);
        cuts.sort_by_key(|(rank, office, key, _)| (*rank, *office, *key));
        for (_, by, key, cut) in cuts {
            if self.covers(by, &key) {
                self.roster.cuts.entry(key).or_insert(cut);
            }
        }
        for edition in self.joinings.values().flatten() {
            let why = (edition.id(), None, PassedOver::BadReplacement);
            self.roster.passed_over.insert(why);
        }
        let parts: Vec<&[u8]> = self.roster.counted.iter().map(|id| &id.0[..]).collect();
        self.roster.state = EditionId(tagged("xw/roster-state/1", &parts));
        self.roster.known = self.chain.known();
        self.roster
    }
}
