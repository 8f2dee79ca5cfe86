//! Witnesses, forks and cuts: standings and rows follow, cheaply.

use std::time::{Duration, Instant};

use xw_ledger::draft::Tail;
use xw_ledger::standing::Standing;
use xw_schemas::edition::Fact;
use xw_store::{Query, Store};

use crate::world::{NOW_MS, World, content, put, take, text};

fn standings(store: &Store) -> Vec<(String, Standing)> {
    let rows = store.reader().unwrap().list(&Query::default()).unwrap().rows;
    let mut all: Vec<_> = rows.into_iter().map(|r| (r.title.unwrap(), r.standing)).collect();
    all.sort();
    all
}

fn one(title: &str, standing: Standing) -> (String, Standing) {
    (title.to_owned(), standing)
}

#[test]
fn a_record_stands_as_weakly_as_its_weakest_entry() {
    let mut world = World::new();
    let mut store = world.store();
    let east = world.open(&mut store, |w| &w.east);
    let town = world.open(&mut store, |w| &w.town);
    let county = world.open(&mut store, |w| &w.county);
    let a = world.write(&mut store, east, |w| &w.east, &content("甲", &[]));
    world.write(&mut store, east, |w| &w.east, &content("乙", &[]));
    world.witness(&mut store, town, |w| &w.town, &[east]);
    let both = |standing| vec![one("乙", standing), one("甲", standing)];
    assert_eq!(standings(&store), both(Standing::Witnessed));
    let change =
        world.change(&store, east, |w| &w.east, a, vec![put("phone", text("13800001111"))], None);
    take(&mut store, vec![change]);
    let mixed = vec![one("乙", Standing::Witnessed), one("甲", Standing::Local)];
    assert_eq!(standings(&store), mixed);
    world.witness(&mut store, county, |w| &w.county, &[east]);
    assert_eq!(standings(&store), both(Standing::Final));
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}

#[test]
fn a_fork_takes_the_disputed_changes_out_of_the_rows_and_a_witness_brings_one_branch_back() {
    let mut world = World::new();
    let mut store = world.store();
    let east = world.open(&mut store, |w| &w.east);
    let county = world.open(&mut store, |w| &w.county);
    world.write(&mut store, east, |w| &w.east, &content("前", &[]));
    let tail = Tail::of(store.logs(), east).unwrap();
    let roster = store.roster().clone();
    let (_, left) = world.new_entry(&roster, &tail, |w| &w.east, &content("左", &[]));
    let (_, right) = world.new_entry(&roster, &tail, |w| &w.east, &content("右", &[]));
    take(&mut store, vec![left]);
    // The county saw only the left branch and pinned it.
    let mut elsewhere = world.store();
    for (entry, body) in crate::world::everything(&store) {
        elsewhere.receive(vec![(entry, body)], NOW_MS).unwrap();
    }
    take(&mut store, vec![right]);
    assert_eq!(standings(&store), vec![one("前", Standing::Local)]);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
    world.witness(&mut elsewhere, county, |w| &w.county, &[east]);
    let news = crate::world::everything(&elsewhere);
    let received = store.receive(news, NOW_MS).unwrap();
    assert_eq!((received.appended, received.duplicates), (1, 4));
    store.settle_all().unwrap();
    assert_eq!(standings(&store), vec![one("前", Standing::Final), one("左", Standing::Final)]);
    let report = store.verify(&mut |_, _| {}).unwrap();
    assert!(report.is_clean(), "{report:?}");
    let digest = store.digest(None).unwrap();
    assert_eq!(store.rebuild(&mut |_, _| {}).unwrap(), digest);
}

#[test]
fn a_cut_voids_what_lies_beyond_it() {
    let mut world = World::new();
    let mut store = world.store();
    let east = world.open(&mut store, |w| &w.east);
    world.write(&mut store, east, |w| &w.east, &content("前", &[]));
    let kept = store.logs().log(&east).unwrap().head().unwrap();
    world.write(&mut store, east, |w| &w.east, &content("后", &[]));
    let cut = Fact::Cut { key: world.east.node.public(), kept: vec![(east, 1, kept)] };
    let edition = world.edition(store.roster(), vec![cut]);
    assert!(store.add_edition(edition).unwrap().unwrap());
    store.settle_all().unwrap();
    assert_eq!(standings(&store), vec![one("前", Standing::Final)]);
    let refused = store.reader().unwrap().refused(10).unwrap();
    assert_eq!(refused.len(), 1);
    assert_eq!(refused[0].standing, Standing::Void);
    assert!(refused[0].verdict.as_ref().unwrap().reason.starts_with("void|"));
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}

#[test]
fn witnessing_thousands_of_entries_is_quick() {
    let mut world = World::new();
    let mut store = world.store();
    let east = world.open(&mut store, |w| &w.east);
    let town = world.open(&mut store, |w| &w.town);
    let roster = store.roster().clone();
    let mut tail = Tail::of(store.logs(), east).unwrap();
    let mut batch = Vec::new();
    for i in 0..3_000 {
        let (_, signed) =
            world.new_entry(&roster, &tail, |w| &w.east, &content(&i.to_string(), &[]));
        tail.push(&signed.entry);
        batch.push((signed.entry, signed.body));
    }
    store.receive(batch, NOW_MS).unwrap();
    store.settle_all().unwrap();
    let started = Instant::now();
    world.witness(&mut store, town, |w| &w.town, &[east]);
    let took = started.elapsed();
    let query =
        Query { standings: vec![Standing::Witnessed], count_total: true, ..Query::default() };
    assert_eq!(store.reader().unwrap().list(&query).unwrap().total, Some(3_000));
    assert!(took < Duration::from_secs(1), "{took:?}");
}
