//! What must hold, one function each. Those on what a node holds at any moment run after every step
//! of a simulation; those on agreement run when everything is healed and quiet.

use std::collections::{BTreeMap, BTreeSet};

use xw_ledger::judge::judge;
use xw_ledger::log::Logs;
use xw_ledger::standing::{LogStanding, Standing};
use xw_ledger::verdict::Verdict;
use xw_ledger::view::row_digest;
use xw_replica::Phase;
use xw_schemas::limits::VARIANTS_KEPT;
use xw_schemas::id::{EntryId, LogId, RecordId};
use xw_schemas::space::Space;

use crate::county::{County, Node};
use crate::dice::Dice;
use crate::memory::{Commit, Memory};

/// How the entries of every log stand.
pub type Standings = BTreeMap<LogId, LogStanding>;

/// The digest of every row that a node shows.
pub type Digests = BTreeMap<(Space, RecordId), [u8; 32]>;

impl County {
    /// How entries stand in all logs of a node, as its shell sees it.
    #[must_use]
    pub fn standings(&self, node: &Node) -> Standings {
        let mut standings = node.memory.standings();
        if self.habits.judges_by_arrival {
            forgive_first(&node.memory, &mut standings);
        }
        if self.habits.ignores_township_pins {
            standings.values_mut().for_each(ignore_township);
        }
        standings
    }

    /// Honest offices that no liar stands above: the others may be kept in the dark.
    pub fn connected(&self) -> impl Iterator<Item = &Node> {
        self.honest().filter(|node| !self.hostile.contains(&self.registry.above(node.seat)))
    }
}

/// The digests of all rows, given how entries stand.
#[must_use]
pub fn digests_of(memory: &Memory, standings: &Standings) -> Digests {
    let mut digests = Digests::new();
    for of in memory.records.keys() {
        let judged = memory.judged(standings, of);
        if let Some(view) = judged.view {
            digests.insert(*of, row_digest(&view.bytes(), judged.standing));
        }
    }
    digests
}

/// Keep: what a person was told is saved, and what was acknowledged to a neighbour, is on disk.
pub fn check_keep(county: &County) -> Result<(), String> {
    let on_disk: Vec<BTreeSet<EntryId>> = county.nodes.iter().map(on_disk).collect();
    for (seat, id) in county.promises.saved.iter().chain(&county.promises.acknowledged) {
        if !county.hostile.contains(seat) && !on_disk[*seat].contains(id) {
            return Err(format!("keep: {seat} lost entry {id}, which it had promised to keep"));
        }
    }
    Ok(())
}

fn on_disk(node: &Node) -> BTreeSet<EntryId> {
    let mut ids = BTreeSet::new();
    for commit in &node.disk {
        if let Commit::Entries(kept) = commit {
            ids.extend(kept.iter().map(|kept| kept.entry.id()));
        }
    }
    ids
}

/// Scope: nobody holds an entry of a space it may not read, nor a body its level may not have.
pub fn check_scope(county: &County) -> Result<(), String> {
    for node in county.honest() {
        let memory = &node.memory;
        let roster = memory.chain.roster();
        for (id, log) in memory.logs.iter() {
            if !roster.may_read(&node.key, log.space) {
                return Err(format!("scope: {} holds log {id} of {}", node.seat, log.space));
            }
        }
        let Some(tier) = memory.tier(&node.key) else { continue };
        for kept in memory.entries.values().filter(|kept| kept.body.is_some()) {
            let change = kept.entry.change();
            if change.is_some_and(|change| memory.may_have_body(change, tier) == Some(false)) {
                return Err(format!("scope: {} holds a body of {}", node.seat, kept.entry.id()));
            }
        }
    }
    Ok(())
}

/// Final: what an office above has witnessed stays. A county's word is never taken back; a
/// township's only for the county's word on another branch. (A cut names what it keeps.)
pub fn check_final(county: &mut County) -> Result<(), String> {
    let mut broken = None;
    let ignores = county.habits.ignores_township_pins;
    for node in county.nodes.iter_mut().filter(|node| node.up) {
        let memory = &node.memory;
        let mut standings = memory.standings();
        if ignores {
            standings.values_mut().for_each(ignore_township);
        }
        for (id, (log, sequence, best)) in &node.firm {
            let author = memory.logs.log(log).map(|held| held.node);
            if author.is_some_and(|author| memory.chain.roster().cut(&author).is_some()) {
                continue;
            }
            let standing = standings.get(log).map_or(Standing::Pending, |s| s.of(*sequence, id));
            let kept = match best {
                Standing::Final => standing == Standing::Final,
                _ => standing.counts() || overruled(memory, *log, (*sequence, *id), &standings),
            };
            if !kept && !county.hostile.contains(&node.seat) {
                broken = Some(format!(
                    "final: at {} entry {id} ({log:?} {sequence}) was {best:?} and is {standing:?}",
                    node.seat
                ));
            }
        }
        for (log, standing) in &standings {
            let Some(held) = memory.logs.log(log) else { continue };
            for tip in held.tips() {
                for (sequence, id) in (0..).zip(held.path(tip).unwrap_or_default()) {
                    let now = standing.of(sequence, &id);
                    if now <= Standing::Witnessed {
                        let best = node.firm.entry(id).or_insert((*log, sequence, now));
                        best.2 = best.2.min(now);
                    }
                }
            }
        }
    }
    broken.map_or(Ok(()), Err)
}

/// Whether the county's word is on a branch of the log that does not run through this entry.
fn overruled(
    memory: &Memory,
    log: LogId,
    point: (u64, EntryId),
    standings: &Standings,
) -> bool {
    let Some(held) = memory.logs.log(&log) else { return false };
    let ancestors: BTreeSet<EntryId> =
        held.path(point).unwrap_or_default().into_iter().collect();
    held.tips().into_iter().any(|tip| {
        let path = held.path(tip).unwrap_or_default();
        (0..).zip(path.iter()).any(|(sequence, id)| {
            standings[&log].of(sequence, id) == Standing::Final
                && !ancestors.contains(id)
                && path.get(usize::try_from(point.0).unwrap_or(0)) != Some(&point.1)
        })
    })
}

/// Roster: the number of the roster that a node goes by only grows, unless a fork freezes it.
pub fn check_roster_forward(county: &mut County) -> Result<(), String> {
    for node in county.nodes.iter_mut().filter(|node| node.up) {
        let roster = node.memory.chain.roster();
        if roster.number() < node.roster_number && !roster.is_frozen() {
            return Err(format!("roster: {} went back to {}", node.seat, roster.number()));
        }
        node.roster_number = roster.number();
    }
    Ok(())
}

/// Honest logs never fork: an honest node has one word for every slot.
pub fn check_honest_logs_are_straight(county: &County) -> Result<(), String> {
    for node in county.honest() {
        for (id, log) in node.memory.logs.iter() {
            let author = county.nodes.iter().find(|author| author.key == log.node);
            let honest = author.is_some_and(|author| !county.hostile.contains(&author.seat));
            if honest && log.fork().is_some() {
                return Err(format!("straight: log {id} of an honest node forks at {}", node.seat));
            }
        }
    }
    Ok(())
}

/// Bounded: what a node keeps about its neighbours and their bytes under way has limits.
pub fn check_bounded(county: &County) -> Result<(), String> {
    for node in &county.nodes {
        for (_, session) in node.replica.sessions() {
            if session.under_way > 2 * xw_schemas::limits::CREDIT_BYTES_MAX {
                return Err(format!("bounded: {} bytes under way", session.under_way));
            }
        }
    }
    Ok(())
}

/// Logs in which a liar filled one slot with more variants than the two that prove a fork: of those
/// every node keeps the two that it met first, and no two nodes need keep the same.
fn logs_with_surplus(county: &County) -> BTreeSet<LogId> {
    let mut slots: BTreeMap<(LogId, u64), BTreeSet<EntryId>> = BTreeMap::new();
    for kept in county.honest().flat_map(|node| node.memory.entries.values()) {
        let core = kept.entry.core();
        slots.entry((core.log, core.sequence)).or_default().insert(kept.entry.id());
    }
    let crowded = slots.into_iter().filter(|(_, ids)| ids.len() > VARIANTS_KEPT);
    crowded.map(|((log, _), _)| log).collect()
}

/// Converge: after healing, honest nodes that may read a space hold the same entries of it and the
/// same roster; those that hold the same bodies show the same rows.
pub fn check_converge(county: &County) -> Result<(), String> {
    let mut spaces: BTreeSet<Space> = BTreeSet::new();
    for node in county.honest() {
        spaces.extend(node.memory.logs.spaces().map(|(space, _)| *space));
    }
    let county_head = county.nodes[0].memory.chain.roster().head();
    let live = county.nodes[0].memory.chain.roster().live_nodes();
    let nodes: Vec<&Node> = county.connected().filter(|node| live.contains(&node.key)).collect();
    for node in &nodes {
        if node.memory.chain.roster().head() != county_head {
            return Err(format!("converge: {} has another roster than the county", node.seat));
        }
        let missing = node.memory.missing_definitions();
        if !missing.is_empty() {
            return Err(format!("converge: {} lacks definitions {missing:?}", node.seat));
        }
    }
    let surplus = logs_with_surplus(county);
    for space in spaces {
        let readers: Vec<&&Node> = nodes
            .iter()
            .filter(|node| node.memory.chain.roster().may_read(&node.key, space))
            .collect();
        let held = |node: &Node| -> BTreeSet<EntryId> {
            let logs = node.memory.logs.spaces().filter(|(of, _)| **of == space);
            let logs: BTreeSet<_> = logs.flat_map(|(_, logs)| logs.iter().copied()).collect();
            let entries = node.memory.entries.values();
            let entries = entries.filter(|e| !surplus.contains(&e.entry.core().log));
            entries.filter(|e| logs.contains(&e.entry.core().log)).map(|e| e.entry.id()).collect()
        };
        let Some(first) = readers.first().map(|node| held(node)) else { continue };
        for node in &readers {
            let here = held(node);
            if here != first {
                let differing: Vec<_> = here.symmetric_difference(&first).take(3).collect();
                return Err(format!(
                    "converge: in {space} {} holds {} entries and {} holds {}: {differing:?}",
                    node.seat,
                    here.len(),
                    readers[0].seat,
                    first.len()
                ));
            }
        }
    }
    check_equal_standings(county, &nodes)?;
    check_equal_views(county, &nodes)
}

/// Bodies or none: all readers of a log agree how its entries stand.
fn check_equal_standings(county: &County, nodes: &[&Node]) -> Result<(), String> {
    let mut first: BTreeMap<EntryId, (usize, Standing)> = BTreeMap::new();
    for node in nodes {
        let standings = county.standings(node);
        for kept in node.memory.entries.values() {
            let (core, id) = (kept.entry.core(), kept.entry.id());
            let Some(log) = standings.get(&core.log) else { continue };
            let here = (node.seat, log.of(core.sequence, &id));
            let there = *first.entry(id).or_insert(here);
            if there.1 != here.1 {
                return Err(format!("converge: {id} stands as {there:?} and {here:?}"));
            }
        }
    }
    Ok(())
}

/// Witnessed: once all is quiet the county has put its word to everything in unforked logs of
/// everyone below it, and all readers know it.
pub fn check_witnessed(county: &County) -> Result<(), String> {
    for node in county.connected() {
        let roster = node.memory.chain.roster();
        for (log, standing) in node.memory.standings() {
            let Some(held) = node.memory.logs.log(&log) else { continue };
            let below = roster.witness_rank(&county.nodes[0].key, &held.node).is_some();
            let open = held.fork().is_none() && roster.cut(&held.node).is_none();
            let head = held.head().map(|head| standing.of(held.size() - 1, &head));
            if below && open && head != Some(Standing::Final) {
                return Err(format!(
                    "witnessed: at {} the head {} of log {log:?} in {} is {head:?}",
                    node.seat,
                    held.size() - 1,
                    held.space
                ));
            }
        }
    }
    Ok(())
}

/// The one law: same entries, bodies and roster, same rows.
fn check_equal_views(county: &County, nodes: &[&Node]) -> Result<(), String> {
    type Group = BTreeMap<((Space, RecordId), BTreeSet<(EntryId, bool)>), (usize, Option<[u8; 32]>)>;
    let mut groups: Group = BTreeMap::new();
    let mut bodies: BTreeMap<EntryId, usize> = BTreeMap::new();
    for node in nodes {
        let digests = digests_of(&node.memory, &county.standings(node));
        for (of, ids) in &node.memory.records {
            let kept = ids.iter().filter_map(|id| node.memory.entries.get(id));
            let set: BTreeSet<(EntryId, bool)> =
                kept.map(|kept| (kept.entry.id(), kept.body.is_some())).collect();
            for (id, _) in set.iter().filter(|(_, body)| *body) {
                bodies.insert(*id, node.seat);
            }
            let digest = digests.get(of).copied();
            let (seat, first) = groups.entry((*of, set)).or_insert((node.seat, digest));
            if *first != digest {
                return Err(format!(
                    "converge: {} and {seat} hold the same of {} in {} and show different rows",
                    node.seat, of.1, of.0
                ));
            }
        }
    }
    // Whoever may have a body that some honest node holds has it.
    for node in nodes {
        let Some(tier) = node.memory.tier(&node.key) else { continue };
        for kept in node.memory.entries.values().filter(|kept| kept.body.is_none()) {
            let change = kept.entry.change();
            let may = change.is_some_and(|c| node.memory.may_have_body(c, tier) == Some(true));
            if let Some(holder) = bodies.get(&kept.entry.id())
                && may
            {
                return Err(format!(
                    "bodies: {} lacks the body of {} that {holder} holds",
                    node.seat,
                    kept.entry.id()
                ));
            }
        }
    }
    Ok(())
}

/// Once: every record that a clerk was told is saved counts exactly once wherever it may be read,
/// unless a liar's branch or a cut took what it was built on.
pub fn check_once(county: &County) -> Result<(), String> {
    let author_of: BTreeMap<EntryId, usize> =
        county.promises.saved.iter().map(|(seat, id)| (*id, *seat)).collect();
    for node in county.honest() {
        let standings = node.memory.standings();
        let mut seen: BTreeMap<RecordId, Space> = BTreeMap::new();
        for of in node.memory.records.keys() {
            let judged = node.memory.judged(&standings, of);
            if judged.view.is_some() && seen.insert(of.1, of.0).is_some() {
                return Err(format!("once: {} shows {} in two spaces", node.seat, of.1));
            }
            for (id, verdict) in &judged.verdicts {
                let honest = author_of.get(id).is_some_and(|s| !county.hostile.contains(s));
                let counts = matches!(verdict, Verdict::Admitted | Verdict::Sealed);
                if honest && !counts && !excused(county, verdict) {
                    return Err(format!("once: at {} honest {id} is {verdict:?}", node.seat));
                }
            }
        }
    }
    Ok(())
}

/// A lying township may take down what its villages built on its word, as may a waiting body.
fn excused(county: &County, verdict: &Verdict) -> bool {
    let township_lies = county.hostile.iter().any(|seat| *seat <= county.registry.townships);
    township_lies || (!county.hostile.is_empty() && matches!(verdict, Verdict::Waiting(_)))
}

/// Evidence: every fork that any honest reader holds is flagged by all of them.
pub fn check_evidence(county: &County) -> Result<(), String> {
    let mut lowest: BTreeMap<LogId, u64> = BTreeMap::new();
    for node in county.connected() {
        let mut slots: BTreeMap<(LogId, u64), u64> = BTreeMap::new();
        for kept in node.memory.entries.values() {
            *slots.entry((kept.entry.core().log, kept.entry.core().sequence)).or_default() += 1;
        }
        for ((log, sequence), _) in slots.into_iter().filter(|(_, variants)| *variants > 1) {
            let at = lowest.entry(log).or_insert(sequence);
            *at = sequence.min(*at);
        }
    }
    for node in county.connected() {
        for (log, sequence) in &lowest {
            let Some(held) = node.memory.logs.log(log) else { continue };
            if held.fork() != Some(*sequence) {
                return Err(format!(
                    "evidence: log {log} forks at {sequence}, and {} says {:?}",
                    node.seat,
                    held.fork()
                ));
            }
        }
    }
    Ok(())
}

/// Order: the entries of a node taken in any other order stand the same and show the same rows.
pub fn check_order(county: &County, dice: &mut Dice) -> Result<(), String> {
    for node in county.honest() {
        let memory = &node.memory;
        let mut left: Vec<_> = memory.entries.values().cloned().collect();
        dice.shuffle(&mut left);
        let mut logs = Logs::new();
        while !left.is_empty() {
            let before = left.len();
            left.retain(|kept| logs.place(memory.chain.roster(), &kept.entry).is_err());
            if left.len() == before {
                return Err(format!("order: {} holds {before} entries without a place", node.seat));
            }
        }
        let roster = memory.chain.roster();
        let anew: BTreeMap<_, _> =
            logs.iter().filter_map(|(id, _)| Some((*id, logs.assess(roster, id)?))).collect();
        if anew != memory.standings() {
            let stands = memory.standings();
            let log = anew.iter().find(|(log, standing)| stands.get(log) != Some(standing));
            return Err(format!(
                "order: at {} logs stand otherwise when entries come otherwise: {log:?}, here {:?}",
                node.seat,
                log.and_then(|(log, _)| stands.get(log))
            ));
        }
    }
    Ok(())
}

/// Order of evidence: the verdict does not depend on the order in which it is laid out.
pub fn check_verdict_order(county: &County, dice: &mut Dice) -> Result<(), String> {
    for node in county.honest().take(2) {
        let (memory, standings) = (&node.memory, node.memory.standings());
        for of in memory.records.keys() {
            let mut evidence = memory.evidence(&standings, of);
            let first = judge(memory.chain.roster(), &memory.definitions, of.1, &evidence);
            dice.shuffle(&mut evidence);
            if judge(memory.chain.roster(), &memory.definitions, of.1, &evidence) != first {
                return Err(format!("order: the verdict on {} depends on the order", of.1));
            }
        }
    }
    Ok(())
}

/// Quiet: nothing is under way between honest nodes, and every conversation is live.
pub fn check_quiet(county: &County) -> Result<(), String> {
    for node in county.honest() {
        for (session, info) in node.replica.sessions() {
            if info.phase != Phase::Live {
                return Err(format!(
                    "quiet: {} #{} with {} stands at {:?}",
                    node.seat,
                    session.0,
                    county.nodes.iter().position(|n| n.key == info.peer).unwrap_or(99),
                    info.phase
                ));
            }
            if info.under_way != 0 {
                return Err(format!("quiet: {} bytes under way at rest", info.under_way));
            }
        }
    }
    Ok(())
}

/// Cheap: when nothing differs, talking again costs two frames each way at most.
pub fn check_reconnect_is_cheap(county: &mut County) -> Result<(), String> {
    if !logs_with_surplus(county).is_empty() {
        // Something does differ, and will for ever.
        return Ok(());
    }
    for id in county.conns.keys().copied().collect::<Vec<_>>() {
        county.break_conn(id);
    }
    let first = county.next_conn;
    county.run_until_quiet()?;
    // A liar may talk as much as it likes, and bodies that a liar withholds are asked for again.
    let lying = |county: &County, seats: [usize; 2]| {
        seats.iter().any(|s| county.hostile.contains(s) || !county.nodes[*s].lacking.is_empty())
    };
    for (id, conn) in county.conns.range(first..) {
        if conn.frames.iter().any(|frames| *frames > 2) && !lying(county, conn.seats) {
            return Err(format!(
                "cheap: connection #{id} of {:?} took {:?} frames though nothing differs",
                conn.seats, conn.frames
            ));
        }
    }
    Ok(())
}

/// Everything that must hold at any moment.
pub fn check_now(county: &mut County) -> Result<(), String> {
    county.check_so_far()?;
    check_scope(county)?;
    check_keep(county)?;
    check_bounded(county)?;
    check_honest_logs_are_straight(county)?;
    check_roster_forward(county)?;
    check_final(county)
}

/// Everything that must hold when all is healed and quiet.
pub fn check_all(county: &mut County) -> Result<(), String> {
    check_now(county)?;
    check_quiet(county)?;
    check_evidence(county)?;
    check_converge(county)?;
    check_witnessed(county)?;
    check_once(county)?;
    let mut dice = Dice::new(county.seed ^ 0x0bde);
    check_order(county, &mut dice)?;
    check_verdict_order(county, &mut dice)?;
    check_reconnect_is_cheap(county)
}

/// Lets the first variant of every slot count, as a shell does that judges by arrival.
fn forgive_first(memory: &Memory, standings: &mut Standings) {
    for (log, standing) in standings {
        let (LogStanding::Forked(map), Some(held)) = (standing, memory.logs.log(log)) else {
            continue;
        };
        for (sequence, id) in (0..held.size()).filter_map(|s| Some((s, held.at(s)?))) {
            let _ = sequence;
            map.entry(id).and_modify(|s| {
                if *s == Standing::Disputed {
                    *s = Standing::Local;
                }
            });
        }
    }
}

fn ignore_township(standing: &mut LogStanding) {
    if let LogStanding::Forked(map) = standing {
        for standing in map.values_mut().filter(|s| **s == Standing::Witnessed) {
            *standing = Standing::Disputed;
        }
    }
}
