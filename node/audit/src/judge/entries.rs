//! The entries of a pack: read, every signature verified strictly, placed in their logs by the same
//! door as a node's. Extracts have no door; they are kept aside until their proofs are seen.

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use xw_schemas::entry::VerifiedEntry;
use xw_schemas::id::{EntryId, LogId};
use xw_schemas::space::Space;

use super::extract::Extracts;
use super::opening::Opened;
use super::report::FindingCode;
use crate::holdings::{Holdings, fork_slots};
use crate::pack::{FileName, PackLog, Scope};
use crate::spread::{self, Alone, Spread};

mod piece;

use piece::{Piece, Rings, fetch};

/// Entries that one hand verifies in a row, about a millisecond: as long as others may have to wait.
const HAND_ENTRIES: usize = 16;

/// Everything that the pack holds, placed.
pub(super) struct World {
    /// The spaces that are whole.
    pub(super) holdings: Holdings,
    /// The spaces of which there are extracts.
    pub(super) extracts: Extracts,
}

impl World {
    /// An entry of a whole space or of an extract.
    pub(super) fn entry(&self, id: &EntryId) -> Option<&VerifiedEntry> {
        self.holdings.entry(id).or_else(|| self.extracts.entry(id))
    }
}

/// Reads all logs. While the entries of some files are verified, those before them are placed and
/// the files behind them read; what is found is reported in the order of the files all the same.
pub(super) fn read<R: Read + Seek + Send>(
    opened: &mut Opened<R>,
    holdings: Holdings,
    spread: Spread<'_>,
) -> World {
    let mut world = World { holdings, extracts: Extracts::default() };
    let mut logs = opened.manifest.logs.clone();
    // What is pinned comes before who pins it, so that no pin has to wait.
    logs.sort_by_key(|log| {
        let office = world.holdings.roster().node_office(&log.node);
        (Reverse(office.map(|office| office.division.tier())), log.log)
    });
    strangers(opened, &logs);
    of_the_scope(opened);
    let network = world.holdings.roster().network();
    let mut waiting = pieces(opened, &logs).into_iter();
    let mut fetched = fetch(opened, &mut waiting);
    let mut verified: Vec<Piece<'_>> = Vec::new();
    let (rings, mut log_entries) = (Rings::default(), 0);
    while !fetched.is_empty() || !verified.is_empty() {
        let envelopes: Vec<_> = fetched.iter().map(Piece::envelopes).collect();
        let hands = envelopes.iter().flatten().flatten();
        let hands: Vec<&[&[u8]]> = hands.flat_map(|one| one.chunks(HAND_ENTRIES)).collect();
        let mut next = Vec::new();
        let alone: Vec<Alone<'_>> = vec![
            Box::new(|| verified.iter_mut().for_each(|piece| piece.place(&mut world))),
            Box::new(|| next = fetch(opened, &mut waiting)),
        ];
        let verify = |at: usize| rings.verify(hands[at], network);
        let outcomes = spread::map_beside(spread, alone, hands.len(), verify);
        for piece in verified {
            report(opened, &world.holdings, piece, &mut log_entries);
        }
        let counts = envelopes.into_iter().map(|read| read.map(|read| read.map(|all| all.len())));
        let counts: Vec<_> = counts.collect();
        let mut outcomes = outcomes.into_iter().flatten();
        for (piece, count) in fetched.iter_mut().zip(counts) {
            piece.sort(count, &mut outcomes);
        }
        verified = std::mem::replace(&mut fetched, next);
    }
    world
}

/// The files of all logs, log after log; a log without any file is one piece all the same.
fn pieces<'a, R: Read + Seek>(opened: &Opened<R>, logs: &'a [PackLog]) -> Vec<Piece<'a>> {
    let whole: BTreeMap<Space, bool> =
        opened.manifest.spaces.iter().map(|space| (space.space, space.whole)).collect();
    let mut files: BTreeMap<LogId, Vec<FileName>> = BTreeMap::new();
    for name in opened.names(|name| matches!(name, FileName::Entries(..))) {
        if let FileName::Entries(log, _) = name {
            files.entry(log).or_default().push(name);
        }
    }
    let mut pieces = Vec::new();
    for log in logs {
        let whole = whole.get(&log.space).copied();
        // Nobody asks for files of a log whose space is not listed.
        let names = whole.and_then(|_| files.get(&log.log)).map_or(&[][..], Vec::as_slice);
        pieces.extend(names.iter().map(|name| Piece::new(log, Some(*name), whole)));
        if names.is_empty() {
            pieces.push(Piece::new(log, None, whole));
        }
        if let Some(piece) = pieces.last_mut() {
            piece.last = true;
        }
    }
    pieces
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

/// Reports what was found in a file whose entries are placed, and behind a log's last what became
/// of the log.
fn report<R: Read + Seek>(
    opened: &mut Opened<R>,
    holdings: &Holdings,
    piece: Piece<'_>,
    log_entries: &mut u64,
) {
    let log = piece.log;
    let Some(whole) = piece.whole else {
        let detail = "其空间未列出 / its space is not listed";
        return opened.add(FindingCode::EntryMisplaced, log.log, detail);
    };
    opened.report.counts.add(&piece.counts);
    opened.report.add_noted(piece.noted);
    *log_entries += piece.counts.entries;
    if !piece.last {
        return;
    }
    opened.report.counts.logs += 1;
    let read = std::mem::take(log_entries);
    if read != log.entries {
        let listed = log.entries;
        let detail = format!("有 {read} 条，清单 {listed} 条 / {read} entries, {listed} listed");
        opened.add(FindingCode::LogShortened, log.log, detail);
    }
    if whole {
        compare(opened, holdings, log);
    }
}

/// A whole log must be as the manifest says.
fn compare<R: Read + Seek>(opened: &mut Opened<R>, holdings: &Holdings, listed: &PackLog) {
    let Some(log) = holdings.logs().log(&listed.log) else {
        let detail = "没有条目可归入 / no entry has a place in it";
        return opened.add(FindingCode::LogShortened, listed.log, detail);
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
