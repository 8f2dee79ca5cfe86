//! The door: what may enter the set of editions. Asks only what more editions can never take back, and
//! keeps anybody from burying with his own what others have signed.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::edition::{Edition, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::PublicKey;
use xw_schemas::space::Division;

use super::super::InvitationId;
use super::super::root::RootFacts;
use super::{Chain, RIVALS_KEPT, RosterRefusal, new_keys, new_signers, replaces};

impl Chain {
    /// The edition held with the signatures of another copy, where that has more. Root's copies have
    /// enough each, and a newcomer's all.
    pub(super) fn join(
        &self,
        held: &Edition,
        copy: &Edition,
    ) -> Result<Option<Edition>, RosterRefusal> {
        let Scope::Registrar { office, term } = held.core().scope else { return Ok(None) };
        let mut more = copy.signers().iter().filter(|key| !held.signers().contains(key)).peekable();
        if more.peek().is_none() {
            return Ok(None);
        }
        // Strangers' signatures would fill the place of those that count.
        let ever = self.ever_registrars(office, term);
        if !more.all(|key| ever.iter().any(|(_, keys)| keys.contains(key))) {
            return Err(RosterRefusal::Stranger);
        }
        Ok(held.join(copy).ok().filter(|joined| joined.signers() != held.signers()))
    }

    /// Whether an edition may enter the set: only what more editions never take back is asked.
    pub(super) fn admits(&self, edition: &Edition) -> Result<(), RosterRefusal> {
        let core = edition.core();
        if edition.network() != self.roster.network {
            return Err(RosterRefusal::OtherNetwork);
        }
        match core.scope {
            Scope::Root => {
                let path = self.path_to(core.scope, core.number - 1, core.previous);
                let path = path.filter(|_| core.number > 1).ok_or(RosterRefusal::Gap)?;
                let mut facts = RootFacts::of(&path)?;
                let mut keys = facts.keys().to_vec();
                facts.extend(edition)?;
                keys.extend(facts.keys());
                self.has_place(edition, |key| keys.contains(key))
            }
            Scope::Registrar { office, term } => {
                // Asked of every edition held, counting or not: whoever signs without ever having
                // been a registrar must not take the place of the true edition, whose id is the
                // same. The signers may be enrolled by an edition that is still on its way.
                let ever = self.ever_registrars(office, term);
                let enough = |(threshold, keys): &(u64, BTreeSet<PublicKey>)| {
                    let signed = edition.signers().iter().filter(|key| keys.contains(key)).count();
                    signed as u64 >= *threshold
                };
                let is_known = |key: &PublicKey| ever.iter().any(|(_, keys)| keys.contains(key));
                if !ever.iter().any(enough) || !edition.signers().iter().all(is_known) {
                    return Err(RosterRefusal::Stranger);
                }
                // What a superior's word rests on enters however many rivals it has, and before
                // what it stands on, which is known by it.
                if self.is_named(edition) {
                    return Ok(());
                }
                let before = core.number - 1;
                if before > 0 && !self.holds(core.scope, before, &core.previous) {
                    return Err(RosterRefusal::Gap);
                }
                let way = self.path_to(core.scope, before, core.previous).unwrap_or_default();
                self.has_place(edition, |key| !self.has_contradicted_itself(key, &way))
            }
            Scope::Joining { invite } => {
                let replaced = replaces(edition);
                if !self.invited().any(|(id, _)| Some(id) == replaced) {
                    return Err(RosterRefusal::Gap);
                }
                if !is_signed_by_all(edition, &invite) {
                    return Err(RosterRefusal::Threshold);
                }
                if self.is_listed(edition) && !self.has_enough_like(edition) {
                    return Ok(());
                }
                self.has_place(edition, |key| *key == invite)
            }
        }
    }

    /// Whether any of those who signed an edition, and whose signature weighs there, has signed fewer
    /// than are kept behind the same edition. Honest people sign one, so theirs always have a place.
    fn has_place(
        &self,
        edition: &Edition,
        weighs: impl Fn(&PublicKey) -> bool,
    ) -> Result<(), RosterRefusal> {
        let core = edition.core();
        // A joining takes no room from those in the place of another invitation under its key.
        let beside = || {
            let there = self.at(core.scope, core.number);
            let there = there.filter(|other| other.core().previous == core.previous);
            there.filter(|other| replaces(other) == replaces(edition))
        };
        let has_room =
            |key: &&PublicKey| beside().filter(|o| o.signers().contains(key)).count() < RIVALS_KEPT;
        let mut signers = edition.signers().iter().filter(|key| weighs(key));
        let has_place = self.finished || signers.any(|key| has_room(&key));
        if has_place { Ok(()) } else { Err(RosterRefusal::EnoughRivals) }
    }

    /// Whether a key has signed two editions at one place of a way. Whoever does so has ended the chain
    /// there, unless he was nobody; so nothing that he alone signs behind it can count, and he must not
    /// fill every disk with it.
    fn has_contradicted_itself(&self, key: &PublicKey, way: &[&Edition]) -> bool {
        way.iter().any(|edition| {
            let core = edition.core();
            let beside = self.at(core.scope, core.number);
            let own = beside.filter(|o| o.core().previous == core.previous);
            own.filter(|other| other.signers().contains(key)).nth(1).is_some()
        })
    }

    /// For every delegation held of an office's term by root or an office above: how many must sign,
    /// and who has ever been listed with its role.
    fn ever_registrars(&self, office: OfficeId, term: u64) -> Vec<(u64, BTreeSet<PublicKey>)> {
        let superior = self.superiors(office);
        let facts = superior.iter().flat_map(|edition| &edition.core().facts);
        let delegations = facts.filter_map(|fact| match fact {
            Fact::Registrar { office: of, term: at, threshold, role, .. }
                if (*of, *at) == (office, term) =>
            {
                Some((*threshold, role))
            }
            _ => None,
        });
        delegations
            .map(|(threshold, role)| (threshold, self.ever_in(&superior, office, role)))
            .collect()
    }

    /// The editions of root and of offices above this one, counting or not. Nobody else's word decides
    /// who may sign there: else an office could ask for what only its own editions bring.
    fn superiors(&self, office: OfficeId) -> Vec<&Edition> {
        let mut divisions: BTreeMap<OfficeId, BTreeSet<Division>> = BTreeMap::new();
        for edition in self.of_scope(Scope::Root) {
            for fact in &edition.core().facts {
                if let Fact::Office { office, division, .. } = fact {
                    divisions.entry(*office).or_default().insert(*division);
                }
            }
        }
        let of = |office| divisions.get(&office).into_iter().flatten();
        let is_above =
            |above| of(above).any(|above| of(office).any(|own| above != own && above.covers(*own)));
        let speaks = |edition: &&Edition| match edition.core().scope {
            Scope::Root => true,
            Scope::Registrar { office: other, .. } => is_above(other),
            Scope::Joining { .. } => false,
        };
        self.editions.values().filter(speaks).collect()
    }

    /// Every person whom any of these editions lists in an office with a role, or who has come in the
    /// place of one invited by them.
    fn ever_in(
        &self,
        superior: &[&Edition],
        office: OfficeId,
        role: &String,
    ) -> BTreeSet<PublicKey> {
        let mut keys = BTreeSet::new();
        let mut invited: BTreeMap<InvitationId, Vec<usize>> = BTreeMap::new();
        for edition in superior {
            for fact in &edition.core().facts {
                match fact {
                    Fact::Signer { key, kind: SignerKind::Person, office: of, roles, .. }
                        if *of == office && roles.contains(role) =>
                    {
                        keys.insert(*key);
                    }
                    Fact::Invite { key, office: of, people, .. } if *of == office => {
                        let id = (*key, edition.core().scope.office(), office);
                        let has_role = |(_, (_, roles)): &(usize, &(String, Vec<String>))| {
                            roles.contains(role)
                        };
                        let places = (0..).zip(people).filter(has_role).map(|(at, _)| at);
                        invited.entry(id).or_default().extend(places);
                    }
                    _ => {}
                }
            }
        }
        for edition in self.joinings() {
            let [Fact::Replace { people, .. }] = edition.core().facts.as_slice() else { continue };
            let places = replaces(edition).and_then(|id| invited.get(&id));
            keys.extend(places.into_iter().flatten().filter_map(|at| people.get(*at)));
        }
        keys
    }

    /// Whether a superior's word rests on an edition: it names it as the last of a term, or one that
    /// is held and stands on it.
    fn is_named(&self, edition: &Edition) -> bool {
        let (id, core) = (edition.id(), edition.core());
        let closes = |fact: &Fact| matches!(fact, Fact::Registrar { closes: Some((_, last)), .. } if *last == id);
        self.facts().any(closes)
            || self.at(core.scope, core.number + 1).any(|next| next.core().previous == id)
    }

    /// Whether editions held list every key that a joining brings at its office: it may be confirmed,
    /// so it is taken up however many others are held.
    pub(in crate::roster) fn is_listed(&self, joining: &Edition) -> bool {
        let Some((.., at)) = replaces(joining) else { return false };
        let is_listed = |(key, kind): (PublicKey, SignerKind)| {
            self.facts().any(|fact| {
                matches!(fact, Fact::Signer { key: of, kind: is, office, .. }
                    if (of, is, office) == (&key, &kind, &at))
            })
        };
        new_signers(joining).all(is_listed)
    }

    /// Whether enough joinings that bring the very same keys are held: only their holder makes more.
    fn has_enough_like(&self, joining: &Edition) -> bool {
        let keys = |edition: &Edition| new_keys(edition).into_iter().collect::<BTreeSet<_>>();
        let core = joining.core();
        let others = self.at(core.scope, core.number);
        let like = others
            .filter(|other| replaces(other) == replaces(joining) && keys(other) == keys(joining));
        like.count() >= RIVALS_KEPT
    }

    /// The invitations that any edition held makes, each with the scope in which it stands.
    pub(super) fn invited(&self) -> impl Iterator<Item = (InvitationId, Scope)> {
        self.editions.values().flat_map(|edition| {
            let scope = edition.core().scope;
            edition.core().facts.iter().filter_map(move |fact| match fact {
                Fact::Invite { key, office, .. } => Some(((*key, scope.office(), *office), scope)),
                _ => None,
            })
        })
    }
}

/// A newcomer proves the invitation and every new key.
fn is_signed_by_all(edition: &Edition, invite: &PublicKey) -> bool {
    let mut keys = new_keys(edition);
    keys.push(*invite);
    keys.sort();
    keys == edition.signers()
}
