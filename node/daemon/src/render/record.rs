//! One record: what was saved of it, and everything about it.

use serde_json::Value as Json;
use xw_schemas::record::Lang;

use super::erasure::tombstone;
use super::past::conflict_tables;
use super::table::{Side, Table};
use super::{Form, Screen, count, either, items, plain, standing, text};
use crate::words;

/// Widest list that is shown as one table; wider ones item by item.
const ITEM_COLUMNS_MAX: usize = 6;

/// What was saved, and where it lies so far.
pub(crate) fn saved(answer: &Json, sent: bool, screen: Screen) -> String {
    let number = text(answer, "business_no");
    let (record, state) = (text(answer, "record"), either(answer, "state_zh", "state", screen));
    let travel = match (sent, screen.lang) {
        (true, Lang::Zh) => "已保存在本机，正在发往上级；是否收到见 xiangwang status",
        (true, Lang::En) => "saved on this PC and on its way; see xiangwang status for who has it",
        (false, Lang::Zh) => "已保存在本机；节点运行后（xiangwang run）发往上级",
        (false, Lang::En) => "saved on this PC; it travels once the node runs (xiangwang run)",
    };
    let mut lines = vec![travel.to_owned()];
    let mut line = |word: words::Word, value: String| {
        if !value.is_empty() {
            lines.push(format!("{}{}{value}", word.of(screen.lang), words::COLON.of(screen.lang)));
        }
    };
    line(words::BUSINESS_NO, number);
    line(words::RECORD, record);
    line(words::STATE, state);
    match count(answer, "conflicts") {
        0 => {}
        n => lines.push(
            screen
                .pick(
                    &format!("还有 {n} 处待裁定，见 xiangwang record conflicts"),
                    &format!("{n} conflicts are left; see xiangwang record conflicts"),
                )
                .to_owned(),
        ),
    }
    format!("{}\n", lines.join("\n"))
}

/// Everything about one record.
pub(crate) fn record(answer: &Json, form: Option<&Form>, screen: Screen) -> String {
    let mut out = head(answer, form, screen);
    if answer["sealed"].as_bool() == Some(true) {
        out.push_str(&format!("{}\n", words::SEALED.of(screen.lang)));
    }
    out.push_str(&tombstone(answer, screen));
    out.push_str(&withheld(answer, screen));
    section(&mut out, words::PROBLEMS, &problems(answer, screen), screen);
    section(
        &mut out,
        words::CONFLICTS,
        &conflict_tables(items(answer, "conflicts"), screen),
        screen,
    );
    section(&mut out, words::CONTENT, &content(answer, form, screen), screen);
    for list in in_order(items(answer, "lists"), form, "") {
        let title = list_title(list, form, "", screen);
        out.push_str(&format!("\n{title}\n{}", list_items(list, form, "", screen)));
    }
    section(&mut out, words::STEPS_TAKEN, &steps(answer, form, screen), screen);
    section(&mut out, words::STEPS_NEXT, &next(answer, form, screen), screen);
    out
}

/// Which fields this office holds and may not read.
fn withheld(answer: &Json, screen: Screen) -> String {
    let fields: Vec<String> =
        items(answer, "withheld").iter().map(|field| either(field, "zh", "path", screen)).collect();
    if fields.is_empty() {
        return String::new();
    }
    let names = fields.join(screen.pick("、", ", "));
    screen
        .pick(
            &format!("个人信息，本级不可见：{names}\n"),
            &format!("personal information that this level does not read: {names}\n"),
        )
        .to_owned()
}

fn head(answer: &Json, form: Option<&Form>, screen: Screen) -> String {
    let code = text(answer, "state");
    let state = match screen.lang {
        Lang::Zh => text(answer, "state_zh"),
        Lang::En => form.and_then(|form| form.state(&code, Lang::En)).unwrap_or(&code).to_owned(),
    };
    let named = match screen.lang {
        Lang::Zh => text(answer, "type_zh"),
        Lang::En => form.map_or_else(|| text(answer, "type"), |form| form.type_en().to_owned()),
    };
    let mut out = format!("{named}  {}\n", text(answer, "title")).replace("  \n", "\n");
    let division = format!("{} {}", text(answer, "division_zh"), text(answer, "division"));
    let counts =
        screen.lang.pick("有效变更 {}，未采纳 {}，等待 {}", "{} changes, {} refused, {} waiting");
    let counts = ["changes", "refused", "waiting"].iter().fold(counts.to_owned(), |text, name| {
        text.replacen("{}", &count(answer, name).to_string(), 1)
    });
    for (word, value) in [
        (words::BUSINESS_NO, text(answer, "business_no")),
        (words::RECORD, text(answer, "record")),
        (words::DIVISION, division),
        (words::STATE, state),
        (words::STANDING, standing(answer, screen)),
        (words::CREATED, text(answer, "created")),
        (words::UPDATED, text(answer, "updated")),
        (words::CHANGES, counts),
    ] {
        if !value.trim().is_empty() {
            out.push_str(&format!(
                "{}{}{value}\n",
                word.of(screen.lang),
                words::COLON.of(screen.lang)
            ));
        }
    }
    out
}

fn section(out: &mut String, title: words::Word, body: &str, screen: Screen) {
    if !body.is_empty() {
        out.push_str(&format!("\n{}\n{body}", title.of(screen.lang)));
    }
}

fn problems(answer: &Json, screen: Screen) -> String {
    let mut table = Table::new(
        screen,
        &[(words::FIELD, Side::Left), (words::PATH, Side::Left), (words::WHAT, Side::Left)],
    );
    for problem in items(answer, "problems") {
        let label =
            if screen.lang == Lang::Zh { text(problem, "zh") } else { text(problem, "path") };
        table.row(&[label, text(problem, "path"), either(problem, "text_zh", "text_en", screen)]);
    }
    table.text()
}

fn content(answer: &Json, form: Option<&Form>, screen: Screen) -> String {
    let heads = [(words::FIELD, Side::Left), (words::PATH, Side::Left), (words::VALUE, Side::Left)];
    let mut table = Table::new(screen, &heads);
    for field in in_order(items(answer, "fields"), form, "") {
        let path = text(field, "path");
        let label = form.and_then(|form| form.label(&path, screen.lang));
        table.row(&[
            label.unwrap_or_else(|| either(field, "zh", "en", screen)),
            path,
            text(field, "value"),
        ]);
    }
    table.text()
}

/// In the order of the form; alphabetical where there is no form.
fn in_order<'a>(entries: &'a [Json], form: Option<&Form>, prefix: &str) -> Vec<&'a Json> {
    let mut entries: Vec<&Json> = entries.iter().collect();
    if let Some(form) = form {
        entries.sort_by_key(|entry| form.place(&format!("{prefix}{}", text(entry, "path"))));
    }
    entries
}

fn list_title(list: &Json, form: Option<&Form>, prefix: &str, screen: Screen) -> String {
    let path = text(list, "path");
    let label = form.and_then(|form| form.label(&format!("{prefix}{path}"), screen.lang));
    let label = label.unwrap_or_else(|| either(list, "zh", "en", screen));
    let n = items(list, "items").len();
    screen.pick(&format!("{label}（{path}，{n} 项）"), &format!("{label} ({path}, {n})")).to_owned()
}

/// The items of a list: one table where they are narrow and flat, else one after the other.
fn list_items(list: &Json, form: Option<&Form>, prefix: &str, screen: Screen) -> String {
    let inner = format!("{prefix}{}.", text(list, "path"));
    let entries = items(list, "items");
    let mut columns: Vec<String> = Vec::new();
    for field in entries.iter().flat_map(|item| items(item, "fields")) {
        let path = text(field, "path");
        if !columns.contains(&path) {
            columns.push(path);
        }
    }
    if let Some(form) = form {
        columns.sort_by_key(|path| form.place(&format!("{inner}{path}")));
    }
    let flat = entries.iter().all(|item| items(item, "lists").is_empty());
    if flat && columns.len() <= ITEM_COLUMNS_MAX {
        return item_table(entries, &columns, form, &inner, screen);
    }
    let mut out = String::new();
    for item in entries {
        let only: Vec<Json> = vec![item.clone()];
        let mut table = Table::new(
            screen,
            &[
                (words::ITEM, Side::Left),
                (words::FIELD, Side::Left),
                (words::PATH, Side::Left),
                (words::VALUE, Side::Left),
            ],
        );
        for field in in_order(items(&only[0], "fields"), form, &inner) {
            let path = text(field, "path");
            table.row(&[
                text(item, "id"),
                item_label(field, &path, form, &inner, screen),
                path,
                text(field, "value"),
            ]);
        }
        out.push_str(&table.text());
        for list in in_order(items(item, "lists"), form, &inner) {
            out.push_str(&format!(
                "{}\n{}",
                list_title(list, form, &inner, screen),
                list_items(list, form, &inner, screen)
            ));
        }
    }
    out
}

fn item_table(
    entries: &[Json],
    columns: &[String],
    form: Option<&Form>,
    inner: &str,
    screen: Screen,
) -> String {
    let mut heads = vec![(words::ITEM.of(screen.lang).to_owned(), Side::Left)];
    for path in columns {
        let mut fields = entries.iter().flat_map(|item| items(item, "fields"));
        let field = fields.find(|field| text(field, "path") == *path);
        let label =
            field.map(|field| item_label(field, path, form, inner, screen)).unwrap_or_default();
        let counts = form.is_some_and(|form| form.is_count(&format!("{inner}{path}")));
        heads.push((label, if counts { Side::Right } else { Side::Left }));
    }
    let mut table = Table::named(screen, &heads);
    for item in entries {
        let value = |path: &String| {
            let found = items(item, "fields").iter().find(|field| text(field, "path") == *path);
            found.map(|field| text(field, "value")).unwrap_or_default()
        };
        let mut cells = vec![text(item, "id")];
        cells.extend(columns.iter().map(value));
        table.row(&cells);
    }
    table.text()
}

fn item_label(
    field: &Json,
    path: &str,
    form: Option<&Form>,
    inner: &str,
    screen: Screen,
) -> String {
    let own = form.and_then(|form| form.own_label(&format!("{inner}{path}"), screen.lang));
    own.map_or_else(|| either(field, "zh", "en", screen), plain)
}

fn steps(answer: &Json, form: Option<&Form>, screen: Screen) -> String {
    let mut table = Table::new(
        screen,
        &[
            (words::AT, Side::Left),
            (words::FROM, Side::Left),
            (words::TO, Side::Left),
            (words::BY, Side::Left),
            (words::ROLE, Side::Left),
            (words::OFFICE, Side::Left),
            (words::REASON, Side::Left),
        ],
    );
    let state = |step: &Json, zh: &str, code: &str| match (screen.lang, text(step, code).as_str()) {
        (_, "-") => words::FIRST_STEP.of(screen.lang).to_owned(),
        (Lang::Zh, _) => text(step, zh),
        (Lang::En, code) => {
            form.and_then(|form| form.state(code, Lang::En)).unwrap_or(code).to_owned()
        }
    };
    for step in items(answer, "steps") {
        let mut by = text(step, "who");
        let concerned = text(step, "on_behalf_of");
        if !concerned.is_empty() {
            by.push_str(&format!("（{}{concerned}）", words::FOR.of(screen.lang)));
        }
        let code = text(step, "role");
        let role = match screen.lang {
            Lang::Zh => text(step, "role_zh"),
            Lang::En => {
                form.and_then(|form| form.role(&code, Lang::En)).unwrap_or(&code).to_owned()
            }
        };
        let mut reason = text(step, "reason");
        if step["overruled"].as_bool() == Some(true) {
            reason.push_str(words::OVERRULED.of(screen.lang));
        }
        table.row(&[
            text(step, "at"),
            state(step, "from_zh", "from"),
            state(step, "to_zh", "to"),
            by,
            role,
            text(step, "office"),
            reason,
        ]);
    }
    table.text()
}

fn next(answer: &Json, form: Option<&Form>, screen: Screen) -> String {
    let mut table = Table::new(
        screen,
        &[(words::ACTION, Side::Left), (words::TO, Side::Left), (words::WHO, Side::Left)],
    );
    for step in items(answer, "next") {
        let who: Vec<String> = items(step, "who")
            .iter()
            .filter_map(Json::as_str)
            .map(|code| {
                form.and_then(|form| form.role(code, screen.lang))
                    .map_or_else(|| plain(code), plain)
            })
            .collect();
        let code = text(step, "to");
        let to = form.and_then(|form| form.state(&code, screen.lang)).map_or(code.clone(), plain);
        table.row(&[
            either(step, "zh", "en", screen),
            to,
            who.join(words::LIST_COMMA.of(screen.lang)),
        ]);
    }
    table.text()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn shown() -> Json {
        json!({
            "record": "01KABC", "type": "SVC", "type_zh": "政务服务办件", "business_no": "N-1", "title": "高龄津贴",
            "division": "130599201201", "division_zh": "柳河村", "state": "accepted", "state_zh": "已受理",
            "standing_zh": "乡镇已收", "sealed": false, "created": "2026-11-23 09:00", "updated": "2026-11-23 10:00",
            "changes": 3, "refused": 1, "waiting": 0,
            "fields": [
                {"path": "applicant.name", "zh": "姓名", "en": "Name", "value": "张\u{1b}三"},
                {"path": "matter_name", "zh": "事项名称", "en": "Matter", "value": "高龄津贴"},
            ],
            "lists": [{"path": "materials", "zh": "材料清单", "items": [
                {"id": "ab12", "fields": [{"path": "name", "zh": "材料名称", "en": "Name", "value": "身份证"}], "lists": []},
            ]}],
            "steps": [{"from": "-", "to": "registered", "from_zh": "-", "to_zh": "已登记", "who": "王芳", "role": "VCLK",
                "role_zh": "村文书", "office": "柳河村村民委员会", "at": "2026-11-23 09:00", "reason": "", "overruled": false}],
            "conflicts": [{"path": "state", "zh": "状态", "values": [
                {"n": 1, "value": "已受理", "by": "王芳", "office": "柳河村村民委员会", "at": "2026-11-23 09:00", "shown": true},
                {"n": 2, "value": "已退回", "by": "李强", "office": "白杨镇人民政府", "at": "2026-11-23 09:01", "shown": false}]}],
            "problems": [{"path": "due_date", "zh": "应办结日期", "code": "missing", "text_zh": "必须填写", "text_en": "must be filled"}],
            "next": [{"to": "accepted", "zh": "受理", "en": "Accept", "who": ["TWIN", "VAGT"]}],
        })
    }

    fn form() -> Form {
        Form::of(xw_schemas::record::builtin().iter().find(|rt| rt.code == "SVC").unwrap())
    }

    #[test]
    fn a_record_is_shown_whole_in_the_order_of_its_form() {
        let text = record(&shown(), Some(&form()), Screen { lang: Lang::Zh, width: 120 });
        for wanted in [
            "申请人.姓名",
            "张\u{fffd}三",
            "材料清单（materials，1 项）",
            "ab12",
            "身份证",
            "新建",
            "已登记",
            "必须填写",
            "便民服务中心窗口、村代办员",
            "有效变更 3，未采纳 1，等待 0",
            "已退回",
            "目前显示",
        ] {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
        assert!(text.find("matter_name") < text.find("applicant.name"), "{text}");
        assert!(!text.contains("registered") && !text.contains("VCLK"), "{text}");
        let text = record(&shown(), Some(&form()), Screen { lang: Lang::En, width: 120 });
        for wanted in
            ["Applicant.Name", "township has it", "Village clerk", "must be filled", "new"]
        {
            assert!(text.contains(wanted), "{wanted}\n{text}");
        }
    }

    #[test]
    fn a_saved_record_is_never_said_to_be_received() {
        let answer = json!({"record": "01K", "business_no": "N-1", "state": "registered", "state_zh": "已登记", "conflicts": 0});
        for (sent, wanted) in [(true, "正在发往上级"), (false, "xiangwang run")] {
            let text = saved(&answer, sent, Screen { lang: Lang::Zh, width: 100 });
            assert!(text.starts_with("已保存在本机") && text.contains(wanted), "{text}");
            assert!(text.contains("已登记") && !text.contains("registered"), "{text}");
        }
    }
}
