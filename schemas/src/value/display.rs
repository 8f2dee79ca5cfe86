//! Shows a stored value to people.
//! What it shows, `parse` reads back to the same value; it never masks.

use super::{Lang, Value};
use crate::record::{Field, Kind, RecordType};

/// The value as people read it; a value that does not fit its field is shown as it is stored.
pub fn display(rt: &RecordType, field: &Field, value: &Value, lang: Lang) -> String {
    match (value, &field.kind) {
        (Value::Null, _) => String::new(),
        (Value::Bool(truth), _) => {
            (if *truth { lang.pick("是", "yes") } else { lang.pick("否", "no") }).to_owned()
        }
        (Value::Int(number), Kind::Money) => scaled(*number, 2),
        (Value::Int(number), Kind::Dec { scale }) => scaled(*number, *scale),
        (Value::Int(number), _) => number.to_string(),
        (Value::Text(code), Kind::Enum) => label(rt, field, code, lang),
        (Value::Text(codes), Kind::EnumMany) => codes
            .split(',')
            .map(|code| label(rt, field, code, lang))
            .collect::<Vec<_>>()
            .join(lang.pick("；", "; ")),
        (Value::Text(moment), Kind::DateTime) => show_moment(moment),
        (Value::Text(phones), Kind::Phone) => phones.replace(',', "、"),
        (Value::Text(text), _) => text.clone(),
    }
}

fn label(rt: &RecordType, field: &Field, code: &str, lang: Lang) -> String {
    match rt.code_list(field).and_then(|list| list.code(code)) {
        Some(code) => lang.pick(&code.zh, &code.en).to_owned(),
        None => code.to_owned(),
    }
}

fn show_moment(stored: &str) -> String {
    // The zone is the same everywhere in the country and seconds are rarely known.
    let shown = stored.strip_suffix("+08:00").unwrap_or(stored).replacen('T', " ", 1);
    match shown.strip_suffix(":00") {
        Some(minutes) if shown.len() == "2026-01-05 08:30:00".len() => minutes.to_owned(),
        _ => shown,
    }
}

/// A scaled number with its decimals.
pub(crate) fn scaled(number: i64, scale: u8) -> String {
    let digits = number.unsigned_abs().to_string();
    let scale = usize::from(scale);
    let sign = if number < 0 { "-" } else { "" };
    if scale == 0 {
        return format!("{sign}{digits}");
    }
    let digits = format!("{digits:0>width$}", width = scale + 1);
    let (whole, decimals) = digits.split_at(digits.len() - scale);
    format!("{sign}{whole}.{decimals}")
}
