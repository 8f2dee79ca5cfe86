//! Rows of a list as a table, with what the answer covers below it.

use serde_json::Value as Json;
use xw_schemas::record::Lang;

use super::table::{Side, Table};
use super::{Form, Screen, count, either, grouped, items, plain, standing, text};
use crate::words;

/// One page of rows.
pub(crate) fn list(
    answer: &Json,
    columns: &[String],
    forms: &[Form],
    page: u32,
    screen: Screen,
) -> String {
    let rows = items(answer, "rows");
    // What all rows share is said once, above the table.
    let kind = shared(rows, |row| list_type(row, forms, screen));
    let place = shared(rows, |row| text(row, "division_zh"));
    let head = |word: words::Word| (word.of(screen.lang).to_owned(), Side::Left);
    let mut heads = vec![head(words::BUSINESS_NO)];
    heads.extend(kind.is_none().then(|| head(words::TYPE)));
    heads.push(head(words::TITLE));
    heads.extend(place.is_none().then(|| head(words::DIVISION)));
    heads.extend([words::STATE, words::STANDING, words::UPDATED].map(head));
    heads.extend(columns.iter().map(|path| {
        let counts = forms.iter().any(|form| form.is_count(path));
        (heading(path, forms, screen), if counts { Side::Right } else { Side::Left })
    }));
    heads.push(head(words::REMARKS));
    // Numbers are copied into other commands.
    let mut table = Table::named(screen, &heads).unbroken(0);
    for row in rows {
        let number = Some(text(row, "business_no")).filter(|number| !number.is_empty());
        // A record without a number is asked for by its id.
        let mut cells = vec![number.unwrap_or_else(|| text(row, "record"))];
        cells.extend(kind.is_none().then(|| list_type(row, forms, screen)));
        cells.push(text(row, "title"));
        cells.extend(place.is_none().then(|| text(row, "division_zh")));
        cells.extend([state(row, forms, screen), standing(row, screen), text(row, "updated")]);
        cells.extend(columns.iter().map(|path| text(&row["fields"], path)));
        cells.push(remarks(row, screen));
        table.row(&cells);
    }
    let said: Vec<String> = kind.into_iter().chain(place).collect();
    let title = if said.is_empty() { String::new() } else { format!("{}\n", said.join("  ")) };
    format!("{title}{}{}", table.text(), foot(answer, rows.len() as u64, page, screen))
}

/// What every row has in common, where there are several.
fn shared(rows: &[Json], of: impl Fn(&Json) -> String) -> Option<String> {
    let first = rows.first().map(&of).filter(|first| !first.is_empty())?;
    rows.iter().all(|row| of(row) == first).then_some(first)
}

/// A column's label; its path where no form has it.
pub(super) fn heading(path: &str, forms: &[Form], screen: Screen) -> String {
    let label = forms.iter().find_map(|form| form.label(path, screen.lang));
    plain(&label.unwrap_or_else(|| path.to_owned()))
}

/// The type's name; in English its code unless the form is at hand.
pub(super) fn list_type(row: &Json, forms: &[Form], screen: Screen) -> String {
    match (screen.lang, forms) {
        (Lang::Zh, _) => text(row, "type_zh"),
        (Lang::En, [form]) => form.type_en().to_owned(),
        (Lang::En, _) => text(row, "type"),
    }
}

pub(super) fn state(row: &Json, forms: &[Form], screen: Screen) -> String {
    let code = text(row, "state");
    match (screen.lang, forms) {
        (Lang::Zh, _) => text(row, "state_zh"),
        (Lang::En, [form]) => form.state(&code, Lang::En).unwrap_or(&code).to_owned(),
        (Lang::En, _) => code,
    }
}

fn remarks(row: &Json, screen: Screen) -> String {
    let mut said = Vec::new();
    if row["sealed"].as_bool() == Some(true) {
        said.push(screen.pick("密封", "sealed").to_owned());
    }
    for (name, zh, en) in [("conflicts", "待裁定", "conflicts"), ("problems", "待更正", "problems")]
    {
        match count(row, name) {
            0 => {}
            n => said.push(screen.pick(&format!("{zh} {n} 处"), &format!("{n} {en}")).to_owned()),
        }
    }
    said.join(words::COMMA.of(screen.lang))
}

/// `第 2 页，51-100 条，共 1,234 条`, and which villages the answer covers.
fn foot(answer: &Json, shown: u64, page: u32, screen: Screen) -> String {
    let total = count(answer, "total");
    let all = grouped(total);
    let mut text = if shown == 0 && total > 0 {
        screen
            .pick(
                &format!("第 {page} 页没有记录，共 {all} 条"),
                &format!("no rows on page {page}; {all} in all"),
            )
            .to_owned()
    } else if shown == total {
        screen.pick(&format!("共 {all} 条"), &format!("{all} records")).to_owned()
    } else {
        let zh = format!(
            "第 {page} 页，本页 {} 条，共 {all} 条；下一页加 --page {}",
            grouped(shown),
            page.saturating_add(1)
        );
        let en = format!(
            "page {page}: {} of {all} records; next: --page {}",
            grouped(shown),
            page.saturating_add(1)
        );
        screen.pick(&zh, &en).to_owned()
    };
    let coverage = either(&answer["coverage"], "zh", "en", screen);
    if !coverage.is_empty() {
        text.push_str(&format!("\n{}{coverage}", screen.pick("覆盖范围：", "covers: ")));
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn answer() -> Json {
        json!({"total": 120, "rows": [
            {"record": "01KXYZ", "business_no": null, "type": "IND", "type_zh": "产业项目", "title": "蔬菜大棚",
             "division_zh": "柳河村", "state": "building", "state_zh": "建设中", "standing_zh": "仅存本机",
             "updated": "2026-11-23 10:00", "conflicts": 1, "problems": 2, "sealed": false,
             "fields": {"budget_total": "500000.00"}},
        ], "coverage": {"zh": "3 个村中已收到 3 个", "en": "3 of 3 villages"}})
    }

    #[test]
    fn a_chinese_screen_shows_no_code_and_says_what_it_covers() {
        let types = xw_schemas::record::builtin();
        let forms: Vec<Form> = types.iter().filter(|rt| rt.code == "IND").map(Form::of).collect();
        let columns = ["budget_total".to_owned()];
        let zh = list(&answer(), &columns, &forms, 2, Screen { lang: Lang::Zh, width: 140 });
        for wanted in [
            "产业项目  柳河村\n",
            "建设中",
            "仅存本机",
            "待裁定 1 处，待更正 2 处",
            "01KXYZ",
            "共 120 条",
            "--page 3",
            "3 个村中已收到 3 个",
        ] {
            assert!(zh.contains(wanted), "{wanted}\n{zh}");
        }
        assert!(!zh.contains("building") && !zh.contains("budget_total"), "{zh}");
        let en = list(&answer(), &columns, &forms, 2, Screen { lang: Lang::En, width: 140 });
        for wanted in ["only here", "1 conflicts", "3 of 3 villages", "page 2: 1 of 120"] {
            assert!(en.contains(wanted), "{wanted}\n{en}");
        }
    }

    #[test]
    fn what_rows_do_not_share_stands_in_each() {
        let mut answer = answer();
        let mut other = answer["rows"][0].clone();
        other["division_zh"] = json!("石桥村");
        other["business_no"] = json!("130599201203A-IND-2026-00001");
        answer["rows"].as_array_mut().unwrap().push(other);
        let text = list(&answer, &[], &[], 1, Screen { lang: Lang::Zh, width: 100 });
        assert!(text.starts_with("产业项目\n"), "{text}");
        assert!(text.contains("石桥村") && text.contains("130599201203A-IND-2026-00001"), "{text}");
    }

    #[test]
    fn an_empty_list_is_no_table() {
        let none = json!({"total": 0, "rows": [], "coverage": null});
        assert_eq!(list(&none, &[], &[], 1, Screen { lang: Lang::Zh, width: 100 }), "共 0 条\n");
    }
}
