//! A county in one thread: nodes, the links between them, virtual time and one source of chance.
//! Verbs of the domain stand here; what a node's shell does stands in `shell.rs`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use xw_ledger::roster::RULES_VERSION;
use xw_ledger::standing::Standing;
use xw_replica::{Event, Replica, SessionId};
use xw_schemas::edition::{Edition, Fact};
use xw_schemas::entry::{RawEntry, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, OperationId, PublicKey, RecordId};

use crate::dice::Dice;
use crate::founding::{COUNTY, Registry, Seat, VILLAGES};
use crate::habits::Habits;
use crate::lines::Conn;
use crate::memory::{Commit, Kept, Memory};

/// How often a node's clock ticks.
const TICK_MS: u64 = 400;

/// Nothing but ticks for so long is quiet: longer than a witness waits and a dialler backs off.
const QUIET_MS: u64 = 8_000;

/// A county that is not quiet after so long never will be.
const QUIET_MS_MAX: u64 = 600_000;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// Everything that lies ahead.
#[derive(Debug)]
pub(crate) enum Due {
    /// A frame reaches one end of a connection.
    Arrive { conn: u64, side: usize, bytes: Vec<u8> },
    /// One end notices that its connection is gone.
    Lost { conn: u64, side: usize },
    /// A node's clock ticks.
    Tick { seat: Seat, epoch: u32 },
    /// A node looks whether it should dial.
    Dial { seat: Seat, epoch: u32 },
    /// A node's disk is done with a batch.
    Commit { seat: Seat, epoch: u32, session: Option<SessionId>, batch: Vec<Kept>, bytes: u64 },
    /// Something that a node's shell has to tell its replica.
    Tell { seat: Seat, epoch: u32, event: Event },
    /// A crashed node comes back.
    Restart { seat: Seat },
}

impl Due {
    /// Whether it happens again and again for ever and is no sign of work.
    fn is_routine(&self) -> bool {
        matches!(self, Self::Tick { .. } | Self::Dial { .. })
    }
}

/// What one end knows of a connection.
#[derive(Debug, Clone)]
pub(crate) struct Line {
    pub(crate) peer: Seat,
    pub(crate) side: usize,
    /// Batches sent and not yet acknowledged.
    pub(crate) sent: VecDeque<(u64, Vec<EntryId>)>,
    /// Whether both had talked before, in an earlier connection.
    pub(crate) again: bool,
}

/// One office's PC.
#[derive(Debug)]
pub struct Node {
    /// Its place in the county.
    pub seat: Seat,
    /// Its key.
    pub key: PublicKey,
    /// What survives a crash.
    pub disk: Vec<Commit>,
    /// What does not.
    pub memory: Memory,
    /// Whether it runs.
    pub up: bool,
    pub(crate) replica: Replica,
    pub(crate) epoch: u32,
    pub(crate) lines: BTreeMap<SessionId, Line>,
    pub(crate) clock_skew_ms: i64,
    /// After so many effects it crashes.
    pub(crate) crash_in: Option<u32>,
    pub(crate) disk_free_ms: u64,
    pub(crate) last_above_ms: u64,
    pub(crate) lacking: BTreeMap<LogId, u64>,
    pub(crate) met: BTreeSet<Seat>,
    /// Entries that the door has not let in so far.
    pub(crate) turned_away: BTreeSet<EntryId>,
    /// How firmly entries have stood here at best.
    pub(crate) firm: BTreeMap<EntryId, (LogId, u64, Standing)>,
    pub(crate) roster_number: u64,
    /// How much of the disk is on the backup.
    pub(crate) backup: Option<usize>,
    /// The disk of the other PC of this key, after a clone.
    pub(crate) spare: Option<Vec<Commit>>,
    /// The newest version of the rules that its program knows.
    pub(crate) rules_known: u64,
}

/// What the county was told and may not forget.
#[derive(Debug, Default)]
pub struct Promises {
    /// Entries that a person was told are saved on this PC.
    pub saved: Vec<(Seat, EntryId)>,
    /// Entries that this node has acknowledged to a neighbour.
    pub acknowledged: BTreeSet<(Seat, EntryId)>,
}

/// A simulated county.
#[derive(Debug)]
pub struct County {
    /// Its seed.
    pub seed: u64,
    /// The nodes by seat.
    pub nodes: Vec<Node>,
    /// Its offices and root.
    pub registry: Registry,
    /// What it promised.
    pub promises: Promises,
    /// What shells of this county do wrong, if anything.
    pub habits: Habits,
    /// Offices that lie.
    pub hostile: BTreeSet<Seat>,
    /// Whether villages keep a line to the county beside the one to their township.
    pub two_lines: bool,
    /// A township that takes what a village sends, says so, and keeps nothing of it.
    pub censor: Option<(Seat, Seat)>,
    /// What thieves have signed with the copied keys of honest offices.
    pub stolen: BTreeMap<EntryId, (Seat, OperationId, RecordId)>,
    /// Frames sent so far.
    pub frames: u64,
    /// Bytes of frames sent so far.
    pub frame_bytes: u64,
    /// Crashes so far.
    pub crashes: u64,
    pub(crate) now_ms: u64,
    pub(crate) dice: Dice,
    pub(crate) founding: Edition,
    pub(crate) cuts: BTreeSet<(Seat, Seat)>,
    pub(crate) slow: BTreeSet<(Seat, Seat)>,
    pub(crate) conns: BTreeMap<u64, Conn>,
    pub(crate) next_conn: u64,
    pub(crate) queue: BTreeMap<(u64, u64), Due>,
    pub(crate) queued: u64,
    pub(crate) working: u64,
    pub(crate) verified: BTreeMap<EntryId, (RawEntry, VerifiedEntry)>,
    pub(crate) journal: Option<Vec<String>>,
    pub(crate) violation: Option<String>,
    pub(crate) written: u64,
    pub(crate) busy_ms: u64,
    /// Acts that were said again.
    pub republished: u64,
}

impl County {
    /// Founds a county: one county office, one or two townships, eight villages.
    #[must_use]
    pub fn founded(seed: u64, townships: usize) -> Self {
        Self::of_size(seed, townships, VILLAGES)
    }

    /// Founds a county of any size.
    #[must_use]
    pub fn of_size(seed: u64, townships: usize, villages: usize) -> Self {
        let (registry, founding) = Registry::found(seed, townships, villages);
        let node = |(seat, keys): (Seat, &crate::founding::OfficeKeys)| {
            let key = keys.node.public();
            Node {
                seat,
                key,
                disk: Vec::new(),
                memory: Memory::born(key, &founding),
                up: true,
                replica: Replica::new(key),
                epoch: 0,
                lines: BTreeMap::new(),
                clock_skew_ms: 0,
                crash_in: None,
                disk_free_ms: 0,
                last_above_ms: 0,
                lacking: BTreeMap::new(),
                met: BTreeSet::new(),
                turned_away: BTreeSet::new(),
                firm: BTreeMap::new(),
                roster_number: 1,
                backup: None,
                spare: None,
                rules_known: RULES_VERSION,
            }
        };
        let nodes: Vec<Node> = registry.offices.iter().enumerate().map(node).collect();
        let mut county = Self {
            seed,
            nodes,
            registry,
            promises: Promises::default(),
            habits: Habits::default(),
            hostile: BTreeSet::new(),
            two_lines: false,
            censor: None,
            stolen: BTreeMap::new(),
            frames: 0,
            frame_bytes: 0,
            crashes: 0,
            now_ms: 0,
            dice: Dice::new(seed),
            founding,
            cuts: BTreeSet::new(),
            slow: BTreeSet::new(),
            conns: BTreeMap::new(),
            next_conn: 0,
            queue: BTreeMap::new(),
            queued: 0,
            working: 0,
            verified: BTreeMap::new(),
            journal: None,
            violation: None,
            written: 0,
            busy_ms: 0,
            republished: 0,
        };
        for seat in 0..county.nodes.len() {
            county.start(seat);
        }
        county
    }

    /// Keeps a journal of everything that happens, for the report of a failing seed.
    pub fn keep_journal(&mut self) {
        self.journal = Some(Vec::new());
    }

    /// The journal so far.
    #[must_use]
    pub fn journal(&self) -> String {
        self.journal.as_deref().unwrap_or_default().join("\n")
    }

    pub(crate) fn log(&mut self, line: impl FnOnce(&Self) -> String) {
        if self.journal.is_some() {
            let text = format!("{:>9} {}", self.now_ms, line(self));
            self.journal.get_or_insert_default().push(text);
        }
    }

    /// Remembers the first thing that went wrong.
    pub(crate) fn blame(&mut self, what: String) {
        self.log(|_| format!("VIOLATION {what}"));
        self.violation.get_or_insert(what);
    }

    /// The first thing that went wrong while the county ran.
    pub fn check_so_far(&self) -> Result<(), String> {
        self.violation.clone().map_or(Ok(()), Err)
    }

    /// Offices that tell the truth.
    pub fn honest(&self) -> impl Iterator<Item = &Node> {
        self.nodes.iter().filter(|node| !self.hostile.contains(&node.seat))
    }

    /// The link between two offices fails.
    pub fn cut(&mut self, a: Seat, b: Seat) {
        self.log(|_| format!("cut {a}-{b}"));
        self.cuts.insert((a.min(b), a.max(b)));
        let over = |conn: &Conn| conn.seats == [a, b] || conn.seats == [b, a];
        let broken: Vec<u64> =
            self.conns.iter().filter(|(_, conn)| over(conn)).map(|(id, _)| *id).collect();
        for conn in broken {
            self.break_conn(conn);
        }
    }

    /// The link works again.
    pub fn join(&mut self, a: Seat, b: Seat) {
        self.log(|_| format!("join {a}-{b}"));
        self.cuts.remove(&(a.min(b), a.max(b)));
    }

    /// Everything between two offices takes long from now on, or no longer.
    pub fn set_slow(&mut self, a: Seat, b: Seat, slow: bool) {
        let link = (a.min(b), a.max(b));
        if slow {
            self.slow.insert(link)
        } else {
            self.slow.remove(&link)
        };
    }

    /// A PC loses its power at once.
    pub fn crash(&mut self, seat: Seat) {
        if !self.nodes[seat].up {
            return;
        }
        self.log(|_| format!("crash {seat}"));
        self.crashes += 1;
        let (key, founding) = (self.nodes[seat].key, self.founding.clone());
        let sessions: Vec<u64> = self.nodes[seat].lines.keys().map(|session| session.0).collect();
        for conn in sessions {
            self.break_conn(conn);
        }
        let node = &mut self.nodes[seat];
        node.up = false;
        node.epoch += 1;
        node.crash_in = None;
        node.lines.clear();
        node.lacking.clear();
        node.replica = Replica::new(key);
        node.memory = Memory::born(key, &founding);
        node.disk_free_ms = 0;
    }

    /// The PC loses its power after so many more effects.
    pub fn crash_after(&mut self, seat: Seat, effects: u32) {
        self.nodes[seat].crash_in = Some(effects);
    }

    /// The PC is switched on and reads its disk.
    pub fn restart(&mut self, seat: Seat) {
        if self.nodes[seat].up {
            return;
        }
        self.log(|_| format!("restart {seat}"));
        let (key, founding) = (self.nodes[seat].key, self.founding.clone());
        let node = &mut self.nodes[seat];
        node.memory = Memory::reborn(key, &founding, &node.disk);
        node.memory.rules_known = node.rules_known;
        node.memory.ignores_rules = self.habits.ignores_new_rules;
        node.memory.sweep();
        node.up = true;
        node.crash_in = None;
        self.start(seat);
    }

    fn start(&mut self, seat: Seat) {
        let epoch = self.nodes[seat].epoch;
        self.nodes[seat].last_above_ms = self.now_ms;
        let (tick, dial) = (self.dice.below(TICK_MS), self.dice.below(1_500));
        self.at(tick, Due::Tick { seat, epoch });
        if seat != COUNTY {
            self.at(dial, Due::Dial { seat, epoch });
        }
        self.tell(seat, 0, Event::RosterChanged);
        self.report_lacking(seat);
    }

    /// The PC's clock is wrong by so much from now on.
    pub fn clock_wrong(&mut self, seat: Seat, by_ms: i64) {
        self.log(|_| format!("clock of {seat} wrong by {by_ms} ms"));
        self.nodes[seat].clock_skew_ms = by_ms;
    }

    /// Another version of the program is put on the PC: it knows the rules up to this version.
    pub fn install(&mut self, seat: Seat, rules_known: u64) {
        self.log(|_| format!("{seat} gets a program that knows rules {rules_known}"));
        self.nodes[seat].rules_known = rules_known;
        self.crash(seat);
        self.restart(seat);
    }

    /// Days on which nothing happens anywhere: what lies ahead lies that much further ahead.
    pub fn let_days_pass(&mut self, days: u64) {
        let by_ms = days * DAY_MS;
        let later = |((at, number), due)| ((at + by_ms, number), due);
        self.queue = std::mem::take(&mut self.queue).into_iter().map(later).collect();
        self.conns.values_mut().for_each(|conn| conn.postpone(by_ms));
        for node in &mut self.nodes {
            node.last_above_ms += by_ms;
            node.disk_free_ms += by_ms;
        }
        self.now_ms += by_ms;
        self.busy_ms += by_ms;
    }

    /// The county signs an edition and takes it up.
    pub fn enact(&mut self, facts: Vec<Fact>) {
        for fact in &facts {
            if let Fact::Schema { definition, .. } = fact {
                self.nodes[COUNTY].disk.push(Commit::Definition(*definition));
                self.nodes[COUNTY].memory.learn(*definition);
            }
        }
        let edition = self.registry.next_edition(facts);
        self.log(|_| format!("edition {}", edition.core().number));
        if self.nodes[COUNTY].up {
            self.take_edition(COUNTY, edition);
        } else {
            // The root hands its stick over before the PC is switched on.
            self.nodes[COUNTY].disk.push(Commit::Edition(edition));
        }
    }

    /// How long the county has lived, in its own milliseconds.
    #[must_use]
    pub fn age_ms(&self) -> u64 {
        self.now_ms
    }

    /// Puts something on the calendar.
    pub(crate) fn at(&mut self, in_ms: u64, due: Due) {
        self.queued += 1;
        self.working += u64::from(!due.is_routine());
        self.queue.insert((self.now_ms + in_ms, self.queued), due);
    }

    pub(crate) fn tell(&mut self, seat: Seat, in_ms: u64, event: Event) {
        let epoch = self.nodes[seat].epoch;
        self.at(in_ms, Due::Tell { seat, epoch, event });
    }

    /// Lets time pass.
    pub fn run_for(&mut self, ms: u64) {
        let end = self.now_ms + ms;
        while let Some(entry) = self.queue.first_entry() {
            if entry.key().0 > end {
                break;
            }
            let ((at, _), due) = entry.remove_entry();
            self.now_ms = at;
            let routine = due.is_routine();
            self.working -= u64::from(!routine);
            if !routine {
                self.busy_ms = at;
            }
            self.happen(due);
        }
        self.now_ms = end;
    }

    /// Lets time pass until nothing happens any more but ticking.
    pub fn run_until_quiet(&mut self) -> Result<(), String> {
        let limit = self.now_ms + QUIET_MS_MAX;
        self.busy_ms = self.now_ms;
        while self.working > 0 || self.now_ms < self.busy_ms + QUIET_MS {
            if self.now_ms > limit {
                return Err("quiet: traffic does not stop after everything is healed".to_owned());
            }
            self.run_for(500);
        }
        self.check_so_far()
    }

    fn happen(&mut self, due: Due) {
        let alive = |county: &Self, seat: Seat, epoch: u32| {
            county.nodes[seat].up && county.nodes[seat].epoch == epoch
        };
        match due {
            Due::Arrive { conn, side, bytes } => self.arrive(conn, side, bytes),
            Due::Lost { conn, side } => self.notice_loss(conn, side),
            Due::Tick { seat, epoch } if alive(self, seat, epoch) => {
                self.handle(seat, Event::Ticked);
                self.republish(seat);
                self.at(TICK_MS, Due::Tick { seat, epoch });
            }
            Due::Dial { seat, epoch } if alive(self, seat, epoch) => {
                self.dial(seat);
                let in_ms = 500 + self.dice.below(2_000);
                self.at(in_ms, Due::Dial { seat, epoch });
            }
            Due::Commit { seat, epoch, session, batch, bytes } if alive(self, seat, epoch) => {
                self.commit(seat, session, batch, bytes);
            }
            Due::Tell { seat, epoch, event } if alive(self, seat, epoch) => {
                self.handle(seat, event);
            }
            Due::Restart { seat } => self.restart(seat),
            // Meant for a run of the node that a crash has ended.
            Due::Tick { .. } | Due::Dial { .. } | Due::Commit { .. } | Due::Tell { .. } => {}
        }
    }

    /// A crashed node is switched on after a while.
    pub fn restart_in(&mut self, seat: Seat, ms: u64) {
        self.at(ms, Due::Restart { seat });
    }

    /// Everything works again: links, PCs, clocks as they are.
    pub fn heal(&mut self) {
        self.cuts.clear();
        self.slow.clear();
        for seat in 0..self.nodes.len() {
            self.nodes[seat].crash_in = None;
            self.restart(seat);
        }
    }
}
