//! What a pack about a few records takes out of a space: their entries, the openings of their logs,
//! the witness entries that cover or precede them, and the proofs that hold it together.

use std::collections::{BTreeMap, BTreeSet};

use xw_ledger::log::Log;
use xw_schemas::checkpoint::Checkpoint;
use xw_schemas::entry::{Pin, Statement};
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::merkle::Tree;
use xw_schemas::proof::{ConsistencyProof, InclusionProof, Note};
use xw_schemas::space::{Space, Tier};

use crate::holdings::{Assessed, Holdings, Place};
use crate::pins::PinHeld;

/// What is taken out of the spaces of a few records.
#[derive(Debug, Default)]
pub(super) struct Extract {
    /// The entries, by log.
    pub(super) entries: BTreeMap<LogId, BTreeSet<EntryId>>,
    /// That an entry stands under its log's newest witnessed checkpoint.
    pub(super) inclusion: Vec<(EntryId, InclusionProof)>,
    /// That each witnessed checkpoint extends the one before.
    pub(super) consistency: Vec<(LogId, ConsistencyProof)>,
}

/// Whether an extract can show how entries of a space stand. Forks, revoked authors and decisions of
/// root are about whole logs; such a space goes into the pack whole.
pub(super) fn can_be_extracted(holdings: &Holdings, space: Space) -> bool {
    let roster = holdings.roster();
    let plain = |log: &Log| {
        log.fork().is_none()
            && roster.cut(&log.node).is_none()
            && roster.node_office(&log.node).is_some()
            && roster.adjudicated(&log.id).is_none()
            && roster.adopted_entries(&log.id).is_none()
    };
    holdings.logs().iter().filter(|(_, log)| log.space == space).all(|(_, log)| plain(log))
}

impl Extract {
    /// Takes out what is needed for these records.
    pub(super) fn of(holdings: &Holdings, assessed: &Assessed, places: &[Place]) -> Self {
        let mut extract = Self::default();
        let mut wanted: BTreeMap<LogId, BTreeSet<(u64, EntryId)>> = BTreeMap::new();
        for place in places {
            for entry in holdings.of(place) {
                let core = entry.core();
                wanted.entry(core.log).or_default().insert((core.sequence, entry.id()));
                extract.add(holdings, entry.id());
                if let Some(seen) = core.seen {
                    extract.add(holdings, seen);
                }
            }
        }
        for (log, entries) in &wanted {
            for held in useful(assessed, log, entries) {
                extract.add(holdings, held.entry);
            }
        }
        for (log, entries) in &wanted {
            // A witness entry taken for one log may pin another one too.
            let taken = |held: &&PinHeld| {
                extract.entries.values().any(|entries| entries.contains(&held.entry))
            };
            let pins: Vec<&PinHeld> = assessed.pins.of(log).iter().filter(taken).collect();
            if let Some(log) = holdings.logs().log(log) {
                extract.prove(holdings, log, entries, &pins);
            }
        }
        extract
    }

    /// Takes an entry and the opening of its log, with what that says it succeeds and the opening of
    /// that one, back to the first log of the node.
    fn add(&mut self, holdings: &Holdings, id: EntryId) {
        let mut next = Some(id);
        while let Some(entry) = next.and_then(|id| holdings.entry(&id)) {
            let log = entry.core().log;
            let entries = self.entries.entry(log).or_default();
            entries.insert(entry.id());
            let opening = holdings.logs().log(&log).and_then(|log| log.at(0));
            let Some(opening) = opening.and_then(|id| holdings.entry(&id)) else { return };
            entries.insert(opening.id());
            next = match &opening.core().statement {
                Statement::Open(opening) => opening.successor_of,
                _ => None,
            }
            .filter(|before| !self.holds(holdings, before));
        }
    }

    fn holds(&self, holdings: &Holdings, id: &EntryId) -> bool {
        let log = holdings.entry(id).map(|entry| entry.core().log);
        log.and_then(|log| self.entries.get(&log)).is_some_and(|entries| entries.contains(id))
    }

    fn prove(
        &mut self,
        holdings: &Holdings,
        log: &Log,
        entries: &BTreeSet<(u64, EntryId)>,
        pins: &[&PinHeld],
    ) {
        let Some(newest) = pins.last().map(|held| held.pin.size) else { return };
        let chain: Vec<EntryId> = (0..newest).filter_map(|number| log.at(number)).collect();
        let tree = Tree::of(&chain);
        let note = |size: u64| -> Option<Note> {
            let root = tree.root_at(size)?;
            let network = holdings.roster().network();
            let checkpoint = Checkpoint { network, log: log.id, size, root };
            let own = pins.iter().filter(|held| held.pin.size == size && held.pin.root == root);
            let lines: Vec<(PublicKey, Pin)> =
                own.map(|held| (held.witness, held.pin.clone())).collect();
            (!lines.is_empty()).then(|| Note::cosigned(checkpoint, &lines))
        };
        let Some(newest_note) = note(newest) else { return };
        for (index, id) in entries {
            if let Some(path) = tree.inclusion(*index, newest) {
                let proof = InclusionProof { index: *index, path, note: newest_note.clone() };
                self.inclusion.push((*id, proof));
            }
        }
        let sizes: BTreeSet<u64> = pins.iter().map(|held| held.pin.size).collect();
        let sizes: Vec<u64> = sizes.into_iter().collect();
        for pair in sizes.windows(2) {
            if let (Some(path), Some(note)) = (tree.consistency(pair[0], pair[1]), note(pair[1])) {
                self.consistency.push((log.id, ConsistencyProof { old: pair[0], path, note }));
            }
        }
    }
}

/// The pins that say something of these entries: of either rank the highest, and for each entry the
/// first by the witness's clock.
fn useful<'a>(
    assessed: &'a Assessed,
    log: &LogId,
    entries: &BTreeSet<(u64, EntryId)>,
) -> Vec<&'a PinHeld> {
    let ranks = [Tier::County, Tier::Township];
    let lowest = entries.first().map_or(0, |(number, _)| *number);
    let highest = ranks.iter().filter_map(|tier| assessed.pins.highest(log, *tier));
    let first = entries.iter().flat_map(|(number, _)| {
        ranks.iter().filter_map(|tier| assessed.pins.first_covering(log, *number, *tier))
    });
    highest.chain(first).filter(|held| held.pin.size > lowest).collect()
}

/// Every entry of the logs of whole spaces.
pub(super) fn whole(
    holdings: &Holdings,
    spaces: &BTreeSet<Space>,
) -> BTreeMap<LogId, BTreeSet<EntryId>> {
    let mut all: BTreeMap<LogId, BTreeSet<EntryId>> = BTreeMap::new();
    for entry in holdings.entries() {
        let log = entry.core().log;
        if holdings.logs().log(&log).is_some_and(|log| spaces.contains(&log.space)) {
            all.entry(log).or_default().insert(entry.id());
        }
    }
    all
}
