//! How a county begins and grows: root keys, the founding roster edition, invitations and how they
//! are taken up, and what a roster says in plain sentences. Also the synthetic county 130599 that
//! demonstrations and training use. Reads no clock and rolls no dice: time and entropy are handed in.

pub mod bundle;
pub mod divisions;
pub mod explain;
pub mod found;
pub mod invitation;
pub mod joining;
pub mod propose;
pub mod sheets;
pub mod synthetic;
