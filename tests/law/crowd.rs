//! A village that crowds a record: more changes that saw nothing of one another than a change can
//! name, and one act said again and again. Whoever edits the record goes on, and says nothing of what
//! it did not build on; whoever judges it needs the time that reading it takes.

use std::collections::BTreeSet;

use xw_ledger::change::{Change, ChangeHash, DEPS_MAX, OPS_MAX};
use xw_ledger::document::Edit;
use xw_ledger::draft::{Act, Author, Draft, Signed, Tail, write_change};
use xw_ledger::judge::{Evidence, judge};
use xw_ledger::log::Logs;
use xw_ledger::standing::Standing;
use xw_ledger::verdict::Verdict;
use xw_schemas::id::OperationId;

use crate::case::{Case, edits};
use crate::county::{EAST, NOW_MS, TOWN, county};
use crate::world::{Bend, put};

/// Logs of one village that all write on the record's first change.
const LOGS: usize = 80;

fn crowded() -> Case {
    let mut case = Case::new();
    case.township("TWIN", Some(&[case.first]), edits(put("missing_materials", "户口本")));
    let person = county().offices[EAST].person("VAGT");
    for at in 0..LOGS {
        let pen = case.world.open_in(EAST, EAST);
        let what = edits(put("remarks", &format!("第{at}句")));
        let first = case.first;
        case.write(pen, Some(person), Some(&[first]), what, Bend::Honest);
    }
    case
}

/// The last changes stand firmest.
fn standing(case: &Case, id: xw_schemas::id::EntryId) -> Standing {
    let at = case.world.written.iter().position(|written| written.entry.id() == id);
    let firm = at.is_some_and(|at| at + 20 > case.world.written.len());
    if firm { Standing::Final } else { Standing::Witnessed }
}

fn edited(case: &Case, edit: Edit) -> Signed {
    let chain = county().chain();
    let mut logs = Logs::new();
    for written in &case.world.written {
        logs.place(chain.roster(), &written.entry).unwrap();
    }
    let tail = Tail::of(&logs, case.world.pens[case.town].log).unwrap();
    let office = &county().offices[TOWN];
    let author = Author { node: &office.node, person: Some(office.person("TWIN")) };
    let evidence = case.world.evidence(0, |written| Some(standing(case, written.entry.id())));
    let act = Act {
        operation: OperationId([9; 16]),
        time_ms: NOW_MS + 1_000_000,
        salt: [3; 16],
        republishes: None,
    };
    let draft = Draft { edits: vec![edit], step: None };
    let (record, schema) = (case.world.records[0].id, county().hash("SVC"));
    let definitions = &county().definitions;
    let roster = chain.roster();
    write_change(roster, definitions, &tail, record, "SVC", schema, &evidence, &draft, author, act)
        .unwrap()
}

#[test]
fn a_record_with_more_heads_than_a_change_can_name_is_edited_all_the_same() {
    let case = crowded();
    for path in ["applicant.phone", "remarks"] {
        let signed = edited(&case, put(path, "13800001111"));
        let change = Change::decode(signed.body.as_ref().unwrap().change()).unwrap();
        assert_eq!(change.deps.len(), DEPS_MAX);
        let deps: BTreeSet<ChangeHash> = change.deps.iter().copied().collect();
        // The author's own change, then the firmest.
        let written = &case.world.written;
        let changes = |wanted: &dyn Fn(usize) -> bool| -> Vec<ChangeHash> {
            let all = (0..written.len()).filter(|at| written[*at].entry.change().is_some());
            all.filter(|at| wanted(*at)).map(|at| case.world.hash(at)).collect()
        };
        let own = changes(&|at| written[at].pen == case.town);
        let firm = changes(&|at| standing(&case, case.world.id(at)) == Standing::Final);
        assert!(own.iter().chain(&firm).all(|hash| deps.contains(hash)));
        let mut evidence =
            case.world.evidence(0, |written| Some(standing(&case, written.entry.id())));
        evidence.push(Evidence {
            entry: &signed.entry,
            body: signed.body.as_ref(),
            standing: Standing::Local,
        });
        let chain = county().chain();
        let record = case.world.records[0].id;
        let judged = judge(chain.roster(), &county().definitions, record, &evidence);
        assert_eq!(judged.verdicts[&signed.entry.id()], Verdict::Admitted);
        // What it did not build on stands beside it.
        let conflicts = judged.view.unwrap().conflicts;
        let beside = LOGS + 1 - DEPS_MAX + usize::from(path == "remarks");
        let values = conflicts.iter().find(|c| c.path == "remarks").map_or(0, |c| c.values.len());
        assert_eq!(values, if path == "remarks" { beside } else { LOGS });
    }
}

/// Changes that say one act again, each as long as a change may be.
const AGAIN: usize = 12;

/// Counting every operation against every other one, this took minutes.
#[test]
fn a_long_act_said_again_and_again_counts_once() {
    let mut case = Case::new();
    let long: Vec<Edit> = (0..OPS_MAX).map(|at| put("remarks", ["甲", "乙"][at % 2])).collect();
    let first = case.village("VAGT", None, (long.clone(), None));
    let mut said = vec![first];
    for _ in 1..AGAIN {
        case.world.again();
        said.push(case.village("VAGT", None, (long.clone(), None)));
    }
    let judged = case.world.judged(county().chain().roster(), 0);
    for at in said {
        assert_eq!(judged.verdicts[&case.world.id(at)], Verdict::Admitted);
    }
    let view = judged.view.unwrap();
    assert_eq!((view.changes, view.conflicts.len()), (2, 0));
}
