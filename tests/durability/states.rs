//! Every point of a recorded life at which the process could have been killed or the power cut, and
//! what each would have left.

use std::collections::BTreeMap;
use std::sync::Mutex;

use xw_store::{Store, StoreError, ViewDigest};

use crate::recording::{Disk, Doing, Machine, recorded};
use crate::workload::{batches, live};
use crate::world::{Folder, NOW_MS, World, keys, office};

/// Batches of the recorded life.
const BATCHES: usize = 60;

/// States tried when nobody asks for more: a minute on two cores.
const STATES: usize = 2_000;
const STATES_VARIABLE: &str = "XW_CRASH_STATES";

/// Set for the process that is recorded.
const CHILD: &str = "XW_DURABILITY_RECORDED";

/// Threads that try states.
const THREADS: usize = 2;

/// What a state came to, by name, and how often.
type Tally = BTreeMap<&'static str, usize>;

#[test]
fn no_crash_and_no_power_cut_loses_what_was_acknowledged() {
    if let Some(folder) = std::env::var_os(CHILD) {
        return live(folder.as_ref(), BATCHES);
    }
    let folder = Folder::quick();
    let above = folder.file().parent().unwrap().to_owned();
    let Some((lived, doings)) =
        recorded("states::no_crash_and_no_power_cut_loses_what_was_acknowledged", CHILD, &above)
    else {
        return;
    };
    let (world, wanted) = digests();
    let points = points(&doings);
    assert!(points.len() > 400, "the record has only {} points", points.len());
    let machine = doings.iter().fold(Machine::default(), |mut machine, doing| {
        machine.step(doing);
        machine
    });
    // The record says all that happened: played to its end it gives the files that are there.
    for (name, bytes) in machine.after_kill() {
        if !name.ends_with(".lock") {
            assert!(std::fs::read(lived.join(&name)).unwrap() == bytes, "{name} differs");
        }
    }
    let tally = Mutex::new(Tally::new());
    std::thread::scope(|scope| {
        for thread in 0..THREADS {
            let (tally, points, doings) = (&tally, &points, &doings);
            let (world, wanted) = (&world, &wanted);
            scope.spawn(move || try_points(thread, doings, points, world, wanted, tally));
        }
    });
    let tally = tally.into_inner().unwrap();
    let states: usize = tally.values().sum();
    println!("{} doings, {} crash points, {states} states: {tally:?}", doings.len(), points.len());
    assert_eq!(states, points.len() * 4);
}

/// The places in the record after each of which a crash is tried: all, or an even choice.
fn points(doings: &[Doing]) -> Vec<usize> {
    let states = std::env::var(STATES_VARIABLE).map_or(STATES, |states| states.parse().unwrap());
    let writes = |doing: &Doing| !matches!(doing, Doing::Acknowledged { .. });
    let all: Vec<usize> = (0..doings.len()).filter(|at| writes(&doings[*at])).collect();
    let wanted = (states / 4).clamp(1, all.len());
    (0..wanted).map(|nth| all[nth * all.len() / wanted]).collect()
}

/// What people see, by the number of entries held.
fn digests() -> (World, BTreeMap<u64, ViewDigest>) {
    let (world, batches) = batches(BATCHES);
    let mut store = world.store();
    let mut all = BTreeMap::from([(0, store.digest(None).unwrap())]);
    for batch in batches {
        store.receive(batch, NOW_MS).unwrap();
        store.settle_all().unwrap();
        let digest = store.digest(None).unwrap();
        all.insert(digest.entries, digest);
    }
    (world, all)
}

fn try_points(
    thread: usize,
    doings: &[Doing],
    points: &[usize],
    world: &World,
    wanted: &BTreeMap<u64, ViewDigest>,
    tally: &Mutex<Tally>,
) {
    let mut machine = Machine::default();
    let mut acknowledged = None;
    let mut next = points.iter().enumerate().filter(|(nth, _)| nth % THREADS == thread).peekable();
    for (at, doing) in doings.iter().enumerate() {
        machine.step(doing);
        if let Doing::Acknowledged { entries } = doing {
            acknowledged = Some(*entries);
        }
        let Some((nth, _)) = next.next_if(|(_, point)| **point == at) else { continue };
        let mut state = (at as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut dice = |sides: usize| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040);
            usize::try_from(state >> 33).unwrap() % sides
        };
        let left = [
            machine.after_kill(),
            machine.after_power_cut(),
            machine.after_torn_power_cut(&mut dice),
            machine.after_torn_power_cut(&mut dice),
        ];
        for (what, disk) in ["killed", "cut", "torn", "torn again"].into_iter().zip(left) {
            let place = format!("after doing {at} ({what}), {acknowledged:?} acknowledged");
            // Everything is checked from the bytes now and then, for it takes as long as ten states.
            let thorough = nth % 16 == 0;
            let came_to = check(&disk, acknowledged, world, wanted, &place, thorough);
            *tally.lock().unwrap().entry(came_to).or_default() += 1;
        }
    }
}

/// Opens what is left as the program does after a crash.
fn check(
    disk: &Disk,
    acknowledged: Option<u32>,
    world: &World,
    wanted: &BTreeMap<u64, ViewDigest>,
    place: &str,
    thorough: bool,
) -> &'static str {
    let folder = Folder::of(disk);
    let mut store = match Store::open(&folder.file(), Some(keys(1))) {
        Ok(store) => store,
        Err(StoreError::Missing { .. }) if acknowledged.is_none() => {
            // Nothing was made yet, and nothing stands in the way of making it.
            world.keyed_at(&folder.file(), 1).close().unwrap();
            return "not yet made";
        }
        Err(error) => panic!("{place}: {error:?}"),
    };
    assert!(!store.opened().lost_something(), "{place}: false alarm {:?}", store.opened());
    store.unlock(office(1)).unwrap_or_else(|error| panic!("{place}: {error:?}"));
    store.settle_all().unwrap_or_else(|error| panic!("{place}: {error:?}"));
    let digest = store.digest(None).unwrap();
    assert!(digest.entries >= u64::from(acknowledged.unwrap_or(0)), "{place}: entries are lost");
    assert_eq!(Some(&digest), wanted.get(&digest.entries), "{place}: another view");
    if thorough {
        let report = store.verify(&mut |_, _| {}).unwrap();
        assert!(report.is_clean(), "{place}: {report:?}");
    }
    if acknowledged.is_some_and(|entries| digest.entries > u64::from(entries)) {
        "one batch more than acknowledged"
    } else {
        "as acknowledged"
    }
}
