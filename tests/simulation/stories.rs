//! Short lives told by hand: one promise each.

use xw_schemas::record::Value;
use xw_schemas::space::Space;
use xw_tests::{COUNTY, County, check_all};

const TOWN: usize = 1;
const WILLOW: usize = 2;
const EAST: usize = 3;

fn own_space(county: &County, seat: usize) -> Space {
    county.registry.offices[seat].own_space()
}

#[test]
fn a_village_that_was_cut_off_catches_up() {
    let mut county = County::founded(1, 1);
    county.run_until_quiet().unwrap();
    let willow = own_space(&county, WILLOW);
    county.cut(WILLOW, TOWN);
    county.cut(WILLOW, COUNTY);
    let far = county.write(WILLOW, willow, "SVC").unwrap();
    county.run_until_quiet().unwrap();
    assert!(!county.nodes[TOWN].memory.records.contains_key(&(willow, far)));
    county.join(WILLOW, TOWN);
    county.run_until_quiet().unwrap();
    assert!(county.nodes[COUNTY].memory.records.contains_key(&(willow, far)));
    assert!(!county.nodes[EAST].memory.records.contains_key(&(willow, far)));
    check_all(&mut county).unwrap();
}

#[test]
fn two_offices_that_edit_one_field_apart_see_the_same_conflict() {
    let mut county = County::founded(2, 1);
    let willow = own_space(&county, WILLOW);
    let record = county.write(WILLOW, willow, "SVC").unwrap();
    county.run_until_quiet().unwrap();
    county.cut(WILLOW, TOWN);
    county.cut(WILLOW, COUNTY);
    county.edit(WILLOW, willow, record, "户口本").unwrap();
    county.edit(TOWN, willow, record, "结婚证").unwrap();
    county.heal();
    county.run_until_quiet().unwrap();
    for seat in [TOWN, WILLOW] {
        let memory = &county.nodes[seat].memory;
        let view = memory.judged(&memory.standings(), &(willow, record)).view.unwrap();
        let values: Vec<&Value> = view.conflicts[0].values.iter().map(|v| &v.value).collect();
        assert_eq!((view.conflicts.len(), values.len()), (1, 2), "{values:?}");
    }
    check_all(&mut county).unwrap();
}

#[test]
fn a_record_that_went_by_way_of_the_county_gets_its_body_when_the_township_is_back() {
    let mut county = County::founded(3, 1);
    county.run_until_quiet().unwrap();
    let willow = own_space(&county, WILLOW);
    county.cut(WILLOW, TOWN);
    county.run_for(20_000);
    let record = county.write(WILLOW, willow, "SVC").unwrap();
    county.run_for(20_000);
    let sealed = |county: &County| {
        let memory = &county.nodes[TOWN].memory;
        memory.judged(&memory.standings(), &(willow, record)).view.map(|view| view.sealed)
    };
    assert_eq!(sealed(&county), Some(true));
    county.join(WILLOW, TOWN);
    county.run_until_quiet().unwrap();
    assert_eq!(sealed(&county), Some(false));
    check_all(&mut county).unwrap();
}

#[test]
fn a_clock_that_is_twenty_years_wrong_changes_no_verdict() {
    let mut county = County::founded(4, 1);
    let willow = own_space(&county, WILLOW);
    let record = county.write(WILLOW, willow, "SVC").unwrap();
    county.run_until_quiet().unwrap();
    county.clock_wrong(WILLOW, -20 * 365 * 86_400_000);
    county.edit(WILLOW, willow, record, "户口本").unwrap();
    county.clock_wrong(WILLOW, 20 * 365 * 86_400_000);
    county.edit(WILLOW, willow, record, "结婚证").unwrap();
    county.run_until_quiet().unwrap();
    let memory = &county.nodes[TOWN].memory;
    let view = memory.judged(&memory.standings(), &(willow, record)).view.unwrap();
    assert_eq!((view.changes, view.refused, view.conflicts.len()), (3, 0, 0));
    check_all(&mut county).unwrap();
}

#[test]
fn a_crash_before_the_commit_loses_only_what_nobody_was_told() {
    for effects in 0..20 {
        let mut county = County::founded(5, 1);
        let willow = own_space(&county, WILLOW);
        county.write(WILLOW, willow, "SVC").unwrap();
        county.crash_after(TOWN, effects);
        county.run_for(30_000);
        county.heal();
        county.run_until_quiet().unwrap();
        check_all(&mut county).unwrap();
    }
}

/// More branches than any honest log has, and than a conversation once remembered.
const FORKS: u64 = 90;

#[test]
fn a_log_forked_in_every_slot_comes_to_rest_on_all_nodes() {
    let mut county = County::founded(6, 1);
    county.run_until_quiet().unwrap();
    let willow = own_space(&county, WILLOW);
    for _ in 0..FORKS {
        county.write(WILLOW, willow, "SVC").unwrap();
    }
    county.run_until_quiet().unwrap();
    let log = county.nodes[WILLOW].memory.own_logs[&willow];
    county.fork_slots(WILLOW, willow, 1..FORKS, TOWN);
    county.run_until_quiet().unwrap();
    let tips = |county: &County, seat: usize| {
        let mut tips = county.nodes[seat].memory.logs.log(&log).map(|log| log.tips()).unwrap();
        tips.sort_unstable();
        tips
    };
    assert_eq!(tips(&county, TOWN).len() as u64, FORKS);
    assert_eq!(tips(&county, COUNTY), tips(&county, TOWN));
    // Lists of so many tips find that nothing differs.
    let frames = county.frames;
    county.cut(TOWN, COUNTY);
    county.join(TOWN, COUNTY);
    county.run_until_quiet().unwrap();
    assert!(county.frames - frames < 20, "{} frames", county.frames - frames);
    check_all(&mut county).unwrap();
}

#[test]
fn two_nodes_with_different_variants_of_a_slot_leave_each_other_in_peace() {
    let mut county = County::founded(7, 1);
    county.run_until_quiet().unwrap();
    let willow = own_space(&county, WILLOW);
    for _ in 0..4 {
        county.write(WILLOW, willow, "SVC").unwrap();
    }
    county.run_until_quiet().unwrap();
    let log = county.nodes[WILLOW].memory.own_logs[&willow];
    county.cut(TOWN, COUNTY);
    county.branch_off(WILLOW, willow, 3, 1, TOWN);
    county.branch_off(WILLOW, willow, 3, 40, COUNTY);
    county.run_for(20_000);
    county.join(TOWN, COUNTY);
    county.run_until_quiet().unwrap();
    let held = |seat: usize| county.nodes[seat].memory.logs.log(&log).map(|log| log.count());
    assert_eq!([held(TOWN), held(COUNTY)], [Some(6), Some(45)]);
    // The next conversation does not bring the forty again.
    let bytes = county.frame_bytes;
    county.cut(TOWN, COUNTY);
    county.join(TOWN, COUNTY);
    county.run_until_quiet().unwrap();
    assert!(county.frame_bytes - bytes < 10_000, "{} bytes", county.frame_bytes - bytes);
    check_all(&mut county).unwrap();
}
