//! A county office's folder whose database goes bad.

use std::fs;

use serde_json::{Value as Json, json};
use xw_schemas::edition::Edition;
use xw_schemas::space::{Audience, Space};

use super::Leftovers;
use crate::office::Office;
use crate::world::World;

/// Bytes of a page of the database.
const PAGE: usize = 8_192;

/// Pages among which the roster's is; the file begins with it, behind the tables' names.
const ROSTER_PAGES: std::ops::Range<usize> = 2..16;

/// A note that is kept as whatever a person does is.
const TYPED: &str = "typed";

#[test]
fn a_salvage_of_which_the_end_was_forgotten_is_not_done_again() {
    let world = World::new("forgotten");
    world.open().store.close().unwrap();
    spoil(&world, 1);
    let mut office = world.open();
    let token = String::from_utf8(office.store.note("salvaged").unwrap().unwrap()).unwrap();
    let folder = damaged(&world).remove(0);
    assert!(!note(&world).exists());
    office.store.set_note(TYPED, Some(b"1")).unwrap();
    office.store.close().unwrap();
    // A power cut gives the note of the salvage back.
    fs::write(note(&world), json!({"folder": folder, "token": token}).to_string()).unwrap();
    let office = world.open();
    assert_eq!(office.store.note(TYPED).unwrap().as_deref(), Some(&b"1"[..]));
    assert_eq!(office.disk_json()["salvaged"], Json::Null);
    assert!(!note(&world).exists());
    assert_eq!(damaged(&world).len(), 1);
}

#[test]
fn a_salvage_that_was_cut_short_is_begun_again() {
    let world = World::new("cut-short");
    world.open().store.close().unwrap();
    spoil(&world, 1);
    let mut office = world.open();
    let folder = damaged(&world).remove(0);
    office.store.set_note(TYPED, Some(b"1")).unwrap();
    office.store.close().unwrap();
    // The new database is not yet that of this salvage.
    fs::write(note(&world), json!({"folder": folder, "token": "another"}).to_string()).unwrap();
    let office = world.open();
    assert_eq!(office.store.note(TYPED).unwrap(), None);
    assert!(office.disk_json()["salvaged"]["zh"].is_string());
    assert!(!note(&world).exists());
    assert_eq!(damaged(&world), [folder]);
}

#[test]
fn a_database_that_goes_bad_before_its_salvage_has_ended_is_set_aside_and_not_taken_away() {
    let world = World::new("twice");
    world.open().store.close().unwrap();
    spoil(&world, 1);
    world.open().store.close().unwrap();
    let folder = damaged(&world).remove(0);
    fs::write(note(&world), json!({"folder": folder, "token": "another"}).to_string()).unwrap();
    spoil(&world, 1);
    let office = world.open();
    let all = damaged(&world);
    assert_eq!(all.len(), 2, "{all:?}");
    assert!(all.iter().all(|name| world.folder.path().join(name).join("store.db").exists()));
    assert!(office.disk_json()["salvaged"]["zh"].is_string());
}

#[test]
fn what_a_salvage_leaves_behind_is_said_until_it_has_its_place() {
    let world = World::new("leftovers");
    let mut office = world.open();
    let space = Space { division: office.division(), audience: Audience::Office };
    let log = office.tail(space).unwrap().log();
    let editions: Vec<Edition> = office.store.chain().editions().cloned().collect();
    office.store.close().unwrap();
    let office = without_roster(&world);
    assert!(office.store.logs().log(&log).is_none());
    let said = |office: &Office| office.disk_json()["salvaged"]["zh"].as_str().map(str::to_owned);
    assert!(said(&office).unwrap().contains("还有条目 1 个"), "{:?}", said(&office));
    // The next start says it too.
    office.store.close().unwrap();
    let mut office = world.open();
    let text = said(&office).unwrap();
    assert!(text.starts_with("还有条目 1 个") && text.contains("damaged-"), "{text}");
    office.mind_leftovers().unwrap();
    assert!(office.store.logs().log(&log).is_none());
    // A neighbour has the roster.
    for edition in editions {
        office.store.add_edition(edition).unwrap().unwrap();
    }
    office.leftovers = Leftovers::load(&office.store).unwrap();
    office.mind_leftovers().unwrap();
    assert_eq!(office.store.logs().log(&log).unwrap().size(), 1);
    assert_eq!(office.take_fresh().len(), 1, "neighbours are told");
    assert_eq!(said(&office), None);
    office.store.close().unwrap();
    assert_eq!(said(&world.open()), None);
}

/// Changes one byte of a page, counted from 1.
fn spoil(world: &World, page: usize) {
    let mut bytes = fs::read(world.folder.store_path()).unwrap();
    bytes[(page - 1) * PAGE + 4_000] ^= 1;
    fs::write(world.folder.store_path(), bytes).unwrap();
}

/// Opens the office on the same database with each of the first pages gone bad, until it is the one
/// with the roster's editions.
fn without_roster(world: &World) -> Office {
    let sound = fs::read(world.folder.store_path()).unwrap();
    for page in ROSTER_PAGES {
        fs::write(world.folder.store_path(), &sound).unwrap();
        spoil(world, page);
        let office = world.open();
        let told = office.disk_json();
        let saved = &told["salvaged"]["saved"];
        if saved["editions"] == 0 && saved["unplaced"].as_u64() > Some(0) {
            return office;
        }
        office.store.close().unwrap();
        for name in damaged(world) {
            fs::remove_dir_all(world.folder.path().join(name)).unwrap();
        }
    }
    panic!("no page is that of the roster");
}

fn note(world: &World) -> std::path::PathBuf {
    world.folder.path().join("salvage.json")
}

/// The folders of damaged files.
fn damaged(world: &World) -> Vec<String> {
    let entries = fs::read_dir(world.folder.path()).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.starts_with("damaged-")).collect();
    names.sort();
    names
}
