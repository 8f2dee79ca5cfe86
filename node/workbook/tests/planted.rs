//! Ledgers with the dirt of real clerks: exactly what was planted is accepted and refused.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::collections::{BTreeMap, BTreeSet};

use xw_bootstrap::sheets::{Counts, Planted, Wrong, village_ledgers};
use xw_schemas::record::{RecordType, builtin};
use xw_workbook::{Context, Desk, Row, Sheet, defaults_for, read};

const VILLAGE: &str = "130599101201";
const NAME: &str = "东张庄村";

#[test]
fn exactly_the_planted_rows_are_refused_for_many_seeds() {
    for seed in 0..12 {
        for made in village_ledgers(seed, VILLAGE, NAME, 2026, Counts::default()).unwrap() {
            let rt = record_type(&made.planted.record_type);
            let sheet = import(&made.bytes, &rt);
            assert_eq!(sheet.ledger_zh, made.planted.ledger_zh, "seed {seed}");
            assert_eq!(sheet.unknown_columns, Vec::<String>::new(), "seed {seed}");
            check_rows(&sheet, &made.planted, seed);
        }
    }
}

#[test]
fn reading_the_same_ledger_twice_gives_the_same_rows() {
    for made in village_ledgers(5, VILLAGE, NAME, 2026, Counts::default()).unwrap() {
        let rt = record_type(&made.planted.record_type);
        let (first, again) = (import(&made.bytes, &rt), import(&made.bytes, &rt));
        for (one, two) in first.rows.iter().zip(&again.rows) {
            assert_eq!(one.fingerprint, two.fingerprint);
            assert_eq!(one.digest, two.digest);
            assert_eq!(one.content, two.content);
        }
        let sound = first.rows.iter().filter(|row| row.is_sound());
        let distinct: BTreeSet<_> = sound.clone().map(|row| &row.fingerprint).collect();
        assert_eq!(distinct.len(), sound.count(), "{}", made.file_name);
    }
}

#[test]
fn two_villages_with_the_same_numbers_do_not_share_a_row() {
    let prints = |code: &str| -> BTreeSet<String> {
        let made = village_ledgers(3, code, NAME, 2026, Counts::default()).unwrap();
        let rt = record_type("SVC");
        let divisions = |name: &str| (name == NAME).then(|| code.to_owned());
        let defaults = defaults_for(&rt, &desk(code));
        let context = Context { defaults: &defaults, divisions: &divisions };
        let sheet = read(&made[0].bytes, &rt, None, &context).unwrap();
        sheet.rows.into_iter().map(|row| row.fingerprint).collect()
    };
    assert!(prints("130599101201").is_disjoint(&prints("130599101202")));
}

fn check_rows(sheet: &Sheet, planted: &Planted, seed: u64) {
    let read: BTreeMap<u32, &Row> = sheet.rows.iter().map(|row| (row.number, row)).collect();
    let numbers: Vec<u32> = planted.rows.iter().map(|row| row.number).collect();
    assert_eq!(
        read.keys().copied().collect::<Vec<_>>(),
        numbers,
        "{} seed {seed}",
        sheet.ledger_zh
    );
    for expected in &planted.rows {
        let row = read[&expected.number];
        let reasons: Vec<String> = row.slips.iter().map(|slip| slip.sentence_zh()).collect();
        assert_eq!(
            row.is_sound(),
            expected.refused.is_none(),
            "{} seed {seed} row {}: planted {:?}, {reasons:?}",
            sheet.ledger_zh,
            expected.number,
            expected.refused
        );
        if let Some(wrong) = expected.refused {
            let words = word_of(wrong);
            assert!(
                reasons.iter().any(|reason| words.iter().any(|word| reason.contains(word))),
                "{} seed {seed} row {}: {wrong:?} is told as {reasons:?}",
                sheet.ledger_zh,
                expected.number
            );
        }
    }
}

/// A word of the message that tells the clerk what is wrong.
fn word_of(wrong: Wrong) -> &'static [&'static str] {
    match wrong {
        Wrong::IdTypo => &["校验", "最后一位", "出生日期"],
        Wrong::IdNumeric => &["末几位已经丢失"],
        Wrong::IdScientific => &["科学"],
        Wrong::ImpossibleDate => &["日期", "时间"],
        Wrong::UnknownLabel => &["托人带办", "扯皮"],
        Wrong::MissingName => &["未填写"],
        Wrong::SameHousehold => &["内容不同"],
    }
}

fn record_type(code: &str) -> RecordType {
    builtin().into_iter().find(|rt| rt.code == code).unwrap()
}

fn desk(code: &str) -> Desk {
    Desk {
        division_code: code.to_owned(),
        office_zh: format!("{NAME}民委员会"),
        recorder: "文书甲".to_owned(),
        today: "2026-11-22".to_owned(),
    }
}

fn import(bytes: &[u8], rt: &RecordType) -> Sheet {
    let divisions = |name: &str| (name == NAME).then(|| VILLAGE.to_owned());
    let defaults = defaults_for(rt, &desk(VILLAGE));
    read(bytes, rt, None, &Context { defaults: &defaults, divisions: &divisions }).unwrap()
}
