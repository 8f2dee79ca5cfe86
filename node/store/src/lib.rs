//! One node's memory: a SQLite file with the entries, and everything that can be worked out from
//! them. Never judges by itself (the ledger crate does), never talks to a network, reads no clock.
//!
//! Read in this order: [`store`] is the one writer, `receive` is how entries get in, `settle` how
//! they become rows, [`reader`] how rows are asked for, `verify` how everything is checked again.

mod connection;
mod error;
mod limits;
mod lock;
mod tables;

mod load;
mod notes;
mod parcels;
mod receive;
mod roster;
mod row;
mod settle;
mod standing;
mod store;
mod words;

mod digest;
mod rebuild;
mod verify;

mod coverage;
mod query;
mod reader;

pub use coverage::VillageCoverage;
pub use digest::ViewDigest;
pub use error::StoreError;
pub use notes::{HeldCheckpoint, Import};
pub use parcels::Held;
pub use query::{Cursor, Filter, GroupKey, Op, Order, Query, QuerySlip, Range, SortKey};
pub use reader::{EntryRow, Group, Page, Reader, RecordDetail, RecordRow, Size};
pub use receive::{NotReceived, ReceiveRefusal, Received};
pub use settle::{ChangedRecord, Settled};
pub use store::Store;
pub use verify::{Finding, FindingCode, Report};
pub use words::{search_phrases, spaced};

// The tests inside this crate use the same small county as those outside.
#[cfg(test)]
extern crate self as xw_store;
#[cfg(test)]
mod trouble_tests;
#[cfg(test)]
#[path = "../tests/store/world.rs"]
#[expect(dead_code, reason = "the tests outside use more of it")]
mod world;
