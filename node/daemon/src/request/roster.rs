//! What can be asked about the roster: reading it, a registrar's acts, and what is carried by hand.

use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use super::Who;

/// One request about the roster.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "act", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum RosterRequest {
    /// Everything in plain sentences.
    Show,
    /// Entries that are kept and do not count, with who signed them and why not.
    Void,
    /// All editions and definitions as one file.
    Export,
    /// A file with editions, an answer or a finished draft.
    Take { text: String },
    /// One more signature on a draft of this office's registrars.
    Sign {
        text: String,
        #[serde(default)]
        who: Who,
    },
    /// An invitation.
    Invite(InviteOffice),
    /// Takes an invitation back.
    Withdraw {
        /// The beginning of its temporary key.
        invitation: String,
        #[serde(default)]
        who: Who,
    },
    /// Cuts a key.
    Revoke(RevokeKey),
    /// More roles for a person.
    Roles(ChangeRoles),
    /// A new term for the registrars of an office below.
    Term(OpenTerm),
    /// Confirms whoever joined by an invitation of this office.
    Confirm {
        #[serde(default)]
        who: Who,
    },
    /// A registrar's word that nobody holds editions of this office that are not held here.
    Resume {
        #[serde(default)]
        who: Who,
    },
}

impl RosterRequest {
    /// Whether somebody must be signed in for it: a registrar, to sign.
    pub(crate) fn needs_person(&self) -> bool {
        self.writes() || matches!(self, Self::Resume { .. })
    }

    /// Whether it signs an edition of this office, or a draft of one.
    pub(crate) fn writes(&self) -> bool {
        match self {
            Self::Sign { .. }
            | Self::Invite(_)
            | Self::Withdraw { .. }
            | Self::Revoke(_)
            | Self::Roles(_)
            | Self::Term(_)
            | Self::Confirm { .. } => true,
            Self::Show | Self::Void | Self::Export | Self::Take { .. } | Self::Resume { .. } => {
                false
            }
        }
    }
}

/// An invitation to be made.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InviteOffice {
    /// Code or name.
    pub(crate) office: String,
    /// The name of the PC, where one is invited.
    #[serde(default)]
    pub(crate) node: Option<String>,
    #[serde(default)]
    pub(crate) people: Vec<InvitedPerson>,
    /// Where the newcomer reaches this node; the node's own by default.
    #[serde(default)]
    pub(crate) addresses: Vec<SocketAddr>,
    #[serde(default)]
    pub(crate) who: Who,
}

/// One person on an invitation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct InvitedPerson {
    pub(crate) name: String,
    pub(crate) roles: Vec<String>,
}

/// A key to be cut.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct RevokeKey {
    /// A person's name or the beginning of the key.
    #[serde(default)]
    pub(crate) person: Option<String>,
    /// The PC of an office: its code or name, or the beginning of the key.
    #[serde(default)]
    pub(crate) node: Option<String>,
    /// The office, where a name alone does not say whom.
    #[serde(default)]
    pub(crate) office: Option<String>,
    #[serde(default)]
    pub(crate) keep: Keep,
    #[serde(default)]
    pub(crate) who: Who,
}

/// What stands of a cut key.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Keep {
    /// Everything that is held here.
    #[default]
    Held,
    /// Nothing but what the county has witnessed.
    Witnessed,
    /// These: TOML with `[[keep]]`, log, number, entry.
    Listed(String),
}

/// Other roles.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ChangeRoles {
    pub(crate) person: String,
    #[serde(default)]
    pub(crate) office: Option<String>,
    pub(crate) roles: Vec<String>,
    #[serde(default)]
    pub(crate) who: Who,
}

/// A new term.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct OpenTerm {
    pub(crate) office: String,
    /// The role; that of the term before by default.
    #[serde(default)]
    pub(crate) role: Option<String>,
    /// How many must sign; as before by default.
    #[serde(default)]
    pub(crate) threshold: Option<u64>,
    /// The last edition of the term before that stands; all that is held by default.
    #[serde(default)]
    pub(crate) last: Option<String>,
    /// Nothing of the term before stands.
    #[serde(default)]
    pub(crate) nothing: bool,
    #[serde(default)]
    pub(crate) who: Who,
}
