//! The statement of completeness and the summary page, each made anew and compared.

use std::io::{Read, Seek};

use super::entries::World;
use super::opening::Opened;
use super::report::{CompletenessVerdict, FindingCode};
use crate::completeness::{Completeness, FORM, LogState, completeness};
use crate::holdings::Assessed;
use crate::json;
use crate::pack::{FileName, period_of};
use crate::signed;
use crate::summary::Summary;
use xw_schemas::id::LogId;

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
            opened.add(FindingCode::StatementForged, FileName::CompletenessSigned, "missing");
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
        opened.add(FindingCode::StatementDiffers, FileName::Completeness, "another question");
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

/// Judges statements that came apart from the pack, by its roster and its entries.
pub(super) fn check_brought<R: Read + Seek>(
    opened: &mut Opened<R>,
    world: &World,
    assessed: &Assessed,
    statements: &[Vec<u8>],
) {
    for (number, bytes) in (1..).zip(statements) {
        let place = format!("statement {number}");
        let roster = world.holdings.roster();
        let read = signed::open(bytes).ok().and_then(|(payload, by)| {
            let statement: Completeness = json::read(payload)?;
            let own = statement.form == FORM && statement.question.by == by;
            let member = roster.node_office(&by).is_some() && roster.cut(&by).is_none();
            (own && member && statement.network == roster.network()).then_some(statement)
        });
        let Some(statement) = read else {
            opened.add(FindingCode::StatementForged, place, "");
            continue;
        };
        let manifest = &opened.manifest;
        let scope = period_of(&manifest.scope, manifest.made_ms).map(|(division, ..)| division);
        let inside = scope.is_some_and(|scope| scope.covers(statement.question.division));
        let whole = manifest.spaces.iter().all(|space| space.whole) && covers(opened);
        // A later pack holds more than an earlier statement could know; then only the hand counts.
        let same_roster = statement.roster == roster.state();
        let checked = inside && whole && same_roster && {
            let found = completeness(&world.holdings, assessed, statement.question.clone());
            found == statement
        };
        if let Some(log) = contradicted(world, &statement) {
            opened.add(FindingCode::StatementDiffers, place, format!("another history of {log}"));
        } else if !checked {
            opened.add(FindingCode::StatementUnchecked, place, "");
        }
        let verdict = verdict(&statement, checked);
        opened.report.statements.push(verdict);
    }
}

/// A log of which the statement's maker holds another entry than the pack at a number that both
/// reach: whoever wrote it has shown two histories.
fn contradicted(world: &World, statement: &Completeness) -> Option<LogId> {
    let other = |state: &&LogState| {
        world.holdings.logs().log(&state.log).is_some_and(|held| {
            state.tips.iter().any(|(at, id)| *at < held.size() && !held.holds(*at, id))
        })
    };
    statement.logs.iter().find(other).map(|state| state.log)
}

fn verdict(statement: &Completeness, checked: bool) -> CompletenessVerdict {
    CompletenessVerdict {
        checked,
        complete: statement.complete,
        up_to_ms: statement.complete_up_to_ms,
        reasons_zh: statement.reasons.iter().map(|reason| reason.zh.clone()).collect(),
        reasons_en: statement.reasons.iter().map(|reason| reason.en.clone()).collect(),
    }
}

/// Whether the pack is about all spaces of its division; a few whole spaces are not.
fn covers<R: Read + Seek>(opened: &Opened<R>) -> bool {
    !matches!(opened.manifest.scope, crate::pack::Scope::Records { .. })
}

/// What an extract lets one see of the statement: every log of it must be known there, as long.
fn excerpts<R: Read + Seek>(opened: &mut Opened<R>, statement: &Completeness) {
    for log in opened.manifest.logs.clone() {
        let known = statement.logs.iter().find(|state| state.log == log.log);
        if known.is_none_or(|state| state.tips != log.tips) {
            opened.add(FindingCode::StatementDiffers, log.log, "not as in the manifest");
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
