//! One record judged anew: what the rules say of it, told as a pack tells it.

use serde_json::Value as Json;
use xw_ledger::interval::{Interval, LATE_DAYS, Timeliness};
use xw_ledger::judge::{Evidence, Judged};
use xw_ledger::verdict::Verdict;
use xw_schemas::entry::Body;
use xw_schemas::id::EntryId;

use super::Brought;
use crate::holdings::{Assessed, Place};
use crate::judge::entries::World;
use crate::judge::report::{Counts, FindingCode};
use crate::readable::{Case, Readable};

/// What became of one record.
pub(super) struct Outcome {
    pub(super) readable: Readable,
    pub(super) bytes: Vec<u8>,
    pub(super) opened: Option<Json>,
    pub(super) counts: Counts,
    pub(super) findings: Vec<(FindingCode, EntryId, String)>,
}

/// Judges one record anew.
pub(super) fn retell<'a>(
    world: &'a World,
    assessed: &Assessed,
    bodies: &dyn Fn(&EntryId) -> Option<&'a Body>,
    brought: &'a Brought,
    place: Place,
) -> Outcome {
    let (case, judged, times) = tell(world, assessed, place, bodies);
    let mut counts = Counts { records: 1, ..Counts::default() };
    let mut findings = Vec::new();
    let view = judged.view.as_ref();
    counts.sealed = u64::from(view.is_some_and(|view| view.sealed));
    let own: Vec<EntryId> = times.iter().map(|(id, _)| *id).collect();
    if view.is_some_and(|view| view.erased.is_some()) {
        let given = own.iter().filter(|id| bodies(id).is_some());
        findings.extend(given.map(|id| (FindingCode::BodyErased, *id, String::new())));
    }
    for (id, verdict) in &judged.verdicts {
        match verdict {
            Verdict::Refused(refusal) => {
                counts.refused += 1;
                findings.push((FindingCode::EntryRefused, *id, refusal.zh()));
            }
            Verdict::Waiting(_) => {
                findings.push((FindingCode::EntryWaiting, *id, verdict.stored().reason));
            }
            _ => {}
        }
    }
    for (id, timeliness) in times {
        match timeliness {
            Timeliness::Unwitnessed => counts.unwitnessed += 1,
            Timeliness::Late => counts.late += 1,
            Timeliness::Backdated | Timeliness::Ahead => {
                findings.push((FindingCode::TimeImpossible, id, timeliness.zh().to_owned()));
            }
            Timeliness::Timely => {}
        }
    }
    let opened = own.iter().any(|id| brought.0.contains_key(id)).then(|| {
        let body = |id: &EntryId| bodies(id).or_else(|| brought.0.get(id));
        let (readable, ..) = tell(world, assessed, place, &body);
        serde_json::from_slice(&readable.bytes()).unwrap_or_default()
    });
    Outcome { bytes: case.bytes(), readable: case, opened, counts, findings }
}

/// A record with what the rules say of it and how each claimed time lies.
type Retold = (Readable, Judged, Vec<(EntryId, Timeliness)>);

/// Judges a record with the bodies that `body` gives.
fn tell<'a>(
    world: &'a World,
    assessed: &Assessed,
    place: Place,
    body: &dyn Fn(&EntryId) -> Option<&'a Body>,
) -> Retold {
    let (holdings, extracts) = (&world.holdings, &world.extracts);
    let mut evidence = holdings.evidence(assessed, &place, body);
    let mut intervals: Vec<Interval> =
        evidence.iter().map(|item| holdings.interval(assessed, item.entry)).collect();
    for entry in extracts.of(&place) {
        let id = entry.id();
        evidence.push(Evidence { entry, body: body(&id), standing: extracts.standing(&id) });
        intervals.push(extracts.interval(holdings.roster(), entry));
    }
    let judged = holdings.judged(&place, &evidence);
    let (roster, definitions) = (holdings.roster(), holdings.definitions());
    let (evidence, intervals) = (&evidence[..], &intervals[..]);
    let case = Case { roster, definitions, place, evidence, intervals, judged: &judged };
    let readable = case.readable();
    let time = |(item, interval): (&Evidence<'_>, &Interval)| {
        let claimed = item.entry.core().claimed_time_ms;
        (item.entry.id(), interval.timeliness(claimed, LATE_DAYS))
    };
    let times = evidence.iter().zip(intervals).map(time).collect();
    (readable, judged, times)
}
