//! One node's memory: one SQLite file with the entries, one with everything that can be worked out
//! from them and read. Never judges by itself (the ledger crate does), never talks to a network,
//! reads no clock.
//!
//! Read in this order: [`store`] is the one writer, `keys` says what lies under which key, `receive`
//! is how entries get in, `settle` how they become rows, `shown` how both files are kept in step,
//! [`reader`] how rows are asked for, `verify` how everything is checked again. `start`, `highwater`,
//! `ballast`, `backup` and `salvage` are for the bad days.

mod connection;
mod erase;
mod error;
mod keys;
mod limits;
mod lock;
mod tables;
mod whole;

mod load;
mod notes;
mod parcels;
mod places;
mod receive;
mod roster;
mod row;
mod settle;
mod shown;
mod standing;
mod store;
mod transact;
mod words;

mod backup;
mod ballast;
mod highwater;
mod salvage;
mod scrub;
mod source;
mod start;

mod digest;
mod rebuild;
mod verify;

mod coverage;
mod query;
mod reader;
mod receipts;

pub use backup::{Copied, Copier, RestoreMarker};
pub use coverage::VillageCoverage;
pub use digest::ViewDigest;
pub use error::StoreError;
pub use keys::StoreKeys;
pub use limits::BALLAST_BYTES;
pub use notes::{HeldCheckpoint, Import};
pub use parcels::Held;
pub use query::{Cursor, Filter, GroupKey, Op, Order, Query, QuerySlip, Range, SortKey};
pub use reader::{EntryRow, Group, Page, Reader, RecordDetail, RecordRow, Size};
pub use receipts::{Restless, Unreceipted};
pub use receive::{NotReceived, ReceiveRefusal, Received};
pub use salvage::{Founding, Leftovers, Salvaged, Tried};
pub use settle::{ChangedRecord, Settled};
pub use start::{Behind, Opened};
pub use store::Store;
pub use verify::{Finding, FindingCode, Report};
pub use whole::{ReadBy, sync_folder, write_whole};
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
