//! The synthetic county with all its keys, founded by one edition: for tests that run the real program.

use xw_bootstrap::synthetic::{self, COUNTY, TOWNSHIP, VILLAGES};
use xw_ledger::roster::RULES_VERSION;
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::hash::tagged;
use xw_schemas::id::EditionId;
use xw_schemas::record::RecordType;

use super::folder::Office;

/// When it was founded by its own account: 2026-11-18.
const FOUNDED_MS: u64 = 1_795_000_000_000;

/// A founded county.
pub(crate) struct County {
    pub(crate) founding: Edition,
    /// The county's office, its township's, and those of its three villages.
    pub(crate) offices: Vec<Office>,
}

/// Founds it with these record types; the same keys at every run.
pub(crate) fn found(definitions: &[RecordType]) -> County {
    let codes = [COUNTY, TOWNSHIP].into_iter().chain(VILLAGES.map(|(code, _)| code));
    let plan = synthetic::plan();
    let root = key(&["root"]);
    let mut facts = vec![
        Fact::Root { threshold: 1, keys: vec![root.public()] },
        Fact::Rules { version: RULES_VERSION },
    ];
    facts.extend(definitions.iter().map(|definition| Fact::Schema {
        record_type: definition.code.clone(),
        definition: definition.hash(),
    }));
    let mut offices = Vec::new();
    for (number, (code, planned)) in (1..).zip(codes.zip(&plan.offices)) {
        let (division, id) = (synthetic::division(code), OfficeId(number));
        let (place, name) = (planned.place.clone(), planned.name.clone());
        let node = key(&[code, "PC"]);
        facts.push(Fact::Place { division, name: place });
        facts.push(Fact::Office { office: id, division, name: name.clone() });
        facts.push(signer(&node, SignerKind::Node, id, "一号机", &[]));
        let mut people = Vec::new();
        for (person, roles) in synthetic::invite(division).people {
            let own = key(&[code, &person]);
            facts.push(signer(&own, SignerKind::Person, id, &person, &roles));
            people.push((person, own));
        }
        offices.push(Office { division, name, node, people });
    }
    let core = EditionCore {
        network: None,
        scope: Scope::Root,
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: FOUNDED_MS,
        facts,
    };
    let founding = Edition::sign(&core, &[root]).expect("the facts can be read back");
    County { founding, offices }
}

impl County {
    /// What root says next.
    pub(crate) fn decree(&self, last: &Edition, facts: Vec<Fact>) -> Edition {
        let core = EditionCore {
            network: Some(self.founding.network()),
            scope: Scope::Root,
            number: last.core().number + 1,
            previous: last.id(),
            claimed_time_ms: FOUNDED_MS,
            facts,
        };
        Edition::sign(&core, &[key(&["root"])]).expect("the facts can be read back")
    }
}

fn signer(
    key: &SecretKey,
    kind: SignerKind,
    office: OfficeId,
    name: &str,
    roles: &[String],
) -> Fact {
    Fact::Signer { key: key.public(), kind, office, name: name.to_owned(), roles: roles.to_vec() }
}

fn key(name: &[&str]) -> SecretKey {
    let parts: Vec<&[u8]> = name.iter().map(|part| part.as_bytes()).collect();
    SecretKey::from_seed(&tagged("xw/tests/key", &parts))
}
