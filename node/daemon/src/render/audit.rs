//! What was made for an auditor, in sentences: packs, statements, receipts, late entries.

use serde_json::Value as Json;
use xw_audit::heads::OFFICES_ADVISED;
use xw_audit::words::compared_with;
use xw_schemas::record::Lang;

use super::table::{Side, Table};
use super::{Screen, count, either, grouped, items, text};
use crate::clock;
use crate::words;

/// Late entries shown; all listed ones stand in the JSON.
const LATE_SHOWN_MAX: usize = 50;

/// Reasons shown; all stand in the JSON.
const REASONS_SHOWN_MAX: usize = 50;

/// What went into a pack.
pub(crate) fn evidence_pack(answer: &Json, screen: Screen) -> String {
    let of = |name| grouped(count(answer, name));
    let file = text(answer, "file");
    let with = answer["bodies"].as_bool() == Some(true);
    let complete = answer["complete"].as_bool();
    let (bodies, whole) = match screen.lang {
        Lang::Zh => (
            if with { "含本级可读的登记内容" } else { "不含登记内容" },
            match complete {
                Some(true) => {
                    "完整性：本机未见缺失（所称核对时间他人无法核验，请向其他机构索取声明一并核对）"
                }
                Some(false) => "完整性：有缺失或不能断言，见包内 completeness.json",
                None => "完整性：记录分属几个区划，不作声明",
            },
        ),
        Lang::En => (
            if with { "with what this office may read" } else { "without what records say" },
            match complete {
                Some(true) => {
                    "complete as far as this office sees; nobody else can check with whom it compared"
                }
                Some(false) => "not complete, or it cannot be said: see completeness.json in it",
                None => "completeness: of several divisions, so nothing is said",
            },
        ),
    };
    match screen.lang {
        Lang::Zh => format!(
            "已写出证据包 {file}（{} 字节）\n记录 {}，日志 {}，条目 {}；{bodies}\n{whole}\n核验：xw-verify {file}\n",
            of("bytes"),
            of("records"),
            of("logs"),
            of("entries"),
        ),
        Lang::En => format!(
            "evidence pack {file} ({} bytes)\nrecords {}, logs {}, entries {}; {bodies}\n{whole}\ncheck it: xw-verify {file}\n",
            of("bytes"),
            of("records"),
            of("logs"),
            of("entries"),
        ),
    }
}

/// What is held of a division, log by log, and what stands against its being everything.
pub(crate) fn completeness(answer: &Json, screen: Screen) -> String {
    let statement = &answer["statement"];
    let question = &statement["question"];
    let place = Some(text(answer, "place")).filter(|place| !place.is_empty());
    let place = place.unwrap_or_else(|| text(question, "division"));
    let minute = |json: &Json| json.as_u64().map(clock::minute);
    let until = minute(&question["to_ms"]).unwrap_or_default();
    let from = question["from_ms"].as_u64().filter(|ms| *ms > 0).map(clock::minute);
    let from = from.unwrap_or_else(|| screen.pick("开始", "the beginning").to_owned());
    let mut out = match (screen.lang, answer["complete"].as_bool() == Some(true)) {
        (Lang::Zh, true) => format!("{place}，{from} 至 {until}：本机未见缺失\n"),
        (Lang::Zh, false) => format!("{place}，{from} 至 {until}：有缺失，或不能断言没有缺失\n"),
        (Lang::En, true) => {
            format!("{place}, {from} to {until}: nothing is missing as far as this office sees\n")
        }
        (Lang::En, false) => {
            format!("{place}, {from} to {until}: something is missing, or it cannot be said\n")
        }
    };
    let reasons = items(statement, "reasons");
    for reason in reasons.iter().take(REASONS_SHOWN_MAX) {
        out.push_str(&format!("  · {}\n", either(reason, "zh", "en", screen)));
    }
    out.push_str(&more(reasons.len(), REASONS_SHOWN_MAX, screen));
    out.push_str(&borne_out(answer, screen));
    let heads = [
        (words::OFFICE, Side::Left),
        (words::LOG, Side::Left),
        (words::HELD_UPTO, Side::Right),
        (words::FORK_COUNT, Side::Right),
        (words::MISSING, Side::Right),
        (words::TOWNSHIP_RECEIPT, Side::Left),
        (words::COUNTY_RECEIPT, Side::Left),
    ];
    let mut table = Table::new(screen, &heads);
    for log in items(statement, "logs") {
        let receipt = |name: &str| {
            let receipt = &log[name];
            let at = receipt["time_s"].as_u64().map(|s| clock::minute(s * 1_000));
            at.map_or_else(String::new, |at| format!("{} @ {at}", grouped(count(receipt, "size"))))
        };
        table.row(&[
            text(log, "office"),
            text(log, "log").chars().take(8).collect(),
            format!("{}–{}", grouped(count(log, "from")), grouped(count(log, "to"))),
            items(log, "forks").len().to_string(),
            items(log, "missing").len().to_string(),
            receipt("township"),
            receipt("county"),
        ]);
    }
    if !table.is_empty() {
        out.push_str(&format!("\n{}", table.text()));
    }
    let heads =
        [(words::OFFICE, Side::Left), (words::LOGS, Side::Right), (words::COMPARED, Side::Left)];
    let mut table = Table::new(screen, &heads);
    for office in items(statement, "offices") {
        let heard = minute(&office["heard_ms"]);
        let never = || screen.pick("从未", "never").to_owned();
        table.row(&[
            text(office, "name"),
            grouped(count(office, "logs")),
            heard.unwrap_or_else(never),
        ]);
    }
    if !table.is_empty() {
        out.push_str(&format!("\n{}", table.text()));
    }
    let files = items(answer, "files").iter().filter_map(Json::as_str);
    for file in files {
        out.push_str(&format!("{}{file}\n", screen.pick("已写出 ", "written: ")));
    }
    out
}

/// On whose word it rests, and how the statements lie that were brought.
fn borne_out(answer: &Json, screen: Screen) -> String {
    let statements = items(answer, "compared");
    if statements.is_empty() && answer["complete"].as_bool() != Some(true) {
        return String::new();
    }
    if statements.is_empty() {
        return screen.pick(
            "  此结论只凭本机所记的核对时间，他人无法核验；加 --with 与其他机构的声明核对\n",
            "  this rests on when this node says it compared, which nobody else can check; add --with\n",
        )
        .to_owned();
    }
    let mut out = String::new();
    for one in statements {
        let office = Some(text(one, "office")).filter(|office| !office.is_empty());
        let office = office.unwrap_or_else(|| text(one, "by").chars().take(8).collect());
        let stated = clock::minute(count(one, "stated_ms"));
        out.push_str(&format!("  · {office} @ {stated}: {}\n", either(one, "zh", "en", screen)));
        let differing = items(one, "differing");
        for head in differing.iter().take(REASONS_SHOWN_MAX) {
            let (log, number) = (text(head, "log"), grouped(count(head, "number")));
            let held = head["held_to"].as_u64().map_or_else(|| "—".to_owned(), grouped);
            out.push_str(&match screen.lang {
                Lang::Zh => format!("      日志 {log} 第 {number} 号，本机至 {held}\n"),
                Lang::En => format!("      log {log} number {number}, held to {held}\n"),
            });
        }
        if one["same_roster"].as_bool() == Some(false) {
            let said = screen.pick("      所依据的名册与本机不同", "      by another roster");
            out.push_str(&format!("{said}\n"));
        }
    }
    let offices = usize::try_from(count(answer, "offices")).unwrap_or(usize::MAX);
    out.push_str(&format!("  {}\n", compared_with(offices, OFFICES_ADVISED, screen.lang)));
    out
}

/// Where a receipt lies.
pub(crate) fn receipt(answer: &Json, screen: Screen) -> String {
    let (file, entry) = (text(answer, "file"), text(answer, "entry"));
    match screen.lang {
        Lang::Zh => format!("已写出登记回执 {file}（条目 {entry}），请用浏览器打开并打印\n"),
        Lang::En => format!("receipt {file} of entry {entry}; open it in a browser and print it\n"),
    }
}

/// Entries whose times do not fit.
pub(crate) fn late(answer: &Json, screen: Screen) -> String {
    let of = |name| grouped(count(answer, name));
    let mut out = match screen.lang {
        Lang::Zh => format!(
            "查看 {} 个条目：补录 {}，倒填 {}，时间超前 {}（见证晚于所称时间 {} 天以上为补录）\n",
            of("checked"),
            of("late"),
            of("backdated"),
            of("ahead"),
            of("late_days"),
        ),
        Lang::En => format!(
            "{} entries: {} late, {} backdated, {} ahead (late: witnessed {} days after the claimed time)\n",
            of("checked"),
            of("late"),
            of("backdated"),
            of("ahead"),
            of("late_days"),
        ),
    };
    let heads = [
        (words::CLAIMED, Side::Left),
        (words::FIRST_WITNESS, Side::Left),
        (words::OFFICE, Side::Left),
        (words::CLERK, Side::Left),
        (words::RECORD, Side::Left),
        (words::TIMELINESS, Side::Left),
    ];
    let entries = items(answer, "entries");
    let mut table = Table::new(screen, &heads);
    for entry in entries.iter().take(LATE_SHOWN_MAX) {
        let witnessed = entry["witnessed_s"].as_u64().map(|s| clock::minute(s * 1_000));
        table.row(&[
            clock::minute(count(entry, "claimed_ms")),
            witnessed.unwrap_or_default(),
            text(entry, "office"),
            text(entry, "person"),
            text(entry, "record"),
            either(entry, "zh", "en", screen),
        ]);
    }
    if !table.is_empty() {
        out.push_str(&format!("\n{}", table.text()));
    }
    out.push_str(&more(entries.len(), LATE_SHOWN_MAX, screen));
    out
}

fn more(of: usize, shown: usize, screen: Screen) -> String {
    let left = of.saturating_sub(shown);
    match (left, screen.lang) {
        (0, _) => String::new(),
        (left, Lang::Zh) => format!("另有 {left} 条，见 --json\n"),
        (left, Lang::En) => format!("{left} more, see --json\n"),
    }
}
