//! The switchboard's calls: when they begin and what becomes of those that fail.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, DialError};

use super::{Switchboard, news};
use crate::peer::{PeerKey, multiaddr, socket_addr};
use crate::shared::count;

impl Switchboard {
    pub(super) fn next_call_at(&self) -> Option<Instant> {
        if self.calls.len() >= self.limits.pending_out_max as usize {
            return None;
        }
        self.dialler.next_ms().map(|at_ms| self.shared.started + Duration::from_millis(at_ms))
    }

    /// Begins the calls that are due, as far as the limit lets them begin.
    pub(super) fn call_due(&mut self) {
        while self.calls.len() < self.limits.pending_out_max as usize
            && let Some((peer, addrs)) = self.dialler.due(self.shared.now_ms())
        {
            self.call(peer, &addrs);
        }
    }

    fn call(&mut self, peer: PeerKey, addrs: &[SocketAddr]) {
        let Some(id) = peer.peer_id() else {
            return self.dialler.stop(&peer);
        };
        // From a new port and not from the listening one: two neighbours calling each other from
        // their listening ports open one TCP connection with two callers, and no session.
        let opts = DialOpts::peer_id(id)
            .condition(PeerCondition::Always)
            .addresses(addrs.iter().copied().map(multiaddr).collect())
            .allocate_new_port()
            .build();
        let connection = opts.connection_id();
        count(&self.shared.counts.calls, 1);
        self.calls.insert(connection, peer);
        if let Err(error) = self.swarm.dial(opts) {
            self.on_call_error(connection, &error);
        }
    }

    pub(super) fn on_call_error(&mut self, connection: ConnectionId, error: &DialError) {
        if let DialError::WrongPeerId { address, .. } | DialError::LocalPeerId { address } = error
            && let Some(addr) = socket_addr(address)
            && let Some(peer) = self.calls.remove(&connection)
        {
            self.dialler.stranger_at(self.shared.now_ms(), &peer, addr);
            return self.report_unreachable(peer, format!("{addr}: another node answers there"));
        }
        self.on_call_failed(connection, &news::cause_of(error));
    }

    /// A call, if it was one, led to no session.
    pub(super) fn on_call_failed(&mut self, connection: ConnectionId, cause: &str) {
        if let Some(peer) = self.calls.remove(&connection) {
            self.dialler.failed(self.shared.now_ms(), &peer);
            self.report_unreachable(peer, cause.to_owned());
        }
    }

    fn report_unreachable(&mut self, peer: PeerKey, cause: String) {
        // The neighbour may have called us in the meantime.
        if !self.holds(&peer) {
            tracing::debug!(%peer, cause, "call led to no session");
            count(&self.shared.counts.calls_failed, 1);
            self.news.unreachable(peer, cause);
        }
    }
}
