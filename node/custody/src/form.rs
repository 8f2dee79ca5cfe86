//! How key files write bytes: hex in lower case, of one length. Never accepts a second spelling.

use zeroize::Zeroizing;

use xw_schemas::id::unhex;

/// The bytes of lower-case hex of exactly this length.
pub(crate) fn fixed<const N: usize>(text: &str) -> Option<[u8; N]> {
    (*variable(text, N)?).as_slice().try_into().ok()
}

/// The bytes of lower-case hex, at most so many.
pub(crate) fn variable(text: &str, bytes_max: usize) -> Option<Zeroizing<Vec<u8>>> {
    if text.len() > bytes_max * 2 || text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return None;
    }
    unhex(text).map(Zeroizing::new)
}

/// What a text editor may add without asking: a byte order mark. Everything else JSON itself says.
pub(crate) fn without_mark(text: &str) -> &str {
    text.strip_prefix('\u{feff}').unwrap_or(text)
}

/// The first 8 bytes of SHA-256, in hex: tells a damaged file from a wrong passphrase.
pub(crate) fn check_of(text: &str) -> String {
    use sha2::Digest as _;
    xw_schemas::id::hex(&sha2::Sha256::digest(text.as_bytes())[..8])
}

/// Longest label in characters: "第1把，共3把" and a name have room.
pub const LABEL_CHARACTERS_MAX: usize = 60;

/// A label is one line that a person reads.
pub(crate) fn is_label(text: &str) -> bool {
    let count = text.chars().count();
    (1..=LABEL_CHARACTERS_MAX).contains(&count) && !text.chars().any(char::is_control)
}
