//! Packs judged by a reader in another language, written from `schemas/spec` alone: it finds sound
//! what is sound, and says of each forgery that something is wrong.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::path::{Path, PathBuf};
use std::process::Command;

use xw_audit::pack::{FileName, Give, Scope};

#[path = "packs/forger.rs"]
mod forger;
#[path = "packs/world.rs"]
mod world;

use forger::forged;
use world::{COUNTY, TOWN, VILLAGE, World, division, node, of_records, space};

#[test]
fn a_second_reader_judges_packs_from_the_pages_alone() {
    let Some(python) = python() else { return };
    let mut world = World::founded();
    let home = space(VILLAGE);
    let first = world.write(VILLAGE, home, "第一件");
    world.witness(TOWN, home);
    world.edit(VILLAGE, first, "户口本");
    let second = world.write(VILLAGE, home, "第二件");
    world.witness(TOWN, home);
    world.witness(COUNTY, home);
    world.edit(TOWN, second, "照片");
    let network = world.holdings.roster().network().to_string();
    let judge = |name: &str, pack: &[u8]| -> (bool, serde_json::Value) {
        let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
        std::fs::write(&path, pack).unwrap();
        let reader = root().join("tests/interop/pack_reader.py");
        let output = Command::new(&python)
            .arg(reader)
            .arg(&path)
            .arg(&network)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let wailed = String::from_utf8_lossy(&output.stderr);
        let json = serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}\n{wailed}"));
        (output.status.success(), json)
    };
    let village = Scope::Division { division: division(VILLAGE) };
    let (written, whole) = world.export(village.clone(), Give::All);
    let (_, one) = world.export(of_records(&[first]), Give::All);
    let (_, sealed) = world.export(of_records(&[first, second]), Give::Nothing);
    let (sound, said) = judge("whole.zip", &whole);
    assert!(sound, "{said}");
    assert_eq!((said["bodies"].as_u64(), said["logs"].as_u64()), (Some(4), Some(3)));
    let (sound, said) = judge("one.zip", &one);
    assert!(sound, "{said}");
    assert!(said["proofs"].as_u64() >= Some(3), "{said}");
    let (sound, said) = judge("sealed.zip", &sealed);
    assert!(sound && said["bodies"] == 0, "{said}");

    let county = node(COUNTY);
    let bend = |wanted: fn(&FileName) -> bool| {
        move |name: FileName, mut content: Vec<u8>| {
            if wanted(&name) {
                let last = content.len() - 1;
                content[last] ^= 1;
            }
            Some(content)
        }
    };
    let drop = |wanted: fn(&FileName) -> bool| {
        move |name: FileName, content: Vec<u8>| (!wanted(&name)).then_some(content)
    };
    // One number of the statement, under a signature that holds.
    let mut lie = written.completeness.unwrap();
    lie.logs[0].in_period += 1;
    let lie = xw_audit::json::write(&lie);
    let told = |name: FileName, content: Vec<u8>| match name {
        FileName::Completeness => Some(lie.clone()),
        FileName::CompletenessSigned => Some(xw_audit::signed::sign(&lie, &county)),
        _ => Some(content),
    };
    let cases: [(&str, Vec<u8>); 10] = [
        ("lie", forged(&whole, &county, told, |_| {})),
        ("scope", forged(&one, &county, |_, content| Some(content), |m| m.scope = village.clone())),
        ("entry", forged(&whole, &county, bend(|n| matches!(n, FileName::Entries(..))), |_| {})),
        ("bodies", forged(&whole, &county, bend(|n| matches!(n, FileName::Bodies(_))), |_| {})),
        ("edition", forged(&whole, &county, bend(|n| matches!(n, FileName::Edition(_))), |_| {})),
        ("records", forged(&whole, &county, drop(|n| matches!(n, FileName::Records(_))), |_| {})),
        ("ends", forged(&whole, &county, |_, content| Some(content), |m| m.logs[0].tips.clear())),
        ("proof", forged(&one, &county, bend(|n| matches!(n, FileName::Inclusion(_))), |_| {})),
        ("growth", forged(&one, &county, drop(|n| matches!(n, FileName::Consistency(..))), |_| {})),
        ("statement", forged(&whole, &node(TOWN), |_, content| Some(content), |_| {})),
    ];
    for (name, pack) in &cases {
        let (sound, said) = judge(name, pack);
        assert!(!sound, "{name}: {said}");
    }
    let mut bent = whole;
    let middle = bent.len() / 2;
    bent[middle] ^= 1;
    assert!(!judge("bent.zip", &bent).0);
    world.fork(TOWN, home);
    let (_, forked) = world.export(Scope::Division { division: division(VILLAGE) }, Give::All);
    let (sound, said) = judge("forked.zip", &forked);
    assert!(!sound && said["findings"][0][0] == "fork", "{said}");
}

/// A Python that has the packages of `requirements.txt`: the system's, or one made under `target`.
fn python() -> Option<PathBuf> {
    let (system, venv) = (PathBuf::from("python3"), root().join("target/second-reader"));
    let python = venv.join("bin/python3");
    let found = [&system, &python].into_iter().find(|python| has_packages(python));
    if let Some(found) = found {
        return Some(found.clone());
    }
    let requirements = root().join("tests/interop/requirements.txt");
    let made = succeeds(&system, &["-m", "venv", &venv.to_string_lossy()])
        && succeeds(
            &python,
            &["-m", "pip", "install", "-q", "-r", &requirements.to_string_lossy()],
        );
    if made && has_packages(&python) {
        return Some(python);
    }
    eprintln!("SKIPPED: no python3 with cryptography, so no second reader has judged the packs");
    None
}

fn has_packages(python: &Path) -> bool {
    succeeds(python, &["-c", "import cryptography"])
}

fn succeeds(program: &Path, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}
