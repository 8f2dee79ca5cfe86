//! What a liar does with a key that is on the roster: two words for one slot, acts without right,
//! broken bodies, other people's records, entries where they do not belong, old entries once more.

use std::ops::Range;
use std::sync::Arc;

use xw_ledger::draft::{Act, Author, Draft, Tail, new_record, open_log, write_change};
use xw_ledger::log::Logs;
use xw_replica::SessionId;
use xw_schemas::checkpoint::{Checkpoint, cosign};
use xw_schemas::entry::{Body, ChangeStatement, Core, Pin, Statement, VerifiedEntry, sign};
use xw_schemas::id::{EntryId, Incarnation, LogId, RecordId};
use xw_schemas::space::{Audience, Space};
use xw_schemas::wire::{PackedEntries, Parcel};

use crate::county::County;
use crate::forms;
use crate::founding::{COUNTY, Seat, definition_of};
use crate::memory::Kept;

/// An entry with its body.
pub type Made = (VerifiedEntry, Option<Body>);

impl County {
    /// One of the liars does something.
    pub fn misbehave(&mut self) {
        let liars: Vec<Seat> = self.hostile.iter().copied().collect();
        let Some(liar) = self.dice.pick(&liars).copied() else { return };
        if !self.nodes[liar].up {
            return;
        }
        let audience = match self.dice.below(3) {
            0 => Audience::Township,
            _ => Audience::Office,
        };
        let space = Space { division: self.registry.offices[liar].division, audience };
        if liar <= self.registry.townships && self.dice.chance(50) {
            self.lie_in_witness(liar);
            return;
        }
        match self.dice.below(14) {
            0..=2 => {
                // Something honest, so that there is something to lie about.
                self.write(liar, space, "SVC");
            }
            3..=5 => self.two_words(liar, space),
            6..=8 => self.fork_old_slot(liar, space),
            9 => self.act_without_right(liar, space),
            10 => self.send_broken_body(liar, space),
            11 => self.repeat_change(liar, space),
            12 => self.trespass(liar),
            _ => self.send_noise(liar),
        }
    }

    fn liar_act(&mut self, liar: Seat) -> Act {
        self.act(liar)
    }

    /// A change in the liar's log behind `upto` entries of it.
    fn change_after(&mut self, liar: Seat, log: LogId, upto: u64, draft: &Draft) -> Option<Made> {
        self.change_behind(liar, liar, log, upto, &[], draft)
    }

    /// A change with an author's keys in its log, behind `upto` entries as somebody holds them and a
    /// branch of its own.
    fn change_behind(
        &mut self,
        author: Seat,
        holder: Seat,
        log: LogId,
        upto: u64,
        branch: &[Made],
        draft: &Draft,
    ) -> Option<Made> {
        let act = self.liar_act(author);
        let clerk = self.clerk(author)?;
        let memory = &self.nodes[holder].memory;
        let roster = memory.chain.roster();
        let held = memory.logs.log(&log)?;
        let mut logs = Logs::new();
        for sequence in 0..upto {
            let kept = memory.entries.get(&held.at(sequence)?)?;
            logs.place(roster, &kept.entry).ok()?;
        }
        for (entry, _) in branch {
            logs.place(roster, entry).ok()?;
        }
        let tail = Tail::of(&logs, log)?;
        let author = Author { node: &self.registry.offices[author].node, person: Some(&clerk) };
        let record = new_record(roster, author, act);
        let schema = definition_of("SVC", false);
        let made = write_change(
            roster,
            &memory.definitions,
            &tail,
            record,
            "SVC",
            schema,
            &[],
            draft,
            author,
            act,
        );
        made.ok().map(|signed| (signed.entry, signed.body))
    }

    fn new_case(&mut self, liar: Seat) -> Draft {
        self.written += 1;
        forms::new_record("SVC", self.registry.offices[liar].division, self.written)
    }

    /// Two entries for the next slot: one goes the usual way, the other to one neighbour.
    fn two_words(&mut self, liar: Seat, space: Space) {
        let Some(log) = self.own_log(liar, space) else { return };
        let Some(size) = self.nodes[liar].memory.logs.log(&log).map(|log| log.size()) else {
            return;
        };
        if self.nodes[liar].memory.logs.log(&log).is_some_and(|log| log.fork().is_some()) {
            return;
        }
        let (first, second) = (self.new_case(liar), self.new_case(liar));
        let first = self.change_after(liar, log, size, &first);
        let second = self.change_after(liar, log, size, &second);
        let (Some(first), Some(second)) = (first, second) else { return };
        self.log(|_| format!("{liar} says two words for slot {size} of {log:?}"));
        self.send_aside(liar, &[second]);
        self.commit_own(liar, first.0, first.1);
    }

    /// Another entry for a slot of the past, to one neighbour only.
    fn fork_old_slot(&mut self, liar: Seat, space: Space) {
        let Some(log) = self.nodes[liar].memory.own_logs.get(&space).copied() else { return };
        let held = self.nodes[liar].memory.logs.log(&log);
        let Some(size) = held.filter(|log| log.fork().is_none()).map(|log| log.size()) else {
            return;
        };
        if size < 2 {
            return;
        }
        let slot = 1 + self.dice.below(size - 1);
        let draft = self.new_case(liar);
        if let Some(made) = self.change_after(liar, log, slot, &draft) {
            self.log(|_| {
                format!("{liar} forks slot {slot} of {log:?} with {}", made.0.id().short())
            });
            self.send_aside(liar, &[made]);
        }
    }

    /// Another entry for each of these slots of the liar's log, handed to one office by hand.
    pub fn fork_slots(&mut self, liar: Seat, space: Space, slots: Range<u64>, to: Seat) {
        for slot in slots {
            self.branch_off(liar, space, slot, 1, to);
        }
    }

    /// So many other entries from a slot of the liar's log on, one behind the other, handed to one
    /// office by hand: the network carries them on from there.
    pub fn branch_off(&mut self, liar: Seat, space: Space, slot: u64, length: usize, to: Seat) {
        self.hostile.insert(liar);
        let Some(log) = self.nodes[liar].memory.own_logs.get(&space).copied() else { return };
        let mut branch: Vec<Made> = Vec::new();
        for _ in 0..length {
            let draft = self.new_case(liar);
            branch.extend(self.change_behind(liar, liar, log, slot, &branch, &draft));
        }
        let batch = self.stripped(to, branch);
        self.commit(to, None, batch, 0);
    }

    /// A step for which nobody in the office has the role, or a field that no form has.
    fn act_without_right(&mut self, liar: Seat, space: Space) {
        let Some(log) = self.own_log(liar, space) else { return };
        let Some(size) = self.nodes[liar].memory.logs.log(&log).map(|log| log.size()) else {
            return;
        };
        let mut draft = self.new_case(liar);
        if self.dice.chance(50) {
            draft.step = Some(forms::step("-", "registered", "TWIN", ""));
        } else {
            draft.step = Some(forms::step("-", "archived", "VAGT", ""));
        }
        if let Some((entry, body)) = self.change_after(liar, log, size, &draft) {
            self.commit_own(liar, entry, body);
        }
    }

    /// Signs a core as it likes.
    fn signed(&mut self, liar: Seat, log: LogId, statement: Statement) -> Option<VerifiedEntry> {
        let act = self.liar_act(liar);
        let is_witness = matches!(statement, Statement::Witness(_));
        let clerk = self.clerk(liar).filter(|_| !is_witness);
        let memory = &self.nodes[liar].memory;
        let held = memory.logs.log(&log)?;
        let core = Core {
            network: memory.chain.roster().network(),
            log,
            sequence: held.size(),
            previous: held.head()?,
            root: held.root(),
            seen: None,
            claimed_time_ms: act.time_ms,
            operation: act.operation,
            republishes: None,
            person: clerk.as_ref().map(xw_schemas::cose::SecretKey::public),
            statement,
        };
        sign(core, &self.registry.offices[liar].node, clerk.as_ref()).ok()
    }

    fn some_record_of(&mut self, liar: Seat, space: Space) -> Option<RecordId> {
        let records = self.nodes[liar].memory.records.keys();
        let records: Vec<RecordId> = records.filter(|of| of.0 == space).map(|of| of.1).collect();
        self.dice.pick(&records).copied()
    }

    /// A body that is no change at all, bound to a record of others.
    fn send_broken_body(&mut self, liar: Seat, space: Space) {
        let Some(log) = self.own_log(liar, space) else { return };
        let Some(record) = self.some_record_of(liar, space) else { return };
        let noise: [u8; 40] = self.dice.bytes();
        let body = Body::new(self.dice.bytes(), &noise);
        let statement = Statement::Change(ChangeStatement {
            record,
            record_type: "SVC".to_owned(),
            schema: definition_of("SVC", false),
            commitment: body.commitment(),
            length: noise.len() as u64,
        });
        if let Some(entry) = self.signed(liar, log, statement) {
            self.commit_own(liar, entry, Some(body));
        }
    }

    /// An earlier change of its own under a new number: it may not take others' work with it.
    fn repeat_change(&mut self, liar: Seat, space: Space) {
        let Some(log) = self.own_log(liar, space) else { return };
        let key = self.nodes[liar].key;
        let entries = self.nodes[liar].memory.entries.values();
        let own: Vec<_> = entries
            .filter(|kept| kept.entry.node() == key && kept.entry.core().log == log)
            .filter_map(|kept| Some((kept.entry.change()?.clone(), kept.body.clone()?)))
            .collect();
        let Some((change, body)) = self.dice.pick(&own).cloned() else { return };
        if let Some(entry) = self.signed(liar, log, Statement::Change(change)) {
            self.commit_own(liar, entry, Some(Body::clone(&body)));
        }
    }

    /// Somebody with a copy of an honest village's keys writes in its name, at or before the end of
    /// what the office above holds, and that office takes it for the village's own.
    pub fn steal(&mut self, victim: Seat) {
        let above = self.registry.above(victim);
        if !self.nodes[above].up || !self.nodes[victim].up || self.hostile.contains(&victim) {
            return;
        }
        let (key, space) = (self.nodes[victim].key, self.registry.offices[victim].own_space());
        let logs = self.nodes[above].memory.logs.iter();
        let whole = logs.filter(|(_, log)| log.node == key && log.space == space);
        let longest = whole.filter(|(_, log)| log.fork().is_none()).map(|(id, l)| (l.size(), *id));
        let Some((size, log)) = longest.max() else { return };
        let upto = size - self.dice.below(size.min(3));
        let draft = self.new_case(victim);
        let Some((entry, body)) = self.change_behind(victim, above, log, upto, &[], &draft) else {
            return;
        };
        let Some(record) = entry.core().statement.record() else { return };
        self.log(|_| format!("a thief writes {} of {log:?} as {victim}", entry.id().short()));
        self.stolen.insert(entry.id(), (victim, entry.core().operation, record));
        let kept = Kept { entry: Arc::new(entry), body: body.map(Arc::new) };
        self.commit(above, None, vec![kept], 0);
    }

    /// Whether somebody has a copy of this office's keys.
    pub(crate) fn was_robbed(&self, seat: Seat) -> bool {
        self.stolen.values().any(|(victim, _, _)| *victim == seat)
    }

    /// Two entries for the next slot of an office's log in a space, of which no node holds either.
    pub fn equivocate(&mut self, liar: Seat, space: Space) -> Option<(LogId, u64, [Made; 2])> {
        let log = self.own_log(liar, space)?;
        let size = self.nodes[liar].memory.logs.log(&log)?.size();
        let mut said = Vec::new();
        for _ in 0..2 {
            let draft = self.new_case(liar);
            said.push(self.change_after(liar, log, size, &draft)?);
        }
        Some((log, size, said.try_into().ok()?))
    }

    /// Two statements of the county for one slot of its log in a space: one puts its name to the end
    /// of the author's log, as somebody holds it, the other to an entry that nobody has seen.
    pub fn two_statements(
        &mut self,
        space: Space,
        author: Seat,
        holder: Seat,
    ) -> Option<(LogId, u64, [Made; 2])> {
        let log = self.own_log(COUNTY, space)?;
        let slot = self.nodes[COUNTY].memory.logs.log(&log)?.size();
        let target = self.nodes[author].memory.own_logs.get(&space).copied()?;
        let held = self.nodes[holder].memory.logs.log(&target)?;
        let (size, root, head) = (held.size(), held.root(), held.head()?);
        let unseen = EntryId(self.dice.bytes());
        let mut said = Vec::new();
        for head in [head, unseen] {
            let network = self.founding.network();
            let checkpoint = Checkpoint { network, log: target, size, root };
            let time_s = self.liar_act(COUNTY).time_ms / 1_000;
            let pin = cosign(&self.registry.offices[COUNTY].node, &checkpoint, head, time_s);
            said.push((self.signed(COUNTY, log, Statement::Witness(vec![pin]))?, None));
        }
        Some((log, slot, said.try_into().ok()?))
    }

    /// An entry reaches a node past the replica of whoever made it.
    pub fn hand_over(&mut self, to: Seat, (entry, body): Made) {
        let kept = Kept { entry: Arc::new(entry), body: body.map(Arc::new) };
        self.commit(to, None, vec![kept], 0);
    }

    /// A log in a space that is none of the liar's business.
    fn trespass(&mut self, liar: Seat) {
        let villages: Vec<Seat> = self.registry.villages().filter(|seat| *seat != liar).collect();
        let Some(victim) = self.dice.pick(&villages).copied() else { return };
        let space = self.registry.offices[victim].own_space();
        let act = self.liar_act(liar);
        let incarnation = Incarnation(self.dice.bytes());
        let author = Author { node: &self.registry.offices[liar].node, person: None };
        let roster = self.nodes[liar].memory.chain.roster();
        if let Ok(signed) = open_log(roster, space, author, incarnation, act, None) {
            self.send_aside(liar, &[(signed.entry, None)]);
        }
    }

    /// Bytes that are no frame, or old entries once more.
    fn send_noise(&mut self, liar: Seat) {
        let sessions: Vec<SessionId> = self.nodes[liar].lines.keys().copied().collect();
        let Some(session) = self.dice.pick(&sessions).copied() else { return };
        if self.dice.chance(30) {
            let noise: [u8; 60] = self.dice.bytes();
            self.transmit_bytes(liar, session, noise.to_vec());
            return;
        }
        let own = self.registry.offices[liar].own_space();
        let Some(log) = self.nodes[liar].memory.own_logs.get(&own).copied() else { return };
        let entries = self.nodes[liar].memory.entries.values();
        let old: Vec<Made> = entries
            .filter(|kept| kept.entry.core().log == log)
            .map(|kept| (VerifiedEntry::clone(&kept.entry), kept.body.as_deref().cloned()))
            .collect();
        self.send_to(liar, session, &old);
    }

    fn send_aside(&mut self, liar: Seat, made: &[Made]) {
        let sessions: Vec<SessionId> = self.nodes[liar].lines.keys().copied().collect();
        if let Some(session) = self.dice.pick(&sessions).copied() {
            self.send_to(liar, session, made);
        }
    }

    /// Sends entries past the replica, bodies and all, whoever may have them.
    fn send_to(&mut self, liar: Seat, session: SessionId, made: &[Made]) {
        let parcels: Vec<Parcel> = made
            .iter()
            .map(|(entry, body)| Parcel {
                envelope: entry.bytes().to_vec(),
                body: body.as_ref().map(|body| body.bytes().to_vec()),
            })
            .collect();
        if !parcels.is_empty() && PackedEntries::pack(&parcels).unpack().is_ok() {
            self.send_parcels(liar, session, &parcels);
        }
    }

    /// A township that pins what is none of its business, and what it does not hold.
    fn lie_in_witness(&mut self, liar: Seat) {
        let division = self.registry.offices[liar].division;
        let space = Space { division, audience: Audience::County };
        let Some(own) = self.own_log(liar, space) else { return };
        let network = self.founding.network();
        // It has heard of logs and heads that it does not hold itself.
        let entries = self.nodes[COUNTY].memory.entries.values();
        let points: Vec<(LogId, u64, EntryId)> = entries
            .map(|kept| (kept.entry.core().log, kept.entry.core().sequence, kept.entry.id()))
            .collect();
        let Some((log, sequence, mut head)) = self.dice.pick(&points).copied() else { return };
        if self.dice.chance(30) {
            head = EntryId(self.dice.bytes());
        }
        let checkpoint = Checkpoint { network, log, size: sequence + 1, root: self.dice.bytes() };
        let act = self.liar_act(liar);
        let key = &self.registry.offices[liar].node;
        let pin: Pin = cosign(key, &checkpoint, head, act.time_ms / 1_000);
        if let Some(entry) = self.signed(liar, own, Statement::Witness(vec![pin])) {
            self.log(|_| format!("{liar} pins {sequence} of {log:?} out of the air"));
            self.commit_own(liar, entry, None);
        }
    }
}
