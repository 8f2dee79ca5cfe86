//! States, steps and roles: defined, reachable, and neither dead ends nor back doors.
//! Looks at the flow only, never at fields.

use std::collections::BTreeSet;

use super::Finding;
use crate::record::model::{Level, RecordType, Transition};
use crate::record::schema_error::SchemaFlaw;

/// The list that names the roles of a county.
const ROLE_LIST: &str = "CL_ROLE";
/// The only state that may follow a terminal one.
const ARCHIVED: &str = "archived";

pub(super) fn lint(rt: &RecordType, found: &mut Vec<Finding>) {
    lint_states(rt, found);
    lint_steps(rt, found);
    lint_editors(rt, found);
}

fn lint_states(rt: &RecordType, found: &mut Vec<Finding>) {
    if rt.initial_transitions().next().is_none() {
        found.push(("type".into(), SchemaFlaw::NoCreation { code: rt.code.clone() }));
        return;
    }
    let mut reached = BTreeSet::from([Transition::CREATION]);
    let mut grew = true;
    while grew {
        let next: Vec<&str> = rt
            .transitions
            .iter()
            .filter(|t| reached.contains(t.from.as_str()) && !reached.contains(t.to.as_str()))
            .map(|t| t.to.as_str())
            .collect();
        grew = !next.is_empty();
        reached.extend(next);
    }
    for state in &rt.states {
        let place = format!("states.{}", state.code);
        if !reached.contains(state.code.as_str()) {
            let flaw = SchemaFlaw::Unreachable { state: state.code.clone() };
            found.push((place.clone(), flaw));
        }
        let mut exits = rt.transitions.iter().filter(|t| t.from == state.code);
        if !state.terminal && exits.clone().next().is_none() {
            found.push((place.clone(), SchemaFlaw::DeadEnd { state: state.code.clone() }));
        }
        if state.terminal
            && let Some(exit) = exits.find(|t| t.to != ARCHIVED)
        {
            let flaw = SchemaFlaw::TerminalLeft { state: state.code.clone(), to: exit.to.clone() };
            found.push((place, flaw));
        }
    }
}

fn lint_steps(rt: &RecordType, found: &mut Vec<Finding>) {
    for (number, step) in rt.transitions.iter().enumerate() {
        let place = || format!("transitions.{number}");
        let from_known = step.from == Transition::CREATION || rt.state(&step.from).is_some();
        for (known, name) in [(from_known, &step.from), (rt.state(&step.to).is_some(), &step.to)] {
            if !known {
                found.push((place(), SchemaFlaw::UnknownState { name: name.clone() }));
            }
        }
        if rt.transitions[..number].iter().any(|t| t.from == step.from && t.to == step.to) {
            let name = format!("{} → {}", step.from, step.to);
            found.push((place(), SchemaFlaw::Duplicate { name }));
        }
        if step.who.is_empty() {
            found.push((place(), SchemaFlaw::MissingKey { key: "who".into() }));
        }
        for role in unknown_roles(rt, &step.who) {
            found.push((place(), SchemaFlaw::UnknownRole { name: role.clone() }));
        }
    }
}

fn lint_editors(rt: &RecordType, found: &mut Vec<Finding>) {
    if rt.body_levels.is_empty() {
        found.push((
            "type.body_levels".into(),
            SchemaFlaw::MissingKey { key: "body_levels".into() },
        ));
    }
    if rt.edit_roles.is_empty() {
        found.push(("type.edit_roles".into(), SchemaFlaw::MissingKey { key: "edit_roles".into() }));
    }
    for role in unknown_roles(rt, &rt.edit_roles) {
        let flaw = SchemaFlaw::UnknownRole { name: role.clone() };
        found.push(("type.edit_roles".into(), flaw));
    }
    for role in &rt.edit_roles {
        if Level::of_role(role).is_none_or(|level| !rt.body_levels.contains(&level)) {
            let flaw = SchemaFlaw::EditorWithoutBody { role: role.clone() };
            found.push(("type.edit_roles".into(), flaw));
        }
    }
    // The person concerned has no key; someone enters the paper for them.
    let creators: BTreeSet<&String> =
        rt.initial_transitions().flat_map(|t| &t.who).filter(|role| *role != "SUBJ").collect();
    for role in creators {
        if !rt.edit_roles.contains(role) {
            let flaw = SchemaFlaw::CreatorCannotEdit { role: role.clone() };
            found.push(("type.edit_roles".into(), flaw));
        }
    }
}

fn unknown_roles<'a>(
    rt: &'a RecordType,
    roles: &'a [String],
) -> impl Iterator<Item = &'a String> + 'a {
    let known = rt.lists.get(ROLE_LIST);
    roles.iter().filter(move |role| known.is_none_or(|list| list.code(role).is_none()))
}
