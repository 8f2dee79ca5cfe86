//! A record as a person without our programs can read it: JSON with Chinese labels, who signed what,
//! and what became of each entry. Worked out from entries alone, the same by whoever does it.

use serde_json::{Value as Json, json};
use xw_ledger::interval::{Interval, LATE_DAYS};
use xw_ledger::judge::{Definitions, Evidence, Judged};
use xw_ledger::roster::Roster;
use xw_ledger::view::{Conflict, View};
use xw_schemas::entry::{Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, hex};
use xw_schemas::record::{Content, Lang, RecordType, Value, display};

use crate::holdings::Place;
use crate::words;

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
    pub fn readable(&self) -> Json {
        let (space, record) = self.place;
        let view = self.judged.view.as_ref();
        let rt = view.and_then(|view| self.definition(view));
        let code = view.map_or("", |view| view.record_type.as_str());
        let state = view.map_or("", |view| view.state.as_str());
        let content = view.map(|view| &view.content);
        json!({
            "record": record,
            "division": space.division,
            "division_zh": self.roster.place(space.division),
            "audience": space.audience,
            "type": code,
            "type_zh": rt.map(|rt| rt.zh.clone()),
            "schema": view.map(|view| view.schema.clone()),
            "state": state,
            "state_zh": words::state(rt, state),
            "sealed": view.is_none_or(|view| view.sealed),
            "standing": self.judged.standing,
            "standing_zh": words::standing(self.judged.standing),
            "created_ms": view.map(|view| view.created_ms),
            "updated_ms": view.map(|view| view.updated_ms),
            "changes": view.map(|view| view.changes),
            "refused": view.map(|view| view.refused),
            "waiting": view.map(|view| view.waiting),
            "fields": content.map(|content| fields(rt, content, "")),
            "lists": content.map(|content| lists(rt, content, "")),
            "steps": view.map(|view| self.steps(rt, view)),
            "conflicts": view.map(|view| conflicts(rt, &view.conflicts)),
            "problems": view.map(|view| &view.problems),
            "view": view,
            "view_digest": view.map(|view| hex(&view.digest(self.judged.standing))),
            "entries": self.entries(),
        })
    }

    fn definition(&self, view: &View) -> Option<&RecordType> {
        let found = self.definitions.iter().find(|(hash, _)| hash.to_hex() == view.schema);
        found.map(|(_, rt)| &**rt)
    }

    fn steps(&self, rt: Option<&RecordType>, view: &View) -> Vec<Json> {
        let step = |held: &xw_ledger::view::ViewStep| {
            let entry = self.entry(&held.entry);
            json!({
                "from_zh": words::state(rt, &held.step.from),
                "to_zh": words::state(rt, &held.step.to),
                "role_zh": words::role(rt, &held.step.role),
                "reason": held.step.reason,
                "on_behalf_of": held.step.on_behalf_of,
                "overruled": held.overruled,
                "entry": held.entry,
                "by": entry.and_then(|entry| self.person(entry)),
                "office": entry.and_then(|entry| self.office(entry)),
                "claimed_time": entry.map(|entry| words::minute(entry.core().claimed_time_ms)),
            })
        };
        view.steps.iter().map(step).collect()
    }

    fn entries(&self) -> Vec<Json> {
        let mut all: Vec<Json> = Vec::with_capacity(self.evidence.len());
        let mut order: Vec<(&Evidence<'_>, &Interval)> =
            self.evidence.iter().zip(self.intervals).collect();
        order.sort_by_key(|(item, _)| (item.entry.core().claimed_time_ms, item.entry.id()));
        for (item, interval) in order {
            let (core, id) = (item.entry.core(), item.entry.id());
            let verdict = self.judged.verdicts.get(&id).map(xw_ledger::verdict::Verdict::stored);
            let timeliness = interval.timeliness(core.claimed_time_ms, LATE_DAYS);
            all.push(json!({
                "entry": id,
                "log": core.log,
                "number": core.sequence,
                "kind": kind(&core.statement),
                "person": core.person,
                "person_zh": self.person(item.entry),
                "node": item.entry.node(),
                "office_zh": self.office(item.entry),
                "claimed_time_ms": core.claimed_time_ms,
                "claimed_time": words::minute(core.claimed_time_ms),
                "not_before_s": interval.not_before,
                "township_s": interval.township,
                "county_s": interval.county,
                "timeliness_zh": timeliness.zh(),
                "standing": item.standing,
                "standing_zh": words::standing(item.standing),
                "verdict": verdict.as_ref().map(|verdict| verdict.kind),
                "reason": verdict.as_ref().map(|verdict| verdict.reason.clone()),
                "body": item.body.is_some(),
                "republishes": core.republishes,
            }));
        }
        all
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

fn kind(statement: &Statement) -> &'static str {
    match statement {
        Statement::Open(_) => "open",
        Statement::Change(_) => "change",
        Statement::Witness(_) => "witness",
        Statement::Erase(_) => "erase",
        Statement::Erased(_) => "erased",
    }
}

fn fields(rt: Option<&RecordType>, content: &Content, prefix: &str) -> Vec<Json> {
    let shown = content.values.iter().filter(|(_, value)| !value.is_blank());
    shown
        .map(|(path, value)| {
            let full = format!("{prefix}{path}");
            json!({"path": path, "zh": label(rt, &full, path), "shown": show(rt, &full, value)})
        })
        .collect()
}

fn lists(rt: Option<&RecordType>, content: &Content, prefix: &str) -> Vec<Json> {
    let list = |(path, items): (&String, &Vec<xw_schemas::record::Item>)| {
        let full = format!("{prefix}{path}");
        let inner = format!("{full}.");
        let item = |item: &xw_schemas::record::Item| {
            json!({
                "id": item.id,
                "fields": fields(rt, &item.content, &inner),
                "lists": lists(rt, &item.content, &inner),
            })
        };
        let items: Vec<Json> = items.iter().map(item).collect();
        json!({"path": path, "zh": label(rt, &full, path), "items": items})
    };
    content.lists.iter().map(list).collect()
}

fn conflicts(rt: Option<&RecordType>, conflicts: &[Conflict]) -> Vec<Json> {
    let one = |conflict: &Conflict| {
        let bare = bare(&conflict.path);
        let values: Vec<Json> = conflict
            .values
            .iter()
            .map(|value| {
                let shown = match &value.value {
                    Value::Text(code) if conflict.path == "state" => words::state(rt, code),
                    value => show(rt, &bare, value),
                };
                json!({"shown": shown, "entry": value.entry})
            })
            .collect();
        let zh = if conflict.path == "state" { "状态".into() } else { label(rt, &bare, &bare) };
        json!({"path": conflict.path, "zh": zh, "values": values})
    };
    conflicts.iter().map(one).collect()
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

/// A path without the ids of items: `visits[…].note` is `visits.note`.
fn bare(path: &str) -> String {
    let mut bare = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            c if !inside => bare.push(c),
            _ => {}
        }
    }
    bare
}
