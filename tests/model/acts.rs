//! What each act does to a world. Honest members act by the rules of architecture 4.4; the others
//! as they like.

use crate::fact::{Edict, Hand, Id, Key, Log, Op, Said, THIEVES};
use crate::rules::{Republish, View};
use crate::world::{Act, Disk, Manner, State, World, bit};

/// Operations that one member may type.
const OPS_EACH: u8 = 4;

/// Incarnations that one member may open.
const LOGS_EACH: u8 = 6;

impl World {
    pub(crate) fn perform(&self, state: &mut State, act: &Act) {
        match act {
            Act::Type(at) => self.type_in(state, *at),
            Act::Recover(at) => self.recover(state, *at),
            Act::Confirm(at, op) => self.confirm(state, *at, *op),
            Act::Witness(at) => self.witness(state, *at),
            Act::Deliver(id, at) => state.nodes[*at].take(*id),
            Act::Hear(at) => self.hear(state, *at),
            Act::Copy(at) => self.copy(state, *at),
            Act::Backup(at) => {
                state.nodes[*at].backup = Some(state.nodes[*at].disk.clone());
                state.backed_up = true;
            }
            Act::Restore(at, marked) => {
                let node = &mut state.nodes[*at];
                if let Some(disk) = node.backup.take() {
                    // A witness that goes on all the same does so in a log of its own.
                    let witness = self.members[*at].manner == Manner::Witness;
                    let head = disk.head.filter(|_| !witness);
                    node.disk = Disk { marked: *marked, head, ..disk };
                }
            }
            Act::Fork(at, behind) => self.fork(state, *at, *behind),
            Act::LiePin(at, behind, id) => {
                let entry = self.book.read(*id);
                let pin = crate::fact::Pin { log: entry.log, number: entry.number, head: *id };
                let log = self.book.read(*behind).log;
                self.put(state, *at, log, Some(*behind), Said::Pins(vec![pin]), Hand::Liar);
                state.done[*at] += 1;
            }
            Act::Issue(edict) => state.edicts.push(edict.clone()),
        }
    }

    /// Writes an entry behind another and keeps it.
    fn put(
        &self,
        state: &mut State,
        at: usize,
        log: Log,
        behind: Option<Id>,
        said: Said,
        hand: Hand,
    ) -> Id {
        let id = self.book.write(log, behind, said, hand);
        let entry = self.book.read(id);
        entry.path.iter().for_each(|id| state.nodes[at].take(*id));
        id
    }

    /// An honest PC writes at its head; without one it opens a log.
    fn append(&self, state: &mut State, at: usize, said: Said) {
        let head = match state.nodes[at].disk.head {
            Some(head) => head,
            None => {
                state.opened[at] += 1;
                assert!(state.opened[at] < LOGS_EACH, "a member opens few logs");
                let member = u8::try_from(at).expect("a world has few members");
                let incarnation = member * LOGS_EACH + state.opened[at];
                let log = Log { key: state.nodes[at].disk.key, incarnation };
                self.put(state, at, log, None, Said::Open(0), Hand::Honest)
            }
        };
        let log = self.book.read(head).log;
        let id = self.put(state, at, log, Some(head), said, Hand::Honest);
        state.nodes[at].disk.head = Some(id);
    }

    fn type_in(&self, state: &mut State, at: usize) {
        if self.is_due(state, at) {
            self.recover(state, at);
        }
        assert!(state.done[at] < OPS_EACH, "an operation belongs to one member");
        let op = Op::try_from(at).expect("a world has few members") * OPS_EACH + state.done[at];
        state.done[at] += 1;
        state.typed |= bit(op);
        state.nodes[at].disk.outbox |= bit(op);
        self.append(state, at, Said::Typed(op));
    }

    /// Whether the log that a PC writes is not its own alone: it is forked, goes on where this PC
    /// did not write, or the disk is marked as restored.
    fn is_taken(&self, disk: &Disk, view: &View) -> bool {
        let Some(head) = disk.head else { return false };
        let own = self.book.read(head);
        let foreign = |id: &Id| {
            let entry = self.book.read(*id);
            entry.log == own.log && !own.path.contains(id)
        };
        disk.marked || view.forks.contains_key(&own.log) || disk.held.iter().any(foreign)
    }

    /// Operations of the outbox that do not count here.
    fn pending(&self, disk: &Disk, view: &View) -> Vec<Op> {
        let ops = (0..THIEVES).filter(|op| disk.outbox & bit(*op) != 0);
        ops.filter(|op| !view.counted.contains(op)).collect()
    }

    pub(crate) fn is_due(&self, state: &State, at: usize) -> bool {
        let (disk, view) = (&state.nodes[at].disk, self.view_of(state, at));
        let republishes = self.rules.republish != Republish::Nothing;
        self.is_taken(disk, &view) || (republishes && !self.to_republish(disk, &view).is_empty())
    }

    fn to_republish(&self, disk: &Disk, view: &View) -> Vec<Op> {
        let mut ops = self.pending(disk, view);
        if self.rules.republish == Republish::AllOfMyKey {
            ops.extend(self.of_own_key(disk).into_iter().filter(|op| !view.counted.contains(op)));
            ops.sort_unstable();
            ops.dedup();
        }
        ops
    }

    /// Opens a new incarnation when the log is taken; writes again what of the outbox does not count.
    pub(crate) fn recover(&self, state: &mut State, at: usize) {
        let view = self.view_of(state, at);
        if self.is_taken(&state.nodes[at].disk, &view) {
            let disk = &mut state.nodes[at].disk;
            (disk.head, disk.marked) = (None, false);
        }
        if self.rules.republish == Republish::Nothing {
            return;
        }
        for op in self.to_republish(&state.nodes[at].disk, &view) {
            if op < THIEVES {
                state.nodes[at].disk.outbox |= bit(op);
            }
            self.append(state, at, Said::Typed(op));
        }
    }

    /// Operations held that the office's keys have signed.
    fn of_own_key(&self, disk: &Disk) -> Vec<Op> {
        let mut ops: Vec<Op> = disk
            .held
            .iter()
            .filter_map(|id| {
                let entry = self.book.read(*id);
                let own = matches!(entry.log.key, Key::Village | Key::Successor);
                match &entry.said {
                    Said::Typed(op) if own => Some(*op),
                    _ => None,
                }
            })
            .collect();
        ops.sort_unstable();
        ops.dedup();
        ops
    }

    /// What a person would be asked about and say yes to: operations that do not count, signed by
    /// the office, unknown to this PC, and typed by the office's people indeed.
    pub(crate) fn to_confirm(&self, state: &State, at: usize) -> Vec<Op> {
        let disk = &state.nodes[at].disk;
        if self.rules.republish != Republish::OutboxThenAsk {
            return Vec::new();
        }
        let view = self.view_of(state, at);
        let unknown = |op: &Op| *op < THIEVES && disk.outbox & bit(*op) == 0;
        let lost = |op: &Op| !view.counted.contains(op);
        self.of_own_key(disk).into_iter().filter(unknown).filter(lost).collect()
    }

    fn confirm(&self, state: &mut State, at: usize, op: Op) {
        state.nodes[at].disk.outbox |= bit(op);
        self.recover(state, at);
    }

    pub(crate) fn witness(&self, state: &mut State, at: usize) {
        let pins = self.pins(state, at);
        if !pins.is_empty() {
            self.append(state, at, Said::Pins(pins));
            state.done[at] = state.done[at].saturating_add(1);
        }
    }

    /// Takes up the next edition. The office whose key is cut goes on with its new one.
    pub(crate) fn hear(&self, state: &mut State, at: usize) {
        let disk = &mut state.nodes[at].disk;
        let edict = &state.edicts[disk.editions];
        disk.editions += 1;
        if let Edict::Cut { key, .. } = edict
            && self.is_village(at)
            && disk.key == *key
        {
            (disk.key, disk.head) = (Key::Successor, None);
        }
    }

    fn copy(&self, state: &mut State, at: usize) {
        if let Manner::CloneOf(original) = self.members[at].manner {
            state.nodes[at].disk = state.nodes[original].disk.clone();
            state.nodes[at].runs = true;
        }
    }

    /// A liar or thief writes behind any entry of the village, or opens a log. A liar's second
    /// opening is of the same log; a thief's is of a log of his own.
    fn fork(&self, state: &mut State, at: usize, behind: Option<Id>) {
        let hand = if self.members[at].manner == Manner::Thief { Hand::Thief } else { Hand::Liar };
        let number = state.done[at];
        state.done[at] += 1;
        let siblings = |log: Log, said: &dyn Fn(u8) -> Said| {
            let taken = |variant: &u8| {
                let id = self.book.write(log, behind, said(*variant), hand);
                state.nodes[at].disk.held.contains(&id)
            };
            (0..).find(|variant| !taken(variant)).expect("a liar stops somewhere")
        };
        match (hand, behind) {
            (Hand::Thief, behind) => {
                let own = Log { key: Key::Village, incarnation: 200 + number };
                let log = behind.map_or(own, |id| self.book.read(id).log);
                let opening = || self.book.write(own, None, Said::Open(0), hand);
                let behind = behind.unwrap_or_else(opening);
                self.put(state, at, log, Some(behind), Said::Typed(THIEVES + number), hand);
            }
            (_, None) => {
                let log = Log { key: self.members[at].key, incarnation: 0 };
                let variant = siblings(log, &Said::Open);
                self.put(state, at, log, None, Said::Open(variant), hand);
            }
            (_, Some(behind)) => {
                let log = self.book.read(behind).log;
                let variant = siblings(log, &Said::Variant);
                self.put(state, at, log, Some(behind), Said::Variant(variant), hand);
            }
        }
    }
}
