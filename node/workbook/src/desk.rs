//! The defaults of an import at one desk, by record type.
//! Each value is a choice that the office can see and change; nothing is invented about a person.

use xw_schemas::record::{RecordType, Value};

use crate::defaults::{Defaults, Give, When};

/// The desk at which a ledger is imported.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Desk {
    /// 12-digit code of the office's division.
    pub division_code: String,
    /// Name of the office, such as 东张庄村民委员会.
    pub office_zh: String,
    /// Staff id or name of the clerk who imports.
    pub recorder: String,
    /// Today, `YYYY-MM-DD`, for rows without a date of their own.
    pub today: String,
}

/// The defaults of an import at a desk, by record type. What each stands for:
///
/// - `entry_mode` 3 表格导入 and `time_source` 3 纸质记载: the days in a ledger come from paper.
/// - `division_code`, `responsible_org`, `recorder`: the desk. `recorded_at`: a service case's
///   day of acceptance, otherwise today.
/// - `legal_basis` 02 履行法定职责: a ledger carries no consent papers. `notice_given` 1 当面告知,
///   for monitored households 3 村内公示.
/// - `disclosure_class` 1 村务公开 for projects and households, 4 仅公开统计数 for the rest.
/// - `paper_original` false: the ledger does not say where a paper lies.
/// - `title`: the matter, the project, the kind of quarrel; never a name.
/// - Service cases: applicant is a person, matter code by the label of the matter or 其他, the agent is
///   the village's, papers are one copy each, received on the day of the case.
/// - Households: clue by cadres' survey on the day of identification; formerly poor if the category
///   says so.
/// - Projects: 新建; an asset card takes its own name as the project's.
/// - Mediations: parties are persons; the committee is the office's own; a written agreement has one
///   copy for each of two parties and one to keep.
pub fn defaults_for(rt: &RecordType, desk: &Desk) -> Defaults {
    let mut given = Defaults::default();
    let text = |text: &str| Value::Text(text.to_owned());
    let copy = |given: &mut Defaults, path: &str, from: &[&str]| {
        let from = from.iter().map(|path| (*path).to_owned()).collect();
        given.rule(path, When::Always, Give::Copy(from));
    };
    given.set("entry_mode", text("3"));
    given.set("time_source", text("3"));
    given.set("division_code", text(&desk.division_code));
    given.set("responsible_org", text(&desk.office_zh));
    given.set("recorder", text(&desk.recorder));
    given.set("paper_original", Value::Bool(false));
    given.set("legal_basis", text("02"));
    match rt.code.as_str() {
        "SVC" => {
            given.set("source_channel", text("01"));
            given.set("disclosure_class", text("4"));
            given.set("notice_given", text("1"));
            given.set("applicant_kind", text("1"));
            copy(&mut given, "recorded_at", &["accepted_at"]);
            copy(&mut given, "title", &["matter_name"]);
            let or = text("9999");
            let matched = Give::Match { from: "matter_name".into(), or };
            given.rule("matter_code", When::Always, matched);
            given.rule(
                "matter_code_other",
                When::Is("matter_code".into(), "9999".into()),
                Give::Copy(vec!["matter_name".into()]),
            );
            given.rule("agent_relation", filled("agent.name"), Give::Value(text("2")));
            given.set("materials.form", text("复印件"));
            given.set("materials.copies", Value::Int(1));
            copy(&mut given, "materials.received_on", &["accepted_at", "recorded_at"]);
        }
        "PVM" => {
            given.set("source_channel", text("04"));
            given.set("disclosure_class", text("1"));
            given.set("notice_given", text("3"));
            given.set("clue_source", text("2"));
            given.set("title", text("防止返贫致贫监测对象"));
            given.set("clue_text", text("由监测对象台账导入"));
            copy(&mut given, "clue_at", &["identified_on"]);
            let poor = When::Is("category".into(), "1".into());
            given.rule("is_tuopin", poor, Give::Value(Value::Bool(true)));
            // A second rule for one field: whoever is not in category 1 was not a registered household.
            given.also("is_tuopin", When::Always, Give::Value(Value::Bool(false)));
            copy(&mut given, "measures.measure_class", &[".measure_name"]);
            copy(&mut given, "measures.targets_risk", &["risk_types"]);
            copy(&mut given, "measures.provider", &["responsible_org"]);
            copy(&mut given, "measures.start_on", &["identified_on"]);
            given.set("visits.mode", text("1"));
            copy(&mut given, "visits.visitors.staff", &["helper"]);
            given.set("visits.visitors.role", text("VTEAM"));
            copy(&mut given, "visits.met_person.name", &["household.head.name"]);
        }
        "IND" => {
            given.set("source_channel", text("04"));
            given.set("disclosure_class", text("1"));
            copy(&mut given, "project_name", &["asset_name"]);
            copy(&mut given, "title", &["project_name", "asset_name"]);
            given.set("project_class", text("1"));
            given.set("nature", text("1"));
            copy(&mut given, "site", &["location"]);
            copy(&mut given, "content_scale", &["asset_name"]);
            copy(&mut given, "funds.amount", &["budget_total"]);
            copy(&mut given, "funds.doc_no", &["approval_no"]);
        }
        "MED" => {
            given.set("source_channel", text("01"));
            given.set("disclosure_class", text("4"));
            given.set("notice_given", text("1"));
            given.set("committee", text(&committee_of(&desk.office_zh)));
            copy(&mut given, "title", &["dispute_type"]);
            given.set("parties.kind", text("1"));
            let written = When::Is("agreement_form".into(), "1".into());
            given.rule("copies", written, Give::Value(Value::Int(3)));
            given.set("mediators.role", text("VMED"));
        }
        _ => {}
    }
    let today = format!("{}T00:00:00+08:00", desk.today);
    given.also("recorded_at", When::Always, Give::Value(text(&today)));
    if rt.code == "PVM" {
        // Without a day of identification the clue is as old as its entry here.
        let entered = Give::Copy(vec!["recorded_at".into()]);
        given.also("clue_at", When::Always, entered);
    }
    given
}

fn filled(path: &str) -> When {
    When::Filled(path.to_owned())
}

/// 东张庄村民委员会 → 东张庄村人民调解委员会.
fn committee_of(office_zh: &str) -> String {
    let place = ["民委员会", "委会"]
        .iter()
        .find_map(|ending| office_zh.strip_suffix(ending))
        .unwrap_or(office_zh);
    format!("{place}人民调解委员会")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_village_committee_has_a_mediation_committee_of_its_name() {
        assert_eq!(committee_of("东张庄村民委员会"), "东张庄村人民调解委员会");
        assert_eq!(committee_of("东张庄村委会"), "东张庄村人民调解委员会");
    }
}
