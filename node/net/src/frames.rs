//! Negotiates one stream per connection and hands it over. Reads and writes nothing on it.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::task::{Context, Poll};

use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::core::upgrade::ReadyUpgrade;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::handler::{
    ConnectionEvent, DialUpgradeError, FullyNegotiatedInbound, FullyNegotiatedOutbound,
};
use libp2p::swarm::{
    ConnectionDenied, ConnectionHandler, ConnectionHandlerEvent, ConnectionId, FromSwarm,
    NetworkBehaviour, NotifyHandler, Stream, StreamProtocol, StreamUpgradeError, SubstreamProtocol,
    THandler, THandlerInEvent, THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

use crate::limits::OPEN_DEADLINE;

/// Last of the behaviours: it sees only connections that all others let pass.
///
/// Keeps nothing per connection. Its queues hold what the swarm has not fetched yet, and the swarm
/// fetches before it polls any connection again.
pub(crate) struct Frames {
    protocol: StreamProtocol,
    orders: VecDeque<(PeerId, ConnectionId)>,
    outcomes: VecDeque<FramesEvent>,
}

/// What became of a connection's stream.
#[derive(Debug)]
pub(crate) struct FramesEvent {
    pub(crate) peer: PeerId,
    pub(crate) connection: ConnectionId,
    pub(crate) outcome: Outcome,
}

#[derive(Debug)]
pub(crate) enum Outcome {
    /// Both sides speak the protocol. `dialer` says that our side opened the stream, `direct` that
    /// it does not go through a relay.
    Ready { stream: Box<Stream>, dialer: bool, direct: bool },
    /// The stream that we asked for did not come about.
    Refused { cause: &'static str },
    /// The neighbour opened a stream that it has no business to open.
    TooMany,
}

impl Frames {
    pub(crate) fn new(protocol: StreamProtocol) -> Self {
        Self { protocol, orders: VecDeque::new(), outcomes: VecDeque::new() }
    }

    /// Opens the session's stream on a connection that this node dialled.
    ///
    /// The caller polls the swarm next, so nobody needs waking.
    pub(crate) fn open(&mut self, peer: PeerId, connection: ConnectionId) {
        self.orders.push_back((peer, connection));
    }
}

impl NetworkBehaviour for Frames {
    type ConnectionHandler = StreamOpener;
    type ToSwarm = FramesEvent;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        local: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(StreamOpener::new(self.protocol.clone(), false, is_direct(local)))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        remote: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(StreamOpener::new(self.protocol.clone(), true, is_direct(remote)))
    }

    fn on_swarm_event(&mut self, _: FromSwarm<'_>) {}

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        outcome: THandlerOutEvent<Self>,
    ) {
        self.outcomes.push_back(FramesEvent { peer, connection, outcome });
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        if let Some(event) = self.outcomes.pop_front() {
            return Poll::Ready(ToSwarm::GenerateEvent(event));
        }
        match self.orders.pop_front() {
            Some((peer_id, connection)) => Poll::Ready(ToSwarm::NotifyHandler {
                peer_id,
                handler: NotifyHandler::One(connection),
                event: Open,
            }),
            None => Poll::Pending,
        }
    }
}

/// The order to open the session's stream.
#[derive(Debug)]
pub(crate) struct Open;

/// One connection's part: the side that dialled opens one stream, the other accepts one.
pub(crate) struct StreamOpener {
    protocol: StreamProtocol,
    dialer: bool,
    direct: bool,
    asked: bool,
    /// Whether the one stream that this side may accept has come, or none may.
    accepted: bool,
    outcomes: VecDeque<Outcome>,
}

impl StreamOpener {
    fn new(protocol: StreamProtocol, dialer: bool, direct: bool) -> Self {
        let outcomes = VecDeque::new();
        Self { protocol, dialer, direct, asked: false, accepted: dialer, outcomes }
    }

    fn ready(&mut self, stream: Stream, dialer: bool) {
        let (stream, direct) = (Box::new(stream), self.direct);
        self.outcomes.push_back(Outcome::Ready { stream, dialer, direct });
    }

    fn accept(&mut self, stream: Stream) {
        if !self.accepted {
            self.accepted = true;
            self.ready(stream, false);
        } else if self.outcomes.is_empty() {
            // Dropping the stream resets it. One complaint at a time is enough.
            self.outcomes.push_back(Outcome::TooMany);
        }
    }
}

impl ConnectionHandler for StreamOpener {
    type FromBehaviour = Open;
    type ToBehaviour = Outcome;
    type InboundProtocol = ReadyUpgrade<StreamProtocol>;
    type OutboundProtocol = ReadyUpgrade<StreamProtocol>;
    type InboundOpenInfo = ();
    type OutboundOpenInfo = ();

    fn listen_protocol(&self) -> SubstreamProtocol<Self::InboundProtocol> {
        SubstreamProtocol::new(ReadyUpgrade::new(self.protocol.clone()), ())
            .with_timeout(OPEN_DEADLINE)
    }

    fn on_behaviour_event(&mut self, _: Open) {
        self.asked = self.dialer;
    }

    fn poll(
        &mut self,
        _: &mut Context<'_>,
    ) -> Poll<ConnectionHandlerEvent<Self::OutboundProtocol, (), Outcome>> {
        if let Some(outcome) = self.outcomes.pop_front() {
            return Poll::Ready(ConnectionHandlerEvent::NotifyBehaviour(outcome));
        }
        if std::mem::take(&mut self.asked) {
            let protocol = self.listen_protocol();
            return Poll::Ready(ConnectionHandlerEvent::OutboundSubstreamRequest { protocol });
        }
        // The connection polls again after every event it delivers here.
        Poll::Pending
    }

    fn on_connection_event(
        &mut self,
        event: ConnectionEvent<'_, Self::InboundProtocol, Self::OutboundProtocol>,
    ) {
        match event {
            ConnectionEvent::FullyNegotiatedInbound(FullyNegotiatedInbound {
                protocol, ..
            }) => self.accept(protocol),
            ConnectionEvent::FullyNegotiatedOutbound(FullyNegotiatedOutbound {
                protocol, ..
            }) => self.ready(protocol, true),
            ConnectionEvent::DialUpgradeError(DialUpgradeError { error, .. }) => {
                self.outcomes.push_back(Outcome::Refused { cause: cause_of(error) });
            }
            // Inbound streams that fail to agree on a protocol are gone already, and which
            // protocols and addresses a neighbour has is of no interest.
            _ => {}
        }
    }
}

fn is_direct(addr: &Multiaddr) -> bool {
    !addr.iter().any(|part| part == Protocol::P2pCircuit)
}

fn cause_of(error: StreamUpgradeError<Infallible>) -> &'static str {
    match error {
        StreamUpgradeError::Timeout => "the session did not open in time",
        StreamUpgradeError::Apply(never) => match never {},
        StreamUpgradeError::NegotiationFailed => "speaks no common version of the protocol",
        StreamUpgradeError::Io(_) => "the line broke before the session opened",
    }
}
