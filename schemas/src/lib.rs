//! The bytes and the record types of Xiangwang: what is signed, stored and sent, and the
//! definitions that say what a record holds. No file, socket, clock or dice is touched here.
//!
//! Read in this order: [`entry`] is what is signed, [`record`] is what it is about, [`edition`] is
//! who may sign, [`wire`] is how it travels. Each format has a page in `schemas/spec`.

pub mod limits;

pub mod checkpoint;
pub mod edition;
pub mod entry;
pub mod merkle;
pub mod proof;
pub mod wire;

pub mod record;
pub mod value;

pub mod cbor;
pub mod cose;
pub mod hash;
pub mod id;
pub mod space;
