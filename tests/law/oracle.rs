//! Standings against an oracle: the rules of section 3.3 of the threats, written a second time over
//! plain facts (feeds, numbers, predecessors, pins, cuts) and walked in another way. It shares no
//! code with the ledger.

mod draw;

use std::collections::{BTreeMap, BTreeSet};

use xw_ledger::log::{DoorRefusal, Logs};
use xw_ledger::standing::Standing;
use xw_schemas::id::EntryId;

use crate::cases;
use crate::check::check_incremental_equals_from_scratch;
use crate::dice::Dice;
use draw::Sim;

/// Worlds compared in CI.
const WORLDS: u32 = 2_000;

type Id = EntryId;
/// Office number: 0 the county, 1 and 2 townships, then villages.
type Key = usize;
/// A key and its incarnation.
type Feed = (Key, u64);

const COUNTY: Key = 0;
const TOWNSHIPS: [Key; 2] = [1, 2];
const KEYS: usize = 9;

/// The township of a village.
fn township_of(key: Key) -> Option<Key> {
    (key > 2).then(|| 1 + key % 2)
}

/// What an entry says, as far as standings go.
#[derive(Clone)]
enum Said {
    Something,
    Pins(Vec<(Feed, u64, Id)>),
}

struct Fact {
    feed: Feed,
    number: u64,
    previous: Option<Id>,
    said: Said,
}

/// Cut keys: the feeds listed, with the last number and entry that stand.
type Cuts = BTreeMap<Key, BTreeMap<Feed, (u64, Id)>>;

/// How every entry of a set stands. Feeds are walked county first, then townships, then villages,
/// because the pins in them decide about the feeds below.
fn oracle(all: &BTreeMap<Id, Fact>, set: &BTreeSet<Id>, cuts: &Cuts) -> BTreeMap<Id, Standing> {
    let mut feeds: BTreeMap<Feed, BTreeMap<u64, Vec<Id>>> = BTreeMap::new();
    for id in set {
        let fact = &all[id];
        feeds.entry(fact.feed).or_default().entry(fact.number).or_default().push(*id);
    }
    // The key order is the order of levels.
    let mut county: BTreeMap<Feed, (u64, Id)> = BTreeMap::new();
    let mut township: BTreeMap<Feed, (u64, Id)> = BTreeMap::new();
    let mut stands = BTreeMap::new();
    for (feed, slots) in &feeds {
        let chain = |pin: Option<&(u64, Id)>| chain(all, set, pin.map(|(_, id)| *id));
        let (high, mut low) = (chain(county.get(feed)), chain(township.get(feed)));
        let common = high.len().min(low.len());
        if common > 0 && high[common - 1] != low[common - 1] {
            low.clear();
        }
        let fork = slots.iter().find(|(_, ids)| ids.len() > 1).map(|(number, _)| *number);
        let judge = |number: u64, id: &Id| match cuts.get(&feed.0) {
            Some(kept) => match kept.get(feed) {
                Some((_, last)) if !set.contains(last) => Standing::Pending,
                kept if chain(kept).contains(id) => Standing::Final,
                _ => Standing::Void,
            },
            None if high.contains(id) => Standing::Final,
            None if low.contains(id) => Standing::Witnessed,
            None if fork.is_some_and(|fork| number >= fork) => Standing::Disputed,
            None => Standing::Local,
        };
        for (number, ids) in slots {
            stands.extend(ids.iter().map(|id| (*id, judge(*number, id))));
        }
        for id in slots.values().flatten() {
            let Said::Pins(pins) = &all[id].said else { continue };
            for (target, number, head) in pins {
                let rank = match feed.0 {
                    COUNTY if target.0 != COUNTY => &mut county,
                    key if township_of(target.0) == Some(key) => &mut township,
                    _ => continue,
                };
                if !set.contains(head)
                    || !matches!(
                        stands[id],
                        Standing::Final | Standing::Witnessed | Standing::Local
                    )
                {
                    continue;
                }
                let pin = rank.entry(*target).or_insert((*number, *head));
                // Of two pins of one rank and number the lower id.
                if *number > pin.0 || (*number == pin.0 && *head < pin.1) {
                    *pin = (*number, *head);
                }
            }
        }
    }
    stands
}

/// The entries from the opening to `id`, first to last; none when it is not in the set.
fn chain(all: &BTreeMap<Id, Fact>, set: &BTreeSet<Id>, id: Option<Id>) -> Vec<Id> {
    let mut chain = Vec::new();
    let mut next = id.filter(|id| set.contains(id));
    while let Some(id) = next {
        chain.push(id);
        next = all[&id].previous;
    }
    chain.reverse();
    chain
}

#[test]
fn standings_are_what_the_oracle_says_in_every_drawn_world() {
    let mut seen: BTreeMap<Standing, u64> = BTreeMap::new();
    let mut surplus = 0;
    for seed in 0..u64::from(cases(WORLDS)) {
        let sim = Sim::run(seed);
        let mut dice = Dice(seed ^ 0x5eed);
        // What one node holds, which may lack what is pinned or cut; or everything.
        let whole: BTreeSet<Id> = sim.all.keys().copied().collect();
        let some = sim.held[dice.below(KEYS)].clone();
        for set in [whole, some] {
            surplus += check_standings_are_those_of_the_oracle(&sim, &set, &mut dice, &mut seen);
        }
    }
    // The worlds are worth something only when they reach every standing and every surplus.
    assert!(seen.len() == 6 && seen.values().all(|count| *count > 100), "{seen:?}");
    assert!(surplus > 20, "{surplus}");
}

/// ORACLE: every entry held stands as the oracle says. Gives how many the door did not keep.
fn check_standings_are_those_of_the_oracle(
    sim: &Sim,
    set: &BTreeSet<Id>,
    dice: &mut Dice,
    seen: &mut BTreeMap<Standing, u64>,
) -> usize {
    let roster = sim.chain.roster();
    let mut logs = Logs::new();
    let mut todo: Vec<Id> = set.iter().copied().collect();
    dice.shuffle(&mut todo);
    loop {
        let before = todo.len();
        todo.retain(|id| match logs.place(roster, &sim.entries[id]) {
            Ok(_) => false,
            Err(
                DoorRefusal::MissingPrevious
                | DoorRefusal::UnknownLog
                | DoorRefusal::EnoughVariants,
            ) => true,
            Err(other) => panic!("every entry here fits its log: {other}"),
        });
        if todo.len() == before {
            break;
        }
    }
    let surplus: BTreeSet<Id> = todo.into_iter().collect();
    let told = oracle(&sim.all, set, &sim.cuts);
    let mut held = BTreeMap::new();
    for (id, expected) in &told {
        let core = sim.entries[id].core();
        if surplus.contains(id) {
            let dropped = matches!(expected, Standing::Disputed | Standing::Void);
            assert!(dropped, "seed {}: {id:?} {expected:?} was not kept", sim.seed);
            continue;
        }
        let stands = logs.standing(roster, &core.log, core.sequence, id);
        assert_eq!(stands, *expected, "seed {}: {id:?} number {}", sim.seed, core.sequence);
        held.insert((core.log, core.sequence, *id), stands);
        *seen.entry(stands).or_default() += 1;
    }
    check_incremental_equals_from_scratch(&logs, roster, &held);
    surplus.len()
}
