//! One log with all its branches: where entries stand, what somebody else lacks of it, what is pinned.
//! Knows nothing of other logs.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::merkle::Frontier;
use xw_schemas::space::{Space, Tier};

use super::{PinnedLog, Point};
use crate::roster::Roster;

/// A root is worked out from the nearest mark below it: at most so many hashes of entries, some
/// microseconds, for a mark of about 200 bytes.
const MARK_EVERY: u64 = 64;

/// One log as held here.
#[derive(Debug, Clone)]
pub struct Log {
    /// Its id.
    pub id: LogId,
    /// The node that writes it.
    pub node: PublicKey,
    /// Where its entries live.
    pub space: Space,
    /// The first branch that arrived, by number. Which one is first decides nothing.
    pub(crate) chain: Vec<EntryId>,
    /// Entries of other branches: number and the entry before.
    pub(crate) branches: BTreeMap<EntryId, Point>,
    /// How many entries of other branches stand at each number.
    crowds: BTreeMap<u64, usize>,
    /// The ends of the other branches.
    ends: BTreeSet<Point>,
    /// The county's highest pin whose entry is held.
    pub(crate) county: Option<Point>,
    /// The own township's highest pin whose entry is held.
    pub(crate) township: Option<Point>,
    pub(super) frontier: Frontier,
    /// The first branch's right edge behind every [`MARK_EVERY`]th entry.
    marks: Vec<Frontier>,
    /// The same on other branches, by the entry that it stands behind.
    marks_beside: BTreeMap<EntryId, Frontier>,
    /// Witness entries in this log, with what they pin.
    pub(super) witnesses: BTreeMap<EntryId, WitnessEntry>,
    /// Those of them that count, whose pins are applied.
    pub(super) counting: BTreeSet<EntryId>,
    /// The last of these.
    pub(super) newest: Option<Point>,
}

/// A witness entry in a log.
#[derive(Debug, Clone)]
pub(super) struct WitnessEntry {
    pub(super) sequence: u64,
    pub(super) pins: Arc<[PinnedLog]>,
}

impl Log {
    pub(super) fn new(id: LogId, node: PublicKey, space: Space) -> Self {
        Self {
            id,
            node,
            space,
            chain: Vec::new(),
            branches: BTreeMap::new(),
            crowds: BTreeMap::new(),
            ends: BTreeSet::new(),
            county: None,
            township: None,
            frontier: Frontier::new(),
            marks: Vec::new(),
            marks_beside: BTreeMap::new(),
            witnesses: BTreeMap::new(),
            counting: BTreeSet::new(),
            newest: None,
        }
    }

    pub(super) fn append(&mut self, id: EntryId) {
        self.chain.push(id);
        self.frontier.push(&id);
        if self.frontier.size().is_multiple_of(MARK_EVERY) {
            self.marks.push(self.frontier.clone());
        }
    }

    /// Adds an entry beside the first branch, behind one that is held; `edge` is the tree of what
    /// lies before it.
    pub(super) fn branch(&mut self, id: EntryId, previous: EntryId, mut edge: Frontier) {
        let sequence = edge.size();
        edge.push(&id);
        if edge.size().is_multiple_of(MARK_EVERY) {
            self.marks_beside.insert(id, edge);
        }
        if let Some(number) = sequence.checked_sub(1) {
            self.ends.remove(&(number, previous));
        }
        self.ends.insert((sequence, id));
        *self.crowds.entry(sequence).or_default() += 1;
        self.branches.insert(id, (sequence, previous));
    }

    /// Number of entries on all branches. It grows with every entry taken in.
    #[must_use]
    pub fn count(&self) -> usize {
        self.chain.len() + self.branches.len()
    }

    /// Number of entries on the first branch.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.chain.len() as u64
    }

    /// Last entry of the first branch.
    #[must_use]
    pub fn head(&self) -> Option<EntryId> {
        self.chain.last().copied()
    }

    /// The right edge of the first branch's Merkle tree.
    #[must_use]
    pub fn frontier(&self) -> &Frontier {
        &self.frontier
    }

    /// Root over the first branch.
    #[must_use]
    pub fn root(&self) -> [u8; 32] {
        self.frontier.root()
    }

    /// The entry at a number of the first branch.
    #[must_use]
    pub fn at(&self, sequence: u64) -> Option<EntryId> {
        usize::try_from(sequence).ok().and_then(|at| self.chain.get(at)).copied()
    }

    /// Whether an entry is held at a number, on any branch.
    #[must_use]
    pub fn holds(&self, sequence: u64, entry: &EntryId) -> bool {
        self.at(sequence) == Some(*entry)
            || self.branches.get(entry).is_some_and(|(number, _)| *number == sequence)
    }

    /// The highest entry under the word of the author's office above at this level, of which the
    /// entry is held.
    #[must_use]
    pub fn pinned(&self, by: Tier) -> Option<Point> {
        match by {
            Tier::County => self.county,
            Tier::Township => self.township,
            Tier::Village => None,
        }
    }

    /// The lowest slot with two variants.
    #[must_use]
    pub fn fork(&self) -> Option<u64> {
        self.crowds.first_key_value().map(|(sequence, _)| *sequence)
    }

    /// The ends of all branches.
    #[must_use]
    pub fn tips(&self) -> Vec<Point> {
        let head = self.head().map(|head| (self.size() - 1, head));
        head.into_iter().chain(self.ends.iter().copied()).collect()
    }

    /// The entries from the opening to `tip`, by number; `None` when the tip is not held.
    #[must_use]
    pub fn path(&self, tip: Point) -> Option<Vec<EntryId>> {
        let mut tail = Vec::new();
        let (mut sequence, mut id) = tip;
        while self.at(sequence) != Some(id) {
            let (number, previous) = self.branches.get(&id)?;
            if *number != sequence {
                return None;
            }
            tail.push(id);
            if sequence == 0 {
                tail.reverse();
                return Some(tail);
            }
            (sequence, id) = (sequence - 1, *previous);
        }
        let stem = usize::try_from(sequence).ok()? + 1;
        tail.reverse();
        Some(self.chain[..stem].iter().copied().chain(tail).collect())
    }

    /// The next entries, at most `most`, that somebody lacks who holds this log up to `known`, none
    /// before the one it follows. Points that are not held here count for nothing. Empty when nothing
    /// is lacking.
    #[must_use]
    pub fn lacking(&self, known: &[Point], most: usize) -> Vec<Point> {
        let reach = self.reach(known.iter().copied());
        let from = usize::try_from(reach.stem).unwrap_or(usize::MAX).min(self.chain.len());
        let chain = (reach.stem..).zip(self.chain[from..].iter().copied());
        let mut lacking: Vec<Point> = chain.take(most).collect();
        if lacking.len() < most && reach.beside.len() < self.branches.len() {
            let beside = self.branches.iter().filter(|(id, _)| !reach.beside.contains(*id));
            let mut beside: Vec<Point> = beside.map(|(id, (number, _))| (*number, *id)).collect();
            beside.sort_unstable();
            lacking.extend(beside.into_iter().take(most - lacking.len()));
        }
        lacking
    }

    /// Every entry held, with its number.
    pub fn entries(&self) -> impl Iterator<Item = Point> {
        let beside = self.branches.iter().map(|(id, (sequence, _))| (*sequence, *id));
        (0..).zip(self.chain.iter().copied()).chain(beside)
    }

    /// Whether the branch to `tip`, which is held, runs through a point.
    #[must_use]
    pub fn runs_through(&self, point: Point, tip: Point) -> bool {
        let reach = self.reach([tip]);
        match self.at(point.0) == Some(point.1) {
            true => point.0 < reach.stem,
            false => reach.beside.contains(&point.1) && self.holds(point.0, &point.1),
        }
    }

    /// Of these points those that are held here and before no other one: at most as many as there are
    /// tips.
    #[must_use]
    pub fn foremost(&self, points: impl IntoIterator<Item = Point>) -> Vec<Point> {
        let held = points.into_iter().filter(|(sequence, id)| self.holds(*sequence, id));
        if self.branches.is_empty() {
            return held.max().into_iter().collect();
        }
        let held: BTreeSet<Point> = held.collect();
        let passed = self.reach(held.iter().filter_map(|point| self.before(*point)));
        let is_last = |(sequence, id): &Point| match self.at(*sequence) == Some(*id) {
            true => *sequence >= passed.stem,
            false => !passed.beside.contains(id),
        };
        held.into_iter().filter(is_last).collect()
    }

    fn before(&self, (sequence, id): Point) -> Option<Point> {
        let number = sequence.checked_sub(1)?;
        let previous = match self.at(sequence) == Some(id) {
            true => self.at(number)?,
            false => self.branches.get(&id)?.1,
        };
        Some((number, previous))
    }

    /// All entries on the branches to these points. Every entry is passed once, however many points
    /// lie behind it.
    fn reach(&self, points: impl IntoIterator<Item = Point>) -> Reach {
        let mut reach = Reach { stem: 0, beside: BTreeSet::new() };
        for point in points {
            let mut next = Some(point);
            while let Some((sequence, id)) = next {
                if self.at(sequence) == Some(id) {
                    reach.stem = reach.stem.max(sequence + 1);
                    break;
                }
                let held = self.branches.get(&id).filter(|(number, _)| *number == sequence);
                next = match held {
                    Some((_, previous)) if reach.beside.insert(id) => {
                        sequence.checked_sub(1).map(|number| (number, *previous))
                    }
                    Some(_) | None => None,
                };
            }
        }
        reach
    }

    /// Points of the branch to `tip`, newest first, ever farther apart: at most 66.
    #[must_use]
    pub fn skeleton(&self, tip: Point) -> Vec<Point> {
        let path = self.path(tip).unwrap_or_default();
        let mut points = Vec::new();
        let mut back = 0;
        while let Some(at) = path.len().checked_sub(1 + back) {
            points.push((at as u64, path[at]));
            back = back * 2 + 1;
        }
        if let (Some(first), Some((last, _))) = (path.first(), points.last())
            && *last > 0
        {
            points.push((0, *first));
        }
        points
    }

    /// The entries of this log that a cut of its author or a decision of root names.
    pub(super) fn named(&self, roster: &Roster) -> impl Iterator<Item = Point> {
        let kept = roster.cut(&self.node).and_then(|cut| cut.get(&self.id)).copied();
        let adopted = roster.adopted_entries(&self.id).into_iter().flatten();
        let adopted = adopted.map(|(id, sequence)| (*sequence, *id));
        kept.into_iter().chain(roster.adjudicated(&self.id)).chain(adopted)
    }

    pub(super) fn variants(&self, sequence: u64) -> usize {
        let beside = self.crowds.get(&sequence).copied().unwrap_or(0);
        usize::from(self.at(sequence).is_some()) + beside
    }

    /// The right edge of the tree over the branch to a point; `None` when the point is not held.
    pub(super) fn edge(&self, point: Point) -> Option<Frontier> {
        if !self.holds(point.0, &point.1) {
            return None;
        }
        let (mut next, mut tail) = (Some(point), Vec::new());
        let mut edge = Frontier::new();
        while let Some((sequence, id)) = next {
            if let Some(mark) = self.mark(sequence, &id) {
                edge = mark.clone();
                break;
            }
            tail.push(id);
            next = self.before((sequence, id));
        }
        tail.iter().rev().for_each(|id| edge.push(id));
        Some(edge)
    }

    fn mark(&self, sequence: u64, entry: &EntryId) -> Option<&Frontier> {
        if self.at(sequence) != Some(*entry) {
            return self.marks_beside.get(entry);
        }
        let size = sequence + 1;
        let at = (size / MARK_EVERY).checked_sub(1).filter(|_| size.is_multiple_of(MARK_EVERY))?;
        usize::try_from(at).ok().and_then(|at| self.marks.get(at))
    }

    /// Raises a pin; the number from which standings may change.
    pub(super) fn raise(&mut self, tier: Tier, pin: Point) -> Option<u64> {
        let slot = match tier {
            Tier::County => &mut self.county,
            Tier::Township => &mut self.township,
            Tier::Village => return None,
        };
        let before = slot.map(|(sequence, _)| sequence);
        // Two pins of one rank and number on different branches: the lower id, on every node.
        let better = slot.is_none_or(|held| {
            (pin.0, std::cmp::Reverse(pin.1)) > (held.0, std::cmp::Reverse(held.1))
        });
        if !better {
            return None;
        }
        *slot = Some(pin);
        if self.branches.is_empty() {
            Some(before.map_or(0, |sequence| sequence + 1))
        } else {
            Some(0)
        }
    }
}

/// Entries on some branches.
struct Reach {
    /// Those of the first branch below this number.
    stem: u64,
    /// Those beside the first branch.
    beside: BTreeSet<EntryId>,
}
