//! From the words of a form to edits and back: labels, places in lists, what is wrong in which
//! field. Never touches a store.

use serde_json::{Value as Json, json};
use xw_ledger::document::{Edit, Place};
use xw_ledger::steps::{CONFLICT, NOWHERE};
use xw_schemas::record::{Content, RecordType, Transition, Value, parse, problems};

use crate::trouble::{Answer, Trouble};

/// The role under which staff enters a step of the person concerned.
const PERSON_CONCERNED: &str = "SUBJ";

/// Whether a role may make a transition, on its own or for the person concerned.
pub(super) fn may_make(definition: &RecordType, transition: &Transition, role: &str) -> bool {
    let named = transition.who.iter().any(|who| who == role);
    let subject = transition.who.iter().any(|who| who == PERSON_CONCERNED);
    named || (subject && definition.edit_roles.iter().any(|editor| editor == role))
}

/// Names what is wrong with a content in a state, field by field.
pub(super) fn check(definition: &RecordType, content: &Content, state: &str) -> Answer<()> {
    let found: Vec<_> = problems(definition, content, state, &[])
        .into_iter()
        .filter(|problem| !problem.is_warning())
        .collect();
    if found.is_empty() {
        Ok(())
    } else {
        Err(Trouble::of_problems(found, |path| label(definition, path)))
    }
}

/// A field's Chinese label, for a path with or without item ids.
pub(super) fn label(definition: &RecordType, path: &str) -> String {
    let mut plain = String::with_capacity(path.len());
    let mut inside = false;
    for c in path.chars() {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            c if !inside => plain.push(c),
            _ => {}
        }
    }
    definition.field(&plain).map_or_else(|| plain.clone(), |field| field.zh.clone())
}

pub(super) fn state_zh(definition: &RecordType, state: &str) -> String {
    match state {
        CONFLICT => "待裁定".to_owned(),
        xw_ledger::view::ERASED => "内容已依法删除".to_owned(),
        NOWHERE => "新建".to_owned(),
        _ => definition.state(state).map_or_else(|| state.to_owned(), |s| s.zh.clone()),
    }
}

/// `visits[id].note` to the item and the member; a plain path to the record itself.
pub(super) fn split_place(path: &str) -> (Place, String) {
    let mut steps = Vec::new();
    let mut rest = path;
    while let Some((list, behind)) = rest.split_once('[') {
        let Some((id, member)) = behind.split_once(']') else { break };
        steps.push((list.to_owned(), id.to_owned()));
        rest = member.trim_start_matches('.');
    }
    let place = if steps.is_empty() { Place::Root } else { Place::Item(steps) };
    (place, rest.to_owned())
}

pub(super) fn item_edit(definition: &RecordType, path: &str, value: &Json) -> Answer<Edit> {
    let (at, member) = split_place(path);
    let Place::Item(steps) = &at else {
        return Err(Trouble::new(
            "path",
            format!("“{path}”不是列表项的字段"),
            format!("{path} names no member of an item"),
        ));
    };
    let lists: Vec<&str> = steps.iter().map(|(list, _)| list.as_str()).collect();
    let full = format!("{}.{member}", lists.join("."));
    let field = definition.field(&full).ok_or_else(|| {
        Trouble::new("path", format!("没有字段“{path}”"), format!("there is no field {path}"))
    })?;
    let text = match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    };
    let value = if value.is_null() {
        Value::Null
    } else {
        parse(definition, field, &text).map_err(|slip| {
            Trouble::of_slips(vec![(path.to_owned(), slip)], |_| field.zh.clone())
        })?
    };
    Ok(Edit::Put { at, path: member, value })
}

/// What a content looks like after root edits; enough to check a new state.
pub(super) fn merge(content: &mut Content, edits: &[Edit]) {
    for edit in edits {
        match edit {
            Edit::Put { at: Place::Root, path, value } => {
                content.values.insert(path.clone(), value.clone());
            }
            Edit::Append { at: Place::Root, list, item } => {
                content.lists.entry(list.clone()).or_default().push(item.clone());
            }
            Edit::Put { .. } | Edit::Append { .. } => {}
        }
    }
}

pub(super) fn clear_computed(definition: &RecordType, content: &mut Content) {
    content
        .values
        .retain(|path, _| definition.field(path).is_none_or(|field| field.compute.is_none()));
}

/// Nothing given is an empty form.
pub(super) fn object(fields: &Json) -> Json {
    if fields.is_null() { json!({}) } else { fields.clone() }
}
