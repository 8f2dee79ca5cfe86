//! A county in memory, thousands of seeds. `XW_SEEDS=20000` runs more of them (and more ordeals in
//! proportion), `XW_SEED=17` runs one and keeps its journal, `XW_FIRST=5000` begins elsewhere.

mod lives;
mod mutants;
mod ordeals;
mod stories;

use std::path::PathBuf;

use xw_tests::{Habits, Life};

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}

/// Lives the seed once more and leaves its journal beside the build.
fn keep_journal(life: Life, seed: u64, habits: Habits) -> PathBuf {
    let path = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(format!("seed-{seed}.log"));
    let journal = life.journal(seed, habits);
    std::fs::write(&path, journal).expect("cargo makes this folder for the tests");
    path
}
