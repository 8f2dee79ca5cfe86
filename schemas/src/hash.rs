//! SHA-256 with a purpose: every hash in the system begins with a tag that says what it is for,
//! so that no hash can be replayed as another. Never hashes a re-encoded struct.

use sha2::{Digest as _, Sha256};

/// SHA-256 over a domain tag (a line) and the given parts, in order.
///
/// Parts are fixed-length or stand last, so that no two lists of parts share one byte string.
#[must_use]
pub fn tagged(tag: &str, parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(tag.as_bytes());
    hasher.update(b"\n");
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// Plain SHA-256, where a standard prescribes the bytes (RFC 6962, Automerge).
#[must_use]
pub fn plain(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}
