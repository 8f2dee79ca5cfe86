//! What the daemon's side and the network's side both hold: wishes, queues, counts.
//! Every lock is held for a few map operations and never while waiting.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed, Ordering::SeqCst};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, mpsc, watch};

use crate::event::{CloseReason, SessionId};
use crate::limits::FRAME_BYTES_MAX;
use crate::peer::PeerKey;

/// The meeting place of [`crate::Net`], the switchboard and the sessions.
#[derive(Debug)]
pub(crate) struct Shared {
    wishes: Mutex<Wishes>,
    /// Rung when there is a new wish.
    pub(crate) bell: Notify,
    outboxes: Mutex<BTreeMap<SessionId, Arc<Outbox>>>,
    pub(crate) counts: Counts,
    pub(crate) started: Instant,
}

/// What the daemon wants. Wishes of one kind for one neighbour replace each other, so they can
/// neither pile up nor get lost, as they would in a queue.
#[derive(Debug, Default)]
pub(crate) struct Wishes {
    /// The whole allow-list.
    pub(crate) allow: Option<BTreeSet<PeerKey>>,
    /// Whom to call at which addresses; `None` is to call no more.
    pub(crate) calls: BTreeMap<PeerKey, Option<Vec<SocketAddr>>>,
    /// Neighbours whose daemon has answered.
    pub(crate) confirmed: BTreeSet<PeerKey>,
    /// To end everything.
    pub(crate) stop: bool,
}

impl Shared {
    pub(crate) fn new() -> Self {
        Self {
            wishes: Mutex::default(),
            bell: Notify::new(),
            outboxes: Mutex::default(),
            counts: Counts::default(),
            started: Instant::now(),
        }
    }

    /// Adds to the wishes and has them read.
    pub(crate) fn wish(&self, change: impl FnOnce(&mut Wishes)) {
        change(&mut lock(&self.wishes));
        self.bell.notify_one();
    }

    /// Takes all wishes; `stop` stays.
    pub(crate) fn take_wishes(&self) -> Wishes {
        let mut wishes = lock(&self.wishes);
        let stop = wishes.stop;
        std::mem::replace(&mut *wishes, Wishes { stop, ..Wishes::default() })
    }

    pub(crate) fn register(&self, session: SessionId, outbox: Arc<Outbox>) {
        lock(&self.outboxes).insert(session, outbox);
    }

    pub(crate) fn unregister(&self, session: SessionId) {
        lock(&self.outboxes).remove(&session);
    }

    pub(crate) fn outbox(&self, session: SessionId) -> Option<Arc<Outbox>> {
        lock(&self.outboxes).get(&session).cloned()
    }

    /// Milliseconds since this node's network began.
    pub(crate) fn now_ms(&self) -> u64 {
        u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    pub(crate) fn stats(&self) -> NetStats {
        self.counts.read(lock(&self.outboxes).len())
    }
}

/// A panic elsewhere leaves these maps whole: each is changed in one operation.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Why a frame was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// The neighbour is slower than we are. [`crate::NetEvent::Writable`] says when to try again.
    #[error("the session's queue is full")]
    Full,
    /// The session is over, or there never was one of that number.
    #[error("the session is gone")]
    Gone,
    /// The frame is empty or longer than [`FRAME_BYTES_MAX`].
    #[error("a frame has 1 to {FRAME_BYTES_MAX} bytes and this one {bytes}")]
    Size {
        /// The length of the frame offered.
        bytes: usize,
    },
}

/// One session as the rest of the node sees it.
#[derive(Debug)]
pub(crate) struct Outbox {
    pub(crate) peer: PeerKey,
    frames: mpsc::Sender<Vec<u8>>,
    queued_bytes: AtomicUsize,
    queue_bytes_max: usize,
    /// Somebody was told that the queue is full and waits to hear of room.
    owes_notice: AtomicBool,
    close: watch::Sender<Option<CloseReason>>,
    heard_ms: AtomicU64,
}

/// The session's own ends of its [`Outbox`].
pub(crate) struct Inlet {
    pub(crate) frames: mpsc::Receiver<Vec<u8>>,
    pub(crate) close: watch::Receiver<Option<CloseReason>>,
}

impl Outbox {
    pub(crate) fn new(peer: PeerKey, frames_max: usize, bytes_max: usize) -> (Arc<Self>, Inlet) {
        let (frames, frames_end) = mpsc::channel(frames_max.max(1));
        let (close, close_end) = watch::channel(None);
        let outbox = Self {
            peer,
            frames,
            queued_bytes: AtomicUsize::new(0),
            queue_bytes_max: bytes_max,
            owes_notice: AtomicBool::new(false),
            close,
            heard_ms: AtomicU64::new(0),
        };
        (Arc::new(outbox), Inlet { frames: frames_end, close: close_end })
    }

    /// Queues a frame.
    pub(crate) fn offer(&self, bytes: Vec<u8>) -> Result<(), SendError> {
        if bytes.is_empty() || bytes.len() > FRAME_BYTES_MAX {
            return Err(SendError::Size { bytes: bytes.len() });
        }
        let bytes = match self.try_offer(bytes) {
            Ok(()) => return Ok(()),
            Err((SendError::Full, bytes)) => bytes,
            Err((other, _)) => return Err(other),
        };
        // The note is left before the second try: if that fails too, the queue still holds frames
        // and the writer looks at the note after taking one of them.
        self.owes_notice.store(true, SeqCst);
        self.try_offer(bytes).map_err(|(error, _)| error)
    }

    fn try_offer(&self, bytes: Vec<u8>) -> Result<(), (SendError, Vec<u8>)> {
        let len = bytes.len();
        let before = self.queued_bytes.fetch_add(len, SeqCst);
        // An empty queue takes any frame, whatever the bound.
        let taken = if before > 0 && before + len > self.queue_bytes_max {
            Err((SendError::Full, bytes))
        } else {
            self.frames.try_send(bytes).map_err(|error| match error {
                mpsc::error::TrySendError::Full(bytes) => (SendError::Full, bytes),
                mpsc::error::TrySendError::Closed(bytes) => (SendError::Gone, bytes),
            })
        };
        if taken.is_err() {
            self.queued_bytes.fetch_sub(len, SeqCst);
        }
        taken
    }

    /// The writer has sent this many bytes of frames. Says whether somebody waits to hear of room
    /// and there is room: half the queue, so that notices do not outnumber frames.
    pub(crate) fn sent(&self, bytes: usize) -> bool {
        let left = self.queued_bytes.fetch_sub(bytes, SeqCst) - bytes;
        let roomy = left <= self.queue_bytes_max / 2
            && self.frames.capacity() >= self.frames.max_capacity() / 2;
        roomy && self.owes_notice.swap(false, SeqCst)
    }

    /// Ends the session; the first reason given stands.
    pub(crate) fn close(&self, reason: CloseReason) {
        self.close.send_if_modified(|slot| {
            let first = slot.is_none();
            if first {
                *slot = Some(reason);
            }
            first
        });
    }

    /// Bytes of a frame came in.
    pub(crate) fn heard(&self, now_ms: u64) {
        self.heard_ms.store(now_ms, Relaxed);
    }

    pub(crate) fn heard_ms(&self) -> u64 {
        self.heard_ms.load(Relaxed)
    }
}

/// Counts since the start, and how many sessions there are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct NetStats {
    /// Sessions open at this moment.
    pub sessions: usize,
    /// Sessions ever opened.
    pub opened: u64,
    /// Frames received.
    pub frames_in: u64,
    /// Frames sent.
    pub frames_out: u64,
    /// Bytes received, headers included.
    pub bytes_in: u64,
    /// Bytes sent, headers included.
    pub bytes_out: u64,
    /// Calls begun.
    pub calls: u64,
    /// Calls that led to no session.
    pub calls_failed: u64,
    /// Callers turned away before the handshake because of their address.
    pub refused_at_gate: u64,
    /// Callers turned away because their key is not on the allow-list.
    pub refused_strangers: u64,
    /// Callers turned away because there were too many connections or too little memory.
    pub refused_over_limit: u64,
    /// Handshakes that others began and did not finish.
    pub handshakes_failed: u64,
    /// Sessions closed because the neighbour broke the framing.
    pub faults: u64,
}

macro_rules! counts {
    ($($name:ident),*) => {
        /// The live counters behind [`NetStats`].
        #[derive(Debug, Default)]
        pub(crate) struct Counts { $(pub(crate) $name: AtomicU64),* }

        impl Counts {
            fn read(&self, sessions: usize) -> NetStats {
                NetStats { sessions, $($name: self.$name.load(Relaxed)),* }
            }
        }
    };
}

counts!(
    opened,
    frames_in,
    frames_out,
    bytes_in,
    bytes_out,
    calls,
    calls_failed,
    refused_at_gate,
    refused_strangers,
    refused_over_limit,
    handshakes_failed,
    faults
);

/// Adds to a counter.
pub(crate) fn count(counter: &AtomicU64, more: u64) {
    counter.fetch_add(more, Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    const PEER: PeerKey = PeerKey([1; 32]);

    #[test]
    fn a_queue_is_bounded_in_frames_and_in_bytes() {
        let (outbox, _inlet) = Outbox::new(PEER, 3, 1_000);
        (0..3).for_each(|_| outbox.offer(vec![0; 10]).unwrap());
        assert_eq!(outbox.offer(vec![0; 10]), Err(SendError::Full));
        let (outbox, _inlet) = Outbox::new(PEER, 64, 1_000);
        outbox.offer(vec![0; 900]).unwrap();
        assert_eq!(outbox.offer(vec![0; 101]), Err(SendError::Full));
        assert_eq!(outbox.offer(vec![0; 100]), Ok(()));
    }

    #[test]
    fn an_empty_queue_takes_the_largest_frame() {
        let (outbox, _inlet) = Outbox::new(PEER, 64, 10);
        assert_eq!(outbox.offer(vec![0; FRAME_BYTES_MAX]), Ok(()));
    }

    #[test]
    fn frames_of_no_or_too_many_bytes_are_not_taken() {
        let (outbox, _inlet) = Outbox::new(PEER, 64, 1 << 20);
        assert_eq!(outbox.offer(vec![]), Err(SendError::Size { bytes: 0 }));
        let bytes = FRAME_BYTES_MAX + 1;
        assert_eq!(outbox.offer(vec![0; bytes]), Err(SendError::Size { bytes }));
    }

    #[test]
    fn whoever_met_a_full_queue_hears_once_of_room() {
        let (outbox, mut inlet) = Outbox::new(PEER, 2, 1_000);
        (0..2).for_each(|_| outbox.offer(vec![0; 10]).unwrap());
        assert_eq!(outbox.offer(vec![0; 10]), Err(SendError::Full));
        inlet.frames.try_recv().unwrap();
        assert!(outbox.sent(10));
        inlet.frames.try_recv().unwrap();
        assert!(!outbox.sent(10));
    }

    #[test]
    fn the_first_reason_to_close_stands() {
        let (outbox, inlet) = Outbox::new(PEER, 2, 10);
        outbox.close(CloseReason::Disallowed);
        outbox.close(CloseReason::Shutdown);
        assert_eq!(*inlet.close.borrow(), Some(CloseReason::Disallowed));
    }
}
