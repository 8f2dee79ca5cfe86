//! The rules of forks, pins, cuts and republication in small worlds, of which every state is
//! visited. Two levels: the rules as written, over small numbers; and the ledger's own code over
//! signed entries, which must say the same of every set that a node of these worlds may hold, in
//! every order of arrival.
//!
//! Bounds are for CI; `XW_MODEL` adds to them.

#![expect(clippy::unwrap_used, reason = "what a test makes itself is there")]

mod acts;
mod arrival;
mod check;
mod fact;
mod hold;
mod mutants;
mod rosters;
mod rules;
mod signed;
mod world;
mod worlds;
