//! All logs that a node holds, as chains of entry ids: the door of the store. Judges only what can
//! never change (the entry before is held, the root is right, the keys have once been on the roster)
//! and keeps every fork. Holds no bodies and does no I/O.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::entry::{Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::limits::VARIANTS_KEPT;
use xw_schemas::merkle::Frontier;
use xw_schemas::space::Space;

use crate::roster::Roster;
use crate::standing::{LogStanding, Standing, assess};

mod branches;
mod pinning;

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
    /// Witness entries by log that came in and whose pins have not been looked at.
    unsettled: BTreeMap<LogId, Vec<EntryId>>,
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

/// Which variants of a slot find room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Room {
    /// Two, which are the proof, and what may lead to an entry that is awaited.
    ForProof,
    /// What was stored once.
    ForStored,
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

/// What the door did with one of several entries: its place among them, and what became of it.
pub type PlacedAt = (usize, Result<Placed, DoorRefusal>);

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
    /// Enough variants of this slot are held already: two are the proof, more adds nothing.
    #[error("enough variants of this slot are held already")]
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
        let mut restood = Restood::default();
        let placed = self.admit(roster, entry, Room::ForProof, &mut restood)?;
        self.settle(roster, &mut restood);
        Ok((placed, restood))
    }

    /// Takes in what came together, and gives what became of each by its place among them, in the
    /// order in which they were taken. What they pin is looked at when all are in, however many forks
    /// and witness entries are among them.
    pub fn place_all<'a>(
        &mut self,
        roster: &Roster,
        entries: impl IntoIterator<Item = &'a VerifiedEntry>,
    ) -> (Vec<PlacedAt>, Restood) {
        let mut restood = Restood::default();
        let entries: Vec<&VerifiedEntry> = entries.into_iter().collect();
        let mut placed = Vec::with_capacity(entries.len());
        for (at, entry) in entries.iter().enumerate() {
            placed.push((at, self.admit(roster, entry, Room::ForProof, &mut restood)));
        }
        if self.settle(roster, &mut restood) {
            // There is room for what a pin awaits that came with it.
            use DoorRefusal::{EnoughVariants, MissingPrevious};
            let (again, mut taken): (Vec<_>, Vec<_>) = placed
                .into_iter()
                .partition(|(_, p)| matches!(p, Err(EnoughVariants | MissingPrevious)));
            for (at, _) in again {
                taken.push((at, self.admit(roster, entries[at], Room::ForProof, &mut restood)));
            }
            self.settle(roster, &mut restood);
            placed = taken;
        }
        (placed, restood)
    }

    /// Takes in an entry that was stored, in the order of storing: there was room for it then. When
    /// all are in, [`Logs::reassess`] works out what they pin.
    pub fn restore(
        &mut self,
        roster: &Roster,
        entry: &VerifiedEntry,
    ) -> Result<Placed, DoorRefusal> {
        self.admit(roster, entry, Room::ForStored, &mut Restood::default())
    }

    fn admit(
        &mut self,
        roster: &Roster,
        entry: &VerifiedEntry,
        room: Room,
        restood: &mut Restood,
    ) -> Result<Placed, DoorRefusal> {
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
            | Statement::Erased(_) => self.extend(roster, entry, room)?,
        };
        if placed == Placed::Duplicate {
            return Ok(placed);
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
            self.hear_witness(core.log, core.sequence, id, pins);
        }
        self.meet_awaited(roster, core.log, restood);
        Ok(placed)
    }

    fn extend(
        &mut self,
        roster: &Roster,
        entry: &VerifiedEntry,
        room: Room,
    ) -> Result<Placed, DoorRefusal> {
        let (core, id) = (entry.core(), entry.id());
        let place = (core.sequence, id);
        let is_full = room == Room::ForProof
            && !self.of_material
            && self.logs.get(&core.log).is_some_and(|log| {
                let variants = log.variants(core.sequence);
                variants >= VARIANTS_KEPT && !self.is_awaited(roster, log, place, variants)
            });
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
        if is_full {
            return Err(DoorRefusal::EnoughVariants);
        }
        let before = core.sequence.checked_sub(1).map(|number| (number, core.previous));
        let edge = before.map_or_else(|| Some(Frontier::new()), |point| log.edge(point));
        let edge = edge.ok_or(DoorRefusal::MissingPrevious)?;
        if core.sequence > 0 && core.root != edge.root() {
            return Err(DoorRefusal::WrongRoot);
        }
        log.branch(id, core.previous, edge);
        Ok(Placed::Forked)
    }

    /// The root over a log's entries up to a point.
    #[must_use]
    pub fn root_at(&self, log: &LogId, point: Point) -> Option<[u8; 32]> {
        let log = self.logs.get(log)?;
        let whole = log.size() == point.0 + 1 && log.head() == Some(point.1);
        if whole { Some(log.root()) } else { log.edge(point).map(|edge| edge.root()) }
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
