//! One node's memory: a SQLite file with the entries, and everything that can be worked out from
//! them. Never judges by itself (the ledger crate does), never talks to a network, reads no clock.
//!
//! Read in this order: [`store`] is the one writer, `receive` is how entries get in, `settle` how
//! they become rows, [`reader`] how rows are asked for, `verify` how everything is checked again.

mod error;
mod limits;
mod lock;
mod connection;
mod tables;

mod store;
mod load;
mod receive;
mod standing;
mod settle;
mod row;
mod words;
mod roster;
mod parcels;
mod notes;

mod digest;
mod rebuild;
mod verify;

mod query;
mod reader;
mod coverage;

pub use coverage::VillageCoverage;
pub use digest::ViewDigest;
pub use error::StoreError;
pub use notes::{HeldCheckpoint, Import};
pub use parcels::Held;
pub use query::{
    Cursor, Filter, GroupKey, Op, Order, Query, QuerySlip, Range, SortKey,
};
pub use reader::{EntryRow, Group, Page, Reader, RecordDetail, RecordRow};
pub use receive::{NotReceived, ReceiveRefusal, Received};
pub use settle::{ChangedRecord, Settled};
pub use store::Store;
pub use verify::{Finding, FindingCode, Report};
pub use words::{search_phrases, spaced};
