//! From what stands in one cell to a stored value. Tolerant of form, never of content.

use xw_schemas::record::{Field, Kind, RecordType, Value, parse};

use crate::grid::Seen;
use crate::heading::Unit;
use crate::limits::NUMBER_DIGITS_MAX;
use crate::moment::{Moment, printed};
use crate::text::{fold, squeeze, tidy};

/// What a cell says.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Understood {
    pub(crate) value: Value,
    /// Something that was understood but should be looked at.
    pub(crate) warning: Option<Words>,
}

/// A sentence for the clerk in both languages.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Words {
    pub(crate) zh: String,
    pub(crate) en: String,
}

/// Names of divisions to their 12-digit codes, as the caller knows them.
pub type Divisions<'a> = &'a dyn Fn(&str) -> Option<String>;

/// How cells of a sheet are read.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    pub(crate) rt: &'a RecordType,
    pub(crate) from_1904: bool,
    pub(crate) divisions: Divisions<'a>,
}

/// Words that say "nothing" where a number, a date or a code is expected.
const NOTHING: &[&str] = &["无", "暂无", "未填", "空", "不详"];

impl Reading<'_> {
    /// The value of a cell for a field; `unit` is the money unit that the heading gives.
    pub(crate) fn cell(&self, field: &Field, seen: &Seen, unit: Unit) -> Result<Understood, Words> {
        match (&field.kind, seen) {
            (_, Seen::Wrong) => Err(Words::of(
                "单元格里是公式错误；请重新填写",
                "the cell holds a formula error; type the value",
            )),
            (Kind::IdNumber | Kind::CreditCode, Seen::Number(number)) => {
                self.numeric_id(field, *number)
            }
            (Kind::Date | Kind::DateTime, Seen::Number(number)) => self.numeric_day(field, *number),
            (Kind::Date, Seen::Moment(moment)) => self.text(field, &moment.date()),
            (Kind::DateTime, Seen::Moment(moment)) => self.text(field, &moment.stored()),
            (Kind::Money, _) => self.money(field, &plain(seen), unit),
            (Kind::Division { .. }, _) => self.division(field, &plain(seen)),
            (Kind::Phone, _) => self.phone(field, &plain(seen)),
            (Kind::Enum | Kind::EnumMany, _) => self.choice(field, &plain(seen)),
            (Kind::Str { .. } | Kind::Text { .. } | Kind::Ref { .. }, _) => {
                self.text(field, &tidy(&plain(seen)))
            }
            (Kind::IdNumber | Kind::CreditCode, _) => self.text(field, &squeeze(&plain(seen))),
            _ => self.text(field, &plain(seen)),
        }
    }

    fn text(&self, field: &Field, text: &str) -> Result<Understood, Words> {
        let is_free = matches!(field.kind, Kind::Str { .. } | Kind::Text { .. } | Kind::Ref { .. });
        let text = if is_free { text.to_owned() } else { fold(text) };
        if !is_free && field.kind != Kind::Bool && NOTHING.contains(&text.as_str()) {
            return Ok(Understood { value: Value::Null, warning: None });
        }
        match parse(self.rt, field, &text) {
            Ok(value) => Ok(Understood { value, warning: None }),
            Err(slip) => Err(Words { zh: slip.zh(), en: slip.en() }),
        }
    }

    fn numeric_id(&self, field: &Field, number: f64) -> Result<Understood, Words> {
        let digits = decimal(number);
        if digits.len() <= NUMBER_DIGITS_MAX {
            return self.text(field, &digits);
        }
        Err(Words::of(
            "Excel 已把号码变成数字，末几位已经丢失；请把该列设为“文本”格式，再照原件重新输入",
            "Excel turned the number into a figure and lost its last digits; \
             format the column as text and type it again from the paper",
        ))
    }

    fn numeric_day(&self, field: &Field, number: f64) -> Result<Understood, Words> {
        if let Some(moment) = Moment::of_serial(number, self.from_1904) {
            return match field.kind {
                Kind::Date => self.text(field, &moment.date()),
                _ => self.text(field, &moment.stored()),
            };
        }
        let digits = decimal(number);
        if digits.len() == 8 && !digits.contains('.') {
            return self.text(field, &digits);
        }
        Err(Words::of(
            "不是完整的日期；请写成 2026-01-05",
            "not a whole date; write it as 2026-01-05",
        ))
    }

    fn money(&self, field: &Field, text: &str, unit: Unit) -> Result<Understood, Words> {
        let folded = squeeze(text);
        let bare = folded.trim_end_matches(['元', '整', '块']);
        let says_unit = bare.len() != folded.len() || bare.ends_with('万');
        if unit == Unit::Wan && !says_unit && bare.ends_with(|c: char| c.is_ascii_digit()) {
            return self.text(field, &format!("{folded}万元"));
        }
        self.text(field, &folded)
    }

    fn phone(&self, field: &Field, text: &str) -> Result<Understood, Words> {
        let mut understood = self.text(field, text).or_else(|words| {
            // 100 1234 5678 is one number that someone has spaced.
            let joined = squeeze(text);
            self.text(field, &joined).map_err(|_| words)
        })?;
        let count = understood.value.as_text().map_or(0, |phones| phones.split(',').count());
        if count > 1 {
            understood.warning = Some(Words {
                zh: format!("一格内有 {count} 个号码，第一个作为常用号码，请核对"),
                en: format!("{count} numbers in one cell; the first is taken as the usual one"),
            });
        }
        Ok(understood)
    }

    fn choice(&self, field: &Field, text: &str) -> Result<Understood, Words> {
        let folded = fold(text);
        let first = match self.text(field, &folded) {
            Ok(understood) => return Ok(understood),
            Err(words) => words,
        };
        // "3 代办", "3-代办", "代办(3)": a label with its code. Both must mean the same.
        let (code, label) = split_code(&folded);
        let both = (!code.is_empty() && !label.is_empty())
            .then(|| (self.text(field, code), self.text(field, label)));
        match both {
            Some((Ok(by_code), Ok(by_label))) if by_code == by_label => Ok(by_label),
            _ => Err(first),
        }
    }

    fn division(&self, field: &Field, text: &str) -> Result<Understood, Words> {
        let folded = squeeze(text);
        if folded.is_empty() || folded.bytes().all(|byte| byte.is_ascii_digit()) {
            return self.text(field, &folded);
        }
        let (place, _) = split_group(&folded);
        match self.named_division(place) {
            Some(code) => self.text(field, &code),
            None => Err(Words::of(
                "不认识这个村名；请写本县的村名或 12 位区划代码",
                "unknown village; write its name or its 12-digit code",
            )),
        }
    }

    /// The code of a village by its name as clerks write it.
    pub(crate) fn named_division(&self, name: &str) -> Option<String> {
        let bare = ["村民委员会", "村委会", "村"]
            .iter()
            .find_map(|ending| name.strip_suffix(ending))
            .unwrap_or(name);
        let spellings = [name.to_owned(), bare.to_owned(), format!("{bare}村")];
        spellings.iter().filter(|s| !s.is_empty()).find_map(|name| (self.divisions)(name))
    }
}

impl Words {
    pub(crate) fn of(zh: &str, en: &str) -> Self {
        Self { zh: zh.to_owned(), en: en.to_owned() }
    }
}

/// A village name without the villagers' group behind it, and the group: 东张庄村第3组.
pub(crate) fn split_group(text: &str) -> (&str, &str) {
    let Some(bare) = text.strip_suffix("村民小组").or_else(|| text.strip_suffix('组')) else {
        return (text, "");
    };
    let place =
        bare.trim_end_matches(|c: char| c.is_ascii_digit() || "一二三四五六七八九十第".contains(c));
    if place.len() == bare.len() { (text, "") } else { (place, &text[place.len()..]) }
}

/// What a person sees in the cell.
pub(crate) fn plain(seen: &Seen) -> String {
    match seen {
        Seen::Text(text) => text.clone(),
        Seen::Number(number) => decimal(*number),
        Seen::Bool(true) => "是".to_owned(),
        Seen::Bool(false) => "否".to_owned(),
        Seen::Moment(moment) => printed(&moment.stored()),
        Seen::Wrong => String::new(),
    }
}

/// A number as Excel shows it: at most 15 significant digits, never in scientific notation.
pub(crate) fn decimal(number: f64) -> String {
    if !number.is_finite() {
        return String::new();
    }
    let whole_digits = format!("{:.0}", number.abs()).len();
    let places = NUMBER_DIGITS_MAX.saturating_sub(whole_digits);
    let text = format!("{number:.places$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text.as_str()
    };
    if text == "-0" { "0".to_owned() } else { text.to_owned() }
}

/// A label apart from the code before or behind it.
fn split_code(text: &str) -> (&str, &str) {
    if let Some((label, code)) = text.strip_suffix(')').and_then(|rest| rest.rsplit_once('(')) {
        return (code.trim(), label.trim());
    }
    let end = text.find(|c: char| !c.is_ascii_alphanumeric()).unwrap_or(text.len());
    let (code, label) = text.split_at(end);
    (code, label.trim_start_matches([' ', '.', '-', '、', ':', ')', '_']).trim())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_without_the_dust_of_binary_fractions() {
        for (number, text) in [
            (48.0, "48"),
            (0.1 + 0.2, "0.3"),
            (1.305_991_99e17, "130599199000000000"),
            (10_012_345_678.0, "10012345678"),
            (-0.0, "0"),
            (12.5, "12.5"),
            (f64::NAN, ""),
        ] {
            assert_eq!(decimal(number), text);
        }
    }

    #[test]
    fn a_group_is_told_from_its_village() {
        assert_eq!(split_group("东张庄村3组"), ("东张庄村", "3组"));
        assert_eq!(split_group("东张庄第十二村民小组"), ("东张庄", "第十二村民小组"));
        assert_eq!(split_group("第3组"), ("", "第3组"));
        assert_eq!(split_group("东张庄村"), ("东张庄村", ""));
        assert_eq!(split_group("小组"), ("小组", ""));
    }

    #[test]
    fn a_code_is_told_from_its_label() {
        assert_eq!(split_code("3 代办"), ("3", "代办"));
        assert_eq!(split_code("3.代办"), ("3", "代办"));
        assert_eq!(split_code("代办(3)"), ("3", "代办"));
        assert_eq!(split_code("代办"), ("", "代办"));
    }
}
