//! Copies, damaged files read as far as that goes, and stores that are only looked at.

use xw_schemas::checkpoint::Checkpoint;
use xw_store::{Copier, Founding, Query, Store, StoreError};
use zeroize::Zeroizing;

use crate::world::{Folder, Image, NOW_MS, World, content, everything, keys, office, take, text};

/// A keyed store with eight records, open.
fn filled(world: &mut World, folder: &Folder) -> Store {
    let mut store = world.keyed_at(&folder.file(), 1);
    store.unlock(office(1)).unwrap();
    let log = world.open(&mut store, |w| &w.east);
    for i in 0..8 {
        let fields = [("applicant_name", text("王秀英"))];
        world.write(&mut store, log, |w| &w.east, &content(&format!("事项{i}"), &fields));
    }
    let log = store.logs().log(&log).unwrap();
    let network = store.roster().network();
    let id = *store.logs().iter().next().unwrap().0;
    let checkpoint = Checkpoint { network, log: id, size: log.size(), root: log.root() };
    let note = checkpoint.sign(&world.east.node);
    store.set_checkpoint(&note).unwrap();
    store.set_note("machine", Some(b"PC 1")).unwrap();
    store
}

#[test]
fn a_copy_made_while_the_store_works_is_whole_and_says_that_it_is_a_copy() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = filled(&mut world, &folder);
    let wanted = store.digest(None).unwrap();
    let copies = Folder::quick();
    let other_key = || Some(Zeroizing::new([77; 32]));
    // Made on another thread, while this one writes.
    let copier: Copier = store.copier();
    let to = copies.file();
    std::thread::scope(|scope| {
        let making = scope.spawn(|| copier.copy(&to, other_key(), NOW_MS, &mut |_, _| {}));
        making.join().unwrap().unwrap();
    });
    let log = *store.logs().iter().next().unwrap().0;
    world.write(&mut store, log, |w| &w.east, &content("后来", &[]));
    assert_eq!(
        copies.image().keys().collect::<Vec<_>>(),
        ["store.db"],
        "one file and nothing else"
    );
    assert!(matches!(store.backup(&to, other_key(), NOW_MS), Err(StoreError::Exists { .. })));
    let refused = store.backup(&copies.rows(), None, NOW_MS).unwrap_err();
    assert!(matches!(refused, StoreError::Keys { encrypted: true, .. }), "{refused:?}");
    assert_eq!(store.restore_marker().unwrap(), None);
    let mut keys = keys(1);
    keys.machine = other_key().unwrap();
    let mut copy = Store::open(&to, Some(keys.clone())).unwrap();
    assert_eq!(copy.restore_marker().unwrap().unwrap().made_ms, NOW_MS);
    assert!(!copy.opened().unclean && !copy.opened().lost_something());
    assert_eq!(copy.note("machine").unwrap().as_deref(), Some(&b"PC 1"[..]));
    copy.unlock(office(1)).unwrap();
    copy.settle_all().unwrap();
    assert_eq!(copy.digest(None).unwrap(), wanted);
    assert!(copy.verify(&mut |_, _| {}).unwrap().is_clean());
    copy.clear_restore_marker().unwrap();
    assert_eq!(copy.restore_marker().unwrap(), None);
    copy.close().unwrap();
    assert_eq!(Store::open(&to, Some(keys)).unwrap().restore_marker().unwrap(), None);
}

#[test]
fn a_copy_put_back_in_the_old_place_is_known_to_be_behind() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = filled(&mut world, &folder);
    let copies = Folder::quick();
    store.backup(&copies.file(), Some(keys(1).machine), NOW_MS).unwrap();
    let log = *store.logs().iter().next().unwrap().0;
    world.write(&mut store, log, |w| &w.east, &content("后来", &[]));
    store.close().unwrap();
    std::fs::copy(copies.file(), folder.file()).unwrap();
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    assert!(store.restore_marker().unwrap().is_some());
    let behind = &store.opened().behind;
    assert_eq!((behind.len(), behind[0].size, behind[0].held), (1, 10, 9));
    // The rows that lie there know more than the entries, and are not believed.
    store.unlock(office(1)).unwrap();
    store.settle_all().unwrap();
    assert_eq!(store.digest(None).unwrap().records, 8);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}

#[test]
fn a_store_in_memory_and_one_without_keys_can_be_copied_too() {
    let mut world = World::new();
    let mut store = world.store();
    let log = world.open(&mut store, |w| &w.east);
    world.write(&mut store, log, |w| &w.east, &content("甲", &[]));
    let folder = Folder::quick();
    store.backup(&folder.file(), None, NOW_MS).unwrap();
    let mut copy = Store::open(&folder.file(), None).unwrap();
    copy.settle_all().unwrap();
    assert_eq!(copy.digest(None).unwrap(), store.digest(None).unwrap());
    assert!(copy.restore_marker().unwrap().is_some());
}

#[test]
fn what_can_be_read_of_a_damaged_store_is_brought_into_a_new_one() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let store = filled(&mut world, &folder);
    let (all, wanted) = (everything(&store), store.digest(None).unwrap());
    store.close().unwrap();
    let sound = folder.image();
    let salvage = |image: &Image| {
        let (damaged, fresh) = (Folder::of(image), Folder::quick());
        let founding = Founding {
            founding: world.founding.clone(),
            definitions: world.types(),
            own: Some(world.east.node.public()),
        };
        let salvaged = Store::salvage(&damaged.file(), &fresh.file(), founding, Some(keys(1)));
        salvaged.map(|(store, salvaged)| (store, salvaged, fresh))
    };
    let (mut whole, salvaged, _folder) = salvage(&sound).unwrap();
    assert_eq!((salvaged.entries, salvaged.bodies, salvaged.unreadable), (9, 8, 0));
    assert_eq!((salvaged.unverified, salvaged.unplaced, salvaged.others), (0, 0, 2));
    assert_eq!(whole.note("machine").unwrap().as_deref(), Some(&b"PC 1"[..]));
    whole.unlock(office(1)).unwrap();
    whole.settle_all().unwrap();
    assert_eq!(whole.digest(None).unwrap(), wanted);
    // Page after page is damaged: whatever comes out verifies, and is a part of what was there.
    let (mut out, mut nothing) = (0, 0);
    for page in 0..sound["store.db"].len() / 8_192 {
        let mut image = sound.clone();
        image.get_mut("store.db").unwrap()[page * 8_192 + 4_000] ^= 1;
        let Ok((mut store, salvaged, _folder)) = salvage(&image) else {
            nothing += 1;
            continue;
        };
        out += salvaged.entries;
        store.unlock(office(1)).unwrap();
        store.settle_all().unwrap();
        assert!(store.verify(&mut |_, _| {}).unwrap().is_clean(), "page {page}");
        let known = everything(&store);
        assert!(known.iter().all(|(entry, _)| all.iter().any(|(held, _)| held.id() == entry.id())));
        // The rest comes from peers.
        store.receive(all.clone(), NOW_MS).unwrap();
        store.settle_all().unwrap();
        assert_eq!(store.digest(None).unwrap(), wanted, "page {page}");
    }
    println!("{out} entries salvaged in all, {nothing} files gave nothing");
    assert!(out > 50 && nothing < 3, "{out} salvaged, {nothing} gave nothing");
}

#[test]
fn a_store_that_is_only_read_is_checked_beside_its_owner_and_never_written() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let store = filled(&mut world, &folder);
    let mut looked_at = Store::open_read_only(&folder.file(), Some(keys(1))).unwrap();
    assert!(looked_at.verify(&mut |_, _| {}).unwrap().locked);
    looked_at.unlock(office(1)).unwrap();
    let report = looked_at.verify(&mut |_, _| {}).unwrap();
    assert!(report.is_clean() && report.records == 8, "{report:?}");
    assert_eq!(looked_at.digest(None).unwrap(), store.digest(None).unwrap());
    let rows = looked_at.reader().unwrap().list(&Query::default()).unwrap().rows;
    assert_eq!(rows.len(), 8);
    for refused in [
        looked_at.set_note("a", None).unwrap_err(),
        looked_at.receive(vec![], NOW_MS).unwrap_err(),
        looked_at.rebuild(&mut |_, _| {}).unwrap_err(),
        looked_at.scrub().unwrap_err(),
    ] {
        assert!(matches!(refused, StoreError::ReadOnly), "{refused:?}");
        assert!(refused.zh().contains("只读"));
    }
    drop(store);
    let image = folder.image();
    looked_at.close().unwrap();
    let plain = Folder::quick();
    drop(world.store_at(&plain.file()));
    let looked_at = Store::open_read_only(&plain.file(), None).unwrap();
    assert!(looked_at.verify(&mut |_, _| {}).unwrap().is_clean());
    assert_eq!(folder.image()["store.db"], image["store.db"]);
}

#[test]
fn a_store_whose_making_was_cut_short_is_made_again() {
    let (mut world, folder) = (World::new(), Folder::quick());
    std::fs::write(folder.file().with_extension("db.new"), b"half").unwrap();
    drop(world.store_at(&folder.file()));
    let exists = Store::create(&folder.file(), world.founding.clone(), world.types(), None, None);
    assert!(matches!(exists.unwrap_err(), StoreError::Exists { .. }));
    // What another store of that name left beside it says nothing of the new one.
    let folder = Folder::quick();
    let mut store = world.keyed_at(&folder.file(), 1);
    store.unlock(office(1)).unwrap();
    let log = world.open(&mut store, |w| &w.east);
    let change = world.sign_all(&store, log, |w| &w.east, &[content("甲", &[])]);
    store.receive(change, NOW_MS).unwrap();
    take(&mut store, vec![]);
    store.close().unwrap();
    std::fs::remove_file(folder.file()).unwrap();
    world.keyed_at(&folder.file(), 1).close().unwrap();
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    assert!(!store.opened().lost_something(), "{:?}", store.opened());
    store.unlock(office(1)).unwrap();
    assert_eq!(store.digest(None).unwrap().records, 0);
}
