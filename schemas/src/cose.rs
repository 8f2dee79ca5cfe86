//! COSE_Sign (RFC 9052 section 4) with Ed25519 (algorithm -19, RFC 9864), written and read
//! strictly: one byte string per meaning. This is the only place that makes or checks a signature.
//! Never batch verification and never the relaxed check: they disagree with the strict one on
//! crafted signatures, and then nodes would disagree.

use std::collections::BTreeMap;

use ed25519_dalek::{Signature, Signer as _, SigningKey, VerifyingKey};
use zeroize::Zeroizing;

use crate::cbor::{CborFault, Reader, Writer};
use crate::id::PublicKey;

/// Most signatures in one COSE_Sign: a roster edition may carry every root key.
const SIGNATURES_MAX: usize = crate::limits::ROOT_KEYS_MAX;

/// Protected header of a signature whose key the payload or context names: `{1: -19}`.
const HEADER_PLAIN: &[u8] = &[0xa1, 0x01, 0x32];

/// Protected header `{1: -19, 4: h'key'}` up to the 32 bytes of the key.
const HEADER_KEYED: &[u8] = &[0xa2, 0x01, 0x32, 0x04, 0x58, 0x20];

/// What a signature is made for. The text is the external additional data of the signature, so
/// that a signature made for one purpose verifies for no other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The node that writes the log.
    Node,
    /// The person who acted.
    Person,
    /// A root key holder, over a roster edition.
    Root,
    /// A registrar, over a roster edition of an office.
    Registrar,
    /// A newcomer, over the roster edition that replaces an invitation.
    Joining,
    /// The temporary key of an invitation, over who invites and whom.
    Invitation,
    /// A node, over a statement about what it holds: completeness, receipts of evidence packs.
    Statement,
}

impl Purpose {
    fn tag(self) -> &'static [u8] {
        match self {
            Self::Node => b"xiangwang/node/1",
            Self::Person => b"xiangwang/person/1",
            Self::Root => b"xiangwang/root/1",
            Self::Registrar => b"xiangwang/registrar/1",
            Self::Joining => b"xiangwang/joining/1",
            Self::Invitation => b"xiangwang/invitation/1",
            Self::Statement => b"xiangwang/statement/1",
        }
    }
}

/// A secret ed25519 key. Zeroised when dropped, never printed.
#[derive(Clone)]
pub struct SecretKey(SigningKey);

impl std::fmt::Debug for SecretKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretKey(of {})", self.public().short())
    }
}

impl SecretKey {
    /// The key of a 32-byte seed (RFC 8032 section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: &[u8; 32]) -> Self {
        Self(SigningKey::from_bytes(seed))
    }

    /// The seed, for the key file of its owner.
    #[must_use]
    pub fn seed(&self) -> Zeroizing<[u8; 32]> {
        Zeroizing::new(self.0.to_bytes())
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.verifying_key().to_bytes())
    }

    /// Signs bytes that another standard prescribes (C2SP signed notes).
    #[must_use]
    pub fn sign_raw(&self, message: &[u8]) -> [u8; 64] {
        self.0.sign(message).to_bytes()
    }

    fn sign_for(&self, purpose: Purpose, header: &[u8], payload: &[u8]) -> [u8; 64] {
        self.sign_raw(&to_be_signed(purpose, header, payload))
    }
}

/// A public key that was read once: a canonical point that is not of small order, so that one
/// signature can never fit several messages.
#[derive(Debug, Clone)]
pub struct SoundKey(VerifyingKey);

impl SoundKey {
    /// Reads a key; `None` for what is no point, another spelling of one, or weak.
    #[must_use]
    pub fn of(key: &PublicKey) -> Option<Self> {
        let point = VerifyingKey::from_bytes(&key.0).ok().filter(|_| is_canonical(&key.0))?;
        (!point.is_weak()).then_some(Self(point))
    }

    /// The key's bytes.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.to_bytes())
    }

    /// Strict verification of a raw signature (RFC 8032, cofactorless, canonical, no small order).
    #[must_use]
    pub fn verifies_raw(&self, message: &[u8], signature: &[u8; 64]) -> bool {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).is_ok()
    }
}

/// Keys read before: reading one costs a tenth of a verification, and the entries of a frame are
/// signed by few.
#[derive(Debug, Default)]
pub struct KeyRing(BTreeMap<PublicKey, SoundKey>);

/// Keys kept in a ring: more than an office has people.
const RING_KEYS_MAX: usize = 64;

impl KeyRing {
    /// An empty ring.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The key, read now or before; `None` when it is not sound.
    pub fn key(&mut self, key: &PublicKey) -> Option<&SoundKey> {
        if !self.0.contains_key(key) {
            let sound = SoundKey::of(key)?;
            if self.0.len() >= RING_KEYS_MAX {
                self.0.clear();
            }
            self.0.insert(*key, sound);
        }
        self.0.get(key)
    }
}

/// Whether the bytes spell their point the one right way: y below the field's prime 2^255 - 19. The
/// other wrong spelling, a sign on x = 0, has small order and falls with the weak ones.
fn is_canonical(key: &[u8; 32]) -> bool {
    let high = key[31] & 0x7f == 0x7f && key[1..31].iter().all(|byte| *byte == 0xff);
    !(high && key[0] >= 0xed)
}

/// Whether a key may stand on a roster.
#[must_use]
pub fn is_sound_key(key: &PublicKey) -> bool {
    SoundKey::of(key).is_some()
}

/// Strict verification of a raw signature by a sound key.
#[must_use]
pub fn verify_raw(key: &PublicKey, message: &[u8], signature: &[u8; 64]) -> bool {
    SoundKey::of(key).is_some_and(|key| key.verifies_raw(message, signature))
}

/// One signature of a COSE_Sign: the key it names, if its header does, and 64 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CoseSignature {
    /// The key named in the protected header.
    pub key: Option<PublicKey>,
    /// The ed25519 signature.
    pub signature: [u8; 64],
}

impl CoseSignature {
    fn header(key: Option<&PublicKey>) -> Vec<u8> {
        match key {
            None => HEADER_PLAIN.to_vec(),
            Some(key) => [HEADER_KEYED, &key.0[..]].concat(),
        }
    }

    /// Signs `payload`; `named` puts the key into the protected header.
    #[must_use]
    pub fn make(secret: &SecretKey, purpose: Purpose, payload: &[u8], named: bool) -> Self {
        let key = named.then(|| secret.public());
        let header = Self::header(key.as_ref());
        Self { key, signature: secret.sign_for(purpose, &header, payload) }
    }

    /// Whether this is `key`'s signature over `payload` for `purpose`.
    #[must_use]
    pub fn verifies(&self, key: &SoundKey, purpose: Purpose, payload: &[u8]) -> bool {
        let header = Self::header(self.key.as_ref());
        key.verifies_raw(&to_be_signed(purpose, &header, payload), &self.signature)
    }
}

/// Bytes of a `Sig_structure` beside header, purpose and payload: room for the longest heads.
const SIG_STRUCTURE_BYTES: usize = 32;

/// The `Sig_structure` of RFC 9052 section 4.4, with an empty protected body header.
fn to_be_signed(purpose: Purpose, header: &[u8], payload: &[u8]) -> Vec<u8> {
    let parts = header.len() + purpose.tag().len() + payload.len();
    let mut writer = Writer::with_capacity(SIG_STRUCTURE_BYTES + parts);
    writer.array(5).text("Signature").bytes(&[]).bytes(header);
    writer.bytes(purpose.tag()).bytes(payload);
    writer.into_bytes()
}

/// Writes an untagged COSE_Sign: `[h'', {}, payload, [[header, {}, signature], ...]]`.
#[must_use]
pub fn encode(payload: &[u8], signatures: &[CoseSignature]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(4).bytes(&[]).map(0).bytes(payload).array(signatures.len());
    for signature in signatures {
        let header = CoseSignature::header(signature.key.as_ref());
        writer.array(3).bytes(&header).map(0).bytes(&signature.signature);
    }
    writer.into_bytes()
}

/// Reads what [`encode`] writes and nothing else; checks no signature.
pub fn decode(bytes: &[u8], payload_max: usize) -> Result<(&[u8], Vec<CoseSignature>), CborFault> {
    let mut reader = Reader::new(bytes);
    reader.array_of(4)?;
    reader.fixed::<0>()?;
    reader.map_of(0)?;
    let payload = reader.bytes(payload_max)?;
    let count = reader.array(SIGNATURES_MAX)?;
    let mut signatures = Vec::with_capacity(count);
    for _ in 0..count {
        reader.array_of(3)?;
        let header = reader.bytes(HEADER_KEYED.len() + 32)?;
        let key = match header.strip_prefix(HEADER_KEYED) {
            Some(key) => Some(PublicKey(key.try_into().map_err(|_| CborFault::WrongLength)?)),
            None if header == HEADER_PLAIN => None,
            None => return Err(CborFault::OutOfRange),
        };
        reader.map_of(0)?;
        signatures.push(CoseSignature { key, signature: reader.fixed()? });
    }
    reader.end()?;
    Ok((payload, signatures))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signature_serves_one_purpose_and_one_payload() {
        let secret = SecretKey::from_seed(&[7; 32]);
        let made = CoseSignature::make(&secret, Purpose::Node, b"core", true);
        let bytes = encode(b"core", &[made]);
        let (payload, read) = decode(&bytes, 100).unwrap();
        assert_eq!((payload, read.as_slice()), (&b"core"[..], &[made][..]));
        let key = SoundKey::of(&secret.public()).unwrap();
        assert!(made.verifies(&key, Purpose::Node, b"core"));
        assert!(!made.verifies(&key, Purpose::Person, b"core"));
        assert!(!made.verifies(&key, Purpose::Node, b"cors"));
    }

    #[test]
    fn weak_keys_are_unsound() {
        let mut identity = [0; 32];
        identity[0] = 1;
        assert!(!is_sound_key(&PublicKey(identity)));
        assert!(!is_sound_key(&PublicKey([0xff; 32])));
        assert!(is_sound_key(&SecretKey::from_seed(&[1; 32]).public()));
    }
}
