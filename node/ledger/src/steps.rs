//! State transitions: appended steps folded into one state. A step is never a field that the last
//! writer wins; of two steps made without knowing of each other the higher office's counts, else
//! the record stands in conflict until a person decides (domain section 1.2).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xw_schemas::record::{Content, Item, Value};
use xw_schemas::space::Tier;

use crate::change::ChangeHash;

/// The list in a record's document that holds its steps.
pub const STEPS: &str = "_steps";

/// The state of a record whose steps contradict one another.
pub const CONFLICT: &str = "conflict";

/// Where a record that does not exist yet stands.
pub const NOWHERE: &str = "-";

/// A step as written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The state it begins at; [`NOWHERE`] for creation, [`CONFLICT`] when it decides one.
    pub from: String,
    /// The state it leads to.
    pub to: String,
    /// The role in which the person acted.
    pub role: String,
    /// Why, where the step needs a reason.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub reason: String,
    /// For whom it was entered, such as the person concerned.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub on_behalf_of: String,
}

impl Step {
    /// Reads a list item; `None` when it holds anything but a step.
    #[must_use]
    pub fn read(item: &Item) -> Option<Self> {
        let text = |key: &str| match item.content.values.get(key) {
            Some(Value::Text(text)) => Some(text.clone()),
            _ => None,
        };
        let known = ["id", "from", "to", "role", "reason", "on_behalf_of"];
        let only = item.content.values.keys().all(|key| known.contains(&key.as_str()));
        (only && item.content.lists.is_empty()).then_some(())?;
        Some(Self {
            from: text("from")?,
            to: text("to")?,
            role: text("role")?,
            reason: text("reason").unwrap_or_default(),
            on_behalf_of: text("on_behalf_of").unwrap_or_default(),
        })
    }

    /// The list item to be appended.
    #[must_use]
    pub fn item(&self, id: String) -> Item {
        let mut content = Content::default();
        let mut put = |key: &str, text: &str| {
            if !text.is_empty() {
                content.values.insert(key.to_owned(), Value::Text(text.to_owned()));
            }
        };
        put("from", &self.from);
        put("to", &self.to);
        put("role", &self.role);
        put("reason", &self.reason);
        put("on_behalf_of", &self.on_behalf_of);
        Item { id, content }
    }
}

/// A step with what the fold needs to know of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stepped {
    /// The step.
    pub step: Step,
    /// The change that appended it.
    pub change: ChangeHash,
    /// The level of the office that made it.
    pub tier: Tier,
}

/// The dependencies of every admitted change of a record.
pub type Causes = BTreeMap<ChangeHash, Vec<ChangeHash>>;

/// What the steps amount to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folded {
    /// The state, or [`CONFLICT`].
    pub state: String,
    /// The steps that claim the state, by position: one, or those in conflict.
    pub claims: Vec<usize>,
    /// Steps that a higher office's concurrent step overrules, by position.
    pub overruled: Vec<usize>,
}

/// Folds steps, given in the canonical order of their changes.
#[must_use]
pub fn fold(steps: &[Stepped], causes: &Causes) -> Folded {
    let mut claims: Vec<usize> = Vec::new();
    let mut overruled = Vec::new();
    for (at, stepped) in steps.iter().enumerate() {
        let unseen: Vec<usize> = claims
            .iter()
            .copied()
            .filter(|claim| !has_seen(causes, stepped.change, steps[*claim].change))
            .collect();
        // Tier sorts the county first: the smaller, the higher.
        let highest = unseen.iter().map(|claim| steps[*claim].tier).min();
        match highest {
            Some(tier) if tier < stepped.tier => overruled.push(at),
            Some(tier) if tier == stepped.tier => {
                let rivals = unseen.into_iter().filter(|claim| {
                    steps[*claim].tier == tier && steps[*claim].step.to != stepped.step.to
                });
                claims = rivals.chain([at]).collect();
            }
            Some(_) => {
                overruled.extend(unseen);
                claims = vec![at];
            }
            None => claims = vec![at],
        }
    }
    let state = match claims.as_slice() {
        [] => NOWHERE.to_owned(),
        [one] => steps[*one].step.to.clone(),
        _ => CONFLICT.to_owned(),
    };
    Folded { state, claims, overruled }
}

/// Whether the author of `later` had seen `earlier`.
fn has_seen(causes: &Causes, later: ChangeHash, earlier: ChangeHash) -> bool {
    let mut todo = vec![later];
    let mut done = std::collections::BTreeSet::new();
    while let Some(change) = todo.pop() {
        if change == earlier {
            return true;
        }
        if done.insert(change) {
            todo.extend(causes.get(&change).into_iter().flatten().copied());
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stepped(n: u8, tier: Tier, from: &str, to: &str) -> Stepped {
        let (from, to) = (from.to_owned(), to.to_owned());
        let step =
            Step { from, to, role: "R".into(), reason: String::new(), on_behalf_of: String::new() };
        Stepped { step, change: ChangeHash([n; 32]), tier }
    }

    fn causes(list: &[(u8, &[u8])]) -> Causes {
        let hash = |n: &u8| ChangeHash([*n; 32]);
        list.iter().map(|(n, deps)| (hash(n), deps.iter().map(hash).collect())).collect()
    }

    #[test]
    fn the_higher_office_wins_and_equals_stand_in_conflict_until_decided() {
        use Tier::{Township, Village};
        let open = stepped(1, Village, "-", "a");
        let graph = causes(&[(1, &[]), (2, &[1]), (3, &[1]), (4, &[2, 3])]);
        let folded = fold(
            &[open.clone(), stepped(2, Village, "a", "b"), stepped(3, Township, "a", "c")],
            &graph,
        );
        assert_eq!((folded.state.as_str(), folded.overruled), ("c", vec![1]));
        let mut rivals = vec![open, stepped(2, Village, "a", "b"), stepped(3, Village, "a", "c")];
        assert_eq!(fold(&rivals, &graph).state, CONFLICT);
        rivals.push(stepped(4, Village, CONFLICT, "b"));
        assert_eq!(fold(&rivals, &graph).state, "b");
    }

    #[test]
    fn the_same_step_made_twice_is_no_conflict() {
        let graph = causes(&[(1, &[]), (2, &[1]), (3, &[1])]);
        let village = Tier::Village;
        let steps = [
            stepped(1, village, "-", "a"),
            stepped(2, village, "a", "b"),
            stepped(3, village, "a", "b"),
        ];
        assert_eq!(fold(&steps, &graph).state, "b");
    }
}
