//! Notes that a node keeps: checkpoints, neighbours heard, imports, coverage.

use xw_schemas::checkpoint::Checkpoint;
use xw_schemas::space::Division;
use xw_store::{Import, StoreError};

use crate::world::{COUNTY, EAST, NOW_MS, TOWN, WEST, World, content};

#[test]
fn the_newest_checkpoint_of_a_log_is_kept_and_a_strangers_is_refused() {
    let mut world = World::new();
    let mut store = world.store();
    let east = world.open(&mut store, |w| &w.east);
    let note = |world: &World, store: &xw_store::Store| {
        let log = store.logs().log(&east).unwrap();
        let network = store.roster().network();
        let checkpoint = Checkpoint { network, log: east, size: log.size(), root: log.root() };
        (checkpoint.sign(&world.east.node), checkpoint.sign(&world.west.node))
    };
    let (first, stranger) = note(&world, &store);
    store.set_checkpoint(&first).unwrap();
    assert!(matches!(store.set_checkpoint(&stranger), Err(StoreError::Checkpoint(_))));
    world.write(&mut store, east, |w| &w.east, &content("甲", &[]));
    let (second, _) = note(&world, &store);
    store.set_checkpoint(&second).unwrap();
    store.set_checkpoint(&first).unwrap();
    let held = store.checkpoints().unwrap();
    assert_eq!((held.len(), held[0].size, &held[0].note), (1, 2, &second));
    let report = store.verify(&mut |_, _| {}).unwrap();
    assert!(report.is_clean() && report.checkpoints == 1, "{report:?}");
}

#[test]
fn an_import_is_remembered_by_its_fingerprint() {
    let world = World::new();
    let mut store = world.store();
    let record = xw_schemas::id::RecordId([5; 16]);
    let import = Import { fingerprint: [1; 32], digest: [2; 32], record, file: [3; 32], row: 4 };
    assert_eq!(store.import_seen([1; 32]).unwrap(), None);
    store.note_imports(&[import]).unwrap();
    assert_eq!(store.import_seen([1; 32]).unwrap(), Some(import));
    let again = Import { digest: [9; 32], ..import };
    store.note_imports(&[again]).unwrap();
    assert_eq!(store.import_seen([1; 32]).unwrap(), Some(again));
}

#[test]
fn coverage_says_which_villages_have_been_heard_and_when() {
    let mut world = World::new();
    let mut store = world.store();
    let east = world.open(&mut store, |w| &w.east);
    world.write(&mut store, east, |w| &w.east, &content("甲", &[]));
    store.note_heard(world.west.node.public(), NOW_MS + 5).unwrap();
    store.note_heard(world.west.node.public(), NOW_MS).unwrap();
    let town = Division::parse(TOWN).unwrap();
    let villages = store.coverage(town).unwrap();
    let codes: Vec<String> = villages.iter().map(|v| v.division.to_string()).collect();
    assert_eq!(codes, [EAST, WEST]);
    assert_eq!((villages[0].logs, villages[0].nodes), (1, 1));
    assert_eq!((villages[0].received_ms, villages[0].heard_ms), (Some(NOW_MS), None));
    assert_eq!((villages[1].received_ms, villages[1].heard_ms), (None, Some(NOW_MS + 5)));
    let county = Division::parse(COUNTY).unwrap();
    assert_eq!(store.coverage(county).unwrap().len(), 3);
}
