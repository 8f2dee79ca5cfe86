//! What the recorded process does: everything that writes, in an order that a seed gives. The same
//! entries can be made again elsewhere, to compare.

use std::io::Write as _;
use std::path::Path;

use xw_ledger::draft::{Author, open_log};
use xw_schemas::id::Incarnation;
use xw_store::Store;

use crate::world::{Arrived, Desk, NOW_MS, World, content, keys, office, text};

/// Batches of entries, in their order. The first opens the log.
pub(crate) fn batches(count: usize) -> (World, Vec<Vec<Arrived>>) {
    let mut world = World::new();
    let mut store = world.store();
    let act = world.act();
    let who: fn(&World) -> &Desk = |w| &w.east;
    let author = Author { node: &who(&world).node, person: None };
    let space = who(&world).space();
    let opening =
        open_log(store.roster(), space, author, Incarnation(act.salt), act, None).unwrap();
    let log = opening.entry.core().log;
    let mut all = vec![vec![(opening.entry, opening.body)]];
    store.receive(all[0].clone(), NOW_MS).unwrap();
    for batch in 0..count {
        let contents: Vec<_> = (0..1 + batch * 5 % 4)
            .map(|i| {
                let name = "王秀英".repeat(1 + batch % 3);
                content(&format!("{batch}之{i}"), &[("applicant_name", text(&name))])
            })
            .collect();
        let signed = world.sign_all(&store, log, who, &contents);
        store.receive(signed.clone(), NOW_MS).unwrap();
        all.push(signed);
    }
    (world, all)
}

/// Makes a store in the folder and fills it, acknowledging each batch in the file `ACK` as a server
/// would to its neighbours: with the number of entries that are on disk.
pub(crate) fn live(folder: &Path, count: usize) {
    let (world, batches) = batches(count);
    let file = folder.join("store.db");
    let mut acknowledgements = std::fs::File::create(folder.join("ACK")).unwrap();
    let mut acknowledge = |entries: u32| {
        acknowledgements.write_all(&entries.to_be_bytes()).unwrap();
    };
    let mut store = world.keyed_at(&file, 1);
    acknowledge(0);
    let mut entries = 0;
    for (at, batch) in batches.into_iter().enumerate() {
        entries += u32::try_from(batch.len()).unwrap();
        store.receive(batch, NOW_MS).unwrap();
        acknowledge(entries);
        match at % 12 {
            1 => store.unlock(office(1)).unwrap(),
            3 | 6 => drop(store.settle(3).unwrap()),
            8 => drop(store.settle_all().unwrap()),
            9 => store.lock().unwrap(),
            10 => store.set_note("machine", Some(&[at as u8; 32])).unwrap(),
            11 => {
                store.close().unwrap();
                store = Store::open(&file, Some(keys(1))).unwrap();
            }
            _ => {}
        }
    }
    store.close().unwrap();
}
