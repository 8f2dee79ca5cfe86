//! A disk that refuses to make something durable: the store says that the process must end, takes
//! nothing more, and after a new start everything acknowledged is there.

use std::path::Path;
use std::process::Command;

use xw_store::{Store, StoreError};

use crate::recording::recorder;
use crate::workload::batches;
use crate::world::{Folder, NOW_MS, keys, office};

/// Set for the process whose disk fails.
const CHILD: &str = "XW_DURABILITY_DYING";

/// Syncs of which one is refused in turn: those of two batches and their settling.
const SYNCS: u32 = 6;

#[test]
fn a_refused_sync_ends_the_work_and_loses_nothing_acknowledged() {
    if let Some(folder) = std::env::var_os(CHILD) {
        return work_on_a_dying_disk(folder.as_ref());
    }
    let folder = Folder::quick();
    let above = folder.file().parent().unwrap().to_owned();
    let Some(library) = recorder(&above) else {
        println!("NOT TRIED: failing syncs need Linux and a C compiler");
        return;
    };
    for sync in 1..=SYNCS {
        let lived = above.join(format!("lived-{sync}"));
        std::fs::create_dir_all(&lived).unwrap();
        let done = Command::new(std::env::current_exe().unwrap())
            .args([
                "--exact",
                "dying_disk::a_refused_sync_ends_the_work_and_loses_nothing_acknowledged",
            ])
            .arg("--nocapture")
            .env(CHILD, &lived)
            .env("LD_PRELOAD", &library)
            .env("XW_RECORD_TO", above.join("record"))
            .env("XW_RECORD_FOLDER", &lived)
            .env("XW_FAIL_SYNC", sync.to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "sync {sync}: {said} {done:?}");
        let (_, acknowledged) = said.split_once("acknowledged ").expect("the child says how many");
        let acknowledged: u64 = acknowledged.split_whitespace().next().unwrap().parse().unwrap();
        let mut store = Store::open(&lived.join("store.db"), Some(keys(1))).unwrap();
        store.unlock(office(1)).unwrap();
        store.settle_all().unwrap();
        assert!(store.digest(None).unwrap().entries >= acknowledged, "sync {sync}");
        assert!(store.verify(&mut |_, _| {}).unwrap().is_clean(), "sync {sync}");
    }
}

fn work_on_a_dying_disk(folder: &Path) {
    let (world, batches) = batches(40);
    let mut store = world.keyed_at(&folder.join("store.db"), 1);
    store.unlock(office(1)).unwrap();
    let mut acknowledged = 0;
    let mut batches = batches.into_iter();
    let first = batches.next().unwrap();
    acknowledged += store.receive(first, NOW_MS).unwrap().appended;
    // From here on the disk is dying.
    std::fs::write(folder.join("FAIL"), b"").unwrap();
    let mut failed: Option<StoreError> = None;
    for batch in batches {
        match store.receive(batch, NOW_MS) {
            Ok(received) => acknowledged += received.appended,
            Err(error) => failed = Some(error),
        }
        if failed.is_none() {
            failed = store.settle_all().err();
        }
        if failed.is_some() {
            break;
        }
    }
    let failed = failed.expect("a refused sync is said");
    assert!(failed.is_fatal() && !failed.is_damage() && !failed.is_disk_full(), "{failed:?}");
    assert!(failed.zh().contains("重新启动"), "{}", failed.zh());
    let refused = store.set_note("machine", None).unwrap_err();
    assert!(matches!(refused, StoreError::Broken) && refused.is_fatal(), "{refused:?}");
    println!("acknowledged {acknowledged} ");
}
