//! What must hold when everything is healed and quiet: agreement on entries, standings, bodies and
//! rows, forks shown everywhere, nothing lost or counted twice, and silence.

use std::collections::{BTreeMap, BTreeSet};

use xw_ledger::judge::judge;
use xw_ledger::log::Logs;
use xw_ledger::standing::Standing;
use xw_ledger::verdict::Verdict;
use xw_replica::Phase;
use xw_schemas::entry::Statement;
use xw_schemas::id::{EntryId, LogId, PublicKey, RecordId};
use xw_schemas::limits::VARIANTS_KEPT;
use xw_schemas::space::Space;

use crate::checks::digests_of;
use crate::county::{County, Node};
use crate::dice::Dice;

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
    let county_head = county.nodes[0].memory.chain.roster().state();
    let live = county.nodes[0].memory.chain.roster().live_nodes();
    let nodes: Vec<&Node> = county.connected().filter(|node| live.contains(&node.key)).collect();
    for node in &nodes {
        if node.memory.chain.roster().state() != county_head {
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
            let listed = roster.node_office(&held.node).is_some();
            let open = held.fork().is_none() && listed && roster.cut(&held.node).is_none();
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

/// One word: whoever witnesses puts its name to one branch of a log, across crashes and disks that
/// were put back.
pub fn check_one_word(county: &County) -> Result<(), String> {
    let honest: BTreeSet<PublicKey> = county.honest().map(|node| node.key).collect();
    for node in county.connected() {
        let mut said: BTreeMap<(PublicKey, LogId), BTreeSet<(u64, EntryId)>> = BTreeMap::new();
        for kept in node.memory.entries.values() {
            let (witness, core) = (kept.entry.node(), kept.entry.core());
            let Statement::Witness(pins) = &core.statement else { continue };
            let logs = &node.memory.logs;
            for pin in
                pins.iter().filter(|pin| logs.log(&pin.log).is_some_and(|l| l.fork().is_some()))
            {
                said.entry((witness, pin.log)).or_default().insert((pin.size - 1, pin.head));
            }
        }
        for ((witness, id), heads) in said.iter().filter(|((who, _), _)| honest.contains(who)) {
            let Some(log) = node.memory.logs.log(id) else { continue };
            let held: Vec<_> = heads.iter().filter(|(s, e)| log.holds(*s, e)).copied().collect();
            let path = held.last().and_then(|last| log.path(*last)).unwrap_or_default();
            let on_it = |(sequence, entry): &(u64, EntryId)| {
                usize::try_from(*sequence).is_ok_and(|at| path.get(at) == Some(entry))
            };
            if !held.iter().all(on_it) {
                let who = county.nodes.iter().find(|node| node.key == *witness);
                return Err(format!(
                    "word: {:?} put its name to two branches of {id:?}: {held:?}",
                    who.map(|node| node.seat)
                ));
            }
        }
    }
    Ok(())
}

/// The one law: same entries, bodies and roster, same rows.
fn check_equal_views(county: &County, nodes: &[&Node]) -> Result<(), String> {
    type Group =
        BTreeMap<((Space, RecordId), BTreeSet<(EntryId, bool)>), (usize, Option<[u8; 32]>)>;
    let mut groups: Group = BTreeMap::new();
    let mut bodies: BTreeMap<EntryId, usize> = BTreeMap::new();
    // A program that does not know the rules shows nothing, and keeps what others have erased.
    for node in nodes.iter().filter(|node| node.memory.knows_rules()) {
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
            // Of an erased record nothing is said again, also where a fork took an act on it.
            if judged.view.as_ref().is_some_and(|view| view.erased.is_some()) {
                continue;
            }
            // What is built on a thief's record falls with it.
            if county.stolen.values().any(|(_, _, record)| *record == of.1) {
                continue;
            }
            for (id, verdict) in &judged.verdicts {
                let honest = author_of.get(id).is_some_and(|s| !county.hostile.contains(s));
                let counts =
                    matches!(verdict, Verdict::Admitted | Verdict::Sealed | Verdict::Erased);
                let again = || said_again(node, id, &judged.verdicts);
                if honest && !counts && !excused(county, of.0, verdict) && !again() {
                    return Err(format!("once: at {} honest {id} is {verdict:?}", node.seat));
                }
            }
        }
    }
    Ok(())
}

/// Whether the same act counts in the form of another entry.
fn said_again(node: &Node, id: &EntryId, verdicts: &BTreeMap<EntryId, Verdict>) -> bool {
    let entry = |id: &EntryId| node.memory.entries.get(id).map(|kept| kept.entry.clone());
    let Some(lost) = entry(id) else { return false };
    verdicts.iter().any(|(other, verdict)| {
        let counts = matches!(verdict, Verdict::Admitted | Verdict::Sealed | Verdict::Erased);
        counts
            && entry(other).is_some_and(|other| {
                other.id() != *id
                    && other.node() == lost.node()
                    && other.core().operation == lost.core().operation
            })
    })
}

/// A lying township may take down what its villages built on its word, as may a waiting body.
fn excused(county: &County, space: Space, verdict: &Verdict) -> bool {
    let above = |seat: &usize| {
        let office = &county.registry.offices[*seat];
        *seat <= county.registry.townships && office.division.covers(space.division)
    };
    let township_lies = county.hostile.iter().any(above);
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
                return Err(format!(
                    "quiet: {} #{} has {} bytes under way at rest",
                    node.seat, session.0, info.under_way
                ));
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
