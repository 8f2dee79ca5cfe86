//! The simulator must be able to fail. Each test gives the nodes' shells one bad habit and expects
//! the harm to be found; a simulator that stays green here proves nothing.

use xw_tests::{
    ABSENCE, COUNTY_FORK, Habits, LOST_WITNESS, Life, RANDOM, ROLLBACKS, SPLIT, SUPPRESSION,
    UPGRADE,
};

use crate::keep_journal;

/// Within so many seeds the harm must show.
const SEEDS: u64 = 200;

/// The first seed in which the habit does harm finds it as one of the wanted sorts.
fn finds(habits: Habits, wanted: &[&str]) {
    finds_in(RANDOM, habits, wanted);
}

/// The same in lives of another sort.
fn finds_in(life: Life, habits: Habits, wanted: &[&str]) {
    let found = (0..SEEDS).find_map(|seed| Some((seed, life.run(seed, habits).err()?)));
    let (seed, violation) = found.expect("the habit does no harm that the simulator sees");
    println!("seed {seed}: {violation}");
    let sort = violation.split(':').next().unwrap_or_default();
    if !wanted.contains(&sort) {
        let path = keep_journal(life, seed, habits);
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

#[test]
fn judging_by_rules_that_the_roster_has_left_behind_is_found() {
    let habits = Habits { ignores_new_rules: true, ..Habits::default() };
    finds_in(UPGRADE, habits, &["mixed", "converge"]);
}

#[test]
fn giving_its_word_on_a_disk_that_was_put_back_is_found() {
    let habits = Habits { witnesses_after_restore: true, ..Habits::default() };
    finds_in(LOST_WITNESS, habits, &["word"]);
}

#[test]
fn counting_what_a_cut_key_wrote_afterwards_is_found() {
    finds(Habits { ignores_cuts: true, ..Habits::default() }, &["revoked"]);
}

#[test]
fn saying_again_whatever_bears_the_own_key_is_found() {
    let habits = Habits { republishes_all_of_its_key: true, ..Habits::default() };
    finds(habits, &["laundered"]);
}

#[test]
fn saying_nothing_again_after_a_night_is_found() {
    let habits = Habits { never_republishes: true, ..Habits::default() };
    finds_in(ROLLBACKS, habits, &["rolled back"]);
}

#[test]
fn comparing_nothing_after_three_months_is_found() {
    let habits = Habits { never_compares_again: true, ..Habits::default() };
    finds_in(ABSENCE, habits, &["converge", "quiet", "evidence", "once"]);
}

#[test]
fn one_line_to_a_township_that_suppresses_is_found() {
    let habits = Habits { keeps_one_line: true, ..Habits::default() };
    finds_in(SUPPRESSION, habits, &["suppressed"]);
}

#[test]
fn choosing_by_arrival_between_two_words_is_found() {
    let habits = Habits { judges_by_arrival: true, ..Habits::default() };
    finds_in(SPLIT, habits, &["converge"]);
    finds_in(COUNTY_FORK, habits, &["county fork"]);
}
