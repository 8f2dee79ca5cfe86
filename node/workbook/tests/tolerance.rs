//! What clerks type and how it is understood, or refused with a word on how to mend it.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use rust_xlsxwriter::{ExcelDateTime, Format, Workbook};
use xw_schemas::record::{RecordType, Value, builtin};
use xw_workbook::{Context, Desk, Row, Sheet, WorkbookError, defaults_for, read};

const VILLAGE: &str = "130599101201";

enum Ink {
    Text(&'static str),
    Number(f64),
    Date(u16, u8, u8),
    Yes(bool),
}
use Ink::{Date, Number, Text, Yes};

#[test]
fn days_are_understood_in_every_style_of_the_offices() {
    for ink in [
        Text("2026.1.5"),
        Text("2026-01-05"),
        Text("2026/1/5"),
        Text("20260105"),
        Text("2026年1月5日"),
        Text("２０２６．１．５"),
        Text(" 2026-01-05\u{A0}"),
        Text("'2026-01-05"),
        Number(46_027.0),
        Number(20_260_105.0),
        Date(2026, 1, 5),
    ] {
        let row = &pvm("识别时间", ink)[0];
        assert_eq!(row.content.text("identified_on"), Some("2026-01-05"), "{row:?}");
        assert!(row.is_sound());
    }
}

#[test]
fn numbers_money_and_measures_may_carry_their_units() {
    for (ink, people) in
        [(Text("3人"), 3), (Text("３"), 3), (Number(3.0), 3), (Text("3 "), 3), (Text("3口"), 3)]
    {
        assert_eq!(pvm("人口", ink)[0].content.value("population"), Some(&Value::Int(people)));
    }
    for (ink, fen) in [
        (Text("8900元"), 890_000),
        (Text("8,900.50"), 890_050),
        (Text("８９００"), 890_000),
        (Text("0.89万元"), 890_000),
        (Number(8_900.5), 890_050),
        (Number(0.1 + 0.2), 30),
    ] {
        let row = &pvm("人均纯收入（元）", ink)[0];
        assert_eq!(row.content.value("net_income_pc"), Some(&Value::Int(fen)), "{row:?}");
    }
}

#[test]
fn the_unit_of_the_heading_or_the_page_counts_where_the_cell_has_none() {
    for (ink, fen) in
        [(Number(48.5), 48_500_000), (Text("48.5万元"), 48_500_000), (Text("485000元"), 48_500_000)]
    {
        let sheet = sheet(
            "IND",
            &["项目名称", "地点", "内容规模", "总投资\n（万元）"],
            |_| {
                vec![
                    Text("梨园"),
                    Text("村北"),
                    Text("20亩"),
                    match ink {
                        Number(n) => Number(n),
                        Text(t) => Text(t),
                        _ => unreachable!(),
                    },
                ]
            },
        );
        let row = &sheet.unwrap().rows[0];
        assert_eq!(row.content.value("budget_total"), Some(&Value::Int(fen)), "{row:?}");
    }
}

#[test]
fn labels_codes_and_labels_with_codes_mean_the_same() {
    for text in ["边缘易致贫户", "2", "2 边缘易致贫户", "边缘易致贫户（2）", " 边缘易致贫户 "]
    {
        let row = &pvm("类别", Text(text))[0];
        assert_eq!(row.content.text("category"), Some("2"), "{text}: {row:?}");
    }
    let row = &pvm("风险", Text("因病、因残"))[0];
    assert_eq!(row.content.text("risk_types"), Some("01,02"));
    let row = &pvm("类别", Text("3 边缘易致贫户"))[0];
    assert!(!row.is_sound(), "a code that contradicts its label is not guessed at");
}

#[test]
fn ticks_mean_yes_and_crosses_no() {
    for (ink, yes) in [
        (Text("√"), true),
        (Text("是"), true),
        (Text("有"), true),
        (Text("✓"), true),
        (Yes(true), true),
        (Text("×"), false),
        (Text("否"), false),
        (Text("无"), false),
        (Yes(false), false),
        (Number(1.0), true),
        (Number(0.0), false),
    ] {
        // A column that the ledger does not list, but the record type has.
        let row = &pvm("是否脱贫户", ink)[0];
        assert_eq!(row.content.value("is_tuopin"), Some(&Value::Bool(yes)), "{row:?}");
    }
}

#[test]
fn an_id_number_that_excel_spoilt_is_refused_with_a_remedy() {
    for ink in [Number(1.305_991_990_010_112_3e17), Text("1.30599E+17"), Text("1.30599e+17")] {
        let rows = pvm("证件号码", ink);
        let slip = &rows[0].slips[0];
        assert_eq!((slip.cell.as_str(), slip.column_zh.as_str()), ("D3", "证件号码"));
        assert!(slip.zh.contains("文本"), "{}", slip.zh);
    }
}

#[test]
fn an_id_number_is_checked_and_gives_sex_and_birth_date() {
    for text in [
        "130599197905264650",
        "１３０５９９１９７９０５２６４６５０",
        "130599 19790526 4650",
        "'130599197905264650",
    ] {
        let row = &pvm("身份证号", Text(text))[0];
        assert!(row.is_sound(), "{row:?}");
        assert_eq!(row.content.text("household.head.id_no"), Some("130599197905264650"));
        assert_eq!(row.content.text("household.head.birth_date"), Some("1979-05-26"));
        assert_eq!(row.content.text("household.head.sex"), Some("1"));
    }
    assert!(!pvm("证件号码", Text("130599197905264651"))[0].is_sound());
    assert!(!pvm("证件号码", Text("13059919790526465"))[0].is_sound());
}

#[test]
fn several_phones_in_one_cell_are_kept_with_a_warning() {
    for text in ["10011112222/10033334444", "10011112222、10033334444", "10011112222\n10033334444"]
    {
        let row = &pvm("联系电话", Text(text))[0];
        assert_eq!(row.content.text("household.head.phone"), Some("10011112222,10033334444"));
        assert!(row.warnings.iter().any(|warning| warning.zh.contains("2 个号码")), "{row:?}");
    }
    for ink in [Text("100 1111 2222"), Number(10_011_112_222.0), Text("１００１１１１２２２２")]
    {
        let row = &pvm("电话", ink)[0];
        assert_eq!(row.content.text("household.head.phone"), Some("10011112222"), "{row:?}");
        assert!(row.is_sound());
    }
}

#[test]
fn a_villages_name_stands_for_its_code() {
    for text in ["东张庄村", "东张庄", "东张庄村委会", VILLAGE] {
        let row = &pvm("村", Text(text))[0];
        assert_eq!(row.content.text("division_code"), Some(VILLAGE), "{text}");
    }
    let slip = &pvm("村", Text("无此村"))[0].slips[0];
    assert!(slip.zh.contains("不认识"), "{}", slip.zh);
}

#[test]
fn columns_may_stand_in_any_order_and_strange_ones_are_reported() {
    let headings = ["类 别", "户主姓名", "村支书签字", "身份证号码"];
    let sheet = sheet("PVM", &headings, |_| {
        vec![Text("边缘易致贫户"), Text("张三"), Text("李四"), Text("130599197905264650")]
    })
    .unwrap();
    assert_eq!(sheet.unknown_columns, ["村支书签字"]);
    assert_eq!(sheet.rows[0].content.text("household.head.name"), Some("张三"));
    assert!(sheet.rows[0].is_sound(), "{:?}", sheet.rows);
}

#[test]
fn a_heading_without_what_every_row_needs_is_refused_by_name() {
    let read =
        sheet("PVM", &["类别", "风险", "人口"], |_| vec![Text("1"), Text("01"), Text("3")]);
    let Err(WorkbookError::MissingColumns { columns, .. }) = read else { panic!("{read:?}") };
    assert_eq!(columns, "户主");
    let read = sheet("PVM", &["甲", "乙", "丙"], |_| vec![Text("1"), Text("2"), Text("3")]);
    assert!(matches!(read, Err(WorkbookError::NoHeading { .. })));
}

#[test]
fn totals_subtotals_feet_and_numbered_empty_rows_are_no_data() {
    let rows = [
        vec![Text("1"), Text("张三"), Text("边缘易致贫户"), Text("3")],
        vec![Text("小计"), Text(""), Text(""), Text("3")],
        vec![Text("2")],
        vec![Text("3"), Text("李四"), Text("边缘易致贫户"), Text("2")],
        vec![Text("合 计"), Text("2户"), Text(""), Text("5")],
        vec![Text("填表人：王五")],
    ];
    let sheet =
        sheet_of("PVM", &["序号", "户主", "类别", "人口"], rows.into_iter().collect()).unwrap();
    let numbers: Vec<u32> = sheet.rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, [3, 6]);
}

#[test]
fn the_same_row_twice_is_one_and_the_same_number_with_other_words_is_a_mistake() {
    let headings = ["编号", "申请人", "事项名称", "服务方式"];
    let row = |number, name| vec![Text(number), Text(name), Text("政策咨询"), Text("窗口办理")];
    let rows = vec![row("1", "张三"), row("1", "张三"), row("1", "李四"), row("2", "李四")];
    let sheet = sheet_of("SVC", &headings, rows).unwrap();
    let sound: Vec<bool> = sheet.rows.iter().map(Row::is_sound).collect();
    let slips: Vec<_> = sheet.rows[0].slips.iter().map(|slip| slip.sentence_zh()).collect();
    assert_eq!(sound, [true, true, false, true], "{slips:?}");
    assert_eq!(sheet.rows[0].fingerprint, sheet.rows[1].fingerprint);
    assert!(sheet.rows[1].warnings.iter().any(|warning| warning.zh.contains("第 3 行")));
}

#[test]
fn a_changed_cell_changes_the_digest_and_not_the_identity() {
    let headings = ["编号", "申请人", "事项名称", "服务方式"];
    let make = |name| {
        let row = vec![Text("7"), Text(name), Text("政策咨询"), Text("窗口办理")];
        sheet_of("SVC", &headings, vec![row]).unwrap().rows.remove(0)
    };
    let (one, two) = (make("张三"), make("张三丰"));
    assert_eq!(one.fingerprint, two.fingerprint);
    assert_ne!(one.digest, two.digest);
}

#[test]
fn nothing_that_is_printed_for_a_log_names_a_person() {
    let row = &pvm("证件号码", Text("130599197905264651"))[0];
    let printed = format!("{row:?}");
    assert!(!printed.contains("130599197905264651") && !printed.contains("张三"), "{printed}");
    assert!(printed.contains("D3"), "{printed}");
}

/// One row of a 监测对象台账 with a name, a category and one more column in D.
fn pvm(heading: &'static str, ink: Ink) -> Vec<Row> {
    let mut headings = vec!["序号", "户主", "人口", heading];
    let mut rest = vec![Text("1"), Text("张三"), Text("3"), ink];
    if heading == "人口" {
        headings.swap_remove(2);
        rest.swap_remove(2);
        headings.push("类别");
        rest.push(Text("1"));
    }
    sheet_of("PVM", &headings, vec![rest]).unwrap().rows
}

fn sheet(
    code: &str,
    headings: &[&str],
    row: impl Fn(u32) -> Vec<Ink>,
) -> Result<Sheet, WorkbookError> {
    sheet_of(code, headings, vec![row(0)])
}

/// A sheet with a title row, the headings in row 2 and data from row 3.
fn sheet_of(code: &str, headings: &[&str], rows: Vec<Vec<Ink>>) -> Result<Sheet, WorkbookError> {
    let mut book = Workbook::new();
    let sheet = book.add_worksheet();
    let dated = Format::new().set_num_format("yyyy/m/d");
    sheet.merge_range(0, 0, 0, 8, "某村台账", &Format::new()).unwrap();
    for (column, heading) in (0u16..).zip(headings) {
        sheet.write_string(1, column, *heading).unwrap();
    }
    for (at, row) in (2u32..).zip(rows) {
        for (column, ink) in (0u16..).zip(row) {
            match ink {
                Text(text) => sheet.write_string(at, column, text).unwrap(),
                Number(number) => sheet.write_number(at, column, number).unwrap(),
                Yes(yes) => sheet.write_boolean(at, column, yes).unwrap(),
                Date(year, month, day) => {
                    let stamp = ExcelDateTime::from_ymd(year, month, day).unwrap();
                    sheet.write_datetime_with_format(at, column, &stamp, &dated).unwrap()
                }
            };
        }
    }
    let bytes = book.save_to_buffer().unwrap();
    let rt: RecordType = builtin().into_iter().find(|rt| rt.code == code).unwrap();
    let desk = Desk {
        division_code: VILLAGE.into(),
        office_zh: "东张庄村民委员会".into(),
        recorder: "文书甲".into(),
        today: "2026-11-22".into(),
    };
    let divisions = |name: &str| (name == "东张庄村").then(|| VILLAGE.to_owned());
    let defaults = defaults_for(&rt, &desk);
    read(&bytes, &rt, None, &Context { defaults: &defaults, divisions: &divisions })
}
