//! What two nodes share: the spaces that both may read, by the roster alone, and digests over the
//! logs in them along the tree of divisions.

use std::collections::BTreeMap;

use xw_ledger::log::{Logs, Point};
use xw_ledger::roster::{Chain, Roster};
use xw_schemas::hash::tagged;
use xw_schemas::id::{LogId, PublicKey};
use xw_schemas::record::SchemaHash;
use xw_schemas::space::Division;

/// What the node holds, lent to the replica for one event.
#[derive(Debug, Clone, Copy)]
pub struct Held<'a> {
    /// Roster editions and what they amount to.
    pub chain: &'a Chain,
    /// All logs.
    pub logs: &'a Logs,
    /// Adopted definitions that are not held yet.
    pub missing_definitions: &'a [SchemaHash],
}

impl Held<'_> {
    /// The roster.
    pub(crate) fn roster(&self) -> &Roster {
        self.chain.roster()
    }
}

/// Logs shared with a neighbour, by division, with their tips.
pub(crate) type Shared = BTreeMap<Division, BTreeMap<LogId, Vec<Point>>>;

/// The logs held here in spaces that both may read.
pub(crate) fn shared(held: Held<'_>, own: &PublicKey, peer: &PublicKey) -> Shared {
    let mut shared = Shared::new();
    for (space, logs) in held.logs.spaces() {
        if !held.roster().may_read(own, *space) || !held.roster().may_read(peer, *space) {
            continue;
        }
        let division = shared.entry(space.division).or_default();
        for log in logs {
            let mut tips = held.logs.log(log).map(|log| log.tips()).unwrap_or_default();
            tips.sort_unstable();
            division.insert(*log, tips);
        }
    }
    shared.retain(|_, logs| !logs.is_empty());
    shared
}

/// The group of a division in the first comparison: its township, or the county for its own.
pub(crate) fn group(division: Division) -> Division {
    division.township().unwrap_or(division)
}

/// Digest over the logs of one division.
pub(crate) fn division_digest(logs: &BTreeMap<LogId, Vec<Point>>) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(logs.len() * 80);
    for (log, tips) in logs {
        bytes.extend(log.0);
        bytes.extend((tips.len() as u64).to_be_bytes());
        for (sequence, id) in tips {
            bytes.extend(sequence.to_be_bytes());
            bytes.extend(id.0);
        }
    }
    tagged("xw/digest/division/1", &[&bytes])
}

/// Digests of every division.
pub(crate) fn division_digests(shared: &Shared) -> Vec<(Division, [u8; 32])> {
    shared.iter().map(|(division, logs)| (*division, division_digest(logs))).collect()
}

/// Digests of every group.
pub(crate) fn group_digests(shared: &Shared) -> Vec<(Division, [u8; 32])> {
    let mut groups: BTreeMap<Division, Vec<(Division, [u8; 32])>> = BTreeMap::new();
    for (division, digest) in division_digests(shared) {
        groups.entry(group(division)).or_default().push((division, digest));
    }
    groups.into_iter().map(|(group, parts)| (group, over(&parts))).collect()
}

/// The digest over everything shared.
pub(crate) fn root_digest(shared: &Shared) -> [u8; 32] {
    over(&group_digests(shared))
}

fn over(parts: &[(Division, [u8; 32])]) -> [u8; 32] {
    let mut bytes = Vec::with_capacity(parts.len() * 40);
    for (division, digest) in parts {
        bytes.extend(division.number().to_be_bytes());
        bytes.extend(digest);
    }
    tagged("xw/digest/group/1", &[&bytes])
}
