//! The ledger's own code against the rules: for every set of entries and roster that a node of a
//! world may hold, reached in every order of arrival, everything stands as the rules say.
//!
//! All orders are covered without walking each: a set is reached from every set that lacks one last
//! entry or edition, in every internal state that the ledger can have there.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::hash::{DefaultHasher, Hash, Hasher};

use xw_ledger::log::{DoorRefusal, Logs, Restood};
use xw_ledger::standing::Standing;

use crate::fact::{Edict, Id, Key};
use crate::rules::{Roster, Rules, Stands, View, stand, to_pin};
use crate::signed::{Signed, node};
use crate::world::World;

/// What a node may hold.
type Holding = (Vec<Edict>, Vec<Id>);

/// One internal state of the ledger.
struct Held {
    logs: Logs,
    /// Entries that came and were not kept, because two variants of their slot are.
    surplus: BTreeSet<Id>,
}

/// All internal states that the orders of arrival of one holding lead to.
struct Reached {
    view: View,
    states: BTreeMap<u64, Held>,
}

/// How much was compared.
#[derive(Debug, Default)]
pub(crate) struct Compared {
    holdings: usize,
    arrivals: usize,
    /// Internal states: where there are more than holdings, the order left a trace.
    states: usize,
    /// How entries stood.
    pub(crate) seen: BTreeSet<Stands>,
}

impl fmt::Display for Compared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { holdings, arrivals, states, .. } = self;
        write!(f, "{holdings} holdings, {arrivals} arrivals, {states} internal states")
    }
}

/// ARRIVAL: compares everything that was reached, in every order.
pub(crate) fn check_the_ledger_says_the_same(world: &World) -> Compared {
    let signed = Signed::new(&world.book);
    let bench = Bench { world, signed: &signed };
    let mut compared = Compared::default();
    let mut below: BTreeMap<Holding, Reached> = BTreeMap::new();
    for (_, layer) in layers(bench.closure()) {
        let mut reached = BTreeMap::new();
        for holding in layer {
            let states = bench.reach(&holding, &below, &mut compared);
            compared.holdings += 1;
            compared.states += states.states.len();
            compared.seen.extend(states.view.stands.values());
            reached.insert(holding, states);
        }
        below = reached;
    }
    compared
}

fn layers(holdings: BTreeSet<Holding>) -> BTreeMap<usize, Vec<Holding>> {
    let mut layers: BTreeMap<usize, Vec<Holding>> = BTreeMap::new();
    for holding in holdings {
        layers.entry(holding.0.len() + holding.1.len()).or_default().push(holding);
    }
    layers
}

struct Bench<'a> {
    world: &'a World,
    signed: &'a Signed<'a>,
}

impl Bench<'_> {
    /// Everything reached, and everything that a node may hold on the way there.
    fn closure(&self) -> BTreeSet<Holding> {
        let mut open: Vec<Holding> = self.world.reached().into_iter().collect();
        let mut closed: BTreeSet<Holding> = open.iter().cloned().collect();
        while let Some(holding) = open.pop() {
            for (before, _) in self.before(&holding) {
                if closed.insert(before.clone()) {
                    open.push(before);
                }
            }
        }
        closed
    }

    /// The holdings that lack what came last, with the entry, or nothing for an edition.
    fn before(&self, (edicts, held): &Holding) -> Vec<(Holding, Option<Id>)> {
        let entries: Vec<_> = held.iter().map(|id| self.world.book.read(*id)).collect();
        let is_last = |id: &Id| !entries.iter().any(|entry| entry.previous == Some(*id));
        let mut before: Vec<(Holding, Option<Id>)> = held
            .iter()
            .filter(|id| is_last(id))
            .map(|last| {
                let rest = held.iter().copied().filter(|id| id != last).collect();
                ((edicts.clone(), rest), Some(*last))
            })
            .collect();
        if let Some((_, rest)) = edicts.split_last() {
            before.push(((rest.to_vec(), held.clone()), None));
        }
        before
    }

    fn reach(
        &self,
        holding: &Holding,
        below: &BTreeMap<Holding, Reached>,
        compared: &mut Compared,
    ) -> Reached {
        let (edicts, held) = holding;
        let roster = self.signed.roster(edicts);
        let mut states = BTreeMap::new();
        let view = self.expected(holding);
        if held.is_empty() && edicts.is_empty() {
            let none = Held { logs: Logs::new(), surplus: BTreeSet::new() };
            return Reached { view, states: BTreeMap::from([(0, none)]) };
        }
        for (before, last) in self.before(holding) {
            let Some(from) = below.get(&before) else {
                panic!("{before:?} lies below {holding:?}")
            };
            for state in from.states.values() {
                let mut logs = state.logs.clone();
                let mut surplus = state.surplus.clone();
                let mut restood = Restood::default();
                surplus.extend(last);
                if last.is_none() {
                    logs.reassess(&roster, &mut restood);
                }
                self.offer(&mut logs, &roster, &mut surplus, &mut restood);
                compared.arrivals += 1;
                let kept = |id: &Id| !state.surplus.contains(id) && !surplus.contains(id);
                self.check_changes_are_announced(&from.view, &view, kept, &restood);
                let mut hasher = DefaultHasher::new();
                (format!("{logs:?}"), &surplus).hash(&mut hasher);
                states.entry(hasher.finish()).or_insert(Held { logs, surplus });
            }
        }
        for state in states.values() {
            self.check_standings(holding, &view, state, &roster);
        }
        if let Some(state) = states.values().next() {
            let mut logs = state.logs.clone();
            logs.reassess(&roster, &mut Restood::default());
            let scratch = Held { logs, surplus: state.surplus.clone() };
            self.check_standings(holding, &view, &scratch, &roster);
        }
        Reached { view, states }
    }

    /// Offers what came, and again what was not kept, as a neighbour would.
    fn offer(
        &self,
        logs: &mut Logs,
        roster: &xw_ledger::roster::Roster,
        surplus: &mut BTreeSet<Id>,
        restood: &mut Restood,
    ) {
        loop {
            let before = surplus.len();
            surplus.retain(|id| match logs.place(roster, &self.signed.entry(*id)) {
                Ok((_, changed)) => {
                    restood.join(changed);
                    false
                }
                // The key is enrolled by an edition on its way; the opening waits for it, and all behind it.
                Err(
                    DoorRefusal::EnoughVariants
                    | DoorRefusal::MissingPrevious
                    | DoorRefusal::UnknownKey
                    | DoorRefusal::UnknownLog,
                ) => true,
                Err(refusal) => panic!("{}: {refusal}", self.world.book.tell(*id)),
            });
            if surplus.len() == before {
                return;
            }
        }
    }

    /// What the rules say, with the real ids where the lower one decides.
    fn expected(&self, (edicts, held): &Holding) -> View {
        let lower = |a: Id, b: Id| self.signed.id(a) < self.signed.id(b);
        stand(&self.world.book, held, &Roster::of(edicts), Rules::DESIGNED, lower)
    }

    /// STANDINGS: every entry stands, and every witness pins, as the rules say.
    fn check_standings(
        &self,
        holding: &Holding,
        view: &View,
        state: &Held,
        roster: &xw_ledger::roster::Roster,
    ) {
        let (edicts, held) = holding;
        let rules = Roster::of(edicts);
        let told = |id: &Id| self.world.book.tell(*id);
        let all = || held.iter().map(told).collect::<Vec<_>>().join("\n");
        let mut logs = BTreeSet::new();
        for (id, expected) in &view.stands {
            let entry = self.world.book.read(*id);
            if state.surplus.contains(id) {
                assert!(!expected.counts(), "{} counts and was not kept\n{}", told(id), all());
                continue;
            }
            logs.insert(entry.log);
            let log = self.signed.log(entry.log);
            let stands =
                state.logs.standing(roster, &log, entry.number.into(), &self.signed.id(*id));
            let differs =
                || format!("{} under {edicts:?} among\n{}\n{:?}", told(id), all(), state.logs);
            assert_eq!(same(stands), *expected, "{}", differs());
        }
        for log in logs {
            let fork = state.logs.log(&self.signed.log(log)).and_then(xw_ledger::log::Log::fork);
            let expected = view.forks.get(&log).copied().map(u64::from);
            assert_eq!(fork, expected, "{log:?} among\n{}", all());
            for witness in [Key::County, Key::NewCounty, Key::Town, Key::Stranger] {
                let book = &self.world.book;
                let pin = to_pin(book, held, view, &rules, Rules::DESIGNED, witness, log);
                let pin = pin.map(|pin| (u64::from(pin.number), self.signed.id(pin.head)));
                let pinned = state.logs.to_pin(roster, &node(witness), &self.signed.log(log));
                let rank = witness.witnesses(log.key);
                let awaits = rank.is_some_and(|rank| view.awaited.contains(&(rank, log)));
                // Where it knows of a pin that it cannot follow, a witness may as well say nothing.
                if awaits && pinned.is_none() {
                    continue;
                }
                let held = || format!("{witness:?} {log:?} under {edicts:?} among\n{}", all());
                assert_eq!(pinned, pin, "{}", held());
            }
        }
    }

    /// ANNOUNCED: whatever changed its standing was announced, with a number not above its own. The
    /// store rewrites nothing else.
    fn check_changes_are_announced(
        &self,
        was: &View,
        is: &View,
        kept: impl Fn(&Id) -> bool,
        restood: &Restood,
    ) {
        for (id, before) in was.stands.iter().filter(|(id, _)| kept(id)) {
            if is.stands[id] == *before {
                continue;
            }
            let entry = self.world.book.read(*id);
            let from = restood.logs.get(&self.signed.log(entry.log));
            let announced = from.is_some_and(|from| *from <= u64::from(entry.number));
            assert!(announced, "{} went from {before:?} unannounced", self.world.book.tell(*id));
        }
    }
}

fn same(standing: Standing) -> Stands {
    match standing {
        Standing::Final => Stands::Final,
        Standing::Witnessed => Stands::Witnessed,
        Standing::Local => Stands::Local,
        Standing::Pending => Stands::Pending,
        Standing::Disputed => Stands::Disputed,
        Standing::Void => Stands::Void,
    }
}
