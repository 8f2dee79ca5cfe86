//! Puts libp2p together: TCP, Noise, Yamux and the behaviours in their one right order.
//! Holds no state of its own.

use std::io;
use std::net::{SocketAddr, TcpListener};

use libp2p::allow_block_list::{self, AllowedPeers};
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::core::Transport;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::swarm::{NetworkBehaviour, StreamProtocol, Swarm};
use libp2p::{memory_connection_limits, noise, ping, tcp, yamux};

use crate::frames::Frames;
use crate::gate::Gate;
use crate::limits::{
    HANDSHAKE_DEADLINE, IDLE_DEADLINE, NEGOTIATING_STREAMS_MAX, NetLimits, STREAMS_MAX,
};
use crate::net::NetError;
use crate::peer::multiaddr;

/// The behaviours of a node. The order of the fields is the order in which they are asked about a
/// connection, and the first refusal ends the asking: what refuses for less stands before what
/// keeps something for each connection it has seen.
#[derive(NetworkBehaviour)]
pub(crate) struct Behaviours {
    gate: Gate,
    pub(crate) allow: allow_block_list::Behaviour<AllowedPeers>,
    limits: connection_limits::Behaviour,
    memory: memory_connection_limits::Behaviour,
    ping: ping::Behaviour,
    pub(crate) frames: Frames,
}

/// A swarm that is not listening yet.
pub(crate) fn build(
    identity: &Keypair,
    network: &[u8; 32],
    limits: &NetLimits,
) -> Result<Swarm<Behaviours>, NetError> {
    // Both ends mix the network into the handshake, so that a node of another county fails there
    // and learns nothing.
    let noise = noise::Config::new(identity)
        .map_err(NetError::Noise)?
        .with_prologue([b"xiangwang/".as_slice(), network].concat());
    let mut yamux = yamux::Config::default();
    yamux.set_max_num_streams(STREAMS_MAX);
    let transport = tcp::tokio::Transport::new(tcp::Config::new())
        .upgrade(Version::V1)
        .authenticate(noise)
        .multiplex(yamux)
        .timeout(HANDSHAKE_DEADLINE)
        .boxed();

    let behaviours = Behaviours {
        gate: Gate::new(limits.pending_per_ip_max, limits.dials_per_ip_minute_max),
        allow: allow_block_list::Behaviour::default(),
        limits: connection_limits::Behaviour::new(connection_limits(limits)),
        memory: memory_connection_limits::Behaviour::with_max_bytes(limits.memory_bytes_max),
        ping: ping::Behaviour::new(
            ping::Config::new()
                .with_interval(limits.ping_interval)
                .with_timeout(limits.ping_timeout),
        ),
        frames: Frames::new(protocol(network)),
    };
    // Streams are agreed upon with version 1 and not its lazy form: the lazy dialer believes that
    // it has a stream before the other side has said that it knows the protocol.
    let config = libp2p::swarm::Config::with_tokio_executor()
        .with_idle_connection_timeout(IDLE_DEADLINE)
        .with_max_negotiating_inbound_streams(NEGOTIATING_STREAMS_MAX);
    Ok(Swarm::new(transport, behaviours, identity.public().to_peer_id(), config))
}

fn connection_limits(limits: &NetLimits) -> ConnectionLimits {
    ConnectionLimits::default()
        .with_max_pending_incoming(Some(limits.pending_in_max))
        .with_max_pending_outgoing(Some(limits.pending_out_max))
        .with_max_established_incoming(Some(limits.established_in_max))
        .with_max_established_outgoing(Some(limits.established_out_max))
        .with_max_established(Some(limits.established_max))
        .with_max_established_per_peer(Some(limits.established_per_peer_max))
}

/// The one protocol, named after the network by the first eight bytes of its id.
fn protocol(network: &[u8; 32]) -> StreamProtocol {
    let id: String = network[..8].iter().map(|byte| format!("{byte:02x}")).collect();
    StreamProtocol::try_from_owned(format!("/xiangwang/{id}/sync/1"))
        .expect("the name starts with a slash")
}

/// Listens on one address.
pub(crate) fn listen(swarm: &mut Swarm<Behaviours>, addr: SocketAddr) -> Result<(), NetError> {
    let failed = |source: io::Error| NetError::Listen { addr, source };
    // Libp2p's listening sockets share their port with any other that asks to, so two nodes on one
    // port would both start and each get half of the calls. A plain socket does not share.
    if addr.port() != 0 {
        TcpListener::bind(addr).map_err(failed)?;
    }
    swarm.listen_on(multiaddr(addr)).map_err(|error| failed(io::Error::other(error)))?;
    Ok(())
}
