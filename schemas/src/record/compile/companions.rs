//! The free-text field that stands beside a choice of "other".
//! Made from the code lists, so that nobody has to write it by hand.

use std::collections::BTreeMap;

use super::fields::DraftField;
use crate::record::condition::Condition;
use crate::record::model::{Code, CodeList, Field, Kind, Required};

/// Characters of a companion.
const OTHER_CHARS_MAX: u32 = 60;

/// Adds `<field>_other` behind every choice field whose list has an open "other", unless the field
/// names another field for it.
pub(super) fn add(fields: &mut Vec<DraftField>, lists: &BTreeMap<String, CodeList>) {
    let given = std::mem::take(fields);
    for draft in given {
        let companion = companion(&draft, lists);
        fields.push(draft);
        fields.extend(companion);
    }
}

fn companion(draft: &DraftField, lists: &BTreeMap<String, CodeList>) -> Option<DraftField> {
    let field = &draft.field;
    if draft.other.is_some() {
        return None;
    }
    let list = lists.get(field.list.as_deref()?)?;
    let open: Vec<&Code> = list.codes.iter().filter(|code| is_open(code)).collect();
    let condition = match field.kind {
        _ if open.is_empty() => return None,
        Kind::Enum => Condition::In {
            field: field.name.clone(),
            codes: open.iter().map(|code| code.code.clone()).collect(),
        },
        Kind::EnumMany => one_or_any(field, &open),
        _ => return None,
    };
    Some(DraftField {
        field: Field {
            name: format!("{}_other", field.name),
            zh: format!("{}（其他）", field.zh),
            en: format!("{} (other)", field.en),
            kind: Kind::Str { max: OTHER_CHARS_MAX },
            required: Required::When(condition),
            list: None,
            pi: field.pi,
            vis: field.vis.clone(),
            unit: String::new(),
            note: String::new(),
            mark: "X".to_owned(),
            compute: None,
            items_min: 0,
            items_max: 0,
        },
        other: None,
    })
}

fn one_or_any(field: &Field, open: &[&Code]) -> Condition {
    let mut tests: Vec<Condition> = open
        .iter()
        .map(|code| Condition::Has { field: field.name.clone(), code: code.code.clone() })
        .collect();
    if tests.len() == 1 { tests.remove(0) } else { Condition::Any(tests) }
}

/// Whether a code leaves open what is meant: 其他 alone, or 其他… under the customary code of nines
/// (9, 99, 199, 9999). Labels such as 其他消费纠纷 under a code of their own say what they are.
fn is_open(code: &Code) -> bool {
    let nines = code.code.strip_prefix('1').unwrap_or(&code.code);
    let customary = !nines.is_empty() && nines.bytes().all(|b| b == b'9');
    code.zh == "其他" || (code.zh.starts_with("其他") && customary)
}
