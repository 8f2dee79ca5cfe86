//! The rules of forks, pins and cuts as architecture 4.3 and 4.4 say them, over small numbers. Shares
//! no code with the ledger. Each rule can be switched off or bent, to see that the checker bites.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::fact::{Book, Edict, Entry, Id, Key, Log, Office, Op, Pin, Rank, Said};

/// How firmly an entry stands; the first three count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stands {
    Final,
    Witnessed,
    Local,
    Pending,
    Disputed,
    Void,
}

impl Stands {
    pub(crate) fn counts(self) -> bool {
        self <= Self::Local
    }
}

/// Which rules hold. All as designed, or one of them bent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Rules {
    pub(crate) pins: Pins,
    pub(crate) cuts: Cuts,
    pub(crate) republish: Republish,
    pub(crate) compare: Compare,
    pub(crate) lost_witness: LostWitness,
    pub(crate) acts: Acts,
    pub(crate) new_witness: NewWitness,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pins {
    /// The highest pin whose entry is held counts.
    Held,
    /// The highest pin counts, held or not.
    BeforeHolding,
    /// A fork takes everything from the forked slot on, whoever pinned it.
    LoseToForks,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cuts {
    /// Log, number and entry; what is not listed is void.
    ClosedWorld,
    /// Log and number; what is not listed is void.
    NumberOnly,
    /// Log, number and entry; logs that are not listed live on.
    OpenWorld,
    /// A registrar's cut is as exact as root's.
    AllExact,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Republish {
    /// The own outbox at once, the rest when a person has said that it is theirs.
    OutboxThenAsk,
    /// Everything that the own key has signed.
    AllOfMyKey,
    /// Nothing.
    Nothing,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compare {
    /// Branches by the entries on them.
    Entries,
    /// A neighbour sends what lies above the highest number that one holds.
    NumbersInSync,
    /// A pin agrees with another, and extends it, when its number is higher.
    NumbersInPins,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LostWitness {
    /// A witness whose store was lost witnesses no more.
    Retires,
    /// It goes on in a new incarnation once it holds all that anybody has of its own log.
    AsksAll,
    /// It goes on in a new incarnation with what the backup holds.
    GoesOn,
}

/// Which entries say one act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Acts {
    /// Those of one office with one operation, whatever key signs.
    OfTheOffice,
    /// Those of one key with one operation.
    OfTheKey,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NewWitness {
    /// It pins nothing until it holds what was kept of the witness before it, and nothing in a log
    /// where a pin of its rank names an entry that it does not hold.
    Waits,
    /// It pins what it holds at once.
    Begins,
}

impl Rules {
    /// As designed.
    pub(crate) const DESIGNED: Self = Self {
        pins: Pins::Held,
        cuts: Cuts::ClosedWorld,
        republish: Republish::OutboxThenAsk,
        compare: Compare::Entries,
        lost_witness: LostWitness::Retires,
        acts: Acts::OfTheOffice,
        new_witness: NewWitness::Waits,
    };
}

/// What a set of entries amounts to under a roster.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct View {
    pub(crate) stands: BTreeMap<Id, Stands>,
    /// The pin that counts, by rank and log.
    pub(crate) pins: BTreeMap<(Rank, Log), Pin>,
    /// Logs of which a pin that counts names an entry that is not held, by the rank of the pin.
    pub(crate) awaited: BTreeSet<(Rank, Log)>,
    /// The lowest forked slot of each forked log.
    pub(crate) forks: BTreeMap<Log, u8>,
    /// Operations that count.
    pub(crate) counted: BTreeSet<Op>,
    /// Operations that are read as more than one act.
    pub(crate) twice: BTreeSet<Op>,
}

/// What the editions known amount to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Roster {
    /// What stands of cut keys, and by whose word.
    pub(crate) cuts: BTreeMap<Key, (Office, BTreeMap<Log, Id>)>,
    /// The branches that root has decided for.
    pub(crate) decided: BTreeMap<Log, Id>,
    /// Entries that root lets count.
    pub(crate) adopted: BTreeSet<Id>,
}

impl Roster {
    pub(crate) fn of(edicts: &[Edict]) -> Self {
        let mut roster = Self::default();
        for edict in edicts {
            match edict {
                Edict::Cut { by, key, kept } => {
                    // Root's word weighs more than a registrar's; of one authority the later.
                    let before = roster.cuts.get(key).map(|(by, _)| *by);
                    if *by == Office::Root || before != Some(Office::Root) {
                        roster.cuts.insert(*key, (*by, kept.iter().copied().collect()));
                    }
                }
                Edict::Adjudicate(log, id) => {
                    roster.decided.insert(*log, *id);
                }
                Edict::Adopt(id) => {
                    roster.adopted.insert(*id);
                }
            }
        }
        roster
    }

    /// Whether a key belongs to the county.
    pub(crate) fn enrols(&self, key: Key) -> bool {
        match key {
            Key::NewCounty | Key::Successor => self.cuts.keys().any(|cut| key.succeeds(*cut)),
            _ => true,
        }
    }
}

/// What stands, in any set of entries that holds the entry before each of its own. `lower` says
/// which of two entries has the lower id: of two pins of one rank and number it decides.
pub(crate) fn stand(
    book: &Book,
    held: &[Id],
    roster: &Roster,
    rules: Rules,
    lower: impl Fn(Id, Id) -> bool,
) -> View {
    let mut logs: BTreeMap<Log, Vec<(Id, Arc<Entry>)>> = BTreeMap::new();
    for id in held {
        let entry = book.read(*id);
        logs.entry(entry.log).or_default().push((*id, entry));
    }
    let mut view = View::default();
    let mut said: BTreeMap<Op, Key> = BTreeMap::new();
    // The county first, then townships, then villages: pins above decide about logs below.
    for (log, entries) in &logs {
        let fork = lowest_fork(entries);
        view.forks.extend(fork.map(|fork| (*log, fork)));
        let judge = judge(book, held, &view, roster, rules, *log, fork);
        for (id, entry) in entries {
            view.stands.insert(*id, judge(*id, entry.number));
        }
        let counts = |(id, _): &&(Id, Arc<Entry>)| view.stands[id].counts();
        for (_, entry) in entries.iter().filter(counts).collect::<Vec<_>>() {
            match &entry.said {
                Said::Typed(op) => {
                    view.counted.insert(*op);
                    let before = *said.entry(*op).or_insert(log.key);
                    if rules.acts == Acts::OfTheKey && before != log.key {
                        view.twice.insert(*op);
                    }
                }
                Said::Pins(pins) => {
                    for pin in pins {
                        if let Some(rank) = log.key.witnesses(pin.log.key)
                            && !held.contains(&pin.head)
                        {
                            view.awaited.insert((rank, pin.log));
                        }
                        raise(&mut view.pins, held, rules, log.key, *pin, &lower);
                    }
                }
                Said::Open(_) | Said::Variant(_) => {}
            }
        }
    }
    view
}

fn lowest_fork(entries: &[(Id, Arc<Entry>)]) -> Option<u8> {
    let mut numbers: Vec<u8> = entries.iter().map(|(_, entry)| entry.number).collect();
    numbers.sort_unstable();
    numbers.windows(2).find(|pair| pair[0] == pair[1]).map(|pair| pair[0])
}

/// The rule for one log: a cut of its key; root's decision on its fork; the county's pin; the own
/// township's; each where it does not contradict those before. From the fork on the rest is disputed.
/// What root adopts counts in any case.
fn judge(
    book: &Book,
    held: &[Id],
    view: &View,
    roster: &Roster,
    rules: Rules,
    log: Log,
    fork: Option<u8>,
) -> impl Fn(Id, u8) -> Stands + use<> {
    let lacks = |id: &Id| !held.contains(id);
    let path = |head: Option<Id>| -> Vec<Id> {
        let head = head.filter(|head| !lacks(head));
        head.map(|head| book.read(head).path.clone()).unwrap_or_default()
    };
    let pinned = |rank: Rank| {
        let pin = view.pins.get(&(rank, log));
        path(pin.map(|pin| pin.head))
    };
    let decided = roster.decided.get(&log).copied();
    let agreed = |first: Vec<Id>, next: Vec<Id>| join(rules, &first, &next);
    let (county, township) = (pinned(Rank::County), pinned(Rank::Township));
    let finals = agreed(path(decided), county.clone());
    let firm = agreed(finals.clone(), township);
    let undecided = decided.is_some_and(|id| lacks(&id));
    let enrolled = roster.enrols(log.key);
    let cut = roster.cuts.get(&log.key).map(|(by, kept)| (*by, kept.get(&log).copied()));
    let listed = cut.and_then(|(_, listed)| listed);
    let missing = listed.is_some_and(|id| lacks(&id));
    let path_of_county = county.clone();
    let kept = match cut {
        Some((Office::Registrar, _)) if rules.cuts != Cuts::AllExact => {
            agreed(county, path(listed))
        }
        _ => path(listed),
    };
    let promised = match cut {
        Some((Office::Registrar, _)) if rules.cuts != Cuts::AllExact => path_of_county,
        _ => kept.clone(),
    };
    let numbers_kept = listed.map_or(0, |id| book.read(id).number + 1);
    let adopted = roster.adopted.clone();
    move |id, number| {
        let forked = fork.is_some_and(|fork| number >= fork);
        let live = || match () {
            () if forked && rules.pins == Pins::LoseToForks => Stands::Disputed,
            () if undecided => Stands::Pending,
            () if finals.contains(&id) => Stands::Final,
            () if firm.contains(&id) => Stands::Witnessed,
            () if forked => Stands::Disputed,
            () => Stands::Local,
        };
        match (cut, rules.cuts) {
            _ if adopted.contains(&id) => Stands::Final,
            _ if !enrolled => Stands::Void,
            (None, _) => live(),
            (Some((_, None)), Cuts::OpenWorld) => live(),
            (Some(_), Cuts::NumberOnly) if number < numbers_kept => live(),
            (Some(_), Cuts::NumberOnly) => Stands::Void,
            (Some(_), _) if promised.contains(&id) => Stands::Final,
            (Some(_), _) if kept.contains(&id) => Stands::Witnessed,
            (Some(_), _) if missing => Stands::Pending,
            (Some(_), _) => Stands::Void,
        }
    }
}

/// The longer of two branches where one continues the other; else the first.
fn join(rules: Rules, first: &[Id], next: &[Id]) -> Vec<Id> {
    let common = first.len().min(next.len());
    let agrees = first[..common] == next[..common];
    if rules.compare == Compare::NumbersInPins {
        return first.iter().chain(next).copied().collect();
    }
    if agrees && next.len() > first.len() { next.to_vec() } else { first.to_vec() }
}

/// A pin counts once its entry is held, and the highest one counts.
fn raise(
    pins: &mut BTreeMap<(Rank, Log), Pin>,
    held: &[Id],
    rules: Rules,
    witness: Key,
    pin: Pin,
    lower: impl Fn(Id, Id) -> bool,
) {
    let Some(rank) = witness.witnesses(pin.log.key) else { return };
    if rules.pins != Pins::BeforeHolding && !held.contains(&pin.head) {
        return;
    }
    let counting = pins.entry((rank, pin.log)).or_insert(pin);
    let level = pin.number == counting.number;
    if pin.number > counting.number || (level && lower(pin.head, counting.head)) {
        *counting = pin;
    }
}

/// What an honest witness pins next in a log: the head of an unforked one; of a forked one what lies
/// below the fork, or the county the branch that the township pinned. Only beyond what its rank has
/// pinned, and on the same branch.
pub(crate) fn to_pin(
    book: &Book,
    held: &[Id],
    view: &View,
    roster: &Roster,
    rules: Rules,
    witness: Key,
    log: Log,
) -> Option<Pin> {
    let rank = witness.witnesses(log.key).filter(|_| roster.enrols(witness))?;
    if roster.cuts.contains_key(&log.key) || !roster.enrols(log.key) {
        return None;
    }
    let of_log = held.iter().map(|id| (*id, book.read(*id))).filter(|(_, e)| e.log == log);
    let at = |number: Option<u8>| {
        of_log.clone().filter(|(_, e)| number.is_none_or(|n| e.number == n)).max_by_key(number_of)
    };
    let before = view.pins.get(&(rank, log)).copied();
    let township = view.pins.get(&(Rank::Township, log)).copied();
    let above = |pin: Pin| before.is_none_or(|before| before.number < pin.number);
    let decided = roster.decided.get(&log).filter(|id| held.contains(id));
    let pin = match view.forks.get(&log) {
        Some(_) if decided.is_some() => {
            decided.map(|id| Pin { log, number: book.read(*id).number, head: *id })
        }
        None => at(None).map(|(head, entry)| Pin { log, number: entry.number, head }),
        Some(_) if rank == Rank::County && township.is_some_and(above) => township,
        Some(0) => None,
        Some(fork) => {
            at(Some(fork - 1)).map(|(head, entry)| Pin { log, number: entry.number, head })
        }
    }?;
    let extends = |before: Pin| match rules.compare {
        Compare::NumbersInPins => true,
        _ => book.read(pin.head).path.contains(&before.head),
    };
    (above(pin) && before.is_none_or(extends)).then_some(pin)
}

fn number_of(entry: &(Id, Arc<Entry>)) -> u8 {
    entry.1.number
}
