//! The evidence pack: what a holder gives away so that a stranger can judge it without a network. This
//! names its files, its manifest and its bounds; `schemas/spec/evidence-pack.md` is the page.

use serde::{Deserialize, Serialize};
use xw_schemas::cbor::{CborFault, Reader, Writer};
use xw_schemas::id::{EditionId, EntryId, LogId, NetworkId, PublicKey, RecordId, hex};
use xw_schemas::limits::{CHANGE_BYTES_MAX, ENVELOPE_BYTES_MAX, SALT_BYTES};
use xw_schemas::record::{Level, SchemaHash};
use xw_schemas::space::{Division, Space};

use crate::holdings::Place;

mod extract;
mod files;
mod write;

pub use write::{Export, PackError, Written, write_pack};
pub(crate) use write::{period_of, places_of};

/// Name and version of the pack's form.
pub const FORM: &str = "xiangwang evidence pack 1";

/// Ending of a pack's file name.
pub const ENDING: &str = "xwproof.zip";

/// Entries in one file of a log: read, verified and placed together.
pub const CHUNK_ENTRIES_MAX: usize = 1_024;

/// A file of entries or a group of records is closed once it holds so many bytes.
pub const CHUNK_BYTES_AIM: usize = 4 << 20;

/// Records in one group: judged and compared together.
pub const GROUP_RECORDS_MAX: usize = 256;

/// Most bodies in a group: records of up to 1,000 changes each, closed by their bytes long before.
pub const GROUP_BODIES_MAX: usize = 65_536;

/// Most records that a pack may be asked for by name; a case list has dozens.
pub const SCOPE_RECORDS_MAX: usize = 1_000;

/// What the pack is about.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase", deny_unknown_fields)]
pub enum Scope {
    /// These records, one or a list.
    Records {
        /// Each with its space, ascending.
        records: Vec<PlaceName>,
    },
    /// Everything of a division.
    Division {
        /// A village, a township or a county.
        division: Division,
    },
    /// The records of a division that were touched in a period.
    Period {
        /// A village, a township or a county.
        division: Division,
        /// First moment, milliseconds since 1970.
        from_ms: u64,
        /// The moment after the last.
        to_ms: u64,
    },
}

/// A record of a space.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PlaceName {
    /// The space.
    pub space: Space,
    /// The record.
    pub record: RecordId,
}

impl From<Place> for PlaceName {
    fn from((space, record): Place) -> Self {
        Self { space, record }
    }
}

/// Which bodies the holder gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Give {
    /// None: everything verifies, nothing is told.
    Nothing,
    /// Those of records of which an office of this level may have the bodies and read every field.
    Level(Level),
    /// All that are held.
    All,
}

/// The list of everything in the pack; its bytes are what `manifest.cose` signs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    /// [`FORM`].
    pub form: String,
    /// The network: the id of the founding edition.
    pub network: NetworkId,
    /// The roster by which the records were judged.
    pub roster: EditionId,
    /// Number of its newest root edition.
    pub roster_number: u64,
    /// Version of the rules.
    pub rules: u64,
    /// What the pack is about.
    pub scope: Scope,
    /// Which bodies were given.
    pub bodies: Give,
    /// The maker's clock, milliseconds since 1970.
    pub made_ms: u64,
    /// The node that made it.
    pub by: PublicKey,
    /// The spaces of which entries are in the pack.
    pub spaces: Vec<PackSpace>,
    /// The logs of which entries are in the pack, ascending.
    pub logs: Vec<PackLog>,
    /// How many records are told.
    pub records: u64,
    /// Every other file but `manifest.cose`, in the order of the container.
    pub files: Vec<PackFile>,
}

/// A space in a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackSpace {
    /// The space.
    pub space: Space,
    /// Whether every log of it is there from its opening on; else an extract with proofs is.
    pub whole: bool,
}

/// A log in a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackLog {
    /// The log.
    pub log: LogId,
    /// The node that writes it.
    pub node: PublicKey,
    /// Where its entries live.
    pub space: Space,
    /// How many of its entries are in the pack.
    pub entries: u64,
    /// The ends of all branches that the maker holds: number and entry.
    pub tips: Vec<(u64, EntryId)>,
}

/// A file in a pack.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackFile {
    /// Its name.
    pub name: String,
    /// Its length.
    pub bytes: u64,
    /// SHA-256 of its bytes, as hex.
    pub sha256: String,
}

/// What a file name in a pack means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum FileName {
    /// The signed statement of completeness.
    CompletenessSigned,
    /// The same statement, to be read.
    Completeness,
    /// Entries of a log, by chunk.
    Entries(LogId, u32),
    /// That one checkpoint extends another.
    Consistency(LogId, u64, u64),
    /// That an entry stands under a checkpoint.
    Inclusion(EntryId),
    /// Bodies of a group of records.
    Bodies(u32),
    /// A group of records for readers.
    Records(u32),
    /// A roster edition.
    Edition(u32),
    /// A record type's definition.
    Definition(SchemaHash),
    /// The summary for people.
    Summary,
    /// The signed manifest.
    ManifestSigned,
    /// The manifest.
    Manifest,
}

impl std::fmt::Display for FileName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::CompletenessSigned => f.write_str("completeness.cose"),
            Self::Completeness => f.write_str("completeness.json"),
            Self::Entries(log, chunk) => write!(f, "entries/{log}/{chunk:06}.cbor"),
            Self::Consistency(log, old, new) => write!(f, "proofs/{log}-{old}-{new}.consistency"),
            Self::Inclusion(entry) => write!(f, "proofs/{entry}.tlog-proof"),
            Self::Bodies(group) => write!(f, "records/{group:06}.bodies"),
            Self::Records(group) => write!(f, "records/{group:06}.json"),
            Self::Edition(at) => write!(f, "roster/{at:06}.edition"),
            Self::Definition(hash) => write!(f, "schemas/{hash}.json"),
            Self::Summary => f.write_str(crate::archive::SUMMARY),
            Self::ManifestSigned => f.write_str("manifest.cose"),
            Self::Manifest => f.write_str("manifest.json"),
        }
    }
}

impl FileName {
    /// Reads a name; `None` for all but the spellings above.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        let parts: Vec<&str> = name.split('/').collect();
        let found = match parts.as_slice() {
            ["completeness.cose"] => Self::CompletenessSigned,
            ["completeness.json"] => Self::Completeness,
            ["manifest.cose"] => Self::ManifestSigned,
            ["manifest.json"] => Self::Manifest,
            [crate::archive::SUMMARY] => Self::Summary,
            ["entries", log, chunk] => {
                Self::Entries(LogId::from_hex(log)?, chunk.strip_suffix(".cbor")?.parse().ok()?)
            }
            ["proofs", file] => match file.strip_suffix(".tlog-proof") {
                Some(entry) => Self::Inclusion(EntryId::from_hex(entry)?),
                None => {
                    let mut parts = file.strip_suffix(".consistency")?.split('-');
                    let (log, old, new) = (parts.next()?, parts.next()?, parts.next()?);
                    Self::Consistency(LogId::from_hex(log)?, old.parse().ok()?, new.parse().ok()?)
                }
            },
            ["records", file] => match file.strip_suffix(".bodies") {
                Some(group) => Self::Bodies(group.parse().ok()?),
                None => Self::Records(file.strip_suffix(".json")?.parse().ok()?),
            },
            ["roster", file] => Self::Edition(file.strip_suffix(".edition")?.parse().ok()?),
            ["schemas", file] => {
                Self::Definition(SchemaHash::from_hex(file.strip_suffix(".json")?)?)
            }
            _ => return None,
        };
        (found.to_string() == name).then_some(found)
    }
}

impl PackFile {
    /// What the manifest says of a file.
    #[must_use]
    pub fn of(name: &FileName, content: &[u8]) -> Self {
        let sha256 = hex(&xw_schemas::hash::plain(&[content]));
        Self { name: name.to_string(), bytes: content.len() as u64, sha256 }
    }
}

/// Envelopes of a log as one file.
#[must_use]
pub fn entries_file(envelopes: &[&[u8]]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(envelopes.len());
    for envelope in envelopes {
        writer.bytes(envelope);
    }
    writer.into_bytes()
}

/// Reads what [`entries_file`] writes.
pub fn read_entries(bytes: &[u8]) -> Result<Vec<&[u8]>, CborFault> {
    let mut reader = Reader::new(bytes);
    let count = reader.array(CHUNK_ENTRIES_MAX)?;
    let envelopes =
        (0..count).map(|_| reader.bytes(ENVELOPE_BYTES_MAX)).collect::<Result<_, _>>()?;
    reader.end()?;
    Ok(envelopes)
}

/// Bodies of a group as one file: entry and body, entries ascending.
#[must_use]
pub fn bodies_file(bodies: &[(EntryId, &[u8])]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer.array(bodies.len());
    for (entry, body) in bodies {
        writer.array(2).bytes(&entry.0).bytes(body);
    }
    writer.into_bytes()
}

/// Reads what [`bodies_file`] writes.
pub fn read_bodies(bytes: &[u8]) -> Result<Vec<(EntryId, &[u8])>, CborFault> {
    let mut reader = Reader::new(bytes);
    let count = reader.array(GROUP_BODIES_MAX)?;
    let mut bodies: Vec<(EntryId, &[u8])> = Vec::new();
    for _ in 0..count {
        reader.array_of(2)?;
        let entry = EntryId(reader.fixed()?);
        if bodies.last().is_some_and(|(last, _)| *last >= entry) {
            return Err(CborFault::OutOfRange);
        }
        bodies.push((entry, reader.bytes(SALT_BYTES + CHANGE_BYTES_MAX)?));
    }
    reader.end()?;
    Ok(bodies)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_name_is_read_back_and_has_one_spelling() {
        let log = LogId([0xab; 32]);
        for name in [
            FileName::Entries(log, 7),
            FileName::Entries(log, 1_234_567),
            FileName::Consistency(log, 3, 20),
            FileName::Inclusion(EntryId([1; 32])),
            FileName::Bodies(1),
            FileName::Records(1),
            FileName::Edition(2),
            FileName::Definition(SchemaHash([2; 32])),
            FileName::Summary,
            FileName::Manifest,
        ] {
            assert_eq!(FileName::parse(&name.to_string()), Some(name));
        }
        let upper = format!("entries/{}/000001.cbor", log.to_string().to_uppercase());
        for name in ["records/1.json", "records/+00001.json", "x", "entries/1/2.cbor", &upper] {
            assert_eq!(FileName::parse(name), None, "{name}");
        }
    }
}
