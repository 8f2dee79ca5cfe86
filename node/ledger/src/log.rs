//! All logs that a node holds, as chains of entry ids: the door of the store. Judges only what can
//! never change (the entry before is held, the root is right, the keys have once been on the roster)
//! and keeps every fork. Holds no bodies and does no I/O.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::entry::{Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::limits::VARIANTS_KEPT;
use xw_schemas::space::{Space, Tier};

use crate::roster::Roster;
use crate::standing::{LogStanding, Standing, assess};

mod branches;

pub use branches::Log;

/// A place in a log: its number and the entry there.
pub type Point = (u64, EntryId);

/// What a witness entry says of one log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PinnedLog {
    /// The log.
    pub log: LogId,
    /// The last entry of the prefix that the witness holds.
    pub head: Point,
    /// The witness's clock, seconds since 1970.
    pub time_s: u64,
}

/// All logs held.
#[derive(Debug, Clone, Default)]
pub struct Logs {
    logs: BTreeMap<LogId, Log>,
    spaces: BTreeMap<Space, BTreeSet<LogId>>,
    /// Pins whose entry is not held yet, with the witness that made them: what a witness may pin is
    /// asked when the entry is held, because a log's author is known from its opening only.
    awaited: BTreeMap<LogId, BTreeSet<(PublicKey, u64, EntryId)>>,
    /// The witness entry that arrived last in each space; named by what is written next here.
    seen: BTreeMap<Space, EntryId>,
    /// Whether every variant of a slot is taken, however many.
    of_material: bool,
}

/// A witness entry that counts.
#[derive(Debug, Clone, Copy)]
pub struct WitnessHeld<'a> {
    /// Who made it.
    pub witness: PublicKey,
    /// Where it stands in the witness's own log.
    pub at: Point,
    /// What it pins.
    pub pins: &'a [PinnedLog],
}

/// What the door did with an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Placed {
    /// It was held already.
    Duplicate,
    /// It extends its log.
    Appended,
    /// It stands in a slot that is taken, or on a branch: proof of a fork.
    Forked,
}

/// Which standings an entry changed beside its own.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restood {
    /// Logs in which the standing of entries from this number on may have changed.
    pub logs: BTreeMap<LogId, u64>,
}

/// Why the door does not take an entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum DoorRefusal {
    /// No roster edition held ever listed the node or person.
    #[error("the key is on no roster edition held here")]
    UnknownKey,
    /// The log's opening is not held.
    #[error("the opening of the log is not held")]
    UnknownLog,
    /// The entry before is not held.
    #[error("the entry before is not held")]
    MissingPrevious,
    /// Another node than the one that opened the log signed it.
    #[error("another node than the log's own signed the entry")]
    OtherNode,
    /// The root over the entries before is wrong.
    #[error("the root over the entries before is wrong")]
    WrongRoot,
    /// Two variants of this slot are held already: they are the proof, more adds nothing.
    #[error("two variants of this slot are held already")]
    EnoughVariants,
    /// The node's office stands neither at this space's division nor above it.
    #[error("the office does not write in this space")]
    NotItsSpace,
}

impl Logs {
    /// No logs.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// No logs, and no bound on the variants of a slot: for material that is all at hand, such as a
    /// pack, and itself bounded. A store that strangers can write to has the bound.
    #[must_use]
    pub fn of_material() -> Self {
        Self { of_material: true, ..Self::default() }
    }

    /// A log.
    #[must_use]
    pub fn log(&self, log: &LogId) -> Option<&Log> {
        self.logs.get(log)
    }

    /// All logs, by id.
    pub fn iter(&self) -> impl Iterator<Item = (&LogId, &Log)> {
        self.logs.iter()
    }

    /// The spaces held, with their logs.
    pub fn spaces(&self) -> impl Iterator<Item = (&Space, &BTreeSet<LogId>)> {
        self.spaces.iter()
    }

    /// Whether an entry is held.
    #[must_use]
    pub fn holds(&self, log: &LogId, sequence: u64, entry: &EntryId) -> bool {
        self.logs.get(log).is_some_and(|log| log.holds(sequence, entry))
    }

    /// Takes an entry in, or says why not. `Ok` with what changed; the caller stores the bytes.
    pub fn place(
        &mut self,
        roster: &Roster,
        entry: &VerifiedEntry,
    ) -> Result<(Placed, Restood), DoorRefusal> {
        let (core, id) = (entry.core(), entry.id());
        if core.person.is_some_and(|person| !roster.is_known(&person)) {
            return Err(DoorRefusal::UnknownKey);
        }
        let placed = match &core.statement {
            // The log id fixes node, space and incarnation; another opening of a log differs in
            // operation, time or predecessor and is a fork of slot 0.
            Statement::Open(opening) if !self.logs.contains_key(&core.log) => {
                let divisions: Vec<_> = roster.known_divisions(&opening.node).collect();
                if divisions.is_empty() {
                    return Err(DoorRefusal::UnknownKey);
                }
                // Whoever reads a space wider than its office does not write there for that.
                if !divisions.iter().any(|division| division.covers(opening.space.division)) {
                    return Err(DoorRefusal::NotItsSpace);
                }
                let mut log = Log::new(core.log, opening.node, opening.space);
                log.append(id);
                self.logs.insert(core.log, log);
                self.spaces.entry(opening.space).or_default().insert(core.log);
                Placed::Appended
            }
            Statement::Open(_)
            | Statement::Change(_)
            | Statement::Witness(_)
            | Statement::Erase(_)
            | Statement::Erased(_) => self.extend(roster, entry)?,
        };
        let mut restood = Restood::default();
        if placed == Placed::Duplicate {
            return Ok((placed, restood));
        }
        if let Some(held) = self.logs.get(&core.log) {
            if placed == Placed::Forked {
                restood.note(core.log, held.fork().unwrap_or(0));
            }
            if held.named(roster).any(|named| named == (core.sequence, id)) {
                // The entry that a cut or root names: what waited for it stands or falls.
                restood.note(core.log, 0);
            }
        }
        if let Statement::Witness(pins) = &core.statement {
            let pinned = |pin: &xw_schemas::entry::Pin| PinnedLog {
                log: pin.log,
                head: (pin.size - 1, pin.head),
                time_s: pin.time_s,
            };
            let pins = pins.iter().map(pinned).collect();
            self.add_witness(roster, core.log, core.sequence, id, pins, &mut restood);
        }
        self.meet_awaited(roster, core.log, &mut restood);
        if restood.logs.keys().any(|log| self.witnesses_restood(roster, log)) {
            self.reassess(roster, &mut restood);
        }
        Ok((placed, restood))
    }

    fn extend(&mut self, roster: &Roster, entry: &VerifiedEntry) -> Result<Placed, DoorRefusal> {
        let (core, id) = (entry.core(), entry.id());
        let awaited = self.awaited_up_to(roster, &core.log);
        let log = self.logs.get_mut(&core.log).ok_or(DoorRefusal::UnknownLog)?;
        if log.holds(core.sequence, &id) {
            return Ok(Placed::Duplicate);
        }
        if log.node != entry.node() {
            return Err(DoorRefusal::OtherNode);
        }
        if core.sequence > 0 && !log.holds(core.sequence - 1, &core.previous) {
            return Err(DoorRefusal::MissingPrevious);
        }
        if core.sequence == log.size() && log.head() == Some(core.previous) {
            if core.root != log.frontier.root() {
                return Err(DoorRefusal::WrongRoot);
            }
            log.append(id);
            return Ok(Placed::Appended);
        }
        // While a pinned or kept entry is not held, any variant may be its ancestor.
        let is_awaited = awaited.is_some_and(|highest| core.sequence <= highest);
        if !(self.of_material || is_awaited) && log.variants(core.sequence) >= VARIANTS_KEPT {
            return Err(DoorRefusal::EnoughVariants);
        }
        if core.sequence > 0 && core.root != log.root_after(core.sequence - 1, core.previous) {
            return Err(DoorRefusal::WrongRoot);
        }
        log.branches.insert(id, (core.sequence, core.previous));
        Ok(Placed::Forked)
    }

    fn add_witness(
        &mut self,
        roster: &Roster,
        log: LogId,
        sequence: u64,
        id: EntryId,
        pins: Vec<PinnedLog>,
        restood: &mut Restood,
    ) {
        let Some(held) = self.logs.get_mut(&log) else { return };
        held.witnesses.insert(id, (sequence, pins.clone()));
        let (node, space) = (held.node, held.space);
        if assess(roster, held).of(sequence, &id).counts() {
            held.counting.insert(id);
            self.seen.insert(space, id);
            self.apply_pins(roster, node, &pins, restood);
        }
    }

    /// Raises the pins that a counting witness entry makes.
    fn apply_pins(
        &mut self,
        roster: &Roster,
        witness: PublicKey,
        pins: &[PinnedLog],
        restood: &mut Restood,
    ) {
        for PinnedLog { log: target, head: (sequence, head), .. } in pins {
            if let Some(log) = self.logs.get_mut(target) {
                let Some(tier) = roster.witness_rank(&witness, &log.node) else { continue };
                if log.holds(*sequence, head) {
                    if let Some(from) = log.raise(tier, (*sequence, *head)) {
                        restood.note(*target, from);
                    }
                    continue;
                }
            }
            self.awaited.entry(*target).or_default().insert((witness, *sequence, *head));
        }
    }

    /// A pin counts once the pinned entry is held.
    fn meet_awaited(&mut self, roster: &Roster, target: LogId, restood: &mut Restood) {
        let Some(awaited) = self.awaited.get_mut(&target) else { return };
        let Some(log) = self.logs.get_mut(&target) else { return };
        awaited.retain(|(witness, sequence, head)| {
            let Some(tier) = roster.witness_rank(witness, &log.node) else { return false };
            if !log.holds(*sequence, head) {
                return true;
            }
            if let Some(from) = log.raise(tier, (*sequence, *head)) {
                restood.note(target, from);
            }
            false
        });
        if awaited.is_empty() {
            self.awaited.remove(&target);
        }
    }

    /// The highest number of an entry of this log that is pinned, or named by a cut or by root, and
    /// not held.
    fn awaited_up_to(&self, roster: &Roster, log: &LogId) -> Option<u64> {
        let pinned = self.awaited.get(log).into_iter().flatten().map(|(_, sequence, _)| *sequence);
        let held = self.logs.get(log);
        let lacking = |log: &Log| {
            let lacking = log.named(roster).filter(|(s, id)| !log.holds(*s, id));
            lacking.map(|(sequence, _)| sequence).max()
        };
        pinned.chain(held.and_then(lacking)).max()
    }

    /// Whether other witness entries of a log count than those whose pins are applied: a fork, a
    /// pin or a cut has changed what stands there.
    fn witnesses_restood(&self, roster: &Roster, log: &LogId) -> bool {
        let Some(log) = self.logs.get(log).filter(|log| !log.witnesses.is_empty()) else {
            return false;
        };
        let standing = assess(roster, log);
        let counts = |(id, (sequence, _)): &(&EntryId, &(u64, Vec<PinnedLog>))| {
            standing.of(*sequence, id).counts()
        };
        !log.witnesses.iter().filter(counts).map(|(id, _)| id).eq(&log.counting)
    }

    /// Works out every pin again: after a new roster edition, or when other witness entries of a log
    /// count than before. Offices above come first, since what stands of their logs decides which
    /// pins count.
    pub fn reassess(&mut self, roster: &Roster, restood: &mut Restood) {
        self.awaited.clear();
        for (id, log) in &mut self.logs {
            (log.county, log.township) = (None, None);
            restood.note(*id, 0);
        }
        let rank = |node: &PublicKey| roster.node_office(node).map(|o| o.division.tier());
        let mut order: Vec<(Option<Tier>, LogId)> =
            self.logs.iter().map(|(id, log)| (rank(&log.node), *id)).collect();
        order.sort_by_key(|(tier, id)| (tier.unwrap_or(Tier::Village), *id));
        for (_, id) in order {
            let log = &self.logs[&id];
            let standing = assess(roster, log);
            let node = log.node;
            let counting: BTreeMap<EntryId, Vec<PinnedLog>> = log
                .witnesses
                .iter()
                .filter(|(entry, (sequence, _))| standing.of(*sequence, entry).counts())
                .map(|(entry, (_, pins))| (*entry, pins.clone()))
                .collect();
            for pins in counting.values() {
                self.apply_pins(roster, node, pins, restood);
            }
            if let Some(log) = self.logs.get_mut(&id) {
                log.counting = counting.into_keys().collect();
            }
        }
    }

    /// What an honest witness pins next in a log: the head of an unforked one; of a forked one what
    /// lies below the fork, or for the county the branch that the township pinned. `None` when there
    /// is nothing beyond what this rank has pinned, or while an entry that this rank has pinned is
    /// not held: what lies here may be another branch.
    #[must_use]
    pub fn to_pin(&self, roster: &Roster, witness: &PublicKey, log: &LogId) -> Option<Point> {
        let log = self.logs.get(log)?;
        let tier = roster.witness_rank(witness, &log.node)?;
        if roster.cut(&log.node).is_some() {
            return None;
        }
        let mut awaited = self.awaited(&log.id);
        if awaited.any(|(other, _)| roster.witness_rank(&other, &log.node) == Some(tier)) {
            return None;
        }
        let pinned = if tier == Tier::County { log.county } else { log.township };
        let decided = roster.adjudicated(&log.id).filter(|(s, id)| log.holds(*s, id));
        let target = match log.fork() {
            Some(_) if decided.is_some() => decided,
            None => log.head().map(|head| (log.size() - 1, head)),
            Some(_) if tier == Tier::County && log.township > pinned => log.township,
            Some(0) => None,
            Some(fork) => log.at(fork - 1).map(|id| (fork - 1, id)),
        }?;
        let path = log.path(target)?;
        let extends = pinned.is_none_or(|(sequence, id)| {
            sequence < target.0
                && usize::try_from(sequence).ok().and_then(|at| path.get(at)) == Some(&id)
        });
        extends.then_some(target)
    }

    /// The witness entry that arrived last in a space.
    #[must_use]
    pub fn seen(&self, space: Space) -> Option<EntryId> {
        self.seen.get(&space).copied()
    }

    /// The witness entries of a space that count, with what they pin.
    pub fn witnesses(&self, space: Space) -> impl Iterator<Item = WitnessHeld<'_>> {
        let logs = self.spaces.get(&space).into_iter().flatten();
        let logs = logs.filter_map(|id| self.logs.get(id));
        logs.flat_map(|log| {
            let counting = log.witnesses.iter().filter(|(id, _)| log.counting.contains(*id));
            counting.map(|(id, (sequence, pins))| WitnessHeld {
                witness: log.node,
                at: (*sequence, *id),
                pins,
            })
        })
    }

    /// Pins of a log whose entry is not held: that much is known to be missing here.
    pub fn awaited(&self, log: &LogId) -> impl Iterator<Item = (PublicKey, Point)> {
        let awaited = self.awaited.get(log).into_iter().flatten();
        awaited.map(|(witness, sequence, head)| (*witness, (*sequence, *head)))
    }

    /// The root over a log's entries up to a point.
    #[must_use]
    pub fn root_at(&self, log: &LogId, point: Point) -> Option<[u8; 32]> {
        let log = self.logs.get(log)?;
        let whole = log.size() == point.0 + 1 && log.head() == Some(point.1);
        Some(if whole { log.root() } else { log.root_after(point.0, point.1) })
    }

    /// The standing of one entry.
    #[must_use]
    pub fn standing(
        &self,
        roster: &Roster,
        log: &LogId,
        sequence: u64,
        entry: &EntryId,
    ) -> Standing {
        self.logs.get(log).map_or(Standing::Pending, |log| assess(roster, log).of(sequence, entry))
    }

    /// What stands in one log.
    #[must_use]
    pub fn assess(&self, roster: &Roster, log: &LogId) -> Option<LogStanding> {
        self.logs.get(log).map(|log| assess(roster, log))
    }
}

impl Restood {
    fn note(&mut self, log: LogId, from: u64) {
        let lowest = self.logs.entry(log).or_insert(from);
        *lowest = from.min(*lowest);
    }

    /// Joins what two entries changed.
    pub fn join(&mut self, other: Self) {
        for (log, from) in other.logs {
            self.note(log, from);
        }
    }
}
