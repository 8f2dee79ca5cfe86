//! Record types as people need them: which fields there are, what may stand in them, who may take
//! which step.

use serde_json::Value as Json;
use xw_schemas::record::{CodeList, Field, Kind, Lang, RecordType, Required, Transition, sentence};

use super::table::{Side, Table};
use super::{Screen, either, items, plain, text};
use crate::words::{self, Word};

/// Choices spelled out beside a field; longer lists stand below.
const CHOICES_SHOWN_MAX: usize = 8;

/// All record types in short.
pub(crate) fn types(answer: &Json, screen: Screen) -> String {
    let heads = [
        (words::CODE, Side::Left),
        (words::NAME, Side::Left),
        (words::VERSION, Side::Left),
        (words::FIELDS, Side::Right),
        (words::STATES, Side::Right),
        (words::STEPS, Side::Right),
        (words::LEDGERS, Side::Left),
        (words::HASH, Side::Left),
    ];
    let mut table = Table::new(screen, &heads).ruled();
    for one in items(answer, "types") {
        let ledgers: Vec<String> = items(one, "ledgers")
            .iter()
            .map(|ledger| match screen.lang {
                Lang::Zh => text(ledger, "zh"),
                Lang::En => text(ledger, "key"),
            })
            .collect();
        table.row(&[
            text(one, "code"),
            either(one, "zh", "en", screen),
            text(one, "version"),
            text(one, "fields"),
            text(one, "states"),
            text(one, "transitions"),
            ledgers.join("\n"),
            text(one, "hash").chars().take(12).collect(),
        ]);
    }
    let hint = screen
        .pick("字段和办理步骤：xiangwang types 代码", "fields and steps: xiangwang types CODE");
    format!("{}{hint}\n", table.text())
}

/// A folder of record-type files that compiles.
pub(crate) fn checked_types(answer: &Json, screen: Screen) -> String {
    let n = items(answer, "types").len();
    let said = screen
        .pick(&format!("{n} 种记录类型，定义无误\n"), &format!("{n} record types, all sound\n"))
        .to_owned();
    let table = types(answer, screen);
    format!(
        "{}{said}",
        table.rsplit_once(screen.pick("字段和", "fields and")).map_or("", |(table, _)| table)
    )
}

/// One record type in full.
pub(crate) fn definition(rt: &RecordType, screen: Screen) -> String {
    let name = screen.pick(&rt.zh, &rt.en);
    let version = screen.pick("版本", "version");
    let mut out = format!("{}  {name}  {version} {}\n{}\n", rt.code, rt.version, rt.hash());
    let mut lists: Vec<&CodeList> = Vec::new();
    let mut section = |title: Word, body: String| {
        out.push_str(&format!("\n{}\n{body}", title.of(screen.lang)));
    };
    section(words::FIELDS, fields(rt, &mut lists, screen));
    section(words::STATES, states(rt, screen));
    section(words::STEPS, steps(rt, screen));
    section(words::LEDGERS, ledgers(rt, screen));
    if !lists.is_empty() {
        section(words::CODE_LISTS, code_lists(&lists, screen));
    }
    plain(&out)
}

fn fields<'a>(rt: &'a RecordType, lists: &mut Vec<&'a CodeList>, screen: Screen) -> String {
    let heads = [
        (words::FIELD, Side::Left),
        (words::PATH, Side::Left),
        (words::KIND, Side::Left),
        (words::REQUIRED, Side::Left),
        (words::SENSITIVITY, Side::Left),
        (words::READERS, Side::Left),
    ];
    let mut table = Table::new(screen, &heads);
    enter(rt, &rt.fields, ("", ""), &mut table, lists, screen);
    table.text()
}

/// Fields in the order of the form, groups and lists opened where they stand.
fn enter<'a>(
    rt: &'a RecordType,
    fields: &'a [Field],
    (prefix, labels): (&str, &str),
    table: &mut Table,
    lists: &mut Vec<&'a CodeList>,
    screen: Screen,
) {
    for field in fields {
        let path = format!("{prefix}{}", field.name);
        let label = format!("{labels}{}", screen.pick(&field.zh, &field.en));
        // What holds at this place: a group may make its members more sensitive.
        let here = rt.field(&path).unwrap_or(field);
        table.row(&[
            label.clone(),
            path.clone(),
            kind(rt, field, lists, screen),
            required(rt, field, screen),
            sensitivity(here, screen),
            readers(here, screen),
        ]);
        let brackets = match &field.kind {
            Kind::Struct { .. } => "",
            Kind::List { .. } => "[]",
            _ => continue,
        };
        if let Kind::Struct { name } | Kind::List { of: name } = &field.kind
            && let Some(inner) = rt.structs.get(name)
        {
            let labels = format!("{label}{brackets}.");
            enter(rt, &inner.fields, (&format!("{path}."), &labels), table, lists, screen);
        }
    }
}

fn kind<'a>(
    rt: &'a RecordType,
    field: &'a Field,
    lists: &mut Vec<&'a CodeList>,
    screen: Screen,
) -> String {
    let of = |word: Word| word.of(screen.lang).to_owned();
    let at_most = |word: Word, max: &u32| {
        format!(
            "{}{}",
            word.of(screen.lang),
            screen.pick(&format!("，最多 {max} 字"), &format!(" of at most {max}"))
        )
    };
    let mut said = match &field.kind {
        Kind::Str { max } => at_most(words::KIND_STR, max),
        Kind::Text { max } => at_most(words::KIND_TEXT, max),
        Kind::Int => of(words::KIND_INT),
        Kind::Dec { scale } => format!(
            "{}{}",
            of(words::KIND_DEC),
            screen.pick(&format!("，{scale} 位"), &format!(", {scale} places"))
        ),
        Kind::Money => of(words::KIND_MONEY),
        Kind::Bool => of(words::KIND_BOOL),
        Kind::Date => of(words::KIND_DATE),
        Kind::DateTime => of(words::KIND_DATETIME),
        Kind::Enum => of(words::KIND_ENUM),
        Kind::EnumMany => of(words::KIND_ENUM_MANY),
        Kind::Division { digits } => format!("{} {digits}", of(words::KIND_DIVISION)),
        Kind::IdNumber => of(words::KIND_ID),
        Kind::CreditCode => of(words::KIND_CREDIT),
        Kind::Phone => of(words::KIND_PHONE),
        Kind::Geo => of(words::KIND_GEO),
        Kind::Hash => of(words::KIND_HASH),
        Kind::Ref { .. } => of(words::KIND_REF),
        Kind::Struct { .. } => of(words::KIND_GROUP),
        Kind::List { .. } => of(words::KIND_LIST),
    };
    if !field.unit.is_empty() {
        said.push_str(screen.pick(&format!("（{}）", field.unit), &format!(" ({})", field.unit)));
    }
    if field.compute.is_some() {
        said.push_str(&format!("{}{}", words::COMMA.of(screen.lang), of(words::COMPUTED)));
    }
    if let Some(list) = rt.code_list(field) {
        said.push_str(&format!("{}{}", words::COLON.of(screen.lang), choices(list, lists, screen)));
    }
    said
}

/// A short list of choices itself; of a long one its name, and it stands below.
fn choices<'a>(list: &'a CodeList, lists: &mut Vec<&'a CodeList>, screen: Screen) -> String {
    if list.codes.len() <= CHOICES_SHOWN_MAX {
        let labels: Vec<&str> = list.codes.iter().map(|c| screen.pick(&c.zh, &c.en)).collect();
        return labels.join(screen.pick("、", "; "));
    }
    if !lists.iter().any(|known| known.name == list.name) {
        lists.push(list);
    }
    match screen.lang {
        Lang::Zh => format!("见代码表“{}”", list.zh),
        Lang::En => format!("see {}", list.name),
    }
}

fn required(rt: &RecordType, field: &Field, screen: Screen) -> String {
    match &field.required {
        Required::Always => words::ALWAYS.of(screen.lang).to_owned(),
        Required::Never => words::OPTIONAL.of(screen.lang).to_owned(),
        Required::From(state) => {
            let named = state_name(rt, state, screen);
            screen.pick(&format!("“{named}”起"), &format!("from {named} on")).to_owned()
        }
        Required::When(condition) => {
            let said = sentence(rt, condition, screen.lang);
            screen.pick(&format!("当{said}"), &format!("when {said}")).to_owned()
        }
    }
}

fn state_name<'a>(rt: &'a RecordType, code: &'a str, screen: Screen) -> &'a str {
    match code {
        Transition::CREATION => words::FIRST_STEP.of(screen.lang),
        code => rt.state(code).map_or(code, |state| screen.lang.pick(&state.zh, &state.en)),
    }
}

fn sensitivity(field: &Field, screen: Screen) -> String {
    let word = match field.pi {
        0 => return String::new(),
        1 => words::PI_1,
        2 => words::PI_2,
        _ => words::PI_3,
    };
    word.of(screen.lang).to_owned()
}

fn readers(field: &Field, screen: Screen) -> String {
    let said: Vec<&str> =
        field.vis.chars().filter_map(words::reader).map(|word| word.of(screen.lang)).collect();
    said.join(words::LIST_COMMA.of(screen.lang))
}

fn states(rt: &RecordType, screen: Screen) -> String {
    let heads =
        [(words::STATE, Side::Left), (words::CODE, Side::Left), (words::REMARKS, Side::Left)];
    let mut table = Table::new(screen, &heads);
    for state in &rt.states {
        let terminal = if state.terminal { words::TERMINAL.of(screen.lang) } else { "" };
        table.row(&[
            screen.pick(&state.zh, &state.en).to_owned(),
            state.code.clone(),
            terminal.to_owned(),
        ]);
    }
    table.text()
}

fn steps(rt: &RecordType, screen: Screen) -> String {
    let heads = [
        (words::ACTION, Side::Left),
        (words::FROM, Side::Left),
        (words::TO, Side::Left),
        (words::WHO, Side::Left),
        (words::DEADLINE, Side::Left),
        (words::REASON, Side::Left),
    ];
    let mut table = Table::new(screen, &heads).ruled();
    let roles = rt.lists.get("CL_ROLE");
    for step in &rt.transitions {
        let role = |code: &String| {
            let found = roles.and_then(|list| list.code(code));
            found.map_or_else(
                || code.clone(),
                |c| match screen.lang {
                    Lang::Zh => format!("{}（{code}）", c.zh),
                    Lang::En => format!("{} ({code})", c.en),
                },
            )
        };
        let who: Vec<String> = step.who.iter().map(role).collect();
        let reason = if step.needs_reason { words::NEEDS_REASON.of(screen.lang) } else { "" };
        table.row(&[
            screen.pick(&step.zh, &step.en).to_owned(),
            state_name(rt, &step.from, screen).to_owned(),
            state_name(rt, &step.to, screen).to_owned(),
            who.join(words::LIST_COMMA.of(screen.lang)),
            screen.pick(&step.deadline, &step.deadline_en).to_owned(),
            reason.to_owned(),
        ]);
    }
    table.text()
}

fn ledgers(rt: &RecordType, screen: Screen) -> String {
    let heads =
        [(words::NAME, Side::Left), (words::CODE, Side::Left), (words::COLUMNS, Side::Left)];
    let mut table = Table::new(screen, &heads).ruled();
    for ledger in &rt.ledgers {
        let columns: Vec<&str> = ledger.columns.iter().map(|column| column.zh.as_str()).collect();
        table.row(&[
            screen.pick(&ledger.zh, &ledger.en).to_owned(),
            ledger.key.clone(),
            columns.join("、"),
        ]);
    }
    table.text()
}

fn code_lists(lists: &[&CodeList], screen: Screen) -> String {
    let heads = [(words::NAME, Side::Left), (words::CHOICES, Side::Left)];
    let mut table = Table::new(screen, &heads).ruled();
    for list in lists {
        let codes: Vec<String> = list
            .codes
            .iter()
            .map(|c| format!("{} {}", c.code, screen.pick(&c.zh, &c.en)))
            .collect();
        let name = screen.pick(&list.zh, &list.name).to_owned();
        table.row(&[name, codes.join("\n")]);
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_built_in_type_is_shown_with_all_its_fields_states_and_steps() {
        for rt in xw_schemas::record::builtin() {
            for lang in [Lang::Zh, Lang::En] {
                let text = definition(&rt, Screen { lang, width: 400 });
                for (path, field) in rt.paths() {
                    assert!(text.contains(path), "{} {path}", rt.code);
                    assert!(text.contains(lang.pick(&field.zh, &field.en)), "{} {path}", rt.code);
                }
                for state in &rt.states {
                    assert!(
                        text.contains(lang.pick(&state.zh, &state.en)),
                        "{} {}",
                        rt.code,
                        state.code
                    );
                }
                assert_eq!(text.contains("必填"), lang == Lang::Zh, "{}", rt.code);
            }
        }
    }

    #[test]
    fn a_narrow_screen_is_kept() {
        let types = xw_schemas::record::builtin();
        let text = definition(&types[0], Screen { lang: Lang::Zh, width: 110 });
        let columns = |line: &str| -> usize {
            line.chars().map(|c| if ('\u{2e80}'..='\u{ffef}').contains(&c) { 2 } else { 1 }).sum()
        };
        let widest = text.lines().map(columns).max().unwrap();
        assert!(widest <= 112, "{widest}");
    }
}
