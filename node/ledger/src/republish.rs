//! An act said again: from a change that does not stand to one for another log of the same node, on
//! the same ground and with the same operations. Decides neither whether to nor who may.
//!
//! What was written meanwhile stays beside it, as it stood beside the old one: the new change names
//! what the old one named, with every change that was itself said again in its new form.

use std::collections::BTreeMap;

use xw_schemas::entry::{Body, ChangeStatement, EntryFault, Statement, VerifiedEntry, sign};
use xw_schemas::id::{EntryId, OperationId, PublicKey, RecordId};
use xw_schemas::limits::SALT_BYTES;

use crate::change::{Action, Actor, Change, ChangeFault, ChangeHash, Key, ObjId, Op, OpId};
use crate::draft::{Act, Author, Signed, Tail, next_core};
use crate::history::History;
use crate::judge::{Definitions, Evidence, admitted, judge};
use crate::opset::{OpSet, Unsound};
use crate::roster::Roster;
use crate::verdict::{Missing, Verdict};

/// Why an entry cannot be said again as it is.
#[derive(Debug, thiserror::Error)]
pub enum RepublishError {
    /// It is no change, or its body is not held here.
    #[error("the contents of the entry are not held here")]
    NoBody,
    /// The body is not a change of our form.
    #[error("the body is not a sound change")]
    Malformed(#[source] ChangeFault),
    /// What it was written on does not count here, in no form.
    #[error("what it was written on does not count here")]
    Ground(ChangeHash),
    /// The log has gone on with this record, so that what is written there would come after it.
    #[error("the log has gone on with this record; another log must take it")]
    LogWentOn,
    /// It does not follow from what it was written on.
    #[error("it does not follow from what it was written on")]
    Unsound(#[source] Unsound),
    /// It cannot be signed.
    #[error("the entry cannot be signed")]
    Entry(#[from] EntryFault),
}

/// The same act under the same operation and time, naming the entry that said it before.
#[must_use]
pub fn act_again(old: &VerifiedEntry, salt: [u8; SALT_BYTES]) -> Act {
    let core = old.core();
    Act {
        operation: core.operation,
        time_ms: core.claimed_time_ms,
        salt,
        republishes: Some(old.id()),
    }
}

/// Whether an act already counts in the form of another entry of the same node. That one must be
/// admitted as any entry must: whoever has a PC's key can put an operation into its log, and without
/// the person's signature it says nothing.
#[must_use]
pub fn stands_again(
    roster: &Roster,
    definitions: &Definitions,
    record: RecordId,
    old: &VerifiedEntry,
    evidence: &[Evidence<'_>],
) -> bool {
    let again = |item: &&Evidence<'_>| item.entry.id() != old.id() && same_act(item.entry, old);
    let standing: Vec<EntryId> = evidence
        .iter()
        .filter(again)
        .filter(|item| item.standing.counts())
        .map(|item| item.entry.id())
        .collect();
    if standing.is_empty() {
        return false;
    }
    let judged = judge(roster, definitions, record, evidence);
    standing.iter().filter_map(|id| judged.verdicts.get(id)).any(|verdict| match verdict {
        // A first request for an erasure counts and waits; of erased contents nothing is said again.
        Verdict::Admitted | Verdict::Erased | Verdict::Waiting(Missing::SecondPerson) => true,
        // What is sealed may say anything.
        Verdict::Sealed | Verdict::Waiting(_) | Verdict::Refused(_) => false,
    })
}

fn same_act(one: &VerifiedEntry, other: &VerifiedEntry) -> bool {
    one.node() == other.node() && one.core().operation == other.core().operation
}

/// Makes and signs the change of `old` for the log of `tail`. `evidence` is everything held of the
/// record, what was said again before included.
#[expect(clippy::too_many_arguments, reason = "the whole of what an entry names")]
pub fn republish_change(
    roster: &Roster,
    definitions: &Definitions,
    tail: &Tail,
    record: RecordId,
    evidence: &[Evidence<'_>],
    old: &Evidence<'_>,
    author: Author<'_>,
    salt: [u8; SALT_BYTES],
) -> Result<Signed, RepublishError> {
    let (Some(statement), Some(body)) = (old.entry.change(), old.body) else {
        return Err(RepublishError::NoBody);
    };
    let (history, _) = admitted(roster, definitions, record, evidence);
    let ground = Ground::of(&history, evidence);
    let change = Change::decode(body.change()).map_err(RepublishError::Malformed)?;
    let change = ground.moved(&change, tail.log().actor(record))?;
    let body = Body::new(salt, &change.encode());
    let statement = Statement::Change(ChangeStatement {
        commitment: body.commitment(),
        length: body.change().len() as u64,
        ..statement.clone()
    });
    let core = next_core(roster, tail, author.person, act_again(old.entry, salt), statement);
    Ok(Signed { entry: sign(core, author.node, author.person)?, body: Some(body) })
}

/// A record with all its changes, and which of them say one act.
struct Ground<'a> {
    /// The changes that count.
    history: &'a History,
    /// All changes held, those that do not count as well.
    held: BTreeMap<ChangeHash, (Change, ActId)>,
    /// The change that counts of every act.
    counting: BTreeMap<ActId, ChangeHash>,
}

type ActId = (PublicKey, OperationId);

impl<'a> Ground<'a> {
    fn of(history: &'a History, evidence: &[Evidence<'_>]) -> Self {
        let mut held = BTreeMap::new();
        for item in evidence {
            let Some(Ok(change)) = item.body.map(|body| Change::decode(body.change())) else {
                continue;
            };
            let act = (item.entry.node(), item.entry.core().operation);
            held.insert(change.hash, (change, act));
        }
        let order = history.canonical_order();
        let acts = order
            .iter()
            .rev()
            .filter_map(|change| held.get(&change.hash).map(|(_, act)| (*act, change.hash)));
        let counting = acts.collect();
        Self { history, held, counting }
    }

    /// The change that counts in the place of one that was written on.
    fn place(&self, hash: &ChangeHash) -> Result<ChangeHash, RepublishError> {
        if self.history.contains(hash) {
            return Ok(*hash);
        }
        let again = self.held.get(hash).and_then(|(_, act)| self.counting.get(act));
        again.copied().ok_or(RepublishError::Ground(*hash))
    }

    /// The same change by another author.
    fn moved(&self, old: &Change, actor: Actor) -> Result<Change, RepublishError> {
        let deps = old.deps.iter().map(|dep| self.place(dep)).collect::<Result<Vec<_>, _>>()?;
        let own = self.history.last_of(&actor);
        let seen = self.history.past_order(&deps);
        if own.is_some_and(|own| !seen.iter().any(|change| change.hash == own.hash)) {
            return Err(RepublishError::LogWentOn);
        }
        let mut now = self.history.past(&deps).into_owned();
        let start_op = now.max_op() + 1;
        let translation = Translation { ground: self, past: self.past(old), old, actor, start_op };
        let mut ops = Vec::with_capacity(old.ops.len());
        for (counter, op) in (start_op..).zip(&old.ops) {
            let op = settled(&now, translation.op(op)?)?;
            now.apply_op(OpId { counter, actor }, &op);
            ops.push(op);
        }
        let change = Change {
            hash: ChangeHash([0; 32]),
            actor,
            seq: own.map_or(1, |own| own.seq + 1),
            start_op,
            time_s: old.time_s,
            deps: self.named(deps, own),
            ops,
        };
        let change = Change::decode(&change.encode()).map_err(RepublishError::Malformed)?;
        self.history.check(&change).map_err(RepublishError::Unsound)?;
        Ok(change)
    }

    /// What a change on this ground names: nothing that another of its names contains, but for the
    /// author's own last change, which is always named.
    fn named(&self, deps: Vec<ChangeHash>, own: Option<&Change>) -> Vec<ChangeHash> {
        let contained = |dep: &ChangeHash| {
            deps.iter().any(|other| {
                other != dep
                    && self.history.past_order(&[*other]).iter().any(|seen| seen.hash == *dep)
            })
        };
        let mut named: Vec<ChangeHash> =
            deps.iter().filter(|dep| !contained(dep)).copied().collect();
        named.extend(own.map(|own| own.hash));
        named.sort_unstable();
        named.dedup();
        named
    }

    /// All changes that `old` was written on, as they were.
    fn past(&self, old: &Change) -> BTreeMap<ChangeHash, &Change> {
        let (mut past, mut todo) = (BTreeMap::new(), old.deps.clone());
        while let Some(hash) = todo.pop() {
            let Some((change, _)) = self.held.get(&hash) else { continue };
            if past.insert(hash, change).is_none() {
                todo.extend(change.deps.iter().copied());
            }
        }
        past
    }
}

/// From operations of an old change to those of the new one.
struct Translation<'a> {
    ground: &'a Ground<'a>,
    past: BTreeMap<ChangeHash, &'a Change>,
    old: &'a Change,
    actor: Actor,
    start_op: u64,
}

impl Translation<'_> {
    fn op(&self, op: &Op) -> Result<Op, RepublishError> {
        let obj = match op.obj {
            ObjId::Root => ObjId::Root,
            ObjId::Op(id) => ObjId::Op(self.id(id)?),
        };
        let key = match &op.key {
            Key::After(element) => Key::After(self.id(*element)?),
            key => key.clone(),
        };
        let mut pred =
            op.pred.iter().map(|id| self.id(*id)).collect::<Result<Vec<_>, RepublishError>>()?;
        pred.sort_unstable();
        pred.dedup();
        Ok(Op { obj, key, pred, ..op.clone() })
    }

    fn id(&self, id: OpId) -> Result<OpId, RepublishError> {
        if let Some(at) = position(self.old, id) {
            return Ok(OpId { counter: self.start_op + at, actor: self.actor });
        }
        let found = self.past.values().find_map(|change| Some((*change, position(change, id)?)));
        let (change, at) = found.ok_or(RepublishError::Ground(self.old.hash))?;
        let place = self.ground.place(&change.hash)?;
        let placed = self.ground.history.change(&place);
        // An act that was said again in other words has no operation of that number.
        let placed = placed.filter(|placed| placed.ops.len() == change.ops.len());
        let placed = placed.ok_or(RepublishError::Ground(change.hash))?;
        Ok(OpId { counter: placed.start_op + at, actor: placed.actor })
    }
}

/// Of several values at a key the one with the highest operation is shown, and that can be another
/// one by the names that operations have here. Taking the value shown is written otherwise than
/// taking another; which is wanted stays the same.
fn settled(now: &OpSet, op: Op) -> Result<Op, RepublishError> {
    let Key::Map(key) = &op.key else { return Ok(op) };
    let standing = now.standing_at(&op.obj, key);
    let Some(((_, shown), losers)) = standing.split_last() else { return Ok(op) };
    let losers = || losers.iter().map(|(id, _)| *id).collect();
    match &op.action {
        Action::Put(value) if *shown == Some(value) && standing.len() > 1 => {
            Ok(Op { action: Action::Delete, pred: losers(), ..op })
        }
        Action::Delete => {
            let mut kept = standing.iter().filter(|(id, _)| !op.pred.contains(id));
            match (kept.next(), kept.next()) {
                (Some((_, Some(value))), None) if *shown != Some(*value) => {
                    let pred = standing.iter().map(|(id, _)| *id).collect();
                    Ok(Op { action: Action::Put((*value).clone()), pred, ..op })
                }
                (Some(_), None) => Ok(op),
                _ => Err(RepublishError::Unsound(Unsound::Delete)),
            }
        }
        _ => Ok(op),
    }
}

/// The place of an operation in a change.
fn position(change: &Change, id: OpId) -> Option<u64> {
    let inside =
        id.actor == change.actor && (change.start_op..=change.max_op()).contains(&id.counter);
    inside.then(|| id.counter - change.start_op)
}
