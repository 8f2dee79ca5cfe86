//! What the program around the replica does in a real node: disk, keys, packing and checking. Each
//! effect is done in order, and the power may fail between any two.

use std::sync::Arc;

use xw_ledger::draft::{Act, Author, Tail, open_log, write_witness};
use xw_replica::{Effect, Event, Held, Phase, SessionId};
use xw_schemas::edition::Edition;
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::{EntryId, Incarnation, LogId, OperationId, PublicKey};
use xw_schemas::record::SchemaHash;
use xw_schemas::space::Space;
use xw_schemas::wire::{Frame, PackedEntries, Parcel};

use crate::county::{County, Due};
use crate::founding::{FOUNDED_MS, Seat, definition_bytes, known_types};
use crate::memory::{Commit, Kept};

/// Entries of one frame, verified, with their bodies.
type Batch = Vec<(VerifiedEntry, Option<Body>)>;

impl County {
    /// Hands an event to a node's replica and does what it asks for.
    pub(crate) fn handle(&mut self, seat: Seat, event: Event) {
        let node = &mut self.nodes[seat];
        let missing = node.memory.missing_definitions();
        let held = Held {
            chain: &node.memory.chain,
            logs: &node.memory.logs,
            missing_definitions: &missing,
        };
        let effects = node.replica.handle(held, self.now_ms, event);
        for effect in effects {
            if self.power_fails(seat) {
                return;
            }
            self.perform(seat, effect);
        }
    }

    /// Whether this is where the power fails.
    pub(crate) fn power_fails(&mut self, seat: Seat) -> bool {
        match self.nodes[seat].crash_in {
            Some(0) => {
                self.crash(seat);
                let back = 500 + self.dice.below(6_000);
                self.restart_in(seat, back);
                true
            }
            Some(left) => {
                self.nodes[seat].crash_in = Some(left - 1);
                false
            }
            None => !self.nodes[seat].up,
        }
    }

    fn perform(&mut self, seat: Seat, effect: Effect) {
        match effect {
            Effect::Send { session, frame } => {
                self.log(|_| format!("{seat} #{} sends {}", session.0, brief(&frame)));
                let compares = matches!(frame, Frame::Digests(_) | Frame::Have(_));
                let again = self.nodes[seat].lines.get(&session).is_some_and(|line| line.again);
                if !(self.habits.never_compares_again && compares && again) {
                    self.transmit(seat, session, &frame);
                }
            }
            Effect::SendEntries { session, parcels } => self.send_parcels(seat, session, &parcels),
            Effect::Store { session, entries, bytes } => {
                let batch = self.stripped(seat, entries);
                self.store(seat, session, batch, bytes);
            }
            Effect::Load { session, reader, log, points, bytes_max } => {
                self.load(seat, session, &reader, log, &points, bytes_max);
            }
            Effect::ReadBlob { session, hash, offset } => {
                let memory = &self.nodes[seat].memory;
                let edition = memory.chain.copy(&xw_schemas::id::CopyId(hash));
                let schema = SchemaHash(hash);
                let definition = memory.definitions.get(&schema).map(|_| definition_bytes(&schema));
                let bytes = edition
                    .map(|edition| edition.bytes().to_vec())
                    .or_else(|| definition.flatten().map(<[u8]>::to_vec));
                let in_ms = self.dice.below(3);
                self.tell(seat, in_ms, Event::BlobRead { session, hash, offset, bytes });
            }
            Effect::AddEdition { edition, .. } => self.take_edition(seat, edition),
            Effect::AddDefinition { hash, .. } => {
                if known_types().contains_key(&hash) {
                    self.nodes[seat].disk.push(Commit::Definition(hash));
                    self.nodes[seat].memory.learn(hash);
                    self.tell(seat, 0, Event::RosterChanged);
                    self.report_lacking(seat);
                }
            }
            Effect::Witness { space, logs } => self.witness(seat, space, &logs),
            Effect::OwnLogElsewhere { .. } => self.retire(seat),
            Effect::Confirm { .. } => {}
            Effect::Close { session, reason } => {
                self.log(|_| format!("{seat} closes #{}: {reason}", session.0));
                if self.hostile.is_empty() && !TOLERATED.contains(&reason) {
                    self.blame(format!(
                        "parting: {seat} closes a connection among the honest: {reason}"
                    ));
                }
                self.break_conn(session.0);
            }
        }
    }

    pub(crate) fn take_edition(&mut self, seat: Seat, edition: Edition) {
        if let Some(changed) = self.nodes[seat].memory.add_edition(edition.clone()) {
            self.nodes[seat].disk.push(Commit::Edition(edition));
            if changed {
                self.tell(seat, 0, Event::RosterChanged);
            }
        }
    }

    /// Bodies that this office may not have are thrown away before anything is stored.
    pub(crate) fn stripped(&self, seat: Seat, entries: Batch) -> Vec<Kept> {
        let memory = &self.nodes[seat].memory;
        let tier = memory.tier(&self.nodes[seat].key);
        let kept = |(entry, body): (VerifiedEntry, Option<Body>)| {
            let may = entry
                .change()
                .zip(tier)
                .is_some_and(|(change, tier)| memory.may_have_body(change, tier) != Some(false));
            let body = body.filter(|_| may || self.habits.forgets_body_rights);
            Kept { entry: Arc::new(entry), body: body.map(Arc::new) }
        };
        entries.into_iter().map(kept).collect()
    }

    fn store(&mut self, seat: Seat, session: SessionId, batch: Vec<Kept>, bytes: u64) {
        let took = self.dice.below(25);
        let node = &mut self.nodes[seat];
        node.disk_free_ms = node.disk_free_ms.max(self.now_ms) + took;
        let (in_ms, epoch) = (node.disk_free_ms - self.now_ms, node.epoch);
        let commit = Due::Commit { seat, epoch, session: Some(session), batch, bytes };
        if self.habits.acknowledges_early {
            self.transmit(seat, session, &Frame::Ack { bytes });
        }
        self.at(in_ms, commit);
    }

    /// The transaction: until here nothing is on disk, from here on everything is.
    pub(crate) fn commit(
        &mut self,
        seat: Seat,
        session: Option<SessionId>,
        batch: Vec<Kept>,
        bytes: u64,
    ) {
        if self.power_fails(seat) {
            return;
        }
        let batch: Vec<Kept> =
            batch.into_iter().filter(|kept| !self.suppresses(seat, &kept.entry)).collect();
        let sealed = batch.iter().any(|kept| kept.body.is_none() && kept.entry.change().is_some());
        let node = &mut self.nodes[seat];
        let taken = node.memory.take(batch);
        if !taken.kept.is_empty() {
            node.disk.push(Commit::Entries(taken.kept));
        }
        for kept in node.disk.last().into_iter().flat_map(Commit::entries) {
            node.turned_away.remove(&kept.entry.id());
        }
        node.turned_away.extend(taken.turned_away.iter().map(|away| away.point.1));
        if !taken.turned_away.is_empty() {
            self.log(|_| format!("{seat} turns away {:?}", taken.turned_away));
        }
        self.nodes[seat].memory.sweep();
        self.mind_own_forks(seat);
        if sealed || !self.nodes[seat].lacking.is_empty() {
            self.report_lacking(seat);
        }
        if self.power_fails(seat) {
            return;
        }
        let (held, turned_away) = (taken.held, taken.turned_away);
        self.tell(seat, 0, Event::Stored { session, bytes, held, turned_away });
    }

    /// Whether this office keeps an entry from everybody that it has acknowledged.
    fn suppresses(&self, seat: Seat, entry: &VerifiedEntry) -> bool {
        self.censor.is_some_and(|(censor, victim)| {
            censor == seat && entry.node() == self.nodes[victim].key
        })
    }

    /// Tells the replica which bodies are lacking, when that has changed.
    pub(crate) fn report_lacking(&mut self, seat: Seat) {
        let lacking = self.nodes[seat].memory.bodies_lacking();
        if lacking != self.nodes[seat].lacking {
            self.nodes[seat].lacking.clone_from(&lacking);
            self.tell(seat, 0, Event::BodiesLacking { logs: lacking });
        }
    }

    fn load(
        &mut self,
        seat: Seat,
        session: SessionId,
        reader: &PublicKey,
        log: LogId,
        points: &[(u64, EntryId)],
        bytes_max: usize,
    ) {
        let memory = &self.nodes[seat].memory;
        let tier = memory.tier(reader);
        let (mut parcels, mut upto, mut bytes) = (Vec::new(), (0, EntryId([0; 32])), 0);
        for (sequence, id) in points {
            let Some(kept) = memory.entries.get(id) else { break };
            let may = kept
                .entry
                .change()
                .zip(tier)
                .is_some_and(|(change, tier)| memory.may_have_body(change, tier) == Some(true));
            let body = kept.body.as_ref().filter(|_| may || self.habits.forgets_body_rights);
            let body = body.map(|body| body.bytes().to_vec());
            let parcel = Parcel { envelope: kept.entry.bytes().to_vec(), body };
            bytes += parcel.unpacked_bytes();
            if bytes > bytes_max && !parcels.is_empty() {
                break;
            }
            parcels.push(parcel);
            upto = (*sequence, *id);
        }
        let in_ms = self.dice.below(4);
        self.tell(seat, in_ms, Event::Loaded { session, log, upto, parcels });
    }

    pub(crate) fn send_parcels(&mut self, seat: Seat, session: SessionId, parcels: &[Parcel]) {
        let bytes: usize = parcels.iter().map(Parcel::unpacked_bytes).sum();
        let packed = PackedEntries::pack(parcels);
        self.log(|_| format!("{seat} #{} sends {} entries", session.0, parcels.len()));
        let id = |parcel: &Parcel| {
            VerifiedEntry::from_store(parcel.envelope.clone()).map(|entry| entry.id())
        };
        let ids = parcels.iter().filter_map(|parcel| id(parcel).ok()).collect();
        if let Some(line) = self.nodes[seat].lines.get_mut(&session) {
            line.sent.push_back((bytes as u64, ids));
        }
        self.transmit(seat, session, &Frame::Entries(packed));
    }

    /// A frame came in: entries are unpacked and verified here, all else goes to the replica.
    pub(crate) fn take_frame(&mut self, seat: Seat, session: SessionId, bytes: &[u8]) {
        match Frame::decode(bytes) {
            Ok(Frame::Entries(packed)) => match self.unpacked(&packed) {
                Some((entries, bytes)) => {
                    self.handle(seat, Event::Received { session, entries, bytes });
                }
                None => self.break_conn(session.0),
            },
            Ok(frame) => {
                if matches!(frame, Frame::Ack { .. }) {
                    self.hear_ack(seat, session);
                }
                self.handle(seat, Event::Frame { session, frame });
            }
            Err(_) => self.break_conn(session.0),
        }
    }

    fn hear_ack(&mut self, seat: Seat, session: SessionId) {
        let Some(line) = self.nodes[seat].lines.get_mut(&session) else { return };
        let (peer, batch) = (line.peer, line.sent.pop_front());
        // What a disk acknowledged before an older copy of it was put back, it has forgotten.
        let left = self.nodes[peer].backup.map(|_| self.on_disk(peer));
        for id in batch.into_iter().flat_map(|(_, ids)| ids) {
            let forgotten = left.as_ref().is_some_and(|left| !left.contains(&id));
            if !self.nodes[peer].turned_away.contains(&id) && !forgotten {
                self.promises.acknowledged.insert((peer, id));
            }
        }
    }

    fn unpacked(&mut self, packed: &PackedEntries) -> Option<(Batch, u64)> {
        let network = self.founding.network();
        let (mut entries, mut bytes) = (Vec::new(), 0);
        for (raw, body) in packed.unpack().ok()? {
            // The same bytes verify on every node: one check a county is enough.
            let entry = match self.verified.get(&raw.id()) {
                Some((seen, known)) if *seen == raw => known.clone(),
                _ => {
                    let entry = raw.clone().verify(network).ok()?;
                    self.verified.insert(entry.id(), (raw, entry.clone()));
                    entry
                }
            };
            let envelope = entry.bytes().to_vec();
            let parcel = Parcel { envelope, body: body.as_ref().map(|b| b.bytes().to_vec()) };
            bytes += parcel.unpacked_bytes() as u64;
            entries.push((entry, body));
        }
        Some((entries, bytes))
    }

    /// One act at a node: dice and the node's own idea of the time.
    pub(crate) fn act(&mut self, seat: Seat) -> Act {
        let now = i64::try_from(FOUNDED_MS + self.now_ms).unwrap_or(i64::MAX);
        let time_ms = now.saturating_add(self.nodes[seat].clock_skew_ms);
        Act {
            operation: OperationId(self.dice.bytes()),
            time_ms: u64::try_from(time_ms).unwrap_or(0),
            salt: self.dice.bytes(),
            republishes: None,
        }
    }

    /// The log of a node in a space, opened when it is not there yet.
    pub(crate) fn own_log(&mut self, seat: Seat, space: Space) -> Option<LogId> {
        if let Some(log) = self.nodes[seat].memory.own_logs.get(&space) {
            return Some(*log);
        }
        let (act, incarnation) = (self.act(seat), Incarnation(self.dice.bytes()));
        let key = self.registry.offices[seat].node.clone();
        let author = Author { node: &key, person: None };
        let roster = self.nodes[seat].memory.chain.roster();
        let opened = open_log(roster, space, author, incarnation, act, None);
        let opened = opened.expect("an opening by a rostered node can be signed");
        let log = opened.entry.core().log;
        if !self.commit_own(seat, opened.entry, None) {
            return None;
        }
        self.nodes[seat].disk.push(Commit::Opened(space, log));
        self.nodes[seat].memory.own_logs.insert(space, log);
        Some(log)
    }

    /// Stores what a person typed; from here on it is promised.
    pub(crate) fn typed(&mut self, seat: Seat, entry: VerifiedEntry, body: Option<Body>) -> bool {
        let id = entry.id();
        let kept = self.commit_own(seat, entry, body);
        if kept {
            self.nodes[seat].disk.push(Commit::Typed(id));
            self.nodes[seat].memory.typed.insert(id);
            self.promises.saved.push((seat, id));
        }
        kept
    }

    /// Stores an entry of this node's own; whether the power lasted and the own door took it.
    pub(crate) fn commit_own(
        &mut self,
        seat: Seat,
        entry: VerifiedEntry,
        body: Option<Body>,
    ) -> bool {
        let kept = Kept { entry: Arc::new(entry), body: body.map(Arc::new) };
        let (log, place, id) = {
            let core = kept.entry.core();
            (core.log, core.sequence, kept.entry.id())
        };
        self.commit(seat, None, vec![kept], 0);
        let node = &self.nodes[seat];
        node.up && node.memory.logs.holds(&log, place, &id)
    }

    fn witness(&mut self, seat: Seat, space: Space, logs: &[LogId]) {
        // Whoever may have forgotten a word gives none any more.
        if self.nodes[seat].memory.retired && !self.habits.witnesses_after_restore {
            return;
        }
        let Some(own) = self.own_log(seat, space) else { return };
        let act = self.act(seat);
        let key = self.registry.offices[seat].node.clone();
        let author = Author { node: &key, person: None };
        let memory = &self.nodes[seat].memory;
        let Some(tail) = Tail::of(&memory.logs, own) else { return };
        let roster = memory.chain.roster();
        let signed = write_witness(roster, &memory.logs, &tail, logs, author, act);
        let Ok(Some(signed)) = signed else { return };
        self.log(|_| format!("{seat} witnesses in {space}"));
        if self.habits.witnesses_early {
            let parcel = Parcel { envelope: signed.entry.bytes().to_vec(), body: None };
            let sessions = self.nodes[seat].replica.sessions();
            let live = sessions.filter(|(_, info)| info.phase == Phase::Live);
            let live: Vec<SessionId> = live.map(|(session, _)| session).collect();
            for session in live {
                self.send_parcels(seat, session, std::slice::from_ref(&parcel));
            }
            if self.dice.chance(20) {
                // The power fails while the statement waits for the disk.
                self.crash_after(seat, 0);
            }
        }
        self.commit_own(seat, signed.entry, signed.body);
    }
}

/// Reasons for which honest nodes part.
const TOLERATED: [&str; 1] = ["no progress"];

fn brief(frame: &Frame) -> String {
    match frame {
        Frame::Hello(hello) => format!("hello {} {:02x?}", hello.roster_number, &hello.digest[..3]),
        Frame::Have(have) => format!(
            "have {} tips of {:?}, answer {}",
            have.tips.len(),
            have.divisions.as_ref().map(Vec::len),
            have.answer
        ),
        Frame::Digests(d) => format!("digests {} groups {} items", d.groups.len(), d.items.len()),
        Frame::Ack { bytes } => format!("ack {bytes}"),
        Frame::Locate { log } => format!("locate {log:?}"),
        Frame::Known { log, points } => format!("known {log:?} {} points", points.len()),
        Frame::WantEditions { from } => format!("wants the list of editions from {from}"),
        Frame::Editions(list) => format!("{} editions", list.len()),
        Frame::WantBlob { offset, .. } => format!("wants blob from {offset}"),
        Frame::Blob(chunk) => {
            format!("blob {}+{} of {}", chunk.offset, chunk.bytes.len(), chunk.total)
        }
        Frame::Bye { reason, .. } => format!("bye {reason}"),
        Frame::Entries(_) => "entries".to_owned(),
    }
}
