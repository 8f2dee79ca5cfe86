//! Answers made readable: plain JSON in, text out. Asks nothing, keeps nothing, and lets no control
//! character of a record reach the terminal.

mod audit;
mod bar;
mod csv;
mod erasure;
mod forks;
mod form;
mod keys;
mod ledger;
mod list;
mod past;
mod record;
mod roster;
mod setup;
mod status;
mod table;
mod types;

use serde_json::Value as Json;
use xw_schemas::record::Lang;

pub(crate) use audit::{completeness, evidence_pack, late, receipt};
pub(crate) use bar::Bar;
pub(crate) use csv::csv;
pub(crate) use erasure::erasure;
pub(crate) use forks::{backed_up, confirmed, forks, rejected, restored, resumed, tried};
pub(crate) use form::Form;
pub(crate) use keys::{
    custody, keys, locked, operator_removed, passphrase_changed, recovery_made, resealed, unlocked,
};
pub(crate) use ledger::{exported, imported};
pub(crate) use list::list;
pub(crate) use past::{conflicts, history};
pub(crate) use record::{record, saved};
pub(crate) use roster::{
    decided, explained, exported_roster, invited, part, proposed, registering_resumed, signed,
    taken, void,
};
pub(crate) use setup::{founded, joined};
pub(crate) use status::{digest, rebuilt, status, verified};
pub(crate) use types::{checked_types, definition, types};

use crate::trouble::Trouble;

/// Columns of a terminal that does not say how wide it is.
const WIDTH: u16 = 110;

/// Narrower than this no table can be read.
const WIDTH_MIN: u16 = 80;

/// Who reads: a language and the columns of the terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Screen {
    pub(crate) lang: Lang,
    pub(crate) width: u16,
}

impl Screen {
    /// The screen that the environment tells of.
    pub(crate) fn of(lang: Lang) -> Self {
        let told = std::env::var("COLUMNS").ok().and_then(|text| text.parse().ok());
        Self { lang, width: told.unwrap_or(WIDTH).max(WIDTH_MIN) }
    }

    fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        self.lang.pick(zh, en)
    }
}

/// What went wrong, with the fields concerned.
pub(crate) fn trouble(trouble: &Trouble, screen: Screen) -> String {
    let mut text = plain(screen.pick(&trouble.zh, &trouble.en));
    for field in &trouble.fields {
        let said = plain(screen.pick(&field.zh, &field.en));
        let place = match (field.label.is_empty() || screen.lang == Lang::En, field.path.is_empty())
        {
            (true, _) => field.path.clone(),
            (false, true) => field.label.clone(),
            (false, false) if field.label == field.path => field.label.clone(),
            (false, false) => format!("{}（{}）", field.label, field.path),
        };
        text.push_str(&format!("\n  {}{}{said}", plain(&place), screen.pick("：", ": ")));
    }
    // The English sentence names the cause itself.
    if screen.lang == Lang::Zh && !trouble.detail.is_empty() {
        text.push_str(&format!("\n详情：{}", plain(&trouble.detail)));
    }
    if trouble.code == "usage" {
        return format!("{}\n", text.trim_end());
    }
    format!("{text}\n{}{}\n", screen.pick("代码：", "code: "), trouble.code)
}

/// A text without anything that a terminal obeys or that hides what stands there.
fn plain(text: &str) -> String {
    let safe = |c: char| match c {
        '\n' => Some('\n'),
        '\t' => Some(' '),
        '\u{200b}'..='\u{200f}'
        | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{2069}'
        | '\u{feff}' => None,
        c if c.is_control() => Some('\u{fffd}'),
        c => Some(c),
    };
    text.chars().filter_map(safe).collect()
}

/// A member's text, safe to show; empty when it is not there.
fn text(json: &Json, name: &str) -> String {
    match &json[name] {
        Json::String(text) => plain(text),
        Json::Number(number) => number.to_string(),
        _ => String::new(),
    }
}

/// A member in the language of the screen; the Chinese where there is no English.
fn either(json: &Json, zh: &str, en: &str, screen: Screen) -> String {
    match screen.lang {
        Lang::Zh => text(json, zh),
        Lang::En => {
            Some(text(json, en)).filter(|t| !t.is_empty()).unwrap_or_else(|| text(json, zh))
        }
    }
}

fn count(json: &Json, name: &str) -> u64 {
    json[name].as_u64().unwrap_or(0)
}

fn items<'a>(json: &'a Json, name: &str) -> &'a [Json] {
    json[name].as_array().map(Vec::as_slice).unwrap_or_default()
}

/// How far a record has travelled.
fn standing(json: &Json, screen: Screen) -> String {
    let zh = text(json, "standing_zh");
    match screen.lang {
        Lang::Zh => zh,
        Lang::En => crate::words::standing_en(&zh).map_or(zh, str::to_owned),
    }
}

/// `12,345`.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::trouble::FieldTrouble;

    #[test]
    fn a_record_cannot_command_the_terminal() {
        assert_eq!(plain("张\u{1b}[2J三\u{202e}\r\n"), "张\u{fffd}[2J三\u{fffd}\n");
        assert_eq!(text(&serde_json::json!({"a": "\u{9b}1m"}), "a"), "\u{fffd}1m");
    }

    #[test]
    fn numbers_are_grouped() {
        for (number, text) in [(0, "0"), (999, "999"), (1_000, "1,000"), (12_345_678, "12,345,678")]
        {
            assert_eq!(grouped(number), text);
        }
    }

    #[test]
    fn what_the_system_said_stands_behind_the_sentence() {
        let taken = Trouble::because("run", "端口被占用", "the port is taken", "os error 98");
        let of = |lang| trouble(&taken, Screen { lang, width: 80 });
        assert_eq!(of(Lang::Zh), "端口被占用\n详情：os error 98\n代码：run\n");
        assert_eq!(of(Lang::En), "the port is taken: os error 98\ncode: run\n");
    }

    #[test]
    fn trouble_stands_beside_its_field() {
        let mut invalid = Trouble::new("invalid", "有 1 处填写有误", "1 value cannot be read");
        invalid.fields.push(FieldTrouble {
            path: "applicant.phone".into(),
            label: "联系电话".into(),
            zh: "应为 11 位".into(),
            en: "must have 11 digits".into(),
        });
        let of = |lang| trouble(&invalid, Screen { lang, width: 80 });
        assert_eq!(
            of(Lang::Zh),
            "有 1 处填写有误\n  联系电话（applicant.phone）：应为 11 位\n代码：invalid\n"
        );
        assert_eq!(
            of(Lang::En),
            "1 value cannot be read\n  applicant.phone: must have 11 digits\ncode: invalid\n"
        );
    }
}
