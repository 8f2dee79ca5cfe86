//! Roles against steps, for every built-in record type: every role tries every step, and is
//! admitted exactly where the definition says so.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use xw_ledger::verdict::{Refusal, Verdict};
use xw_schemas::record::{Level, RecordType, Transition};

use crate::county::{COUNTY, EAST, TOWN, county};
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

/// The office of the county whose people may have a role: one of the role's own level.
fn office_of(role: &str) -> usize {
    match Level::of_role(role) {
        Some(Level::C) => COUNTY,
        Some(Level::T) => TOWN,
        Some(Level::V) | None => EAST,
    }
}

/// Whether a role counts at an office. Everybody is listed with every role at every office.
fn counts_at(office: usize, role: &str) -> bool {
    office == office_of(role) && Level::of_role(role).is_some()
}

/// A record of the village, and how it came to be.
struct Brought {
    record: usize,
    on: Vec<usize>,
    /// Whose people made its steps, the creator's first.
    offices: Vec<usize>,
}

/// A record of the village brought along a way, each step by somebody of the role's own level.
fn record_on(world: &mut World, rt: &RecordType, way: &[&Transition]) -> Brought {
    // A type may be created in one state only; the way begins with it.
    assert_eq!(way[0].to, rt.initial_transitions().next().unwrap().to);
    let role = somebody(rt, way[0]);
    let mut offices = vec![office_of(role)];
    let pen = world.open_in(offices[0], EAST);
    let person = county().offices[offices[0]].person(role);
    let record = world.create(pen, &rt.code, person, role);
    let mut on = vec![world.written.len() - 1];
    for transition in &way[1..] {
        let role = somebody(rt, transition);
        let office = office_of(role);
        let pen = world.open_in(office, EAST);
        let person = Some(county().offices[office].person(role));
        let step = Some(step(&transition.from, &transition.to, role));
        let (edits, bend, seen) = (Vec::new(), Bend::Honest, on.clone());
        let wish = Wish { pen, record, on: Some(&seen), edits, step, person, bend };
        on.push(world.change(wish).unwrap());
        offices.push(office);
    }
    Brought { record, on, offices }
}

/// A role tried at an office, and the entry by which.
struct Try {
    role: String,
    office: usize,
    at: usize,
}

/// RIGHTS: of all roles, trying one after another on the same record without seeing each other,
/// exactly those succeed that the definition names, at an office of their own level.
fn check_rights(
    world: &World,
    record: usize,
    tries: &[Try],
    what: &str,
    expected: impl Fn(&Try) -> Verdict,
) {
    let judged = world.judged(county().chain().roster(), record);
    for tried in tries {
        let (role, verdict) = (&tried.role, &judged.verdicts[&world.id(tried.at)]);
        assert_eq!(*verdict, expected(tried), "{role} at {} {what}", tried.office);
    }
}

fn no_right_unless(may: bool) -> Verdict {
    if may { Verdict::Admitted } else { Verdict::Refused(Refusal::NoRight) }
}

/// A role at the office of its own level, and at the village's where that is another.
fn places(role: &str) -> impl Iterator<Item = usize> {
    BTreeSet::from([office_of(role), EAST]).into_iter()
}

fn roles(rt: &RecordType) -> impl Iterator<Item = &String> {
    rt.lists["CL_ROLE"].codes.iter().map(|code| &code.code)
}

fn every_role_tries_every_step(code: &str) {
    let rt = county().record_type(code);
    let ways = ways(rt);
    for transition in rt.transitions.iter().filter(|t| t.from != "-") {
        let mut world = World::new();
        let Brought { record, on, offices } =
            record_on(&mut world, rt, &ways[transition.from.as_str()]);
        let mut tries = Vec::new();
        for (role, office) in roles(rt).flat_map(|role| places(role).map(move |at| (role, at))) {
            let pen = world.open_in(office, EAST);
            let person = Some(county().offices[office].person(role));
            let step = Some(step(&transition.from, &transition.to, role));
            let (edits, bend) = (Vec::new(), Bend::Honest);
            let wish = Wish { pen, record, on: Some(&on), edits, step, person, bend };
            tries.push(Try { role: role.clone(), office, at: world.change(wish).unwrap() });
        }
        let what = format!("{code}: {} -> {}", transition.from, transition.to);
        check_rights(&world, record, &tries, &what, |tried| {
            let may = may(rt, transition, &tried.role) && counts_at(tried.office, &tried.role);
            let others = offices.iter().chain([&tried.office]).any(|office| *office != offices[0]);
            match may && others && transition.to == "void" {
                true => Verdict::Refused(Refusal::VoidTooLate),
                false => no_right_unless(may),
            }
        });
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
        let Brought { record: edited, on, .. } = record_on(&mut world, rt, &[first]);
        let mut tries = Vec::new();
        for (role, office) in roles(rt).flat_map(|role| places(role).map(move |at| (role, at))) {
            let (pen, person) =
                (world.open_in(office, EAST), county().offices[office].person(role));
            let created = world.create(pen, &rt.code, person, role);
            let tried = [Try { role: role.clone(), office, at: world.written.len() - 1 }];
            let what = format!("creates {}", rt.code);
            check_rights(&world, created, &tried, &what, |tried| {
                no_right_unless(may(rt, first, role) && counts_at(tried.office, role))
            });
            let pen = world.open_in(office, EAST);
            let (edits, bend) = (vec![put("remarks", role)], Bend::Honest);
            let (record, person) = (edited, Some(person));
            let wish = Wish { pen, record, on: Some(&on), edits, step: None, person, bend };
            tries.push(Try { role: role.clone(), office, at: world.change(wish).unwrap() });
        }
        let what = format!("edits {}", rt.code);
        check_rights(&world, edited, &tries, &what, |tried| {
            let edits = rt.edit_roles.contains(&tried.role);
            no_right_unless(edits && counts_at(tried.office, &tried.role))
        });
    }
}
