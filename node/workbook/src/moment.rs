//! Days that Excel keeps as numbers, and moments as ledgers print them. Knows no clock.

use calamine::{ExcelDateTime, ExcelDateTimeType};

/// A day, perhaps with a time of day, as it stands in a cell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) year: u16,
    pub(crate) month: u8,
    pub(crate) day: u8,
    pub(crate) hour: u8,
    pub(crate) minute: u8,
    pub(crate) second: u8,
}

/// Day numbers taken for dates: 1927-05-18 to 2119-01-10. Below lie ages and counts.
const SERIAL_DAYS: std::ops::Range<f64> = 10_000.0..80_000.0;

/// Years that a ledger of living people and their affairs can name.
const YEARS: std::ops::RangeInclusive<u16> = 1900..=2199;

impl Moment {
    /// The moment of a cell that Excel shows as a date; `None` outside the calendar.
    pub(crate) fn of_excel(stamp: &ExcelDateTime) -> Option<Self> {
        let (year, month, day, hour, minute, second, _) = stamp.to_ymd_hms_milli();
        Self { year, month, day, hour, minute, second }.checked()
    }

    /// The moment of a number that was typed into a date column and lost its date format.
    pub(crate) fn of_serial(number: f64, from_1904: bool) -> Option<Self> {
        SERIAL_DAYS.contains(&number).then_some(())?;
        Self::of_excel(&ExcelDateTime::new(number, ExcelDateTimeType::DateTime, from_1904))
    }

    fn checked(self) -> Option<Self> {
        let day_ok = (1..=12).contains(&self.month)
            && (1..=days_in(self.year, self.month)).contains(&self.day);
        let time_ok = self.hour < 24 && self.minute < 60 && self.second < 60;
        (YEARS.contains(&self.year) && day_ok && time_ok).then_some(self)
    }

    /// `2026-01-05`.
    pub(crate) fn date(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// `2026-01-05T09:30:00+08:00`: offices keep Beijing time.
    pub(crate) fn stored(self) -> String {
        format!("{}T{:02}:{:02}:{:02}+08:00", self.date(), self.hour, self.minute, self.second)
    }
}

/// A stored moment as a ledger prints it: the day alone at midnight, seconds only where there are any.
pub(crate) fn printed(stored: &str) -> String {
    let Some((date, time)) = stored.split_once('T') else {
        return stored.to_owned();
    };
    let time = time.strip_suffix("+08:00").unwrap_or(time);
    match time.strip_suffix(":00") {
        Some("00:00") => date.to_owned(),
        Some(minutes) => format!("{date} {minutes}"),
        None => format!("{date} {time}"),
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_printed_as_short_as_it_can_be() {
        assert_eq!(printed("2026-01-05T00:00:00+08:00"), "2026-01-05");
        assert_eq!(printed("2026-01-05T09:30:00+08:00"), "2026-01-05 09:30");
        assert_eq!(printed("2026-01-05T09:30:07+08:00"), "2026-01-05 09:30:07");
        assert_eq!(printed("2026-01-05"), "2026-01-05");
    }

    #[test]
    fn day_numbers_are_those_of_excel() {
        assert_eq!(
            Moment::of_serial(46_027.0, false).map(Moment::date).as_deref(),
            Some("2026-01-05")
        );
        assert_eq!(
            Moment::of_serial(44_565.0, true).map(Moment::date).as_deref(),
            Some("2026-01-05")
        );
        assert_eq!(Moment::of_serial(68.0, false), None);
    }
}
