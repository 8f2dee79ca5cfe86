//! The program as an auditor runs it: its answers, its exit codes, and what it is not made of.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::path::PathBuf;
use std::process::{Command, Output};

use xw_audit::pack::{Give, Scope};

#[path = "../../audit/tests/packs/world.rs"]
mod world;

use world::{COUNTY, TOWN, VILLAGE, World, division, of_records, space};

fn verify(arguments: &[&str]) -> (Option<i32>, String) {
    let Output { status, stdout, stderr } =
        Command::new(env!("CARGO_BIN_EXE_xw-verify")).args(arguments).output().unwrap();
    let said = String::from_utf8_lossy(&stdout).into_owned() + &String::from_utf8_lossy(&stderr);
    (status.code(), said)
}

fn kept(name: &str, bytes: &[u8]) -> String {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(name);
    std::fs::write(&path, bytes).unwrap();
    path.to_string_lossy().into_owned()
}

#[test]
fn an_auditor_hears_in_chinese_whether_a_pack_is_sound() {
    let mut world = World::founded();
    let place = world.write(VILLAGE, space(VILLAGE), "第一件");
    world.witness(TOWN, space(VILLAGE));
    world.witness(COUNTY, space(VILLAGE));
    let (_, pack) = world.export(Scope::Division { division: division(VILLAGE) }, Give::All);
    let network = world.holdings.roster().network().to_string();
    let path = kept("sound.xwproof.zip", &pack);
    let (code, said) = verify(&[&path, "--network", &network]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("可信") && said.contains("只凭其自述"), "{said}");
    let town = kept("town.cose", &world.statement(TOWN, VILLAGE));
    let (code, said) = verify(&[&path, "--network", &network, "--statement", &town]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("没有遗漏（已逐项核验") && said.contains("1 个机构核对"), "{said}");
    // Of which county it is was not asked.
    let (code, said) = verify(&[&path]);
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("不能认定属于本县") && !said.contains("可信"), "{said}");
    let (code, said) = verify(&[&path, "--network", &"00".repeat(32)]);
    assert_eq!(code, Some(1));
    assert!(said.contains("不是所指县的证据包"), "{said}");
    let mut bent = pack;
    let at = bent.len() / 3;
    bent[at] ^= 1;
    let (code, said) = verify(&[&kept("bent.xwproof.zip", &bent)]);
    assert_eq!(code, Some(1), "{said}");

    let (_, sealed) = world.export(of_records(&[place]), Give::Nothing);
    let (_, open) = world.export(of_records(&[place]), Give::All);
    let path = kept("sealed.xwproof.zip", &sealed);
    let entry = world.holdings.of(&place).next().unwrap().id();
    let id = entry.to_string();
    // A body on its own, among a pack's, in a pack.
    let mut archive = xw_audit::archive::Archive::open(std::io::Cursor::new(&open)).unwrap();
    let bodies = archive.read("records/000001.bodies").unwrap();
    let single = kept("one.body", world.holdings.body(&entry).unwrap().bytes());
    for body in [single, kept("some.bodies", &bodies), kept("open.xwproof.zip", &open)] {
        let asked = ["--body", &body, "--entry", &id, "--json", "--network", &network];
        let (code, said) = verify(&[&[&*path], &asked[..]].concat());
        assert_eq!(code, Some(0), "{said}");
        let json: serde_json::Value = serde_json::from_str(&said).unwrap();
        assert_eq!(json["proven"][0]["entry"], entry.to_string());
        assert_eq!(json["entries"][0]["standing"], "final");
        assert_eq!(json["counts"]["sealed"], 1);
    }
    let assessed = world.holdings.assess();
    let page = xw_audit::receipt::receipt_page(&world.holdings, &assessed, &entry).unwrap();
    let page = kept("receipt.html", page.as_bytes());
    let (code, said) = verify(&[&path, "--network", &network, "--receipt", &page]);
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("回执属于本包") && said.contains("请与纸面逐项核对"), "{said}");
}

#[test]
#[cfg(unix)]
fn a_path_need_not_be_text() {
    use std::os::unix::ffi::OsStrExt as _;
    let path = std::ffi::OsStr::from_bytes(b"/nowhere/\xff.zip");
    let output = Command::new(env!("CARGO_BIN_EXE_xw-verify")).arg(path).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("cannot open"));
}

#[test]
fn what_cannot_be_read_is_told_apart() {
    let (code, said) = verify(&["/nowhere/at/all.zip"]);
    assert_eq!(code, Some(2));
    assert!(said.contains("无法打开") && said.contains("cannot open"), "{said}");
    assert_eq!(verify(&[&kept("none.zip", b"nothing")]).0, Some(2));
    assert_eq!(verify(&[]).0, Some(2));
    assert_eq!(verify(&["--help"]).0, Some(0));
}

/// An auditor builds this program alone and must not have to trust a network stack for it.
#[test]
fn no_network_database_or_runtime_is_in_the_dependency_tree() {
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "-p", "xw-verifier", "-e", "normal,build", "--prefix", "none", "--locked"])
        .arg("--offline")
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let tree = String::from_utf8_lossy(&tree.stdout).into_owned();
    let names: Vec<&str> = tree.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(names.contains(&"xw-ledger") && names.contains(&"ed25519-dalek"), "{tree}");
    let ours: Vec<&&str> = names.iter().filter(|name| name.starts_with("xw-")).collect();
    let allowed = ["xw-verifier", "xw-audit", "xw-ledger", "xw-schemas"];
    assert!(ours.iter().all(|name| allowed.contains(name)), "{ours:?}");
    for banned in [
        "libp2p",
        "tokio",
        "rusqlite",
        "libsqlite3-sys",
        "axum",
        "hyper",
        "reqwest",
        "ureq",
        "rustls",
        "openssl",
        "openssl-sys",
        "socket2",
        "mio",
        "async-std",
        "quinn",
        "futures",
    ] {
        let found = names.iter().any(|name| *name == banned || name.starts_with("libp2p"));
        assert!(!found, "{banned} is in the verifier's tree");
    }
}
