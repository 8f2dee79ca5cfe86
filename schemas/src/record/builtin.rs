//! The record types that every node is born with.
//! A county's own versions come through the roster; these are the first.

use super::compile::compile;
use super::model::RecordType;

/// The files of `schemas/records/`, as a folder would hold them.
const FILES: [(&str, &str); 5] = [
    ("shared.toml", include_str!("../../records/shared.toml")),
    ("SVC.toml", include_str!("../../records/SVC.toml")),
    ("PVM.toml", include_str!("../../records/PVM.toml")),
    ("IND.toml", include_str!("../../records/IND.toml")),
    ("MED.toml", include_str!("../../records/MED.toml")),
];

/// The record types that every node is born with: SVC, PVM, IND, MED.
pub fn builtin() -> Vec<RecordType> {
    compile(&builtin_files()).expect("a test compiles the embedded files")
}

/// The embedded files by name, for a county that wants to start from them.
pub fn builtin_files() -> Vec<(String, String)> {
    FILES.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect()
}
