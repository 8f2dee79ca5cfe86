//! How a county begins: root keys, the founding roster edition, and one kit per office. Also the
//! synthetic county 130599 that demonstrations and training use. Reads no clock and rolls no dice:
//! time and entropy are handed in.

pub mod divisions;
pub mod found;
pub mod kit;
pub mod sheets;
pub mod synthetic;
