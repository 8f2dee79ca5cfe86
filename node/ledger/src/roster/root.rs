//! What a chain of root editions says: taken fact by fact, or refused as a whole.

use std::collections::BTreeMap;

use xw_schemas::edition::{Edition, Fact};
use xw_schemas::id::{EditionId, PublicKey};

use super::chain::RosterRefusal;
use super::{Cut, Delegation, Invitation, Office, Rank, Roster, Signer};

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

    /// The root keys in force behind the chain.
    pub(super) fn keys(&self) -> &[PublicKey] {
        &self.roster.roots
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
            suspended: BTreeMap::new(),
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
                let own = self.own_level(*office, roles);
                let signer = self.signers.entry(*key).or_insert_with(|| Signer {
                    kind: *kind,
                    office: *office,
                    name: name.clone(),
                    roles: Vec::new(),
                    rank: Rank::Root,
                });
                signer.say(name, &own, Rank::Root);
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
            Fact::Invite { key, office, node, people, proof: _ } => {
                let id = (*key, None, *office);
                if !self.offices.contains_key(office) || self.invitations.contains_key(&id) {
                    return Err(RosterRefusal::Contradiction);
                }
                let invitation = Invitation {
                    by: None,
                    office: *office,
                    node: node.clone(),
                    people: self.own_level_of(*office, people),
                    rank: Rank::Root,
                    replaced: None,
                    withdrawn: false,
                    confirmed: false,
                };
                self.invitations.insert(id, invitation);
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
