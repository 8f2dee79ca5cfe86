//! The one thread that owns store and replica: takes what happens, does what the replica asks, and
//! in between judges what has arrived. Nothing here waits for a neighbour.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use xw_ledger::log::{DoorRefusal, PassedOver, Point};
use xw_net::{Net, PeerKey, SendError};
use xw_replica::{Effect, Event, Held, Phase, Replica, SessionId};
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::record::{Level, RecordType, SchemaHash};
use xw_schemas::wire::{Frame, PackedEntries};
use xw_store::ReceiveRefusal;

use crate::clock;
use crate::office::{Office, fatal};
use crate::run::Job;
use crate::trouble::{Answer, with_causes};

/// How often it is written down when neighbours were last heard.
const HEARD_EVERY_MS: u64 = 10_000;

/// Own logs get a checkpoint after they have grown, at most this often.
const CHECKPOINT_EVERY_MS: u64 = 1_000;

/// So long after a start, and after a neighbour has shown that it knows more of this node's own logs,
/// nothing is written: what is to be fetched comes first. Offline it goes on then.
const ASK_MS_MAX: u64 = 10_000;

/// Bytes that wait for a neighbour beside those that the network queues for it. Entries keep to their
/// credit and an honest neighbour asks for one public piece at a time; whoever lets more than this
/// pile up asks and does not read.
const WAITING_BYTES_MAX: usize = 4 << 20;

/// Office, replica and network of one node.
pub(crate) struct Mesh {
    pub(crate) office: Office,
    replica: Replica,
    net: Net,
    sessions: BTreeMap<SessionId, Line>,
    missing: Vec<SchemaHash>,
    /// Changes whose bodies this office may have and lacks.
    lacking: BTreeMap<LogId, BTreeSet<u64>>,
    /// What the door did not keep, being one variant too many.
    passed_over: PassedOver,
    /// Who may have which bodies has changed.
    recount: bool,
    heard: BTreeMap<PublicKey, u64>,
    grown: BTreeSet<LogId>,
    noted_ms: u64,
    checkpointed_ms: u64,
    /// Until when neighbours are asked what they know of this node.
    asking_until_ms: Option<u64>,
    /// What persons asked to be written meanwhile.
    deferred: Vec<Job>,
    /// A witness was to speak meanwhile.
    witness_later: bool,
}

/// One session as the network names it, with frames that wait for room.
struct Line {
    net: xw_net::SessionId,
    peer: PublicKey,
    waiting: VecDeque<Vec<u8>>,
    waiting_bytes: usize,
}

impl Mesh {
    pub(crate) fn new(office: Office, net: Net) -> Self {
        let replica = Replica::new(office.own_key());
        let mut mesh = Self {
            office,
            replica,
            net,
            sessions: BTreeMap::new(),
            missing: Vec::new(),
            lacking: BTreeMap::new(),
            passed_over: PassedOver::default(),
            recount: false,
            heard: BTreeMap::new(),
            grown: BTreeSet::new(),
            noted_ms: 0,
            checkpointed_ms: 0,
            asking_until_ms: None,
            deferred: Vec::new(),
            witness_later: false,
        };
        if mesh.office.asks_first() {
            mesh.asking_until_ms = Some(clock::steady_ms() + ASK_MS_MAX);
        }
        mesh.follow_roster();
        // What a crash kept from being witnessed is witnessed now; lacking bodies are asked for.
        mesh.happen(Event::RosterChanged);
        mesh.count_lacking();
        mesh
    }

    /// Which bodies are to be asked for: after a start, and when the roster has changed.
    fn count_lacking(&mut self) {
        let own = self.own_level();
        let all = self.office.store.without_bodies().unwrap_or_else(|error| {
            tracing::error!(error = with_causes(&error), "cannot look for lacking bodies");
            Vec::new()
        });
        self.lacking.clear();
        for (log, sequence, record_type) in all {
            if self.office.bodies_go_to(&record_type, own) {
                self.lacking.entry(log).or_default().insert(sequence);
            }
        }
        self.report_lacking();
    }

    fn report_lacking(&mut self) {
        let lowest = |(log, numbers): (&LogId, &BTreeSet<u64>)| Some((*log, *numbers.first()?));
        let logs = self.lacking.iter().filter_map(lowest).collect();
        self.happen(Event::BodiesLacking { logs });
    }

    fn own_level(&self) -> Level {
        self.office.division().tier().into()
    }

    /// Lets in who is on the roster, and looks for definitions that are not held.
    fn follow_roster(&mut self) {
        let own = self.office.own_key();
        let roster = self.office.store.roster();
        // Newcomers with an open invitation may come and fetch the roster; they read no space.
        let live = roster.admitted_peers();
        self.net.allow(live.iter().filter(|key| **key != own).map(|key| PeerKey(key.0)).collect());
        let held = self.office.store.definitions();
        self.missing = roster
            .definitions()
            .map(|(hash, _)| *hash)
            .filter(|hash| !held.contains_key(hash))
            .collect();
    }

    pub(crate) fn opened(
        &mut self,
        id: SessionId,
        net: xw_net::SessionId,
        peer: PublicKey,
        dialer: bool,
    ) {
        self.sessions.insert(id, Line { net, peer, waiting: VecDeque::new(), waiting_bytes: 0 });
        self.office.connected.insert(peer);
        self.happen(Event::Opened { session: id, peer, dialer });
    }

    pub(crate) fn closed(&mut self, id: SessionId) {
        if let Some(line) = self.sessions.remove(&id) {
            let still = self.sessions.values().any(|other| other.peer == line.peer);
            if !still {
                self.office.connected.remove(&line.peer);
            }
        }
        self.happen(Event::Closed { session: id });
    }

    pub(crate) fn frame(&mut self, session: SessionId, frame: Frame) {
        self.hear(session);
        self.happen(Event::Frame { session, frame });
    }

    pub(crate) fn entries(
        &mut self,
        session: SessionId,
        entries: Vec<(VerifiedEntry, Option<Body>)>,
        bytes: u64,
    ) {
        self.hear(session);
        self.happen(Event::Received { session, entries, bytes });
    }

    /// A neighbour's bytes broke the rules: nothing of it is kept, the conversation ends.
    pub(crate) fn fault(&mut self, session: SessionId, fault: &str) {
        if let Some(line) = self.sessions.get(&session) {
            tracing::warn!(peer = %line.peer.short(), fault, "a neighbour broke the protocol");
            self.net.close(line.net, "broke the protocol");
        }
    }

    pub(crate) fn writable(&mut self, session: SessionId) {
        let Some(line) = self.sessions.get_mut(&session) else { return };
        while let Some(bytes) = line.waiting.pop_front() {
            if let Err(SendError::Full) = self.net.send(line.net, bytes.clone()) {
                line.waiting.push_front(bytes);
                return;
            }
            line.waiting_bytes -= bytes.len();
        }
    }

    fn hear(&mut self, session: SessionId) {
        if let Some(line) = self.sessions.get(&session) {
            self.heard.insert(line.peer, clock::now_ms());
        }
    }

    /// Time has passed.
    pub(crate) fn tick(&mut self) {
        self.happen(Event::Ticked);
        self.mind_own_logs();
        log_trouble("lock the store", self.office.lock_when_idle());
        log_trouble("look after the disk", self.office.mind_disk());
        if std::mem::take(&mut self.recount) {
            self.count_lacking();
        }
        let now = clock::steady_ms();
        if now.saturating_sub(self.noted_ms) >= HEARD_EVERY_MS {
            self.note_heard();
            self.noted_ms = now;
        }
        if !self.grown.is_empty() && now.saturating_sub(self.checkpointed_ms) >= CHECKPOINT_EVERY_MS
        {
            let grown = std::mem::take(&mut self.grown);
            self.checkpointed_ms = now;
            log_trouble("sign a checkpoint", self.office.checkpoint(&grown));
        }
    }

    /// Looks whether neighbours have answered, and says again what does not stand any more.
    fn mind_own_logs(&mut self) {
        if self.asking_until_ms.is_some() && self.has_heard() {
            self.asking_until_ms = None;
        }
        if self.holds_back() {
            return;
        }
        let begun = self.office.take_life_begun();
        if begun || std::mem::take(&mut self.witness_later) {
            // What the old logs had witnessed and does not stand is witnessed in the new ones.
            self.happen(Event::RosterChanged);
        }
        log_trouble("write lost entries again", self.office.republish_some());
        self.spread();
    }

    /// Whether nothing is written because neighbours are being asked.
    pub(crate) fn holds_back(&self) -> bool {
        self.asking_until_ms.is_some()
    }

    /// Keeps what a person asked to be written until neighbours have answered.
    pub(crate) fn defer(&mut self, job: Job) {
        self.deferred.push(job);
    }

    /// What was kept, once it can be done.
    pub(crate) fn take_deferred(&mut self) -> Vec<Job> {
        if self.holds_back() { Vec::new() } else { std::mem::take(&mut self.deferred) }
    }

    /// Whether everybody who is connected has said all that they know and it is here, or time is up.
    fn has_heard(&mut self) -> bool {
        if self.asking_until_ms.is_some_and(|until| clock::steady_ms() >= until) {
            self.office.went_on_unasked = self.sessions.is_empty();
            return true;
        }
        let held = Held {
            chain: self.office.store.chain(),
            logs: self.office.store.logs(),
            missing_definitions: &self.missing,
        };
        let mut sessions = self.replica.sessions().peekable();
        sessions.peek().is_some()
            && sessions.all(|(session, info)| {
                info.phase == Phase::Live && !self.replica.expects(held, session)
            })
    }

    /// Finds out with which neighbours nothing is outstanding: they have said what they know, and it
    /// is all here.
    pub(crate) fn compare(&mut self) {
        let held = Held {
            chain: self.office.store.chain(),
            logs: self.office.store.logs(),
            missing_definitions: &self.missing,
        };
        let live = self.replica.sessions().filter(|(_, info)| info.phase == Phase::Live);
        let equal = live.filter(|(session, _)| !self.replica.expects(held, *session));
        let peers: Vec<PublicKey> = equal.map(|(_, info)| info.peer).collect();
        self.office.note_equal(&peers, clock::now_ms());
    }

    fn note_heard(&mut self) {
        let listening = !self.heard.is_empty();
        self.compare();
        if listening {
            log_trouble("note who was found equal", self.office.keep_equal());
        }
        for (peer, at) in std::mem::take(&mut self.heard) {
            if let Err(error) = self.office.store.note_heard(peer, at) {
                tracing::error!(error = with_causes(&error), "cannot note who was heard");
            }
        }
    }

    /// The node stops: what is known goes on disk.
    pub(crate) fn finish(mut self) -> Net {
        self.note_heard();
        let grown = std::mem::take(&mut self.grown);
        log_trouble("sign a checkpoint", self.office.checkpoint(&grown));
        let Self { office, net, .. } = self;
        if let Err(error) = office.store.close() {
            tracing::error!(error = with_causes(&error), "the store did not close cleanly");
        }
        net
    }

    /// Hands own entries on to the neighbours; called after every request of a person.
    pub(crate) fn spread(&mut self) {
        if self.office.take_roster_grown() {
            self.follow_roster();
            self.happen(Event::RosterChanged);
            self.recount = true;
        }
        if self.office.take_just_opened() {
            self.begin_again();
        }
        let places = self.office.take_fresh();
        if places.is_empty() {
            return;
        }
        self.grown.extend(places.iter().map(|(log, _)| *log));
        self.happen(Event::Stored {
            session: None,
            bytes: 0,
            held: places,
            gap: false,
            refused: 0,
        });
    }

    /// Neighbours who got entries without their bodies, because the store was locked, ask for them
    /// again in a new conversation; with nothing lacking it is two hellos.
    fn begin_again(&mut self) {
        for line in self.sessions.values() {
            self.net.close(line.net, "the store was unlocked");
        }
    }

    fn happen(&mut self, event: Event) {
        let mut events = VecDeque::from([event]);
        while let Some(event) = events.pop_front() {
            let held = Held {
                chain: self.office.store.chain(),
                logs: self.office.store.logs(),
                missing_definitions: &self.missing,
            };
            for effect in self.replica.handle(held, clock::steady_ms(), event) {
                self.perform(effect, &mut events);
            }
        }
    }

    fn perform(&mut self, effect: Effect, events: &mut VecDeque<Event>) {
        match effect {
            Effect::Send { session, frame } => self.send(session, frame.encode()),
            Effect::SendEntries { session, parcels } => {
                let frame = Frame::Entries(PackedEntries::pack(&parcels));
                self.send(session, frame.encode());
            }
            Effect::Store { session, entries, bytes } => {
                self.store(session, entries, bytes, events);
            }
            Effect::Load { session, reader, log, points, bytes_max } => {
                events.extend(self.load(session, reader, log, &points, bytes_max));
            }
            Effect::ReadBlob { session, hash, offset } => {
                let bytes = self.office.store.blob(hash).unwrap_or_else(|error| {
                    tracing::error!(error = with_causes(&error), "cannot read a blob");
                    None
                });
                events.push_back(Event::BlobRead { session, hash, offset, bytes });
            }
            Effect::AddEdition(edition) => match self.office.store.add_edition(edition) {
                Ok(Ok(_)) => {
                    self.follow_roster();
                    events.push_back(Event::RosterChanged);
                    self.recount = true;
                }
                Ok(Err(refusal)) => tracing::warn!(%refusal, "a roster edition was refused"),
                Err(error) => tracing::error!(error = with_causes(&error), "roster not stored"),
            },
            Effect::AddDefinition { hash, bytes } => {
                self.add_definition(hash, &bytes);
                events.push_back(Event::RosterChanged);
                self.recount = true;
            }
            Effect::OwnLogElsewhere { log } => {
                let begun = self.office.own_log_elsewhere(log);
                if !matches!(begun, Ok(false)) {
                    self.asking_until_ms = Some(clock::steady_ms() + ASK_MS_MAX);
                }
                log_trouble("begin new logs", begun.map(drop));
            }
            Effect::Witness { .. } if self.holds_back() => self.witness_later = true,
            Effect::Witness { space, logs } => {
                log_trouble("witness", self.office.witness(space, &logs));
                let places = self.office.take_fresh();
                if !places.is_empty() {
                    self.grown.extend(places.iter().map(|(log, _)| *log));
                    let (session, bytes, gap, refused) = (None, 0, false, 0);
                    events.push_back(Event::Stored { session, bytes, held: places, gap, refused });
                }
            }
            Effect::Confirm { session } => {
                if let Some(line) = self.sessions.get(&session) {
                    self.net.confirm(line.net);
                }
            }
            Effect::Close { session, reason } => {
                if let Some(line) = self.sessions.get(&session) {
                    tracing::info!(peer = %line.peer.short(), reason, "a conversation ends");
                    self.net.close(line.net, reason);
                }
            }
        }
    }

    fn send(&mut self, session: SessionId, bytes: Vec<u8>) {
        let Some(line) = self.sessions.get_mut(&session) else { return };
        // Frames keep their order: behind one that waits, all wait.
        let waits = !line.waiting.is_empty()
            || matches!(self.net.send(line.net, bytes.clone()), Err(SendError::Full));
        if waits {
            line.waiting_bytes += bytes.len();
            line.waiting.push_back(bytes);
        }
        if line.waiting_bytes > WAITING_BYTES_MAX {
            line.waiting.clear();
            line.waiting_bytes = 0;
            self.fault(session, "asks for more than it reads");
        }
    }

    fn store(
        &mut self,
        session: SessionId,
        entries: Vec<(VerifiedEntry, Option<Body>)>,
        bytes: u64,
        events: &mut VecDeque<Event>,
    ) {
        let (entries, sealed) = self.without_foreign_bodies(entries);
        let places: Vec<(LogId, Point)> = entries
            .iter()
            .map(|(entry, _)| (entry.core().log, (entry.core().sequence, entry.id())))
            .collect();
        // What bears this node's key and was not written here is noted before it is stored, or it
        // could be taken for its own later.
        if let Err(trouble) = self.office.note_foreign(&entries) {
            tracing::error!(trouble = trouble.en, "entries of this node's own key were not stored");
            self.fault(session, "our disk failed");
            return;
        }
        let logs = self.office.store.logs();
        let wanted = entries.iter().any(|(e, _)| self.passed_over.is_wanted_by(e, logs));
        let previous: Vec<EntryId> = entries.iter().map(|(e, _)| e.core().previous).collect();
        let received = match self.office.store.receive(entries, clock::now_ms()) {
            Ok(received) => received,
            Err(error) => {
                // Nothing is acknowledged that is not on disk.
                tracing::error!(error = with_causes(&error), "received entries were not stored");
                // After a failed write the system's cache can no longer be trusted: what was not
                // synced may be gone. The node ends, to start again from what is on disk.
                fatal(&error);
                self.fault(session, "our disk does not take it");
                return;
            }
        };
        let lost: BTreeSet<usize> = received.refused.iter().map(|refused| refused.index).collect();
        let (mut gap, mut refused) = (wanted, 0);
        for not in &received.refused {
            let ReceiveRefusal::Door(reason) = not.reason else {
                refused += 1;
                continue;
            };
            let (log, _) = places[not.index];
            match self.passed_over.refused(log, &previous[not.index], not.entry, reason) {
                DoorRefusal::MissingPrevious | DoorRefusal::UnknownLog => gap = true,
                DoorRefusal::EnoughVariants => {}
                _ => refused += 1,
            }
        }
        let held: Vec<(LogId, Point)> =
            (0..).zip(places).filter(|(at, _)| !lost.contains(at)).map(|(_, p)| p).collect();
        if !sealed.is_empty() || !self.lacking.is_empty() {
            self.note_lacking(&held, &sealed);
            let lowest = |(log, numbers): (&LogId, &BTreeSet<u64>)| Some((*log, *numbers.first()?));
            let logs = self.lacking.iter().filter_map(lowest).collect();
            events.push_back(Event::BodiesLacking { logs });
        }
        events.push_back(Event::Stored { session: Some(session), bytes, held, gap, refused });
    }

    /// Throws away bodies that this office may not have, and says which of those it may have did
    /// not come.
    fn without_foreign_bodies(
        &self,
        mut entries: Vec<(VerifiedEntry, Option<Body>)>,
    ) -> (Vec<(VerifiedEntry, Option<Body>)>, BTreeSet<EntryId>) {
        let own = self.own_level();
        let mut sealed = BTreeSet::new();
        for (entry, body) in &mut entries {
            let Some(change) = entry.change() else { continue };
            match self.office.bodies_go_to(&change.record_type, own) {
                false => *body = None,
                true if body.is_none() => {
                    sealed.insert(entry.id());
                }
                true => {}
            }
        }
        (entries, sealed)
    }

    fn note_lacking(&mut self, held: &[(LogId, Point)], sealed: &BTreeSet<EntryId>) {
        for (log, (sequence, entry)) in held {
            let numbers = self.lacking.entry(*log).or_default();
            if sealed.contains(entry) {
                numbers.insert(*sequence);
            } else {
                numbers.remove(sequence);
            }
        }
        self.lacking.retain(|_, numbers| !numbers.is_empty());
    }

    fn load(
        &mut self,
        session: SessionId,
        reader: PublicKey,
        log: LogId,
        points: &[Point],
        bytes_max: usize,
    ) -> Option<Event> {
        let tier = self.office.store.roster().node_office(&reader).map(|o| o.division.tier());
        let level = Level::from(tier?);
        let gets_body = |record_type: &str| self.office.bodies_go_to(record_type, level);
        match self.office.store.parcels(log, points, bytes_max, gets_body) {
            Ok(parcels) => {
                let upto = parcels.len().checked_sub(1).and_then(|last| points.get(last))?;
                Some(Event::Loaded { session, log, upto: *upto, parcels })
            }
            Err(error) => {
                tracing::error!(error = with_causes(&error), "entries cannot be read for sending");
                self.fault(session, "our disk failed");
                None
            }
        }
    }

    fn add_definition(&mut self, hash: SchemaHash, bytes: &[u8]) {
        let definition = match RecordType::from_canonical(bytes) {
            Ok(definition) if definition.hash() == hash => definition,
            Ok(_) | Err(_) => {
                tracing::warn!(definition = hash.to_hex(), "a definition that is not valid");
                return;
            }
        };
        if let Err(error) = self.office.store.add_definition(definition) {
            tracing::error!(error = with_causes(&error), "a definition was not stored");
        }
        self.follow_roster();
    }
}

fn log_trouble(doing: &str, result: Answer<()>) {
    if let Err(trouble) = result {
        tracing::error!(code = trouble.code, trouble = trouble.en, "could not {doing}");
    }
}
