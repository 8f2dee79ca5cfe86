//! A hundred thousand different words for one slot of a log, each rightly signed (threats.md T18):
//! two are the proof of a fork, and the rest costs no disk, no memory and no view.

use std::path::Path;
use std::time::Instant;

use xw_custody::OfficeKey;
use xw_schemas::entry::{Body, VerifiedEntry, sign};
use xw_schemas::id::OperationId;
use xw_schemas::record::builtin;
use xw_store::{Store, StoreKeys};
use zeroize::Zeroizing;

use crate::meter::{Before, alone};
use crate::{inputs, paper};

/// Variants in CI.
const VARIANTS: u64 = 100_000;

/// As many as one frame brings.
const BATCH: u64 = 500;

/// Growth of the store's files by all of them together.
const GROWTH_BYTES_MAX: u64 = 1 << 20;

/// Growth of the process, KiB.
const GROWTH_KIB_MAX: u64 = 8 << 10;

#[test]
fn a_flood_of_variants_costs_two_entries() {
    let _alone = alone();
    let dir = std::env::temp_dir().join(format!("xw-bounds-variants-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).unwrap();
    let office = OfficeKey::from_seed(&Zeroizing::new([9; 32]));
    let keys = StoreKeys { machine: Zeroizing::new([8; 32]), sealing: office.public() };
    let (path, own) = (dir.join("store.db"), paper::other_node().public());
    let store = Store::create(&path, paper::founding(), builtin(), Some(own), Some(keys));
    let mut store = store.unwrap();
    store.unlock(office).unwrap();
    let opening = sign(paper::open_core(), &paper::node(), None).unwrap();
    let (model, node) = (paper::node_core(), paper::node());
    // One of the words: its operation and nothing else tells it from the others.
    let variant = |number: u64| -> (VerifiedEntry, Option<Body>) {
        let mut core = model.clone();
        core.operation = OperationId([0x77; 16]);
        core.operation.0[..8].copy_from_slice(&number.to_be_bytes());
        (sign(core, &node, None).unwrap(), None)
    };
    let honest = sign(model.clone(), &node, None).unwrap();
    let first = vec![(opening, None), (honest, Some(paper::body())), variant(0)];
    assert!(store.receive(first, paper::DAY_MS).unwrap().refused.is_empty());
    store.settle_all().unwrap();
    let (digest, disk, memory) = (store.digest(None).unwrap(), bytes_in(&dir), Before::now());
    let (begun, count) = (Instant::now(), inputs(VARIANTS));
    for from in (1..=count).step_by(usize::try_from(BATCH).unwrap()) {
        let batch: Vec<_> = (from..from + BATCH).map(&variant).collect();
        let sent = batch.len();
        let received = store.receive(batch, paper::DAY_MS + from).unwrap();
        assert_eq!(received.refused.len(), sent, "a third word for one slot is kept");
    }
    store.settle_all().unwrap();
    let (disk, memory) = (bytes_in(&dir).saturating_sub(disk), memory.grown());
    println!(
        "{count} variants of one slot in {} ms: 2 kept, the store grew by {disk} bytes, +{memory} KiB",
        begun.elapsed().as_millis()
    );
    assert_eq!(store.digest(None).unwrap(), digest, "the view has moved");
    assert!(disk < GROWTH_BYTES_MAX, "{disk} bytes");
    assert!(memory < GROWTH_KIB_MAX, "{memory} KiB");
    store.close().unwrap();
    std::fs::remove_dir_all(dir).unwrap();
}

fn bytes_in(dir: &Path) -> u64 {
    let files = std::fs::read_dir(dir).unwrap().map(|file| file.unwrap().metadata().unwrap());
    files.map(|metadata| metadata.len()).sum()
}
