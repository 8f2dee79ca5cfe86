//! The daemon's handle on the network. Every call returns at once; the work is done elsewhere.

use std::collections::BTreeSet;
use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;

use libp2p::identity::Keypair;
use libp2p::noise;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use zeroize::Zeroizing;

use crate::event::{CloseReason, NetEvent, SessionId};
use crate::limits::{EVENTS_MAX, NetLimits};
use crate::peer::PeerKey;
use crate::shared::{NetStats, SendError, Shared};
use crate::swarm;
use crate::switchboard::Switchboard;

/// What a node must know to join the network.
pub struct NetConfig {
    /// Seed of the node's Ed25519 key, which is not the key of any office or person.
    pub node_seed: Zeroizing<[u8; 32]>,
    /// Names the county's network; nodes of another one are strangers.
    pub network: [u8; 32],
    /// Where to listen; port 0 lets the system choose, and nothing listens to nobody.
    pub listen: Vec<SocketAddr>,
    /// The bounds.
    pub limits: NetLimits,
}

impl fmt::Debug for NetConfig {
    /// Leaves the seed out.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut config = out.debug_struct("NetConfig");
        config.field("listen", &self.listen).field("limits", &self.limits).finish_non_exhaustive()
    }
}

/// The network could not start on this machine.
#[derive(Debug, thiserror::Error)]
pub enum NetError {
    /// Another program has the port, or the address is not this machine's.
    #[error("could not listen on {addr}")]
    Listen {
        /// The address asked for.
        addr: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The key does not serve for the encrypted handshake.
    #[error("could not prepare the handshake")]
    Noise(#[source] noise::Error),
    /// The system gave no random numbers.
    #[error("the system gave no random numbers")]
    Dice(#[source] getrandom::Error),
}

/// A running network. Dropping it ends all sessions; [`Net::shutdown`] does so politely.
#[derive(Debug)]
pub struct Net {
    key: PeerKey,
    shared: Arc<Shared>,
    switchboard: Option<JoinHandle<()>>,
}

impl Net {
    /// Starts listening. Nobody may connect before [`Net::allow`].
    ///
    /// The receiver must be read all the time: while it is full, no session receives. It ends only
    /// after the network has.
    #[expect(clippy::unused_async, reason = "must be called inside a Tokio runtime")]
    pub async fn start(config: NetConfig) -> Result<(Self, mpsc::Receiver<NetEvent>), NetError> {
        let mut seed = config.node_seed.clone();
        let identity =
            Keypair::ed25519_from_bytes(seed.as_mut_slice()).expect("any 32 bytes are a seed");
        let key = PeerKey::of_seed(&config.node_seed);
        let mut swarm = swarm::build(&identity, &config.network, &config.limits)?;
        for addr in &config.listen {
            swarm::listen(&mut swarm, *addr)?;
        }
        let dice = getrandom::u64().map_err(NetError::Dice)?;
        let shared = Arc::new(Shared::new());
        let (events_in, events) = mpsc::channel(EVENTS_MAX);
        let switchboard =
            Switchboard::new(key, swarm, shared.clone(), events_in, config.limits, dice);
        let switchboard = Some(tokio::spawn(switchboard.run()));
        Ok((Self { key, shared, switchboard }, events))
    }

    /// This node's own key.
    pub fn key(&self) -> PeerKey {
        self.key
    }

    /// Replaces the whole list of keys that may connect. Sessions with others are cut at once;
    /// frames of theirs that the daemon has not read yet are still in its receiver.
    pub fn allow(&self, peers: BTreeSet<PeerKey>) {
        self.shared.wish(|wishes| wishes.allow = Some(peers));
    }

    /// Keeps a session with this neighbour by calling it, at once and then with growing waits.
    /// Calling this again, with the same addresses or others, cuts the present wait short.
    pub fn keep_dialling(&self, peer: PeerKey, addrs: Vec<SocketAddr>) {
        self.shared.wish(|wishes| wishes.calls.extend([(peer, Some(addrs))]));
    }

    /// Calls this neighbour no more. A session with it goes on.
    pub fn stop_dialling(&self, peer: PeerKey) {
        self.shared.wish(|wishes| wishes.calls.extend([(peer, None)]));
    }

    /// Queues a frame of 1 to [`crate::FRAME_BYTES_MAX`] bytes.
    pub fn send(&self, session: SessionId, bytes: Vec<u8>) -> Result<(), SendError> {
        self.shared.outbox(session).ok_or(SendError::Gone)?.offer(bytes)
    }

    /// The neighbour's daemon has said a proper hello: should the session end, the next call to it
    /// comes soon.
    pub fn confirm(&self, session: SessionId) {
        if let Some(outbox) = self.shared.outbox(session) {
            self.shared.wish(|wishes| wishes.confirmed.extend([outbox.peer]));
        }
    }

    /// Ends a session after sending what is queued, within two seconds. `reason` comes back in
    /// [`CloseReason::Asked`]; the neighbour only sees the end.
    pub fn close(&self, session: SessionId, reason: &'static str) {
        if let Some(outbox) = self.shared.outbox(session) {
            outbox.close(CloseReason::Asked(reason));
        }
    }

    /// Ends all sessions as [`Net::close`] does, stops listening and returns when that is done,
    /// after three seconds at most.
    pub async fn shutdown(mut self) {
        self.shared.wish(|wishes| wishes.stop = true);
        if let Some(switchboard) = self.switchboard.take()
            && let Err(error) = switchboard.await
        {
            tracing::error!(%error, "the network ended badly");
        }
    }

    /// Counts for the status page.
    pub fn stats(&self) -> NetStats {
        self.shared.stats()
    }
}

impl Drop for Net {
    fn drop(&mut self) {
        self.shared.wish(|wishes| wishes.stop = true);
    }
}
