//! Files that carry a roster by hand: all editions and definitions, an answer with a joining edition,
//! a draft on its way from signer to signer, or an invitation with all that it needs. One format,
//! public but for the invitation's text.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize};
use xw_ledger::roster::{Chain, RosterRefusal};
use xw_schemas::edition::{Edition, EditionFault};
use xw_schemas::id::{NetworkId, PublicKey};
use xw_schemas::record::RecordType;
use zeroize::Zeroizing;

/// Largest file: the editions and definitions of the largest county in its tenth year, in base64.
pub const BUNDLE_BYTES_MAX: u64 = 64 << 20;

/// Most editions in one file; the wire's own bound on a neighbour's list.
const EDITIONS_MAX: usize = 65_536;

const FORMAT: &str = "xiangwang-roster-1";

/// What a file carries.
#[derive(Debug, Clone, Default)]
pub struct Bundle {
    /// Editions, those first that others need.
    pub editions: Vec<Edition>,
    /// Record types.
    pub definitions: Vec<RecordType>,
    /// An edition that still lacks signatures. The editions beside it say what it is to follow.
    pub draft: Option<Edition>,
    /// An invitation, with what a newcomer without a line needs besides.
    pub invitation: Option<Invited>,
}

/// An invitation in a file. Printing it shows nothing.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Invited {
    /// The invitation's text, which is secret until it is used.
    pub text: Zeroizing<String>,
    /// Whom the newcomer will call, nearest first.
    pub neighbours: Vec<Neighbour>,
}

impl std::fmt::Debug for Invited {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Invited")
    }
}

/// A node to dial.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Neighbour {
    /// Its node key.
    pub key: PublicKey,
    /// Its office, for people to read.
    pub office: String,
    /// `address:port`, as many as it has.
    pub addresses: Vec<String>,
}

/// Why a file is not one of ours.
#[derive(Debug, thiserror::Error)]
pub enum BundleFault {
    /// Not JSON of the expected shape.
    #[error("this is not a roster file")]
    Form(#[source] serde_json::Error),
    /// A format from another time.
    #[error("this roster file has an unknown format")]
    Format,
    /// Bytes that no program of ours wrote.
    #[error("an edition in the file is not readable")]
    Encoding,
    /// An edition inside is not valid.
    #[error("a roster edition in the file is not valid")]
    Edition(#[from] EditionFault),
    /// A record type inside is not valid.
    #[error("a record type in the file is not valid: {0}")]
    Definition(String),
    /// The file has no founding edition.
    #[error("the file has no founding edition; it is no whole roster")]
    NotWhole,
    /// The editions do not follow from one another.
    #[error("the editions in the file do not make a roster")]
    Roster(#[from] RosterRefusal),
}

impl BundleFault {
    /// For a Chinese reader.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Form(_) => "不是名册文件".to_owned(),
            Self::Format => "名册文件的格式版本不明，请升级程序".to_owned(),
            Self::Encoding => "名册文件已损坏：有版次无法读取".to_owned(),
            Self::Edition(fault) => format!("文件中有名册版次无效。详情：{fault}"),
            Self::Definition(flaw) => format!("文件中有记录类型无效。详情：{flaw}"),
            Self::NotWhole => "文件中没有首版名册，不是完整名册".to_owned(),
            Self::Roster(refusal) => format!("文件中的版次不能组成名册：{}", refusal.zh()),
        }
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    format: String,
    /// For whoever opens the file with an editor.
    network: Option<NetworkId>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    invitation: Option<Invited>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    draft: Option<String>,
    #[serde(default)]
    editions: Vec<String>,
    #[serde(default)]
    definitions: Vec<String>,
}

impl Bundle {
    /// All of a roster: its editions and the definitions held.
    #[must_use]
    pub fn of_chain(chain: &Chain, definitions: Vec<RecordType>) -> Self {
        let editions = chain.editions().cloned().collect();
        Self { editions, definitions, draft: None, invitation: None }
    }

    /// The network of its first edition.
    #[must_use]
    pub fn network(&self) -> Option<NetworkId> {
        self.editions.iter().chain(&self.draft).next().map(Edition::network)
    }

    /// The roster that the editions amount to.
    pub fn chain(&self) -> Result<Chain, BundleFault> {
        let (founding, later) = self.editions.split_first().ok_or(BundleFault::NotWhole)?;
        if founding.core().network.is_some() {
            return Err(BundleFault::NotWhole);
        }
        let (chain, refused) = Chain::of_set(founding.clone(), later.iter().cloned())?;
        match refused.into_iter().next() {
            None => Ok(chain),
            Some((_, why)) => Err(why.into()),
        }
    }

    /// Reads a file's text.
    pub fn read(text: &str) -> Result<Self, BundleFault> {
        let text = text.trim_start_matches('\u{feff}');
        let form: Form = serde_json::from_str(text).map_err(BundleFault::Form)?;
        if form.format != FORMAT {
            return Err(BundleFault::Format);
        }
        if form.editions.len() > EDITIONS_MAX {
            return Err(BundleFault::Encoding);
        }
        let edition = |text: &String| {
            let bytes = STANDARD.decode(text).map_err(|_| BundleFault::Encoding)?;
            Ok::<_, BundleFault>(Edition::decode(bytes)?)
        };
        let definition = |text: &String| {
            RecordType::from_canonical(text.as_bytes())
                .map_err(|error| BundleFault::Definition(error.to_string()))
        };
        Ok(Self {
            editions: form.editions.iter().map(edition).collect::<Result<_, _>>()?,
            definitions: form.definitions.iter().map(definition).collect::<Result<_, _>>()?,
            draft: form.draft.as_ref().map(edition).transpose()?,
            invitation: form.invitation,
        })
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let edition = |edition: &Edition| STANDARD.encode(edition.bytes());
        let definition = |definition: &RecordType| {
            String::from_utf8(definition.canonical_bytes()).expect("canonical JSON is UTF-8")
        };
        let form = Form {
            format: FORMAT.to_owned(),
            network: self.network(),
            invitation: self.invitation.clone(),
            draft: self.draft.as_ref().map(edition),
            editions: self.editions.iter().map(edition).collect(),
            definitions: self.definitions.iter().map(definition).collect(),
        };
        Zeroizing::new(serde_json::to_string_pretty(&form).expect("plain data becomes JSON"))
    }
}
