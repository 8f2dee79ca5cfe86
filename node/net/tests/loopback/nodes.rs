//! A node under test and the verbs the tests are written in.

use std::collections::BTreeSet;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use xw_net::{CloseReason, Net, NetConfig, NetEvent, NetLimits, PeerKey, SessionId};
use zeroize::Zeroizing;

use crate::raw::Raw;

const NETWORK: [u8; 32] = [0x13; 32];

/// Only a broken test waits this long.
const GUARD: Duration = Duration::from_secs(60);

pub(crate) struct Node {
    pub(crate) net: Net,
    pub(crate) events: mpsc::Receiver<NetEvent>,
    pub(crate) key: PeerKey,
    pub(crate) addr: SocketAddr,
}

pub(crate) fn config(seed: u8) -> NetConfig {
    NetConfig {
        node_seed: Zeroizing::new([seed; 32]),
        network: NETWORK,
        listen: vec![SocketAddr::from(([127, 0, 0, 1], 0))],
        limits: NetLimits::township(),
    }
}

/// A neighbour with this key that does everything by hand.
pub(crate) async fn raw(seed: u8, addr: SocketAddr) -> std::io::Result<Raw> {
    Raw::connect([seed; 32], NETWORK, addr).await
}

pub(crate) fn key(seed: u8) -> PeerKey {
    PeerKey::of_seed(&[seed; 32])
}

impl Node {
    pub(crate) async fn start(seed: u8) -> Self {
        Self::start_with(config(seed)).await
    }

    pub(crate) async fn start_with(config: NetConfig) -> Self {
        let (net, mut events) = Net::start(config).await.unwrap();
        let addr = match within(events.recv()).await {
            Some(NetEvent::Listening { addr }) => addr,
            other => panic!("expected an address, got {other:?}"),
        };
        Self { key: net.key(), net, events, addr }
    }

    pub(crate) fn allow(&self, peers: &[PeerKey]) {
        self.net.allow(BTreeSet::from_iter(peers.iter().copied()));
    }

    pub(crate) fn call(&self, other: &Self) {
        self.net.keep_dialling(other.key, vec![other.addr]);
    }

    pub(crate) async fn next(&mut self) -> NetEvent {
        within(self.events.recv()).await.expect("the network runs")
    }

    /// Waits for a session, passing over calls that failed.
    pub(crate) async fn opened(&mut self) -> (SessionId, PeerKey, bool) {
        loop {
            match self.next().await {
                NetEvent::Opened { session, peer, dialer } => return (session, peer, dialer),
                NetEvent::Unreachable { .. } => {}
                other => panic!("expected a session, got {other:?}"),
            }
        }
    }

    /// Waits for the end of a session, passing over its last frames.
    pub(crate) async fn closed(&mut self, session: SessionId) -> CloseReason {
        loop {
            match self.next().await {
                NetEvent::Closed { session: closed, reason, .. } if closed == session => {
                    return reason;
                }
                NetEvent::Frame { .. } | NetEvent::Writable { .. } => {}
                NetEvent::Unreachable { .. } => {}
                other => panic!("expected the end of {session}, got {other:?}"),
            }
        }
    }

    pub(crate) async fn frame(&mut self) -> Vec<u8> {
        loop {
            match self.next().await {
                NetEvent::Frame { bytes, .. } => return bytes,
                NetEvent::Writable { .. } | NetEvent::Unreachable { .. } => {}
                other => panic!("expected a frame, got {other:?}"),
            }
        }
    }

    pub(crate) async fn unreachable(&mut self) -> String {
        match self.next().await {
            NetEvent::Unreachable { cause, .. } => cause,
            other => panic!("expected a failed call, got {other:?}"),
        }
    }
}

/// Two nodes that know each other, the first having called the second.
pub(crate) struct Pair {
    pub(crate) a: Node,
    pub(crate) b: Node,
    pub(crate) at_a: SessionId,
    pub(crate) at_b: SessionId,
}

impl Pair {
    pub(crate) async fn connected(a: NetConfig, b: NetConfig) -> Self {
        let (mut a, mut b) = (Node::start_with(a).await, Node::start_with(b).await);
        a.allow(&[b.key]);
        b.allow(&[a.key]);
        a.call(&b);
        let (at_a, peer, dialer) = a.opened().await;
        assert_eq!((peer, dialer), (b.key, true));
        let (at_b, peer, dialer) = b.opened().await;
        assert_eq!((peer, dialer), (a.key, false));
        Self { a, b, at_a, at_b }
    }

    /// One frame there and one back.
    pub(crate) async fn echo(&mut self, bytes: &[u8]) {
        self.a.net.send(self.at_a, bytes.to_vec()).unwrap();
        assert_eq!(self.b.frame().await, bytes);
        self.b.net.send(self.at_b, bytes.to_vec()).unwrap();
        assert_eq!(self.a.frame().await, bytes);
    }
}

pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    timeout(GUARD, future).await.expect("nothing happened for a minute")
}
