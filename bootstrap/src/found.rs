//! Founding: from a plan of offices and people to a signed founding edition and the secret keys
//! that go into each office's kit.

use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, EditionFault, Fact, OfficeId, SignerKind};
use xw_schemas::id::EditionId;
use xw_schemas::record::RecordType;
use xw_schemas::space::Division;

/// Source of entropy: fills the buffer with random bytes.
pub type Entropy<'a> = &'a mut dyn FnMut(&mut [u8]);

/// A county to be founded.
#[derive(Debug, Clone)]
pub struct Plan {
    /// How many root keys are made.
    pub roots: usize,
    /// How many of them must sign an edition.
    pub threshold: u64,
    /// The offices: the county's first, then townships, then villages.
    pub offices: Vec<PlannedOffice>,
}

/// An office to be founded.
#[derive(Debug, Clone)]
pub struct PlannedOffice {
    /// Where it stands.
    pub division: Division,
    /// The division's Chinese name, such as 柳村.
    pub place: String,
    /// The office's Chinese name, such as 柳村村民委员会.
    pub name: String,
    /// Its people: name and roles.
    pub people: Vec<(String, Vec<String>)>,
}

/// A founded county: everything, the secrets included.
#[derive(Debug)]
pub struct Founded {
    /// The founding edition.
    pub edition: Edition,
    /// The root keys, for the people who keep them.
    pub roots: Vec<SecretKey>,
    /// The offices with their keys.
    pub offices: Vec<FoundedOffice>,
}

/// An office with the keys that its kit carries.
#[derive(Debug)]
pub struct FoundedOffice {
    /// Its number on the roster.
    pub id: OfficeId,
    /// What was planned.
    pub planned: PlannedOffice,
    /// The key of its PC.
    pub node: SecretKey,
    /// The keys of its people, in the order of the plan.
    pub people: Vec<SecretKey>,
}

/// Founds a county. The record types are adopted as given.
///
/// # Errors
/// When the plan does not make a valid edition: no root keys, a threshold above their number, a
/// name that is too long.
pub fn found(
    plan: &Plan,
    definitions: &[RecordType],
    now_ms: u64,
    entropy: Entropy<'_>,
) -> Result<Founded, EditionFault> {
    let mut key = || {
        let mut seed = zeroize::Zeroizing::new([0; 32]);
        entropy(&mut seed[..]);
        SecretKey::from_seed(&seed)
    };
    let mut roots: Vec<SecretKey> = (0..plan.roots).map(|_| key()).collect();
    roots.sort_by_key(SecretKey::public);
    let offices: Vec<FoundedOffice> = (1..)
        .zip(&plan.offices)
        .map(|(number, planned)| FoundedOffice {
            id: OfficeId(number),
            planned: planned.clone(),
            node: key(),
            people: planned.people.iter().map(|_| key()).collect(),
        })
        .collect();
    let core = EditionCore {
        network: None,
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: now_ms,
        facts: facts(plan, &roots, &offices, definitions),
    };
    let signing = usize::try_from(plan.threshold).unwrap_or(usize::MAX).min(roots.len());
    let edition = Edition::sign(&core, &roots[..signing])?;
    Ok(Founded { edition, roots, offices })
}

fn facts(
    plan: &Plan,
    roots: &[SecretKey],
    offices: &[FoundedOffice],
    definitions: &[RecordType],
) -> Vec<Fact> {
    let keys = roots.iter().map(SecretKey::public).collect();
    let mut facts = vec![
        Fact::Root { threshold: plan.threshold, keys },
        Fact::Rules { version: xw_ledger::roster::RULES_VERSION },
    ];
    facts.extend(definitions.iter().map(|definition| Fact::Schema {
        record_type: definition.code.clone(),
        definition: definition.hash(),
    }));
    for office in offices {
        let FoundedOffice { id, planned, node, people } = office;
        let division = planned.division;
        facts.push(Fact::Place { division, name: planned.place.clone() });
        facts.push(Fact::Office { office: *id, division, name: planned.name.clone() });
        facts.push(Fact::Signer {
            key: node.public(),
            kind: SignerKind::Node,
            office: *id,
            name: format!("{}电脑", planned.place),
            roles: Vec::new(),
        });
        for ((name, roles), key) in planned.people.iter().zip(people) {
            facts.push(Fact::Signer {
                key: key.public(),
                kind: SignerKind::Person,
                office: *id,
                name: name.clone(),
                roles: roles.clone(),
            });
        }
    }
    facts
}
