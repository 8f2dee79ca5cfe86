//! Names, labels and marks: present, well formed, used once.
//! Meaning is checked elsewhere.

use super::Finding;
use crate::record::model::{Field, RecordType};
use crate::record::schema_error::SchemaFlaw;

/// Longest name of a field, state, structure or list, in bytes.
const NAME_BYTES_MAX: usize = 48;
/// Longest code of a code list, in bytes.
const CODE_BYTES_MAX: usize = 16;

pub(super) fn lint(rt: &RecordType, found: &mut Vec<Finding>) {
    let code = rt.code.as_bytes();
    if code.len() != 3 || !code.iter().all(u8::is_ascii_uppercase) {
        found.push(("type".into(), SchemaFlaw::BadName { found: rt.code.clone() }));
    }
    if rt.zh.is_empty() || rt.en.is_empty() || rt.version.is_empty() {
        found.push(("type".into(), SchemaFlaw::MissingLabel { name: rt.code.clone() }));
    }
    lint_fields(&rt.fields, "fields", found);
    for (key, one) in &rt.structs {
        let place = format!("structs.{key}");
        if *key != one.name || !is_type_name(&one.name) {
            found.push((place.clone(), SchemaFlaw::BadName { found: one.name.clone() }));
        }
        if one.zh.is_empty() {
            found.push((place.clone(), SchemaFlaw::MissingLabel { name: one.name.clone() }));
        }
        lint_fields(&one.fields, &format!("{place}.fields"), found);
    }
    for (key, list) in &rt.lists {
        let place = format!("lists.{key}");
        if *key != list.name || !is_list_name(&list.name) {
            found.push((place.clone(), SchemaFlaw::BadName { found: list.name.clone() }));
        }
        if list.zh.is_empty() {
            found.push((place.clone(), SchemaFlaw::MissingLabel { name: list.name.clone() }));
        }
        lint_marks(&list.mark, &place, found);
    }
    for (number, state) in rt.states.iter().enumerate() {
        let place = format!("states.{}", state.code);
        if !is_field_name(&state.code) {
            found.push((place.clone(), SchemaFlaw::BadName { found: state.code.clone() }));
        }
        if state.zh.is_empty() || state.en.is_empty() {
            found.push((place.clone(), SchemaFlaw::MissingLabel { name: state.code.clone() }));
        }
        if rt.states[..number].iter().any(|earlier| earlier.code == state.code) {
            found.push((place, SchemaFlaw::Duplicate { name: state.code.clone() }));
        }
    }
    for (number, step) in rt.transitions.iter().enumerate() {
        let place = format!("transitions.{number}");
        if step.zh.is_empty() || step.en.is_empty() {
            let name = format!("{} → {}", step.from, step.to);
            found.push((place.clone(), SchemaFlaw::MissingLabel { name }));
        }
        lint_marks(&step.mark, &place, found);
    }
}

fn lint_fields(fields: &[Field], place: &str, found: &mut Vec<Finding>) {
    for (number, field) in fields.iter().enumerate() {
        let at = format!("{place}.{}", field.name);
        // Items carry their own `id`, so no member may be called that.
        if !is_field_name(&field.name) || field.name == "id" {
            found.push((at.clone(), SchemaFlaw::BadName { found: field.name.clone() }));
        }
        if field.zh.is_empty() || field.en.is_empty() {
            found.push((at.clone(), SchemaFlaw::MissingLabel { name: field.name.clone() }));
        }
        if fields[..number].iter().any(|earlier| earlier.name == field.name) {
            found.push((at.clone(), SchemaFlaw::Duplicate { name: field.name.clone() }));
        }
        lint_marks(&field.mark, &at, found);
    }
}

fn lint_marks(marks: &str, place: &str, found: &mut Vec<Finding>) {
    if let Some(bad) = marks.split_whitespace().find(|mark| !is_mark(mark)) {
        found.push((place.to_owned(), SchemaFlaw::BadMark { found: bad.to_owned() }));
    }
}

/// Whether a word is one of the confidence marks.
fn is_mark(mark: &str) -> bool {
    matches!(mark, "S" | "G" | "X")
        || mark.strip_prefix('K').is_some_and(|number| number.bytes().all(|b| b.is_ascii_digit()))
}

pub(super) fn is_code(code: &str) -> bool {
    !code.is_empty()
        && code.len() <= CODE_BYTES_MAX
        && !code.contains(|c: char| c == ',' || c.is_whitespace() || c.is_control())
}

fn is_field_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.as_bytes().first().is_some_and(u8::is_ascii_lowercase)
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
}

fn is_type_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.as_bytes().first().is_some_and(u8::is_ascii_uppercase)
        && name.bytes().all(|b| b.is_ascii_alphanumeric())
}

fn is_list_name(name: &str) -> bool {
    name.len() <= NAME_BYTES_MAX
        && name.strip_prefix("CL_").is_some_and(|rest| {
            !rest.is_empty()
                && rest.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
        })
}
