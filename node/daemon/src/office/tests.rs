//! What an office's PC does when something came in between: a program that ended, a disk that takes
//! nothing more.

use serde_json::json;
use xw_bootstrap::synthetic::TOWNSHIP;
use xw_ledger::draft::{Author, Tail, open_log, write_erasure, write_witness};
use xw_ledger::standing::Standing;
use xw_schemas::entry::{Erasure, ErasureGround};
use xw_schemas::id::{Incarnation, RecordId};
use xw_schemas::space::{Audience, Space};

use super::*;
use crate::clock;
use crate::request::Request;
use crate::serve::{self, Reply};
use crate::world::{World, case, county_node, told};

#[test]
fn a_receipt_that_was_not_written_at_once_is_written_when_the_store_is_opened_again() {
    let world = World::of(TOWNSHIP, "receipts");
    let mut office = signed_in(&world);
    let record = RecordId::parse(&case(&mut office, "将被删除")).unwrap();
    ask_erasure(&mut office, &world, record, 0);
    ask_erasure(&mut office, &world, record, 1);
    county_witnesses(&mut office);
    // Judging removes the contents and writes nothing by itself: the node may be holding back.
    let before = entries(&office);
    office.settle_all().unwrap();
    assert_eq!((answered(&office, record), entries(&office)), (Some(false), before));
    // The program ends before it could answer.
    office.store.close().unwrap();
    let mut office = signed_in(&world);
    office.answer_erasures().unwrap();
    office.settle_all().unwrap();
    assert_eq!(answered(&office, record), Some(true));
    // Once is enough, however often it is looked.
    let after = entries(&office);
    for _ in 0..2 {
        office.receipts.look_again();
        office.answer_erasures().unwrap();
    }
    assert_eq!((after, entries(&office)), (before + 1, before + 1));
}

#[test]
fn a_disk_that_takes_nothing_keeps_nobody_from_looking_and_signing_out() {
    let world = World::of(TOWNSHIP, "nothing-taken");
    let mut office = signed_in(&world);
    let record = case(&mut office, "写不进去");
    office.settle_all().unwrap();
    // Something waits to be judged, and nothing can be written.
    ask_erasure(&mut office, &world, RecordId::parse(&record).unwrap(), 0);
    take_nothing(&mut office, &world);
    assert!(office.settle_some().is_err(), "nothing waits, or it was written");
    told(&mut office, json!({"do": "status"}));
    told(&mut office, json!({"do": "keys"}));
    let shown = told(&mut office, json!({"do": "show", "record": record}));
    assert!(shown.to_string().contains("写不进去"), "{shown}");
    let out = told(&mut office, json!({"do": "lock"}));
    assert_eq!((out["out"].as_array().map(Vec::len), &out["open"]), (Some(2), &json!(false)));
}

#[test]
fn an_act_that_did_not_reach_the_disk_is_not_taken_for_said_again() {
    let world = World::of(TOWNSHIP, "not-said");
    let mut office = signed_in(&world);
    let record = RecordId::parse(&case(&mut office, "重发")).unwrap();
    let space = Space { division: office.division(), audience: Audience::Office };
    let held = office.store.evidence(space, record).unwrap().remove(0);
    let (entry, body) = (held.entry, held.body);
    let id = entry.id();
    let lost = republish::Lost { entry, body, standing: Standing::Disputed, mine: true };
    // It goes behind the end of another log than the one that it stands in.
    office.open_tail(space).unwrap();
    take_nothing(&mut office, &world);
    let said = office.say_again(space, record, std::slice::from_ref(&lost), None);
    assert_eq!(said.unwrap_err().code, "store");
    assert!(!office.is_done(&id));
    // The disk takes it again.
    drop(office);
    let mut office = signed_in(&world);
    assert_eq!(office.say_again(space, record, &[lost], None).unwrap(), 1);
    assert!(office.is_done(&id));
}

#[test]
fn a_slow_stick_keeps_nobody_waiting_but_who_asked_for_the_backup() {
    let world = World::of(TOWNSHIP, "slow-stick");
    let mut office = signed_in(&world);
    case(&mut office, "之前");
    let to = world.folder.path().join("backup");
    let asked = Request::Backup { to: to.clone() };
    let reply = serve::begin(&mut office, asked, &mut |_, _| {}).unwrap();
    let Reply::Aside(work) = reply else { panic!("it is made on the store's thread") };
    // The office works on before the first page is copied.
    case(&mut office, "其间");
    assert!(!to.exists());
    let made = std::thread::spawn(move || work(&mut |_, _| {})).join().unwrap().unwrap();
    assert!(made["entries"].as_u64() >= Some(2) && to.join("backup.json").exists(), "{made}");
}

fn signed_in(world: &World) -> Office {
    let mut office = world.open();
    for at in 0..2 {
        told(&mut office, world.unlock(at));
    }
    office
}

/// From here on the store refuses every write.
fn take_nothing(office: &mut Office, world: &World) {
    let keys = office.folder.key_files().machine_keys().unwrap();
    let keys = StoreKeys { machine: keys.database, sealing: office.keys.sealing() };
    let opened = office.keys.operators().unwrap().open(&world.people[0].key.seed()).unwrap();
    office.store = Store::open_read_only(&office.folder.store_path(), Some(keys)).unwrap();
    office.store.unlock(opened).unwrap();
}

/// One person's request, on disk and not judged yet.
fn ask_erasure(office: &mut Office, world: &World, record: RecordId, at: usize) {
    let space = Space { division: office.division(), audience: Audience::Office };
    let tail = office.tail(space).unwrap();
    let author = Author { node: &office.node, person: Some(&world.people[at].key) };
    let (record_type, ground) = ("SVC".to_owned(), ErasureGround::ConsentWithdrawn);
    let erasure = Erasure { record, record_type, ground };
    let signed = write_erasure(office.store.roster(), &tail, erasure, author, clock::act());
    office.keep(vec![signed.unwrap()]).unwrap();
}

/// The county puts its word to all that the office has written.
fn county_witnesses(office: &mut Office) {
    let space = Space { division: office.division(), audience: Audience::Office };
    let own: Vec<_> = office.store.logs().iter().map(|(log, _)| *log).collect();
    let node = county_node();
    let author = Author { node: &node, person: None };
    let roster = office.store.roster();
    let opened = open_log(roster, space, author, Incarnation([7; 16]), clock::act(), None).unwrap();
    let log = opened.entry.core().log;
    office.store.receive(vec![(opened.entry, None)], clock::now_ms()).unwrap();
    let (roster, logs) = (office.store.roster(), office.store.logs());
    let tail = Tail::of(logs, log).unwrap();
    let said = write_witness(roster, logs, &tail, &own, author, clock::act()).unwrap().unwrap();
    office.store.receive(vec![(said.entry, None)], clock::now_ms()).unwrap();
}

/// Whether the tombstone of a record names this node among those who have answered.
fn answered(office: &Office, record: RecordId) -> Option<bool> {
    let details = office.reader.record(record).unwrap();
    let tombstone = details.into_iter().find_map(|detail| detail.view.erased)?;
    Some(tombstone.done.contains(&office.own_key()))
}

fn entries(office: &Office) -> u64 {
    let own = office.own_key();
    let logs = office.store.logs().iter().filter(|(_, log)| log.node == own);
    logs.map(|(_, log)| log.size()).sum()
}
