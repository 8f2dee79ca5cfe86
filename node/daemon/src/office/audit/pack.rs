//! An evidence pack into a file: which records it tells and which bodies go along. The file is whole
//! or not there.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufWriter, Write as _};
use std::path::Path;

use serde_json::{Value as Json, json};
use xw_audit::holdings::Holdings;
use xw_audit::pack::{Export, Give, PackError, PlaceName, SCOPE_RECORDS_MAX, Scope, write_pack};
use xw_audit::spread::one_by_one;
use xw_schemas::space::Space;
use xw_store::{ReadBy, write_whole};

use super::{Aside, Progress, period};
use crate::office::Office;
use crate::request::{AuditExport, ListRecords};
use crate::trouble::{Answer, Trouble};

impl Office {
    /// Answers `{file, bytes, scope, records, logs, entries, bodies, complete, roster}`.
    pub(super) fn evidence_pack(&self, asked: &AuditExport, made_ms: u64) -> Answer<Aside> {
        let out = asked.out.clone();
        if out.exists() {
            return Err(Trouble::new(
                "exists",
                format!("{} 已存在，未写入", out.display()),
                format!("{} is there already; nothing was written", out.display()),
            ));
        }
        let scope = self.scope(asked, made_ms)?;
        let wanted: BTreeSet<Space> = match &scope {
            Scope::Records { records } => records.iter().map(|one| one.space).collect(),
            Scope::Division { division } | Scope::Period { division, .. } => {
                let spaces = self.store.logs().spaces().map(|(space, _)| *space);
                spaces.filter(|space| division.covers(space.division)).collect()
            }
        };
        let held = self.holdings(|space| wanted.contains(&space), asked.bodies)?;
        let give =
            if asked.bodies { Give::Level(self.division().tier().into()) } else { Give::Nothing };
        let (node, heard_ms) = (self.node.clone(), self.equal_at(made_ms));
        Ok(Box::new(move |_: Progress<'_>| {
            let spread = &one_by_one;
            let export =
                Export { holdings: &held, scope, give, by: &node, made_ms, heard_ms, spread };
            let written = write_file(&export, &out);
            written.map(|told| with_place(told, &held, &export.scope))
        }))
    }

    fn scope(&self, asked: &AuditExport, now_ms: u64) -> Answer<Scope> {
        let named = !asked.records.is_empty();
        match (named, &asked.list, &asked.division) {
            (true, None, None) => {
                let mut records = Vec::new();
                for name in &asked.records {
                    records.extend(
                        self.places_of(name)?.into_iter().filter_map(|(space, record)| {
                            Some(PlaceName { space, record: record? })
                        }),
                    );
                }
                in_order(records)
            }
            (false, Some(list), None) => in_order(self.listed(list)?),
            (false, None, Some(division)) => {
                let division = self.find_division(division)?;
                if asked.from.is_none() && asked.to.is_none() {
                    return Ok(Scope::Division { division });
                }
                let (from_ms, to_ms) = period(asked.from.as_deref(), asked.to.as_deref(), now_ms)?;
                Ok(Scope::Period { division, from_ms, to_ms })
            }
            _ => Err(Trouble::new(
                "usage",
                "请指明范围，三者取一：--record 记录、--records 加查询条件、--division 区划",
                "say what the pack is about, one of: --record, --records with conditions, --division",
            )),
        }
    }

    /// The records of a list.
    fn listed(&self, asked: &ListRecords) -> Answer<Vec<PlaceName>> {
        let mut query = self.query(asked)?;
        query.limit = u32::try_from(SCOPE_RECORDS_MAX).unwrap_or(u32::MAX);
        query.count_total = true;
        let page = self.reader.list(&query)?;
        if page.total.is_some_and(|total| total > SCOPE_RECORDS_MAX as u64) {
            return Err(Trouble::new(
                "too-many",
                format!(
                    "符合条件的记录超过 {SCOPE_RECORDS_MAX} 条；请缩小条件，或按区划、时段导出"
                ),
                format!(
                    "more than {SCOPE_RECORDS_MAX} records; narrow the conditions, or export a division or a period"
                ),
            ));
        }
        Ok(page.rows.iter().map(|row| PlaceName { space: row.space, record: row.record }).collect())
    }
}

fn in_order(mut records: Vec<PlaceName>) -> Answer<Scope> {
    records.sort_unstable();
    records.dedup();
    if records.is_empty() {
        return Err(Trouble::missing("符合条件的记录", "record that meets the conditions"));
    }
    Ok(Scope::Records { records })
}

/// Whole or not at all, so that no half of a pack is taken for one. It may tell what records say.
fn write_file(export: &Export<'_>, out: &Path) -> Answer<Json> {
    let mut told = write_whole(out, ReadBy::Owner, |file| fill(export, file))?;
    told["file"] = json!(out.display().to_string());
    Ok(told)
}

fn fill(export: &Export<'_>, file: &mut File) -> Answer<Json> {
    let mut buffered = BufWriter::new(&mut *file);
    let written = write_pack(export, &mut buffered).map_err(|error| not_made(&error))?;
    buffered.flush()?;
    drop(buffered);
    let manifest = &written.manifest;
    let entries: u64 = manifest.logs.iter().map(|log| log.entries).sum();
    let bodies = manifest.files.iter().any(|file| file.name.ends_with(".bodies"));
    Ok(json!({
        "bytes": file.metadata()?.len(),
        "scope": manifest.scope,
        "records": manifest.records, "logs": manifest.logs.len(), "entries": entries,
        "bodies": bodies, "made_ms": manifest.made_ms,
        "network": manifest.network, "roster": manifest.roster,
        "complete": written.completeness.map(|statement| statement.complete),
    }))
}

fn with_place(mut told: Json, held: &Holdings, scope: &Scope) -> Json {
    if let Scope::Division { division } | Scope::Period { division, .. } = scope {
        told["place"] = json!(held.roster().place(*division));
    }
    told
}

fn not_made(error: &PackError) -> Trouble {
    Trouble::new("pack", error.zh(), error.to_string())
}
