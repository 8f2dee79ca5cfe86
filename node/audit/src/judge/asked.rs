//! Entries that a reader asks for by id: whether they are in the pack and what is known of them.

use std::io::{Read, Seek};

use serde::Serialize;
use xw_ledger::standing::Standing;
use xw_schemas::id::{EntryId, LogId, RecordId};

use super::entries::World;
use super::opening::Opened;
use super::report::FindingCode;
use crate::holdings::Assessed;

/// What the pack knows of one entry.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct EntryVerdict {
    /// The entry.
    pub entry: EntryId,
    /// Its log.
    pub log: LogId,
    /// Its number there.
    pub number: u64,
    /// The record it is about.
    pub record: Option<RecordId>,
    /// What the record is, as its definition names it.
    pub matter: Option<String>,
    /// The office whose node signed it.
    pub office: Option<String>,
    /// The author's clock.
    pub claimed_time_ms: u64,
    /// First cover by the own township, seconds since 1970.
    pub township_s: Option<u64>,
    /// First cover by the county, seconds since 1970.
    pub county_s: Option<u64>,
    /// Whether these two differ by more than clocks do.
    pub witnesses_differ: bool,
    /// How it stands.
    pub standing: Standing,
}

/// Looks every asked entry up.
pub(super) fn check<R: Read + Seek>(
    opened: &mut Opened<R>,
    world: &World,
    assessed: &Assessed,
    asked: &[EntryId],
) {
    for id in asked {
        match look_up(world, assessed, id) {
            Some(verdict) => opened.report.entries.push(verdict),
            None => opened.add(FindingCode::EntryNotHere, id, ""),
        }
    }
}

/// What the pack knows of an entry; `None` when it is not there.
pub(super) fn look_up(world: &World, assessed: &Assessed, id: &EntryId) -> Option<EntryVerdict> {
    let holdings = &world.holdings;
    let whole = holdings.entry(id);
    let entry = whole.or_else(|| world.extracts.entry(id))?;
    let core = entry.core();
    let (standing, interval) = if whole.is_some() {
        (holdings.standing(assessed, entry), holdings.interval(assessed, entry))
    } else {
        (world.extracts.standing(id), world.extracts.interval(holdings.roster(), entry))
    };
    let office = holdings.roster().office_of(&entry.node());
    let matter = entry.change().map(|change| {
        let rt = holdings.definition(&change.schema);
        rt.map_or_else(|| change.record_type.clone(), |rt| rt.zh.clone())
    });
    Some(EntryVerdict {
        entry: *id,
        log: core.log,
        number: core.sequence,
        record: core.statement.record(),
        matter,
        office: office.map(|office| office.name.clone()),
        claimed_time_ms: core.claimed_time_ms,
        township_s: interval.township,
        county_s: interval.county,
        witnesses_differ: interval.witnesses_differ(),
        standing,
    })
}
