//! kill -9 of a village during an import loses nothing that was acknowledged, makes nothing twice,
//! and the store verifies.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use xw_bootstrap::sheets::{Counts, village_ledgers};
use xw_schemas::record::builtin;
use xw_store::Reader;

use crate::nodes::county;
use crate::nodes::folder::{self, Office, passphrase};
use crate::nodes::process::Node;
use crate::program;

/// Rows of the ledger: enough for several batches, so that a kill can fall between two.
const ROWS: u32 = 2_000;

/// Kills at different depths of the import, in records on disk.
const KILLED_AT: [u64; 3] = [1, 400, 1_200];

/// A village on disk with a ledger to be imported; gives how many rows must be accepted.
fn village(dir: &Path) -> (Node, Office, u64) {
    let county = county::found(&builtin());
    let (office, roster) = (&county.offices[2], [county.founding.clone()]);
    let (folder, listen) = (dir.join("node"), ([127, 0, 0, 1], 0).into());
    folder::write(&folder, office, &roster, builtin(), listen, &[]);
    let node = Node::at(program::path(), folder);
    let counts = Counts { svc: ROWS, pvm: 0, ind: 0, med: 0 };
    let ledgers = village_ledgers(5, "130599201201", "柳河村", 2026, counts).expect("a ledger");
    let ledger = ledgers.iter().find(|l| l.planted.record_type == "SVC").expect("SVC rows");
    std::fs::write(dir.join("办件.xlsx"), &ledger.bytes).expect("a file");
    (node, office.clone(), ledger.planted.accepted() as u64)
}

#[test]
fn a_village_killed_during_an_import_loses_nothing_and_makes_nothing_twice() {
    let dir = program::folder("killed");
    let (node, office, accepted) = village(&dir);
    let (clerk, _) = &office.people[0];
    let typed = format!("{}\n", passphrase(clerk));
    let as_clerk = |words: &[&str]| {
        node.say(&[words, &["--as", clerk, "--passphrase-from-stdin"]].concat(), &typed)
    };
    let ledger = dir.join("办件.xlsx").display().to_string();
    for depth in KILLED_AT {
        let mut import = Command::new(program::path())
            .arg("--dir")
            .arg(&node.folder)
            .args(["import", &ledger, "--type", "SVC", "--as", clerk, "--passphrase-from-stdin"])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program runs");
        let mut stdin = import.stdin.take().expect("it is piped");
        stdin.write_all(typed.as_bytes()).expect("it reads a line");
        let keys = folder::store_keys(&office);
        let reader = Reader::open_with(&node.folder.join("store.db"), Some(&keys), None);
        let reader = reader.expect("the store is there");
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
        let (code, report) = as_clerk(&["verify"]);
        assert_eq!(code, 0, "after the kill: {report}");
        let held = report["entries"].as_u64().expect("a count");
        assert!(held >= acknowledged, "{held} entries of {acknowledged} acknowledged");
    }
    let (code, report) = as_clerk(&["import", &ledger, "--type", "SVC"]);
    assert!(code == 0 || code == 1, "the import ran: {report}");
    let (_, list) = as_clerk(&["list", "--type", "SVC", "--limit", "1"]);
    // Rows that stand twice in the ledger are one record; the report counts them as unchanged.
    let (new, unchanged) = (&report["tally"]["new"], &report["tally"]["unchanged"]);
    assert_eq!(
        new.as_u64().unwrap_or(0) + unchanged.as_u64().unwrap_or(0),
        accepted,
        "{}",
        report["tally"]
    );
    let (code, again) = as_clerk(&["import", &ledger, "--type", "SVC"]);
    assert!(code == 0 || code == 1);
    assert_eq!(again["tally"]["new"], 0);
    let (_, after) = as_clerk(&["list", "--type", "SVC", "--limit", "1"]);
    assert_eq!(list["total"], after["total"]);
    assert!(after["total"].as_u64() <= Some(accepted) && after["total"].as_u64() > Some(0));
    let _ = std::fs::remove_dir_all(dir);
}
