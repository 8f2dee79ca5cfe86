//! Steps that contradict one another: the higher office's counts, equals stand in conflict until a
//! person decides, and what one author writes never passes for another's.

use std::collections::BTreeSet;

use xw_ledger::change::Change;
use xw_ledger::document::{Edit, Place};
use xw_ledger::steps::CONFLICT;
use xw_ledger::verdict::{Refusal, Verdict};
use xw_ledger::view::View;
use xw_schemas::record::{ProblemCode, Value};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use xw_schemas::hash::plain;

use crate::case::{Case, edits, stepping};
use crate::cases;
use crate::county::{EAST, TOWN, county};
use crate::world::{Bend, World, put, raw_step, step};

fn view(case: &Case) -> View {
    case.world.judged(county().chain().roster(), 0).view.unwrap()
}

/// Two persons of the village, each in a log of their own PC, step without knowing of each other.
fn contradiction() -> (Case, usize, [usize; 2]) {
    let mut case = Case::new();
    let second = case.world.open_in(EAST, EAST);
    let on = [case.first];
    let a = case.village("VAGT", Some(&on), stepping("registered", "accepted", "VAGT"));
    let person = county().offices[EAST].person("VAGT");
    let what = stepping("registered", "correction_needed", "VAGT");
    let b = case.write(second, Some(person), Some(&on), what, Bend::Honest);
    (case, second, [a, b])
}

#[test]
fn equals_stand_in_conflict_until_somebody_who_could_have_stepped_decides() {
    let (mut case, second, both) = contradiction();
    assert_eq!(case.state(), CONFLICT);
    let shown: BTreeSet<_> = view(&case).conflicts.iter().map(|c| c.path.clone()).collect();
    assert_eq!(shown, BTreeSet::from(["state".to_owned()]));
    let agent = county().offices[EAST].person("VAGT");
    // Fields may be edited meanwhile; the state may not be left by the way.
    let edit = case.township("TWIN", None, edits(put("remarks", "甲")));
    assert_eq!(case.world.verdict(edit), Verdict::Admitted);
    for (to, role, refusal) in [
        ("accepted", "VREP", Refusal::NoRight),
        ("withdrawn", "VAGT", Refusal::NoSuchStep),
        ("void", "VAGT", Refusal::NoSuchStep),
    ] {
        let log = case.world.open_in(EAST, EAST);
        let person = county().offices[EAST].person(role);
        let on = [edit, both[0], both[1]];
        let what = stepping(CONFLICT, to, role);
        let at = case.write(log, Some(person), Some(&on), what, Bend::Honest);
        assert_eq!(case.world.refusal(at), refusal, "to {to}");
    }
    let on = [both[0], both[1], edit];
    let what = stepping(CONFLICT, "correction_needed", "VAGT");
    let at = case.write(second, Some(agent), Some(&on), what, Bend::Honest);
    assert_eq!(case.world.verdict(at), Verdict::Admitted);
    assert_eq!(case.state(), "correction_needed");
    assert!(view(&case).conflicts.is_empty());
}

#[test]
fn two_decisions_that_contradict_each_other_are_decided_again() {
    let (mut case, second, both) = contradiction();
    let agent = county().offices[EAST].person("VAGT");
    let decide = |case: &mut Case, pen: usize, on: &[usize], to: &str| {
        let what = stepping(CONFLICT, to, "VAGT");
        case.write(pen, Some(agent), Some(on), what, Bend::Honest)
    };
    let a = decide(&mut case, 0, &both, "accepted");
    let b = decide(&mut case, second, &both, "correction_needed");
    assert_eq!(case.state(), CONFLICT);
    assert!(view(&case).problems.is_empty());
    let c = decide(&mut case, 0, &[a, b], "correction_needed");
    for at in [a, b, c] {
        assert_eq!(case.world.verdict(at), Verdict::Admitted);
    }
    assert_eq!(case.state(), "correction_needed");
}

#[test]
fn the_higher_office_s_step_counts_and_the_other_is_shown_as_overruled() {
    let mut case = Case::new();
    let on = [case.first];
    let village = case.village("VAGT", Some(&on), stepping("registered", "accepted", "VAGT"));
    let township = case.township("TWIN", Some(&on), stepping("registered", "rejected", "TWIN"));
    assert_eq!(case.state(), "rejected");
    let view = view(&case);
    let overruled: Vec<_> =
        view.steps.iter().filter(|step| step.overruled).map(|step| step.entry).collect();
    assert_eq!(overruled, [case.world.id(village)]);
    assert!(view.conflicts.is_empty());
    assert_eq!(case.world.verdict(township), Verdict::Admitted);
    // Who has seen the township's step goes on from there only.
    let at = case.village("VAGT", None, stepping("accepted", "in_agency", "VAGT"));
    assert_eq!(case.world.refusal(at), Refusal::OtherState);
}

#[test]
fn the_same_step_by_two_people_is_no_conflict() {
    let mut case = Case::new();
    let on = [case.first];
    let second = case.world.open_in(EAST, EAST);
    let agent = county().offices[EAST].person("VAGT");
    case.village("VAGT", Some(&on), stepping("registered", "accepted", "VAGT"));
    let what = stepping("registered", "accepted", "VAGT");
    case.write(second, Some(agent), Some(&on), what, Bend::Honest);
    assert_eq!(case.state(), "accepted");
    assert_eq!(view(&case).steps.len(), 3);
}

/// The village sees the township's step, pretends not to, and gives its own the same id, in the
/// hope of passing it for the township's or the township's for its own.
#[test]
fn a_step_under_another_s_id_keeps_its_own_author_and_level() {
    for ahead in [0, 5] {
        let mut case = Case::new();
        let on = [case.first];
        let township = case.township("TWIN", Some(&on), stepping("registered", "rejected", "TWIN"));
        let operation = case.world.written[township].entry.core().operation;
        let id = xw_schemas::id::hex(&operation.0);
        // More operations before the step move it behind the township's.
        let mut bent: Vec<Edit> =
            (0..ahead).map(|at| put("remarks", ["甲", "乙"][at % 2])).collect();
        bent.push(raw_step(&id, &step("registered", "accepted", "VAGT")));
        let agent = county().offices[EAST].person("VAGT");
        let nothing = (Vec::new(), None);
        let east = case.east;
        let village = case.write(east, Some(agent), Some(&on), nothing, Bend::Edits(bent));
        assert_eq!(case.world.verdict(village), Verdict::Admitted);
        let view = view(&case);
        assert_eq!(view.state, "rejected", "{ahead} operations ahead");
        for step in &view.steps {
            let author = [case.first, township, village]
                .map(|at| case.world.id(at))
                .into_iter()
                .position(|id| id == step.entry);
            let expected =
                ["registered", "rejected", "accepted"].iter().position(|to| *to == step.step.to);
            assert_eq!((author, step.overruled), (expected, step.step.to == "accepted"));
        }
    }
}

#[test]
fn what_was_contradictory_before_is_not_held_against_a_later_change() {
    let mut case = Case::new();
    let filled = case.village("VAGT", None, edits(put("paper_location", "一号柜")));
    let set = |path: &str, value| Edit::Put { at: Place::Root, path: path.into(), value };
    // Each is right by itself; together the paper lies nowhere.
    let on = [filled];
    let a = case.village("VAGT", Some(&on), edits(set("paper_original", Value::Bool(true))));
    let b = case.township("TWIN", Some(&on), edits(set("paper_location", Value::Null)));
    for at in [a, b] {
        assert_eq!(case.world.verdict(at), Verdict::Admitted);
    }
    let problems: Vec<_> = view(&case).problems.iter().map(|p| (p.path.clone(), p.code)).collect();
    assert_eq!(problems, [("paper_location".to_owned(), ProblemCode::Missing)]);
    let later = case.township("TWIN", None, edits(put("remarks", "甲")));
    assert_eq!(case.world.verdict(later), Verdict::Admitted);
    let worse = case.village("VAGT", None, edits(put("title", "")));
    let (path, code) = ("title".to_owned(), ProblemCode::Missing);
    assert_eq!(case.world.refusal(worse), Refusal::Invalid { path, code });
    let mended = case.township("TWIN", Some(&[later]), edits(put("paper_location", "二号柜")));
    assert_eq!(case.world.verdict(mended), Verdict::Admitted);
    assert!(view(&case).problems.is_empty());
}

#[test]
fn a_field_written_twice_shows_both_values_until_one_is_written_on_both() {
    let mut case = Case::new();
    let on = [case.first];
    let a = case.village("VAGT", Some(&on), edits(put("remarks", "甲")));
    let b = case.township("TWIN", Some(&on), edits(put("remarks", "乙")));
    let conflicts = view(&case).conflicts;
    assert_eq!(conflicts.len(), 1);
    let writers: BTreeSet<_> = conflicts[0].values.iter().map(|value| value.entry).collect();
    assert_eq!(writers, BTreeSet::from([case.world.id(a), case.world.id(b)]));
    // The winner written again clears the conflict as well.
    let shown = view(&case).content.values["remarks"].clone();
    let clear = Edit::Put { at: Place::Root, path: "remarks".into(), value: shown.clone() };
    let at = case.village("VAGT", None, edits(clear));
    assert_eq!(case.world.verdict(at), Verdict::Admitted);
    assert!(view(&case).conflicts.is_empty());
    assert_eq!(view(&case).content.values["remarks"], shown);
}

proptest! {
    #![proptest_config(Config {
        cases: cases(256),
        rng_seed: RngSeed::Fixed(31),
        failure_persistence: None,
        ..Config::default()
    })]

    /// NO PANIC: whatever stands in a body, there is a verdict, and what stood before still does.
    #[test]
    fn any_bytes_in_a_body_get_a_verdict(
        noise in proptest::collection::vec(any::<u8>(), 0..200),
        flips in proptest::collection::vec((any::<u16>(), any::<u8>()), 0..4),
        honest in any::<bool>(),
    ) {
        let mut case = Case::new();
        let township = case.township("TWIN", None, edits(put("remarks", "甲")));
        let bytes = if honest { spoilt(case.world.bytes(township), &flips) } else { noise };
        let agent = county().offices[EAST].person("VAGT");
        let nothing = (Vec::new(), None);
        let at = case.write(case.east, Some(agent), None, nothing, Bend::Bytes(bytes));
        let verdict = case.world.verdict(at);
        prop_assert!(!verdict.is_admitted(), "{verdict:?}");
        prop_assert_eq!(case.world.verdict(township), Verdict::Admitted);
        prop_assert_eq!(case.state(), "registered");
    }
}

/// An honest change with some bytes changed and its checksum right again.
fn spoilt(mut bytes: Vec<u8>, flips: &[(u16, u8)]) -> Vec<u8> {
    for (at, with) in flips {
        let at = 8 + usize::from(*at) % (bytes.len() - 8);
        bytes[at] ^= with;
    }
    let checksum = plain(&[&bytes[8..]]);
    bytes[4..8].copy_from_slice(&checksum[..4]);
    bytes
}

#[test]
fn a_spoilt_change_is_read_again_where_only_its_checksum_was_renewed() {
    let case = Case::new();
    let bytes = case.world.bytes(case.first);
    assert!(Change::decode(&spoilt(bytes, &[])).is_ok());
}

#[test]
fn a_person_of_a_township_writes_in_the_village_s_space_and_nowhere_else_by_this_pc() {
    // The village's person at the township's PC is of another office.
    let mut world = World::new();
    let (east, town) = (world.open_in(EAST, EAST), world.open_in(TOWN, EAST));
    world.create(east, "SVC", county().offices[EAST].person("VAGT"), "VAGT");
    let mut case = Case { world, east, town, first: 2 };
    let agent = county().offices[EAST].person("VAGT");
    let what = edits(put("remarks", "甲"));
    let at = case.write(town, Some(agent), None, what, Bend::Honest);
    assert_eq!(case.world.refusal(at), Refusal::OtherOffice);
}
