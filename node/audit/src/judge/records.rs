//! Every record of a pack judged anew from its entries and compared with what the pack tells of it.
//! Works group by group, so that no more than a few groups' bodies are in memory.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::EntryId;

use super::entries::World;
use super::opening::Opened;
use super::report::{FindingCode, Proven};
use crate::holdings::{Assessed, Place};
use crate::pack::{FileName, Scope, places_of};
use crate::spread::{self, Alone, Spread};
use crate::summary::Summary;

mod group;
mod retell;

use group::{Group, Hearing, fetch};
use retell::retell;

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

/// Judges all groups; gives back what the summary page must say. While the records of one group are
/// judged, what became of the group before is gathered and the group behind it is read; everything is
/// reported in the order of the groups all the same.
pub(super) fn check<R: Read + Seek + Send>(
    opened: &mut Opened<R>,
    world: &World,
    assessed: &Assessed,
    brought: &Brought,
    spread: Spread<'_>,
) -> Summary {
    let mut hearing = Hearing::new(world, expected(opened, world, assessed));
    let groups = opened.names(|name| matches!(name, FileName::Records(_)));
    let bodiless = opened.names(|name| match name {
        FileName::Bodies(group) => !groups.contains(&FileName::Records(*group)),
        _ => false,
    });
    for name in bodiless {
        opened.add(FindingCode::FileUnknown, name, "");
    }
    let mut waiting = groups.into_iter();
    let mut fetched = fetch(opened, world, &mut waiting);
    let mut judged: Option<Group> = None;
    while fetched.is_some() || judged.is_some() {
        let places = fetched.as_ref().map_or(&[][..], |group| &group.places);
        let bodies = fetched.as_ref().map(|group| &group.bodies);
        let mut next = None;
        let alone: Vec<Alone<'_>> = vec![
            Box::new(|| judged.iter_mut().for_each(|group| hearing.close(group))),
            Box::new(|| next = fetch(opened, world, &mut waiting)),
        ];
        let outcomes = spread::map_beside(spread, alone, places.len(), |at| {
            retell(world, assessed, &|id| bodies?.get(id), brought, places[at])
        });
        if let Some(group) = judged {
            report(opened, group);
        }
        judged = std::mem::replace(&mut fetched, next);
        if let Some(group) = &mut judged {
            group.outcomes = outcomes;
        }
    }
    for (space, record) in hearing.missing() {
        opened.add(FindingCode::RecordMissing, record, space);
    }
    if hearing.seen() != opened.manifest.records {
        opened.add(FindingCode::RecordMissing, FileName::Manifest, "记录件数 / number of records");
    }
    hearing.summary
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

/// Reports what was found in a group.
fn report<R: Read + Seek>(opened: &mut Opened<R>, group: Group) {
    opened.report.counts.add(&group.counts);
    opened.report.add_noted(group.noted);
    let room = OPENED_MAX.saturating_sub(opened.report.opened.len());
    opened.report.opened.extend(group.opened.into_iter().take(room));
}
