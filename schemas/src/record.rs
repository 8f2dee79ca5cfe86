//! Record types as data: what a county's records hold, how they are checked, and the contents of one.
//! Compiles the files of `schemas/records/`; never reads a disk, a clock or a signature.

mod builtin;
mod canonical;
mod compile;
mod compute;
mod condition;
mod content;
mod index;
mod json;
mod ledger;
mod lint;
mod model;
mod problems;
mod readable;
mod schema_error;
mod source;

pub use builtin::{builtin, builtin_files};
pub use compile::compile;
pub use compute::{Calendar, Compute, fill_computed};
pub use condition::{CONDITION_DEPTH_MAX, Condition, sentence};
pub use content::{Content, Item, is_bookkeeping};
pub use json::{from_json, to_json};
pub use ledger::{Column, ColumnPath, ColumnStep, Ledger, SPECIALS};
pub use lint::STRUCT_DEPTH_MAX;
pub use model::{
    Audience, Code, CodeList, Field, Kind, Level, RecordType, Required, SchemaHash, State, Struct,
    Transition,
};
pub use problems::{ITEMS_MAX, PROBLEMS_MAX, Problem, ProblemCode, problems};
pub use readable::{PERSONAL_CLASS, may_read_field, path_of_place, readable};
pub use schema_error::{SchemaError, SchemaFlaw};

pub use crate::value::{Lang, Value, ValueSlip, display, parse};
