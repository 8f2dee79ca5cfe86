//! From what a person wants to the bytes to be signed. Takes clock and dice as arguments, signs
//! through the schemas crate, and reaches the store by the same two doors as a neighbour's entry.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::checkpoint::{Checkpoint, cosign};
use xw_schemas::cose::SecretKey;
use xw_schemas::entry::{
    Body, ChangeStatement, Core, EntryFault, Erasure, ErasureReceipt, Opening, Pin, Statement,
    VerifiedEntry, sign,
};
use xw_schemas::id::{EntryId, Incarnation, LogId, OperationId, PublicKey, RecordId, hex};
use xw_schemas::limits::SALT_BYTES;
use xw_schemas::merkle::Frontier;
use xw_schemas::record::{Content, SchemaHash};
use xw_schemas::space::Space;

use crate::change::{Actor, Change, ChangeFault, ChangeHash, DEPS_MAX};
use crate::document::{Document, DocumentError, Edit, Place};
use crate::history::History;
use crate::judge::{Definitions, Evidence, admitted};
use crate::log::Logs;
use crate::roster::Roster;
use crate::standing::Standing;
use crate::steps::{STEPS, Step};

/// What a person wants to do with one record.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// Fields and list items.
    pub edits: Vec<Edit>,
    /// A state transition.
    pub step: Option<Step>,
}

/// The clock and the dice of one act.
#[derive(Debug, Clone, Copy)]
pub struct Act {
    /// Sixteen random bytes, kept in every republication of this act.
    pub operation: OperationId,
    /// The PC's clock, milliseconds since 1970.
    pub time_ms: u64,
    /// Random bytes that hide the body behind its commitment.
    pub salt: [u8; SALT_BYTES],
    /// The entry of an earlier incarnation that this act says again, under its operation and time.
    pub republishes: Option<EntryId>,
}

/// Whose act it is.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// The PC's key.
    pub node: &'a SecretKey,
    /// The person's key, for everything that a person does.
    pub person: Option<&'a SecretKey>,
}

/// The end of a log that this node writes: where the next entry goes.
#[derive(Debug, Clone)]
pub struct Tail {
    log: LogId,
    frontier: Frontier,
    head: EntryId,
    node: PublicKey,
    /// The last witness entry of each log in the space, its author and its time.
    seen: Vec<(PublicKey, u64, EntryId)>,
}

impl Tail {
    /// The end of a log as held.
    #[must_use]
    pub fn of(logs: &Logs, log: LogId) -> Option<Self> {
        let held = logs.log(&log)?;
        let (frontier, head) = (held.frontier().clone(), held.head()?);
        let newest = logs.newest_witnesses(held.space);
        let seen = newest.map(|held| (held.witness, held.time_s(), held.at.1)).collect();
        Some(Self { log, frontier, head, node: held.node, seen })
    }

    /// The log.
    #[must_use]
    pub fn log(&self) -> LogId {
        self.log
    }

    /// The newest word of an office above that was held here; what others say of time binds nobody.
    fn seen(&self, roster: &Roster) -> Option<EntryId> {
        let above = |(witness, _, _): &&(PublicKey, u64, EntryId)| {
            roster.witness_rank(witness, &self.node).is_some()
        };
        let newest = self.seen.iter().filter(above).max_by_key(|(_, time_s, id)| (*time_s, *id));
        newest.map(|(_, _, id)| *id)
    }

    /// Moves behind an entry that was signed on this tail, so that several can be stored at once.
    pub fn push(&mut self, entry: &VerifiedEntry) {
        self.frontier.push(&entry.id());
        self.head = entry.id();
    }
}

/// A new entry with its body, signed and not yet judged.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The entry.
    pub entry: VerifiedEntry,
    /// Its body.
    pub body: Option<Body>,
}

/// Why a draft does not become an entry.
#[derive(Debug, thiserror::Error)]
pub enum DraftError {
    /// The edits do not make a change.
    #[error("the edits do not make a change")]
    Document(#[from] DocumentError),
    /// The entry cannot be signed: a clock before 2000, a key that is not the one named.
    #[error("the entry cannot be signed")]
    Entry(#[from] EntryFault),
}

impl Draft {
    /// The draft of a new record: all its fields and its first step.
    #[must_use]
    pub fn of_new(content: &Content, step: Step) -> Self {
        Self { edits: edits_of(content), step: Some(step) }
    }
}

/// Edits that write all of a content.
#[must_use]
pub fn edits_of(content: &Content) -> Vec<Edit> {
    let put = |(path, value): (&String, _)| Edit::Put {
        at: Place::Root,
        path: path.clone(),
        value: Clone::clone(value),
    };
    let append = |(list, items): (&String, &Vec<_>)| -> Vec<Edit> {
        let list = list.clone();
        let append = |item: &xw_schemas::record::Item| Edit::Append {
            at: Place::Root,
            list: list.clone(),
            item: item.clone(),
        };
        items.iter().map(append).collect()
    };
    content.values.iter().map(put).chain(content.lists.iter().flat_map(append)).collect()
}

/// What an honest node builds on: its own changes, witnessed ones, and those of offices above.
/// What is later voided then takes no honest work with it. Changes of offices above count at once,
/// or a village could not answer its township while the county is out of reach.
#[must_use]
pub fn base<'a>(roster: &Roster, own: &PublicKey, evidence: &[Evidence<'a>]) -> Vec<Evidence<'a>> {
    let office = roster.node_office(own).map(|office| office.division);
    let above = |author: &PublicKey| {
        let author = roster.node_office(author).map(|office| office.division);
        matches!((author, office), (Some(author), Some(own)) if author != own && author.covers(own))
    };
    let firm = |item: &&Evidence<'_>| {
        item.standing <= Standing::Witnessed
            || item.entry.node() == *own
            || (item.standing.counts() && above(&item.entry.node()))
    };
    evidence.iter().filter(firm).copied().collect()
}

/// Opens a log of this node in a space.
pub fn open_log(
    roster: &Roster,
    space: Space,
    author: Author<'_>,
    incarnation: Incarnation,
    act: Act,
    successor_of: Option<EntryId>,
) -> Result<Signed, DraftError> {
    let node = author.node.public();
    let core = Core {
        network: roster.network(),
        log: LogId::of(roster.network(), node, space, incarnation),
        sequence: 0,
        previous: EntryId([0; 32]),
        root: xw_schemas::merkle::root_of(&[]),
        seen: None,
        claimed_time_ms: act.time_ms,
        operation: act.operation,
        republishes: None,
        person: None,
        statement: Statement::Open(Opening { node, space, incarnation, successor_of }),
    };
    Ok(Signed { entry: sign(core, author.node, None)?, body: None })
}

/// The record that this author creates by this act.
#[must_use]
pub fn new_record(roster: &Roster, author: Author<'_>, act: Act) -> RecordId {
    RecordId::of(roster.network(), author.node.public(), act.operation, act.time_ms)
}

/// Makes and signs a change of a record. `evidence` is what is to be built on: see [`base`]; none
/// for a new record.
#[expect(clippy::too_many_arguments, reason = "the whole of what an entry names")]
pub fn write_change(
    roster: &Roster,
    definitions: &Definitions,
    tail: &Tail,
    record: RecordId,
    record_type: &str,
    schema: SchemaHash,
    evidence: &[Evidence<'_>],
    draft: &Draft,
    author: Author<'_>,
    act: Act,
) -> Result<Signed, DraftError> {
    let (history, raw) = admitted(roster, definitions, record, evidence);
    let mut edits = draft.edits.clone();
    edits.extend(draft.step.iter().map(|step| Edit::Append {
        at: Place::Root,
        list: STEPS.to_owned(),
        item: step.item(hex(&act.operation.0)),
    }));
    let time_s = i64::try_from(act.time_ms / 1_000).unwrap_or(i64::MAX);
    let actor = tail.log.actor(record);
    let change =
        on_some_heads(&history, &raw, evidence, actor, |document| document.edit(&edits, time_s))?;
    let body = Body::new(act.salt, &change);
    let statement = Statement::Change(ChangeStatement {
        record,
        record_type: record_type.to_owned(),
        schema,
        commitment: body.commitment(),
        length: change.len() as u64,
    });
    let core = next_core(roster, tail, author.person, act, statement);
    Ok(Signed { entry: sign(core, author.node, author.person)?, body: Some(body) })
}

/// Edits a record built on all its heads, or where a change cannot name so many, on the author's own
/// last change and the firmest others. What it was not built on stays beside it, for all to see, and
/// waits for the next change.
fn on_some_heads(
    history: &History,
    raw: &[&[u8]],
    evidence: &[Evidence<'_>],
    actor: Actor,
    mut edit: impl FnMut(&mut Document) -> Result<Vec<u8>, DocumentError>,
) -> Result<Vec<u8>, DocumentError> {
    use ChangeFault::{Deps, OtherActors, TooManyPreds};
    let own = history.last_of(&actor).map(|change| change.hash);
    let mut others: Vec<ChangeHash> =
        history.heads().filter(|head| Some(**head) != own).copied().collect();
    let most = DEPS_MAX - usize::from(own.is_some());
    let mut whole = others.len() <= most;
    if !whole {
        sort_by_firmness(history, evidence, &mut others);
        others.truncate(most);
    }
    loop {
        let mut document = if whole {
            Document::from_changes(actor, raw.iter().copied())?
        } else {
            let ground: Vec<ChangeHash> = own.into_iter().chain(others.iter().copied()).collect();
            let seen: BTreeSet<ChangeHash> =
                history.past_order(&ground).iter().map(|change| change.hash).collect();
            let order = history.canonical_order();
            let some = order.iter().zip(raw).filter(|(change, _)| seen.contains(&change.hash));
            Document::from_changes(actor, some.map(|(_, raw)| *raw))?
        };
        match edit(&mut document) {
            // A value may name more authors than there are heads, if each of these has seen many.
            Err(DocumentError::Unfit(Deps | OtherActors | TooManyPreds)) if !others.is_empty() => {
                if std::mem::take(&mut whole) {
                    sort_by_firmness(history, evidence, &mut others);
                }
                others.truncate(others.len() / 2);
            }
            edited => return edited,
        }
    }
}

/// The firmest first, those that stand alike in canonical order.
fn sort_by_firmness(history: &History, evidence: &[Evidence<'_>], heads: &mut [ChangeHash]) {
    let standing = |item: &Evidence<'_>| {
        let change = Change::decode(item.body?.change()).ok()?;
        Some((change.hash, item.standing))
    };
    let standings: BTreeMap<ChangeHash, Standing> = evidence.iter().filter_map(standing).collect();
    heads.sort_by_cached_key(|hash| {
        let place = history.change(hash).map(|change| (change.start_op, change.actor));
        (standings.get(hash).copied().unwrap_or(Standing::Void), place)
    });
}

/// Makes and signs a witness entry over what these logs hold beyond the last pins; `None` when
/// there is nothing to witness.
pub fn write_witness(
    roster: &Roster,
    logs: &Logs,
    tail: &Tail,
    targets: &[LogId],
    author: Author<'_>,
    act: Act,
) -> Result<Option<Signed>, DraftError> {
    let node = author.node.public();
    let network = roster.network();
    let pin = |target: &LogId| -> Option<Pin> {
        let (sequence, head) = logs.to_pin(roster, &node, target)?;
        let root = logs.root_at(target, (sequence, head))?;
        let checkpoint = Checkpoint { network, log: *target, size: sequence + 1, root };
        Some(cosign(author.node, &checkpoint, head, act.time_ms / 1_000))
    };
    let mut pins: Vec<Pin> = targets.iter().filter_map(pin).collect();
    pins.sort_by_key(|pin| pin.log);
    pins.dedup_by_key(|pin| pin.log);
    if pins.is_empty() {
        return Ok(None);
    }
    let core = next_core(roster, tail, None, act, Statement::Witness(pins));
    Ok(Some(Signed { entry: sign(core, author.node, None)?, body: None }))
}

/// Makes and signs a person's word that a record's contents are to be removed.
pub fn write_erasure(
    roster: &Roster,
    tail: &Tail,
    erasure: Erasure,
    author: Author<'_>,
    act: Act,
) -> Result<Signed, DraftError> {
    let core = next_core(roster, tail, author.person, act, Statement::Erase(erasure));
    Ok(Signed { entry: sign(core, author.node, author.person)?, body: None })
}

/// Makes and signs this node's word that it holds a record's contents no more.
pub fn write_erasure_receipt(
    roster: &Roster,
    tail: &Tail,
    receipt: ErasureReceipt,
    author: Author<'_>,
    act: Act,
) -> Result<Signed, DraftError> {
    let core = next_core(roster, tail, None, act, Statement::Erased(receipt));
    Ok(Signed { entry: sign(core, author.node, None)?, body: None })
}

pub(crate) fn next_core(
    roster: &Roster,
    tail: &Tail,
    person: Option<&SecretKey>,
    act: Act,
    statement: Statement,
) -> Core {
    Core {
        network: roster.network(),
        log: tail.log,
        sequence: tail.frontier.size(),
        previous: tail.head,
        root: tail.frontier.root(),
        seen: tail.seen(roster),
        claimed_time_ms: act.time_ms,
        operation: act.operation,
        republishes: act.republishes,
        person: person.map(SecretKey::public),
        statement,
    }
}
