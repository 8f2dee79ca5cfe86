//! Contents that are valid in every state of a record type, made from its definition alone: what
//! the type calls missing is filled until it calls nothing wrong.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use xw_schemas::record::{
    Content, Field, Item, Kind, Problem, ProblemCode, RecordType, Value, problems,
};

use crate::county::county;

static FULL: LazyLock<BTreeMap<String, Content>> =
    LazyLock::new(|| county().types.iter().map(|rt| (rt.code.clone(), fill(rt))).collect());

/// Contents of a built-in type that suit all its states.
pub(crate) fn full(code: &str) -> &'static Content {
    &FULL[code]
}

fn fill(rt: &RecordType) -> Content {
    let mut content = Content::default();
    let left: Vec<String> = rt.states.iter().map(|state| state.code.clone()).collect();
    // Filling one field may ask for another; four rounds suffice for conditions that deep.
    for _ in 0..4 {
        for state in &left {
            for problem in wrong(rt, &content, state, &left) {
                assert_eq!(problem.code, ProblemCode::Missing, "{} {}", rt.code, problem.path);
                put(rt, &mut content, &problem.path);
            }
        }
    }
    for state in &left {
        assert!(wrong(rt, &content, state, &left).is_empty(), "{} in {state}", rt.code);
    }
    content
}

fn wrong(rt: &RecordType, content: &Content, state: &str, left: &[String]) -> Vec<Problem> {
    let all = problems(rt, content, state, left);
    all.into_iter().filter(|problem| !problem.is_warning()).collect()
}

/// Fills the field at a path such as `visits[a].note`.
fn put(rt: &RecordType, content: &mut Content, path: &str) {
    let mut field_path = String::new();
    let mut target = content;
    let mut rest = path;
    while let Some((list, tail)) = rest.split_once('[') {
        let (id, tail) = tail.split_once("].").expect("an item's field");
        field_path = join(&field_path, list);
        let items = target.lists.get_mut(list).expect("the list of the item");
        target = &mut items.iter_mut().find(|item| item.id == id).expect("the item").content;
        rest = tail;
    }
    let field = rt.field(&join(&field_path, rest)).expect("a field that is missing is defined");
    match &field.kind {
        Kind::List { .. } => {
            let items = (0..field.items_min.max(1))
                .map(|at| Item { id: format!("i{at}"), content: Content::default() });
            target.lists.insert(rest.to_owned(), items.collect());
        }
        // A group without required members is filled by its first one.
        Kind::Struct { name } => {
            let first = &rt.structs[name].fields[0];
            let (path, value) = (format!("{rest}.{}", first.name), value(rt, first));
            target.values.insert(path, value);
        }
        _ => {
            target.values.insert(rest.to_owned(), value(rt, field));
        }
    }
}

fn join(above: &str, below: &str) -> String {
    if above.is_empty() { below.to_owned() } else { format!("{above}.{below}") }
}

fn value(rt: &RecordType, field: &Field) -> Value {
    let codes = || rt.code_list(field).expect("a choice has a list").codes.iter();
    let text = |text: &str| Value::Text(text.to_owned());
    match &field.kind {
        Kind::Str { .. } | Kind::Text { .. } => text("样例"),
        Kind::Int | Kind::Dec { .. } | Kind::Money => Value::Int(1),
        Kind::Bool => Value::Bool(false),
        Kind::Date => text("2026-01-05"),
        Kind::DateTime => text("2026-01-05T08:00:00+08:00"),
        Kind::Enum => Value::Text(codes().next().expect("a code").code.clone()),
        Kind::EnumMany => {
            let fewest = field.items_min.max(1) as usize;
            let mut some: Vec<&str> = codes().take(fewest).map(|code| code.code.as_str()).collect();
            some.sort_unstable();
            Value::Text(some.join(","))
        }
        Kind::Division { digits } => text(&"130599201201"[..usize::from(*digits)]),
        Kind::Phone => text("13800000000"),
        Kind::Geo => text("37.0700,114.5000"),
        Kind::Hash => Value::Text("ab".repeat(32)),
        Kind::Ref { .. } => text("样例"),
        other => panic!("no sample of {other:?} for {}", field.name),
    }
}
