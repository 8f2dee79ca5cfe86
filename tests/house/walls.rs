//! Which crate may use which, and which library is named where.

use crate::files::{rust_files, text_of, top};

/// What each crate may use of ours.
const FLOORS: [(&str, &[&str]); 11] = [
    ("schemas", &[]),
    ("node/ledger", &["xw-schemas"]),
    ("node/replica", &["xw-schemas", "xw-ledger"]),
    ("node/custody", &["xw-schemas"]),
    ("node/store", &["xw-schemas", "xw-ledger", "xw-custody"]),
    ("node/audit", &["xw-schemas", "xw-ledger"]),
    ("node/verifier", &["xw-schemas", "xw-ledger", "xw-audit"]),
    ("node/net", &[]),
    ("node/workbook", &["xw-schemas"]),
    ("bootstrap", &["xw-schemas", "xw-ledger", "xw-custody"]),
    (
        "node/daemon",
        &[
            "xw-schemas",
            "xw-ledger",
            "xw-replica",
            "xw-store",
            "xw-net",
            "xw-workbook",
            "xw-bootstrap",
            "xw-custody",
            "xw-audit",
        ],
    ),
];

/// Libraries that one place alone may name, outside of tests.
const NAMED_IN: [(&str, &[&str]); 8] = [
    (
        "automerge::",
        &[
            "node/ledger/src/document",
            "node/ledger/examples",
            "node/ledger/tests",
            "tests/hostile/poison",
        ],
    ),
    ("rusqlite::", &["node/store", "tests/bench"]),
    ("libp2p::", &["node/net"]),
    ("axum::", &["node/daemon/src/api.rs"]),
    ("ed25519_dalek::", &["schemas/src/cose.rs", "schemas/tests"]),
    ("argon2::", &["node/custody"]),
    ("hpke::", &["node/custody"]),
    ("chacha20poly1305::", &["node/custody"]),
];

/// What the pure crates never touch.
const PURE: [&str; 4] = ["schemas/src", "node/ledger/src", "node/replica/src", "node/audit/src"];
const HANDS: [&str; 6] =
    ["std::fs", "std::net", "std::thread", "SystemTime", "Instant::now", "getrandom"];

#[test]
fn no_crate_reaches_through_a_wall() {
    for (folder, allowed) in FLOORS {
        let manifest = text_of(&top().join(folder).join("Cargo.toml"));
        let (_, rest) = manifest.split_once("[dependencies]").expect("a list of dependencies");
        let used = rest.split("\n[").next().unwrap_or_default();
        let ours = used.lines().filter(|line| line.starts_with("xw-"));
        for line in ours {
            let name = line.split(['.', ' ', '=']).next().unwrap_or_default();
            assert!(allowed.contains(&name), "{folder} may not use {name}");
        }
    }
}

#[test]
fn libraries_are_named_in_their_own_room() {
    for path in rust_files() {
        let shown = path.strip_prefix(top()).unwrap().display().to_string().replace('\\', "/");
        if shown.starts_with("tests/house") {
            continue;
        }
        let text = text_of(&path);
        for (library, rooms) in NAMED_IN {
            let named = text.lines().any(|line| {
                let code = line.split("//").next().unwrap_or_default();
                code.contains(library)
            });
            let at_home = rooms.iter().any(|room| shown.starts_with(room));
            assert!(!named || at_home, "{shown} names {library}");
        }
    }
}

#[test]
fn the_pure_crates_have_no_hands() {
    for path in rust_files() {
        let shown = path.strip_prefix(top()).unwrap().display().to_string().replace('\\', "/");
        if !PURE.iter().any(|room| shown.starts_with(room)) {
            continue;
        }
        let text = text_of(&path);
        for line in text.lines().map(|line| line.split("//").next().unwrap_or_default()) {
            for hand in HANDS {
                assert!(!line.contains(hand), "{shown}: {line}");
            }
        }
    }
}
