//! The house rules, read from the files themselves: sizes, walls, words, and documents that name
//! what exists. A rule that is not checked here is only a wish.

mod documents;
mod files;
mod walls;

use files::{rust_files, text_of};

/// Longest file. Past 400 lines one asks what second idea moved in; past this nobody can hold it.
const LINES_MAX: usize = 600;

#[test]
fn no_file_outgrows_its_room() {
    let long: Vec<String> = rust_files()
        .into_iter()
        .map(|path| (text_of(&path).lines().count(), path))
        .filter(|(lines, _)| *lines > LINES_MAX)
        .map(|(lines, path)| format!("{}: {lines} lines", path.display()))
        .collect();
    assert!(long.is_empty(), "files over {LINES_MAX} lines:\n{}", long.join("\n"));
}

#[test]
fn modules_are_named_after_their_idea() {
    let named: Vec<_> = rust_files().into_iter().filter(|path| path.ends_with("mod.rs")).collect();
    assert!(named.is_empty(), "mod.rs files: {named:?}");
}

#[test]
fn every_module_says_what_it_is() {
    let silent: Vec<_> =
        rust_files().into_iter().filter(|path| !text_of(path).starts_with("//!")).collect();
    assert!(silent.is_empty(), "files that do not open with a sentence: {silent:?}");
}

#[test]
fn no_test_is_switched_off_and_none_sleeps() {
    // Written in two parts so that this file does not name what it forbids.
    let forbidden =
        [["#[ign", "ore"], ["thread::sl", "eep"], ["tod", "o!("], ["unimple", "mented!("]];
    let mut found = Vec::new();
    for path in rust_files() {
        let text = text_of(&path);
        for parts in forbidden {
            let word = parts.concat();
            if text.contains(&word) {
                found.push(format!("{}: {word}", path.display()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
