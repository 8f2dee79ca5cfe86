//! Turns callers away before the handshake when their address calls too often.
//! Knows no keys: who a caller is shows only after the handshake, which is what costs.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, Ipv6Addr};
use std::task::{Context, Poll};
use std::time::Instant;

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use crate::limits::GATE_ADDRS_MAX;
use crate::peer::socket_addr;

/// First of the behaviours: what it turns away leaves no trace in the others.
pub(crate) struct Gate {
    callers: Callers,
    /// Unfinished handshakes and the address they came from.
    pending: BTreeMap<ConnectionId, IpAddr>,
    started: Instant,
}

impl Gate {
    pub(crate) fn new(pending_per_ip_max: u32, dials_per_ip_minute_max: u32) -> Self {
        let callers = Callers::new(pending_per_ip_max, dials_per_ip_minute_max);
        Self { callers, pending: BTreeMap::new(), started: Instant::now() }
    }

    fn settle(&mut self, connection: ConnectionId) {
        if let Some(ip) = self.pending.remove(&connection) {
            self.callers.settled(ip);
        }
    }
}

impl NetworkBehaviour for Gate {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        let Some(addr) = socket_addr(remote) else {
            return Err(ConnectionDenied::new(GateRefusal::NoAddress));
        };
        let ip = counted_as(addr.ip());
        let now_ms = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        self.callers.admit(ip, now_ms).map_err(ConnectionDenied::new)?;
        self.pending.insert(connection, ip);
        Ok(())
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.settle(connection);
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        if let FromSwarm::ListenFailure(failure) = event {
            self.settle(failure.connection_id);
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

/// Why a caller was turned away at the gate.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GateRefusal {
    #[error("too many unfinished handshakes from one address")]
    Pending,
    #[error("too many calls from one address")]
    Rate,
    #[error("no IP address and TCP port")]
    NoAddress,
}

/// How often each address called lately. The one unheard of longest is forgotten first.
#[derive(Debug)]
struct Callers {
    by_ip: BTreeMap<IpAddr, Caller>,
    by_age: BTreeMap<u64, IpAddr>,
    calls: u64,
    pending_max: u32,
    cost_ms: u64,
}

#[derive(Debug)]
struct Caller {
    /// Time this address has saved up; a call costs `cost_ms` of it.
    credit_ms: u64,
    at_ms: u64,
    pending: u32,
    age: u64,
}

/// Credit never exceeds a minute, so a minute's calls may come in one burst.
const CREDIT_MS_MAX: u64 = 60_000;

impl Callers {
    fn new(pending_max: u32, dials_per_minute: u32) -> Self {
        Self {
            by_ip: BTreeMap::new(),
            by_age: BTreeMap::new(),
            calls: 0,
            pending_max,
            cost_ms: CREDIT_MS_MAX / u64::from(dials_per_minute.max(1)),
        }
    }

    fn admit(&mut self, ip: IpAddr, now_ms: u64) -> Result<(), GateRefusal> {
        let (pending_max, cost_ms) = (self.pending_max, self.cost_ms);
        let caller = self.touch(ip, now_ms);
        let saved = now_ms.saturating_sub(caller.at_ms);
        caller.credit_ms = caller.credit_ms.saturating_add(saved).min(CREDIT_MS_MAX);
        caller.at_ms = now_ms;
        if caller.pending >= pending_max {
            return Err(GateRefusal::Pending);
        }
        if caller.credit_ms < cost_ms {
            return Err(GateRefusal::Rate);
        }
        caller.credit_ms -= cost_ms;
        caller.pending += 1;
        Ok(())
    }

    fn settled(&mut self, ip: IpAddr) {
        if let Some(caller) = self.by_ip.get_mut(&ip) {
            caller.pending = caller.pending.saturating_sub(1);
        }
    }

    /// Makes this address the youngest of the table, forgetting the oldest if there is no room.
    fn touch(&mut self, ip: IpAddr, now_ms: u64) -> &mut Caller {
        self.calls += 1;
        let age = self.calls;
        if let Some(known) = self.by_ip.get(&ip) {
            self.by_age.remove(&known.age);
        } else if self.by_ip.len() >= GATE_ADDRS_MAX
            && let Some((_, oldest)) = self.by_age.pop_first()
        {
            self.by_ip.remove(&oldest);
        }
        self.by_age.insert(age, ip);
        let new = Caller { credit_ms: CREDIT_MS_MAX, at_ms: now_ms, pending: 0, age };
        let caller = self.by_ip.entry(ip).or_insert(new);
        caller.age = age;
        caller
    }
}

/// One subscriber of IPv6 owns a /64; in IPv4 neighbours on a LAN share all but the last byte, and
/// one of them must not lock out the rest.
fn counted_as(ip: IpAddr) -> IpAddr {
    match ip.to_canonical() {
        IpAddr::V6(ip) => {
            let [a, b, c, d, ..] = ip.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_minutes_calls_may_come_at_once_and_then_no_more() {
        let mut callers = Callers::new(8, 60);
        let admitted =
            (0..300).filter(|_| call_and_settle(&mut callers, ip("10.0.0.1"), 0)).count();
        assert_eq!(admitted, 60);
        assert!(!call_and_settle(&mut callers, ip("10.0.0.1"), 999));
        assert!(call_and_settle(&mut callers, ip("10.0.0.1"), 1_000));
        assert!(
            call_and_settle(&mut callers, ip("10.0.0.2"), 0),
            "another address is not punished"
        );
    }

    #[test]
    fn unfinished_handshakes_from_one_address_are_few() {
        let mut callers = Callers::new(4, 60);
        let caller = ip("10.0.0.1");
        for _ in 0..4 {
            assert_eq!(callers.admit(caller, 0), Ok(()));
        }
        assert_eq!(callers.admit(caller, 0), Err(GateRefusal::Pending));
        callers.settled(caller);
        assert_eq!(callers.admit(caller, 0), Ok(()));
    }

    #[test]
    fn the_table_keeps_the_youngest_and_a_fixed_size() {
        let mut callers = Callers::new(4, 10);
        for number in 0..10 * GATE_ADDRS_MAX as u32 {
            let _ = callers.admit(IpAddr::V4(number.into()), 0);
            let _ = callers.admit(ip("10.9.9.9"), 0);
        }
        assert_eq!(callers.by_ip.len(), GATE_ADDRS_MAX);
        assert_eq!(callers.by_age.len(), GATE_ADDRS_MAX);
        assert_eq!(callers.admit(ip("10.9.9.9"), 0), Err(GateRefusal::Pending));
    }

    #[test]
    fn a_subscriber_of_ipv6_counts_once() {
        assert_eq!(counted_as(ip("2001:db8::1")), counted_as(ip("2001:db8::ffff:1")));
        assert_ne!(counted_as(ip("2001:db8:0:1::1")), counted_as(ip("2001:db8::1")));
        assert_eq!(counted_as(ip("::ffff:10.0.0.1")), ip("10.0.0.1"));
    }

    fn call_and_settle(callers: &mut Callers, ip: IpAddr, now_ms: u64) -> bool {
        let admitted = callers.admit(ip, now_ms).is_ok();
        if admitted {
            callers.settled(ip);
        }
        admitted
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }
}
