//! What must hold at any moment, one function each, run after every step of a simulation. What must
//! hold when all is healed and quiet stands in `agreement.rs`.

use std::collections::{BTreeMap, BTreeSet};

use xw_ledger::log::Log;
use xw_ledger::roster::RULES_VERSION;
use xw_ledger::standing::{LogStanding, Standing};
use xw_ledger::view::row_digest;
use xw_schemas::hash::tagged;
use xw_schemas::id::{EntryId, LogId, OperationId, RecordId};
use xw_schemas::space::Space;

use crate::agreement::{
    check_converge, check_evidence, check_once, check_one_word, check_order, check_quiet,
    check_reconnect_is_cheap, check_verdict_order, check_witnessed,
};
use crate::county::{County, Node};
use crate::dice::Dice;
use crate::memory::Memory;

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
        if self.habits.ignores_cuts {
            standings.values_mut().for_each(ignore_cut);
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
            let row = row_digest(&view.bytes(), judged.standing);
            let rules = memory.chain.roster().rules().min(memory.rules_known);
            digests.insert(*of, if rules == RULES_VERSION { row } else { shown_under(rules, row) });
        }
    }
    digests
}

/// What rows are under later rules: of those of today nothing is known but that they are others.
fn shown_under(rules: u64, row: [u8; 32]) -> [u8; 32] {
    tagged("xw/simulation/rules", &[&rules.to_be_bytes(), &row])
}

/// Keep: what a person was told is saved, and what was acknowledged to a neighbour, is on disk.
pub fn check_keep(county: &County) -> Result<(), String> {
    let seats = 0..county.nodes.len();
    let on_disk: Vec<BTreeSet<EntryId>> = seats.map(|seat| county.on_disk(seat)).collect();
    for (seat, id) in county.promises.saved.iter().chain(&county.promises.acknowledged) {
        if !county.hostile.contains(seat) && !on_disk[*seat].contains(id) {
            return Err(format!("keep: {seat} lost entry {id}, which it had promised to keep"));
        }
    }
    Ok(())
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
fn overruled(memory: &Memory, log: LogId, point: (u64, EntryId), standings: &Standings) -> bool {
    let Some(held) = memory.logs.log(&log) else { return false };
    let ancestors: BTreeSet<EntryId> = held.path(point).unwrap_or_default().into_iter().collect();
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

/// Honest logs never fork: an honest node has one word for every slot, also after an old backup was
/// put back. Only a cloned disk makes an honest office say two things.
pub fn check_honest_logs_are_straight(county: &County) -> Result<(), String> {
    for node in county.honest() {
        for (id, log) in node.memory.logs.iter() {
            let author = county.nodes.iter().find(|author| author.key == log.node);
            let honest = author.is_some_and(|author| {
                !county.hostile.contains(&author.seat)
                    && author.spare.is_none()
                    && !county.was_robbed(author.seat)
            });
            if honest && log.fork().is_some() {
                return Err(format!("straight: log {id} of an honest node forks at {}", node.seat));
            }
        }
    }
    Ok(())
}

/// Revoked: of a cut key nothing counts beyond what the cut lists, nor in any log that it does not
/// list; a registrar's cut leaves what the county has witnessed.
pub fn check_revoked(county: &County) -> Result<(), String> {
    for node in county.honest() {
        let roster = node.memory.chain.roster();
        let cut =
            node.memory.logs.iter().filter_map(|(id, log)| Some((id, log, roster.cut(&log.node)?)));
        let cut: Vec<_> = cut.collect();
        if cut.is_empty() {
            continue;
        }
        let standings = county.standings(node);
        for (id, log, cut) in cut {
            let Some(standing) = standings.get(id) else { continue };
            let kept = cut.get(id).and_then(|point| log.path(*point)).unwrap_or_default();
            for (sequence, entry) in points(log) {
                let stands = standing.of(sequence, &entry);
                let listed = kept.contains(&entry);
                let by_county = !cut.exact && stands == Standing::Final;
                if stands.counts() && !listed && !by_county {
                    return Err(format!(
                        "revoked: at {} entry {entry} ({id:?} {sequence}) of a cut key is {stands:?}",
                        node.seat
                    ));
                }
            }
        }
    }
    Ok(())
}

/// All entries of a log with their numbers, on whatever branch.
fn points(log: &Log) -> BTreeSet<(u64, EntryId)> {
    let paths = log.tips().into_iter().filter_map(|tip| log.path(tip));
    paths.flat_map(|path| (0..).zip(path)).collect()
}

/// Laundered: nobody says again what a thief signed with an honest office's keys.
pub fn check_nothing_is_laundered(county: &County) -> Result<(), String> {
    let stolen: BTreeSet<OperationId> = county.stolen.values().map(|(_, act, _)| *act).collect();
    for node in county.honest().filter(|_| !stolen.is_empty()) {
        for (id, kept) in &node.memory.entries {
            if stolen.contains(&kept.entry.core().operation) && !county.stolen.contains_key(id) {
                return Err(format!("laundered: at {} a thief's act as {id}", node.seat));
            }
        }
    }
    Ok(())
}

/// Mixed: a program that does not know the rules shows nothing.
pub fn check_old_programs_show_nothing(county: &County) -> Result<(), String> {
    for node in county.honest() {
        let memory = &node.memory;
        if memory.chain.roster().rules() <= memory.rules_known {
            continue;
        }
        let standings = county.standings(node);
        if memory.records.keys().any(|of| memory.judged(&standings, of).view.is_some()) {
            return Err(format!("mixed: {} judges by rules that it does not know", node.seat));
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

/// Everything that must hold at any moment.
pub fn check_now(county: &mut County) -> Result<(), String> {
    county.check_so_far()?;
    check_scope(county)?;
    check_keep(county)?;
    check_bounded(county)?;
    check_honest_logs_are_straight(county)?;
    check_roster_forward(county)?;
    check_revoked(county)?;
    check_nothing_is_laundered(county)?;
    check_final(county)
}

/// Everything that must hold when all is healed and quiet.
pub fn check_all(county: &mut County) -> Result<(), String> {
    check_now(county)?;
    check_quiet(county)?;
    check_evidence(county)?;
    check_converge(county)?;
    check_witnessed(county)?;
    check_one_word(county)?;
    check_old_programs_show_nothing(county)?;
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

fn ignore_cut(standing: &mut LogStanding) {
    match standing {
        LogStanding::Straight { rest, .. } if *rest == Standing::Void => *rest = Standing::Local,
        LogStanding::Straight { .. } => {}
        LogStanding::Forked(map) => {
            for standing in map.values_mut().filter(|s| **s == Standing::Void) {
                *standing = Standing::Local;
            }
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
