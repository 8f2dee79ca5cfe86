//! Founding: from a plan of offices to a signed founding edition and the invitations that it makes.
//! The root keys are handed in; no other secret comes out than the invitations' own.

use xw_ledger::roster::{Chain, RosterRefusal};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{
    Edition, EditionCore, EditionFault, Fact, INVITED_PEOPLE_MAX, OfficeId, Scope,
};
use xw_schemas::id::{EditionId, PublicKey};
use xw_schemas::record::{Level, RecordType};
use xw_schemas::space::{Division, Tier};

use crate::invitation::Seed;

/// Source of entropy: fills the buffer with random bytes.
pub type Entropy<'a> = &'a mut dyn FnMut(&mut [u8]);

/// Name and roles of a person.
pub type NamedPerson = (String, Vec<String>);

/// A county to be founded.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many of the root keys must sign an edition.
    pub threshold: u64,
    /// The offices: the county's first, then townships, then villages.
    pub offices: Vec<PlannedOffice>,
    /// Who registers the offices below.
    pub registrars: Registrars,
    /// Whom the founding edition itself invites: the county's office at least.
    pub invites: Vec<PlannedInvite>,
}

/// An office to be founded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedOffice {
    /// Where it stands.
    pub division: Division,
    /// The division's Chinese name, such as 柳村.
    pub place: String,
    /// The office's Chinese name, such as 柳村村民委员会.
    pub name: String,
}

/// The roles that make a person of a county's or township's office a registrar, and how many such
/// persons must sign. The names are the county's own matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registrars {
    /// The role at the county.
    pub county_role: String,
    /// How many there must sign.
    pub county_threshold: u64,
    /// The role at a township.
    pub township_role: String,
    /// How many there must sign.
    pub township_threshold: u64,
}

impl Default for Registrars {
    /// 县系统管理员 (`CADM`, our addition to `CL_ROLE`) and 乡镇系统管理员 (`TADM`), one each.
    fn default() -> Self {
        Self {
            county_role: "CADM".to_owned(),
            county_threshold: 1,
            township_role: "TADM".to_owned(),
            township_threshold: 1,
        }
    }
}

/// Somebody whom the founding edition invites.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedInvite {
    /// The office's division.
    pub division: Division,
    /// The name of the PC, where one is invited.
    pub node: Option<String>,
    /// The people: name and roles.
    pub people: Vec<NamedPerson>,
}

/// A founded county.
#[derive(Debug)]
pub struct Founded {
    /// The founding edition.
    pub edition: Edition,
    /// The invitations, in the order of the plan: the secret of each and its key.
    pub invites: Vec<(Seed, PublicKey)>,
}

/// Why no county can be founded by a plan.
#[derive(Debug, thiserror::Error)]
pub enum PlanSlip {
    /// More keys must sign than there are.
    #[error("{threshold} of {keys} root keys cannot be asked for")]
    Threshold {
        /// How many must sign.
        threshold: u64,
        /// How many there are.
        keys: usize,
    },
    /// The county's office has too few people who may register others.
    #[error("the county's office needs {needed} people with the role {role}")]
    NoRegistrar {
        /// The role.
        role: String,
        /// How many.
        needed: u64,
    },
    /// A role of another level than the offices for which it is meant: it would not count there.
    #[error("{role} is no role of an office of that level")]
    Level {
        /// The role.
        role: String,
    },
    /// An invitation of an office that is not planned.
    #[error("the plan has no office at {0}")]
    NoOffice(Division),
    /// More people than one invitation takes.
    #[error("one invitation names at most {INVITED_PEOPLE_MAX} people")]
    TooManyPeople,
    /// A name or role that is too long, a weak key, too many offices.
    #[error("no founding edition can be made")]
    Edition(#[from] EditionFault),
    /// The edition would not be taken up.
    #[error("the founding edition would not be taken up")]
    Roster(#[from] RosterRefusal),
}

impl PlanSlip {
    /// For a Chinese reader.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Threshold { threshold, keys } => {
                format!("共 {keys} 把根密钥，不能要求 {threshold} 把签名")
            }
            Self::NoRegistrar { role, needed } => {
                format!("县级机构至少要有 {needed} 人担任登记员（角色 {role}），请用 --person 写明")
            }
            Self::Level { role } => format!("{role} 不是这一级机构的角色"),
            Self::NoOffice(division) => format!("计划中没有区划 {division} 的机构"),
            Self::TooManyPeople => format!("一份邀请最多 {INVITED_PEOPLE_MAX} 人"),
            Self::Edition(fault) => format!("无法生成首版名册。详情：{fault}"),
            Self::Roster(refusal) => format!("首版名册无效：{}", refusal.zh()),
        }
    }
}

/// Founds a county with these root keys. The record types are adopted as given.
pub fn found(
    plan: &Plan,
    roots: &[SecretKey],
    definitions: &[RecordType],
    now_ms: u64,
    entropy: Entropy<'_>,
) -> Result<Founded, PlanSlip> {
    check(plan, roots)?;
    let invites: Vec<(Seed, PublicKey)> = plan
        .invites
        .iter()
        .map(|_| {
            let seed = Seed::fresh(entropy);
            let key = seed.key().public();
            (seed, key)
        })
        .collect();
    let core = EditionCore {
        network: None,
        scope: Scope::Root,
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: now_ms,
        facts: facts(plan, roots, &invites, definitions)?,
    };
    let signing = usize::try_from(plan.threshold).unwrap_or(usize::MAX).min(roots.len());
    let edition = Edition::sign(&core, &roots[..signing])?;
    Chain::founded(edition.clone())?;
    Ok(Founded { edition, invites })
}

fn check(plan: &Plan, roots: &[SecretKey]) -> Result<(), PlanSlip> {
    let Plan { threshold, registrars, invites, .. } = plan;
    if *threshold == 0 || *threshold > roots.len() as u64 {
        return Err(PlanSlip::Threshold { threshold: *threshold, keys: roots.len() });
    }
    if invites.iter().any(|invite| invite.people.len() > INVITED_PEOPLE_MAX) {
        return Err(PlanSlip::TooManyPeople);
    }
    let invited = invites.iter().flat_map(|invite| {
        let roles = invite.people.iter().flat_map(|(_, roles)| roles);
        roles.map(|role| (role, invite.division.tier()))
    });
    let registering =
        [(&registrars.county_role, Tier::County), (&registrars.township_role, Tier::Township)];
    for (role, tier) in registering.into_iter().chain(invited) {
        if Level::of_role(role) != Some(Level::from(tier)) {
            return Err(PlanSlip::Level { role: role.clone() });
        }
    }
    // Without a registrar at the county nobody could be invited but by the root keys.
    let role = &registrars.county_role;
    let of_county = invites.iter().filter(|invite| invite.division.tier() == Tier::County);
    let holders = of_county.flat_map(|invite| &invite.people);
    let holders = holders.filter(|(_, roles)| roles.contains(role)).count() as u64;
    if holders < registrars.county_threshold.max(1) {
        let needed = registrars.county_threshold.max(1);
        return Err(PlanSlip::NoRegistrar { role: role.clone(), needed });
    }
    Ok(())
}

fn facts(
    plan: &Plan,
    roots: &[SecretKey],
    invites: &[(Seed, PublicKey)],
    definitions: &[RecordType],
) -> Result<Vec<Fact>, PlanSlip> {
    let mut keys: Vec<PublicKey> = roots.iter().map(SecretKey::public).collect();
    keys.sort();
    let mut facts = vec![
        Fact::Root { threshold: plan.threshold, keys },
        Fact::Rules { version: xw_ledger::roster::RULES_VERSION },
    ];
    facts.extend(definitions.iter().map(|definition| Fact::Schema {
        record_type: definition.code.clone(),
        definition: definition.hash(),
    }));
    for (id, office) in numbered(plan) {
        let PlannedOffice { division, place, name } = office.clone();
        facts.push(Fact::Place { division, name: place });
        facts.push(Fact::Office { office: id, division, name });
        facts.extend(first_term(id, division, &plan.registrars));
    }
    for (invite, (seed, _)) in plan.invites.iter().zip(invites) {
        let office = numbered(plan).find(|(_, office)| office.division == invite.division);
        let (office, _) = office.ok_or(PlanSlip::NoOffice(invite.division))?;
        let (node, people) = (invite.node.clone(), invite.people.clone());
        facts.push(Fact::invite(&seed.key(), Scope::Root, office, node, people));
    }
    Ok(facts)
}

fn numbered(plan: &Plan) -> impl Iterator<Item = (OfficeId, &PlannedOffice)> {
    (1..).map(OfficeId).zip(&plan.offices)
}

/// The delegation of an office that has others below it.
fn first_term(office: OfficeId, division: Division, registrars: &Registrars) -> Option<Fact> {
    let (role, threshold) = match division.tier() {
        Tier::County => (&registrars.county_role, registrars.county_threshold),
        Tier::Township => (&registrars.township_role, registrars.township_threshold),
        Tier::Village => return None,
    };
    let (role, threshold) = (role.clone(), threshold.max(1));
    Some(Fact::Registrar { office, term: 1, threshold, role, closes: None })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synthetic;

    fn roots(count: u8) -> Vec<SecretKey> {
        (1..=count).map(|n| SecretKey::from_seed(&[n; 32])).collect()
    }

    fn founded(plan: &Plan, keys: u8) -> Result<Founded, PlanSlip> {
        found(plan, &roots(keys), &[], 1_795_000_000_000, &mut |bytes| bytes.fill(7))
    }

    #[test]
    fn a_founded_county_has_registrars_and_one_open_invitation() {
        let founded = founded(&synthetic::plan(), 3).unwrap();
        let chain = Chain::founded(founded.edition).unwrap();
        let roster = chain.roster();
        assert_eq!(roster.roots().1, 2);
        let terms: Vec<_> = roster.offices().map(|o| roster.delegation(o.id).is_some()).collect();
        assert_eq!(terms, [true, true, false, false, false]);
        let invitation = roster.open_invitation(&founded.invites[0].1).unwrap();
        assert!(invitation.people.iter().any(|(_, roles)| roles.contains(&"CADM".to_owned())));
        assert_eq!(roster.signers().count(), 0);
    }

    #[test]
    fn a_county_that_could_invite_nobody_is_not_founded() {
        let mut plan = synthetic::plan();
        assert!(matches!(founded(&plan, 1), Err(PlanSlip::Threshold { threshold: 2, keys: 1 })));
        plan.registrars.township_role = "CADM".to_owned();
        assert!(matches!(founded(&plan, 3), Err(PlanSlip::Level { .. })));
        plan.registrars.township_role = "TADM".to_owned();
        plan.registrars.county_threshold = 2;
        assert!(matches!(founded(&plan, 3), Err(PlanSlip::NoRegistrar { needed: 2, .. })));
        plan.invites.clear();
        assert!(matches!(founded(&plan, 3), Err(PlanSlip::NoRegistrar { .. })));
        let elsewhere = Division::parse("130598000000").unwrap();
        let mut plan = synthetic::plan();
        plan.invites[0].division = elsewhere;
        assert!(matches!(founded(&plan, 3), Err(PlanSlip::NoOffice(_))));
    }
}
