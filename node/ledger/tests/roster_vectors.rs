//! The vectors of the roster: sets of editions, each delivered in several orders, and what they
//! amount to. `schemas/vectors/rosters.json` is judged again by a reader in another language that was
//! written from `schemas/spec/roster.md` alone.
//!
//! `XW_WRITE_VECTORS=1 cargo test -p xw-ledger --test roster_vectors` writes the file;
//! `XW_STORIES=5000` asks the second reader about as many random histories.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::{Deserialize, Serialize};
use story::Story;
use xw_ledger::roster::{Chain, PassedOver, Rank, Roster};
use xw_schemas::edition::{Edition, SignerKind};
use xw_schemas::id::{EntryId, LogId, PublicKey, hex, unhex};
use xw_schemas::space::Tier;

#[path = "rosters/cases.rs"]
mod cases;
#[path = "rosters/newcomers.rs"]
mod newcomers;
#[path = "rosters/story.rs"]
mod story;
#[path = "rosters/world.rs"]
mod world;

/// Orders in which every set is delivered, beside the one in which it is written.
const ORDERS: usize = 4;

/// Random histories that the second reader is asked about.
const HISTORIES: u64 = 60;

/// What stands in a vector file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
enum Item {
    Number(u64),
    Text(String),
    List(Vec<String>),
}

/// One vector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Case {
    name: String,
    kind: String,
    given: BTreeMap<String, Item>,
    expect: String,
    reading: BTreeMap<String, Item>,
}

/// The file.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
struct Vectors {
    about: String,
    cases: Vec<Case>,
}

#[test]
fn the_vectors_on_disk_are_the_ones_made_here() {
    let about = "Sets of roster editions and what they amount to; schemas/spec/roster.md";
    let made = Vectors { about: about.to_owned(), cases: made() };
    let text = serde_json::to_string_pretty(&made).expect("vectors are plain data") + "\n";
    if std::env::var_os("XW_WRITE_VECTORS").is_some() {
        std::fs::write(file(), &text).expect("the folder of the vectors can be written");
    }
    let held = std::fs::read_to_string(file()).expect("the vectors are part of the project");
    assert!(held == text, "rosters.json differs from what is made here");
}

#[test]
fn every_order_in_the_file_gives_what_the_file_says() {
    let held = std::fs::read_to_string(file()).expect("the vectors are part of the project");
    let held: Vectors = serde_json::from_str(&held).expect("the file holds vectors");
    assert!(held.cases.len() > 50);
    for case in held.cases {
        let editions = list(&case.given["editions"]).map(|bytes| {
            Edition::decode(bytes).unwrap_or_else(|fault| panic!("{}: {fault}", case.name))
        });
        let editions: Vec<Edition> = editions.collect();
        for order in list(&case.given["orders"]) {
            assert_eq!(reading(&editions, &order), case.reading, "{}: {order:?}", case.name);
        }
    }
}

#[test]
fn the_vectors_show_every_reason_and_no_two_have_one_name() {
    let cases = made();
    let mut names: Vec<&str> = cases.iter().map(|case| case.name.as_str()).collect();
    names.sort_unstable();
    assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{names:?}");
    let shown = |word: &str| {
        let passed = cases.iter().filter_map(|case| case.reading.get("passed_over"));
        passed.into_iter().any(|item| match item {
            Item::List(lines) => lines.iter().any(|line| line.ends_with(word)),
            Item::Number(_) | Item::Text(_) => false,
        })
    };
    for why in [
        PassedOver::Unsigned,
        PassedOver::Rival,
        PassedOver::Closed,
        PassedOver::OutsidePrefix,
        PassedOver::OtherLevel,
        PassedOver::NotItsMatter,
        PassedOver::Outranked,
        PassedOver::BadReplacement,
    ] {
        assert!(shown(&format!("{why:?}")), "{why:?} is in no vector");
    }
}

/// Two implementations, one written from the page alone, against sets that nobody chose.
#[test]
fn the_second_reader_judges_random_histories_the_same() {
    let Some(python) = python() else { return };
    let told = |seed: u64| {
        let story = Story::of(seed);
        let editions = [&[story.founding][..], &story.editions].concat();
        case(&format!("history {seed}"), &editions)
    };
    let asked = std::env::var("XW_STORIES").ok().and_then(|text| text.parse().ok());
    let count = asked.unwrap_or(HISTORIES);
    let cases = (1_000_000..1_000_000 + count).map(told).collect();
    let vectors = Vectors { about: "Random histories of a roster".to_owned(), cases };
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("histories");
    std::fs::create_dir_all(&folder).expect("the folder can be made");
    let text = serde_json::to_string(&vectors).expect("vectors are plain data");
    std::fs::write(folder.join("histories.json"), text).expect("the file can be written");
    let output = Command::new(python)
        .arg(root().join("tests/interop/second_reader.py"))
        .arg(&folder)
        .env("PYTHONDONTWRITEBYTECODE", "1")
        .output()
        .expect("python started a moment ago");
    let (said, wailed) = (output.stdout, output.stderr);
    let said = format!("{}{}", String::from_utf8_lossy(&said), String::from_utf8_lossy(&wailed));
    assert!(said.contains(&format!("{count} vectors judged the same")), "{said}");
}

/// A Python that has the packages of `requirements.txt`: the system's, or the one that the vectors'
/// test of `xw-schemas` makes under `target`.
fn python() -> Option<PathBuf> {
    let candidates = [root().join("target/second-reader/bin/python3"), PathBuf::from("python3")];
    let has_packages = |python: &PathBuf| {
        let asked = Command::new(python).args(["-c", "import cryptography, zstandard"]).output();
        asked.is_ok_and(|output| output.status.success())
    };
    let found = candidates.into_iter().find(has_packages);
    if found.is_none() {
        eprintln!("SKIPPED: no python3 with cryptography and zstandard, so nobody judged again");
    }
    found
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn file() -> PathBuf {
    root().join("schemas/vectors/rosters.json")
}

fn made() -> Vec<Case> {
    cases::sets().iter().map(|(name, editions)| case(name, editions)).collect()
}

fn case(name: &str, editions: &[Edition]) -> Case {
    let orders = orders(editions.len());
    let bytes = |edition: &Edition| hex(edition.bytes());
    let given = [
        ("editions", Item::List(editions.iter().map(bytes).collect())),
        ("orders", Item::List(orders.iter().map(|order| hex(order)).collect())),
    ];
    Case {
        name: name.to_owned(),
        kind: "roster".to_owned(),
        given: given.map(|(key, item)| (key.to_owned(), item)).into(),
        expect: "valid".to_owned(),
        reading: reading(editions, &orders[0]),
    }
}

/// Orders as places in the list, one byte each; the founding edition, place 0, is always first.
fn orders(count: usize) -> Vec<Vec<u8>> {
    let first: Vec<u8> = (1..count).map(|place| place as u8).collect();
    let backwards: Vec<u8> = first.iter().rev().copied().collect();
    let mut orders = vec![first, backwards];
    let mut dice = 0x9e37_79b9_u64.wrapping_mul(count as u64 + 1);
    while orders.len() <= ORDERS && count > 3 {
        let mut order = orders[0].clone();
        for at in (1..order.len()).rev() {
            dice = dice
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            order.swap(at, (dice >> 33) as usize % (at + 1));
        }
        orders.push(order);
    }
    orders.dedup();
    orders.iter().map(|order| [&[0], &order[..]].concat()).collect()
}

fn list(item: &Item) -> impl Iterator<Item = Vec<u8>> {
    let Item::List(list) = item else { panic!("it is a list") };
    list.iter().map(|text| unhex(text).expect("a vector holds hex"))
}

/// Everything that an order of delivery amounts to.
fn reading(editions: &[Edition], order: &[u8]) -> BTreeMap<String, Item> {
    let mut order = order.iter().map(|place| &editions[usize::from(*place)]);
    let founding = order.next().expect("the founding edition comes first");
    let mut chain = Chain::founded(founding.clone()).expect("it founds a county");
    let refused = world::deliver(&mut chain, order);
    let refused = refused.iter().map(|(id, why)| format!("{} {why:?}", hex(&id.0)));
    let mut refused: Vec<String> = refused.collect();
    refused.sort();
    let roster = chain.roster();
    let (roots, threshold) = roster.roots();
    let lists = [
        ("counted", roster.counted().iter().map(|id| hex(&id.0)).collect()),
        ("passed_over", passed_over(roster)),
        ("refused", refused),
        ("roots", roots.iter().map(|key| hex(&key.0)).collect()),
        ("live", roster.live_nodes().iter().map(|key| hex(&key.0)).collect()),
        ("peers", roster.admitted_peers().iter().map(|key| hex(&key.0)).collect()),
        ("signers", signers(roster)),
        ("cuts", cuts(roster)),
        ("suspended", suspended(roster)),
        ("invitations", invitations(roster)),
        ("delegations", delegations(roster)),
        ("decisions", decisions(roster)),
        ("definitions", definitions(roster)),
    ];
    let mut reading: BTreeMap<String, Item> =
        lists.map(|(key, list)| (key.to_owned(), Item::List(list))).into();
    reading.extend([
        ("state".to_owned(), Item::Text(hex(&roster.state().0))),
        ("head".to_owned(), Item::Text(hex(&roster.head().0))),
        ("number".to_owned(), Item::Number(roster.number())),
        ("rules".to_owned(), Item::Number(roster.rules())),
        ("threshold".to_owned(), Item::Number(threshold)),
        ("frozen".to_owned(), Item::Number(roster.is_frozen().into())),
    ]);
    reading
}

/// Edition, place of the fact or `-` for all of it, reason; sorted as texts.
fn passed_over(roster: &Roster) -> Vec<String> {
    let line = |(id, at, why): &(xw_schemas::id::EditionId, Option<usize>, PassedOver)| {
        let at = at.map_or("-".to_owned(), |at| at.to_string());
        format!("{} {at} {why:?}", hex(&id.0))
    };
    let mut lines: Vec<String> = roster.passed_over().map(line).collect();
    lines.sort();
    lines
}

fn rank(rank: Rank) -> &'static str {
    match rank {
        Rank::Root => "root",
        Rank::Registrar(Tier::County) => "county",
        Rank::Registrar(Tier::Township) => "township",
        Rank::Registrar(Tier::Village) => "village",
    }
}

fn kind(kind: SignerKind) -> &'static str {
    match kind {
        SignerKind::Node => "node",
        SignerKind::Person => "person",
    }
}

fn suspended(roster: &Roster) -> Vec<String> {
    let line = |(key, held): (&PublicKey, &xw_ledger::roster::Suspended)| {
        let (kind, office, roles) = (kind(held.kind), held.office.0, held.roles.join(","));
        format!("{} {kind} {office} [{roles}]", hex(&key.0))
    };
    roster.all_suspended().map(line).collect()
}

fn signers(roster: &Roster) -> Vec<String> {
    let line = |(key, signer): (&PublicKey, &xw_ledger::roster::Signer)| {
        let kind = kind(signer.kind);
        let roles = signer.roles.join(",");
        let (office, rank) = (signer.office.0, rank(signer.rank));
        format!("{} {kind} {office} {rank} {} [{roles}]", hex(&key.0), signer.name)
    };
    roster.signers().map(line).collect()
}

fn cuts(roster: &Roster) -> Vec<String> {
    let mut keys: Vec<PublicKey> = roster.signers().map(|(key, _)| *key).collect();
    keys.extend(roster.invitations().map(|(key, _)| *key));
    keys.extend(roster.all_suspended().map(|(key, _)| *key));
    keys.sort();
    keys.dedup();
    let line = |key: PublicKey| {
        let cut = roster.cut(&key)?;
        let how = if cut.exact { "exact" } else { "witnessed" };
        let kept = cut.kept.iter().map(|(log, (number, entry))| point(log, *number, entry));
        Some(format!("{} {how} [{}]", hex(&key.0), kept.collect::<Vec<_>>().join(",")))
    };
    keys.into_iter().filter_map(line).collect()
}

fn point(log: &LogId, number: u64, entry: &EntryId) -> String {
    format!("{}:{number}:{}", hex(&log.0), hex(&entry.0))
}

fn invitations(roster: &Roster) -> Vec<String> {
    let line = |(key, invitation): (&PublicKey, &xw_ledger::roster::Invitation)| {
        let state = match invitation.replaced {
            Some(id) => hex(&id.0),
            None if invitation.withdrawn => "withdrawn".to_owned(),
            None => "-".to_owned(),
        };
        let by = invitation.by.map_or("root".to_owned(), |office| office.0.to_string());
        let (office, rank) = (invitation.office.0, rank(invitation.rank));
        let confirmed = if invitation.confirmed { " confirmed" } else { "" };
        format!("{} {by} {office} {rank} {state}{confirmed}", hex(&key.0))
    };
    roster.invitations().map(line).collect()
}

fn delegations(roster: &Roster) -> Vec<String> {
    let all = roster.delegations().flat_map(|(office, terms)| {
        terms.iter().map(|(term, held)| {
            let closes = held
                .closes
                .map_or("-".to_owned(), |(number, id)| format!("{number}:{}", hex(&id.0)));
            format!("{} {term} {} {} {closes}", office.0, held.threshold, held.role)
        })
    });
    all.collect()
}

fn decisions(roster: &Roster) -> Vec<String> {
    let logs = [LogId([7; 32]), LogId([8; 32])];
    let decided = logs.iter().filter_map(|log| {
        let (number, entry) = roster.adjudicated(log)?;
        Some(format!("adjudicate {}", point(log, number, &entry)))
    });
    let adopted = logs.iter().flat_map(|log| {
        let entries = roster.adopted_entries(log).into_iter().flatten();
        entries.map(|(entry, number)| format!("adopt {}", point(log, *number, entry)))
    });
    decided.chain(adopted).collect()
}

fn definitions(roster: &Roster) -> Vec<String> {
    let current = roster.schemas().map(|(code, hash)| format!("{code} {} new", hex(&hash.0)));
    let adopted = roster.definitions().map(|(hash, code)| format!("{code} {}", hex(&hash.0)));
    current.chain(adopted).collect()
}
