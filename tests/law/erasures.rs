//! Erasure by two persons: when it holds, what it leaves, and that whoever holds the bodies and
//! whoever does not see the same tombstone.

use xw_ledger::judge::{Evidence, Judged, erasure_in_force, judge};
use xw_ledger::standing::Standing;
use xw_ledger::verdict::{Missing, Refusal, Verdict};
use xw_ledger::view::ERASED;
use xw_schemas::edition::Fact;
use xw_schemas::entry::{Erasure, ErasureGround, ErasureReceipt, Statement};
use xw_schemas::space::Audience;

use crate::case::{Case, edits};
use crate::county::{COUNTY, EAST, TOWN, county};
use crate::world::put;

fn erasure(case: &Case) -> Statement {
    Statement::Erase(Erasure {
        record: case.world.records[0].id,
        record_type: "SVC".into(),
        ground: ErasureGround::ConsentWithdrawn,
    })
}

fn asked_by(case: &mut Case, office: usize, role: &str) -> usize {
    let pen = if office == EAST { case.east } else { case.town };
    let statement = erasure(case);
    case.world.say(pen, Some(county().offices[office].person(role)), statement)
}

fn judged(case: &Case, with_bodies: bool) -> Judged {
    judged_as(case, with_bodies, |_| Standing::Final)
}

fn judged_as(
    case: &Case,
    with_bodies: bool,
    standing: impl Fn(xw_schemas::id::EntryId) -> Standing,
) -> Judged {
    let chain = county().chain();
    let mut evidence = case.world.evidence(0, |written| Some(standing(written.entry.id())));
    for item in &mut evidence {
        item.body = item.body.filter(|_| with_bodies);
    }
    judge(chain.roster(), &county().definitions, case.world.records[0].id, &evidence)
}

#[test]
fn one_person_or_one_village_removes_nothing() {
    let mut case = Case::new();
    let first = asked_by(&mut case, EAST, "VAGT");
    let waits = judged(&case, true);
    assert!(waits.view.unwrap().erased.is_none());
    assert_eq!(waits.verdicts[&case.world.id(first)], Verdict::Waiting(Missing::SecondPerson));
    // The same person twice is one person.
    asked_by(&mut case, EAST, "VAGT");
    assert!(judged(&case, true).view.unwrap().erased.is_none());
    // Two of one village decide nothing for the township that relies on the record.
    asked_by(&mut case, EAST, "VSEC");
    assert!(judged(&case, true).view.unwrap().erased.is_none());
    asked_by(&mut case, TOWN, "TWIN");
    assert_eq!(judged(&case, true).view.unwrap().state, ERASED);
}

/// What a fork or a cut may void later must not have removed anything.
#[test]
fn two_persons_remove_nothing_before_the_county_has_witnessed_both() {
    let mut case = Case::new();
    let asked = [asked_by(&mut case, EAST, "VAGT"), asked_by(&mut case, TOWN, "TWIN")];
    let asked = asked.map(|at| case.world.id(at));
    let with = |weak: &[xw_schemas::id::EntryId], standing| {
        judged_as(&case, true, |id| if weak.contains(&id) { standing } else { Standing::Final })
    };
    for standing in [Standing::Witnessed, Standing::Local] {
        for weak in [&asked[..], &asked[..1], &asked[1..]] {
            let judged = with(weak, standing);
            assert!(judged.view.unwrap().erased.is_none());
            for id in &asked {
                assert_eq!(judged.verdicts[id], Verdict::Waiting(Missing::Witness));
            }
        }
    }
    assert_eq!(with(&[], Standing::Local).view.unwrap().state, ERASED);
}

/// Nobody stands above the county whose witness it could wait for.
#[test]
fn the_countys_own_request_stands_as_its_witness_would() {
    let mut case = Case::new();
    let village = asked_by(&mut case, EAST, "VAGT");
    let pen = case.world.open_in(COUNTY, EAST);
    let statement = erasure(&case);
    let county = case.world.say(pen, Some(county().offices[COUNTY].person("CDEP")), statement);
    let [village, county] = [village, county].map(|at| case.world.id(at));
    let with = |weak| {
        judged_as(&case, true, |id| if id == weak { Standing::Local } else { Standing::Final })
    };
    assert_eq!(with(county).view.unwrap().state, ERASED);
    assert!(with(village).view.unwrap().erased.is_none());
}

#[test]
fn an_erased_record_is_the_same_tombstone_with_bodies_and_without() {
    let mut case = Case::new();
    let later = case.village("VAGT", None, edits(put("remarks", "甲")));
    let because = [asked_by(&mut case, EAST, "VAGT"), asked_by(&mut case, TOWN, "TWIN")];
    let mut because = because.map(|at| case.world.id(at));
    because.sort();
    let record = case.world.records[0].id;
    let receipt = Statement::Erased(ErasureReceipt { record, because });
    case.world.say(case.town, None, receipt);
    let (with, without) = (judged(&case, true), judged(&case, false));
    assert_eq!(with, without);
    assert_eq!(with.verdicts[&case.world.id(later)], Verdict::Erased);
    let view = with.view.unwrap();
    assert!(view.content.values.is_empty() && view.steps.is_empty() && view.changes == 2);
    let tombstone = view.erased.unwrap();
    assert_eq!((tombstone.ground, tombstone.because), (3, because));
    assert_eq!(tombstone.done, vec![county().offices[TOWN].node.public()]);
}

/// What is written by somebody who has not heard of it yet is gone as well, in any order.
#[test]
fn later_changes_do_not_bring_an_erased_record_back() {
    let mut case = Case::new();
    asked_by(&mut case, EAST, "VAGT");
    asked_by(&mut case, TOWN, "TWIN");
    let late = case.village("VAGT", None, edits(put("remarks", "甲")));
    let judged = judged(&case, true);
    assert_eq!(judged.verdicts[&case.world.id(late)], Verdict::Erased);
    assert!(judged.view.unwrap().content.values.is_empty());
}

#[test]
fn a_stranger_to_the_office_or_a_cut_person_asks_in_vain() {
    let mut case = Case::new();
    asked_by(&mut case, TOWN, "TWIN");
    let statement = erasure(&case);
    let stranger = county().offices[TOWN].person("TLEG");
    let foreign = case.world.say(case.east, Some(stranger), statement.clone());
    let own = county().offices[EAST].person("VAGT");
    let asked = case.world.say(case.east, Some(own), statement);
    let evidence: Vec<Evidence<'_>> = case.world.evidence(0, |_| Some(Standing::Final));
    let record = case.world.records[0].id;
    let judged = |chain: &xw_ledger::roster::Chain| {
        judge(chain.roster(), &county().definitions, record, &evidence)
    };
    let chain = county().chain();
    let verdicts = judged(&chain).verdicts;
    assert_eq!(verdicts[&case.world.id(foreign)], Verdict::Refused(Refusal::OtherOffice));
    assert!(erasure_in_force(chain.roster(), &evidence).is_some());
    let cut = county().chain_with(vec![Fact::Cut { key: own.public(), kept: vec![] }]);
    assert_eq!(judged(&cut).verdicts[&case.world.id(asked)], Verdict::Refused(Refusal::PersonCut));
    assert!(erasure_in_force(cut.roster(), &evidence).is_none());
    assert_eq!(case.world.pens[case.east].space.audience, Audience::Office);
}
