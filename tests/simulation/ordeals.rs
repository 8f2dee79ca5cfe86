//! One great trouble at a time, each in a few lives here and in more by night: `XW_SEEDS=10000` lives
//! 1,000 absences and 500 upgrades.

use xw_tests::{ABSENCE, COUNTY_FORK, LOST_WITNESS, Life, ROLLBACKS, SPLIT, SUPPRESSION, UPGRADE};

use crate::lives::live;
use crate::number;

/// Lives of each ordeal where nobody asks for more.
const SEEDS: u64 = 12;

/// Lives each seed, or one for so many of those that are asked for.
fn ordeal(one_of: u64, life: Life) {
    live(life, number("XW_SEEDS").map_or(SEEDS, |seeds| (seeds / one_of).max(SEEDS)));
}

#[test]
fn a_disk_put_back_every_night_for_a_month_takes_nothing_that_came_out() {
    ordeal(20, ROLLBACKS);
}

#[test]
fn an_office_that_was_away_for_three_months_catches_up_and_is_heard() {
    ordeal(10, ABSENCE);
}

#[test]
fn old_programs_carry_what_they_cannot_judge_and_show_none_of_it() {
    ordeal(20, UPGRADE);
}

#[test]
fn a_suppressed_village_reaches_the_county_by_any_other_way() {
    ordeal(20, SUPPRESSION);
}

#[test]
fn two_offices_that_were_told_different_things_know_it_once_they_have_talked() {
    ordeal(20, SPLIT);
}

#[test]
fn a_county_that_says_two_things_is_found_out_by_its_townships_and_root_decides() {
    ordeal(20, COUNTY_FORK);
}

#[test]
fn a_township_whose_disk_was_put_back_never_gives_its_word_twice() {
    ordeal(1, LOST_WITNESS);
}
