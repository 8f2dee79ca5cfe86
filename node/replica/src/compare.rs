//! Finding what differs: digests along the tree, then lists of what each side holds. Ends with a
//! known place of the neighbour in every shared log.

use std::collections::{BTreeMap, BTreeSet};

use xw_ledger::log::Point;
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::limits::{DIGESTS_MAX, HAVE_LOGS_MAX};
use xw_schemas::space::Division;
use xw_schemas::wire::{Digests, Frame, Have};

use crate::common::{Held, Shared, division_digests, group, group_digests, shared};
use crate::event::{Effect, SessionId};
use crate::neighbour::{Neighbour, Phase, UNHELD_TIPS_MAX};
use crate::replica::Replica;

/// Up to so many shared logs are listed at once: 40 bytes each are less than a round trip.
const LIST_AT_ONCE_MAX: usize = 24;

impl Replica {
    /// The digests in both hellos are the same: the neighbour stands where we stood.
    pub(crate) fn agree(neighbour: &mut Neighbour, said: &Shared) {
        for (log, tips) in said.values().flatten() {
            neighbour.known.insert(*log, tips.clone());
        }
        neighbour.phase = Phase::Live;
    }

    /// The dialer begins to compare.
    pub(crate) fn compare(&mut self, held: Held<'_>, session: SessionId) -> Vec<Effect> {
        let own = self.own;
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        neighbour.phase = Phase::Comparing;
        // A new comparison forgets where this node had set itself back.
        neighbour.asked.clear();
        let shared = shared(held, &own, &neighbour.peer);
        let logs: usize = shared.values().map(BTreeMap::len).sum();
        if logs > LIST_AT_ONCE_MAX {
            let items = group_digests(&shared);
            return vec![send(session, Frame::Digests(Digests { groups: Vec::new(), items }))];
        }
        lists(session, &shared, None, true)
    }

    /// Digests came: answer with finer ones, or with lists.
    pub(crate) fn digests(
        &mut self,
        held: Held<'_>,
        session: SessionId,
        theirs: &Digests,
    ) -> Vec<Effect> {
        let own = self.own;
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        let shared = shared(held, &own, &neighbour.peer);
        let their_items: BTreeMap<_, _> = theirs.items.iter().copied().collect();
        if theirs.groups.is_empty() {
            let groups = differing(&group_digests(&shared), &their_items);
            // What lies in other groups is the same on both sides.
            let same = shared.iter().filter(|(division, _)| !groups.contains(&group(**division)));
            settle(neighbour, same);
            let within: Shared = shared
                .into_iter()
                .filter(|(division, _)| groups.contains(&group(*division)))
                .collect();
            let items = division_digests(&within);
            // Taken as the same until the list of what differs comes; nothing is sent before.
            settle(neighbour, within.iter());
            let groups = groups.into_iter().collect();
            return vec![send(session, Frame::Digests(Digests { groups, items }))];
        }
        let groups: BTreeSet<Division> = theirs.groups.iter().copied().collect();
        let (within, outside): (Shared, Shared) =
            shared.into_iter().partition(|(division, _)| groups.contains(&group(*division)));
        settle(neighbour, outside.iter());
        let divisions = differing(&division_digests(&within), &their_items);
        settle(neighbour, within.iter().filter(|(division, _)| !divisions.contains(*division)));
        let listed: Shared =
            within.into_iter().filter(|(division, _)| divisions.contains(division)).collect();
        lists(session, &listed, Some(&divisions), true)
    }

    /// A list came: now we know where the neighbour stands in these divisions.
    pub(crate) fn have(&mut self, held: Held<'_>, session: SessionId, have: &Have) -> Vec<Effect> {
        let own = self.own;
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        let mut ours = shared(held, &own, &neighbour.peer);
        if let Some(divisions) = &have.divisions {
            ours.retain(|division, _| divisions.contains(division));
        }
        let mut theirs: BTreeMap<LogId, Vec<Point>> = BTreeMap::new();
        for (log, sequence, entry) in &have.tips {
            theirs.entry(*log).or_default().push((*sequence, *entry));
        }
        let peer = neighbour.peer;
        let mut effects: Vec<Effect> = theirs
            .iter()
            .filter_map(|(log, tips)| own_elsewhere(held, &own, &peer, *log, tips))
            .collect();
        if have.answer {
            neighbour.asked.clear();
            // Only logs that were listed: what the neighbour lacks wholly is sent to it anyway.
            let mut listed = ours.clone();
            listed.values_mut().for_each(|logs| logs.retain(|log, _| theirs.contains_key(log)));
            let divisions = have.divisions.as_ref().map(|d| d.iter().copied().collect());
            effects.extend(lists(session, &listed, divisions.as_ref(), false));
        }
        for (log, tips) in ours.values().flatten() {
            let points = theirs.remove(log).unwrap_or_default();
            effects.extend(locate(held, neighbour, session, *log, tips, points));
        }
        // Logs that we lack wholly: the neighbour sends them unasked, and holds what it sends.
        theirs.into_iter().for_each(|(log, tips)| neighbour.names(log, tips));
        neighbour.phase = Phase::Live;
        effects
    }

    /// The neighbour asks where our branches of a log stand: below the first body that is lacking
    /// here, or it would take us to hold that too.
    pub(crate) fn located(&self, held: Held<'_>, session: SessionId, log: LogId) -> Vec<Effect> {
        let Some(found) = held.logs.log(&log) else { return Vec::new() };
        let end = self.lacking.get(&log).copied().unwrap_or(u64::MAX);
        let mut points: Vec<Point> =
            found.tips().into_iter().flat_map(|tip| found.skeleton(tip)).collect();
        points.sort_unstable_by(|a, b| b.cmp(a));
        points.dedup();
        points.retain(|(sequence, _)| *sequence < end);
        points.truncate(xw_schemas::wire::KNOWN_MAX);
        vec![send(session, Frame::Known { log, points })]
    }

    /// Points of the neighbour's branches: those that are held here are where it stands.
    pub(crate) fn known(
        &mut self,
        held: Held<'_>,
        session: SessionId,
        log: LogId,
        points: &[(u64, EntryId)],
    ) -> Option<Effect> {
        let own = self.own;
        let neighbour = self.neighbours.get_mut(&session)?;
        // Of a log that is not held here yet one point is all that has a meaning.
        if held.logs.log(&log).is_none()
            && (points.len() != 1 || neighbour.set_back.len() >= UNHELD_TIPS_MAX)
        {
            return None;
        }
        let held_here =
            points.iter().filter(|(s, id)| held.logs.holds(&log, *s, id)).copied().collect();
        neighbour.stands_at(log, points, held_here);
        let peer = neighbour.peer;
        own_elsewhere(held, &own, &peer, log, points)
    }

    /// Whether a neighbour has named entries that are still on their way here.
    #[must_use]
    pub fn expects(&self, held: Held<'_>, session: SessionId) -> bool {
        let ahead = self.neighbours.get(&session).into_iter().flat_map(|n| &n.ahead);
        let mut tips = ahead.flat_map(|(log, tips)| tips.iter().map(move |tip| (log, tip)));
        tips.any(|(log, (sequence, id))| !held.logs.holds(log, *sequence, id))
    }
}

/// Says that a neighbour knows entries of our own log that we do not hold. An office above is
/// believed before the entries are here; of others only the entries themselves, with our signature,
/// say anything, or every village could stop its township's work by talk.
fn own_elsewhere(
    held: Held<'_>,
    own: &PublicKey,
    peer: &PublicKey,
    log: LogId,
    points: &[Point],
) -> Option<Effect> {
    held.roster().witness_rank(peer, own)?;
    let ours = held.logs.log(&log).filter(|log| log.node == *own)?;
    let unknown = points.iter().any(|(sequence, id)| !ours.holds(*sequence, id));
    unknown.then_some(Effect::OwnLogElsewhere { log })
}

/// Marks logs as the same on both sides.
fn settle<'a>(
    neighbour: &mut Neighbour,
    same: impl Iterator<Item = (&'a Division, &'a BTreeMap<LogId, Vec<Point>>)>,
) {
    for (log, tips) in same.flat_map(|(_, logs)| logs) {
        neighbour.known.insert(*log, tips.clone());
    }
}

/// Decides where the neighbour stands in one log, or asks.
fn locate(
    held: Held<'_>,
    neighbour: &mut Neighbour,
    session: SessionId,
    log: LogId,
    tips: &[Point],
    points: Vec<Point>,
) -> Option<Effect> {
    let (here, foreign): (Vec<Point>, Vec<Point>) =
        points.into_iter().partition(|(s, id)| held.logs.holds(&log, *s, id));
    let own_last = tips.iter().map(|(sequence, _)| *sequence).max().unwrap_or(0);
    if foreign.is_empty() {
        neighbour.known.insert(log, here);
        return None;
    }
    // A tip beyond ours is coming with its entries; one below ours is on another branch.
    let (ahead, aside): (Vec<Point>, Vec<Point>) =
        foreign.into_iter().partition(|(sequence, _)| *sequence > own_last);
    if !ahead.is_empty() {
        neighbour.names(log, ahead);
    }
    if aside.is_empty() {
        if !here.is_empty() {
            neighbour.known.insert(log, here);
        }
        return None;
    }
    Some(send(session, Frame::Locate { log }))
}

fn differing(
    ours: &[(Division, [u8; 32])],
    theirs: &BTreeMap<Division, [u8; 32]>,
) -> BTreeSet<Division> {
    let listed: BTreeMap<Division, [u8; 32]> = ours.iter().copied().collect();
    let changed =
        listed.iter().filter(|(d, digest)| theirs.get(d) != Some(digest)).map(|(d, _)| *d);
    let lacking = theirs.keys().filter(|division| !listed.contains_key(division)).copied();
    changed.chain(lacking).collect()
}

/// Lists of what is held, split where one message cannot carry them.
fn lists(
    session: SessionId,
    shared: &Shared,
    divisions: Option<&BTreeSet<Division>>,
    answer: bool,
) -> Vec<Effect> {
    let Some(divisions) = divisions else {
        return vec![have(session, None, shared.values().collect(), answer)];
    };
    let mut frames = Vec::new();
    let (mut page, mut logs, mut count) = (Vec::new(), Vec::new(), 0);
    for division in divisions {
        let here = shared.get(division);
        let size = here.map_or(0, |logs| logs.values().map(Vec::len).sum());
        if (count + size > HAVE_LOGS_MAX || page.len() >= DIGESTS_MAX) && !page.is_empty() {
            let (page, logs) = (std::mem::take(&mut page), std::mem::take(&mut logs));
            frames.push(have(session, Some(page), logs, answer));
            count = 0;
        }
        page.push(*division);
        logs.extend(here);
        count += size;
    }
    // The last page goes out even when empty: it ends the comparison.
    frames.push(have(session, Some(page), logs, answer));
    frames
}

fn have(
    session: SessionId,
    divisions: Option<Vec<Division>>,
    logs: Vec<&BTreeMap<LogId, Vec<Point>>>,
    answer: bool,
) -> Effect {
    let tips = logs
        .into_iter()
        .flatten()
        .flat_map(|(log, tips)| tips.iter().map(|(sequence, entry)| (*log, *sequence, *entry)))
        .take(HAVE_LOGS_MAX)
        .collect();
    send(session, Frame::Have(Have { divisions, tips, answer }))
}

pub(crate) fn send(session: SessionId, frame: Frame) -> Effect {
    Effect::Send { session, frame }
}
