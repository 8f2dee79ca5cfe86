//! A stolen, powered-off PC: what its disk says, and what a locked store can and cannot do.

use rusqlite::Connection;
use xw_schemas::record::{Content, Lang};
use xw_store::{Filter, Import, Op, Query, Reader, Store, StoreError};

use crate::world::{
    Folder, Image, NOW_MS, World, content, everything, keys, office, put, take, text,
};

/// People who do not exist: numbers of the unassigned county, names of seldom characters.
struct Person {
    name: String,
    id_number: String,
    phone: String,
}

fn people(count: usize) -> Vec<Person> {
    let names: Vec<char> = "龘靐齉爩鱻麤灪龖厵滟虋讟钃鸜麷鞻韽韾顟顠".chars().collect();
    let pick = |at: usize| names[at % names.len()];
    let one = |i: usize| Person {
        name: ["王", &String::from_iter([pick(i), pick(i / 20), pick(i / 400 + 7)])].concat(),
        id_number: format!("1305991990{:02}{:02}{:04}", i % 12 + 1, i % 28 + 1, i),
        phone: format!("1990000{i:04}"),
    };
    (0..count).map(one).collect()
}

impl Person {
    fn content(&self) -> Content {
        let fields = [("applicant_name", text(&self.name)), ("phone", text(&self.phone))];
        content(&format!("身份证{}", self.id_number), &fields)
    }

    fn needles(&self) -> [&[u8]; 3] {
        [self.name.as_bytes(), self.id_number.as_bytes(), self.phone.as_bytes()]
    }
}

/// How often anything personal stands anywhere in these bytes.
fn found<'a>(bytes: impl Iterator<Item = &'a [u8]>, people: &[Person]) -> usize {
    // Looked up by their first four bytes, or the search would take minutes.
    let mut by_start = std::collections::BTreeMap::<&[u8], Vec<&[u8]>>::new();
    for needle in people.iter().flat_map(Person::needles) {
        by_start.entry(&needle[..4]).or_default().push(needle);
    }
    let here = |bytes: &[u8]| {
        let starts = 0..bytes.len().saturating_sub(4);
        starts
            .filter(|at| {
                let rest = &bytes[*at..];
                by_start.get(&rest[..4]).is_some_and(|all| all.iter().any(|n| rest.starts_with(n)))
            })
            .count()
    };
    bytes.map(here).sum()
}

fn on_disk(folder: &Folder, people: &[Person]) -> usize {
    let image: Image = folder.image();
    assert!(image.values().map(Vec::len).sum::<usize>() > 100_000, "the store is on disk");
    found(image.values().map(Vec::as_slice), people)
}

#[test]
fn a_thousand_people_are_nowhere_on_the_disk() {
    let people = people(1_000);
    let contents: Vec<Content> = people.iter().map(Person::content).collect();
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = world.keyed_at(&folder.file(), 1);
    let log = world.open(&mut store, |w| &w.east);
    // Locked, as after a power cut at night.
    let batch = world.sign_all(&store, log, |w| &w.east, &contents[..500]);
    assert_eq!(store.receive(batch, NOW_MS).unwrap().appended, 500);
    assert_eq!(store.settle_all().unwrap().remaining, 500);
    assert_eq!(on_disk(&folder, &people), 0, "received while locked");
    // Unlocked and at work.
    store.unlock(office(1)).unwrap();
    assert_eq!(store.settle_all().unwrap().judged, 500);
    let batch = world.sign_all(&store, log, |w| &w.east, &contents[500..]);
    store.receive(batch, NOW_MS).unwrap();
    store.settle_all().unwrap();
    let reader = store.reader().unwrap();
    let byname = Query { text: Some(people[7].name.clone()), ..Query::default() };
    assert!(!reader.list(&byname).unwrap().rows.is_empty(), "the rows are really there");
    let record = reader.list(&byname).unwrap().rows[0].record;
    let edits = vec![put("applicant_name", text(&people[8].name))];
    let change = world.change(&store, log, |w| &w.east, record, edits, None);
    take(&mut store, vec![change]);
    drop(reader);
    assert_eq!(on_disk(&folder, &people), 0, "unlocked and running");
    store.lock().unwrap();
    assert_eq!(on_disk(&folder, &people), 0, "locked again");
    store.close().unwrap();
    assert_eq!(on_disk(&folder, &people), 0, "closed");
    // A thief who also reads the machine's key sees the entries' side and nobody in it.
    let image = folder.image();
    assert!(
        image.contains_key("view.db") && !image.contains_key("view.db-wal"),
        "{:?}",
        image.keys()
    );
    assert_eq!(found(decrypted(&folder).iter().map(Vec::as_slice), &people), 0);
}

#[test]
fn the_search_for_people_finds_them_where_nothing_is_encrypted() {
    let people = people(20);
    let contents: Vec<Content> = people.iter().map(Person::content).collect();
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = world.store_at(&folder.file());
    let log = world.open(&mut store, |w| &w.east);
    let batch = world.sign_all(&store, log, |w| &w.east, &contents);
    store.receive(batch, NOW_MS).unwrap();
    store.settle_all().unwrap();
    // Each of them in the body, in the row and in the view.
    assert!(on_disk(&folder, &people) >= 3 * 3 * 20, "{}", on_disk(&folder, &people));
}

/// Every value of every table of the entries' side, as whoever has the machine key reads them.
fn decrypted(folder: &Folder) -> Vec<Vec<u8>> {
    let conn = Connection::open(folder.file()).unwrap();
    let key: String = keys(1).machine.iter().map(|byte| format!("{byte:02x}")).collect();
    conn.execute_batch(&format!("PRAGMA key = \"x'{key}'\"; PRAGMA cipher_page_size = 8192;"))
        .unwrap();
    let sql = "SELECT name FROM sqlite_schema WHERE type = 'table'";
    let mut names = conn.prepare(sql).unwrap();
    let names = names.query_map([], |row| row.get::<_, String>(0)).unwrap();
    let mut values = Vec::new();
    for name in names.map(Result::unwrap) {
        let mut all = conn.prepare(&format!("SELECT * FROM \"{name}\"")).unwrap();
        let columns = all.column_count();
        let mut rows = all.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            for column in 0..columns {
                use rusqlite::types::ValueRef::{Blob, Text};
                if let Blob(bytes) | Text(bytes) = row.get_ref(column).unwrap() {
                    values.push(bytes.to_vec());
                }
            }
        }
    }
    assert!(values.len() > 5_000, "{} values", values.len());
    values
}

/// A store with some history, and everything in it as parcels.
fn history(world: &mut World) -> (Store, Vec<crate::world::Arrived>) {
    let mut store = world.store();
    let east = world.open(&mut store, |w| &w.east);
    let town = world.open(&mut store, |w| &w.town);
    for i in 0..6 {
        let record = world.write(&mut store, east, |w| &w.east, &content(&format!("{i}"), &[]));
        let edit = vec![put("applicant_name", text(&format!("甲{i}")))];
        let change = world.change(&store, east, |w| &w.east, record, edit, None);
        take(&mut store, vec![change]);
    }
    world.witness(&mut store, town, |w| &w.town, &[east]);
    let all = everything(&store);
    (store, all)
}

#[test]
fn what_came_while_locked_is_the_same_as_if_never_locked() {
    let mut world = World::new();
    let (open, all) = history(&mut world);
    let wanted = open.digest(None).unwrap();
    let folder = Folder::quick();
    let mut store = world.keyed_at(&folder.file(), 1);
    let half = all.len() / 2;
    store.receive(all[..half].to_vec(), NOW_MS).unwrap();
    // A power cut, a start without a person, and more entries.
    store.close().unwrap();
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    assert!(!store.is_unlocked());
    store.receive(all[half..].to_vec(), NOW_MS).unwrap();
    assert_eq!(store.logs().iter().count(), 2);
    store.unlock(office(1)).unwrap();
    assert!(store.is_unlocked());
    store.settle_all().unwrap();
    assert_eq!(store.digest(None).unwrap(), wanted);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
    // And after it was locked, closed, opened and unlocked once more.
    store.lock().unwrap();
    store.close().unwrap();
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    store.unlock(office(1)).unwrap();
    assert_eq!(store.settle_all().unwrap().judged, 0, "nothing was forgotten");
    assert_eq!(store.digest(None).unwrap(), wanted);
    assert_eq!(everything(&store).len(), all.len());
    assert!(everything(&store).iter().all(|(e, body)| body.is_some() == e.change().is_some()));
}

#[test]
fn a_locked_store_forwards_headers_and_says_why_it_shows_nothing() {
    let mut world = World::new();
    let (_, all) = history(&mut world);
    let folder = Folder::quick();
    let mut store = world.keyed_at(&folder.file(), 1);
    store.receive(all.clone(), NOW_MS).unwrap();
    let sent = everything(&store);
    assert_eq!(sent.len(), all.len());
    assert!(sent.iter().all(|(_, body)| body.is_none()), "no body leaves a locked store");
    let locked = |error: StoreError| {
        assert!(matches!(error, StoreError::Locked), "{error:?}");
        assert!(error.text(Lang::Zh).contains("解锁"));
    };
    let reader = store.reader().unwrap();
    assert!(!reader.is_readable());
    locked(reader.list(&Query::default()).unwrap_err());
    locked(reader.counts(&Query::default(), &[]).unwrap_err());
    locked(reader.record(xw_schemas::id::RecordId([1; 16])).unwrap_err());
    locked(store.digest(None).unwrap_err());
    locked(store.rebuild(&mut |_, _| {}).unwrap_err());
    locked(store.import_seen([1; 32]).unwrap_err());
    let record = all.iter().find_map(|(entry, _)| entry.change()).unwrap().record;
    locked(store.evidence(world.east.space(), record).unwrap_err());
    assert_eq!(reader.size().unwrap().entries, all.len() as u64);
    assert_eq!(reader.history(record).unwrap().len(), 2);
    let report = store.verify(&mut |_, _| {}).unwrap();
    assert!(report.is_clean() && report.locked && report.records == 0, "{report:?}");
    assert_eq!(report.entries, all.len() as u64);
    // The roster and the standings go on meanwhile.
    let edition = world.edition(store.roster(), vec![]);
    store.add_edition(edition).unwrap().unwrap();
    store.set_note("machine", Some(b"abc")).unwrap();
    assert_eq!(store.note("machine").unwrap().as_deref(), Some(&b"abc"[..]));
}

#[test]
fn readers_made_before_answer_no_more_once_the_store_is_locked() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = world.keyed_at(&folder.file(), 1);
    store.unlock(office(1)).unwrap();
    let log = world.open(&mut store, |w| &w.east);
    world.write(&mut store, log, |w| &w.east, &content("甲", &[]));
    let reader = store.reader().unwrap();
    assert_eq!(reader.list(&Query::default()).unwrap().rows.len(), 1);
    store.lock().unwrap();
    assert!(matches!(reader.list(&Query::default()), Err(StoreError::Locked)));
    drop(reader);
    store.unlock(office(1)).unwrap();
    assert_eq!(store.reader().unwrap().list(&Query::default()).unwrap().rows.len(), 1);
}

#[test]
fn other_keys_open_nothing_and_are_named() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = world.keyed_at(&folder.file(), 1);
    let wrong = store.unlock(office(2)).unwrap_err();
    assert!(matches!(wrong, StoreError::WrongOfficeKey), "{wrong:?}");
    assert!(wrong.zh().contains("机构密钥不对") && !store.is_unlocked());
    store.unlock(office(1)).unwrap();
    store.unlock(office(1)).unwrap();
    assert!(matches!(store.unlock(office(2)), Err(StoreError::WrongOfficeKey)));
    let log = world.open(&mut store, |w| &w.east);
    world.write(&mut store, log, |w| &w.east, &content("甲", &[]));
    store.close().unwrap();
    let path = folder.file();
    let refused = |keys| Store::open(&path, keys).unwrap_err();
    let machine = refused(Some(keys(2)));
    assert!(matches!(machine, StoreError::WrongMachineKey { .. }), "{machine:?}");
    assert!(!machine.is_damage() && machine.zh().contains("本机密钥"));
    let none = refused(None);
    assert!(matches!(none, StoreError::Keys { encrypted: true, .. }), "{none:?}");
    let mixed = xw_store::StoreKeys { machine: keys(1).machine, sealing: keys(2).sealing };
    assert!(matches!(refused(Some(mixed)), StoreError::WrongOfficeKey));
    assert!(Reader::open(&path).is_err());
    let reader = Reader::open_with(&path, Some(&keys(1)), Some(&office(1))).unwrap();
    assert_eq!(reader.list(&Query::default()).unwrap().rows.len(), 1);
    let reader = Reader::open_with(&path, Some(&keys(1)), Some(&office(2))).unwrap();
    assert!(matches!(reader.list(&Query::default()), Err(StoreError::Locked)));
    // A store without keys opens without them only.
    let plain = Folder::quick();
    let mut store = world.store_at(&plain.file());
    assert!(store.is_unlocked());
    assert!(matches!(store.unlock(office(1)), Err(StoreError::Keys { encrypted: false, .. })));
    store.lock().unwrap();
    assert!(store.is_unlocked());
    store.close().unwrap();
    let keyed = Store::open(&plain.file(), Some(keys(1))).unwrap_err();
    assert!(matches!(keyed, StoreError::Keys { encrypted: false, .. }), "{keyed:?}");
}

#[test]
fn rows_that_are_lost_or_of_another_time_are_worked_out_again() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = world.keyed_at(&folder.file(), 1);
    store.unlock(office(1)).unwrap();
    let log = world.open(&mut store, |w| &w.east);
    world.write(&mut store, log, |w| &w.east, &content("甲", &[]));
    store.lock().unwrap();
    let early = folder.image();
    store.unlock(office(1)).unwrap();
    world.write(&mut store, log, |w| &w.east, &content("乙", &[]));
    let wanted = store.digest(None).unwrap();
    store.close().unwrap();
    let late = folder.image();
    let rows = |image: &Image| image["view.db"].clone();
    let cases: [(&str, Option<Vec<u8>>); 3] = [
        ("deleted", None),
        ("of an earlier time", Some(rows(&early))),
        ("of no database", Some(vec![7; 30_000])),
    ];
    for (what, rows) in cases {
        let mut image = late.clone();
        image.remove("view.db");
        image.extend(rows.map(|rows| ("view.db".to_owned(), rows)));
        let folder = Folder::of(&image);
        let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
        store.unlock(office(1)).unwrap();
        assert_eq!(store.settle_all().unwrap().judged, 2, "{what}");
        assert_eq!(store.digest(None).unwrap(), wanted, "{what}");
        assert!(store.verify(&mut |_, _| {}).unwrap().is_clean(), "{what}");
    }
    // The other way round: entries put back from an earlier time, under rows that know more.
    let mut image = late;
    image.insert("store.db".into(), early["store.db"].clone());
    image.extend(early.get("store.db-wal").map(|wal| ("store.db-wal".to_owned(), wal.clone())));
    let folder = Folder::of(&image);
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    assert!(store.opened().lost_something(), "{:?}", store.opened());
    store.unlock(office(1)).unwrap();
    store.settle_all().unwrap();
    assert_eq!(store.digest(None).unwrap().records, 1);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}

#[test]
fn where_a_record_came_from_is_remembered_under_the_offices_key() {
    let (world, folder) = (World::new(), Folder::quick());
    let mut store = world.keyed_at(&folder.file(), 1);
    store.unlock(office(1)).unwrap();
    let record = xw_schemas::id::RecordId([5; 16]);
    let import = Import { fingerprint: [1; 32], digest: [2; 32], record, file: [3; 32], row: 4 };
    store.note_imports(&[import]).unwrap();
    assert_eq!(store.import_seen([1; 32]).unwrap(), Some(import));
    store.lock().unwrap();
    assert!(matches!(store.note_imports(&[import]), Err(StoreError::Locked)));
    // Rows may be thrown away; what was imported may not be forgotten.
    store.close().unwrap();
    std::fs::remove_file(folder.rows()).unwrap();
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    store.unlock(office(1)).unwrap();
    assert_eq!(store.import_seen([1; 32]).unwrap(), Some(import));
}

#[test]
fn words_of_a_row_that_was_replaced_are_gone_after_scrubbing() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = world.store_at(&folder.file());
    let log = world.open(&mut store, |w| &w.east);
    let secret = "zqxjkvbwpy";
    let fields = [("applicant_name", text(secret))];
    let record = world.write(&mut store, log, |w| &w.east, &content("甲", &fields));
    let edit = vec![put("applicant_name", text("乙"))];
    let change = world.change(&store, log, |w| &w.east, record, edit, None);
    take(&mut store, vec![change]);
    let eq = Op::Eq(text(secret));
    let fields = vec![Filter { path: "applicant_name".into(), op: eq }];
    let query = Query { fields, ..Query::default() };
    assert!(store.reader().unwrap().list(&query).unwrap().rows.is_empty());
    let rows_say = |folder: &Folder| {
        let image = folder.image();
        let rows = image.iter().filter(|(name, _)| name.starts_with("view.db"));
        rows.flat_map(|(_, bytes)| bytes.windows(secret.len())).any(|w| w == secret.as_bytes())
    };
    assert!(rows_say(&folder), "the index keeps them until then");
    assert!(store.scrub().unwrap());
    assert!(!rows_say(&folder));
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}
