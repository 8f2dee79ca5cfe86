//! A disk that is really full: nothing acknowledged is lost, the reserve is given up, work goes on.

use std::path::{Path, PathBuf};
use std::process::Command;

use xw_store::{Store, StoreError};

use crate::world::{Folder, NOW_MS, World, content, keys, office};

/// A file system of a few megabytes in memory. Only the superuser can mount one.
struct SmallDisk(PathBuf);

impl SmallDisk {
    fn mount(megabytes: u32) -> Option<Self> {
        let folder = Folder::new();
        let path = folder.file().with_extension("disk");
        std::fs::create_dir_all(&path).unwrap();
        std::mem::forget(folder);
        let size = format!("size={megabytes}m");
        let mount = ["-t", "tmpfs", "-o", &size, "xw-test"];
        let done = Command::new("mount").args(mount).arg(&path).output();
        if done.is_ok_and(|done| done.status.success()) {
            return Some(Self(path));
        }
        let _ = std::fs::remove_dir_all(path.parent().unwrap());
        None
    }

    fn file(&self) -> PathBuf {
        self.0.join("store.db")
    }

    /// Fills all but so many bytes.
    fn fill_but(&self, left: u64) {
        use std::io::Write as _;
        let path = self.0.join("filler");
        let mut file = std::fs::File::create(&path).unwrap();
        while file.write_all(&[7; 65_536]).is_ok() {}
        let length = file.metadata().unwrap().len();
        file.set_len(length.saturating_sub(left)).unwrap();
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg(&self.0).output();
        let _ = std::fs::remove_dir_all(self.0.parent().unwrap());
    }
}

#[test]
fn a_full_disk_loses_nothing_acknowledged_and_the_reserve_lets_work_go_on() {
    let Some(disk) = SmallDisk::mount(24) else {
        println!("NOT TRIED: no small disk can be mounted here (needs the superuser on Linux)");
        return;
    };
    let mut world = World::new();
    let mut store = world.keyed_at(&disk.file(), 1);
    store.unlock(office(1)).unwrap();
    let log = world.open(&mut store, |w| &w.east);
    assert!(store.keep_ballast(4 << 20).unwrap());
    let ballast = disk.0.join("store.ballast");
    assert_eq!(ballast.metadata().unwrap().len(), 4 << 20);
    disk.fill_but(3 << 19);
    // Batches until one is refused.
    let batch_of = |world: &mut World, store: &Store, batch: usize| {
        let one = |i| content(&format!("第{batch}批之{i}{}", "满".repeat(60)), &[]);
        let contents: Vec<_> = (0..40).map(one).collect();
        world.sign_all(store, log, |w| &w.east, &contents)
    };
    let (mut acknowledged, mut refused) = (1, 0);
    for batch in 0..60 {
        let arrived = batch_of(&mut world, &store, batch);
        let count = arrived.len() as u64;
        match store.receive(arrived.clone(), NOW_MS) {
            Ok(received) => acknowledged += received.appended,
            Err(error) => {
                assert!(error.is_disk_full() && error.zh().contains("未保存"), "{error:?}");
                assert!(!error.is_fatal() && !error.is_damage());
                assert!(!ballast.exists(), "the reserve is given up");
                assert_eq!(store.logs().log(&log).unwrap().size(), acknowledged);
                refused += 1;
                // The very next try has room.
                let received = store.receive(arrived, NOW_MS).unwrap();
                assert_eq!(received.appended, count);
                acknowledged += count;
                break;
            }
        }
        match store.settle(20) {
            Ok(_) => {}
            Err(error) => {
                assert!(error.is_disk_full(), "{error:?}");
                refused += 1;
                store.settle(20).unwrap();
                break;
            }
        }
    }
    assert!(refused > 0, "the disk was never full");
    store.settle_all().unwrap();
    let touched = || disk.0.metadata().unwrap().modified().unwrap();
    let before = touched();
    assert!(!store.keep_ballast(4 << 20).unwrap(), "no reserve is made of the last space");
    assert_eq!(touched(), before, "nor is it tried");
    let digest = store.digest(None).unwrap();
    assert_eq!(digest.entries, acknowledged);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
    // The clerk clears up: the reserve comes back.
    std::fs::remove_file(disk.0.join("filler")).unwrap();
    assert!(store.keep_ballast(4 << 20).unwrap());
    store.close().unwrap();
    let mut store = Store::open(&disk.file(), Some(keys(1))).unwrap();
    assert!(!store.opened().lost_something());
    store.unlock(office(1)).unwrap();
    assert_eq!(store.digest(None).unwrap(), digest);
}

#[test]
fn a_disk_full_to_the_last_byte_keeps_what_was_acknowledged_through_a_crash() {
    let Some(disk) = SmallDisk::mount(8) else {
        println!("NOT TRIED: no small disk can be mounted here (needs the superuser on Linux)");
        return;
    };
    let mut world = World::new();
    let mut store = world.keyed_at(&disk.file(), 1);
    let log = world.open(&mut store, |w| &w.east);
    let mut acknowledged = 1;
    let mut error: Option<StoreError> = None;
    for batch in 0..400 {
        let contents: Vec<_> = (0..40).map(|i| content(&format!("{batch}/{i}"), &[])).collect();
        let arrived = world.sign_all(&store, log, |w| &w.east, &contents);
        match store.receive(arrived, NOW_MS) {
            Ok(received) => acknowledged += received.appended,
            Err(full) => {
                error = Some(full);
                break;
            }
        }
    }
    let error = error.expect("eight megabytes are soon full");
    assert!(error.is_disk_full(), "{error:?}");
    // A power cut now; the files are taken to a roomier disk.
    let image = image_of(&disk.0);
    drop(store);
    let folder = Folder::of(&image);
    let mut store = Store::open(&folder.file(), Some(keys(1))).unwrap();
    store.unlock(office(1)).unwrap();
    store.settle_all().unwrap();
    assert_eq!(store.digest(None).unwrap().entries, acknowledged);
    assert!(store.verify(&mut |_, _| {}).unwrap().is_clean());
}

fn image_of(folder: &Path) -> crate::world::Image {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let named = entries.map(|entry| {
        (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap())
    });
    named.filter(|(name, _)| name.starts_with("store.db") && !name.ends_with("-shm")).collect()
}
