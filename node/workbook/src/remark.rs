//! Words of a ledger that stand in no field are kept among the remarks, if their readers allow it.
//! Never puts sensitive words where more people read.

use xw_schemas::record::{Content, Kind, RecordType, parse};

use crate::draft::{Draft, Leftover, cell_name};
use crate::row::CellWarning;

/// Words without a field go to the remarks, if whoever reads those may read them.
pub(crate) fn remark(rt: &RecordType, draft: &mut Draft, content: &mut Content, number: u32) {
    for leftover in std::mem::take(&mut draft.leftovers) {
        if is_said_elsewhere(rt, content, &leftover) {
            continue;
        }
        let kept = may_be_remarked(rt, leftover.path.as_deref()) && add(rt, content, &leftover);
        let (zh, en) = if kept {
            ("已记入备注", "kept among the remarks")
        } else {
            ("没有导入，请在记录中补填", "not imported; fill it in on the record")
        };
        draft.warnings.push(CellWarning {
            cell: cell_name(leftover.column, number),
            column_zh: leftover.heading,
            zh: zh.to_owned(),
            en: en.to_owned(),
        });
    }
}

/// A year column repeats what a date of the row says.
fn is_said_elsewhere(rt: &RecordType, content: &Content, leftover: &Leftover) -> bool {
    let Some(path) = &leftover.path else {
        return false;
    };
    let is_day = rt.field(path).is_some_and(|f| matches!(f.kind, Kind::Date | Kind::DateTime));
    is_day
        && content.text(path).is_some_and(|day| leftover.text.starts_with(&day[..4.min(day.len())]))
}

/// Remarks may be read at more levels than a field; sensitive words never get there.
fn may_be_remarked(rt: &RecordType, path: Option<&str>) -> bool {
    let (Some(path), Some(remarks)) = (path, rt.field("remarks")) else {
        return true;
    };
    let Some(field) = rt.field(path) else {
        return false;
    };
    let readers = rt.body_levels.iter().map(|level| format!("{level:?}"));
    field.pi <= remarks.pi.max(1)
        && readers
            .filter(|level| remarks.vis.contains(level.as_str()))
            .all(|level| field.vis.is_empty() || field.vis.contains(level.as_str()))
}

fn add(rt: &RecordType, content: &mut Content, leftover: &Leftover) -> bool {
    let Some(field) = rt.field("remarks") else {
        return false;
    };
    let words = format!("{}：{}", leftover.heading, leftover.text);
    let all = match content.text("remarks") {
        Some(known) => format!("{known}；{words}"),
        None => words,
    };
    match parse(rt, field, &all) {
        Ok(value) => {
            content.values.insert("remarks".to_owned(), value);
            true
        }
        Err(_) => false,
    }
}
