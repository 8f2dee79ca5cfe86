//! Keys that are not on the roster and that editions held have brought to an office: by root's word, or
//! by their own joining. They may not connect and nothing new of them counts; but what the county has
//! pinned of their logs was said by somebody who belonged, and stays.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::edition::{Edition, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::PublicKey;

use super::chain::{Chain, new_signers, replaces};
use super::{InvitationId, Roster};

/// A key that is not on the roster any more, or not for now: two editions of a registrar contradict
/// each other, an invitation was used twice, an edition does not lead.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Suspended {
    /// A PC or a person.
    pub kind: SignerKind,
    /// The one office that it was brought to.
    pub office: OfficeId,
    /// Roles of a person, of the office's level, that any edition held by root or an office above
    /// gives it.
    pub roles: Vec<String>,
}

/// Works out which keys are suspended: a function of all editions held, counting or not.
pub(super) fn suspended(chain: &Chain, roster: &Roster) -> BTreeMap<PublicKey, Suspended> {
    let mut brought: BTreeMap<PublicKey, BTreeSet<(SignerKind, OfficeId)>> = BTreeMap::new();
    for (key, kind, office) in chain.all().flat_map(|edition| bringing(roster, edition)) {
        if !roster.signers.contains_key(&key) && roster.offices.contains_key(&office) {
            brought.entry(key).or_default().insert((kind, office));
        }
    }
    // Who was brought to two offices said so himself, or root did: he belongs to neither.
    brought.retain(|_, places| places.len() == 1);
    let mut held: BTreeMap<PublicKey, Suspended> = brought
        .into_iter()
        .filter_map(|(key, places)| {
            let (kind, office) = places.into_iter().next()?;
            Some((key, Suspended { kind, office, roles: Vec::new() }))
        })
        .collect();
    if held.is_empty() {
        return held;
    }
    let mut given: BTreeMap<PublicKey, BTreeSet<String>> = BTreeMap::new();
    for (key, office, roles) in roles_given(chain, roster) {
        let own =
            held.get(&key).filter(|one| (one.office, one.kind) == (office, SignerKind::Person));
        if own.is_some() {
            given.entry(key).or_default().extend(roster.own_level(office, &roles));
        }
    }
    for (key, roles) in given {
        if let Some(suspended) = held.get_mut(&key) {
            suspended.roles = roles.into_iter().collect();
        }
    }
    held
}

/// Whom an edition brings to which office. A registrar's listing brings nobody: keys are proven by
/// whoever joins with them.
fn bringing(roster: &Roster, edition: &Edition) -> Vec<(PublicKey, SignerKind, OfficeId)> {
    let facts = edition.core().facts.iter();
    match (edition.core().scope, replaces(edition)) {
        (Scope::Root, _) => facts
            .filter_map(|fact| match fact {
                Fact::Signer { key, kind, office, .. } => Some((*key, *kind, *office)),
                _ => None,
            })
            .collect(),
        (_, Some((_, by, office))) if roster.speaks_for(by, office) => {
            new_signers(edition).map(|(key, kind)| (key, kind, office)).collect()
        }
        (_, _) => Vec::new(),
    }
}

/// The people of an invitation, with the roles of each.
type InvitedPeople = Vec<(String, Vec<String>)>;

/// The roles that root and offices above give in any edition held, by name or by invitation.
fn roles_given(chain: &Chain, roster: &Roster) -> Vec<(PublicKey, OfficeId, Vec<String>)> {
    let mut given = Vec::new();
    let mut invited: BTreeMap<InvitationId, Vec<&InvitedPeople>> = BTreeMap::new();
    for edition in chain.all() {
        let by = edition.core().scope.office();
        for fact in &edition.core().facts {
            match fact {
                Fact::Signer { key, office, roles, .. } if roster.speaks_for(by, *office) => {
                    given.push((*key, *office, roles.clone()));
                }
                Fact::Invite { key, office, people, .. } if roster.speaks_for(by, *office) => {
                    invited.entry((*key, by, *office)).or_default().push(people);
                }
                _ => {}
            }
        }
    }
    for edition in chain.joinings() {
        let Some(invitation) = replaces(edition) else { continue };
        let [Fact::Replace { people, .. }] = edition.core().facts.as_slice() else { continue };
        for named in invited.get(&invitation).into_iter().flatten() {
            let roles = people.iter().zip(named.iter());
            given.extend(roles.map(|(key, (_, roles))| (*key, invitation.2, roles.clone())));
        }
    }
    given
}

impl Roster {
    /// Whether an office lies strictly above another.
    pub(super) fn is_below(&self, above: OfficeId, below: OfficeId) -> bool {
        let division = |office| self.offices.get(&office).map(|office| office.division);
        matches!((division(above), division(below)), (Some(above), Some(below))
            if above != below && above.covers(below))
    }

    /// Whether root, or an office strictly above, speaks.
    fn speaks_for(&self, by: Option<OfficeId>, office: OfficeId) -> bool {
        by.is_none_or(|by| self.is_below(by, office))
    }
}
