//! A node's own state: what lies where, digests, and what a verification found.

use serde_json::Value as Json;
use xw_schemas::record::Lang;

use super::table::{Side, Table};
use super::{Form, Screen, count, custody, either, grouped, items, plain, text};
use crate::clock;
use crate::words;

/// Findings spelled out on a screen; all listed ones stand in the JSON.
const FINDINGS_SHOWN_MAX: usize = 50;

/// The node, what only it holds, who was heard from.
pub(crate) fn status(answer: &Json, form: Option<&Form>, screen: Screen) -> String {
    let mut out = String::new();
    let mut line = |zh: &str, en: &str, value: String| {
        out.push_str(&format!("{}{}{value}\n", screen.pick(zh, en), words::COLON.of(screen.lang)));
    };
    line("机构", "Office", format!("{} {}", text(answer, "office"), text(answer, "division")));
    line("节点密钥", "Node key", text(answer, "node"));
    line("网络", "Network", text(answer, "network"));
    line("运行", "Running", running(answer, screen));
    // Without a node there is nobody to sign in at.
    if answer["running"].as_bool() != Some(false) {
        line("登录", "Signed in", custody(&answer["custody"], screen));
    }
    line("名册", "Roster", roster(&answer["roster"], screen));
    line("经办人", "People", people(answer, form, screen));
    let of = |name| grouped(count(answer, name));
    line("记录", "Records", of("records"));
    line("条目", "Entries", of("entries"));
    if answer["only_here"].is_u64() {
        out.push_str(&travel(answer, screen));
    }
    for (name, zh, en) in [
        ("unsettled", "条记录等待处理", "records wait to be judged"),
        (
            "refused",
            "个条目未被采纳，见 xiangwang record history",
            "entries are refused; see xiangwang record history",
        ),
        (
            "forks",
            "个日志有分叉（同一序号签了两份），见 xiangwang forks",
            "logs are forked: two entries of one number; see xiangwang forks",
        ),
    ] {
        if count(answer, name) > 0 {
            out.push_str(&format!("{} {}\n", of(name), screen.pick(zh, en)));
        }
    }
    for alarm in items(answer, "alarms") {
        let told = either(alarm, "zh", "en", screen);
        out.push_str(&format!("{}{told}\n", screen.pick("注意：", "Attention: ")));
    }
    if answer["witness_retired"].as_bool() == Some(true) {
        let text = screen.pick(
            "本机的数据曾丢失或被还原，不再见证下级的记录。请上级撤销本机密钥并重新邀请本机加入",
            "this PC lost its data once and witnesses no more: let the office above revoke its key and invite it anew",
        );
        out.push_str(&format!("{text}\n"));
    }
    out.push_str(&disk(&answer["disk"], screen));
    let heads = [
        (words::OFFICE, Side::Left),
        (words::CONNECTION, Side::Left),
        (words::HEARD, Side::Left),
        (words::KEY, Side::Left),
    ];
    let mut table = Table::new(screen, &heads);
    for one in items(answer, "neighbours") {
        let connected = one["connected"].as_bool() == Some(true);
        let connected = if connected { words::CONNECTED } else { words::NOT_CONNECTED };
        table.row(&[
            text(one, "office"),
            connected.of(screen.lang).to_owned(),
            heard(one, screen),
            text(one, "key").chars().take(16).collect(),
        ]);
    }
    if !table.is_empty() {
        out.push_str(&format!("\n{}\n{}", screen.pick("邻居", "Neighbours"), table.text()));
    }
    let heads = [
        (words::DIVISION, Side::Left),
        (words::OFFICE, Side::Left),
        (words::LOGS, Side::Right),
        (words::HEARD, Side::Left),
    ];
    let mut table = Table::new(screen, &heads);
    for one in items(answer, "villages") {
        table.row(&[
            text(one, "division"),
            text(one, "name"),
            of_one(one, "logs"),
            heard(one, screen),
        ]);
    }
    if !table.is_empty() {
        out.push_str(&format!("\n{}\n{}", screen.pick("所辖各村", "Villages"), table.text()));
    }
    let coverage = either(&answer["coverage"], "zh", "en", screen);
    if !coverage.is_empty() {
        out.push_str(&format!("{}{coverage}\n", screen.pick("覆盖范围：", "covers: ")));
    }
    out
}

fn of_one(json: &Json, name: &str) -> String {
    grouped(count(json, name))
}

fn running(answer: &Json, screen: Screen) -> String {
    let (zh, en) = if answer["running"].as_bool() == Some(true) {
        ("节点正在运行", "the node is up")
    } else {
        (
            "节点没有运行，不与邻居交换（启动：xiangwang run）",
            "the node is not up and exchanges nothing (start: xiangwang run)",
        )
    };
    screen.pick(zh, en).to_owned()
}

fn roster(roster: &Json, screen: Screen) -> String {
    let number = of_one(roster, "number");
    let frozen = roster["frozen"].as_bool() == Some(true);
    let zh = format!(
        "第 {number} 版{}",
        if frozen { "，有两个不同的版本，已冻结，请联系县级" } else { "" }
    );
    let en = format!(
        "edition {number}{}",
        if frozen { "; two editions contradict each other: frozen, ask the county" } else { "" }
    );
    screen.pick(&zh, &en).to_owned()
}

/// Names with roles: each as people say it, and as `--role` wants it.
fn people(answer: &Json, form: Option<&Form>, screen: Screen) -> String {
    let role = |code: &str| {
        let label = form.and_then(|form| form.role(code, screen.lang));
        label.map_or_else(|| plain(code), |label| format!("{} {}", plain(label), plain(code)))
    };
    let people = items(answer, "people").iter().map(|one| {
        let roles: Vec<String> =
            items(one, "roles").iter().filter_map(Json::as_str).map(role).collect();
        let roles = roles.join(words::LIST_COMMA.of(screen.lang));
        let name = text(one, "name");
        screen.pick(&format!("{name}（{roles}）"), &format!("{name} ({roles})")).to_owned()
    });
    people.collect::<Vec<_>>().join(screen.pick("；", "; "))
}

/// What was saved of a damaged database, and what the weekly check found.
fn disk(disk: &Json, screen: Screen) -> String {
    let mut out = String::new();
    if disk["salvaged"].is_object() {
        out.push_str(&format!("{}\n", either(&disk["salvaged"], "zh", "en", screen)));
    }
    let checked = &disk["checked"];
    let Some(at) = checked["at_ms"].as_u64().map(clock::minute) else { return out };
    let findings = grouped(count(checked, "findings"));
    out.push_str(&match (screen.lang, checked["sound"].as_bool() == Some(true)) {
        (Lang::Zh, true) => format!("每周核验：{at}，没有发现损坏\n"),
        (Lang::En, true) => format!("Weekly check: {at}, no damage found\n"),
        (Lang::Zh, false) => {
            format!("每周核验：{at}，发现 {findings} 处问题，请运行 xiangwang verify 并检查磁盘\n")
        }
        (Lang::En, false) => format!(
            "Weekly check: {at}, {findings} findings; run xiangwang verify and have the disk looked at\n"
        ),
    });
    out
}

/// How far the records have travelled; the first figure is what a broken disk would cost.
fn travel(answer: &Json, screen: Screen) -> String {
    let of = |name| of_one(answer, name);
    let (here, town, county) = (of("only_here"), of("township"), of("county"));
    let village = text(answer, "division").get(9..).is_some_and(|end| end != "000");
    match (village, screen.lang) {
        (true, Lang::Zh) => {
            format!("只存在本机 {here} 条，乡镇已收 {town} 条，县已见证 {county} 条\n")
        }
        (true, Lang::En) => format!(
            "only on this PC {here}, the township has {town}, the county witnessed {county}\n"
        ),
        (false, Lang::Zh) => {
            format!("未经见证 {here} 条，乡镇已收 {town} 条，县已见证 {county} 条\n")
        }
        (false, Lang::En) => format!(
            "without a witness {here}, the township has {town}, the county witnessed {county}\n"
        ),
    }
}

fn heard(json: &Json, screen: Screen) -> String {
    match json["heard_ms"].as_u64() {
        Some(ms) => clock::minute(ms),
        None => words::NEVER.of(screen.lang).to_owned(),
    }
}

/// Digests, to be read aloud over the telephone.
pub(crate) fn digest(answer: &Json, screen: Screen) -> String {
    let mut out = String::new();
    for (word, value) in [
        (words::VIEW_DIGEST, text(answer, "total")),
        (words::HEADER_DIGEST, text(answer, "headers")),
        (words::RECORDS, of_one(answer, "records")),
        (words::ENTRIES, of_one(answer, "entries")),
    ] {
        out.push_str(&format!("{}{}{value}\n", word.of(screen.lang), words::COLON.of(screen.lang)));
    }
    let zh = format!("名册 {}，规则第 {} 版\n", text(answer, "roster"), text(answer, "rules"));
    let en = format!("roster {}, rules {}\n", text(answer, "roster"), text(answer, "rules"));
    out.push_str(screen.pick(&zh, &en));
    let heads = [
        (words::SPACE, Side::Left),
        (words::RECORDS, Side::Right),
        (words::VIEW_DIGEST, Side::Left),
        (words::HEADER_DIGEST, Side::Left),
    ];
    let mut table = Table::new(screen, &heads);
    for space in items(answer, "spaces") {
        let short = |name| text(space, name).chars().take(16).collect::<String>();
        table.row(&[
            space_name(&text(space, "space"), screen),
            of_one(space, "records"),
            short("view"),
            short("headers"),
        ]);
    }
    out.push_str(&table.text());
    out
}

/// `130599201201/office` in a clerk's words.
fn space_name(space: &str, screen: Screen) -> String {
    let Some((division, audience)) = space.split_once('/').filter(|_| screen.lang == Lang::Zh)
    else {
        return space.to_owned();
    };
    let audience = match audience {
        "office" => "本机构及上级",
        "township" => "全乡镇",
        "county" => "全县",
        other => other,
    };
    format!("{division} {audience}")
}

/// Whether working everything out again came to the same.
pub(crate) fn rebuilt(answer: &Json, screen: Screen) -> String {
    let records = of_one(answer, "records");
    let (before, after) = (text(answer, "before"), text(answer, "after"));
    let (zh, en) = if answer["same"].as_bool() == Some(true) {
        (
            format!("已重新生成 {records} 条记录的视图和检索索引，与原来完全一致\n摘要：{after}\n"),
            format!("{records} records worked out again, identical to before\ndigest: {after}\n"),
        )
    } else {
        (
            format!(
                "已重新生成 {records} 条记录的视图和检索索引，与原来不同：原来的视图曾经损坏，现已更正\n原摘要：{before}\n新摘要：{after}\n"
            ),
            format!(
                "{records} records worked out again and now different: the views had been damaged and are mended\nbefore: {before}\nafter:  {after}\n"
            ),
        )
    };
    screen.pick(&zh, &en).to_owned()
}

/// What a verification found.
pub(crate) fn verified(answer: &Json, screen: Screen) -> String {
    let of = |name| of_one(answer, name);
    let (entries, records, logs, checkpoints) =
        (of("entries"), of("records"), of("logs"), of("checkpoints"));
    let zh = format!(
        "已核验 {entries} 个条目、{records} 条记录、{logs} 个日志、{checkpoints} 个检查点\n"
    );
    let en = format!(
        "checked {entries} entries, {records} records, {logs} logs, {checkpoints} checkpoints\n"
    );
    let mut out = screen.pick(&zh, &en).to_owned();
    let findings = items(answer, "findings");
    let locked = answer["locked"].as_bool() == Some(true);
    if answer["sound"].as_bool() == Some(true) {
        out.push_str(match locked {
            false => screen.pick("全部无误\n", "everything is sound\n"),
            true => screen.pick(
                "以上无误；内容和视图需要口令才能核验，请加 --passphrase-from-stdin，或先 xiangwang unlock\n",
                "these are sound; contents and views need a passphrase: --passphrase-from-stdin, or xiangwang unlock first\n",
            ),
        });
        return out;
    }
    let all = findings.len() as u64 + count(answer, "more_findings");
    let n = grouped(all);
    out.push_str(screen.pick(
        &format!("查出 {n} 个问题。请勿继续使用这份数据，先将整个目录另存，再联系县级管理员\n"),
        &format!("{n} findings. Do not go on with this data: copy the whole folder first, then ask the county\n"),
    ));
    for finding in findings.iter().take(FINDINGS_SHOWN_MAX) {
        out.push_str(&format!("  {}\n", either(finding, "zh", "en", screen)));
    }
    if all > FINDINGS_SHOWN_MAX as u64 {
        let more = grouped(all - FINDINGS_SHOWN_MAX as u64);
        out.push_str(screen.pick(&format!("  另有 {more} 个\n"), &format!("  and {more} more\n")));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_status_says_first_what_only_this_pc_holds() {
        let answer = json!({
            "office": "柳河村村民委员会", "division": "130599201201", "node": "ab".repeat(32), "network": "cd",
            "roster": {"number": 1, "frozen": false}, "people": [{"name": "王芳", "roles": ["VCLK"]}],
            "records": 12_345, "entries": 23_456, "only_here": 3, "township": 12_342, "county": 0,
            "refused": 2, "running": false, "alarms": [{"zh": "七天没有签收", "en": "no receipt"}], "coverage": null, "villages": [],
            "neighbours": [{"office": "白杨镇人民政府", "key": "ef".repeat(32), "connected": false, "heard_ms": null}],
        });
        let types = xw_schemas::record::builtin();
        let form = Form::of(&types[0]);
        let text = status(&answer, Some(&form), Screen { lang: Lang::Zh, width: 100 });
        for wanted in [
            "只存在本机 3 条，乡镇已收 12,342 条",
            "节点没有运行",
            "第 1 版",
            "王芳（村文书/会计 VCLK）",
            "未连接",
            "从未",
            "2 个条目未被采纳",
            "注意：七天没有签收",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        let text = status(&answer, None, Screen { lang: Lang::En, width: 100 });
        assert!(text.contains("only on this PC 3") && text.contains("never"), "{text}");
    }

    #[test]
    fn findings_are_told_and_none_is_called_sound() {
        let finding = json!({"code": "signature", "place": "entry 7", "zh": "签名验证不通过：entry 7", "en": "bad signature: entry 7"});
        let answer = json!({"entries": 10, "records": 5, "logs": 1, "checkpoints": 0, "sound": false, "findings": [finding]});
        let zh = verified(&answer, Screen { lang: Lang::Zh, width: 100 });
        assert!(
            zh.contains("查出 1 个问题") && zh.contains("签名验证不通过") && !zh.contains("无误"),
            "{zh}"
        );
        let many = json!({"sound": false, "findings": vec![finding; 60], "more_findings": 5});
        assert!(verified(&many, Screen { lang: Lang::En, width: 100 }).contains("and 15 more"));
        let sound = verified(
            &json!({"sound": true, "entries": 10, "findings": []}),
            Screen { lang: Lang::Zh, width: 100 },
        );
        assert!(sound.contains("10 个条目") && sound.ends_with("全部无误\n"), "{sound}");
    }

    #[test]
    fn spaces_are_named_for_people() {
        assert_eq!(
            space_name("130599201201/office", Screen { lang: Lang::Zh, width: 80 }),
            "130599201201 本机构及上级"
        );
        assert_eq!(
            space_name("130599201201/office", Screen { lang: Lang::En, width: 80 }),
            "130599201201/office"
        );
    }
}
