//! What the switchboard remembers of one neighbour while there is a session with it, or the
//! daemon has not read the end of one.

use std::sync::Arc;
use std::time::Instant;

use libp2p::swarm::ConnectionId;
use tokio::sync::oneshot;

use crate::choice::Line;
use crate::event::SessionId;
use crate::shared::Outbox;

#[derive(Debug, Default)]
pub(super) struct Neighbour {
    /// The session in use.
    pub(super) held: Option<Held>,
    /// Sessions whose task has not finished, the one in use included.
    pub(super) alive: u32,
    /// Resolves when the youngest session's end has been told to the daemon.
    last_done: Option<oneshot::Receiver<()>>,
}

#[derive(Debug)]
pub(super) struct Held {
    pub(super) session: SessionId,
    pub(super) connection: ConnectionId,
    pub(super) line: Line,
    pub(super) since: Instant,
    pub(super) outbox: Arc<Outbox>,
}

impl Neighbour {
    /// Takes a session into use. Returns what it drops at its end and what it waits for before
    /// its beginning, so that the daemon never hears of two at a time.
    pub(super) fn begin(
        &mut self,
        held: Held,
    ) -> (oneshot::Sender<()>, Option<oneshot::Receiver<()>>) {
        let (done, next) = oneshot::channel();
        let predecessor = self.last_done.replace(next);
        self.held = Some(held);
        self.alive += 1;
        (done, predecessor)
    }
}
