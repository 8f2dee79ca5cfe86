//! What witnesses that count say of each log, smallest prefix first: who pinned how much when. Answers
//! for entries of unforked logs; a fork's branches are asked of the ledger itself.

use std::collections::BTreeMap;

use xw_ledger::interval::Interval;
use xw_ledger::roster::Roster;
use xw_schemas::entry::{Pin, Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::space::{Space, Tier};

/// One pin of one log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinHeld {
    /// What was pinned.
    pub pin: Pin,
    /// Who pinned it.
    pub witness: PublicKey,
    /// The witness's rank over the log's author: county or township.
    pub tier: Tier,
    /// The witness entry in which the pin stands.
    pub entry: EntryId,
}

/// All pins that count, by log.
#[derive(Debug, Default)]
pub struct Pins {
    logs: BTreeMap<LogId, Pinned>,
    /// Author, log and newest time of each witness entry that counts.
    spoken: BTreeMap<EntryId, (PublicKey, LogId, u64)>,
}

/// The pins of one log.
#[derive(Debug, Default)]
struct Pinned {
    /// Smallest prefix first.
    pins: Vec<PinHeld>,
    /// For each place in `pins` where the earliest county's and the earliest township's pin stands
    /// from there on.
    earliest: Vec<[Option<usize>; 2]>,
}

impl Pins {
    /// Adds the pins of a witness entry that counts. Pins of logs over whose authors the witness has
    /// no rank say nothing.
    pub fn add(
        &mut self,
        roster: &Roster,
        entry: &VerifiedEntry,
        author: impl Fn(&LogId) -> Option<PublicKey>,
    ) {
        let Statement::Witness(pins) = &entry.core().statement else { return };
        let witness = entry.node();
        let newest = pins.iter().map(|pin| pin.time_s).max().unwrap_or(0);
        self.spoken.insert(entry.id(), (witness, entry.core().log, newest));
        for pin in pins {
            let Some(author) = author(&pin.log) else { continue };
            let Some(tier) = roster.witness_rank(&witness, &author) else { continue };
            let held = PinHeld { pin: pin.clone(), witness, tier, entry: entry.id() };
            self.logs.entry(pin.log).or_default().pins.push(held);
        }
    }

    /// Puts the pins in order; called once, when all are added.
    pub fn sort(&mut self) {
        for Pinned { pins, earliest } in self.logs.values_mut() {
            pins.sort_by_key(|held| (held.pin.size, held.tier, held.pin.time_s, held.entry));
            pins.dedup();
            *earliest = vec![[None; 2]; pins.len()];
            let mut known = [None; 2];
            for (at, held) in pins.iter().enumerate().rev() {
                let slot = &mut known[usize::from(held.tier != Tier::County)];
                let order = |at: usize| (pins[at].pin.time_s, pins[at].pin.size, pins[at].entry);
                if slot.is_none_or(|best| order(at) < order(best)) {
                    *slot = Some(at);
                }
                earliest[at] = known;
            }
        }
    }

    /// The pins of a log, smallest prefix first.
    #[must_use]
    pub fn of(&self, log: &LogId) -> &[PinHeld] {
        self.logs.get(log).map_or(&[], |pinned| pinned.pins.as_slice())
    }

    /// The pins of a log that cover an entry of this number.
    #[must_use]
    pub fn covering(&self, log: &LogId, number: u64) -> &[PinHeld] {
        let pins = self.of(log);
        &pins[pins.partition_point(|held| held.pin.size <= number)..]
    }

    /// The highest pin of a rank.
    #[must_use]
    pub fn highest(&self, log: &LogId, tier: Tier) -> Option<&PinHeld> {
        self.of(log).iter().rev().find(|held| held.tier == tier)
    }

    /// The first pin of a rank, by the witness's clock, that covers an entry of this number.
    #[must_use]
    pub fn first_covering(&self, log: &LogId, number: u64, tier: Tier) -> Option<&PinHeld> {
        let pinned = self.logs.get(log)?;
        let from = pinned.pins.partition_point(|held| held.pin.size <= number);
        let [county, township] = pinned.earliest.get(from)?;
        let at = if tier == Tier::County { county } else { township };
        at.and_then(|at| pinned.pins.get(at))
    }

    /// The bounds of an entry's time. `space` tells in which space a log lives.
    #[must_use]
    pub fn interval(
        &self,
        roster: &Roster,
        space: impl Fn(&LogId) -> Option<Space>,
        entry: &VerifiedEntry,
    ) -> Interval {
        let core = entry.core();
        let spoken = core.seen.and_then(|seen| self.spoken.get(&seen));
        let above = |(witness, log, _): &&(PublicKey, LogId, u64)| {
            roster.witness_rank(witness, &entry.node()).is_some() && space(log) == space(&core.log)
        };
        let named = spoken.filter(above).map(|(_, _, time_s)| *time_s);
        let first = |tier| self.first_covering(&core.log, core.sequence, tier);
        let covering = [Tier::Township, Tier::County].into_iter().filter_map(first);
        Interval::of(named, covering.map(|held| (held.tier, held.pin.time_s)))
    }
}
