//! A small county with all its keys: one county office, two townships, three villages, and in each
//! office one person for every role. Makes roster editions; judges nothing.

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use xw_ledger::judge::Definitions;
use xw_ledger::roster::{Chain, RULES_VERSION};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, SignerKind};
use xw_schemas::id::{EditionId, NetworkId, PublicKey};
use xw_schemas::record::{RecordType, SchemaHash, builtin};
use xw_schemas::space::{Audience, Division, Space};

/// When everything begins, milliseconds since 1970.
pub(crate) const NOW_MS: u64 = 1_800_000_000_000;

pub(crate) const COUNTY: usize = 0;
pub(crate) const TOWN: usize = 1;
pub(crate) const OTHER_TOWN: usize = 2;
pub(crate) const EAST: usize = 3;
pub(crate) const WEST: usize = 4;
pub(crate) const FAR: usize = 5;

/// Number of offices.
pub(crate) const OFFICES: usize = 6;

const DIVISIONS: [u64; OFFICES] = [
    130_599_000_000,
    130_599_201_000,
    130_599_202_000,
    130_599_201_201,
    130_599_201_202,
    130_599_202_201,
];

/// Roots: two of them must sign.
const ROOTS: u64 = 3;

pub(crate) struct Office {
    pub(crate) id: OfficeId,
    pub(crate) division: Division,
    pub(crate) node: SecretKey,
    people: BTreeMap<String, SecretKey>,
}

pub(crate) struct County {
    pub(crate) network: NetworkId,
    pub(crate) offices: Vec<Office>,
    pub(crate) roots: Vec<SecretKey>,
    pub(crate) founding: Edition,
    /// SVC, PVM, IND, MED.
    pub(crate) types: Vec<Arc<RecordType>>,
    /// A second edition of SVC that only later roster editions adopt.
    pub(crate) next_svc: Arc<RecordType>,
    /// All of these.
    pub(crate) definitions: Definitions,
    /// Their names, by code; making one writes out the whole definition.
    hashes: BTreeMap<String, SchemaHash>,
}

static THE: LazyLock<County> = LazyLock::new(County::new);

/// The county; made once.
pub(crate) fn county() -> &'static County {
    &THE
}

/// The key of a number.
pub(crate) fn key(number: u64) -> SecretKey {
    let mut seed = [7; 32];
    seed[..8].copy_from_slice(&number.to_le_bytes());
    SecretKey::from_seed(&seed)
}

impl Office {
    /// The person of a role.
    pub(crate) fn person(&self, role: &str) -> &SecretKey {
        self.people.get(role).expect("there is a person for every role")
    }

    /// The space of the office's own records.
    pub(crate) fn space(&self, audience: Audience) -> Space {
        Space { division: self.division, audience }
    }
}

impl County {
    fn new() -> Self {
        let types: Vec<Arc<RecordType>> = builtin().into_iter().map(Arc::new).collect();
        let next_svc = {
            let mut text = serde_json::to_value(&*types[0]).unwrap();
            text["version"] = "1.0.1".into();
            Arc::new(serde_json::from_value::<RecordType>(text).unwrap())
        };
        let roles: Vec<String> =
            types[0].lists["CL_ROLE"].codes.iter().map(|code| code.code.clone()).collect();
        let offices: Vec<Office> = (1_u32..)
            .zip(DIVISIONS)
            .map(|(number, division)| Office {
                id: OfficeId(number),
                division: Division::from_number(division).unwrap(),
                node: key(u64::from(number)),
                people: (1_u64..)
                    .zip(&roles)
                    .map(|(at, role)| (role.clone(), key(u64::from(number) * 1_000 + at)))
                    .collect(),
            })
            .collect();
        let mut roots: Vec<SecretKey> = (0..ROOTS).map(|at| key(900_000 + at)).collect();
        roots.sort_by_key(SecretKey::public);
        let mut facts = vec![
            Fact::Root { threshold: 2, keys: roots.iter().map(SecretKey::public).collect() },
            Fact::Rules { version: RULES_VERSION },
        ];
        facts.extend(types.iter().map(|rt| schema(rt)));
        for office in &offices {
            facts.push(Fact::Office {
                office: office.id,
                division: office.division,
                name: "机构".into(),
            });
            facts.push(signer(office.node.public(), SignerKind::Node, office.id, &[]));
            for (role, person) in &office.people {
                facts.push(signer(person.public(), SignerKind::Person, office.id, &[role]));
            }
        }
        let core = EditionCore {
            scope: xw_schemas::edition::Scope::Root,
            network: None,
            number: 1,
            previous: EditionId([0; 32]),
            claimed_time_ms: NOW_MS,
            facts,
        };
        let founding = Edition::sign(&core, &roots[..2]).unwrap();
        let definitions = types.iter().chain([&next_svc]).map(|rt| (rt.hash(), rt.clone()));
        Self {
            network: founding.network(),
            definitions: definitions.collect(),
            hashes: types.iter().map(|rt| (rt.code.clone(), rt.hash())).collect(),
            offices,
            roots,
            founding,
            types,
            next_svc,
        }
    }

    /// The chain of the founding edition alone.
    pub(crate) fn chain(&self) -> Chain {
        Chain::founded(self.founding.clone()).unwrap()
    }

    /// The edition after `before`, signed by two roots.
    pub(crate) fn edition_after(&self, before: &Edition, facts: Vec<Fact>) -> Edition {
        let core = EditionCore {
            scope: xw_schemas::edition::Scope::Root,
            network: Some(self.network),
            number: before.core().number + 1,
            previous: before.id(),
            claimed_time_ms: NOW_MS,
            facts,
        };
        Edition::sign(&core, &self.roots[..2]).unwrap()
    }

    /// The founding edition and one after it.
    pub(crate) fn chain_with(&self, facts: Vec<Fact>) -> Chain {
        let mut chain = self.chain();
        assert_eq!(chain.add(self.edition_after(&self.founding, facts)), Ok(true));
        chain
    }

    /// The hash of a built-in definition.
    pub(crate) fn hash(&self, code: &str) -> SchemaHash {
        self.hashes[code]
    }

    /// A record type by its code.
    pub(crate) fn record_type(&self, code: &str) -> &Arc<RecordType> {
        self.types.iter().find(|rt| rt.code == code).expect("a built-in type")
    }
}

/// Puts a key on the roster.
pub(crate) fn signer(key: PublicKey, kind: SignerKind, office: OfficeId, roles: &[&str]) -> Fact {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    Fact::Signer { key, kind, office, name: "某".into(), roles }
}

/// Adopts a definition.
pub(crate) fn schema(rt: &RecordType) -> Fact {
    Fact::Schema { record_type: rt.code.clone(), definition: rt.hash() }
}
