//! A county on paper: its offices, their keys, and the root that signs its roster editions.

use std::collections::BTreeMap;
use std::sync::{Arc, OnceLock};

use xw_ledger::judge::Definitions;
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, SignerKind};
use xw_schemas::hash::tagged;
use xw_schemas::id::EditionId;
use xw_schemas::record::{RecordType, SchemaHash, builtin};
use xw_schemas::space::{Audience, Division, Space};

/// 2027-01-15, the day on which every simulated county is founded.
pub const FOUNDED_MS: u64 = 1_800_000_000_000;

/// Villages of every simulated county.
pub const VILLAGES: usize = 8;

/// An office's place in the county: 0 is the county, then the townships, then the villages.
pub type Seat = usize;

/// The county's seat.
pub const COUNTY: Seat = 0;

/// An office with its keys.
#[derive(Debug, Clone)]
pub struct OfficeKeys {
    /// Where it stands.
    pub division: Division,
    /// The key of its PC.
    pub node: SecretKey,
    /// The keys of its people; all of one office have the same roles.
    pub people: Vec<SecretKey>,
}

impl OfficeKeys {
    /// The space that only this office and those above it read.
    #[must_use]
    pub fn own_space(&self) -> Space {
        Space { division: self.division, audience: Audience::Office }
    }
}

/// The root of a county and the offices on its roster.
#[derive(Debug, Clone)]
pub struct Registry {
    seed: u64,
    roots: Vec<SecretKey>,
    last: Edition,
    /// The last edition of each township's registrars.
    registered: BTreeMap<Seat, (u64, EditionId)>,
    /// Offices by seat.
    pub offices: Vec<OfficeKeys>,
    /// How many townships there are.
    pub townships: usize,
}

/// The record types of the simulation: those that every node is born with, and a later version of
/// the first that a county may adopt in the middle of a run.
pub fn known_types() -> &'static Definitions {
    static TYPES: OnceLock<Definitions> = OnceLock::new();
    TYPES.get_or_init(|| {
        let mut types = builtin();
        let mut newer = types[0].clone();
        newer.version = "9.0.0".to_owned();
        // Read back from its bytes, as a node does that fetches it.
        types.extend(RecordType::from_canonical(&newer.canonical_bytes()));
        types.into_iter().map(|rt| (rt.hash(), Arc::new(rt))).collect()
    })
}

/// The canonical bytes of a definition.
#[must_use]
pub(crate) fn definition_bytes(hash: &SchemaHash) -> Option<&'static [u8]> {
    static BYTES: OnceLock<BTreeMap<SchemaHash, Vec<u8>>> = OnceLock::new();
    let bytes = BYTES.get_or_init(|| {
        known_types().iter().map(|(hash, rt)| (*hash, rt.canonical_bytes())).collect()
    });
    bytes.get(hash).map(Vec::as_slice)
}

/// The definition of a code that the county was founded with, or the later one.
///
/// # Panics
/// When the code is none of the simulation's.
#[must_use]
pub fn definition_of(code: &str, later: bool) -> SchemaHash {
    static BY_CODE: OnceLock<BTreeMap<(String, bool), SchemaHash>> = OnceLock::new();
    let by_code = BY_CODE.get_or_init(|| {
        let of = |(hash, rt): (&SchemaHash, &Arc<RecordType>)| {
            ((rt.code.clone(), rt.version == "9.0.0"), *hash)
        };
        known_types().iter().map(of).collect()
    });
    *by_code.get(&(code.to_owned(), later)).expect("a code of the simulation")
}

/// The role that makes a person of a township a registrar.
const REGISTRAR: &str = "TADM";

/// Roles of the people at a level of the tree.
fn roles(division: Division) -> &'static [&'static str] {
    match division.tier() {
        xw_schemas::space::Tier::County => &["CDEP", "CLEAD"],
        xw_schemas::space::Tier::Township => &["TWIN", "TSOC", "TMED", "TRUR", REGISTRAR],
        xw_schemas::space::Tier::Village => &["VAGT", "VCLK", "VMED", "VSEC"],
    }
}

impl Registry {
    /// Founds a county with some townships and villages, which are spread over them.
    ///
    /// # Panics
    /// When there are more villages than codes for them.
    #[must_use]
    pub fn found(seed: u64, townships: usize, villages: usize) -> (Self, Edition) {
        let key = |name: &str| {
            SecretKey::from_seed(&tagged(
                "xw/simulation/key",
                &[&seed.to_be_bytes(), name.as_bytes()],
            ))
        };
        let mut roots: Vec<SecretKey> = ["root a", "root b"].into_iter().map(key).collect();
        roots.sort_by_key(SecretKey::public);
        let mut codes = vec![130_599_000_000];
        codes.extend((0..townships as u64).map(|t| 130_599_201_000 + t * 1_000));
        codes.extend(
            (0..villages as u64).map(|v| 130_599_201_201 + v % townships as u64 * 1_000 + v),
        );
        let office = |(seat, code): (usize, u64)| OfficeKeys {
            division: Division::from_number(code).expect("the codes have twelve digits"),
            node: key(&format!("node {seat}")),
            people: vec![key(&format!("person {seat}"))],
        };
        let offices: Vec<OfficeKeys> = codes.into_iter().enumerate().map(office).collect();
        let mut facts = vec![
            Fact::Root { threshold: 2, keys: roots.iter().map(SecretKey::public).collect() },
            Fact::Rules { version: xw_ledger::roster::RULES_VERSION },
        ];
        for (seat, office) in offices.iter().enumerate() {
            let (division, name) = (office.division, format!("机构{seat}"));
            facts.push(Fact::Office { office: office_id(seat), division, name });
            facts.push(signer(seat, office, &office.node, SignerKind::Node));
            facts.push(signer(seat, office, &office.people[0], SignerKind::Person));
        }
        for seat in 1..=townships {
            facts.push(Fact::Registrar {
                office: office_id(seat),
                term: 1,
                threshold: 1,
                role: REGISTRAR.to_owned(),
                closes: None,
            });
        }
        for code in ["SVC", "MED", "IND"] {
            let definition = definition_of(code, false);
            facts.push(Fact::Schema { record_type: code.to_owned(), definition });
        }
        let core = EditionCore {
            scope: xw_schemas::edition::Scope::Root,
            network: None,
            number: 1,
            previous: EditionId([0; 32]),
            claimed_time_ms: FOUNDED_MS,
            facts,
        };
        let edition = Edition::sign(&core, &roots).expect("the founding edition is sound");
        let registered = BTreeMap::new();
        (Self { seed, roots, last: edition.clone(), registered, offices, townships }, edition)
    }

    /// Signs the next edition.
    ///
    /// # Panics
    /// When the facts cannot be read back, which no fact of the simulation does.
    pub fn next_edition(&mut self, facts: Vec<Fact>) -> Edition {
        let core = EditionCore {
            scope: xw_schemas::edition::Scope::Root,
            network: Some(self.last.network()),
            number: self.last.core().number + 1,
            previous: self.last.id(),
            claimed_time_ms: FOUNDED_MS,
            facts,
        };
        let edition = Edition::sign(&core, &self.roots).expect("the facts can be read back");
        self.last = edition.clone();
        edition
    }

    /// A township's registrar signs an edition about the villages below it.
    ///
    /// # Panics
    /// When the facts cannot be read back, which no fact of the simulation does.
    pub fn registrars_edition(&mut self, seat: Seat, facts: Vec<Fact>) -> Edition {
        let (number, previous) =
            self.registered.get(&seat).copied().unwrap_or((0, EditionId([0; 32])));
        let core = EditionCore {
            scope: xw_schemas::edition::Scope::Registrar { office: office_id(seat), term: 1 },
            network: Some(self.last.network()),
            number: number + 1,
            previous,
            claimed_time_ms: FOUNDED_MS,
            facts,
        };
        let registrar = &self.offices[seat].people[..1];
        let edition = Edition::sign(&core, registrar).expect("the facts can be read back");
        self.registered.insert(seat, (number + 1, edition.id()));
        edition
    }

    /// A new person of an office, to be made known by the next edition.
    pub fn hire(&mut self, seat: Seat) -> Fact {
        let name = format!("person {seat} {}", self.offices[seat].people.len());
        let seed = self.seed.to_be_bytes();
        let key = SecretKey::from_seed(&tagged("xw/simulation/key", &[&seed, name.as_bytes()]));
        let fact = signer(seat, &self.offices[seat], &key, SignerKind::Person);
        self.offices[seat].people.push(key);
        fact
    }

    /// The township above a village; the county for all others.
    #[must_use]
    pub fn above(&self, seat: Seat) -> Seat {
        let division = self.offices[seat].division;
        let above = |other: &Seat| *other != seat && self.offices[*other].division.covers(division);
        (1..=self.townships).find(above).unwrap_or(COUNTY)
    }

    /// The villages' seats.
    #[must_use]
    pub fn villages(&self) -> std::ops::Range<Seat> {
        self.townships + 1..self.offices.len()
    }
}

fn office_id(seat: Seat) -> OfficeId {
    OfficeId(u32::try_from(seat).unwrap_or(u32::MAX))
}

fn signer(seat: Seat, office: &OfficeKeys, key: &SecretKey, kind: SignerKind) -> Fact {
    let roles = match kind {
        SignerKind::Node => &[][..],
        SignerKind::Person => roles(office.division),
    };
    Fact::Signer {
        key: key.public(),
        kind,
        office: office_id(seat),
        name: format!("签名人{seat}"),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    }
}
