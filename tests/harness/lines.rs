//! Connections between nodes: latency, bandwidth, breaking, dialling again. Within one connection
//! frames keep their order; between two nothing is promised.

use xw_replica::{Event, SessionId};
use xw_schemas::wire::Frame;

use crate::county::{County, Due, Line};
use crate::founding::{COUNTY, Seat};

/// A township that cannot be reached for so long is passed over: the village dials the county.
const GIVE_UP_MS: u64 = 5_000;

/// One connection. Side 0 dialled.
#[derive(Debug, Clone)]
pub(crate) struct Conn {
    pub(crate) seats: [Seat; 2],
    /// Whether bytes can still be sent.
    pub(crate) whole: bool,
    /// Until when bytes that were sent before it broke still arrive at each side.
    until_ms: [u64; 2],
    latency_ms: u64,
    ms_per_kib: u64,
    /// When the last frame towards each side arrives.
    last_ms: [u64; 2],
    /// Frames that each side has sent.
    pub(crate) frames: [u64; 2],
}

impl Conn {
    /// Everything under way arrives so much later.
    pub(crate) fn postpone(&mut self, by_ms: u64) {
        for at in self.until_ms.iter_mut().chain(&mut self.last_ms) {
            *at = at.saturating_add(by_ms);
        }
    }
}

impl County {
    fn reaches(&self, a: Seat, b: Seat) -> bool {
        self.nodes[a].up && self.nodes[b].up && !self.cuts.contains(&(a.min(b), a.max(b)))
    }

    fn talks_to(&self, seat: Seat, peer: Seat) -> bool {
        self.nodes[seat].lines.values().any(|line| line.peer == peer)
    }

    /// A village dials its township, and the county while the township is out of reach.
    pub(crate) fn dial(&mut self, seat: Seat) {
        let above = self.registry.above(seat);
        // A liar keeps two ears: what it tells one it need not tell the other.
        let two_lines = self.two_lines || self.hostile.contains(&seat);
        if two_lines
            && self.talks_to(seat, above)
            && !self.talks_to(seat, COUNTY)
            && self.reaches(seat, COUNTY)
        {
            self.connect(seat, COUNTY);
            return;
        }
        if self.talks_to(seat, above) {
            self.nodes[seat].last_above_ms = self.now_ms;
            let to_county = |line: &&(SessionId, Seat)| above != COUNTY && line.1 == COUNTY;
            let lines: Vec<(SessionId, Seat)> =
                self.nodes[seat].lines.iter().map(|(id, line)| (*id, line.peer)).collect();
            // The way around is given up some time after the township is back.
            let spare = lines.iter().find(to_county).map(|line| line.0);
            if let Some(spare) = spare
                && !two_lines
                && self.dice.chance(30)
            {
                self.break_conn(spare.0);
            }
            return;
        }
        let target = if self.reaches(seat, above) {
            above
        } else if self.now_ms - self.nodes[seat].last_above_ms > GIVE_UP_MS
            && self.reaches(seat, COUNTY)
            && !self.talks_to(seat, COUNTY)
        {
            COUNTY
        } else {
            return;
        };
        self.connect(seat, target);
    }

    /// Opens a connection, if both sides find the other on their roster.
    pub(crate) fn connect(&mut self, from: Seat, to: Seat) {
        let live = |a: Seat, b: Seat| {
            self.nodes[a].memory.chain.roster().live_nodes().contains(&self.nodes[b].key)
        };
        if !live(from, to) || !live(to, from) {
            return;
        }
        let id = self.next_conn;
        self.next_conn += 1;
        let slow = self.slow.contains(&(from.min(to), from.max(to)));
        let (latency_ms, ms_per_kib) = if slow {
            (300 + self.dice.below(1_200), 50 + self.dice.below(200))
        } else {
            (1 + self.dice.below(60), self.dice.below(4))
        };
        let conn = Conn {
            seats: [from, to],
            whole: true,
            until_ms: [u64::MAX; 2],
            latency_ms,
            ms_per_kib,
            last_ms: [self.now_ms; 2],
            frames: [0; 2],
        };
        self.conns.insert(id, conn);
        self.log(|_| format!("connect {from}->{to} #{id}"));
        for (side, seat, peer) in [(0, from, to), (1, to, from)] {
            let again = !self.nodes[seat].met.insert(peer);
            let line = Line { peer, side, sent: Default::default(), again };
            self.nodes[seat].lines.insert(SessionId(id), line);
            let peer = self.nodes[peer].key;
            let event = Event::Opened { session: SessionId(id), peer, dialer: side == 0 };
            let in_ms = self.dice.below(5);
            // A frame may not overtake the news that there is a connection.
            let last = &mut self.conns.get_mut(&id).expect("opened above").last_ms[side];
            *last = (*last).max(self.now_ms + in_ms);
            self.tell(seat, in_ms, event);
        }
    }

    /// Puts a frame on its way.
    pub(crate) fn transmit(&mut self, seat: Seat, session: SessionId, frame: &Frame) {
        let bytes = frame.encode();
        self.transmit_bytes(seat, session, bytes);
    }

    pub(crate) fn transmit_bytes(&mut self, seat: Seat, session: SessionId, bytes: Vec<u8>) {
        let Some(line) = self.nodes[seat].lines.get(&session) else { return };
        let to = 1 - line.side;
        let jitter = self.dice.below(8);
        let Some(conn) = self.conns.get_mut(&session.0) else { return };
        conn.frames[1 - to] += 1;
        self.frames += 1;
        self.frame_bytes += bytes.len() as u64;
        if !conn.whole {
            return;
        }
        let took = conn.latency_ms + jitter + bytes.len() as u64 * conn.ms_per_kib / 1_024;
        let at = conn.last_ms[to].max(self.now_ms + took);
        conn.last_ms[to] = at;
        self.at(at - self.now_ms, Due::Arrive { conn: session.0, side: to, bytes });
    }

    /// Breaks a connection: of what is under way the last part is lost, and each side notices in its
    /// own time.
    pub(crate) fn break_conn(&mut self, id: u64) {
        let Some(conn) = self.conns.get_mut(&id) else { return };
        if !conn.whole {
            return;
        }
        conn.whole = false;
        conn.until_ms = std::array::from_fn(|_| self.now_ms + self.dice.below(200));
        for side in 0..2 {
            let in_ms = self.dice.below(1_500);
            self.at(in_ms, Due::Lost { conn: id, side });
        }
    }

    pub(crate) fn notice_loss(&mut self, id: u64, side: usize) {
        let Some(conn) = self.conns.get(&id) else { return };
        let seat = conn.seats[side];
        if self.nodes[seat].lines.remove(&SessionId(id)).is_some() && self.nodes[seat].up {
            self.log(|_| format!("{seat} lost #{id}"));
            self.handle(seat, Event::Closed { session: SessionId(id) });
        }
    }

    pub(crate) fn arrive(&mut self, id: u64, side: usize, bytes: Vec<u8>) {
        let Some(conn) = self.conns.get(&id) else { return };
        let (seat, arrives) = (conn.seats[side], self.now_ms <= conn.until_ms[side]);
        if arrives && self.nodes[seat].lines.contains_key(&SessionId(id)) {
            self.take_frame(seat, SessionId(id), &bytes);
        }
    }
}
