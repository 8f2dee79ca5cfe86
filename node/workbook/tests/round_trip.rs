//! What is written is read back to the same values, for every ledger that is read at all.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::io::{Cursor, Read};

use proptest::prelude::*;
use xw_schemas::record::{Content, Field, Item, Kind, Lang, Ledger, RecordType, Value, builtin};
use xw_schemas::value::id_check_digit;
use xw_workbook::{Context, Desk, Head, Line, defaults_for, read, write};

const VILLAGE: &str = "130599101201";
const NAME: &str = "东张庄村";

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_ledger_gives_back_what_was_put_in(seed in any::<u64>()) {
        for rt in builtin() {
            for ledger in rt.ledgers.iter().filter(|ledger| ledger.rows_from.is_none()) {
                check_round_trip(&rt, ledger, seed);
            }
        }
    }
}

#[test]
fn a_blank_template_has_no_rows_and_is_recognised() {
    for rt in builtin() {
        for ledger in rt.ledgers.iter().filter(|ledger| ledger.rows_from.is_none()) {
            let bytes = write(ledger, &rt, &[], &head()).unwrap();
            let defaults = defaults_for(&rt, &desk());
            let context = Context { defaults: &defaults, divisions: &code_of };
            let sheet = read(&bytes, &rt, None, &context).unwrap();
            assert_eq!((sheet.ledger_key.as_str(), sheet.rows.len()), (ledger.key.as_str(), 0));
            assert_eq!(sheet.unknown_columns, Vec::<String>::new());
        }
    }
}

#[test]
fn a_ledger_is_a_landscape_page_with_a_frozen_repeated_heading_and_drop_downs() {
    let rt = builtin().into_iter().find(|rt| rt.code == "SVC").unwrap();
    let bytes = write(&rt.ledgers[0], &rt, &[], &head()).unwrap();
    let part = |name: &str| {
        let mut archive = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
        let mut text = String::new();
        archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
        text
    };
    let sheet = part("xl/worksheets/sheet1.xml");
    for wanted in [
        "orientation=\"landscape\"",
        "paperSize=\"9\"",
        "state=\"frozen\"",
        "窗口办理",
        "mergeCell ",
    ] {
        assert!(sheet.contains(wanted), "{wanted}");
    }
    assert!(part("xl/workbook.xml").contains("_xlnm.Print_Titles"));
    let strings = part("xl/sharedStrings.xml");
    for wanted in ["代办事项登记台账", "合计", "共 0 条", "填表人", "审核人", "（公章）"]
    {
        assert!(strings.contains(wanted), "{wanted}");
    }
    assert_eq!(bytes, write(&rt.ledgers[0], &rt, &[], &head()).unwrap(), "the same bytes again");
}

#[test]
fn what_looks_like_a_formula_stays_words() {
    let rt = builtin().into_iter().find(|rt| rt.code == "SVC").unwrap();
    let mut content = Content::default();
    let evil = "=HYPERLINK(\"http://x\",\"点我\")";
    content.values.insert("applicant.name".into(), Value::Text(evil.into()));
    let line = Line { content: &content, state: "registered" };
    let bytes = write(&rt.ledgers[0], &rt, &[line], &head()).unwrap();
    let mut archive = zip::ZipArchive::new(Cursor::new(&bytes)).unwrap();
    let mut sheet = String::new();
    archive.by_name("xl/worksheets/sheet1.xml").unwrap().read_to_string(&mut sheet).unwrap();
    assert!(!sheet.contains("<f>"));
}

fn check_round_trip(rt: &RecordType, ledger: &Ledger, seed: u64) {
    let mut dice = Dice(seed);
    let state = &rt.states[dice.below(rt.states.len())].code;
    let contents: Vec<Content> = (0..5).map(|row| content(&mut dice, rt, ledger, row)).collect();
    let lines: Vec<Line<'_>> = contents.iter().map(|content| Line { content, state }).collect();
    let bytes = write(ledger, rt, &lines, &head()).unwrap();
    let defaults = defaults_for(rt, &desk());
    let context = Context { defaults: &defaults, divisions: &code_of };
    let sheet = read(&bytes, rt, Some(&ledger.key), &context).unwrap();
    assert_eq!(sheet.rows.len(), contents.len(), "{} seed {seed}", ledger.key);
    for (row, content) in sheet.rows.iter().zip(&contents) {
        for slip in &row.slips {
            assert!(slip.value.is_empty(), "{} seed {seed}: {}", ledger.key, slip.sentence_zh());
        }
        for (path, value) in &content.values {
            assert_eq!(row.content.value(path), Some(value), "{} {path} seed {seed}", ledger.key);
        }
        for (list, items) in &content.lists {
            let names = |items: &[Item]| -> Vec<Content> {
                let only = |item: &Item| {
                    let mut shown = Content::default();
                    for leaf in ["name", "staff"] {
                        if let Some(value) = item.content.value(leaf) {
                            shown.values.insert(leaf.into(), value.clone());
                        }
                    }
                    shown
                };
                items.iter().map(only).collect()
            };
            assert!(
                names(items) == names(row.content.items(list)),
                "{} {list} seed {seed}",
                ledger.key
            );
        }
        if ledger.columns.iter().any(|column| column.special.as_deref() == Some("state")) {
            assert_eq!(row.claimed_state.as_ref(), Some(state));
        }
    }
}

/// Contents with most of the ledger's plain columns filled, and its lists of names.
fn content(dice: &mut Dice, rt: &RecordType, ledger: &Ledger, row: usize) -> Content {
    let mut content = Content::default();
    for column in &ledger.columns {
        let Some(path) = &column.path else { continue };
        let resolved = ledger.resolve(rt, path).unwrap();
        let is_plain = column.special.as_deref().is_none_or(|special| special == "wan");
        let is_key =
            matches!(path.as_str(), "business_no" | "file_no" | "asset_no" | "project_name");
        match resolved.lists.as_slice() {
            [] if is_plain && (is_key || dice.below(5) > 0) => {
                let value = if path == "business_no" {
                    Value::Text(format!("{VILLAGE}A-{}-2026-{row:05}", rt.code))
                } else {
                    value(dice, rt, resolved.field, is_key.then_some(row))
                };
                content.values.insert(path.clone(), value);
            }
            [(list, xw_schemas::record::ColumnStep::All)]
                if matches!(list.as_str(), "materials" | "mediators") =>
            {
                let items = (0..dice.below(4)).map(|index| {
                    let mut item = Item { id: index.to_string(), content: Content::default() };
                    let name =
                        format!("{}{index}", dice.pick(&["身份证", "户口本", "王芳", "李强"]));
                    item.content.values.insert(resolved.leaf.clone(), Value::Text(name));
                    item
                });
                let items: Vec<Item> = items.collect();
                if !items.is_empty() {
                    content.lists.insert(list.clone(), items);
                }
            }
            _ => {}
        }
    }
    // A row says something even if the dice left every column out.
    let first = ["applicant.name", "household.head.name", "project_name", "asset_name", "brief"];
    for path in
        first.iter().filter(|path| ledger.columns.iter().any(|c| c.path.as_deref() == Some(*path)))
    {
        content.values.entry((*path).to_string()).or_insert(Value::Text(format!("张三{row}")));
    }
    content
}

fn value(dice: &mut Dice, rt: &RecordType, field: &Field, key: Option<usize>) -> Value {
    let words = [
        "张三",
        "=1+1",
        "+8610",
        "@sum",
        "-5度",
        "第一，第二。",
        "a,b",
        "100%",
        "  中间 空格",
        "<b>&\"'",
        "2026.1.5",
    ];
    let date = |dice: &mut Dice| {
        format!("{}-{:02}-{:02}", 1990 + dice.below(60), 1 + dice.below(12), 1 + dice.below(28))
    };
    match &field.kind {
        Kind::Str { .. } | Kind::Text { .. } | Kind::Ref { .. } => {
            let text = format!(
                "{}{}",
                dice.pick(&words).trim(),
                key.map_or(String::new(), |k| k.to_string())
            );
            Value::Text(text)
        }
        Kind::Int => Value::Int(dice.below(100_000) as i64),
        Kind::Dec { .. } => Value::Int(dice.below(100_000) as i64),
        Kind::Money => Value::Int((dice.next() % 99_999_999_999_999) as i64),
        Kind::Bool => Value::Bool(dice.below(2) == 0),
        Kind::Date => Value::Text(date(dice)),
        Kind::DateTime => {
            let time = if dice.below(2) == 0 { "00:00:00" } else { "09:30:07" };
            Value::Text(format!("{}T{time}+08:00", date(dice)))
        }
        Kind::Enum => {
            let codes = &rt.code_list(field).unwrap().codes;
            Value::Text(codes[dice.below(codes.len())].code.clone())
        }
        Kind::EnumMany => {
            let codes = &rt.code_list(field).unwrap().codes;
            let mut some: Vec<&str> =
                (0..3).map(|_| codes[dice.below(codes.len())].code.as_str()).collect();
            some.sort_unstable();
            some.dedup();
            Value::Text(some.join(","))
        }
        Kind::Division { .. } => Value::Text(VILLAGE.into()),
        Kind::IdNumber => {
            let first17 =
                format!("13059919{}{:03}", 600_101 + 10_000 * dice.below(30), dice.below(1000));
            let check = id_check_digit(&first17).unwrap();
            Value::Text(format!("{first17}{check}"))
        }
        Kind::Phone => Value::Text(format!("100{:08}", dice.below(100_000_000))),
        other => panic!("no ledger shows {other:?} in a plain column"),
    }
}

fn head() -> Head<'static> {
    Head {
        office_zh: "东张庄村民委员会",
        title: "",
        date: "2026-11-22",
        lang: Lang::Zh,
        division_name: &|code| (code == VILLAGE).then(|| NAME.to_owned()),
    }
}

fn desk() -> Desk {
    Desk {
        division_code: VILLAGE.into(),
        office_zh: "东张庄村民委员会".into(),
        recorder: "文书甲".into(),
        today: "2026-11-22".into(),
    }
}

fn code_of(name: &str) -> Option<String> {
    (name == NAME).then(|| VILLAGE.to_owned())
}

struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 17
    }

    fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}
