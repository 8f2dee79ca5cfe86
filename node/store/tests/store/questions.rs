//! Questions over the rows: every filter, order and count, and the words of Chinese.

use xw_ledger::standing::Standing;
use xw_schemas::space::Division;
use xw_schemas::value::Value;
use xw_store::{
    Cursor, Filter, GroupKey, Op, Order, Query, QuerySlip, Range, Reader, SortKey, Store,
    StoreError,
};

use crate::world::{EAST, NOW_MS, TOWN, WEST, World, content, put, take, text, visit};

/// Eight records in two villages.
fn asked() -> (World, Store, Reader) {
    let mut world = World::new();
    let mut store = world.store();
    let east = world.open(&mut store, |w| &w.east);
    let west = world.open(&mut store, |w| &w.west);
    let names = ["王秀英", "李建国", "王建军", "赵敏"];
    for (i, name) in names.iter().enumerate() {
        let n = i as i64;
        let mut made = content(
            &format!("东{i}"),
            &[
                ("applicant_name", text(name)),
                ("phone", text(&format!("1380000000{i}"))),
                ("colour", text(&(i % 3 + 1).to_string())),
                ("amount", Value::Int(12_500 * n)),
                ("done_on", text(&format!("2026-0{}-15", i + 1))),
                ("urgent", Value::Bool(i % 2 == 0)),
            ],
        );
        if i < 2 {
            made.lists.insert(
                "visits".into(),
                vec![visit("1", "孙立", "2026-02-01"), visit("2", &format!("周{i}"), "2026-03-01")],
            );
        }
        let record = world.write(&mut store, east, |w| &w.east, &made);
        if i == 0 {
            let done =
                world.change(&store, east, |w| &w.east, record, vec![], Some(("open", "done")));
            take(&mut store, vec![done]);
        }
    }
    for i in 0..4 {
        let made = content(&format!("西{i}"), &[("applicant_name", text("王秀"))]);
        let made = if i == 3 { content("西3", &[]) } else { made };
        world.write(&mut store, west, |w| &w.west, &made);
    }
    let reader = store.reader().unwrap();
    (world, store, reader)
}

fn titles(reader: &Reader, query: &Query) -> Vec<String> {
    let query = Query { sort: vec![(SortKey::Created, Order::Up)], ..query.clone() };
    let rows = reader.list(&query).unwrap().rows;
    rows.into_iter().map(|row| row.title.unwrap()).collect()
}

fn field(path: &str, op: Op) -> Query {
    Query { fields: vec![Filter { path: path.into(), op }], ..Query::default() }
}

#[test]
fn every_operator_finds_what_it_says() {
    let (_, _, reader) = asked();
    let cases: Vec<(&str, Op, &[&str])> = vec![
        ("colour", Op::Eq(text("1")), &["东0", "东3"]),
        ("colour", Op::Ne(text("1")), &["东1", "东2", "西0", "西1", "西2", "西3"]),
        ("amount", Op::Gt(Value::Int(12_500)), &["东2", "东3"]),
        ("amount", Op::Ge(Value::Int(12_500)), &["东1", "东2", "东3"]),
        ("amount", Op::Lt(Value::Int(12_500)), &["东0"]),
        ("amount", Op::Le(Value::Int(12_500)), &["东0", "东1"]),
        ("done_on", Op::Ge(text("2026-03-01")), &["东2", "东3"]),
        ("colour", Op::In(vec![text("2"), text("3")]), &["东1", "东2"]),
        ("colour", Op::In(vec![]), &[]),
        ("applicant_name", Op::Contains("建".into()), &["东1", "东2"]),
        ("applicant_name", Op::Contains("%".into()), &[]),
        ("applicant_name", Op::StartsWith("王".into()), &["东0", "东2", "西0", "西1", "西2"]),
        ("urgent", Op::Eq(Value::Bool(true)), &["东0", "东2"]),
        ("phone", Op::Filled(true), &["东0", "东1", "东2", "东3"]),
        ("phone", Op::Filled(false), &["西0", "西1", "西2", "西3"]),
        ("colour", Op::HasCode("3".into()), &["东2"]),
        ("visits.visitor", Op::Eq(text("孙立")), &["东0", "东1"]),
        ("visits.visitor", Op::Contains("周1".into()), &["东1"]),
        ("visits.visitor", Op::Filled(false), &["东2", "东3", "西0", "西1", "西2", "西3"]),
        ("visits.visitor", Op::Ne(text("周0")), &["东1", "东2", "东3", "西0", "西1", "西2", "西3"]),
    ];
    for (path, op, wanted) in cases {
        assert_eq!(titles(&reader, &field(path, op.clone())), wanted, "{path} {op:?}");
    }
}

#[test]
fn columns_filter_by_place_state_time_and_standing() {
    let (_, _, reader) = asked();
    let at = |code: &str| vec![Division::parse(code).unwrap()];
    let all = Query::default();
    assert_eq!(titles(&reader, &Query { divisions: at(WEST), ..all.clone() }).len(), 4);
    assert_eq!(titles(&reader, &Query { divisions: at(TOWN), ..all.clone() }).len(), 8);
    let other = Division::parse("130599202000").unwrap();
    assert_eq!(titles(&reader, &Query { divisions: vec![other], ..all.clone() }).len(), 0);
    assert_eq!(titles(&reader, &Query { states: vec!["done".into()], ..all.clone() }), ["东0"]);
    assert_eq!(titles(&reader, &Query { types: vec!["NTE".into()], ..all.clone() }).len(), 8);
    assert_eq!(titles(&reader, &Query { types: vec!["SVC".into()], ..all.clone() }).len(), 0);
    let local = Query { standings: vec![Standing::Local], ..all.clone() };
    assert_eq!(titles(&reader, &local).len(), 8);
    let witnessed = Query { standings: vec![Standing::Witnessed], ..all.clone() };
    assert_eq!(titles(&reader, &witnessed).len(), 0);
    assert_eq!(titles(&reader, &Query { sealed: Some(true), ..all.clone() }).len(), 0);
    assert_eq!(titles(&reader, &Query { has_conflict: Some(false), ..all.clone() }).len(), 8);
    let early = Range { from_ms: None, to_ms: Some(NOW_MS + 4_000) };
    assert_eq!(titles(&reader, &Query { created: early, ..all }), ["东0"]);
}

#[test]
fn two_chinese_characters_find_the_record_and_words_do_not_cross_fields() {
    let (mut world, mut store, reader) = asked();
    let found =
        |text: &str| titles(&reader, &Query { text: Some(text.into()), ..Query::default() });
    assert_eq!(found("秀英"), ["东0"]);
    assert_eq!(found("王秀"), ["东0", "西0", "西1", "西2"]);
    assert_eq!(found("建"), ["东1", "东2"]);
    assert_eq!(found("王 建"), ["东2"]);
    assert_eq!(found("英王"), Vec::<String>::new());
    assert_eq!(found("1380000"), ["东0", "东1", "东2", "东3"]);
    assert_eq!(found("１３８０００００００２"), ["东2"]);
    assert_eq!(found("朱红"), ["东0", "东3"], "labels of codes are found");
    assert_eq!(found("125.00"), ["东1"], "amounts are found as they are read");
    assert_eq!(found("孙立"), ["东0", "东1"], "items of lists are found");
    assert_eq!(found("\" OR *) NEAR ("), Vec::<String>::new());
    assert_eq!(found("……"), Vec::<String>::new());
    // Name and amount stand side by side in the index, and no phrase spans them.
    assert_eq!(found("国朱"), Vec::<String>::new());
    // What is changed is found anew, and no longer as it was.
    let query = Query { text: Some("赵敏".into()), ..Query::default() };
    let record = reader.list(&query).unwrap().rows[0].record;
    let log = *store.logs().iter().find(|(_, l)| l.space == world.east.space()).unwrap().0;
    let edit = vec![put("applicant_name", text("钱多"))];
    let change = world.change(&store, log, |w| &w.east, record, edit, None);
    take(&mut store, vec![change]);
    assert_eq!(found("赵敏"), Vec::<String>::new());
    assert_eq!(found("钱多"), ["东3"]);
    let report = store.verify(&mut |_, _| {}).unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[test]
fn pages_follow_one_another_in_every_order_without_gap_or_double() {
    let (_, _, reader) = asked();
    let keys = [
        vec![],
        vec![(SortKey::Created, Order::Up)],
        vec![(SortKey::Field("amount".into()), Order::Up)],
        vec![(SortKey::Field("amount".into()), Order::Down)],
        vec![
            (SortKey::Division, Order::Down),
            (SortKey::Field("applicant_name".into()), Order::Up),
        ],
        vec![
            (SortKey::Standing, Order::Up),
            (SortKey::State, Order::Down),
            (SortKey::Number, Order::Up),
        ],
        vec![(SortKey::Field("colour".into()), Order::Down), (SortKey::Title, Order::Down)],
    ];
    for sort in keys {
        let whole = Query { sort, count_total: true, ..Query::default() };
        let whole_page = reader.list(&whole).unwrap();
        assert_eq!((whole_page.rows.len(), whole_page.total), (8, Some(8)));
        assert_eq!(whole_page.next, None);
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let page = reader.list(&Query { limit: 3, after, ..whole.clone() }).unwrap();
            pages.extend(page.rows);
            let Some(next) = page.next else { break };
            after = Some(Cursor::parse(&next.to_text()).unwrap());
        }
        assert_eq!(pages, whole_page.rows, "{:?}", whole.sort);
        let by_offset = reader.list(&Query { limit: 3, offset: 3, ..whole.clone() }).unwrap();
        assert_eq!(by_offset.rows, whole_page.rows[3..6]);
    }
}

#[test]
fn a_list_by_a_day_of_the_ledgers_is_the_same_with_and_without_its_index() {
    let (_, _, reader) = asked();
    for order in [Order::Up, Order::Down] {
        let sort = vec![(SortKey::Field("done_on".into()), order)];
        let all = Query { sort, ..Query::default() };
        let typed = Query { types: vec!["NTE".into()], ..all.clone() };
        let wanted = reader.list(&all).unwrap().rows;
        assert_eq!(reader.list(&typed).unwrap().rows, wanted);
        let first = reader.list(&Query { limit: 5, ..typed.clone() }).unwrap();
        let rest = reader.list(&Query { after: first.next.clone(), ..typed.clone() }).unwrap();
        assert_eq!([first.rows, rest.rows].concat(), wanted);
        let late = Filter { path: "done_on".into(), op: Op::Ge(text("2026-02-01")) };
        let filtered = Query { fields: vec![late], count_total: true, ..typed };
        assert_eq!(reader.list(&filtered).unwrap().total, Some(3));
    }
}

#[test]
fn groups_are_counted() {
    let (_, _, reader) = asked();
    let count = |query: &Query, by: &[GroupKey]| -> Vec<(Vec<Value>, u64)> {
        let groups = reader.counts(query, by).unwrap();
        groups.into_iter().map(|group| (group.keys, group.count)).collect()
    };
    let all = Query::default();
    assert_eq!(count(&all, &[]), [(vec![], 8)]);
    assert_eq!(count(&all, &[GroupKey::Type]), [(vec![text("NTE")], 8)]);
    let by_state = count(&all, &[GroupKey::Division, GroupKey::State]);
    let code = |code: &str| Value::Int(code.parse().unwrap());
    assert_eq!(
        by_state,
        [
            (vec![code(EAST), text("done")], 1),
            (vec![code(EAST), text("open")], 3),
            (vec![code(WEST), text("open")], 4),
        ]
    );
    let by_colour = count(&all, &[GroupKey::Field("colour".into())]);
    assert_eq!(by_colour[0], (vec![Value::Null], 4));
    assert_eq!(by_colour[1], (vec![text("1")], 2));
    assert_eq!(count(&all, &[GroupKey::Township]), [(vec![code(TOWN)], 8)]);
    assert_eq!(count(&all, &[GroupKey::CreatedMonth]), [(vec![text("2026-09")], 8)]);
    let urgent = field("urgent", Op::Eq(Value::Bool(true)));
    assert_eq!(count(&urgent, &[GroupKey::Standing]), [(vec![Value::Int(2)], 2)]);
}

#[test]
fn a_question_that_names_what_is_not_there_is_answered_with_a_reason() {
    let (_, _, reader) = asked();
    let slip = |query: Query| match reader.list(&query) {
        Err(StoreError::Query(slip)) => slip,
        other => panic!("{other:?}"),
    };
    let eq = || Op::Eq(text("1"));
    for path in ["nothing", "colour') --", "colour'", "", ".", "colour.", "visits..visitor"] {
        assert_eq!(slip(field(path, eq())), QuerySlip::UnknownField { path: path.into() });
    }
    assert_eq!(slip(field("visits", eq())), QuerySlip::NoValue { path: "visits".into() });
    let sort = vec![(SortKey::Field("visits.visitor".into()), Order::Up)];
    let in_list = slip(Query { sort, ..Query::default() });
    assert!(matches!(in_list, QuerySlip::InList { .. }) && in_list.zh().contains("清单"));
    let svc = Query { types: vec!["SVC".into()], ..field("colour", eq()) };
    assert!(matches!(slip(svc), QuerySlip::UnknownField { .. }));
    let many =
        Query { fields: vec![Filter { path: "colour".into(), op: eq() }; 33], ..Query::default() };
    assert_eq!(slip(many), QuerySlip::TooMany { max: 32 });
    let page = reader.list(&Query { limit: 1, ..Query::default() }).unwrap();
    let two = vec![(SortKey::Created, Order::Up), (SortKey::Title, Order::Up)];
    let wrong = Query { after: page.next, sort: two, ..Query::default() };
    assert_eq!(slip(wrong), QuerySlip::BadCursor);
    assert_eq!(Cursor::parse("zz"), None);
}

#[test]
fn one_record_comes_with_its_view_and_history() {
    let (_, _, reader) = asked();
    let query = Query { states: vec!["done".into()], ..Query::default() };
    let row = reader.list(&query).unwrap().rows.remove(0);
    let detail = reader.record(row.record).unwrap();
    assert_eq!((detail.len(), &detail[0].row, detail[0].stale), (1, &row, false));
    assert_eq!(detail[0].view.steps.len(), 2);
    let history = reader.history(row.record).unwrap();
    assert_eq!(history.len(), 2);
    assert!(history.iter().all(|entry| entry.has_body && entry.standing == Standing::Local));
    assert!(history.iter().all(|entry| entry.verdict.as_ref().unwrap().reason.is_empty()));
    assert_eq!(reader.record(xw_schemas::id::RecordId([0; 16])).unwrap(), []);
}
