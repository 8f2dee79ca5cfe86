//! What was acknowledged is there after the process died.

use std::io::{BufRead as _, BufReader};
use std::process::{Command, Stdio};

use xw_ledger::draft::Tail;
use xw_store::Store;

use crate::world::{Folder, NOW_MS, World, content};

/// Set for the process that writes and dies.
const CHILD: &str = "XW_STORE_TEST_CHILD";

#[test]
fn every_acknowledged_batch_survives_a_killed_process() {
    if let Some(path) = std::env::var_os(CHILD) {
        write_until_killed(path.as_ref());
    }
    for acknowledged_max in [1, 7, 40] {
        let folder = Folder::new();
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "durable::every_acknowledged_batch_survives_a_killed_process"])
            .args(["--nocapture", "--test-threads=1"])
            .env(CHILD, folder.file())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let mut acknowledged = 0;
        while acknowledged < acknowledged_max {
            let line = lines.next().expect("the child writes until it is killed").unwrap();
            // The harness prints the name of the test before the first acknowledgement.
            if let Some((_, number)) = line.split_once("stored ") {
                acknowledged = number.parse::<u64>().unwrap();
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        let mut store = Store::open(&folder.file(), None).unwrap();
        store.settle_all().unwrap();
        let digest = store.digest(None).unwrap();
        // Each batch holds three records; the last one may have been committed unheard.
        assert!(digest.records >= acknowledged * 3, "{digest:?} after {acknowledged}");
        assert_eq!(digest.records % 3, 0, "a batch is stored wholly or not at all");
        assert_eq!(digest.entries, digest.records + 1);
        let report = store.verify(&mut |_, _| {}).unwrap();
        assert!(report.is_clean(), "{report:?}");
        assert_eq!(store.rebuild(&mut |_, _| {}).unwrap(), digest);
    }
}

/// Stores batches of three and says so after each; ends only by being killed.
fn write_until_killed(path: &std::path::Path) -> ! {
    let mut world = World::new();
    let mut store = world.store_at(path);
    let log = world.open(&mut store, |w| &w.east);
    let roster = store.roster().clone();
    for number in 1_u64.. {
        let mut tail = Tail::of(store.logs(), log).unwrap();
        let mut batch = Vec::new();
        for i in 0..3 {
            let made = content(&format!("第{number}批之{i}"), &[]);
            let (_, signed) = world.new_entry(&roster, &tail, |w| &w.east, &made);
            tail.push(&signed.entry);
            batch.push((signed.entry, signed.body));
        }
        store.receive(batch, NOW_MS).unwrap();
        println!("stored {number}");
        if number % 2 == 0 {
            store.settle(4).unwrap();
        }
    }
    unreachable!("numbers do not end")
}
