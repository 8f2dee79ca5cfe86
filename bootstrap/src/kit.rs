//! The kit that an office starts from: the founding edition, the record types, its own keys and
//! whom to dial. It carries secrets: whoever holds it is the office.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionFault};
use xw_schemas::id::{PublicKey, hex, unhex};
use xw_schemas::record::RecordType;
use xw_schemas::space::{Division, Tier};
use zeroize::Zeroizing;

use crate::found::Founded;

/// Largest kit file: the founding edition of the largest county and its record types, in base64.
pub const KIT_BYTES_MAX: u64 = 16 << 20;

/// One office's kit, as a JSON file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kit {
    /// Always `xiangwang-kit-1`.
    pub format: String,
    /// The office's division.
    pub division: Division,
    /// The office's Chinese name.
    pub office: String,
    /// The founding edition, base64.
    edition: String,
    /// The record types, in canonical JSON.
    definitions: Vec<String>,
    /// Seed of the node key, hex. Secret.
    node_seed: Zeroizing<String>,
    /// People of the office with the seeds of their keys. Secret.
    people: Vec<KitPerson>,
    /// Whom to dial, best first; addresses are filled in by hand or by `init`.
    pub neighbours: Vec<KitNeighbour>,
}

/// One person's key in a kit.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KitPerson {
    /// The name on the roster.
    pub name: String,
    seed: Zeroizing<String>,
}

/// A node to dial.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KitNeighbour {
    /// Its node key.
    pub key: PublicKey,
    /// Its office, for people to read.
    pub office: String,
    /// `address:port`, as many as it has.
    pub addresses: Vec<String>,
}

/// What is wrong with a kit.
#[derive(Debug, thiserror::Error)]
pub enum KitError {
    /// Not the JSON of a kit.
    #[error("this is not a kit file")]
    Form(#[from] serde_json::Error),
    /// A format from another time.
    #[error("this kit has an unknown format")]
    Format,
    /// The edition inside is not valid.
    #[error("the roster edition in the kit is not valid")]
    Edition(#[from] EditionFault),
    /// A key or an edition inside is not readable.
    #[error("a key or the roster edition in the kit is not readable")]
    Encoding,
    /// A record type inside is not valid.
    #[error("a record type in the kit is not valid: {0}")]
    Definition(String),
}

const FORMAT: &str = "xiangwang-kit-1";

impl std::fmt::Debug for KitPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("KitPerson")
    }
}

impl std::fmt::Debug for Kit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Kit(of {})", self.division)
    }
}

impl Kit {
    /// One kit per office of a founded county. A village dials its township, then the county; a
    /// township dials the county.
    #[must_use]
    pub fn all(founded: &Founded, definitions: &[RecordType]) -> Vec<Self> {
        let edition = STANDARD.encode(founded.edition.bytes());
        let definitions: Vec<String> = definitions
            .iter()
            .map(|d| String::from_utf8(d.canonical_bytes()).expect("canonical JSON is UTF-8"))
            .collect();
        let kit = |office: &crate::found::FoundedOffice| {
            let own = office.planned.division;
            let mut above: Vec<_> = founded
                .offices
                .iter()
                .filter(|other| other.planned.division != own && other.planned.division.covers(own))
                .collect();
            // The nearest office above comes first: county sorts before township.
            above.sort_by_key(|other| std::cmp::Reverse(other.planned.division.tier()));
            let neighbour = |other: &&crate::found::FoundedOffice| KitNeighbour {
                key: other.node.public(),
                office: other.planned.name.clone(),
                addresses: Vec::new(),
            };
            let people = office.planned.people.iter().zip(&office.people);
            Self {
                format: FORMAT.to_owned(),
                division: own,
                office: office.planned.name.clone(),
                edition: edition.clone(),
                definitions: definitions.clone(),
                node_seed: seed_text(&office.node),
                people: people
                    .map(|((name, _), key)| KitPerson { name: name.clone(), seed: seed_text(key) })
                    .collect(),
                neighbours: above.iter().map(neighbour).collect(),
            }
        };
        founded.offices.iter().map(kit).collect()
    }

    /// Reads a kit file.
    pub fn read(text: &str) -> Result<Self, KitError> {
        let kit: Self = serde_json::from_str(text)?;
        if kit.format == FORMAT { Ok(kit) } else { Err(KitError::Format) }
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        Zeroizing::new(serde_json::to_string_pretty(self).expect("a kit is plain data"))
    }

    /// The founding edition, its signatures checked.
    pub fn edition(&self) -> Result<Edition, KitError> {
        let bytes = STANDARD.decode(&self.edition).map_err(|_| KitError::Encoding)?;
        Ok(Edition::decode(bytes)?)
    }

    /// The record types.
    pub fn definitions(&self) -> Result<Vec<RecordType>, KitError> {
        let read = |text: &String| {
            RecordType::from_canonical(text.as_bytes())
                .map_err(|error| KitError::Definition(error.to_string()))
        };
        self.definitions.iter().map(read).collect()
    }

    /// The node's key.
    pub fn node(&self) -> Result<SecretKey, KitError> {
        key_of(&self.node_seed)
    }

    /// The people's keys, by name.
    pub fn people(&self) -> Result<Vec<(String, SecretKey)>, KitError> {
        self.people.iter().map(|p| Ok((p.name.clone(), key_of(&p.seed)?))).collect()
    }

    /// The level of the office.
    #[must_use]
    pub fn tier(&self) -> Tier {
        self.division.tier()
    }
}

/// The text of a key file.
#[must_use]
pub fn seed_text(key: &SecretKey) -> Zeroizing<String> {
    Zeroizing::new(hex(&key.seed()[..]))
}

/// The key of a key file's text.
pub fn key_of(seed: &str) -> Result<SecretKey, KitError> {
    let bytes = Zeroizing::new(unhex(seed.trim()).ok_or(KitError::Encoding)?);
    let seed: Zeroizing<[u8; 32]> =
        Zeroizing::new(bytes.as_slice().try_into().map_err(|_| KitError::Encoding)?);
    Ok(SecretKey::from_seed(&seed))
}
