//! What can be asked for auditors: packs, statements of completeness, receipts, late entries.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::ListRecords;

/// One request for an auditor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "audit", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum AuditRequest {
    /// An evidence pack.
    Export(Box<AuditExport>),
    /// The signed statement of what is held of a division.
    Completeness {
        /// Code or name; the office's own by default.
        #[serde(default)]
        division: Option<String>,
        /// `YYYY-MM-DD`, inclusive, both.
        #[serde(default)]
        from: Option<String>,
        #[serde(default)]
        to: Option<String>,
        /// Signed statements of other offices, to be compared with what is held; base64.
        #[serde(default)]
        with: Vec<String>,
    },
    /// The page that a citizen takes home.
    Receipt {
        /// An entry, a record or a business number.
        of: String,
    },
    /// Entries whose claimed time and witnesses do not fit.
    Late {
        #[serde(default)]
        division: Option<String>,
    },
}

impl AuditRequest {
    /// Whether what records say goes out with it.
    pub(crate) fn opens_bodies(&self) -> bool {
        matches!(self, Self::Export(export) if export.bodies || export.list.is_some())
    }
}

/// Which pack: of named records, of those that a list has, or of a division.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct AuditExport {
    /// Ids or business numbers.
    pub(crate) records: Vec<String>,
    pub(crate) list: Option<ListRecords>,
    /// Code or name.
    pub(crate) division: Option<String>,
    /// `YYYY-MM-DD`, inclusive, both.
    pub(crate) from: Option<String>,
    pub(crate) to: Option<String>,
    /// Whether the bodies that this office may read go along.
    pub(crate) bodies: bool,
    /// The file to be made, as an absolute path.
    pub(crate) out: PathBuf,
}
