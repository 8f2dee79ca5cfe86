//! Which roles count at an office: those of its own level. A township's registrar makes nobody a
//! department head of the county, whatever he writes.

use xw_schemas::edition::{Fact, OfficeId};
use xw_schemas::record::Level;

use super::Roster;

impl Roster {
    /// Those of some roles that count at an office: the ones of its own level.
    pub(super) fn own_level(&self, office: OfficeId, roles: &[String]) -> Vec<String> {
        let level = self.offices.get(&office).map(|office| Level::from(office.division.tier()));
        let is_own = |role: &&String| level.is_some() && Level::of_role(role) == level;
        roles.iter().filter(is_own).cloned().collect()
    }

    /// People of an invitation with those of their roles that count at an office.
    pub(super) fn own_level_of(
        &self,
        office: OfficeId,
        people: &[(String, Vec<String>)],
    ) -> Vec<(String, Vec<String>)> {
        let own =
            |(name, roles): &(String, Vec<String>)| (name.clone(), self.own_level(office, roles));
        people.iter().map(own).collect()
    }

    /// Whether a fact gives a role that does not count at the office for which it is given.
    pub(super) fn gives_other_level(&self, fact: &Fact) -> bool {
        let is_other =
            |office: OfficeId, roles: &[String]| self.own_level(office, roles).len() < roles.len();
        match fact {
            Fact::Signer { office, roles, .. } => is_other(*office, roles),
            Fact::Invite { office, people, .. } => {
                people.iter().any(|(_, roles)| is_other(*office, roles))
            }
            Fact::Registrar { office, role, .. } => is_other(*office, std::slice::from_ref(role)),
            _ => false,
        }
    }
}
