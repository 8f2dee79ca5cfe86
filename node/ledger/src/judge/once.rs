//! Acts that a node had to say again in a later log: read as one, however many of the entries that
//! say them stand. Decides nothing about whether an entry counts.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::entry::VerifiedEntry;
use xw_schemas::id::{OperationId, PublicKey};

use super::{Candidate, Court};
use crate::change::{Change, ChangeHash};
use crate::opset::OpSet;
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

    /// What the record holds after these changes, every act counted once.
    pub(super) fn ops_once(&self, seen: &[&Change], fresh: Option<&Candidate<'_>>) -> OpSet {
        let acts = seen.iter().filter_map(|change| Some((*change, self.act(&change.hash)?)));
        let fresh = fresh.map(|candidate| (&candidate.change, act_of(candidate.entry)));
        OpSet::once(acts.chain(fresh))
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
