//! The small worlds. Each holds one kind of trouble, and is small enough that every state of it is
//! visited.

use crate::check::check;
use crate::fact::{Key, Office};
use crate::rules::Stands::{Disputed, Final, Local, Pending, Void, Witnessed};
use crate::rules::{LostWitness, Rules};
use crate::world::{Decree, Manner, Member, World};

const ALL: &[Key] = &[
    Key::County,
    Key::SecondCounty,
    Key::NewCounty,
    Key::Town,
    Key::Stranger,
    Key::Village,
    Key::Successor,
];
const OWN: &[Key] = &[Key::Village, Key::Successor];
const NONE: &[Key] = &[];

/// What is added to the bounds for CI: `XW_MODEL`.
fn more() -> u8 {
    std::env::var("XW_MODEL").ok().and_then(|text| text.parse().ok()).unwrap_or(0)
}

fn county(acts_max: u8) -> Member {
    Member { name: "county", key: Key::County, manner: Manner::Witness, acts_max, hears: ALL }
}

fn town(acts_max: u8) -> Member {
    Member { name: "township", key: Key::Town, manner: Manner::Witness, acts_max, hears: ALL }
}

fn village(acts_max: u8, hears: &'static [Key]) -> Member {
    Member { name: "village", key: Key::Village, manner: Manner::Village, acts_max, hears }
}

fn clone_of(original: usize, acts_max: u8, hears: &'static [Key]) -> Member {
    let manner = Manner::CloneOf(original);
    Member { name: "clone", key: Key::Village, manner, acts_max, hears }
}

fn secretary(acts_max: u8) -> Member {
    let (key, manner) = (Key::Village, Manner::Liar);
    Member { name: "secretary", key, manner, acts_max, hears: NONE }
}

fn liar(key: Key, acts_max: u8) -> Member {
    let manner = Manner::LyingWitness;
    Member { name: "lying township", key, manner, acts_max, hears: NONE }
}

fn thief(acts_max: u8) -> Member {
    let (key, manner) = (Key::Village, Manner::Thief);
    Member { name: "thief", key, manner, acts_max, hears: NONE }
}

fn world(name: &'static str, members: Vec<Member>) -> World {
    World {
        name,
        rules: Rules::DESIGNED,
        members,
        open: vec![Key::County, Key::Town, Key::Village],
        asks: true,
        backed_up: None,
        decrees: Vec::new(),
        book: Default::default(),
        seen: Default::default(),
    }
}

/// A secretary forks his own log in any slot, its opening included, and shows anyone anything.
pub(crate) fn eraser() -> World {
    let members = vec![county(2), town(2), secretary(4 + more())];
    World { open: vec![Key::County, Key::Town], ..world("eraser", members) }
}

/// A village's disk is cloned and both PCs go on; the township witnesses.
pub(crate) fn clones_below_the_township() -> World {
    world("clones, township", vec![town(1 + more()), village(1, OWN), clone_of(1, 1, OWN)])
}

/// The same below the county, whose witness entries come back to both.
pub(crate) fn clones_below_the_county() -> World {
    const HEARD: &[Key] = &[Key::County, Key::Village, Key::Successor];
    let typed = 1 + more();
    world("clones, county", vec![county(1), village(typed, HEARD), clone_of(1, 1, HEARD)])
}

/// Township and county may witness different branches of the two, who hear of it in the end only.
pub(crate) fn clones_apart() -> World {
    let members = vec![county(2), town(1 + more()), village(2, NONE), clone_of(2, 2, NONE)];
    World { asks: false, ..world("clones, apart", members) }
}

/// A village's disk is lost and an old backup brought back, with the mark of our own restore or
/// without.
pub(crate) fn restored() -> World {
    let members = vec![town(1), county(1), village(2 + more(), OWN)];
    World { backed_up: Some(2), ..world("restored", members) }
}

/// The same where the township's witness entries come back.
pub(crate) fn restored_and_witnessed() -> World {
    let members = vec![town(2), village(2 + more(), ALL)];
    World { backed_up: Some(1), ..world("restored, witnessed", members) }
}

/// The village's key is stolen; root cuts it anywhere.
pub(crate) fn stolen() -> World {
    let members = vec![county(1), village(1, ALL), thief(1 + more())];
    World {
        decrees: vec![Decree::Cut(Office::Root, Key::Village)],
        ..world("stolen, cut by root", members)
    }
}

/// The same, and a registrar cuts it, whom the county may not have heard.
pub(crate) fn stolen_and_registered() -> World {
    let members = vec![county(2), village(1, OWN), thief(1 + more())];
    let decrees = vec![Decree::Cut(Office::Registrar, Key::Village)];
    World { decrees, ..world("stolen, cut by a registrar", members) }
}

/// A registrar cuts, and root then cuts exactly.
pub(crate) fn stolen_and_cut_twice() -> World {
    let members = vec![county(1), village(1, NONE), thief(1 + more())];
    let decrees =
        vec![Decree::Cut(Office::Registrar, Key::Village), Decree::Cut(Office::Root, Key::Village)];
    World { decrees, asks: false, ..world("stolen, cut twice", members) }
}

/// A registrar cuts, and root adopts what was taken.
pub(crate) fn adopted() -> World {
    let members = vec![county(1), village(1 + more(), NONE), thief(1)];
    let decrees = vec![Decree::Cut(Office::Registrar, Key::Village), Decree::Adopt];
    World { decrees, asks: false, ..world("adopted", members) }
}

/// Root decides for any branch of a secretary's log.
pub(crate) fn adjudicated() -> World {
    let members = vec![county(1), town(1), secretary(3 + more())];
    World { decrees: vec![Decree::Adjudicate], ..world("adjudicated", members) }
}

/// The township itself lies: it pins anything and forks its own log.
pub(crate) fn lying_township() -> World {
    let members = vec![county(2), liar(Key::Town, 2 + more()), secretary(3)];
    world("lying township", members)
}

/// A township to which the village does not belong pins anything.
pub(crate) fn strange_township() -> World {
    let members = vec![county(1), liar(Key::Stranger, 2), secretary(2 + more())];
    World {
        open: vec![Key::County, Key::Stranger, Key::Village],
        ..world("strange township", members)
    }
}

/// The township's store is lost and an old backup brought back.
pub(crate) fn lost_witness() -> World {
    let members = vec![town(2), county(1), secretary(2 + more())];
    World { backed_up: Some(0), ..world("lost witness", members) }
}

/// Root cuts the county's key anywhere, and the county goes on with a new one.
pub(crate) fn new_county() -> World {
    let new = Member { name: "new county", key: Key::NewCounty, ..county(1) };
    let members = vec![county(2), new, secretary(2 + more())];
    let decrees = vec![Decree::Cut(Office::Root, Key::County)];
    World { open: vec![Key::County, Key::Village], decrees, ..world("new county", members) }
}

/// Two PCs of the county witness, which no rule allows: see the mutants.
pub(crate) fn two_counties() -> World {
    let second = Member { name: "second PC", key: Key::SecondCounty, ..county(1) };
    let members = vec![county(1), second, secretary(3)];
    World {
        open: vec![Key::County, Key::SecondCounty, Key::Village],
        ..world("two PCs of the county", members)
    }
}

#[test]
fn a_county_with_a_new_key_keeps_to_its_word() {
    check(new_county(), &[Final, Local, Pending, Disputed, Void]);
}

#[test]
fn a_secretary_who_forks_his_log_takes_nothing_back() {
    check(eraser(), &[Final, Witnessed, Local, Disputed]);
}

#[test]
fn clones_below_a_township_lose_nothing() {
    check(clones_below_the_township(), &[Witnessed, Local, Disputed]);
}

#[test]
fn clones_below_the_county_lose_nothing() {
    check(clones_below_the_county(), &[Final, Local, Disputed]);
}

#[test]
fn clones_whose_witnesses_disagree_lose_nothing() {
    check(clones_apart(), &[Final, Witnessed, Local, Disputed]);
}

#[test]
fn a_restored_village_loses_nothing_that_is_held_anywhere() {
    check(restored(), &[Final, Witnessed, Local, Disputed]);
    check(restored_and_witnessed(), &[Witnessed, Local, Disputed]);
}

#[test]
fn a_stolen_key_that_root_cuts_has_said_nothing_more() {
    check(stolen(), &[Final, Local, Pending, Disputed, Void]);
}

#[test]
fn a_stolen_key_that_a_registrar_cuts_keeps_what_the_county_pinned() {
    check(stolen_and_registered(), &[Final, Local, Pending, Disputed, Void]);
}

#[test]
fn root_cuts_deeper_than_a_registrar() {
    check(stolen_and_cut_twice(), &[Final, Local, Pending, Disputed, Void]);
}

#[test]
fn what_root_adopts_counts_and_nothing_else() {
    check(adopted(), &[Final, Local, Pending, Void]);
}

#[test]
fn root_decides_a_fork_against_every_witness() {
    check(adjudicated(), &[Final, Witnessed, Local, Pending, Disputed]);
}

#[test]
fn a_lying_township_moves_nothing_that_the_county_pinned() {
    check(lying_township(), &[Final, Witnessed, Local, Disputed]);
    check(strange_township(), &[Final, Local, Disputed]);
}

#[test]
fn a_witness_that_lost_its_store_never_pins_another_branch() {
    check(lost_witness(), &[Final, Witnessed, Local, Disputed]);
    let rules = Rules { lost_witness: LostWitness::AsksAll, ..Rules::DESIGNED };
    check(World { rules, ..lost_witness() }, &[Final, Witnessed, Local, Disputed]);
}
