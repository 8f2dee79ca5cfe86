//! A county office's folder whose database goes bad.

use std::fs;

use serde_json::{Value as Json, json};

use crate::keys::tests::World;

/// Bytes of a page of the database.
const PAGE: usize = 8_192;

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

/// Changes one byte of a page, counted from 1.
fn spoil(world: &World, page: usize) {
    let mut bytes = fs::read(world.folder.store_path()).unwrap();
    bytes[(page - 1) * PAGE + 4_000] ^= 1;
    fs::write(world.folder.store_path(), bytes).unwrap();
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
