//! A county in memory, thousands of seeds. `XW_SEEDS=20000` runs more of them, `XW_SEED=17` runs one
//! and keeps its journal, `XW_FIRST=5000` begins elsewhere.

mod lives;
mod mutants;
mod stories;

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok().and_then(|text| text.parse().ok())
}
