//! The demonstration holds what it says: five processes, dirty ledgers, a cut line, a conflict and
//! its end, equal digests, a sound county, a caught byte.

use std::process::Command;

use serde_json::Value as Json;

use crate::program;

#[test]
fn the_demonstration_tells_the_truth() {
    let output = Command::new(program::path())
        .args(["--json", "demo", "--once"])
        .output()
        .expect("the program runs");
    let story = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the demonstration failed:\n{story}");
    let text = String::from_utf8(output.stdout).expect("JSON is UTF-8");
    let seen: Json = serde_json::from_str(text.lines().last().expect("a last line")).expect("JSON");
    assert_eq!(seen["nodes"], 5);
    assert_eq!(seen["conflicts_seen"], 1);
    assert_eq!(seen["conflicts_left"], 0);
    assert_eq!(seen["digests_equal"], true);
    assert_eq!(seen["tamper_caught"], true);
    assert!(seen["records"].as_u64() > Some(200), "{seen}");
    assert!(seen["refused"].as_u64() > Some(0), "{seen}");
    assert_eq!(seen["entries_verified"], seen["entries"], "{seen}");
}
