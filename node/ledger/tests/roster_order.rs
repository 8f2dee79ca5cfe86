//! The roster is a function of the set of editions held: random histories, honest and hostile, each
//! delivered in many orders, and what must hold of every roster that comes of them.
//!
//! `XW_STORIES=100000 cargo test -p xw-ledger --test roster_order` tells more of them.

use std::collections::BTreeSet;

use story::{Dice, Story};
use world::{WEST, deliver};
use xw_ledger::roster::{Chain, Cut, Rank, Roster, RosterRefusal, Signer};
use xw_schemas::edition::{Edition, Fact, Scope};
use xw_schemas::id::{EditionId, PublicKey};
use xw_schemas::space::{Division, Tier};

#[path = "rosters/attacks.rs"]
mod attacks;
#[path = "rosters/large.rs"]
mod large;
#[path = "rosters/story.rs"]
mod story;
#[path = "rosters/world.rs"]
mod world;

/// Histories of an ordinary run: about ten seconds, most of it signing.
const STORIES: u64 = 150;

/// Orders in which each is delivered.
const ORDERS: usize = 5;

fn stories() -> impl Iterator<Item = (u64, Story)> {
    let told = std::env::var("XW_STORIES").ok().and_then(|text| text.parse().ok());
    (0..told.unwrap_or(STORIES)).map(|seed| (seed, Story::of(seed)))
}

fn told(story: &Story) -> (Chain, Vec<(EditionId, RosterRefusal)>) {
    let mut chain = Chain::founded(story.founding.clone()).expect("the county is founded");
    let refused = deliver(&mut chain, &story.editions);
    (chain, refused)
}

#[test]
fn every_order_of_delivery_gives_the_same_roster_and_refuses_the_same() {
    for (seed, story) in stories() {
        let (chain, refused) = told(&story);
        let mut dice = Dice::new(seed ^ 0xd1ce);
        for _ in 0..ORDERS {
            let mut editions: Vec<&Edition> = story.editions.iter().collect();
            dice.shuffle(&mut editions);
            let mut other = Chain::founded(story.founding.clone()).unwrap();
            let also = deliver(&mut other, editions);
            check_same(seed, chain.roster(), other.roster());
            assert_eq!(last(&refused), last(&also), "seed {seed}");
        }
    }
}

/// A copy with too few signatures and the whole edition have one id; what counts is whether any was
/// taken.
fn last(refused: &[(EditionId, RosterRefusal)]) -> BTreeSet<(EditionId, String)> {
    refused.iter().map(|(id, why)| (*id, format!("{why:?}"))).collect()
}

fn check_same(seed: u64, one: &Roster, other: &Roster) {
    assert_eq!(one.counted(), other.counted(), "seed {seed}");
    let passed: [Vec<_>; 2] = [one, other].map(|roster| roster.passed_over().collect());
    assert_eq!(passed[0], passed[1], "seed {seed}");
    assert_eq!(one.state(), other.state(), "seed {seed}");
    assert!(one == other, "seed {seed}: the rosters differ elsewhere");
}

#[test]
fn what_is_handed_on_in_order_is_taken_up_at_once() {
    for (seed, story) in stories() {
        let (chain, _) = told(&story);
        let mut one = Chain::founded(story.founding.clone()).unwrap();
        for edition in chain.editions() {
            let taken = one.add(edition.clone());
            assert!(taken.is_ok(), "seed {seed}: {taken:?} for {:?}", edition.core().scope);
        }
        check_same(seed, chain.roster(), one.roster());
        let mut all = Chain::founded(story.founding.clone()).unwrap();
        let taken = all.add_all(chain.editions().cloned());
        assert_eq!(taken.map(|(_, new)| new as u64), Ok(chain.count() - 1), "seed {seed}");
        check_same(seed, chain.roster(), all.roster());
    }
}

#[test]
fn every_edition_held_counts_or_is_passed_over_with_a_reason() {
    for (seed, story) in stories() {
        let (chain, _) = told(&story);
        let counted: BTreeSet<EditionId> = chain.roster().counted().iter().copied().collect();
        assert_eq!(counted.len(), chain.roster().counted().len(), "seed {seed}: one counts twice");
        let whole = chain.roster().passed_over().filter(|(_, at, _)| at.is_none());
        let passed: BTreeSet<EditionId> = whole.map(|(id, ..)| *id).collect();
        for edition in chain.editions() {
            let (counts, is_passed) =
                (counted.contains(&edition.id()), passed.contains(&edition.id()));
            let core = edition.core();
            assert!(counts != is_passed, "seed {seed}: {:?} {}", core.scope, core.number);
        }
    }
}

#[test]
fn a_preview_is_what_the_edition_brings_about() {
    for (seed, story) in stories() {
        let mut chain = Chain::founded(story.founding.clone()).unwrap();
        for edition in &story.editions {
            let foreseen = chain.preview(edition.clone());
            let before = chain.roster().clone();
            match chain.add(edition.clone()) {
                Ok(changed) => {
                    assert_eq!(foreseen.as_ref(), Ok(chain.roster()), "seed {seed}");
                    assert_eq!(changed, before != *chain.roster(), "seed {seed}");
                }
                Err(why) => {
                    assert_eq!(foreseen, Err(why), "seed {seed}");
                    assert!(before == *chain.roster(), "seed {seed}: a refusal leaves no trace");
                }
            }
        }
    }
}

#[test]
fn nobody_is_put_on_the_roster_by_somebody_beside_or_below() {
    let mut by = [0; 3];
    for (seed, story) in stories() {
        let (chain, _) = told(&story);
        let roster = chain.roster();
        for (key, signer) in roster.signers() {
            let tier = roster.office(signer.office).map(|office| office.division.tier());
            match signer.rank {
                Rank::Root => by[0] += 1,
                Rank::Registrar(rank) => {
                    by[1 + usize::from(rank == Tier::Township)] += 1;
                    assert!(tier > Some(rank), "seed {seed}: {key:?}");
                }
            }
        }
    }
    assert!(by.iter().all(|count| *count > 0), "the stories reach every rank: {by:?}");
}

/// What West's registrars say changes nothing for East, whatever they say, but for one thing: a
/// newcomer who brings one key in the place of two invitations belongs nowhere until he is confirmed.
#[test]
fn a_registrar_changes_nothing_outside_of_its_own_area() {
    for (seed, story) in stories() {
        let (chain, _) = told(&story);
        let of_west = |edition: &&Edition| matches!(edition.core().scope, Scope::Registrar { office, .. } if office == WEST);
        let shared = shared(&story.editions);
        let mut alone = Chain::founded(story.founding.clone()).unwrap();
        deliver(&mut alone, story.editions.iter().filter(|edition| !of_west(edition)));
        let (with, without) = (of_east(&chain, &shared), of_east(&alone, &shared));
        assert_eq!(with, without, "seed {seed}");
    }
}

/// Keys that newcomers bring in the place of two invitations, and whatever they bring together with
/// one of these.
fn shared(all: &[Edition]) -> BTreeSet<PublicKey> {
    let joinings: Vec<(_, Vec<PublicKey>)> = all
        .iter()
        .filter_map(|edition| match (edition.core().scope, edition.core().facts.as_slice()) {
            (Scope::Joining { invite }, [Fact::Replace { by, office, node, people }]) => {
                Some(((invite, *by, *office), node.iter().chain(people).copied().collect()))
            }
            _ => None,
        })
        .collect();
    let places = |key: &PublicKey| {
        let places = joinings.iter().filter(|(_, keys)| keys.contains(key));
        places.map(|(place, _)| *place).collect::<BTreeSet<_>>().len()
    };
    let brought = joinings.iter().flat_map(|(_, keys)| keys);
    let mut keys: BTreeSet<PublicKey> = brought.filter(|key| places(key) > 1).copied().collect();
    // Who comes with such a key may be kept out with it, and so on.
    loop {
        let before = keys.len();
        for (_, brought) in &joinings {
            if brought.iter().any(|key| keys.contains(key)) {
                keys.extend(brought);
            }
        }
        if keys.len() == before {
            return keys;
        }
    }
}

/// The township of East and its villages on the roster, without some keys.
fn of_east(chain: &Chain, without: &BTreeSet<PublicKey>) -> Vec<(PublicKey, Signer, Option<Cut>)> {
    let east = Division::from_number(130_599_202_000).expect("twelve digits");
    let roster = chain.roster();
    let below = |signer: &Signer| {
        roster.office(signer.office).is_some_and(|office| east.covers(office.division))
    };
    let signers = roster.signers().filter(|(key, signer)| below(signer) && !without.contains(*key));
    signers.map(|(key, signer)| (*key, signer.clone(), roster.cut(key).cloned())).collect()
}

/// 600 offices and 2,000 signers. How long it takes is printed: it depends on the machine, and tests
/// are built without optimisation.
#[test]
fn a_whole_county_is_evaluated() {
    let county = large::county();
    let mut chain = Chain::founded(county[0].clone()).unwrap();
    let taken = chain.add_all(county[1..].iter().cloned());
    assert_eq!(taken.map(|(_, new)| new), Ok(county.len() - 1));
    let roster = chain.roster();
    assert_eq!(roster.passed_over().collect::<Vec<_>>(), Vec::<&_>::new());
    assert_eq!(roster.counted().len(), county.len());
    assert_eq!((roster.offices().count(), roster.signers().count()), (600, 2_000));
    // Any further edition works the whole roster out once more.
    let next = large::next(&county[0], vec![Fact::Rules { version: 1 }]);
    let begun = std::time::Instant::now();
    let changed = chain.add(next);
    let took = begun.elapsed();
    assert_eq!(changed, Ok(true));
    println!("600 offices, 2,000 signers, {} editions: {took:?}", county.len());
}
