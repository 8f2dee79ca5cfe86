//! Roster editions: the signed facts of who belongs, one edition after another, each naming the one
//! before. Reads and writes their bytes; what they mean is judged in the ledger crate.

use crate::cbor::{CborFault, Reader, Writer};
use crate::cose::{self, CoseSignature, Purpose, SecretKey, SoundKey};
use crate::hash::tagged;
use crate::id::{EditionId, EntryId, LogId, NetworkId, PublicKey};
use crate::limits::{
    EDITION_BYTES_MAX, EDITION_FACTS_MAX, ROOT_KEYS_MAX, SEQUENCE_MAX, TIME_MS_MAX, TIME_MS_MIN,
};
use crate::record::SchemaHash;
use crate::space::Division;

const VERSION: u64 = 1;

/// Longest name of an office, person or division, in bytes: 40 Chinese characters.
const NAME_BYTES_MAX: usize = 120;

/// Longest code of a role or record type.
const CODE_BYTES_MAX: usize = 16;

/// Most roles of one person.
const ROLES_MAX: usize = 16;

/// Most logs listed in one cut.
const CUT_LOGS_MAX: usize = 4_096;

/// An office's number in its county's roster.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize,
)]
pub struct OfficeId(pub u32);

/// Whether a key belongs to a PC or to a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SignerKind {
    /// One PC of one office: authors logs.
    Node,
    /// One person with roles: co-signs what that person does.
    Person,
}

/// One fact of an edition. Later facts about the same subject replace earlier ones.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fact {
    /// The root: how many of which keys must sign an edition.
    Root {
        /// How many distinct keys must sign.
        threshold: u64,
        /// The keys, ascending.
        keys: Vec<PublicKey>,
    },
    /// The version of the rules by which entries are judged from this edition on.
    Rules {
        /// Only known versions are judged; a node that does not know it shows no view.
        version: u64,
    },
    /// A division's name, for screens and for reading ledgers.
    Place {
        /// The division.
        division: Division,
        /// Its Chinese name.
        name: String,
    },
    /// An office.
    Office {
        /// Its number.
        office: OfficeId,
        /// Where it stands: its jurisdiction is everything under this code.
        division: Division,
        /// Its Chinese name.
        name: String,
    },
    /// A key of an office.
    Signer {
        /// The key.
        key: PublicKey,
        /// A PC or a person.
        kind: SignerKind,
        /// Whose it is.
        office: OfficeId,
        /// The name shown beside what it signed.
        name: String,
        /// The roles of a person (`CL_ROLE`); empty for a node.
        roles: Vec<String>,
    },
    /// What stands of a key's entries: each listed log up to and including the named entry; all
    /// else of that key is void.
    Cut {
        /// The key, of a node or a person.
        key: PublicKey,
        /// Log, last valid number, its entry; logs ascending.
        kept: Vec<(LogId, u64, EntryId)>,
    },
    /// A record type that entries may be written under.
    Schema {
        /// Its code, such as `SVC`.
        record_type: String,
        /// The definition, fetched by this hash.
        definition: SchemaHash,
    },
}

/// The signed bytes of one edition, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EditionCore {
    /// The network; `None` in the founding edition, whose id is the network.
    pub network: Option<NetworkId>,
    /// 1 for the founding edition, then one more each time.
    pub number: u64,
    /// The edition before; zeros for the founding one.
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
        writer.array(6).uint(VERSION).optional(self.network.as_ref().map(|id| &id.0[..]));
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
        reader.array_of(6)?;
        if reader.uint()? != VERSION {
            return Err(EditionFault::UnknownVersion);
        }
        let network = reader.optional()?.map(NetworkId);
        let number = reader.uint_to(SEQUENCE_MAX)?;
        let previous = EditionId(reader.fixed()?);
        let claimed_time_ms = reader.uint_to(TIME_MS_MAX)?;
        let count = reader.array(EDITION_FACTS_MAX)?;
        let facts = (0..count).map(|_| decode_fact(&mut reader)).collect::<Result<_, _>>()?;
        reader.end()?;
        let core = Self { network, number, previous, claimed_time_ms, facts };
        let founding = core.number == 1 && core.previous == EditionId([0; 32]);
        if core.number == 0
            || core.network.is_none() != founding
            || core.claimed_time_ms < TIME_MS_MIN
        {
            return Err(EditionFault::Cbor(CborFault::OutOfRange));
        }
        Ok(core)
    }
}

fn encode_fact(writer: &mut Writer, fact: &Fact) {
    match fact {
        Fact::Root { threshold, keys } => {
            writer.array(3).uint(0).uint(*threshold).array(keys.len());
            for key in keys {
                writer.bytes(&key.0);
            }
        }
        Fact::Rules { version } => {
            writer.array(2).uint(1).uint(*version);
        }
        Fact::Place { division, name } => {
            writer.array(3).uint(2).uint(division.number()).text(name);
        }
        Fact::Office { office, division, name } => {
            writer.array(4).uint(3).uint(office.0.into()).uint(division.number()).text(name);
        }
        Fact::Signer { key, kind, office, name, roles } => {
            let kind = match kind {
                SignerKind::Node => 0,
                SignerKind::Person => 1,
            };
            writer.array(6).uint(4).bytes(&key.0).uint(kind).uint(office.0.into()).text(name);
            writer.array(roles.len());
            for role in roles {
                writer.text(role);
            }
        }
        Fact::Cut { key, kept } => {
            writer.array(3).uint(5).bytes(&key.0).array(kept.len());
            for (log, sequence, entry) in kept {
                writer.array(3).bytes(&log.0).uint(*sequence).bytes(&entry.0);
            }
        }
        Fact::Schema { record_type, definition } => {
            writer.array(3).uint(6).text(record_type).bytes(&definition.0);
        }
    }
}

fn decode_fact(reader: &mut Reader<'_>) -> Result<Fact, EditionFault> {
    let items = reader.array(6)?;
    Ok(match (reader.uint()?, items) {
        (0, 3) => {
            let threshold = reader.uint_to(ROOT_KEYS_MAX as u64)?;
            let count = reader.array(ROOT_KEYS_MAX)?;
            let keys = (0..count).map(|_| key(reader)).collect::<Result<Vec<_>, _>>()?;
            let ascending = keys.is_sorted_by(|a, b| a < b);
            if !ascending || threshold == 0 || threshold > keys.len() as u64 {
                return Err(EditionFault::BadRoot);
            }
            Fact::Root { threshold, keys }
        }
        (1, 2) => Fact::Rules { version: reader.uint()? },
        (2, 3) => Fact::Place { division: division(reader)?, name: name(reader)? },
        (3, 4) => Fact::Office {
            office: office(reader)?,
            division: division(reader)?,
            name: name(reader)?,
        },
        (4, 6) => {
            let key = key(reader)?;
            let kind = match reader.uint()? {
                0 => SignerKind::Node,
                1 => SignerKind::Person,
                _ => return Err(EditionFault::Cbor(CborFault::OutOfRange)),
            };
            let office = office(reader)?;
            let name = name(reader)?;
            let count = reader.array(ROLES_MAX)?;
            let roles = (0..count)
                .map(|_| reader.text(CODE_BYTES_MAX).map(str::to_owned))
                .collect::<Result<_, _>>()?;
            Fact::Signer { key, kind, office, name, roles }
        }
        (5, 3) => {
            let key = PublicKey(reader.fixed()?);
            let count = reader.array(CUT_LOGS_MAX)?;
            let mut kept = Vec::with_capacity(count);
            for _ in 0..count {
                reader.array_of(3)?;
                let log = LogId(reader.fixed()?);
                kept.push((log, reader.uint_to(SEQUENCE_MAX)?, EntryId(reader.fixed()?)));
            }
            // A log listed twice would be read in two ways.
            if !kept.is_sorted_by(|(a, ..), (b, ..)| a < b) {
                return Err(EditionFault::BadRoot);
            }
            Fact::Cut { key, kept }
        }
        (6, 3) => Fact::Schema {
            record_type: reader.text(CODE_BYTES_MAX)?.to_owned(),
            definition: SchemaHash(reader.fixed()?),
        },
        _ => return Err(EditionFault::Cbor(CborFault::OutOfRange)),
    })
}

fn key(reader: &mut Reader<'_>) -> Result<PublicKey, EditionFault> {
    let key = PublicKey(reader.fixed()?);
    if cose::is_sound_key(&key) { Ok(key) } else { Err(EditionFault::WeakKey) }
}

fn division(reader: &mut Reader<'_>) -> Result<Division, EditionFault> {
    let division = Division::from_number(reader.uint()?);
    division.ok_or(EditionFault::Cbor(CborFault::OutOfRange))
}

fn office(reader: &mut Reader<'_>) -> Result<OfficeId, EditionFault> {
    let number = u32::try_from(reader.uint()?);
    number.map(OfficeId).map_err(|_| EditionFault::Cbor(CborFault::OutOfRange))
}

fn name(reader: &mut Reader<'_>) -> Result<String, EditionFault> {
    Ok(reader.text(NAME_BYTES_MAX)?.to_owned())
}

impl Edition {
    /// Signs an edition with root keys.
    ///
    /// # Errors
    /// When the facts could not be read back: a weak key, a name too long, a bad threshold.
    pub fn sign(core: &EditionCore, roots: &[SecretKey]) -> Result<Self, EditionFault> {
        let payload = core.encode();
        let mut signatures: Vec<CoseSignature> = roots
            .iter()
            .map(|root| CoseSignature::make(root, Purpose::Root, &payload, true))
            .collect();
        signatures.sort_by_key(|signature| signature.key);
        Self::decode(cose::encode(&payload, &signatures))
    }

    /// Reads an edition and checks every signature on it strictly.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, EditionFault> {
        if bytes.len() > EDITION_BYTES_MAX {
            return Err(EditionFault::TooLong);
        }
        let (payload, signatures) = cose::decode(&bytes, EDITION_BYTES_MAX)?;
        let core = EditionCore::decode(payload)?;
        let id = EditionId(tagged("xw/roster/1", &[payload]));
        let mut signers: Vec<PublicKey> = Vec::with_capacity(signatures.len());
        for signature in &signatures {
            let key = signature.key.ok_or(EditionFault::BadSignature)?;
            // Ascending keys: one key's signature counts once, and nobody who passes an edition on
            // can write it in another order.
            if signers.last().is_some_and(|last| *last >= key)
                || !SoundKey::of(&key)
                    .is_some_and(|key| signature.verifies(&key, Purpose::Root, payload))
            {
                return Err(EditionFault::BadSignature);
            }
            signers.push(key);
        }
        Ok(Self { bytes, core, id, signers })
    }

    /// The exact bytes, to be stored and forwarded.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
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
