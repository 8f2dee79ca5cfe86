//! Settling commits twice, once in each file. Whatever a crash leaves of the two, the rows are in the
//! end what the entries amount to.

use xw_store::Store;

use crate::world::{Folder, Image, NOW_MS, World, content, keys, office, put, text};

/// The files of one of the two databases.
fn part(image: &Image, name: &str) -> Image {
    image
        .iter()
        .filter(|(file, _)| file.starts_with(name))
        .map(|(f, b)| (f.clone(), b.clone()))
        .collect()
}

#[test]
fn a_crash_between_the_two_commits_of_settling_is_harmless() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = world.keyed_at(&folder.file(), 1);
    store.unlock(office(1)).unwrap();
    let log = world.open(&mut store, |w| &w.east);
    let record = world.write(&mut store, log, |w| &w.east, &content("甲", &[]));
    let edit = vec![put("applicant_name", text("王秀英"))];
    let change = world.change(&store, log, |w| &w.east, record, edit, None);
    let mut batch = vec![(change.entry, change.body)];
    batch.truncate(1);
    store.receive(batch, NOW_MS).unwrap();
    let before = folder.image();
    assert_eq!(store.settle_all().unwrap().judged, 1);
    let after = folder.image();
    let wanted = store.digest(None).unwrap();
    // The rows were committed and the marks not yet cleared.
    let between: Image = part(&before, "store").into_iter().chain(part(&after, "view")).collect();
    let folder = Folder::of(&between);
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    store.unlock(office(1)).unwrap();
    let settled = store.settle_all().unwrap();
    assert_eq!(
        (settled.judged, settled.remaining),
        (1, 0),
        "the mark was still there, and only it"
    );
    assert_eq!(store.digest(None).unwrap(), wanted);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
    // A disk that swapped the two: the marks are cleared and the rows are old. They are begun anew.
    let swapped: Image = part(&after, "store").into_iter().chain(part(&before, "view")).collect();
    let folder = Folder::of(&swapped);
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    store.unlock(office(1)).unwrap();
    assert!(store.settle_all().unwrap().judged > 0);
    assert_eq!(store.digest(None).unwrap(), wanted);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}

#[test]
fn rows_half_settled_and_then_more_entries_while_locked_are_caught_up() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = world.keyed_at(&folder.file(), 1);
    store.unlock(office(1)).unwrap();
    let log = world.open(&mut store, |w| &w.east);
    world.write(&mut store, log, |w| &w.east, &content("甲", &[]));
    let two = world.sign_all(&store, log, |w| &w.east, &[content("乙", &[]), content("丙", &[])]);
    store.receive(two[..1].to_vec(), NOW_MS).unwrap();
    let before = folder.image();
    store.settle_all().unwrap();
    let after = folder.image();
    store.receive(two[1..].to_vec(), NOW_MS).unwrap();
    store.settle_all().unwrap();
    let wanted = store.digest(None).unwrap();
    let between: Image = part(&before, "store").into_iter().chain(part(&after, "view")).collect();
    let folder = Folder::of(&between);
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    store.receive(two[1..].to_vec(), NOW_MS).unwrap();
    store.close().unwrap();
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    store.unlock(office(1)).unwrap();
    assert_eq!(store.settle_all().unwrap().judged, 2);
    assert_eq!(store.digest(None).unwrap(), wanted);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}
