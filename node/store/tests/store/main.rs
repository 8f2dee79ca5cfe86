//! The store as its callers use it: real entries, signed and judged by the real rules.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod world;

mod at_rest;
mod copies;
mod damage;
mod durable;
mod erasing;
mod flips;
mod full;
mod halves;
mod law;
mod noting;
mod owner;
mod questions;
mod receipts;
mod republishing;
mod restanding;
mod tampering;
