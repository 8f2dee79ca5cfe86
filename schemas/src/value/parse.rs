//! Reads what people type or spread-sheets hold into the stored form.
//! Tolerant of form, never of content: nothing is rounded, cut or guessed.

use super::Value;
use super::check::{check, not_in_list};
use super::days::{read_day, read_moment};
use super::slip::ValueSlip;
use super::text::{half_width, is_blank_mark, shorten};
use crate::record::{Code, CodeList, Field, Kind, RecordType};

/// Words for a unit that may stand behind a number and change nothing.
const UNITS: [&str; 24] = [
    "个工作日",
    "工作日",
    "平方米",
    "人民币",
    "个月",
    "小时",
    "分钟",
    "周岁",
    "岁",
    "人",
    "户",
    "天",
    "日",
    "个",
    "份",
    "亩",
    "年",
    "月",
    "次",
    "口",
    "名",
    "件",
    "㎡",
    "%",
];
/// Pieces that a several-choice text may fall into; no form has more choices.
const PIECES_MAX: usize = 60;

/// Reads a text as the field's value; blank text is [`Value::Null`].
pub fn parse(rt: &RecordType, field: &Field, text: &str) -> Result<Value, ValueSlip> {
    let plain = text.trim();
    if plain.is_empty() {
        return Ok(Value::Null);
    }
    let wide = half_width(plain);
    let half = wide.trim();
    let free_text = matches!(field.kind, Kind::Str { .. } | Kind::Text { .. } | Kind::Ref { .. });
    if !free_text && is_blank_mark(half) {
        return Ok(Value::Null);
    }
    let value = match &field.kind {
        Kind::Str { .. } | Kind::Ref { .. } => Value::Text(one_line(plain)),
        Kind::Text { .. } => Value::Text(plain.replace("\r\n", "\n").replace('\r', "\n")),
        Kind::Int => Value::Int(number(half, 0)?),
        Kind::Dec { scale } => Value::Int(number(half, *scale)?),
        Kind::Money => Value::Int(money(half)?),
        Kind::Bool => Value::Bool(truth(half)?),
        Kind::Date => Value::Text(read_day(half).ok_or(ValueSlip::NotADay)?.to_stored()),
        Kind::DateTime => Value::Text(read_moment(half).ok_or(ValueSlip::NotAMoment)?),
        Kind::Enum => Value::Text(choice(rt.code_list(field), half)?.to_owned()),
        Kind::EnumMany => Value::Text(choices(rt.code_list(field), half)?),
        Kind::Division { digits } => Value::Text(division(half, *digits)),
        Kind::IdNumber | Kind::CreditCode => Value::Text(certificate(half)?),
        Kind::Phone => Value::Text(phones(half)),
        Kind::Geo => Value::Text(half.replace('、', ",").replace(' ', "")),
        Kind::Hash => Value::Text(half.to_ascii_lowercase()),
        Kind::Struct { .. } | Kind::List { .. } => return Err(ValueSlip::WrongShape),
    };
    check(rt, field, &value)?;
    Ok(value)
}

fn one_line(text: &str) -> String {
    if !text.contains(['\n', '\r', '\t']) {
        return text.to_owned();
    }
    text.split(['\n', '\r', '\t'])
        .map(str::trim)
        .filter(|s| !s.is_empty())
        .collect::<Vec<_>>()
        .join(" ")
}

fn truth(text: &str) -> Result<bool, ValueSlip> {
    match text.to_lowercase().as_str() {
        "是" | "有" | "√" | "✓" | "✔" | "对" | "1" | "true" | "yes" | "y" => Ok(true),
        "否" | "无" | "没有" | "不是" | "×" | "✗" | "✘" | "x" | "0" | "false" | "no" | "n" => {
            Ok(false)
        }
        _ => Err(ValueSlip::NotYesNo),
    }
}

fn money(text: &str) -> Result<i64, ValueSlip> {
    let text = text.trim_start_matches(['¥', '￥', ' ']);
    let text = text.strip_suffix('整').unwrap_or(text);
    let text = text.strip_suffix(['元', '块']).unwrap_or(text).trim_end();
    match text.strip_suffix('万') {
        // Ten thousand yuan are a million 分: six decimals of 万元 are exact.
        Some(text) => scaled(text.trim_end(), 6, 2),
        None => scaled(text, 2, 2),
    }
}

fn number(text: &str, scale: u8) -> Result<i64, ValueSlip> {
    let bare = UNITS.iter().find_map(|unit| text.strip_suffix(unit)).unwrap_or(text);
    scaled(bare.trim_end(), scale, scale)
}

/// Reads a decimal number as an integer scaled by `scale` digits; `max` is named in the slip.
fn scaled(text: &str, scale: u8, max: u8) -> Result<i64, ValueSlip> {
    let (negative, text) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest.trim_start()),
        None => (false, text),
    };
    let text: String = text.chars().filter(|c| !matches!(c, ',' | ' ')).collect();
    let (whole, decimals) = text.split_once('.').unwrap_or((&text, ""));
    if is_scientific(&text) {
        return Err(ValueSlip::Scientific);
    }
    let digits = whole.bytes().chain(decimals.bytes());
    if whole.is_empty() && decimals.is_empty() || !digits.clone().all(|b| b.is_ascii_digit()) {
        return Err(ValueSlip::NotANumber);
    }
    let kept = decimals.trim_end_matches('0');
    let scale = usize::from(scale);
    if kept.len() > scale {
        return Err(ValueSlip::TooManyDecimals { max });
    }
    let zeros = std::iter::repeat_n(b'0', scale - kept.len());
    let number = whole
        .bytes()
        .chain(kept.bytes())
        .chain(zeros)
        .try_fold(0_i64, |sum, b| sum.checked_mul(10)?.checked_add(i64::from(b - b'0')))
        .ok_or(ValueSlip::OutOfRange)?;
    Ok(if negative { -number } else { number })
}

fn is_scientific(text: &str) -> bool {
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else {
        return false;
    };
    let number =
        |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    number(digits) && number(exponent.trim_start_matches(['+', '-']))
}

fn certificate(text: &str) -> Result<String, ValueSlip> {
    let text: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if is_scientific(&text) {
        return Err(ValueSlip::Scientific);
    }
    // A leading quote is how spread-sheets mark a number as text.
    Ok(text.trim_start_matches(['\'', '’', '`']).to_ascii_uppercase())
}

fn division(text: &str, digits: u8) -> String {
    let mut code: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    // Counties and townships are often written without the zeros at the end.
    if digits == 12 && matches!(code.len(), 6 | 9) {
        code.push_str(&"000000"[..12 - code.len()]);
    }
    code
}

fn phones(text: &str) -> String {
    text.split(['、', ',', ';', '/', '\n', ' '])
        .map(|part| part.chars().filter(|c| !c.is_whitespace()).collect::<String>())
        .filter(|part| !part.is_empty())
        .map(|part| phone(&part))
        .collect::<Vec<_>>()
        .join(",")
}

fn phone(text: &str) -> String {
    let text = text.strip_prefix("+86").unwrap_or(text).trim_start_matches('-');
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | '(' | ')')).collect();
    // Hyphens group a mobile number and are dropped; a landline keeps the one behind its area code.
    if !digits.starts_with('0') || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return digits;
    }
    // Beijing, Shanghai and other large cities have area codes of three digits: 010, 02x.
    let area = if digits.starts_with("01") || digits.starts_with("02") { 3 } else { 4 };
    if digits.len() <= area {
        return digits;
    }
    format!("{}-{}", &digits[..area], &digits[area..])
}

/// Finds the one code that a text means.
fn choice<'a>(list: Option<&'a CodeList>, text: &str) -> Result<&'a str, ValueSlip> {
    let codes = list.map_or(&[][..], |list| &list.codes);
    let wanted = key(text);
    for matches in [by_exact_code, by_code, by_label, by_part] {
        let mut found = codes.iter().filter(|code| matches(code, &wanted));
        match (found.next(), found.next()) {
            (Some(code), None) => return Ok(&code.code),
            (Some(first), Some(second)) => {
                return Err(ValueSlip::Ambiguous {
                    found: shorten(text),
                    zh: format!("{}；{}", first.zh, second.zh),
                    en: format!("{}; {}", first.en, second.en),
                });
            }
            (None, _) => {}
        }
    }
    Err(not_in_list(list, text))
}

fn by_exact_code(code: &Code, wanted: &str) -> bool {
    key(&code.code) == wanted
}

fn by_code(code: &Code, wanted: &str) -> bool {
    // Spread-sheets drop the zeros in front of codes.
    let bare = |text: &str| text.trim_start_matches('0').to_lowercase();
    wanted.bytes().all(|b| b.is_ascii_digit())
        && !bare(wanted).is_empty()
        && bare(&code.code) == bare(wanted)
}

fn by_label(code: &Code, wanted: &str) -> bool {
    key(&code.zh) == wanted || key(&code.en) == wanted
}

/// A label without what stands in brackets, or one of its alternatives.
fn by_part(code: &Code, wanted: &str) -> bool {
    let label = key(&code.zh);
    let bare = label.split('(').next().unwrap_or_default();
    !wanted.is_empty() && (bare == wanted || bare.split('/').any(|part| part == wanted))
}

/// A text as labels are compared: half-width, lower case, without blanks.
fn key(text: &str) -> String {
    half_width(text).chars().filter(|c| !c.is_whitespace()).flat_map(char::to_lowercase).collect()
}

/// Finds the codes that a text lists, sorted and joined by commas.
fn choices(list: Option<&CodeList>, text: &str) -> Result<String, ValueSlip> {
    let pieces = pieces(text);
    if pieces.len() > PIECES_MAX {
        return Err(ValueSlip::TooManyChoices { max: PIECES_MAX });
    }
    let mut codes = Vec::new();
    let mut at = 0;
    while at < pieces.len() {
        // A label may itself hold a separator, so the longest run that is a label wins.
        let (code, next) = (at + 1..=pieces.len())
            .rev()
            .find_map(|end| {
                let run = &text[pieces[at].start..pieces[end - 1].end];
                choice(list, run).ok().map(|code| (code, end))
            })
            .map_or_else(|| choice(list, &text[pieces[at].clone()]).map(|c| (c, at + 1)), Ok)?;
        codes.push(code);
        at = next;
    }
    codes.sort_unstable();
    codes.dedup();
    Ok(codes.join(","))
}

fn pieces(text: &str) -> Vec<std::ops::Range<usize>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let ends = text
        .match_indices(['、', ',', ';', '；', '，', '\n', '|'])
        .map(|(at, separator)| (at, at + separator.len()))
        .chain(std::iter::once((text.len(), text.len())));
    for (end, next) in ends {
        let piece = text[start..end].trim();
        if !piece.is_empty() {
            let from = start + text[start..end].find(piece).expect("a trimmed part is a part");
            pieces.push(from..from + piece.len());
        }
        start = next;
    }
    pieces
}
