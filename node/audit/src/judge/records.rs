//! Every record of a pack judged anew from its entries and compared with what the pack tells of it.
//! Works group by group, so that no more than one group's bodies are in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use serde::Deserialize;
use serde_json::Value as Json;
use xw_ledger::interval::{LATE_DAYS, Timeliness};
use xw_ledger::judge::{Evidence, judge};
use xw_ledger::verdict::Verdict;
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::{EntryId, RecordId};
use xw_schemas::space::{Audience, Division, Space};

use super::entries::World;
use super::opening::Opened;
use super::report::{Counts, FindingCode, Proven};
use crate::holdings::{Assessed, Place};
use crate::json;
use crate::pack::{FileName, GROUP_RECORDS_MAX, Scope, places_of, read_bodies};
use crate::readable::Case;
use crate::spread::{self, Spread};
use crate::summary::Summary;

/// Records read with the bodies brought that a report shows; nobody brings more by hand.
const OPENED_MAX: usize = 100;

/// Bodies that somebody brought and that belong to the pack.
#[derive(Default)]
pub(super) struct Brought(BTreeMap<EntryId, Body>);

impl Brought {
    /// Finds the entries that bind these bodies.
    pub(super) fn of<R: Read + Seek>(
        opened: &mut Opened<R>,
        world: &World,
        bodies: &[Vec<u8>],
    ) -> Self {
        let mut brought = Self::default();
        if bodies.is_empty() {
            return brought;
        }
        let mut by_commitment: BTreeMap<[u8; 32], &VerifiedEntry> = BTreeMap::new();
        for entry in world.holdings.entries().chain(world.extracts.entries()) {
            if let Some(change) = entry.change() {
                by_commitment.insert(change.commitment, entry);
            }
        }
        for (number, bytes) in (1..).zip(bodies) {
            let body = Body::from_bytes(bytes.clone());
            let found = body.and_then(|body| {
                let entry = *by_commitment.get(&body.commitment())?;
                let change = entry.change().filter(|change| body.matches(change))?;
                Some((entry.id(), change.record, body))
            });
            match found {
                Some((entry, record, body)) => {
                    opened.report.proven.push(Proven { body: number, entry, record });
                    brought.0.insert(entry, body);
                }
                None => opened.add(FindingCode::BodyUnknown, format!("body {number}"), ""),
            }
        }
        brought
    }
}

/// Where a told record says that it belongs.
#[derive(Deserialize)]
struct Told {
    record: RecordId,
    division: Division,
    audience: Audience,
}

/// What became of one record.
struct Outcome {
    readable: Json,
    opened: Option<Json>,
    counts: Counts,
    findings: Vec<(FindingCode, EntryId, String)>,
}

/// Judges all groups; gives back what the summary page must say.
pub(super) fn check<R: Read + Seek>(
    opened: &mut Opened<R>,
    world: &World,
    assessed: &Assessed,
    brought: &Brought,
    spread: Spread<'_>,
) -> Summary {
    let mut summary = Summary::default();
    let mut seen: BTreeSet<Place> = BTreeSet::new();
    let expected = expected(opened, world, assessed);
    let groups = opened.names(|name| matches!(name, FileName::Records(_)));
    let bodiless = opened.names(|name| match name {
        FileName::Bodies(group) => !groups.contains(&FileName::Records(*group)),
        _ => false,
    });
    for name in bodiless {
        opened.add(FindingCode::FileUnknown, name, "");
    }
    for name in groups {
        let FileName::Records(number) = name else { continue };
        let bodies = bodies(opened, world, number);
        let Some(bytes) = opened.file(&name) else { continue };
        let records: Option<Vec<Json>> = json::read(&bytes);
        drop(bytes);
        let Some(records) = records.filter(|records| records.len() <= GROUP_RECORDS_MAX) else {
            opened.add(FindingCode::RecordsUnreadable, name, "");
            continue;
        };
        let told: Vec<Option<Place>> = records.iter().map(place_of).collect();
        let outcomes = spread::map(spread, told.len(), |at| {
            Some(retell(world, assessed, &bodies, brought, told[at]?))
        });
        for ((told, place), outcome) in records.iter().zip(told).zip(outcomes) {
            let Some((place, outcome)) = place.zip(outcome) else {
                opened.add(FindingCode::RecordsUnreadable, name, "a record without a name");
                continue;
            };
            if !expected.contains(&place) || !seen.insert(place) {
                opened.add(FindingCode::RecordUnasked, place.1, place.0);
            }
            summary.add(&outcome.readable);
            if *told != outcome.readable {
                let detail = difference(told, &outcome.readable);
                opened.add(FindingCode::RecordDiffers, place.1, detail);
            }
            note(opened, place, outcome);
        }
        let strange = bodies.keys().filter(|id| {
            let entry = world.holdings.entry(id).or_else(|| world.extracts.entry(id));
            let record = entry.and_then(|entry| entry.core().statement.record());
            !record.is_some_and(|record| seen.iter().any(|(_, told)| *told == record))
        });
        for id in strange {
            opened.add(FindingCode::BodyMismatch, id, "of no record in its group");
        }
    }
    for (space, record) in expected.difference(&seen) {
        opened.add(FindingCode::RecordMissing, record, space);
    }
    if seen.len() as u64 != opened.manifest.records {
        opened.add(FindingCode::RecordMissing, FileName::Manifest, "number of records");
    }
    summary
}

/// The records that must be told.
fn expected<R>(opened: &Opened<R>, world: &World, assessed: &Assessed) -> BTreeSet<Place>
where
    R: Read + Seek,
{
    match &opened.manifest.scope {
        Scope::Records { records } => records.iter().map(|one| (one.space, one.record)).collect(),
        scope @ (Scope::Division { .. } | Scope::Period { .. }) => {
            places_of(&world.holdings, assessed, scope).into_iter().collect()
        }
    }
}

fn place_of(json: &Json) -> Option<Place> {
    let told = Told::deserialize(json).ok()?;
    Some((Space { division: told.division, audience: told.audience }, told.record))
}

/// The bodies of a group that match their entries.
fn bodies<R: Read + Seek>(
    opened: &mut Opened<R>,
    world: &World,
    group: u32,
) -> BTreeMap<EntryId, Body> {
    let name = FileName::Bodies(group);
    let mut bodies = BTreeMap::new();
    if !opened.has(&name) {
        return bodies;
    }
    let Some(bytes) = opened.file(&name) else { return bodies };
    let read = match read_bodies(&bytes) {
        Ok(read) => read,
        Err(fault) => {
            opened.add(FindingCode::BodyMismatch, name, fault);
            return bodies;
        }
    };
    for (id, body) in read {
        let entry = world.holdings.entry(&id).or_else(|| world.extracts.entry(&id));
        let change = entry.and_then(|entry| entry.change());
        let body = Body::from_bytes(body.to_vec());
        match change.zip(body).filter(|(change, body)| body.matches(change)) {
            Some((_, body)) => {
                opened.report.counts.bodies += 1;
                bodies.insert(id, body);
            }
            None => opened.add(FindingCode::BodyMismatch, id, &name),
        }
    }
    bodies
}

/// Judges one record anew.
fn retell(
    world: &World,
    assessed: &Assessed,
    bodies: &BTreeMap<EntryId, Body>,
    brought: &Brought,
    place: Place,
) -> Outcome {
    let mut outcome = Outcome {
        readable: Json::Null,
        opened: None,
        counts: Counts { records: 1, ..Counts::default() },
        findings: Vec::new(),
    };
    let with = |body: &dyn Fn(&EntryId) -> Option<Body>| {
        let holdings = &world.holdings;
        let entries: Vec<&VerifiedEntry> =
            holdings.of(&place).chain(world.extracts.of(&place)).collect();
        let held: Vec<Option<Body>> = entries.iter().map(|entry| body(&entry.id())).collect();
        let is_whole = |entry: &VerifiedEntry| holdings.entry(&entry.id()).is_some();
        let evidence: Vec<Evidence<'_>> = entries
            .iter()
            .zip(&held)
            .map(|(entry, body)| {
                let standing = if is_whole(entry) {
                    holdings.standing(assessed, entry)
                } else {
                    world.extracts.standing(&entry.id())
                };
                Evidence { entry, body: body.as_ref(), standing }
            })
            .collect();
        let intervals: Vec<_> = entries
            .iter()
            .map(|entry| {
                if is_whole(entry) {
                    holdings.interval(assessed, entry)
                } else {
                    world.extracts.interval(entry)
                }
            })
            .collect();
        let (roster, definitions) = (holdings.roster(), holdings.definitions());
        let judged = judge(roster, definitions, place.1, &evidence);
        let case = Case {
            roster,
            definitions,
            place,
            evidence: &evidence,
            intervals: &intervals,
            judged: &judged,
        };
        let times: Vec<(EntryId, Timeliness)> = entries
            .iter()
            .zip(&intervals)
            .map(|(entry, interval)| {
                (entry.id(), interval.timeliness(entry.core().claimed_time_ms, LATE_DAYS))
            })
            .collect();
        (case.readable(), judged, times)
    };
    let (readable, judged, times) = with(&|id| bodies.get(id).cloned());
    outcome.counts.sealed = u64::from(judged.view.as_ref().is_some_and(|view| view.sealed));
    for (id, verdict) in &judged.verdicts {
        match verdict {
            Verdict::Refused(refusal) => {
                outcome.counts.refused += 1;
                outcome.findings.push((FindingCode::EntryRefused, *id, refusal.zh()));
            }
            Verdict::Waiting(_) => {
                let reason = verdict.stored().reason;
                outcome.findings.push((FindingCode::EntryWaiting, *id, reason));
            }
            _ => {}
        }
    }
    for (id, timeliness) in times {
        match timeliness {
            Timeliness::Unwitnessed => outcome.counts.unwitnessed += 1,
            Timeliness::Late => outcome.counts.late += 1,
            Timeliness::Backdated | Timeliness::Ahead => {
                let said = timeliness.zh().to_owned();
                outcome.findings.push((FindingCode::TimeImpossible, id, said));
            }
            Timeliness::Timely => {}
        }
    }
    outcome.readable = readable;
    let mut own = world.holdings.of(&place).chain(world.extracts.of(&place));
    if own.any(|entry| brought.0.contains_key(&entry.id())) {
        let body = |id: &EntryId| bodies.get(id).or_else(|| brought.0.get(id)).cloned();
        outcome.opened = Some(with(&body).0);
    }
    outcome
}

fn note<R: Read + Seek>(opened: &mut Opened<R>, place: Place, outcome: Outcome) {
    let counts = &mut opened.report.counts;
    counts.records += outcome.counts.records;
    counts.sealed += outcome.counts.sealed;
    counts.refused += outcome.counts.refused;
    counts.unwitnessed += outcome.counts.unwitnessed;
    counts.late += outcome.counts.late;
    for (code, entry, detail) in outcome.findings {
        opened.add(code, place.1, format!("{entry} {detail}"));
    }
    if let Some(json) = outcome.opened.filter(|_| opened.report.opened.len() < OPENED_MAX) {
        opened.report.opened.push(json);
    }
}

/// Which parts of a record are told otherwise; names of parts only, never what they hold.
fn difference(told: &Json, found: &Json) -> String {
    let (Json::Object(told), Json::Object(found)) = (told, found) else {
        return "not an object".to_owned();
    };
    let names: BTreeSet<&String> = told.keys().chain(found.keys()).collect();
    let differ = |name: &&String| told.get(name.as_str()) != found.get(name.as_str());
    let differing: Vec<&str> = names
        .into_iter()
        .filter(differ)
        .map(|name| if found.contains_key(name) { name.as_str() } else { "(unknown)" })
        .collect();
    differing.join(", ")
}
