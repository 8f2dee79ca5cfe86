//! Who belongs: the one roster that every rule reads. A function of the set of editions held, never
//! of their order of arrival; never goes back and never chooses by hash.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::edition::{OfficeId, SignerKind};
use xw_schemas::id::{EditionId, EntryId, LogId, NetworkId, PublicKey};
use xw_schemas::record::SchemaHash;
use xw_schemas::space::{Division, Space, Tier};

use crate::standing::Standing;

mod chain;
mod evaluate;
mod level;
mod paths;
mod root;
mod suspended;

pub use suspended::Suspended;

pub use chain::{Chain, RosterRefusal};

/// The version of the rules in this program. A roster that names another is not judged here.
pub const RULES_VERSION: u64 = 1;

/// An office on the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Office {
    /// Its number.
    pub id: OfficeId,
    /// Where it stands.
    pub division: Division,
    /// Its Chinese name.
    pub name: String,
}

/// A key on the roster.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Signer {
    /// A PC or a person.
    pub kind: SignerKind,
    /// Whose it is.
    pub office: OfficeId,
    /// The name shown beside what it signed.
    pub name: String,
    /// Roles of a person, all of the level of its office: every one that a fact which counts has ever
    /// given. Nothing takes a role back, or what was done in it would be undone; a cut ends the key.
    pub roles: Vec<String>,
    /// Who put it there.
    pub rank: Rank,
}

impl Signer {
    /// Takes up what a later fact says of the key: its name, and roles beside those it has.
    fn say(&mut self, name: &str, roles: &[String], rank: Rank) {
        name.clone_into(&mut self.name);
        self.rank = rank;
        let more: Vec<String> =
            roles.iter().filter(|role| !self.roles.contains(role)).cloned().collect();
        self.roles.extend(more);
    }
}

/// Whose word a fact is. The lower, the more it weighs: where two speak of one thing, the higher
/// stands and the other is passed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rank {
    /// The root keys.
    Root,
    /// Registrars of an office of this level.
    Registrar(Tier),
}

/// What stands of a cut key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// Log, last valid number, its entry. Logs that are not listed are void.
    pub kept: BTreeMap<LogId, (u64, EntryId)>,
    /// Whether it reaches into what the county has witnessed. Root's does; a registrar's keeps that.
    pub exact: bool,
}

impl Cut {
    /// What it keeps of a log.
    #[must_use]
    pub fn get(&self, log: &LogId) -> Option<&(u64, EntryId)> {
        self.kept.get(log)
    }
}

/// The right of an office to register those strictly below it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Delegation {
    /// How many distinct persons must sign.
    pub threshold: u64,
    /// The role that makes a person of the office a registrar.
    pub role: String,
    /// What stands of the term before.
    pub closes: Option<(u64, EditionId)>,
}

/// An invitation that counts. Under one key there may be several: by different offices, or to
/// different ones, each with the key's proof. A newcomer says in whose place he joins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The office whose registrars invited; `None` for root.
    pub by: Option<OfficeId>,
    /// The office that the newcomer belongs to.
    pub office: OfficeId,
    /// The name of the PC, where one is invited.
    pub node: Option<String>,
    /// The people invited: name and roles.
    pub people: Vec<(String, Vec<String>)>,
    /// Who invited.
    pub rank: Rank,
    /// The edition that replaced it.
    pub replaced: Option<EditionId>,
    /// Whether it was taken back before anybody used it.
    pub withdrawn: bool,
    /// Whether a registrar, or root, has listed the keys that replaced it: then no second use of it
    /// touches them.
    pub confirmed: bool,
}

/// What tells one invitation from all others: its key, who invites, to which office.
type InvitationId = (PublicKey, Option<OfficeId>, OfficeId);

impl Invitation {
    /// Whether it can still be used.
    #[must_use]
    pub fn is_open(&self) -> bool {
        self.replaced.is_none() && !self.withdrawn
    }
}

/// Why an edition, or a fact in it, has no effect although it is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, thiserror::Error)]
pub enum PassedOver {
    /// Too few registrars in office signed it, or it stands behind one that does not count.
    #[error("too few registrars in office signed it")]
    Unsigned,
    /// Two editions of one number stand in its scope.
    #[error("two editions of one number contradict each other")]
    Rival,
    /// A later term closed the chain before it.
    #[error("a later term of the office closed the chain before it")]
    Closed,
    /// The office, or the office of the key, does not lie below the registrar's.
    #[error("it concerns an office outside of the registrar's own area")]
    OutsidePrefix,
    /// A role that it gives is of another level than the office's: that role alone does not count.
    #[error("a role in it is of another level than the office's and does not count")]
    OtherLevel,
    /// Only root may say this.
    #[error("only the root keys may say this")]
    NotItsMatter,
    /// A higher authority, or an earlier fact, has said otherwise.
    #[error("a higher authority or an earlier edition says otherwise")]
    Outranked,
    /// The keys are not those that were invited, or the invitation was withdrawn.
    #[error("the invitation was withdrawn, used already, or does not fit")]
    BadReplacement,
}

impl PassedOver {
    /// For a Chinese reader.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Unsigned => "在任登记员签名不足",
            Self::Rival => "同一号有两个互相矛盾的版次",
            Self::Closed => "该机构的登记任期已在此之前终止",
            Self::OutsidePrefix => "超出登记机构的辖区",
            Self::OtherLevel => "其中有不属于该级机构的角色，该角色不算数",
            Self::NotItsMatter => "只有根密钥可以决定此事",
            Self::Outranked => "上级或更早的版次另有规定",
            Self::BadReplacement => "邀请已撤回、已使用或不相符",
        }
    }
}

/// The facts as of the editions held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Roster {
    network: NetworkId,
    state: EditionId,
    head: EditionId,
    number: u64,
    frozen: bool,
    rules: u64,
    threshold: u64,
    roots: Vec<PublicKey>,
    places: BTreeMap<Division, String>,
    offices: BTreeMap<OfficeId, Office>,
    signers: BTreeMap<PublicKey, Signer>,
    cuts: BTreeMap<PublicKey, Cut>,
    schemas: BTreeMap<String, SchemaHash>,
    adopted: BTreeMap<SchemaHash, String>,
    delegations: BTreeMap<OfficeId, BTreeMap<u64, Delegation>>,
    invitations: BTreeMap<InvitationId, Invitation>,
    adjudicated: BTreeMap<LogId, (u64, EntryId)>,
    adopted_entries: BTreeMap<LogId, BTreeMap<EntryId, u64>>,
    /// Every edition that counts, in the order of authority.
    counted: Vec<EditionId>,
    /// What is held and has no effect: the edition, the place of the fact, why.
    passed_over: BTreeSet<(EditionId, Option<usize>, PassedOver)>,
    /// Keys that editions held brought and that are not on the roster.
    suspended: BTreeMap<PublicKey, Suspended>,
    /// What every key is that any edition held ever listed, counting or not.
    known: BTreeMap<PublicKey, BTreeSet<(SignerKind, OfficeId)>>,
}

impl Roster {
    /// The network.
    #[must_use]
    pub fn network(&self) -> NetworkId {
        self.network
    }

    /// The newest root edition that counts.
    #[must_use]
    pub fn head(&self) -> EditionId {
        self.head
    }

    /// What names this roster: a digest over every edition that counts. Views say it beside theirs.
    #[must_use]
    pub fn state(&self) -> EditionId {
        self.state
    }

    /// Every edition that counts, in the order of authority.
    #[must_use]
    pub fn counted(&self) -> &[EditionId] {
        &self.counted
    }

    /// Editions and facts that are held and have no effect, with the reason.
    pub fn passed_over(&self) -> impl Iterator<Item = &(EditionId, Option<usize>, PassedOver)> {
        self.passed_over.iter()
    }

    /// The root keys, ascending, and how many of them must sign.
    #[must_use]
    pub fn roots(&self) -> (&[PublicKey], u64) {
        (&self.roots, self.threshold)
    }

    /// The delegation of an office in its present term.
    #[must_use]
    pub fn delegation(&self, office: OfficeId) -> Option<(u64, &Delegation)> {
        self.delegations.get(&office)?.iter().next_back().map(|(term, held)| (*term, held))
    }

    /// All delegations, past terms included.
    pub fn delegations(&self) -> impl Iterator<Item = (&OfficeId, &BTreeMap<u64, Delegation>)> {
        self.delegations.iter()
    }

    /// All invitations, used ones included.
    pub fn invitations(&self) -> impl Iterator<Item = (&PublicKey, &Invitation)> {
        self.invitations.iter().map(|((key, ..), invitation)| (key, invitation))
    }

    /// The invitations under one key.
    pub fn invitations_of(&self, key: &PublicKey) -> impl Iterator<Item = &Invitation> {
        let (first, last) = (OfficeId(0), OfficeId(u32::MAX));
        let own = self.invitations.range((*key, None, first)..=(*key, Some(last), last));
        own.map(|(_, invitation)| invitation)
    }

    /// The invitation under a key that can still be used; the first of several.
    #[must_use]
    pub fn open_invitation(&self, key: &PublicKey) -> Option<&Invitation> {
        self.invitations_of(key).find(|invitation| invitation.is_open())
    }

    /// Whether any edition held ever listed a key, counting or not.
    #[must_use]
    pub fn is_known(&self, key: &PublicKey) -> bool {
        self.known.contains_key(key)
    }

    /// Divisions of the offices that any edition held ever listed a node's key for.
    pub fn known_divisions(&self, node: &PublicKey) -> impl Iterator<Item = Division> {
        let known = self.known.get(node).into_iter().flatten();
        let nodes = known.filter(|(kind, _)| *kind == SignerKind::Node);
        nodes.filter_map(|(_, office)| self.offices.get(office)).map(|office| office.division)
    }

    /// The branch of a log that root has decided for.
    #[must_use]
    pub fn adjudicated(&self, log: &LogId) -> Option<(u64, EntryId)> {
        self.adjudicated.get(log).copied()
    }

    /// Entries of a log that root lets count although a cut or a fork has taken them.
    #[must_use]
    pub fn adopted_entries(&self, log: &LogId) -> Option<&BTreeMap<EntryId, u64>> {
        self.adopted_entries.get(log)
    }

    /// Every entry that root has adjudicated or adopted: log, number, id.
    pub fn decided(&self) -> impl Iterator<Item = (LogId, (u64, EntryId))> {
        let adjudicated = self.adjudicated.iter().map(|(log, point)| (*log, *point));
        let adopted = self
            .adopted_entries
            .iter()
            .flat_map(|(log, entries)| entries.iter().map(|(id, number)| (*log, (*number, *id))));
        adjudicated.chain(adopted)
    }

    /// The number of the newest root edition that counts.
    #[must_use]
    pub fn number(&self) -> u64 {
        self.number
    }

    /// Whether two editions with one number are held: everything waits for root.
    #[must_use]
    pub fn is_frozen(&self) -> bool {
        self.frozen
    }

    /// Whether this program knows the rules that the roster names.
    #[must_use]
    pub fn rules_are_known(&self) -> bool {
        self.rules == RULES_VERSION
    }

    /// The version of the rules.
    #[must_use]
    pub fn rules(&self) -> u64 {
        self.rules
    }

    /// The signer of a key.
    #[must_use]
    pub fn signer(&self, key: &PublicKey) -> Option<&Signer> {
        self.signers.get(key)
    }

    /// All signers.
    pub fn signers(&self) -> impl Iterator<Item = (&PublicKey, &Signer)> {
        self.signers.iter()
    }

    /// An office.
    #[must_use]
    pub fn office(&self, id: OfficeId) -> Option<&Office> {
        self.offices.get(&id)
    }

    /// All offices.
    pub fn offices(&self) -> impl Iterator<Item = &Office> {
        self.offices.values()
    }

    /// The office that a key signs for.
    #[must_use]
    pub fn office_of(&self, key: &PublicKey) -> Option<&Office> {
        self.signers.get(key).and_then(|signer| self.offices.get(&signer.office))
    }

    /// The office of a node key; `None` for a person's key.
    #[must_use]
    pub fn node_office(&self, key: &PublicKey) -> Option<&Office> {
        self.signers
            .get(key)
            .filter(|signer| signer.kind == SignerKind::Node)
            .and_then(|signer| self.offices.get(&signer.office))
    }

    /// A key that editions held brought to an office and that is not on the roster.
    #[must_use]
    pub fn suspended(&self, key: &PublicKey) -> Option<&Suspended> {
        self.suspended.get(key)
    }

    /// All suspended keys.
    pub fn all_suspended(&self) -> impl Iterator<Item = (&PublicKey, &Suspended)> {
        self.suspended.iter()
    }

    /// The office in which a node's key has written what stands: its own, or the one that a suspended
    /// key was brought to.
    #[must_use]
    pub fn writing_office(&self, node: &PublicKey) -> Option<&Office> {
        let suspended = || {
            let held = self.suspended.get(node).filter(|held| held.kind == SignerKind::Node)?;
            self.offices.get(&held.office)
        };
        self.node_office(node).or_else(suspended)
    }

    /// The roles in which a person signs at a node: a person of the node's own office. A suspended
    /// person's signature counts where the county has pinned it.
    pub(crate) fn acting(
        &self,
        person: &PublicKey,
        node: &PublicKey,
        standing: Standing,
    ) -> Option<&[String]> {
        let office = self.writing_office(node)?.id;
        let signer = self.signers.get(person).map(|s| (s.kind, s.office, &s.roles[..]));
        let suspended = || self.suspended.get(person).map(|s| (s.kind, s.office, &s.roles[..]));
        let held = match standing {
            Standing::Final => signer.or_else(suspended),
            _ => signer,
        };
        let own =
            |held: &(SignerKind, OfficeId, _)| (held.0, held.1) == (SignerKind::Person, office);
        held.filter(own).map(|(_, _, roles)| roles)
    }

    /// Node keys that may connect: on the roster and not cut.
    #[must_use]
    pub fn live_nodes(&self) -> BTreeSet<PublicKey> {
        let nodes = self.signers.iter().filter(|(_, signer)| signer.kind == SignerKind::Node);
        nodes.map(|(key, _)| *key).filter(|key| !self.cuts.contains_key(key)).collect()
    }

    /// Keys that may connect: live nodes, and newcomers who hold an open invitation. The latter read
    /// no space.
    #[must_use]
    pub fn admitted_peers(&self) -> BTreeSet<PublicKey> {
        let mut peers = self.live_nodes();
        let open = self.invitations().filter(|(_, invitation)| invitation.is_open());
        peers.extend(open.map(|(key, _)| *key));
        peers
    }

    /// What stands of a cut key; `None` for a live one.
    #[must_use]
    pub fn cut(&self, key: &PublicKey) -> Option<&Cut> {
        self.cuts.get(key)
    }

    /// The record type that a definition was adopted for.
    #[must_use]
    pub fn adopted(&self, definition: &SchemaHash) -> Option<&str> {
        self.adopted.get(definition).map(String::as_str)
    }

    /// All definitions ever adopted.
    pub fn definitions(&self) -> impl Iterator<Item = (&SchemaHash, &String)> {
        self.adopted.iter()
    }

    /// The definition that new records of a type are written under.
    #[must_use]
    pub fn current_schema(&self, record_type: &str) -> Option<SchemaHash> {
        self.schemas.get(record_type).copied()
    }

    /// The record types in use, with the definition of new records.
    pub fn schemas(&self) -> impl Iterator<Item = (&String, &SchemaHash)> {
        self.schemas.iter()
    }

    /// A division's name.
    #[must_use]
    pub fn place(&self, division: Division) -> Option<&str> {
        self.places.get(&division).map(String::as_str)
    }

    /// All named divisions.
    pub fn places(&self) -> impl Iterator<Item = (&Division, &String)> {
        self.places.iter()
    }

    /// Whether a node replicates a space.
    #[must_use]
    pub fn may_read(&self, node: &PublicKey, space: Space) -> bool {
        self.node_office(node).is_some_and(|office| space.is_read_by(office.division))
    }

    /// Which witness rank a node has over an author's logs, if any: the county over all below it,
    /// a township over its own villages. Suspended keys included: what stands of their logs was
    /// witnessed, and pins, as before.
    #[must_use]
    pub fn witness_rank(&self, witness: &PublicKey, author: &PublicKey) -> Option<Tier> {
        let (above, below) = (self.writing_office(witness)?, self.writing_office(author)?);
        let tier = above.division.tier();
        let covers = above.division.covers(below.division) && tier < below.division.tier();
        (covers && tier != Tier::Village).then_some(tier)
    }
}
