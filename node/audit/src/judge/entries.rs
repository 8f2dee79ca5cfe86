//! The entries of a pack: read, every signature verified strictly, placed in their logs by the same
//! door as a node's. Extracts have no door; they are kept aside until their proofs are seen.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use xw_ledger::log::Placed;
use xw_schemas::cose::KeyRing;
use xw_schemas::entry::{EntryFault, RawEntry, Statement, VerifiedEntry};
use xw_schemas::id::{LogId, NetworkId};
use xw_schemas::space::Space;

use super::extract::Extracts;
use super::opening::Opened;
use super::report::FindingCode;
use crate::holdings::{Holdings, fork_slots};
use crate::pack::{FileName, PackLog, Scope, read_entries};
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
    of_the_scope(opened);
    for log in &logs {
        let Some(whole) = whole.get(&log.space) else {
            opened.add(
                FindingCode::EntryMisplaced,
                log.log,
                "其空间未列出 / its space is not listed",
            );
            continue;
        };
        opened.report.counts.logs += 1;
        let mut read = 0;
        let (first, last) = (FileName::Entries(log.log, 0), FileName::Entries(log.log, u32::MAX));
        for name in opened.names_between(first, last) {
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
            let listed = log.entries;
            let detail =
                format!("有 {read} 条，清单 {listed} 条 / {read} entries, {listed} listed");
            opened.add(FindingCode::LogShortened, log.log, detail);
        }
        if *whole {
            compare(opened, &world.holdings, log);
        }
    }
    world
}

/// A few entries of a space can stand for records that were named, never for all of a division.
fn of_the_scope<R: Read + Seek>(opened: &mut Opened<R>) {
    let named = matches!(opened.manifest.scope, Scope::Records { .. });
    for space in opened.manifest.spaces.clone().into_iter().filter(|space| !space.whole) {
        let code = if named { FindingCode::ExtractLimits } else { FindingCode::SpaceNotWhole };
        opened.add(code, space.space, "");
    }
}

/// Files of logs that the manifest does not list.
fn strangers<R: Read + Seek>(opened: &mut Opened<R>, logs: &[PackLog]) {
    let known: BTreeSet<LogId> = logs.iter().map(|log| log.log).collect();
    if known.len() != logs.len() {
        opened.add(
            FindingCode::LogShortened,
            FileName::Manifest,
            "一个日志列了两次 / a log stands twice",
        );
    }
    let unknown =
        |name: &FileName| matches!(name, FileName::Entries(log, _) if !known.contains(log));
    for name in opened.names(unknown) {
        opened.add(FindingCode::FileUnknown, name, "其日志未列出 / its log is not listed");
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
        return opened.add(
            FindingCode::LogShortened,
            listed.log,
            "没有条目可归入 / no entry has a place in it",
        );
    };
    let mut tips = log.tips();
    tips.sort_unstable();
    let same = tips == listed.tips && log.node == listed.node && log.space == listed.space;
    if !same {
        opened.add(FindingCode::LogShortened, listed.log, "末尾、节点或空间 / ends, node or space");
    }
    for number in fork_slots(log).into_keys() {
        opened.add(FindingCode::Fork, listed.log, format!("第 {number} 号 / number {number}"));
    }
    if holdings.roster().cut(&log.node).is_some() {
        opened.add(FindingCode::AuthorRevoked, listed.log, log.node);
    }
}
