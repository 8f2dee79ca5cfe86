//! Pages that do not open under their key: what lies on them is lost, and nothing else.

use rusqlite::Connection;
use xw_schemas::cose::SecretKey;
use xw_schemas::id::LogId;
use xw_store::{FindingCode, Founding, Leftovers, Query, Salvaged, Store, StoreError};

use crate::world::{
    Arrived, Folder, Image, NOW_MS, World, content, everything, facts_of, keys, office, text,
};

/// Entries of the east, which begin the file, and of the west, which lie behind them.
const EAST: u64 = 41;
const WEST: u64 = 501;

/// A store in which the west's entries follow on the east's.
fn filled(world: &mut World, folder: &Folder) -> (Store, LogId, LogId) {
    let mut store = world.keyed_at(&folder.file(), 1);
    store.unlock(office(1)).unwrap();
    let contents = |count: u64| -> Vec<_> {
        (1..count).map(|i| content(&format!("事项{i}"), &[])).collect()
    };
    let east = world.open(&mut store, |w| &w.east);
    let batch = world.sign_all(&store, east, |w| &w.east, &contents(EAST));
    store.receive(batch, NOW_MS).unwrap();
    let west = world.open(&mut store, |w| &w.west);
    let batch = world.sign_all(&store, west, |w| &w.west, &contents(WEST));
    store.receive(batch, NOW_MS).unwrap();
    store.settle_all().unwrap();
    (store, east, west)
}

/// The pages of a table that hold its rows, in their order.
fn leaves(folder: &Folder, table: &str) -> Vec<usize> {
    pages(folder, table, "leaf")
}

fn pages(folder: &Folder, table: &str, kind: &str) -> Vec<usize> {
    let conn = Connection::open(folder.file()).unwrap();
    let key: String = keys(1).machine.iter().map(|byte| format!("{byte:02x}")).collect();
    conn.execute_batch(&format!("PRAGMA key = \"x'{key}'\"; PRAGMA cipher_page_size = 8192;"))
        .unwrap();
    let sql = "SELECT pageno FROM dbstat WHERE name = ?1 AND pagetype = ?2 ORDER BY path";
    let mut statement = conn.prepare(sql).unwrap();
    let pages = statement.query_map([table, kind], |row| row.get::<_, i64>(0)).unwrap();
    pages.map(|page| usize::try_from(page.unwrap()).unwrap()).collect()
}

/// Changes one bit of a page, as a disk does.
fn rot(bytes: &mut [u8], page: usize) {
    bytes[(page - 1) * 8_192 + 4_000] ^= 1;
}

fn rot_file(folder: &Folder, page: usize) {
    let mut bytes = std::fs::read(folder.file()).unwrap();
    rot(&mut bytes, page);
    std::fs::write(folder.file(), bytes).unwrap();
}

fn salvage(world: &World, image: &Image) -> (Store, Salvaged, [Folder; 2]) {
    let (damaged, fresh) = (Folder::of(image), Folder::quick());
    let founding = Founding {
        founding: world.founding.clone(),
        definitions: world.types(),
        own: Some(world.east.node.public()),
    };
    let (store, salvaged) =
        Store::salvage(&damaged.file(), &fresh.file(), founding, Some(keys(1))).unwrap();
    (store, salvaged, [damaged, fresh])
}

#[test]
fn a_bad_page_near_the_beginning_costs_its_own_entries_and_none_behind_it() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let (store, east, west) = filled(&mut world, &folder);
    store.close().unwrap();
    let page = leaves(&folder, "entry")[0];
    let mut image = folder.image();
    rot(image.get_mut("store.db").unwrap(), page);
    let (store, salvaged, _folders) = salvage(&world, &image);
    assert!((1..EAST).contains(&salvaged.unreadable), "{salvaged:?}");
    assert_eq!(salvaged.unverified, 0);
    assert_eq!(salvaged.entries + salvaged.unreadable + salvaged.unplaced, EAST + WEST);
    assert_eq!(store.logs().log(&west).unwrap().size(), WEST);
    // The first page held the beginning of the east's log, on which the rest follows.
    assert!(store.logs().log(&east).is_none());
}

#[test]
fn bad_pages_of_bodies_cost_their_bodies_alone() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let (store, ..) = filled(&mut world, &folder);
    store.close().unwrap();
    let pages = leaves(&folder, "body");
    let mut image = folder.image();
    for page in [pages[0], pages[pages.len() / 2]] {
        rot(image.get_mut("store.db").unwrap(), page);
    }
    let (mut store, salvaged, _folders) = salvage(&world, &image);
    assert_eq!((salvaged.entries, salvaged.unreadable), (EAST + WEST, 0));
    let changes = EAST + WEST - 2;
    let lost = changes - salvaged.bodies;
    assert!(lost > 0 && lost < changes / 4, "{salvaged:?}");
    // What was kept is what the entries bind.
    store.unlock(office(1)).unwrap();
    store.settle_all().unwrap();
    let report = store.verify(&mut |_, _| {}).unwrap();
    assert!(report.is_clean() && report.bodies == salvaged.bodies, "{report:?}");
}

#[test]
fn verify_names_the_places_on_a_bad_page_and_no_others() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let (store, ..) = filled(&mut world, &folder);
    store.close().unwrap();
    let page = leaves(&folder, "entry")[1];
    // Opened before the page goes bad, for opening would refuse.
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    store.unlock(office(1)).unwrap();
    rot_file(&folder, page);
    let report = store.verify(&mut |_, _| {}).unwrap();
    let unreadable: Vec<i64> = report
        .findings
        .iter()
        .filter(|finding| finding.code == FindingCode::Unreadable)
        .filter_map(|finding| finding.place.strip_prefix("entry ")?.parse().ok())
        .collect();
    assert!(!unreadable.is_empty() && unreadable.len() < 41, "{unreadable:?}");
    let beyond = unreadable.last().unwrap() - unreadable[0];
    assert_eq!(beyond + 1, unreadable.len() as i64, "one page, one range: {unreadable:?}");
    assert_eq!(report.entries + unreadable.len() as u64, EAST + WEST);
}

/// The pages on which the ends of long bodies lie.
fn overflow(folder: &Folder) -> Vec<usize> {
    pages(folder, "body", "overflow")
}

/// A store that was closed, opened again, and whose disk then changes one page.
fn at_work(folder: &Folder, page: usize) -> Store {
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    assert!(!store.opened().unclean);
    store.unlock(office(1)).unwrap();
    rot_file(folder, page);
    store
}

/// Everything of a log as a neighbour would be sent it.
fn send(store: &Store, log: LogId) -> Result<usize, StoreError> {
    let path = store.logs().log(&log).unwrap();
    let points: Vec<_> = (0..).zip(path.path(*path.tips().first().unwrap()).unwrap()).collect();
    store.parcels(log, &points, usize::MAX, |_| true).map(|parcels| parcels.len())
}

#[test]
fn damage_met_at_work_ends_the_work_and_the_next_start_finds_it() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let (store, _, west) = filled(&mut world, &folder);
    store.close().unwrap();
    let pages = leaves(&folder, "body");
    let mut store = at_work(&folder, pages[pages.len() / 2]);
    assert!(!store.is_broken());
    let met = send(&store, west).unwrap_err();
    assert!(met.is_fatal() && met.zh().contains("重新启动"), "{met:?}");
    assert!(store.is_broken());
    let refused = store.set_note("machine", Some(b"PC 1")).unwrap_err();
    assert!(matches!(refused, StoreError::Broken), "{refused:?}");
    // However orderly the end, the next start looks at every page.
    store.close().unwrap();
    let found = Store::open(&folder.file(), Some(keys(1))).unwrap_err();
    assert!(found.is_damage(), "{found:?}");
    let (_, salvaged, _folders) = salvage(&world, &folder.image());
    assert_eq!(salvaged.entries, EAST + WEST);
}

#[test]
fn the_end_of_a_long_body_that_went_bad_is_noticed_although_nobody_says_so() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let (mut store, east, _) = filled(&mut world, &folder);
    // Letters that no packing makes shorter than a page.
    let mut state = 7_u64;
    let letters: String = (0..19_500)
        .map(|_| {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            char::from(b'a' + u8::try_from(state >> 60).unwrap())
        })
        .collect();
    let long = content("长", &[("applicant_name", text(&letters))]);
    let batch = world.sign_all(&store, east, |w| &w.east, &[long]);
    store.receive(batch, NOW_MS).unwrap();
    store.close().unwrap();
    let page = *overflow(&folder).last().expect("a body longer than a page");
    let mut store = at_work(&folder, page);
    // SQLite itself gives zeroes for what lies there, and calls it well.
    let to = Folder::quick();
    let copied = store.backup(&to.file(), Some(keys(1).machine), NOW_MS).unwrap_err();
    assert!(copied.is_fatal() && !to.file().exists(), "{copied:?}");
    assert!(send(&store, east).is_err());
    assert!(store.is_broken());
    assert!(matches!(store.set_note("machine", None), Err(StoreError::Broken)));
    drop(store);
    let found = Store::open(&folder.file(), Some(keys(1))).unwrap_err();
    assert!(found.is_damage(), "{found:?}");
}

#[test]
fn rows_that_went_bad_at_work_are_worked_out_again_at_the_next_start() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let (store, ..) = filled(&mut world, &folder);
    let wanted = store.digest(None).unwrap();
    store.close().unwrap();
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    store.unlock(office(1)).unwrap();
    let mut bytes = std::fs::read(folder.rows()).unwrap();
    let pages = bytes.len() / 8_192;
    (pages / 2..=pages).for_each(|page| rot(&mut bytes, page));
    std::fs::write(folder.rows(), bytes).unwrap();
    let reader = store.reader().unwrap();
    let met = reader.list(&Query::default()).unwrap_err();
    assert!(met.is_fatal(), "{met:?}");
    store.give_up();
    drop(reader);
    store.close().unwrap();
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    assert!(store.opened().unclean);
    store.unlock(office(1)).unwrap();
    store.settle_all().unwrap();
    assert_eq!(store.digest(None).unwrap(), wanted);
}

#[test]
fn a_store_that_is_doubted_works_on_and_is_looked_at_when_it_starts_again() {
    let (world, folder) = (World::new(), Folder::quick());
    let mut store = world.keyed_at(&folder.file(), 1);
    store.doubt();
    store.set_note("machine", Some(b"PC 1")).unwrap();
    store.close().unwrap();
    let store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    assert!(store.opened().unclean && !store.opened().lost_something());
    assert_eq!(store.note("machine").unwrap().as_deref(), Some(&b"PC 1"[..]));
}

/// One pass over what a damaged store holds: entries that have their places now, and that still have
/// none.
fn pass(store: &mut Store, left: &mut Leftovers) -> (usize, u64) {
    let mut placed = 0;
    loop {
        let tried = store.try_leftovers(left).unwrap();
        placed += tried.placed.len();
        if let Some(pass) = tried.pass {
            assert_eq!(pass.entries, placed as u64);
            return (placed, pass.unplaced);
        }
    }
}

#[test]
fn entries_whose_roster_was_lost_have_their_places_when_it_comes_back() {
    let (mut world, folder) = (World::new(), Folder::quick());
    // The east's PC came later than the founding.
    world.east.node = SecretKey::from_seed(&[77; 32]);
    let enrols = world.edition(&world.roster(), vec![facts_of(&world.east, &[]).remove(1)]);
    let mut store = world.keyed_at(&folder.file(), 1);
    store.unlock(office(1)).unwrap();
    assert!(store.add_edition(enrols.clone()).unwrap().unwrap());
    let log = world.open(&mut store, |w| &w.east);
    let contents: Vec<_> = (1..EAST).map(|i| content(&format!("事项{i}"), &[])).collect();
    let batch = world.sign_all(&store, log, |w| &w.east, &contents);
    store.receive(batch, NOW_MS).unwrap();
    store.settle_all().unwrap();
    let wanted = store.digest(None).unwrap();
    store.close().unwrap();
    let mut image = folder.image();
    rot(image.get_mut("store.db").unwrap(), leaves(&folder, "edition")[0]);
    let (mut store, salvaged, [damaged, _fresh]) = salvage(&world, &image);
    assert_eq!((salvaged.entries, salvaged.unplaced, salvaged.unverified), (0, EAST, 0));
    assert!(salvaged.leaves_some());
    let mut left = store.leftovers(&damaged.file()).unwrap();
    assert_eq!(pass(&mut store, &mut left), (0, EAST));
    // A neighbour has the roster.
    assert!(store.add_edition(enrols).unwrap().unwrap());
    assert_eq!(pass(&mut store, &mut left), (EAST as usize, 0));
    assert_eq!(pass(&mut store, &mut left), (0, 0));
    store.unlock(office(1)).unwrap();
    store.settle_all().unwrap();
    assert_eq!(store.digest(None).unwrap(), wanted);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}

#[test]
fn entries_behind_a_gap_have_their_places_when_it_is_filled() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let (store, ..) = filled(&mut world, &folder);
    let (all, wanted) = (everything(&store), store.digest(None).unwrap());
    store.close().unwrap();
    let mut image = folder.image();
    let pages = leaves(&folder, "entry");
    rot(image.get_mut("store.db").unwrap(), pages[pages.len() / 2]);
    let (mut store, salvaged, [damaged, _fresh]) = salvage(&world, &image);
    assert!(salvaged.unreadable > 0 && salvaged.unplaced > 100, "{salvaged:?}");
    // A neighbour has the lost ones and nothing of what came after.
    let lost: Vec<_> = {
        let held = |(entry, _): &&Arrived| {
            store.logs().holds(&entry.core().log, entry.core().sequence, &entry.id())
        };
        let missing = all.iter().filter(|one| !held(one)).cloned();
        missing.take(usize::try_from(salvaged.unreadable).unwrap()).collect()
    };
    store.receive(lost, NOW_MS).unwrap();
    let mut left = store.leftovers(&damaged.file()).unwrap();
    let (placed, unplaced) = pass(&mut store, &mut left);
    assert_eq!((placed as u64, unplaced), (salvaged.unplaced, 0));
    store.unlock(office(1)).unwrap();
    store.settle_all().unwrap();
    assert_eq!(store.digest(None).unwrap(), wanted);
}
