//! Bytes that change on disk are found, wherever they stand, and named; nothing panics.

use std::path::Path;

use rusqlite::Connection;
use xw_schemas::checkpoint::Checkpoint;
use xw_schemas::record::Lang;
use xw_store::{FindingCode, Report, Store};

use crate::world::{Folder, World, content, everything, text};

/// A file with five records, a witness and a checkpoint.
fn filled(folder: &Folder) {
    let mut world = World::new();
    let mut store = world.store_at(&folder.file());
    let east = world.open(&mut store, |w| &w.east);
    let town = world.open(&mut store, |w| &w.town);
    for i in 0..5 {
        let made = content(&format!("事项{i}"), &[("applicant_name", text("王秀英"))]);
        world.write(&mut store, east, |w| &w.east, &made);
    }
    world.witness(&mut store, town, |w| &w.town, &[east]);
    let log = store.logs().log(&east).unwrap();
    let network = store.roster().network();
    let checkpoint = Checkpoint { network, log: east, size: log.size(), root: log.root() };
    let note = checkpoint.sign(&world.east.node);
    store.set_checkpoint(&note).unwrap();
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
    store.close().unwrap();
}

/// What is found after `sql` was done to the file. The store is opened before, as a running node
/// has it open, so that the checks see what the disk says and not what opening would refuse.
fn found(sql: &str) -> Report {
    let folder = Folder::quick();
    filled(&folder);
    let store = Store::open(&folder.file(), None).unwrap();
    let other = both(&folder);
    other.busy_timeout(std::time::Duration::from_secs(5)).unwrap();
    other.execute_batch("PRAGMA foreign_keys = OFF; PRAGMA writable_schema = ON;").unwrap();
    if sql.contains("doc = x'") {
        drop_field_indexes(&other);
    }
    other.execute_batch(sql).unwrap();
    drop(other);
    store.verify(&mut |_, _| {}).unwrap()
}

/// Entries and rows, as a program other than ours opens them.
fn both(folder: &Folder) -> Connection {
    let conn = Connection::open(folder.file()).unwrap();
    let rows = folder.rows();
    conn.execute("ATTACH ?1 AS shown KEY ''", [rows.to_str().unwrap()]).unwrap();
    conn
}

/// SQLite itself refuses a document that an index cannot read; who tampers takes the index away.
fn drop_field_indexes(conn: &Connection) {
    let sql = "SELECT name FROM shown.sqlite_schema WHERE type = 'index' AND name LIKE 'view of %'";
    let mut statement = conn.prepare(sql).unwrap();
    let names = statement.query_map([], |row| row.get::<_, String>(0)).unwrap();
    for name in names.map(Result::unwrap).collect::<Vec<_>>() {
        conn.execute_batch(&format!("DROP INDEX \"{name}\";")).unwrap();
    }
}

/// SQL that changes one byte, `at` bytes from the end, of the value in a row.
fn flip(table: &str, column: &str, rowid: i64, at: usize) -> String {
    let folder = Folder::quick();
    filled(&folder);
    let conn = both(&folder);
    let sql = format!("SELECT CAST({column} AS BLOB) FROM {table} WHERE rowid = {rowid}");
    let mut bytes: Vec<u8> = conn.query_row(&sql, [], |row| row.get(0)).unwrap();
    let place = bytes.len() - 1 - at;
    bytes[place] ^= 1;
    format!(
        "UPDATE {table} SET {column} = x'{}' WHERE rowid = {rowid};",
        xw_schemas::id::hex(&bytes)
    )
}

#[test]
fn a_changed_byte_is_found_in_every_table_that_matters() {
    use FindingCode::*;
    let cases: Vec<(String, &[FindingCode])> = vec![
        // The last bytes of an envelope are a signature; further in stands what is signed.
        (flip("entry", "bytes", 3, 5), &[Signature, EntryBytes]),
        (flip("entry", "bytes", 3, 300), &[Signature, EntryBytes, Chain]),
        (flip("entry", "id", 3, 0), &[EntryColumns]),
        ("UPDATE entry SET sequence = 9 WHERE n = 4;".into(), &[EntryColumns]),
        ("UPDATE entry SET record_n = 1 WHERE n = 4;".into(), &[EntryColumns]),
        ("UPDATE entry SET bytes = x'00' WHERE n = 4;".into(), &[EntryBytes]),
        ("DELETE FROM entry WHERE n = 4;".into(), &[Chain]),
        (flip("body", "bytes", 3, 9), &[Body]),
        ("DELETE FROM body WHERE entry_n = 3;".into(), &[Verdict, View]),
        (flip("canonical", "bytes", 2, 20), &[View]),
        (flip("canonical", "hash", 2, 0), &[View]),
        ("DELETE FROM canonical WHERE record_n = 2;".into(), &[View]),
        ("DELETE FROM view WHERE record_n = 2;".into(), &[View]),
        ("UPDATE view SET state = 'done' WHERE record_n = 2;".into(), &[Row]),
        ("UPDATE view SET updated_ms = 1 WHERE record_n = 2;".into(), &[Row]),
        (
            "UPDATE view SET doc = jsonb_set(doc, '$.title', '改') WHERE record_n = 2;".into(),
            &[Row],
        ),
        ("UPDATE view SET doc = x'ffff' WHERE record_n = 2;".into(), &[Unreadable]),
        ("UPDATE verdict SET kind = 3 WHERE entry_n = 3;".into(), &[Verdict]),
        ("DELETE FROM verdict WHERE entry_n = 3;".into(), &[Verdict]),
        ("UPDATE record SET standing = 0 WHERE n = 2;".into(), &[Standing]),
        ("UPDATE log SET finals = 3 WHERE n = 1;".into(), &[Standing]),
        ("UPDATE log SET division = 130599201202 WHERE n = 1;".into(), &[Log]),
        ("UPDATE checkpoint SET size = 5;".into(), &[Checkpoint]),
        (
            "UPDATE checkpoint SET note = substr(note, 1, length(note) - 9)
                 || CASE substr(note, -9, 1) WHEN 'A' THEN 'B' ELSE 'A' END || substr(note, -8);"
                .into(),
            &[Checkpoint],
        ),
        (flip("edition", "bytes", 1, 3), &[Edition]),
        (flip("definition", "bytes", 1, 30), &[Definition]),
        ("DELETE FROM fts WHERE rowid = 2;".into(), &[Search]),
        (
            "DELETE FROM fts WHERE rowid = 2; INSERT INTO fts(rowid, words) VALUES (2, '别');"
                .into(),
            &[Search],
        ),
    ];
    for (sql, wanted) in cases {
        let report = found(&sql);
        let codes: Vec<FindingCode> = report.findings.iter().map(|finding| finding.code).collect();
        assert!(codes.iter().any(|code| wanted.contains(code)), "{sql}: {report:?}");
        for finding in &report.findings {
            assert!(!finding.place.is_empty() && finding.text(Lang::Zh) != finding.text(Lang::En));
        }
    }
}

#[test]
fn bit_rot_anywhere_in_the_files_is_found_or_harmless_and_never_a_panic() {
    let folder = Folder::quick();
    filled(&folder);
    let sound = [std::fs::read(folder.file()).unwrap(), std::fs::read(folder.rows()).unwrap()];
    let content: String = everything_held(&folder.file()).unwrap();
    let (mut noticed, mut harmless) = (0, 0);
    for (file, bytes) in sound.iter().enumerate() {
        // Every 997th byte: all pages are met at different places.
        for at in (0..bytes.len()).step_by(997) {
            let mut rotten = sound.clone();
            rotten[file][at] ^= 0x10;
            let folder = Folder::quick();
            std::fs::write(folder.file(), &rotten[0]).unwrap();
            std::fs::write(folder.rows(), &rotten[1]).unwrap();
            let clean = match Store::open(&folder.file(), None) {
                Err(_) => false,
                Ok(store) => store.verify(&mut |_, _| {}).is_ok_and(|report| report.is_clean()),
            };
            if clean {
                // Free space and counters may rot unnoticed; what people see may not.
                let held = everything_held(&folder.file());
                assert_eq!(held.as_ref(), Some(&content), "file {file}, byte {at}");
                harmless += 1;
            } else {
                noticed += 1;
            }
        }
    }
    assert!(noticed > 10 && harmless > 10, "{noticed} noticed, {harmless} harmless");
}

/// Entries and rows as text, or nothing when they cannot be read.
fn everything_held(path: &Path) -> Option<String> {
    let mut store = Store::open(path, None).ok()?;
    // Rows that were found unfit are worked out again.
    store.settle_all().ok()?;
    let rows = store.reader().ok()?.list(&xw_store::Query::default()).ok()?;
    Some(format!("{:?} {:?} {:?}", everything(&store), rows.rows, store.digest(None).ok()?))
}
