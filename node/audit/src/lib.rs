//! What an auditor gets: statements of completeness ([`completeness`]), evidence packs ([`pack`]) and
//! their judgement ([`judge`]), receipts on paper ([`receipt`]). Touches no store, network, file,
//! clock or dice; the node, the verifier and the tests run this same code.

pub mod completeness;
pub mod heads;
pub mod judge;
pub mod pack;
pub mod receipt;

pub mod holdings;
pub mod pins;
pub mod readable;
pub mod summary;

pub mod archive;
pub mod json;
pub mod plain;
pub mod signed;
pub mod spread;
pub mod words;
