//! A node's public key and its addresses, to and from libp2p's forms. Holds no secret.

use std::fmt;
use std::net::SocketAddr;

use libp2p::PeerId;
use libp2p::identity::{Keypair, PublicKey, ed25519};
use libp2p::multiaddr::{Multiaddr, Protocol};

/// A node's raw Ed25519 public key. Keys order as the peer ids made of them do.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub [u8; 32]);

impl PeerKey {
    /// The public half of a node key, given its secret seed.
    pub fn of_seed(seed: &[u8; 32]) -> Self {
        let mut copy = *seed;
        // The call clears the copy.
        let pair = Keypair::ed25519_from_bytes(&mut copy).expect("any 32 bytes are a seed");
        Self::of(&pair.public().to_peer_id()).expect("an Ed25519 key is inside its peer id")
    }

    /// The key inside a peer id; nothing for keys of another kind.
    pub(crate) fn of(peer: &PeerId) -> Option<Self> {
        let public = PublicKey::try_decode_protobuf(peer.as_ref().digest()).ok()?;
        Some(Self(public.try_into_ed25519().ok()?.to_bytes()))
    }

    /// The peer id of this key; nothing when the bytes are not a point of the curve.
    pub(crate) fn peer_id(&self) -> Option<PeerId> {
        let public = ed25519::PublicKey::try_from_bytes(&self.0).ok()?;
        Some(PublicKey::from(public).to_peer_id())
    }
}

impl fmt::Debug for PeerKey {
    /// The first four bytes, enough to tell neighbours apart in a log.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(out, "{byte:02x}"))
    }
}

impl fmt::Display for PeerKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

/// The libp2p form of a TCP address.
pub(crate) fn multiaddr(addr: SocketAddr) -> Multiaddr {
    Multiaddr::from(addr.ip()).with(Protocol::Tcp(addr.port()))
}

/// The plain form of a libp2p address that starts with an IP address and a TCP port.
pub(crate) fn socket_addr(addr: &Multiaddr) -> Option<SocketAddr> {
    let mut parts = addr.iter();
    let ip = match parts.next()? {
        Protocol::Ip4(ip) => ip.into(),
        Protocol::Ip6(ip) => ip.into(),
        _ => return None,
    };
    match parts.next()? {
        Protocol::Tcp(port) => Some(SocketAddr::new(ip, port)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_survives_the_way_through_a_peer_id() {
        let key = PeerKey::of_seed(&[7; 32]);
        assert_eq!(PeerKey::of(&key.peer_id().unwrap()), Some(key));
    }

    #[test]
    fn keys_order_as_their_peer_ids_do() {
        let mut keys: Vec<PeerKey> = (0..20).map(|seed| PeerKey::of_seed(&[seed; 32])).collect();
        keys.sort();
        let ids: Vec<PeerId> = keys.iter().map(|key| key.peer_id().unwrap()).collect();
        assert!(ids.is_sorted());
    }

    #[test]
    fn bytes_that_are_no_key_have_no_peer_id() {
        let mut bytes = [0; 32];
        bytes[0] = 2;
        assert_eq!(PeerKey(bytes).peer_id(), None);
    }

    #[test]
    fn an_address_survives_the_way_through_libp2p() {
        for text in ["10.1.2.3:4001", "[fd00::1]:4001"] {
            let addr: SocketAddr = text.parse().unwrap();
            assert_eq!(socket_addr(&multiaddr(addr)), Some(addr));
        }
    }
}
