//! Roster editions: the signed facts of who belongs. The editions of one scope form a chain, each
//! naming the one before. Reads and writes their bytes; what they mean is judged in the ledger crate.

use crate::cbor::{CborFault, Reader, Writer};
use crate::cose::{self, CoseSignature, Purpose, SecretKey, SoundKey};
use crate::hash::tagged;
use crate::id::{CopyId, EditionId, NetworkId, PublicKey};
use crate::limits::{
    EDITION_BYTES_MAX, EDITION_FACTS_MAX, EDITION_INVITES_MAX, ROOT_KEYS_MAX, SEQUENCE_MAX,
    TERM_EDITIONS_MAX, TIME_MS_MAX, TIME_MS_MIN,
};

mod fact;

pub use fact::{Fact, INVITED_PEOPLE_MAX, OfficeId, Scope, SignerKind};
use fact::{decode_fact, decode_scope, encode_fact, encode_scope};

const VERSION: u64 = 1;

/// The signed bytes of one edition, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditionCore {
    /// The network; `None` in the founding edition, whose id is the network.
    pub network: Option<NetworkId>,
    /// By whose authority it is made.
    pub scope: Scope,
    /// 1 for the first of its scope, then one more each time.
    pub number: u64,
    /// The edition before in the same scope; zeros for the first.
    pub previous: EditionId,
    /// When it was made, milliseconds since 1970: a claim.
    pub claimed_time_ms: u64,
    /// The facts, in order.
    pub facts: Vec<Fact>,
}

/// What is wrong with the bytes of an edition.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EditionFault {
    /// Not our deterministic CBOR.
    #[error("not deterministic CBOR of a roster edition")]
    Cbor(#[from] CborFault),
    /// Longer than an edition may be.
    #[error("longer than a roster edition may be")]
    TooLong,
    /// A format from another time.
    #[error("unknown version of the roster format")]
    UnknownVersion,
    /// A key is malformed or of small order.
    #[error("a key on the roster is malformed or weak")]
    WeakKey,
    /// Root keys or the logs of a cut do not ascend, or a threshold does not fit its keys.
    #[error("root keys or cut logs are not ascending, or the threshold does not fit the keys")]
    BadRoot,
    /// A delegation without term or threshold, or a first term that closes another.
    #[error("the delegation to a registrar is not sound")]
    BadRegistrar,
    /// An invitation of nobody.
    #[error("the invitation invites nobody")]
    EmptyInvitation,
    /// The key of an invitation has not signed who invites and to which office.
    #[error("the key of an invitation has not signed who invites and to which office")]
    BadInvitation,
    /// A joining edition says something else than the newcomer's keys, or is not the only one.
    #[error("a joining edition replaces its invitation and says nothing else")]
    BadJoining,
    /// A signature names no key, its key does not ascend, or it does not verify.
    #[error("a signature on the roster edition does not verify")]
    BadSignature,
}

/// An edition whose signatures verify. Whether the signers had the right is judged elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edition {
    bytes: Vec<u8>,
    core: EditionCore,
    id: EditionId,
    signers: Vec<PublicKey>,
}

impl EditionCore {
    /// The bytes that are hashed and signed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.array(7).uint(VERSION).optional(self.network.as_ref().map(|id| &id.0[..]));
        encode_scope(&mut writer, self.scope);
        writer.uint(self.number).bytes(&self.previous.0).uint(self.claimed_time_ms);
        writer.array(self.facts.len());
        for fact in &self.facts {
            encode_fact(&mut writer, fact);
        }
        writer.into_bytes()
    }

    /// Reads core bytes; refuses whatever [`EditionCore::encode`] would not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, EditionFault> {
        let mut reader = Reader::new(bytes);
        reader.array_of(7)?;
        if reader.uint()? != VERSION {
            return Err(EditionFault::UnknownVersion);
        }
        let network = reader.optional()?.map(NetworkId);
        let scope = decode_scope(&mut reader)?;
        let number = reader.uint_to(SEQUENCE_MAX)?;
        let previous = EditionId(reader.fixed()?);
        let claimed_time_ms = reader.uint_to(TIME_MS_MAX)?;
        let count = reader.array(EDITION_FACTS_MAX)?;
        let facts = (0..count).map(|_| decode_fact(&mut reader)).collect::<Result<_, _>>()?;
        reader.end()?;
        let core = Self { network, scope, number, previous, claimed_time_ms, facts };
        let first = core.number == 1 && core.previous == EditionId([0; 32]);
        let founding = first && core.scope == Scope::Root;
        let begins = (core.number == 1) == (core.previous == EditionId([0; 32]));
        let of_registrars = matches!(core.scope, Scope::Registrar { .. });
        if core.number == 0
            || (of_registrars && core.number > TERM_EDITIONS_MAX)
            || (core.scope != Scope::Root && !begins)
            || core.network.is_none() != founding
            || core.claimed_time_ms < TIME_MS_MIN
        {
            return Err(EditionFault::Cbor(CborFault::OutOfRange));
        }
        let invites = core.facts.iter().filter(|fact| matches!(fact, Fact::Invite { .. }));
        if invites.count() > EDITION_INVITES_MAX {
            return Err(EditionFault::Cbor(CborFault::WrongLength));
        }
        core.check_joining()?;
        Ok(core)
    }

    /// A joining edition is one fact, once; nobody else replaces an invitation.
    fn check_joining(&self) -> Result<(), EditionFault> {
        let joining = matches!(self.scope, Scope::Joining { .. });
        let replaces = matches!(self.facts.as_slice(), [Fact::Replace { .. }]);
        let any = self.facts.iter().any(|fact| matches!(fact, Fact::Replace { .. }));
        let sound = if joining { replaces && self.number == 1 } else { !any };
        if sound { Ok(()) } else { Err(EditionFault::BadJoining) }
    }
}

impl Scope {
    fn purpose(self) -> Purpose {
        match self {
            Self::Root => Purpose::Root,
            Self::Registrar { .. } => Purpose::Registrar,
            Self::Joining { .. } => Purpose::Joining,
        }
    }
}

impl Edition {
    /// Signs an edition: with root keys, with registrars' own keys, or as a newcomer with the
    /// invitation's key and every new one.
    ///
    /// # Errors
    /// When the facts could not be read back: a weak key, a name too long, a bad threshold.
    pub fn sign(core: &EditionCore, keys: &[SecretKey]) -> Result<Self, EditionFault> {
        let payload = core.encode();
        let purpose = core.scope.purpose();
        let sign = |key: &SecretKey| CoseSignature::make(key, purpose, &payload, true);
        let mut signatures: Vec<CoseSignature> = keys.iter().map(sign).collect();
        signatures.sort_by_key(|signature| signature.key);
        Self::decode(cose::encode(&payload, &signatures))
    }

    /// The same edition with the signatures of both: root keys lie in different places, and each
    /// holder signs a copy. Of more than an edition can carry those of the lowest keys, so that the
    /// outcome is the same in whichever order copies meet.
    ///
    /// # Errors
    /// `BadSignature` when the two say different things.
    pub fn join(&self, other: &Self) -> Result<Self, EditionFault> {
        let (payload, mut signatures) = cose::decode(&self.bytes, EDITION_BYTES_MAX)?;
        let (others, more) = cose::decode(&other.bytes, EDITION_BYTES_MAX)?;
        if payload != others {
            return Err(EditionFault::BadSignature);
        }
        signatures.extend(more);
        signatures.sort_by_key(|signature| signature.key);
        signatures.dedup_by_key(|signature| signature.key);
        signatures.truncate(ROOT_KEYS_MAX);
        Self::decode(cose::encode(payload, &signatures))
    }

    /// Reads an edition and checks every signature on it strictly.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, EditionFault> {
        if bytes.len() > EDITION_BYTES_MAX {
            return Err(EditionFault::TooLong);
        }
        let (payload, signatures) = cose::decode(&bytes, EDITION_BYTES_MAX)?;
        let core = EditionCore::decode(payload)?;
        let id = EditionId(tagged("xw/roster/1", &[payload]));
        let purpose = core.scope.purpose();
        let mut signers: Vec<PublicKey> = Vec::with_capacity(signatures.len());
        for signature in &signatures {
            let key = signature.key.ok_or(EditionFault::BadSignature)?;
            // Ascending keys: one key's signature counts once, and nobody who passes an edition on
            // can write it in another order.
            if signers.last().is_some_and(|last| *last >= key)
                || !SoundKey::of(&key).is_some_and(|key| signature.verifies(&key, purpose, payload))
            {
                return Err(EditionFault::BadSignature);
            }
            signers.push(key);
        }
        if !core.facts.iter().all(|fact| fact.is_proven(core.scope)) {
            return Err(EditionFault::BadInvitation);
        }
        Ok(Self { bytes, core, id, signers })
    }

    /// The exact bytes, to be stored and forwarded.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What this copy is called on the wire.
    #[must_use]
    pub fn copy_id(&self) -> CopyId {
        match self.core.scope {
            Scope::Registrar { .. } => CopyId(tagged("xw/edition-copy/1", &[&self.bytes])),
            Scope::Root | Scope::Joining { .. } => CopyId(self.id.0),
        }
    }

    /// What it says.
    #[must_use]
    pub fn core(&self) -> &EditionCore {
        &self.core
    }

    /// Its id.
    #[must_use]
    pub fn id(&self) -> EditionId {
        self.id
    }

    /// The distinct keys that signed it.
    #[must_use]
    pub fn signers(&self) -> &[PublicKey] {
        &self.signers
    }

    /// The network that it founds or belongs to.
    #[must_use]
    pub fn network(&self) -> NetworkId {
        self.core.network.unwrap_or(NetworkId(self.id.0))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edition_survives_its_bytes_and_counts_a_key_once() {
        let roots = [SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32])];
        let mut keys: Vec<PublicKey> = roots.iter().map(SecretKey::public).collect();
        keys.sort();
        let core = EditionCore {
            network: None,
            scope: Scope::Root,
            number: 1,
            previous: EditionId([0; 32]),
            claimed_time_ms: 1_800_000_000_000,
            facts: vec![Fact::Root { threshold: 2, keys }, Fact::Rules { version: 1 }],
        };
        let edition = Edition::sign(&core, &roots).unwrap();
        assert_eq!(Edition::decode(edition.bytes().to_vec()).as_ref(), Ok(&edition));
        assert_eq!(edition.signers().len(), 2);
        let twice = [roots[0].clone(), roots[0].clone()];
        assert_eq!(Edition::sign(&core, &twice), Err(EditionFault::BadSignature));
    }
}
