//! A session spoken byte by byte, below the network code: lengths that lie, streams that nobody
//! reads.

use std::time::Duration;

use futures::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::time::timeout;
use xw_schemas::wire::Frame;

use crate::door::Door;
use crate::node::{GUARD, Node};
use crate::raw::{Raw, Talk};
use crate::setup::{Keys, World};

/// A stream that has agreed on the protocol and said nothing yet. Pings are taken and not answered.
pub(crate) struct ByHand {
    pub(crate) stream: Talk,
    _door: Door,
}

impl ByHand {
    /// Calls an honest node.
    pub(crate) async fn open(world: &World, keys: &Keys, node: &Node) -> Self {
        let door = Door::to(node.address, keys.address()).await;
        let connect = async {
            loop {
                let seed = *keys.node.seed();
                // A session that has just ended may still hold its place.
                if let Ok(mut raw) = Raw::connect(seed, world.calling, door.address).await
                    && let Ok(stream) = raw.open().await
                {
                    raw.run();
                    return stream;
                }
                tokio::task::yield_now().await;
            }
        };
        let stream = timeout(GUARD, connect).await.expect("a rostered key is let in");
        Self { stream, _door: door }
    }

    /// Sends frames with their lengths; `false` when the line is gone or takes nothing any more.
    pub(crate) async fn say(&mut self, frame: &Frame, patience: Duration) -> bool {
        let bytes = frame.encode();
        let length = u32::try_from(bytes.len()).expect("a frame is short").to_be_bytes();
        let put = async {
            self.stream.write_all(&length).await?;
            self.stream.write_all(&bytes).await?;
            self.stream.flush().await
        };
        matches!(timeout(patience, put).await, Ok(Ok(())))
    }

    /// Reads one frame.
    pub(crate) async fn hear(&mut self) -> Option<Frame> {
        let read = async {
            let mut length = [0; 4];
            self.stream.read_exact(&mut length).await.ok()?;
            let mut bytes = vec![0; usize::try_from(u32::from_be_bytes(length)).ok()?];
            self.stream.read_exact(&mut bytes).await.ok()?;
            Frame::decode(&bytes).ok()
        };
        timeout(GUARD, read).await.ok()?
    }

    /// Reads until the other side ends the stream.
    pub(crate) async fn until_ended(&mut self, patience: Duration) {
        let ended = async {
            let mut bytes = vec![0; 64 << 10];
            while matches!(self.stream.read(&mut bytes).await, Ok(count) if count > 0) {}
        };
        timeout(patience, ended).await.expect("the session ends");
    }
}
