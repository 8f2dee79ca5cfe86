//! One node's share of the mesh, without hands: events go in with the time, effects come out. The
//! shell owns sockets, disk and keys; a simulated county and a real PC run this same code.
//!
//! The loop of a shell: hand every happening to [`Replica::handle`], do the effects in order, hand
//! back what they brought. A conversation goes: `Hello` both ways; roster editions and definitions
//! until both sides have the same; digests where something differs; `Have` lists; then entries in
//! log order, acknowledged after the commit, for as long as the connection lives.

mod blobs;
mod bodies;
mod common;
mod compare;
mod event;
mod neighbour;
mod replica;
mod sending;
mod stand;
mod unwanted;
mod witness;

pub use common::Held;
pub use event::{Effect, Event, SessionId, TurnedAway, Why};
pub use neighbour::Phase;
pub use replica::{Replica, SessionInfo};
