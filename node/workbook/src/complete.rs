//! From what a row says to a whole record: what follows from it, what the desk adds, what is missing.
//! Never writes over what the ledger says.

use std::collections::BTreeSet;

use xw_schemas::record::{
    Content, Item, Kind, Problem, ProblemCode, RecordType, fill_computed, parse, problems,
};

use crate::defaults::Defaults;
use crate::draft::{Draft, ItemSources, cell_name};
use crate::heading::{HEADER_FIELDS, Heading, Target};
use crate::limits::SLIPS_PER_ROW_MAX;
use crate::remark::remark;
use crate::row::{CellSlip, CellWarning};

/// Stands in fields of words that the record needs and the ledger has no column for.
pub(crate) const NOT_LISTED: &str = "台账未列";

/// Rounds of filling: what one value makes necessary, another may again.
const ROUNDS_MAX: usize = 4;

/// The fields that the caller fills when it makes the record.
const CALLER_FILLS: &[&str] = &["business_no"];

/// Completes a row. Slips and warnings are added to the draft; the content is returned.
pub(crate) fn complete(
    rt: &RecordType,
    heading: &Heading<'_>,
    defaults: &Defaults,
    draft: &mut Draft,
    mut sources: ItemSources,
    number: u32,
) -> Content {
    let mut content = draft.given.clone();
    follow_from_ids(rt, &mut content);
    for (list, members) in defaults.fill(rt, &mut content) {
        assumed(rt, draft, &list, &members, number);
    }
    fill_computed(rt, &mut content);
    let state = rt.initial_transitions().next().map_or("", |step| step.to.as_str());
    let mut wrong = Vec::new();
    for _ in 0..ROUNDS_MAX {
        wrong = problems(rt, &content, state, &[]);
        wrong.retain(|problem| !is_callers(problem));
        let mut changed = false;
        for problem in wrong.iter().filter(|problem| problem.code == ProblemCode::Missing) {
            changed |= mend(rt, heading, draft, &mut content, &mut sources, problem, number);
        }
        if !changed {
            break;
        }
        defaults.fill(rt, &mut content);
        wrong.clear();
    }
    for problem in wrong {
        report(heading, draft, &problem, number);
    }
    remark(rt, draft, &mut content, number);
    content
}

/// Says which members of list items the ledger left open and the desk's defaults filled.
fn assumed(
    rt: &RecordType,
    draft: &mut Draft,
    list: &str,
    members: &BTreeSet<String>,
    number: u32,
) {
    let labels = members.iter().map(|member| {
        // Of 走访人 and its parts the first is enough to say.
        let first = member.split('.').next().unwrap_or(member);
        rt.field(&format!("{list}.{first}")).map_or(first, |field| field.zh.as_str())
    });
    let labels: BTreeSet<&str> = labels.collect();
    let labels = labels.into_iter().collect::<Vec<_>>().join("、");
    let Some(field) = rt.field(list) else { return };
    draft.warnings.push(CellWarning {
        cell: number.to_string(),
        column_zh: field.zh.clone(),
        zh: format!("台账没有列出{labels}，按通常情况记入，请核对"),
        en: "details that the ledger does not list were filled with the usual; check them"
            .to_owned(),
    });
}

fn is_callers(problem: &Problem) -> bool {
    let path = problem.path.as_str();
    problem.code == ProblemCode::Missing
        && (CALLER_FILLS.contains(&path) || HEADER_FIELDS.contains(&path))
}

/// Sex and birth date stand in an ID number; nobody types them again.
fn follow_from_ids(rt: &RecordType, content: &mut Content) {
    let ids: Vec<(String, String)> = content
        .values
        .iter()
        .filter_map(|(path, value)| {
            let holder = path.strip_suffix("id_no")?;
            let number = value.as_text().filter(|text| text.len() == 18 && text.is_ascii())?;
            Some((holder.to_owned(), number.to_owned()))
        })
        .collect();
    for (holder, number) in ids {
        let Some(sequence) = number.as_bytes().get(16) else {
            continue;
        };
        let sex = if (sequence - b'0') % 2 == 1 { "1" } else { "2" };
        let birth = format!("{}-{}-{}", &number[6..10], &number[10..12], &number[12..14]);
        for (member, text) in [("sex", sex), ("birth_date", birth.as_str()), ("id_type", "111")] {
            let path = format!("{holder}{member}");
            if let Some(field) = rt.field(&path)
                && content.value(&path).is_none()
                && let Ok(value) = parse(rt, field, text)
            {
                content.values.insert(path, value);
            }
        }
    }
}

/// Fills a missing field that the sheet has no column for, or gives up an item that cannot stand.
fn mend(
    rt: &RecordType,
    heading: &Heading<'_>,
    draft: &mut Draft,
    content: &mut Content,
    sources: &mut ItemSources,
    problem: &Problem,
    number: u32,
) -> bool {
    let Some((list, id, member)) = in_item(&problem.path) else {
        let field = rt.field(&problem.path);
        if field.is_some_and(|field| matches!(field.kind, Kind::List { .. })) {
            return first_item(draft, content, &problem.path);
        }
        if draft.columns.contains_key(&problem.path) || filled(content, &problem.path) {
            return false;
        }
        return fill_words(rt, heading, draft, content, &problem.path, &problem.path, number);
    };
    let Some(at) = content.items(list).iter().position(|item| item.id == id) else {
        return false;
    };
    let items = content.lists.get_mut(list).expect("the item was found in it");
    let full = format!("{list}.{member}");
    if !member.contains('[')
        && !filled(&items[at].content, member)
        && fill_words(rt, heading, draft, &mut items[at].content, member, &full, number)
    {
        return true;
    }
    // An item without what makes it an item is no item; its words are kept.
    items.remove(at);
    if items.is_empty() {
        content.lists.remove(list);
    }
    draft.leftovers.extend(sources.remove(&(list.to_owned(), id.to_owned())).unwrap_or_default());
    true
}

/// A list that must not be empty gets one item, whose words will say that the ledger lists nothing.
fn first_item(draft: &mut Draft, content: &mut Content, list: &str) -> bool {
    let is_new = draft.begun.insert(list.to_owned());
    if is_new {
        let item = Item { id: format!("{list}-1"), content: Content::default() };
        content.lists.entry(list.to_owned()).or_default().push(item);
    }
    is_new
}

/// Words, and codes whose list has an "other", can honestly say that the ledger does not say.
fn fill_words(
    rt: &RecordType,
    heading: &Heading<'_>,
    draft: &mut Draft,
    content: &mut Content,
    path: &str,
    full: &str,
    number: u32,
) -> bool {
    let Some(field) = rt.field(full) else {
        return false;
    };
    // A person without a name is no person.
    let holder = full.rsplit_once('.').and_then(|(holder, _)| rt.field(holder));
    if holder.is_some_and(|holder| matches!(holder.kind, Kind::Struct { .. }))
        && field.name == "name"
    {
        return false;
    }
    let text = match field.kind {
        Kind::Str { .. } | Kind::Text { .. } | Kind::Ref { .. } => NOT_LISTED.to_owned(),
        Kind::Enum => {
            let other = rt
                .code_list(field)
                .and_then(|list| list.codes.iter().rev().find(|code| code.zh.starts_with("其他")));
            match other {
                Some(code) => code.code.clone(),
                None => return false,
            }
        }
        _ => return false,
    };
    let Ok(value) = parse(rt, field, &text) else {
        return false;
    };
    content.values.insert(path.to_owned(), value);
    draft.warnings.push(CellWarning {
        cell: number.to_string(),
        column_zh: field.zh.clone(),
        zh: format!("《{}》没有此项，暂记为“{NOT_LISTED}”，请以后补正", heading.ledger.zh),
        en: format!("the ledger “{}” has no such column; noted as not listed", heading.ledger.en),
    });
    true
}

fn filled(content: &Content, path: &str) -> bool {
    content.value(path).is_some()
}

/// `visits[ab12].met_person.name` → `visits`, `ab12`, `met_person.name`.
fn in_item(path: &str) -> Option<(&str, &str, &str)> {
    let (list, rest) = path.split_once('[')?;
    let (id, member) = rest.split_once("].")?;
    Some((list, id, member))
}

/// Puts a problem beside the cell that the clerk can mend.
fn report(heading: &Heading<'_>, draft: &mut Draft, problem: &Problem, number: u32) {
    let path = match in_item(&problem.path) {
        Some((list, _, member)) => format!("{list}.{member}"),
        None => problem.path.clone(),
    };
    let column = draft.columns.get(&path).copied();
    let bound = column.and_then(|column| heading.columns.get(&column));
    let cell = column.map_or_else(|| number.to_string(), |column| cell_name(column, number));
    let column_zh = bound.map(|bound| bound.heading.clone()).unwrap_or_default();
    let (mut zh, mut en) = (problem.zh().to_owned(), problem.en().to_owned());
    if problem.is_warning() {
        // The two values are left out: a warning is shown once for all rows that have it.
        zh = "与按公式算出的不同，按台账填写的导入，请核对".to_owned();
        en = "differs from what its formula gives; imported as written".to_owned();
        draft.warnings.push(CellWarning { cell, column_zh, zh, en });
    } else if draft.slips.len() < SLIPS_PER_ROW_MAX
        // A cell that was not understood is missing only for that reason.
        && !draft.slips.iter().any(|slip| slip.cell == cell && column.is_some())
    {
        draft.slips.push(CellSlip { cell, column_zh, value: String::new(), zh, en });
    }
}

/// Which of the ledger's columns a file must have: without them no row can become a record.
pub(crate) fn missing_columns(
    rt: &RecordType,
    heading: &Heading<'_>,
    defaults: &Defaults,
) -> Vec<String> {
    let has = |zh: &str| {
        heading.columns.values().any(|bound| match bound.target {
            Target::Column(column) => column.zh == zh,
            Target::Extra(_) => false,
        })
    };
    // What an empty row lacks once the desk has filled in what it knows, every row lacks.
    let mut empty = Content::default();
    defaults.fill(rt, &mut empty);
    let state = rt.initial_transitions().next().map_or("", |step| step.to.as_str());
    let lacking: BTreeSet<String> = problems(rt, &empty, state, &[])
        .into_iter()
        .filter(|problem| problem.code == ProblemCode::Missing && !is_callers(problem))
        .map(|problem| problem.path)
        .collect();
    heading
        .ledger
        .columns
        .iter()
        .filter(|column| !has(&column.zh))
        .filter(|column| column.path.as_ref().is_some_and(|path| lacking.contains(path)))
        .map(|column| column.zh.clone())
        .collect()
}
