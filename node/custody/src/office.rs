//! The office's key over personal data at rest: the machine seals to its public half at any hour,
//! and only an operator who opened it reads. Never touches disk or passphrases.

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use zeroize::Zeroizing;

use crate::Entropy;
use crate::seal::{FORMAT, OpeningKey, SealingKey, TAG_BYTES, Use, derive};

/// An XChaCha20 nonce: long enough to be drawn at random for ever.
const NONCE_BYTES: usize = 24;

/// Bytes that [`OfficeKey::encrypt`] adds to what it encrypts.
pub const ENCRYPT_OVERHEAD_BYTES: usize = 1 + NONCE_BYTES + TAG_BYTES;

/// Associated data of [`OfficeKey::encrypt`], format byte included.
const ENCRYPT_HEADER: &[u8] = b"xiangwang/office/encrypt/1\x01";

/// Purposes of the keys derived from the seed. No two share one.
const OPENING_PURPOSE: &[u8] = b"xiangwang/office/key/opening/1";
const ENCRYPTION_PURPOSE: &[u8] = b"xiangwang/office/key/encryption/1";
const DATABASE_PURPOSE: &[u8] = b"xiangwang/office/key/database/1";
const LIST_PURPOSE: &[u8] = b"xiangwang/office/key/list/1";

/// An office's key, opened by one of its operators. Zeroised when dropped, never printed.
pub struct OfficeKey {
    seed: Zeroizing<[u8; 32]>,
    opening: OpeningKey,
}

impl std::fmt::Debug for OfficeKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("OfficeKey")
    }
}

impl OfficeKey {
    /// A new key.
    #[must_use]
    pub fn generate(entropy: Entropy<'_>) -> Self {
        let mut seed = Zeroizing::new([0; 32]);
        entropy(&mut seed[..]);
        Self::from_seed(&seed)
    }

    /// The key of a seed that was wrapped for an operator.
    #[must_use]
    pub fn from_seed(seed: &Zeroizing<[u8; 32]>) -> Self {
        Self { seed: seed.clone(), opening: OpeningKey::derived(seed, OPENING_PURPOSE) }
    }

    /// The seed, to be wrapped for another operator.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        self.seed.clone()
    }

    /// The public half, which the machine may always have.
    #[must_use]
    pub fn public(&self) -> SealingKey {
        self.opening.public()
    }

    /// Opens what was sealed to [`OfficeKey::public`]; `None` for anything else.
    #[must_use]
    pub fn open(&self, sealed: &[u8]) -> Option<Vec<u8>> {
        self.opening.open(Use::Body, &[], sealed)
    }

    /// Encrypts for this office itself, faster than a seal; the key must be open to write.
    #[must_use]
    pub fn encrypt(&self, plain: &[u8], entropy: Entropy<'_>) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        entropy(&mut nonce);
        let payload = Payload { msg: plain, aad: ENCRYPT_HEADER };
        let ciphertext = self
            .cipher()
            .encrypt(&nonce.into(), payload)
            .expect("256 GiB is the cipher's only limit");
        [&[FORMAT][..], &nonce, &ciphertext].concat()
    }

    /// Decrypts what [`OfficeKey::encrypt`] wrote; `None` for anything else.
    #[must_use]
    pub fn decrypt(&self, encrypted: &[u8]) -> Option<Vec<u8>> {
        let (nonce, ciphertext) =
            encrypted.strip_prefix(&[FORMAT])?.split_first_chunk::<NONCE_BYTES>()?;
        let payload = Payload { msg: ciphertext, aad: ENCRYPT_HEADER };
        self.cipher().decrypt(nonce.into(), payload).ok()
    }

    /// The key of the office's own database, for a store that is encrypted as a whole.
    #[must_use]
    pub fn database_key(&self) -> Zeroizing<[u8; 32]> {
        derive(&self.seed, DATABASE_PURPOSE)
    }

    /// The key that authenticates the list of operators.
    pub(crate) fn list_key(&self) -> Zeroizing<[u8; 32]> {
        derive(&self.seed, LIST_PURPOSE)
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new((&*derive(&self.seed, ENCRYPTION_PURPOSE)).into())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dice::tests::dice;
    use crate::seal::SEAL_OVERHEAD_BYTES;

    #[test]
    fn the_machine_seals_and_only_the_office_opens() {
        let mut dice = dice(1);
        let (office, other) = (OfficeKey::generate(&mut dice), OfficeKey::generate(&mut dice));
        let sealed = office.public().seal(b"130599199001011234", &mut dice);
        assert_eq!(sealed.len(), 18 + SEAL_OVERHEAD_BYTES);
        assert_eq!(office.open(&sealed).as_deref(), Some(&b"130599199001011234"[..]));
        assert_eq!(other.open(&sealed), None);
        let again = office.public().seal(b"130599199001011234", &mut dice);
        assert_ne!(sealed, again, "equal bodies look different");
    }

    #[test]
    fn the_seed_gives_the_same_key_back() {
        let mut dice = dice(2);
        let office = OfficeKey::generate(&mut dice);
        let again = OfficeKey::from_seed(&office.seed());
        assert_eq!(again.public(), office.public());
        assert_eq!(again.database_key(), office.database_key());
        let sealed = office.public().seal(b"body", &mut dice);
        assert_eq!(again.open(&sealed).unwrap(), b"body");
        let encrypted = office.encrypt(b"body", &mut dice);
        assert_eq!(encrypted.len(), 4 + ENCRYPT_OVERHEAD_BYTES);
        assert_eq!(again.decrypt(&encrypted).unwrap(), b"body");
    }

    #[test]
    fn no_changed_byte_opens() {
        let mut dice = dice(3);
        let office = OfficeKey::generate(&mut dice);
        let sealed = office.public().seal(b"mediation", &mut dice);
        let encrypted = office.encrypt(b"mediation", &mut dice);
        for (bytes, opens) in [
            (sealed, &(|b: &[u8]| office.open(b)) as &dyn Fn(&[u8]) -> Option<Vec<u8>>),
            (encrypted, &|b: &[u8]| office.decrypt(b)),
        ] {
            assert!(opens(&bytes).is_some());
            for at in 0..bytes.len() {
                for bit in 0..8 {
                    let mut changed = bytes.clone();
                    changed[at] ^= 1 << bit;
                    // The top bit of an X25519 point is ignored by RFC 7748, but HPKE binds it.
                    assert!(opens(&changed).is_none(), "byte {at} bit {bit}");
                }
                assert!(opens(&bytes[..at]).is_none(), "cut at {at}");
            }
        }
    }

    #[test]
    fn the_derived_keys_differ() {
        let seed = Zeroizing::new([5; 32]);
        let keys = [OPENING_PURPOSE, ENCRYPTION_PURPOSE, DATABASE_PURPOSE, LIST_PURPOSE]
            .map(|purpose| derive(&seed, purpose));
        let distinct: std::collections::BTreeSet<_> = keys.iter().map(|key| **key).collect();
        assert_eq!(distinct.len(), 4);
        assert!(keys.iter().all(|key| key[..] != seed[..]));
    }

    #[test]
    fn what_is_sealed_is_not_what_is_encrypted() {
        let mut dice = dice(4);
        let office = OfficeKey::generate(&mut dice);
        assert_eq!(office.decrypt(&office.public().seal(b"x", &mut dice)), None);
        assert_eq!(office.open(&office.encrypt(b"x", &mut dice)), None);
    }

    #[test]
    fn points_of_small_order_are_no_keys() {
        let mut one = [0; 32];
        one[0] = 1;
        assert_eq!(SealingKey::from_bytes([0; 32]), None);
        assert_eq!(SealingKey::from_bytes(one), None);
        let office = OfficeKey::generate(&mut dice(5));
        assert_eq!(SealingKey::from_bytes(office.public().bytes()), Some(office.public()));
    }

    #[test]
    fn a_key_is_never_printed() {
        let office = OfficeKey::generate(&mut dice(6));
        assert_eq!(format!("{office:?}"), "OfficeKey");
    }

    proptest! {
        #[test]
        fn anything_sealed_comes_back(plain in prop::collection::vec(any::<u8>(), 0..2_000), seed: u64) {
            let mut dice = dice(seed);
            let office = OfficeKey::generate(&mut dice);
            prop_assert_eq!(&office.open(&office.public().seal(&plain, &mut dice)).unwrap(), &plain);
            prop_assert_eq!(&office.decrypt(&office.encrypt(&plain, &mut dice)).unwrap(), &plain);
        }

        #[test]
        fn hostile_bytes_never_open(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let office = OfficeKey::from_seed(&Zeroizing::new([9; 32]));
            prop_assert_eq!(office.open(&bytes), None);
            prop_assert_eq!(office.decrypt(&bytes), None);
        }
    }
}
