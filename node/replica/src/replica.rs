//! The replica: one `handle` for everything that happens, in the order in which a conversation
//! goes. It owns no data but what it knows of its neighbours.

use std::collections::BTreeMap;

use xw_ledger::log::Point;
use xw_schemas::edition::Edition;
use xw_schemas::entry::{Body, Statement, VerifiedEntry};
use xw_schemas::id::{LogId, PublicKey};
use xw_schemas::wire::{BlobChunk, EDITIONS_LISTED_MAX, Frame, Hello};

use crate::blobs::{blob, editions_listed, has_blob};
use crate::common::{Held, root_digest, shared};
use crate::compare::send;
use crate::event::{Effect, Event, SessionId, TurnedAway};
use crate::neighbour::{Neighbour, Phase};
use crate::unwanted::Unwanted;
use crate::witness::Due;

/// A neighbour that has not said hello by then is dropped; a link that needs longer for 150 bytes
/// carries nothing.
const HELLO_MS_MAX: u64 = 30_000;

/// A neighbour that acknowledges nothing for so long is dropped: a frame of 64 KiB takes 10 s on a
/// link of 64 kbit/s, and its disk a second.
const ACK_MS_MAX: u64 = 120_000;

/// Entries that fit nowhere, after which a neighbour is dropped. Each honest one repairs itself
/// with one exchange of lists.
const GAPS_MAX: u32 = 16;

/// Unpacked bytes of one neighbour that may wait for this disk: twice the credit it is given.
const STORING_BYTES_MAX: u64 = 2 * xw_schemas::limits::CREDIT_BYTES_MAX;

/// One node's share of the mesh.
#[derive(Debug, Clone)]
pub struct Replica {
    pub(crate) own: PublicKey,
    pub(crate) neighbours: BTreeMap<SessionId, Neighbour>,
    due: Due,
    /// Bodies that this office may have and lacks: log and lowest number.
    pub(crate) lacking: BTreeMap<LogId, u64>,
    pub(crate) unwanted: Unwanted,
}

/// What a screen shows of a conversation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionInfo {
    /// The neighbour's node key.
    pub peer: PublicKey,
    /// How far it has come.
    pub phase: Phase,
    /// Unpacked bytes sent and not acknowledged.
    pub under_way: u64,
}

impl Replica {
    /// A replica of the node with this key.
    #[must_use]
    pub fn new(own: PublicKey) -> Self {
        Self {
            own,
            neighbours: BTreeMap::new(),
            due: Due::default(),
            lacking: BTreeMap::new(),
            unwanted: Unwanted::default(),
        }
    }

    /// The conversations.
    pub fn sessions(&self) -> impl Iterator<Item = (SessionId, SessionInfo)> {
        self.neighbours.iter().map(|(session, n)| {
            (*session, SessionInfo { peer: n.peer, phase: n.phase, under_way: n.under_way })
        })
    }

    /// Takes one event and says what must be done about it, in order.
    pub fn handle(&mut self, held: Held<'_>, now_ms: u64, event: Event) -> Vec<Effect> {
        match event {
            Event::Opened { session, peer, dialer } => {
                self.neighbours.insert(session, Neighbour::new(peer, dialer, now_ms));
                self.hello(held, session)
            }
            Event::Closed { session } => {
                self.neighbours.remove(&session);
                Vec::new()
            }
            Event::Frame { session, frame } => self.frame(held, now_ms, session, frame),
            Event::Received { session, entries, bytes } => {
                self.received(held, session, entries, bytes)
            }
            Event::Stored { session, bytes, held: places, turned_away } => {
                self.stored(held, now_ms, session, bytes, &places, &turned_away)
            }
            Event::Loaded { session, log, upto, parcels } => {
                self.loaded(held, session, log, upto, parcels)
            }
            Event::BlobRead { session, hash, offset, bytes } => {
                Self::blob_read(session, hash, offset, bytes)
            }
            Event::RosterChanged => self.roster_changed(held, now_ms),
            Event::BodiesLacking { logs } => self.lacks(held, logs),
            Event::Ticked => self.ticked(held, now_ms),
        }
    }

    pub(crate) fn hello(&mut self, held: Held<'_>, session: SessionId) -> Vec<Effect> {
        let own = self.own;
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        let roster = held.roster();
        let shared = shared(held, &own, &neighbour.peer);
        let digest = root_digest(&shared);
        neighbour.said = Some((roster.state(), digest, shared));
        // A new comparison forgets where this node had set itself back.
        neighbour.asked.clear();
        neighbour.listed.clear();
        let editions = held.chain.count();
        vec![send(
            session,
            Frame::Hello(Hello {
                network: roster.network(),
                roster_number: roster.number(),
                roster: roster.state(),
                editions,
                digest,
            }),
        )]
    }

    fn frame(
        &mut self,
        held: Held<'_>,
        now_ms: u64,
        session: SessionId,
        frame: Frame,
    ) -> Vec<Effect> {
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        let greeted = neighbour.phase != Phase::Greeting;
        let agreed = neighbour.phase >= Phase::Comparing
            || neighbour.said.as_ref().is_some_and(|(head, _, _)| *head == held.roster().state());
        match frame {
            Frame::Hello(hello) => self.greeted(held, session, &hello),
            Frame::Bye { .. } => close(session, "the neighbour said goodbye"),
            _ if !greeted => close(session, "a frame before the hello"),
            Frame::WantEditions { from } => {
                let from = usize::try_from(from).unwrap_or(usize::MAX);
                let editions = held.chain.editions().skip(from).take(EDITIONS_LISTED_MAX);
                vec![send(session, Frame::Editions(editions.map(Edition::copy_id).collect()))]
            }
            Frame::Editions(editions) => editions_listed(held, session, neighbour, &editions),
            Frame::WantBlob { hash, .. } if !has_blob(held, hash) => {
                // An empty blob says so; a hello follows when it may be held.
                neighbour.left_wanting = true;
                let none = BlobChunk { hash, offset: 0, total: 0, bytes: Vec::new() };
                vec![send(session, Frame::Blob(none))]
            }
            Frame::WantBlob { hash, offset } => vec![Effect::ReadBlob { session, hash, offset }],
            Frame::Blob(chunk) => blob(held, session, neighbour, &chunk),
            // What was sent under the old roster is acknowledged while the new one is on its way.
            Frame::Ack { bytes } => {
                neighbour.acknowledged(bytes, now_ms);
                self.pump(held, session)
            }
            _ if !agreed => Vec::new(),
            Frame::Digests(digests) => self.digests(held, session, &digests),
            Frame::Have(have) => {
                let mut effects = self.have(held, session, &have);
                effects.extend(self.pump(held, session));
                effects.extend(self.ask_for_bodies(held, session));
                effects
            }
            Frame::Locate { log } => {
                let own = self.own;
                if may_share(held, &own, &neighbour.peer, &log) {
                    self.located(held, session, log)
                } else {
                    close(session, "asked for a log that it may not read")
                }
            }
            Frame::Known { log, points } => {
                let mut effects = Vec::from_iter(self.known(held, session, log, &points));
                effects.extend(self.pump(held, session));
                effects
            }
            // The shell unpacks and verifies entries and brings them as an event of their own.
            Frame::Entries(_) => Vec::new(),
        }
    }

    pub(crate) fn greeted(
        &mut self,
        held: Held<'_>,
        session: SessionId,
        hello: &Hello,
    ) -> Vec<Effect> {
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        neighbour.heard = Some(hello.clone());
        let roster = held.roster();
        if hello.network != roster.network() {
            return close(session, "another network");
        }
        let mut effects = Vec::new();
        if neighbour.phase == Phase::Greeting {
            effects.push(Effect::Confirm { session });
        }
        let own_editions = held.chain.count();
        let same = hello.roster == roster.state();
        // Rivals that do not count are evidence, and every node is to hold them.
        if !same || hello.editions > own_editions {
            neighbour.editions_listed = 0;
            effects.push(send(session, Frame::WantEditions { from: 0 }));
        }
        if !same {
            neighbour.phase = Phase::Roster;
            return effects;
        }
        let said = neighbour.said.clone();
        match said {
            Some((head, digest, shared)) if head == hello.roster => {
                if digest == hello.digest {
                    Self::agree(neighbour, &shared);
                    effects.extend(self.pump(held, session));
                    effects.extend(self.ask_for_bodies(held, session));
                } else if neighbour.dialer {
                    effects.extend(self.compare(held, session));
                } else if neighbour.phase < Phase::Comparing {
                    neighbour.phase = Phase::Comparing;
                }
            }
            // Our last hello was said under another roster: say it again, then compare.
            _ => {
                neighbour.phase = Phase::Roster;
                effects.extend(self.hello(held, session));
                effects.extend(self.greeted(held, session, hello));
            }
        }
        effects.extend(self.want_definitions(held, session));
        effects
    }

    fn roster_changed(&mut self, held: Held<'_>, now_ms: u64) -> Vec<Effect> {
        self.unwanted.forget();
        // Whatever a crash, or a roster that gave no right to it, kept from being witnessed.
        for (id, log) in held.logs.iter() {
            if held.logs.to_pin(held.roster(), &self.own, id).is_some() {
                self.due.note(log.space, *id, now_ms);
            }
        }
        let mut effects = Vec::new();
        let live = held.roster().admitted_peers();
        let sessions: Vec<(SessionId, PublicKey)> =
            self.neighbours.iter().map(|(session, n)| (*session, n.peer)).collect();
        for (session, peer) in sessions {
            if !live.contains(&peer) {
                effects.extend(close(session, "no longer on the roster"));
                continue;
            }
            effects.extend(self.say_again(held, session));
        }
        effects
    }

    fn received(
        &mut self,
        held: Held<'_>,
        session: SessionId,
        entries: Vec<(VerifiedEntry, Option<Body>)>,
        bytes: u64,
    ) -> Vec<Effect> {
        let own = self.own;
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        // A roster that has just grown here makes no stranger of what is under way: it was sent
        // when both sides had the old one, and rosters lose nobody.
        if neighbour.phase == Phase::Greeting {
            return close(session, "entries before the hello");
        }
        let foreign = entries.iter().any(|(entry, _)| {
            let space = match &entry.core().statement {
                Statement::Open(opening) => Some(opening.space),
                Statement::Change(_)
                | Statement::Witness(_)
                | Statement::Erase(_)
                | Statement::Erased(_) => held.logs.log(&entry.core().log).map(|log| log.space),
            };
            // A log that is not held yet is judged at the door, behind its opening.
            space.is_some_and(|space| {
                !held.roster().may_read(&own, space)
                    || !held.roster().may_read(&neighbour.peer, space)
            })
        });
        neighbour.storing += bytes;
        if foreign || neighbour.storing > STORING_BYTES_MAX {
            return close(session, "entries of a space that is not shared, or beyond its credit");
        }
        vec![Effect::Store { session, entries, bytes }]
    }

    fn stored(
        &mut self,
        held: Held<'_>,
        now_ms: u64,
        source: Option<SessionId>,
        bytes: u64,
        places: &[(LogId, Point)],
        turned_away: &[TurnedAway],
    ) -> Vec<Effect> {
        self.note_due(held, now_ms, places);
        let mut effects = Vec::new();
        if let Some(session) = source
            && let Some(neighbour) = self.neighbours.get_mut(&session)
        {
            neighbour.storing = neighbour.storing.saturating_sub(bytes);
            effects.push(send(session, Frame::Ack { bytes }));
            let verdict = self.unwanted.turned_away(neighbour.peer, turned_away);
            neighbour.gaps += u32::from(verdict.gap) + verdict.never;
            if neighbour.gaps > GAPS_MAX {
                effects.extend(close(session, "too many entries that fit nowhere"));
            } else if verdict.gap {
                effects.extend(self.compare(held, session));
            }
        }
        let mut by_log: BTreeMap<LogId, Vec<Point>> = BTreeMap::new();
        for (log, point) in places {
            by_log.entry(*log).or_default().push(*point);
        }
        self.unwanted.taken(&by_log);
        let wanted = self.unwanted.wanted(held);
        let sessions: Vec<SessionId> = self.neighbours.keys().copied().collect();
        for session in sessions {
            self.note_stored(held, session, Some(session) == source, &by_log);
            if self.neighbours.get(&session).is_some_and(|n| wanted.contains(&n.peer)) {
                effects.extend(self.compare(held, session));
            }
            effects.extend(self.pump(held, session));
        }
        effects
    }

    fn note_due(&mut self, held: Held<'_>, now_ms: u64, places: &[(LogId, Point)]) {
        let mut last = None;
        for (id, _) in places {
            if last.replace(id) == Some(id) {
                continue;
            }
            let Some(log) = held.logs.log(id) else { continue };
            if held.roster().witness_rank(&self.own, &log.node).is_some() {
                self.due.note(log.space, *id, now_ms);
            }
        }
    }

    fn ticked(&mut self, held: Held<'_>, now_ms: u64) -> Vec<Effect> {
        let mut effects = self.due.take(now_ms);
        for (session, neighbour) in &self.neighbours {
            let silent = neighbour.phase == Phase::Greeting
                && now_ms.saturating_sub(neighbour.opened_ms) > HELLO_MS_MAX;
            let since = neighbour.last_ack_ms.max(neighbour.opened_ms);
            let stalled = neighbour.under_way >= neighbour.window
                && now_ms.saturating_sub(since) > ACK_MS_MAX;
            if silent || stalled {
                effects.extend(close(*session, "no progress"));
            }
        }
        let sessions: Vec<SessionId> = self.neighbours.keys().copied().collect();
        for session in sessions {
            effects.extend(self.pump(held, session));
        }
        effects
    }
}

pub(crate) fn close(session: SessionId, reason: &'static str) -> Vec<Effect> {
    vec![Effect::Close { session, reason }]
}

/// Whether both sides may read the log's space.
pub(crate) fn may_share(held: Held<'_>, own: &PublicKey, peer: &PublicKey, log: &LogId) -> bool {
    held.logs.log(log).is_some_and(|log| {
        held.roster().may_read(own, log.space) && held.roster().may_read(peer, log.space)
    })
}
