//! The roster in plain sentences, and what an act of a registrar came to.

use serde_json::Value as Json;
use xw_bootstrap::explain::Part;

use super::{Screen, count, either, items, plain, text};

/// Headings with sentences under them.
pub(crate) fn explained(answer: &Json, screen: Screen) -> String {
    let mut out = String::new();
    for part in items(answer, "parts") {
        let title = either(&part["title"], "zh", "en", screen);
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&format!("{title}\n"));
        for line in items(part, "lines") {
            out.push_str(&format!("  {}\n", either(line, "zh", "en", screen)));
        }
    }
    out
}

/// One heading with its sentences.
pub(crate) fn part(part: &Part, screen: Screen) -> String {
    let mut out = plain(screen.pick(&part.title.zh, &part.title.en));
    for line in &part.lines {
        out.push_str(&format!("\n  {}", plain(screen.pick(&line.zh, &line.en))));
    }
    out
}

/// A registrar's act: done, or a draft for the next one to sign.
pub(crate) fn decided(answer: &Json, screen: Screen) -> String {
    let mut out = String::new();
    if answer["done"] == true {
        out.push_str(screen.pick("已生效：\n", "Done:\n"));
    } else {
        let lacking = count(answer, "lacking");
        let zh = format!("尚未生效，还须 {lacking} 人签名：\n");
        let en = format!("Not in force yet; {lacking} more must sign:\n");
        out.push_str(screen.pick(&zh, &en));
    }
    out.push_str(&sentences(items(answer, "said"), screen));
    let draft = text(answer, "draft");
    if !draft.is_empty() {
        let zh = format!(
            "草案：{draft}，请下一位登记员在自己的电脑上运行 xiangwang roster sign {draft}\n"
        );
        let en = format!(
            "The draft is {draft}; the next registrar runs xiangwang roster sign {draft}\n"
        );
        out.push_str(screen.pick(&zh, &en));
    }
    out
}

/// An invitation: what it says, the text, the code to be scanned, the files.
pub(crate) fn invited(answer: &Json, screen: Screen) -> String {
    let mut out = decided(answer, screen);
    let (invitation, code) = (text(answer, "text"), text(answer, "qr"));
    let zh = format!(
        "\n邀请码（使用之前等于钥匙，请当面交付，用过即失效）：\n\n  {invitation}\n\n{code}\n对方运行：xiangwang --dir 目录 join {invitation}\n"
    );
    let en = format!(
        "\nThe invitation (until it is used, it is a key: hand it over in person):\n\n  {invitation}\n\n{code}\nThe newcomer runs: xiangwang --dir FOLDER join {invitation}\n"
    );
    out.push_str(screen.pick(&zh, &en));
    if items(answer, "addresses").is_empty() {
        out.push_str(screen.pick(
            "本机现在没有可供连接的地址：对方须写 --address，或用邀请文件加入\n",
            "this PC has no address at present: the newcomer says --address, or joins by file\n",
        ));
    }
    for file in items(answer, "files").iter().filter_map(Json::as_str) {
        let file = plain(file);
        out.push_str(&format!("{}{file}\n", screen.pick("文件：", "file: ")));
    }
    out
}

/// Entries that do not count.
pub(crate) fn void(answer: &Json, screen: Screen) -> String {
    let void = items(answer, "void");
    let (n, mut out) = (void.len(), String::new());
    let zh = format!("{n} 个条目不算数（仍保留，可用 record history 查看）\n");
    let en = format!("{n} entries do not count (kept; see record history)\n");
    out.push_str(screen.pick(&zh, &en));
    for one in void {
        let (at, office, by) = (text(one, "at"), text(one, "office"), text(one, "by"));
        let (record, reason) = (text(one, "record"), either(one, "reason_zh", "reason_en", screen));
        out.push_str(&format!("  {at} {office} {by} {record} {reason}\n"));
    }
    out
}

/// What was carried here and taken up.
pub(crate) fn taken(answer: &Json, screen: Screen) -> String {
    let new = count(answer, "new");
    let zh = match (new, items(answer, "refused").is_empty()) {
        (0, true) => "都已持有，名册没有变化\n".to_owned(),
        _ => format!("新接收 {new} 个版次\n"),
    };
    let en = format!("{new} new editions\n");
    let mut out = screen.pick(&zh, &en).to_owned();
    out.push_str(&sentences(items(answer, "taken"), screen));
    if !items(answer, "refused").is_empty() {
        out.push_str(screen.pick("未接收：\n", "Not taken:\n"));
        out.push_str(&sentences(items(answer, "refused"), screen));
    }
    out
}

/// A registrar vouched for the roster as it is held here.
pub(crate) fn registering_resumed(screen: Screen) -> String {
    let (zh, en) = ("已记下，可以继续登记\n", "Noted; registering goes on\n");
    screen.pick(zh, en).to_owned()
}

/// A roster that was written into a file.
pub(crate) fn exported_roster(answer: &Json, screen: Screen) -> String {
    let (file, kib) = (text(answer, "file"), count(answer, "bytes").div_ceil(1024));
    let zh = format!("名册已写入 {file}（{kib} KiB），没有秘密\n");
    let en = format!("The roster is in {file} ({kib} KiB); it holds no secret\n");
    screen.pick(&zh, &en).to_owned()
}

/// A draft of the root keys.
pub(crate) fn proposed(answer: &Json, screen: Screen) -> String {
    let (draft, lacking) = (text(answer, "draft"), count(answer, "lacking"));
    let title = either(&answer["part"]["title"], "zh", "en", screen);
    let mut out = format!("{title}\n{}", sentences(items(&answer["part"], "lines"), screen));
    let zh = format!(
        "草案已写入 {draft}，须 {lacking} 把根密钥签名：xiangwang bootstrap sign {draft} --key 根密钥-1.json\n"
    );
    let en = format!(
        "The draft is in {draft}; {lacking} root keys must sign: xiangwang bootstrap sign {draft} --key KEY\n"
    );
    out.push_str(screen.pick(&zh, &en));
    for file in items(answer, "invitations").iter().filter_map(Json::as_str) {
        let file = plain(file);
        out.push_str(&format!("{}{file}\n", screen.pick("邀请文件：", "invitation: ")));
    }
    out
}

/// A signature of a root key.
pub(crate) fn signed(answer: &Json, screen: Screen) -> String {
    let (draft, lacking) = (text(answer, "draft"), count(answer, "lacking"));
    let signers = count(answer, "signed");
    let (zh, en) = match answer["whole"] == true {
        true => (
            format!(
                "已签名，签名已齐（{signers} 个）。在任一节点运行 xiangwang roster take {draft}，即可传遍全县\n"
            ),
            format!(
                "Signed, and complete with {signers} signatures. Any node may take it: xiangwang roster take {draft}\n"
            ),
        ),
        false => (
            format!("已签名（共 {signers} 个），还须 {lacking} 把根密钥签名：{draft}\n"),
            format!("Signed ({signers} so far); {lacking} more root keys must sign {draft}\n"),
        ),
    };
    screen.pick(&zh, &en).to_owned()
}

fn sentences(list: &[Json], screen: Screen) -> String {
    list.iter().map(|line| format!("  {}\n", either(line, "zh", "en", screen))).collect()
}
