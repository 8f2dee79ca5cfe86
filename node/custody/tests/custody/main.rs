//! What the key files promise: they come back, and nothing changed in them does.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod hostile;
mod key_file;
mod machine_file;
mod office_file;
mod spec;

use xw_custody::{Cost, KeyPurpose, Passphrase, SealedKey};
use zeroize::Zeroizing;

/// Repeatable dice for tests.
pub(crate) fn dice(seed: u64) -> impl FnMut(&mut [u8]) {
    let mut state = seed;
    move |buffer| {
        for byte in buffer {
            state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
            let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
            *byte = (mixed >> 40) as u8;
        }
    }
}

pub(crate) fn seed(byte: u8) -> Zeroizing<[u8; 32]> {
    Zeroizing::new([byte; 32])
}

pub(crate) fn words(text: &str) -> Passphrase {
    Passphrase::chosen(text).unwrap()
}

/// A root key, sealed cheaply.
pub(crate) fn sealed_root() -> (SealedKey, Passphrase) {
    let passphrase = words("柳河东边第三棵老槐树");
    let sealed = SealedKey::seal(
        KeyPurpose::Root,
        "第1把，共3把",
        &seed(7),
        &passphrase,
        Cost::FOR_TESTS,
        &mut dice(1),
    );
    (sealed.unwrap(), passphrase)
}
