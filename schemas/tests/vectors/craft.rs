//! Keys and signatures that no honest program makes: where a lax check and the strict one differ.

use curve25519_dalek::constants::EIGHT_TORSION;
use curve25519_dalek::edwards::{CompressedEdwardsY, EdwardsPoint};
use curve25519_dalek::scalar::Scalar;
use sha2::{Digest as _, Sha512};
use xw_schemas::id::PublicKey;

/// An ed25519 key taken apart.
pub(crate) struct Crafted {
    secret: Scalar,
    point: EdwardsPoint,
    /// The key as it stands in bytes.
    pub(crate) public: PublicKey,
}

impl Crafted {
    /// The same secret that RFC 8032 makes of a seed.
    pub(crate) fn from_seed(seed: &[u8; 32]) -> Self {
        let hash = Sha512::digest(seed);
        let mut low: [u8; 32] = std::array::from_fn(|i| hash[i]);
        low[0] &= 0xf8;
        low[31] = low[31] & 0x7f | 0x40;
        let secret = Scalar::from_bytes_mod_order(low);
        Self::with_point(secret, EdwardsPoint::mul_base(&secret))
    }

    /// A key with a part of order 8, for which the strict check still gives one answer.
    pub(crate) fn mixed(seed: &[u8; 32]) -> Self {
        let sound = Self::from_seed(seed);
        Self::with_point(sound.secret, sound.point + EIGHT_TORSION[1])
    }

    /// A key of small order, whose secret is nothing.
    pub(crate) fn small(index: usize) -> Self {
        Self::with_point(Scalar::ZERO, EIGHT_TORSION[index])
    }

    /// The same point under another spelling.
    pub(crate) fn spelled(self, public: [u8; 32]) -> Self {
        Self { public: PublicKey(public), ..self }
    }

    fn with_point(secret: Scalar, point: EdwardsPoint) -> Self {
        Self { secret, point, public: PublicKey(point.compress().to_bytes()) }
    }

    fn challenge(&self, r: &[u8; 32], message: &[u8]) -> Scalar {
        let hash = Sha512::new().chain_update(r).chain_update(self.public.0).chain_update(message);
        Scalar::from_bytes_mod_order_wide(&hash.finalize().into())
    }

    /// R as given, S = r + k·a.
    fn sign(&self, r: Scalar, r_bytes: [u8; 32], message: &[u8]) -> [u8; 64] {
        let s = r + self.challenge(&r_bytes, message) * self.secret;
        let s = s.to_bytes();
        std::array::from_fn(|i| if i < 32 { r_bytes[i] } else { s[i - 32] })
    }

    /// A signature that obeys the equation as far as the key allows.
    pub(crate) fn plain(&self, message: &[u8]) -> [u8; 64] {
        let r = Scalar::from(20_261_120_u64);
        self.sign(r, EdwardsPoint::mul_base(&r).compress().to_bytes(), message)
    }

    /// R gets a part of order 8: only a check that multiplies by the cofactor accepts.
    pub(crate) fn cofactored(&self, message: &[u8]) -> [u8; 64] {
        let r = Scalar::from(20_261_120_u64);
        let point = EdwardsPoint::mul_base(&r) + EIGHT_TORSION[1];
        self.sign(r, point.compress().to_bytes(), message)
    }

    /// R is the identity: the relaxed check accepts it, the strict one does not.
    pub(crate) fn identity_r(&self, message: &[u8]) -> [u8; 64] {
        self.sign(Scalar::ZERO, EIGHT_TORSION[0].compress().to_bytes(), message)
    }

    /// R is the identity in a spelling that is not canonical (y = p + 1).
    pub(crate) fn misspelt_r(&self, message: &[u8]) -> [u8; 64] {
        self.sign(Scalar::ZERO, plus_p(1), message)
    }

    /// With a mixed key the strict equation holds when the challenge is a multiple of 8 (or not,
    /// as asked); tries one R after another.
    pub(crate) fn mixed_signature(&self, message: &[u8], holds: bool) -> [u8; 64] {
        let found = (1..1_000_u64).map(Scalar::from).find_map(|r| {
            let bytes = EdwardsPoint::mul_base(&r).compress().to_bytes();
            let multiple = self.challenge(&bytes, message).to_bytes()[0] & 7 == 0;
            (multiple == holds).then(|| self.sign(r, bytes, message))
        });
        found.expect("one challenge in eight is a multiple of eight")
    }
}

/// The same signature with S + L: the same number to whoever forgets to compare.
pub(crate) fn s_plus_l(signature: [u8; 64]) -> [u8; 64] {
    // L = 2^252 + 27742317777372353535851937790883648493, little-endian.
    const L: [u8; 32] = [
        0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde,
        0x14, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x10,
    ];
    let mut out = signature;
    let mut carry = 0_u16;
    for (byte, add) in out[32..].iter_mut().zip(L) {
        let sum = u16::from(*byte) + u16::from(add) + carry;
        *byte = (sum & 0xff) as u8;
        carry = sum >> 8;
    }
    out
}

/// The bytes of y = p + `small`, a second spelling of y = `small`.
pub(crate) fn plus_p(small: u8) -> [u8; 32] {
    let mut bytes = [0xff; 32];
    bytes[0] = 0xed + small;
    bytes[31] = 0x7f;
    bytes
}

/// A misspelt point that is not of small order: only the spelling is wrong.
pub(crate) fn misspelt_sound_point() -> [u8; 32] {
    let spelling = (2..=18).map(plus_p).find(|bytes| {
        CompressedEdwardsY(*bytes).decompress().is_some_and(|point| !point.is_small_order())
    });
    spelling.expect("about half of the small numbers are on the curve")
}

/// Bytes that are no point of the curve.
pub(crate) fn no_point() -> [u8; 32] {
    let bytes = (2..u8::MAX).map(|y| std::array::from_fn(|i| if i == 0 { y } else { 0 }));
    let mut bytes = bytes.filter(|bytes| CompressedEdwardsY(*bytes).decompress().is_none());
    bytes.next().expect("about half of the small numbers are not on the curve")
}
