//! The forms that clerks of a simulated county fill in: the least that is valid, for three of the
//! record types that every node is born with.

use xw_ledger::draft::Draft;
use xw_ledger::steps::{NOWHERE, Step};
use xw_schemas::record::{Content, Item, Value};
use xw_schemas::space::{Division, Tier};

/// The record types in use.
pub const CODES: [&str; 3] = ["SVC", "MED", "IND"];

/// The field that everybody edits, of a record type.
#[must_use]
pub(crate) fn free_field(code: &str) -> &'static str {
    match code {
        "SVC" => "missing_materials",
        _ => "remarks",
    }
}

/// A new record of a type.
#[must_use]
pub(crate) fn new_record(code: &str, at: Division, number: u64) -> Draft {
    let (to, role) = first_step(code, at.tier());
    Draft::of_new(&content(code, at, number), step(NOWHERE, to, role, ""))
}

/// A step.
#[must_use]
pub(crate) fn step(from: &str, to: &str, role: &str, reason: &str) -> Step {
    Step {
        from: from.to_owned(),
        to: to.to_owned(),
        role: role.to_owned(),
        reason: reason.to_owned(),
        on_behalf_of: String::new(),
    }
}

fn first_step(code: &str, tier: Tier) -> (&'static str, &'static str) {
    match (code, tier) {
        ("SVC", Tier::Village) => ("registered", "VAGT"),
        ("SVC", _) => ("registered", "TWIN"),
        ("MED", Tier::Village) => ("reported", "VMED"),
        ("MED", _) => ("reported", "TMED"),
        _ => ("proposed", "VSEC"),
    }
}

/// Steps that an office may try from a state: state reached and role.
#[must_use]
pub(crate) fn steps_from(code: &str, state: &str, tier: Tier) -> Vec<Step> {
    let village = tier == Tier::Village;
    let choose = |v: &'static str, t: &'static str| if village { v } else { t };
    match (code, state) {
        ("SVC", "registered") => vec![
            step(state, "accepted", choose("VAGT", "TWIN"), ""),
            step(state, "correction_needed", choose("VAGT", "TWIN"), ""),
            step(state, "withdrawn", choose("VCLK", "TWIN"), ""),
        ],
        ("SVC", "correction_needed") => {
            vec![step(state, "registered", choose("VAGT", "TSOC"), "")]
        }
        ("SVC", "accepted") => vec![step(state, "withdrawn", choose("VCLK", "TSOC"), "")],
        ("MED", "reported") => vec![step(state, "refused", choose("VMED", "TMED"), "不属受理范围")],
        _ => Vec::new(),
    }
}

fn content(code: &str, at: Division, number: u64) -> Content {
    let mut content = Content::default();
    let mut put = |path: &str, value: Value| {
        content.values.insert(path.to_owned(), value);
    };
    let text = |text: &str| Value::Text(text.to_owned());
    put("business_no", text(&format!("{at}A-{code}-2027-{number:05}")));
    put("title", text("办理事项"));
    put("division_code", text(&at.to_string()));
    put("responsible_org", text("机构"));
    put("recorded_at", text("2027-01-15T09:30:00+08:00"));
    put("time_source", text("1"));
    put("recorder", text("签名人"));
    put("source_channel", text("01"));
    put("entry_mode", text("1"));
    put("paper_original", Value::Bool(false));
    put("legal_basis", text("02"));
    put("notice_given", text("1"));
    put("disclosure_class", text("0"));
    match code {
        "SVC" => {
            put("matter_name", text("政策咨询"));
            put("matter_code", text("1401"));
            put("service_mode", text("1"));
            put("applicant_kind", text("1"));
            put("applicant.name", text("张三"));
            put("missing_materials", text("身份证复印件"));
            put("item_type", text("20"));
            put("handling_type", text("1"));
            put("accept_decision", text("1"));
            put("accepted_at", text("2027-01-15T09:30:00+08:00"));
            put("legal_days", Value::Int(5));
            put("promised_days", Value::Int(1));
            put("due_date", text("2027-01-18"));
            put("handling_org", text("机构"));
            content.lists.insert("materials".to_owned(), vec![material()]);
        }
        "MED" => {
            put("committee", text("机构"));
            put("case_source", text("1"));
            put("refuse_reason", text("1"));
        }
        _ => {
            put("project_name", text("2027年光伏项目"));
            put("project_class", text("2"));
            put("nature", text("1"));
            put("site", text("村东"));
            put("content_scale", text("一百千瓦"));
            put("need_basis", text("日照充足"));
        }
    }
    content
}

fn material() -> Item {
    let mut content = Content::default();
    let mut put = |path: &str, value: Value| {
        content.values.insert(path.to_owned(), value);
    };
    put("name", Value::Text("身份证复印件".to_owned()));
    put("form", Value::Text("2".to_owned()));
    put("copies", Value::Int(1));
    put("received_on", Value::Text("2027-01-15".to_owned()));
    Item { id: "m1".to_owned(), content }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::founding::{definition_of, known_types};
    use xw_schemas::record::problems;

    #[test]
    fn the_forms_are_valid() {
        let village = Division::from_number(130_599_201_201).unwrap();
        for code in CODES {
            let rt = &known_types()[&definition_of(code, false)];
            let (state, _) = first_step(code, Tier::Village);
            let found = problems(rt, &content(code, village, 1), state, &[]);
            let found: Vec<_> = found.iter().filter(|p| !p.is_warning()).collect();
            assert!(found.is_empty(), "{code}: {found:?}");
        }
    }
}
