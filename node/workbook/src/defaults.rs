//! What a ledger does not say but a record needs from its first save. Each value here is a choice
//! that the office can see and change; nothing is invented about a person.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::record::{Content, Field, Kind, Lang, RecordType, Value, display, parse};

/// Values for fields that the ledger leaves open, in the order in which they are tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    rules: Vec<(String, Rule)>,
}

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

/// One default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// When it applies at all.
    pub when: When,
    /// What it gives.
    pub give: Give,
}

/// When a default applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Whenever the field is empty.
    Always,
    /// When this other field is filled.
    Filled(String),
    /// When this other field holds this code.
    Is(String, String),
}

/// What a default gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Give {
    /// A fixed value in stored form.
    Value(Value),
    /// What the first filled of these fields shows. In an item, a path that begins with a point
    /// names a member of the same item.
    Copy(Vec<String>),
    /// The code whose label another field shows, or a fixed value if there is none.
    Match {
        /// The other field.
        from: String,
        /// Given if its text is no label.
        or: Value,
    },
}

impl Defaults {
    /// Sets the default of one field; it wins over what stood there. Members of list items are named
    /// as `materials.form`.
    pub fn set(&mut self, path: &str, value: Value) {
        self.rule(path, When::Always, Give::Value(value));
    }

    /// Sets a default that depends on other fields.
    pub fn rule(&mut self, path: &str, when: When, give: Give) {
        self.rules.retain(|(known, _)| known != path);
        self.rules.push((path.to_owned(), Rule { when, give }));
    }

    /// The fixed text given for a field, for the few places that need it before a row is read.
    pub(crate) fn fixed(&self, path: &str) -> Option<&str> {
        self.rules.iter().find(|(known, _)| known == path).and_then(|(_, rule)| match &rule.give {
            Give::Value(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Fills what is empty. Values that would not fit their field are left out: the check of the
    /// whole record says what is missing better than a wrong default could.
    ///
    /// Returns which members of list items were filled: a list takes more guessing than a field.
    pub(crate) fn fill(
        &self,
        rt: &RecordType,
        content: &mut Content,
    ) -> BTreeMap<String, BTreeSet<String>> {
        let mut filled: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        // Twice, since one default may follow from another that stands behind it.
        for (path, rule) in self.rules.iter().chain(&self.rules) {
            if let Some((list, member)) = list_member(rt, path) {
                if fill_items(rt, content, &list, &member, rule) {
                    filled.entry(list).or_default().insert(member);
                }
            } else if let Some(field) = rt.field(path)
                && content.value(path).is_none()
                && let Some(value) = rule.value(rt, field, content, None)
            {
                content.values.insert(path.clone(), value);
            }
        }
        filled
    }
}

impl Rule {
    /// `item` is the list and the item that the field belongs to, if it belongs to one.
    fn value(
        &self,
        rt: &RecordType,
        field: &Field,
        content: &Content,
        item: Option<(&str, &Content)>,
    ) -> Option<Value> {
        let applies = match &self.when {
            When::Always => true,
            When::Filled(path) => content.value(path).is_some(),
            When::Is(path, code) => content.text(path) == Some(code.as_str()),
        };
        if !applies {
            return None;
        }
        match &self.give {
            Give::Value(value) => {
                let text = match value {
                    Value::Text(text) => text.clone(),
                    value => return Some(value.clone()),
                };
                parse(rt, field, &text).ok()
            }
            Give::Copy(paths) => paths.iter().find_map(|path| {
                let shown = shown(rt, content, item, path)?;
                parse(rt, field, &cut(field, &shown)).ok().filter(|value| !value.is_blank())
            }),
            Give::Match { from, or } => {
                let shown = shown(rt, content, item, from)?;
                Some(parse(rt, field, &shown).unwrap_or_else(|_| or.clone()))
            }
        }
    }
}

/// Fills one member of every item of a list; one level of lists inside an item is made if need be.
fn fill_items(
    rt: &RecordType,
    content: &mut Content,
    list: &str,
    member: &str,
    rule: &Rule,
) -> bool {
    let Some(field) = rt.field(&format!("{list}.{member}")) else { return false };
    let items = content.items(list).len();
    // One sum of money cannot be the amount of each of several items.
    if items == 0 || (items > 1 && field.kind == Kind::Money) {
        return false;
    }
    let values: Vec<Option<Value>> = content
        .items(list)
        .iter()
        .map(|item| rule.value(rt, field, content, Some((list, &item.content))))
        .collect();
    let inner = member.split_once('.').filter(|(inner, _)| {
        rt.field(&format!("{list}.{inner}")).is_some_and(|f| matches!(f.kind, Kind::List { .. }))
    });
    let mut any = false;
    for (item, value) in content.lists.get_mut(list).into_iter().flatten().zip(values) {
        let Some(value) = value else { continue };
        let Some((inner, leaf)) = inner else {
            if item.content.value(member).is_none() {
                item.content.values.insert(member.to_owned(), value);
                any = true;
            }
            continue;
        };
        let inner_items = item.content.lists.entry(inner.to_owned()).or_default();
        if inner_items.is_empty() {
            inner_items.push(xw_schemas::record::Item {
                id: format!("{}-1", item.id),
                content: Content::default(),
            });
        }
        for inner_item in inner_items {
            any |= inner_item.content.value(leaf).is_none();
            inner_item.content.values.entry(leaf.to_owned()).or_insert_with(|| value.clone());
        }
    }
    any
}

/// The list that a path leads into, and the path within its items.
fn list_member(rt: &RecordType, path: &str) -> Option<(String, String)> {
    path.match_indices('.').find_map(|(at, _)| {
        let list = &path[..at];
        matches!(rt.field(list)?.kind, Kind::List { .. })
            .then(|| (list.to_owned(), path[at + 1..].to_owned()))
    })
}

/// What a field shows; a path that begins with a point names a member of the same item.
fn shown(
    rt: &RecordType,
    content: &Content,
    item: Option<(&str, &Content)>,
    path: &str,
) -> Option<String> {
    match (path.strip_prefix('.'), item) {
        (Some(member), Some((list, item))) => {
            let field = rt.field(&format!("{list}.{member}"))?;
            Some(display(rt, field, item.value(member)?, Lang::Zh))
        }
        (Some(_), None) => None,
        (None, _) => Some(display(rt, rt.field(path)?, content.value(path)?, Lang::Zh)),
    }
}

/// A title is cut to its field's length; other kinds are left to fail.
fn cut(field: &Field, text: &str) -> String {
    match field.kind {
        Kind::Str { max } | Kind::Text { max } => text.chars().take(max as usize).collect(),
        _ => text.to_owned(),
    }
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
            given.rules.push((
                "is_tuopin".into(),
                Rule { when: When::Always, give: Give::Value(Value::Bool(false)) },
            ));
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
    given
        .rules
        .push(("recorded_at".into(), Rule { when: When::Always, give: Give::Value(text(&today)) }));
    if rt.code == "PVM" {
        // Without a day of identification the clue is as old as its entry here.
        let entered = Give::Copy(vec!["recorded_at".into()]);
        given.rules.push(("clue_at".into(), Rule { when: When::Always, give: entered }));
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
