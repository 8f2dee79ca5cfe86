//! What a neighbour is sent: what it lacks, log after log, as far as its credit goes; and what it is
//! known to hold when that has gone, or when it brought something itself.

use std::collections::BTreeMap;
use std::ops::Bound;

use xw_ledger::log::Point;
use xw_schemas::id::LogId;
use xw_schemas::limits::{ENTRIES_PER_FRAME_MAX, ENTRIES_UNPACKED_AIM};
use xw_schemas::wire::Parcel;

use crate::common::Held;
use crate::event::{Effect, SessionId};
use crate::neighbour::{Neighbour, Phase};
use crate::replica::{Replica, may_share};
use crate::stand::Stand;

impl Replica {
    /// Loads the next entries that the neighbour lacks, as far as its credit goes.
    pub(crate) fn pump(&mut self, held: Held<'_>, session: SessionId) -> Vec<Effect> {
        let own = self.own;
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        if neighbour.phase != Phase::Live || neighbour.loading.is_some() || neighbour.credit() == 0
        {
            return Vec::new();
        }
        let Neighbour { peer, known, served, .. } = neighbour;
        let mut due = |(id, stand): (&LogId, &mut Stand)| {
            let log = held.logs.log(id).filter(|log| !stand.lacks_nothing(log))?;
            // Asked before what is lacking is worked out, and on every tick of nobody who lacks nothing.
            if !may_share(held, &own, peer, id) {
                return None;
            }
            let points = stand.lacking(log, ENTRIES_PER_FRAME_MAX);
            (!points.is_empty()).then_some((*id, points))
        };
        // Logs are served in turn, beginning behind the one served last.
        let found = match served {
            None => known.iter_mut().find_map(due),
            Some(after) => known
                .range_mut((Bound::Excluded(*after), Bound::Unbounded))
                .find_map(&mut due)
                .or_else(|| known.range_mut(..=*after).find_map(due)),
        };
        let Some((log, points)) = found else { return Vec::new() };
        neighbour.served = Some(log);
        neighbour.loading = Some(points.clone());
        let bytes_max = usize::try_from(neighbour.credit()).unwrap_or(usize::MAX);
        let bytes_max = bytes_max.min(ENTRIES_UNPACKED_AIM);
        vec![Effect::Load { session, reader: neighbour.peer, log, points, bytes_max }]
    }

    pub(crate) fn loaded(
        &mut self,
        held: Held<'_>,
        session: SessionId,
        log: LogId,
        upto: Point,
        parcels: Vec<Parcel>,
    ) -> Vec<Effect> {
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        let mut sent = neighbour.loading.take().unwrap_or_default();
        let said = neighbour.said_while_loading.take();
        if parcels.is_empty() {
            return Vec::new();
        }
        sent.truncate(sent.iter().position(|point| *point == upto).map_or(0, |last| last + 1));
        let bytes: usize = parcels.iter().map(Parcel::unpacked_bytes).sum();
        neighbour.under_way += bytes as u64;
        if let Some(log) = held.logs.log(&log) {
            neighbour.holds(log, sent);
        }
        if let Some((log, points)) = said {
            neighbour.known.insert(log, Stand::at(points));
        }
        let mut effects = vec![Effect::SendEntries { session, parcels }];
        effects.extend(self.pump(held, session));
        effects
    }

    /// What a neighbour is now known to hold, and to want.
    pub(crate) fn note_stored(
        &mut self,
        held: Held<'_>,
        session: SessionId,
        is_source: bool,
        places: &BTreeMap<LogId, Vec<Point>>,
    ) {
        let own = self.own;
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return };
        for (id, points) in places {
            let Some(log) = held.logs.log(id) else { continue };
            if let Some(stand) = neighbour.known.get_mut(id) {
                stand.forget_lacking();
            }
            if is_source {
                neighbour.holds(log, points.iter().copied());
                continue;
            }
            let ahead = neighbour.ahead.get(id);
            let arrive: Vec<Point> = points
                .iter()
                .filter(|point| ahead.is_some_and(|tips| tips.contains(*point)))
                .copied()
                .collect();
            let opens = points.iter().any(|point| point.0 == 0);
            if !arrive.is_empty() {
                neighbour.holds(log, arrive);
            } else if opens && ahead.is_none() && may_share(held, &own, &neighbour.peer, id) {
                neighbour.known.entry(*id).or_default();
            }
            for point in points {
                neighbour.set_back_before(*id, *point);
            }
        }
    }
}
