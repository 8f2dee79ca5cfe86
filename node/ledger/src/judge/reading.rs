//! A record as someone saw it: its content without the bookkeeping, its steps folded, its problems.
//! Used for the causal past of a change, for the change itself and for the merged view.

use std::collections::BTreeSet;

use xw_schemas::entry::VerifiedEntry;
use xw_schemas::id::EntryId;
use xw_schemas::record::{
    Content, Item, ProblemCode, RecordType, SchemaHash, Value, is_bookkeeping, problems,
};
use xw_schemas::space::Tier;

use super::once::{Firsts, act_of, causes_once};
use super::{Court, Evidence};
use crate::change::{ChangeHash, OpId};
use crate::opset::OpSet;
use crate::steps::{CONFLICT, Folded, NOWHERE, STEPS, Step, Stepped, fold};
use crate::verdict::{Missing, Verdict};
use crate::view::{Conflict, ConflictValue, View, ViewProblem, ViewStep};

/// The path under which contradicting steps stand among the conflicts.
const STATE_PATH: &str = "state";

/// The key by which an appended item voids another one of its list.
const VOIDS: &str = "_voids";

/// A record as of some set of changes.
#[derive(PartialEq)]
pub(super) struct Reading {
    pub(super) content: Content,
    /// Item id and step, in canonical order.
    pub(super) steps: Vec<(String, Stepped)>,
    pub(super) unreadable_steps: bool,
    pub(super) folded: Folded,
    problems: BTreeSet<(String, ProblemCode)>,
}

/// The record as of all changes that count, where each was written on all before it and says an act
/// of its own: then the reading that a change was judged by is the one that the next starts from.
pub(super) struct Latest {
    pub(super) schema: SchemaHash,
    pub(super) reading: Reading,
}

impl Reading {
    /// The first problem that the record did not have before.
    pub(super) fn first_problem_not_in(&self, before: &Self) -> Option<(String, ProblemCode)> {
        self.problems.difference(&before.problems).next().cloned()
    }

    /// The steps that claim the state. A claim that decided an earlier contradiction is given as
    /// the step that it decided for.
    pub(super) fn claims(&self) -> impl Iterator<Item = &Step> {
        self.folded.claims.iter().map(|at| claimed(&self.steps, *at))
    }
}

/// Paths that look like the ledger's own bookkeeping and are none. Record types pass over them, so
/// nothing else would keep people from writing there whatever they like.
fn stray(content: &Content, at: &str) -> Vec<String> {
    let names = content.values.keys().chain(content.lists.keys());
    let own = |name: &&String| is_bookkeeping(name) && (at.is_empty() || *name != VOIDS);
    let here = names.filter(own).map(|name| format!("{at}{name}"));
    let below = content.lists.iter().flat_map(|(list, items)| {
        let inside = move |item: &Item| stray(&item.content, &format!("{at}{list}[{}].", item.id));
        items.iter().flat_map(inside)
    });
    here.chain(below).collect()
}

fn claimed(steps: &[(String, Stepped)], at: usize) -> &Step {
    let claim = &steps[at].1.step;
    let mut earlier = steps[..at].iter().rev().map(|(_, stepped)| &stepped.step);
    match &*claim.from {
        CONFLICT => earlier.find(|s| s.to == claim.to && s.from != CONFLICT).unwrap_or(claim),
        _ => claim,
    }
}

impl Court<'_> {
    /// Reads the record as of `ops`, in which every act counts once. `fresh` is the change under
    /// judgement, which is not in the history yet.
    pub(super) fn read(
        &self,
        definition: &RecordType,
        ops: &OpSet,
        firsts: &Firsts,
        fresh: Option<(ChangeHash, &VerifiedEntry)>,
    ) -> Reading {
        let mut content = ops.content();
        let items = content.lists.remove(STEPS).unwrap_or_default();
        // A scalar under the bookkeeping's name is no step list.
        let mut unreadable_steps = content.values.remove(STEPS).is_some();
        let made = ops.item_ops(STEPS);
        let mut steps: Vec<(OpId, String, Stepped)> = Vec::with_capacity(items.len());
        for (op, item) in made.into_iter().zip(items) {
            match Step::read(&item) {
                Some(step) => {
                    let (change, tier) = self.who_stepped(op, firsts, fresh);
                    steps.push((op, item.id, Stepped { step, change, tier }));
                }
                None => unreadable_steps = true,
            }
        }
        steps.sort_by_key(|(op, _, _)| *op);
        let steps: Vec<(String, Stepped)> =
            steps.into_iter().map(|(_, id, step)| (id, step)).collect();
        let folded = self.fold(&steps, firsts, fresh);
        let problems = if folded.state == NOWHERE {
            BTreeSet::new()
        } else {
            self.problems(definition, &content, &steps, &folded)
        };
        Reading { content, steps, unreadable_steps, folded, problems }
    }

    fn who_stepped(
        &self,
        op: OpId,
        firsts: &Firsts,
        fresh: Option<(ChangeHash, &VerifiedEntry)>,
    ) -> (ChangeHash, Tier) {
        match (self.history.author_of(op), fresh) {
            (Some(change), _) => {
                let change = firsts.get(&change).copied().unwrap_or(change);
                let tier = self.entries.get(&change).map(|entry| self.tier(entry));
                (change, tier.unwrap_or(Tier::Village))
            }
            (None, Some((change, entry))) => (change, self.tier(&entry.id())),
            (None, None) => (ChangeHash([0; 32]), Tier::Village),
        }
    }

    fn fold(
        &self,
        steps: &[(String, Stepped)],
        firsts: &Firsts,
        fresh: Option<(ChangeHash, &VerifiedEntry)>,
    ) -> Folded {
        let stepped: Vec<Stepped> = steps.iter().map(|(_, step)| step.clone()).collect();
        match fresh {
            // The change under judgement has seen every step that stands in its own past.
            Some((change, _)) => {
                let mut causes = causes_once(&self.causes, firsts);
                let all = stepped.iter().map(|step| step.change).filter(|seen| *seen != change);
                causes.insert(change, all.collect());
                fold(&stepped, &causes)
            }
            None if firsts.is_empty() => fold(&stepped, &self.causes),
            None => fold(&stepped, &causes_once(&self.causes, firsts)),
        }
    }

    fn problems(
        &self,
        definition: &RecordType,
        content: &Content,
        steps: &[(String, Stepped)],
        folded: &Folded,
    ) -> BTreeSet<(String, ProblemCode)> {
        let mut left: Vec<String> = steps
            .iter()
            .map(|(_, stepped)| stepped.step.from.clone())
            .filter(|state| state != NOWHERE && state != CONFLICT)
            .collect();
        left.sort();
        left.dedup();
        // In conflict the state before the contradiction still tells what is required.
        let state = match (&*folded.state, folded.claims.first()) {
            (CONFLICT, Some(claim)) => &claimed(steps, *claim).from,
            (state, _) => state,
        };
        problems(definition, content, state, &left)
            .into_iter()
            .filter(|problem| !problem.is_warning())
            .map(|problem| (problem.path.clone(), problem.code))
            .chain(stray(content, "").into_iter().map(|path| (path, ProblemCode::Unknown)))
            .collect()
    }

    /// What the record amounts to; `latest` is the reading of all that counts, where it is known.
    pub(super) fn view(&self, evidence: &[Evidence<'_>], latest: Option<Latest>) -> Option<View> {
        let times = |wanted: fn(&Verdict) -> bool| {
            evidence
                .iter()
                .filter(move |item| self.verdicts.get(&item.entry.id()).is_some_and(wanted))
                .map(|item| item.entry.core().claimed_time_ms)
        };
        let count =
            |wanted: fn(&Verdict) -> bool| u32::try_from(times(wanted).count()).unwrap_or(u32::MAX);
        let acts = |wanted: fn(&Verdict) -> bool| {
            let entries = evidence.iter().map(|item| item.entry);
            let wanted = entries.filter(|entry| self.verdicts.get(&entry.id()).is_some_and(wanted));
            let acts: BTreeSet<_> = wanted.map(act_of).collect();
            u32::try_from(acts.len()).unwrap_or(u32::MAX)
        };
        let sealed = self.history.is_empty();
        let counts: fn(&Verdict) -> bool = if sealed {
            |verdict| matches!(verdict, Verdict::Sealed)
        } else {
            |verdict| matches!(verdict, Verdict::Admitted)
        };
        let (created_ms, updated_ms) = (times(counts).min()?, times(counts).max()?);
        // The last change in canonical order names type and definition. Where bodies are withheld
        // there is no such order, and nothing is read by the definition.
        let last = self.history.canonical_order().last().and_then(|c| self.entries.get(&c.hash));
        let newest = last.and_then(|id| self.by_entry.get(id)).copied().or_else(|| {
            let sealed = evidence
                .iter()
                .map(|item| item.entry)
                .filter(|entry| self.verdicts.get(&entry.id()).is_some_and(counts));
            sealed.max_by_key(|entry| (entry.core().claimed_time_ms, entry.id()))
        })?;
        let statement = newest.change()?;
        let mut view = View {
            record: self.record,
            record_type: statement.record_type.clone(),
            schema: xw_schemas::id::hex(&statement.schema.0),
            sealed,
            state: String::new(),
            content: Content::default(),
            conflicts: Vec::new(),
            problems: Vec::new(),
            steps: Vec::new(),
            created_ms,
            updated_ms,
            changes: acts(counts),
            // What does not stand in its log is left out: of a forked slot nodes keep different
            // variants, and rows must not tell which.
            refused: count(
                |verdict| matches!(verdict, Verdict::Refused(refusal) if !refusal.is_of_the_log()),
            ),
            waiting: count(
                |verdict| matches!(verdict, Verdict::Waiting(missing) if *missing != Missing::Cut),
            ),
            erased: None,
        };
        if !sealed {
            let latest = latest.filter(|latest| latest.schema == statement.schema);
            self.fill(&mut view, self.definitions.get(&statement.schema)?, latest);
        }
        Some(view)
    }

    fn fill(&self, view: &mut View, definition: &RecordType, latest: Option<Latest>) {
        let seen = self.history.canonical_order();
        let repeated = self.acts.repeated();
        let firsts = if repeated { self.firsts(&seen) } else { Firsts::new() };
        let again = (repeated && self.told.is_none()).then(|| self.told_of(&seen));
        let told = self.told.as_ref().or(again.as_ref()).filter(|_| repeated);
        let (merged, firsts) = (told.map_or(self.history.merged(), |told| told.ops()), &firsts);
        let latest = latest.filter(|_| !repeated).map(|latest| latest.reading);
        let reading = latest.unwrap_or_else(|| self.read(definition, merged, firsts, None));
        let entry_of = |op: OpId| -> EntryId {
            let change = self.history.author_of(op);
            change.and_then(|change| self.entries.get(&change)).copied().unwrap_or(EntryId([0; 32]))
        };
        for conflict in merged.conflicts() {
            let values = conflict
                .values
                .into_iter()
                .map(|(op, value)| ConflictValue { value, entry: entry_of(op) })
                .collect();
            view.conflicts.push(Conflict { path: conflict.path, values });
        }
        if reading.folded.state == CONFLICT {
            let values = reading.folded.claims.iter().map(|claim| {
                let stepped = &reading.steps[*claim].1;
                ConflictValue {
                    value: Value::Text(stepped.step.to.clone()),
                    entry: self.entries.get(&stepped.change).copied().unwrap_or(EntryId([0; 32])),
                }
            });
            let values = values.collect();
            view.conflicts.push(Conflict { path: STATE_PATH.to_owned(), values });
        }
        view.steps = reading
            .steps
            .iter()
            .enumerate()
            .map(|(at, (_, stepped))| ViewStep {
                step: stepped.step.clone(),
                entry: self.entries.get(&stepped.change).copied().unwrap_or(EntryId([0; 32])),
                overruled: reading.folded.overruled.contains(&at),
            })
            .collect();
        view.problems =
            reading.problems.into_iter().map(|(path, code)| ViewProblem { path, code }).collect();
        view.state = reading.folded.state;
        view.content = reading.content;
    }
}
