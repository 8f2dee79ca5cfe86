//! A clerk's sheet: title, heading, rows, totals and foot, with the untidiness of real files.
//! Writes with the workbook library directly, as a clerk's office suite would.

use std::collections::BTreeMap;

use rust_xlsxwriter::{
    DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook, Worksheet, XlsxError,
};

use super::dice::Dice;
use super::{Dirt, Planted, PlantedLedger, PlantedRow, SheetsError, Wrong};

/// What a clerk puts into one cell.
#[derive(Clone)]
pub(super) enum Ink {
    Blank,
    Text(String),
    Number(f64),
    /// A real Excel date.
    Date(Day),
}

/// One data row before it is printed.
pub(super) struct Line {
    pub(super) cells: Vec<Ink>,
    pub(super) refused: Option<Wrong>,
    pub(super) dirt: Vec<Dirt>,
    pub(super) late: bool,
    /// Column that is merged with the same column of the row above.
    pub(super) merged: Option<u16>,
}

/// One ledger before it is printed.
pub(super) struct Page {
    pub(super) record_type: &'static str,
    pub(super) ledger_zh: &'static str,
    pub(super) file_name: String,
    pub(super) title: String,
    pub(super) office: String,
    /// Headings as the clerk wrote them; 序号 is the first.
    pub(super) headings: Vec<&'static str>,
    pub(super) rows: Vec<Line>,
}

/// A day of the years around the ledger's.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Day {
    year: u16,
    /// 0-based day of the year.
    ordinal: u32,
}

/// Column widths in characters; clerks rarely set them better.
const WIDTH: f64 = 13.0;

impl Line {
    pub(super) fn clean(cells: Vec<Ink>) -> Self {
        Self { cells, refused: None, dirt: Vec::new(), late: false, merged: None }
    }
}

impl Page {
    pub(super) fn printed(self) -> Result<PlantedLedger, SheetsError> {
        let file_name = self.file_name.clone();
        let (bytes, rows) =
            self.print().map_err(|source| SheetsError::Write { file_name, source })?;
        let planted = Planted {
            record_type: self.record_type.to_owned(),
            ledger_zh: self.ledger_zh.to_owned(),
            rows,
        };
        Ok(PlantedLedger { file_name: self.file_name, bytes, planted })
    }

    fn print(&self) -> Result<(Vec<u8>, Vec<PlantedRow>), XlsxError> {
        let mut book = Workbook::new();
        // The library would write the present time and the same seed would give other bytes.
        let created = ExcelDateTime::from_ymd(2026, 1, 1)?;
        book.set_properties(&DocProperties::new().set_creation_datetime(&created));
        let sheet = book.add_worksheet();
        sheet.set_name("Sheet1")?;
        let last = column(self.headings.len() - 1);
        let title = Format::new().set_bold().set_align(FormatAlign::Center).set_font_size(18);
        let boxed = Format::new().set_border(FormatBorder::Thin).set_text_wrap();
        sheet.merge_range(0, 0, 0, last, &self.title, &title)?;
        sheet.merge_range(1, 0, 1, last, &self.office, &Format::new())?;
        for (index, heading) in self.headings.iter().enumerate() {
            sheet.set_column_width(column(index), WIDTH)?;
            sheet.write_string_with_format(3, column(index), *heading, &boxed)?;
        }
        let rows = self.print_rows(sheet, &boxed)?;
        let end = rows.last().map_or(4, |row| row.number);
        self.print_foot(sheet, end, last)?;
        Ok((book.save_to_buffer()?, rows))
    }

    fn print_rows(
        &self,
        sheet: &mut Worksheet,
        boxed: &Format,
    ) -> Result<Vec<PlantedRow>, XlsxError> {
        let dated = Format::new().set_num_format("yyyy/m/d").set_border(FormatBorder::Thin);
        let merges: BTreeMap<usize, u16> = self
            .rows
            .iter()
            .enumerate()
            .filter_map(|(index, line)| Some((index, line.merged?)))
            .collect();
        let mut rows = Vec::new();
        let mut at = 4u32;
        for (index, line) in self.rows.iter().enumerate() {
            // An empty line in the middle, where the clerk began a new month.
            if index > 0 && index.is_multiple_of(37) && !merges.contains_key(&index) {
                at += 1;
            }
            let merged_below = merges.get(&(index + 1)).copied();
            sheet.write_number_with_format(at, 0, f64::from(number(index) + 1), boxed)?;
            for (offset, ink) in line.cells.iter().enumerate() {
                let place = column(offset + 1);
                let is_lent = line.merged == Some(place);
                let text = match ink {
                    _ if is_lent => continue,
                    Ink::Blank => continue,
                    Ink::Number(value) => {
                        sheet.write_number_with_format(at, place, *value, boxed)?;
                        continue;
                    }
                    Ink::Date(day) => {
                        let (month, date) = day.month_day();
                        let stamp = ExcelDateTime::from_ymd(day.year, month, date)?;
                        sheet.write_datetime_with_format(at, place, &stamp, &dated)?;
                        continue;
                    }
                    Ink::Text(text) => text,
                };
                if merged_below == Some(place) {
                    sheet.merge_range(at, place, at + 1, place, text, boxed)?;
                } else {
                    sheet.write_string_with_format(at, place, text, boxed)?;
                }
            }
            rows.push(PlantedRow {
                number: at + 1,
                refused: line.refused,
                dirt: line.dirt.clone(),
                late: line.late,
            });
            at += 1;
        }
        Ok(rows)
    }

    fn print_foot(&self, sheet: &mut Worksheet, end: u32, last: u16) -> Result<(), XlsxError> {
        sheet.merge_range(end, 0, end, 2, "合  计", &Format::new())?;
        sheet.write_string(end, 3, format!("共{}条", self.rows.len()))?;
        let foot = "填表人：            审核人：            日期：            （公章）";
        sheet.merge_range(end + 2, 0, end + 2, last, foot, &Format::new())?;
        Ok(())
    }
}

impl Day {
    /// The `ordinal`-th day of the year, counted from 0 and carried over into the next years.
    pub(super) fn of(year: u16, ordinal: u32) -> Self {
        let days = if is_leap(year) { 366 } else { 365 };
        if ordinal >= days { Self::of(year + 1, ordinal - days) } else { Self { year, ordinal } }
    }

    pub(super) fn plus(self, days: u32) -> Self {
        Self::of(self.year, self.ordinal + days)
    }

    fn month_day(self) -> (u8, u8) {
        let february = if is_leap(self.year) { 29 } else { 28 };
        let mut rest = self.ordinal;
        for (month, days) in (1u8..).zip([31, february, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31]) {
            if rest < days {
                return (month, u8::try_from(rest + 1).expect("a month has at most 31 days"));
            }
            rest -= days;
        }
        (12, 31)
    }

    /// `2026-01-05`, the one style that no one writes by hand.
    pub(super) fn plain(self) -> String {
        let (month, date) = self.month_day();
        format!("{:04}-{month:02}-{date:02}", self.year)
    }

    /// Days since the epoch of Excel, as a cell shows them that lost its date format.
    fn serial(self) -> f64 {
        let before = |year: u32| {
            let past = year - 1;
            past * 365 + past / 4 - past / 100 + past / 400
        };
        f64::from(before(u32::from(self.year)) - before(1900) + self.ordinal + 2)
    }
}

/// A day in one of the styles of real ledgers; says whether the style is untidy.
pub(super) fn inked_day(dice: &mut Dice, day: Day, dirt: &mut Vec<Dirt>) -> Ink {
    let (month, date) = day.month_day();
    let year = day.year;
    let ink = match dice.below(20) {
        0..=4 => return Ink::Text(day.plain()),
        5..=8 => return Ink::Date(day),
        9..=13 => Ink::Text(format!("{year}.{month}.{date}")),
        14 => Ink::Text(format!("{year}{month:02}{date:02}")),
        15 => Ink::Number(
            f64::from(u32::from(year) * 10_000 + u32::from(month) * 100) + f64::from(date),
        ),
        16 => Ink::Text(format!("{year}年{month}月{date}日")),
        17 => Ink::Text(format!("{year}/{month}/{date} ")),
        18 => Ink::Number(day.serial()),
        _ => {
            dirt.push(Dirt::FullWidth);
            Ink::Text(wide(&format!("{year}.{month}.{date}")))
        }
    };
    dirt.push(Dirt::DateStyle);
    ink
}

/// A day that stands in no calendar.
pub(super) fn impossible_day(year: u16) -> Ink {
    Ink::Text(format!("{year}.2.30"))
}

/// A count or an amount with its unit behind it, or as a number, or with wide digits.
pub(super) fn inked_number(dice: &mut Dice, value: &str, unit: &str, dirt: &mut Vec<Dirt>) -> Ink {
    match dice.below(10) {
        0..=1 => {
            dirt.push(Dirt::Suffix);
            Ink::Text(format!("{value}{unit}"))
        }
        2 => {
            dirt.push(Dirt::FullWidth);
            Ink::Text(wide(value))
        }
        3..=4 => Ink::Text(value.to_owned()),
        _ => value.parse().map_or_else(|_| Ink::Text(value.to_owned()), Ink::Number),
    }
}

/// Yes or no in one of the ways of real ledgers.
pub(super) fn inked_tick(dice: &mut Dice, yes: bool, dirt: &mut Vec<Dirt>) -> Ink {
    dirt.push(Dirt::Tick);
    let words: &[&str] = if yes { &["是", "√", "有", "✓"] } else { &["否", "×", "无"] };
    Ink::Text((*dice.pick(words)).to_owned())
}

/// Text, now and then with stray blanks or an apostrophe around it.
pub(super) fn inked_text(dice: &mut Dice, text: &str, dirt: &mut Vec<Dirt>) -> Ink {
    if text.is_empty() {
        return Ink::Blank;
    }
    let untidy = match dice.below(40) {
        0 => format!("{text}  "),
        1 => format!("\u{A0}{text}"),
        2 => format!("'{text}"),
        3 => format!("{text}\u{200B}"),
        _ => return Ink::Text(text.to_owned()),
    };
    dirt.push(Dirt::StraySpace);
    Ink::Text(untidy)
}

/// Digits and points as wide as Chinese characters.
pub(super) fn wide(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '0'..='9' | '.' | 'X' => char::from_u32(u32::from(c) + 0xFEE0).unwrap_or(c),
            other => other,
        })
        .collect()
}

/// Money in 元 with its 分, from a log-normal throw.
pub(super) fn money(value: f64) -> String {
    format!("{:.2}", value.max(1.0))
}

/// The whole part of a throw.
pub(super) fn whole(value: f64, max: u32) -> u32 {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "clamped to a small positive range just before"
    )]
    let whole = value.clamp(0.0, f64::from(max)) as u32;
    whole
}

fn column(index: usize) -> u16 {
    u16::try_from(index).expect("a ledger has some twenty columns")
}

fn number(index: usize) -> u32 {
    u32::try_from(index).expect("a ledger has some hundred rows")
}

fn is_leap(year: u16) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_their_numbers_agree_with_the_calendar() {
        assert_eq!(Day::of(2026, 0).plain(), "2026-01-01");
        assert_eq!(Day::of(2026, 58).plain(), "2026-02-28");
        assert_eq!(Day::of(2024, 59).plain(), "2024-02-29");
        assert_eq!(Day::of(2026, 365).plain(), "2027-01-01");
        assert_eq!(Day::of(2026, 4).serial(), 46_027.0);
    }

    #[test]
    fn wide_digits_are_wide() {
        assert_eq!(wide("2026.1"), "２０２６．１");
    }
}
