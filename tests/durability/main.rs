//! What was acknowledged survives: every state that a crash or a power cut can leave of the store's
//! files, and processes killed at random moments. The store is the real one, with its keys.
//!
//! Fewer states and kills than the nightly run are tried here; `XW_CRASH_STATES` and `XW_KILLS` ask
//! for more.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[expect(dead_code, reason = "the store's own tests use the rest of it")]
#[path = "../../node/store/tests/store/world.rs"]
mod world;

mod dying_disk;
mod kills;
mod recording;
mod states;
mod whole;
mod workload;
