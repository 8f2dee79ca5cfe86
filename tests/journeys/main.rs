//! Real processes on loopback: one journey per promise made to the customer. Few and slow; the
//! simulation has the thousands.

mod at_rest;
mod clones;
mod custody;
mod damage;
mod demonstration;
mod drill;
mod enrolment;
mod evidence;
mod killed_import;
mod program;
mod upgrade;

#[path = "../nodes/nodes.rs"]
#[expect(dead_code, reason = "the tests of hostile nodes use more of it")]
mod nodes;
