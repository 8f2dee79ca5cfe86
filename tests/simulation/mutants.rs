//! The simulator must be able to fail. Each test gives the nodes' shells one bad habit and expects
//! the harm to be found; a simulator that stays green here proves nothing.

use xw_tests::{Habits, run_seed};

use crate::keep_journal;

/// Within so many seeds the harm must show.
const SEEDS: u64 = 200;

/// The first seed in which the habit does harm finds it as one of the wanted sorts.
fn finds(habits: Habits, wanted: &[&str]) {
    let found = (0..SEEDS).find_map(|seed| Some((seed, run_seed(seed, habits).err()?)));
    let (seed, violation) = found.expect("the habit does no harm that the simulator sees");
    println!("seed {seed}: {violation}");
    let sort = violation.split(':').next().unwrap_or_default();
    if !wanted.contains(&sort) {
        let path = keep_journal(seed, habits);
        panic!("seed {seed} found something else: {violation}; see {}", path.display());
    }
}

#[test]
fn acknowledging_before_the_commit_is_found() {
    finds(Habits { acknowledges_early: true, ..Habits::default() }, &["keep"]);
}

#[test]
fn judging_by_arrival_is_found() {
    finds(Habits { judges_by_arrival: true, ..Habits::default() }, &["converge"]);
}

#[test]
fn forgetting_who_may_have_bodies_is_found() {
    finds(Habits { forgets_body_rights: true, ..Habits::default() }, &["scope"]);
}

#[test]
fn passing_over_the_townships_word_is_found() {
    finds(Habits { ignores_township_pins: true, ..Habits::default() }, &["final"]);
}

#[test]
fn sending_a_witness_statement_before_it_is_on_disk_is_found() {
    finds(Habits { witnesses_early: true, ..Habits::default() }, &["straight", "keep"]);
}

#[test]
fn comparing_nothing_after_a_reconnect_is_found() {
    finds(Habits { never_compares_again: true, ..Habits::default() }, &["converge", "quiet"]);
}

#[test]
fn going_on_in_old_logs_after_a_restore_is_found() {
    finds(Habits { ignores_restore_marker: true, ..Habits::default() }, &["straight"]);
}

#[test]
fn saying_nothing_again_after_a_fork_is_found() {
    finds(Habits { never_republishes: true, ..Habits::default() }, &["once"]);
}
