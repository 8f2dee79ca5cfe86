//! Bodies that come late. An entry may arrive by way of an office that gets no bodies of its type
//! (a village dials the county while its township is out of reach). Whoever may have the body then
//! says to a neighbour that it stands before that entry, and is sent it again, body included.

use std::collections::BTreeMap;

use xw_ledger::log::Point;
use xw_schemas::id::LogId;
use xw_schemas::wire::Frame;

use crate::common::Held;
use crate::compare::send;
use crate::event::{Effect, SessionId};
use crate::neighbour::{Neighbour, Phase};
use crate::replica::{Replica, may_share};
use crate::stand::Stand;

impl Replica {
    /// Takes the new list and asks everyone who talks to us already.
    pub(crate) fn lacks(&mut self, held: Held<'_>, logs: BTreeMap<LogId, u64>) -> Vec<Effect> {
        self.lacking = logs;
        let sessions: Vec<SessionId> = self.neighbours.keys().copied().collect();
        sessions.into_iter().flat_map(|session| self.ask_for_bodies(held, session)).collect()
    }

    /// Sets this node back in logs with lacking bodies, once for each lowest number.
    pub(crate) fn ask_for_bodies(&mut self, held: Held<'_>, session: SessionId) -> Vec<Effect> {
        let own = self.own;
        let peers: Vec<_> = self.neighbours.values().map(|n| n.peer).collect();
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        if neighbour.phase != Phase::Live {
            return Vec::new();
        }
        let mut effects = Vec::new();
        for (id, sequence) in &self.lacking {
            let Some(log) = held.logs.log(id) else { continue };
            // The author has every body; others are asked only while the author is not here.
            let author_is_here = peers.contains(&log.node) && neighbour.peer != log.node;
            if author_is_here
                || neighbour.asked.get(id) == Some(sequence)
                || !may_share(held, &own, &neighbour.peer, id)
            {
                continue;
            }
            neighbour.asked.insert(*id, *sequence);
            let before = sequence.checked_sub(1).and_then(|at| Some((at, log.at(at)?)));
            let points = before.into_iter().collect();
            effects.push(send(session, Frame::Known { log: *id, points }));
        }
        effects
    }
}

impl Neighbour {
    /// The neighbour says where it stands, of which `held` is held here too. One point is all that
    /// it says when it sets itself back, maybe in a log of which nothing is held here yet.
    pub(crate) fn stands_at(&mut self, log: LogId, said: &[Point], held: Vec<Point>) {
        if let [only] = said {
            self.set_back.insert(log, *only);
        }
        self.locating.remove(&log);
        self.place(log, held);
    }

    /// Puts the neighbour where it stands, also against a load that began before.
    fn place(&mut self, log: LogId, points: Vec<Point>) {
        if self.loading.is_some() && self.served == Some(log) {
            self.said_while_loading = Some((log, points.clone()));
        }
        self.known.insert(log, Stand::at(points));
    }

    /// An entry that the neighbour was sent already came once more, perhaps with its body: whoever
    /// set itself back before it is sent it again.
    pub(crate) fn set_back_before(&mut self, log: LogId, point: Point) {
        let Some(back) = self.set_back.get(&log).copied() else { return };
        let known = self.known.get(&log);
        let sent = known.is_some_and(|known| known.points().iter().any(|k| k.0 >= point.0))
            // On its way, and maybe read before the body came.
            || (self.loading.is_some() && self.served == Some(log));
        if back.0 < point.0 && sent {
            self.place(log, vec![back]);
        }
    }
}
