//! The entry: bytes to be signed, the signed envelope, and the two ways to a [`VerifiedEntry`].
//! Judges only what can never change: form, sizes, signatures. Never authority, never order.

use crate::cbor::{CborFault, Reader, Writer};
use crate::cose::{self, CoseSignature, KeyRing, Purpose, SecretKey};
use crate::hash::tagged;
use crate::id::{EntryId, Incarnation, LogId, NetworkId, OperationId, PublicKey, RecordId};
use crate::limits::{
    CHANGE_BYTES_MAX, CORE_BYTES_MAX, ENVELOPE_BYTES_MAX, SALT_BYTES, SEQUENCE_MAX, TIME_MS_MAX,
    TIME_MS_MIN, WITNESS_PINS_MAX,
};
use crate::record::SchemaHash;
use crate::space::{Audience, Division, Space};

mod erasure;

pub use erasure::{Erasure, ErasureGround, ErasureReceipt};

/// Version of the entry format.
const VERSION: u64 = 1;

/// Signature suite 1: ed25519 and SHA-256. The suite belongs to the roster and is never negotiated.
const SUITE: u64 = 1;

/// Longest record-type code, such as `SVC`.
const TYPE_BYTES_MAX: usize = 16;

/// The signed bytes of an entry, read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Core {
    /// The network this entry belongs to.
    pub network: NetworkId,
    /// The log it stands in.
    pub log: LogId,
    /// Its number in the log; the first entry, which opens the log, has 0.
    pub sequence: u64,
    /// The entry before it; zeros for the first.
    pub previous: EntryId,
    /// Root of the log's Merkle tree over all entries before this one.
    pub root: [u8; 32],
    /// The newest word of an office above that the author held: this entry was made after it.
    pub seen: Option<EntryId>,
    /// The author's clock in milliseconds since 1970: a claim, shown and never trusted.
    pub claimed_time_ms: u64,
    /// The act; the same in every republication of it.
    pub operation: OperationId,
    /// The entry of an earlier incarnation that says the same, where this one says it again.
    pub republishes: Option<EntryId>,
    /// The person who acted, who then co-signs; none for unattended work of the node.
    pub person: Option<PublicKey>,
    /// What is said.
    pub statement: Statement,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Statement {
    /// The first entry of a log.
    Open(Opening),
    /// One Automerge change of one record; its bytes are the body.
    Change(ChangeStatement),
    /// An office holds these prefixes of logs durably.
    Witness(Vec<Pin>),
    /// A person asks for a record's contents to be removed. It holds when two have.
    Erase(Erasure),
    /// This node has removed a record's contents.
    Erased(ErasureReceipt),
}

/// What the first entry of a log says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// The node that writes the log.
    pub node: PublicKey,
    /// Where its entries live.
    pub space: Space,
    /// Chosen at random when the log is opened.
    pub incarnation: Incarnation,
    /// The last entry that this node knows of its log before, when it takes over from one.
    pub successor_of: Option<EntryId>,
}

/// A change of a record. The body is bound, not contained, so that an entry can be replicated and
/// verified without it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChangeStatement {
    /// The record.
    pub record: RecordId,
    /// Its type, such as `SVC`.
    pub record_type: String,
    /// The definition it was written under.
    pub schema: SchemaHash,
    /// Commitment to salt and change.
    pub commitment: [u8; 32],
    /// Length of the change in bytes.
    pub length: u64,
}

/// A witness's word on one log: that it holds this prefix and will never hold another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pin {
    /// The log.
    pub log: LogId,
    /// How many entries the prefix has.
    pub size: u64,
    /// The last entry of the prefix.
    pub head: EntryId,
    /// Root of the Merkle tree over the prefix.
    pub root: [u8; 32],
    /// The witness's clock in seconds since 1970, as it stands in the cosignature.
    pub time_s: u64,
    /// The witness's C2SP cosignature over the checkpoint of this prefix.
    pub cosignature: [u8; 64],
}

impl Core {
    /// The bytes that are hashed and signed.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        writer.array(13).uint(VERSION).bytes(&self.network.0).uint(SUITE).bytes(&self.log.0);
        writer.uint(self.sequence).bytes(&self.previous.0).bytes(&self.root);
        writer.optional(self.seen.as_ref().map(|id| &id.0[..]));
        writer.uint(self.claimed_time_ms).bytes(&self.operation.0);
        writer.optional(self.republishes.as_ref().map(|id| &id.0[..]));
        writer.optional(self.person.as_ref().map(|key| &key.0[..]));
        match &self.statement {
            Statement::Open(opening) => {
                writer.array(6).uint(0).bytes(&opening.node.0);
                writer.uint(opening.space.division.number());
                writer.uint(u64::from(opening.space.audience.number()));
                writer.bytes(&opening.incarnation.0);
                writer.optional(opening.successor_of.as_ref().map(|id| &id.0[..]));
            }
            Statement::Change(change) => {
                writer.array(6).uint(1).bytes(&change.record.0).text(&change.record_type);
                writer.bytes(&change.schema.0).bytes(&change.commitment).uint(change.length);
            }
            Statement::Witness(pins) => {
                writer.array(2).uint(2).array(pins.len());
                for pin in pins {
                    writer.array(6).bytes(&pin.log.0).uint(pin.size).bytes(&pin.head.0);
                    writer.bytes(&pin.root).uint(pin.time_s).bytes(&pin.cosignature);
                }
            }
            Statement::Erase(erasure) => {
                writer.array(4).uint(3).bytes(&erasure.record.0).text(&erasure.record_type);
                writer.uint(erasure.ground.number());
            }
            Statement::Erased(receipt) => {
                writer.array(4).uint(4).bytes(&receipt.record.0);
                writer.bytes(&receipt.because[0].0).bytes(&receipt.because[1].0);
            }
        }
        writer.into_bytes()
    }

    /// Reads core bytes; refuses whatever [`Core::encode`] would not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryFault> {
        if bytes.len() > CORE_BYTES_MAX {
            return Err(EntryFault::TooLong);
        }
        let mut reader = Reader::new(bytes);
        reader.array_of(13)?;
        if reader.uint()? != VERSION {
            return Err(EntryFault::UnknownVersion);
        }
        let network = NetworkId(reader.fixed()?);
        if reader.uint()? != SUITE {
            return Err(EntryFault::UnknownVersion);
        }
        let core = Self {
            network,
            log: LogId(reader.fixed()?),
            sequence: reader.uint_to(SEQUENCE_MAX)?,
            previous: EntryId(reader.fixed()?),
            root: reader.fixed()?,
            seen: reader.optional()?.map(EntryId),
            claimed_time_ms: reader.uint_to(TIME_MS_MAX)?,
            operation: OperationId(reader.fixed()?),
            republishes: reader.optional()?.map(EntryId),
            person: reader.optional()?.map(PublicKey),
            statement: Statement::decode(&mut reader)?,
        };
        reader.end()?;
        core.check()?;
        Ok(core)
    }

    /// What core bytes alone must satisfy beyond their form.
    fn check(&self) -> Result<(), EntryFault> {
        if self.claimed_time_ms < TIME_MS_MIN {
            return Err(EntryFault::Cbor(CborFault::OutOfRange));
        }
        match &self.statement {
            Statement::Open(opening) => {
                let log = LogId::of(self.network, opening.node, opening.space, opening.incarnation);
                let first = self.sequence == 0
                    && self.republishes.is_none()
                    && self.previous == EntryId([0; 32])
                    && self.root == crate::merkle::root_of(&[]);
                if first && self.log == log { Ok(()) } else { Err(EntryFault::BadOpening) }
            }
            _ if self.sequence == 0 => Err(EntryFault::BadOpening),
            // A change is somebody's act or unattended work; to witness and to answer for its own
            // disk is always the node's, to ask for an erasure always a person's.
            Statement::Witness(_) | Statement::Erased(_) if self.person.is_some() => {
                Err(EntryFault::Signers)
            }
            Statement::Erase(_) if self.person.is_none() => Err(EntryFault::Signers),
            // Only what a person typed is worth saying again.
            _ if self.republishes.is_some() && self.person.is_none() => {
                Err(EntryFault::BadRepublication)
            }
            _ => Ok(()),
        }
    }

    /// The entry's id.
    #[must_use]
    pub fn id(&self) -> EntryId {
        id_of(&self.encode())
    }
}

fn id_of(core: &[u8]) -> EntryId {
    EntryId(tagged("xw/entry/1", &[core]))
}

impl Statement {
    fn decode(reader: &mut Reader<'_>) -> Result<Self, EntryFault> {
        let items = reader.array(6)?;
        match (reader.uint()?, items) {
            (0, 6) => {
                let node = PublicKey(reader.fixed()?);
                let division = Division::from_number(reader.uint()?);
                let audience = Audience::from_number(reader.uint()?);
                let (Some(division), Some(audience)) = (division, audience) else {
                    return Err(EntryFault::Cbor(CborFault::OutOfRange));
                };
                Ok(Self::Open(Opening {
                    node,
                    space: Space { division, audience },
                    incarnation: Incarnation(reader.fixed()?),
                    successor_of: reader.optional()?.map(EntryId),
                }))
            }
            (1, 6) => Ok(Self::Change(ChangeStatement {
                record: RecordId(reader.fixed()?),
                record_type: record_type(reader)?,
                schema: SchemaHash(reader.fixed()?),
                commitment: reader.fixed()?,
                length: reader.uint_to(CHANGE_BYTES_MAX as u64)?,
            })),
            (2, 2) => {
                let count = reader.array(WITNESS_PINS_MAX)?;
                let mut pins: Vec<Pin> = Vec::with_capacity(count);
                for _ in 0..count {
                    reader.array_of(6)?;
                    let pin = Pin {
                        log: LogId(reader.fixed()?),
                        size: reader.uint_to(SEQUENCE_MAX)?,
                        head: EntryId(reader.fixed()?),
                        root: reader.fixed()?,
                        time_s: reader.uint_to(TIME_MS_MAX / 1_000)?,
                        cosignature: reader.fixed()?,
                    };
                    let ascending = pins.last().is_none_or(|last| last.log < pin.log);
                    if pin.size == 0 || !ascending {
                        return Err(EntryFault::BadPins);
                    }
                    pins.push(pin);
                }
                if pins.is_empty() { Err(EntryFault::BadPins) } else { Ok(Self::Witness(pins)) }
            }
            (3, 4) => Ok(Self::Erase(Erasure {
                record: RecordId(reader.fixed()?),
                record_type: record_type(reader)?,
                ground: ErasureGround::from_number(reader.uint()?)
                    .ok_or(EntryFault::Cbor(CborFault::OutOfRange))?,
            })),
            (4, 4) => {
                let record = RecordId(reader.fixed()?);
                let because = [EntryId(reader.fixed()?), EntryId(reader.fixed()?)];
                if because[0] >= because[1] {
                    return Err(EntryFault::BadReceipt);
                }
                Ok(Self::Erased(ErasureReceipt { record, because }))
            }
            _ => Err(EntryFault::UnknownStatement),
        }
    }

    /// The record that this says something of.
    #[must_use]
    pub fn record(&self) -> Option<RecordId> {
        match self {
            Self::Change(change) => Some(change.record),
            Self::Erase(erasure) => Some(erasure.record),
            Self::Erased(receipt) => Some(receipt.record),
            Self::Open(_) | Self::Witness(_) => None,
        }
    }
}

/// A code is printed in logs and on screens before anyone knows the type, so nothing but capitals,
/// digits and the underscore may stand in it.
fn record_type(reader: &mut Reader<'_>) -> Result<String, CborFault> {
    let code = reader.text(TYPE_BYTES_MAX)?;
    let sound = |byte: u8| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_';
    if code.is_empty() || !code.bytes().all(sound) {
        return Err(CborFault::OutOfRange);
    }
    Ok(code.to_owned())
}

/// What a neighbour's bytes did wrong. The neighbour is dropped, nothing is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum EntryFault {
    /// Not our deterministic CBOR.
    #[error("not deterministic CBOR of an entry")]
    Cbor(#[from] CborFault),
    /// Longer than any entry may be.
    #[error("longer than an entry may be")]
    TooLong,
    /// A format or suite from another time.
    #[error("unknown version or suite")]
    UnknownVersion,
    /// A statement of an unknown kind or length.
    #[error("unknown kind of statement")]
    UnknownStatement,
    /// The first entry of a log does not open it, or another one does.
    #[error("the opening of the log is wrong")]
    BadOpening,
    /// Pins of a witness are empty, out of order or of an empty prefix.
    #[error("pins are empty or not in ascending order")]
    BadPins,
    /// An entry says again what no person said.
    #[error("only what a person did can be said again")]
    BadRepublication,
    /// A receipt of an erasure does not name two entries in ascending order.
    #[error("a receipt of an erasure names two entries in ascending order")]
    BadReceipt,
    /// The signers present are not those that the core names.
    #[error("the signatures are not those that the entry names")]
    Signers,
    /// A key is malformed or of small order.
    #[error("a key is malformed or weak")]
    WeakKey,
    /// A signature does not verify strictly.
    #[error("a signature does not verify")]
    BadSignature,
    /// An entry of another network.
    #[error("an entry of another network")]
    OtherNetwork,
    /// Body bytes that do not match the commitment, or a body where none belongs.
    #[error("the body does not match its commitment")]
    BadBody,
}

/// A body: the salt and the Automerge change that an entry commits to.
#[derive(Clone, PartialEq, Eq)]
pub struct Body(Vec<u8>);

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}

impl Body {
    /// Joins salt and change.
    #[must_use]
    pub fn new(salt: [u8; SALT_BYTES], change: &[u8]) -> Self {
        Self([&salt[..], change].concat())
    }

    /// Takes stored or received bytes; `None` when too short or too long.
    #[must_use]
    pub fn from_bytes(bytes: Vec<u8>) -> Option<Self> {
        (SALT_BYTES..=SALT_BYTES + CHANGE_BYTES_MAX).contains(&bytes.len()).then_some(Self(bytes))
    }

    /// Salt and change as stored and sent.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }

    /// The Automerge change.
    #[must_use]
    pub fn change(&self) -> &[u8] {
        &self.0[SALT_BYTES..]
    }

    /// What an entry says of this body.
    #[must_use]
    pub fn commitment(&self) -> [u8; 32] {
        tagged("xw/body/1", &[&self.0])
    }

    /// Whether the statement binds this body.
    #[must_use]
    pub fn matches(&self, statement: &ChangeStatement) -> bool {
        self.change().len() as u64 == statement.length && self.commitment() == statement.commitment
    }
}

/// An envelope as received: read, its signatures not yet checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEntry {
    bytes: Vec<u8>,
    core: Core,
    id: EntryId,
    node: PublicKey,
    signatures: Vec<CoseSignature>,
}

/// An entry whose signatures have been checked.
///
/// There are two ways to get one, [`RawEntry::verify`] and [`sign`], and no third but
/// [`VerifiedEntry::from_store`] for bytes that passed once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedEntry {
    bytes: Vec<u8>,
    core: Core,
    id: EntryId,
    node: PublicKey,
}

impl RawEntry {
    /// Reads an envelope; refuses every byte string that [`sign`] could not have written.
    pub fn decode(bytes: Vec<u8>) -> Result<Self, EntryFault> {
        if bytes.len() > ENVELOPE_BYTES_MAX {
            return Err(EntryFault::TooLong);
        }
        let (payload, signatures) = cose::decode(&bytes, CORE_BYTES_MAX)?;
        let core = Core::decode(payload)?;
        let id = id_of(payload);
        let expected = 1 + usize::from(core.person.is_some());
        let plain_person = signatures.get(1).is_none_or(|signature| signature.key.is_none());
        let Some(node) = signatures.first().and_then(|signature| signature.key) else {
            return Err(EntryFault::Signers);
        };
        if signatures.len() != expected || !plain_person {
            return Err(EntryFault::Signers);
        }
        if matches!(&core.statement, Statement::Open(opening) if opening.node != node) {
            return Err(EntryFault::Signers);
        }
        Ok(Self { bytes, core, id, node, signatures })
    }

    /// The id, known before the signatures are.
    #[must_use]
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// Whether this is a change that commits to `body`.
    #[must_use]
    pub fn binds(&self, body: &Body) -> bool {
        matches!(&self.core.statement, Statement::Change(change) if body.matches(change))
    }

    /// Checks all signatures strictly. About 60 µs each on an old machine.
    pub fn verify(self, network: NetworkId) -> Result<VerifiedEntry, EntryFault> {
        self.verify_with(network, &mut KeyRing::new())
    }

    /// The same, with keys that were read before.
    pub fn verify_with(
        self,
        network: NetworkId,
        ring: &mut KeyRing,
    ) -> Result<VerifiedEntry, EntryFault> {
        if self.core.network != network {
            return Err(EntryFault::OtherNetwork);
        }
        let (payload, _) = cose::decode(&self.bytes, CORE_BYTES_MAX)?;
        let person = self.core.person.map(|key| (key, Purpose::Person));
        let signers = [Some((self.node, Purpose::Node)), person];
        for (signature, (key, purpose)) in self.signatures.iter().zip(signers.into_iter().flatten())
        {
            let key = ring.key(&key).ok_or(EntryFault::WeakKey)?;
            if !signature.verifies(key, purpose, payload) {
                return Err(EntryFault::BadSignature);
            }
        }
        if let Statement::Witness(pins) = &self.core.statement {
            let key = ring.key(&self.node).ok_or(EntryFault::WeakKey)?;
            for pin in pins {
                if !crate::checkpoint::cosignature_verifies(key, network, pin) {
                    return Err(EntryFault::BadSignature);
                }
            }
        }
        Ok(VerifiedEntry { bytes: self.bytes, core: self.core, id: self.id, node: self.node })
    }
}

/// Signs a core: the node always, the person when the core names one.
///
/// # Errors
/// `Signers` when the person's key is missing, superfluous or not the one named, or when the node
/// is not the one that opens the log.
pub fn sign(
    core: Core,
    node: &SecretKey,
    person: Option<&SecretKey>,
) -> Result<VerifiedEntry, EntryFault> {
    if core.person != person.map(SecretKey::public) {
        return Err(EntryFault::Signers);
    }
    let payload = core.encode();
    // What we sign passes the same reading as what we receive.
    let core = Core::decode(&payload)?;
    let mut signatures = vec![CoseSignature::make(node, Purpose::Node, &payload, true)];
    signatures
        .extend(person.map(|person| CoseSignature::make(person, Purpose::Person, &payload, false)));
    let raw = RawEntry::decode(cose::encode(&payload, &signatures))?;
    Ok(VerifiedEntry { bytes: raw.bytes, core, id: raw.id, node: raw.node })
}

impl VerifiedEntry {
    /// Takes up bytes that this node verified before it stored them. `xiangwang verify` checks the
    /// signatures of a store again and does not come this way.
    pub fn from_store(bytes: Vec<u8>) -> Result<Self, EntryFault> {
        let raw = RawEntry::decode(bytes)?;
        Ok(Self { bytes: raw.bytes, core: raw.core, id: raw.id, node: raw.node })
    }

    /// The exact bytes received or signed, which are stored and forwarded.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The signed statement.
    #[must_use]
    pub fn core(&self) -> &Core {
        &self.core
    }

    /// The entry's id.
    #[must_use]
    pub fn id(&self) -> EntryId {
        self.id
    }

    /// The node that signed; the log's opening must name the same.
    #[must_use]
    pub fn node(&self) -> PublicKey {
        self.node
    }

    /// The change statement, if this is a change.
    #[must_use]
    pub fn change(&self) -> Option<&ChangeStatement> {
        match &self.core.statement {
            Statement::Change(change) => Some(change),
            Statement::Open(_)
            | Statement::Witness(_)
            | Statement::Erase(_)
            | Statement::Erased(_) => None,
        }
    }
}
