//! Real processes on loopback: one journey per promise made to the customer. Few and slow; the
//! simulation has the thousands.

mod at_rest;
mod clones;
mod demonstration;
mod killed_import;
mod program;

#[path = "../nodes/nodes.rs"]
mod nodes;
