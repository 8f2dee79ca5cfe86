//! One record with everything, its history, its conflicts: plain data for screens and programs.

use serde_json::{Value as Json, json};
use xw_ledger::change::Change;
use xw_ledger::interval::interval;
use xw_ledger::judge::{Evidence, admitted};
use xw_ledger::opset::Wrote;
use xw_ledger::standing::Standing;
use xw_ledger::verdict::VerdictKind;
use xw_ledger::view::{Conflict, View};
use xw_schemas::id::{EntryId, RecordId};
use xw_schemas::record::{
    Content, Field, Lang, Level, RecordType, Value, display, may_read_field, path_of_place,
    problems, readable,
};
use xw_store::{EntryRow, Held, Query};

use super::Office;
use super::form::{label, state_zh};
use crate::clock;
use crate::trouble::{Answer, Trouble};

/// What stands in the place of a value that this office may not read.
const WITHHELD: &str = "（本级不可见）";

/// Records listed in one answer about conflicts.
const CONFLICTS_LISTED_MAX: u32 = 200;

impl Office {
    /// Answers everything about one record; see the field names.
    pub(crate) fn show(&self, name: &str) -> Answer<Json> {
        let found = self.find_row(name)?;
        let details = self.reader.record(found.record)?;
        let detail = details.first().ok_or_else(|| Trouble::missing("该记录", "such record"))?;
        let (row, view) = (&detail.row, &detail.view);
        let rt = self.current(&row.record_type)?;
        let entries = self.reader.history(found.record)?;
        let (content, withheld) = readable(&rt, &view.content, self.level());
        let withheld: Vec<Json> =
            withheld.iter().map(|path| json!({"path": path, "zh": label(&rt, path)})).collect();
        let mut answer = self.row(row, &[]);
        let next: Vec<Json> = rt
            .transitions
            .iter()
            .filter(|t| t.from == view.state)
            .map(|t| json!({"to": t.to, "zh": t.zh, "en": t.en, "who": t.who}))
            .collect();
        let more = json!({
            "audience": row.space.audience,
            "erased": self.erased_json(view, row.space),
            "fields": fields(&rt, &content, ""),
            "lists": lists(&rt, &content, ""),
            "withheld": withheld,
            "steps": view.steps.iter().map(|step| {
                let (by, office, at) = self.signed(&entries, step.entry);
                json!({
                    "from": step.step.from, "to": step.step.to,
                    "from_zh": state_zh(&rt, &step.step.from), "to_zh": state_zh(&rt, &step.step.to),
                    "who": by, "office": office, "at": at,
                    "role": step.step.role, "role_zh": role_zh(&rt, &step.step.role),
                    "reason": step.step.reason, "on_behalf_of": step.step.on_behalf_of,
                    "entry": step.entry, "overruled": step.overruled,
                })
            }).collect::<Vec<_>>(),
            "conflicts": self.conflicts_of(&rt, view, &entries),
            "problems": self.problems_of(&rt, view),
            "next": next,
            "changes": view.changes, "refused": view.refused, "waiting": view.waiting,
        });
        if let (Json::Object(answer), Json::Object(more)) = (&mut answer, more) {
            answer.extend(more);
            answer.remove("problems_count");
        }
        Ok(answer)
    }

    /// Answers every entry of a record, in the order of their claimed times.
    pub(crate) fn history(&self, name: &str) -> Answer<Json> {
        let found = self.find_row(name)?;
        let entries = self.reader.history(found.record)?;
        let space = xw_schemas::space::Space { division: found.division, audience: found.audience };
        let held = self.store.evidence(space, found.record)?;
        let changes = self.what_changed(found.record, &held);
        let rows: Vec<Json> = entries
            .iter()
            .map(|row| {
                let id = row.entry.id();
                let (by, office, at) = self.signed(&entries, id);
                let when = interval(self.store.roster(), self.store.logs(), &row.entry);
                let claimed_ms = row.entry.core().claimed_time_ms;
                let timely = when.timeliness(claimed_ms, self.settings.late_days);
                let minute = |seconds: Option<u64>| seconds.map(|s| clock::minute(s * 1_000));
                let (verdict, reason) = match &row.verdict {
                    Some(verdict) => (verdict.kind, verdict.reason.clone()),
                    None => (VerdictKind::Waiting, String::new()),
                };
                let reason = reason.split_once('|').map_or(reason.clone(), |(_, zh)| zh.to_owned());
                json!({
                    "entry": id, "log": row.entry.core().log,
                    "sequence": row.entry.core().sequence,
                    "by": by, "office": office, "at": at,
                    "received": clock::minute(row.received_ms),
                    "not_before": minute(when.not_before), "not_after": minute(when.not_after()),
                    "township_at": minute(when.township), "county_at": minute(when.county),
                    "timeliness": timely, "timeliness_zh": timely.zh(), "timeliness_en": timely.en(),
                    "verdict": verdict, "reason": reason,
                    "standing": row.standing,
                    "standing_zh": self.standing_zh(row.standing, found.division),
                    "changes": changes.iter().find(|(entry, _)| *entry == id)
                        .map_or(Json::Null, |(_, changed)| changed.clone()),
                })
            })
            .collect();
        Ok(json!({"record": found.record, "entries": rows}))
    }

    /// Answers the records with contradictions, or those of one.
    pub(crate) fn conflicts(&self, name: Option<&str>) -> Answer<Json> {
        let ids: Vec<RecordId> = match name {
            Some(name) => vec![self.find_row(name)?.record],
            None => {
                let query = Query {
                    has_conflict: Some(true),
                    limit: CONFLICTS_LISTED_MAX,
                    ..Query::default()
                };
                self.reader.list(&query)?.rows.iter().map(|row| row.record).collect()
            }
        };
        let mut records = Vec::new();
        for id in ids {
            let entries = self.reader.history(id)?;
            for detail in self.reader.record(id)? {
                let rt = self.current(&detail.row.record_type)?;
                records.push(json!({
                    "record": id,
                    "business_no": detail.row.number,
                    "title": detail.row.title,
                    "type_zh": rt.zh,
                    "conflicts": self.conflicts_of(&rt, &detail.view, &entries),
                }));
            }
        }
        Ok(json!({"records": records}))
    }

    /// The level by which fields name their readers.
    fn level(&self) -> Level {
        self.division().tier().into()
    }

    fn conflicts_of(&self, rt: &RecordType, view: &View, entries: &[EntryRow]) -> Vec<Json> {
        let read =
            |conflict: &Conflict| may_read_field(rt, &path_of_place(&conflict.path), self.level());
        let one = |conflict: &Conflict| {
            let hidden = !read(conflict);
            let last = conflict.values.len();
            let values: Vec<Json> = (1..)
                .zip(&conflict.values)
                .map(|(n, value)| {
                    let (by, office, at) = self.signed(entries, value.entry);
                    json!({
                        "n": n,
                        "value": if hidden { WITHHELD.to_owned() } else {
                            shown(rt, &conflict.path, &value.value)
                        },
                        "by": by, "office": office, "at": at, "entry": value.entry,
                        "shown": n == last && conflict.path != "state",
                    })
                })
                .collect();
            let zh = if conflict.path == "state" {
                "状态".to_owned()
            } else {
                label(rt, &conflict.path)
            };
            json!({"path": conflict.path, "zh": zh, "values": values})
        };
        view.conflicts.iter().map(one).collect()
    }

    fn problems_of(&self, rt: &RecordType, view: &View) -> Vec<Json> {
        let mut left: Vec<String> = view.steps.iter().map(|step| step.step.from.clone()).collect();
        left.retain(|state| rt.state(state).is_some());
        let said = problems(rt, &view.content, &view.state, &left);
        view.problems
            .iter()
            .map(|problem| {
                let text = said.iter().find(|p| p.path == problem.path && p.code == problem.code);
                json!({
                    "path": problem.path, "zh": label(rt, &problem.path), "code": problem.code,
                    "text_zh": text.map(|p| p.zh().to_owned()),
                    "text_en": text.map(|p| p.en().to_owned()),
                })
            })
            .collect()
    }

    /// Who signed an entry, for which office, and when by their own clock.
    fn signed(&self, entries: &[EntryRow], id: EntryId) -> (String, String, String) {
        let Some(row) = entries.iter().find(|row| row.entry.id() == id) else {
            return Default::default();
        };
        let roster = self.store.roster();
        let core = row.entry.core();
        let person = core.person.and_then(|key| roster.signer(&key)).map(|s| s.name.clone());
        let office = roster.office_of(&row.entry.node()).map(|office| office.name.clone());
        let at = clock::minute(core.claimed_time_ms);
        (person.unwrap_or_else(|| "（无人值守）".to_owned()), office.unwrap_or_default(), at)
    }

    /// What each admitted change of a record did, by entry.
    fn what_changed(&self, record: RecordId, held: &[Held]) -> Vec<(EntryId, Json)> {
        let evidence: Vec<Evidence<'_>> = held.iter().map(Held::evidence).collect();
        let (roster, definitions) = (self.store.roster(), self.store.definitions());
        let (history, _) = admitted(roster, definitions, record, &evidence);
        let mut done = Vec::new();
        for item in held {
            let Some(body) = &item.body else { continue };
            let Ok(change) = Change::decode(body.change()) else { continue };
            if !history.contains(&change.hash) || item.standing > Standing::Local {
                continue;
            }
            let Some(statement) = item.entry.change() else { continue };
            let Some(rt) = definitions.get(&statement.schema) else { continue };
            let touched = history.as_of(&change.hash).touched(&change);
            let changed: Vec<Json> = touched
                .into_iter()
                .filter_map(|mark| match mark.wrote {
                    Wrote::Value(value) => Some((mark.path, value)),
                    Wrote::List | Wrote::Item | Wrote::Cleared => None,
                })
                .filter(|(path, _)| !path.ends_with(".id"))
                .filter(|(path, _)| may_read_field(rt, &path_of_place(path), self.level()))
                .map(|(path, value)| {
                    let zh =
                        if path.starts_with('_') { step_label(&path) } else { label(rt, &path) };
                    json!({"path": path, "zh": zh, "value": shown(rt, &path, &value)})
                })
                .collect();
            done.push((item.entry.id(), Json::Array(changed)));
        }
        done
    }
}

/// The members of a step, which no record type defines.
fn step_label(path: &str) -> String {
    let member = path.rsplit('.').next().unwrap_or(path);
    match member {
        "from" => "原状态",
        "to" => "新状态",
        "role" => "办理角色",
        "reason" => "原因",
        "on_behalf_of" => "代为录入",
        other => other,
    }
    .to_owned()
}

pub(super) fn role_zh(rt: &RecordType, role: &str) -> String {
    let list = rt.lists.get("CL_ROLE");
    list.and_then(|list| list.code(role)).map_or_else(|| role.to_owned(), |code| code.zh.clone())
}

fn fields(rt: &RecordType, content: &Content, prefix: &str) -> Vec<Json> {
    content
        .values
        .iter()
        .filter(|(path, value)| !path.starts_with('_') && !value.is_blank())
        .map(|(path, value)| {
            let full = format!("{prefix}{path}");
            let field = rt.field(&full);
            json!({
                "path": path,
                "zh": field.map_or(path.clone(), |field| field.zh.clone()),
                "en": field.map_or(path.clone(), |field| field.en.clone()),
                "value": field.map_or_else(|| plain(value), |f| display(rt, f, value, Lang::Zh)),
            })
        })
        .collect()
}

fn lists(rt: &RecordType, content: &Content, prefix: &str) -> Vec<Json> {
    content
        .lists
        .iter()
        .filter(|(path, _)| !path.starts_with('_'))
        .map(|(path, items)| {
            let full = format!("{prefix}{path}");
            let inner = format!("{full}.");
            let items: Vec<Json> = items
                .iter()
                .map(|item| {
                    json!({
                        "id": item.id,
                        "fields": fields(rt, &item.content, &inner),
                        "lists": lists(rt, &item.content, &inner),
                    })
                })
                .collect();
            let zh = rt.field(&full).map_or(path.clone(), |field: &Field| field.zh.clone());
            json!({"path": path, "zh": zh, "items": items})
        })
        .collect()
}

/// A value in a clerk's words, for a path with or without item ids.
fn shown(rt: &RecordType, path: &str, value: &Value) -> String {
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
    let member = bare.rsplit('.').next().unwrap_or_default();
    match (rt.field(&bare), value) {
        (Some(field), value) => display(rt, field, value, Lang::Zh),
        (None, Value::Text(text)) if bare == "state" || member == "from" || member == "to" => {
            state_zh(rt, text)
        }
        (None, Value::Text(text)) if member == "role" => role_zh(rt, text),
        (None, value) => plain(value),
    }
}

fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => if *yes { "是" } else { "否" }.to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.clone(),
    }
}
