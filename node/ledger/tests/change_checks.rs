//! Changes, their check and the document, against Automerge itself as the judge.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "change_checks/bytes.rs"]
mod bytes;
#[path = "change_checks/documents.rs"]
mod documents;
#[path = "change_checks/expanding.rs"]
mod expanding;
#[path = "change_checks/honest.rs"]
mod honest;
#[path = "change_checks/hostile.rs"]
mod hostile;
#[path = "change_checks/hostile_bytes.rs"]
mod hostile_bytes;
#[path = "change_checks/mutants.rs"]
mod mutants;
#[path = "change_checks/oracle.rs"]
mod oracle;
#[path = "change_checks/world.rs"]
mod world;
