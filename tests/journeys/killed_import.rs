//! kill -9 of a village during an import loses nothing that was acknowledged, makes nothing twice,
//! and the store verifies.

use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value as Json;
use xw_bootstrap::found::found;
use xw_bootstrap::kit::Kit;
use xw_bootstrap::sheets::{Counts, village_ledgers};
use xw_bootstrap::synthetic;
use xw_schemas::record::builtin;
use xw_store::Reader;

use crate::program;

/// Rows of the ledger: enough for several batches, so that a kill can fall between two.
const ROWS: u32 = 2_000;

/// Kills at different depths of the import, in records on disk.
const KILLED_AT: [u64; 3] = [1, 400, 1_200];

fn ask(dir: &Path, words: &[&str]) -> (i32, Json) {
    let output = Command::new(program::path())
        .arg("--dir")
        .arg(dir)
        .arg("--json")
        .args(words)
        .output()
        .expect("the program runs");
    let json = serde_json::from_slice(&output.stdout).unwrap_or(Json::Null);
    (output.status.code().unwrap_or(-1), json)
}

/// A village on disk with a ledger to be imported; gives how many rows must be accepted.
fn village(dir: &Path) -> u64 {
    let definitions = builtin();
    let mut next = 0_u8;
    let founded = found(&synthetic::plan(), &definitions, 1_795_000_000_000, &mut |bytes| {
        for byte in bytes {
            next = next.wrapping_mul(31).wrapping_add(17);
            *byte = next;
        }
        next = next.wrapping_add(1);
    })
    .expect("the synthetic plan is sound");
    let kit = &Kit::all(&founded, &definitions)[2];
    std::fs::write(dir.join("kit.json"), kit.text().as_bytes()).expect("a file");
    let (code, _) = ask(
        &dir.join("node"),
        &[
            "init",
            "--listen",
            "127.0.0.1:0",
            "--api",
            "127.0.0.1:0",
            "--kit",
            &dir.join("kit.json").display().to_string(),
        ],
    );
    assert_eq!(code, 0, "init failed");
    let counts = Counts { svc: ROWS, pvm: 0, ind: 0, med: 0 };
    let ledgers = village_ledgers(5, "130599201201", "柳河村", 2026, counts).expect("a ledger");
    let ledger = ledgers.iter().find(|l| l.planted.record_type == "SVC").expect("SVC rows");
    std::fs::write(dir.join("办件.xlsx"), &ledger.bytes).expect("a file");
    ledger.planted.accepted() as u64
}

#[test]
fn a_village_killed_during_an_import_loses_nothing_and_makes_nothing_twice() {
    let dir = program::folder("killed");
    let accepted = village(&dir);
    let node = dir.join("node");
    let ledger = dir.join("办件.xlsx").display().to_string();
    for depth in KILLED_AT {
        let mut import = Command::new(program::path())
            .arg("--dir")
            .arg(&node)
            .args(["import", &ledger, "--type", "SVC"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let reader = Reader::open(&node.join("store.db")).expect("the store is there");
        // What another connection can read is committed: that is what "saved here" means.
        let (acknowledged, ended) = loop {
            let entries = reader.size().expect("it reads while another writes").entries;
            if entries > depth {
                break (entries, None);
            }
            if let Some(status) = import.try_wait().expect("the child is ours") {
                break (entries, Some(status));
            }
            std::thread::yield_now();
        };
        assert!(ended.is_none(), "the import ended before it could be killed: {ended:?}");
        import.kill().expect("it is killed");
        import.wait().expect("it ends");
        drop(reader);
        let (code, report) = ask(&node, &["verify"]);
        assert_eq!(code, 0, "after the kill: {report}");
        let held = report["entries"].as_u64().expect("a count");
        assert!(held >= acknowledged, "{held} entries of {acknowledged} acknowledged");
    }
    let (code, report) = ask(&node, &["import", &ledger, "--type", "SVC"]);
    assert!(code == 0 || code == 1, "the import ran: {report}");
    let (_, list) = ask(&node, &["list", "--type", "SVC", "--limit", "1"]);
    // Rows that stand twice in the ledger are one record; the report counts them as unchanged.
    let (new, unchanged) = (&report["tally"]["new"], &report["tally"]["unchanged"]);
    assert_eq!(
        new.as_u64().unwrap_or(0) + unchanged.as_u64().unwrap_or(0),
        accepted,
        "{}",
        report["tally"]
    );
    let (code, again) = ask(&node, &["import", &ledger, "--type", "SVC"]);
    assert!(code == 0 || code == 1);
    assert_eq!(again["tally"]["new"], 0);
    let (_, after) = ask(&node, &["list", "--type", "SVC", "--limit", "1"]);
    assert_eq!(list["total"], after["total"]);
    assert!(after["total"].as_u64() <= Some(accepted) && after["total"].as_u64() > Some(0));
    let _ = std::fs::remove_dir_all(dir);
}
