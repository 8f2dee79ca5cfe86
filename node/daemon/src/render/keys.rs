//! Who is signed in, and what protects this PC, in sentences. Never shows a key.

use serde_json::Value as Json;

use super::table::{Side, Table};
use super::{Screen, count, either, items, plain, text};
use crate::clock;
use crate::words;

/// Somebody has signed in.
pub(crate) fn unlocked(answer: &Json, screen: Screen) -> String {
    let mut out = format!("{}\n", custody(answer, screen));
    let wrong = count(answer, "wrong_tries_before");
    if wrong > 0 {
        out.push_str(screen.pick(
            &format!("注意：上次登录之后有 {wrong} 次口令输入错误。如果不是您本人，请立即更换口令并告知登记员\n"),
            &format!("Note: {wrong} wrong passphrases since the last time. If that was not you, change yours and tell the registrar\n"),
        ));
    }
    out
}

/// Somebody has signed out.
pub(crate) fn locked(answer: &Json, screen: Screen) -> String {
    let out: Vec<String> =
        items(answer, "out").iter().filter_map(Json::as_str).map(plain).collect();
    let names = out.join(words::LIST_COMMA.of(screen.lang));
    let gone = match out.is_empty() {
        true => screen.pick("没有人登录", "nobody was signed in").to_owned(),
        false => {
            screen.pick(&format!("已退出登录：{names}"), &format!("signed out: {names}")).to_owned()
        }
    };
    format!("{gone}\n{}\n", custody(answer, screen))
}

/// One line: who is signed in since when, or that nobody is.
pub(crate) fn custody(custody: &Json, screen: Screen) -> String {
    let open = custody["open"].as_bool() == Some(true);
    let people: Vec<String> = items(custody, "signed_in")
        .iter()
        .map(|one| {
            let since = one["since_ms"].as_u64().map_or_else(String::new, clock::minute);
            let name = text(one, "name");
            screen
                .pick(&format!("{name}（{since} 登录）"), &format!("{name} (since {since})"))
                .to_owned()
        })
        .collect();
    if !people.is_empty() {
        let people = people.join(words::LIST_COMMA.of(screen.lang));
        return screen
            .pick(&format!("已解锁：{people}"), &format!("unlocked: {people}"))
            .to_owned();
    }
    let (zh, en) = match open {
        true => (
            "无人登录，本机不能查看和办理；与邻居的交换照常（登录：xiangwang unlock）",
            "nobody is signed in: nothing can be read or done here; neighbours get everything (xiangwang unlock)",
        ),
        false => (
            "已锁定：照常收发、见证，内容要有人登录才能查看和发出（登录：xiangwang unlock）",
            "locked: receives, forwards and witnesses; contents are read and sent once somebody signs in (xiangwang unlock)",
        ),
    };
    screen.pick(zh, en).to_owned()
}

/// A passphrase was changed.
pub(crate) fn passphrase_changed(answer: &Json, screen: Screen) -> String {
    let name = text(answer, "person");
    let zh = format!(
        "{name}的口令已更换。旧的备份仍可用旧口令打开：如旧口令已泄露，请销毁旧备份，并请登记员更换密钥\n"
    );
    let en = format!(
        "{name} has another passphrase. Old backups still open with the old one: destroy them if it leaked, and ask the registrar for a new key\n"
    );
    screen.pick(&zh, &en).to_owned()
}

/// What protects this PC.
pub(crate) fn keys(answer: &Json, screen: Screen) -> String {
    let mut out = format!("{}\n", either(&answer["machine"], "zh", "en", screen));
    let heads = [
        (words::OPERATOR, Side::Left),
        (words::ON_ROSTER, Side::Left),
        (words::SIGNED_IN, Side::Left),
        (words::COST_OF_A_TRY, Side::Left),
        (words::PERSON_KEY, Side::Left),
    ];
    let mut table = Table::new(screen, &heads);
    let yes = |value: &Json| {
        let word = if value.as_bool() == Some(true) { words::YES } else { words::NO };
        word.of(screen.lang).to_owned()
    };
    for one in items(answer, "operators") {
        let (mib, passes) = (count(one, "memory_kib") / 1024, count(one, "passes"));
        let cost = match mib {
            0 => screen.pick("演练用，无保护", "exercises only: no protection").to_owned(),
            _ => format!("argon2id {mib} MiB × {passes}"),
        };
        table.row(&[
            text(one, "name"),
            yes(&one["on_roster"]),
            yes(&one["signed_in"]),
            cost,
            text(one, "key").chars().take(16).collect(),
        ]);
    }
    out.push_str(&table.text());
    let idle = &answer["idle"];
    let (lock, open) = (count(idle, "lock_minutes"), count(idle, "open_minutes"));
    let (zh, en) = match lock {
        0 => ("不会自动退出登录\n".to_owned(), "nobody is signed out automatically\n".to_owned()),
        lock => (
            format!("无人操作 {lock} 分钟后自动退出登录，再过 {open} 分钟停止与邻居交换内容\n"),
            format!(
                "everybody is signed out after {lock} idle minutes; {open} minutes later contents stop going to neighbours\n"
            ),
        ),
    };
    out.push_str(screen.pick(&zh, &en));
    out
}

/// The PC's own keys were sealed anew.
pub(crate) fn resealed(answer: &Json, screen: Screen) -> String {
    format!("{}\n", either(answer, "zh", "en", screen))
}

/// A recovery key was made.
pub(crate) fn recovery_made(answer: &Json, screen: Screen) -> String {
    let (name, file) = (text(answer, "person"), text(answer, "file"));
    let zh = format!(
        "{name}已写入 {file}。请把文件移到 U 盘，与口令分开、由两人分别保管，不要留在本机\n"
    );
    let en = format!(
        "{name} is in {file}. Move the file to a USB stick, keep it apart from its passphrase, with two people, and not on this PC\n"
    );
    screen.pick(&zh, &en).to_owned()
}

/// A person works here no longer.
pub(crate) fn operator_removed(answer: &Json, screen: Screen) -> String {
    let name = text(answer, "person");
    let zh = format!(
        "已从本机移除{name}，并换了机构密钥：今后的备份此人打不开，其手中旧备份里当时的内容仍能打开。其在名册上的权限须由登记员撤销：xiangwang roster revoke\n"
    );
    let en = format!(
        "{name} was taken off this PC, and the office has another key: later backups stay shut to them, what they have of older ones does not; a registrar cuts the key: xiangwang roster revoke\n"
    );
    screen.pick(&zh, &en).to_owned()
}
