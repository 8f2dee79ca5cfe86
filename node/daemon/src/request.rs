//! What can be asked of a node, from the command line and over the API alike.

mod audit;
mod keys;
mod roster;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub(crate) use audit::{AuditExport, AuditRequest};
pub(crate) use keys::{AddOperator, ChangePassphrase, Recover, Secret, Unlock};
pub(crate) use roster::{
    ChangeRoles, InviteOffice, InvitedPerson, Keep, OpenTerm, RevokeKey, RosterRequest,
};

/// One request. Answers are JSON; see `answer` in each handler's documentation.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum Request {
    /// The node, its neighbours, what only it holds, which villages were heard from.
    Status,
    /// Record types in short, or one in full.
    Types {
        #[serde(default)]
        code: Option<String>,
    },
    /// A new record.
    New(NewRecord),
    /// Changed fields, added list items.
    Edit(EditRecord),
    /// A state transition.
    Step(StepRecord),
    /// One record with everything.
    Show { record: String },
    /// Every entry of a record, refused ones included.
    History { record: String },
    /// Records with several values in one place.
    Conflicts {
        #[serde(default)]
        record: Option<String>,
    },
    /// A person's choice between them.
    Resolve(ResolveRecord),
    /// A person's word that a record's contents are to be removed.
    Erase(EraseRecord),
    /// Rows.
    List(ListRecords),
    /// An Excel ledger in; the file as base64.
    Import(ImportLedger),
    /// An Excel ledger out; answers base64.
    Export(ExportLedger),
    /// Digests of the views, to be compared with another node's.
    Digest,
    /// Works every view out again from the entries.
    Rebuild,
    /// Checks every byte again.
    Verify,
    /// The roster: reading it, a registrar's acts, what is carried by hand.
    Roster(RosterRequest),
    /// Signs a person in and opens the store.
    Unlock(Unlock),
    /// Opens the store by the recovery key, when nobody who works here can.
    Recover(Recover),
    /// Signs one person out, or everybody; with the last one the store is closed.
    Lock {
        #[serde(default)]
        person: Option<String>,
    },
    /// What protects this PC and who works here.
    Keys,
    /// Another passphrase for one's own key.
    Passphrase(ChangePassphrase),
    /// Lets another person open what is kept here.
    AddOperator(AddOperator),
    /// Takes a person off the list of those who may.
    RemoveOperator { person: String },
    /// Forked logs, and what of this node's own does not stand.
    Forks {
        /// Both entries of every fork in full.
        #[serde(default)]
        proof: bool,
    },
    /// A person vouches for entries that this node does not remember; `all` for every one.
    ConfirmEntries {
        entries: Vec<String>,
        #[serde(default)]
        who: Who,
    },
    /// A person says that they are not the office's.
    RejectEntries {
        entries: Vec<String>,
        #[serde(default)]
        who: Who,
    },
    /// A person says that nothing puts this PC back any more.
    Resume,
    /// A copy of everything in a folder that does not exist yet.
    Backup { to: std::path::PathBuf },
    /// What an auditor gets.
    Audit(AuditRequest),
    /// How far a long job has come.
    Progress,
}

impl Request {
    /// Whether somebody must be signed in for it: to read what records say, or to sign.
    pub(crate) fn needs_person(&self) -> bool {
        match self {
            Self::New(_)
            | Self::Edit(_)
            | Self::Step(_)
            | Self::Show { .. }
            | Self::History { .. }
            | Self::Conflicts { .. }
            | Self::Resolve(_)
            | Self::Erase(_)
            | Self::List(_)
            | Self::Import(_)
            | Self::Export(_)
            | Self::Rebuild
            | Self::AddOperator(_)
            | Self::RemoveOperator { .. }
            | Self::ConfirmEntries { .. }
            | Self::RejectEntries { .. }
            | Self::Resume
            | Self::Backup { .. } => true,
            Self::Roster(roster) => roster.needs_person(),
            Self::Audit(audit) => audit.opens_bodies(),
            Self::Status
            | Self::Types { .. }
            | Self::Digest
            | Self::Verify
            | Self::Unlock(_)
            | Self::Recover(_)
            | Self::Lock { .. }
            | Self::Keys
            | Self::Passphrase(_)
            | Self::Forks { .. }
            | Self::Progress => false,
        }
    }

    /// Whether it writes in this node's own logs or in the roster: such a request waits while
    /// neighbours are asked what they know of this node.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::New(_)
            | Self::Edit(_)
            | Self::Step(_)
            | Self::Resolve(_)
            | Self::Erase(_)
            | Self::ConfirmEntries { .. } => true,
            Self::Import(import) => !import.preview,
            Self::Roster(roster) => roster.writes(),
            Self::Status
            | Self::Types { .. }
            | Self::Show { .. }
            | Self::History { .. }
            | Self::Conflicts { .. }
            | Self::List(_)
            | Self::Export(_)
            | Self::Digest
            | Self::Rebuild
            | Self::Verify
            | Self::Unlock(_)
            | Self::Recover(_)
            | Self::Lock { .. }
            | Self::Keys
            | Self::Passphrase(_)
            | Self::AddOperator(_)
            | Self::RemoveOperator { .. }
            | Self::Forks { .. }
            | Self::RejectEntries { .. }
            | Self::Resume
            | Self::Backup { .. }
            | Self::Audit(_)
            | Self::Progress => false,
        }
    }

    /// Whether it shows rows, or writes or gives out what the rules decide about.
    pub(crate) fn needs_rules(&self) -> bool {
        match self {
            Self::Show { .. }
            | Self::History { .. }
            | Self::Conflicts { .. }
            | Self::Erase(_)
            | Self::List(_)
            | Self::Export(_)
            | Self::Digest
            | Self::Rebuild => true,
            Self::Audit(audit) => {
                matches!(audit, AuditRequest::Export(_) | AuditRequest::Receipt { .. })
            }
            _ => self.writes(),
        }
    }

    /// Whether it opens what one record says; how many of those a person needs in an hour is known.
    pub(crate) fn opens_a_record(&self) -> bool {
        match self {
            Self::Show { .. } | Self::History { .. } | Self::Export(_) => true,
            Self::Audit(audit) => audit.opens_bodies(),
            _ => false,
        }
    }
}

/// A new record.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NewRecord {
    pub(crate) record_type: String,
    /// Fields as nested JSON, in stored or human form.
    #[serde(default)]
    pub(crate) fields: Json,
    /// The first state, where the type has several.
    #[serde(default)]
    pub(crate) to: Option<String>,
    /// Whose record it is; the own office's by default.
    #[serde(default)]
    pub(crate) division: Option<String>,
    #[serde(default)]
    pub(crate) who: Who,
}

/// Changed fields.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EditRecord {
    pub(crate) record: String,
    /// Fields to set, as nested JSON; list items are added.
    #[serde(default)]
    pub(crate) fields: Json,
    /// Members of existing items: `visits[id].change_found` to a value.
    #[serde(default)]
    pub(crate) items: std::collections::BTreeMap<String, Json>,
    #[serde(default)]
    pub(crate) who: Who,
}

/// A state transition.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StepRecord {
    pub(crate) record: String,
    pub(crate) to: String,
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) on_behalf_of: String,
    /// Fields that go along with the step.
    #[serde(default)]
    pub(crate) fields: Json,
    #[serde(default)]
    pub(crate) who: Who,
}

/// A choice between contradicting values.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ResolveRecord {
    pub(crate) record: String,
    /// The place, as `conflicts` names it; `state` for contradicting steps.
    pub(crate) path: String,
    /// The number of the value in the list, from 1.
    pub(crate) take: usize,
    #[serde(default)]
    pub(crate) reason: String,
    #[serde(default)]
    pub(crate) who: Who,
}

/// A lawful erasure.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EraseRecord {
    pub(crate) record: String,
    /// The item of article 47 of the Personal Information Protection Law, 1 to 5.
    pub(crate) ground: u64,
    #[serde(default)]
    pub(crate) who: Who,
}

/// Who acts: a person of this office, by name, and in which role.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Who {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) person: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) role: Option<String>,
}

/// Which rows.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct ListRecords {
    pub(crate) types: Vec<String>,
    /// Codes; a county's or township's stands for all below.
    pub(crate) divisions: Vec<String>,
    pub(crate) states: Vec<String>,
    pub(crate) standings: Vec<String>,
    pub(crate) conflicts_only: bool,
    pub(crate) problems_only: bool,
    /// `YYYY-MM-DD`, inclusive.
    pub(crate) created_from: Option<String>,
    pub(crate) created_to: Option<String>,
    pub(crate) updated_from: Option<String>,
    pub(crate) updated_to: Option<String>,
    /// `path=value`, `path!=value`, `path>=value`, `path<=value`, `path~text`.
    pub(crate) fields: Vec<String>,
    /// Text anywhere in the record, two characters and more.
    pub(crate) text: Option<String>,
    /// Fields to be shown beside the usual columns.
    pub(crate) columns: Vec<String>,
    /// `path` or `-path`; columns: created, updated, state, type, division.
    pub(crate) sort: Vec<String>,
    pub(crate) limit: Option<usize>,
    pub(crate) offset: usize,
}

/// An Excel ledger in.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ImportLedger {
    pub(crate) file_name: String,
    pub(crate) base64: String,
    pub(crate) record_type: String,
    #[serde(default)]
    pub(crate) ledger: Option<String>,
    /// Only says what would be done.
    #[serde(default)]
    pub(crate) preview: bool,
    #[serde(default)]
    pub(crate) who: Who,
}

/// An Excel ledger out.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ExportLedger {
    pub(crate) record_type: String,
    #[serde(default)]
    pub(crate) ledger: Option<String>,
    #[serde(default)]
    pub(crate) list: ListRecords,
    /// A blank template.
    #[serde(default)]
    pub(crate) blank: bool,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn whatever_signs_for_this_office_waits_while_neighbours_are_asked() {
        let writes = |request: Json| serde_json::from_value::<Request>(request).unwrap().writes();
        for signs in [
            json!({"do": "erase", "record": "x", "ground": 1}),
            json!({"do": "import", "file_name": "a", "base64": "", "record_type": "SVC"}),
            json!({"do": "roster", "act": "invite", "office": "柳河村"}),
            json!({"do": "roster", "act": "withdraw", "invitation": "ab"}),
            json!({"do": "roster", "act": "revoke", "person": "王秀兰"}),
            json!({"do": "roster", "act": "roles", "person": "王秀兰", "roles": ["VCLK"]}),
            json!({"do": "roster", "act": "term", "office": "白杨镇"}),
            json!({"do": "roster", "act": "sign", "text": ""}),
        ] {
            assert!(writes(signs.clone()), "{signs}");
        }
        for reads in [
            json!({"do": "list"}),
            json!({"do": "roster", "act": "take", "text": ""}),
            json!({"do": "import", "file_name": "a", "base64": "", "record_type": "SVC",
                "preview": true}),
        ] {
            assert!(!writes(reads.clone()), "{reads}");
        }
    }
}
