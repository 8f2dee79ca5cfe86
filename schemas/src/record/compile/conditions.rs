//! Reads the `req` of a field: a sign, a state, or a condition.
//! Checks the form; whether names exist is the linter's business.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::record::condition::{CONDITION_DEPTH_MAX, Condition};
use crate::record::model::Required;
use crate::record::schema_error::SchemaFlaw;
use crate::record::source::{Pair, Source, pairs};

/// Keys that a condition may be written with.
const TESTS: [&str; 11] = [
    "field",
    "in",
    "has",
    "filled",
    "any_false",
    "state",
    "left",
    "pi_at_least",
    "all",
    "any",
    "not",
];

/// Reads when a field is required: `"*"`, `"?"`, a state, or `{ … }`.
pub(super) fn read_required(
    source: &mut Source<'_>,
    value: &Spanned<DeValue<'_>>,
) -> Option<Required> {
    match value.get_ref() {
        DeValue::String(text) => Some(match text.as_ref() {
            "*" => Required::Always,
            "?" => Required::Never,
            state => Required::From(state.to_owned()),
        }),
        DeValue::Table(table) => {
            let inner = match pairs(table).as_slice() {
                [Pair { key: "when", value, .. }] => source.table("when", value)?,
                _ => table,
            };
            let at = value.span().start;
            read_condition(source, inner, at, CONDITION_DEPTH_MAX).map(Required::When)
        }
        _ => {
            source.wrong_sort(
                "req",
                value,
                "“*”、“?”、状态名或 { 条件 }",
                "\"*\", \"?\", a state or { a condition }",
            );
            None
        }
    }
}

fn read_condition(
    source: &mut Source<'_>,
    table: &DeTable<'_>,
    at: usize,
    room: usize,
) -> Option<Condition> {
    if room == 0 {
        source.flaw(at, SchemaFlaw::ConditionDepth { max: CONDITION_DEPTH_MAX });
        return None;
    }
    let found = source.pairs(table, &TESTS);
    if found.iter().any(|pair| !TESTS.contains(&pair.key)) {
        return None;
    }
    match found.as_slice() {
        [Pair { key: "field", value: field, .. }, Pair { key: "in", value: codes, .. }]
        | [Pair { key: "in", value: codes, .. }, Pair { key: "field", value: field, .. }] => {
            let field = source.text("field", field)?;
            let codes = read_codes(source, codes)?;
            Some(Condition::In { field, codes })
        }
        [one] => read_test(source, one, room),
        _ => {
            let keys: Vec<&str> = found.iter().map(|pair| pair.key).collect();
            source.flaw(at, SchemaFlaw::ConditionShape { key: keys.join(", ") });
            None
        }
    }
}

fn read_test(source: &mut Source<'_>, pair: &Pair<'_>, room: usize) -> Option<Condition> {
    let (key, value) = (pair.key, pair.value);
    match key {
        "has" => match source.texts(key, value)?.as_slice() {
            [field, code] => Some(Condition::Has { field: field.clone(), code: code.clone() }),
            _ => {
                source.wrong_sort(key, value, "[字段, 代码]", "[field, code]");
                None
            }
        },
        "filled" => Some(Condition::Filled { field: source.text(key, value)? }),
        "any_false" => Some(Condition::AnyFalse { fields: source.texts(key, value)? }),
        "state" => {
            let states = match value.get_ref() {
                DeValue::String(state) => vec![state.to_string()],
                _ => source.texts(key, value)?,
            };
            Some(Condition::State { states })
        }
        "left" => Some(Condition::Left { state: source.text(key, value)? }),
        "pi_at_least" => {
            let class = source.number(key, value)?;
            Some(Condition::PiAtLeast { class: u8::try_from(class).unwrap_or(u8::MAX) })
        }
        "not" => {
            let inner = source.table(key, value)?;
            let inner = read_condition(source, inner, pair.at, room - 1)?;
            Some(Condition::Not(Box::new(inner)))
        }
        "all" | "any" => {
            let mut parts = Vec::new();
            for part in source.array(key, value)? {
                let table = source.table(key, part)?;
                parts.push(read_condition(source, table, part.span().start, room - 1)?);
            }
            Some(if key == "all" { Condition::All(parts) } else { Condition::Any(parts) })
        }
        _ => {
            source.flaw(pair.at, SchemaFlaw::ConditionShape { key: key.to_owned() });
            None
        }
    }
}

/// Codes as texts; for yes-or-no fields `true` and `false` may stand without quotes.
fn read_codes(source: &mut Source<'_>, value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
    let mut codes = Vec::new();
    for item in source.array("in", value)? {
        codes.push(match item.get_ref() {
            DeValue::Boolean(truth) => truth.to_string(),
            _ => source.text("in", item)?,
        });
    }
    Some(codes)
}
