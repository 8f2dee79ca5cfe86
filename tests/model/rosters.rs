//! I8 in small worlds: every set of roster editions that a node may hold, in every order of arrival.
//! Same set, same roster; rivals freeze every node alike; nothing but root's word goes on.

use std::collections::{BTreeMap, BTreeSet};

use xw_ledger::roster::{Chain, RosterRefusal};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::{EditionId, PublicKey};
use xw_schemas::space::Division;

/// When everything happens, milliseconds since 1970.
const NOW_MS: u64 = 1_800_000_000_000;

/// How often each world is signed anew, so that the order of the ids is another.
const DRAWS: u64 = 6;

const ROLE: &str = "TADM";
const TOWNSHIP: OfficeId = OfficeId(2);
const VILLAGE: OfficeId = OfficeId(3);
const TERM: Scope = Scope::Registrar { office: TOWNSHIP, term: 1 };

/// A set of editions by their places in the world, a bit each.
type Set = u32;

/// What every node says that holds a set: how far root's chain leads, whether it is frozen, and
/// which keys are cut.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Says {
    head: &'static str,
    frozen: bool,
    cut: BTreeSet<u8>,
}

/// A world of editions: the founding one, and others behind it.
struct Editions {
    names: Vec<&'static str>,
    signed: Vec<Edition>,
    /// The edition that each needs.
    behind: Vec<Option<usize>>,
}

/// One state of a chain: what it holds, and what came and was not kept.
struct Held {
    chain: Chain,
    surplus: BTreeSet<usize>,
}

impl Editions {
    fn founded(draw: u64) -> Self {
        let office = |office, division| Fact::Office {
            office,
            division: Division::from_number(division).unwrap(),
            name: "机构".into(),
        };
        let mut facts = vec![
            Fact::Root { threshold: 1, keys: vec![key(1).public()] },
            office(OfficeId(1), 130_599_000_000),
            office(TOWNSHIP, 130_599_201_000),
            office(VILLAGE, 130_599_201_201),
        ];
        facts.extend([2, 3].map(|person| signer(person, SignerKind::Person, TOWNSHIP)));
        facts.extend((10..16).map(|node| signer(node, SignerKind::Node, VILLAGE)));
        facts.push(delegation(1, None));
        let core = EditionCore {
            network: None,
            scope: Scope::Root,
            number: 1,
            previous: EditionId([0; 32]),
            claimed_time_ms: NOW_MS + draw,
            facts,
        };
        let signed = vec![Edition::sign(&core, &[key(1)]).unwrap()];
        Self { names: vec!["founding"], signed, behind: vec![None] }
    }

    /// Signs an edition behind another one of its scope, or as the first of it.
    fn sign(
        &mut self,
        name: &'static str,
        scope: Scope,
        behind: Option<&str>,
        facts: Vec<Fact>,
        signers: &[u8],
    ) {
        let behind = behind.map(|name| self.place(name));
        let before = behind.map(|at| &self.signed[at]);
        let core = EditionCore {
            network: Some(self.signed[0].network()),
            scope,
            number: before.map_or(1, |before| before.core().number + 1),
            previous: before.map_or(EditionId([0; 32]), Edition::id),
            // Two editions of one content would be one edition.
            claimed_time_ms: self.signed[0].core().claimed_time_ms + self.names.len() as u64,
            facts,
        };
        let keys: Vec<SecretKey> = signers.iter().map(|number| key(*number)).collect();
        self.signed.push(Edition::sign(&core, &keys).unwrap());
        self.names.push(name);
        self.behind.push(behind.or(Some(0)));
    }

    fn place(&self, name: &str) -> usize {
        self.names.iter().position(|held| *held == name).expect("an edition of this world")
    }

    fn id(&self, name: &str) -> EditionId {
        self.signed[self.place(name)].id()
    }

    /// Every set that a node may hold: the founding edition, and of each other the one before.
    fn sets(&self) -> Vec<Set> {
        let whole = |set: &Set| {
            (0..self.signed.len())
                .filter(|at| set & (1 << at) != 0)
                .all(|at| self.behind[at].is_none_or(|before| set & (1 << before) != 0))
        };
        (1..1 << self.signed.len()).filter(|set| set & 1 != 0).filter(whole).collect()
    }

    fn told(&self, set: Set) -> Vec<&'static str> {
        (0..self.names.len()).filter(|at| set & (1 << at) != 0).map(|at| self.names[at]).collect()
    }

    fn says(&self, held: &Held) -> Says {
        let roster = held.chain.roster();
        let head = self.signed.iter().position(|edition| edition.id() == roster.head());
        let is_cut = |number: &u8| roster.cut(&key(*number).public()).is_some();
        Says {
            head: self.names[head.expect("the head is an edition of this world")],
            frozen: roster.is_frozen(),
            cut: (10..16).filter(is_cut).collect(),
        }
    }

    /// ROSTER: in every order of arrival, every set says what is expected of it.
    fn check(&self, expected: impl Fn(&[&str]) -> Says) -> usize {
        let mut reached: BTreeMap<Set, BTreeMap<Vec<EditionId>, Held>> = BTreeMap::new();
        let mut arrivals = 0;
        let sets = self.sets();
        for set in &sets {
            let mut states = BTreeMap::new();
            if *set == 1 {
                let chain = Chain::founded(self.signed[0].clone()).unwrap();
                states.insert(Vec::new(), Held { chain, surplus: BTreeSet::new() });
            }
            for last in (1..self.signed.len()).filter(|at| set & (1 << at) != 0) {
                for from in reached.get(&(set & !(1 << last))).into_iter().flatten() {
                    let state = self.arrive(from.1, last);
                    arrivals += 1;
                    let kept = state.chain.editions().map(Edition::id).collect();
                    states.entry(kept).or_insert(state);
                }
            }
            let told = self.told(*set);
            let expected = expected(&told);
            for state in states.values() {
                let surplus = state.surplus.iter().map(|at| self.names[*at]);
                let surplus: Vec<_> = surplus.collect();
                assert_eq!(self.says(state), expected, "{told:?}, not kept: {surplus:?}");
            }
            let digests = states.values().map(|state| state.chain.roster().state());
            assert_eq!(digests.collect::<BTreeSet<_>>().len(), 1, "{told:?}");
            reached.insert(*set, states);
        }
        arrivals
    }

    /// One more edition comes; what was not kept before is offered again.
    fn arrive(&self, from: &Held, last: usize) -> Held {
        let mut chain = from.chain.clone();
        let mut surplus = from.surplus.clone();
        surplus.insert(last);
        loop {
            let before = surplus.len();
            surplus.retain(|at| match chain.add(self.signed[*at].clone()) {
                Ok(_) => false,
                Err(RosterRefusal::Gap | RosterRefusal::Stranger | RosterRefusal::EnoughRivals) => {
                    true
                }
                Err(refusal) => panic!("{}: {refusal}", self.names[*at]),
            });
            if surplus.len() == before {
                return Held { chain, surplus };
            }
        }
    }
}

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

fn signer(number: u8, kind: SignerKind, office: OfficeId) -> Fact {
    let key = key(number).public();
    let roles = if kind == SignerKind::Person { vec![ROLE.into()] } else { Vec::new() };
    Fact::Signer { key, kind, office, name: "某".into(), roles }
}

/// Two persons of the township must sign.
fn delegation(term: u64, closes: Option<(u64, EditionId)>) -> Fact {
    Fact::Registrar { office: TOWNSHIP, term, threshold: 2, role: ROLE.into(), closes }
}

fn cut(number: u8) -> Vec<Fact> {
    let key: PublicKey = key(number).public();
    vec![Fact::Cut { key, kept: Vec::new() }]
}

fn recovery(rejected: EditionId, number: u8) -> Vec<Fact> {
    let mut facts = cut(number);
    facts.push(Fact::Recover { rejected: vec![rejected] });
    facts
}

/// Two rivals; each side recovers against the other; one side has the last word.
fn rivals(draw: u64) -> Editions {
    let mut all = Editions::founded(draw);
    all.sign("A2", Scope::Root, Some("founding"), cut(10), &[1]);
    all.sign("B2", Scope::Root, Some("founding"), cut(11), &[1]);
    all.sign("A3", Scope::Root, Some("A2"), recovery(all.id("B2"), 12), &[1]);
    all.sign("B3", Scope::Root, Some("B2"), recovery(all.id("A2"), 13), &[1]);
    all.sign("A4", Scope::Root, Some("A3"), recovery(all.id("B3"), 14), &[1]);
    all.sign("B4", Scope::Root, Some("B3"), cut(15), &[1]);
    all
}

/// A side leads when the other is not held, or when it names the other's last recovery or, where
/// that has none, its first edition. Where neither or both do, all stop before both.
fn of_rivals(held: &[&str]) -> Says {
    let has = |name: &str| held.contains(&name);
    let a_names = if has("B3") { has("A4") } else { has("A3") };
    let b_names = !has("A3") && has("B3");
    let (a, b) = (has("A2"), has("B2"));
    let side: &[(&str, u8)] = match () {
        () if a && (!b || a_names && !b_names) => &[("A2", 10), ("A3", 12), ("A4", 14)],
        () if b && (!a || b_names && !a_names) => &[("B2", 11), ("B3", 13), ("B4", 15)],
        () => &[],
    };
    let counted: Vec<_> = side.iter().filter(|(name, _)| has(name)).collect();
    let names = ["founding", "A2", "A3", "A4", "B2", "B3", "B4"];
    let head = counted.last().map_or("founding", |(name, _)| *name);
    Says {
        head: names.into_iter().find(|name| *name == head).expect("one of them"),
        frozen: a && b && side.is_empty(),
        cut: counted.iter().map(|(_, cut)| *cut).collect(),
    }
}

#[test]
fn rivals_freeze_every_node_alike_until_root_names_one() {
    let mut arrivals = 0;
    for draw in 0..DRAWS {
        arrivals += rivals(draw * 1_000).check(of_rivals);
    }
    println!("rivals of root: {arrivals} arrivals");
}

/// Registrars contradict each other; root ends their term at one of the two.
fn registrars(draw: u64) -> Editions {
    let mut all = Editions::founded(draw);
    all.sign("E1", TERM, None, cut(10), &[2, 3]);
    all.sign("F1", TERM, None, cut(11), &[2, 3]);
    all.sign("E2", TERM, Some("E1"), cut(12), &[2, 3]);
    all.sign("F2", TERM, Some("F1"), cut(13), &[2, 3]);
    let closes = Some((1, all.id("F1")));
    all.sign("new term", Scope::Root, Some("founding"), vec![delegation(2, closes)], &[1]);
    all
}

fn of_registrars(held: &[&str]) -> Says {
    let has = |name: &str| held.contains(&name);
    let closed = has("new term");
    let side: &[(&str, u8)] = match () {
        () if closed => &[("F1", 11)],
        () if has("E1") && has("F1") => &[],
        () if has("E1") => &[("E1", 10), ("E2", 12)],
        () => &[("F1", 11), ("F2", 13)],
    };
    let counted = side.iter().filter(|(name, _)| has(name));
    let head = if closed { "new term" } else { "founding" };
    Says { head, frozen: false, cut: counted.map(|(_, cut)| *cut).collect() }
}

#[test]
fn registrars_who_contradict_each_other_stop_until_their_term_is_closed() {
    let mut arrivals = 0;
    for draw in 0..DRAWS {
        arrivals += registrars(draw * 1_000).check(of_registrars);
    }
    println!("rivals among registrars: {arrivals} arrivals");
}

/// One registrar alone signs any number of editions; two sign the real one.
fn flood(draw: u64) -> Editions {
    let mut all = Editions::founded(draw);
    for name in ["J1", "K1", "L1", "M1", "N1"] {
        all.sign(name, TERM, None, cut(10), &[2]);
    }
    all.sign("E1", TERM, None, cut(11), &[2, 3]);
    all.sign("E2", TERM, Some("E1"), cut(12), &[2, 3]);
    all
}

fn of_flood(held: &[&str]) -> Says {
    let counted = [("E1", 11), ("E2", 12)].into_iter().filter(|(name, _)| held.contains(name));
    Says { head: "founding", frozen: false, cut: counted.map(|(_, cut)| cut).collect() }
}

#[test]
fn one_registrar_cannot_bury_what_two_have_signed() {
    let mut arrivals = 0;
    for draw in 0..DRAWS {
        arrivals += flood(draw * 1_000).check(of_flood);
    }
    println!("a flood by one registrar: {arrivals} arrivals");
}

/// Root has signed as many rivals as are kept, and then names one of them.
fn many_rivals(draw: u64) -> Editions {
    let mut all = Editions::founded(draw);
    for name in MANY {
        all.sign(name, Scope::Root, Some("founding"), cut(10), &[1]);
    }
    let mut rejected: Vec<EditionId> = MANY[..3].iter().map(|name| all.id(name)).collect();
    rejected.sort();
    let mut facts = cut(11);
    facts.push(Fact::Recover { rejected });
    all.sign("D3", Scope::Root, Some("D2"), facts, &[1]);
    all
}

const MANY: [&str; 4] = ["A2", "B2", "C2", "D2"];

fn of_many_rivals(held: &[&str]) -> Says {
    let sides: Vec<&'static str> = MANY.into_iter().filter(|name| held.contains(name)).collect();
    let (head, frozen, cut): (_, _, &[u8]) = match sides.as_slice() {
        _ if held.contains(&"D3") => ("D3", false, &[10, 11]),
        [] => ("founding", false, &[]),
        [one] => (*one, false, &[10]),
        _ => ("founding", true, &[]),
    };
    Says { head, frozen, cut: cut.iter().copied().collect() }
}

#[test]
fn root_names_one_of_many_rivals() {
    let mut arrivals = 0;
    for draw in 0..DRAWS {
        arrivals += many_rivals(draw * 1_000).check(of_many_rivals);
    }
    println!("many rivals of root: {arrivals} arrivals");
}
