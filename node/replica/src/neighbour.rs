//! One conversation: what the neighbour is known to hold, what is under way, what is owed.

use std::collections::BTreeMap;

use xw_ledger::log::{Log, Point};
use xw_schemas::id::{EditionId, LogId, PublicKey};
use xw_schemas::limits::{CREDIT_BYTES_MAX, CREDIT_BYTES_START};
use xw_schemas::wire::Hello;

use crate::common::Shared;
use crate::stand::Stand;

/// Ends of logs that a neighbour names, that are not held here and that are remembered: ten times
/// those of a county's first years.
pub(crate) const UNHELD_TIPS_MAX: usize = 16_384;

/// How far a conversation has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Phase {
    /// No hello yet.
    Greeting,
    /// The rosters differ; nothing else is compared before they agree.
    Roster,
    /// Digests or lists are being compared.
    Comparing,
    /// Every shared log has a known place; new entries flow as they come.
    Live,
}

/// A blob on its way here.
#[derive(Debug, Clone)]
pub(crate) struct Incoming {
    pub(crate) hash: [u8; 32],
    pub(crate) is_edition: bool,
    pub(crate) bytes: Vec<u8>,
}

/// One neighbour in one conversation.
#[derive(Debug, Clone)]
pub(crate) struct Neighbour {
    pub(crate) peer: PublicKey,
    pub(crate) dialer: bool,
    pub(crate) phase: Phase,
    pub(crate) opened_ms: u64,
    /// The roster named in our last hello, the digest in it, and what it was taken over.
    pub(crate) said: Option<(EditionId, [u8; 32], Shared)>,
    /// The neighbour's last hello: it is answered again when this node's roster has grown.
    pub(crate) heard: Option<Hello>,
    /// Whether the neighbour asked for a blob that was not held here.
    pub(crate) left_wanting: bool,
    /// Where the neighbour stands in each shared log. A log not listed is not compared yet.
    pub(crate) known: BTreeMap<LogId, Stand>,
    /// Tips that the beginning of a list names, of which the rest is on its way.
    pub(crate) listed: Vec<(LogId, Point)>,
    /// Where the neighbour stands at least in logs whose other branches it was asked to locate.
    pub(crate) locating: BTreeMap<LogId, Vec<Point>>,
    /// Logs whose tips there are not held here and lie ahead: their entries are coming.
    pub(crate) ahead: BTreeMap<LogId, Vec<Point>>,
    /// How many tips these are.
    ahead_tips: usize,
    /// Unpacked bytes sent and not acknowledged.
    pub(crate) under_way: u64,
    pub(crate) window: u64,
    pub(crate) last_ack_ms: u64,
    /// The entries of a load that the shell is doing for this neighbour.
    pub(crate) loading: Option<Vec<Point>>,
    /// What the neighbour said of the log being loaded since the load began.
    pub(crate) said_while_loading: Option<(LogId, Vec<Point>)>,
    /// The log served last, so that long logs do not starve others.
    pub(crate) served: Option<LogId>,
    /// Bodies this node has asked for here: log and number.
    pub(crate) asked: BTreeMap<LogId, u64>,
    /// Where the neighbour set itself back to be sent bodies that it lacks.
    pub(crate) set_back: BTreeMap<LogId, Point>,
    pub(crate) incoming: Option<Incoming>,
    pub(crate) wanted_blobs: Vec<([u8; 32], bool)>,
    /// How much of its list of roster editions the neighbour has named.
    pub(crate) editions_listed: u64,
    /// How often the neighbour sent entries that do not fit anywhere.
    pub(crate) gaps: u32,
    /// Entries that this disk is still busy with; bounds what one neighbour may occupy.
    pub(crate) storing: u64,
}

impl Neighbour {
    pub(crate) fn new(peer: PublicKey, dialer: bool, now_ms: u64) -> Self {
        Self {
            peer,
            dialer,
            phase: Phase::Greeting,
            opened_ms: now_ms,
            said: None,
            heard: None,
            left_wanting: false,
            known: BTreeMap::new(),
            listed: Vec::new(),
            locating: BTreeMap::new(),
            ahead: BTreeMap::new(),
            ahead_tips: 0,
            under_way: 0,
            window: CREDIT_BYTES_START,
            last_ack_ms: now_ms,
            loading: None,
            said_while_loading: None,
            served: None,
            asked: BTreeMap::new(),
            set_back: BTreeMap::new(),
            incoming: None,
            wanted_blobs: Vec::new(),
            editions_listed: 0,
            gaps: 0,
            storing: 0,
        }
    }

    /// Room for more unpacked bytes.
    pub(crate) fn credit(&self) -> u64 {
        self.window.saturating_sub(self.under_way)
    }

    /// Notes tips of a log that are not held here. Counted by tips, or one log with a thousand of them
    /// would count once. What is beyond the limit is passed over, not punished: a liar above may have
    /// made an honest neighbour hold as many, and its entries are taken as they come.
    pub(crate) fn names(&mut self, log: LogId, tips: Vec<Point>) {
        let before = self.ahead.get(&log).map_or(0, Vec::len);
        let named = self.ahead_tips - before + tips.len();
        if named <= UNHELD_TIPS_MAX {
            self.ahead_tips = named;
            self.ahead.insert(log, tips);
        }
    }

    /// Takes an acknowledgement; the window grows while the neighbour keeps up.
    pub(crate) fn acknowledged(&mut self, bytes: u64, now_ms: u64) {
        if self.under_way * 2 >= self.window {
            self.window = (self.window * 2).min(CREDIT_BYTES_MAX);
        }
        self.under_way = self.under_way.saturating_sub(bytes);
        self.last_ack_ms = now_ms;
    }

    /// Notes that the neighbour holds these entries of a log that is held here.
    pub(crate) fn holds(&mut self, log: &Log, points: impl IntoIterator<Item = Point>) {
        self.known.entry(log.id).or_default().add(log, points);
    }
}
