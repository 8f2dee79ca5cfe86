//! Statements of several offices held against what is held here: whether every log end that another
//! office signed for is here too. Whoever shows the auditor one history and the township another is
//! found by one honest statement.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use xw_ledger::log::Point;
use xw_schemas::edition::OfficeId;
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::space::{Division, Space};

use crate::completeness::Completeness;
use crate::holdings::Holdings;

/// As many other offices as an auditor should have compared with: so many must be won over to hide a log.
pub const OFFICES_ADVISED: usize = 3;

/// How a log's end, as another office states it, lies to what is held here, where they do not agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Relation {
    /// It lies beyond the end of what is held: the other office holds more.
    HeadsBeyond,
    /// Another entry is held at that number.
    HeadsDiffer,
    /// Nothing of the log is held.
    LogUnknown,
}

/// An end of a log that is not held here.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Head {
    /// The log.
    pub log: LogId,
    /// Number of its last entry, as stated.
    pub number: u64,
    /// That entry.
    pub entry: EntryId,
    /// How it lies to what is held.
    pub relation: Relation,
    /// The highest number held of the log.
    pub held_to: Option<u64>,
}

/// What became of one statement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Compared {
    /// The node that signed it.
    pub by: PublicKey,
    /// Its office's name, as the roster held has it.
    pub office: Option<String>,
    /// Number and division of that office.
    #[serde(skip)]
    place: Option<(OfficeId, Division)>,
    /// Whether the node's key is revoked on the roster held.
    pub cut: bool,
    /// What it is about.
    pub division: Division,
    /// When it was made, by its node's clock.
    pub stated_ms: u64,
    /// Up to when that office says that nothing is missing.
    pub up_to_ms: Option<u64>,
    /// Whether it was worked out by the roster held.
    pub same_roster: bool,
    /// Whether it says anything of what was compared.
    pub in_common: bool,
    /// Ends that are held here.
    pub agrees: u64,
    /// Ends that are not.
    pub differing: Vec<Head>,
}

/// What is held, as far as statements can be compared with it.
pub struct Here<'a> {
    /// Logs, and the roster.
    pub holdings: &'a Holdings,
    /// Whether everything of a space ought to be held.
    pub whole: &'a dyn Fn(Space) -> bool,
    /// Points that are known of logs of which only some entries are held.
    pub excerpts: &'a BTreeMap<LogId, BTreeSet<Point>>,
}

impl std::fmt::Debug for Here<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Here({} excerpts)", self.excerpts.len())
    }
}

/// Compares statements, whose signatures hold, with what is held.
#[must_use]
pub fn compare(here: &Here<'_>, statements: &[Completeness]) -> Vec<Compared> {
    statements.iter().map(|statement| one(here, statement)).collect()
}

fn one(here: &Here<'_>, statement: &Completeness) -> Compared {
    let roster = here.holdings.roster();
    let by = statement.question.by;
    let office = roster.node_office(&by);
    let mut compared = Compared {
        by,
        office: office.map(|office| office.name.clone()),
        place: office.map(|office| (office.id, office.division)),
        cut: roster.cut(&by).is_some(),
        division: statement.question.division,
        stated_ms: statement.question.now_ms,
        up_to_ms: statement.complete_up_to_ms,
        same_roster: statement.roster == roster.state(),
        in_common: false,
        agrees: 0,
        differing: Vec::new(),
    };
    for state in &statement.logs {
        let whole = (here.whole)(state.space);
        let known = here.excerpts.get(&state.log);
        compared.in_common |= whole || known.is_some();
        for point in &state.tips {
            let relation = match known {
                Some(points) => among(points, *point),
                None if whole => held(here.holdings, &state.log, *point),
                None => continue,
            };
            match relation {
                Ok(known) => compared.agrees += u64::from(known),
                Err((relation, held_to)) => {
                    let ((number, entry), log) = (*point, state.log);
                    compared.differing.push(Head { log, number, entry, relation, held_to });
                }
            }
        }
    }
    compared
}

type Placed = Result<bool, (Relation, Option<u64>)>;

/// How a point lies to a log that is held from its opening on.
fn held(holdings: &Holdings, log: &LogId, (number, entry): Point) -> Placed {
    let Some(log) = holdings.logs().log(log) else { return Err((Relation::LogUnknown, None)) };
    if log.holds(number, &entry) {
        return Ok(true);
    }
    let end = log.tips().iter().map(|(number, _)| *number).max();
    let beyond = end.is_none_or(|end| number > end);
    Err((if beyond { Relation::HeadsBeyond } else { Relation::HeadsDiffer }, end))
}

/// How a point lies to the few that are known of a log; `Ok(false)` when they say nothing of it.
fn among(points: &BTreeSet<Point>, point: Point) -> Placed {
    let end = points.last().map(|(number, _)| *number);
    let mut same = points.range((point.0, EntryId([0; 32]))..=(point.0, EntryId([255; 32])));
    match same.next() {
        _ if points.contains(&point) => Ok(true),
        Some(_) => Err((Relation::HeadsDiffer, end)),
        None if end.is_none_or(|end| point.0 > end) => Err((Relation::HeadsBeyond, end)),
        None => Ok(false),
    }
}

impl Compared {
    /// Whether it bears out that nothing of these divisions is missing: an office that gets all of
    /// their logs, whose key stands, says by this roster that it lacks nothing of them up to a moment,
    /// and whatever it has is held here too.
    #[must_use]
    pub fn bears_out(&self, divisions: &[Division]) -> bool {
        let reaches = |at: Division| divisions.iter().all(|division| at.covers(*division));
        self.place.is_some_and(|(_, division)| reaches(division))
            && reaches(self.division)
            && !self.cut
            && self.same_roster
            && self.up_to_ms.is_some()
            && self.differing.is_empty()
    }

    /// The office's number.
    #[must_use]
    pub fn office_id(&self) -> Option<OfficeId> {
        self.place.map(|(office, _)| office)
    }

    /// Chinese and English.
    #[must_use]
    pub fn words(&self) -> (&'static str, &'static str) {
        let worst = |relation| self.differing.iter().any(|head| head.relation == relation);
        if worst(Relation::HeadsDiffer) {
            ("与所核对的日志矛盾", "contradicts what was compared")
        } else if worst(Relation::LogUnknown) {
            ("有这里没有的日志", "has logs that are not here")
        } else if worst(Relation::HeadsBeyond) {
            ("比这里多出条目", "has more entries than are here")
        } else if !self.in_common {
            ("没有可以核对的共同日志", "has no log in common")
        } else {
            ("所列日志这里都有", "everything that it lists is here")
        }
    }
}

/// The other offices whose statements bear out that nothing of these divisions is missing: how many, and
/// up to when all of them say so. `maker` does not count as another one.
#[must_use]
pub fn borne_out(
    compared: &[Compared],
    divisions: &[Division],
    maker: Option<OfficeId>,
) -> Option<(usize, u64)> {
    if divisions.is_empty() {
        return None;
    }
    let mut newest: BTreeMap<OfficeId, u64> = BTreeMap::new();
    for one in compared.iter().filter(|one| one.bears_out(divisions)) {
        let Some(office) = one.office_id().filter(|office| Some(*office) != maker) else {
            continue;
        };
        let up_to = newest.entry(office).or_default();
        *up_to = one.up_to_ms.unwrap_or(0).max(*up_to);
    }
    Some((newest.len(), newest.values().copied().min()?))
}
