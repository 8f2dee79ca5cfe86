//! A group of records on its way: fetched, judged, compared with what the pack tells. Reports nothing;
//! what is found is noted, so that nobody sees in the report which work went on beside which.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use serde::Deserialize;
use serde_json::Value as Json;
use xw_schemas::entry::Body;
use xw_schemas::id::{EntryId, RecordId};
use xw_schemas::space::{Audience, Division, Space};

use super::retell::Outcome;
use crate::holdings::Place;
use crate::judge::entries::World;
use crate::judge::opening::Opened;
use crate::judge::report::{Counts, FindingCode, Noted};
use crate::pack::{FileName, GROUP_RECORDS_MAX, read_bodies};
use crate::summary::Summary;

/// One group of records.
pub(super) struct Group {
    name: FileName,
    /// The file that tells the records; `None` when it cannot be used.
    bytes: Option<Vec<u8>>,
    pub(super) bodies: BTreeMap<EntryId, Body>,
    pub(super) places: Vec<Place>,
    pub(super) outcomes: Vec<Outcome>,
    pub(super) noted: Noted,
    pub(super) counts: Counts,
    pub(super) opened: Vec<Json>,
}

/// Where a told record says that it belongs.
#[derive(Deserialize)]
struct Told {
    record: RecordId,
    division: Division,
    audience: Audience,
}

impl Told {
    fn place(&self) -> Place {
        (Space { division: self.division, audience: self.audience }, self.record)
    }
}

/// Reads the next group.
pub(super) fn fetch<R: Read + Seek>(
    opened: &mut Opened<R>,
    world: &World,
    waiting: &mut impl Iterator<Item = FileName>,
) -> Option<Group> {
    let name = waiting.next()?;
    let mut group = Group {
        name,
        bytes: None,
        bodies: BTreeMap::new(),
        places: Vec::new(),
        outcomes: Vec::new(),
        noted: Noted::default(),
        counts: Counts::default(),
        opened: Vec::new(),
    };
    if let FileName::Records(number) = name {
        group.fetch_bodies(opened, world, FileName::Bodies(number));
    }
    if let Some(bytes) = opened.fetch(&name, &mut group.noted) {
        // Only the names are read; what else is told is compared as bytes.
        let told: Option<Vec<Told>> = serde_json::from_slice(&bytes).ok();
        match told.filter(|told| told.len() <= GROUP_RECORDS_MAX) {
            Some(told) => {
                group.places = told.iter().map(Told::place).collect();
                group.bytes = Some(bytes);
            }
            None => group.noted.add(FindingCode::RecordsUnreadable, name, ""),
        }
    }
    Some(group)
}

impl Group {
    /// The bodies that match their entries.
    fn fetch_bodies<R: Read + Seek>(
        &mut self,
        opened: &mut Opened<R>,
        world: &World,
        name: FileName,
    ) {
        if !opened.has(&name) {
            return;
        }
        let Some(bytes) = opened.fetch(&name, &mut self.noted) else { return };
        let read = match read_bodies(&bytes) {
            Ok(read) => read,
            Err(fault) => return self.noted.add(FindingCode::BodyMismatch, name, fault),
        };
        for (id, body) in read {
            let entry = world.entry(&id);
            let change = entry.and_then(|entry| entry.change());
            let body = Body::from_bytes(body.to_vec());
            match change.zip(body).filter(|(change, body)| body.matches(change)) {
                Some((_, body)) => {
                    self.counts.bodies += 1;
                    self.bodies.insert(id, body);
                }
                None => self.noted.add(FindingCode::BodyMismatch, id, name),
            }
        }
    }
}

/// What is known of the groups that were closed.
pub(super) struct Hearing<'a> {
    world: &'a World,
    expected: BTreeSet<Place>,
    seen: BTreeSet<Place>,
    pub(super) summary: Summary,
}

impl<'a> Hearing<'a> {
    pub(super) fn new(world: &'a World, expected: BTreeSet<Place>) -> Self {
        Self { world, expected, seen: BTreeSet::new(), summary: Summary::default() }
    }

    /// Compares what the records of a group come to with what is told of them.
    pub(super) fn close(&mut self, group: &mut Group) {
        let Some(bytes) = group.bytes.take() else { return };
        let outcomes = std::mem::take(&mut group.outcomes);
        if !is_told(&bytes, &outcomes) {
            differing(&mut group.noted, &group.name, &bytes, &outcomes);
        }
        for (place, outcome) in group.places.iter().zip(outcomes) {
            if !self.expected.contains(place) || !self.seen.insert(*place) {
                group.noted.add(FindingCode::RecordUnasked, place.1, place.0);
            }
            self.summary.add(&outcome.readable, self.world.holdings.definitions());
            group.counts.add(&outcome.counts);
            for (code, entry, detail) in outcome.findings {
                group.noted.add(code, place.1, format!("{entry} {detail}"));
            }
            group.opened.extend(outcome.opened);
        }
        let own: BTreeSet<RecordId> = group.places.iter().map(|(_, record)| *record).collect();
        let strange = group.bodies.keys().filter(|id| {
            let entry = self.world.entry(id);
            let record = entry.and_then(|entry| entry.core().statement.record());
            record.is_none_or(|record| !own.contains(&record))
        });
        for id in strange {
            let detail = "不属于同组的记录 / of no record in its group";
            group.noted.add(FindingCode::BodyMismatch, id, detail);
        }
    }

    /// Records that must be told and are not.
    pub(super) fn missing(&self) -> impl Iterator<Item = &Place> {
        self.expected.difference(&self.seen)
    }

    /// How many records were told.
    pub(super) fn seen(&self) -> u64 {
        self.seen.len() as u64
    }
}

/// Whether a group's file tells these records in the one spelling.
fn is_told(mut bytes: &[u8], outcomes: &[Outcome]) -> bool {
    let mut between: &[u8] = b"[";
    for outcome in outcomes {
        let behind = bytes.strip_prefix(between);
        let Some(behind) = behind.and_then(|rest| rest.strip_prefix(&outcome.bytes[..])) else {
            return false;
        };
        (bytes, between) = (behind, b",");
    }
    // A file without records still opens its list.
    bytes == if outcomes.is_empty() { &b"[]"[..] } else { b"]" }
}

/// Names the records of a group that are told otherwise.
fn differing(noted: &mut Noted, name: &FileName, bytes: &[u8], outcomes: &[Outcome]) {
    let told: Vec<Json> = serde_json::from_slice(bytes).unwrap_or_default();
    let mut named = false;
    for (told, outcome) in told.iter().zip(outcomes) {
        let found: Json = serde_json::from_slice(&outcome.bytes).unwrap_or_default();
        if *told != found {
            let detail = difference(told, &found);
            noted.add(FindingCode::RecordDiffers, outcome.readable.record, detail);
            named = true;
        }
    }
    if !named {
        // The same values in another spelling are other bytes under one hash.
        noted.add(FindingCode::RecordsUnreadable, name, "写法不唯一 / not in the one spelling");
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
