//! The one law: the same entries and roster make the same rows, however they arrived, and again
//! when everything is worked out anew.

use xw_ledger::roster::Chain;
use xw_ledger::standing::Standing;
use xw_schemas::edition::Fact;
use xw_schemas::entry::VerifiedEntry;
use xw_store::{Query, Store};

use crate::world::{Arrived, EAST, Folder, NOW_MS, World, content, everything, put, take, text};

/// A county's little history: two villages, edits by two offices at once, a step, a witness.
fn history(world: &mut World) -> Store {
    let mut store = world.store();
    let east = world.open(&mut store, |w| &w.east);
    let west = world.open(&mut store, |w| &w.west);
    let east_space = world.east.space();
    let town_in_east = world.open_in(&mut store, |w| &w.town, east_space);
    let town = world.open(&mut store, |w| &w.town);
    let mut records = Vec::new();
    for i in 0..6 {
        let colour = text(&(i % 3 + 1).to_string());
        let made = content(&format!("东村事项{i}"), &[("colour", colour)]);
        records.push(world.write(&mut store, east, |w| &w.east, &made));
        world.write(&mut store, west, |w| &w.west, &content(&format!("西村事项{i}"), &[]));
    }
    world.witness(&mut store, town, |w| &w.town, &[east]);
    // Both offices write the phone of the same record without seeing each other.
    let by_east = vec![put("phone", text("13800001111"))];
    let by_town = vec![put("phone", text("13900002222"))];
    let a = world.change(&store, east, |w| &w.east, records[0], by_east, None);
    let b = world.change(&store, town_in_east, |w| &w.town, records[0], by_town, None);
    take(&mut store, vec![a, b]);
    let done = world.change(&store, east, |w| &w.east, records[1], vec![], Some(("open", "done")));
    take(&mut store, vec![done]);
    // A step that begins at the wrong state is kept and refused.
    let wrong = world.change(&store, east, |w| &w.east, records[1], vec![], Some(("open", "done")));
    take(&mut store, vec![wrong]);
    store
}

/// A fixed shuffle; a parcel whose log or predecessor is missing is tried again later.
fn deliver(store: &mut Store, all: &[Arrived], seed: u64) {
    let mut waiting: Vec<Arrived> = all.to_vec();
    let mut state = seed * 2 + 1;
    for at in (1..waiting.len()).rev() {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        waiting.swap(at, (state >> 33) as usize % (at + 1));
    }
    while !waiting.is_empty() {
        let before = waiting.len();
        let mut later = Vec::new();
        for batch in waiting.chunks(3 + (seed % 4) as usize) {
            let received = store.receive(batch.to_vec(), NOW_MS).unwrap();
            later.extend(received.refused.iter().map(|refused| batch[refused.index].clone()));
            if seed.is_multiple_of(2) {
                store.settle(2).unwrap();
            }
        }
        assert!(later.len() < before, "nothing more is taken");
        waiting = later;
    }
    store.settle_all().unwrap();
}

#[test]
fn any_order_of_arrival_gives_the_same_digest() {
    let mut world = World::new();
    let first = history(&mut world);
    let (all, digest) = (everything(&first), first.digest(None).unwrap());
    assert_eq!((digest.records, digest.unsettled), (12, 0));
    for seed in 0..12 {
        let mut other = world.store();
        deliver(&mut other, &all, seed);
        assert_eq!(other.digest(None).unwrap(), digest, "seed {seed}");
        let east = Some(world.east.space());
        assert_eq!(other.digest(east).unwrap(), first.digest(east).unwrap(), "seed {seed}");
        let report = other.verify(&mut |_, _| {}).unwrap();
        assert!(report.is_clean(), "seed {seed}: {report:?}");
    }
}

#[test]
fn a_rebuild_gives_the_same_digest_and_rows() {
    let mut world = World::new();
    let mut store = history(&mut world);
    let (digest, rows) = (store.digest(None).unwrap(), rows(&store));
    let mut heard = (0, 0);
    assert_eq!(store.rebuild(&mut |done, total| heard = (done, total)).unwrap(), digest);
    assert_eq!(heard, (12, 12));
    assert_eq!(self::rows(&store), rows);
    let report = store.verify(&mut |_, _| {}).unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.records, report.documents, report.logs), (12, 12, 4));
}

#[test]
fn opening_again_gives_what_was_there_before() {
    let (mut world, folder) = (World::new(), Folder::new());
    let all = everything(&history(&mut world));
    let mut store = world.store_at(&folder.file());
    deliver(&mut store, &all, 3);
    let (digest, rows) = (store.digest(None).unwrap(), rows(&store));
    store.close().unwrap();
    let store = Store::open(&folder.file(), None).unwrap();
    assert_eq!(store.digest(None).unwrap(), digest);
    assert_eq!(self::rows(&store), rows);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}

#[test]
fn an_auditor_without_bodies_has_the_same_headers() {
    let mut world = World::new();
    let full = history(&mut world);
    let mut sealed = world.store();
    let headers: Vec<Arrived> = everything(&full).into_iter().map(|(e, _)| (e, None)).collect();
    deliver(&mut sealed, &headers, 0);
    let (a, b) = (full.digest(None).unwrap(), sealed.digest(None).unwrap());
    assert_eq!(a.headers, b.headers);
    assert_ne!(a.views, b.views);
    let page = sealed.reader().unwrap().list(&Query::default()).unwrap();
    assert!(page.rows.iter().all(|row| row.sealed && row.doc == serde_json::json!({})));
    assert!(sealed.verify(&mut |_, _| {}).unwrap().is_clean());
    // Bodies that come later make the two nodes equal.
    let mut late = everything(&full);
    late.reverse();
    let received = sealed.receive(late, NOW_MS).unwrap();
    assert_eq!((received.duplicates, received.bodies), (21, 16));
    sealed.settle_all().unwrap();
    assert_eq!(sealed.digest(None).unwrap(), a);
}

#[test]
fn a_roster_that_comes_late_gives_the_same_digest_as_one_that_was_there() {
    let mut world = World::new();
    let all = everything(&history(&mut world));
    let opening = opening_of_east(&all, &world);
    let kept = vec![(opening.core().log, 0, opening.id())];
    let roster = world.roster();
    // First one that only adds, then one that voids the east village's whole log.
    let name = "新村".to_owned();
    let adds = vec![Fact::Place { division: world.west.division, name }];
    let adds = world.edition(&roster, adds);
    let mut chain = Chain::founded(world.founding.clone()).unwrap();
    chain.add(adds.clone()).unwrap();
    let cut = vec![Fact::Cut { key: world.east.node.public(), kept }];
    let cut = world.edition(chain.roster(), cut);
    for editions in [vec![adds.clone()], vec![adds, cut]] {
        let (mut early, mut late) = (world.store(), world.store());
        for edition in &editions {
            assert!(early.add_edition(edition.clone()).unwrap().unwrap());
        }
        deliver(&mut early, &all, 1);
        deliver(&mut late, &all, 2);
        for edition in &editions {
            assert!(late.add_edition(edition.clone()).unwrap().unwrap());
            assert!(!late.add_edition(edition.clone()).unwrap().unwrap());
            late.settle_all().unwrap();
        }
        assert_eq!(early.digest(None).unwrap(), late.digest(None).unwrap());
        for store in [&early, &late] {
            let report = store.verify(&mut |_, _| {}).unwrap();
            assert!(report.is_clean(), "{report:?}");
        }
        let digest = late.digest(None).unwrap();
        assert_eq!(late.rebuild(&mut |_, _| {}).unwrap(), digest);
    }
}

/// The opening of the east village's log.
fn opening_of_east<'a>(all: &'a [Arrived], world: &World) -> &'a VerifiedEntry {
    let east = world.east.node.public();
    &all.iter().find(|(e, _)| e.node() == east && e.core().sequence == 0).unwrap().0
}

#[test]
fn a_definition_that_comes_late_settles_what_waited_for_it() {
    let mut world = World::new();
    let first = history(&mut world);
    let mut store = Store::in_memory(world.founding.clone(), vec![], None).unwrap();
    deliver(&mut store, &everything(&first), 5);
    assert_eq!(store.digest(None).unwrap().records, 0);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
    store.add_definition(world.types().remove(0)).unwrap();
    store.settle_all().unwrap();
    assert_eq!(store.digest(None).unwrap(), first.digest(None).unwrap());
    let hash = world.types()[0].hash();
    assert_eq!(store.blob(hash.0).unwrap().unwrap(), world.types()[0].canonical_bytes());
    let founding = store.blob(world.founding.id().0).unwrap();
    assert_eq!(founding.unwrap(), world.founding.bytes());
}

#[test]
fn a_body_that_is_not_the_promised_one_is_refused_and_not_kept() {
    let mut world = World::new();
    let mut store = world.store();
    let log = world.open(&mut store, |w| &w.east);
    let tail = xw_ledger::draft::Tail::of(store.logs(), log).unwrap();
    let roster = store.roster().clone();
    let (_, a) = world.new_entry(&roster, &tail, |w| &w.east, &content("甲", &[]));
    let (_, b) = world.new_entry(&roster, &tail, |w| &w.east, &content("乙", &[]));
    let received = store.receive(vec![(a.entry.clone(), b.body)], NOW_MS).unwrap();
    assert_eq!(received.refused[0].reason, xw_store::ReceiveRefusal::BadBody);
    assert_eq!(store.digest(None).unwrap().entries, 1);
    take(&mut store, vec![a]);
    assert_eq!(store.digest(None).unwrap().records, 1);
}

fn rows(store: &Store) -> Vec<(String, Standing, serde_json::Value, u32, u32)> {
    let query =
        Query { sort: vec![(xw_store::SortKey::Created, xw_store::Order::Up)], ..Query::default() };
    let page = store.reader().unwrap().list(&query).unwrap();
    assert!(page.rows.iter().any(|row| row.space.division.to_string() == EAST));
    page.rows
        .into_iter()
        .map(|row| (row.record.to_string(), row.standing, row.doc, row.conflicts, row.refused))
        .collect()
}
