//! Finding what differs: digests along the tree, then lists of what each side holds. Ends with a
//! known place of the neighbour in every shared log.

use std::collections::{BTreeMap, BTreeSet};

use xw_ledger::log::Point;
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::limits::{DIGESTS_MAX, HAVE_TIPS_MAX, LISTED_TIPS_MAX};
use xw_schemas::space::Division;
use xw_schemas::wire::{Digests, Frame, Have, KNOWN_MAX};

use crate::common::{Held, Shared, division_digests, group, group_digests, shared};
use crate::event::{Effect, SessionId};
use crate::neighbour::{Neighbour, Phase, UNHELD_TIPS_MAX};
use crate::replica::{Replica, close};
use crate::stand::Stand;

/// Up to so many shared logs are listed at once: 40 bytes each are less than a round trip.
const LIST_AT_ONCE_MAX: usize = 24;

impl Replica {
    /// The digests in both hellos are the same: the neighbour stands where we stood.
    pub(crate) fn agree(neighbour: &mut Neighbour, said: &Shared) {
        for (log, tips) in said.values().flatten() {
            neighbour.known.insert(*log, Stand::at(tips.clone()));
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
        let peer = neighbour.peer;
        lists(session, &self.unwanted.list(held, &peer, shared), None, true)
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
        let peer = neighbour.peer;
        lists(session, &self.unwanted.list(held, &peer, listed), Some(&divisions), true)
    }

    /// A list came: now we know where the neighbour stands in these divisions.
    pub(crate) fn have(&mut self, held: Held<'_>, session: SessionId, have: &Have) -> Vec<Effect> {
        let own = self.own;
        let Some(neighbour) = self.neighbours.get_mut(&session) else { return Vec::new() };
        let tips = have.tips.iter().map(|(log, sequence, entry)| (*log, (*sequence, *entry)));
        neighbour.listed.extend(tips);
        if neighbour.listed.len() > LISTED_TIPS_MAX + HAVE_TIPS_MAX {
            return close(session, "a list that does not end");
        }
        if is_beginning(have) {
            return Vec::new();
        }
        let mut ours = shared(held, &own, &neighbour.peer);
        if let Some(divisions) = &have.divisions {
            ours.retain(|division, _| divisions.contains(division));
        }
        let mut theirs: BTreeMap<LogId, Vec<Point>> = BTreeMap::new();
        for (log, tip) in std::mem::take(&mut neighbour.listed) {
            theirs.entry(log).or_default().push(tip);
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
            let listed = self.unwanted.list(held, &peer, listed);
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
        let mut points = BTreeSet::new();
        for tip in found.tips() {
            // Whole branches only: it is the lower points that both sides hold.
            let branch = found.skeleton(tip);
            if points.len() + branch.len() > KNOWN_MAX {
                break;
            }
            points.extend(branch.into_iter().filter(|(sequence, _)| *sequence < end));
        }
        let points = points.into_iter().rev().collect();
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
        let mut held_here: Vec<Point> =
            points.iter().filter(|(s, id)| held.logs.holds(&log, *s, id)).copied().collect();
        if let Some(listed) = neighbour.locating.remove(&log).filter(|_| points.len() != 1) {
            held_here.extend(listed);
        }
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
        neighbour.known.insert(*log, Stand::at(tips.clone()));
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
    neighbour.locating.remove(&log);
    if foreign.is_empty() {
        neighbour.known.insert(log, Stand::at(here));
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
            neighbour.known.insert(log, Stand::at(here));
        }
        return None;
    }
    neighbour.locating.insert(log, here);
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

/// Lists of what is held, split where one message cannot carry them: between divisions, and within
/// one whose logs have more ends than that.
fn lists(
    session: SessionId,
    shared: &Shared,
    divisions: Option<&BTreeSet<Division>>,
    answer: bool,
) -> Vec<Effect> {
    let mut frames = Vec::new();
    let Some(divisions) = divisions else {
        let tips = beginnings(session, tips(shared.values()), &mut frames);
        frames.push(have(session, None, tips, answer));
        return frames;
    };
    let (mut page, mut listed) = (Vec::new(), Vec::new());
    for division in divisions {
        let here = tips(shared.get(division));
        let full = listed.len() + here.len() > HAVE_TIPS_MAX || page.len() >= DIGESTS_MAX;
        if full && !page.is_empty() {
            let (page, listed) = (std::mem::take(&mut page), std::mem::take(&mut listed));
            frames.push(have(session, Some(page), listed, answer));
        }
        page.push(*division);
        listed.extend(here);
        listed = beginnings(session, listed, &mut frames);
    }
    // The last page goes out even when empty: it ends the comparison.
    frames.push(have(session, Some(page), listed, answer));
    frames
}

/// One line of a list: log, number and entry.
type Tip = (LogId, u64, EntryId);

fn tips<'a>(logs: impl IntoIterator<Item = &'a BTreeMap<LogId, Vec<Point>>>) -> Vec<Tip> {
    let logs = logs.into_iter().flatten();
    let tips = logs.flat_map(|(log, tips)| tips.iter().map(|(number, id)| (*log, *number, *id)));
    tips.take(LISTED_TIPS_MAX).collect()
}

/// Puts whole messages of tips ahead of the one that ends their list, and gives what is left for it.
fn beginnings(session: SessionId, mut tips: Vec<Tip>, frames: &mut Vec<Effect>) -> Vec<Tip> {
    while tips.len() > HAVE_TIPS_MAX {
        let rest = tips.split_off(HAVE_TIPS_MAX);
        frames.push(have(session, Some(Vec::new()), std::mem::replace(&mut tips, rest), false));
    }
    tips
}

/// Whether a list goes on in the next message: it names tips and no division.
fn is_beginning(have: &Have) -> bool {
    have.divisions.as_ref().is_some_and(Vec::is_empty) && !have.tips.is_empty()
}

fn have(
    session: SessionId,
    divisions: Option<Vec<Division>>,
    tips: Vec<Tip>,
    answer: bool,
) -> Effect {
    send(session, Frame::Have(Have { divisions, tips, answer }))
}

pub(crate) fn send(session: SessionId, frame: Frame) -> Effect {
    Effect::Send { session, frame }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn division(number: u64) -> Division {
        Division::from_number(130_599_000_000 + number * 1_000).unwrap()
    }

    fn log_with(tips: usize, name: u8) -> BTreeMap<LogId, Vec<Point>> {
        let tip = |at: usize| (at as u64, EntryId([name; 32]));
        BTreeMap::from([(LogId([name; 32]), (0..tips).map(tip).collect())])
    }

    /// What a receiver gathers: the divisions of every whole list with the number of its tips.
    fn gathered(frames: Vec<Effect>) -> Vec<(Vec<Division>, usize)> {
        let (mut whole, mut tips) = (Vec::new(), 0);
        for frame in frames {
            let Effect::Send { frame: Frame::Have(have), .. } = frame else { panic!("no list") };
            assert!(have.tips.len() <= HAVE_TIPS_MAX);
            tips += have.tips.len();
            if !is_beginning(&have) {
                whole.push((have.divisions.unwrap_or_default(), std::mem::take(&mut tips)));
            }
        }
        whole
    }

    #[test]
    fn a_list_longer_than_a_message_goes_on_in_the_next() {
        let few = HAVE_TIPS_MAX - 1;
        let many = 2 * HAVE_TIPS_MAX + 1;
        let shared: Shared = [(1, 3), (2, few), (3, many), (4, 1)]
            .map(|(at, tips)| (division(at), log_with(tips, u8::try_from(at).unwrap())))
            .into();
        let divisions: BTreeSet<Division> = shared.keys().copied().collect();
        let told = gathered(lists(SessionId(0), &shared, Some(&divisions), true));
        let [one, two, three, four] = [1, 2, 3, 4].map(division);
        let expected = [(vec![one], 3), (vec![two], few), (vec![three, four], many + 1)];
        assert_eq!(told, expected);
        let told = gathered(lists(SessionId(0), &shared, None, true));
        assert_eq!(told, [(vec![], 3 + few + many + 1)]);
    }
}
