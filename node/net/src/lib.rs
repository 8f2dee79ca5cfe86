//! Moves length-framed bytes between the nodes of one county, over libp2p.
//! Never looks inside a frame, knows no entry and no roster: who may connect is handed in.
//!
//! The daemon starts a [`Net`], gives it the keys that may connect and the neighbours to call, and
//! reads [`NetEvent`]s. Between two nodes there is at most one session at a time, whichever of
//! them called; for one neighbour `Opened` and `Closed` strictly alternate.
//!
//! ```text
//!  Net ──wishes──▶ Switchboard (owns the swarm, decides, never waits on a neighbour)
//!   │                  │ gate → allow-list → limits → memory → ping → frames
//!   │                  ▼
//!   └──frames──▶ session per neighbour: reads, writes ──NetEvent──▶ daemon
//! ```

mod event;
mod limits;
mod peer;

mod net;
mod shared;

mod choice;
mod dialler;
mod switchboard;

mod frames;
mod gate;
mod session;
mod swarm;

pub use event::{CloseReason, FrameFault, NetEvent, SessionId};
pub use limits::{FRAME_BYTES_MAX, NetLimits};
pub use net::{Net, NetConfig, NetError};
pub use peer::PeerKey;
pub use shared::{NetStats, SendError};
