//! What happens when the rules panic, the program dies while judging, or the disk is full.

use xw_ledger::judge::judge;
use xw_schemas::id::RecordId;

use crate::limits::SETTLE_RECORDS;
use crate::settle::Rules;
use crate::world::{Folder, NOW_MS, World, content};
use crate::{FindingCode, Query, Store};

/// Three records that wait to be judged, in a file.
fn three(folder: &Folder) -> (World, Store, Vec<RecordId>) {
    let mut world = World::new();
    let mut store = world.store_at(&folder.file());
    let log = world.open(&mut store, |w| &w.east);
    let roster = store.roster().clone();
    let mut tail = xw_ledger::draft::Tail::of(store.logs(), log).unwrap();
    let mut records = Vec::new();
    for title in ["甲", "乙", "丙"] {
        let (record, signed) = world.new_entry(&roster, &tail, |w| &w.east, &content(title, &[]));
        tail.push(&signed.entry);
        store.receive(vec![(signed.entry, signed.body)], NOW_MS).unwrap();
        records.push(record);
    }
    (world, store, records)
}

fn shown(store: &Store) -> usize {
    store.reader().unwrap().list(&Query::default()).unwrap().rows.len()
}

#[test]
fn a_record_whose_judging_panics_is_set_aside_and_the_others_are_not() {
    let folder = Folder::new();
    let (_, mut store, records) = three(&folder);
    let guilty = records[1];
    let rules: Box<Rules> = Box::new(move |roster, definitions, record, evidence| {
        assert!(record != guilty, "a fault in the rules");
        judge(roster, definitions, record, evidence)
    });
    let settled = store.settle_by(SETTLE_RECORDS, &*rules).unwrap();
    assert_eq!((settled.judged, settled.quarantined, settled.remaining), (2, vec![guilty], 0));
    assert_eq!(shown(&store), 2);
    let report = store.verify(&mut |_, _| {}).unwrap();
    let codes: Vec<FindingCode> = report.findings.iter().map(|f| f.code).collect();
    assert_eq!(codes, [FindingCode::Poison]);
    assert!(report.findings[0].zh().contains("已隔离"));
    // It stays aside until everything is worked out again.
    assert_eq!(store.settle_all().unwrap().judged, 0);
    assert_eq!(store.rebuild(&mut |_, _| {}).unwrap().records, 3);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}

#[test]
fn a_record_that_ends_the_program_is_found_in_two_starts_and_set_aside() {
    let folder = Folder::new();
    let (_, store, records) = three(&folder);
    // The first death: nothing is marked, only that the end was unclean.
    die(store);
    let mut store = Store::open(&folder.file(), None).unwrap();
    assert_eq!(store.suspects.len(), 3);
    // The second: the guilty record is marked as being judged.
    store.settle(1).unwrap();
    let second = store.suspects.first().copied().unwrap();
    store.conn.execute("INSERT INTO attempt(record_n) VALUES (?1)", [second]).unwrap();
    die(store);
    let mut store = Store::open(&folder.file(), None).unwrap();
    let settled = store.settle_all().unwrap();
    assert_eq!((settled.judged, settled.remaining, shown(&store)), (1, 0, 2));
    let report = store.verify(&mut |_, _| {}).unwrap();
    assert_eq!(report.findings.len(), 1, "{report:?}");
    assert!(report.findings[0].detail.contains("ended while judging"));
    assert_eq!(records.len(), 3);
    // A clean end and start asks no questions.
    store.close().unwrap();
    assert!(Store::open(&folder.file(), None).unwrap().suspects.is_empty());
}

/// Ends a store as a power cut would: nothing is said to the file any more.
fn die(store: Store) {
    let mut store = std::mem::ManuallyDrop::new(store);
    let memory = rusqlite::Connection::open_in_memory().unwrap();
    drop(std::mem::replace(&mut store.conn, memory));
    store.release();
}

#[test]
fn a_panic_and_a_memory_that_is_ahead_of_the_file_are_no_clean_end() {
    let folder = Folder::new();
    let (_, mut store, _) = three(&folder);
    store.settle_all().unwrap();
    let ended = std::panic::catch_unwind(std::panic::AssertUnwindSafe(move || {
        let _store = store;
        panic!("a fault of the program");
    }));
    assert!(ended.is_err());
    let mut store = Store::open(&folder.file(), None).unwrap();
    assert!(store.opened().unclean && !store.opened().lost_something());
    store.stale = true;
    store.close().unwrap();
    let store = Store::open(&folder.file(), None).unwrap();
    assert!(store.opened().unclean);
    store.close().unwrap();
    assert!(!Store::open(&folder.file(), None).unwrap().opened().unclean);
}

#[test]
fn what_was_to_be_wiped_when_the_program_ended_is_wiped_at_the_next_start() {
    let folder = Folder::new();
    let (_, mut store, _) = three(&folder);
    store.settle_all().unwrap();
    let row = "UPDATE body SET bytes = CAST(bytes || 'zqxjkvbwpy' AS BLOB) WHERE entry_n = 2";
    store.conn.execute(row, []).unwrap();
    let tx = store.conn.unchecked_transaction().unwrap();
    tx.execute("DELETE FROM body WHERE entry_n = 2", []).unwrap();
    crate::scrub::owe(&tx).unwrap();
    tx.commit().unwrap();
    // What a power cut leaves; an orderly end would tidy up.
    let folder = Folder::of(&folder.image());
    let lies_about = || {
        let files = folder.image();
        files.values().any(|bytes| bytes.windows(10).any(|window| window == b"zqxjkvbwpy"))
    };
    assert!(lies_about(), "the write-ahead log has it still");
    let store = Store::open(&folder.file(), None).unwrap();
    assert!(!lies_about());
    drop(store);
}

#[test]
fn a_full_disk_loses_nothing_and_leaves_memory_as_the_file_is() {
    let folder = Folder::new();
    let (mut world, mut store, _) = three(&folder);
    store.settle_all().unwrap();
    let (digest, log) = (store.digest(None).unwrap(), *store.logs().iter().next().unwrap().0);
    let tail = xw_ledger::draft::Tail::of(store.logs(), log).unwrap();
    let roster = store.roster().clone();
    let mut batch = Vec::new();
    let mut next = tail;
    for i in 0..200 {
        let made = content(&format!("{i}{}", "满".repeat(30)), &[]);
        let (_, signed) = world.new_entry(&roster, &next, |w| &w.east, &made);
        next.push(&signed.entry);
        batch.push((signed.entry, signed.body));
    }
    let pages: i64 = store.conn.query_row("PRAGMA page_count", [], |row| row.get(0)).unwrap();
    let limit = |store: &Store, pages: i64| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        store.conn.query_row(&sql, [], |row| row.get::<_, i64>(0)).unwrap();
    };
    limit(&store, pages + 2);
    let refused = store.receive(batch.clone(), NOW_MS).unwrap_err();
    assert!(refused.is_disk_full() && refused.zh().contains("未保存"), "{refused:?}");
    assert_eq!(store.logs().log(&log).unwrap().size(), 4);
    assert_eq!(store.digest(None).unwrap(), digest);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
    limit(&store, 1 << 30);
    assert_eq!(store.receive(batch, NOW_MS).unwrap().appended, 200);
    store.settle_all().unwrap();
    assert_eq!(store.digest(None).unwrap().records, 203);
}
