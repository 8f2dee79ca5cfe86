//! Records of realistic shape: what the synthetic ledgers of a village become, four types mixed in
//! the proportions of a year, signed by person and node, on disk in a village's folder.

use std::path::PathBuf;
use std::time::Instant;

use serde_json::json;
use xw_bootstrap::sheets::{Counts, village_ledgers};
use xw_ledger::draft::{Act, Author, Draft, Tail, new_record, open_log, write_change};
use xw_ledger::steps::{NOWHERE, Step};
use xw_schemas::cose::SecretKey;
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::{Incarnation, OperationId};
use xw_schemas::record::{Content, RecordType, Value, builtin};
use xw_schemas::space::{Audience, Space};
use xw_store::Store;
use xw_workbook::{Context, Desk, defaults_for, read};

use crate::figure;
use crate::nodes::county;
use crate::nodes::folder::{self, Office};

/// Entries stored in one durable step while the village is filled.
const BATCH: usize = 512;

/// When the records were made; any fixed moment.
const NOW_MS: u64 = 1_795_000_000_000;

/// A filled village, and the township above it.
pub(crate) struct Village {
    pub(crate) dir: PathBuf,
    pub(crate) village: PathBuf,
    pub(crate) township: PathBuf,
    /// The two with their keys: the township's, the village's.
    pub(crate) offices: (Office, Office),
    pub(crate) count: usize,
    /// What was stored, for the floor.
    pub(crate) entries: Vec<(VerifiedEntry, Option<Body>)>,
    pub(crate) keys: (SecretKey, SecretKey),
    pub(crate) definitions: Vec<RecordType>,
    pub(crate) contents: Vec<(usize, Content)>,
}

/// Founds a county and fills its first village.
pub(crate) fn village(count: usize) -> Village {
    let dir = std::env::temp_dir().join(format!("xw-bench-{}-{count}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("a folder");
    let definitions = builtin();
    let mut dice = Dice(7);
    let county = county::found(&definitions);
    let (township, village) = (dir.join("township"), dir.join("village"));
    for (office, folder) in [(&county.offices[1], &township), (&county.offices[2], &village)] {
        let listen = ([127, 0, 0, 1], 0).into();
        let roster = [county.founding.clone()];
        folder::write(folder, office, &roster, definitions.clone(), listen, &[]);
    }
    let office = &county.offices[2];
    let contents = contents(&definitions, &office.division.to_string());
    // The village's clerk and secretary in one: a signer who may create all four types.
    let person = office.people[0].1.clone();
    let secretary = office.people[1].1.clone();
    let keys = folder::store_keys(office);
    let mut store = Store::open(&village.join("store.db"), Some(keys)).expect("it was just made");
    store.unlock(folder::office_key(office)).expect("its own key");
    let space = Space { division: office.division, audience: Audience::Office };
    let started = Instant::now();
    let author = Author { node: &office.node, person: None };
    let opened =
        open_log(store.roster(), space, author, Incarnation(dice.take()), dice.act(), None)
            .expect("a log opens");
    let log = opened.entry.core().log;
    let mut entries = vec![(opened.entry, None)];
    store.receive(entries.clone(), NOW_MS).expect("the disk takes it");
    let mut tail = Tail::of(store.logs(), log).expect("it was just opened");
    let mut batch = Vec::new();
    for at in 0..count {
        let (kind, content) = &contents[at % contents.len()];
        let rt = &definitions[*kind];
        let (key, role, to) = creator(rt, &person, &secretary);
        let act = dice.act();
        let author = Author { node: &office.node, person: Some(key) };
        let record = new_record(store.roster(), author, act);
        let step = Step {
            from: NOWHERE.to_owned(),
            to: to.to_owned(),
            role: role.to_owned(),
            reason: String::new(),
            on_behalf_of: String::new(),
        };
        let mut content = content.clone();
        let number = format!("130599201201A-{}-2026-{at:05}", rt.code);
        content.values.insert("business_no".to_owned(), Value::Text(number));
        let draft = Draft::of_new(&content, step);
        let signed = write_change(
            store.roster(),
            store.definitions(),
            &tail,
            record,
            &rt.code,
            rt.hash(),
            &[],
            &draft,
            author,
            act,
        )
        .expect("the contents came from a checked ledger");
        tail.push(&signed.entry);
        batch.push((signed.entry, signed.body));
        if batch.len() == BATCH || at + 1 == count {
            entries.extend(batch.iter().cloned());
            store.receive(std::mem::take(&mut batch), NOW_MS).expect("the disk takes it");
        }
    }
    while store.settle(BATCH).expect("it settles").remaining > 0 {}
    let rows = store.digest(None).expect("a digest").records;
    let refused = store.reader().and_then(|reader| reader.refused(3)).expect("it reads");
    let reasons: Vec<_> = refused.into_iter().map(|entry| entry.verdict).collect();
    assert_eq!(rows, count as u64, "every record counts: {reasons:?}");
    store.close().expect("it closes");
    let body: usize =
        entries.iter().filter_map(|(_, body)| body.as_ref()).map(|b| b.bytes().len()).sum();
    let envelope: usize = entries.iter().map(|(entry, _)| entry.bytes().len()).sum();
    figure(&json!({
        "bench": "material", "records": count, "seconds": started.elapsed().as_secs(),
        "envelope_bytes": envelope / entries.len(), "body_bytes": body / count,
    }));
    let keys = (office.node.clone(), person);
    let offices = (county.offices[1].clone(), office.clone());
    Village { dir, village, township, offices, count, entries, keys, definitions, contents }
}

/// Who of the two may create this type, in which role, leading to which state.
fn creator<'a>(
    rt: &'a RecordType,
    clerk: &'a SecretKey,
    secretary: &'a SecretKey,
) -> (&'a SecretKey, &'a str, &'a str) {
    let first = rt.initial_transitions().next().expect("every type begins somewhere");
    for (key, roles) in [(clerk, ["VCLK", "VAGT", "VGRD"]), (secretary, ["VSEC", "VMED", "VTEAM"])]
    {
        if let Some(role) = first.who.iter().find(|who| roles.contains(&who.as_str())) {
            return (key, role, &first.to);
        }
    }
    panic!("nobody in the village creates {}", rt.code)
}

/// What clean rows of the synthetic ledgers become, with the definition's place in the list.
fn contents(definitions: &[RecordType], division: &str) -> Vec<(usize, Content)> {
    let counts = Counts { svc: 300, pvm: 60, ind: 30, med: 60 };
    let ledgers =
        village_ledgers(1, division, "柳河村", 2026, counts).expect("a synthetic village");
    let mut contents = Vec::new();
    for ledger in ledgers {
        let kind = definitions
            .iter()
            .position(|rt| rt.code == ledger.planted.record_type)
            .expect("a builtin type");
        let desk = Desk {
            division_code: division.to_owned(),
            office_zh: "柳河村村民委员会".to_owned(),
            recorder: "张秀兰".to_owned(),
            today: "2026-11-23".to_owned(),
        };
        let defaults = defaults_for(&definitions[kind], &desk);
        let named = |_: &str| Some(division.to_owned());
        let context = Context { defaults: &defaults, divisions: &named };
        let sheet = read(&ledger.bytes, &definitions[kind], None, &context).expect("it reads");
        for row in sheet.rows.into_iter().filter(|row| row.is_sound()) {
            let mut content = row.content;
            // As the program does for every record that it makes.
            let told = || Value::Text("1".to_owned());
            content.values.entry("notice_given".to_owned()).or_insert_with(told);
            contents.push((kind, content));
        }
    }
    contents
}

/// A small generator: the same county in every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let random = self.next().to_le_bytes();
            chunk.copy_from_slice(&random[..chunk.len()]);
        }
    }

    fn take<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.fill(&mut bytes);
        bytes
    }

    pub(crate) fn act(&mut self) -> Act {
        Act {
            operation: OperationId(self.take()),
            time_ms: NOW_MS,
            salt: self.take(),
            republishes: None,
        }
    }
}
