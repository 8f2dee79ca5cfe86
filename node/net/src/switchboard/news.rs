//! What the switchboard has to tell the daemon, and how it words a failure.
//! Bounded by being one per address and one per neighbour: newer news replaces older.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::net::SocketAddr;

use libp2p::allow_block_list::NotAllowed;
use libp2p::swarm::{DialError, ListenError};

use crate::event::NetEvent;
use crate::gate::GateRefusal;
use crate::peer::{PeerKey, socket_addr};
use crate::shared::{Counts, count};

#[derive(Debug, Default)]
pub(super) struct News {
    listening: BTreeSet<SocketAddr>,
    unreachable: BTreeMap<PeerKey, String>,
}

impl News {
    pub(super) fn is_empty(&self) -> bool {
        self.listening.is_empty() && self.unreachable.is_empty()
    }

    pub(super) fn listening(&mut self, addr: SocketAddr) {
        self.listening.insert(addr);
    }

    pub(super) fn unreachable(&mut self, peer: PeerKey, cause: String) {
        self.unreachable.insert(peer, cause);
    }

    pub(super) fn pop(&mut self) -> Option<NetEvent> {
        if let Some(addr) = self.listening.pop_first() {
            return Some(NetEvent::Listening { addr });
        }
        let (peer, cause) = self.unreachable.pop_first()?;
        Some(NetEvent::Unreachable { peer, cause })
    }
}

/// Addresses named in one cause; the others have failed in much the same way.
const CAUSE_ADDRS_MAX: usize = 2;

/// Why a call failed, in a few words.
pub(super) fn cause_of(error: &DialError) -> String {
    match error {
        DialError::Transport(failures) => {
            let each = failures.iter().take(CAUSE_ADDRS_MAX).map(|(address, error)| {
                let at = socket_addr(address).map_or(address.to_string(), |addr| addr.to_string());
                format!("{at}: {}", root_of(error))
            });
            each.collect::<Vec<_>>().join("; ")
        }
        DialError::Denied { cause } => root_of(cause),
        DialError::NoAddresses => "no address but our own".to_owned(),
        other => root_of(other),
    }
}

/// The innermost cause says the most.
fn root_of(error: &(dyn Error + 'static)) -> String {
    let mut root = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}

/// Counts a caller that got no connection. Strangers can cause this at will, so it is counted and
/// not logged one by one.
pub(super) fn count_refusal(counts: &Counts, error: &ListenError) {
    let counter = match error {
        ListenError::Denied { cause } if cause.downcast_ref::<GateRefusal>().is_some() => {
            &counts.refused_at_gate
        }
        ListenError::Denied { cause } if cause.downcast_ref::<NotAllowed>().is_some() => {
            &counts.refused_strangers
        }
        ListenError::Denied { .. } => &counts.refused_over_limit,
        _ => &counts.handshakes_failed,
    };
    count(counter, 1);
}
