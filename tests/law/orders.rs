//! The one law as a property: sets of entries by honest and hostile authors, with roster editions
//! between them, delivered in many orders.

mod draw;

use std::collections::BTreeMap;

use proptest::prelude::*;
use proptest::test_runner::{Config, RngSeed};
use xw_ledger::judge::{Judged, judge};
use xw_ledger::log::{DoorRefusal, Logs, Placed, Restood};
use xw_ledger::roster::Chain;
use xw_ledger::verdict::Verdict;

use crate::cases;
use crate::check::{
    Spot, Standings, check_every_change_of_standing_is_announced,
    check_incremental_equals_from_scratch, check_same_judgement, check_same_standings, standings,
};
use crate::county::county;
use crate::dice::Dice;
use crate::world::World;
use draw::{Act, Drawn};

/// Drawn worlds in CI.
const CASES: u32 = 96;

/// Orders of arrival tried for each world.
const ORDERS: u64 = 4;

proptest! {
    #![proptest_config(Config {
        cases: cases(CASES),
        rng_seed: RngSeed::Fixed(20_260_105),
        failure_persistence: None,
        max_shrink_iters: 400,
        ..Config::default()
    })]

    #[test]
    fn any_order_gives_the_same_standings_verdicts_and_views(
        acts in proptest::collection::vec(any::<Act>(), 8..60),
        seed in any::<u64>(),
    ) {
        check_one_law(&Drawn::from(&acts), seed);
    }
}

/// What the worlds reach decides what the law above is worth.
#[test]
fn drawn_worlds_reach_every_standing_and_nearly_every_refusal() {
    let (mut standings, mut codes) = (BTreeMap::new(), BTreeMap::new());
    let mut dice = Dice(5);
    for _ in 0..96 {
        let acts: Vec<Act> =
            (0..60).map(|_| std::array::from_fn(|_| dice.next().to_le_bytes()[0])).collect();
        let outcome = deliver(&Drawn::from(&acts), None);
        for standing in outcome.standings.values() {
            *standings.entry(*standing).or_insert(0) += 1;
        }
        for verdict in outcome.judged.iter().flat_map(|judged| judged.verdicts.values()) {
            let code = match verdict {
                Verdict::Refused(refusal) => refusal.code(),
                Verdict::Waiting(_) => "(waiting)",
                Verdict::Sealed => "(sealed)",
                Verdict::Erased => "(erased)",
                Verdict::Admitted => "(admitted)",
            };
            *codes.entry(code).or_insert(0) += 1;
        }
    }
    println!("{standings:?} {codes:?}");
    assert_eq!(standings.len(), 6, "{standings:?}");
    assert!(codes.len() > 18, "{codes:?}");
}

fn check_one_law(drawn: &Drawn, seed: u64) {
    let canonical = deliver(drawn, None);
    for order in 0..ORDERS {
        let outcome = deliver(drawn, Some(seed.wrapping_add(order)));
        let how = "in two orders of arrival";
        check_same_standings(&canonical.standings, &outcome.standings, how);
        for (one, other) in canonical.judged.iter().zip(&outcome.judged) {
            check_same_judgement(one, other, how);
        }
    }
}

/// What one node holds in the end.
struct Outcome {
    standings: Standings,
    judged: Vec<Judged>,
}

/// Delivers everything; in canonical order, or in the order of a seed with duplicates. What the
/// door does not take yet comes again until nothing moves.
fn deliver(drawn: &Drawn, seed: Option<u64>) -> Outcome {
    let world = &drawn.world;
    let mut parcels: Vec<Parcel> = (0..drawn.editions.len()).map(Parcel::Edition).collect();
    let mut entries: Vec<usize> = (0..world.written.len()).collect();
    entries.sort_by_key(|at| {
        let core = world.written[*at].entry.core();
        (core.log, core.sequence, world.id(*at))
    });
    parcels.extend(entries.into_iter().map(Parcel::Entry));
    let mut dice = Dice(seed.unwrap_or(0));
    if seed.is_some() {
        let twice: Vec<Parcel> = parcels.iter().copied().filter(|_| dice.below(4) == 0).collect();
        parcels.extend(twice);
        dice.shuffle(&mut parcels);
    }
    let mut node = Node::new(county().chain());
    loop {
        let before = parcels.len();
        // In every other order what comes one after the other comes in one frame.
        if seed.is_some_and(|seed| seed % 2 == 1) {
            parcels = node.take_in_frames(drawn, &parcels, &mut dice);
        } else {
            parcels.retain(|parcel| !node.take(drawn, *parcel));
        }
        if parcels.len() == before {
            break;
        }
        if seed.is_some() {
            dice.shuffle(&mut parcels);
        }
    }
    check_incremental_equals_from_scratch(&node.logs, node.chain.roster(), &node.standings);
    let judged = (0..world.records.len()).map(|record| node.judge(world, record, &mut dice));
    let judged = judged.collect();
    Outcome { standings: node.standings, judged }
}

#[derive(Clone, Copy)]
enum Parcel {
    Edition(usize),
    Entry(usize),
}

/// A node that checks after every step what it is told of changed standings.
struct Node {
    chain: Chain,
    logs: Logs,
    standings: Standings,
}

impl Node {
    fn new(chain: Chain) -> Self {
        Self { chain, logs: Logs::new(), standings: Standings::new() }
    }

    /// Whether the parcel is done with: taken, or held already.
    fn take(&mut self, drawn: &Drawn, parcel: Parcel) -> bool {
        match parcel {
            Parcel::Edition(at) => {
                let taken = self.chain.add(drawn.editions[at].clone());
                if taken == Ok(true) {
                    let mut restood = Restood::default();
                    self.logs.reassess(self.chain.roster(), &mut restood);
                    self.settle(&restood, &[]);
                }
                taken.is_ok()
            }
            Parcel::Entry(at) => {
                let entry = &drawn.world.written[at].entry;
                let spot = (entry.core().log, entry.core().sequence, entry.id());
                match self.logs.place(self.chain.roster(), entry) {
                    Ok((Placed::Duplicate, restood)) => {
                        assert!(self.standings.contains_key(&spot));
                        assert_eq!(restood, Restood::default());
                        true
                    }
                    Ok((Placed::Appended | Placed::Forked, restood)) => {
                        self.settle(&restood, &[spot]);
                        true
                    }
                    Err(refusal) => is_for_good(refusal),
                }
            }
        }
    }

    /// Takes parcels, entries one to six at a time; gives those that come again.
    fn take_in_frames(
        &mut self,
        drawn: &Drawn,
        parcels: &[Parcel],
        dice: &mut Dice,
    ) -> Vec<Parcel> {
        let (mut left, mut rest) = (Vec::new(), parcels);
        while let Some(first) = rest.first() {
            let most = 1 + dice.below(6);
            let entry = |parcel: &Parcel| match parcel {
                Parcel::Entry(at) => Some(*at),
                Parcel::Edition(_) => None,
            };
            let frame: Vec<usize> = rest.iter().take(most).map_while(entry).collect();
            if frame.is_empty() {
                left.extend((!self.take(drawn, *first)).then_some(*first));
                rest = &rest[1..];
                continue;
            }
            rest = &rest[frame.len()..];
            left.extend(self.take_frame(drawn, &frame).into_iter().map(Parcel::Entry));
        }
        left
    }

    fn take_frame(&mut self, drawn: &Drawn, frame: &[usize]) -> Vec<usize> {
        let entries: Vec<_> = frame.iter().map(|at| &drawn.world.written[*at].entry).collect();
        let (placed, restood) = self.logs.place_all(self.chain.roster(), entries.iter().copied());
        let (mut new, mut left) = (Vec::new(), Vec::new());
        for (at, placed) in placed {
            match placed {
                Ok(Placed::Appended | Placed::Forked) => {
                    let core = entries[at].core();
                    new.push((core.log, core.sequence, entries[at].id()));
                }
                Ok(Placed::Duplicate) => {}
                Err(refusal) => left.extend((!is_for_good(refusal)).then_some(frame[at])),
            }
        }
        self.settle(&restood, &new);
        left
    }

    fn settle(&mut self, restood: &Restood, new: &[Spot]) {
        let held: Vec<Spot> = self.standings.keys().chain(new).copied().collect();
        let after = standings(&self.logs, self.chain.roster(), &held);
        check_every_change_of_standing_is_announced(&self.standings, &after, restood);
        self.standings = after;
    }

    fn judge(&self, world: &World, record: usize, dice: &mut Dice) -> Judged {
        let mut evidence = world.evidence(record, |written| {
            let core = written.entry.core();
            self.standings.get(&(core.log, core.sequence, written.entry.id())).copied()
        });
        dice.shuffle(&mut evidence);
        let roster = self.chain.roster();
        judge(roster, &world.county.definitions, world.records[record].id, &evidence)
    }
}

/// Whether an entry need not come again: never, since every one here fits its log.
fn is_for_good(refusal: DoorRefusal) -> bool {
    match refusal {
        DoorRefusal::MissingPrevious
        | DoorRefusal::UnknownLog
        | DoorRefusal::UnknownKey
        | DoorRefusal::NotItsSpace
        | DoorRefusal::EnoughVariants => false,
        other => panic!("every entry here fits its log: {other}"),
    }
}
