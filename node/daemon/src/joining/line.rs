//! A newcomer's call to the node that invited: fetches the roster, hands the joining edition in. Holds
//! a chain in memory and nothing on disk; speaks the ordinary frames and reads no space.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};
use xw_bootstrap::invitation::{Invitation, NETWORK_BYTES, beginning, calling_name};
use xw_ledger::roster::Chain;
use xw_net::{Net, NetConfig, NetEvent, NetLimits, PeerKey, SendError, SessionId};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::Edition;
use xw_schemas::id::{CopyId, EditionId, NetworkId, PublicKey};
use xw_schemas::limits::{BLOB_CHUNK_BYTES, DEFINITION_BYTES_MAX, EDITION_BYTES_MAX};
use xw_schemas::record::RecordType;
use xw_schemas::wire::{BlobChunk, EDITIONS_LISTED_MAX, Frame, Hello};

use crate::trouble::{Answer, Trouble, with_causes};

/// Longest wait for the next sign of life: a call on a bad line is tried again several times.
const SILENCE_MAX: Duration = Duration::from_secs(60);

/// Calls that may fail one after another, with growing waits between: half a minute to another place,
/// some seconds within one PC.
const CALLS_FAILED_MAX: u32 = 6;

/// Wait for the end of the conversation after the answer was handed in: the other side stores it,
/// and then knows the temporary key no more.
const TAKEN_MAX: Duration = Duration::from_secs(20);

/// Most editions of one roster; the bound of a neighbour's list.
const EDITIONS_MAX: usize = 65_536;

/// Most bytes of editions and definitions fetched: ten times the largest county's first decade.
const FETCHED_BYTES_MAX: usize = 512 << 20;

/// A line to one node.
pub(super) struct Line {
    net: Net,
    events: mpsc::Receiver<NetEvent>,
    session: Option<SessionId>,
    waiting: VecDeque<Vec<u8>>,
    /// Why the last call did not come through, and how many did not.
    cause: String,
    failed: u32,
}

/// What a newcomer fetched.
pub(super) struct Fetched {
    pub(super) chain: Chain,
    pub(super) definitions: Vec<RecordType>,
}

impl Line {
    /// Calls a node with this key as one's own.
    pub(super) async fn call(
        key: &SecretKey,
        network: [u8; NETWORK_BYTES],
        node: PublicKey,
        addresses: Vec<SocketAddr>,
    ) -> Answer<Self> {
        let config = NetConfig {
            node_seed: key.seed(),
            network: calling_name(network),
            listen: Vec::new(),
            limits: NetLimits::village(),
        };
        let (net, events) = Net::start(config).await.map_err(|error| {
            Trouble::because("net", "本机无法使用网络", "no network", with_causes(&error))
        })?;
        let peer = PeerKey(node.0);
        net.allow([peer].into());
        net.keep_dialling(peer, addresses);
        let (session, waiting, cause) = (None, VecDeque::new(), String::new());
        Ok(Self { net, events, session, waiting, cause, failed: 0 })
    }

    /// Ends the call.
    pub(super) async fn hang_up(self) {
        self.net.shutdown().await;
    }

    /// Waits for the other side's hello: it has let this key in.
    pub(super) async fn greeting(&mut self) -> Answer<Hello> {
        loop {
            if let Frame::Hello(hello) = self.frame(SILENCE_MAX).await? {
                return Ok(hello);
            }
        }
    }

    /// Everything about the roster that the other side holds.
    pub(super) async fn fetch(&mut self, invitation: &Invitation) -> Answer<Fetched> {
        let hello = self.greeting().await?;
        if !invitation.is_to(hello.network) {
            return Err(foreign());
        }
        self.send(&Frame::Hello(empty_hello(hello.network)));
        let mut ids: Vec<CopyId> = Vec::new();
        loop {
            self.send(&Frame::WantEditions { from: ids.len() as u64 });
            let listed = self.editions().await?;
            let more = listed.len() == EDITIONS_LISTED_MAX;
            ids.extend(listed);
            if !more || ids.len() >= EDITIONS_MAX {
                break;
            }
        }
        let mut bytes = 0;
        let mut editions = Vec::new();
        for id in &ids {
            let blob = self.blob(id.0, EDITION_BYTES_MAX).await?;
            bytes += blob.len();
            let edition = Edition::decode(blob)?;
            if edition.copy_id() != *id || bytes > FETCHED_BYTES_MAX {
                return Err(broken());
            }
            editions.push(edition);
        }
        let chain = chain_of(editions, invitation)?;
        let mut definitions = Vec::new();
        let hashes: Vec<_> = chain.roster().definitions().map(|(hash, _)| *hash).collect();
        for hash in hashes {
            let blob = self.blob(hash.0, DEFINITION_BYTES_MAX).await?;
            bytes += blob.len();
            let definition = RecordType::from_canonical(&blob).ok();
            let definition = definition.filter(|held| held.hash() == hash).ok_or_else(broken)?;
            if bytes > FETCHED_BYTES_MAX {
                return Err(broken());
            }
            definitions.push(definition);
        }
        Ok(Fetched { chain, definitions })
    }

    /// Hands an edition in: says hello with one edition more, and answers what the other side asks
    /// for until it ends the conversation.
    pub(super) async fn hand_in(&mut self, chain: &Chain, joining: &Edition) -> Answer<()> {
        let roster = chain.roster();
        self.greeting().await?;
        self.send(&Frame::Hello(Hello {
            network: roster.network(),
            roster_number: roster.number(),
            roster: roster.state(),
            editions: chain.count(),
            digest: [0; 32],
        }));
        let mut given = false;
        loop {
            let patience = if given { TAKEN_MAX } else { SILENCE_MAX };
            match self.frame(patience).await {
                Ok(Frame::WantEditions { from }) => {
                    let from = usize::try_from(from).unwrap_or(usize::MAX);
                    let listed = chain.editions().skip(from).take(EDITIONS_LISTED_MAX);
                    self.send(&Frame::Editions(listed.map(Edition::copy_id).collect()));
                }
                Ok(Frame::WantBlob { hash, offset }) => {
                    let held = chain.copy(&CopyId(hash)).map_or(&[][..], Edition::bytes);
                    self.send(&Frame::Blob(chunk(hash, offset, held)));
                    given |= hash == joining.id().0;
                }
                Ok(Frame::Hello(hello)) if hello.roster == roster.state() => return Ok(()),
                Ok(_) => {}
                // Once the answer counts, the temporary key is nobody any more.
                Err(_) if given => return Ok(()),
                Err(trouble) => return Err(trouble),
            }
        }
    }

    /// The next list of editions.
    async fn editions(&mut self) -> Answer<Vec<CopyId>> {
        loop {
            match self.frame(SILENCE_MAX).await? {
                Frame::Editions(ids) => return Ok(ids),
                // It asks for what a newcomer has: nothing.
                Frame::WantEditions { .. } => self.send(&Frame::Editions(Vec::new())),
                _ => {}
            }
        }
    }

    /// A blob, piece by piece.
    async fn blob(&mut self, hash: [u8; 32], bytes_max: usize) -> Answer<Vec<u8>> {
        let mut blob: Vec<u8> = Vec::new();
        loop {
            self.send(&Frame::WantBlob { hash, offset: blob.len() as u64 });
            let piece = loop {
                match self.frame(SILENCE_MAX).await? {
                    Frame::Blob(piece) if piece.hash == hash => break piece,
                    Frame::WantEditions { .. } => self.send(&Frame::Editions(Vec::new())),
                    _ => {}
                }
            };
            let fits = piece.offset == blob.len() as u64
                && !piece.bytes.is_empty()
                && piece.total <= bytes_max as u64;
            if !fits {
                return Err(broken());
            }
            blob.extend(&piece.bytes);
            if blob.len() as u64 >= piece.total {
                return Ok(blob);
            }
        }
    }

    fn send(&mut self, frame: &Frame) {
        self.waiting.push_back(frame.encode());
        self.flush();
    }

    fn flush(&mut self) {
        let Some(session) = self.session else { return };
        while let Some(bytes) = self.waiting.pop_front() {
            if let Err(SendError::Full) = self.net.send(session, bytes.clone()) {
                self.waiting.push_front(bytes);
                return;
            }
        }
    }

    /// The next frame. A conversation that ends is not begun anew: the other side has forgotten what
    /// was said in it.
    async fn frame(&mut self, patience: Duration) -> Answer<Frame> {
        let until = Instant::now() + patience;
        loop {
            let event = timeout_at(until, self.events.recv()).await.ok().flatten();
            match event {
                None => return Err(self.unreachable()),
                Some(NetEvent::Opened { session, .. }) => {
                    self.session = Some(session);
                    self.flush();
                }
                Some(NetEvent::Frame { bytes, .. }) => {
                    return Frame::decode(&bytes).map_err(|_| broken());
                }
                Some(NetEvent::Writable { .. }) => self.flush(),
                Some(NetEvent::Closed { session, reason, .. }) => {
                    if self.session == Some(session) {
                        self.cause = reason.to_string();
                        return Err(self.unreachable());
                    }
                }
                Some(NetEvent::Unreachable { cause, .. }) => {
                    (self.cause, self.failed) = (cause, self.failed + 1);
                    if self.failed >= CALLS_FAILED_MAX {
                        return Err(self.unreachable());
                    }
                }
                Some(NetEvent::Listening { .. }) => {}
            }
        }
    }

    fn unreachable(&self) -> Trouble {
        let cause = if self.cause.is_empty() { "no answer" } else { &self.cause };
        Trouble::because(
            "unreachable",
            "联系不上邀请方的节点。请确认对方节点正在运行、地址可达、邀请未被使用或撤回；没有网络时请用邀请文件加入",
            "the inviting node cannot be reached: is it running, is the address right, is the invitation still open? Without a line, join by the invitation file",
            cause,
        )
    }
}

/// The chain of the editions fetched. Each is tried: one that the roster does not take is left out,
/// as every node does.
fn chain_of(editions: Vec<Edition>, invitation: &Invitation) -> Answer<Chain> {
    let mut editions = editions.into_iter();
    let founding = editions.next().ok_or_else(broken)?;
    if beginning(founding.network()) != invitation.network {
        return Err(foreign());
    }
    let mut chain = Chain::founded(founding).map_err(Trouble::of_roster)?;
    let mut rest: Vec<Edition> = editions.collect();
    // Those first that others need, so one pass is the rule; an edition left out is tried once more.
    for _ in 0..2 {
        rest.retain(|edition| {
            let held = chain.edition(&edition.id()).is_some();
            !held && chain.add(edition.clone()).is_err()
        });
    }
    Ok(chain)
}

fn empty_hello(network: NetworkId) -> Hello {
    let roster = EditionId([0; 32]);
    Hello { network, roster_number: 0, roster, editions: 0, digest: [0; 32] }
}

fn chunk(hash: [u8; 32], offset: u64, whole: &[u8]) -> BlobChunk {
    let from = usize::try_from(offset).unwrap_or(usize::MAX).min(whole.len());
    let to = (from + BLOB_CHUNK_BYTES).min(whole.len());
    let (offset, total) = (from as u64, whole.len() as u64);
    BlobChunk { hash, offset, total, bytes: whole[from..to].to_vec() }
}

fn broken() -> Trouble {
    Trouble::new(
        "protocol",
        "对方节点发来的内容不符合约定，未加入",
        "the other node does not keep to the protocol; nothing was joined",
    )
}

fn foreign() -> Trouble {
    Trouble::new(
        "network",
        "对方节点属于另一个县的网络，与邀请不符，未加入",
        "the other node is of another network than the invitation's; nothing was joined",
    )
}
