//! Erasure on disk: contents go from every byte, entries stay and verify, and nothing brings the
//! contents back.

use xw_ledger::draft::{Author, Tail, write_erasure, write_witness};
use xw_schemas::entry::{Erasure, ErasureGround};
use xw_schemas::id::{LogId, RecordId};
use xw_store::{Query, Store};

use crate::world::{Arrived, Desk, Folder, NOW_MS, World, content, everything, take, text};

const SECRET: &str = "龘靐齉十四行街八号";

fn request(
    world: &mut World,
    store: &Store,
    log: LogId,
    who: fn(&World) -> &Desk,
    record: RecordId,
) -> xw_ledger::draft::Signed {
    let act = world.act();
    let desk = who(world);
    let author = Author { node: &desk.node, person: Some(&desk.person) };
    let erasure =
        Erasure { record, record_type: "NTE".into(), ground: ErasureGround::ConsentWithdrawn };
    let tail = Tail::of(store.logs(), log).unwrap();
    write_erasure(store.roster(), &tail, erasure, author, act).unwrap()
}

fn on_disk(folder: &Folder, needle: &str) -> bool {
    let found = |bytes: &Vec<u8>| bytes.windows(needle.len()).any(|w| w == needle.as_bytes());
    folder.image().values().any(found)
}

struct Erased {
    world: World,
    folder: Folder,
    store: Store,
    log: LogId,
    record: RecordId,
    /// The record's first entry, as a neighbour may send it again.
    first: Arrived,
}

fn erased() -> Erased {
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = world.store_at(&folder.file());
    let log = world.open(&mut store, |w| &w.east);
    let space = world.east.space();
    let above = world.open_in(&mut store, |w| &w.town, space);
    let county = world.open_in(&mut store, |w| &w.county, space);
    for at in 0..40 {
        let other = content(&format!("别的记录{at}"), &[("applicant_name", text("赵一"))]);
        world.write(&mut store, log, |w| &w.east, &other);
    }
    let secret = content(SECRET, &[("applicant_name", text(SECRET))]);
    let tail = Tail::of(store.logs(), log).unwrap();
    let (record, signed) = world.new_entry(&store.roster().clone(), &tail, |w| &w.east, &secret);
    let first = (signed.entry.clone(), signed.body.clone());
    take(&mut store, vec![signed]);
    store.settle_all().unwrap();
    assert!(on_disk(&folder, SECRET), "the secret is there to be removed");
    let one = request(&mut world, &store, log, |w| &w.east, record);
    take(&mut store, vec![one]);
    store.settle_all().unwrap();
    assert!(on_disk(&folder, SECRET), "one person removes nothing");
    let other = request(&mut world, &store, above, |w| &w.town, record);
    take(&mut store, vec![other]);
    assert!(on_disk(&folder, SECRET), "nothing goes before the county has witnessed both");
    county_witnesses(&mut world, &mut store, county, &[log, above]);
    let settled = store.settle_all().unwrap();
    let changed = settled.changed.iter().find(|changed| changed.record == record).unwrap();
    assert!(changed.erased.is_some());
    Erased { world, folder, store, log, record, first }
}

/// The county puts its word to these logs.
fn county_witnesses(world: &mut World, store: &mut Store, county: LogId, logs: &[LogId]) {
    let act = world.act();
    let author = Author { node: &world.county.node, person: None };
    let tail = Tail::of(store.logs(), county).unwrap();
    let pins = write_witness(store.roster(), store.logs(), &tail, logs, author, act);
    let pins = pins.unwrap().unwrap();
    store.receive(vec![(pins.entry, pins.body)], NOW_MS).unwrap();
}

#[test]
fn erased_contents_are_in_no_byte_of_the_disk_and_every_entry_verifies() {
    let Erased { folder, store, record, .. } = erased();
    assert!(!on_disk(&folder, SECRET));
    let report = store.verify(&mut |_, _| {}).unwrap();
    assert!(report.findings.is_empty(), "{:?}", report.findings);
    let page = store.reader().unwrap().list(&Query { limit: 100, ..Query::default() }).unwrap();
    let row = page.rows.iter().find(|row| row.record == record).unwrap();
    assert_eq!(row.state, "erased");
    let by_name = Query { text: Some("十四行街".into()), ..Query::default() };
    assert!(store.reader().unwrap().list(&by_name).unwrap().rows.is_empty());
    assert!(on_disk(&folder, "别的记录7"), "what others wrote stays");
}

/// How many of ten times as many records are erased; `XW_ERASURES=1000` is the office's figure.
fn erasures() -> usize {
    std::env::var("XW_ERASURES").ok().and_then(|text| text.parse().ok()).unwrap_or(20)
}

#[test]
fn of_many_records_those_that_two_persons_erase_are_gone_and_everything_verifies() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = world.store_at(&folder.file());
    let log = world.open(&mut store, |w| &w.east);
    let space = world.east.space();
    let above = world.open_in(&mut store, |w| &w.town, space);
    let county = world.open_in(&mut store, |w| &w.county, space);
    let (erased, all) = (erasures(), 10 * erasures());
    let mut secret = Vec::new();
    for at in 0..all {
        let is_secret = at % 10 == 3;
        let name = if is_secret { format!("龘靐{at:05}号") } else { format!("赵{at:05}号") };
        let made = content(&name, &[("applicant_name", text(&name))]);
        let record = world.write(&mut store, log, |w| &w.east, &made);
        secret.extend(is_secret.then_some(record));
    }
    store.settle_all().unwrap();
    assert_eq!(secret.len(), erased);
    assert!(on_disk(&folder, "龘靐"), "the search is not blind");
    let before: Vec<_> = everything(&store).into_iter().map(|(entry, _)| entry.id()).collect();
    for record in &secret {
        let one = request(&mut world, &store, log, |w| &w.east, *record);
        take(&mut store, vec![one]);
        let other = request(&mut world, &store, above, |w| &w.town, *record);
        take(&mut store, vec![other]);
    }
    county_witnesses(&mut world, &mut store, county, &[log, above]);
    store.settle_all().unwrap();
    assert!(!on_disk(&folder, "龘靐"), "something of what was erased is on the disk");
    // Every entry is there as it was, and every signature, chain and commitment verifies.
    let held = everything(&store);
    assert!(before.iter().all(|id| held.iter().any(|(entry, _)| entry.id() == *id)));
    let report = store.verify(&mut |_, _| {}).unwrap();
    assert!(report.is_clean(), "{:?}", report.findings.first());
    assert_eq!(report.entries as usize, 4 + all + 2 * erased);
    let page =
        store.reader().unwrap().list(&Query { limit: 1, count_total: true, ..Query::default() });
    assert_eq!(page.unwrap().total, Some(all as u64));
    assert!(on_disk(&folder, "00001号"), "what others wrote stays");
}

#[test]
fn a_body_that_comes_again_does_not_stay() {
    let Erased { folder, mut store, first, log, record, mut world } = erased();
    assert!(
        !store.without_bodies().unwrap().iter().any(|(_, at, _)| *at == first.0.core().sequence)
    );
    let first_point = (first.0.core().sequence, first.0.id());
    let received = store.receive(vec![first], NOW_MS).unwrap();
    assert_eq!((received.duplicates, received.bodies), (1, 0));
    let held = store.evidence(store.logs().log(&log).unwrap().space, record).unwrap();
    assert!(held.iter().all(|held| held.body.is_none()), "not even until the record is judged");
    let parcels = store.parcels(log, &[first_point], 1 << 20, |_| true).unwrap();
    assert!(parcels.iter().all(|parcel| parcel.body.is_none()));
    store.settle_all().unwrap();
    assert!(!on_disk(&folder, SECRET));
    // Somebody who has not heard of it writes on.
    let more = content(SECRET, &[]);
    let tail = Tail::of(store.logs(), log).unwrap();
    let (_, signed) = world.new_entry(&store.roster().clone(), &tail, |w| &w.east, &more);
    take(&mut store, vec![signed]);
    store.settle_all().unwrap();
    assert!(on_disk(&folder, SECRET), "another record keeps its own contents");
    let digest = store.digest(None).unwrap();
    store.rebuild(&mut |_, _| {}).unwrap();
    assert_eq!(store.digest(None).unwrap(), digest);
    let held = store.evidence(store.logs().log(&log).unwrap().space, record).unwrap();
    assert!(held.iter().all(|held| held.body.is_none()));
}
