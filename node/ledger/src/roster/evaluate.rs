//! From the set of editions to the roster: root first, then level by level the registrars of an
//! office and the newcomers whom they invited. Where two speak of one thing, the higher stands.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::edition::{Edition, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::hash::tagged;
use xw_schemas::id::{EditionId, PublicKey};
use xw_schemas::space::Tier;

use super::chain::{Chain, replaces};
use super::paths::leading;
use super::root::RootFacts;
use super::suspended::suspended;
use super::{Cut, Delegation, Invitation, InvitationId, PassedOver, Rank, Roster};

mod newcomers;

/// A fact of a registrar's edition that waits for others before it is settled.
struct Said<'a> {
    edition: EditionId,
    at: usize,
    fact: &'a Fact,
    /// The office whose registrars say it.
    by: OfficeId,
    rank: Rank,
}

/// What registrars have cut.
struct Claim {
    edition: EditionId,
    at: usize,
    rank: Rank,
    by: OfficeId,
    key: PublicKey,
    cut: Cut,
}

/// One evaluation.
struct Evaluation<'a> {
    chain: &'a Chain,
    roster: Roster,
    cuts: Vec<Claim>,
    /// What the registrars of the present level invite: settled when all of them are heard.
    invites: Vec<Said<'a>>,
    /// Other names and roles for keys: settled when the newcomers have come.
    changes: Vec<Said<'a>>,
    joinings: BTreeMap<InvitationId, Vec<&'a Edition>>,
    /// Keys that newcomers bring in the place of more than one invitation.
    shared: BTreeSet<PublicKey>,
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
    let mut joinings: BTreeMap<InvitationId, Vec<&Edition>> = BTreeMap::new();
    for edition in chain.joinings() {
        if let Some(invitation) = replaces(edition) {
            joinings.entry(invitation).or_default().push(edition);
        }
    }
    let mut evaluation = Evaluation {
        chain,
        roster,
        cuts: Vec::new(),
        invites: Vec::new(),
        changes: Vec::new(),
        shared: newcomers::shared(chain, &joinings),
        joinings,
    };
    for edition in &leading.path {
        for (at, fact) in edition.core().facts.iter().enumerate() {
            evaluation.note_levels(edition.id(), at, fact);
        }
    }
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
        let rank = Rank::Registrar(tier);
        for office in offices {
            evaluation.hear_registrars(office, rank);
        }
        evaluation.settle_invitations();
        evaluation.join(rank);
        evaluation.settle_changes();
    }
    evaluation.close()
}

impl<'a> Evaluation<'a> {
    /// Shows that a role of a fact, which has its effect otherwise, does not count.
    fn note_levels(&mut self, edition: EditionId, at: usize, fact: &Fact) {
        if self.roster.gives_other_level(fact) {
            self.roster.passed_over.insert((edition, Some(at), PassedOver::OtherLevel));
        }
    }

    /// Whether root or a registrar heard so far has cut a key.
    fn is_cut(&self, key: &PublicKey) -> bool {
        self.roster.cuts.contains_key(key)
            || self.cuts.iter().any(|claim| claim.key == *key && self.covers(claim.by, key))
    }

    /// Whether root or a registrar heard so far has taken an invitation back.
    fn is_withdrawn(&self, (key, _, office): &InvitationId) -> bool {
        self.roster.cuts.contains_key(key)
            || self.cuts.iter().any(|claim| claim.key == *key && self.is_below(claim.by, *office))
    }

    /// Whether a key's office lies strictly below an office.
    fn covers(&self, above: OfficeId, key: &PublicKey) -> bool {
        let office = self.roster.signers.get(key).map(|signer| signer.office);
        let office = office.or_else(|| Some(self.roster.suspended.get(key)?.office));
        office.is_some_and(|office| self.is_below(above, office))
    }

    fn is_below(&self, above: OfficeId, below: OfficeId) -> bool {
        self.roster.is_below(above, below)
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
                    let said = Said { edition: edition.id(), at, fact, by: office, rank };
                    if let Err(why) = self.take(said) {
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

    /// Whether enough registrars signed: distinct persons of the office who have the role and, in an
    /// open term, are not cut; in a closed one the superior has vouched for the rest.
    fn is_signed(
        &self,
        edition: &Edition,
        scope: Scope,
        delegation: &Delegation,
        closed: bool,
    ) -> bool {
        let Scope::Registrar { office, .. } = scope else { return false };
        let is_registrar = |key: &&PublicKey| {
            let has_role = self.roster.signers.get(key).is_some_and(|signer| {
                signer.office == office
                    && signer.kind == SignerKind::Person
                    && signer.roles.contains(&delegation.role)
            });
            has_role && (closed || !self.is_cut(key))
        };
        edition.signers().iter().filter(is_registrar).count() as u64 >= delegation.threshold
    }

    /// Takes one fact of a registrar's edition, or says why it has no effect. Invitations and changes
    /// of keys wait for what they are measured by.
    fn take(&mut self, said: Said<'a>) -> Result<(), PassedOver> {
        let Said { edition, at, fact, by, rank } = said;
        let below = |office: OfficeId| {
            if self.is_below(by, office) { Ok(()) } else { Err(PassedOver::OutsidePrefix) }
        };
        match fact {
            Fact::Signer { office, .. } => {
                below(*office)?;
                self.changes.push(said);
            }
            Fact::Invite { office, .. } => {
                below(*office)?;
                self.invites.push(said);
            }
            Fact::Cut { key, kept } => {
                // What a registrar has taken, only root gives back.
                if self.cuts.iter().any(|claim| (claim.by, claim.key) == (by, *key)) {
                    return Err(PassedOver::Outranked);
                }
                let kept = kept.iter().map(|(log, number, id)| (*log, (*number, *id))).collect();
                let cut = Cut { kept, exact: false };
                self.cuts.push(Claim { edition, at, rank, by, key: *key, cut });
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
                self.note_levels(edition, at, fact);
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

    /// Takes the invitations of a level. Each stands for itself, whoever else invites under its key:
    /// newcomers say in whose place they join.
    fn settle_invitations(&mut self) {
        for said in std::mem::take(&mut self.invites) {
            let Fact::Invite { key, office, node, people, proof: _ } = said.fact else { continue };
            let id = (*key, Some(said.by), *office);
            if self.roster.invitations.contains_key(&id) {
                let why = (said.edition, Some(said.at), PassedOver::Outranked);
                self.roster.passed_over.insert(why);
                continue;
            }
            self.note_levels(said.edition, said.at, said.fact);
            let invitation = Invitation {
                by: Some(said.by),
                office: *office,
                node: node.clone(),
                people: self.roster.own_level_of(*office, people),
                rank: said.rank,
                replaced: None,
                withdrawn: false,
                confirmed: false,
            };
            self.roster.invitations.insert(id, invitation);
        }
    }

    /// Gives keys on the roster other names and more roles. A key that is not there yet may come with the
    /// newcomers of a lower level, so what is said of it waits.
    fn settle_changes(&mut self) {
        for said in std::mem::take(&mut self.changes) {
            let Fact::Signer { key, kind, office, name, roles } = said.fact else { continue };
            let own = self.roster.own_level(*office, roles);
            let Some(held) = self.roster.signers.get_mut(key) else {
                self.changes.push(said);
                continue;
            };
            if held.rank < said.rank || held.kind != *kind || held.office != *office {
                let why = (said.edition, Some(said.at), PassedOver::Outranked);
                self.roster.passed_over.insert(why);
                continue;
            }
            held.say(name, &own, said.rank);
            self.note_levels(said.edition, said.at, said.fact);
        }
    }

    /// Settles which cuts hold, what else has no effect, and what the roster is called.
    fn close(mut self) -> Roster {
        self.withdraw();
        self.roster.suspended = suspended(self.chain, &self.roster);
        let mut cuts = std::mem::take(&mut self.cuts);
        cuts.sort_by_key(|claim| (claim.rank, claim.by, claim.key));
        for Claim { edition, at, by, key, cut, .. } in cuts {
            let takes_back = self
                .roster
                .invitations_of(&key)
                .any(|held| held.withdrawn && self.is_below(by, held.office));
            let why = match (self.covers(by, &key), self.roster.cuts.contains_key(&key)) {
                (true, false) => {
                    self.roster.cuts.insert(key, cut);
                    continue;
                }
                _ if takes_back => continue,
                (true, true) => PassedOver::Outranked,
                (false, _) if self.comes_too_late(by, &key) => PassedOver::Outranked,
                (false, _) => PassedOver::OutsidePrefix,
            };
            self.roster.passed_over.insert((edition, Some(at), why));
        }
        // A key that is nobody's comes by invitation, where it proves itself, or by root's word.
        for said in &self.changes {
            let why = (said.edition, Some(said.at), PassedOver::NotItsMatter);
            self.roster.passed_over.insert(why);
        }
        for edition in self.joinings.values().flatten() {
            let why = (edition.id(), None, PassedOver::BadReplacement);
            self.roster.passed_over.insert(why);
        }
        self.pass_over_unheard();
        let parts: Vec<&[u8]> = self.roster.counted.iter().map(|id| &id.0[..]).collect();
        self.roster.state = EditionId(tagged("xw/roster-state/1", &parts));
        self.roster.known = self.chain.known();
        self.roster
    }

    /// Whether a key's invitation, which an office could have taken back, was used before.
    fn comes_too_late(&self, by: OfficeId, key: &PublicKey) -> bool {
        self.roster.invitations_of(key).any(|held| self.is_below(by, held.office))
    }

    /// Marks the invitations that were taken back and that nobody has used.
    fn withdraw(&mut self) {
        let open = self.roster.invitations.iter().filter(|(_, held)| held.replaced.is_none());
        let back: Vec<InvitationId> =
            open.map(|(id, _)| *id).filter(|id| self.is_withdrawn(id)).collect();
        for id in back {
            if let Some(invitation) = self.roster.invitations.get_mut(&id) {
                invitation.withdrawn = true;
            }
        }
    }

    /// Editions of a term or an office to which nobody who counts has given the right.
    fn pass_over_unheard(&mut self) {
        let passed = self.roster.passed_over.iter().filter(|(_, at, _)| at.is_none());
        let settled: BTreeSet<EditionId> =
            passed.map(|(id, ..)| *id).chain(self.roster.counted.iter().copied()).collect();
        for id in self.chain.ids().filter(|id| !settled.contains(id)) {
            self.roster.passed_over.insert((*id, None, PassedOver::Unsigned));
        }
    }
}
