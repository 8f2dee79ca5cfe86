//! The Chinese words of statements, summaries and receipts.

use xw_ledger::roster::Roster;
use xw_ledger::standing::Standing;
use xw_schemas::record::{Lang, RecordType, Value};
use xw_schemas::space::{Audience, Division, Tier};
use xw_schemas::value::Day;

use crate::pack::Scope;

/// China Standard Time in milliseconds; all records use it.
const OFFSET_MS: u64 = 8 * 3_600_000;

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// `2026-11-23 09:30`, in China's time.
#[must_use]
pub fn minute(ms: u64) -> String {
    let shifted = ms.saturating_add(OFFSET_MS);
    let minutes = shifted % DAY_MS / 60_000;
    let day = i64::try_from(shifted / DAY_MS).ok().and_then(Day::from_number);
    day.map_or_else(
        || "-".to_owned(),
        |day| format!("{} {:02}:{:02}", day.to_stored(), minutes / 60, minutes % 60),
    )
}

/// The same from seconds.
#[must_use]
pub fn minute_s(seconds: u64) -> String {
    minute(seconds.saturating_mul(1_000))
}

/// How firmly something stands.
#[must_use]
pub fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Final => "县已见证",
        Standing::Witnessed => "乡镇已见证",
        Standing::Local => "尚未见证",
        Standing::Pending => "待补",
        Standing::Disputed => "有争议",
        Standing::Void => "已作废",
    }
}

/// A level.
#[must_use]
pub fn tier(tier: Tier) -> &'static str {
    match tier {
        Tier::County => "县",
        Tier::Township => "乡镇",
        Tier::Village => "村",
    }
}

/// Who beside the offices above reads a space.
#[must_use]
pub fn audience(audience: Audience) -> &'static str {
    match audience {
        Audience::Office => "本机构及上级",
        Audience::Township => "全乡镇",
        Audience::County => "全县",
    }
}

/// With how many other offices something was compared; fewer than advised is said.
#[must_use]
pub fn compared_with(count: usize, advised: usize, lang: Lang) -> String {
    match (lang, count < advised) {
        (Lang::Zh, true) => format!("已与另外 {count} 个机构核对（不足 {advised} 个）"),
        (Lang::Zh, false) => format!("已与另外 {count} 个机构核对"),
        (Lang::En, true) => format!("borne out by {count} other offices, fewer than {advised}"),
        (Lang::En, false) => format!("borne out by {count} other offices"),
    }
}

/// What a pack is about.
#[must_use]
pub fn scope(scope: &Scope, roster: &Roster) -> String {
    match scope {
        Scope::Records { records } => format!("指定的 {} 件记录", records.len()),
        Scope::Division { division } => format!("{}的全部记录", place(roster, *division)),
        Scope::Period { division, from_ms, to_ms } => {
            format!("{}，{} 至 {}", place(roster, *division), minute(*from_ms), minute(*to_ms))
        }
    }
}

/// A division by name and code.
#[must_use]
pub fn place(roster: &Roster, division: Division) -> String {
    format!("{}（{division}）", roster.place(division).unwrap_or_default())
}

/// A state of a record.
#[must_use]
pub fn state(rt: Option<&RecordType>, code: &str) -> String {
    match code {
        "conflict" => "状态有冲突".to_owned(),
        "-" | "" => "—".to_owned(),
        _ => rt
            .and_then(|rt| rt.state(code))
            .map_or_else(|| code.to_owned(), |state| state.zh.clone()),
    }
}

/// A role of a person.
#[must_use]
pub fn role(rt: Option<&RecordType>, code: &str) -> String {
    let list = rt.and_then(|rt| rt.lists.get("CL_ROLE"));
    list.and_then(|list| list.code(code)).map_or_else(|| code.to_owned(), |code| code.zh.clone())
}

/// A value that no field describes.
#[must_use]
pub fn plain(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(yes) => if *yes { "是" } else { "否" }.to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_chinas() {
        assert_eq!(minute(0), "1970-01-01 08:00");
        assert_eq!(minute_s(1_800_000_000), "2027-01-15 16:00");
        assert_eq!(minute(u64::MAX), "-");
    }
}
