//! What people write in cells and forms is read, or refused with a reason.

use xw_schemas::record::{Field, Lang, RecordType, Value, ValueSlip, builtin, display, parse};
use xw_schemas::value::{credit_code_check, id_check_digit};

fn rt(code: &str) -> RecordType {
    builtin().into_iter().find(|rt| rt.code == code).unwrap()
}

fn read(code: &str, path: &str, text: &str) -> Result<Value, ValueSlip> {
    let rt = rt(code);
    let field: Field = rt.field(path).unwrap_or_else(|| panic!("{path}")).clone();
    parse(&rt, &field, text)
}

fn text(text: &str) -> Value {
    Value::Text(text.into())
}

#[test]
fn dates_are_read_in_all_the_ways_clerks_write_them() {
    for written in [
        "2026-01-05",
        "2026.1.5",
        "2026/1/5",
        "20260105",
        "2026年1月5日",
        "２０２６．１．５",
        " 2026-1-05 ",
        "2026. 1. 5",
        "2026年01月05号",
        "2026-01-05 00:00:00",
        "46027",
        "2026。1。5",
    ] {
        assert_eq!(read("PVM", "clue_at", written), Ok(text("2026-01-05")), "{written}");
    }
    for written in
        ["2026-02-30", "2026.13.1", "2026.1", "26.1.5", "昨天", "1700-01-01", "2026-1-", "99999"]
    {
        assert_eq!(read("PVM", "clue_at", written), Err(ValueSlip::NotADay), "{written}");
    }
    assert_eq!(read("PVM", "clue_at", "2024-02-29"), Ok(text("2024-02-29")));
    assert_eq!(read("PVM", "clue_at", "2100-02-29"), Err(ValueSlip::NotADay));
}

#[test]
fn moments_are_read_and_brought_to_chinas_time() {
    for (written, stored) in [
        ("2026-01-05 8:30", "2026-01-05T08:30:00+08:00"),
        ("2026-01-05T08:30:05+08:00", "2026-01-05T08:30:05+08:00"),
        ("2026-01-04T20:30:00Z", "2026-01-05T04:30:00+08:00"),
        ("2026-01-05T01:00:00.123+09:00", "2026-01-05T00:00:00+08:00"),
        ("2026年1月5日 下午3点20分", "2026-01-05T15:20:00+08:00"),
        ("2026.1.5", "2026-01-05T00:00:00+08:00"),
        ("20260105083000", "2026-01-05T08:30:00+08:00"),
        ("46027.5", "2026-01-05T12:00:00+08:00"),
        ("2026-01-05　08：30", "2026-01-05T08:30:00+08:00"),
    ] {
        assert_eq!(read("SVC", "accepted_at", written), Ok(text(stored)), "{written}");
    }
    for written in ["2026-01-05 25:00", "2026-01-05 08:61", "8:30", "2026-01-05 abc"] {
        assert_eq!(read("SVC", "accepted_at", written), Err(ValueSlip::NotAMoment), "{written}");
    }
}

#[test]
fn amounts_keep_every_fen_and_units_may_stand_behind() {
    for (written, fen) in [
        ("12", 1200),
        ("12.5", 1250),
        ("1,234.50元", 123_450),
        ("￥８８．００", 8800),
        ("0.1万元", 100_000),
        ("12.345678万元", 12_345_678),
        ("-300", -30_000),
        ("1 234", 123_400),
        ("5元整", 500),
        (".5", 50),
        ("3.000", 300),
    ] {
        assert_eq!(read("SVC", "fee", written), Ok(Value::Int(fen)), "{written}");
    }
    assert_eq!(read("SVC", "fee", "1.234"), Err(ValueSlip::TooManyDecimals { max: 2 }));
    assert_eq!(read("SVC", "fee", "1.2E+05"), Err(ValueSlip::Scientific));
    assert_eq!(read("SVC", "fee", "很多"), Err(ValueSlip::NotANumber));
    assert_eq!(read("SVC", "fee", "99999999999999999999"), Err(ValueSlip::OutOfRange));
    assert_eq!(read("SVC", "fee", "9999999999999"), Err(ValueSlip::OutOfRange));
}

#[test]
fn counts_and_measures_are_read_with_their_units() {
    for (written, number) in [("4人", 4), ("４", 4), ("4 口", 4), ("4.0", 4), ("1,000户", 1000)]
    {
        assert_eq!(read("PVM", "population", written), Ok(Value::Int(number)), "{written}");
    }
    assert_eq!(read("PVM", "population", "-1"), Err(ValueSlip::Negative));
    assert_eq!(read("PVM", "population", "4.5"), Err(ValueSlip::TooManyDecimals { max: 0 }));
    assert_eq!(read("PVM", "population", "约4人"), Err(ValueSlip::NotANumber));
    assert_eq!(read("PVM", "household.contracted_land", "3.25亩"), Ok(Value::Int(325)));
}

#[test]
fn yes_and_no_are_read_in_their_many_forms() {
    for yes in ["是", "有", "√", "✓", "1", "true", "Yes", "ｙｅｓ"] {
        assert_eq!(read("PVM", "food_ok", yes), Ok(Value::Bool(true)), "{yes}");
    }
    for no in ["否", "无", "×", "0", "false", "没有"] {
        assert_eq!(read("PVM", "food_ok", no), Ok(Value::Bool(false)), "{no}");
    }
    assert_eq!(read("PVM", "food_ok", "也许"), Err(ValueSlip::NotYesNo));
}

#[test]
fn choices_are_read_by_code_label_or_the_clear_part_of_a_label() {
    for written in ["3", "代办", "Done by an agent", "done by an AGENT", " 代 办 "] {
        assert_eq!(read("SVC", "service_mode", written), Ok(text("3")), "{written}");
    }
    // A label without its brackets, one of its alternatives, a code without its zero.
    assert_eq!(read("SVC", "service_mode", "帮办"), Ok(text("2")));
    assert_eq!(read("SVC", "matter_code", "101"), Ok(text("0101")));
    assert_eq!(read("SVC", "matter_code", "丧葬补助"), Ok(text("0103")));
    let slip = read("SVC", "service_mode", "邮寄").unwrap_err();
    assert!(slip.zh().contains("窗口办理") && slip.en().contains("At the window"), "{slip}");
}

#[test]
fn several_choices_are_read_with_any_separator_and_stored_sorted() {
    for written in [
        "02、01",
        "因残,因病",
        "因病；因残",
        "Disability; Illness",
        "1，2",
        "因残\n因病",
        "因病、因病、因残",
    ] {
        assert_eq!(read("PVM", "risk_types", written), Ok(text("01,02")), "{written}");
    }
    // The label itself holds the separator.
    assert_eq!(read("MED", "referral", "诉讼、仲裁（劳动、土地承包）"), Ok(text("1,2")));
    assert_eq!(
        read("PVM", "risk_types", "01,02,03,04,05,06"),
        Err(ValueSlip::TooManyChoices { max: 5 })
    );
    assert!(
        matches!(read("PVM", "risk_types", "因病、因懒"), Err(ValueSlip::NotInList { found, .. }) if found == "因懒")
    );
}

#[test]
fn id_numbers_are_checked_to_the_last_character() {
    // Numbers of the county code 130599, which is given to nobody.
    for first in ["13059919580312002", "13059920011231123", "13059919491001999"] {
        let whole = format!("{first}{}", id_check_digit(first).unwrap());
        assert_eq!(read("SVC", "applicant.id_no", &whole), Ok(text(&whole)));
        let spaced = format!("{} {}", &whole[..6], whole[6..].to_lowercase());
        assert_eq!(read("SVC", "applicant.id_no", &spaced), Ok(text(&whole)));
        for last in "0123456789X".chars().filter(|last| !whole.ends_with(*last)) {
            assert_eq!(
                read("SVC", "applicant.id_no", &format!("{first}{last}")),
                Err(ValueSlip::IdCheckDigit)
            );
        }
    }
    // The example printed in the standard, GB 11643.
    assert_eq!(id_check_digit("11010519491231002"), Some('X'));
    assert_eq!(id_check_digit("44052418800101001"), Some('4'));
    assert_eq!(read("SVC", "applicant.id_no", "1.30599E+17"), Err(ValueSlip::Scientific));
    assert_eq!(
        read("SVC", "applicant.id_no", "130599580312002"),
        Err(ValueSlip::IdLength { found: 15 })
    );
    assert_eq!(read("SVC", "applicant.id_no", "130599195802300021"), Err(ValueSlip::IdBirth));
    assert_eq!(read("SVC", "applicant.id_no", "E12345678"), Ok(text("E12345678")));
    assert_eq!(id_check_digit("1305991958031200"), None);
}

#[test]
fn credit_codes_have_their_own_check() {
    // The example that GB 32100 gives.
    assert_eq!(credit_code_check("91350100M000100Y4"), Some('3'));
    assert_eq!(credit_code_check("91350100M000100Y"), None);
    assert_eq!(credit_code_check("91350100M000100I4"), None);
}

#[test]
fn telephones_are_read_and_test_numbers_allowed() {
    for (written, stored) in [
        ("13812345678", "13812345678"),
        ("138-1234-5678", "13812345678"),
        ("+8613812345678", "13812345678"),
        ("0319-1234567", "0319-1234567"),
        ("03191234567", "0319-1234567"),
        ("(0319)1234567", "0319-1234567"),
        ("010-12345678", "010-12345678"),
        ("１３８１２３４５６７８", "13812345678"),
        ("10012345678", "10012345678"),
        ("13812345678、0319-1234567", "13812345678,0319-1234567"),
    ] {
        assert_eq!(read("SVC", "applicant.phone", written), Ok(text(stored)), "{written}");
    }
    for written in ["1234567", "12812345678", "1381234567", "电话", "11012345678"] {
        assert_eq!(read("SVC", "applicant.phone", written), Err(ValueSlip::Phone), "{written}");
    }
}

#[test]
fn division_codes_are_filled_up_with_zeros() {
    assert_eq!(read("SVC", "division_code", "130599200201"), Ok(text("130599200201")));
    assert_eq!(read("SVC", "division_code", "130599"), Ok(text("130599000000")));
    assert_eq!(read("SVC", "division_code", "130599 200"), Ok(text("130599200000")));
    assert_eq!(
        read("SVC", "division_code", "13059920020"),
        Err(ValueSlip::Division { digits: 12 })
    );
}

#[test]
fn texts_keep_their_content_and_lose_only_their_edges() {
    assert_eq!(read("SVC", "matter_name", "  低保\n申请 "), Ok(text("低保 申请")));
    assert_eq!(read("SVC", "missing_materials", "一\r\n二"), Ok(text("一\n二")));
    assert_eq!(read("SVC", "matter_name", &"户".repeat(80)), Ok(text(&"户".repeat(80))));
    assert_eq!(
        read("SVC", "matter_name", &"户".repeat(81)),
        Err(ValueSlip::TooLong { max: 80, found: 81 })
    );
    assert_eq!(read("SVC", "matter_name", "a\u{7}b"), Err(ValueSlip::ControlCharacter));
}

#[test]
fn an_empty_cell_says_nothing() {
    for blank in ["", "  ", "\u{3000}"] {
        assert_eq!(read("SVC", "matter_name", blank), Ok(Value::Null));
    }
    for blank in ["/", "—", "--"] {
        assert_eq!(read("SVC", "fee", blank), Ok(Value::Null));
        assert_eq!(read("SVC", "accepted_at", blank), Ok(Value::Null));
    }
    assert_eq!(read("SVC", "matter_name", "/"), Ok(text("/")));
}

#[test]
fn values_are_shown_in_the_language_asked_for() {
    let rt = rt("PVM");
    let show = |path: &str, value: Value, lang| display(&rt, rt.field(path).unwrap(), &value, lang);
    assert_eq!(show("risk_types", text("01,99"), Lang::Zh), "因病；其他");
    assert_eq!(show("risk_types", text("01,99"), Lang::En), "Illness; Other");
    assert_eq!(show("income_wage", Value::Int(-5), Lang::Zh), "-0.05");
    assert_eq!(show("income_wage", Value::Int(1_234_500), Lang::Zh), "12345.00");
    assert_eq!(show("food_ok", Value::Bool(false), Lang::Zh), "否");
    assert_eq!(
        show("recorded_at", text("2026-01-05T08:30:00+08:00"), Lang::Zh),
        "2026-01-05 08:30"
    );
    assert_eq!(
        show("recorded_at", text("2026-01-05T00:00:00+08:00"), Lang::Zh),
        "2026-01-05 00:00"
    );
    assert_eq!(
        show("recorded_at", text("2026-01-05T08:30:09+08:00"), Lang::Zh),
        "2026-01-05 08:30:09"
    );
    assert_eq!(show("category", text("77"), Lang::Zh), "77");
}
