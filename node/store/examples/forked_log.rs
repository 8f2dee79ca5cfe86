//! Measures what a log forked in every slot costs: at the door, for a conversation, on disk and at a
//! start: `cargo run --release -p xw-store --example forked_log -- [entries]`. JSON lines.

#![expect(clippy::unwrap_used, reason = "a measurement that cannot go on has failed")]

#[path = "../tests/store/world.rs"]
#[expect(dead_code, clippy::unwrap_used, reason = "made for the tests, which use more of it")]
mod world;

use std::time::Instant;

use serde_json::json;
use xw_ledger::draft::{Author, Tail, write_erasure};
use xw_ledger::log::Logs;
use xw_schemas::entry::{Erasure, ErasureGround, VerifiedEntry};
use xw_schemas::id::RecordId;
use xw_schemas::limits::ENTRIES_PER_FRAME_MAX;
use xw_store::Store;

use world::{Arrived, Folder, NOW_MS, World};

/// Ticks of a node, ten in a second, with one neighbour that lacks nothing.
const TICKS: u32 = 100;

/// Entries in a frame of 64 KiB.
const FRAME: usize = 128;

fn main() {
    let entries: u64 = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(5_000);
    let (folder, mut world) = (Folder::new(), World::new());
    let mut store = world.store_at(&folder.file());
    let log = world.open(&mut store, |w| &w.east);
    let (straight, forks) = written(&mut world, &store, log, entries);
    let opening =
        store.parcels(log, &[(0, store.logs().log(&log).unwrap().at(0).unwrap())], 1, |_| true);
    let opening = VerifiedEntry::from_store(opening.unwrap().remove(0).envelope).unwrap();

    let roster = store.roster().clone();
    let mut logs = Logs::new();
    let timed = Instant::now();
    for entry in std::iter::once(&opening).chain(&straight).chain(&forks) {
        logs.place(&roster, entry).expect("it fits its log");
    }
    report("door", entries, timed);
    let held = logs.log(&log).expect("it is held");
    let known = held.tips();
    let timed = Instant::now();
    for _ in 0..TICKS {
        assert!(held.lacking(&known, ENTRIES_PER_FRAME_MAX).is_empty());
    }
    report("what a neighbour lacks that lacks nothing, 100 times", entries, timed);
    let timed = Instant::now();
    assert!(logs.assess(&roster, &log).is_some());
    report("how its entries stand", entries, timed);

    let mut receive = |name: &str, entries: Vec<VerifiedEntry>| {
        let timed = Instant::now();
        let count = entries.len() as u64;
        let mut rest: Vec<Arrived> = entries.into_iter().map(|entry| (entry, None)).collect();
        while !rest.is_empty() {
            let frame = rest.drain(..FRAME.min(rest.len())).collect();
            let received = store.receive(frame, NOW_MS).expect("the disk is sound");
            assert!(received.refused.is_empty());
        }
        report(name, count, timed);
    };
    receive("receive the log", straight);
    receive("receive its forks from the top downwards", forks.into_iter().rev().collect());
    store.close().expect("the disk is sound");
    let timed = Instant::now();
    let store = Store::open(&folder.file(), None).expect("the file was just closed");
    report("open", entries, timed);
    drop(store);
}

/// So many entries of a village's log, and another one in the slot of each.
fn written(
    world: &mut World,
    store: &Store,
    log: xw_schemas::id::LogId,
    entries: u64,
) -> (Vec<VerifiedEntry>, Vec<VerifiedEntry>) {
    let (roster, mut tail) = (store.roster().clone(), Tail::of(store.logs(), log).expect("open"));
    let (mut straight, mut forks) = (Vec::new(), Vec::new());
    for _ in 0..entries {
        for branch in [&mut forks, &mut straight] {
            let act = world.act();
            let author = Author { node: &world.east.node, person: Some(&world.east.person) };
            let (record, ground) = (RecordId(act.salt), ErasureGround::ConsentWithdrawn);
            let erasure = Erasure { record, record_type: "NTE".into(), ground };
            let signed = write_erasure(&roster, &tail, erasure, author, act);
            branch.push(signed.expect("it can be signed").entry);
        }
        tail.push(straight.last().expect("it was just signed"));
    }
    (straight, forks)
}

fn report(name: &str, entries: u64, timed: Instant) {
    let seconds = timed.elapsed().as_secs_f64();
    println!("{}", json!({"step": name, "entries": entries, "seconds": seconds}));
}
