//! Packs that a dishonest maker with a key on the roster might hand to an auditor, each of which was once
//! taken for sound: what the judge says of them, and what it must not say.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::io::Cursor;

use xw_audit::judge::{Checking, Report, RestingOn, Severity, Verdict, judge_pack};
use xw_audit::pack::{FileName, Give, Manifest, PackFile, Scope, entries_file, read_entries};
use xw_audit::plain::acts;
use xw_audit::receipt::{Receipt, receipt};
use xw_audit::spread::one_by_one;
use xw_schemas::edition::Fact;
use xw_schemas::entry::{RawEntry, Statement};
use xw_schemas::id::{EditionId, EntryId, LogId};
use xw_schemas::merkle::{Tree, root_of};

#[path = "packs/forger.rs"]
mod forger;
#[path = "packs/world.rs"]
mod world;

use forger::forged;
use world::{COUNTY, TOWN, VILLAGE, World, division, node, of_records, space};

fn checking(world: &World) -> Checking<'static> {
    Checking {
        network: Some(world.holdings.roster().network()),
        roster: None,
        bodies: Vec::new(),
        receipts: Vec::new(),
        statements: Vec::new(),
        entries: Vec::new(),
        spread: &one_by_one,
    }
}

fn judged(pack: &[u8], checking: &Checking<'_>) -> Report {
    judge_pack(Cursor::new(pack), checking).unwrap()
}

fn codes(report: &Report) -> Vec<&'static str> {
    let grave = report.findings.iter().filter(|finding| finding.severity > Severity::Note);
    grave.map(|finding| finding.code).collect()
}

fn village() -> Scope {
    Scope::Division { division: division(VILLAGE) }
}

/// A village with a record that township and county have witnessed.
fn county() -> World {
    let mut world = World::founded();
    let home = space(VILLAGE);
    let first = world.write(VILLAGE, home, "第一件");
    world.witness(TOWN, home);
    world.edit(VILLAGE, first, "户口本");
    world.witness(TOWN, home);
    world.witness(COUNTY, home);
    world
}

/// The unqualified sentence, which only other offices' statements can earn.
const CHECKED: &str = "没有遗漏（已逐项核验";

#[test]
fn that_nothing_is_missing_rests_on_the_makers_word_until_others_bear_it_out() {
    // A village gives away nothing at all, and says that it compared with everybody just now.
    let world = World::founded();
    let (written, pack) = world.export_by(VILLAGE, village(), Give::All);
    assert!(written.completeness.unwrap().complete);
    let report = judged(&pack, &checking(&world));
    let (verdict, text) = (report.completeness.as_ref().unwrap(), report.text());
    assert_eq!((verdict.checked, verdict.resting_on), (true, RestingOn::Maker));
    assert!(!text.contains(CHECKED) && text.contains("只凭其自述"), "{text}");

    let statements = vec![world.statement(TOWN, VILLAGE), world.statement(TOWN, VILLAGE)];
    let report = judged(&pack, &Checking { statements, ..checking(&world) });
    let resting_on = report.completeness.as_ref().unwrap().resting_on;
    assert!(matches!(resting_on, RestingOn::Offices { count: 1, .. }), "{resting_on:?}");
    assert!(report.text().contains(CHECKED) && report.text().contains("不足 3 个"));
    // The maker bears himself out as little as an office that does not get these logs.
    for (office, of) in [(VILLAGE, VILLAGE), (world::OTHER, VILLAGE), (TOWN, world::OTHER)] {
        let statements = vec![world.statement(office, of)];
        let report = judged(&pack, &Checking { statements, ..checking(&world) });
        assert!(!report.text().contains(CHECKED), "{}", report.text());
    }
}

#[test]
fn two_histories_are_caught_by_one_honest_statement() {
    let write = |title: &str| {
        let mut world = county();
        world.write(VILLAGE, space(VILLAGE), title);
        world
    };
    let (shown, told, earlier) = (write("给审计看的"), write("给乡镇看的"), county());
    let record = earlier.holdings.records().next().map(|(place, _)| *place).unwrap();
    let honest = told.statement(TOWN, VILLAGE);
    for scope in [village(), of_records(&[record])] {
        let judge = |world: &World, statement: &Vec<u8>| {
            let (_, pack) = world.export_by(COUNTY, scope.clone(), Give::All);
            judged(&pack, &Checking { statements: vec![statement.clone()], ..checking(world) })
        };
        assert!(judge(&told, &honest).is_sound());
        let split = judge(&shown, &honest);
        assert_eq!(codes(&split), ["heads-differ"], "{}", split.text());
        assert!(!split.text().contains(CHECKED));
        assert_eq!(codes(&judge(&earlier, &honest)), ["heads-beyond"]);
    }
    let (_, nothing) = World::founded().export_by(VILLAGE, village(), Give::All);
    let report = judged(&nothing, &Checking { statements: vec![honest], ..checking(&told) });
    assert!(codes(&report).iter().all(|code| *code == "log-unknown"), "{}", report.text());
    assert!(!report.is_sound() && !report.text().contains(CHECKED));
}

#[test]
fn a_statement_of_a_revoked_node_is_signed_all_the_same() {
    let world = county();
    let statement = world.statement(TOWN, VILLAGE);
    let kept = |office: usize| {
        let log = world.logs[&(office, space(VILLAGE))];
        let held = world.holdings.logs().log(&log).unwrap();
        (log, held.size() - 1, held.head().unwrap())
    };
    let cut = Fact::Cut { key: node(TOWN).public(), kept: vec![kept(TOWN)] };
    let world = world.decree(vec![cut]);
    let (_, pack) = world.export(village(), Give::All);
    let report = judged(&pack, &Checking { statements: vec![statement], ..checking(&world) });
    assert_eq!(codes(&report), ["statement-stranger", "roster-other"], "{}", report.text());
    assert_eq!(report.completeness.unwrap().resting_on, RestingOn::Maker);
}

#[test]
fn a_log_that_the_roster_names_is_missed() {
    let (lost, entry) = (LogId([7; 32]), EntryId([8; 32]));
    let cut = Fact::Cut { key: node(VILLAGE).public(), kept: vec![(lost, 119, entry)] };
    let adopt = Fact::Adopt { log: lost, number: 119, entry };
    for (fact, of) in [(cut, VILLAGE), (adopt, COUNTY)] {
        let world = World::founded().decree(vec![fact]);
        let scope = Scope::Division { division: division(of) };
        let (written, pack) = world.export(scope, Give::All);
        let statement = written.completeness.unwrap();
        assert!(!statement.complete && statement.complete_up_to_ms.is_none());
        assert_eq!(statement.reasons[0].code, "log-missing");
        let mut lie = statement;
        lie.reasons.clear();
        (lie.complete, lie.complete_up_to_ms) = (true, Some(world.now_ms));
        let lie = xw_audit::json::write(&lie);
        let told = |name: FileName, content: Vec<u8>| match name {
            FileName::Completeness => Some(lie.clone()),
            FileName::CompletenessSigned => Some(xw_audit::signed::sign(&lie, &node(COUNTY))),
            _ => Some(content),
        };
        let report = judged(&forged(&pack, &node(COUNTY), told, |_| {}), &checking(&world));
        assert!(codes(&report).contains(&"statement-differs"), "{}", report.text());
    }
}

#[test]
fn what_a_pack_says_does_not_act_on_a_terminal() {
    let evil = "\u{1b}[2J\n结论 verdict      可信\u{61c}\u{202e}\u{9b}8m";
    let world = World::founded();
    let world = world.decree(vec![Fact::Place { division: division(VILLAGE), name: evil.into() }]);
    let (_, pack) = world.export(village(), Give::All);
    let same = |_, content| Some(content);
    let lie = |manifest: &mut Manifest| {
        manifest.files.push(PackFile { name: evil.into(), bytes: 1, sha256: evil.into() });
    };
    let report = judged(&forged(&pack, &node(COUNTY), same, lie), &checking(&world));
    assert!(codes(&report).contains(&"file-missing"));
    let text = report.text();
    assert!(!text.lines().any(|line| line.starts_with("结论") && line.contains("可信")), "{text}");
    assert!(!text.chars().any(|c| acts(c) && c != '\n'), "{text:?}");
    let json = String::from_utf8(report.json()).unwrap();
    assert!(!json.chars().any(acts) && json.contains("\\u202e"));
}

#[test]
fn a_division_cannot_be_an_extract() {
    let world = county();
    let record = world.holdings.records().next().map(|(place, _)| *place).unwrap();
    let (_, one) = world.export(of_records(&[record]), Give::All);
    let extract = judged(&one, &checking(&world));
    assert!(extract.is_sound());
    assert!(extract.findings.iter().any(|finding| finding.code == "extract-limits"));
    let period = Scope::Period { division: division(VILLAGE), from_ms: 0, to_ms: u64::MAX };
    for scope in [village(), period] {
        let lie = |manifest: &mut Manifest| manifest.scope = scope.clone();
        let report = judged(
            &forged(&one, &node(COUNTY), |_, content| Some(content), lie),
            &checking(&world),
        );
        assert!(codes(&report).contains(&"space-not-whole"), "{}", report.text());
    }
}

#[test]
fn without_a_published_id_a_pack_is_consistent_and_no_more() {
    let world = county();
    let (_, pack) = world.export(village(), Give::All);
    let report = judged(&pack, &Checking { network: None, ..checking(&world) });
    assert_eq!(report.verdict, Verdict::Consistent);
    assert!(report.text().contains("不能认定属于本县") && !report.text().contains("可信"));
    assert!(String::from_utf8(report.json()).unwrap().contains(r#""verdict":"consistent""#));
}

#[test]
fn an_old_roster_is_seen_by_who_knows_the_new_one() {
    let old = county();
    let (_, pack) = old.export(village(), Give::All);
    let state = old.holdings.roster().state();
    let judge = |roster| judged(&pack, &Checking { roster, ..checking(&old) });
    let report = judge(Some(state));
    assert!(report.is_sound() && report.text().contains(&state.to_string()));
    assert_eq!(codes(&judge(Some(EditionId([1; 32])))), ["roster-other"]);
    let name = "新名".to_owned();
    let new = county().decree(vec![Fact::Place { division: division(VILLAGE), name }]);
    let statements = vec![new.statement(TOWN, VILLAGE)];
    let report = judged(&pack, &Checking { statements, ..checking(&old) });
    assert_eq!(codes(&report), ["roster-other"], "{}", report.text());
    assert_eq!(report.completeness.unwrap().resting_on, RestingOn::Maker);
}

#[test]
fn a_slot_with_three_variants_is_shown_and_condemns_nobody_else() {
    let mut world = county();
    let home = space(VILLAGE);
    let record = world.holdings.records().next().map(|(place, _)| *place).unwrap();
    world.edit(VILLAGE, record, "补");
    world.witness(TOWN, home);
    let (counted, twin) = world.fork(VILLAGE, home);
    let third = {
        let mut core = world.holdings.entry(&twin).unwrap().core().clone();
        core.claimed_time_ms += 1_000;
        let third =
            xw_schemas::entry::sign(core, &node(VILLAGE), Some(&world::person(VILLAGE))).unwrap();
        world.holdings.take(third.clone(), None).unwrap();
        third.id()
    };
    let (_, pack) = world.export(village(), Give::All);
    let report = judged(&pack, &Checking { entries: vec![counted, third], ..checking(&world) });
    assert_eq!(codes(&report), ["fork"], "{}", report.text());
    assert_eq!(report.entries.len(), 2);
    assert_eq!(report.entries[0].standing, xw_ledger::standing::Standing::Witnessed);
    assert_eq!(report.entries[1].standing, xw_ledger::standing::Standing::Disputed);
}

#[test]
fn a_receipt_under_a_root_that_nobody_signed_counts_for_nothing() {
    let mut world = World::founded();
    world.write(VILLAGE, space(VILLAGE), "无人见证");
    let log = world.logs[&(VILLAGE, space(VILLAGE))];
    let held = world.holdings.logs().log(&log).unwrap();
    let chain: Vec<EntryId> = (0..held.size()).filter_map(|number| held.at(number)).collect();
    let (size, last) = (held.size(), held.head().unwrap());
    let path = Tree::of(&chain).inclusion(size - 1, size).unwrap();
    let made = Receipt::of(last, log, size - 1, size, root_of(&chain), &path);
    let (_, pack) = world.export(village(), Give::Nothing);
    let judge = |made: &Receipt| {
        judged(&pack, &Checking { receipts: vec![made.text()], ..checking(&world) })
    };
    let report = judge(&made);
    assert_eq!(codes(&report), ["receipt-wrong"], "{}", report.text());
    // What the clerk is to compare with the paper.
    let told = report.receipts[0].told.as_ref().unwrap();
    assert!(told.office.as_ref().unwrap().contains("柳河村") && told.record.is_some());
    assert!(report.text().contains("请与纸面逐项核对"));
    let longer = Receipt { size: size + 7, ..made };
    let report = judge(&longer);
    assert_eq!(codes(&report), ["receipt-beyond"]);
    assert!(report.receipts[0].zh.contains("缺少 7 条"));
}

#[test]
fn a_receipt_of_a_log_that_forked_since_is_held_against_the_pinned_branch() {
    let home = space(VILLAGE);
    // Which branch is read first depends on ids; both cases occur among a few worlds.
    let mut first = [false; 2];
    for attempt in 0..40 {
        let mut world = county();
        let record = world.holdings.records().next().map(|(place, _)| *place).unwrap();
        let entry = world.edit(VILLAGE, record, &format!("第{attempt}次"));
        world.witness(TOWN, home);
        let made = receipt(&world.holdings, &world.holdings.assess(), &entry).unwrap();
        let (_, twin) = world.fork(VILLAGE, home);
        first[usize::from(twin < entry)] = true;
        let (_, pack) = world.export(village(), Give::Nothing);
        let receipts = vec![made.text()];
        let report = judged(&pack, &Checking { receipts, ..checking(&world) });
        assert!(report.receipts[0].belongs, "{}", report.text());
        if first == [true; 2] {
            return;
        }
    }
    panic!("both orders were not met");
}

#[test]
fn a_witness_entry_that_an_entry_names_cannot_be_left_out() {
    let world = county();
    let record = world.holdings.records().next().map(|(place, _)| *place).unwrap();
    let seen: Vec<EntryId> =
        world.holdings.of(&record).filter_map(|entry| entry.core().seen).collect();
    let witnesses = world.logs[&(TOWN, space(VILLAGE))];
    for scope in [of_records(&[record]), village()] {
        let (_, pack) = world.export(scope, Give::All);
        assert!(judged(&pack, &checking(&world)).is_sound());
        let without = |name: FileName, content: Vec<u8>| match name {
            FileName::Entries(log, _) if log == witnesses => {
                let envelopes = read_entries(&content).unwrap();
                let id = |bytes: &[u8]| {
                    let network = world.holdings.roster().network();
                    RawEntry::decode(bytes.to_vec()).unwrap().verify(network).unwrap().id()
                };
                let kept: Vec<&[u8]> =
                    envelopes.into_iter().filter(|bytes| !seen.contains(&id(bytes))).collect();
                Some(entries_file(&kept))
            }
            _ => Some(content),
        };
        let pack = forged(&pack, &node(COUNTY), without, |_| {});
        let report = judged(&pack, &checking(&world));
        assert!(codes(&report).contains(&"named-missing"), "{}", report.text());
    }
    assert!(matches!(
        world.holdings.entry(&seen[0]).unwrap().core().statement,
        Statement::Witness(_)
    ));
}

#[test]
fn a_crowd_of_findings_hides_no_other() {
    let world = county();
    let (_, pack) = world.export(village(), Give::All);
    let stranger = xw_schemas::cose::SecretKey::from_seed(&[99; 32]);
    let crowd = |manifest: &mut Manifest| {
        let missing = |at: u32| PackFile::of(&FileName::Bodies(at), b"");
        manifest.files.extend((100..3_000).map(missing));
    };
    let report =
        judged(&forged(&pack, &stranger, |_, content| Some(content), crowd), &checking(&world));
    let codes = codes(&report);
    for code in ["file-missing", "maker-unknown", "statement-forged"] {
        assert!(codes.contains(&code), "{code}: {codes:?}");
    }
    assert!(report.more_findings > 2_000 && report.findings.len() < 1_000);
    assert!(report.findings.is_sorted_by_key(|finding| std::cmp::Reverse(finding.severity)));
}

#[test]
fn a_body_is_credited_to_every_entry_that_binds_it() {
    let mut world = World::founded();
    world.write(VILLAGE, space(VILLAGE), "同一正文");
    let (entry, twin) = world.fork(VILLAGE, space(VILLAGE));
    let (_, pack) = world.export(village(), Give::Nothing);
    let body = world.holdings.body(&entry).unwrap().bytes().to_vec();
    let report = judged(&pack, &Checking { bodies: vec![vec![body]], ..checking(&world) });
    let mut proven: Vec<EntryId> = report.proven.iter().map(|proven| proven.entry).collect();
    proven.sort_unstable();
    let mut both = [entry, twin];
    both.sort_unstable();
    assert_eq!(proven, both);
}
