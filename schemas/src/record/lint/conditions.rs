//! Conditions: each names fields, codes and states that exist and can answer.
//! Checks the wording, never a record.

use super::Finding;
use crate::record::condition::{CONDITION_DEPTH_MAX, Condition};
use crate::record::model::{Field, Kind, RecordType, Required};
use crate::record::schema_error::SchemaFlaw;

pub(super) fn lint(rt: &RecordType, found: &mut Vec<Finding>) {
    lint_scope(rt, &rt.fields, "fields", found);
    for one in rt.structs.values() {
        lint_scope(rt, &one.fields, &format!("structs.{}.fields", one.name), found);
    }
}

fn lint_scope(rt: &RecordType, scope: &[Field], place: &str, found: &mut Vec<Finding>) {
    for field in scope {
        let mut flaws = Vec::new();
        match &field.required {
            Required::Always | Required::Never => {}
            Required::From(state) => known_state(rt, state, &mut flaws),
            Required::When(condition) if condition.depth() > CONDITION_DEPTH_MAX => {
                flaws.push(SchemaFlaw::ConditionDepth { max: CONDITION_DEPTH_MAX });
            }
            Required::When(condition) => lint_one(rt, scope, condition, &mut flaws),
        }
        let at = format!("{place}.{}", field.name);
        found.extend(flaws.into_iter().map(|flaw| (at.clone(), flaw)));
    }
}

fn lint_one(rt: &RecordType, scope: &[Field], condition: &Condition, flaws: &mut Vec<SchemaFlaw>) {
    match condition {
        Condition::In { field, codes } => {
            if codes.is_empty() {
                flaws.push(SchemaFlaw::ConditionShape { key: "in".into() });
            }
            match find(scope, field, flaws) {
                Some(asked) if asked.kind == Kind::Bool => {
                    let odd =
                        codes.iter().filter(|code| !matches!(code.as_str(), "true" | "false"));
                    flaws.extend(odd.map(|code| unknown_code(field, code)));
                }
                Some(asked) if asked.kind == Kind::Enum => {
                    lint_codes(rt, asked, codes.iter(), flaws);
                }
                Some(_) => flaws.push(SchemaFlaw::ConditionKind { name: field.clone() }),
                None => {}
            }
        }
        Condition::Has { field, code } => match find(scope, field, flaws) {
            Some(asked) if asked.kind == Kind::EnumMany => {
                lint_codes(rt, asked, std::iter::once(code), flaws);
            }
            Some(_) => flaws.push(SchemaFlaw::ConditionKind { name: field.clone() }),
            None => {}
        },
        Condition::Filled { field } => {
            find(scope, field, flaws);
        }
        Condition::AnyFalse { fields } => {
            if fields.is_empty() {
                flaws.push(SchemaFlaw::ConditionShape { key: "any_false".into() });
            }
            for field in fields {
                if find(scope, field, flaws).is_some_and(|asked| asked.kind != Kind::Bool) {
                    flaws.push(SchemaFlaw::ConditionKind { name: field.clone() });
                }
            }
        }
        Condition::State { states } => {
            if states.is_empty() {
                flaws.push(SchemaFlaw::ConditionShape { key: "state".into() });
            }
            for state in states {
                known_state(rt, state, flaws);
            }
        }
        Condition::Left { state } => known_state(rt, state, flaws),
        Condition::PiAtLeast { class } => {
            if !(1..=3).contains(class) {
                flaws.push(SchemaFlaw::ConditionShape { key: "pi_at_least".into() });
            }
        }
        Condition::All(parts) | Condition::Any(parts) => {
            if parts.is_empty() {
                flaws.push(SchemaFlaw::ConditionShape { key: "all/any".into() });
            }
            for part in parts {
                lint_one(rt, scope, part, flaws);
            }
        }
        Condition::Not(part) => lint_one(rt, scope, part, flaws),
    }
}

fn find<'a>(scope: &'a [Field], name: &str, flaws: &mut Vec<SchemaFlaw>) -> Option<&'a Field> {
    let field = scope.iter().find(|field| field.name == name);
    if field.is_none() {
        flaws.push(SchemaFlaw::ConditionField { name: name.to_owned() });
    }
    field
}

fn lint_codes<'a>(
    rt: &RecordType,
    field: &Field,
    codes: impl Iterator<Item = &'a String>,
    flaws: &mut Vec<SchemaFlaw>,
) {
    // A missing list is reported where the field is; without it no code can be judged.
    if let Some(list) = rt.code_list(field) {
        let unknown = codes.filter(|code| list.code(code).is_none());
        flaws.extend(unknown.map(|code| unknown_code(&field.name, code)));
    }
}

fn unknown_code(field: &str, code: &str) -> SchemaFlaw {
    SchemaFlaw::ConditionCode { name: field.to_owned(), code: code.to_owned() }
}

fn known_state(rt: &RecordType, state: &str, flaws: &mut Vec<SchemaFlaw>) {
    if rt.state(state).is_none() {
        flaws.push(SchemaFlaw::UnknownState { name: state.to_owned() });
    }
}
