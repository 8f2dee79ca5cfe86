//! Real nodes for tests that must know every key: a county on paper, folders on disk, processes.

pub(crate) mod county;
pub(crate) mod folder;
pub(crate) mod process;
