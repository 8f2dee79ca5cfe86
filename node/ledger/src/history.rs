//! The sound changes of one record and how they were written on one another. Judges a new change
//! by its bytes and its causal past alone; knows nothing of signatures, roles or record types.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use crate::change::{Actor, Change, ChangeHash, OpId};
use crate::opset::{OpSet, Unsound, check_ops};

/// All sound changes of a record that we hold.
///
/// One author's changes form one chain in it. Which of two chains of an author who forked counts
/// is decided before a change comes here; the second is refused as [`Unsound::SequenceTaken`].
#[derive(Clone, Debug, Default)]
pub struct History {
    nodes: Vec<Node>,
    by_hash: BTreeMap<ChangeHash, usize>,
    /// Every author's changes, first to last.
    chains: BTreeMap<Actor, Vec<usize>>,
    heads: BTreeSet<ChangeHash>,
    merged: OpSet,
}

#[derive(Clone, Debug)]
struct Node {
    change: Change,
    parents: Vec<usize>,
}

impl History {
    /// A record that nobody has written.
    pub fn new() -> Self {
        Self::default()
    }

    /// How many changes it holds.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether it holds `hash`.
    pub fn contains(&self, hash: &ChangeHash) -> bool {
        self.by_hash.contains_key(hash)
    }

    /// The change of that name.
    pub fn change(&self, hash: &ChangeHash) -> Option<&Change> {
        self.by_hash.get(hash).map(|at| &self.nodes[*at].change)
    }

    /// The changes that no other change was written on, ascending.
    pub fn heads(&self) -> impl Iterator<Item = &ChangeHash> {
        self.heads.iter()
    }

    /// What the record holds after all changes.
    pub fn merged(&self) -> &OpSet {
        &self.merged
    }

    /// The dependencies of `change` that are not here yet; while there are any, it waits.
    pub fn missing(&self, change: &Change) -> Vec<ChangeHash> {
        change.deps.iter().filter(|dep| !self.contains(dep)).copied().collect()
    }

    /// Whether `change` is what an honest author would write on its dependencies. The answer
    /// depends on the change and its causal past alone, but for [`Unsound::MissingDep`],
    /// [`Unsound::AlreadyHeld`] and [`Unsound::SequenceTaken`].
    pub fn check(&self, change: &Change) -> Result<(), Unsound> {
        self.checked_past(change).map(drop)
    }

    /// The same, and what the record held for the author before the change: borrowed when that is
    /// everything held.
    pub fn checked_past(&self, change: &Change) -> Result<Cow<'_, OpSet>, Unsound> {
        let past = self.check_place(change)?;
        check_ops(&past, change)?;
        Ok(past)
    }

    /// Adds a change that [`History::check`] finds sound.
    pub fn push(&mut self, change: Change) {
        self.merged.apply(&change);
        self.note(change);
    }

    /// The same for a change that was written on everything held, where what the record holds with
    /// it is known already.
    pub(crate) fn push_on_heads(&mut self, change: Change, merged: OpSet) {
        self.merged = merged;
        self.note(change);
    }

    fn note(&mut self, change: Change) {
        let parents: Vec<usize> =
            change.deps.iter().filter_map(|dep| self.by_hash.get(dep)).copied().collect();
        let at = self.nodes.len();
        change.deps.iter().for_each(|dep| {
            self.heads.remove(dep);
        });
        self.heads.insert(change.hash);
        self.by_hash.insert(change.hash, at);
        self.chains.entry(change.actor).or_default().push(at);
        self.nodes.push(Node { change, parents });
    }

    /// Checks and, when it is sound, adds.
    pub fn admit(&mut self, change: Change) -> Result<(), Unsound> {
        self.check(&change)?;
        self.push(change);
        Ok(())
    }

    /// What the record held for someone who had seen `deps` and all that they were written on.
    /// Borrowed when that is everything, built anew otherwise. Unknown names count for nothing.
    pub fn past(&self, deps: &[ChangeHash]) -> Cow<'_, OpSet> {
        let deps: Vec<usize> =
            deps.iter().filter_map(|dep| self.by_hash.get(dep)).copied().collect();
        let (past, _) = self.ancestors(&deps);
        if past.iter().all(|held| *held) { Cow::Borrowed(&self.merged) } else { self.built(&past) }
    }

    /// The record as it stood for the author of `hash`, their change included.
    pub fn as_of(&self, hash: &ChangeHash) -> Cow<'_, OpSet> {
        self.past(&[*hash])
    }

    /// The change that contains the operation.
    pub fn author_of(&self, op: OpId) -> Option<ChangeHash> {
        let chain = self.chains.get(&op.actor)?;
        let before = chain.partition_point(|at| self.nodes[*at].change.start_op <= op.counter);
        let change = &self.nodes[chain[before.checked_sub(1)?]].change;
        (op.counter <= change.max_op()).then_some(change.hash)
    }

    /// All changes in the one order in which they are replayed: by first operation, then author.
    /// A change's first operation has a higher number than all it was written on, so this order
    /// never puts a change before what it depends on.
    pub fn canonical_order(&self) -> Vec<&Change> {
        let mut changes: Vec<&Change> = self.nodes.iter().map(|node| &node.change).collect();
        changes.sort_by_key(|change| (change.start_op, change.actor));
        changes
    }

    /// `deps` and all that they were written on, in canonical order. Unknown names count for
    /// nothing.
    pub fn past_order(&self, deps: &[ChangeHash]) -> Vec<&Change> {
        let deps: Vec<usize> =
            deps.iter().filter_map(|dep| self.by_hash.get(dep)).copied().collect();
        let (past, _) = self.ancestors(&deps);
        let held = self.nodes.iter().zip(past).filter(|(_, held)| *held);
        let mut changes: Vec<&Change> = held.map(|(node, _)| &node.change).collect();
        changes.sort_by_key(|change| (change.start_op, change.actor));
        changes
    }

    /// The last change of an author, if there is any.
    pub fn last_of(&self, actor: &Actor) -> Option<&Change> {
        let last = self.chains.get(actor).and_then(|chain| chain.last());
        last.map(|at| &self.nodes[*at].change)
    }

    /// Judges everything but the operations and finds the causal past.
    fn check_place(&self, change: &Change) -> Result<Cow<'_, OpSet>, Unsound> {
        if self.contains(&change.hash) {
            return Err(Unsound::AlreadyHeld);
        }
        let mut deps = Vec::with_capacity(change.deps.len());
        for dep in &change.deps {
            deps.push(*self.by_hash.get(dep).ok_or(Unsound::MissingDep(*dep))?);
        }
        let own_last = self.check_chain(change, &deps)?;
        let past = match self.is_on_heads(change, own_last) {
            true => Cow::Borrowed(&self.merged),
            false => self.built(&self.past_of_antichain(&deps, own_last)?),
        };
        if change.start_op != past.max_op() + 1 {
            return Err(Unsound::StartOp);
        }
        Ok(past)
    }

    /// The author's last change, which the new one must follow.
    fn check_chain(&self, change: &Change, deps: &[usize]) -> Result<Option<usize>, Unsound> {
        let last = self.chains.get(&change.actor).and_then(|chain| chain.last()).copied();
        let last_seq = last.map_or(0, |at| self.nodes[at].change.seq);
        if change.seq <= last_seq {
            return Err(Unsound::SequenceTaken);
        }
        if change.seq != last_seq + 1 {
            return Err(Unsound::SequenceGap);
        }
        match last {
            Some(at) if !deps.contains(&at) => Err(Unsound::OwnLastNotNamed),
            last => Ok(last),
        }
    }

    /// The common case: the author had seen all that we hold. Automerge names the author's own
    /// last change even when another dependency contains it.
    fn is_on_heads(&self, change: &Change, own_last: Option<usize>) -> bool {
        let own = own_last.map(|at| self.nodes[at].change.hash);
        let redundant = own.filter(|own| !self.heads.contains(own));
        let deps = change.deps.iter().filter(|dep| Some(**dep) != redundant);
        deps.eq(self.heads.iter())
    }

    fn past_of_antichain(
        &self,
        deps: &[usize],
        own_last: Option<usize>,
    ) -> Result<Vec<bool>, Unsound> {
        let (past, followed) = self.ancestors(deps);
        if deps.iter().any(|dep| followed[*dep] && Some(*dep) != own_last) {
            return Err(Unsound::RedundantDep);
        }
        Ok(past)
    }

    /// Which changes `deps` contain, themselves included, and which of these another one among
    /// them was written on. A change stands behind all that it was written on, so one walk from
    /// the end suffices.
    fn ancestors(&self, deps: &[usize]) -> (Vec<bool>, Vec<bool>) {
        let mut past = vec![false; self.nodes.len()];
        let mut followed = past.clone();
        deps.iter().for_each(|dep| past[*dep] = true);
        for at in (0..past.len()).rev() {
            if past[at] {
                for parent in &self.nodes[at].parents {
                    past[*parent] = true;
                    followed[*parent] = true;
                }
            }
        }
        (past, followed)
    }

    fn built(&self, past: &[bool]) -> Cow<'_, OpSet> {
        let mut built = OpSet::new();
        let held = self.nodes.iter().zip(past).filter(|(_, held)| **held);
        held.for_each(|(node, _)| built.apply(&node.change));
        Cow::Owned(built)
    }
}
