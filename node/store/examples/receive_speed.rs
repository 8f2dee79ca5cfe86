//! Measures how fast entries come in and are settled, and what a witness over all of them costs:
//! `cargo run --release -p xw-store --example receive_speed -- [records] [keyed]`. JSON lines. With `keyed`
//! the store is encrypted and open.

#[path = "../tests/store/world.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "made for the tests, which use more of it")]
mod world;

use std::time::Instant;

use serde_json::json;
use xw_ledger::draft::Tail;
use xw_schemas::limits::ENTRIES_PER_FRAME_MAX;
use xw_store::Store;

use world::{Folder, NOW_MS, World, content, keys, office, text};

fn main() {
    let records: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(50_000);
    let keyed = std::env::args().nth(2).is_some_and(|word| word == "keyed");
    let folder = Folder::new();
    let mut world = World::new();
    let mut store = if keyed {
        let mut store = world.keyed_at(&folder.file(), 1);
        store.unlock(office(1)).expect("its own key");
        store
    } else {
        world.store_at(&folder.file())
    };
    let east = world.open(&mut store, |w| &w.east);
    let town = world.open(&mut store, |w| &w.town);
    let (roster, mut tail) = (store.roster().clone(), Tail::of(store.logs(), east).expect("open"));
    let mut batches = vec![Vec::new()];
    let timed = Instant::now();
    for i in 0..records {
        let made = content(&format!("事项{i}"), &[("applicant_name", text("王秀英"))]);
        let (_, signed) = world.new_entry(&roster, &tail, |w| &w.east, &made);
        tail.push(&signed.entry);
        if batches.last().is_some_and(|batch| batch.len() >= ENTRIES_PER_FRAME_MAX) {
            batches.push(Vec::new());
        }
        batches.last_mut().expect("one is there").push((signed.entry, signed.body));
    }
    report("sign", records, timed);
    let timed = Instant::now();
    for batch in batches {
        store.receive(batch, NOW_MS).expect("the disk is sound");
    }
    report("receive", records, timed);
    let timed = Instant::now();
    store.settle_all().expect("the disk is sound");
    report("settle", records, timed);
    let timed = Instant::now();
    for i in 0..SINGLE {
        let made = content(&format!("单件{i}"), &[("applicant_name", text("王秀英"))]);
        let signed = world.sign_all(&store, east, |w| &w.east, &[made]);
        store.receive(signed, NOW_MS).expect("the disk is sound");
        store.settle_all().expect("the disk is sound");
    }
    report("one by one: sign, receive, settle", SINGLE, timed);
    let timed = Instant::now();
    world.witness(&mut store, town, |w| &w.town, &[east]);
    report("witness all in one entry", records, timed);
    let timed = Instant::now();
    let digest = store.digest(None).expect("the disk is sound");
    report("digest", records, timed);
    store.close().expect("the disk is sound");
    let bytes = std::fs::metadata(folder.file()).map_or(0, |data| data.len());
    println!(
        "{}",
        json!({"records": digest.records, "file_kb_per_record": bytes / records / 1_024})
    );
    let timed = Instant::now();
    let given = keyed.then(|| keys(1));
    let mut store = Store::open(&folder.file(), given).expect("the file was just closed");
    if keyed {
        store.unlock(office(1)).expect("its own key");
    }
    report("open", records, timed);
    let timed = Instant::now();
    let checked = store.verify(&mut |_, _| {}).expect("the file can be read");
    assert!(checked.is_clean(), "{checked:?}");
    report("verify", records, timed);
    let timed = Instant::now();
    assert_eq!(store.rebuild(&mut |_, _| {}).expect("the file can be read"), digest);
    report("rebuild", records, timed);
}

/// Records made one by one, each durable and visible before the next.
const SINGLE: u64 = 200;

fn report(name: &str, records: u64, timed: Instant) {
    let seconds = timed.elapsed().as_secs_f64();
    let each_us = (seconds * 1e6 / records as f64).round();
    println!(
        "{}",
        json!({"step": name, "records": records, "seconds": seconds, "us_each": each_us})
    );
}
