//! The floor: what the same entries cost when nothing but strict signature checks, or nothing but
//! inserts into a bare SQLite table, is done with them; and what creating one record costs.

use std::time::Instant;

use serde_json::json;
use xw_ledger::draft::{Author, Draft, Tail, new_record, write_change};
use xw_ledger::judge::{Evidence, judge};
use xw_ledger::standing::Standing;
use xw_ledger::steps::{NOWHERE, Step};
use xw_schemas::entry::RawEntry;
use xw_schemas::record::Value;
use xw_store::Store;

use crate::material::{Dice, Village};
use crate::nodes::folder;
use crate::{figure, ms, percentile};

/// Entries used for the floor.
const SAMPLE: usize = 10_000;

/// Records created one by one.
const CREATED: usize = 300;

/// The floors, in records a second.
pub(crate) struct Floor {
    pub(crate) verify: f64,
    pub(crate) insert: f64,
}

pub(crate) fn measure(village: &Village) -> Floor {
    let sample = &village.entries[..village.entries.len().min(SAMPLE)];
    let network = sample[0].0.core().network;
    let raw: Vec<RawEntry> = sample
        .iter()
        .map(|(entry, _)| RawEntry::decode(entry.bytes().to_vec()).expect("it was decoded before"))
        .collect();
    let signatures: usize =
        sample.iter().map(|(e, _)| 1 + usize::from(e.core().person.is_some())).sum();
    let half = raw.len() / 2;
    let (first, second) = (raw[..half].to_vec(), raw[half..].to_vec());
    let started = Instant::now();
    let verify = |part: Vec<RawEntry>| {
        for entry in part {
            entry.verify(network).expect("it was signed here");
        }
    };
    std::thread::scope(|scope| {
        scope.spawn(|| verify(first));
        verify(second);
    });
    let verify_rate = sample.len() as f64 / started.elapsed().as_secs_f64();
    let insert_rate = insert(village);
    figure(&json!({
        "bench": "floor", "entries": sample.len(), "signatures": signatures,
        "verify_2_threads_per_s": verify_rate.round(), "sqlite_insert_per_s": insert_rate.round(),
    }));
    create(village);
    Floor { verify: verify_rate, insert: insert_rate }
}

/// Envelope and body of every sample entry into one table, a thousand a transaction, FULL.
fn insert(village: &Village) -> f64 {
    let path = village.dir.join("floor.db");
    let connection = rusqlite::Connection::open(path).expect("a file");
    connection
        .execute_batch(
            "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;
             CREATE TABLE e(n INTEGER PRIMARY KEY, envelope BLOB, body BLOB) STRICT;",
        )
        .expect("a table");
    let sample = &village.entries[..village.entries.len().min(SAMPLE)];
    let started = Instant::now();
    for batch in sample.chunks(1_000) {
        let transaction = connection.unchecked_transaction().expect("it begins");
        let mut insert = connection
            .prepare_cached("INSERT INTO e(envelope, body) VALUES (?1, ?2)")
            .expect("it prepares");
        for (entry, body) in batch {
            let body = body.as_ref().map(|body| body.bytes().to_vec());
            insert.execute(rusqlite::params![entry.bytes(), body]).expect("it inserts");
        }
        drop(insert);
        transaction.commit().expect("it commits");
    }
    sample.len() as f64 / started.elapsed().as_secs_f64()
}

/// Creates records one by one, each durable and visible, and beside it bare durable commits.
fn create(village: &Village) {
    let (_, office) = &village.offices;
    let (path, keys) = (village.village.join("store.db"), folder::store_keys(office));
    let mut store = Store::open(&path, Some(keys)).expect("the filled store");
    store.unlock(folder::office_key(office)).expect("its own key");
    let (node, person) = &village.keys;
    let own = node.public();
    let log =
        *store.logs().iter().find(|(_, log)| log.node == own).expect("the village wrote into it").0;
    let (kind, content) = village
        .contents
        .iter()
        .find(|(kind, _)| village.definitions[*kind].code == "SVC")
        .expect("SVC rows");
    let rt = &village.definitions[*kind];
    let mut dice = Dice(99);
    let (mut whole, mut commits) = (Vec::new(), Vec::new());
    let bare = rusqlite::Connection::open(village.dir.join("commit.db")).expect("a file");
    bare.execute_batch("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; CREATE TABLE c(b BLOB)")
        .expect("a table");
    for at in 0..CREATED {
        let mut content = content.clone();
        let number = Value::Text(format!("130599201201B-SVC-2026-{at:05}"));
        content.values.insert("business_no".to_owned(), number);
        let started = Instant::now();
        bare.execute("INSERT INTO c VALUES (zeroblob(2000))", []).expect("it commits");
        commits.push(ms(started.elapsed()));
        let started = Instant::now();
        let act = dice.act();
        let author = Author { node, person: Some(person) };
        let record = new_record(store.roster(), author, act);
        let step = Step {
            from: NOWHERE.to_owned(),
            to: rt.initial_transitions().next().expect("a first state").to.clone(),
            role: "VAGT".to_owned(),
            reason: String::new(),
            on_behalf_of: String::new(),
        };
        let draft = Draft::of_new(&content, step);
        let tail = Tail::of(store.logs(), log).expect("the log is open");
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
        .expect("it signs");
        let evidence = Evidence {
            entry: &signed.entry,
            body: signed.body.as_ref(),
            standing: Standing::Local,
        };
        let judged = judge(store.roster(), store.definitions(), record, &[evidence]);
        let counts = judged.verdicts.values().all(xw_ledger::verdict::Verdict::is_admitted);
        assert!(counts, "{:?}", judged.verdicts);
        store.receive(vec![(signed.entry, signed.body)], act.time_ms).expect("it is stored");
        whole.push(ms(started.elapsed()));
    }
    whole.sort_by(f64::total_cmp);
    commits.sort_by(f64::total_cmp);
    figure(&json!({
        "bench": "create", "n": CREATED,
        "durable_p50_ms": percentile(&whole, 50), "durable_p99_ms": percentile(&whole, 99),
        "bare_commit_p50_ms": percentile(&commits, 50), "bare_commit_p99_ms": percentile(&commits, 99),
    }));
    while store.settle(512).expect("it settles").remaining > 0 {}
    store.close().expect("it closes");
}
