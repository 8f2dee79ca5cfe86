//! Erasures on a screen: what was asked, and the tombstone in the place of a record's contents.

use serde_json::Value as Json;

use super::{Screen, either, items, text};

/// What asking for an erasure came to.
pub(crate) fn erasure(answer: &Json, screen: Screen) -> String {
    let ground = either(answer, "ground_zh", "ground_en", screen);
    let person = text(answer, "asked_by");
    let asked = screen
        .pick(
            &format!("{person} 已提出删除，法定事由：{ground}"),
            &format!("{person} has asked for the erasure; ground: {ground}"),
        )
        .to_owned();
    let now = if answer["erased"].as_bool() == Some(true) {
        screen.pick(
            "两人均已提出，县里已见证：本机上的内容已删除，其他节点收到后删除并回执",
            "two persons have asked and the county has witnessed it: the contents are gone here; \
             other nodes follow and answer",
        )
    } else if answer["agreed"].as_bool() == Some(true) {
        screen.pick(
            "两人均已提出，待县里见证后生效，此前内容保留",
            "two persons have asked; it takes effect once the county has witnessed both, and until \
             then the contents stay",
        )
    } else {
        screen.pick(
            "还需要另一人提出（两人中至少一人属于乡镇或县）并经县里见证才生效，此前内容保留",
            "it takes effect when a second person asks (one of the two of township or county) and the \
             county has witnessed both",
        )
    };
    format!("{asked}\n{now}\n")
}

/// The tombstone of a record; empty where nothing was erased.
pub(crate) fn tombstone(answer: &Json, screen: Screen) -> String {
    let erased = &answer["erased"];
    if !erased.is_object() {
        return String::new();
    }
    let ground = either(erased, "ground_zh", "ground_en", screen);
    let number = erased["ground"].as_u64().unwrap_or(0);
    let person = |person: &Json| format!("{} {}", text(person, "office"), text(person, "name"));
    let people: Vec<String> = items(erased, "people").iter().map(person).collect();
    let names = |name: &str| -> Vec<String> {
        let names = items(erased, name).iter();
        names.filter_map(|name| name.as_str().map(str::to_owned)).collect()
    };
    let (done, open) = (names("done"), names("open"));
    let holders = done.len() + open.len();
    let mut out = screen
        .pick(
            &format!(
                "内容已依法删除（个人信息保护法第四十七条第{number}项：{ground}）\n提出人：{}\n\
                 已删除并回执：{}/{holders} {}\n",
                people.join("、"),
                done.len(),
                done.join("、"),
            ),
            &format!(
                "The contents were erased by law (PIPL art. 47, item {number}: {ground})\n\
                 Asked for by: {}\nErased and answered: {}/{holders} {}\n",
                people.join(", "),
                done.len(),
                done.join(", "),
            ),
        )
        .to_owned();
    if !open.is_empty() {
        out.push_str(screen.pick("尚未回执：", "No answer yet: "));
        out.push_str(&open.join(screen.pick("、", ", ")));
        out.push('\n');
    }
    out
}
