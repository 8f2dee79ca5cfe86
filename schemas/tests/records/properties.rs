//! What holds for any value and any contents.

use std::sync::LazyLock;

use proptest::collection::{btree_map, vec};
use proptest::prelude::*;
use serde_json::Value as Json;
use xw_schemas::record::{
    Content, Field, Item, Kind, Lang, RecordType, Value, builtin, display, fill_computed,
    from_json, parse, problems, to_json,
};
use xw_schemas::value::{Day, credit_code_check, id_check_digit};

static TYPES: LazyLock<Vec<RecordType>> = LazyLock::new(builtin);

/// Every field with its type, and one field of each kind that the four types do not use.
static FIELDS: LazyLock<Vec<(usize, Field)>> = LazyLock::new(|| {
    let mut fields: Vec<(usize, Field)> = TYPES
        .iter()
        .enumerate()
        .flat_map(|(at, rt)| rt.paths().map(move |(_, field)| (at, field.clone())))
        .filter(|(_, field)| !matches!(field.kind, Kind::Struct { .. } | Kind::List { .. }))
        .collect();
    for kind in [
        Kind::Geo,
        Kind::CreditCode,
        Kind::Hash,
        Kind::Dec { scale: 6 },
        Kind::Division { digits: 6 },
        Kind::Division { digits: 9 },
    ] {
        let mut field = TYPES[0].field("title").unwrap().clone();
        field.kind = kind;
        fields.push((0, field));
    }
    fields
});

/// A stored value that fits the field, grown from a seed.
fn fitting(rt: &RecordType, field: &Field, seed: u64) -> Value {
    let day = |seed: u64| Day::from_number((seed % 60_000) as i64 - 20_000).unwrap().to_stored();
    let text = |max: u32| {
        let letters = ['户', '李', 'a', '７', '、', '√', '（', '9', '.', '，'];
        let length = seed % u64::from(max.min(12)) + 1;
        (0..length).map(|i| letters[((seed >> i) % 10) as usize]).collect::<String>()
    };
    let codes = || rt.lists[field.list.as_ref().unwrap()].codes.iter().map(|c| c.code.as_str());
    Value::Text(match &field.kind {
        Kind::Bool => return Value::Bool(seed.is_multiple_of(2)),
        Kind::Int | Kind::Dec { .. } => return Value::Int((seed % 1_000_000_000_000) as i64),
        Kind::Money => return Value::Int((seed % 199_999_999_999_999) as i64 - 99_999_999_999_999),
        Kind::Str { max } | Kind::Text { max } => text(*max),
        Kind::Ref { .. } => text(100),
        Kind::Date => day(seed),
        Kind::DateTime => {
            format!(
                "{}T{:02}:{:02}:{:02}+08:00",
                day(seed),
                seed % 24,
                seed / 7 % 60,
                seed / 11 % 60
            )
        }
        Kind::Enum => codes().nth(seed as usize % codes().count()).unwrap().into(),
        Kind::EnumMany => {
            let most = if field.items_max == 0 { 99 } else { field.items_max as usize };
            let first = codes().nth(seed as usize % codes().count()).unwrap();
            let mut some: Vec<&str> =
                codes().enumerate().filter(|(i, _)| seed >> i & 1 == 1).map(|(_, c)| c).collect();
            some.truncate(most);
            if some.is_empty() {
                some.push(first);
            }
            some.sort_unstable();
            some.join(",")
        }
        Kind::Division { digits } => {
            format!("{:0<1$}", 10 + seed % 80, usize::from(*digits))
        }
        Kind::IdNumber => {
            let first = format!("130599{}{:03}", day(seed).replace('-', ""), seed % 1000);
            format!("{first}{}", id_check_digit(&first).unwrap())
        }
        Kind::CreditCode => {
            let first = format!("91130599MA{:07}", seed % 10_000_000);
            format!("{first}{}", credit_code_check(&first).unwrap())
        }
        Kind::Phone => match seed % 3 {
            0 => format!("100{:08}", seed % 100_000_000),
            1 => format!("0319-{:07}", seed % 10_000_000),
            _ => format!("13{:09},0319-{:07}", seed % 1_000_000_000, seed % 10_000_000),
        },
        Kind::Geo => format!("{}.{:06},{}.5", seed % 90, seed % 1_000_000, seed % 180),
        Kind::Hash => format!("{seed:064x}"),
        Kind::Struct { .. } | Kind::List { .. } => unreachable!("left out above"),
    })
}

fn any_value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(Value::Int),
        ".{0,20}".prop_map(Value::Text),
        "[0-9]{1,12}(-[0-9]{2}){0,2}".prop_map(Value::Text),
    ]
}

/// Paths that exist, nearly exist, and do not.
fn any_path() -> impl Strategy<Value = String> {
    let real: Vec<String> =
        TYPES.iter().flat_map(|rt| rt.paths()).map(|(p, _)| p.to_owned()).collect();
    prop_oneof![
        8 => proptest::sample::select(real),
        1 => ".{0,12}",
        1 => "[a-z_]{1,8}(\\.[a-z_]{1,8}){0,3}",
    ]
}

fn any_content() -> impl Strategy<Value = Content> {
    let flat = btree_map(any_path(), any_value(), 0..12)
        .prop_map(|values| Content { values, lists: Default::default() });
    flat.prop_recursive(3, 24, 4, |inner| {
        let items =
            vec(("[a-z0-9]{0,3}", inner).prop_map(|(id, content)| Item { id, content }), 0..4);
        (btree_map(any_path(), any_value(), 0..12), btree_map(any_path(), items, 0..4))
            .prop_map(|(values, lists)| Content { values, lists })
    })
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        any::<i64>().prop_map(Json::from),
        any::<f64>().prop_map(Json::from),
        ".{0,16}".prop_map(Json::from),
    ];
    leaf.prop_recursive(5, 64, 8, |inner| {
        let name = any_path().prop_map(|path| {
            // Half the names are those of members, so that nested objects are found as well.
            if path.len() % 2 == 0 {
                path.rsplit('.').next().unwrap_or("").to_owned()
            } else {
                path
            }
        });
        prop_oneof![
            vec(inner.clone(), 0..6).prop_map(Json::from),
            btree_map(name, inner, 0..8).prop_map(|map| Json::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn what_is_shown_is_read_back_to_the_same_value(at in any::<prop::sample::Index>(), seed in any::<u64>()) {
        let (rt, field) = &FIELDS[at.index(FIELDS.len())];
        let rt = &TYPES[*rt];
        let value = fitting(rt, field, seed);
        for lang in [Lang::Zh, Lang::En] {
            let shown = display(rt, field, &value, lang);
            prop_assert_eq!(parse(rt, field, &shown), Ok(value.clone()), "{} shown as {}", field.name, shown);
        }
        // The stored form of a text is itself something people may write.
        if let Value::Text(stored) = &value {
            prop_assert_eq!(parse(rt, field, stored), Ok(value.clone()));
        }
    }

    #[test]
    fn whatever_is_read_from_a_cell_is_valid_in_its_field(at in any::<prop::sample::Index>(), text in ".{0,30}|[0-9 ./:年月日,、元万+-]{0,16}") {
        let (rt, field) = &FIELDS[at.index(FIELDS.len())];
        let rt = &TYPES[*rt];
        if let Ok(value) = parse(rt, field, &text) {
            let shown = display(rt, field, &value, Lang::Zh);
            prop_assert_eq!(parse(rt, field, &shown), Ok(value), "{:?} shown as {:?}", text, shown);
        }
    }

    #[test]
    fn any_contents_get_an_answer_and_the_same_one_twice(
        at in 0..4_usize, mut content in any_content(), state in "[a-z]{0,8}|accepted|mediating|verified", left in vec("[a-z]{0,8}|mediating", 0..4)
    ) {
        let rt = &TYPES[at];
        let first = problems(rt, &content, &state, &left);
        prop_assert_eq!(&first, &problems(&rt.clone(), &content, &state, &left));
        prop_assert!(first.iter().all(|p| !p.zh().is_empty() && !p.en().is_empty()));
        fill_computed(rt, &mut content);
        let _ = to_json(&content);
    }

    #[test]
    fn any_json_is_read_or_refused(at in 0..4_usize, json in any_json()) {
        let rt = &TYPES[at];
        match from_json(rt, &json) {
            Ok(content) => {
                prop_assert_eq!(from_json(rt, &to_json(&content)), Ok(content));
            }
            Err(slips) => prop_assert!(!slips.is_empty()),
        }
    }
}
