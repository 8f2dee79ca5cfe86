//! What happens to disks: backups put back, disks copied and used twice, and what an honest node does
//! about it: it closes its logs, goes on in new ones and says again what its own people typed.

use xw_ledger::draft::{Author, Tail, write_erasure};
use xw_ledger::judge::Evidence;
use xw_ledger::republish::{republish_change, stands_again};
use xw_schemas::cose::SecretKey;
use xw_schemas::entry::{Erasure, ErasureGround};
use xw_schemas::id::{EntryId, LogId, RecordId};
use xw_schemas::space::Space;

use crate::county::County;
use crate::founding::Seat;
use crate::memory::Commit;

impl County {
    /// A copy of the disk is put aside.
    pub fn back_up(&mut self, seat: Seat) {
        self.log(|_| format!("{seat} is backed up"));
        self.nodes[seat].backup = Some(self.nodes[seat].disk.len());
    }

    /// The copy is put back, with the marker that every copy carries. What was only on this disk is
    /// gone, and nobody was promised otherwise.
    pub fn restore(&mut self, seat: Seat) {
        let Some(length) = self.nodes[seat].backup else { return };
        self.log(|_| format!("{seat} is restored from its backup"));
        self.forget(seat, length);
        if !self.habits.ignores_restore_marker {
            self.nodes[seat].disk.push(Commit::Retired);
        }
        self.restarts(seat);
    }

    /// The disk is as it was when the copy was made, and nothing says so: a restore card, an image
    /// written back. What was only on this disk is gone.
    pub fn roll_back(&mut self, seat: Seat) {
        let Some(length) = self.nodes[seat].backup else { return };
        self.log(|_| format!("the disk of {seat} is put back"));
        self.forget(seat, length);
        self.restart(seat);
    }

    fn forget(&mut self, seat: Seat, length: usize) {
        self.crash(seat);
        self.nodes[seat].disk.truncate(length);
        let left = self.on_disk(seat);
        self.promises.saved.retain(|(at, id)| *at != seat || left.contains(id));
        self.promises.acknowledged.retain(|(at, id)| *at != seat || left.contains(id));
        // What the node has seen, it has forgotten.
        self.nodes[seat].firm.clear();
        self.nodes[seat].roster_number = 1;
    }

    /// A person vouches for everything that bears this office's keys.
    pub fn vouch(&mut self, seat: Seat) {
        let key = self.nodes[seat].key;
        let entries = self.nodes[seat].memory.entries.values();
        let own = entries.filter(|kept| kept.entry.node() == key && kept.entry.change().is_some());
        let own: Vec<EntryId> = own.map(|kept| kept.entry.id()).collect();
        self.nodes[seat].disk.extend(own.iter().map(|id| Commit::Typed(*id)));
        self.nodes[seat].memory.typed.extend(own);
    }

    /// The disk is copied; from now on there are two PCs of one key, of which one runs at a time.
    pub fn clone_disk(&mut self, seat: Seat) {
        if self.nodes[seat].spare.is_none() {
            self.log(|_| format!("the disk of {seat} is cloned"));
            self.nodes[seat].spare = Some(self.nodes[seat].disk.clone());
        }
    }

    /// The other one of two PCs is switched on.
    pub fn swap(&mut self, seat: Seat) {
        if self.nodes[seat].spare.is_none() {
            return;
        }
        self.log(|_| format!("{seat} goes on with its other disk"));
        self.crash(seat);
        let node = &mut self.nodes[seat];
        if let Some(spare) = &mut node.spare {
            std::mem::swap(&mut node.disk, spare);
        }
        node.firm.clear();
        node.roster_number = 1;
        self.restarts(seat);
    }

    fn restarts(&mut self, seat: Seat) {
        let ms = 200 + self.dice.below(2_000);
        self.restart_in(seat, ms);
    }

    /// Every entry on any disk of a seat.
    #[must_use]
    pub fn on_disk(&self, seat: Seat) -> std::collections::BTreeSet<EntryId> {
        let node = &self.nodes[seat];
        let commits = node.disk.iter().chain(node.spare.iter().flatten());
        commits.flat_map(Commit::entries).map(|kept| kept.entry.id()).collect()
    }

    /// The node writes in its logs no more: somebody else may have.
    pub(crate) fn retire(&mut self, seat: Seat) {
        if self.nodes[seat].memory.own_logs.is_empty() {
            return;
        }
        self.log(|_| format!("{seat} closes its logs"));
        self.nodes[seat].disk.push(Commit::Retired);
        self.nodes[seat].memory.own_logs.clear();
        self.nodes[seat].memory.retired = true;
    }

    /// Closes the logs when a fork of one of them has come in.
    pub(crate) fn mind_own_forks(&mut self, seat: Seat) {
        let memory = &self.nodes[seat].memory;
        let forked = |log: &LogId| memory.logs.log(log).is_some_and(|log| log.fork().is_some());
        if memory.own_logs.values().any(forked) {
            self.retire(seat);
        }
    }

    /// Says again what was typed on this disk and does not stand.
    pub(crate) fn republish(&mut self, seat: Seat) {
        if self.hostile.contains(&seat) || !self.nodes[seat].up || self.habits.never_republishes {
            return;
        }
        let key = self.nodes[seat].key;
        let memory = &self.nodes[seat].memory;
        if memory.chain.roster().cut(&key).is_some() || !memory.knows_rules() {
            return;
        }
        let all = self.habits.republishes_all_of_its_key;
        let mine = |id: &EntryId| all || memory.typed.contains(id);
        let mut lost: Vec<(u64, u64, EntryId)> = memory
            .entries
            .values()
            .filter(|kept| kept.entry.node() == key && kept.entry.change().is_some())
            .filter(|kept| mine(&kept.entry.id()) && !memory.standing(&kept.entry).counts())
            .map(|kept| {
                let core = kept.entry.core();
                (core.claimed_time_ms, core.sequence, kept.entry.id())
            })
            .collect();
        lost.sort_unstable();
        for (_, _, id) in lost {
            self.say_again(seat, id);
        }
    }

    fn say_again(&mut self, seat: Seat, id: EntryId) -> Option<()> {
        let memory = &self.nodes[seat].memory;
        let kept = memory.entries.get(&id)?.clone();
        let space = memory.logs.log(&kept.entry.core().log)?.space;
        let record = kept.entry.change()?.record;
        let person = self.person_of(seat, kept.entry.core().person)?;
        let said = {
            let memory = &self.nodes[seat].memory;
            let evidence = memory.evidence(&memory.standings(), &(space, record));
            let (roster, definitions) = (memory.chain.roster(), &memory.definitions);
            stands_again(roster, definitions, record, &kept.entry, &evidence)
        };
        if said {
            return None;
        }
        let log = self.own_log(seat, space)?;
        let salt = self.act(seat).salt;
        let node = self.registry.offices[seat].node.clone();
        let author = Author { node: &node, person: Some(&person) };
        let memory = &self.nodes[seat].memory;
        let evidence = memory.evidence(&memory.standings(), &(space, record));
        let old = evidence.iter().find(|item| item.entry.id() == id).copied()?;
        let tail = Tail::of(&memory.logs, log)?;
        let roster = memory.chain.roster();
        let definitions = &memory.definitions;
        let signed =
            republish_change(roster, definitions, &tail, record, &evidence, &old, author, salt);
        // An act waits for its ground, which another round may bring.
        let signed = signed.ok()?;
        let fresh = signed.entry.id();
        self.log(|_| format!("{seat} says {} again as {}", id.short(), fresh.short()));
        self.republished += 1;
        self.typed(seat, signed.entry, signed.body).then_some(())
    }

    fn person_of(
        &self,
        seat: Seat,
        person: Option<xw_schemas::id::PublicKey>,
    ) -> Option<SecretKey> {
        let people = &self.registry.offices[seat].people;
        people.iter().find(|key| Some(key.public()) == person).cloned()
    }

    /// Somebody of an office asks for the contents of a record to be removed.
    pub fn ask_erasure(&mut self, seat: Seat, space: Space, record: RecordId) -> Option<()> {
        let memory = &self.nodes[seat].memory;
        if !memory.knows_rules() {
            return None;
        }
        let evidence: Vec<Evidence<'_>> = memory.evidence(&memory.standings(), &(space, record));
        let record_type = evidence.iter().find_map(|item| item.entry.change())?.record_type.clone();
        let log = self.own_log(seat, space)?;
        let clerk = self.clerk(seat)?;
        let (node, act) = (self.registry.offices[seat].node.clone(), self.act(seat));
        let author = Author { node: &node, person: Some(&clerk) };
        let memory = &self.nodes[seat].memory;
        let tail = Tail::of(&memory.logs, log)?;
        let erasure = Erasure { record, record_type, ground: ErasureGround::ConsentWithdrawn };
        let signed = write_erasure(memory.chain.roster(), &tail, erasure, author, act).ok()?;
        self.log(|_| format!("{seat} asks for the erasure of {record}"));
        self.commit_own(seat, signed.entry, None).then_some(())
    }
}
