//! Packs written from a small county and judged by a stranger: sound ones, bent ones, cut ones.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::io::Cursor;

use xw_audit::archive::{Archive, ArchiveWriter};
use xw_audit::judge::{Checking, Report, Severity, Unreadable, Verdict, judge_pack};
use xw_audit::pack::{FileName, Give, Scope};
use xw_audit::receipt::{receipt, receipt_page};
use xw_audit::spread::one_by_one;
use xw_schemas::id::NetworkId;
use xw_schemas::record::Level;

#[path = "packs/forger.rs"]
mod forger;
#[path = "packs/statements.rs"]
mod statements;
#[path = "packs/world.rs"]
mod world;

use forger::forged;

use world::{COUNTY, OTHER, TOWN, VILLAGE, World, division, node, of_records, space};

fn checking(network: NetworkId) -> Checking<'static> {
    let (bodies, receipts) = (Vec::new(), Vec::new());
    let (statements, entries) = (Vec::new(), Vec::new());
    let (network, roster, spread) = (Some(network), None, &one_by_one);
    Checking { network, roster, bodies, receipts, statements, entries, spread }
}

fn judged(world: &World, pack: &[u8]) -> Report {
    judge_pack(Cursor::new(pack), &checking(world.holdings.roster().network())).unwrap()
}

fn codes(report: &Report) -> Vec<&'static str> {
    let grave = report.findings.iter().filter(|finding| finding.severity > Severity::Note);
    grave.map(|finding| finding.code).collect()
}

/// Two records of a village, one taken further by the township, all witnessed by both; a third that
/// nobody has witnessed yet.
fn county() -> (World, Vec<(xw_schemas::space::Space, xw_schemas::id::RecordId)>) {
    let mut world = World::founded();
    let home = space(VILLAGE);
    let first = world.write(VILLAGE, home, "第一件");
    world.witness(TOWN, home);
    let second = world.write(VILLAGE, home, "第二件 <b>&</b>");
    world.edit(VILLAGE, first, "户口本");
    world.witness(TOWN, home);
    world.witness(COUNTY, home);
    world.edit(TOWN, second, "照片");
    world.witness(COUNTY, home);
    let third = world.write(VILLAGE, home, "第三件");
    world.write(OTHER, space(OTHER), "邻村");
    (world, vec![first, second, third])
}

/// The files of a pack, changed, under a manifest that still says what it said.
fn repacked(pack: &[u8], change: impl Fn(&str, &mut Vec<u8>) -> bool) -> Vec<u8> {
    let mut archive = Archive::open(Cursor::new(pack)).unwrap();
    let mut names: Vec<String> = archive.names().map(str::to_owned).collect();
    names.sort_by_key(|name| (name.starts_with("manifest."), name.clone()));
    let mut out = Vec::new();
    let mut writer = ArchiveWriter::new(&mut out);
    for name in names {
        let mut content = archive.read(&name).unwrap();
        if change(&name, &mut content) {
            writer.add(&name, &content).unwrap();
        }
    }
    writer.finish().unwrap();
    out
}

#[test]
fn a_village_is_exported_whole_and_judged_sound_and_complete() {
    let (world, _) = county();
    let (written, pack) = world.export(Scope::Division { division: division(VILLAGE) }, Give::All);
    let report = judged(&world, &pack);
    assert!(report.is_sound(), "{}", report.text());
    assert_eq!((report.counts.records, report.counts.sealed, report.counts.bodies), (3, 0, 5));
    assert_eq!(report.counts.files, written.manifest.files.len() as u64);
    let complete = report.completeness.unwrap();
    assert!(complete.checked && complete.complete, "{:?}", complete.reasons_en);
    assert_eq!(complete.up_to_ms, Some(world.now_ms));
}

#[test]
fn the_same_holdings_make_the_same_pack() {
    let (world, _) = county();
    let scope = Scope::Division { division: division(VILLAGE) };
    assert_eq!(world.export(scope.clone(), Give::All).1, world.export(scope, Give::All).1);
}

#[test]
fn one_record_is_exported_as_an_extract_that_proves_itself() {
    let (world, places) = county();
    let (written, pack) = world.export(of_records(&places[..1]), Give::All);
    assert!(!written.manifest.spaces[0].whole);
    let report = judged(&world, &pack);
    assert!(report.is_sound(), "{}", report.text());
    assert_eq!((report.counts.records, report.counts.unwitnessed), (1, 0));
    // Two changes, each with a proof, and the checkpoints between.
    assert!(report.counts.proofs >= 3, "{}", report.counts.proofs);
    let whole = world.export(Scope::Division { division: division(VILLAGE) }, Give::All).1;
    assert!(pack.len() < whole.len());
}

#[test]
fn an_extract_and_the_whole_tell_a_record_alike() {
    let (world, places) = county();
    let told = |scope| {
        let (_, pack) = world.export(scope, Give::All);
        let mut archive = Archive::open(Cursor::new(pack)).unwrap();
        let records: Vec<serde_json::Value> =
            serde_json::from_slice(&archive.read("records/000001.json").unwrap()).unwrap();
        records
    };
    let whole = told(Scope::Division { division: division(VILLAGE) });
    assert_eq!(told(of_records(&places)), whole);
    assert_eq!(whole[0]["fields"].as_array().unwrap().len(), 27);
}

#[test]
fn a_case_list_of_two_villages_has_no_statement_and_is_sound() {
    let (mut world, mut places) = county();
    places.push(world.write(OTHER, space(OTHER), "又一件"));
    let (written, pack) = world.export(of_records(&places), Give::All);
    assert_eq!(written.completeness, None);
    let report = judged(&world, &pack);
    assert!(report.is_sound(), "{}", report.text());
    assert_eq!(report.counts.records, 4);
}

#[test]
fn a_period_has_the_records_touched_in_it() {
    let (world, places) = county();
    let third = world.holdings.of(&places[2]).next().unwrap().core().claimed_time_ms;
    let scope = Scope::Period { division: division(VILLAGE), from_ms: third, to_ms: third + 1 };
    let (written, pack) = world.export(scope, Give::All);
    assert_eq!(written.manifest.records, 1);
    let report = judged(&world, &pack);
    assert!(report.is_sound(), "{}", report.text());
}

#[test]
fn a_sealed_pack_verifies_and_a_body_brought_later_is_proven() {
    let (world, places) = county();
    let (_, pack) = world.export(of_records(&places[..1]), Give::Nothing);
    let network = world.holdings.roster().network();
    let report = judged(&world, &pack);
    assert!(report.is_sound(), "{}", report.text());
    assert_eq!((report.counts.sealed, report.counts.bodies), (1, 0));
    let text = "第一件".as_bytes();
    assert!(!pack.windows(text.len()).any(|window| window == text));
    let bodies: Vec<Vec<u8>> = world
        .holdings
        .of(&places[0])
        .map(|entry| world.holdings.body(&entry.id()).unwrap().bytes().to_vec())
        .collect();
    let report = judge_pack(
        Cursor::new(&pack),
        &Checking { bodies: vec![bodies.clone()], ..checking(network) },
    );
    let report = report.unwrap();
    assert!(report.is_sound(), "{}", report.text());
    assert_eq!(report.proven.len(), 2);
    assert!(report.opened[0]["fields"].to_string().contains("第一件"));
    let mut bent = bodies[0].clone();
    bent[20] ^= 1;
    let report =
        judge_pack(Cursor::new(&pack), &Checking { bodies: vec![vec![bent]], ..checking(network) });
    assert_eq!(codes(&report.unwrap()), ["body-unknown"]);
}

#[test]
fn a_level_gets_the_bodies_that_it_may_read() {
    let (world, places) = county();
    let scope = of_records(&places);
    let sealed = |level| {
        let (_, pack) = world.export(scope.clone(), Give::Level(level));
        let report = judged(&world, &pack);
        assert!(report.is_sound(), "{}", report.text());
        (report.counts.sealed, report.counts.bodies)
    };
    // Service cases are no business of the county's.
    assert_eq!(sealed(Level::C), (3, 0));
    assert_eq!(sealed(Level::T), (0, 5));
}

#[test]
fn what_two_persons_had_removed_goes_out_as_a_tombstone() {
    let (mut world, places) = county();
    world.erase(VILLAGE, places[0]);
    let (_, before) = world.export(of_records(&places[..1]), Give::All);
    assert_eq!(judged(&world, &before).counts.bodies, 2);
    world.erase(TOWN, places[0]);
    let (_, before) = world.export(of_records(&places[..1]), Give::All);
    assert_eq!(judged(&world, &before).counts.bodies, 2);
    world.witness(COUNTY, places[0].0);
    for scope in [of_records(&places[..1]), Scope::Division { division: division(VILLAGE) }] {
        let (_, pack) = world.export(scope, Give::All);
        let text = "第一件".as_bytes();
        assert!(!pack.windows(text.len()).any(|window| window == text));
        let report = judged(&world, &pack);
        assert!(report.is_sound(), "{}", report.text());
        let mut archive = Archive::open(Cursor::new(&pack)).unwrap();
        let told: serde_json::Value =
            serde_json::from_slice(&archive.read("records/000001.json").unwrap()).unwrap();
        assert_eq!(told[0]["erased"]["ground"], 3);
        assert_eq!(told[0]["erased"]["people_zh"], serde_json::json!(["王秀兰2", "王秀兰1"]));
    }
}

#[test]
fn a_pack_of_another_county_is_seen() {
    let (world, places) = county();
    let (_, pack) = world.export(of_records(&places[..1]), Give::All);
    let report = judge_pack(Cursor::new(&pack), &checking(NetworkId([9; 32]))).unwrap();
    assert_eq!(codes(&report), ["other-network"]);
    let unnamed = Checking { network: None, ..checking(NetworkId([9; 32])) };
    let report = judge_pack(Cursor::new(&pack), &unnamed).unwrap();
    assert_eq!(report.verdict, Verdict::Consistent);
    assert_eq!(report.findings[0].code, "network-not-compared");
}

#[test]
fn every_file_that_is_changed_or_dropped_is_found() {
    let (world, places) = county();
    for scope in [of_records(&places[..1]), Scope::Division { division: division(VILLAGE) }] {
        let (_, pack) = world.export(scope, Give::All);
        let archive = Archive::open(Cursor::new(&pack)).unwrap();
        let names: Vec<String> = archive.names().map(str::to_owned).collect();
        for name in &names {
            let bent = repacked(&pack, |other, content| {
                if other == name {
                    let middle = content.len() / 2;
                    content[middle] ^= 1;
                }
                true
            });
            let found =
                judge_pack(Cursor::new(&bent), &checking(world.holdings.roster().network()));
            assert!(found.as_ref().map_or(true, |report| !report.is_sound()), "{name} bent");
            let dropped = repacked(&pack, |other, _| other != name);
            let found =
                judge_pack(Cursor::new(&dropped), &checking(world.holdings.roster().network()));
            assert!(found.as_ref().map_or(true, |report| !report.is_sound()), "{name} dropped");
        }
        let more = repacked(&pack, |name, _| name != "nothing");
        assert!(judged(&world, &more).is_sound());
    }
}

#[test]
fn a_forked_log_goes_into_the_pack_whole_and_both_entries_are_named() {
    let (mut world, places) = county();
    let (_, twin) = world.fork(VILLAGE, space(VILLAGE));
    let (written, pack) = world.export(of_records(&places[..1]), Give::All);
    assert!(written.manifest.spaces[0].whole);
    let report = judged(&world, &pack);
    assert_eq!(codes(&report), ["fork"]);
    let statement = written.completeness.unwrap();
    assert!(!statement.complete);
    assert!(statement.reasons.iter().any(|reason| reason.code == "fork"));
    assert!(statement.logs.iter().any(|log| log.forks.iter().any(|(_, ids)| ids.contains(&twin))));
}

#[test]
fn a_revoked_author_is_judged_by_the_roster_in_the_pack() {
    let (world, places) = county();
    let log = world.logs[&(VILLAGE, space(VILLAGE))];
    let kept = world.holdings.logs().log(&log).unwrap().at(1).unwrap();
    let world = world.decree(vec![xw_schemas::edition::Fact::Cut {
        key: node(VILLAGE).public(),
        kept: vec![(log, 1, kept)],
    }]);
    let (written, pack) = world.export(of_records(&places), Give::All);
    assert!(written.manifest.spaces[0].whole);
    let report = judged(&world, &pack);
    assert!(report.is_sound(), "{}", report.text());
    assert!(report.findings.iter().any(|finding| finding.code == "author-revoked"));
    assert!(report.findings.iter().any(|finding| finding.code == "entry-refused"));
}

#[test]
fn a_receipt_on_paper_is_held_against_packs() {
    let (world, places) = county();
    let entry = world.holdings.of(&places[0]).next().unwrap().id();
    let assessed = world.holdings.assess();
    let made = receipt(&world.holdings, &assessed, &entry).unwrap();
    let page = receipt_page(&world.holdings, &assessed, &entry).unwrap();
    assert!(page.contains("<svg") && page.contains("柳河村") && !page.contains("第一件"));
    let network = world.holdings.roster().network();
    let judge = |pack: &[u8], text: String| {
        let checking = Checking { receipts: vec![text], ..checking(network) };
        judge_pack(Cursor::new(pack), &checking).unwrap()
    };
    let (_, one) = world.export(of_records(&places[..1]), Give::Nothing);
    let (_, whole) = world.export(Scope::Division { division: division(VILLAGE) }, Give::Nothing);
    for pack in [&one, &whole] {
        let report = judge(pack, made.text());
        assert!(report.is_sound() && report.receipts[0].belongs, "{}", report.text());
        let mut other = made.clone();
        other.root[0] ^= 1;
        assert_eq!(codes(&judge(pack, other.text())), ["receipt-wrong"]);
        other = made.clone();
        other.proof[0] ^= 1;
        assert_eq!(codes(&judge(pack, other.text())), ["receipt-wrong"]);
    }
    let (_, another) = world.export(of_records(&places[1..2]), Give::Nothing);
    assert_eq!(codes(&judge(&another, made.text())), ["receipt-wrong"]);
    let report = judge(&whole, page);
    assert!(report.is_sound() && report.receipts[0].belongs, "{}", report.text());
    let third = world.holdings.of(&places[2]).next().unwrap().id();
    let refused = receipt(&world.holdings, &assessed, &third);
    assert_eq!(refused, Err(xw_audit::receipt::ReceiptError::NotWitnessed));
}

#[test]
fn bytes_that_are_no_pack_are_told_apart_from_unsound_ones() {
    let (world, places) = county();
    let (_, pack) = world.export(of_records(&places[..1]), Give::All);
    let network = world.holdings.roster().network();
    for bytes in [&b""[..], &b"PK"[..], &pack[..pack.len() / 2], &[0; 100]] {
        let judged = judge_pack(Cursor::new(bytes), &checking(network));
        assert!(matches!(judged, Err(Unreadable::Archive(_))));
    }
    let without = repacked(&pack, |name, _| name != "manifest.json");
    assert_eq!(judge_pack(Cursor::new(without), &checking(network)), Err(Unreadable::Manifest));
}

#[test]
fn a_forger_who_lists_and_signs_anew_is_found_by_what_the_files_say() {
    let (world, places) = county();
    let county = node(COUNTY);
    let (_, whole) = world.export(Scope::Division { division: division(VILLAGE) }, Give::All);
    let (_, one) = world.export(of_records(&places[..1]), Give::All);
    let found = |pack: &[u8], change: &dyn Fn(FileName, Vec<u8>) -> Option<Vec<u8>>| {
        codes(&judged(&world, &forged(pack, &county, change, |_| {})))
    };
    assert!(found(&whole, &|_, content| Some(content)).is_empty());
    let instead = |content: &[u8], old: &str, new: &str| {
        let text = String::from_utf8(content.to_vec()).unwrap();
        assert!(text.contains(old), "{old}");
        text.replace(old, new).into_bytes()
    };
    // Another value in what is told of a record.
    let told = |name: FileName, content: Vec<u8>| match name {
        FileName::Records(_) => Some(instead(&content, "第一件", "另一件")),
        _ => Some(content),
    };
    assert_eq!(found(&whole, &told), ["record-differs"]);
    assert_eq!(found(&one, &told), ["record-differs"]);
    // A record that is not told.
    let untold = |name: FileName, content: Vec<u8>| match name {
        FileName::Records(_) => {
            let mut records: Vec<serde_json::Value> = serde_json::from_slice(&content).unwrap();
            records.remove(0);
            Some(xw_audit::json::write(&records))
        }
        _ => Some(content),
    };
    let codes = found(&whole, &untold);
    assert!(codes.contains(&"record-missing") && codes.contains(&"body-mismatch"), "{codes:?}");
    // A body with another word in it.
    let body = |name: FileName, mut content: Vec<u8>| {
        if matches!(name, FileName::Bodies(_)) {
            let last = content.len() - 1;
            content[last] ^= 1;
        }
        Some(content)
    };
    let codes = found(&whole, &body);
    assert!(codes.contains(&"body-mismatch") && codes.contains(&"record-differs"), "{codes:?}");
    // A page that says otherwise than the records.
    let page = |name: FileName, content: Vec<u8>| match name {
        FileName::Summary => Some(instead(&content, "第二件", "另一件")),
        _ => Some(content),
    };
    assert_eq!(found(&whole, &page), ["summary-differs"]);
    // A signature's last byte, a proof's hash, a proof that is not there.
    let envelope = |name: FileName, mut content: Vec<u8>| {
        if matches!(name, FileName::Entries(..)) {
            let last = content.len() - 1;
            content[last] ^= 1;
        }
        Some(content)
    };
    assert!(found(&whole, &envelope).contains(&"entry-forged"));
    let path = |name: FileName, content: Vec<u8>| match name {
        FileName::Inclusion(_) => {
            let text = String::from_utf8(content).unwrap();
            let line = text.lines().nth(2).unwrap().to_owned();
            let other = line.replacen(&line[..1], if line.starts_with('A') { "B" } else { "A" }, 1);
            Some(text.replacen(&line, &other, 1).into_bytes())
        }
        _ => Some(content),
    };
    assert!(found(&one, &path).contains(&"proof-wrong"));
    for dropped in [
        |name: &FileName| matches!(name, FileName::Inclusion(_)),
        |name: &FileName| matches!(name, FileName::Consistency(..)),
    ] {
        let codes = found(&one, &|name, content| (!dropped(&name)).then_some(content));
        assert!(codes.contains(&"proof-missing"), "{codes:?}");
    }
}

#[test]
fn an_entry_that_a_witness_knows_cannot_be_left_out() {
    let (world, _) = county();
    let county = node(COUNTY);
    let (_, whole) = world.export(Scope::Division { division: division(VILLAGE) }, Give::All);
    let log = world.logs[&(VILLAGE, space(VILLAGE))];
    // The forger's own log ends before the entries that he regrets, and everything says so.
    let kept = world.holdings.logs().log(&log).unwrap().at(1).unwrap();
    let shorten = |name: FileName, content: Vec<u8>| match name {
        FileName::Entries(of, _) if of == log => {
            let envelopes = xw_audit::pack::read_entries(&content).unwrap();
            Some(xw_audit::pack::entries_file(&envelopes[..2]))
        }
        _ => Some(content),
    };
    let pack = forged(&whole, &county, shorten, |manifest| {
        let listed = manifest.logs.iter_mut().find(|listed| listed.log == log).unwrap();
        (listed.entries, listed.tips) = (2, vec![(1, kept)]);
    });
    let codes = codes(&judged(&world, &pack));
    assert!(codes.contains(&"pinned-missing"), "{codes:?}");
    assert!(codes.contains(&"statement-differs"), "{codes:?}");
}

#[test]
fn a_statement_that_says_complete_where_it_is_not_is_found() {
    let (mut world, _) = county();
    world.fork(VILLAGE, space(VILLAGE));
    let county = node(COUNTY);
    let (written, pack) =
        world.export(Scope::Division { division: division(VILLAGE) }, Give::Nothing);
    let mut lie = written.completeness.unwrap();
    assert!(!lie.complete);
    lie.reasons.clear();
    (lie.complete, lie.complete_up_to_ms) = (true, Some(world.now_ms));
    let lie = xw_audit::json::write(&lie);
    let change = |name: FileName, content: Vec<u8>| match name {
        FileName::Completeness => Some(lie.clone()),
        FileName::CompletenessSigned => Some(xw_audit::signed::sign(&lie, &county)),
        _ => Some(content),
    };
    let report = judged(&world, &forged(&pack, &county, change, |_| {}));
    assert!(codes(&report).contains(&"statement-differs"));
    assert!(!report.text().contains("没有遗漏（已逐项核验"));
    // Who is no node of this county signs nothing.
    let stranger = xw_schemas::cose::SecretKey::from_seed(&[99; 32]);
    let report = judged(&world, &forged(&pack, &stranger, |_, content| Some(content), |_| {}));
    assert!(codes(&report).contains(&"maker-unknown"));
    assert!(codes(&report).contains(&"statement-forged"));
}

#[test]
fn a_log_with_a_revoked_author_cannot_hide_in_an_extract() {
    let (world, places) = county();
    let (_, before) = world.export(of_records(&places[..1]), Give::Nothing);
    let log = world.logs[&(VILLAGE, space(VILLAGE))];
    let kept = world.holdings.logs().log(&log).unwrap().at(0).unwrap();
    let world = world.decree(vec![xw_schemas::edition::Fact::Cut {
        key: node(VILLAGE).public(),
        kept: vec![(log, 0, kept)],
    }]);
    let roster = world.holdings.roster();
    // The old extract, under a roster that has revoked its author since.
    let second = world.holdings.chain().editions().nth(1).unwrap().bytes().to_vec();
    let name = FileName::Edition(2);
    let mut with_edition = Vec::new();
    let mut writer = ArchiveWriter::new(&mut with_edition);
    let mut archive = Archive::open(Cursor::new(&before)).unwrap();
    let mut names: Vec<String> = archive.names().map(str::to_owned).collect();
    names.push(name.to_string());
    names.sort_by_key(|name| (name.starts_with("manifest."), name.clone()));
    for file in names {
        let known = (file != name.to_string()).then(|| archive.read(&file).unwrap());
        writer.add(&file, &known.unwrap_or_else(|| second.clone())).unwrap();
    }
    writer.finish().unwrap();
    let pack = forged(
        &with_edition,
        &node(COUNTY),
        |_, content| Some(content),
        |manifest| {
            (manifest.roster, manifest.roster_number) = (roster.state(), roster.number());
        },
    );
    let codes = codes(&judged(&world, &pack));
    assert!(codes.contains(&"extract-of-broken") && codes.contains(&"record-differs"), "{codes:?}");
}

/// Whatever bytes a forger with a key puts into a file, the judge comes to an end and finds it.
#[test]
fn random_bytes_in_any_file_are_found_and_harm_nothing() {
    let (world, places) = county();
    let county = node(COUNTY);
    let mut dice = 0x9e37_79b9_7f4a_7c15_u64;
    let mut draw = |below: usize| {
        dice = dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(dice >> 33).unwrap() % below
    };
    for scope in [of_records(&places[..2]), Scope::Division { division: division(VILLAGE) }] {
        let (_, pack) = world.export(scope, Give::All);
        let mut archive = Archive::open(Cursor::new(&pack)).unwrap();
        let names: Vec<String> = archive.names().map(str::to_owned).collect();
        let names: Vec<&String> = names.iter().filter(|n| !n.starts_with("manifest.")).collect();
        for _ in 0..150 {
            let victim = names[draw(names.len())];
            let mut content = archive.read(victim).unwrap();
            for _ in 0..=draw(3) {
                let at = draw(content.len());
                match draw(3) {
                    0 => content[at] ^= 1 << draw(8),
                    1 => content.truncate(at.max(1)),
                    _ => content.insert(at, u8::try_from(draw(256)).unwrap()),
                }
            }
            if content == archive.read(victim).unwrap() {
                continue;
            }
            let change = |name: FileName, held: Vec<u8>| {
                Some(if name.to_string() == *victim { content.clone() } else { held })
            };
            let bent = forged(&pack, &county, change, |_| {});
            let found =
                judge_pack(Cursor::new(&bent), &checking(world.holdings.roster().network()));
            assert!(found.map_or(true, |report| !report.is_sound()), "{victim}");
        }
    }
}
