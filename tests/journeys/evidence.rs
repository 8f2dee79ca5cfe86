//! What an auditor gets from a real county, judged by the real verifier: sound as it was written, and
//! found to be changed wherever it was changed.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use serde_json::Value as Json;
use xw_audit::archive::{Archive, ArchiveWriter};
use xw_audit::pack::{entries_file, read_entries};

use crate::clones::{
    COUNTY, TOWNSHIP, VILLAGE, World, everything_is_witnessed, items, register, register_offline,
};
use crate::nodes::process::Node;
use crate::program;

/// The verifier's exit codes.
const SOUND: i32 = 0;
const FINDINGS: i32 = 1;
const CANNOT: i32 = 2;
const CONSISTENT: i32 = 3;

#[test]
fn what_an_office_gives_an_auditor_is_sound_and_every_change_to_it_is_found() {
    let world = World::new("evidence");
    let (mut county, mut township, mut village) = world.nodes();
    world.start(&mut county, COUNTY);
    world.start(&mut township, TOWNSHIP);
    world.start(&mut village, VILLAGE);
    let records: Vec<String> =
        ["审计甲", "审计乙", "审计丙"].map(|title| register(&village, title).to_string()).into();
    everything_is_witnessed(&village);
    let all_final = |status: &Json| status["county"] == 3 && status["only_here"] == 0;
    village.wait(&["status"], "the county's witness", all_final);
    township.wait(&["status"], "the county's witness", all_final);
    let code = &*world.county.offices[VILLAGE].division.to_string();
    let out = |name: &str| world.dir.join(format!("{name}.xwproof.zip"));

    let network = village.told(&["status"])["network"].as_str().expect("an id").to_owned();
    let judge =
        |pack: &Path, more: &[&str]| verify(pack, &[&["--network", &network], more].concat());

    // A record, a list, a village, a period.
    let packs = [
        ("record", vec!["--record", &records[0]]),
        ("list", vec!["--records", "--type", "SVC", "--text", "审计乙"]),
        ("village", vec!["--division", code]),
        ("period", vec!["--division", code, "--from", "2026-01-01", "--to", "2099-01-01"]),
    ];
    for (name, scope) in &packs {
        let told = export(&village, &out(name), scope);
        assert!(told["entries"].as_u64() >= Some(3), "{told}");
        let (code, report) = judge(&out(name), &[]);
        assert_eq!((code, &report["verdict"]), (SOUND, &"sound".into()), "{name}: {report}");
        let plain = text_of(&out(name), "records/000001.json");
        assert!(plain.contains("张三") && plain.contains("县已见证"), "{name}: {plain}");
        assert!(text_of(&out(name), "摘要.html").contains("审计"), "{name}");
    }
    assert_eq!(export(&township, &out("list of the township"), &packs[1].1)["records"], 1);
    let (code_of, said) = village.ask(&["audit", "export", "--out", &shown(&out("nothing"))]);
    assert_eq!((code_of, &said["error"]["code"]), (2, &"usage".into()), "{said}");

    // Changed anywhere, it is found.
    for (name, part) in [
        ("record", "entries/"),
        ("record", "records/000001.json"),
        ("record", "records/000001.bodies"),
        ("record", "proofs/"),
        ("village", "completeness.json"),
        ("village", "摘要.html"),
    ] {
        let bent = bend(&out(name), part);
        let (code, report) = judge(&bent, &[]);
        assert_eq!((code, &report["verdict"]), (FINDINGS, &"findings".into()), "{part}: {report}");
        assert!(has_chinese_finding(&report), "{part}: {report}");
    }
    // Without the edition that founds the county there is nothing by which to judge, and it says so.
    let (code_of, said) = judge(&bend(&out("record"), "roster/000001.edition"), &[]);
    assert!(code_of == CANNOT && said.to_string().contains("创始"), "{said}");
    let dropped = drop_last_entry(&out("village"));
    let (code_of, report) = judge(&dropped, &[]);
    assert_eq!(code_of, FINDINGS, "{report}");
    assert!(has_chinese_finding(&report), "{report}");

    // Who may not have the bodies exports what can be proven without them, and a body that comes by
    // another way proves itself.
    for (node, name) in [(&county, "county"), (&village, "without bodies")] {
        let sealed = out(name);
        let words = ["--record", &records[0], "--without-bodies"];
        export(node, &sealed, &words);
        let (code, report) = judge(&sealed, &[]);
        assert_eq!(code, SOUND, "{report}");
        let names = names_of(&sealed);
        assert!(!names.iter().any(|name| name.ends_with(".bodies")), "{names:?}");
        assert!(!text_of(&sealed, "records/000001.json").contains("张三"));
        assert!(!text_of(&sealed, "摘要.html").contains("张三"));
        let body = first_body(&out("record"), &world.dir.join("body"));
        let (code, report) = judge(&sealed, &["--body", &shown(&body)]);
        assert_eq!(code, SOUND, "{report}");
        let other = world.dir.join("other body");
        std::fs::write(&other, [7; 64]).expect("a file");
        let (code, report) = judge(&sealed, &["--body", &shown(&other)]);
        assert_eq!(code, FINDINGS, "{report}");
    }

    // The statement of completeness, and the citizen's page.
    let statement = world.dir.join("statement.json");
    let words = ["audit", "completeness", "--division", code, "--out", &shown(&statement)];
    let (code_of, said) = township.ask(&words);
    assert_eq!((code_of, &said["complete"]), (0, &true.into()), "{said}");
    let name = &*world.county.offices[VILLAGE].name;
    let log = items(&said["statement"], "logs").iter().find(|log| log["office"] == name);
    let log = log.expect("the village's log");
    assert!(log["to"].as_u64() >= Some(3) && log["county"].is_object(), "{said}");
    let signed = shown(&statement.with_extension("cose"));
    export(&village, &out("village again"), &packs[2].1);
    let (code_of, report) = judge(&out("village again"), &["--statement", &signed]);
    assert_eq!(code_of, SOUND, "{report}");
    assert_eq!(report["completeness"]["resting_on"]["offices"]["count"], 1, "{report}");
    // Offices compare among themselves, and an old pack is seen to be one.
    let words = ["audit", "completeness", "--division", code, "--with", &signed];
    let (code_of, said) = village.ask(&words);
    assert_eq!(
        (code_of, &said["offices"], &said["differs"]),
        (0, &1.into(), &false.into()),
        "{said}"
    );
    // Whoever does not know of which county it is hears no more than that it is consistent.
    let (code_of, report) = verify(&out("village again"), &[]);
    assert_eq!((code_of, &report["verdict"]), (CONSISTENT, &"consistent".into()), "{report}");
    // Of its county it cannot say so: nobody has heard of the other villages.
    let (code_of, said) = township.ask(&["audit", "completeness"]);
    assert_eq!((code_of, &said["complete"]), (1, &false.into()), "{said}");
    assert!(said["statement"]["reasons"].to_string().contains("从未"), "{said}");

    let page = world.dir.join("receipt.html");
    let told = village.told(&["audit", "receipt", &records[0], "--out", &shown(&page)]);
    let html = std::fs::read_to_string(&page).expect("a page");
    assert!(html.contains("<svg") && html.contains("登记回执") && !html.contains("张三"));
    let text = told["text"].as_str().expect("a text");
    let (code_of, report) = judge(&out("village"), &["--receipt", text]);
    assert_eq!(code_of, SOUND, "{report}");
    assert_eq!(report["receipts"][0]["told"]["office"], *name, "{report}");
    let (code_of, report) = judge(&out("village"), &["--receipt", &shown(&page)]);
    assert_eq!(code_of, SOUND, "{report}");
    let wrong = text.replacen(":1:", ":2:", 1);
    assert_ne!(wrong, text);
    assert_eq!(judge(&out("village"), &["--receipt", &wrong]).0, FINDINGS);

    let late = township.told(&["audit", "late", "--division", code]);
    assert_eq!((&late["checked"], items(&late, "entries").len()), (&3.into(), 0), "{late}");

    // With everybody signed out an auditor still gets what nobody needs to sign in for.
    village.told(&["lock"]);
    let words = ["audit", "export", "--record", &records[1], "--out", &shown(&out("locked"))];
    assert_eq!(village.ask(&words).1["error"]["code"], "locked");
    let words = [&words[..], &["--without-bodies"]].concat();
    village.told(&words);
    assert_eq!(judge(&out("locked"), &[]).0, SOUND);

    // Without a line, what the village writes is in its pack and stands as not witnessed.
    village.stop();
    register_offline(&world, &village, "断网以后");
    let (clerk, typed) = world.clerk(VILLAGE);
    let offline = out("offline");
    let words = ["audit", "export", "--division", code, "--out", &shown(&offline)];
    let words = [&["--passphrase-from-stdin", "--as", &clerk], &words[..]].concat();
    assert_eq!(village.say(&words, &typed).0, 0);
    let (code_of, report) = judge(&offline, &[]);
    assert_eq!(code_of, SOUND, "{report}");
    // One statement more, and the pack from before is seen to end too early.
    let later = world.dir.join("later.cose");
    let words = ["audit", "completeness", "--division", code, "--out", &shown(&later)];
    let words = [&["--passphrase-from-stdin", "--as", &clerk], &words[..]].concat();
    village.say(&words, &typed);
    let (code_of, report) = judge(&out("village"), &["--statement", &shown(&later)]);
    assert_eq!(code_of, FINDINGS, "{report}");
    assert!(report["findings"].to_string().contains("heads-beyond"), "{report}");
    assert!(text_of(&offline, "records/000001.json").contains("尚未见证"));
    world.end();
}

/// Has a pack judged by the reader in another language and by the verifier; both must find it sound.
/// Without a Python that has what the reader needs, only the latter.
pub(crate) fn both_readers_find_sound(pack: &Path, network: &str) {
    let (code, report) = verify(pack, &["--network", network]);
    assert_eq!((code, &report["verdict"]), (SOUND, &"sound".into()), "{report}");
    let python = Command::new("python3").args(["-c", "import cryptography"]).output();
    if !python.is_ok_and(|output| output.status.success()) {
        eprintln!("SKIPPED: no python3 with cryptography, so no second reader has judged the pack");
        return;
    }
    let reader = concat!(env!("CARGO_MANIFEST_DIR"), "/interop/pack_reader.py");
    let output = Command::new("python3")
        .args([reader, &shown(pack), network])
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("it runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

fn export(node: &Node, out: &Path, scope: &[&str]) -> Json {
    node.told(&[&["audit", "export", "--out", &shown(out)], scope].concat())
}

fn shown(path: &Path) -> String {
    path.display().to_string()
}

fn verify(pack: &Path, more: &[&str]) -> (i32, Json) {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let mut command =
        Command::new(BUILT.get_or_init(|| program::built("xw-verifier", "xw-verify")));
    let output = command.arg(pack).arg("--json").args(more).output().expect("it runs");
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let json = serde_json::from_slice(&output.stdout).unwrap_or(Json::String(said));
    (output.status.code().unwrap_or(-1), json)
}

fn has_chinese_finding(report: &Json) -> bool {
    let han = |c: char| ('\u{4e00}'..='\u{9fff}').contains(&c);
    let findings = items(report, "findings");
    findings.iter().any(|one| one["zh"].as_str().is_some_and(|zh| zh.chars().any(han)))
}

/// All files of a pack, in their order.
fn files_of(pack: &Path) -> Vec<(String, Vec<u8>)> {
    let file = std::fs::File::open(pack).expect("a pack");
    let mut archive = Archive::open(file).expect("an archive");
    let mut names: Vec<String> = archive.names().map(str::to_owned).collect();
    names.sort_by_key(|name| (name.starts_with("manifest."), name.clone()));
    names
        .into_iter()
        .map(|name| {
            let bytes = archive.read(&name).expect("a file in it");
            (name, bytes)
        })
        .collect()
}

fn names_of(pack: &Path) -> Vec<String> {
    files_of(pack).into_iter().map(|(name, _)| name).collect()
}

fn text_of(pack: &Path, name: &str) -> String {
    let files = files_of(pack);
    let found = files.into_iter().find(|(at, _)| at == name).expect("it is in the pack");
    String::from_utf8(found.1).expect("a text")
}

fn write(files: &[(String, Vec<u8>)], to: &Path) {
    let file = std::fs::File::create(to).expect("a file");
    let mut writer = ArchiveWriter::new(file);
    for (name, bytes) in files {
        writer.add(name, bytes).expect("room");
    }
    writer.finish().expect("it ends");
}

/// The pack with one byte changed in the middle of a file whose name begins so.
fn bend(pack: &Path, part: &str) -> PathBuf {
    let mut files = files_of(pack);
    let found = files.iter_mut().find(|(name, _)| name.starts_with(part)).expect(part);
    let middle = found.1.len() / 2;
    found.1[middle] ^= 1;
    let bent = pack.with_extension("bent");
    write(&files, &bent);
    bent
}

/// The pack without the last entry of its longest log.
fn drop_last_entry(pack: &Path) -> PathBuf {
    let mut files = files_of(pack);
    let logs = files.iter_mut().filter(|(name, _)| name.starts_with("entries/"));
    let longest = logs.max_by_key(|(_, bytes)| bytes.len()).expect("a log");
    let mut envelopes = read_entries(&longest.1).expect("entries");
    envelopes.pop();
    longest.1 = entries_file(&envelopes);
    let dropped = pack.with_extension("dropped");
    write(&files, &dropped);
    dropped
}

fn first_body(pack: &Path, to: &Path) -> PathBuf {
    let files = files_of(pack);
    let bodies = files.iter().find(|(name, _)| name.ends_with(".bodies")).expect("bodies");
    let bodies = xw_audit::pack::read_bodies(&bodies.1).expect("bodies");
    std::fs::write(to, bodies[0].1).expect("a file");
    to.to_owned()
}
