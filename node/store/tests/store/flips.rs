//! One bit changes on a disk. Either it is found and said, or what people see is as it was.

use xw_store::{Store, StoreError};

use crate::world::{Folder, Image, NOW_MS, World, content, keys, office, put, take, text};

/// Bits changed in each file; set the variable for more.
const FLIPS: usize = 400;
const FLIPS_VARIABLE: &str = "XW_FLIPS";

/// A store at work, as a power cut leaves its files: with pages in both write-ahead logs.
fn at_work() -> (Image, xw_store::ViewDigest) {
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = world.keyed_at(&folder.file(), 1);
    store.unlock(office(1)).unwrap();
    let log = world.open(&mut store, |w| &w.east);
    for i in 0..4 {
        world.write(&mut store, log, |w| &w.east, &content(&format!("早{i}"), &[]));
    }
    store.close().unwrap();
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    store.unlock(office(1)).unwrap();
    for i in 0..3 {
        let record = world.write(&mut store, log, |w| &w.east, &content(&format!("晚{i}"), &[]));
        let edit = vec![put("applicant_name", text("王秀英"))];
        let change = world.change(&store, log, |w| &w.east, record, edit, None);
        take(&mut store, vec![change]);
    }
    let digest = store.digest(None).unwrap();
    let image = folder.image();
    assert!(image["store.db-wal"].len() > 50_000 && image["view.db-wal"].len() > 50_000);
    (image, digest)
}

/// What became of a changed bit.
#[derive(Debug, PartialEq)]
enum Fate {
    Refused,
    Found,
    Harmless,
}

fn fate(image: &Image, wanted: &xw_store::ViewDigest, place: &str) -> Fate {
    let folder = Folder::of(image);
    let tried = (|| -> Result<Fate, StoreError> {
        let mut store = Store::open(&folder.file(), Some(keys(1)))?;
        if store.opened().lost_something() {
            return Ok(Fate::Found);
        }
        store.unlock(office(1))?;
        store.settle_all()?;
        if !store.verify(&mut |_, _| {})?.is_clean() {
            return Ok(Fate::Found);
        }
        assert_eq!(store.digest(None)?, *wanted, "{place}: a wrong view, and nobody was told");
        Ok(Fate::Harmless)
    })();
    tried.unwrap_or(Fate::Refused)
}

#[test]
fn a_changed_bit_in_the_database_is_found_or_changes_nothing() {
    flip(&["store.db"]);
}

#[test]
fn a_changed_bit_in_a_write_ahead_log_or_in_the_rows_is_found_or_changes_nothing() {
    flip(&["store.db-wal", "view.db", "view.db-wal"]);
}

fn flip(files: &[&str]) {
    let (image, digest) = at_work();
    assert_eq!(fate(&image, &digest, "unchanged"), Fate::Harmless);
    let asked = std::env::var(FLIPS_VARIABLE).ok().map(|n| n.parse().unwrap());
    let flips: usize = asked.unwrap_or(FLIPS);
    for file in files.iter().copied() {
        // Rows are worked out from entries, so a tenth of the trials is enough for their files.
        let flips = if file.starts_with("view") { flips / 10 } else { flips };
        let mut counts = [0; 3];
        let mut state = 0x1234_5678_9abc_def1_u64;
        for _ in 0..flips {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(99);
            let length = image[file].len() as u64;
            let bit = (state >> 11) % (length * 8);
            let mut rotten = image.clone();
            rotten.get_mut(file).unwrap()[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
            counts[fate(&rotten, &digest, &format!("{file} bit {bit}")) as usize] += 1;
        }
        let [refused, found, harmless] = counts;
        println!("{file}: {flips} bits: {refused} refused, {found} found, {harmless} harmless");
        assert!(refused + found + harmless == flips);
    }
}

#[test]
fn a_write_ahead_log_that_lost_its_end_is_noticed_to_the_commit() {
    let (mut world, folder) = (World::new(), Folder::quick());
    let mut store = world.keyed_at(&folder.file(), 1);
    let log = world.open(&mut store, |w| &w.east);
    let mut images = Vec::new();
    for i in 0..30 {
        let batch = world.sign_all(&store, log, |w| &w.east, &[content(&format!("{i}"), &[])]);
        store.receive(batch, NOW_MS).unwrap();
        images.push(folder.image());
    }
    drop(store);
    let newest = images.last().unwrap().clone();
    for back in [1, 2, 9, 29] {
        let mut image = newest.clone();
        image.insert("store.db-wal".into(), images[29 - back]["store.db-wal"].clone());
        let folder = Folder::of(&image);
        let store = Store::open(&folder.file(), Some(keys(1))).unwrap();
        let opened = store.opened();
        assert_eq!(opened.lost_commits, back as u64);
        // The durable file is written after twenty commits: here at the 20th, with 20 entries.
        let behind: Vec<(u64, u64)> = opened.behind.iter().map(|b| (b.size, b.held)).collect();
        let held = 31 - back as u64;
        assert_eq!(behind, if held < 20 { vec![(20, held)] } else { vec![] }, "{back} back");
        assert!(opened.unclean && opened.lost_something());
    }
    // After a power cut the count may be old; the durable file still tells.
    let mut image = newest;
    image.insert("store.db-wal".into(), images[3]["store.db-wal"].clone());
    image.insert("store.tick".into(), images[3]["store.tick"].clone());
    let folder = Folder::of(&image);
    let store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    assert_eq!((store.opened().lost_commits, store.opened().behind.len()), (0, 1));
    assert_eq!(store.opened().behind[0].log, log);
}

#[test]
fn a_first_page_that_rotted_is_told_from_a_wrong_key() {
    let (image, _) = at_work();
    let mut rotten = image;
    rotten.get_mut("store.db").unwrap()[100] ^= 1;
    rotten.remove("store.db-wal");
    let folder = Folder::of(&rotten);
    let damage = Store::open(&folder.file(), Some(keys(1))).unwrap_err();
    assert!(damage.is_damage() && damage.zh().contains("损坏"), "{damage:?}");
    let wrong = Store::open(&folder.file(), Some(keys(2))).unwrap_err();
    assert!(!wrong.is_damage(), "{wrong:?}");
}
