//! Entries that are known to exist and are not held: named by an entry of the division or by the roster.

use std::collections::{BTreeMap, BTreeSet};

use xw_ledger::log::Point;
use xw_ledger::roster::Roster;
use xw_schemas::edition::SignerKind;
use xw_schemas::entry::Statement;
use xw_schemas::id::{EntryId, LogId};
use xw_schemas::space::{Division, Space, Tier};

use crate::holdings::Holdings;

/// Entries that something held in the division names and that are not held, by log. An entry whose
/// log nobody knows stands under the log that names it.
pub(super) fn missing(
    holdings: &Holdings,
    division: Division,
) -> BTreeMap<LogId, BTreeSet<(Option<u64>, EntryId)>> {
    let mut missing: BTreeMap<LogId, BTreeSet<(Option<u64>, EntryId)>> = BTreeMap::new();
    let mut note = |log, number, id| missing.entry(log).or_default().insert((number, id));
    let roster = holdings.roster();
    let space_of = |log: &LogId| {
        let space = holdings.logs().log(log).map(|log| log.space);
        space.filter(|space| division.covers(space.division))
    };
    // What is held of another division only is no part of this statement.
    let is_held = |id: &EntryId| {
        holdings.entry(id).is_some_and(|entry| space_of(&entry.core().log).is_some())
    };
    for (log, (number, named)) in named_by_roster(roster, division, &space_of) {
        if !holdings.logs().holds(&log, number, &named) {
            note(log, Some(number), named);
        }
    }
    for entry in holdings.entries() {
        let core = entry.core();
        if space_of(&core.log).is_none() {
            continue;
        }
        if let Some(seen) = core.seen.filter(|seen| !is_held(seen)) {
            note(core.log, None, seen);
        }
        match &core.statement {
            Statement::Open(opening) => {
                if let Some(before) = opening.successor_of.filter(|before| !is_held(before)) {
                    note(core.log, None, before);
                }
            }
            Statement::Witness(pins) => {
                for pin in pins.iter().filter(|pin| !is_held(&pin.head)) {
                    note(pin.log, Some(pin.size - 1), pin.head);
                }
            }
            Statement::Change(_) | Statement::Erase(_) | Statement::Erased(_) => {}
        }
    }
    missing
}

/// The entries that the roster itself names of logs in the division: kept by a cut of a node of an
/// office inside, or named by root. A log of which nothing is held is inside when a cut of such a node
/// names it; of one that root alone names only the county can say where it is.
fn named_by_roster(
    roster: &Roster,
    division: Division,
    space_of: &dyn Fn(&LogId) -> Option<Space>,
) -> BTreeSet<(LogId, Point)> {
    let mut kept_inside: BTreeSet<LogId> = BTreeSet::new();
    let mut named: BTreeSet<(LogId, Point)> = BTreeSet::new();
    let nodes = roster.signers().filter(|(_, signer)| signer.kind == SignerKind::Node);
    for (key, signer) in nodes {
        let Some(cut) = roster.cut(key) else { continue };
        let office = roster.office(signer.office);
        let inside = office.is_some_and(|office| division.covers(office.division));
        for (log, point) in &cut.kept {
            if inside {
                kept_inside.insert(*log);
            }
            if inside || space_of(log).is_some() {
                named.insert((*log, *point));
            }
        }
    }
    let all = division.tier() == Tier::County;
    let decided = roster
        .decided()
        .filter(|(log, _)| all || kept_inside.contains(log) || space_of(log).is_some());
    named.extend(decided);
    named
}
