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
    /// The office whose node signed it.
    pub office: Option<String>,
    /// The author's clock.
    pub claimed_time_ms: u64,
    /// First cover by the own township, seconds since 1970.
    pub township_s: Option<u64>,
    /// First cover by the county, seconds since 1970.
    pub county_s: Option<u64>,
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
        let whole = world.holdings.entry(id);
        let Some(entry) = whole.or_else(|| world.extracts.entry(id)) else {
            opened.add(FindingCode::EntryNotHere, id, "");
            continue;
        };
        let core = entry.core();
        let (standing, interval) = if whole.is_some() {
            (world.holdings.standing(assessed, entry), world.holdings.interval(assessed, entry))
        } else {
            (world.extracts.standing(id), world.extracts.interval(world.holdings.roster(), entry))
        };
        let office = world.holdings.roster().office_of(&entry.node());
        opened.report.entries.push(EntryVerdict {
            entry: *id,
            log: core.log,
            number: core.sequence,
            record: core.statement.record(),
            office: office.map(|office| office.name.clone()),
            claimed_time_ms: core.claimed_time_ms,
            township_s: interval.township,
            county_s: interval.county,
            standing,
        });
    }
}
