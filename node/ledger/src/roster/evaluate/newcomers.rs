//! Who comes in the place of an invitation: whom a registrar has confirmed, whatever else is held, and
//! else whoever is the only one.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::edition::{Edition, Fact, SignerKind};
use xw_schemas::id::PublicKey;

use super::super::chain::{Chain, RIVALS_KEPT, new_keys, new_signers};
use super::super::{InvitationId, PassedOver, Rank, Signer};
use super::Evaluation;

impl<'a> Evaluation<'a> {
    /// Puts the newcomers on the roster whom this rank has invited: first those whom a registrar has
    /// confirmed, so that nobody's second use of a key touches them.
    pub(super) fn join(&mut self, rank: Rank) {
        let invitations = self.roster.invitations.iter();
        let invited: Vec<InvitationId> =
            invitations.filter(|(_, held)| held.rank == rank).map(|(id, _)| *id).collect();
        let listed = self.listed();
        let mut unconfirmed = Vec::new();
        for invite in invited {
            let Some(editions) = self.joinings.remove(&invite) else { continue };
            let shaped: Vec<&Edition> =
                editions.iter().filter(|e| self.has_shape(&invite, e)).copied().collect();
            let confirmed: Vec<(usize, &Edition)> = shaped
                .iter()
                .filter_map(|e| Some((self.confirmed_at(&listed, &invite, e)?, *e)))
                .collect();
            let Some(first) = confirmed.iter().map(|(at, _)| *at).min() else {
                unconfirmed.push((invite, editions, shaped));
                continue;
            };
            let mut firsts = confirmed.iter().filter(|(at, _)| *at == first).map(|(_, e)| *e);
            let counts = firsts.next().filter(|e| self.may_come(&invite, e));
            let counts = counts.filter(|_| firsts.next().is_none());
            self.settle_joining(&invite, &editions, counts, &shaped);
            if let Some(invitation) = self.roster.invitations.get_mut(&invite) {
                invitation.confirmed = counts.is_some();
            }
        }
        for (invite, editions, shaped) in unconfirmed {
            let withdrawn = self.is_withdrawn(&invite);
            // Which of more than these are kept depends on what came first, so none of them counts.
            let burnt = editions.len() >= RIVALS_KEPT;
            let fresh = |e: &&Edition| burnt || !withdrawn && self.is_fresh(e);
            let fitting: Vec<&Edition> = shaped.into_iter().filter(fresh).collect();
            let counts = match fitting.as_slice() {
                [one] if !burnt => Some(*one),
                _ => None,
            };
            let rivals = if burnt { editions.clone() } else { fitting };
            self.settle_joining(&invite, &editions, counts, &rivals);
        }
    }

    /// Takes the joining that counts in the place of an invitation and says why the others do not.
    fn settle_joining(
        &mut self,
        invite: &InvitationId,
        editions: &[&'a Edition],
        counts: Option<&'a Edition>,
        rivals: &[&'a Edition],
    ) {
        for edition in editions.iter().filter(|e| counts.is_none_or(|one| one.id() != e.id())) {
            let is_rival = rivals.iter().any(|rival| rival.id() == edition.id());
            let why = if is_rival { PassedOver::Rival } else { PassedOver::BadReplacement };
            self.roster.passed_over.insert((edition.id(), None, why));
        }
        if let Some(edition) = counts {
            self.replace(invite, edition);
        }
    }

    /// Whether a joining brings as many keys of each kind as were invited.
    fn has_shape(&self, invite: &InvitationId, edition: &Edition) -> bool {
        let Some(invitation) = self.roster.invitations.get(invite) else { return false };
        let [Fact::Replace { node, people, .. }] = edition.core().facts.as_slice() else {
            return false;
        };
        node.is_some() == invitation.node.is_some() && people.len() == invitation.people.len()
    }

    /// Whether all keys of a joining are nobody's by now, and no other newcomer's.
    fn is_fresh(&self, edition: &Edition) -> bool {
        let fresh =
            |key: &PublicKey| !self.roster.signers.contains_key(key) && !self.shared.contains(key);
        new_keys(edition).iter().all(fresh)
    }

    /// Whether all keys of a confirmed joining are nobody's by now, or listed by root at its office.
    fn may_come(&self, invite: &InvitationId, edition: &Edition) -> bool {
        let may = |(key, kind): (PublicKey, SignerKind)| {
            !self.roster.signers.contains_key(&key) || self.is_listed_by_root(invite, &key, kind)
        };
        new_signers(edition).all(may)
    }

    fn is_listed_by_root(
        &self,
        (.., office): &InvitationId,
        key: &PublicKey,
        kind: SignerKind,
    ) -> bool {
        self.roster.signers.get(key).is_some_and(|signer| {
            (signer.rank, signer.office, signer.kind) == (Rank::Root, *office, kind)
        })
    }

    /// Where in what registrars have said so far each key is listed, beginning with 1.
    fn listed(&self) -> BTreeMap<PublicKey, Vec<usize>> {
        let mut listed: BTreeMap<PublicKey, Vec<usize>> = BTreeMap::new();
        for (at, said) in (1..).zip(&self.changes) {
            if let Fact::Signer { key, .. } = said.fact {
                listed.entry(*key).or_default().push(at);
            }
        }
        listed
    }

    /// The place by which whoever invited, or a higher rank, has listed every key that a joining
    /// brings: 0 where root has. `None` while a key is not listed.
    fn confirmed_at(
        &self,
        listed: &BTreeMap<PublicKey, Vec<usize>>,
        invite: &InvitationId,
        edition: &Edition,
    ) -> Option<usize> {
        let (_, by, office) = *invite;
        let rank = self.roster.invitations.get(invite)?.rank;
        let confirms = |at: &&usize, kind: SignerKind| {
            let said = &self.changes[**at - 1];
            let speaks = Some(said.by) == by || said.rank < rank;
            let Fact::Signer { kind: of, office: to, .. } = said.fact else { return false };
            speaks && (*of, *to) == (kind, office)
        };
        let places = new_signers(edition).map(|(key, kind)| {
            if self.is_listed_by_root(invite, &key, kind) {
                return Some(0);
            }
            let mut places = listed.get(&key).into_iter().flatten();
            places.find(|at| confirms(at, kind)).copied()
        });
        places.collect::<Option<Vec<usize>>>()?.into_iter().max()
    }

    fn replace(&mut self, invite: &InvitationId, edition: &Edition) {
        let Some(invitation) = self.roster.invitations.get_mut(invite) else { return };
        invitation.replaced = Some(edition.id());
        let node = invitation.node.iter().map(|name| (name.clone(), Vec::new()));
        let names: Vec<_> = node.chain(invitation.people.iter().cloned()).collect();
        let (office, rank) = (invitation.office, invitation.rank);
        for ((key, kind), (name, roles)) in new_signers(edition).zip(names) {
            let signer = Signer { kind, office, name, roles, rank };
            // Whom root has listed in the meantime stays as root says.
            self.roster.signers.entry(key).or_insert(signer);
        }
        self.roster.counted.push(edition.id());
    }
}

/// Keys that are brought in the place of more than one invitation: of these nobody knows where they
/// belong until a registrar confirms it. Of an invitation used often only what is listed is looked at:
/// which others are held depends on what came first.
pub(super) fn shared(
    chain: &Chain,
    joinings: &BTreeMap<InvitationId, Vec<&Edition>>,
) -> BTreeSet<PublicKey> {
    let mut places: BTreeMap<PublicKey, BTreeSet<&InvitationId>> = BTreeMap::new();
    for (invitation, editions) in joinings {
        let few = editions.len() < RIVALS_KEPT;
        for edition in editions.iter().filter(|edition| few || chain.is_listed(edition)) {
            for key in new_keys(edition) {
                places.entry(key).or_default().insert(invitation);
            }
        }
    }
    places.into_iter().filter(|(_, places)| places.len() > 1).map(|(key, _)| key).collect()
}
