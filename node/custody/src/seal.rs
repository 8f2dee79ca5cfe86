//! HPKE (RFC 9180, base mode, X25519, HKDF-SHA256, ChaCha20-Poly1305), one message at a time:
//! whoever holds the public half seals, and cannot open. Never keeps what it sealed.

use hkdf::Hkdf;
use hpke::aead::ChaCha20Poly1305;
use hpke::kdf::HkdfSha256;
use hpke::kem::X25519HkdfSha256;
use hpke::{Deserializable as _, Kem, OpModeR, OpModeS, Serializable as _};
use sha2::Sha256;
use zeroize::Zeroizing;

use crate::Entropy;
use crate::dice::Dice;

/// First byte of everything sealed or encrypted here; another suite takes another number.
pub(crate) const FORMAT: u8 = 1;

/// An encapsulated X25519 key: what stands between the format byte and the ciphertext.
const ENCAPSULATED_BYTES: usize = 32;

/// A Poly1305 tag, at the end of every ciphertext.
pub(crate) const TAG_BYTES: usize = 16;

/// Bytes that sealing adds to what is sealed.
pub const SEAL_OVERHEAD_BYTES: usize = 1 + ENCAPSULATED_BYTES + TAG_BYTES;

type PrivateHalf = <X25519HkdfSha256 as Kem>::PrivateKey;
type PublicHalf = <X25519HkdfSha256 as Kem>::PublicKey;
type Encapsulated = <X25519HkdfSha256 as Kem>::EncappedKey;

/// What a seal is for. HPKE's `info`: what is sealed for one use opens for no other.
#[derive(Clone, Copy)]
pub(crate) enum Use {
    /// Bodies, at rest in an office's store.
    Body,
    /// The office's seed, for one of its operators.
    Wrap,
}

impl Use {
    fn info(self) -> &'static [u8] {
        match self {
            Self::Body => b"xiangwang/office/seal/1",
            Self::Wrap => b"xiangwang/office/wrap/1",
        }
    }
}

/// The public half of a key that opens: whoever has it can seal, and no more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct SealingKey([u8; 32]);

impl SealingKey {
    /// The key of these bytes; `None` for a point of small order, under which nothing is secret.
    #[must_use]
    pub fn from_bytes(bytes: [u8; 32]) -> Option<Self> {
        let key = Self(bytes);
        // Such a point fails whatever the other side draws, so a trial with fixed dice tells.
        key.try_seal(Use::Body, &[], &[], &mut |buffer| buffer.fill(1)).map(|_| key)
    }

    /// The 32 bytes of the X25519 point.
    #[must_use]
    pub fn bytes(&self) -> [u8; 32] {
        self.0
    }

    /// Seals a body for the holder of the office's key.
    #[must_use]
    pub fn seal(&self, plain: &[u8], entropy: Entropy<'_>) -> Vec<u8> {
        self.seal_for(Use::Body, &[], plain, entropy)
    }

    /// Seals for one use, bound to `about`.
    pub(crate) fn seal_for(
        &self,
        usage: Use,
        about: &[u8],
        plain: &[u8],
        entropy: Entropy<'_>,
    ) -> Vec<u8> {
        self.try_seal(usage, about, plain, entropy)
            .expect("a key of small order is refused where it is read")
    }

    fn try_seal(
        &self,
        usage: Use,
        about: &[u8],
        plain: &[u8],
        entropy: Entropy<'_>,
    ) -> Option<Vec<u8>> {
        let to = PublicHalf::from_bytes(&self.0).ok()?;
        let (encapsulated, ciphertext) =
            hpke::single_shot_seal_with_rng::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
                &OpModeS::Base,
                &to,
                usage.info(),
                plain,
                &associated(about),
                &mut Dice(entropy),
            )
            .ok()?;
        Some([&[FORMAT][..], &encapsulated.to_bytes()[..], &ciphertext].concat())
    }
}

/// The half that opens. Zeroised when dropped.
pub(crate) struct OpeningKey {
    private: PrivateHalf,
    public: SealingKey,
}

impl OpeningKey {
    /// The key that a seed gives for a purpose.
    pub(crate) fn derived(seed: &Zeroizing<[u8; 32]>, purpose: &[u8]) -> Self {
        let material = derive(seed, purpose);
        let (private, public) = X25519HkdfSha256::derive_keypair(&material[..]);
        Self { private, public: SealingKey(public.to_bytes().into()) }
    }

    pub(crate) fn public(&self) -> SealingKey {
        self.public
    }

    /// Opens what was sealed to the public half for this use and about this; else `None`.
    pub(crate) fn open(&self, usage: Use, about: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (encapsulated, ciphertext) =
            sealed.strip_prefix(&[FORMAT])?.split_at_checked(ENCAPSULATED_BYTES)?;
        hpke::single_shot_open::<ChaCha20Poly1305, HkdfSha256, X25519HkdfSha256>(
            &OpModeR::Base,
            &self.private,
            &Encapsulated::from_bytes(encapsulated).ok()?,
            usage.info(),
            ciphertext,
            &associated(about),
        )
        .ok()
    }
}

fn associated(about: &[u8]) -> Vec<u8> {
    [&[FORMAT][..], about].concat()
}

/// One key of a seed, by HKDF-SHA256 without salt (the seed is uniform already).
pub(crate) fn derive(seed: &Zeroizing<[u8; 32]>, purpose: &[u8]) -> Zeroizing<[u8; 32]> {
    let mut key = Zeroizing::new([0; 32]);
    Hkdf::<Sha256>::new(None, &seed[..])
        .expand(purpose, &mut key[..])
        .expect("HKDF gives up to 8,160 bytes");
    key
}
