//! May this person make this change: roles, steps, closed records. Reads the record before and
//! after the change; never the clock.

use std::collections::BTreeSet;

use xw_schemas::record::{RecordType, Transition};

use super::reading::Reading;
use super::{Candidate, Court, is_conflict};
use crate::steps::{NOWHERE, Step};
use crate::verdict::Refusal;

/// The role that stands for the person concerned, for whom an office's own staff enters a step.
const PERSON_CONCERNED: &str = "SUBJ";

/// The state of a record that was voided.
const VOID: &str = "void";

/// States in which nothing is written any more.
const CLOSED: [&str; 2] = ["archived", VOID];

impl Court<'_> {
    pub(super) fn authorise(
        &self,
        definition: &RecordType,
        roles: &[String],
        candidate: &Candidate<'_>,
        before: &Reading,
        after: &Reading,
    ) -> Result<(), Refusal> {
        let steps = self.new_steps(before, after)?;
        let creates = candidate.change.deps.is_empty();
        let closed = CLOSED.contains(&before.folded.state.as_str());
        match steps.as_slice() {
            [] if creates => Err(Refusal::BadStep),
            [] if closed => Err(Refusal::Closed),
            [] if may_edit(definition, roles) => Ok(()),
            [] => Err(Refusal::NoRight),
            [step] => self.authorise_step(definition, roles, candidate, before, step),
            _ => Err(Refusal::BadStep),
        }
    }

    /// Steps that the change appends; earlier ones must stand as they were.
    fn new_steps(&self, before: &Reading, after: &Reading) -> Result<Vec<Step>, Refusal> {
        if after.unreadable_steps || before.steps.len() > after.steps.len() {
            return Err(Refusal::BadStep);
        }
        let held: BTreeSet<&str> = before.steps.iter().map(|(id, _)| id.as_str()).collect();
        let (old, new): (Vec<_>, Vec<_>) =
            after.steps.iter().partition(|(id, _)| held.contains(id.as_str()));
        let unchanged = old.len() == before.steps.len()
            && old.iter().all(|(id, step)| {
                before.steps.iter().any(|(was, held)| was == id && held.step == step.step)
            });
        if unchanged {
            Ok(new.into_iter().map(|(_, stepped)| stepped.step.clone()).collect())
        } else {
            Err(Refusal::BadStep)
        }
    }

    fn authorise_step(
        &self,
        definition: &RecordType,
        roles: &[String],
        candidate: &Candidate<'_>,
        before: &Reading,
        step: &Step,
    ) -> Result<(), Refusal> {
        let creates = candidate.change.deps.is_empty();
        if step.from != before.folded.state || (step.from == NOWHERE) != creates {
            return Err(Refusal::OtherState);
        }
        let transition = if is_conflict(before) {
            // Whoever could have made one of the contradicting steps may decide for it.
            let mut claims = before.claims();
            let claim = claims.find(|claim| claim.to == step.to);
            claim.and_then(|claim| definition.transition(&claim.from, &claim.to))
        } else {
            definition.transition(&step.from, &step.to)
        };
        let transition = transition.ok_or(Refusal::NoSuchStep)?;
        if !may_step(definition, transition, roles, &step.role) {
            return Err(Refusal::NoRight);
        }
        if transition.needs_reason && step.reason.trim().is_empty() {
            return Err(Refusal::NoReason);
        }
        if step.to == VOID && self.another_office_has_acted(candidate) {
            return Err(Refusal::VoidTooLate);
        }
        Ok(())
    }

    fn another_office_has_acted(&self, candidate: &Candidate<'_>) -> bool {
        let creator = self.founding.as_ref().and_then(|founding| founding.office);
        let office_of = |entry: &xw_schemas::entry::VerifiedEntry| {
            self.roster.writing_office(&entry.node()).map(|office| office.id)
        };
        let mut past = candidate.change.deps.clone();
        let mut seen = BTreeSet::new();
        while let Some(change) = past.pop() {
            let entry = self.entries.get(&change).and_then(|id| self.by_entry.get(id));
            if entry.is_some_and(|entry| office_of(entry) != creator) {
                return true;
            }
            if seen.insert(change) {
                past.extend(self.causes.get(&change).into_iter().flatten().copied());
            }
        }
        office_of(candidate.entry) != creator
    }
}

fn may_edit(definition: &RecordType, roles: &[String]) -> bool {
    roles.iter().any(|role| definition.edit_roles.contains(role))
}

/// Whether a person with these roles may make the transition in the role that the step names.
#[must_use]
pub(crate) fn may_step(
    definition: &RecordType,
    transition: &Transition,
    roles: &[String],
    role: &str,
) -> bool {
    let holds = roles.iter().any(|held| held == role);
    let named = transition.who.iter().any(|who| who == role);
    let for_person = transition.who.iter().any(|who| who == PERSON_CONCERNED)
        && definition.edit_roles.iter().any(|editor| editor == role);
    holds && (named || for_person)
}
