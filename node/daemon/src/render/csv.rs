//! Rows as CSV for WPS and Excel: with a byte order mark, and with nothing that a spreadsheet would
//! calculate or round. What programs read is JSON, not this.

use serde_json::Value as Json;

use super::list::{heading, list_type};
use super::{Form, Screen, count, items, standing, text};
use crate::words;

/// Without it Excel takes the file for GBK.
const BYTE_ORDER_MARK: char = '\u{feff}';

/// Digits that a spreadsheet keeps of a number; of longer ones it loses the end.
const DIGITS_MAX: usize = 15;

/// All rows of a list.
pub(crate) fn csv(answer: &Json, columns: &[String], forms: &[Form], screen: Screen) -> String {
    let fixed = [
        words::RECORD,
        words::BUSINESS_NO,
        words::TYPE,
        words::TITLE,
        words::DIVISION_CODE,
        words::DIVISION,
        words::STATE,
        words::STANDING,
        words::CREATED,
        words::UPDATED,
        words::CONFLICTS,
        words::PROBLEMS,
    ];
    let mut heads: Vec<String> = fixed.iter().map(|word| word.of(screen.lang).to_owned()).collect();
    heads.extend(columns.iter().map(|path| heading(path, forms, screen)));
    let mut out = String::from(BYTE_ORDER_MARK);
    line(&mut out, &heads);
    for row in items(answer, "rows") {
        let mut cells = vec![
            text(row, "record"),
            text(row, "business_no"),
            list_type(row, forms, screen),
            text(row, "title"),
            text(row, "division"),
            text(row, "division_zh"),
            super::list::state(row, forms, screen),
            standing(row, screen),
            text(row, "created"),
            text(row, "updated"),
            count(row, "conflicts").to_string(),
            count(row, "problems").to_string(),
        ];
        cells.extend(columns.iter().map(|path| text(&row["fields"], path)));
        line(&mut out, &cells);
    }
    out
}

fn line(out: &mut String, cells: &[String]) {
    let cells: Vec<String> = cells.iter().map(|cell| quoted(&harmless(cell))).collect();
    out.push_str(&cells.join(","));
    out.push_str("\r\n");
}

/// A text that a spreadsheet shows as it is: an apostrophe in front of what it would calculate, and
/// of numbers too long for it, such as ID numbers. Imports take the apostrophe away.
fn harmless(cell: &str) -> String {
    let begins = cell.trim_start().chars().next();
    let formula =
        matches!(begins, Some('=' | '+' | '-' | '@' | '|' | '%' | '＝' | '＋' | '－' | '＠'));
    let number = cell.strip_prefix('-').is_some_and(|rest| {
        !rest.is_empty() && rest.chars().all(|c| c.is_ascii_digit() || c == '.')
    });
    let long =
        cell.len() > DIGITS_MAX && cell.bytes().take(DIGITS_MAX + 1).all(|b| b.is_ascii_digit());
    if (formula && !number) || long { format!("'{cell}") } else { cell.to_owned() }
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\n', '\r', ';']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use xw_schemas::record::Lang;

    #[test]
    fn nothing_in_a_cell_is_calculated_or_rounded() {
        for (cell, shown) in [
            ("=1+1", "'=1+1"),
            (" =cmd|' /C calc'!A0", "' =cmd|' /C calc'!A0"),
            ("@SUM(A1)", "'@SUM(A1)"),
            ("＝1+1", "'＝1+1"),
            ("-12.50", "-12.50"),
            ("-1+2", "'-1+2"),
            ("130599199001011234", "'130599199001011234"),
            ("13059919900101123X", "'13059919900101123X"),
            ("130599201201", "130599201201"),
            ("张三", "张三"),
        ] {
            assert_eq!(harmless(cell), shown);
        }
        assert_eq!(quoted("甲,\"乙\""), "\"甲,\"\"乙\"\"\"");
    }

    #[test]
    fn rows_have_headings_and_labels() {
        let answer = json!({"rows": [{
            "record": "01K", "business_no": "130599201201A-SVC-2026-00001", "type": "SVC",
            "type_zh": "政务服务办件", "title": "高龄津贴,补发", "division": "130599201201",
            "division_zh": "柳河村", "state": "accepted", "state_zh": "已受理",
            "standing_zh": "乡镇已收", "created": "2026-11-23 09:30", "updated": "2026-11-23 10:00",
            "conflicts": 0, "problems": 2, "fields": {"matter_name": "=高龄"},
        }]});
        let types = xw_schemas::record::builtin();
        let forms: Vec<Form> = types.iter().map(Form::of).collect();
        let text =
            csv(&answer, &["matter_name".to_owned()], &forms, Screen { lang: Lang::Zh, width: 80 });
        let lines: Vec<&str> = text.split("\r\n").collect();
        assert_eq!(lines.len(), 3);
        assert!(
            lines[0].starts_with('\u{feff}') && lines[0].ends_with("待更正,事项名称"),
            "{text}"
        );
        assert_eq!(
            lines[1],
            "01K,130599201201A-SVC-2026-00001,政务服务办件,\"高龄津贴,补发\",130599201201,柳河村,\
             已受理,乡镇已收,2026-11-23 09:30,2026-11-23 10:00,0,2,'=高龄"
        );
    }
}
