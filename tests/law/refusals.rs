//! Every refusal by the smallest example, and nothing else changes: what else was written counts
//! as if the refused change were not there.

use xw_ledger::change::Change;
use xw_ledger::document::Edit;
use xw_ledger::judge::judge;
use xw_ledger::opset::Unsound;
use xw_ledger::standing::Standing;
use xw_ledger::verdict::{Missing, Refusal, Verdict};
use xw_schemas::edition::Fact;
use xw_schemas::limits::RECORD_BYTES_MAX;
use xw_schemas::record::{ProblemCode, SchemaHash};

use crate::case::{Case, edits, stepping};
use crate::county::{EAST, TOWN, WEST, county, schema};
use crate::world::{Bend, World, append, put, raw_step, step};

/// REFUSED: the entry is refused so, and all else is as without it but for the count.
fn check_refused(world: &World, at: usize, expected: &Refusal) {
    assert_eq!(world.refusal(at), *expected);
    let with = world.judged(county().chain().roster(), 0);
    let without = world.judged_without(0, at);
    for (id, verdict) in &without.verdicts {
        assert_eq!(with.verdicts[id], *verdict, "{id:?} is judged by what does not count");
    }
    let (mut with, without) = (with.view.unwrap(), without.view.unwrap());
    assert_eq!(with.refused, without.refused + 1);
    with.refused -= 1;
    assert_eq!(with.bytes(), without.bytes());
}

#[test]
fn the_honest_case_is_admitted() {
    let mut case = Case::new();
    let edit = case.bent(Bend::Honest);
    let step = case.township("TWIN", None, stepping("registered", "accepted", "TWIN"));
    for at in [case.first, edit, step] {
        assert_eq!(case.world.verdict(at), Verdict::Admitted);
    }
    assert_eq!(case.state(), "accepted");
}

#[test]
fn a_body_that_is_no_change_is_malformed() {
    let mut case = Case::new();
    for bytes in [Vec::new(), vec![0; 40], vec![0x85, 0x6f, 0x4a, 0x83]] {
        let fault = Change::decode(&bytes).unwrap_err();
        let at = case.bent(Bend::Bytes(bytes));
        check_refused(&case.world, at, &Refusal::Malformed(fault));
        // The next one of this author would be refused for this one.
        case = Case::new();
    }
}

#[test]
fn a_change_with_a_wrong_counter_is_unsound() {
    let mut case = Case::new();
    let at = case.bent(Bend::Mend(|change| change.start_op += 1));
    check_refused(&case.world, at, &Refusal::Unsound(Unsound::StartOp));
}

#[test]
fn another_actor_or_time_inside_the_change_is_another_author() {
    for bend in [Bend::Actor([9; 16]), Bend::Late(1), Bend::Late(-1)] {
        let mut case = Case::new();
        let at = case.bent(bend);
        check_refused(&case.world, at, &Refusal::OtherAuthor);
    }
}

#[test]
fn a_change_of_another_log_counts_there_only() {
    let mut case = Case::new();
    let bytes = case.world.bytes(case.first);
    let person = county().offices[TOWN].person("TWIN");
    let what = edits(put("remarks", "甲"));
    let at = case.write(case.town, Some(person), None, what, Bend::Bytes(bytes));
    check_refused(&case.world, at, &Refusal::OtherAuthor);
}

#[test]
fn nobody_else_creates_a_record_under_its_id() {
    let mut case = Case::new();
    let person = county().offices[TOWN].person("TWIN");
    let what = stepping("-", "registered", "TWIN");
    let at = case.write(case.town, Some(person), Some(&[]), what, Bend::Honest);
    check_refused(&case.world, at, &Refusal::NotTheCreator);
}

#[test]
fn a_record_keeps_its_type() {
    let mut case = Case::new();
    let mediation = county().record_type("MED").hash();
    let at = case.bent(Bend::Of("MED".into(), mediation));
    check_refused(&case.world, at, &Refusal::OtherType);
}

#[test]
fn what_is_written_on_a_refused_change_is_refused_with_it() {
    let mut case = Case::new();
    let bad = case.village("VREP", None, edits(put("remarks", "甲")));
    let refused = case.world.hash(bad);
    let on = case.township("TWIN", None, edits(put("title", "乙")));
    check_refused(&case.world, on, &Refusal::OnRefused(refused));
    let after = case.village("VAGT", Some(&[]), edits(put("title", "丙")));
    check_refused(&case.world, after, &Refusal::AfterRefused(case.world.id(bad)));
}

#[test]
fn a_change_needs_a_person_of_the_office() {
    let office = |at: usize| &county().offices[at];
    let people = [
        (None, Refusal::NoPerson),
        (Some(office(WEST).person("VAGT")), Refusal::OtherOffice),
        (Some(office(TOWN).person("TWIN")), Refusal::OtherOffice),
        (Some(&office(EAST).node), Refusal::OtherOffice),
        (Some(office(EAST).person("VREP")), Refusal::NoRight),
    ];
    for (person, refusal) in people {
        let mut case = Case::new();
        let what = edits(put("remarks", "甲"));
        let at = case.write(case.east, person, None, what, Bend::Honest);
        check_refused(&case.world, at, &refusal);
    }
}

#[test]
fn a_role_that_the_person_does_not_hold_helps_nobody() {
    let mut case = Case::new();
    let person = county().offices[EAST].person("VREP");
    let what = stepping("registered", "accepted", "VAGT");
    let at = case.write(case.east, Some(person), None, what, Bend::Honest);
    check_refused(&case.world, at, &Refusal::NoRight);
}

#[test]
fn a_cut_person_keeps_what_the_cut_lists() {
    let mut case = Case::new();
    let second = case.bent(Bend::Honest);
    let third = case.village("VAGT", None, edits(put("remarks", "乙")));
    let core = case.world.written[second].entry.core();
    let kept = vec![(core.log, core.sequence, case.world.id(second))];
    let key = county().offices[EAST].person("VAGT").public();
    let verdicts = |kept: Vec<_>| {
        let chain = county().chain_with(vec![Fact::Cut { key, kept }]);
        let judged = case.world.judged(chain.roster(), 0);
        [case.first, second, third].map(|at| judged.verdicts[&case.world.id(at)].clone())
    };
    let cut = Verdict::Refused(Refusal::PersonCut);
    assert_eq!(verdicts(kept), [Verdict::Admitted, Verdict::Admitted, cut.clone()]);
    let after = |at| Verdict::Refused(Refusal::AfterRefused(case.world.id(at)));
    assert_eq!(verdicts(Vec::new()), [cut, after(case.first), after(second)]);
}

#[test]
fn a_definition_counts_once_it_is_adopted() {
    let mut case = Case::new();
    let next = county().next_svc.hash();
    let at = case.bent(Bend::Schema(next));
    check_refused(&case.world, at, &Refusal::SchemaNotAdopted);
    let chain = county().chain_with(vec![schema(&county().next_svc)]);
    let id = case.world.id(at);
    let judged = case.world.judged(chain.roster(), 0);
    assert_eq!(judged.verdicts[&id], Verdict::Admitted);
    assert_eq!(judged.view.unwrap().schema, next.to_hex());
    // Adopted, and not held here.
    let mut definitions = county().definitions.clone();
    definitions.remove(&next);
    let evidence = case.world.evidence(0, |_| Some(Standing::Local));
    let judged = judge(chain.roster(), &definitions, case.world.records[0].id, &evidence);
    assert_eq!(judged.verdicts[&id], Verdict::Waiting(Missing::Definition(next)));

    let mut case = Case::new();
    let at = case.bent(Bend::Schema(SchemaHash([1; 32])));
    check_refused(&case.world, at, &Refusal::SchemaNotAdopted);
    // A definition adopted for one type is none of another.
    let mut case = Case::new();
    let at = case.bent(Bend::Of("MED".into(), county().record_type("SVC").hash()));
    check_refused(&case.world, at, &Refusal::SchemaNotAdopted);
}

#[test]
fn a_step_begins_where_the_record_stands() {
    let steps = [
        (("accepted", "processing", "TWIN"), Refusal::OtherState),
        (("-", "registered", "TWIN"), Refusal::OtherState),
        (("conflict", "accepted", "TWIN"), Refusal::OtherState),
        (("registered", "archived", "TWIN"), Refusal::NoSuchStep),
        (("registered", "elsewhere", "TWIN"), Refusal::NoSuchStep),
    ];
    for ((from, to, role), refusal) in steps {
        let mut case = Case::new();
        let at = case.township(role, None, stepping(from, to, role));
        check_refused(&case.world, at, &refusal);
    }
}

#[test]
fn a_change_makes_one_step_by_appending_it() {
    let lie = step("registered", "accepted", "VAGT");
    let more = |values: &[(&str, &str)]| append("_steps", "a", values);
    let whole = [("from", "registered"), ("to", "accepted"), ("role", "VAGT")];
    let bent: Vec<Vec<Edit>> = vec![
        vec![raw_step("a", &lie), raw_step("b", &lie)],
        vec![more(&whole[..2])],
        vec![more(&[&whole[..], &[("more", "甲")]].concat())],
    ];
    for edits in bent {
        let mut case = Case::new();
        let at = case.bent(Bend::Edits(edits));
        check_refused(&case.world, at, &Refusal::BadStep);
    }
    // A step that stands is rewritten.
    let mut case = Case::new();
    let judged = case.world.judged(county().chain().roster(), 0);
    let item = judged.view.unwrap().steps[0].entry;
    let operation = case.world.written[case.first].entry.core().operation;
    assert_eq!(item, case.world.id(case.first));
    let place = vec![("_steps".to_owned(), xw_schemas::id::hex(&operation.0))];
    let rewrite = Edit::Put {
        at: xw_ledger::document::Place::Item(place),
        path: "reason".into(),
        value: xw_schemas::record::Value::Text("别的".into()),
    };
    let at = case.bent(Bend::Edits(vec![rewrite]));
    check_refused(&case.world, at, &Refusal::BadStep);
}

#[test]
fn a_record_begins_with_a_step() {
    let mut world = World::new();
    let east = world.open_in(EAST, EAST);
    let person = county().offices[EAST].person("VAGT");
    world.create_bent(
        east,
        "SVC",
        Some(person),
        "VAGT",
        Bend::Mend(|change| {
            let steps = change
                .ops
                .iter()
                .position(|op| op.key == xw_ledger::change::Key::Map("_steps".into()));
            change.ops.truncate(steps.expect("the first step"));
        }),
    );
    assert_eq!(world.refusal(world.written.len() - 1), Refusal::BadStep);
    assert_eq!(world.judged(county().chain().roster(), 0).view, None);
}

#[test]
fn a_step_that_needs_a_reason_has_one() {
    let mut case = Case::new();
    let mut bare = step("registered", "rejected", "TWIN");
    bare.reason = " ".into();
    let at = case.township("TWIN", None, (Vec::new(), Some(bare)));
    check_refused(&case.world, at, &Refusal::NoReason);
}

#[test]
fn a_closed_record_stays_as_it_is() {
    let mut case = Case::new();
    let void = case.village("VAGT", None, stepping("registered", "void", "VAGT"));
    let at = case.township("TWIN", None, edits(put("remarks", "甲")));
    check_refused(&case.world, at, &Refusal::Closed);
    let at = case.village("VAGT", Some(&[void]), stepping("void", "registered", "VAGT"));
    check_refused(&case.world, at, &Refusal::NoSuchStep);
}

#[test]
fn a_record_is_voided_only_before_another_office_has_acted() {
    let mut case = Case::new();
    let edit = case.township("TWIN", None, edits(put("remarks", "甲")));
    let at = case.village("VAGT", None, stepping("registered", "void", "VAGT"));
    check_refused(&case.world, at, &Refusal::VoidTooLate);
    // Without having seen the other office it could; the other office is the higher one and
    // changed no state, so the record is void with its edit.
    let mut case = Case::new();
    let seen = [case.first];
    let void = case.village("VAGT", Some(&seen), stepping("registered", "void", "VAGT"));
    case.township("TWIN", Some(&seen), edits(put("remarks", "甲")));
    assert_eq!((case.world.verdict(void), case.state().as_str()), (Verdict::Admitted, "void"));
    assert!(edit > 0);
    // Another office never voids.
    let mut case = Case::new();
    let at = case.township("TWIN", None, stepping("registered", "void", "TWIN"));
    check_refused(&case.world, at, &Refusal::VoidTooLate);
}

#[test]
fn new_trouble_in_the_contents_is_refused_with_its_place() {
    let wrong = [
        (put("nonsense", "甲"), "nonsense", ProblemCode::Unknown),
        (put("applicant_kind", "8"), "applicant_kind", ProblemCode::NotInList),
        (put("accepted_at", "昨天"), "accepted_at", ProblemCode::Format),
        (put("title", ""), "title", ProblemCode::Missing),
        (put("_junk", "甲"), "_junk", ProblemCode::Unknown),
        (append("_junk", "a", &[]), "_junk", ProblemCode::Unknown),
        (
            append("links", "a", &[("kind", "01"), ("target", "甲"), ("_junk", "甲")]),
            "links[a]._junk",
            ProblemCode::Unknown,
        ),
    ];
    for (edit, path, code) in wrong {
        let mut case = Case::new();
        let at = case.village("VAGT", None, edits(edit));
        let path = path.to_owned();
        check_refused(&case.world, at, &Refusal::Invalid { path, code });
    }
}

#[test]
fn a_record_grows_to_its_limit_and_no_further() {
    let mut case = Case::new();
    let at = case.bent(Bend::Mend(|change| change.seq = 1_001));
    check_refused(&case.world, at, &Refusal::TooLong);
    let mut case = Case::new();
    let at = case.bent(Bend::Mend(|change| change.start_op = 1 << 20));
    assert!(matches!(case.world.refusal(at), Refusal::Unsound(Unsound::StartOp)));
    let mut case = Case::new();
    let at = case.bent(Bend::Mend(|change| change.start_op = (1 << 20) + 1));
    check_refused(&case.world, at, &Refusal::TooLong);
}

#[test]
fn a_record_grows_to_a_mebibyte_and_no_further() {
    let mut case = Case::new();
    let bytes =
        |case: &Case, at: usize| case.world.written[at].entry.change().expect("a change").length;
    let mut held = bytes(&case, case.first);
    for round in 0.. {
        // Two letters in turn, so that every edit changes something.
        let letter = if round % 2 == 0 { "甲" } else { "乙" };
        let long = |path: &str, chars: usize| put(path, &letter.repeat(chars));
        let written = vec![
            long("remarks", 500),
            long("missing_materials", 500),
            long("reject_reason", 300),
            long("refuse_basis", 300),
            long("rectify_result", 300),
        ];
        let at = case.village("VAGT", None, (written, None));
        held += bytes(&case, at);
        if held > RECORD_BYTES_MAX as u64 {
            check_refused(&case.world, at, &Refusal::TooLong);
            return;
        }
    }
}

#[test]
fn what_does_not_stand_in_its_log_leaves_no_trace_in_the_view() {
    let mut case = Case::new();
    let edit = case.bent(Bend::Honest);
    let (id, record) = (case.world.id(edit), case.world.records[0].id);
    let without = case.world.judged_without(0, edit);
    let refused = |standing| Verdict::Refused(Refusal::NotStanding(standing));
    for (standing, verdict) in [
        (Standing::Disputed, refused(Standing::Disputed)),
        (Standing::Void, refused(Standing::Void)),
        (Standing::Pending, Verdict::Waiting(Missing::Cut)),
    ] {
        let evidence = case.world.evidence(0, |written| {
            Some(if written.entry.id() == id { standing } else { Standing::Local })
        });
        let chain = county().chain();
        let judged = judge(chain.roster(), &county().definitions, record, &evidence);
        assert_eq!(judged.verdicts[&id], verdict);
        assert_eq!(judged.view, without.view);
    }
}

#[test]
fn without_its_body_a_change_is_sealed_and_the_author_s_next_one_waits() {
    let mut case = Case::new();
    let sealed = case.bent(Bend::Sealed);
    let next = case.village("VAGT", None, edits(put("title", "甲")));
    assert_eq!(case.world.verdict(sealed), Verdict::Sealed);
    let missing = Missing::Change(case.world.hash(sealed));
    assert_eq!(case.world.verdict(next), Verdict::Waiting(missing));
}

/// An author who enters a change a second time, at the same claimed time, spoils the repetition and
/// what he writes after it, and nothing of what others wrote on the first.
#[test]
fn a_repeated_change_takes_nothing_with_it() {
    let mut case = Case::new();
    let edit = case.bent(Bend::Honest);
    let township = case.township("TWIN", None, edits(put("title", "乙")));
    let again = case.bent(Bend::Again(edit));
    assert_eq!(case.world.refusal(again), Refusal::Unsound(Unsound::AlreadyHeld));
    assert_eq!(case.world.verdict(township), Verdict::Admitted);
    check_refused(&case.world, again, &Refusal::Unsound(Unsound::AlreadyHeld));
}

/// An office that holds no bodies counts a revoked person's entries no more than the others do.
#[test]
fn a_revoked_persons_sealed_entry_does_not_count() {
    let mut case = Case::new();
    let at = case.bent(Bend::Sealed);
    let person = county().offices[EAST].person("VAGT").public();
    let kept = vec![(case.world.pens[case.east].log, 1, case.world.id(case.first))];
    let chain = county().chain_with(vec![Fact::Cut { key: person, kept }]);
    let judged = case.world.judged(chain.roster(), 0);
    assert_eq!(judged.verdicts[&case.world.id(at)], Verdict::Refused(Refusal::PersonCut));
}
