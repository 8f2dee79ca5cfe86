//! The entries of a pack: read, every signature verified strictly, placed in their logs by the same
//! door as a node's. Extracts have no door; they are kept aside until their proofs are seen.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use xw_ledger::log::Placed;
use xw_schemas::cose::KeyRing;
use xw_schemas::entry::{EntryFault, RawEntry, Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, NetworkId};
use xw_schemas::space::Space;

use super::extract::Extracts;
use super::opening::Opened;
use super::report::FindingCode;
use crate::holdings::Holdings;
use crate::pack::{FileName, PackLog, read_entries};
use crate::spread::{self, Spread};

/// Entries that one hand verifies in a row, with the keys that it has read.
const HAND_ENTRIES: usize = 64;

/// Everything that the pack holds, placed.
pub(super) struct World {
    /// The spaces that are whole.
    pub(super) holdings: Holdings,
    /// The spaces of which there are extracts.
    pub(super) extracts: Extracts,
}

/// Reads all logs.
pub(super) fn read<R: Read + Seek>(
    opened: &mut Opened<R>,
    holdings: Holdings,
    spread: Spread<'_>,
) -> World {
    let mut world = World { holdings, extracts: Extracts::default() };
    let whole: BTreeMap<Space, bool> =
        opened.manifest.spaces.iter().map(|space| (space.space, space.whole)).collect();
    let mut logs = opened.manifest.logs.clone();
    // What is pinned comes before who pins it, so that no pin has to wait.
    logs.sort_by_key(|log| {
        let office = world.holdings.roster().node_office(&log.node);
        (Reverse(office.map(|office| office.division.tier())), log.log)
    });
    strangers(opened, &logs);
    for log in &logs {
        let Some(whole) = whole.get(&log.space) else {
            opened.add(FindingCode::EntryMisplaced, log.log, "its space is not listed");
            continue;
        };
        opened.report.counts.logs += 1;
        let mut read = 0;
        for name in opened.names(|name| matches!(name, FileName::Entries(of, _) if *of == log.log))
        {
            let entries = chunk(opened, &name, log.log, world.holdings.roster().network(), spread);
            read += entries.len() as u64;
            for entry in entries {
                if *whole {
                    place(opened, &mut world.holdings, entry);
                } else {
                    world.extracts.take(entry);
                }
            }
        }
        if read != log.entries {
            let detail = format!("{read} entries, {} listed", log.entries);
            opened.add(FindingCode::LogShortened, log.log, detail);
        }
        if *whole {
            compare(opened, &world.holdings, log);
        }
    }
    world
}

/// Files of logs that the manifest does not list.
fn strangers<R: Read + Seek>(opened: &mut Opened<R>, logs: &[PackLog]) {
    let known: BTreeSet<LogId> = logs.iter().map(|log| log.log).collect();
    if known.len() != logs.len() {
        opened.add(FindingCode::LogShortened, FileName::Manifest, "a log stands twice");
    }
    let unknown =
        |name: &FileName| matches!(name, FileName::Entries(log, _) if !known.contains(log));
    for name in opened.names(unknown) {
        opened.add(FindingCode::FileUnknown, name, "its log is not listed");
    }
}

/// Reads one file of entries and verifies them.
fn chunk<R: Read + Seek>(
    opened: &mut Opened<R>,
    name: &FileName,
    log: LogId,
    network: NetworkId,
    spread: Spread<'_>,
) -> Vec<VerifiedEntry> {
    let Some(bytes) = opened.file(name) else { return Vec::new() };
    let envelopes = match read_entries(&bytes) {
        Ok(envelopes) => envelopes,
        Err(fault) => {
            opened.add(FindingCode::EntryForged, name, fault);
            return Vec::new();
        }
    };
    let hands: Vec<&[&[u8]]> = envelopes.chunks(HAND_ENTRIES).collect();
    let verified = spread::map(spread, hands.len(), |at| verify(hands[at], network));
    let mut entries = Vec::with_capacity(envelopes.len());
    for (at, outcome) in verified.into_iter().flatten().enumerate() {
        match outcome {
            Ok(entry) if entry.core().log == log => {
                opened.report.counts.entries += 1;
                opened.report.counts.signatures += signatures(&entry);
                entries.push(entry);
            }
            Ok(entry) => opened.add(FindingCode::EntryMisplaced, name, entry.id()),
            Err(fault) => {
                opened.add(FindingCode::EntryForged, format!("{name} #{}", at + 1), fault)
            }
        }
    }
    entries
}

fn verify(envelopes: &[&[u8]], network: NetworkId) -> Vec<Result<VerifiedEntry, EntryFault>> {
    let mut ring = KeyRing::new();
    let verify =
        |envelope: &&[u8]| RawEntry::decode(envelope.to_vec())?.verify_with(network, &mut ring);
    envelopes.iter().map(verify).collect()
}

fn signatures(entry: &VerifiedEntry) -> u64 {
    let pins = match &entry.core().statement {
        Statement::Witness(pins) => pins.len() as u64,
        Statement::Open(_) | Statement::Change(_) | Statement::Erase(_) | Statement::Erased(_) => 0,
    };
    1 + u64::from(entry.core().person.is_some()) + pins
}

fn place<R: Read + Seek>(opened: &mut Opened<R>, holdings: &mut Holdings, entry: VerifiedEntry) {
    let (id, log) = (entry.id(), entry.core().log);
    match holdings.take(entry, None) {
        Ok(Placed::Appended | Placed::Forked) => {}
        Ok(Placed::Duplicate) => opened.add(FindingCode::EntryMisplaced, log, id),
        Err(refusal) => opened.add(FindingCode::EntryUnplaced, id, refusal),
    }
}

/// A whole log must be as the manifest says.
fn compare<R: Read + Seek>(opened: &mut Opened<R>, holdings: &Holdings, listed: &PackLog) {
    let Some(log) = holdings.logs().log(&listed.log) else {
        return opened.add(FindingCode::LogShortened, listed.log, "no entry has a place in it");
    };
    let mut tips = log.tips();
    tips.sort_unstable();
    let same = tips == listed.tips && log.node == listed.node && log.space == listed.space;
    if !same {
        opened.add(FindingCode::LogShortened, listed.log, "ends, node or space");
    }
    for number in forks(holdings, listed.log) {
        opened.add(FindingCode::Fork, listed.log, format!("number {number}"));
    }
    if holdings.roster().cut(&log.node).is_some() {
        opened.add(FindingCode::AuthorRevoked, listed.log, log.node);
    }
}

/// Numbers of a log that have more than one entry.
fn forks(holdings: &Holdings, log: LogId) -> BTreeSet<u64> {
    let Some(log) = holdings.logs().log(&log).filter(|log| log.fork().is_some()) else {
        return BTreeSet::new();
    };
    let mut slots: BTreeMap<u64, BTreeSet<EntryId>> = BTreeMap::new();
    for path in log.tips().into_iter().filter_map(|tip| log.path(tip)) {
        for (number, id) in (0..).zip(path) {
            slots.entry(number).or_default().insert(id);
        }
    }
    slots.into_iter().filter(|(_, ids)| ids.len() > 1).map(|(number, _)| number).collect()
}
