//! Entries whose claimed time and witnesses do not fit: entered late, backdated, ahead. Says it of
//! entries alone and never what they contain.

use serde_json::{Value as Json, json};
use xw_ledger::interval::Timeliness;
use xw_schemas::entry::Statement;

use super::{Aside, Progress};
use crate::office::Office;
use crate::trouble::Answer;

/// Entries listed; more are counted.
const LISTED_MAX: usize = 1_000;

impl Office {
    /// Answers `{division, late_days, checked, late, backdated, ahead, entries: [{entry, record, type,
    /// office, person, claimed_ms, not_before_s, witnessed_s, zh, en}]}`, the newest claims first.
    pub(super) fn late(&self, division: Option<&str>) -> Answer<Aside> {
        let division = self.audited_division(division)?;
        let late_days = self.settings.late_days;
        let held = self.holdings(|space| division.covers(space.division), false)?;
        Ok(Box::new(move |_: Progress<'_>| {
            let assessed = held.assess();
            let mut checked = 0_u64;
            let (mut late, mut backdated, mut ahead) = (0_u64, 0_u64, 0_u64);
            let mut found: Vec<(u64, Json)> = Vec::new();
            for entry in held.entries() {
                let core = entry.core();
                if matches!(core.statement, Statement::Open(_) | Statement::Witness(_)) {
                    continue;
                }
                checked += 1;
                let interval = held.interval(&assessed, entry);
                let label = interval.timeliness(core.claimed_time_ms, late_days);
                match label {
                    Timeliness::Late => late += 1,
                    Timeliness::Backdated => backdated += 1,
                    Timeliness::Ahead => ahead += 1,
                    Timeliness::Timely | Timeliness::Unwitnessed => continue,
                }
                let roster = held.roster();
                let office = roster.office_of(&entry.node()).map(|office| office.name.clone());
                let person = core.person.and_then(|key| roster.signer(&key));
                found.push((
                    core.claimed_time_ms,
                    json!({
                        "entry": entry.id(),
                        "record": core.statement.record().map(|record| record.to_string()),
                        "type": entry.change().map(|change| change.record_type.clone()),
                        "office": office,
                        "person": person.map(|signer| signer.name.clone()),
                        "claimed_ms": core.claimed_time_ms,
                        "not_before_s": interval.not_before,
                        "witnessed_s": interval.not_after(),
                        "zh": label.zh(), "en": label.en(),
                    }),
                ));
            }
            found.sort_by_key(|(claimed_ms, _)| std::cmp::Reverse(*claimed_ms));
            found.truncate(LISTED_MAX);
            let entries: Vec<Json> = found.into_iter().map(|(_, told)| told).collect();
            Ok(json!({
                "division": division, "late_days": late_days, "checked": checked,
                "late": late, "backdated": backdated, "ahead": ahead, "entries": entries,
            }))
        }))
    }
}
