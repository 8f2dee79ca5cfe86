//! Excel ledgers (台账) in and out: from a clerk's workbook to rows that can become records, and back.
//! Keeps no state, opens no file, asks no clock; what a cell says about a person reaches no log.
//!
//! [`read()`] is the way in, [`write()`] the way out, [`Report`] what the clerk is told.

mod limits;

mod cell;
mod complete;
mod container;
mod draft;
mod grid;
mod heading;
mod read;
mod remark;

mod report;
mod write;

mod defaults;
mod desk;
mod error;
mod identity;
mod moment;
mod row;
mod text;

pub use cell::Divisions;
pub use defaults::{Defaults, Give, Rule, When};
pub use desk::{Desk, defaults_for};
pub use error::WorkbookError;
pub use identity::sha256_hex;
pub use limits::{COLUMNS_MAX, FILE_BYTES_MAX, ROWS_MAX};
pub use read::{Context, Sheet, read};
pub use report::{Outcome, Report, RowReport, Tally};
pub use row::{CellSlip, CellWarning, NaturalKey, Row};
pub use write::{Head, Line, write};
