//! Acts said again after a fork, and the fork decided for the old entry afterwards: rows, verification
//! and rebuilding count every act once.

use xw_ledger::draft::{Author, Signed, Tail};
use xw_ledger::judge::Evidence;
use xw_ledger::republish::republish_change;
use xw_ledger::standing::Standing;
use xw_schemas::edition::Fact;
use xw_schemas::id::{EntryId, LogId, RecordId};
use xw_store::{Held, Query, RecordRow, Store};

use crate::world::{World, content, put, take, text, visit};

#[test]
fn an_act_that_stands_in_two_forms_makes_one_row_which_verifies() {
    let mut world = World::new();
    let mut store = world.store();
    let old = world.open(&mut store, |w| &w.east);
    let tail = Tail::of(store.logs(), old).unwrap();
    let roster = store.roster().clone();
    let mut left = content("左", &[]);
    left.lists.insert("visits".into(), vec![visit("v1", "王芳", "2026-01-05")]);
    let (record, created) = world.new_entry(&roster, &tail, |w| &w.east, &left);
    let created_id = created.entry.id();
    take(&mut store, vec![created]);
    let edits = vec![put("phone", text("13800001111"))];
    let edited = world.change(&store, old, |w| &w.east, record, edits, None);
    let edited_id = edited.entry.id();
    take(&mut store, vec![edited]);
    // Another disk of the same PC wrote in the same slot.
    let (_, right) = world.new_entry(&roster, &tail, |w| &w.east, &content("右", &[]));
    take(&mut store, vec![right]);
    assert!(rows(&store).is_empty(), "neither stands");

    // The acts are said again, one upon the other, in a log of a new incarnation.
    let new = world.open(&mut store, |w| &w.east);
    for id in [created_id, edited_id] {
        let again = again(&world, &store, new, record, id);
        take(&mut store, vec![again]);
    }
    let before = rows(&store);
    let told = |rows: &[RecordRow]| {
        let row = &rows[0];
        (rows.len(), row.record, row.changes, row.conflicts, row.doc.clone())
    };
    assert_eq!((before.len(), before[0].record, before[0].changes), (1, record, 2));
    assert_eq!(before[0].doc["visits"].as_array().map(Vec::len), Some(1), "{}", before[0].doc);

    // Root decides for the old branch: both forms stand, and the record is what it was.
    let fact = Fact::Adjudicate { log: old, number: 2, entry: edited_id };
    let edition = world.edition(store.roster(), vec![fact]);
    assert!(store.add_edition(edition).unwrap().unwrap());
    store.settle_all().unwrap();
    assert_eq!(standing(&store, record, &edited_id), Standing::Final);
    assert_eq!(told(&rows(&store)), told(&before));
    let report = store.verify(&mut |_, _| {}).unwrap();
    assert!(report.is_clean(), "{report:?}");
    let digest = store.digest(None).unwrap();
    assert_eq!(store.rebuild(&mut |_, _| {}).unwrap(), digest);
}

fn rows(store: &Store) -> Vec<RecordRow> {
    store.reader().unwrap().list(&Query::default()).unwrap().rows
}

fn standing(store: &Store, record: RecordId, entry: &EntryId) -> Standing {
    let history = store.reader().unwrap().history(record).unwrap();
    history.iter().find(|row| row.entry.id() == *entry).unwrap().standing
}

/// Says an act of the village again in another log.
fn again(world: &World, store: &Store, log: LogId, record: RecordId, entry: EntryId) -> Signed {
    let space = store.logs().log(&log).unwrap().space;
    let held = store.evidence(space, record).unwrap();
    let evidence: Vec<Evidence<'_>> = held.iter().map(Held::evidence).collect();
    let old = evidence.iter().find(|item| item.entry.id() == entry).unwrap();
    let tail = Tail::of(store.logs(), log).unwrap();
    let author = Author { node: &world.east.node, person: Some(&world.east.person) };
    let (roster, definitions) = (store.roster(), store.definitions());
    republish_change(roster, definitions, &tail, record, &evidence, old, author, [8; 16]).unwrap()
}
