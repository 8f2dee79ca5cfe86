//! What must hold, asked after every act; and what must hold once every line is up and everyone has
//! acted.

use crate::fact::{Edict, Hand, Id, Office, Rank, Said, THIEVES};
use crate::rules::{Roster, Stands, View};
use crate::world::{Act, Broken, Manner, State, World, bit};

/// Rounds after which a healed world must have come to rest; each round every member gets everything
/// and acts once.
const ROUNDS_MAX: usize = 12;

impl World {
    /// What this act has broken.
    pub(crate) fn breach(&self, before: &State, after: &State, act: &Act) -> Option<Broken> {
        if matches!(act, Act::Witness(at) if self.pins_two_branches(after, *at)) {
            return Some(Broken::TwoBranches);
        }
        for at in (0..self.members.len()).filter(|at| self.is_honest(*at)) {
            let (was, is) = (&before.nodes[at], &after.nodes[at]);
            if was.disk == is.disk && before.edicts == after.edicts {
                continue;
            }
            let forgets = matches!(act, Act::Restore(..) | Act::Copy(_));
            if !is.runs || !was.runs && !forgets {
                continue;
            }
            self.reach(after, at);
            let view = self.view_of(after, at);
            if !forgets && self.leaves(&self.view_of(before, at), &view, after, at) {
                return Some(Broken::Final);
            }
            if self.exceeds(&view, after, at) {
                return Some(Broken::Revoke);
            }
            if !view.twice.is_empty() {
                return Some(Broken::Twice);
            }
            if is.disk.held.iter().any(|id| self.is_laundered(*id)) {
                return Some(Broken::Launder);
            }
        }
        None
    }

    /// FINAL: what the county pinned stays, unless root has cut the key, decided about the log, or cut
    /// the county's own word.
    fn leaves(&self, was: &View, is: &View, after: &State, at: usize) -> bool {
        let disk = &after.nodes[at].disk;
        let edicts = &after.edicts[..disk.editions];
        let left = |id: &Id| is.stands.get(id) != Some(&Stands::Final);
        let excused = |id: &Id| {
            let log = self.book.read(*id).log;
            edicts.iter().any(|edict| match edict {
                Edict::Cut { by, key, .. } => *by == Office::Root && log.key == *key,
                Edict::Adjudicate(decided, _) => *decided == log,
                Edict::Adopt(_) => false,
            })
        };
        let pins = was.stands.iter().filter(|(_, stands)| stands.counts()).map(|(id, _)| *id);
        let pins = pins.filter(|id| self.is_kept(*id, edicts, &disk.held));
        pins.flat_map(|id| self.county_pins(id)).any(|head| {
            let head = self.book.read(head);
            let was_final = |id: &Id| was.stands.get(id) == Some(&Stands::Final);
            head.path.iter().any(|id| was_final(id) && left(id) && !excused(id))
        })
    }

    /// What a witness entry of the county's pins; nothing for any other entry.
    fn county_pins(&self, id: Id) -> Vec<Id> {
        let entry = self.book.read(id);
        match &entry.said {
            Said::Pins(pins) if entry.log.key.rank() == Rank::County => {
                pins.iter().map(|pin| pin.head).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Whether every cut of an entry's key that is known keeps it, and what it keeps is held.
    fn is_kept(&self, id: Id, edicts: &[Edict], held: &[Id]) -> bool {
        let log = self.book.read(id).log;
        edicts.iter().all(|edict| match edict {
            Edict::Cut { key, kept, .. } if *key == log.key => kept
                .iter()
                .any(|(_, head)| held.contains(head) && self.book.read(*head).path.contains(&id)),
            _ => true,
        })
    }

    /// REVOKE: where a cut is known, nothing of the key counts but what lies on the way to an entry
    /// that the cut lists, what root has adopted by name, and under a registrar's cut what the county
    /// has pinned.
    fn exceeds(&self, view: &View, after: &State, at: usize) -> bool {
        let disk = &after.nodes[at].disk;
        let edicts = &after.edicts[..disk.editions];
        Roster::of(edicts).cuts.iter().any(|(key, (by, kept))| {
            let mut heads: Vec<Id> = kept.values().copied().collect();
            if *by == Office::Registrar {
                heads.extend(disk.held.iter().flat_map(|id| self.county_pins(*id)));
            }
            let paths: Vec<_> = heads.iter().map(|id| self.book.read(*id)).collect();
            let beyond = |id: &Id| {
                let of_key = self.book.read(*id).log.key == *key;
                let adopted = edicts.contains(&Edict::Adopt(*id));
                of_key && !adopted && !paths.iter().any(|entry| entry.path.contains(id))
            };
            view.stands.iter().any(|(id, stands)| stands.counts() && beyond(id))
        })
    }

    /// LAUNDER: an honest PC never signs a thief's operation.
    fn is_laundered(&self, id: Id) -> bool {
        let entry = self.book.read(id);
        entry.hand == Hand::Honest && matches!(entry.said, Said::Typed(op) if op >= THIEVES)
    }

    /// TWO BRANCHES: all pins that an honest witness ever signed for a log lie on one branch.
    fn pins_two_branches(&self, state: &State, at: usize) -> bool {
        let existing = self.existing(state);
        let pins: Vec<_> = existing
            .iter()
            .map(|id| self.book.read(*id))
            .filter(|entry| entry.log.key == state.nodes[at].disk.key)
            .filter_map(|entry| match &entry.said {
                Said::Pins(pins) => Some(pins.clone()),
                _ => None,
            })
            .flatten()
            .collect();
        pins.iter().any(|one| {
            pins.iter().any(|other| {
                let (low, high) =
                    if one.number <= other.number { (one, other) } else { (other, one) };
                let path = &self.book.read(high.head).path;
                one.log == other.log && !path.contains(&low.head)
            })
        })
    }

    /// KEEP: brings up every line and lets everyone act; then everything that an honest person typed,
    /// and that is still on an honest disk, counts everywhere.
    pub(crate) fn lost(&self, state: &State) -> Option<Broken> {
        let Some(healed) = self.heal(state) else { return Some(Broken::Restless) };
        let owed = state.typed & self.kept_somewhere(state);
        let counts = |at: usize| {
            let view = self.view_of(&healed, at);
            (0..THIEVES).filter(|op| owed & bit(*op) != 0).all(|op| view.counted.contains(&op))
        };
        let honest = (0..self.members.len()).filter(|at| self.is_honest(*at));
        let mut running = honest.filter(|at| healed.nodes[*at].runs);
        (!running.all(counts)).then_some(Broken::Keep)
    }

    /// Operations that are in an honest PC's outbox or among the entries that it holds.
    fn kept_somewhere(&self, state: &State) -> u32 {
        let mut ops = 0;
        for (at, node) in state.nodes.iter().enumerate() {
            if !node.runs || !self.is_honest(at) {
                continue;
            }
            ops |= node.disk.outbox;
            for id in &node.disk.held {
                if let Said::Typed(op) = self.book.read(*id).said
                    && op < THIEVES
                {
                    ops |= bit(op);
                }
            }
        }
        ops
    }

    /// Everything reaches everyone, and every honest member does what there is to do, until nothing
    /// changes.
    fn heal(&self, state: &State) -> Option<State> {
        let mut healed = state.clone();
        for _ in 0..ROUNDS_MAX {
            let before = healed.clone();
            let all = self.existing(&healed);
            for at in (0..self.members.len()).filter(|at| self.is_honest(*at)) {
                if !healed.nodes[at].runs {
                    continue;
                }
                while healed.nodes[at].disk.editions < healed.edicts.len() {
                    self.hear(&mut healed, at);
                }
                while let Some(id) =
                    all.iter().find(|id| self.may_take(&healed.nodes[at].disk.held, **id))
                {
                    healed.nodes[at].take(*id);
                }
                if self.is_village(at) {
                    for op in self.to_confirm(&healed, at) {
                        healed.nodes[at].disk.outbox |= bit(op);
                    }
                    if self.is_due(&healed, at) {
                        self.recover(&mut healed, at);
                    }
                }
                if self.members[at].manner == Manner::Witness {
                    self.witness(&mut healed, at);
                }
            }
            if healed == before {
                return Some(healed);
            }
        }
        None
    }
}
