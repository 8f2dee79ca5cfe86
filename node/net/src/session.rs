//! One session: frames in, frames out, until it ends. Decides nothing about connections.
//!
//! The wire is `length: u32 big-endian` then that many bytes, again and again, both ways at once.

use std::sync::Arc;
use std::time::Duration;

use futures::io::{BufReader, ReadHalf, WriteHalf};
use futures::{AsyncReadExt, AsyncWriteExt};
use libp2p::swarm::{ConnectionId, Stream};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::timeout;

use crate::event::{CloseReason, FrameFault, NetEvent, SessionId};
use crate::limits::{
    FLUSH_DEADLINE, FRAME_BYTES_MAX, NetLimits, READ_STEP_BYTES, WRITE_BATCH_BYTES,
};
use crate::peer::PeerKey;
use crate::shared::{Inlet, Outbox, Shared, count};

/// What a session needs to live.
pub(crate) struct Session {
    pub(crate) id: SessionId,
    pub(crate) dialer: bool,
    pub(crate) connection: ConnectionId,
    pub(crate) stream: Stream,
    pub(crate) outbox: Arc<Outbox>,
    pub(crate) inlet: Inlet,
    /// Resolves when the daemon has been told of the end of the session before this one.
    pub(crate) predecessor: Option<oneshot::Receiver<()>>,
    /// Dropped when the daemon has been told of the end of this one.
    pub(crate) done: oneshot::Sender<()>,
    pub(crate) shared: Arc<Shared>,
    pub(crate) events: mpsc::Sender<NetEvent>,
    pub(crate) ended: mpsc::Sender<Ended>,
}

/// Told to the switchboard as soon as no byte will move any more.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ended {
    pub(crate) session: SessionId,
    pub(crate) peer: PeerKey,
    pub(crate) connection: ConnectionId,
}

impl Session {
    /// Runs the session to its end. A daemon that is slow to read events slows this session only.
    pub(crate) async fn run(self, limits: NetLimits) {
        let Self { id, dialer, connection, stream, outbox, mut inlet, shared, events, .. } = self;
        let (_done, peer) = (self.done, outbox.peer);

        // Opened is told before the first frame and after the end of the session before.
        let announce = async {
            if let Some(predecessor) = self.predecessor {
                // An error means that the predecessor dropped its end, which is what we wait for.
                let _ = predecessor.await;
            }
            shared.register(id, outbox.clone());
            events.send(NetEvent::Opened { session: id, peer, dialer }).await.is_ok()
        };
        let mut close = inlet.close.clone();
        let opened = tokio::select! {
            biased;
            opened = announce => opened,
            _ = asked_to_close(&mut close) => false,
        };

        let (read_half, write_half) = stream.split();
        let mut reader = Reader::new(read_half, &limits);
        let mut writer = Writer::new(write_half, &limits);
        let mut reason = CloseReason::Shutdown;
        if opened {
            count(&shared.counts.opened, 1);
            tracing::info!(session = %id, %peer, dialer, "session opened");
            // Not biased: a writer that always has work must not starve the reader.
            reason = tokio::select! {
                reason = asked_to_close(&mut inlet.close) => reason,
                reason = writer.run(&mut inlet.frames, id, &outbox, &shared, &events) => reason,
                reason = reader.run(id, &outbox, &shared, &events) => reason,
            };
        }
        shared.unregister(id);
        // When a connection is cut, its stream breaks too; why it was cut says more.
        if let Some(cut) = *inlet.close.borrow() {
            reason = cut;
        }
        if opened && reason.is_polite() {
            // The neighbour hangs up once it has read everything. Closing the connection earlier
            // than that throws away what is under way.
            let farewell = async {
                writer.finish(&mut inlet.frames).await?;
                reader.await_end().await
            };
            let _ = timeout(FLUSH_DEADLINE, farewell).await;
        }
        drop((reader, writer));
        // The switchboard is gone only when the whole network is.
        let _ = self.ended.send(Ended { session: id, peer, connection }).await;
        if opened {
            if matches!(reason, CloseReason::Fault(_)) {
                count(&shared.counts.faults, 1);
            }
            tracing::info!(session = %id, %peer, %reason, "session closed");
            let _ = events.send(NetEvent::Closed { session: id, peer, reason }).await;
        }
    }
}

async fn asked_to_close(close: &mut watch::Receiver<Option<CloseReason>>) -> CloseReason {
    match close.wait_for(Option::is_some).await {
        Ok(reason) => reason.unwrap_or(CloseReason::Shutdown),
        Err(_) => CloseReason::Shutdown,
    }
}

struct Reader {
    from: BufReader<ReadHalf<Stream>>,
    frame_deadline: Duration,
}

impl Reader {
    fn new(half: ReadHalf<Stream>, limits: &NetLimits) -> Self {
        let from = BufReader::with_capacity(READ_STEP_BYTES, half);
        Self { from, frame_deadline: limits.frame_deadline }
    }

    /// Hands frames to the daemon, each when the daemon has room for it. While it has none,
    /// nothing is read and the neighbour's window closes.
    async fn run(
        &mut self,
        session: SessionId,
        outbox: &Outbox,
        shared: &Shared,
        events: &mpsc::Sender<NetEvent>,
    ) -> CloseReason {
        loop {
            let bytes = match self.frame(outbox, shared).await {
                Ok(bytes) => bytes,
                Err(reason) => return reason,
            };
            count(&shared.counts.frames_in, 1);
            count(&shared.counts.bytes_in, 4 + bytes.len() as u64);
            if events.send(NetEvent::Frame { session, bytes }).await.is_err() {
                return CloseReason::Shutdown;
            }
        }
    }

    /// Reads on, and keeps nothing, until the neighbour hangs up.
    async fn await_end(&mut self) -> Result<(), CloseReason> {
        let copied = futures::io::copy(&mut self.from, &mut futures::io::sink()).await;
        copied.map(drop).map_err(|_| CloseReason::Lost)
    }

    async fn frame(&mut self, outbox: &Outbox, shared: &Shared) -> Result<Vec<u8>, CloseReason> {
        // A session may be silent for days between two frames; the pings look after it.
        let mut head = [0; 4];
        let got = match self.from.read(&mut head).await {
            Ok(0) => return Err(CloseReason::Ended),
            Ok(got) => got,
            Err(_) => return Err(CloseReason::Lost),
        };
        let deadline = self.frame_deadline;
        timeout(deadline, self.rest(head, got, outbox, shared))
            .await
            .unwrap_or(Err(CloseReason::Fault(FrameFault::Unfinished)))
    }

    async fn rest(
        &mut self,
        mut head: [u8; 4],
        got: usize,
        outbox: &Outbox,
        shared: &Shared,
    ) -> Result<Vec<u8>, CloseReason> {
        let lost = |_| CloseReason::Lost;
        self.from.read_exact(&mut head[got..]).await.map_err(lost)?;
        let len = frame_len(head).map_err(CloseReason::Fault)?;
        let mut bytes = Vec::with_capacity(len.min(READ_STEP_BYTES));
        while bytes.len() < len {
            let at = bytes.len();
            bytes.resize(len.min(at + READ_STEP_BYTES), 0);
            self.from.read_exact(&mut bytes[at..]).await.map_err(lost)?;
            outbox.heard(shared.now_ms());
        }
        Ok(bytes)
    }
}

fn frame_len(head: [u8; 4]) -> Result<usize, FrameFault> {
    let bytes = u32::from_be_bytes(head);
    match usize::try_from(bytes) {
        Ok(0) => Err(FrameFault::Empty),
        Ok(len) if len <= FRAME_BYTES_MAX => Ok(len),
        _ => Err(FrameFault::TooLong { bytes }),
    }
}

struct Writer {
    to: WriteHalf<Stream>,
    write_deadline: Duration,
    /// Frames with their headers, of which `written` bytes have left.
    batch: Vec<u8>,
    written: usize,
}

impl Writer {
    fn new(to: WriteHalf<Stream>, limits: &NetLimits) -> Self {
        Self { to, write_deadline: limits.write_deadline, batch: Vec::new(), written: 0 }
    }

    async fn run(
        &mut self,
        frames: &mut mpsc::Receiver<Vec<u8>>,
        session: SessionId,
        outbox: &Outbox,
        shared: &Shared,
        events: &mpsc::Sender<NetEvent>,
    ) -> CloseReason {
        while let Some(first) = frames.recv().await {
            let count_frames = self.gather(first, frames);
            let bytes = self.batch.len();
            if let Err(reason) = self.write_batch().await {
                return reason;
            }
            count(&shared.counts.frames_out, count_frames);
            count(&shared.counts.bytes_out, bytes as u64);
            let frame_bytes = bytes - 4 * count_frames as usize;
            if outbox.sent(frame_bytes)
                && events.send(NetEvent::Writable { session }).await.is_err()
            {
                return CloseReason::Shutdown;
            }
        }
        CloseReason::Shutdown
    }

    /// Puts the first frame, and as many more as wait and fit, into the batch.
    fn gather(&mut self, first: Vec<u8>, frames: &mut mpsc::Receiver<Vec<u8>>) -> u64 {
        self.batch.clear();
        self.written = 0;
        let (mut next, mut count_frames) = (Some(first), 0);
        while let Some(frame) = next {
            let len = u32::try_from(frame.len()).expect("the outbox takes no longer frame");
            self.batch.extend_from_slice(&len.to_be_bytes());
            self.batch.extend_from_slice(&frame);
            count_frames += 1;
            next = if self.batch.len() < WRITE_BATCH_BYTES { frames.try_recv().ok() } else { None };
        }
        count_frames
    }

    /// Writes what is left of the batch. Slow is allowed, standing still is not. May be dropped
    /// at any point and called again.
    async fn write_batch(&mut self) -> Result<(), CloseReason> {
        while self.written < self.batch.len() {
            let step = self.to.write(&self.batch[self.written..]);
            match timeout(self.write_deadline, step).await {
                Err(_) => return Err(CloseReason::Stalled),
                Ok(Ok(0) | Err(_)) => return Err(CloseReason::Lost),
                Ok(Ok(wrote)) => self.written += wrote,
            }
        }
        match timeout(self.write_deadline, self.to.flush()).await {
            Err(_) => Err(CloseReason::Stalled),
            Ok(Err(_)) => Err(CloseReason::Lost),
            Ok(Ok(())) => {
                // A burst may have grown the buffer; an idle session should not keep it.
                self.batch.clear();
                self.batch.shrink_to(READ_STEP_BYTES);
                self.written = 0;
                Ok(())
            }
        }
    }

    /// Sends all that is queued and hangs up.
    async fn finish(&mut self, frames: &mut mpsc::Receiver<Vec<u8>>) -> Result<(), CloseReason> {
        self.write_batch().await?;
        while let Ok(frame) = frames.try_recv() {
            self.gather(frame, frames);
            self.write_batch().await?;
        }
        self.to.close().await.map_err(|_| CloseReason::Lost)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_announces_one_byte_to_the_largest_frame() {
        let max = FRAME_BYTES_MAX as u32;
        assert_eq!(frame_len(1u32.to_be_bytes()), Ok(1));
        assert_eq!(frame_len(max.to_be_bytes()), Ok(FRAME_BYTES_MAX));
        assert_eq!(frame_len([0; 4]), Err(FrameFault::Empty));
        for bytes in [max + 1, 10 * max, u32::MAX] {
            assert_eq!(frame_len(bytes.to_be_bytes()), Err(FrameFault::TooLong { bytes }));
        }
    }
}
