//! One session of the hostile village with an honest node, over the network code that every node
//! uses. Says whatever bytes it is given, and hears what comes back.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::timeout;
use xw_net::{CloseReason, Net, NetConfig, NetEvent, NetLimits, PeerKey, SendError, SessionId};
use xw_schemas::wire::{Frame, Hello, PackedEntries, Parcel};

use crate::door::Door;
use crate::node::{GUARD, Node};
use crate::setup::{Keys, World};

/// What is not heard within this time is not coming.
pub(crate) const SILENCE: Duration = Duration::from_millis(400);

/// Calls in vain after which a key is taken to be unwelcome.
const CALLS_IN_VAIN: usize = 2;

/// An open session.
pub(crate) struct Line {
    /// What the honest node said first.
    pub(crate) hello: Hello,
    net: Net,
    news: mpsc::Receiver<NetEvent>,
    session: SessionId,
    heard: VecDeque<Frame>,
    over: Option<CloseReason>,
    /// Whether entries that come in are acknowledged, as an honest node does.
    pub(crate) acknowledges: bool,
    _door: Door,
}

/// A network that calls one node.
struct Dialled {
    net: Net,
    news: mpsc::Receiver<NetEvent>,
    door: Door,
}

async fn dial(world: &World, keys: &Keys, node: &Node) -> Dialled {
    let door = Door::to(node.address, keys.address()).await;
    let (net, news) = Net::start(NetConfig {
        node_seed: keys.node.seed(),
        network: world.calling,
        listen: Vec::new(),
        limits: NetLimits::township(),
    })
    .await
    .expect("a network without a port starts");
    let peer = PeerKey(node.key.0);
    net.allow(BTreeSet::from([peer]));
    net.keep_dialling(peer, vec![door.address]);
    Dialled { net, news, door }
}

/// Calls with a key that is to be turned away, and fails when it is let in. Whoever is turned away
/// after the handshake may see a session begin; nothing is ever said on it.
pub(crate) async fn turned_away(world: &World, keys: &Keys, node: &Node) {
    let Dialled { mut news, door: _door, net: _net } = dial(world, keys, node).await;
    let mut in_vain = 0;
    while in_vain < CALLS_IN_VAIN {
        match timeout(GUARD, news.recv()).await.expect("a caller learns what became of the call") {
            Some(NetEvent::Unreachable { .. } | NetEvent::Closed { .. }) => in_vain += 1,
            Some(NetEvent::Frame { .. }) => panic!("{} talks to a key that was cut", node.name),
            Some(_) => {}
            None => panic!("the network ended"),
        }
    }
}

impl Line {
    /// Calls and waits for the other side's hello. Says nothing itself.
    pub(crate) async fn call(world: &World, keys: &Keys, node: &Node) -> Self {
        let Dialled { net, mut news, door } = dial(world, keys, node).await;
        let peer = PeerKey(node.key.0);
        let opened = async {
            loop {
                match news.recv().await {
                    Some(NetEvent::Opened { session, .. }) => return session,
                    Some(_) => {}
                    None => panic!("the network ended"),
                }
            }
        };
        let session = timeout(GUARD, opened).await.expect("a rostered key is let in");
        // One session is one session: when it ends, nobody calls again.
        net.stop_dialling(peer);
        let hello = Hello {
            network: world.network,
            roster_number: 0,
            roster: world.founding.id(),
            editions: 0,
            digest: [0; 32],
        };
        let (heard, over) = (VecDeque::new(), None);
        let mut line =
            Self { hello, net, news, session, heard, over, acknowledges: true, _door: door };
        match line.next().await {
            Some(Frame::Hello(hello)) => line.hello = hello,
            other => panic!("{} did not say hello but {other:?}", node.name),
        }
        line
    }

    /// Calls and answers the hello with the same: both agree and entries may flow.
    pub(crate) async fn live(world: &World, keys: &Keys, node: &Node) -> Self {
        let mut line = Self::call(world, keys, node).await;
        line.greet().await;
        line
    }

    /// Says that it holds what the other side holds.
    pub(crate) async fn greet(&mut self) {
        let hello = self.hello.clone();
        self.say(&Frame::Hello(hello)).await;
    }

    /// Sends a frame; `false` when the session is over.
    pub(crate) async fn say(&mut self, frame: &Frame) -> bool {
        self.put(frame.encode()).await
    }

    /// Sends entries, as many as one frame may carry; `false` when the session is over.
    pub(crate) async fn give(&mut self, parcels: &[Parcel]) -> bool {
        self.say(&Frame::Entries(PackedEntries::pack(parcels))).await
    }

    /// Sends the bytes of a frame, waiting for room; `false` when the session is over.
    pub(crate) async fn put(&mut self, bytes: Vec<u8>) -> bool {
        loop {
            match self.net.send(self.session, bytes.clone()) {
                Ok(()) => return true,
                Err(SendError::Gone) => return false,
                Err(SendError::Full) => {
                    if self.over.is_some() || !self.event(GUARD).await {
                        return false;
                    }
                }
                Err(error @ SendError::Size { .. }) => panic!("{error}"),
            }
        }
    }

    /// The next frame; nothing when the session is over.
    pub(crate) async fn next(&mut self) -> Option<Frame> {
        self.next_within(GUARD).await
    }

    /// The next frame within a time.
    pub(crate) async fn next_within(&mut self, patience: Duration) -> Option<Frame> {
        while self.heard.is_empty() && self.over.is_none() {
            if !self.event(patience).await {
                return None;
            }
        }
        self.heard.pop_front()
    }

    /// Waits until what was sent is done with: `true` when it is acknowledged, `false` when the
    /// session ended instead.
    pub(crate) async fn acknowledged(&mut self) -> bool {
        loop {
            match self.next().await {
                Some(Frame::Ack { .. }) => return true,
                Some(_) => {}
                None => return false,
            }
        }
    }

    /// Gives entries and says whether they were taken without a word.
    pub(crate) async fn hand_over(&mut self, parcels: &[Parcel]) -> bool {
        self.give(parcels).await && self.acknowledged().await
    }

    /// Waits for the other side to end the session.
    pub(crate) async fn ended(&mut self) -> CloseReason {
        loop {
            if let Some(reason) = self.over {
                return reason;
            }
            assert!(self.event(GUARD).await, "the session goes on");
            self.heard.clear();
        }
    }

    /// Whether the session is still open after everything under way has been heard.
    pub(crate) async fn is_open(&mut self) -> bool {
        while self.over.is_none() && self.event(SILENCE).await {}
        self.over.is_none()
    }

    /// Waits until everything said so far has been heard out; `false` when the session is over.
    pub(crate) async fn heard_out(&mut self) -> bool {
        self.forget();
        let question = Frame::WantBlob { hash: [0xee; 32], offset: 0 };
        if !self.say(&question).await {
            return false;
        }
        loop {
            match self.next().await {
                Some(Frame::Blob(chunk)) if chunk.hash == [0xee; 32] => return true,
                Some(_) => {}
                None => return false,
            }
        }
    }

    /// Forgets what has been heard.
    pub(crate) fn forget(&mut self) {
        while let Ok(event) = self.news.try_recv() {
            self.take(Some(event));
        }
        self.heard.clear();
    }

    /// Takes one event in; `false` when nothing happens in time.
    async fn event(&mut self, patience: Duration) -> bool {
        let Ok(event) = timeout(patience, self.news.recv()).await else { return false };
        self.take(event);
        true
    }

    fn take(&mut self, event: Option<NetEvent>) {
        match event {
            Some(NetEvent::Frame { session, bytes }) if session == self.session => {
                let frame = Frame::decode(&bytes).expect("an honest node writes sound frames");
                self.answer(&frame);
                self.heard.push_back(frame);
            }
            Some(NetEvent::Closed { session, reason, .. }) if session == self.session => {
                self.over = Some(reason);
            }
            Some(_) => {}
            None => self.over = Some(CloseReason::Shutdown),
        }
    }

    fn answer(&self, frame: &Frame) {
        let Frame::Entries(packed) = frame else { return };
        if !self.acknowledges {
            return;
        }
        // The other side counts some bytes for each head; more than it counts is as good.
        let bytes = packed.unpacked.saturating_mul(2);
        // A full queue on our own side costs us credit, which is our loss.
        let _ = self.net.send(self.session, Frame::Ack { bytes }.encode());
    }
}
