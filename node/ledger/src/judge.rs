//! The verdict: which changes of one record count, and the view they amount to. A pure function of
//! the record's entries, how they stand in their logs, and the roster; never of the order in which
//! anything arrived.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use xw_schemas::entry::{Body, ChangeStatement, VerifiedEntry};
use xw_schemas::id::{EntryId, RecordId};
use xw_schemas::limits::{RECORD_BYTES_MAX, RECORD_CHANGES_MAX};
use xw_schemas::record::{RecordType, SchemaHash};
use xw_schemas::space::Tier;

use crate::change::{Change, ChangeHash};
use crate::history::History;
use crate::opset::{Once, OpSet, Told};
use crate::roster::Roster;
use crate::standing::Standing;
use crate::steps::{CONFLICT, Causes};
use crate::verdict::{Missing, Refusal, Verdict};
use crate::view::View;

mod authority;
mod erasure;
mod once;
mod reading;

pub use erasure::{Erased, erasure_agreed, erasure_in_force};
use once::{ActId, Acts, Firsts, act_of};
use reading::{Latest, Reading};

/// Record-type definitions by hash, as far as they are held here.
pub type Definitions = BTreeMap<SchemaHash, Arc<RecordType>>;

/// Highest operation counter of a record: 1,000 changes of a few hundred operations. With the
/// limit on changes it bounds what a rebuild can cost.
const RECORD_OPS_MAX: u64 = 1 << 20;

/// One entry about the record to be judged.
#[derive(Debug, Clone, Copy)]
pub struct Evidence<'a> {
    /// The entry; its statement is a change of the record, or speaks of its erasure.
    pub entry: &'a VerifiedEntry,
    /// Its body, where it is held. It matches the commitment.
    pub body: Option<&'a Body>,
    /// How it stands in its log.
    pub standing: Standing,
}

/// What one record amounts to.
#[derive(Debug, Clone, PartialEq)]
pub struct Judged {
    /// The verdict on every entry.
    pub verdicts: BTreeMap<EntryId, Verdict>,
    /// The view; `None` when nothing counts.
    pub view: Option<View>,
    /// The weakest standing among the entries that count.
    pub standing: Standing,
}

/// A change with everything that the rules read of it.
#[derive(Debug)]
struct Candidate<'a> {
    entry: &'a VerifiedEntry,
    statement: &'a ChangeStatement,
    change: Change,
    /// The change entry before it of the same log on this record.
    before: Option<EntryId>,
    standing: Standing,
}

/// Judges one record of one space.
#[must_use]
pub fn judge(
    roster: &Roster,
    definitions: &Definitions,
    record: RecordId,
    evidence: &[Evidence<'_>],
) -> Judged {
    let erased = erasure_in_force(roster, evidence);
    if let Some(erased) = erased {
        return erasure::judge_erased(roster, record, evidence, erased);
    }
    let mut court = Court::new(roster, definitions, record);
    court.verdicts = erasure::verdicts(roster, evidence, None);
    let candidates = court.summon(evidence);
    court.hear(candidates);
    court.close(evidence)
}

/// The changes that count, in the canonical order in which a document is replayed, with the
/// history they make. For drafts and for reading a record through Automerge.
#[must_use]
pub fn admitted<'a>(
    roster: &Roster,
    definitions: &Definitions,
    record: RecordId,
    evidence: &'a [Evidence<'a>],
) -> (History, Vec<&'a [u8]>) {
    let mut court = Court::new(roster, definitions, record);
    if erasure_in_force(roster, evidence).is_none() {
        let candidates = court.summon(evidence);
        court.hear(candidates);
    }
    let bodies: BTreeMap<EntryId, &Body> = evidence
        .iter()
        .filter_map(|evidence| Some((evidence.entry.id(), evidence.body?)))
        .collect();
    let order = court.history.canonical_order();
    let raw = order
        .iter()
        .filter_map(|change| bodies.get(court.entries.get(&change.hash)?))
        .map(|body| body.change())
        .collect();
    (court.history, raw)
}

/// One hearing.
struct Court<'a> {
    roster: &'a Roster,
    definitions: &'a Definitions,
    record: RecordId,
    verdicts: BTreeMap<EntryId, Verdict>,
    history: History,
    causes: Causes,
    /// Which entry brought each admitted change.
    entries: BTreeMap<ChangeHash, EntryId>,
    by_entry: BTreeMap<EntryId, &'a VerifiedEntry>,
    acts: Acts,
    /// Everything admitted with every act counted once, as soon as one may have been repeated.
    told: Option<Once<ActId>>,
    refused_changes: BTreeSet<ChangeHash>,
    /// What the record's first change fixes.
    founding: Option<Founding>,
    latest: Option<Latest>,
}

/// What a change that passed makes of the record, where it was written on all that counts.
#[derive(Default)]
struct Outcome {
    /// If no act may be said twice.
    plain: Option<(OpSet, Latest)>,
    /// If one may: the whole record with every act counted once.
    told: Option<Told<ActId>>,
}

/// What the first change of a record fixes.
struct Founding {
    office: Option<xw_schemas::edition::OfficeId>,
}

impl<'a> Court<'a> {
    fn new(roster: &'a Roster, definitions: &'a Definitions, record: RecordId) -> Self {
        Self {
            roster,
            definitions,
            record,
            verdicts: BTreeMap::new(),
            history: History::new(),
            causes: Causes::new(),
            entries: BTreeMap::new(),
            by_entry: BTreeMap::new(),
            acts: Acts::default(),
            told: None,
            refused_changes: BTreeSet::new(),
            founding: None,
            latest: None,
        }
    }

    /// Judges what each entry says by itself; what passes is heard in canonical order.
    fn summon(&mut self, evidence: &[Evidence<'a>]) -> Vec<Candidate<'a>> {
        let mut by_log: BTreeMap<_, Vec<&Evidence<'a>>> = BTreeMap::new();
        for item in evidence {
            by_log.entry(item.entry.core().log).or_default().push(item);
        }
        let mut candidates = Vec::with_capacity(evidence.len());
        for mut items in by_log.into_values() {
            items.sort_by_key(|item| (item.entry.core().sequence, item.entry.id()));
            // Entries that count form one chain, whatever forks the log has.
            let mut before = None;
            for item in items {
                let Some(statement) = item.entry.change() else { continue };
                let id = item.entry.id();
                self.by_entry.insert(id, item.entry);
                match self.examine(item, statement) {
                    Ok(Some(change)) => {
                        let (entry, standing) = (item.entry, item.standing);
                        candidates.push(Candidate { entry, statement, change, before, standing });
                    }
                    Ok(None) => {
                        self.verdicts.insert(id, Verdict::Sealed);
                    }
                    Err(verdict) => self.record_verdict(id, None, verdict),
                }
                if item.standing.counts() {
                    before = Some(id);
                }
            }
        }
        candidates.sort_by_key(|c| (c.change.start_op, c.change.actor, c.entry.core().sequence));
        candidates
    }

    fn examine(
        &self,
        item: &Evidence<'_>,
        statement: &ChangeStatement,
    ) -> Result<Option<Change>, Verdict> {
        let refuse = |refusal| Err(Verdict::Refused(refusal));
        match item.standing {
            Standing::Final | Standing::Witnessed | Standing::Local => {}
            Standing::Pending => return Err(Verdict::Waiting(Missing::Cut)),
            standing @ (Standing::Disputed | Standing::Void) => {
                return refuse(Refusal::NotStanding(standing));
            }
        }
        let Some(body) = item.body else {
            // Who signed it can be asked without the body, and a revoked key's word is void.
            self.roles(item.entry, item.standing).map_err(Verdict::Refused)?;
            return Ok(None);
        };
        let core = item.entry.core();
        let change = match Change::decode(body.change()) {
            Ok(change) => change,
            Err(fault) => return refuse(Refusal::Malformed(fault)),
        };
        let time = i64::try_from(core.claimed_time_ms / 1_000);
        if change.actor != core.log.actor(statement.record) || time != Ok(change.time_s) {
            return refuse(Refusal::OtherAuthor);
        }
        let grown = change.seq > RECORD_CHANGES_MAX as u64 || change.max_op() > RECORD_OPS_MAX;
        if grown { refuse(Refusal::TooLong) } else { Ok(Some(change)) }
    }

    /// Hears candidates until none can move any more. What one verdict needs are the verdicts on
    /// its causal past only, so the rounds change the order of work and never the outcome.
    fn hear(&mut self, mut candidates: Vec<Candidate<'a>>) {
        loop {
            let before = candidates.len();
            let mut deferred = Vec::new();
            for candidate in candidates {
                match self.ready(&candidate) {
                    Readiness::Ready => self.decide(candidate),
                    Readiness::Never(verdict) => {
                        let change = Some(candidate.change.hash);
                        self.record_verdict(candidate.entry.id(), change, verdict);
                    }
                    Readiness::Later => deferred.push(candidate),
                }
            }
            if deferred.len() == before {
                for candidate in deferred {
                    let missing = self.what_is_missing(&candidate);
                    self.verdicts.insert(candidate.entry.id(), Verdict::Waiting(missing));
                }
                return;
            }
            candidates = deferred;
        }
    }

    fn ready(&self, candidate: &Candidate<'_>) -> Readiness {
        if let Some(before) = candidate.before {
            match self.verdicts.get(&before) {
                Some(Verdict::Admitted) => {}
                Some(Verdict::Refused(_)) => {
                    return Readiness::Never(Verdict::Refused(Refusal::AfterRefused(before)));
                }
                Some(Verdict::Waiting(_) | Verdict::Sealed | Verdict::Erased) | None => {
                    return Readiness::Later;
                }
            }
        }
        for dep in &candidate.change.deps {
            // What counts counts, even when its author entered it a second time in vain: a
            // repetition must not take the work of others with it.
            if self.history.contains(dep) {
                continue;
            }
            if self.refused_changes.contains(dep) {
                return Readiness::Never(Verdict::Refused(Refusal::OnRefused(*dep)));
            }
            return Readiness::Later;
        }
        if !self.definitions.contains_key(&candidate.statement.schema)
            && self.roster.adopted(&candidate.statement.schema).is_some()
        {
            return Readiness::Later;
        }
        Readiness::Ready
    }

    fn what_is_missing(&self, candidate: &Candidate<'_>) -> Missing {
        let missing = candidate.change.deps.iter().find(|dep| !self.history.contains(dep));
        match (missing, candidate.before) {
            (Some(dep), _) => Missing::Change(*dep),
            (None, Some(before))
                if !matches!(self.verdicts.get(&before), Some(Verdict::Admitted)) =>
            {
                Missing::Entry(before)
            }
            (None, _) => Missing::Definition(candidate.statement.schema),
        }
    }

    fn decide(&mut self, candidate: Candidate<'_>) {
        let (id, hash) = (candidate.entry.id(), candidate.change.hash);
        self.tell_all(&candidate);
        match self.weigh(&candidate) {
            Ok(outcome) => {
                self.keep_told(&candidate, outcome.told);
                if self.founding.is_none() {
                    let office = self.roster.writing_office(&candidate.entry.node());
                    self.founding = Some(Founding { office: office.map(|office| office.id) });
                }
                self.causes.insert(hash, candidate.change.deps.clone());
                self.entries.insert(hash, id);
                self.acts.hear(candidate.entry);
                match outcome.plain {
                    Some((merged, latest)) => {
                        self.history.push_on_heads(candidate.change, merged);
                        self.latest = Some(latest);
                    }
                    None => {
                        self.history.push(candidate.change);
                        self.latest = None;
                    }
                }
                self.verdicts.insert(id, Verdict::Admitted);
            }
            Err(refusal) => self.record_verdict(id, Some(hash), Verdict::Refused(refusal)),
        }
    }

    fn record_verdict(&mut self, id: EntryId, change: Option<ChangeHash>, verdict: Verdict) {
        if let (Verdict::Refused(_), Some(hash)) = (&verdict, change) {
            self.refused_changes.insert(hash);
        }
        self.verdicts.insert(id, verdict);
    }

    /// Everything that depends on the causal past, which is admitted.
    fn weigh(&self, candidate: &Candidate<'_>) -> Result<Outcome, Refusal> {
        let (core, statement) = (candidate.entry.core(), candidate.statement);
        let creates = candidate.change.deps.is_empty();
        let network = self.roster.network();
        let (node, operation) = (candidate.entry.node(), core.operation);
        if creates && !self.record.is_created_by(network, node, operation, core.claimed_time_ms) {
            return Err(Refusal::NotTheCreator);
        }
        if self.roster.adopted(&statement.schema) != Some(statement.record_type.as_str()) {
            return Err(Refusal::SchemaNotAdopted);
        }
        let definition = self.definitions.get(&statement.schema);
        let definition = definition.ok_or(Refusal::SchemaNotAdopted)?;
        // Asked of what it was written on: a creator's second beginning under another type must not
        // reach back into what others have written since.
        if candidate.change.deps.iter().any(|dep| self.type_of(dep) != Some(&statement.record_type))
        {
            return Err(Refusal::OtherType);
        }
        if self.outgrows(candidate) {
            return Err(Refusal::TooLong);
        }
        let past = self.history.checked_past(&candidate.change).map_err(Refusal::Unsound)?;
        let roles = self.roles(candidate.entry, candidate.standing)?;
        let fresh = Some((candidate.change.hash, candidate.entry));
        let weigh = |before: &Reading, after: &Reading| {
            self.authorise(definition, &roles, candidate, before, after)?;
            match after.first_problem_not_in(before) {
                Some((path, code)) => Err(Refusal::Invalid { path, code }),
                None => Ok(()),
            }
        };
        if self.may_repeat(candidate) {
            let seen = self.history.past_order(&candidate.change.deps);
            let firsts = self.firsts(&seen);
            let whole = self.told.as_ref().filter(|_| matches!(past, Cow::Borrowed(_)));
            let of_past = whole.is_none().then(|| self.told_of(&seen));
            let was = whole.or(of_past.as_ref()).expect("one of the two stands");
            let before = self.read(definition, was.ops(), &firsts, None);
            let now = was.with(&candidate.change, act_of(candidate.entry));
            weigh(&before, &self.read(definition, now.ops(), &firsts, fresh))?;
            return Ok(Outcome { told: whole.is_some().then_some(now), ..Outcome::default() });
        }
        let (none, schema) = (Firsts::new(), statement.schema);
        let on_all = matches!(past, Cow::Borrowed(_));
        let read;
        let before = match &self.latest {
            Some(latest) if on_all && latest.schema == schema => &latest.reading,
            Some(_) | None => {
                read = self.read(definition, &past, &none, None);
                &read
            }
        };
        // Every record that a test judges compares the two ways.
        debug_assert!(*before == self.read(definition, &past, &none, None));
        let mut now = past.into_owned();
        now.apply(&candidate.change);
        let reading = self.read(definition, &now, &none, fresh);
        weigh(before, &reading)?;
        let plain = on_all.then_some((now, Latest { schema, reading }));
        Ok(Outcome { plain, ..Outcome::default() })
    }

    /// Whether the record as of this change is longer than a record may be. Counted over the causal
    /// past alone; what others write at the same time takes no room from it.
    fn outgrows(&self, candidate: &Candidate<'_>) -> bool {
        let own = (1, candidate.statement.length);
        let add = |(changes, bytes), length| (changes + 1, bytes + length);
        let fits =
            |(changes, bytes)| changes <= RECORD_CHANGES_MAX && bytes <= RECORD_BYTES_MAX as u64;
        let length_of = |change: &ChangeHash| {
            let entry = self.entries.get(change).and_then(|id| self.by_entry.get(id));
            entry.and_then(|entry| entry.change()).map_or(0, |statement| statement.length)
        };
        if fits(self.entries.keys().map(length_of).fold(own, add)) {
            return false;
        }
        let (mut todo, mut past) = (candidate.change.deps.clone(), BTreeSet::new());
        while let Some(change) = todo.pop() {
            if past.insert(change) {
                todo.extend(self.causes.get(&change).into_iter().flatten().copied());
            }
        }
        !fits(past.iter().map(length_of).fold(own, add))
    }

    /// The record type that an admitted change names.
    fn type_of(&self, change: &ChangeHash) -> Option<&String> {
        let entry = self.by_entry.get(self.entries.get(change)?)?;
        entry.change().map(|statement| &statement.record_type)
    }

    /// The roles in which the signer may act, or why there are none.
    fn roles(&self, entry: &VerifiedEntry, standing: Standing) -> Result<Vec<String>, Refusal> {
        let person = entry.core().person.ok_or(Refusal::NoPerson)?;
        let acting = self.roster.acting(&person, &entry.node(), standing);
        let roles = acting.ok_or(Refusal::OtherOffice)?;
        if let Some(cut) = self.roster.cut(&person) {
            let kept = cut.get(&entry.core().log);
            if kept.is_none_or(|(sequence, _)| entry.core().sequence > *sequence) {
                return Err(Refusal::PersonCut);
            }
        }
        Ok(roles.to_vec())
    }

    fn tier(&self, entry: &EntryId) -> Tier {
        let office = self.by_entry.get(entry).and_then(|e| self.roster.writing_office(&e.node()));
        office.map_or(Tier::Village, |office| office.division.tier())
    }

    fn close(mut self, evidence: &[Evidence<'_>]) -> Judged {
        let counting = evidence.iter().filter(|item| {
            matches!(self.verdicts.get(&item.entry.id()), Some(Verdict::Admitted | Verdict::Sealed))
        });
        let standing = counting.map(|item| item.standing).max().unwrap_or(Standing::Local);
        let latest = self.latest.take();
        let view = self.view(evidence, latest);
        Judged { verdicts: self.verdicts, view, standing }
    }
}

enum Readiness {
    Ready,
    Later,
    Never(Verdict),
}

/// Whether a state is the pseudo-state of contradicting steps.
fn is_conflict(reading: &Reading) -> bool {
    reading.folded.state == CONFLICT
}
