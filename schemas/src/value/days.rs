//! Days and moments of the civil calendar, in China's time.
//! Pure arithmetic; never asks what day it is.

/// Earliest year a record may name: great-grandparents in a household register.
pub(crate) const YEAR_MIN: i32 = 1850;
/// Latest year a record may name: a contract of 70 years signed now, and room.
pub(crate) const YEAR_MAX: i32 = 2150;

/// Excel counts days from here when a date cell lost its format.
const EXCEL_EPOCH: i64 = -25_569;
/// Excel serial numbers taken for dates: 1950-01-01 to 2099-12-31. Others are likely plain numbers.
const EXCEL_SERIALS: std::ops::RangeInclusive<i64> = 18_264..=73_050;
/// China has one time zone, eight hours ahead of UTC, without summer time.
const CHINA_OFFSET_S: i64 = 8 * 3600;
const DAY_S: i64 = 86_400;

/// A day of the civil calendar.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day {
    year: i32,
    month: u8,
    day: u8,
}

impl Day {
    /// A real day between the years that records may name.
    pub fn new(year: i32, month: u8, day: u8) -> Option<Day> {
        let real = (YEAR_MIN..=YEAR_MAX).contains(&year)
            && (1..=12).contains(&month)
            && day >= 1
            && day <= month_length(year, month);
        real.then_some(Day { year, month, day })
    }

    /// Reads the stored form `YYYY-MM-DD`, and nothing else.
    pub fn from_stored(text: &str) -> Option<Day> {
        let b = text.as_bytes();
        if b.len() != 10 || b[4] != b'-' || b[7] != b'-' {
            return None;
        }
        let year = digits(&b[..4])?;
        let month = digits(&b[5..7])?;
        let day = digits(&b[8..])?;
        Day::new(i32::try_from(year).ok()?, u8::try_from(month).ok()?, u8::try_from(day).ok()?)
    }

    /// The stored form.
    pub fn to_stored(self) -> String {
        format!("{:04}-{:02}-{:02}", self.year, self.month, self.day)
    }

    /// Days since 1970-01-01.
    pub fn number(self) -> i64 {
        // Years are counted from March, so that the leap day is the last day of its year.
        let year = i64::from(self.year) - i64::from(self.month <= 2);
        let month = (i64::from(self.month) + 9) % 12;
        let leaps = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
        let before_month = (153 * month + 2) / 5;
        365 * year + leaps + before_month + i64::from(self.day) - 1 - 719_468
    }

    /// The day with that number.
    pub fn from_number(number: i64) -> Option<Day> {
        // The estimate is never more than a year off, so one step either way finds the year.
        let estimate = 1970 + i32::try_from(number.checked_mul(400)? / 146_097).ok()?;
        let year = (estimate - 1..=estimate + 1)
            .rev()
            .find(|year| Day::new(*year, 1, 1).is_some_and(|first| first.number() <= number))?;
        let mut left = number - Day::new(year, 1, 1)?.number();
        for month in 1..=12 {
            let length = i64::from(month_length(year, month));
            if left < length {
                return Day::new(year, month, u8::try_from(left + 1).ok()?);
            }
            left -= length;
        }
        None
    }

    /// Monday is 0, Sunday is 6.
    pub fn weekday(self) -> u8 {
        // 1970-01-01 was a Thursday.
        u8::try_from((self.number() + 3).rem_euclid(7)).expect("a remainder of 7 fits")
    }
}

/// Whether the text is a stored moment, `YYYY-MM-DDTHH:MM:SS+08:00`.
pub(crate) fn is_stored_moment(text: &str) -> bool {
    let b = text.as_bytes();
    b.len() == 25
        && text.is_ascii()
        && Day::from_stored(&text[..10]).is_some()
        && b[10] == b'T'
        && b[13] == b':'
        && b[16] == b':'
        && &b[19..] == b"+08:00"
        && digits(&b[11..13]).is_some_and(|h| h < 24)
        && digits(&b[14..16]).is_some_and(|m| m < 60)
        && digits(&b[17..19]).is_some_and(|s| s < 60)
}

/// Reads a day as people write it; a time of day behind it is ignored.
pub(crate) fn read_day(text: &str) -> Option<Day> {
    let (day, _) = split_moment(text)?;
    Some(day)
}

/// Reads a moment as people write it and returns its stored form; a bare day means midnight.
pub(crate) fn read_moment(text: &str) -> Option<String> {
    let (day, rest) = split_moment(text)?;
    let (seconds, offset) = match rest {
        Rest::None => (0, CHINA_OFFSET_S),
        Rest::Seconds(seconds) => (seconds, CHINA_OFFSET_S),
        Rest::Text(text) => read_time(&text)?,
    };
    let china = day.number() * DAY_S + seconds - offset + CHINA_OFFSET_S;
    let day = Day::from_number(china.div_euclid(DAY_S))?;
    let second = china.rem_euclid(DAY_S);
    Some(format!(
        "{}T{:02}:{:02}:{:02}+08:00",
        day.to_stored(),
        second / 3600,
        second / 60 % 60,
        second % 60
    ))
}

enum Rest {
    None,
    Seconds(i64),
    Text(String),
}

fn split_moment(text: &str) -> Option<(Day, Rest)> {
    let text = tidy(text);
    let head: String = text.chars().take_while(char::is_ascii_digit).collect();
    let tail = &text[head.len()..];
    match head.len() {
        14 if tail.is_empty() => {
            let time = format!("{}:{}:{}", &head[8..10], &head[10..12], &head[12..]);
            Some((compact_day(&head[..8])?, Rest::Text(time)))
        }
        8 => Some((compact_day(&head)?, rest(tail))),
        5 => excel(&head, tail),
        4 => {
            let (month, tail) = part(after(tail, &['-', '.', '/', '年'])?)?;
            let (day, tail) = part(after(tail, &['-', '.', '/', '月'])?)?;
            let tail = tail.strip_prefix(['日', '号']).unwrap_or(tail);
            let year = head.parse().ok()?;
            Some((Day::new(year, month, day)?, rest(tail)))
        }
        _ => None,
    }
}

/// Drops the blanks around separators, which spread-sheets and hand-writing leave everywhere.
fn tidy(text: &str) -> String {
    let mut text = text.trim().replace('。', ".");
    for separator in ["-", ".", "/", "年", "月", ":"] {
        for untidy in [format!("{separator} "), format!(" {separator}")] {
            while text.contains(&untidy) {
                text = text.replace(&untidy, separator);
            }
        }
    }
    text
}

fn rest(tail: &str) -> Rest {
    let tail = tail.trim_start_matches(['T', 't', ' ', ',']).trim();
    if tail.is_empty() { Rest::None } else { Rest::Text(tail.to_owned()) }
}

fn excel(head: &str, tail: &str) -> Option<(Day, Rest)> {
    let serial: i64 = head.parse().ok()?;
    if !EXCEL_SERIALS.contains(&serial) {
        return None;
    }
    let day = Day::from_number(serial + EXCEL_EPOCH)?;
    let Some(fraction) = tail.strip_prefix('.') else {
        return tail.is_empty().then_some((day, Rest::None));
    };
    // Nine decimals resolve a ten-thousandth of a second; more are rounding noise.
    let kept: String = fraction.chars().take(9).collect();
    if kept.is_empty() || !fraction.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    let scale = 10_i64.pow(u32::try_from(kept.len()).ok()?);
    let seconds = (kept.parse::<i64>().ok()? * DAY_S + scale / 2) / scale;
    Some((day, Rest::Seconds(seconds)))
}

fn compact_day(text: &str) -> Option<Day> {
    Day::new(text[..4].parse().ok()?, text[4..6].parse().ok()?, text[6..8].parse().ok()?)
}

fn after<'a>(text: &'a str, separators: &[char]) -> Option<&'a str> {
    text.strip_prefix(separators)
}

fn part(text: &str) -> Option<(u8, &str)> {
    let length = text.bytes().take_while(u8::is_ascii_digit).count();
    if length == 0 || length > 2 {
        return None;
    }
    Some((text[..length].parse().ok()?, &text[length..]))
}

/// Reads a time of day and its offset from UTC, both in seconds.
fn read_time(text: &str) -> Option<(i64, i64)> {
    let (text, offset) = zone(text)?;
    let (text, afternoon) = if let Some(rest) =
        ["下午", "晚上", "晚"].iter().find_map(|word| text.strip_prefix(word))
    {
        (rest, true)
    } else {
        let morning = ["上午", "早上", "凌晨", "中午"].iter().find_map(|w| text.strip_prefix(w));
        (morning.unwrap_or(text), false)
    };
    let (hour, text) = part(text.trim())?;
    let hour = if afternoon && hour < 12 { hour + 12 } else { hour };
    let (minute, text) = next_part(text, &[':', '时', '点'])?;
    let (second, text) = next_part(text, &[':', '分'])?;
    let text = text.strip_prefix('秒').unwrap_or(text);
    // Fractions of a second carry nothing that an office records.
    let text =
        text.strip_prefix('.').map_or(text, |t| t.trim_start_matches(|c: char| c.is_ascii_digit()));
    if !text.is_empty() || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    Some((i64::from(hour) * 3600 + i64::from(minute) * 60 + i64::from(second), offset))
}

fn next_part<'a>(text: &'a str, separators: &[char]) -> Option<(u8, &'a str)> {
    let Some(rest) = text.strip_prefix(separators) else {
        return Some((0, text));
    };
    if rest.is_empty() { Some((0, rest)) } else { part(rest) }
}

fn zone(text: &str) -> Option<(&str, i64)> {
    if let Some(text) = text.strip_suffix(['Z', 'z']) {
        return Some((text, 0));
    }
    let Some(at) = text.rfind(['+', '-']) else {
        return Some((text, CHINA_OFFSET_S));
    };
    let sign = if text[at..].starts_with('-') { -1 } else { 1 };
    let mut parts = text[at + 1..].split(':');
    let hours: i64 = parts.next()?.parse().ok()?;
    let minutes: i64 = parts.next().map_or(Some(0), |m| m.parse().ok())?;
    let sound = parts.next().is_none() && (0..=14).contains(&hours) && (0..60).contains(&minutes);
    sound.then_some((&text[..at], sign * (hours * 3600 + minutes * 60)))
}

fn digits(bytes: &[u8]) -> Option<u32> {
    bytes
        .iter()
        .try_fold(0_u32, |sum, b| b.is_ascii_digit().then(|| sum * 10 + u32::from(b - b'0')))
}

fn month_length(year: i32, month: u8) -> u8 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}
