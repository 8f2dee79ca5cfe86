//! x
pub mod sheets;
