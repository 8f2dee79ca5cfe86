//! Roles against steps, for every built-in record type: every role tries every step, and is
//! admitted exactly where the definition says so.

use std::collections::{BTreeMap, VecDeque};

use xw_ledger::verdict::{Refusal, Verdict};
use xw_schemas::record::{RecordType, Transition};

use crate::county::{EAST, county};
use crate::world::{Bend, Wish, World, put, step};

/// Whether the definition lets a role make a step: it is named, or it is an editor and enters the
/// step of the person concerned.
fn may(rt: &RecordType, transition: &Transition, role: &str) -> bool {
    let named = |who: &str| transition.who.iter().any(|held| held == who);
    named(role) || (named("SUBJ") && rt.edit_roles.iter().any(|editor| editor == role))
}

/// Somebody who may make a step.
fn somebody<'a>(rt: &'a RecordType, transition: &'a Transition) -> &'a str {
    let named = transition.who.iter().find(|role| *role != "SUBJ");
    named.unwrap_or(&rt.edit_roles[0])
}

/// The shortest ways from nothing to every state, without voiding.
fn ways(rt: &RecordType) -> BTreeMap<&str, Vec<&Transition>> {
    let mut ways = BTreeMap::from([("-", Vec::new())]);
    let mut todo = VecDeque::from(["-"]);
    while let Some(state) = todo.pop_front() {
        for transition in rt.transitions.iter().filter(|t| t.from == state) {
            let to = transition.to.as_str();
            if !ways.contains_key(to) {
                let mut way = ways[state].clone();
                way.push(transition);
                ways.insert(to, way);
                todo.push_back(to);
            }
        }
    }
    ways
}

/// A record of the village brought along a way, with the entries on it.
fn record_on(world: &mut World, rt: &RecordType, way: &[&Transition]) -> (usize, Vec<usize>) {
    let east = &county().offices[EAST];
    let role = somebody(rt, way[0]);
    let pen = world.open_in(EAST, EAST);
    let record = world.create(pen, &rt.code, east.person(role), role);
    let mut on = vec![world.written.len() - 1];
    // A type may be created in one state only; the way begins with it.
    assert_eq!(way[0].to, rt.initial_transitions().next().unwrap().to);
    for transition in &way[1..] {
        let role = somebody(rt, transition);
        let person = Some(east.person(role));
        let step = Some(step(&transition.from, &transition.to, role));
        let (edits, bend) = (Vec::new(), Bend::Honest);
        let wish = Wish { pen, record, on: Some(&[]), edits, step, person, bend };
        on.push(world.change(wish).unwrap());
    }
    (record, on)
}

/// RIGHTS: of all roles, trying one after another on the same record without seeing each other,
/// exactly those succeed that the definition names.
fn check_rights(
    world: &World,
    record: usize,
    tries: &[(String, usize)],
    what: &str,
    may: impl Fn(&str) -> bool,
) {
    let judged = world.judged(county().chain().roster(), record);
    for (role, at) in tries {
        let verdict = &judged.verdicts[&world.id(*at)];
        let expected = match may(role) {
            true => Verdict::Admitted,
            false => Verdict::Refused(Refusal::NoRight),
        };
        assert_eq!(*verdict, expected, "{role} {what}");
    }
}

fn roles(rt: &RecordType) -> impl Iterator<Item = &String> {
    rt.lists["CL_ROLE"].codes.iter().map(|code| &code.code)
}

fn every_role_tries_every_step(code: &str) {
    let rt = county().record_type(code);
    let ways = ways(rt);
    for transition in rt.transitions.iter().filter(|t| t.from != "-") {
        let mut world = World::new();
        let (record, on) = record_on(&mut world, rt, &ways[transition.from.as_str()]);
        let mut tries = Vec::new();
        for role in roles(rt) {
            let pen = world.open_in(EAST, EAST);
            let person = Some(county().offices[EAST].person(role));
            let step = Some(step(&transition.from, &transition.to, role));
            let (edits, bend) = (Vec::new(), Bend::Honest);
            let wish = Wish { pen, record, on: Some(&on), edits, step, person, bend };
            tries.push((role.clone(), world.change(wish).unwrap()));
        }
        let what = format!("{code}: {} -> {}", transition.from, transition.to);
        check_rights(&world, record, &tries, &what, |role| may(rt, transition, role));
    }
    // Every state but the void one is reached, so every step was tried.
    assert!(rt.states.iter().all(|state| ways.contains_key(state.code.as_str())), "{code}");
}

#[test]
fn every_role_tries_every_step_of_a_service_case() {
    every_role_tries_every_step("SVC");
}

#[test]
fn every_role_tries_every_step_of_a_follow_up() {
    every_role_tries_every_step("PVM");
}

#[test]
fn every_role_tries_every_step_of_a_project() {
    every_role_tries_every_step("IND");
}

#[test]
fn every_role_tries_every_step_of_a_mediation() {
    every_role_tries_every_step("MED");
}

#[test]
fn every_role_tries_to_create_and_to_edit_every_type() {
    for rt in &county().types {
        let first = rt.initial_transitions().next().unwrap();
        let mut world = World::new();
        let (edited, on) = record_on(&mut world, rt, &[first]);
        let mut tries = Vec::new();
        for role in roles(rt) {
            let (pen, person) = (world.open_in(EAST, EAST), county().offices[EAST].person(role));
            let created = world.create(pen, &rt.code, person, role);
            let tried = [(role.clone(), world.written.len() - 1)];
            let what = format!("creates {}", rt.code);
            check_rights(&world, created, &tried, &what, |role| may(rt, first, role));
            let pen = world.open_in(EAST, EAST);
            let (edits, bend) = (vec![put("remarks", role)], Bend::Honest);
            let (record, person) = (edited, Some(person));
            let wish = Wish { pen, record, on: Some(&on), edits, step: None, person, bend };
            tries.push((role.clone(), world.change(wish).unwrap()));
        }
        let what = format!("edits {}", rt.code);
        check_rights(&world, edited, &tries, &what, |role| rt.edit_roles.iter().any(|e| e == role));
    }
}
