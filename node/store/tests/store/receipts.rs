//! What people are told when an office above does not say that it has something, and when a PC begins
//! again and again.

use xw_schemas::space::Tier;
use xw_store::{Store, Unreceipted};

use crate::world::{NOW_MS, World, content};

const HOUR_MS: u64 = 3_600_000;
const DAY_MS: u64 = 24 * HOUR_MS;

/// What is missing after so many days, seen by the village or by one of the offices above.
fn missing(
    world: &World,
    store: &Store,
    by: fn(&World) -> &crate::world::Desk,
    days: u64,
) -> Vec<(Tier, u64)> {
    let own = by(world).node.public();
    let missing = store.unreceipted(&own, NOW_MS + days * DAY_MS, 7 * DAY_MS).unwrap();
    missing.iter().map(|Unreceipted { by, entries, .. }| (*by, *entries)).collect()
}

#[test]
fn a_receipt_that_does_not_come_is_told_after_a_week_with_contact() {
    let mut world = World::new();
    let mut store = world.store();
    let east = world.open(&mut store, |w| &w.east);
    let town = world.open(&mut store, |w| &w.town);
    world.write(&mut store, east, |w| &w.east, &content("甲", &[]));
    let (township, county) = (world.town.node.public(), world.county.node.public());
    // Nobody was heard: the line is down, and there is nobody to be suspected.
    assert_eq!(missing(&world, &store, |w| &w.east, 30), []);
    // Heard at once and never again: it had no time to answer.
    store.note_heard(township, NOW_MS + HOUR_MS / 2).unwrap();
    assert_eq!(missing(&world, &store, |w| &w.east, 30), []);
    store.note_heard(township, NOW_MS + 2 * DAY_MS).unwrap();
    assert_eq!(missing(&world, &store, |w| &w.east, 6), []);
    let both = [(Tier::Township, 2), (Tier::County, 2)];
    assert_eq!(missing(&world, &store, |w| &w.east, 7), both);
    // The township has put its word to it and does not hand it on, or the county's word back.
    world.witness(&mut store, town, |w| &w.town, &[east]);
    assert_eq!(missing(&world, &store, |w| &w.east, 7), [(Tier::County, 2)]);
    // At the township itself the county is missing only where that was heard; the township's own
    // statement is one of what waits.
    assert_eq!(missing(&world, &store, |w| &w.town, 7), []);
    store.note_heard(county, NOW_MS + 2 * DAY_MS).unwrap();
    assert_eq!(missing(&world, &store, |w| &w.town, 7), [(Tier::County, 2), (Tier::County, 2)]);
    // What came later has a week of its own.
    world.write(&mut store, east, |w| &w.east, &content("乙", &[]));
    assert_eq!(missing(&world, &store, |w| &w.east, 7).len(), 2);
}

#[test]
fn the_county_sees_that_a_township_leaves_a_village_without_a_receipt() {
    let mut world = World::new();
    let mut store = world.store();
    let east = world.open(&mut store, |w| &w.east);
    let above = world.open(&mut store, |w| &w.county);
    world.write(&mut store, east, |w| &w.east, &content("甲", &[]));
    // It came to the county by another way, and the county has put its word to it.
    world.witness(&mut store, above, |w| &w.county, &[east]);
    assert_eq!(missing(&world, &store, |w| &w.county, 30), []);
    store.note_heard(world.town.node.public(), NOW_MS + 8 * DAY_MS).unwrap();
    assert_eq!(missing(&world, &store, |w| &w.county, 9), [(Tier::Township, 2)]);
}

#[test]
fn a_pc_that_begins_new_logs_again_and_again_is_named() {
    let mut world = World::new();
    let mut store = world.store();
    for _ in 0..2 {
        world.open(&mut store, |w| &w.east);
    }
    world.open(&mut store, |w| &w.west);
    assert_eq!(store.restless(0, 3).unwrap(), []);
    world.open(&mut store, |w| &w.east);
    let named = store.restless(NOW_MS, 3).unwrap();
    assert_eq!((named.len(), named[0].node, named[0].logs), (1, world.east.node.public(), 3));
    assert_eq!(store.restless(NOW_MS + 1, 3).unwrap(), [], "that was before");
}
