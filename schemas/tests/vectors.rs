//! The vectors of `schemas/vectors`: made here from fixed seeds, judged by this crate, and judged
//! again by a reader in another language that was written from `schemas/spec` alone.
//!
//! `XW_WRITE_VECTORS=1 cargo test -p xw-schemas --test vectors` writes the files. Bytes that were
//! published once stay: a new format gets new files beside these.

use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};

use case::Case;

#[path = "vectors/bytes.rs"]
mod bytes;
#[path = "vectors/case.rs"]
mod case;
#[path = "vectors/craft.rs"]
mod craft;
#[path = "vectors/editions.rs"]
mod editions;
#[path = "vectors/entries.rs"]
mod entries;
#[path = "vectors/forged.rs"]
mod forged;
#[path = "vectors/frames.rs"]
mod frames;
#[path = "vectors/ids.rs"]
mod ids;
#[path = "vectors/judge.rs"]
mod judge;
#[path = "vectors/logs.rs"]
mod logs;
#[path = "vectors/notes.rs"]
mod notes;
#[path = "vectors/proofs.rs"]
mod proofs;
#[path = "vectors/scopes.rs"]
mod scopes;
#[path = "vectors/world.rs"]
mod world;

/// One file of vectors.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Vectors {
    about: String,
    cases: Vec<Case>,
}

/// File name, what it holds, its cases.
type File = (&'static str, &'static str, Vec<Case>);

/// Pages whose examples are checked where their bytes are made.
const ELSEWHERE: [&str; 1] = ["key-files.md"];

fn files() -> [File; 7] {
    let entries = [entries::cases(), forged::cases(), bytes::cases()].concat();
    let editions = [editions::cases(), scopes::cases()].concat();
    [
        ("entries.json", "Envelopes of entries; schemas/spec/entry.md", entries),
        ("logs.json", "Entries one after another; schemas/spec/entry.md", logs::cases()),
        ("checkpoints.json", "Notes and cosignatures; schemas/spec/checkpoint.md", notes::cases()),
        ("editions.json", "Roster editions and chains; schemas/spec/edition.md", editions),
        ("frames.json", "Frames on the wire; schemas/spec/wire.md", frames::cases()),
        ("ids.json", "Names and texts; schemas/spec/ids.md", ids::cases()),
        ("proofs.json", "Inclusion and consistency; schemas/spec/proofs.md", proofs::cases()),
    ]
}

#[test]
fn this_crate_judges_every_vector_as_it_says() {
    for (file, _, cases) in files() {
        for case in cases {
            let judged = judge::judge(&case).map_or_else(|fault| fault, |_| "valid".to_owned());
            assert_eq!(judged, case.expect, "{file}: {}", case.name);
        }
    }
}

#[test]
fn the_vectors_on_disk_are_the_ones_made_here() {
    let write = std::env::var_os("XW_WRITE_VECTORS").is_some();
    for (file, about, mut cases) in files() {
        for case in &mut cases {
            case.reading = judge::judge(case).unwrap_or_default();
        }
        let made = Vectors { about: about.to_owned(), cases };
        let text = serde_json::to_string_pretty(&made).expect("vectors are plain data") + "\n";
        let path = root().join("schemas/vectors").join(file);
        if write {
            std::fs::write(&path, &text).expect("the folder of the vectors can be written");
        }
        let held = std::fs::read_to_string(&path).expect("the vectors are part of the project");
        // A diff of the files says more than two screens of hex.
        assert!(held == text, "{file} differs from what is made here");
        assert_eq!(serde_json::from_str::<Vectors>(&held).ok().as_ref(), Some(&made));
    }
}

#[test]
fn no_two_vectors_have_one_name() {
    for (file, _, cases) in files() {
        let mut names: Vec<_> = cases.iter().map(|case| (&case.kind, &case.name)).collect();
        names.sort();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{file}: {names:#?}");
    }
}

/// An example that no longer is one would mislead whoever writes a reader from the pages.
#[test]
fn every_hex_in_the_pages_stands_in_the_vectors() {
    let vectors = texts("vectors", "json").concat();
    let pages = texts("spec", "md").concat();
    let is_hex = |word: &&str| word.len() >= 8 && word.bytes().all(|b| b.is_ascii_hexdigit());
    let shown: Vec<&str> = pages.split(|c: char| !c.is_alphanumeric()).filter(is_hex).collect();
    assert!(shown.len() > 20, "the pages show examples");
    for hex in shown {
        assert!(vectors.contains(hex), "{hex} is in no vector");
    }
}

/// Files of one folder of this crate.
fn texts(folder: &str, ending: &str) -> Vec<String> {
    let entries = std::fs::read_dir(root().join("schemas").join(folder));
    let paths = entries.expect("the folder is there").flatten().map(|entry| entry.path());
    let ours = paths.filter(|path| {
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        path.extension().is_some_and(|found| found == ending) && !ELSEWHERE.contains(&name)
    });
    ours.map(|path| std::fs::read_to_string(path).expect("the file is text")).collect()
}

/// Vectors of the roster's rules are made by the ledger's tests; they lie in the same folder.
fn cases_in(text: &str) -> usize {
    let vectors: serde_json::Value = serde_json::from_str(text).expect("vectors are JSON");
    vectors["cases"].as_array().map_or(0, Vec::len)
}

/// The second reader gets the folder, prints what it disagrees with and exits with 1.
#[test]
fn a_second_reader_in_another_language_judges_every_vector_the_same() {
    let Some(python) = python() else { return };
    let output = Command::new(python)
        .arg(root().join("tests/interop/second_reader.py"))
        .arg(root().join("schemas/vectors"))
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python started a moment ago");
    let said = String::from_utf8_lossy(&output.stdout);
    let wailed = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "the second reader disagrees:\n{said}\n{wailed}");
    let count: usize = texts("vectors", "json").iter().map(|text| cases_in(text)).sum();
    assert!(said.contains(&format!("{count} vectors judged the same")), "{said}");
}

/// A Python that has the packages of `requirements.txt`: the system's, or one made under `target`.
fn python() -> Option<PathBuf> {
    let system = PathBuf::from("python3");
    if !succeeds(&system, &["--version"]) {
        eprintln!("SKIPPED: there is no python3, so no second reader has judged the vectors");
        return None;
    }
    if has_packages(&system) {
        return Some(system);
    }
    let venv = root().join("target/second-reader");
    let python = venv.join("bin/python3");
    if !has_packages(&python) {
        let requirements = root().join("tests/interop/requirements.txt");
        let made = succeeds(&system, &["-m", "venv", &venv.to_string_lossy()])
            && succeeds(
                &python,
                &["-m", "pip", "install", "-q", "-r", &requirements.to_string_lossy()],
            );
        if !made || !has_packages(&python) {
            eprintln!(
                "SKIPPED: python3 has no cryptography and zstandard and pip cannot get them, so no second reader has judged the vectors"
            );
            return None;
        }
    }
    Some(python)
}

fn has_packages(python: &Path) -> bool {
    succeeds(python, &["-c", "import cryptography, zstandard"])
}

fn succeeds(program: &Path, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}
