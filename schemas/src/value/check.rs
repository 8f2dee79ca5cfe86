//! Whether a value is in the stored form of its field.
//! The one judge of single values: forms, imports and other nodes' changes all come past it.

use super::Value;
use super::days::{Day, is_stored_moment};
use super::enrol;
use super::slip::ValueSlip;
use super::text::shorten;
use crate::record::{CodeList, Field, Kind, RecordType};

/// Largest count or scaled measure: the people of China and room.
pub(crate) const INT_MAX: i64 = 1_000_000_000_000;
/// Largest amount in 分, either way: 14 digits, two of them decimals.
pub(crate) const MONEY_MAX: i64 = 99_999_999_999_999;
/// Longest reference to something kept elsewhere, in characters.
pub(crate) const REF_CHARS_MAX: usize = 100;
/// A message lists this many choices of a code list.
const CHOICES_SHOWN: usize = 12;

/// Checks a stored value. Null passes: whether the field must be filled is another question.
pub(crate) fn check(rt: &RecordType, field: &Field, value: &Value) -> Result<(), ValueSlip> {
    match (&field.kind, value) {
        (Kind::Struct { .. } | Kind::List { .. }, _) => Err(ValueSlip::WrongShape),
        (_, Value::Null) => Ok(()),
        (_, Value::Text(text)) if text.is_empty() => Ok(()),
        (Kind::Bool, Value::Bool(_)) => Ok(()),
        (Kind::Int | Kind::Dec { .. }, Value::Int(number)) => check_count(*number),
        (Kind::Money, Value::Int(number)) => {
            if number.unsigned_abs() <= MONEY_MAX.unsigned_abs() {
                Ok(())
            } else {
                Err(ValueSlip::OutOfRange)
            }
        }
        (_, Value::Text(text)) => check_text(rt, field, text),
        _ => Err(ValueSlip::WrongSort),
    }
}

fn check_count(number: i64) -> Result<(), ValueSlip> {
    match number {
        ..0 => Err(ValueSlip::Negative),
        0..=INT_MAX => Ok(()),
        _ => Err(ValueSlip::OutOfRange),
    }
}

fn check_text(rt: &RecordType, field: &Field, text: &str) -> Result<(), ValueSlip> {
    match &field.kind {
        Kind::Str { max } => {
            check_printable(text, false)?;
            check_length(text, *max as usize)
        }
        Kind::Text { max } => {
            check_printable(text, true)?;
            check_length(text, *max as usize)
        }
        Kind::Ref { .. } => {
            check_printable(text, false)?;
            check_length(text, REF_CHARS_MAX)
        }
        Kind::Date => Day::from_stored(text).map(|_| ()).ok_or(ValueSlip::NotADay),
        Kind::DateTime => is_stored_moment(text).then_some(()).ok_or(ValueSlip::NotAMoment),
        Kind::Enum => match rt.code_list(field) {
            Some(list) if list.code(text).is_some() => Ok(()),
            list => Err(not_in_list(list, text)),
        },
        Kind::EnumMany => check_many(rt.code_list(field), field, text),
        Kind::Division { digits } => enrol::check_division(text, *digits),
        Kind::IdNumber => enrol::check_id(text),
        Kind::CreditCode => enrol::check_credit_code(text),
        Kind::Phone => enrol::check_phones(text),
        Kind::Geo => enrol::check_geo(text),
        Kind::Hash => {
            let sound =
                text.len() == 64 && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
            sound.then_some(()).ok_or(ValueSlip::Hash)
        }
        Kind::Int | Kind::Dec { .. } | Kind::Money | Kind::Bool => Err(ValueSlip::WrongSort),
        Kind::Struct { .. } | Kind::List { .. } => Err(ValueSlip::WrongShape),
    }
}

fn check_many(list: Option<&CodeList>, field: &Field, text: &str) -> Result<(), ValueSlip> {
    let mut last = "";
    let mut count = 0;
    for code in text.split(',') {
        if list.is_none_or(|list| list.code(code).is_none()) {
            return Err(not_in_list(list, code));
        }
        if count > 0 && code <= last {
            return Err(ValueSlip::ChoicesUnsorted);
        }
        last = code;
        count += 1;
    }
    let (min, max) = (field.items_min as usize, field.items_max as usize);
    if max > 0 && count > max {
        return Err(ValueSlip::TooManyChoices { max });
    }
    if count < min { Err(ValueSlip::TooFewChoices { min }) } else { Ok(()) }
}

fn check_length(text: &str, max: usize) -> Result<(), ValueSlip> {
    // No character is shorter than a byte, so most texts pass without being counted.
    if text.len() <= max {
        return Ok(());
    }
    let found = text.chars().count();
    if found <= max { Ok(()) } else { Err(ValueSlip::TooLong { max, found }) }
}

fn check_printable(text: &str, lines: bool) -> Result<(), ValueSlip> {
    let unprintable = |c: char| c.is_control() && !(lines && (c == '\n' || c == '\t'));
    if text.chars().any(unprintable) { Err(ValueSlip::ControlCharacter) } else { Ok(()) }
}

pub(crate) fn not_in_list(list: Option<&CodeList>, found: &str) -> ValueSlip {
    let codes = list.map_or(&[][..], |list| &list.codes);
    let more = codes.len() > CHOICES_SHOWN;
    let say = |label: fn(&crate::record::Code) -> &str, more_words: &str| {
        let mut shown: Vec<&str> = codes.iter().take(CHOICES_SHOWN).map(label).collect();
        if more {
            shown.push(more_words);
        }
        shown.join("；")
    };
    ValueSlip::NotInList {
        found: shorten(found),
        zh: say(|c| &c.zh, "等"),
        en: say(|c| &c.en, "and others"),
    }
}
