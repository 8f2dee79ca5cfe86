//! Every record of a pack judged anew from its entries and compared with what the pack tells of it.
//! Works group by group, so that no more than one group's bodies are in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use serde::Deserialize;
use serde_json::Value as Json;
use xw_ledger::interval::{Interval, LATE_DAYS, Timeliness};
use xw_ledger::judge::{Evidence, Judged};
use xw_ledger::verdict::Verdict;
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::{EntryId, RecordId};
use xw_schemas::space::{Audience, Division, Space};

use super::entries::World;
use super::opening::Opened;
use super::report::{Counts, FindingCode, Proven};
use crate::holdings::{Assessed, Place};
use crate::pack::{FileName, GROUP_RECORDS_MAX, Scope, places_of, read_bodies};
use crate::readable::{Case, Readable, group};
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
        files: &[Vec<Vec<u8>>],
    ) -> Self {
        let mut brought = Self::default();
        if files.is_empty() {
            return brought;
        }
        let mut by_commitment: BTreeMap<[u8; 32], Vec<&VerifiedEntry>> = BTreeMap::new();
        for entry in world.holdings.entries().chain(world.extracts.entries()) {
            if let Some(change) = entry.change() {
                by_commitment.entry(change.commitment).or_default().push(entry);
            }
        }
        for (number, bodies) in (1..).zip(files) {
            let mut found = false;
            for body in bodies.iter().filter_map(|bytes| Body::from_bytes(bytes.clone())) {
                let entries = by_commitment.get(&body.commitment()).into_iter().flatten();
                for entry in entries {
                    let change = entry.change().filter(|change| body.matches(change));
                    let Some(change) = change else { continue };
                    let (entry, record) = (entry.id(), change.record);
                    opened.report.proven.push(Proven { body: number, entry, record });
                    brought.0.insert(entry, body.clone());
                    found = true;
                }
            }
            if !found {
                opened.add(FindingCode::BodyUnknown, format!("正文 body {number}"), "");
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
    readable: Readable,
    bytes: Vec<u8>,
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
        // Only the names are read; what else is told is compared as bytes.
        let told: Option<Vec<Told>> = serde_json::from_slice(&bytes).ok();
        let Some(told) = told.filter(|told| told.len() <= GROUP_RECORDS_MAX) else {
            opened.add(FindingCode::RecordsUnreadable, name, "");
            continue;
        };
        let places: Vec<Place> = told.iter().map(Told::place).collect();
        let own: BTreeSet<RecordId> = places.iter().map(|(_, record)| *record).collect();
        let outcomes = spread::map(spread, places.len(), |at| {
            retell(world, assessed, &bodies, brought, places[at])
        });
        let retold: Vec<Vec<u8>> = outcomes.iter().map(|outcome| outcome.bytes.clone()).collect();
        if group(&retold) != bytes {
            differing(opened, &name, &bytes, &outcomes);
        }
        for (place, outcome) in places.into_iter().zip(outcomes) {
            if !expected.contains(&place) || !seen.insert(place) {
                opened.add(FindingCode::RecordUnasked, place.1, place.0);
            }
            summary.add(&outcome.readable, world.holdings.definitions());
            note(opened, place, outcome);
        }
        let strange = bodies.keys().filter(|id| {
            let entry = world.holdings.entry(id).or_else(|| world.extracts.entry(id));
            let record = entry.and_then(|entry| entry.core().statement.record());
            record.is_none_or(|record| !own.contains(&record))
        });
        for id in strange {
            opened.add(
                FindingCode::BodyMismatch,
                id,
                "不属于同组的记录 / of no record in its group",
            );
        }
    }
    for (space, record) in expected.difference(&seen) {
        opened.add(FindingCode::RecordMissing, record, space);
    }
    if seen.len() as u64 != opened.manifest.records {
        opened.add(FindingCode::RecordMissing, FileName::Manifest, "记录件数 / number of records");
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

impl Told {
    fn place(&self) -> Place {
        (Space { division: self.division, audience: self.audience }, self.record)
    }
}

/// Names the records of a group that are told otherwise.
fn differing<R: Read + Seek>(
    opened: &mut Opened<R>,
    name: &FileName,
    bytes: &[u8],
    outcomes: &[Outcome],
) {
    let told: Vec<Json> = serde_json::from_slice(bytes).unwrap_or_default();
    let mut named = false;
    for (told, outcome) in told.iter().zip(outcomes) {
        let found: Json = serde_json::from_slice(&outcome.bytes).unwrap_or_default();
        if *told != found {
            let detail = difference(told, &found);
            opened.add(FindingCode::RecordDiffers, outcome.readable.record, detail);
            named = true;
        }
    }
    if !named {
        // The same values in another spelling are other bytes under one hash.
        opened.add(FindingCode::RecordsUnreadable, name, "写法不唯一 / not in the one spelling");
    }
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
            None => opened.add(FindingCode::BodyMismatch, id, name),
        }
    }
    bodies
}

/// Judges one record anew.
fn retell<'a>(
    world: &'a World,
    assessed: &Assessed,
    bodies: &'a BTreeMap<EntryId, Body>,
    brought: &'a Brought,
    place: Place,
) -> Outcome {
    let (case, judged, times) = tell(world, assessed, place, &|id| bodies.get(id));
    let mut counts = Counts { records: 1, ..Counts::default() };
    let mut findings = Vec::new();
    let view = judged.view.as_ref();
    counts.sealed = u64::from(view.is_some_and(|view| view.sealed));
    let own: Vec<EntryId> = times.iter().map(|(id, _)| *id).collect();
    if view.is_some_and(|view| view.erased.is_some()) {
        let given = own.iter().filter(|id| bodies.contains_key(id));
        findings.extend(given.map(|id| (FindingCode::BodyErased, *id, String::new())));
    }
    for (id, verdict) in &judged.verdicts {
        match verdict {
            Verdict::Refused(refusal) => {
                counts.refused += 1;
                findings.push((FindingCode::EntryRefused, *id, refusal.zh()));
            }
            Verdict::Waiting(_) => {
                findings.push((FindingCode::EntryWaiting, *id, verdict.stored().reason));
            }
            _ => {}
        }
    }
    for (id, timeliness) in times {
        match timeliness {
            Timeliness::Unwitnessed => counts.unwitnessed += 1,
            Timeliness::Late => counts.late += 1,
            Timeliness::Backdated | Timeliness::Ahead => {
                findings.push((FindingCode::TimeImpossible, id, timeliness.zh().to_owned()));
            }
            Timeliness::Timely => {}
        }
    }
    let opened = own.iter().any(|id| brought.0.contains_key(id)).then(|| {
        let body = |id: &EntryId| bodies.get(id).or_else(|| brought.0.get(id));
        let (readable, ..) = tell(world, assessed, place, &body);
        serde_json::from_slice(&readable.bytes()).unwrap_or_default()
    });
    Outcome { bytes: case.bytes(), readable: case, opened, counts, findings }
}

/// A record with what the rules say of it and how each claimed time lies.
type Retold = (Readable, Judged, Vec<(EntryId, Timeliness)>);

/// Judges a record with the bodies that `body` gives.
fn tell<'a>(
    world: &'a World,
    assessed: &Assessed,
    place: Place,
    body: &dyn Fn(&EntryId) -> Option<&'a Body>,
) -> Retold {
    let (holdings, extracts) = (&world.holdings, &world.extracts);
    let mut evidence = holdings.evidence(assessed, &place, body);
    let mut intervals: Vec<Interval> =
        evidence.iter().map(|item| holdings.interval(assessed, item.entry)).collect();
    for entry in extracts.of(&place) {
        let id = entry.id();
        evidence.push(Evidence { entry, body: body(&id), standing: extracts.standing(&id) });
        intervals.push(extracts.interval(entry));
    }
    let judged = holdings.judged(&place, &evidence);
    let (roster, definitions) = (holdings.roster(), holdings.definitions());
    let (evidence, intervals) = (&evidence[..], &intervals[..]);
    let case = Case { roster, definitions, place, evidence, intervals, judged: &judged };
    let readable = case.readable();
    let time = |(item, interval): (&Evidence<'_>, &Interval)| {
        let claimed = item.entry.core().claimed_time_ms;
        (item.entry.id(), interval.timeliness(claimed, LATE_DAYS))
    };
    let times = evidence.iter().zip(intervals).map(time).collect();
    (readable, judged, times)
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
        return "不是对象 / not an object".to_owned();
    };
    let names: BTreeSet<&String> = told.keys().chain(found.keys()).collect();
    let differ = |name: &&String| told.get(name.as_str()) != found.get(name.as_str());
    let differing: Vec<&str> = names
        .into_iter()
        .filter(differ)
        .map(|name| if found.contains_key(name) { name.as_str() } else { "（不认识 unknown）" })
        .collect();
    differing.join(", ")
}
