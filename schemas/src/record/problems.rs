//! Whether a record's contents are valid in its state. Nodes judge each other's changes by it.
//! Total and deterministic: any contents get an answer, the same one everywhere.

mod report;

use std::cell::Cell;

use super::compute::mismatches;
use super::condition::{Facts, sentence_in};
use super::content::{Content, Item, is_bookkeeping};
use super::index::{Entry, Scope, Shape};
use super::model::{Field, RecordType, Required};
use crate::value::{Lang, Value, ValueSlip, check};

use report::Found;
pub use report::{Problem, ProblemCode};

/// Items one list may hold: a village assembly's sign-in sheet has about 150 names.
pub const ITEMS_MAX: usize = 200;
/// Problems reported at once; a form has fewer fields, and nobody reads more.
pub const PROBLEMS_MAX: usize = 200;
/// Characters of an item's id.
const ITEM_ID_CHARS_MAX: usize = 64;

/// What is wrong with contents in a state, given the states the record has left before.
pub fn problems(
    rt: &RecordType,
    content: &Content,
    state: &str,
    left_states: &[String],
) -> Vec<Problem> {
    let root = &rt.index().root;
    let record = Record { rt, root, content, state, left: left_states, pi: Cell::new(None) };
    let mut found = Found(Vec::new());
    if rt.state(state).is_none() {
        found.push(
            String::new(),
            ProblemCode::State,
            format!("本类记录没有“{state}”这一状态"),
            format!("this record type has no state “{state}”"),
        );
    }
    check_scope(&record, root, &rt.fields, content, "", &mut found);
    for differing in mismatches(rt, content) {
        let field = &differing.field;
        found.push(
            field.name.clone(),
            ProblemCode::Computed,
            format!("“{}”填写为{}，按公式应为{}", field.zh, differing.held_zh, differing.due_zh),
            format!("“{}” says {}, computed {}", field.en, differing.held_en, differing.due_en),
        );
    }
    found.0
}

struct Record<'a> {
    rt: &'a RecordType,
    root: &'a Scope,
    content: &'a Content,
    state: &'a str,
    left: &'a [String],
    /// Highest class of personal information held; found when first asked for.
    pi: Cell<Option<u8>>,
}

fn check_scope(
    record: &Record<'_>,
    scope: &Scope,
    fields: &[Field],
    content: &Content,
    at: &str,
    found: &mut Found,
) {
    let mut filled = vec![false; scope.entries.len()];
    for (path, value) in &content.values {
        if is_bookkeeping(path) {
            continue;
        }
        if found.is_full() {
            return;
        }
        match scope.find(path) {
            Some((number, entry)) => match check(record.rt, &entry.field, value) {
                Ok(()) if value.is_blank() => {}
                Ok(()) => mark(scope, &mut filled, number),
                Err(slip) => {
                    mark(scope, &mut filled, number);
                    found.slip(format!("{at}{path}"), &entry.field, &slip);
                }
            },
            None => found.unknown(format!("{at}{path}")),
        }
    }
    for (path, items) in &content.lists {
        if is_bookkeeping(path) {
            continue;
        }
        if found.is_full() {
            return;
        }
        match scope.find(path) {
            Some((number, Entry { shape: Shape::List(inner), field, .. })) => {
                if !items.is_empty() {
                    mark(scope, &mut filled, number);
                }
                check_list(record, inner, field, items, format!("{at}{path}"), found);
            }
            Some((_, entry)) => {
                found.slip(format!("{at}{path}"), &entry.field, &ValueSlip::WrongShape);
            }
            None => found.unknown(format!("{at}{path}")),
        }
    }
    check_required(record, scope, fields, content, &filled, at, found);
}

/// Marks a path and the groups that hold it as filled.
fn mark(scope: &Scope, filled: &mut [bool], number: usize) {
    let mut next = Some(number);
    while let Some(number) = next {
        filled[number] = true;
        next = scope.entries[number].group;
    }
}

fn check_list(
    record: &Record<'_>,
    scope: &Scope,
    field: &Field,
    items: &[Item],
    path: String,
    found: &mut Found,
) {
    let most = if field.items_max == 0 { ITEMS_MAX } else { field.items_max as usize };
    if items.len() > most {
        found.slip(path, field, &ValueSlip::TooManyItems { max: most });
        return;
    }
    let fewest = field.items_min as usize;
    if !items.is_empty() && items.len() < fewest {
        found.slip(path.clone(), field, &ValueSlip::TooFewChoices { min: fewest });
    }
    let fields = match &field.kind {
        super::model::Kind::List { of } => record.rt.structs.get(of).map_or(&[][..], |s| &s.fields),
        _ => &[],
    };
    let mut ids = std::collections::BTreeSet::new();
    for item in items {
        let sound = !item.id.is_empty() && item.id.chars().count() <= ITEM_ID_CHARS_MAX;
        if !sound || !ids.insert(item.id.as_str()) {
            found.push(
                path.clone(),
                ProblemCode::ItemId,
                format!("“{}”中有条目的编号为空、过长或重复", field.zh),
                format!("“{}” has an item whose id is empty, too long or used twice", field.en),
            );
        }
        let shown: String = item.id.chars().take(ITEM_ID_CHARS_MAX).collect();
        check_scope(record, scope, fields, &item.content, &format!("{path}[{shown}]."), found);
    }
}

fn check_required(
    record: &Record<'_>,
    scope: &Scope,
    fields: &[Field],
    content: &Content,
    filled: &[bool],
    at: &str,
    found: &mut Found,
) {
    // Members of a group count only when the group is there or ought to be.
    let mut active = vec![true; scope.entries.len()];
    for (number, entry) in scope.entries.iter().enumerate() {
        if entry.group.is_some_and(|group| !active[group]) {
            active[number] = false;
            continue;
        }
        let required = match &entry.field.required {
            Required::Never => false,
            Required::Always => true,
            Required::From(state) => record.reached(state),
            Required::When(condition) => {
                let prefix = &entry.path[..entry.prefix];
                !filled[number]
                    && condition.holds(&Scoped { record, scope, content, filled, prefix })
            }
        };
        if let Shape::Group { has_required } = entry.shape {
            active[number] = required || filled[number];
            if has_required {
                continue;
            }
        }
        if required && !filled[number] {
            report_missing(record, scope, fields, entry, at, found);
        }
    }
}

fn report_missing(
    record: &Record<'_>,
    scope: &Scope,
    fields: &[Field],
    entry: &Entry,
    at: &str,
    found: &mut Found,
) {
    let (mut zh, mut en) = (entry.field.zh.clone(), entry.field.en.clone());
    let mut group = entry.group;
    while let Some(number) = group {
        let holder = &scope.entries[number];
        zh = format!("{}·{zh}", holder.field.zh);
        en = format!("{} · {en}", holder.field.en);
        group = holder.group;
    }
    let (why_zh, why_en) = match &entry.field.required {
        Required::From(state) => {
            let label = |lang| match record.rt.state(state) {
                Some(state) => match lang {
                    Lang::Zh => state.zh.clone(),
                    Lang::En => state.en.clone(),
                },
                None => state.clone(),
            };
            (
                format!("进入“{}”起必填", label(Lang::Zh)),
                format!("required from the state {} on", label(Lang::En)),
            )
        }
        Required::When(condition) => {
            let siblings = match entry.group.map(|group| &scope.entries[group].field.kind) {
                Some(super::model::Kind::Struct { name }) => {
                    record.rt.structs.get(name).map_or(&[][..], |s| &s.fields)
                }
                _ => fields,
            };
            let say = |lang| sentence_in(record.rt, siblings, condition, lang);
            (format!("{}时必填", say(Lang::Zh)), format!("required when {}", say(Lang::En)))
        }
        Required::Always | Required::Never => ("必填".to_owned(), "required".to_owned()),
    };
    found.push(
        format!("{at}{}", entry.path),
        ProblemCode::Missing,
        format!("“{zh}”未填写（{why_zh}）"),
        format!("“{en}” is empty ({why_en})"),
    );
}

impl Record<'_> {
    fn reached(&self, state: &str) -> bool {
        state == self.state || self.left.iter().any(|left| left == state)
    }

    fn held_pi(&self) -> u8 {
        if let Some(pi) = self.pi.get() {
            return pi;
        }
        let pi = highest_pi(self.root, self.content);
        self.pi.set(Some(pi));
        pi
    }
}

fn highest_pi(scope: &Scope, content: &Content) -> u8 {
    let values = content.values.iter().filter(|(_, value)| !value.is_blank());
    let values = values.filter_map(|(path, _)| Some(scope.find(path)?.1.field.pi));
    let lists = content.lists.iter().filter_map(|(path, items)| match scope.find(path)?.1 {
        Entry { shape: Shape::List(inner), field, .. } => {
            let below = items.iter().map(|item| highest_pi(inner, &item.content)).max();
            below.map(|below| below.max(field.pi))
        }
        _ => None,
    });
    values.chain(lists).max().unwrap_or(0)
}

/// A record seen from one form, group or item: conditions name its siblings.
struct Scoped<'a> {
    record: &'a Record<'a>,
    scope: &'a Scope,
    content: &'a Content,
    filled: &'a [bool],
    prefix: &'a str,
}

impl Scoped<'_> {
    fn with_path<T>(&self, field: &str, read: impl FnOnce(&str) -> T) -> T {
        if self.prefix.is_empty() { read(field) } else { read(&format!("{}{field}", self.prefix)) }
    }
}

impl Facts for Scoped<'_> {
    fn text(&self, field: &str) -> Option<&str> {
        match self.with_path(field, |path| self.content.values.get(path))? {
            Value::Text(text) => Some(text),
            Value::Bool(true) => Some("true"),
            Value::Bool(false) => Some("false"),
            Value::Null | Value::Int(_) => None,
        }
    }

    fn filled(&self, field: &str) -> bool {
        self.with_path(field, |path| {
            self.scope.find(path).is_some_and(|(number, _)| self.filled[number])
        })
    }

    fn state(&self) -> &str {
        self.record.state
    }

    fn left(&self, state: &str) -> bool {
        self.record.left.iter().any(|left| left == state)
    }

    fn holds_pi(&self, class: u8) -> bool {
        self.record.held_pi() >= class
    }
}
