//! Every bound of the network in one place. Decides nothing.

use std::time::Duration;

/// Largest frame. Two entries of the largest size fit; at 64 kbit/s it takes 16 s, inside the
/// deadline for one frame.
pub const FRAME_BYTES_MAX: usize = 128 * 1024;

/// What one node allows itself and its neighbours. Three sizes of office have presets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NetLimits {
    /// Inbound connections whose handshake is not finished.
    pub pending_in_max: u32,
    /// Calls of ours that have not led to a session yet.
    pub pending_out_max: u32,
    /// Connections that others opened.
    pub established_in_max: u32,
    /// Connections that we opened.
    pub established_out_max: u32,
    /// All connections.
    pub established_max: u32,
    /// Connections with one neighbour. One is in use; others exist only while crossing calls or a
    /// dead line are being sorted out.
    pub established_per_peer_max: u32,
    /// Unfinished handshakes from one address.
    pub pending_per_ip_max: u32,
    /// Inbound connections from one address in a minute, spent in a burst or evenly.
    pub dials_per_ip_minute_max: u32,
    /// Resident memory of the process above which no connection is taken.
    pub memory_bytes_max: usize,
    /// Frames waiting to be sent on one session.
    pub queue_frames_max: usize,
    /// Bytes waiting to be sent on one session.
    pub queue_bytes_max: usize,
    /// From the first byte of a frame to its last.
    pub frame_deadline: Duration,
    /// The longest wait for a neighbour to take one more byte.
    pub write_deadline: Duration,
    /// Between two pings on a connection.
    pub ping_interval: Duration,
    /// The longest wait for the answer. Behind bulk on a 64 kbit/s line it takes many seconds.
    pub ping_timeout: Duration,
}

impl NetLimits {
    /// A village: a few up-links and neighbours on its own LAN.
    pub fn village() -> Self {
        Self {
            pending_in_max: 8,
            pending_out_max: 4,
            established_in_max: 12,
            established_out_max: 6,
            established_max: 16,
            established_per_peer_max: 3,
            pending_per_ip_max: 4,
            dials_per_ip_minute_max: 10,
            memory_bytes_max: 256 << 20,
            queue_frames_max: 64,
            queue_bytes_max: 1 << 20,
            frame_deadline: Duration::from_secs(30),
            write_deadline: Duration::from_secs(30),
            ping_interval: Duration::from_secs(15),
            ping_timeout: Duration::from_secs(20),
        }
    }

    /// A township: its villages, many of them behind one carrier's address.
    pub fn township() -> Self {
        Self {
            pending_in_max: 48,
            pending_out_max: 8,
            established_in_max: 150,
            established_out_max: 8,
            established_max: 160,
            pending_per_ip_max: 8,
            dials_per_ip_minute_max: 60,
            memory_bytes_max: 1 << 30,
            ..Self::village()
        }
    }

    /// The county: townships and, when a township is down, their villages. 700 sessions with full
    /// queues hold 350 MiB.
    pub fn county() -> Self {
        Self {
            pending_in_max: 64,
            established_in_max: 700,
            established_out_max: 24,
            established_max: 720,
            memory_bytes_max: 2 << 30,
            queue_bytes_max: 512 << 10,
            ..Self::township()
        }
    }
}

/// Events waiting for the daemon. With frames of the largest size they hold 32 MiB.
pub(crate) const EVENTS_MAX: usize = 256;

/// Streams on one connection: the session and two pings, with room for old streams that are not
/// yet reset. Times the 256 KiB window it bounds what a neighbour can make us hold unread.
pub(crate) const STREAMS_MAX: usize = 16;

/// Streams whose protocol is being agreed upon on one connection.
pub(crate) const NEGOTIATING_STREAMS_MAX: usize = 8;

/// TCP connect, Noise and Yamux together. A handshake is three round trips.
pub(crate) const HANDSHAKE_DEADLINE: Duration = Duration::from_secs(10);

/// Agreeing on the protocol of the session's stream: two round trips.
pub(crate) const OPEN_DEADLINE: Duration = Duration::from_secs(10);

/// A connection on which nobody opens a session is closed after this time.
pub(crate) const IDLE_DEADLINE: Duration = Duration::from_secs(10);

/// What is queued when the daemon closes a session gets this long to leave.
pub(crate) const FLUSH_DEADLINE: Duration = Duration::from_secs(2);

/// A shutdown waits this long for sessions and connections to end in good order.
pub(crate) const SHUTDOWN_DEADLINE: Duration = Duration::from_secs(3);

/// Two calls crossing each other are both answered within this time. A stream opened by a
/// neighbour later than that into a session means that the neighbour has lost the session.
pub(crate) const CROSSING_WINDOW: Duration = Duration::from_secs(10);

/// Sessions with one neighbour whose events the daemon has not read yet. A neighbour that hangs up
/// and calls again faster than the daemon reads is refused.
pub(crate) const SESSIONS_PER_PEER_MAX: u32 = 4;

/// Addresses tried for one neighbour. Libp2p dials eight at the same time.
pub(crate) const ADDRS_PER_PEER_MAX: usize = 8;

/// Small frames are gathered up to this many bytes into one write.
pub(crate) const WRITE_BATCH_BYTES: usize = 64 * 1024;

/// A frame's memory grows by this many bytes as they arrive, so that a header alone costs nothing.
/// It is also the largest piece that Yamux hands over.
pub(crate) const READ_STEP_BYTES: usize = 16 * 1024;

/// Addresses whose calls are counted. At 100 bytes each the table stays under half a megabyte.
pub(crate) const GATE_ADDRS_MAX: usize = 4096;
