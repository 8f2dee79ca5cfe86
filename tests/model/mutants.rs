//! The rules, each bent once: the checker must find what it breaks. A rule that can be bent unseen
//! is either not needed or not checked.

use crate::check::broken;
use crate::rules::{Acts, Compare, Cuts, LostWitness, NewWitness, Pins, Republish, Rules};
use crate::world::{Broken, World};
use crate::worlds;

const DESIGNED: Rules = Rules::DESIGNED;

fn finds(rules: Rules, world: World, expected: Broken) {
    let name = world.name;
    let found = broken(World { rules, ..world });
    let Some((found, trace)) = found else { panic!("{name}: {rules:?} breaks nothing") };
    println!("{name}, {rules:?}: {found:?}\n{trace}");
    assert_eq!(found, expected, "{trace}");
}

#[test]
fn pins_that_lose_to_forks_are_found() {
    let rules = Rules { pins: Pins::LoseToForks, ..DESIGNED };
    finds(rules, worlds::eraser(), Broken::Final);
}

#[test]
fn pins_that_count_before_the_entry_is_held_are_found() {
    let rules = Rules { pins: Pins::BeforeHolding, ..DESIGNED };
    finds(rules, worlds::eraser(), Broken::Final);
}

#[test]
fn a_cut_by_number_only_is_found() {
    let rules = Rules { cuts: Cuts::NumberOnly, ..DESIGNED };
    finds(rules, worlds::stolen(), Broken::Revoke);
}

#[test]
fn a_cut_that_leaves_unlisted_logs_alive_is_found() {
    let rules = Rules { cuts: Cuts::OpenWorld, ..DESIGNED };
    finds(rules, worlds::stolen(), Broken::Revoke);
}

#[test]
fn a_registrar_who_cuts_what_the_county_witnessed_is_found() {
    let rules = Rules { cuts: Cuts::AllExact, ..DESIGNED };
    finds(rules, worlds::stolen_and_registered(), Broken::Final);
}

#[test]
fn republishing_everything_of_the_own_key_is_found() {
    let rules = Rules { republish: Republish::AllOfMyKey, ..DESIGNED };
    finds(rules, worlds::stolen(), Broken::Launder);
}

#[test]
fn republishing_nothing_is_found() {
    let rules = Rules { republish: Republish::Nothing, ..DESIGNED };
    finds(rules, worlds::clones_below_the_township(), Broken::Keep);
}

#[test]
fn neighbours_that_compare_numbers_only_are_found() {
    let rules = Rules { compare: Compare::NumbersInSync, ..DESIGNED };
    finds(rules, worlds::clones_below_the_township(), Broken::Keep);
}

#[test]
fn witnesses_that_compare_numbers_only_are_found() {
    let rules = Rules { compare: Compare::NumbersInPins, ..DESIGNED };
    finds(rules, worlds::lying_township(), Broken::TwoBranches);
}

#[test]
fn a_lost_witness_that_goes_on_is_found() {
    let rules = Rules { lost_witness: LostWitness::GoesOn, ..DESIGNED };
    finds(rules, worlds::lost_witness(), Broken::TwoBranches);
}

#[test]
fn acts_that_are_named_by_their_key_are_found() {
    let rules = Rules { acts: Acts::OfTheKey, ..DESIGNED };
    finds(rules, worlds::stolen_and_registered(), Broken::Twice);
}

#[test]
fn a_new_witness_that_does_not_wait_for_the_word_of_the_old_one_is_found() {
    let rules = Rules { new_witness: NewWitness::Begins, ..DESIGNED };
    finds(rules, worlds::new_county(), Broken::Final);
}

#[test]
fn two_witnesses_of_one_office_are_found() {
    finds(DESIGNED, worlds::two_counties(), Broken::Final);
}
