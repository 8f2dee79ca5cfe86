//! Forks, lost entries and backups in sentences: what happened, which branch stands, what a person
//! has to say. Never shows more of a record than its title.

use serde_json::Value as Json;

use super::{Screen, count, either, items, plain, text};
use crate::clock;

/// Characters of an id that tell entries apart on a screen.
const ID_CHARS: usize = 8;

/// All that there is to say of forks.
pub(crate) fn forks(answer: &Json, screen: Screen) -> String {
    let mut out = String::new();
    let forks = items(answer, "forks");
    if forks.is_empty() {
        out.push_str(screen.pick("没有发现分叉的日志。\n", "No log is forked.\n"));
    } else {
        out.push_str(&told(
            screen,
            format!("发现 {} 个分叉的日志（同一序号签了两份不同的内容）：\n", forks.len()),
            format!("{} forked logs, each with two entries of one number:\n", forks.len()),
        ));
    }
    for fork in forks {
        out.push_str(&one_fork(fork, screen));
    }
    out.push_str(&asked(items(answer, "unremembered"), screen));
    out.push_str(&waiting(items(answer, "waiting"), screen));
    out.push_str(&fetched(&answer["fetched"], screen));
    out.push_str(&nodes(items(answer, "nodes"), screen));
    let life = &answer["life"];
    if life["why"] != "new" {
        let since = life["began_ms"].as_u64().map_or_else(String::new, clock::minute);
        out.push_str(&told(
            screen,
            format!("本机自 {since} 起使用新日志。原因：{}\n", text(life, "zh")),
            format!("This node writes in new logs since {since}: {}\n", text(life, "en")),
        ));
    }
    if answer["stopped"] == true {
        let times = count(answer, "rollbacks");
        out.push_str(&told(
            screen,
            format!(
                "已停止登记和办理：本机 30 天内被还原 {times} 次。请先取消还原保护，再运行 xiangwang forks resume\n"
            ),
            format!(
                "Nothing is written: this PC was put back {times} times within 30 days. Take the cause away, then run xiangwang forks resume\n"
            ),
        ));
    }
    out
}

fn one_fork(fork: &Json, screen: Screen) -> String {
    let (office, space, slot) = (text(fork, "office"), text(fork, "space"), count(fork, "slot"));
    let log = short(fork, "log");
    let mut out = told(
        screen,
        format!("\n{office}，共享空间 {space}，日志 {log}，序号 {slot}：\n"),
        format!("\n{office}, space {space}, log {log}, number {slot}:\n"),
    );
    for variant in items(fork, "variants") {
        let person = text(variant, "person_name");
        let by = match person.is_empty() {
            true => screen.pick("由节点自动签发", "by the node alone").to_owned(),
            false => told(screen, format!("{person}签发"), format!("by {person}")),
        };
        let claimed = time(variant, "claimed_ms");
        let received = time(variant, "received_ms");
        let mark = match variant["stands"].as_bool() {
            Some(true) => screen.pick("有效", "stands"),
            _ if variant["standing"] == "void" => screen.pick("作废", "void"),
            _ => screen.pick("有争议", "disputed"),
        };
        let mine = match variant["mine"].as_bool() {
            Some(true) => screen.pick("，本机所写", ", written here"),
            Some(false) => screen.pick("，不是本机所写", ", not written here"),
            None => "",
        };
        out.push_str(&told(
            screen,
            format!(
                "  [{mark}] 条目 {}，{by}，所写时间 {claimed}，收到时间 {received}{mine}\n",
                short(variant, "entry")
            ),
            format!(
                "  [{mark}] entry {}, {by}, claimed {claimed}, received {received}{mine}\n",
                short(variant, "entry")
            ),
        ));
    }
    let because = match fork["because"].as_str().unwrap_or_default() {
        "cut" => ("该密钥已被撤销，按撤销决定保留", "its key was cut; the cut says what is kept"),
        "root" => ("县根密钥裁定", "root has decided"),
        "county" => ("县已见证的一支有效", "the branch that the county witnessed stands"),
        "township" => ("乡镇已见证的一支有效", "the branch that the township witnessed stands"),
        _ => (
            "两支都没有上级见证，均不作数；由原机构重新签发，或由县根密钥裁定",
            "no office above has witnessed either; the office writes again, or root decides",
        ),
    };
    out.push_str(&told(
        screen,
        format!("  认定：{}；有争议的条目 {} 条\n", because.0, count(fork, "disputed")),
        format!("  {}; {} entries disputed\n", because.1, count(fork, "disputed")),
    ));
    out
}

/// What bears this office's signature, does not stand and is not remembered here.
fn asked(entries: &[Json], screen: Screen) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let number = entries.len();
    let mut out = told(
        screen,
        format!("\n这 {number} 条是不是你们写的？它们有本机的签名，但本机没有写过的记录：\n"),
        format!(
            "\nDid you write these {number}? They bear this PC's signature and it does not remember them:\n"
        ),
    );
    out.push_str(&entry_lines(entries, screen));
    out.push_str(screen.pick(
        "  是：xiangwang forks confirm 编号…（以确认人名义重新签发）；不是：xiangwang forks reject 编号…。\n  拿不准时不要确认：如果不是你们写的，说明密钥可能被盗用，请立即报告乡镇\n",
        "  Yes: xiangwang forks confirm ID… (signed by whoever confirms); no: xiangwang forks reject ID…\n  When in doubt do not confirm: somebody may have this PC's key; tell the township\n",
    ));
    out
}

fn waiting(entries: &[Json], screen: Screen) -> String {
    if entries.is_empty() {
        return String::new();
    }
    let mut out = told(
        screen,
        format!("\n本机写过、目前不作数的条目 {} 条：\n", entries.len()),
        format!("\n{} entries that were written here do not stand:\n", entries.len()),
    );
    for entry in entries {
        let line = either(entry, "zh", "en", screen);
        let (id, person) = (short(entry, "entry"), text(entry, "person_name"));
        out.push_str(&format!("  {id} {person} {}\n", plain(&line)));
    }
    out
}

fn fetched(fetched: &Json, screen: Screen) -> String {
    let number = count(fetched, "count");
    if number == 0 {
        return String::new();
    }
    let mut out = told(
        screen,
        format!(
            "\n另有 {number} 条有本机签名、不是本机所写、目前有效的条目。从备份恢复或更换电脑后属正常；否则密钥可能被盗用，请立即报告乡镇：\n"
        ),
        format!(
            "\n{number} entries bear this PC's signature, were not written here, and stand. After a restore that is as it should be; otherwise somebody may have the key, so tell the township:\n"
        ),
    );
    out.push_str(&entry_lines(items(fetched, "entries"), screen));
    out
}

fn entry_lines(entries: &[Json], screen: Screen) -> String {
    let line = |entry: &Json| {
        let says: Vec<String> =
            items(entry, "says").iter().filter_map(Json::as_str).map(plain).collect();
        format!(
            "  {} {} {} {} {}\n",
            short(entry, "entry"),
            text(entry, "record_type"),
            time(entry, "claimed_ms"),
            text(entry, "person_name"),
            says.join(screen.pick("，", ", ")),
        )
    };
    entries.iter().map(line).collect()
}

/// Nodes that opened several logs in one space.
fn nodes(nodes: &[Json], screen: Screen) -> String {
    let mut out = String::new();
    for node in nodes {
        let (office, logs) = (text(node, "office"), items(node, "logs").len());
        let space = text(node, "space");
        out.push_str(&told(
            screen,
            format!("{office}在 {space} 先后用过 {logs} 个日志（恢复、克隆或换机后属正常）\n"),
            format!("{office} has used {logs} logs in {space} (as after a restore or a clone)\n"),
        ));
    }
    out
}

/// A person vouched for entries.
pub(crate) fn confirmed(answer: &Json, screen: Screen) -> String {
    let (confirmed, said) = (count(answer, "confirmed"), count(answer, "said"));
    let mut out = told(
        screen,
        format!("已确认 {confirmed} 条，重新签发 {said} 条\n"),
        format!("{confirmed} confirmed, {said} written again\n"),
    );
    for stuck in items(answer, "stuck") {
        let why = either(stuck, "zh", "en", screen);
        out.push_str(&told(
            screen,
            format!("  {} 未能重新签发：{why}\n", short(stuck, "entry")),
            format!("  {} was not written again: {why}\n", short(stuck, "entry")),
        ));
    }
    out
}

/// A person disowned entries.
pub(crate) fn rejected(answer: &Json, screen: Screen) -> String {
    let number = count(answer, "rejected");
    told(
        screen,
        format!(
            "已否认 {number} 条。如不是你们写的，本机密钥可能已被盗用：请立即报告乡镇，由登记员撤销密钥\n"
        ),
        format!(
            "{number} disowned. Somebody may have this PC's key: tell the township, whose registrar cuts it\n"
        ),
    )
}

/// Writing goes on after rollbacks.
pub(crate) fn resumed(_: &Json, screen: Screen) -> String {
    screen
        .pick(
            "已恢复登记和办理。如果电脑仍在被还原，几次之后会再次停止\n",
            "This node writes again. If the PC is still put back, it will stop once more\n",
        )
        .to_owned()
}

/// A backup was made.
pub(crate) fn backed_up(answer: &Json, screen: Screen) -> String {
    let (to, entries) = (text(answer, "to"), count(answer, "entries"));
    told(
        screen,
        format!(
            "已备份 {entries} 条条目到 {to}。要恢复请运行 xiangwang restore {to} --folder 新目录；备份要用本机构经办人的口令才能打开\n"
        ),
        format!(
            "{entries} entries backed up to {to}. xiangwang restore {to} --folder NEW makes a node of it; it opens with a passphrase of this office\n"
        ),
    )
}

/// A backup was tried.
pub(crate) fn tried(answer: &Json, screen: Screen) -> String {
    let (office, made) = (text(answer, "office"), time(answer, "made_ms"));
    let (entries, records) = (count(answer, "entries"), count(answer, "records"));
    let mut out = told(
        screen,
        format!("{office} {made} 的备份可以打开：{entries} 个条目、{records} 条记录\n"),
        format!("the backup of {office} made {made} opens: {entries} entries, {records} records\n"),
    );
    out.push_str(&super::verified(answer, screen));
    out.push_str(match answer["same"].as_bool() {
        Some(true) => screen.pick(
            "视图摘要与制作备份时一致，可以用来恢复\n",
            "the view digest is that of the day it was made: it can be restored\n",
        ),
        Some(false) => screen.pick(
            "视图摘要与制作备份时不一致！请勿依赖这份备份，马上另做一份并检查存放它的磁盘\n",
            "the view digest is NOT that of the day it was made: do not rely on this backup, make another at once and look at the disk it lies on\n",
        ),
        None => screen.pick("备份中没有记下视图摘要，未作对照\n", "it names no view digest to compare with\n"),
    });
    out
}

/// A node was made of a backup.
pub(crate) fn restored(answer: &Json, screen: Screen) -> String {
    let (office, folder) = (text(answer, "office"), text(answer, "folder"));
    let (entries, made) = (count(answer, "entries"), time(answer, "made_ms"));
    told(
        screen,
        format!(
            "已从 {made} 的备份恢复{office}：{entries} 条条目，目录 {folder}。运行 xiangwang --dir {folder} run 后，先向邻居取回备份之后的条目，再用新日志继续办理。旧目录不要再运行\n"
        ),
        format!(
            "{office} restored from the backup of {made}: {entries} entries in {folder}. xiangwang --dir {folder} run fetches what came after it and goes on in new logs. Never run the old folder again\n"
        ),
    )
}

fn time(json: &Json, name: &str) -> String {
    json[name].as_u64().map_or_else(|| "-".to_owned(), clock::minute)
}

fn short(json: &Json, name: &str) -> String {
    text(json, name).chars().take(ID_CHARS).collect()
}

fn told(screen: Screen, zh: String, en: String) -> String {
    screen.pick(&zh, &en).to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use xw_schemas::record::Lang;

    use super::*;

    #[test]
    fn a_fork_and_what_a_person_has_to_say_read_as_sentences() {
        let variant = |entry: &str, standing: &str, mine: bool| {
            json!({
                "entry": entry.repeat(32), "person_name": "王秀兰", "claimed_ms": 1_795_000_000_000_u64,
                "received_ms": 1_795_000_060_000_u64, "standing": standing, "mine": mine,
                "stands": standing == "final",
            })
        };
        let answer = json!({
            "forks": [{
                "office": "柳河村村民委员会", "space": "130599201201/office", "log": "ef".repeat(32),
                "slot": 7, "because": "county", "disputed": 3,
                "variants": [variant("ab", "final", false), variant("cd", "disputed", true)],
            }],
            "unremembered": [{
                "entry": "12".repeat(32), "record_type": "SVC", "person_name": "王秀兰",
                "claimed_ms": 1_795_000_000_000_u64, "says": ["高龄津贴\u{1b}[31m申请"],
            }],
            "waiting": [], "fetched": {"count": 0, "entries": []}, "nodes": [],
            "life": {"why": "elsewhere", "zh": "磁盘被还原", "en": "put back", "began_ms": 0},
            "rollbacks": 3, "stopped": true,
        });
        let text = forks(&answer, Screen { lang: Lang::Zh, width: 100 });
        for wanted in [
            "发现 1 个分叉的日志",
            "序号 7",
            "[有效] 条目 abababab，王秀兰签发",
            "不是本机所写",
            "[有争议] 条目 cdcdcdcd",
            "县已见证的一支有效；有争议的条目 3 条",
            "这 1 条是不是你们写的？",
            "xiangwang forks confirm",
            "磁盘被还原",
            "已停止登记和办理：本机 30 天内被还原 3 次",
        ] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
        assert!(!text.contains('\u{1b}'), "a record's text commands no terminal: {text}");
        let text = forks(&answer, Screen { lang: Lang::En, width: 100 });
        assert!(text.contains("Did you write these 1?") && text.contains("[disputed]"), "{text}");
    }
}
