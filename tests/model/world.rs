//! One small world: who is in it, how much each may do, and everything that may happen next. The
//! checker visits every state that these acts lead to.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::{Arc, Mutex};

use stateright::{Model, Property};

use crate::fact::{Book, Edict, Hand, Id, Key, Log, Office, Op, Pin, Rank, Said, THIEVES};
use crate::rules::{Compare, LostWitness, NewWitness, Roster, Rules, View, stand, to_pin};

/// How a member behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// A village that keeps the rules.
    Village,
    /// A second PC with a copy of the disk of the member named, once somebody has copied it.
    CloneOf(usize),
    /// A township or county that keeps the rules.
    Witness,
    /// A village that forks its own log anywhere.
    Liar,
    /// A township that pins anything and forks its own log.
    LyingWitness,
    /// Has copied the village's key and writes behind anything.
    Thief,
}

/// One member of a world.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Member {
    pub(crate) name: &'static str,
    pub(crate) key: Key,
    pub(crate) manner: Manner,
    /// How often it may type, witness, lie or steal.
    pub(crate) acts_max: u8,
    /// Whose entries reach it. The others would change nothing that it does.
    pub(crate) hears: &'static [Key],
}

/// A kind of roster edition, of which every possible one is issued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Decree {
    /// A key is cut.
    Cut(Office, Key),
    /// Root decides for an entry of the village's logs that lies on a fork.
    Adjudicate,
    /// Root adopts an entry that does not count where everything is held.
    Adopt,
}

/// A world and its bounds.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) name: &'static str,
    pub(crate) rules: Rules,
    pub(crate) members: Vec<Member>,
    /// Logs that are open, and known to all, in the beginning.
    pub(crate) open: Vec<Key>,
    /// Whether people are asked at any time, or only when everything has arrived.
    pub(crate) asks: bool,
    /// The member whose disk is backed up once, at any time.
    pub(crate) backed_up: Option<usize>,
    /// What the roster may decide, in this order.
    pub(crate) decrees: Vec<Decree>,
    pub(crate) book: Book,
    pub(crate) seen: Mutex<Seen>,
}

/// What was worked out so far.
#[derive(Default)]
pub(crate) struct Seen {
    views: BTreeMap<Vec<Edict>, BTreeMap<Vec<Id>, Arc<View>>>,
    /// What honest members have held.
    reached: BTreeSet<(Vec<Edict>, Vec<Id>)>,
}

/// Everything that decides what may happen next.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct State {
    pub(crate) nodes: Vec<Node>,
    /// Roster editions after the founding one.
    pub(crate) edicts: Vec<Edict>,
    /// How much each member has done; never goes back, whatever is restored.
    pub(crate) done: Vec<u8>,
    /// Logs opened by each member.
    pub(crate) opened: Vec<u8>,
    pub(crate) backed_up: bool,
    /// What honest people have typed, a bit each.
    pub(crate) typed: u32,
    pub(crate) broken: Option<Broken>,
}

/// One PC.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Node {
    pub(crate) runs: bool,
    pub(crate) disk: Disk,
    pub(crate) backup: Option<Disk>,
}

/// What is on its disk.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Disk {
    pub(crate) key: Key,
    /// Entries held, ascending.
    pub(crate) held: Vec<Id>,
    /// The last entry that this PC wrote, in the log that it writes.
    pub(crate) head: Option<Id>,
    /// What was typed here, and what a person has said is theirs, a bit each.
    pub(crate) outbox: u32,
    /// This disk was brought back from a backup, and says so.
    pub(crate) marked: bool,
    /// How many editions after the founding one are held.
    pub(crate) editions: usize,
}

/// An invariant that does not hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Broken {
    /// I3: what the county pinned has left a view.
    Final,
    /// I4: what somebody typed counts nowhere although every line is up and everyone has acted.
    Keep,
    /// I5: more of a cut key counts than the cut keeps.
    Revoke,
    /// I5: an honest PC has signed a thief's work.
    Launder,
    /// I4: an act counts more than once.
    Twice,
    /// I9: an honest witness has pinned two branches of one log.
    TwoBranches,
    /// Healing does not come to rest.
    Restless,
}

/// One thing that happens. Numbers are those of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Act {
    Type(usize),
    /// A PC sees that its log is not its own any more, or that work of its outbox does not count.
    Recover(usize),
    /// A person says that an operation signed by the office's key is theirs.
    Confirm(usize, Op),
    Witness(usize),
    Deliver(Id, usize),
    Hear(usize),
    Copy(usize),
    Backup(usize),
    /// With the marker that our own restore leaves, or by a disk image without.
    Restore(usize, bool),
    /// A liar or thief writes behind an entry, or opens a log.
    Fork(usize, Option<Id>),
    /// A liar pins an entry, in a statement behind an entry of its own log.
    LiePin(usize, Id, Id),
    Issue(Edict),
}

impl World {
    /// The view of a set of entries under the first editions.
    pub(crate) fn view(&self, held: &[Id], edicts: &[Edict]) -> Arc<View> {
        let mut seen = self.seen.lock().unwrap();
        if let Some(view) = seen.views.get(edicts).and_then(|views| views.get(held)) {
            return view.clone();
        }
        let roster = Roster::of(edicts);
        let view = Arc::new(stand(&self.book, held, &roster, self.rules, |a, b| a < b));
        seen.views.entry(edicts.to_vec()).or_default().insert(held.to_vec(), view.clone());
        view
    }

    /// Notes what an honest member holds.
    pub(crate) fn reach(&self, state: &State, at: usize) {
        let disk = &state.nodes[at].disk;
        let holding = (state.edicts[..disk.editions].to_vec(), disk.held.clone());
        self.seen.lock().unwrap().reached.insert(holding);
    }

    /// Everything that honest members have held in the states visited.
    pub(crate) fn reached(&self) -> BTreeSet<(Vec<Edict>, Vec<Id>)> {
        self.seen.lock().unwrap().reached.clone()
    }

    pub(crate) fn view_of(&self, state: &State, at: usize) -> Arc<View> {
        let disk = &state.nodes[at].disk;
        self.view(&disk.held, &state.edicts[..disk.editions])
    }

    /// Entries that exist on any running PC.
    pub(crate) fn existing(&self, state: &State) -> Vec<Id> {
        let mut all: Vec<Id> = state
            .nodes
            .iter()
            .filter(|node| node.runs)
            .flat_map(|node| node.disk.held.iter().copied())
            .collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    pub(crate) fn is_honest(&self, at: usize) -> bool {
        self.is_village(at) || self.members[at].manner == Manner::Witness
    }

    pub(crate) fn is_village(&self, at: usize) -> bool {
        matches!(self.members[at].manner, Manner::Village | Manner::CloneOf(_))
    }

    /// What an honest witness would pin next.
    pub(crate) fn pins(&self, state: &State, at: usize) -> Vec<Pin> {
        let disk = &state.nodes[at].disk;
        let own = |id: &&Id| self.book.read(**id).log.key == disk.key;
        let lost = disk.marked
            && match self.rules.lost_witness {
                LostWitness::Retires => true,
                LostWitness::AsksAll => {
                    !self.existing(state).iter().filter(own).all(|id| disk.held.contains(id))
                }
                LostWitness::GoesOn => false,
            };
        if lost {
            return Vec::new();
        }
        let view = self.view_of(state, at);
        let roster = Roster::of(&state.edicts[..disk.editions]);
        let lacks = |(_, kept): &(Office, BTreeMap<Log, Id>)| {
            kept.values().any(|id| disk.held.binary_search(id).is_err())
        };
        let before = roster.cuts.iter().find(|(key, _)| disk.key.succeeds(**key));
        let waits = self.rules.new_witness == NewWitness::Waits;
        let cut = roster.cuts.contains_key(&disk.key);
        if cut || (waits && before.is_some_and(|(_, cut)| lacks(cut))) {
            return Vec::new();
        }
        let awaits = |log: &&Log| {
            let rank = disk.key.witnesses(log.key);
            waits && rank.is_some_and(|rank| view.awaited.contains(&(rank, **log)))
        };
        let mut logs: Vec<Log> = disk.held.iter().map(|id| self.book.read(*id).log).collect();
        logs.sort_unstable();
        logs.dedup();
        let pin =
            |log: &Log| to_pin(&self.book, &disk.held, &view, &roster, self.rules, disk.key, *log);
        // Townships' logs carry nothing but pins; pinning them would only make the world larger.
        let of_villages = logs.iter().filter(|log| log.key.rank() == Rank::Village);
        of_villages.filter(|log| !awaits(log)).filter_map(pin).collect()
    }

    fn member_acts(&self, state: &State, at: usize, existing: &[Id], acts: &mut Vec<Act>) {
        let (node, member) = (&state.nodes[at], &self.members[at]);
        let may_act = state.done[at] < member.acts_max;
        let of_village = |id: &&Id| self.book.read(**id).log.key.rank() == Rank::Village;
        match member.manner {
            Manner::CloneOf(original) if !node.runs => {
                if state.nodes[original].disk.key == Key::Village {
                    acts.push(Act::Copy(at));
                }
                return;
            }
            Manner::Village | Manner::CloneOf(_) => {
                if may_act {
                    acts.push(Act::Type(at));
                }
                if self.is_due(state, at) {
                    acts.push(Act::Recover(at));
                }
                if self.asks {
                    let ops = self.to_confirm(state, at).into_iter();
                    acts.extend(ops.map(|op| Act::Confirm(at, op)));
                }
                if node.backup.is_some() {
                    acts.extend([Act::Restore(at, true), Act::Restore(at, false)]);
                }
            }
            Manner::Witness => {
                if may_act && !self.pins(state, at).is_empty() {
                    acts.push(Act::Witness(at));
                }
                // A witness's store never comes back unmarked: the mark lies outside of it.
                if node.backup.is_some() {
                    acts.push(Act::Restore(at, true));
                }
            }
            Manner::Liar | Manner::Thief => {
                if may_act {
                    let behind = existing.iter().filter(of_village);
                    acts.extend(behind.map(|id| Act::Fork(at, Some(*id))));
                    acts.push(Act::Fork(at, None));
                }
            }
            Manner::LyingWitness => {
                if may_act {
                    let own = node.disk.held.iter().filter(|id| {
                        let entry = self.book.read(**id);
                        entry.log.key == member.key
                    });
                    for behind in own {
                        let pins = existing.iter().filter(of_village);
                        acts.extend(pins.map(|id| Act::LiePin(at, *behind, *id)));
                    }
                }
            }
        }
        if self.backed_up == Some(at) && !state.backed_up {
            acts.push(Act::Backup(at));
        }
        if self.is_honest(at) && node.disk.editions < state.edicts.len() {
            acts.push(Act::Hear(at));
        }
        let lacking = existing.iter().filter(|id| self.may_take(&node.disk.held, **id));
        let heard = lacking.filter(|id| member.hears.contains(&self.book.read(**id).log.key));
        acts.extend(heard.map(|id| Act::Deliver(*id, at)));
    }

    /// Whether a PC takes an entry in: the entry before is held. A neighbour that compares numbers
    /// only offers nothing for a number that is held.
    pub(crate) fn may_take(&self, held: &[Id], id: Id) -> bool {
        if held.binary_search(&id).is_ok() {
            return false;
        }
        let entry = self.book.read(id);
        let known = |at: &Id| {
            let held = self.book.read(*at);
            held.log == entry.log && held.number >= entry.number
        };
        let offered = self.rules.compare != Compare::NumbersInSync || !held.iter().any(known);
        offered && entry.previous.is_none_or(|before| held.binary_search(&before).is_ok())
    }

    /// Every edition of a kind that somebody may decide on.
    fn possible_edicts(&self, existing: &[Id], edicts: &[Edict], decree: Decree) -> Vec<Edict> {
        let of = |key: Key| {
            let of_key = existing.iter().filter(move |id| self.book.read(**id).log.key == key);
            of_key.copied().collect::<Vec<Id>>()
        };
        let ids = of(Key::Village);
        match decree {
            Decree::Cut(by, key) => {
                let kept = self.choices(&of(key)).into_iter();
                kept.map(|kept| Edict::Cut { by, key, kept }).collect()
            }
            Decree::Adjudicate => {
                let decide = |id: &Id| Edict::Adjudicate(self.book.read(*id).log, *id);
                ids.iter().map(decide).collect()
            }
            Decree::Adopt => {
                let view = self.view(existing, edicts);
                let taken = |id: &Id| !view.stands[id].counts();
                ids.into_iter().filter(taken).map(Edict::Adopt).collect()
            }
        }
    }

    /// Of each log nothing, or everything up to some entry: whoever cuts a key may choose any.
    fn choices(&self, ids: &[Id]) -> Vec<Vec<(Log, Id)>> {
        let mut logs: BTreeMap<Log, Vec<Id>> = BTreeMap::new();
        for id in ids {
            logs.entry(self.book.read(*id).log).or_default().push(*id);
        }
        let mut choices = vec![Vec::new()];
        for (log, ids) in logs {
            let listed = |choice: &Vec<(Log, Id)>| -> Vec<Vec<(Log, Id)>> {
                let with = |id: &Id| choice.iter().copied().chain([(log, *id)]).collect();
                std::iter::once(choice.clone()).chain(ids.iter().map(with)).collect()
            };
            choices = choices.iter().flat_map(listed).collect();
        }
        choices
    }
}

impl Model for World {
    type State = State;
    type Action = Act;

    fn init_states(&self) -> Vec<State> {
        let mut held: Vec<Id> = self
            .open
            .iter()
            .map(|key| {
                let log = Log { key: *key, incarnation: 0 };
                self.book.write(log, None, Said::Open(0), Hand::Honest)
            })
            .collect();
        held.sort_unstable();
        let node = |member: &Member| {
            let own = |id: &&Id| self.book.read(**id).log.key == member.key;
            let writes = member.manner != Manner::Thief;
            let head = held.iter().find(own).copied().filter(|_| writes);
            let disk = Disk {
                key: member.key,
                held: held.clone(),
                head,
                outbox: 0,
                marked: false,
                editions: 0,
            };
            let runs = !matches!(member.manner, Manner::CloneOf(_));
            Node { runs, disk, backup: None }
        };
        vec![State {
            nodes: self.members.iter().map(node).collect(),
            edicts: Vec::new(),
            done: vec![0; self.members.len()],
            opened: vec![0; self.members.len()],
            backed_up: false,
            typed: 0,
            broken: None,
        }]
    }

    fn actions(&self, state: &State, acts: &mut Vec<Act>) {
        if state.broken.is_some() {
            return;
        }
        let existing = self.existing(state);
        for at in 0..self.members.len() {
            self.member_acts(state, at, &existing, acts);
        }
        if let Some(decree) = self.decrees.get(state.edicts.len()) {
            let edicts = self.possible_edicts(&existing, &state.edicts, *decree);
            acts.extend(edicts.into_iter().map(Act::Issue));
        }
    }

    fn next_state(&self, state: &State, act: Act) -> Option<State> {
        let mut next = state.clone();
        self.perform(&mut next, &act);
        if next == *state {
            return None;
        }
        next.broken = next.broken.or_else(|| self.breach(state, &next, &act));
        Some(next)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        vec![
            Property::always("final, witnessed once, revoked", |_, state: &State| {
                state.broken.is_none()
            }),
            Property::always("kept", |world: &Self, state: &State| {
                state.broken.is_some() || world.lost(state).is_none()
            }),
        ]
    }

    fn format_action(&self, act: &Act) -> String {
        let name = |at: &usize| self.members[*at].name;
        match act {
            Act::Deliver(id, to) => format!("{} gets {}", name(to), self.book.tell(*id)),
            Act::Fork(at, behind) => format!("{} writes behind {behind:?}", name(at)),
            Act::LiePin(at, behind, id) => format!("{} pins e{id} behind e{behind}", name(at)),
            Act::Type(at) => format!("{} types", name(at)),
            Act::Recover(at) => format!("{} recovers", name(at)),
            Act::Confirm(at, op) => format!("{} confirms op {op}", name(at)),
            Act::Witness(at) => format!("{} witnesses", name(at)),
            Act::Hear(at) => format!("{} hears of an edition", name(at)),
            Act::Copy(at) => format!("{} is cloned", name(at)),
            Act::Backup(at) => format!("{} is backed up", name(at)),
            Act::Restore(at, marked) => format!("{} is restored (marked: {marked})", name(at)),
            Act::Issue(edict) => format!("{edict:?} is issued"),
        }
    }
}

impl Node {
    pub(crate) fn take(&mut self, id: Id) {
        if let Err(at) = self.disk.held.binary_search(&id) {
            self.disk.held.insert(at, id);
        }
    }
}

/// The bit of an honest operation.
pub(crate) fn bit(op: Op) -> u32 {
    assert!(op < THIEVES, "a thief's operation is in no outbox");
    1 << op
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Seen({})", self.reached.len())
    }
}
