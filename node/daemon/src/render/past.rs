//! What happened to records: their entries, refused ones included, and values that contradict
//! each other.

use serde_json::Value as Json;
use xw_schemas::record::Lang;

use super::table::{Side, Table};
use super::{Screen, either, items, standing, text};
use crate::words;

/// Every entry of a record.
pub(crate) fn history(answer: &Json, screen: Screen) -> String {
    let mut table = Table::new(
        screen,
        &[
            (words::AT, Side::Left),
            (words::INTERVAL, Side::Left),
            (words::BY, Side::Left),
            (words::OFFICE, Side::Left),
            (words::VERDICT, Side::Left),
            (words::STANDING, Side::Left),
            (words::CHANGES, Side::Left),
        ],
    )
    .ruled();
    let entries = items(answer, "entries");
    for entry in entries {
        let code = text(entry, "verdict");
        let mut verdict =
            words::verdict(&code).map_or(code, |word| word.of(screen.lang).to_owned());
        let reason = waits_for(text(entry, "reason"), screen);
        if !reason.is_empty() {
            verdict.push_str(&format!("{}{reason}", words::COLON.of(screen.lang)));
        }
        let changes: Vec<String> = items(entry, "changes")
            .iter()
            .map(|change| {
                let label =
                    if screen.lang == Lang::Zh { text(change, "zh") } else { text(change, "path") };
                format!("{label}{}{}", words::COLON.of(screen.lang), text(change, "value"))
            })
            .collect();
        table.row(&[
            text(entry, "at"),
            interval(entry, screen),
            text(entry, "by"),
            text(entry, "office"),
            verdict,
            standing(entry, screen),
            changes.join("\n"),
        ]);
    }
    let n = entries.len();
    let foot = screen.pick(&format!("共 {n} 个条目"), &format!("{n} entries")).to_owned();
    format!("{}{foot}\n", table.text())
}

/// What a request for an erasure waits for, in words; other reasons are words already.
fn waits_for(reason: String, screen: Screen) -> String {
    match &*reason {
        "second-person" => screen.pick("待另一人提出", "a second person").to_owned(),
        "witness" => screen.pick("待县里见证", "the county's witness").to_owned(),
        _ => reason,
    }
}

/// What witnesses bear out of the time at which an entry was made.
fn interval(entry: &Json, screen: Screen) -> String {
    let (after, before) = (text(entry, "not_before"), text(entry, "not_after"));
    let mut lines = Vec::new();
    if !after.is_empty() {
        lines.push(screen.pick(&format!("不早于 {after}"), &format!("after {after}")).to_owned());
    }
    if !before.is_empty() {
        lines
            .push(screen.pick(&format!("不晚于 {before}"), &format!("before {before}")).to_owned());
    }
    if text(entry, "timeliness") != "timely" {
        lines.push(either(entry, "timeliness_zh", "timeliness_en", screen));
    }
    lines.join("\n")
}

/// Records with contradictions, and how to decide.
pub(crate) fn conflicts(answer: &Json, screen: Screen) -> String {
    let records: Vec<&Json> =
        items(answer, "records").iter().filter(|one| !items(one, "conflicts").is_empty()).collect();
    if records.is_empty() {
        return format!("{}\n", screen.pick("没有待裁定的内容", "there are no conflicts"));
    }
    let mut out = String::new();
    for one in &records {
        let number = Some(text(one, "business_no")).filter(|number| !number.is_empty());
        let name = number.unwrap_or_else(|| text(one, "record"));
        let kind = if screen.lang == Lang::Zh { text(one, "type_zh") } else { String::new() };
        let title = [kind, name.clone(), text(one, "title")]
            .into_iter()
            .filter(|t| !t.is_empty())
            .collect::<Vec<_>>();
        out.push_str(&format!(
            "{}\n{}",
            title.join("  "),
            conflict_tables(items(one, "conflicts"), screen)
        ));
        let path = text(&items(one, "conflicts")[0], "path");
        out.push_str(&format!(
            "{}xiangwang record resolve {name} '{path}' --take 1\n\n",
            screen.pick("选定：", "decide: ")
        ));
    }
    let n = records.len();
    out.push_str(
        screen.pick(&format!("共 {n} 条记录待裁定\n"), &format!("{n} records have conflicts\n")),
    );
    out
}

pub(super) fn conflict_tables(conflicts: &[Json], screen: Screen) -> String {
    let mut table = Table::new(
        screen,
        &[
            (words::FIELD, Side::Left),
            (words::PATH, Side::Left),
            (words::NUMBER, Side::Right),
            (words::VALUE, Side::Left),
            (words::BY, Side::Left),
            (words::OFFICE, Side::Left),
            (words::AT, Side::Left),
        ],
    );
    for conflict in conflicts {
        let label =
            if screen.lang == Lang::Zh { text(conflict, "zh") } else { text(conflict, "path") };
        for value in items(conflict, "values") {
            let mut said = text(value, "value");
            if value["shown"].as_bool() == Some(true) {
                let mark = words::SHOWN_NOW.of(screen.lang);
                said.push_str(screen.pick(&format!("（{mark}）"), &format!(" ({mark})")));
            }
            table.row(&[
                label.clone(),
                text(conflict, "path"),
                text(value, "n"),
                said,
                text(value, "by"),
                text(value, "office"),
                text(value, "at"),
            ]);
        }
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn conflicts_come_with_the_command_that_decides_them() {
        let answer = json!({"records": [{
            "record": "01KABC", "business_no": "N-1", "type_zh": "政务服务办件", "title": "高龄津贴",
            "conflicts": [{"path": "state", "zh": "状态", "values": [
                {"n": 1, "value": "已受理", "by": "王芳", "office": "柳河村村民委员会", "at": "2026-11-23 09:00", "shown": true},
                {"n": 2, "value": "已退回", "by": "李强", "office": "白杨镇人民政府", "at": "2026-11-23 09:01", "shown": false},
            ]}],
        }]});
        let text = conflicts(&answer, Screen { lang: Lang::Zh, width: 120 });
        assert!(text.contains("xiangwang record resolve N-1 'state' --take 1"), "{text}");
        assert!(text.contains("白杨镇人民政府"), "{text}");
        let none = conflicts(&json!({"records": []}), Screen { lang: Lang::Zh, width: 120 });
        assert_eq!(none, "没有待裁定的内容\n");
    }

    #[test]
    fn a_refused_entry_is_shown_with_its_reason() {
        let answer = json!({"record": "01K", "entries": [
            {"at": "2026-11-23 09:00", "by": "王芳", "office": "柳河村", "verdict": "refused", "reason": "没有权限",
             "standing_zh": "仅存本机", "changes": null},
            {"at": "2026-11-23 09:01", "by": "李强", "office": "柳河村", "verdict": "admitted", "reason": "",
             "standing_zh": "仅存本机", "changes": [{"path": "matter_name", "zh": "事项名称", "value": "补贴"}]},
        ]});
        let text = history(&answer, Screen { lang: Lang::Zh, width: 120 });
        for wanted in ["未采纳：没有权限", "有效", "事项名称：补贴", "共 2 个条目"]
        {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
    }
}
