//! Acts that a node had to say again in a later log: read as one, however many of the entries that
//! say them stand. Decides nothing about whether an entry counts.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::entry::VerifiedEntry;
use xw_schemas::id::{OperationId, PublicKey};

use super::{Candidate, Court};
use crate::change::{Change, ChangeHash};
use crate::opset::{Once, Told};
use crate::steps::Causes;

/// An act: of a node, by its operation. Another node's entry of the same operation says something
/// of its own, so that nobody speaks for others.
pub(super) type ActId = (PublicKey, OperationId);

/// Which act an entry says.
pub(super) fn act_of(entry: &VerifiedEntry) -> ActId {
    (entry.node(), entry.core().operation)
}

/// Changes that say what an earlier one of the same act says, and that earlier one.
pub(super) type Firsts = BTreeMap<ChangeHash, ChangeHash>;

/// The acts heard so far.
#[derive(Default)]
pub(super) struct Acts {
    heard: BTreeSet<ActId>,
    repeated: bool,
}

impl Acts {
    pub(super) fn hear(&mut self, entry: &VerifiedEntry) {
        self.repeated |= !self.heard.insert(act_of(entry));
    }

    /// Whether any act was said more than once. Records of which none was are read the short way,
    /// which comes to the same.
    pub(super) fn repeated(&self) -> bool {
        self.repeated
    }
}

impl Court<'_> {
    /// Whether a change's past or the change itself may hold an act twice.
    pub(super) fn may_repeat(&self, candidate: &Candidate<'_>) -> bool {
        self.acts.repeated || self.acts.heard.contains(&act_of(candidate.entry))
    }

    /// Sees to it that everything admitted has been told, where a candidate may repeat some of it.
    /// Told once: most candidates are written on all that there is.
    pub(super) fn tell_all(&mut self, candidate: &Candidate<'_>) {
        if self.told.is_none() && self.may_repeat(candidate) {
            self.told = Some(self.told_of(&self.history.canonical_order()));
        }
    }

    /// What the record holds after these changes, every act counted once.
    pub(super) fn told_of(&self, seen: &[&Change]) -> Once<ActId> {
        Once::of(seen.iter().filter_map(|change| Some((*change, self.act(&change.hash)?))))
    }

    /// Tells an admitted change, as it was when it was weighed if it was told then.
    pub(super) fn keep_told(&mut self, candidate: &Candidate<'_>, weighed: Option<Told<ActId>>) {
        match (&mut self.told, weighed) {
            (Some(told), Some(weighed)) => told.take(weighed),
            (Some(told), None) if told.precedes(&candidate.change) => {
                told.add(&candidate.change, act_of(candidate.entry));
            }
            (told, _) => *told = None,
        }
    }

    /// Which of these changes, given in canonical order, repeat another one of them.
    pub(super) fn firsts(&self, seen: &[&Change]) -> Firsts {
        let mut by_act: BTreeMap<ActId, ChangeHash> = BTreeMap::new();
        let mut firsts = Firsts::new();
        for change in seen {
            let Some(act) = self.act(&change.hash) else { continue };
            match by_act.get(&act) {
                Some(first) => {
                    firsts.insert(change.hash, *first);
                }
                None => {
                    by_act.insert(act, change.hash);
                }
            }
        }
        firsts
    }

    fn act(&self, change: &ChangeHash) -> Option<ActId> {
        self.by_entry.get(self.entries.get(change)?).map(|entry| act_of(entry))
    }
}

/// Who had seen what, with every repeated change in the place of the one that it repeats: whoever
/// had seen one of them had seen the act.
pub(super) fn causes_once(causes: &Causes, firsts: &Firsts) -> Causes {
    if firsts.is_empty() {
        return causes.clone();
    }
    let first = |change: &ChangeHash| firsts.get(change).copied().unwrap_or(*change);
    let mut once = Causes::new();
    for (change, seen) in causes {
        let change = first(change);
        let seen = seen.iter().map(first).filter(|dep| *dep != change);
        once.entry(change).or_default().extend(seen);
    }
    once
}
