//! The store as its callers use it: real entries, signed and judged by the real rules.

mod world;

mod durable;
mod noting;
mod law;
mod owner;
mod questions;
mod restanding;
mod tampering;
