//! Real processes on loopback: one journey per promise made to the customer. Few and slow; the
//! simulation has the thousands.

mod demonstration;
mod killed_import;
mod program;
