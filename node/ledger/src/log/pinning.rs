//! What witnesses pin: which of their entries count, which pins follow from that, which entries are
//! awaited for them. What came in together is looked at together.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::entry::Pin;
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::limits::{VARIANTS_AWAITED, VARIANTS_KEPT};
use xw_schemas::space::{Space, Tier};

use super::branches::WitnessEntry;
use super::{Log, Logs, PinnedLog, Point, Restood, WitnessHeld};
use crate::roster::Roster;
use crate::standing::{LogStanding, assess};

/// Offices above others: whose witness entries can be anybody's pins. Those of counties come first,
/// since what stands of their logs decides what stands of the others.
const WITNESSES: [Tier; 2] = [Tier::County, Tier::Township];

impl Logs {
    /// Notes a witness entry that was taken in.
    pub(super) fn hear_witness(&mut self, log: LogId, sequence: u64, id: EntryId, pins: &[Pin]) {
        let Some(held) = self.logs.get_mut(&log) else { return };
        let pinned = |pin: &Pin| PinnedLog {
            log: pin.log,
            head: (pin.size - 1, pin.head),
            time_s: pin.time_s,
        };
        let pins = pins.iter().map(pinned).collect();
        held.witnesses.insert(id, WitnessEntry { sequence, pins });
        self.unsettled.entry(log).or_default().push(id);
    }

    /// Works out what the witness entries pin that came in, and those that count anew or count no
    /// more. Whether any pin was looked at.
    pub(super) fn settle(&mut self, roster: &Roster, restood: &mut Restood) -> bool {
        let fresh = std::mem::take(&mut self.unsettled);
        let mut looked = false;
        for tier in WITNESSES {
            let due: BTreeSet<LogId> = fresh.keys().chain(restood.logs.keys()).copied().collect();
            for id in due {
                let Some(log) = self.logs.get(&id).filter(|log| !log.witnesses.is_empty()) else {
                    continue;
                };
                if office_tier(roster, &log.node) != Some(tier) {
                    continue;
                }
                let standing = assess(roster, log);
                let some = fresh.get(&id).filter(|_| !restood.logs.contains_key(&id));
                let counts = match some {
                    // The log stands as it did: only what came in is new.
                    Some(fresh) => log.counting_of(&standing, fresh.iter()),
                    None => log.counting_of(&standing, log.witnesses.keys()),
                };
                if some.is_none() && !counts.is_superset(&log.counting) {
                    self.repin(roster, restood);
                    return true;
                }
                let fresh: Vec<EntryId> = counts.difference(&log.counting).copied().collect();
                looked |= !fresh.is_empty();
                self.count_witnesses(roster, &id, &fresh, restood);
            }
        }
        looked
    }

    /// Works out every pin again after a new roster edition: any log may stand otherwise.
    pub fn reassess(&mut self, roster: &Roster, restood: &mut Restood) {
        self.repin(roster, restood);
        for id in self.logs.keys() {
            restood.note(*id, 0);
        }
    }

    /// Works out every pin again, and notes the logs in which any is another one than it was.
    fn repin(&mut self, roster: &Roster, restood: &mut Restood) {
        self.unsettled.clear();
        self.awaited.clear();
        let mut before = BTreeMap::new();
        let mut witnesses: BTreeSet<(Tier, LogId)> = BTreeSet::new();
        for (id, log) in &mut self.logs {
            before.insert(*id, (log.county.take(), log.township.take()));
            log.counting.clear();
            log.newest = None;
            let tier = office_tier(roster, &log.node).filter(|tier| WITNESSES.contains(tier));
            witnesses.extend(tier.filter(|_| !log.witnesses.is_empty()).map(|tier| (tier, *id)));
        }
        for (_, id) in witnesses {
            let log = &self.logs[&id];
            let counts = log.counting_of(&assess(roster, log), log.witnesses.keys());
            let counts: Vec<EntryId> = counts.into_iter().collect();
            self.count_witnesses(roster, &id, &counts, &mut Restood::default());
        }
        for (id, log) in &self.logs {
            if before[id] != (log.county, log.township) {
                restood.note(*id, 0);
            }
        }
    }

    /// Lets witness entries of a log count, and raises the pins that they make.
    fn count_witnesses(
        &mut self,
        roster: &Roster,
        log: &LogId,
        entries: &[EntryId],
        restood: &mut Restood,
    ) {
        for id in entries {
            let Some(log) = self.logs.get_mut(log) else { return };
            let Some(WitnessEntry { sequence, pins }) = log.witnesses.get(id).cloned() else {
                continue;
            };
            log.counting.insert(*id);
            log.newest = log.newest.max(Some((sequence, *id)));
            let witness = log.node;
            for pin in pins.iter() {
                self.apply_pin(roster, witness, pin, restood);
            }
        }
    }

    fn apply_pin(
        &mut self,
        roster: &Roster,
        witness: PublicKey,
        pin: &PinnedLog,
        restood: &mut Restood,
    ) {
        let PinnedLog { log: target, head: (sequence, head), .. } = *pin;
        if let Some(log) = self.logs.get_mut(&target) {
            let Some(tier) = roster.witness_rank(&witness, &log.node) else { return };
            if log.holds(sequence, &head) {
                if let Some(from) = log.raise(tier, (sequence, head)) {
                    restood.note(target, from);
                }
                return;
            }
        }
        self.awaited.entry(target).or_default().insert((witness, sequence, head));
    }

    /// A pin counts once the pinned entry is held.
    pub(super) fn meet_awaited(&mut self, roster: &Roster, target: LogId, restood: &mut Restood) {
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

    /// Whether an entry is, or may lead to, one that is pinned, or named by a cut or by root, and not
    /// held. There is room for some that may: whoever pins what nobody has lifts no limit.
    pub(super) fn is_awaited(
        &self,
        roster: &Roster,
        log: &Log,
        place: Point,
        variants: usize,
    ) -> bool {
        let pinned = self.awaited.get(&log.id).into_iter().flatten();
        let pinned = pinned.map(|(_, sequence, head)| (*sequence, *head));
        let named = log.named(roster).filter(|(sequence, id)| !log.holds(*sequence, id));
        let has_room = variants < VARIANTS_KEPT + VARIANTS_AWAITED;
        let mut awaited = pinned.chain(named);
        awaited.any(|awaited| awaited == place || (has_room && awaited.0 >= place.0))
    }

    /// Whether a pin, a cut or root names an entry of a log that is not held.
    #[must_use]
    pub fn awaits_any(&self, roster: &Roster, log: &LogId) -> bool {
        let lacks = |log: &Log| log.named(roster).any(|(sequence, id)| !log.holds(sequence, &id));
        self.awaited.contains_key(log) || self.logs.get(log).is_some_and(lacks)
    }

    /// What an honest witness pins next in a log: the head of an unforked one; of a forked one what
    /// lies below the fork, or for the county the branch that the township pinned. `None` when there
    /// is nothing beyond what this rank has pinned, or while an entry that this rank has pinned is
    /// not held: what lies here may be another branch.
    #[must_use]
    pub fn to_pin(&self, roster: &Roster, witness: &PublicKey, log: &LogId) -> Option<Point> {
        let log = self.logs.get(log)?;
        let tier = roster.witness_rank(witness, &log.node)?;
        let is_listed = |node| roster.node_office(node).is_some();
        if roster.cut(&log.node).is_some() || ![witness, &log.node].into_iter().all(is_listed) {
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
        let extends = pinned.is_none_or(|pin| pin.0 < target.0 && log.runs_through(pin, target));
        extends.then_some(target)
    }

    /// The last witness entry that counts of each log in a space.
    pub fn newest_witnesses(&self, space: Space) -> impl Iterator<Item = WitnessHeld<'_>> {
        self.in_space(space).filter_map(|log| log.witness_held(log.newest?.1))
    }

    /// The witness entries of a space that count, with what they pin.
    pub fn witnesses(&self, space: Space) -> impl Iterator<Item = WitnessHeld<'_>> {
        self.in_space(space)
            .flat_map(|log| log.counting.iter().filter_map(move |id| log.witness_held(*id)))
    }

    fn in_space(&self, space: Space) -> impl Iterator<Item = &Log> {
        let logs = self.spaces.get(&space).into_iter().flatten();
        logs.filter_map(|id| self.logs.get(id))
    }

    /// Pins of a log whose entry is not held: that much is known to be missing here.
    pub fn awaited(&self, log: &LogId) -> impl Iterator<Item = (PublicKey, Point)> {
        let awaited = self.awaited.get(log).into_iter().flatten();
        awaited.map(|(witness, sequence, head)| (*witness, (*sequence, *head)))
    }
}

impl Log {
    /// Which of these witness entries of the log count.
    fn counting_of<'a>(
        &self,
        standing: &LogStanding,
        entries: impl Iterator<Item = &'a EntryId>,
    ) -> BTreeSet<EntryId> {
        let counts = |id: &&EntryId| {
            let held = self.witnesses.get(*id);
            held.is_some_and(|held| standing.of(held.sequence, id).counts())
        };
        entries.filter(counts).copied().collect()
    }

    fn witness_held(&self, id: EntryId) -> Option<WitnessHeld<'_>> {
        let WitnessEntry { sequence, pins } = self.witnesses.get(&id)?;
        Some(WitnessHeld { witness: self.node, at: (*sequence, id), pins })
    }
}

impl WitnessHeld<'_> {
    /// The witness's clock, seconds since 1970.
    #[must_use]
    pub fn time_s(&self) -> u64 {
        self.pins.iter().map(|pin| pin.time_s).max().unwrap_or(0)
    }
}

fn office_tier(roster: &Roster, node: &PublicKey) -> Option<Tier> {
    roster.writing_office(node).map(|office| office.division.tier())
}
