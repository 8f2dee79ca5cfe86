//! Files that nobody made in good faith, or that a bad stick spoilt: a clear answer and no panic.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use std::io::{Cursor, Read, Write};

use proptest::prelude::*;
use xw_schemas::record::{Lang, RecordType, builtin};
use xw_workbook::{Context, Defaults, Head, Sheet, WorkbookError, read, write};
use zip::write::SimpleFileOptions;

const SHEET: &str = "xl/worksheets/sheet1.xml";
const STRINGS: &str = "xl/sharedStrings.xml";

#[test]
fn a_file_cut_off_anywhere_is_damaged_and_no_more() {
    let whole = template();
    for end in (0..whole.len()).step_by(97) {
        let cut = import(&whole[..end]);
        assert!(cut.is_err(), "cut at {end} of {}", whole.len());
    }
    assert!(import(&whole).is_ok());
}

#[test]
fn parts_that_unpack_without_end_are_not_unpacked() {
    let zeros = vec![b' '; 1 << 20];
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    zip.start_file("xl/workbook.xml", options).unwrap();
    for _ in 0..200 {
        zip.write_all(&zeros).unwrap();
    }
    let bytes = zip.finish().unwrap().into_inner();
    assert!(bytes.len() < 1 << 20, "{} bytes", bytes.len());
    assert!(matches!(import(&bytes), Err(WorkbookError::Bomb { .. })));
    // The same with a directory that claims a small size.
    let mut liar = bytes;
    let size = (200u32 << 20).to_le_bytes();
    let places: Vec<usize> = (0..liar.len() - 4).filter(|at| liar[*at..at + 4] == size).collect();
    assert!(!places.is_empty());
    for at in places {
        liar[at..at + 4].copy_from_slice(&1000u32.to_le_bytes());
    }
    assert!(import(&liar).is_err());
}

#[test]
fn entities_that_multiply_are_not_expanded() {
    let mut entities = "<!ENTITY a0 \"ha\">".to_owned();
    for level in 1..20 {
        let below = format!("&a{};", level - 1).repeat(10);
        entities.push_str(&format!("<!ENTITY a{level} \"{below}\">"));
    }
    let bomb = format!(
        "<?xml version=\"1.0\"?><!DOCTYPE sst [{entities}]><sst \
         xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><si><t>&a19;</t></si></sst>"
    );
    assert!(import(&with_part(STRINGS, &bomb)).is_err());
}

#[test]
fn one_cell_in_the_last_corner_claims_no_memory() {
    let sheet = sheet_xml("<row r=\"1048576\"><c r=\"XFD1048576\"><v>1</v></c></row>", "");
    assert_eq!(import(&with_part(SHEET, &sheet)).unwrap_err(), WorkbookError::TooManyColumns);
    let sheet = sheet_xml("<row r=\"1048576\"><c r=\"A1048576\"><v>1</v></c></row>", "");
    assert!(matches!(import(&with_part(SHEET, &sheet)), Err(WorkbookError::NoHeading { .. })));
}

#[test]
fn more_rows_than_an_office_has_are_refused() {
    let rows: String = (1..=100_001)
        .map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\"><v>1</v></c></row>"))
        .collect();
    let sheet = sheet_xml(&rows, "");
    assert_eq!(import(&with_part(SHEET, &sheet)).unwrap_err(), WorkbookError::TooManyRows);
}

#[test]
fn one_long_text_in_every_cell_is_refused() {
    let strings = format!(
        "<sst xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><si><t>{}</t></si></sst>",
        "长".repeat(30_000)
    );
    let rows: String = (1..=2_000)
        .map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\" t=\"s\"><v>0</v></c></row>"))
        .collect();
    let bytes = with_parts(&[(STRINGS, &strings), (SHEET, &sheet_xml(&rows, ""))]);
    assert_eq!(import(&bytes).unwrap_err(), WorkbookError::Bomb { what: "too much text" });
}

#[test]
fn merged_regions_over_the_whole_sheet_cost_nothing() {
    let region = "<mergeCell ref=\"A1:XFD1048576\"/>".repeat(5_000);
    let rows: String = (1..=3_000)
        .map(|row| format!("<row r=\"{row}\"><c r=\"A{row}\"><v>1</v></c></row>"))
        .collect();
    let merges = format!("<mergeCells count=\"5000\">{region}</mergeCells>");
    let read = import(&with_part(SHEET, &sheet_xml(&rows, &merges)));
    assert!(matches!(read, Err(WorkbookError::Bomb { .. })), "{read:?}");
}

#[test]
fn a_workbook_of_another_program_is_named() {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    zip.start_file("word/document.xml", SimpleFileOptions::default()).unwrap();
    let bytes = zip.finish().unwrap().into_inner();
    let error = import(&bytes).unwrap_err();
    assert!(matches!(error, WorkbookError::NotAWorkbook { .. }));
    assert!(error.zh().contains("另存为"), "{}", error.zh());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_get_an_answer(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(import(&bytes).is_err());
    }

    #[test]
    fn a_spoilt_container_gets_an_answer(
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20)
    ) {
        let mut bytes = template();
        for (place, byte) in changes {
            let at = place.index(bytes.len());
            bytes[at] = byte;
        }
        let _ = import(&bytes);
    }

    #[test]
    fn a_spoilt_sheet_gets_an_answer(
        part in prop::sample::select(vec![
            SHEET, STRINGS, "xl/styles.xml", "xl/workbook.xml", "xl/_rels/workbook.xml.rels",
        ]),
        changes in proptest::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..12)
    ) {
        let mut text: Vec<char> = part_of(&template(), part).chars().collect();
        for (place, c) in changes {
            let at = place.index(text.len());
            text[at] = c;
        }
        let text: String = text.into_iter().collect();
        let _ = import(&with_part(part, &text));
    }
}

fn svc() -> RecordType {
    builtin().into_iter().find(|rt| rt.code == "SVC").unwrap()
}

fn import(bytes: &[u8]) -> Result<Sheet, WorkbookError> {
    let defaults = Defaults::default();
    read(bytes, &svc(), None, &Context { defaults: &defaults, divisions: &|_| None })
}

fn template() -> Vec<u8> {
    let rt = svc();
    let head = Head {
        office_zh: "东张庄村民委员会",
        title: "",
        date: "2026-11-22",
        lang: Lang::Zh,
        division_name: &|_| None,
    };
    write(&rt.ledgers[0], &rt, &[], &head).unwrap()
}

fn sheet_xml(rows: &str, after: &str) -> String {
    format!(
        "<?xml version=\"1.0\"?><worksheet \
         xmlns=\"http://schemas.openxmlformats.org/spreadsheetml/2006/main\"><sheetData>{rows}\
         </sheetData>{after}</worksheet>"
    )
}

fn part_of(bytes: &[u8], name: &str) -> String {
    let mut archive = zip::ZipArchive::new(Cursor::new(bytes)).unwrap();
    let mut text = String::new();
    archive.by_name(name).unwrap().read_to_string(&mut text).unwrap();
    text
}

fn with_part(name: &str, text: &str) -> Vec<u8> {
    with_parts(&[(name, text)])
}

/// The template with some of its parts replaced.
fn with_parts(parts: &[(&str, &str)]) -> Vec<u8> {
    let template = template();
    let mut archive = zip::ZipArchive::new(Cursor::new(&template)).unwrap();
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for index in 0..archive.len() {
        let mut part = archive.by_index(index).unwrap();
        let name = part.name().unwrap().into_owned();
        zip.start_file(&*name, SimpleFileOptions::default()).unwrap();
        match parts.iter().find(|(replaced, _)| *replaced == name) {
            Some((_, text)) => zip.write_all(text.as_bytes()).unwrap(),
            None => {
                std::io::copy(&mut part, &mut zip).unwrap();
            }
        }
    }
    zip.finish().unwrap().into_inner()
}
