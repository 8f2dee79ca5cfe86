//! Ledgers in and out: what became of each row, and where the file lies.

use serde_json::Value as Json;
use xw_schemas::record::Lang;

use super::table::{Side, Table};
use super::{Screen, count, grouped, items, plain, text};
use crate::words;

/// Rows of the English table; all stand in the JSON.
const ROWS_SHOWN_MAX: usize = 200;

/// What became of an imported ledger.
pub(crate) fn imported(answer: &Json, screen: Screen) -> String {
    let mut out = match screen.lang {
        Lang::Zh => {
            format!("{}\n", plain(answer["table_zh"].as_str().unwrap_or_default()).trim_end())
        }
        Lang::En => in_english(answer, screen),
    };
    if answer["preview"].as_bool() == Some(true) {
        out.push_str(screen.pick(
            "以上只是预览，没有保存；去掉 --preview 正式导入\n",
            "a preview only: nothing was saved; leave out --preview to import\n",
        ));
    } else if count(&answer["tally"], "refused") > 0 {
        out.push_str(screen.pick(
            "其余各行已保存。改正表格后重新导入即可，不会产生重复记录\n",
            "all other rows are saved; mend the sheet and import it again, no duplicates are made\n",
        ));
    }
    out
}

fn in_english(answer: &Json, screen: Screen) -> String {
    let (report, tally) = (&answer["report"], &answer["tally"]);
    let of = |name| grouped(count(tally, name));
    let mut out = format!(
        "{}: {} rows\nnew {}, changed {}, unchanged {}, refused {}\n",
        text(report, "file_name"),
        grouped(items(report, "rows").len() as u64),
        of("new"),
        of("changed"),
        of("unchanged"),
        of("refused"),
    );
    let heads = [
        (words::ROW, Side::Right),
        (words::CELL, Side::Left),
        (words::VALUE, Side::Left),
        (words::WHAT, Side::Left),
    ];
    let mut table = Table::new(screen, &heads);
    for row in
        items(report, "rows").iter().filter(|row| row["outcome"] == "refused").take(ROWS_SHOWN_MAX)
    {
        for slip in items(row, "slips") {
            table.row(&[
                text(row, "number"),
                text(slip, "cell"),
                text(slip, "value"),
                text(slip, "en"),
            ]);
        }
    }
    out.push_str(&table.text());
    out
}

/// Where an exported ledger lies.
pub(crate) fn exported(answer: &Json, screen: Screen) -> String {
    let (file, rows) = (text(answer, "file"), grouped(count(answer, "rows")));
    let zh = format!("已导出 {rows} 行到 {file}\n");
    let en = format!("{rows} rows written to {file}\n");
    screen.pick(&zh, &en).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn refused_rows_are_told_with_what_to_do() {
        let answer = json!({
            "tally": {"new": 3, "changed": 0, "unchanged": 0, "refused": 1, "warned": 0},
            "table_zh": "台账.xlsx：共 4 行\n第 8 行未导入：\n  D8 证件号码：应为 18 位\n", "preview": false,
            "report": {"file_name": "台账.xlsx", "rows": [{"number": 8, "outcome": "refused",
                "slips": [{"cell": "D8", "value": "1305", "zh": "应为 18 位", "en": "18 digits"}]}]},
        });
        let zh = imported(&answer, Screen { lang: Lang::Zh, width: 100 });
        assert!(zh.contains("第 8 行未导入") && zh.contains("重新导入"), "{zh}");
        let en = imported(&answer, Screen { lang: Lang::En, width: 100 });
        assert!(en.contains("new 3") && en.contains("18 digits") && en.contains("D8"), "{en}");
    }
}
