//! What the network tells the daemon. Carries frames as they came and never a libp2p type.

use std::fmt;
use std::net::SocketAddr;

use crate::peer::PeerKey;

/// Names one session of this process; a number is never used twice.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub(crate) u64);

impl fmt::Debug for SessionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "s{}", self.0)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, out)
    }
}

/// One thing that happened on the network.
#[derive(PartialEq, Eq)]
pub enum NetEvent {
    /// Neighbours can reach this node at this address of its own.
    Listening {
        /// With the port that the system chose, where port 0 was asked for.
        addr: SocketAddr,
    },
    /// A session with a rostered neighbour began.
    Opened {
        /// Names the session until its `Closed`.
        session: SessionId,
        /// Whose key the neighbour has proved to hold.
        peer: PeerKey,
        /// Whether this node called.
        dialer: bool,
    },
    /// A neighbour sent a frame of 1 to [`crate::FRAME_BYTES_MAX`] bytes.
    Frame {
        /// The session it came on.
        session: SessionId,
        /// The bytes between two length headers.
        bytes: Vec<u8>,
    },
    /// A session that had answered [`crate::SendError::Full`] takes frames again.
    Writable {
        /// The session with room.
        session: SessionId,
    },
    /// A session ended. Nothing follows on it.
    Closed {
        /// The session that ended.
        session: SessionId,
        /// The neighbour it was with.
        peer: PeerKey,
        /// Why it ended.
        reason: CloseReason,
    },
    /// A call to a neighbour led to no session. The next call is already planned.
    Unreachable {
        /// The neighbour called.
        peer: PeerKey,
        /// For the log and the status page: what went wrong, in a few words.
        cause: String,
    },
}

impl fmt::Debug for NetEvent {
    /// Shows how long a frame is and not what is in it, so that events may be logged.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Listening { addr } => write!(out, "Listening({addr})"),
            Self::Opened { session, peer, dialer } => {
                write!(out, "Opened({session} {peer} dialer={dialer})")
            }
            Self::Frame { session, bytes } => write!(out, "Frame({session} {} B)", bytes.len()),
            Self::Writable { session } => write!(out, "Writable({session})"),
            Self::Closed { session, peer, reason } => {
                write!(out, "Closed({session} {peer}: {reason})")
            }
            Self::Unreachable { peer, cause } => write!(out, "Unreachable({peer}: {cause})"),
        }
    }
}

/// Why a session ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseReason {
    /// The neighbour hung up between two frames.
    Ended,
    /// The connection broke.
    Lost,
    /// Another connection with the same neighbour took its place.
    Superseded,
    /// The neighbour is off the allow-list.
    Disallowed,
    /// The neighbour answered no ping and sent nothing else.
    Silent,
    /// The neighbour took no byte of what we had to send for too long.
    Stalled,
    /// The neighbour broke the framing.
    Fault(FrameFault),
    /// The daemon asked for it, in its own words.
    Asked(&'static str),
    /// This node is shutting down.
    Shutdown,
}

impl CloseReason {
    /// Whether what is queued still goes out before the session ends.
    pub(crate) fn is_polite(self) -> bool {
        matches!(self, Self::Asked(_) | Self::Shutdown)
    }
}

impl fmt::Display for CloseReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ended => out.write_str("ended"),
            Self::Lost => out.write_str("lost"),
            Self::Superseded => out.write_str("superseded"),
            Self::Disallowed => out.write_str("disallowed"),
            Self::Silent => out.write_str("silent"),
            Self::Stalled => out.write_str("stalled"),
            Self::Fault(fault) => write!(out, "fault: {fault}"),
            Self::Asked(why) => write!(out, "asked: {why}"),
            Self::Shutdown => out.write_str("shutdown"),
        }
    }
}

/// How a neighbour broke the framing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// The header announces more than [`crate::FRAME_BYTES_MAX`].
    #[error("a frame of {bytes} bytes")]
    TooLong {
        /// The length in the header.
        bytes: u32,
    },
    /// The header announces no byte at all.
    #[error("an empty frame")]
    Empty,
    /// A frame began and was not whole in time.
    #[error("a frame that did not arrive in time")]
    Unfinished,
    /// More than one stream was opened on a connection, or one by the side that was called.
    #[error("a stream too many")]
    StreamTooMany,
}
