//! Owns the swarm and decides: whom to call, which line stays, who is cut off.
//! Never waits for a neighbour or the daemon; whatever could wait is a task of its own.

mod calls;
mod line;
mod news;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Instant;

use futures::StreamExt;
use libp2p::core::ConnectedPoint;
use libp2p::swarm::{ConnectionId, Stream, Swarm, SwarmEvent};
use libp2p::{PeerId, ping};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::choice::{Line, Stays, choose};
use crate::dialler::Dialler;
use crate::event::{CloseReason, FrameFault, NetEvent, SessionId};
use crate::frames::{FramesEvent, Outcome};
use crate::limits::{CROSSING_WINDOW, NetLimits, SESSIONS_PER_PEER_MAX, SHUTDOWN_DEADLINE};
use crate::peer::{PeerKey, socket_addr};
use crate::session::{Ended, Session};
use crate::shared::{Outbox, Shared};
use crate::swarm::{Behaviours, BehavioursEvent};
use line::{Held, Neighbour};
use news::News;

/// The one task that drives libp2p.
pub(crate) struct Switchboard {
    key: PeerKey,
    swarm: Swarm<Behaviours>,
    shared: Arc<Shared>,
    limits: NetLimits,
    allowed: BTreeSet<PeerKey>,
    dialler: Dialler,
    /// Calls that have not led to a session yet.
    calls: BTreeMap<ConnectionId, PeerKey>,
    neighbours: BTreeMap<PeerKey, Neighbour>,
    sessions: JoinSet<PeerKey>,
    sessions_begun: u64,
    ended: mpsc::Receiver<Ended>,
    ended_in: mpsc::Sender<Ended>,
    events: mpsc::Sender<NetEvent>,
    news: News,
}

/// Ended sessions that the switchboard has not looked at; more of them wait in their tasks.
const ENDED_MAX: usize = 64;

impl Switchboard {
    pub(crate) fn new(
        key: PeerKey,
        swarm: Swarm<Behaviours>,
        shared: Arc<Shared>,
        events: mpsc::Sender<NetEvent>,
        limits: NetLimits,
        dice: u64,
    ) -> Self {
        let (ended_in, ended) = mpsc::channel(ENDED_MAX);
        Self {
            key,
            swarm,
            shared,
            limits,
            allowed: BTreeSet::new(),
            dialler: Dialler::new(dice),
            calls: BTreeMap::new(),
            neighbours: BTreeMap::new(),
            sessions: JoinSet::new(),
            sessions_begun: 0,
            ended,
            ended_in,
            events,
            news: News::default(),
        }
    }

    /// Runs until the daemon wishes to stop.
    pub(crate) async fn run(mut self) {
        let events = self.events.clone();
        loop {
            let call_at = self.next_call_at();
            tokio::select! {
                () = self.shared.bell.notified() => {
                    if self.obey() {
                        break;
                    }
                }
                event = self.swarm.select_next_some() => self.on_swarm(event),
                Some(ended) = self.ended.recv() => self.on_ended(ended),
                Some(peer) = self.sessions.join_next() => self.on_joined(peer.ok()),
                Ok(room) = events.reserve(), if !self.news.is_empty() => {
                    if let Some(event) = self.news.pop() {
                        room.send(event);
                    }
                }
                () = tokio::time::sleep_until(call_at.unwrap_or_else(Instant::now).into()),
                    if call_at.is_some() => self.call_due(),
            }
        }
        self.close_all();
        // Beyond this time the connections are cut by dropping the swarm.
        let _ = tokio::time::timeout(SHUTDOWN_DEADLINE, self.drain()).await;
    }

    fn on_swarm(&mut self, event: SwarmEvent<BehavioursEvent>) {
        match event {
            SwarmEvent::Behaviour(BehavioursEvent::Frames(event)) => self.on_frames(event),
            SwarmEvent::Behaviour(BehavioursEvent::Ping(event)) => self.on_ping(&event),
            SwarmEvent::Behaviour(_) => {}
            SwarmEvent::ConnectionEstablished { peer_id, connection_id, endpoint, .. } => {
                self.on_established(peer_id, connection_id, &endpoint);
            }
            SwarmEvent::ConnectionClosed { connection_id, .. } => {
                self.on_call_failed(connection_id, "the line closed before a session began");
            }
            SwarmEvent::OutgoingConnectionError { connection_id, error, .. } => {
                self.on_call_error(connection_id, &error);
            }
            SwarmEvent::IncomingConnectionError { error, .. } => {
                news::count_refusal(&self.shared.counts, &error);
            }
            SwarmEvent::NewListenAddr { address, .. } => {
                if let Some(addr) = socket_addr(&address) {
                    tracing::info!(%addr, "listening");
                    self.news.listening(addr);
                }
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                tracing::error!(?reason, "a listener closed");
            }
            SwarmEvent::ListenerError { error, .. } => tracing::warn!(%error, "a listener failed"),
            _ => {}
        }
    }

    /// Does what the daemon wishes and says whether that is to stop.
    fn obey(&mut self) -> bool {
        let wishes = self.shared.take_wishes();
        let now_ms = self.shared.now_ms();
        if let Some(mut allowed) = wishes.allow {
            allowed.remove(&self.key);
            self.set_allowed(allowed);
        }
        for (peer, addrs) in wishes.calls {
            match addrs {
                Some(addrs) => self.dialler.keep(now_ms, peer, &addrs, self.holds(&peer)),
                None => self.dialler.stop(&peer),
            }
        }
        self.dialler.allow(now_ms, &self.allowed);
        for peer in wishes.confirmed {
            self.dialler.confirmed(&peer);
        }
        wishes.stop
    }

    fn set_allowed(&mut self, allowed: BTreeSet<PeerKey>) {
        for peer in self.allowed.difference(&allowed) {
            if let Some(held) = self.neighbours.get(peer).and_then(|line| line.held.as_ref()) {
                held.outbox.close(CloseReason::Disallowed);
            }
            if let Some(id) = peer.peer_id() {
                self.swarm.behaviour_mut().allow.disallow_peer(id);
            }
        }
        for peer in allowed.difference(&self.allowed) {
            match peer.peer_id() {
                Some(id) => drop(self.swarm.behaviour_mut().allow.allow_peer(id)),
                None => tracing::warn!(%peer, "a key on the allow-list is no Ed25519 key"),
            }
        }
        tracing::debug!(peers = allowed.len(), "allow-list replaced");
        self.allowed = allowed;
    }

    fn on_established(&mut self, id: PeerId, connection: ConnectionId, endpoint: &ConnectedPoint) {
        let Some(peer) = PeerKey::of(&id) else {
            self.swarm.close_connection(connection);
            return;
        };
        // The side that was called waits for the caller's stream.
        if !endpoint.is_dialer() {
            return;
        }
        let direct = !endpoint.is_relayed();
        let better = match self.neighbours.get(&peer).and_then(|line| line.held.as_ref()) {
            Some(held) => direct && !held.line.direct,
            None => self.dialler.wants(&peer),
        };
        if better {
            self.swarm.behaviour_mut().frames.open(id, connection);
        } else {
            self.calls.remove(&connection);
            self.swarm.close_connection(connection);
        }
    }

    fn on_frames(&mut self, event: FramesEvent) {
        let FramesEvent { peer: id, connection, outcome } = event;
        let Some(peer) = PeerKey::of(&id) else { return };
        match outcome {
            Outcome::Ready { stream, dialer, direct } => {
                self.calls.remove(&connection);
                let opener = if dialer { self.key } else { peer };
                self.on_stream(peer, connection, *stream, Line { opener, direct });
            }
            Outcome::Refused { cause } => {
                self.on_call_failed(connection, cause);
                self.swarm.close_connection(connection);
            }
            Outcome::TooMany => {
                let fault = CloseReason::Fault(FrameFault::StreamTooMany);
                self.cut(peer, connection, fault);
            }
        }
    }

    /// A stream is ready on both sides: it becomes the session unless a better one is held.
    fn on_stream(
        &mut self,
        peer: PeerKey,
        connection: ConnectionId,
        stream: Stream,
        newcomer: Line,
    ) {
        if !self.allowed.contains(&peer) {
            self.swarm.close_connection(connection);
            return;
        }
        let neighbour = self.neighbours.entry(peer).or_default();
        if let Some(held) = &neighbour.held {
            let crossing = held.since.elapsed() < CROSSING_WINDOW;
            if choose(held.line, newcomer, crossing) == Stays::Held {
                self.swarm.close_connection(connection);
                return;
            }
        }
        if neighbour.alive >= SESSIONS_PER_PEER_MAX {
            tracing::debug!(%peer, "calls again faster than its sessions end");
            self.swarm.close_connection(connection);
            return self.dialler.failed(self.shared.now_ms(), &peer);
        }
        if let Some(held) = neighbour.held.take() {
            held.outbox.close(CloseReason::Superseded);
        }
        self.sessions_begun += 1;
        let id = SessionId(self.sessions_begun);
        let (frames_max, bytes_max) = (self.limits.queue_frames_max, self.limits.queue_bytes_max);
        let (outbox, inlet) = Outbox::new(peer, frames_max, bytes_max);
        outbox.heard(self.shared.now_ms());
        let (done, predecessor) = neighbour.begin(Held {
            session: id,
            connection,
            line: newcomer,
            since: Instant::now(),
            outbox: outbox.clone(),
        });
        let session = Session {
            id,
            dialer: newcomer.opener == self.key,
            connection,
            stream,
            outbox,
            inlet,
            predecessor,
            done,
            shared: self.shared.clone(),
            events: self.events.clone(),
            ended: self.ended_in.clone(),
        };
        self.dialler.held(&peer);
        let limits = self.limits.clone();
        self.sessions.spawn(async move {
            session.run(limits).await;
            peer
        });
    }

    /// No byte moves on this session any more: its connection goes too.
    fn on_ended(&mut self, ended: Ended) {
        self.swarm.close_connection(ended.connection);
        let Some(neighbour) = self.neighbours.get_mut(&ended.peer) else {
            return;
        };
        if neighbour.held.as_ref().is_some_and(|held| held.session == ended.session) {
            neighbour.held = None;
            self.dialler.released(self.shared.now_ms(), &ended.peer);
        }
        self.forget_if_idle(&ended.peer);
    }

    /// The daemon has read the end of a session of this neighbour.
    fn on_joined(&mut self, peer: Option<PeerKey>) {
        let Some(peer) = peer else {
            // Its neighbour counts one living session too many until the next start.
            return tracing::error!("a session ended badly");
        };
        if let Some(neighbour) = self.neighbours.get_mut(&peer) {
            neighbour.alive -= 1;
        }
        self.forget_if_idle(&peer);
    }

    /// The end of a session's task and the news of its end arrive in either order.
    fn forget_if_idle(&mut self, peer: &PeerKey) {
        if self.neighbours.get(peer).is_some_and(|line| line.alive == 0 && line.held.is_none()) {
            self.neighbours.remove(peer);
        }
    }

    fn on_ping(&mut self, event: &ping::Event) {
        let (Err(error), Some(peer)) = (&event.result, PeerKey::of(&event.peer)) else {
            return;
        };
        // The ping protocol keeps the first failure in a row to itself: what it reports is the
        // second. A ping stuck behind bulk on a thin line is not silence.
        let patience = self.limits.ping_interval + self.limits.ping_timeout;
        let held = self.neighbours.get(&peer).and_then(|line| line.held.as_ref());
        let heard_ms = held.map_or(0, |held| held.outbox.heard_ms());
        let silent_ms = u128::from(self.shared.now_ms().saturating_sub(heard_ms));
        // A side that knows no ping is asked no second time, so it would never be found silent.
        if matches!(error, ping::Failure::Unsupported) || silent_ms >= patience.as_millis() {
            tracing::debug!(%peer, %error, "no answer to pings");
            self.cut(peer, event.connection, CloseReason::Silent);
        }
    }

    /// Closes a connection and the session on it, if it carries one. The session is told first,
    /// because Yamux wakes no reader of a connection that is closed from this side.
    fn cut(&mut self, peer: PeerKey, connection: ConnectionId, reason: CloseReason) {
        let held = self.neighbours.get(&peer).and_then(|line| line.held.as_ref());
        if let Some(held) = held.filter(|held| held.connection == connection) {
            held.outbox.close(reason);
        }
        self.swarm.close_connection(connection);
    }

    fn holds(&self, peer: &PeerKey) -> bool {
        self.neighbours.get(peer).is_some_and(|line| line.held.is_some())
    }

    fn close_all(&mut self) {
        for held in self.neighbours.values().filter_map(|line| line.held.as_ref()) {
            held.outbox.close(CloseReason::Shutdown);
        }
    }

    /// Lets sessions and then connections end. New ones are closed as they come.
    async fn drain(&mut self) {
        while !self.sessions.is_empty() || self.swarm.network_info().num_peers() > 0 {
            tokio::select! {
                event = self.swarm.select_next_some() => match event {
                    SwarmEvent::ConnectionEstablished { connection_id, .. } => {
                        self.swarm.close_connection(connection_id);
                    }
                    SwarmEvent::Behaviour(BehavioursEvent::Frames(event)) => {
                        self.swarm.close_connection(event.connection);
                    }
                    _ => {}
                },
                Some(ended) = self.ended.recv() => {
                    self.swarm.close_connection(ended.connection);
                }
                Some(_) = self.sessions.join_next() => {}
            }
        }
    }
}
