//! Writes a pack from what somebody holds: chooses records and entries, tells them, proves them,
//! lists and signs everything. What it writes depends on its arguments alone.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use xw_schemas::cose::SecretKey;
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::space::{Division, Space};

use super::extract::{Extract, can_be_extracted, whole};
use super::files::Files;
use super::{FORM, Give, Manifest, PackLog, PackSpace, SCOPE_RECORDS_MAX, Scope};
use crate::archive::ArchiveFault;
use crate::completeness::{Completeness, Question, completeness};
use crate::holdings::{Assessed, Holdings, Place};
use crate::spread::Spread;

/// An order for a pack.
pub struct Export<'a> {
    /// What is held: of every division in the scope all logs that the holder has.
    pub holdings: &'a Holdings,
    /// What the pack is to be about.
    pub scope: Scope,
    /// Which bodies are given.
    pub give: Give,
    /// The node that makes and signs it.
    pub by: &'a SecretKey,
    /// Its clock.
    pub made_ms: u64,
    /// When each node was last found to hold nothing more; see [`Question::heard_ms`].
    pub heard_ms: BTreeMap<PublicKey, u64>,
    /// Hands for judging many records.
    pub spread: Spread<'a>,
}

impl std::fmt::Debug for Export<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Export({:?} by {:?})", self.scope, self.by)
    }
}

/// What was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The manifest.
    pub manifest: Manifest,
    /// The statement of completeness, where the scope lies in one division.
    pub completeness: Option<Completeness>,
}

/// Why no pack was written.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PackError {
    /// A record asked for is not held.
    #[error("nothing is held of record {0}")]
    NoSuchRecord(xw_schemas::id::RecordId),
    /// No record, too many, or a period that ends before it begins.
    #[error("no record is named, too many are, or the period is empty")]
    BadScope,
    /// More than a pack may hold, or the file cannot be written.
    #[error("the pack cannot be written")]
    Archive(#[from] ArchiveFault),
}

impl PackError {
    /// What a Chinese reader is told.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::NoSuchRecord(record) => format!("本机没有记录 {record} 的任何条目"),
            Self::BadScope => "没有指定记录、指定过多，或时段为空".to_owned(),
            Self::Archive(fault) => format!("无法写出证据包：{}", fault.zh()),
        }
    }
}

/// Writes a pack.
pub fn write_pack<W: Write>(export: &Export<'_>, out: W) -> Result<Written, PackError> {
    let holdings = export.holdings;
    let assessed = holdings.assess();
    let places = places(export, &assessed)?;
    let (spaces, entries, proofs) = material(holdings, &assessed, &export.scope, &places);
    let mut manifest = Manifest {
        form: FORM.to_owned(),
        network: holdings.roster().network(),
        roster: holdings.roster().state(),
        roster_number: holdings.roster().number(),
        rules: holdings.roster().rules(),
        scope: export.scope.clone(),
        bodies: export.give,
        made_ms: export.made_ms,
        by: export.by.public(),
        spaces,
        logs: pack_logs(holdings, &entries),
        records: places.len() as u64,
        files: Vec::new(),
    };
    let statement = question(export).map(|question| completeness(holdings, &assessed, question));
    let mut files = Files::new(out);
    if let Some(statement) = &statement {
        files.add_statement(statement, export.by)?;
    }
    files.add_entries(holdings, &entries)?;
    files.add_proofs(&proofs)?;
    let summary = files.add_records(export, &assessed, &places)?;
    files.add_roster(holdings)?;
    files.add_definitions(holdings)?;
    files.add_summary(&summary.html(&manifest, holdings.roster(), statement.as_ref()))?;
    manifest.files = files.listed();
    files.finish(&manifest, export.by)?;
    Ok(Written { manifest, completeness: statement })
}

/// The records that the pack tells, ascending.
fn places(export: &Export<'_>, assessed: &Assessed) -> Result<Vec<Place>, PackError> {
    let holdings = export.holdings;
    match &export.scope {
        Scope::Records { records } => {
            let named: BTreeSet<Place> =
                records.iter().map(|one| (one.space, one.record)).collect();
            let ascending = records.windows(2).all(|pair| pair[0] < pair[1]);
            if records.is_empty() || !ascending || records.len() > SCOPE_RECORDS_MAX {
                return Err(PackError::BadScope);
            }
            match named.iter().find(|place| holdings.of(place).next().is_none()) {
                Some((_, record)) => Err(PackError::NoSuchRecord(*record)),
                None => Ok(named.into_iter().collect()),
            }
        }
        Scope::Period { from_ms, to_ms, .. } if from_ms >= to_ms => Err(PackError::BadScope),
        Scope::Division { .. } | Scope::Period { .. } => {
            Ok(places_of(holdings, assessed, &export.scope))
        }
    }
}

/// The records of a division that a scope covers.
pub(crate) fn places_of(holdings: &Holdings, assessed: &Assessed, scope: &Scope) -> Vec<Place> {
    let (division, period) = match scope {
        Scope::Records { .. } => return Vec::new(),
        Scope::Division { division } => (*division, None),
        Scope::Period { division, from_ms, to_ms } => (*division, Some(*from_ms..*to_ms)),
    };
    let touched = |place: &Place| {
        let Some(period) = &period else { return true };
        holdings.of(place).any(|entry| {
            let witnessed = holdings.interval(assessed, entry).not_after();
            period.contains(&entry.core().claimed_time_ms)
                || witnessed.is_some_and(|time_s| period.contains(&(time_s * 1_000)))
        })
    };
    let inside = |place: &Place| division.covers(place.0.division) && touched(place);
    holdings.records().map(|(place, _)| *place).filter(inside).collect()
}

type Material = (Vec<PackSpace>, BTreeMap<LogId, BTreeSet<EntryId>>, Extract);

/// The spaces, the entries by log, and the proofs that hold extracts together.
fn material(holdings: &Holdings, assessed: &Assessed, scope: &Scope, places: &[Place]) -> Material {
    let spaces: BTreeSet<Space> = match scope {
        Scope::Records { .. } => places.iter().map(|(space, _)| *space).collect(),
        Scope::Division { division } | Scope::Period { division, .. } => {
            let all = holdings.logs().spaces().map(|(space, _)| *space);
            all.filter(|space| division.covers(space.division)).collect()
        }
    };
    let cut_out = |space: &Space| {
        matches!(scope, Scope::Records { .. }) && can_be_extracted(holdings, *space)
    };
    let (extracted, whole_spaces): (BTreeSet<Space>, BTreeSet<Space>) =
        spaces.iter().partition(|space| cut_out(space));
    let from: Vec<Place> =
        places.iter().filter(|(space, _)| extracted.contains(space)).copied().collect();
    let extract = Extract::of(holdings, assessed, &from);
    let mut entries = whole(holdings, &whole_spaces);
    entries.extend(extract.entries.clone());
    let spaces = spaces
        .into_iter()
        .map(|space| PackSpace { space, whole: whole_spaces.contains(&space) })
        .collect();
    (spaces, entries, extract)
}

fn pack_logs(holdings: &Holdings, entries: &BTreeMap<LogId, BTreeSet<EntryId>>) -> Vec<PackLog> {
    let listed = entries.iter().filter_map(|(id, entries)| {
        let log = holdings.logs().log(id)?;
        let mut tips = log.tips();
        tips.sort_unstable();
        let (node, space) = (log.node, log.space);
        Some(PackLog { log: *id, node, space, entries: entries.len() as u64, tips })
    });
    listed.collect()
}

/// What the statement of completeness in a pack answers; none when its records lie in several
/// divisions.
fn question(export: &Export<'_>) -> Option<Question> {
    let (division, from_ms, to_ms) = period_of(&export.scope, export.made_ms)?;
    Some(Question {
        division,
        from_ms,
        to_ms,
        by: export.by.public(),
        now_ms: export.made_ms,
        heard_ms: export.heard_ms.clone(),
    })
}

/// The division and the period that a scope is about, where it is one.
pub(crate) fn period_of(scope: &Scope, made_ms: u64) -> Option<(Division, u64, u64)> {
    match scope {
        Scope::Records { records } => {
            let division = records.first()?.space.division;
            let one = records.iter().all(|record| record.space.division == division);
            one.then_some((division, 0, made_ms))
        }
        Scope::Division { division } => Some((*division, 0, made_ms)),
        Scope::Period { division, from_ms, to_ms } => Some((*division, *from_ms, *to_ms)),
    }
}
