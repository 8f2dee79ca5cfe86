//! An invitation as a newcomer gets it: a temporary secret, which network, whom to call. One short
//! text that can be read out, typed, scanned or saved (schemas/spec/invitation.md). Never written
//! into any other file.

use std::net::SocketAddr;

use xw_schemas::cose::SecretKey;
use xw_schemas::hash::tagged;
use xw_schemas::id::{NetworkId, PublicKey};
use zeroize::Zeroizing;

use crate::found::Entropy;

mod text;

pub use text::{GROUP_CHARACTERS, InvitationSlip, TEXT_BYTES_MAX};

/// Bytes of the secret: 128 bits, which nobody guesses from the public key on the roster.
const SEED_BYTES: usize = 16;

/// Bytes of the network's id in an invitation: 80 bits, so that nobody finds another county's
/// founding edition that fits.
pub const NETWORK_BYTES: usize = 10;

/// The secret of an invitation. Printing it shows nothing.
#[derive(Clone, PartialEq, Eq)]
pub struct Seed(Zeroizing<[u8; SEED_BYTES]>);

impl std::fmt::Debug for Seed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seed")
    }
}

impl Seed {
    /// A fresh one.
    #[must_use]
    pub fn fresh(entropy: Entropy<'_>) -> Self {
        let mut bytes = Zeroizing::new([0; SEED_BYTES]);
        entropy(&mut bytes[..]);
        Self(bytes)
    }

    /// The temporary key, whose only right is to be replaced.
    #[must_use]
    pub fn key(&self) -> SecretKey {
        let seed = Zeroizing::new(tagged("xw/invitation/1", &[&self.0[..]]));
        SecretKey::from_seed(&seed)
    }
}

/// What an invitation's text says. Printing it shows nothing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invitation {
    /// The secret.
    pub seed: Seed,
    /// The beginning of the network's id.
    pub network: [u8; NETWORK_BYTES],
    /// The node that takes the newcomer in; none where the answer goes by hand.
    pub node: Option<PublicKey>,
    /// Where that node is reached: at most three IPv4 and three IPv6 addresses.
    pub addresses: Vec<SocketAddr>,
}

impl Invitation {
    /// Whether it is an invitation to this network.
    #[must_use]
    pub fn is_to(&self, network: NetworkId) -> bool {
        network.0[..NETWORK_BYTES] == self.network
    }
}

/// The beginning of a network's id, as invitations carry it.
#[must_use]
pub fn beginning(network: NetworkId) -> [u8; NETWORK_BYTES] {
    let mut beginning = [0; NETWORK_BYTES];
    beginning.copy_from_slice(&network.0[..NETWORK_BYTES]);
    beginning
}

/// How nodes call their network towards each other: the beginning of its id, then zeros. A newcomer
/// knows no more of it before the roster has come.
#[must_use]
pub fn calling_name(beginning: [u8; NETWORK_BYTES]) -> [u8; 32] {
    let mut name = [0; 32];
    name[..NETWORK_BYTES].copy_from_slice(&beginning);
    name
}
