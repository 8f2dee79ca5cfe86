//! The simulator must be able to fail. Each test gives the nodes' shells one bad habit and expects
//! the harm to be found; a simulator that stays green here proves nothing.

use xw_tests::{Habits, run_seed};

/// Within so many seeds the harm must show.
const SEEDS: u64 = 60;

/// The first seed in which the habit does harm, and what it says.
fn harm(habits: Habits, wanted: &[&str]) -> String {
    (0..SEEDS)
        .find_map(|seed| run_seed(seed, habits).err().map(|violation| (seed, violation)))
        .map(|(seed, violation)| {
            let sort = violation.split(':').next().unwrap_or_default().to_owned();
            assert!(wanted.contains(&&*sort), "seed {seed} found something else: {violation}");
            println!("seed {seed}: {violation}");
            violation
        })
        .expect("the habit does no harm that the simulator sees")
}

#[test]
fn acknowledging_before_the_commit_is_found() {
    harm(Habits { acknowledges_early: true, ..Habits::default() }, &["keep"]);
}

#[test]
fn judging_by_arrival_is_found() {
    harm(Habits { judges_by_arrival: true, ..Habits::default() }, &["converge"]);
}

#[test]
fn forgetting_who_may_have_bodies_is_found() {
    harm(Habits { forgets_body_rights: true, ..Habits::default() }, &["scope"]);
}

#[test]
fn passing_over_the_townships_word_is_found() {
    harm(Habits { ignores_township_pins: true, ..Habits::default() }, &["final"]);
}

#[test]
fn sending_a_witness_statement_before_it_is_on_disk_is_found() {
    harm(Habits { witnesses_early: true, ..Habits::default() }, &["straight", "keep", "parting"]);
}

#[test]
fn comparing_nothing_after_a_reconnect_is_found() {
    harm(Habits { never_compares_again: true, ..Habits::default() }, &["converge", "quiet"]);
}
