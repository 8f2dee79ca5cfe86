//! Who holds which secret, and under what lock: key files under passphrases, the office's key over
//! what it stores, the machine's key for unattended start. Never reads a clock, draws no dice of its
//! own and writes no file; all three are the caller's. [`machine`] runs the system's own tools and
//! [`ask`] talks to a person; the rest is pure.

#[cfg(feature = "ask")]
pub mod ask;
mod cost;
mod dice;
mod form;
pub mod machine;
mod office;
mod passphrase;
mod seal;
mod sealed_file;
mod tries;
mod wraps;

pub use cost::{Cost, LANES_MAX, MEMORY_KIB_MAX, PASSES_MAX};
pub use form::LABEL_CHARACTERS_MAX;
pub use office::{ENCRYPT_OVERHEAD_BYTES, OfficeKey};
pub use passphrase::{
    CHARACTERS_MIN, HAN_MIN, PASSPHRASE_BYTES_MAX, Passphrase, PassphraseSlip, WORDS_MIN,
};
pub use seal::{SEAL_OVERHEAD_BYTES, SealingKey};
pub use sealed_file::{
    KEY_FILE_BYTES_MAX, KeyFileFault, KeyPurpose, OpenRefusal, SealSlip, SealedKey,
};
pub use tries::{FREE_TRIES, Tries, Wait};
pub use wraps::{
    OFFICE_FILE_BYTES_MAX, OPERATORS_MAX, OfficeFileFault, OfficeRefusal, Operator, Operators,
    sealing_key_of,
};

/// Source of entropy: fills the buffer with random bytes.
pub type Entropy<'a> = &'a mut dyn FnMut(&mut [u8]);
