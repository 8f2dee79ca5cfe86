//! The record types from the outside: what they hold, what they refuse, how values are read.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

#[path = "records/canonical.rs"]
mod canonical;
#[path = "records/definitions.rs"]
mod definitions;
#[path = "records/inventory.rs"]
mod inventory;
#[path = "records/properties.rs"]
mod properties;
#[path = "records/validity.rs"]
mod validity;
#[path = "records/values.rs"]
mod values;
