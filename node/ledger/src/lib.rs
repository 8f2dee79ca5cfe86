//! The rules of Xiangwang, without hands: who belongs ([`roster`]), what stands ([`standing`]),
//! which changes count ([`judge`]) and what they amount to ([`view`]). No file, socket, clock or
//! dice is touched here; simulation, fuzzing, the node and the verifier run this same code.
//!
//! An entry passes two doors. [`log::Logs::place`] judges what can never change and keeps the
//! entry. [`judge::judge`] says from the set of entries and the roster whether it counts; that
//! verdict is the same wherever and whenever the same entries are held.

pub mod interval;
pub mod log;
pub mod roster;
pub mod standing;

pub mod draft;
pub mod judge;
pub mod republish;
pub mod steps;
pub mod verdict;
pub mod view;

pub mod change;
pub mod document;
pub mod history;
pub mod opset;
