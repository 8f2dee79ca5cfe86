//! The statement of completeness and the summary page, each made anew and compared.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use xw_ledger::log::Point;
use xw_schemas::id::LogId;
use xw_schemas::space::{Division, Space};

use super::entries::World;
use super::opening::Opened;
use super::report::{CompletenessVerdict, FindingCode, RestingOn};
use crate::completeness::{Completeness, FORM, completeness};
use crate::heads::{Compared, Here, Relation, borne_out, compare};
use crate::holdings::Assessed;
use crate::json;
use crate::pack::{FileName, Scope, period_of};
use crate::plain::plain;
use crate::signed;
use crate::summary::Summary;

/// Judges the statement, then the page.
pub(super) fn check<R: Read + Seek>(
    opened: &mut Opened<R>,
    world: &World,
    assessed: &Assessed,
    summary: &Summary,
) {
    let statement = statement(opened, world, assessed);
    let page = summary.html(&opened.manifest, world.holdings.roster(), statement.as_ref());
    let told = opened.file(&FileName::Summary);
    if told.as_deref() != Some(page.as_bytes()) {
        opened.add(FindingCode::SummaryDiffers, FileName::Summary, "");
    }
}

fn statement<R: Read + Seek>(
    opened: &mut Opened<R>,
    world: &World,
    assessed: &Assessed,
) -> Option<Completeness> {
    let wanted = period_of(&opened.manifest.scope, opened.manifest.made_ms);
    if !opened.has(&FileName::CompletenessSigned) && !opened.has(&FileName::Completeness) {
        // Records of several divisions have no statement; all else has one.
        if wanted.is_some() {
            opened.add(
                FindingCode::StatementForged,
                FileName::CompletenessSigned,
                "缺失 / missing",
            );
        }
        return None;
    }
    let plain = opened.file(&FileName::Completeness).unwrap_or_default();
    let signed = opened.file(&FileName::CompletenessSigned).unwrap_or_default();
    let by = opened.manifest.by;
    let whole = signed::open(&signed).is_ok_and(|(bytes, key)| bytes == plain && key == by);
    let statement: Option<Completeness> = json::read(&plain);
    let Some(statement) = statement.filter(|read| whole && read.form == FORM) else {
        opened.add(FindingCode::StatementForged, FileName::CompletenessSigned, "");
        return None;
    };
    let question = &statement.question;
    let manifest = &opened.manifest;
    let asked = (question.division, question.from_ms, question.to_ms);
    let whole = manifest.spaces.iter().all(|space| space.whole) && covers(opened);
    let fits = wanted == Some(asked)
        && question.by == manifest.by
        && question.now_ms == manifest.made_ms
        && statement.network == manifest.network
        && statement.roster == manifest.roster;
    if !fits {
        opened.add(
            FindingCode::StatementDiffers,
            FileName::Completeness,
            "所答不是所问 / another question",
        );
    }
    let checked = fits && whole;
    if checked {
        let found = completeness(&world.holdings, assessed, question.clone());
        if found != statement {
            let parts = difference(&statement, &found);
            opened.add(FindingCode::StatementDiffers, FileName::Completeness, parts);
        }
    } else {
        opened.add(FindingCode::StatementUnchecked, FileName::Completeness, "");
        excerpts(opened, &statement);
    }
    opened.report.completeness = Some(verdict(&statement, checked));
    Some(statement)
}

/// Holds statements that came apart from the pack against it, and says on whose word its own
/// statement rests.
pub(super) fn check_brought<R: Read + Seek>(
    opened: &mut Opened<R>,
    world: &World,
    brought: &[Vec<u8>],
) {
    let roster = world.holdings.roster();
    let mut statements = Vec::new();
    for (number, bytes) in (1..).zip(brought) {
        let read = Completeness::open(bytes);
        match read.filter(|statement| statement.network == roster.network()) {
            Some(statement) => statements.push(statement),
            None => {
                opened.add(FindingCode::StatementForged, format!("声明 statement {number}"), "")
            }
        }
    }
    let whole_spaces: BTreeSet<Space> =
        opened.manifest.spaces.iter().filter(|space| space.whole).map(|s| s.space).collect();
    let scope = match opened.manifest.scope {
        Scope::Records { .. } => None,
        Scope::Division { division } | Scope::Period { division, .. } => Some(division),
    };
    let here = Here {
        holdings: &world.holdings,
        whole: &|space| match scope {
            Some(division) => division.covers(space.division),
            None => whole_spaces.contains(&space),
        },
        excerpts: &known_points(opened, world),
    };
    let compared = compare(&here, &statements);
    let divisions: Vec<Division> = match scope {
        Some(division) => vec![division],
        None => opened.manifest.spaces.iter().map(|space| space.space.division).collect(),
    };
    for one in &compared {
        tell(opened, one, &divisions);
    }
    let maker = roster.node_office(&opened.manifest.by).map(|office| office.id);
    if let (Some(verdict), Some((count, up_to_ms))) =
        (&mut opened.report.completeness, borne_out(&compared, &divisions, maker))
    {
        verdict.resting_on = RestingOn::Offices { count, up_to_ms };
    }
    opened.report.statements = compared;
}

/// What is known of logs of which there are extracts: entries, ends that the maker lists, pinned heads.
fn known_points<R: Read + Seek>(
    opened: &Opened<R>,
    world: &World,
) -> BTreeMap<LogId, BTreeSet<Point>> {
    let mut known: BTreeMap<LogId, BTreeSet<Point>> = BTreeMap::new();
    for entry in world.extracts.entries() {
        let core = entry.core();
        known.entry(core.log).or_default().insert((core.sequence, entry.id()));
    }
    for listed in &opened.manifest.logs {
        if let Some(points) = known.get_mut(&listed.log) {
            points.extend(listed.tips.iter().copied());
            let pins = world.extracts.pins(&listed.log);
            points.extend(pins.iter().map(|held| (held.pin.size - 1, held.pin.head)));
        }
    }
    known
}

/// Findings about one statement.
fn tell<R: Read + Seek>(opened: &mut Opened<R>, one: &Compared, divisions: &[Division]) {
    let by = one.office.as_deref().map_or_else(|| one.by.to_string(), plain);
    if one.office.is_none() || one.cut {
        opened.add(FindingCode::StatementStranger, one.by, &by);
    }
    if !one.same_roster {
        opened.add(FindingCode::RosterOther, one.by, &by);
    }
    if !one.in_common && !one.bears_out(divisions) {
        opened.add(FindingCode::StatementElsewhere, one.by, &by);
    }
    for head in &one.differing {
        let code = match head.relation {
            Relation::HeadsBeyond => FindingCode::HeadsBeyond,
            Relation::HeadsDiffer => FindingCode::HeadsDiffer,
            Relation::LogUnknown => FindingCode::LogUnknown,
        };
        let here = head.held_to.map_or_else(|| "—".to_owned(), |to| to.to_string());
        let (number, entry) = (head.number, head.entry);
        let detail = format!("{by}：第 {number} 号 {entry}，本包至 {here} / number, held to");
        opened.add(code, head.log, detail);
    }
}

fn verdict(statement: &Completeness, checked: bool) -> CompletenessVerdict {
    CompletenessVerdict {
        resting_on: RestingOn::Maker,
        checked,
        complete: statement.complete,
        up_to_ms: statement.complete_up_to_ms,
        reasons_zh: statement.reasons.iter().map(|reason| reason.zh.clone()).collect(),
        reasons_en: statement.reasons.iter().map(|reason| reason.en.clone()).collect(),
    }
}

/// Whether the pack is about all spaces of its division; a few whole spaces are not.
fn covers<R: Read + Seek>(opened: &Opened<R>) -> bool {
    !matches!(opened.manifest.scope, Scope::Records { .. })
}

/// What an extract lets one see of the statement: every log of it must be known there, as long.
fn excerpts<R: Read + Seek>(opened: &mut Opened<R>, statement: &Completeness) {
    for log in opened.manifest.logs.clone() {
        let known = statement.logs.iter().find(|state| state.log == log.log);
        if known.is_none_or(|state| state.tips != log.tips) {
            opened.add(
                FindingCode::StatementDiffers,
                log.log,
                "与清单不同 / not as in the manifest",
            );
        }
    }
}

fn difference(told: &Completeness, found: &Completeness) -> String {
    let mut parts = Vec::new();
    for (name, same) in [
        ("logs", told.logs == found.logs),
        ("offices", told.offices == found.offices),
        ("records", told.records == found.records),
        ("reasons", told.reasons == found.reasons),
        ("complete", told.complete == found.complete),
        ("complete_up_to_ms", told.complete_up_to_ms == found.complete_up_to_ms),
    ] {
        if !same {
            parts.push(name);
        }
    }
    parts.join(", ")
}
