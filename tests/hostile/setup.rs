//! The county under attack on paper: its offices, the keys of all of them, and its root. Offices
//! with a process of their own get their folders in `enrol.rs`; the others are the test's.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use xw_ledger::judge::Definitions;
use xw_ledger::roster::{Chain, RULES_VERSION};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::hash::tagged;
use xw_schemas::id::{EditionId, NetworkId};
use xw_schemas::record::builtin;
use xw_schemas::space::{Division, Tier};

use crate::enrol::calling;

/// The county's node, and the seats behind it.
pub(crate) const COUNTY: usize = 0;
/// The eastern township.
pub(crate) const EAST: usize = 1;
/// The western township.
pub(crate) const WEST: usize = 2;
/// An honest village of the eastern township.
pub(crate) const EAST_VILLAGE: usize = 3;
/// Another one.
pub(crate) const EAST_NEIGHBOUR: usize = 4;
/// An honest village of the western township.
pub(crate) const WEST_VILLAGE: usize = 5;

/// Where the honest offices stand.
pub(crate) const HONEST: [(u64, &str); 6] = [
    (130_599_000_000, "清河川县"),
    (130_599_201_000, "白杨镇"),
    (130_599_202_000, "西岭乡"),
    (130_599_201_201, "柳河村"),
    (130_599_201_202, "东杨庄村"),
    (130_599_202_201, "石桥村"),
];

/// Further PCs of honest offices, whose keys are the test's: by seat, and how many.
const SECOND_PCS: [(usize, u8); 4] =
    [(COUNTY, 2), (EAST, 2), (EAST_VILLAGE, 1), (EAST_NEIGHBOUR, 1)];

/// The role of whoever registers villages at the eastern township.
const REGISTRAR: &str = "TADM";

/// Villages of the eastern township that are the test's. Each attack has one of its own, so that no
/// attack stands in the way of another.
const LIARS: u8 = 40;

/// When the county was founded by its own account: 2026-11-18.
pub(crate) const FOUNDED_MS: u64 = 1_795_000_000_000;

/// What everybody in the county knows.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) network: NetworkId,
    /// How nodes call it towards each other.
    pub(crate) calling: [u8; 32],
    pub(crate) founding: Edition,
    pub(crate) chain: Chain,
    pub(crate) definitions: Definitions,
    roots: Vec<SecretKey>,
}

/// An office's keys, all of which the test knows.
#[derive(Debug, Clone)]
pub(crate) struct Keys {
    pub(crate) division: Division,
    pub(crate) name: String,
    pub(crate) node: SecretKey,
    /// Each person's name, roles and key.
    pub(crate) people: Vec<(String, Vec<String>, SecretKey)>,
    /// Its place among the hostile villages.
    number: u8,
}

impl Keys {
    /// Where the next call comes from. An attacker has many addresses, and honest villages share
    /// none of them.
    pub(crate) fn address(&self) -> Ipv4Addr {
        static CALLS: AtomicU8 = AtomicU8::new(0);
        Ipv4Addr::new(127, 9, CALLS.fetch_add(1, Ordering::Relaxed), self.number)
    }

    /// The person who holds a role.
    pub(crate) fn person(&self, role: &str) -> &SecretKey {
        let mut people = self.people.iter();
        let found = people.find(|(_, roles, _)| roles.iter().any(|held| held == role));
        &found.expect("somebody holds the role").2
    }

    /// The same office and people at another of its PCs.
    pub(crate) fn at_pc(&self, number: u8) -> Self {
        let name = [self.division.to_string(), format!("PC {number}")];
        Self { node: key(&[&name[0], &name[1]]), ..self.clone() }
    }
}

/// A founded county.
pub(crate) struct Founding {
    pub(crate) world: Arc<World>,
    /// The honest offices by seat.
    pub(crate) honest: Vec<Keys>,
    /// The villages that are the test's.
    pub(crate) liars: Vec<Keys>,
}

/// Where an honest office stands.
pub(crate) fn division(seat: usize) -> Division {
    Division::from_number(HONEST[seat].0).expect("twelve digits")
}

/// The number of an honest office on the roster.
fn number_of(seat: usize) -> OfficeId {
    OfficeId(u32::try_from(seat).expect("a few offices") + 1)
}

/// Founds the county; the same keys at every run.
pub(crate) fn found() -> Founding {
    let definitions = builtin();
    let honest: Vec<Keys> = HONEST.into_iter().map(|(code, name)| keys(code, name, 0)).collect();
    let liar = |n: u8| keys(130_599_201_300 + u64::from(n), &format!("第{n}村"), n);
    let liars: Vec<Keys> = (1..=LIARS).map(liar).collect();
    let mut roots: Vec<SecretKey> = ["甲", "乙", "丙"].map(|holder| key(&["root", holder])).into();
    roots.sort_by_key(SecretKey::public);
    let mut facts = vec![
        Fact::Root { threshold: 2, keys: roots.iter().map(SecretKey::public).collect() },
        Fact::Rules { version: RULES_VERSION },
    ];
    facts.extend(definitions.iter().map(|definition| Fact::Schema {
        record_type: definition.code.clone(),
        definition: definition.hash(),
    }));
    for (number, office) in (1..).zip(honest.iter().chain(&liars)) {
        facts.extend(facts_of(OfficeId(number), office));
    }
    for (seat, count) in SECOND_PCS {
        let pcs = (1..=count).map(|number| honest[seat].at_pc(number));
        facts.extend(pcs.map(|pc| pc_of(number_of(seat), &pc)));
    }
    facts.push(Fact::Registrar {
        office: number_of(EAST),
        term: 1,
        threshold: 1,
        role: REGISTRAR.to_owned(),
        closes: None,
    });
    let core = EditionCore {
        network: None,
        scope: Scope::Root,
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: FOUNDED_MS,
        facts,
    };
    let founding = Edition::sign(&core, &roots[..2]).expect("the facts can be read back");
    let world = World {
        network: founding.network(),
        calling: calling(founding.network()),
        chain: Chain::founded(founding.clone()).expect("the founding edition holds"),
        founding,
        definitions: definitions.into_iter().map(|d| (d.hash(), Arc::new(d))).collect(),
        roots,
    };
    Founding { world: Arc::new(world), honest, liars }
}

fn key(name: &[&str]) -> SecretKey {
    let parts: Vec<&[u8]> = name.iter().map(|part| part.as_bytes()).collect();
    SecretKey::from_seed(&tagged("xw/hostile/key", &parts))
}

fn keys(code: u64, place: &str, number: u8) -> Keys {
    let division = Division::from_number(code).expect("twelve digits");
    let posts: &[(&str, &[&str])] = match division.tier() {
        Tier::County => &[("县经办员", &["CDEP"])],
        Tier::Township => &[("振兴专干", &["TRUR", "TFIN", REGISTRAR])],
        Tier::Village => &[
            ("村文书", &["VCLK", "VAGT", "VGRD"]),
            ("村书记", &["VSEC", "VMED", "VTEAM"]),
            ("监督员", &["VSUP"]),
        ],
    };
    let person = |(post, roles): &(&str, &[&str])| {
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        ((*post).to_owned(), roles, key(&[place, post]))
    };
    let people = posts.iter().map(person).collect();
    let name = match division.tier() {
        Tier::County => format!("{place}乡村治理工作办公室"),
        Tier::Township => format!("{place}人民政府"),
        Tier::Village => format!("{place}村民委员会"),
    };
    Keys { division, name, node: key(&[place, "PC"]), people, number }
}

fn facts_of(office: OfficeId, keys: &Keys) -> Vec<Fact> {
    let (division, name) = (keys.division, keys.name.clone());
    let mut facts = vec![
        Fact::Place { division, name: name.clone() },
        Fact::Office { office, division, name },
        pc_of(office, keys),
    ];
    facts.extend(keys.people.iter().map(|(name, roles, key)| Fact::Signer {
        key: key.public(),
        kind: SignerKind::Person,
        office,
        name: name.clone(),
        roles: roles.clone(),
    }));
    facts
}

fn pc_of(office: OfficeId, keys: &Keys) -> Fact {
    Fact::Signer {
        key: keys.node.public(),
        kind: SignerKind::Node,
        office,
        name: format!("{}电脑", keys.name),
        roles: Vec::new(),
    }
}

impl World {
    /// A root edition behind another one, signed by so many root keys.
    pub(crate) fn edition(&self, previous: &Edition, facts: Vec<Fact>, signers: usize) -> Edition {
        Edition::sign(&self.core(previous, facts), &self.roots[..signers]).expect("it can be read")
    }

    /// The same, signed by keys that nobody made root.
    pub(crate) fn forged_edition(&self, previous: &Edition, facts: Vec<Fact>) -> Edition {
        let stranger = |n: u8| SecretKey::from_seed(&[n; 32]);
        Edition::sign(&self.core(previous, facts), &[stranger(1), stranger(2), stranger(3)])
            .expect("it can be read")
    }

    /// A rival founding edition by strangers: another network altogether.
    pub(crate) fn rival_founding(&self) -> Edition {
        let roots = [SecretKey::from_seed(&[4; 32])];
        let keys = roots.iter().map(SecretKey::public).collect();
        let mut core = self.founding.core().clone();
        core.facts.retain(|fact| !matches!(fact, Fact::Root { .. }));
        core.facts.insert(0, Fact::Root { threshold: 1, keys });
        Edition::sign(&core, &roots).expect("it can be read")
    }

    /// What the next edition says; the payload that root keys sign.
    pub(crate) fn core(&self, previous: &Edition, facts: Vec<Fact>) -> EditionCore {
        EditionCore {
            network: Some(self.network),
            scope: Scope::Root,
            number: previous.core().number + 1,
            previous: previous.id(),
            claimed_time_ms: FOUNDED_MS,
            facts,
        }
    }

    /// One root key.
    pub(crate) fn root(&self) -> &SecretKey {
        &self.roots[0]
    }

    /// An edition far beyond any that is held.
    pub(crate) fn edition_beyond_a_gap(&self) -> Edition {
        let mut core = self.core(&self.founding, Vec::new());
        (core.number, core.previous) = (900, EditionId([9; 32]));
        Edition::sign(&core, &self.roots).expect("it can be read")
    }
}
