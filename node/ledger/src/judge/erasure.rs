//! Erasure: when two persons have asked for it and the county has witnessed that, and what is left of
//! the record then. Reads entries alone and never a body, so that whoever holds contents and whoever holds none come to the same.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::entry::{Erasure, Statement};
use xw_schemas::id::{EntryId, PublicKey, RecordId};
use xw_schemas::record::Content;
use xw_schemas::space::Tier;

use super::once::act_of;
use super::{Evidence, Judged};
use crate::roster::Roster;
use crate::standing::Standing;
use crate::verdict::{Missing, Refusal, Verdict};
use crate::view::{ERASED, Tombstone, View};

/// One person's request that counts.
#[derive(Debug, Clone, Copy)]
struct Asked<'a> {
    id: EntryId,
    person: PublicKey,
    tier: Tier,
    standing: Standing,
    erasure: &'a Erasure,
}

impl Asked<'_> {
    /// Whether nothing but root's word can void the request: what it removes does not come back. No
    /// office witnesses the county's own logs; its word stands as its witness would.
    fn is_final(&self) -> bool {
        self.standing == Standing::Final || self.tier == Tier::County
    }
}

/// What a record's erasure amounts to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Erased {
    /// The tombstone.
    pub tombstone: Tombstone,
    /// The type that the requests name.
    pub record_type: String,
}

/// Whether two different persons ask for the erasure of a record, at least one of them of an office
/// above the villages: a village alone removes nothing that others rely on. It holds once both
/// requests are final.
#[must_use]
pub fn erasure_agreed(roster: &Roster, evidence: &[Evidence<'_>]) -> bool {
    agreeing(&asked(roster, evidence)).next().is_some()
}

/// The erasure of a record that two persons agree on, once the county has witnessed what both say.
#[must_use]
pub fn erasure_in_force(roster: &Roster, evidence: &[Evidence<'_>]) -> Option<Erased> {
    let mut asked = asked(roster, evidence);
    asked.retain(Asked::is_final);
    let (one, other) = agreeing(&asked).min_by_key(|(one, other)| (other.id, one.id))?;
    let because = [one.id, other.id];
    let mut done: Vec<PublicKey> = evidence
        .iter()
        .filter(|item| item.standing.counts())
        .filter_map(|item| match &item.entry.core().statement {
            Statement::Erased(_) => Some(item.entry.node()),
            _ => None,
        })
        .collect();
    done.sort();
    done.dedup();
    let tombstone = Tombstone {
        ground: one.erasure.ground.number(),
        because,
        people: [one.person, other.person],
        done,
    };
    Some(Erased { tombstone, record_type: one.erasure.record_type.clone() })
}

/// The requests that count, by id: the same order on every node that holds the same.
fn asked<'a>(roster: &Roster, evidence: &[Evidence<'a>]) -> Vec<Asked<'a>> {
    let mut asked: Vec<Asked<'a>> =
        evidence.iter().filter_map(|item| asks(roster, item).ok().flatten()).collect();
    asked.sort_by_key(|asked| asked.id);
    asked
}

/// Pairs of requests that agree, in order of their ids.
fn agreeing<'a, 'e>(
    asked: &'a [Asked<'e>],
) -> impl Iterator<Item = (&'a Asked<'e>, &'a Asked<'e>)> {
    let pairs = asked
        .iter()
        .enumerate()
        .flat_map(|(at, one)| asked[at + 1..].iter().map(move |other| (one, other)));
    pairs.filter(|(one, other)| {
        one.person != other.person
            && one.erasure.record_type == other.erasure.record_type
            && one.tier.min(other.tier) < Tier::Village
    })
}

/// What an entry asks for, if it asks for an erasure and may.
fn asks<'a>(roster: &Roster, item: &Evidence<'a>) -> Result<Option<Asked<'a>>, Refusal> {
    let core = item.entry.core();
    let Statement::Erase(erasure) = &core.statement else { return Ok(None) };
    if !item.standing.counts() {
        return Err(Refusal::NotStanding(item.standing));
    }
    let person = core.person.ok_or(Refusal::NoPerson)?;
    let node = item.entry.node();
    let office = roster.writing_office(&node).ok_or(Refusal::OtherOffice)?;
    roster.acting(&person, &node, item.standing).ok_or(Refusal::OtherOffice)?;
    if let Some(cut) = roster.cut(&person) {
        let kept = cut.get(&core.log);
        if kept.is_none_or(|(sequence, _)| core.sequence > *sequence) {
            return Err(Refusal::PersonCut);
        }
    }
    let (id, tier, standing) = (item.entry.id(), office.division.tier(), item.standing);
    Ok(Some(Asked { id, person, tier, standing, erasure }))
}

/// What is said of requests and receipts. Changes are judged apart.
pub(super) fn verdicts(
    roster: &Roster,
    evidence: &[Evidence<'_>],
    erased: Option<&Erased>,
) -> BTreeMap<EntryId, Verdict> {
    let mut verdicts = BTreeMap::new();
    let agreed = erasure_agreed(roster, evidence);
    for item in evidence {
        let verdict = match &item.entry.core().statement {
            Statement::Erase(_) => match asks(roster, item) {
                Err(Refusal::NotStanding(Standing::Pending)) => Verdict::Waiting(Missing::Cut),
                Err(refusal) => Verdict::Refused(refusal),
                Ok(_) if erased.is_some() => Verdict::Admitted,
                Ok(_) if agreed => Verdict::Waiting(Missing::Witness),
                Ok(_) => Verdict::Waiting(Missing::SecondPerson),
            },
            Statement::Erased(_) if item.standing.counts() => Verdict::Admitted,
            Statement::Erased(_) => Verdict::Refused(Refusal::NotStanding(item.standing)),
            Statement::Open(_) | Statement::Change(_) | Statement::Witness(_) => continue,
        };
        verdicts.insert(item.entry.id(), verdict);
    }
    verdicts
}

/// What is left of an erased record: who and when, and by whose decision; nothing of the contents,
/// whether a body is still held here or not.
pub(super) fn judge_erased(
    roster: &Roster,
    record: RecordId,
    evidence: &[Evidence<'_>],
    erased: Erased,
) -> Judged {
    let mut verdicts = verdicts(roster, evidence, Some(&erased));
    let changes = evidence.iter().filter(|item| item.entry.change().is_some());
    for item in changes.clone() {
        let verdict = match item.standing {
            Standing::Pending => Verdict::Waiting(Missing::Cut),
            standing if standing.counts() => Verdict::Erased,
            standing => Verdict::Refused(Refusal::NotStanding(standing)),
        };
        verdicts.insert(item.entry.id(), verdict);
    }
    let standing: Vec<&Evidence<'_>> = changes.filter(|item| item.standing.counts()).collect();
    let times = || standing.iter().map(|item| item.entry.core().claimed_time_ms);
    let acts: BTreeSet<_> = standing.iter().map(|item| act_of(item.entry)).collect();
    let newest =
        standing.iter().max_by_key(|item| (item.entry.core().claimed_time_ms, item.entry.id()));
    let schema = newest.and_then(|item| item.entry.change()).map(|change| change.schema.0);
    let view = View {
        record,
        record_type: erased.record_type,
        schema: schema.map_or_else(String::new, |schema| xw_schemas::id::hex(&schema)),
        sealed: false,
        state: ERASED.to_owned(),
        content: Content::default(),
        conflicts: Vec::new(),
        problems: Vec::new(),
        steps: Vec::new(),
        created_ms: times().min().unwrap_or(0),
        updated_ms: times().max().unwrap_or(0),
        changes: u32::try_from(acts.len()).unwrap_or(u32::MAX),
        refused: 0,
        waiting: 0,
        erased: Some(erased.tombstone),
    };
    let counting = evidence.iter().filter(|item| item.standing.counts());
    let standing = counting.map(|item| item.standing).max().unwrap_or(Standing::Local);
    Judged { verdicts, view: Some(view), standing }
}
