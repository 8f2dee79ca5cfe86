//! One log with all its branches: where entries stand, what somebody else lacks of it, what is pinned.
//! Knows nothing of other logs.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::merkle::Frontier;
use xw_schemas::space::{Space, Tier};

use super::{PinnedLog, Point};
use crate::roster::Roster;

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
    /// The county's highest pin whose entry is held.
    pub(crate) county: Option<Point>,
    /// The own township's highest pin whose entry is held.
    pub(crate) township: Option<Point>,
    pub(super) frontier: Frontier,
    /// Witness entries in this log, with what they pin.
    pub(super) witnesses: BTreeMap<EntryId, (u64, Vec<PinnedLog>)>,
    /// Those of them that count, whose pins are applied.
    pub(super) counting: BTreeSet<EntryId>,
}

impl Log {
    pub(super) fn new(id: LogId, node: PublicKey, space: Space) -> Self {
        Self {
            id,
            node,
            space,
            chain: Vec::new(),
            branches: BTreeMap::new(),
            county: None,
            township: None,
            frontier: Frontier::new(),
            witnesses: BTreeMap::new(),
            counting: BTreeSet::new(),
        }
    }

    pub(super) fn append(&mut self, id: EntryId) {
        self.chain.push(id);
        self.frontier.push(&id);
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
        self.branches.values().map(|(sequence, _)| *sequence).min()
    }

    /// The ends of all branches.
    #[must_use]
    pub fn tips(&self) -> Vec<Point> {
        let mut tips: Vec<Point> =
            self.head().map(|head| (self.size() - 1, head)).into_iter().collect();
        let inner: BTreeSet<EntryId> =
            self.branches.values().map(|(_, previous)| *previous).collect();
        let ends = self.branches.iter().filter(|(id, _)| !inner.contains(*id));
        tips.extend(ends.map(|(id, (sequence, _))| (*sequence, *id)));
        tips
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

    /// The next entries, at most `most`, that somebody lacks who holds this log up to `known`.
    /// Points that are not held here count for nothing. Empty when nothing is lacking.
    #[must_use]
    pub fn lacking(&self, known: &[Point], most: usize) -> Vec<Point> {
        if self.branches.is_empty() {
            let next = known.iter().filter(|(s, id)| self.holds(*s, id)).map(|(s, _)| s + 1).max();
            return self.chain_from(next.unwrap_or(0), most);
        }
        for tip in self.tips() {
            let Some(path) = self.path(tip) else { continue };
            let on_path = |point: &&Point| {
                usize::try_from(point.0).ok().and_then(|at| path.get(at)) == Some(&point.1)
            };
            let next = known.iter().filter(on_path).map(|(s, _)| s + 1).max().unwrap_or(0);
            let lacking: Vec<Point> =
                (0..).zip(path).skip_while(|(s, _)| *s < next).take(most).collect();
            if !lacking.is_empty() {
                return lacking;
            }
        }
        Vec::new()
    }

    fn chain_from(&self, next: u64, most: usize) -> Vec<Point> {
        let from = usize::try_from(next).unwrap_or(usize::MAX).min(self.chain.len());
        (next..).zip(self.chain[from..].iter().copied()).take(most).collect()
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
        let branched = self.branches.values().filter(|(number, _)| *number == sequence).count();
        usize::from(self.at(sequence).is_some()) + branched
    }

    pub(super) fn root_after(&self, sequence: u64, entry: EntryId) -> [u8; 32] {
        self.path((sequence, entry)).map_or([0; 32], |path| {
            let mut frontier = Frontier::new();
            for id in &path {
                frontier.push(id);
            }
            frontier.root()
        })
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
