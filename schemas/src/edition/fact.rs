//! What a roster edition says: its facts and by whose authority, as deterministic CBOR. Judges form
//! alone.

use super::EditionFault;
use crate::cbor::{CborFault, Reader, Writer};
use crate::cose::{self, CoseSignature, Purpose, SecretKey, SoundKey};
use crate::id::{EditionId, EntryId, LogId, PublicKey};
use crate::limits::{ROOT_KEYS_MAX, SEQUENCE_MAX};
use crate::record::SchemaHash;
use crate::space::Division;

/// Longest name of an office, person or division, in bytes: 40 Chinese characters.
const NAME_BYTES_MAX: usize = 120;

/// Longest code of a role or record type.
const CODE_BYTES_MAX: usize = 16;

/// Most roles of one person.
const ROLES_MAX: usize = 16;

/// Most logs listed in one cut.
const CUT_LOGS_MAX: usize = 4_096;

/// Most people on one invitation: an office has few, and each signs the joining edition, which
/// carries at most [`ROOT_KEYS_MAX`] signatures.
pub const INVITED_PEOPLE_MAX: usize = 8;

/// Most rivals that one recovery names; two are already a county in trouble.
const RECOVERED_MAX: usize = 64;

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
    /// An office registers those below it: persons of the office who hold the role sign editions of
    /// the scope [`Scope::Registrar`]. A new term closes the one before.
    Registrar {
        /// The office.
        office: OfficeId,
        /// The term, from 1.
        term: u64,
        /// How many distinct persons must sign.
        threshold: u64,
        /// The role that makes a person of the office a registrar (`CL_ROLE`).
        role: String,
        /// What stands of the term before: its last edition. `None`: nothing of it.
        closes: Option<(u64, EditionId)>,
    },
    /// An invitation: a temporary key whose only right is to be replaced by the newcomer's own keys.
    /// Cutting the key withdraws it. Made by [`Fact::invite`].
    Invite {
        /// The temporary key.
        key: PublicKey,
        /// The office that the newcomer belongs to.
        office: OfficeId,
        /// The name of the PC, where one is invited.
        node: Option<String>,
        /// The people invited: name and roles.
        people: Vec<(String, Vec<String>)>,
        /// The temporary key's signature over who invites and to which office: nobody invites under
        /// a key of which he holds the public half alone.
        proof: [u8; 64],
    },
    /// The newcomer's own keys, in the place of the invitation that the scope names.
    Replace {
        /// Who invited: the office whose registrars did, `None` for root.
        by: Option<OfficeId>,
        /// The office that the newcomer was invited to.
        office: OfficeId,
        /// The key of the PC, where one was invited.
        node: Option<PublicKey>,
        /// The keys of the people, in the order of the invitation.
        people: Vec<PublicKey>,
    },
    /// Root decides a fork: the branch up to this entry stands, whatever witnesses pinned.
    Adjudicate {
        /// The log.
        log: LogId,
        /// The number of the entry.
        number: u64,
        /// The entry.
        entry: EntryId,
    },
    /// Root lets an entry count that a cut or a fork has taken.
    Adopt {
        /// The log.
        log: LogId,
        /// The number of the entry.
        number: u64,
        /// The entry.
        entry: EntryId,
    },
    /// Root lifts a freeze: these rivals of the editions before this one do not count.
    Recover {
        /// The rivals, ascending.
        rejected: Vec<EditionId>,
    },
}

/// By whose authority an edition is made. Each has chains of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The county's root keys.
    Root,
    /// Registrars of an office, for those strictly below it.
    Registrar {
        /// The office.
        office: OfficeId,
        /// The term of its delegation.
        term: u64,
    },
    /// A newcomer who replaces an invitation.
    Joining {
        /// The invitation's temporary key.
        invite: PublicKey,
    },
}

impl Scope {
    /// The office whose registrars speak; `None` for root and for newcomers.
    #[must_use]
    pub fn office(self) -> Option<OfficeId> {
        match self {
            Self::Registrar { office, .. } => Some(office),
            Self::Root | Self::Joining { .. } => None,
        }
    }
}

impl Fact {
    /// An invitation in an edition of this scope, with the proof that its key is held.
    #[must_use]
    pub fn invite(
        key: &SecretKey,
        scope: Scope,
        office: OfficeId,
        node: Option<String>,
        people: Vec<(String, Vec<String>)>,
    ) -> Self {
        let invited = inviting(scope.office(), office);
        let proof = CoseSignature::make(key, Purpose::Invitation, &invited, false).signature;
        Self::Invite { key: key.public(), office, node, people, proof }
    }

    /// Whether an invitation in an edition of this scope was made by who holds its key; other facts
    /// prove nothing.
    pub(super) fn is_proven(&self, scope: Scope) -> bool {
        let Self::Invite { key, office, proof, .. } = self else { return true };
        let signature = CoseSignature { key: None, signature: *proof };
        let invited = inviting(scope.office(), *office);
        SoundKey::of(key).is_some_and(|key| signature.verifies(&key, Purpose::Invitation, &invited))
    }
}

/// What the key of an invitation signs: who invites, and to which office.
fn inviting(by: Option<OfficeId>, office: OfficeId) -> Vec<u8> {
    let mut writer = Writer::new();
    encode_office(writer.array(2), by);
    writer.uint(office.0.into());
    writer.into_bytes()
}

fn encode_office(writer: &mut Writer, office: Option<OfficeId>) {
    match office {
        None => writer.null(),
        Some(office) => writer.uint(office.0.into()),
    };
}

pub(super) fn encode_fact(writer: &mut Writer, fact: &Fact) {
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
            encode_roles(writer, roles);
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
        Fact::Registrar { office, term, threshold, role, closes } => {
            writer.array(6).uint(7).uint(office.0.into()).uint(*term).uint(*threshold).text(role);
            match closes {
                None => writer.null(),
                Some((number, id)) => writer.array(2).uint(*number).bytes(&id.0),
            };
        }
        Fact::Invite { key, office, node, people, proof } => {
            writer.array(6).uint(8).bytes(&key.0).uint(office.0.into());
            match node {
                None => writer.null(),
                Some(name) => writer.text(name),
            };
            writer.array(people.len());
            for (name, roles) in people {
                writer.array(2).text(name);
                encode_roles(writer, roles);
            }
            writer.bytes(proof);
        }
        Fact::Replace { by, office, node, people } => {
            encode_office(writer.array(5).uint(9), *by);
            writer.uint(office.0.into()).optional(node.as_ref().map(|key| &key.0[..]));
            writer.array(people.len());
            for key in people {
                writer.bytes(&key.0);
            }
        }
        Fact::Adjudicate { log, number, entry } => {
            writer.array(4).uint(10).bytes(&log.0).uint(*number).bytes(&entry.0);
        }
        Fact::Adopt { log, number, entry } => {
            writer.array(4).uint(11).bytes(&log.0).uint(*number).bytes(&entry.0);
        }
        Fact::Recover { rejected } => {
            writer.array(2).uint(12).array(rejected.len());
            for id in rejected {
                writer.bytes(&id.0);
            }
        }
    }
}

pub(super) fn decode_fact(reader: &mut Reader<'_>) -> Result<Fact, EditionFault> {
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
            Fact::Signer { key, kind, office, name, roles: roles(reader)? }
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
        (7, 6) => {
            let (office, term) = (office(reader)?, reader.uint_to(SEQUENCE_MAX)?);
            let threshold = reader.uint_to(ROOT_KEYS_MAX as u64)?;
            let role = reader.text(CODE_BYTES_MAX)?.to_owned();
            let closes = if reader.is_null() {
                reader.null()?;
                None
            } else {
                reader.array_of(2)?;
                Some((reader.uint_to(SEQUENCE_MAX)?, EditionId(reader.fixed()?)))
            };
            if term == 0 || threshold == 0 || (term == 1 && closes.is_some()) {
                return Err(EditionFault::BadRegistrar);
            }
            Fact::Registrar { office, term, threshold, role, closes }
        }
        (8, 6) => {
            let (key, office) = (key(reader)?, office(reader)?);
            let node = if reader.is_null() {
                reader.null()?;
                None
            } else {
                Some(name(reader)?)
            };
            let count = reader.array(INVITED_PEOPLE_MAX)?;
            let mut people = Vec::with_capacity(count);
            for _ in 0..count {
                reader.array_of(2)?;
                people.push((name(reader)?, roles(reader)?));
            }
            if node.is_none() && people.is_empty() {
                return Err(EditionFault::EmptyInvitation);
            }
            Fact::Invite { key, office, node, people, proof: reader.fixed()? }
        }
        (9, 5) => {
            let by = if reader.is_null() {
                reader.null()?;
                None
            } else {
                Some(office(reader)?)
            };
            let office = office(reader)?;
            let node = match reader.optional()? {
                None => None,
                Some(bytes) => Some(sound(PublicKey(bytes))?),
            };
            let count = reader.array(INVITED_PEOPLE_MAX)?;
            let people = (0..count).map(|_| key(reader)).collect::<Result<_, _>>()?;
            Fact::Replace { by, office, node, people }
        }
        (10, 4) => {
            let (log, number, entry) = place(reader)?;
            Fact::Adjudicate { log, number, entry }
        }
        (11, 4) => {
            let (log, number, entry) = place(reader)?;
            Fact::Adopt { log, number, entry }
        }
        (12, 2) => {
            let count = reader.array(RECOVERED_MAX)?;
            let rejected =
                (0..count).map(|_| reader.fixed().map(EditionId)).collect::<Result<Vec<_>, _>>()?;
            if rejected.is_empty() || !rejected.is_sorted_by(|a, b| a < b) {
                return Err(EditionFault::BadRoot);
            }
            Fact::Recover { rejected }
        }
        _ => return Err(EditionFault::Cbor(CborFault::OutOfRange)),
    })
}

fn encode_roles(writer: &mut Writer, roles: &[String]) {
    writer.array(roles.len());
    for role in roles {
        writer.text(role);
    }
}

fn roles(reader: &mut Reader<'_>) -> Result<Vec<String>, EditionFault> {
    let count = reader.array(ROLES_MAX)?;
    Ok((0..count)
        .map(|_| reader.text(CODE_BYTES_MAX).map(str::to_owned))
        .collect::<Result<_, _>>()?)
}

fn place(reader: &mut Reader<'_>) -> Result<(LogId, u64, EntryId), EditionFault> {
    let log = LogId(reader.fixed()?);
    Ok((log, reader.uint_to(SEQUENCE_MAX)?, EntryId(reader.fixed()?)))
}

fn key(reader: &mut Reader<'_>) -> Result<PublicKey, EditionFault> {
    sound(PublicKey(reader.fixed()?))
}

fn sound(key: PublicKey) -> Result<PublicKey, EditionFault> {
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

pub(super) fn encode_scope(writer: &mut Writer, scope: Scope) {
    match scope {
        Scope::Root => writer.array(1).uint(0),
        Scope::Registrar { office, term } => {
            writer.array(3).uint(1).uint(office.0.into()).uint(term)
        }
        Scope::Joining { invite } => writer.array(2).uint(2).bytes(&invite.0),
    };
}

pub(super) fn decode_scope(reader: &mut Reader<'_>) -> Result<Scope, EditionFault> {
    let items = reader.array(3)?;
    Ok(match (reader.uint()?, items) {
        (0, 1) => Scope::Root,
        (1, 3) => Scope::Registrar { office: office(reader)?, term: reader.uint_to(SEQUENCE_MAX)? },
        (2, 2) => Scope::Joining { invite: key(reader)? },
        _ => return Err(EditionFault::Cbor(CborFault::OutOfRange)),
    })
}
