//! A record as a person without our programs can read it: JSON with Chinese labels, who signed what,
//! and what became of each entry. Worked out from entries alone, the same by whoever does it.

use xw_ledger::interval::{Interval, LATE_DAYS};
use xw_ledger::judge::{Definitions, Evidence, Judged};
use xw_ledger::roster::Roster;
use xw_ledger::verdict::Verdict;
use xw_ledger::view::{Tombstone, View, ViewStep};
use xw_schemas::entry::{ErasureGround, Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, PublicKey, hex};
use xw_schemas::record::{
    Content, Item, Lang, RecordType, SchemaHash, Value, display, path_of_place,
};

use crate::holdings::Place;
use crate::words;

mod shape;

pub use shape::{
    ConflictTold, ConflictValueTold, EntryTold, ErasedTold, FieldTold, ItemTold, ListTold,
    ProblemTold, Readable, StepTold, group,
};

/// Everything that one record is worked out from.
#[derive(Debug)]
pub struct Case<'a> {
    /// Who belongs.
    pub roster: &'a Roster,
    /// The definitions held.
    pub definitions: &'a Definitions,
    /// The record.
    pub place: Place,
    /// Its entries.
    pub evidence: &'a [Evidence<'a>],
    /// When each was made, in the order of the evidence.
    pub intervals: &'a [Interval],
    /// What the rules make of it.
    pub judged: &'a Judged,
}

impl Case<'_> {
    /// The record for readers.
    #[must_use]
    pub fn readable(&self) -> Readable {
        let (space, record) = self.place;
        let view = self.judged.view.as_ref();
        let rt = view.and_then(|view| self.definition(view));
        let state = view.map(|view| view.state.clone()).unwrap_or_default();
        let standing = self.judged.standing;
        Readable {
            audience: space.audience,
            changes: view.map_or(0, |view| view.changes),
            conflicts: view.map(|view| conflicts(rt, view)).unwrap_or_default(),
            created_ms: view.map(|view| view.created_ms),
            division: space.division,
            division_zh: self.roster.place(space.division).map(str::to_owned),
            entries: self.entries(),
            erased: view.and_then(|view| view.erased.as_ref()).map(|erased| self.erased(erased)),
            fields: view.map(|view| fields(rt, &view.content, "")).unwrap_or_default(),
            lists: view.map(|view| lists(rt, &view.content, "")).unwrap_or_default(),
            problems: view.map(problems).unwrap_or_default(),
            record,
            refused: view.map_or(0, |view| view.refused),
            schema: view.map(|view| view.schema.clone()),
            sealed: view.is_none_or(|view| view.sealed),
            standing,
            standing_zh: words::standing(standing),
            state_zh: words::state(rt, &state),
            state,
            steps: view.map(|view| self.steps(rt, view)).unwrap_or_default(),
            code: view.map(|view| view.record_type.clone()).unwrap_or_default(),
            type_zh: rt.map(|rt| rt.zh.clone()).unwrap_or_default(),
            updated_ms: view.map(|view| view.updated_ms),
            view_digest: view.map(|view| hex(&view.digest(standing))),
            waiting: view.map_or(0, |view| view.waiting),
        }
    }

    fn definition(&self, view: &View) -> Option<&RecordType> {
        let found = self.definitions.get(&SchemaHash::from_hex(&view.schema)?);
        found.map(|rt| &**rt)
    }

    fn steps(&self, rt: Option<&RecordType>, view: &View) -> Vec<StepTold> {
        let step = |held: &ViewStep| {
            let entry = self.entry(&held.entry);
            let step = &held.step;
            StepTold {
                by: entry.and_then(|entry| self.person(entry)),
                claimed_time: entry.map(|entry| words::minute(entry.core().claimed_time_ms)),
                entry: held.entry,
                from: step.from.clone(),
                from_zh: words::state(rt, &step.from),
                office: entry.and_then(|entry| self.office(entry)),
                on_behalf_of: step.on_behalf_of.clone(),
                overruled: held.overruled,
                reason: step.reason.clone(),
                role: step.role.clone(),
                role_zh: words::role(rt, &step.role),
                to: step.to.clone(),
                to_zh: words::state(rt, &step.to),
            }
        };
        view.steps.iter().map(step).collect()
    }

    fn entries(&self) -> Vec<EntryTold> {
        let mut order: Vec<(&Evidence<'_>, &Interval)> =
            self.evidence.iter().zip(self.intervals).collect();
        order.sort_by_key(|(item, _)| (item.entry.core().claimed_time_ms, item.entry.id()));
        let tell = |(item, interval): (&Evidence<'_>, &Interval)| {
            let (core, id) = (item.entry.core(), item.entry.id());
            let verdict = self.judged.verdicts.get(&id).map(Verdict::stored);
            let (kind, reason) =
                verdict.map_or((None, String::new()), |told| (Some(told.kind), told.reason));
            EntryTold {
                body: item.body.is_some(),
                claimed_time: words::minute(core.claimed_time_ms),
                claimed_time_ms: core.claimed_time_ms,
                county_s: interval.county,
                entry: id,
                kind: statement(&core.statement),
                log: core.log,
                node: item.entry.node(),
                not_before_s: interval.not_before,
                number: core.sequence,
                office_zh: self.office(item.entry),
                person: core.person,
                person_zh: self.person(item.entry),
                reason,
                republishes: core.republishes,
                standing: item.standing,
                standing_zh: words::standing(item.standing),
                timeliness_zh: interval.timeliness(core.claimed_time_ms, LATE_DAYS).zh(),
                township_s: interval.township,
                verdict: kind,
            }
        };
        order.into_iter().map(tell).collect()
    }

    fn erased(&self, erased: &Tombstone) -> ErasedTold {
        let ground = ErasureGround::from_number(erased.ground);
        let name = |key: &PublicKey| self.roster.signer(key).map(|signer| signer.name.clone());
        ErasedTold {
            because: erased.because,
            done: erased.done.clone(),
            ground: erased.ground,
            ground_zh: ground.map(|ground| ground.zh().to_owned()).unwrap_or_default(),
            people: erased.people,
            people_zh: erased.people.iter().map(name).collect(),
        }
    }

    fn entry(&self, id: &EntryId) -> Option<&VerifiedEntry> {
        self.evidence.iter().map(|item| item.entry).find(|entry| entry.id() == *id)
    }

    fn person(&self, entry: &VerifiedEntry) -> Option<String> {
        let signer = entry.core().person.and_then(|key| self.roster.signer(&key));
        signer.map(|signer| signer.name.clone())
    }

    fn office(&self, entry: &VerifiedEntry) -> Option<String> {
        self.roster.office_of(&entry.node()).map(|office| office.name.clone())
    }
}

fn statement(statement: &Statement) -> &'static str {
    match statement {
        Statement::Open(_) => "open",
        Statement::Change(_) => "change",
        Statement::Witness(_) => "witness",
        Statement::Erase(_) => "erase",
        Statement::Erased(_) => "erased",
    }
}

fn fields(rt: Option<&RecordType>, content: &Content, prefix: &str) -> Vec<FieldTold> {
    let shown = content.values.iter().filter(|(_, value)| !value.is_blank());
    shown
        .map(|(path, value)| {
            let full = format!("{prefix}{path}");
            let (shown, zh) = (show(rt, &full, value), label(rt, &full, path));
            FieldTold { path: path.clone(), shown, value: value.clone(), zh }
        })
        .collect()
}

fn lists(rt: Option<&RecordType>, content: &Content, prefix: &str) -> Vec<ListTold> {
    let list = |(path, items): (&String, &Vec<Item>)| {
        let full = format!("{prefix}{path}");
        let inner = format!("{full}.");
        let item = |item: &Item| ItemTold {
            fields: fields(rt, &item.content, &inner),
            id: item.id.clone(),
            lists: lists(rt, &item.content, &inner),
        };
        let items = items.iter().map(item).collect();
        ListTold { items, path: path.clone(), zh: label(rt, &full, path) }
    };
    content.lists.iter().map(list).collect()
}

fn conflicts(rt: Option<&RecordType>, view: &View) -> Vec<ConflictTold> {
    let mut told = Vec::with_capacity(view.conflicts.len());
    for conflict in &view.conflicts {
        let (bare, is_state) = (path_of_place(&conflict.path), conflict.path == "state");
        let value = |value: &xw_ledger::view::ConflictValue| ConflictValueTold {
            entry: value.entry,
            shown: match &value.value {
                Value::Text(code) if is_state => words::state(rt, code),
                value => show(rt, &bare, value),
            },
            value: value.value.clone(),
        };
        let values = conflict.values.iter().map(value).collect();
        let zh = if is_state { "状态".into() } else { label(rt, &bare, &bare) };
        told.push(ConflictTold { path: conflict.path.clone(), values, zh });
    }
    told
}

fn problems(view: &View) -> Vec<ProblemTold> {
    let told = view.problems.iter();
    told.map(|problem| ProblemTold { code: problem.code, path: problem.path.clone() }).collect()
}

fn label(rt: Option<&RecordType>, full: &str, path: &str) -> String {
    let field = rt.and_then(|rt| rt.field(full));
    field.map_or_else(|| path.to_owned(), |field| field.zh.clone())
}

fn show(rt: Option<&RecordType>, full: &str, value: &Value) -> String {
    match rt.and_then(|rt| rt.field(full).map(|field| (rt, field))) {
        Some((rt, field)) => display(rt, field, value, Lang::Zh),
        None => words::plain(value),
    }
}
