//! How the entries of an extract stand: by openings, pins and proofs alone, since the logs are not
//! there. A pin counts for an entry when an inclusion proof leads to the newest pinned root of its log
//! and consistency proofs tie every pinned root to it.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{Read, Seek};

use xw_ledger::interval::Interval;
use xw_ledger::roster::Roster;
use xw_ledger::standing::Standing;
use xw_schemas::cose::SoundKey;
use xw_schemas::entry::{Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::merkle::Node;
use xw_schemas::proof::{ConsistencyProof, InclusionProof, Note, ProofFault};
use xw_schemas::space::{Space, Tier};

use super::entries::World;
use super::opening::Opened;
use super::report::FindingCode;
use crate::holdings::Place;
use crate::pack::FileName;
use crate::pins::{PinHeld, Pins};

/// The entries of all extracts.
#[derive(Default)]
pub(super) struct Extracts {
    entries: BTreeMap<EntryId, VerifiedEntry>,
    records: BTreeMap<Place, BTreeSet<EntryId>>,
    standings: BTreeMap<EntryId, Standing>,
    spaces: BTreeMap<LogId, Space>,
    pins: Pins,
}

/// A log of which only some entries are there.
struct Excerpt {
    node: PublicKey,
    space: Space,
    entries: BTreeMap<EntryId, u64>,
}

impl Extracts {
    /// Takes an entry whose signatures verify.
    pub(super) fn take(&mut self, entry: VerifiedEntry) {
        self.entries.insert(entry.id(), entry);
    }

    pub(super) fn entry(&self, id: &EntryId) -> Option<&VerifiedEntry> {
        self.entries.get(id)
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &VerifiedEntry> {
        self.entries.values()
    }

    /// Whether any space is an extract.
    pub(super) fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The entries of a record.
    pub(super) fn of(&self, place: &Place) -> impl Iterator<Item = &VerifiedEntry> {
        let ids = self.records.get(place).into_iter().flatten();
        ids.filter_map(|id| self.entries.get(id))
    }

    pub(super) fn standing(&self, id: &EntryId) -> Standing {
        self.standings.get(id).copied().unwrap_or(Standing::Pending)
    }

    /// The pins of a log that stand in the extracts.
    pub(super) fn pins(&self, log: &LogId) -> &[PinHeld] {
        self.pins.of(log)
    }

    /// Entries that others name and that are not there: what the author of an entry on a record had
    /// seen, and what a log's opening says that it succeeds. Named, and by whom.
    fn named_missing(&self) -> Vec<(EntryId, EntryId)> {
        let names = |entry: &VerifiedEntry| match &entry.core().statement {
            Statement::Open(opening) => opening.successor_of,
            Statement::Witness(_) => None,
            Statement::Change(_) | Statement::Erase(_) | Statement::Erased(_) => entry.core().seen,
        };
        let named = self.entries.iter().filter_map(|(id, entry)| Some((names(entry)?, *id)));
        named.filter(|(named, _)| !self.entries.contains_key(named)).collect()
    }

    pub(super) fn interval(&self, roster: &Roster, entry: &VerifiedEntry) -> Interval {
        self.pins.interval(roster, |log| self.spaces.get(log).copied(), entry)
    }

    /// The logs that begin with their opening.
    fn excerpts<R: Read + Seek>(&self, opened: &mut Opened<R>) -> BTreeMap<LogId, Excerpt> {
        let mut excerpts: BTreeMap<LogId, Excerpt> = BTreeMap::new();
        for entry in self.entries.values() {
            if let Statement::Open(opening) = &entry.core().statement {
                let (node, space) = (opening.node, opening.space);
                let excerpt = Excerpt { node, space, entries: BTreeMap::new() };
                excerpts.entry(entry.core().log).or_insert(excerpt);
            }
        }
        let mut slots: BTreeMap<(LogId, u64), EntryId> = BTreeMap::new();
        for (id, entry) in &self.entries {
            let core = entry.core();
            match excerpts.get_mut(&core.log) {
                Some(excerpt) if excerpt.node == entry.node() => {
                    excerpt.entries.insert(*id, core.sequence);
                }
                Some(_) => opened.add(
                    FindingCode::EntryUnplaced,
                    id,
                    "不是该日志的节点 / another node than the log's",
                ),
                None => opened.add(FindingCode::OpeningMissing, core.log, id),
            }
            if let Some(other) = slots.insert((core.log, core.sequence), *id) {
                opened.add(FindingCode::Fork, core.log, format!("{other} {id}"));
            }
        }
        excerpts
    }
}

/// Works out how every entry of the extracts stands.
pub(super) fn stand<R: Read + Seek>(opened: &mut Opened<R>, world: &mut World) {
    if world.extracts.is_empty() {
        return;
    }
    let roster = world.holdings.roster();
    let extracts = &mut world.extracts;
    let excerpts = extracts.excerpts(opened);
    listed(opened, &excerpts);
    for (named, by) in extracts.named_missing() {
        opened.add(FindingCode::NamedMissing, named, format!("见 named by {by}"));
    }
    let mut sound: BTreeSet<LogId> = BTreeSet::new();
    for (id, excerpt) in &excerpts {
        if is_whole_matter(roster, id, excerpt) {
            opened.add(FindingCode::ExtractOfBroken, id, "");
        } else {
            sound.insert(*id);
        }
        for entry in excerpt.entries.keys() {
            let record = extracts.entries.get(entry).and_then(|e| e.core().statement.record());
            if let Some(record) = record {
                extracts.records.entry((excerpt.space, record)).or_default().insert(*entry);
            }
        }
    }
    let mut pins = Pins::default();
    for (id, excerpt) in excerpts.iter().filter(|(id, _)| sound.contains(*id)) {
        let author = |log: &LogId| {
            excerpts.get(log).filter(|other| other.space == excerpt.space).map(|log| log.node)
        };
        for entry in excerpt.entries.keys().filter_map(|entry| extracts.entries.get(entry)) {
            debug_assert_eq!(entry.core().log, *id);
            pins.add(roster, entry, author);
        }
    }
    pins.sort();
    let wanted: BTreeSet<EntryId> = extracts.records.values().flatten().copied().collect();
    for (id, excerpt) in &excerpts {
        let entries: Vec<(EntryId, u64)> =
            excerpt.entries.iter().map(|(entry, number)| (*entry, *number)).collect();
        let told = entries.iter().any(|(entry, _)| wanted.contains(entry));
        let proven = !told || tied(opened, &pins, *id);
        for (entry, number) in entries {
            let standing = if !sound.contains(id) {
                Standing::Pending
            } else if wanted.contains(&entry) && proven {
                proven_standing(opened, &pins, *id, entry, number)
            } else {
                Standing::Local
            };
            extracts.standings.insert(entry, standing);
        }
    }
    extracts.spaces = excerpts.iter().map(|(id, excerpt)| (*id, excerpt.space)).collect();
    extracts.pins = pins;
}

/// What is listed of the extracts' logs must be what their openings say.
fn listed<R: Read + Seek>(opened: &mut Opened<R>, excerpts: &BTreeMap<LogId, Excerpt>) {
    for log in opened.manifest.logs.clone() {
        if let Some(excerpt) = excerpts.get(&log.log)
            && (excerpt.node, excerpt.space) != (log.node, log.space)
        {
            opened.add(FindingCode::LogShortened, log.log, "节点或空间 / node or space");
        }
    }
}

/// Whether a log can be judged whole only.
fn is_whole_matter(roster: &Roster, id: &LogId, excerpt: &Excerpt) -> bool {
    let mut numbers: Vec<u64> = excerpt.entries.values().copied().collect();
    numbers.sort_unstable();
    numbers.windows(2).any(|pair| pair[0] == pair[1])
        || roster.node_office(&excerpt.node).is_none()
        || roster.cut(&excerpt.node).is_some()
        || roster.adjudicated(id).is_some()
        || roster.adopted_entries(id).is_some()
}

/// Whether every root that is pinned of a log is tied to the next larger one by a proof.
fn tied<R: Read + Seek>(opened: &mut Opened<R>, pins: &Pins, log: LogId) -> bool {
    let mut roots: BTreeMap<u64, Node> = BTreeMap::new();
    let mut tied = true;
    for held in pins.of(&log) {
        if *roots.entry(held.pin.size).or_insert(held.pin.root) != held.pin.root {
            opened.add(FindingCode::WitnessContradicts, log, format!("size {}", held.pin.size));
            tied = false;
        }
    }
    let roots: Vec<(u64, Node)> = roots.into_iter().collect();
    for pair in roots.windows(2) {
        let ((old, old_root), (new, new_root)) = (pair[0], pair[1]);
        let name = FileName::Consistency(log, old, new);
        let network = opened.manifest.network;
        let read = |text: &str| ConsistencyProof::parse(text, network);
        let Some(proof) = proof(opened, &name, read) else {
            tied = false;
            continue;
        };
        let checkpoint = proof.note.checkpoint();
        let right = checkpoint.log == log
            && (checkpoint.size, checkpoint.root) == (new, new_root)
            && proof.old == old
            && proof.check(&old_root).is_ok();
        if right && is_witnessed(opened, &name, pins, &proof.note) {
            opened.report.counts.proofs += 1;
        } else {
            opened.add(FindingCode::ProofWrong, name, "");
            tied = false;
        }
    }
    tied
}

/// How an entry of a record stands in a log whose roots are tied.
fn proven_standing<R: Read + Seek>(
    opened: &mut Opened<R>,
    pins: &Pins,
    log: LogId,
    entry: EntryId,
    number: u64,
) -> Standing {
    let Some(newest) = pins.of(&log).last().filter(|held| held.pin.size > number) else {
        return Standing::Local;
    };
    let name = FileName::Inclusion(entry);
    let network = opened.manifest.network;
    let Some(proof) = proof(opened, &name, |text| InclusionProof::parse(text, network)) else {
        return Standing::Local;
    };
    let checkpoint = proof.note.checkpoint();
    let right = checkpoint.log == log
        && (checkpoint.size, checkpoint.root) == (newest.pin.size, newest.pin.root)
        && proof.index == number
        && proof.check(&entry).is_ok();
    if !right || !is_witnessed(opened, &name, pins, &proof.note) {
        opened.add(FindingCode::ProofWrong, name, "");
        return Standing::Local;
    }
    opened.report.counts.proofs += 1;
    let covering = pins.covering(&log, number);
    if covering.iter().any(|held| held.tier == Tier::County) {
        Standing::Final
    } else {
        Standing::Witnessed
    }
}

/// Reads a proof's file; what is missing or unreadable is a finding.
fn proof<R: Read + Seek, T>(
    opened: &mut Opened<R>,
    name: &FileName,
    read: impl Fn(&str) -> Result<T, ProofFault>,
) -> Option<T> {
    if !opened.has(name) {
        opened.add(FindingCode::ProofMissing, name, "");
        return None;
    }
    let bytes = opened.file(name)?;
    let parsed = std::str::from_utf8(&bytes).map_err(|_| ProofFault::Form).and_then(read);
    match parsed {
        Ok(proof) => Some(proof),
        Err(fault) => {
            opened.add(FindingCode::ProofUnreadable, name, fault);
            None
        }
    }
}

/// Whether a note bears the cosignature of a witness who pinned its checkpoint in this pack, and no
/// line of such a witness that does not verify.
fn is_witnessed<R: Read + Seek>(
    opened: &mut Opened<R>,
    name: &FileName,
    pins: &Pins,
    note: &Note,
) -> bool {
    let checkpoint = note.checkpoint();
    let mut witnessed = false;
    for held in pins.of(&checkpoint.log) {
        if (held.pin.size, held.pin.root) != (checkpoint.size, checkpoint.root) {
            continue;
        }
        let Some(key) = SoundKey::of(&held.witness) else { continue };
        match note.witness(&key) {
            Ok(signed) => witnessed |= signed.is_some(),
            Err(fault) => {
                opened.add(FindingCode::ProofUnreadable, name, fault);
                return false;
            }
        }
    }
    witnessed
}
