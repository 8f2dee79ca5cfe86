//! Finds the heading row of a ledger and says which column is which. Reads no data rows.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::record::{Column, Kind, Ledger, RecordType};

use crate::grid::{Grid, GridRow, Seen};
use crate::limits::HEADING_ROWS_MAX;
use crate::text::squeeze;

/// A ledger recognised on a sheet.
pub(crate) struct Heading<'a> {
    pub(crate) ledger: &'a Ledger,
    /// 0-based row of the (last) heading row.
    pub(crate) row: u32,
    /// 0-based column to what stands in it.
    pub(crate) columns: BTreeMap<u32, Bound<'a>>,
    /// Headings that belong to nothing.
    pub(crate) unknown: Vec<String>,
}

/// What a column of the sheet holds.
#[derive(Clone)]
pub(crate) struct Bound<'a> {
    /// The heading as the clerk wrote it, without line breaks.
    pub(crate) heading: String,
    /// The ledger's column, or a field of the type that the ledger does not list.
    pub(crate) target: Target<'a>,
    pub(crate) unit: Unit,
}

#[derive(Clone)]
pub(crate) enum Target<'a> {
    Column(&'a Column),
    Extra(String),
}

/// Money unit of a column without one in its cells.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Unsaid,
    Yuan,
    Wan,
}

/// Words that clerks use for one thing. The first is the ledger's.
const SAME: &[&[&str]] = &[
    &["序号", "序", "no", "no."],
    &["备注", "备注说明", "说明"],
    &[
        "证件号码",
        "身份证号",
        "身份证号码",
        "身份证",
        "公民身份号码",
        "户主身份证号",
        "户主证件号码",
    ],
    &["联系电话", "电话", "手机", "手机号", "手机号码", "联系方式", "电话号码"],
    &["户主", "户主姓名"],
    &["申请人", "申请人姓名", "办事群众"],
    &["被申请人", "被申请人姓名"],
    &["人口", "家庭人口", "家庭人口数", "人口数"],
    &["村组", "所在村组", "所属村组"],
    &["登记日期", "登记时间"],
    &["受理日期", "受理时间"],
    &["送达日期", "送达时间"],
    &["结案日期", "结案时间"],
    &["识别时间", "识别监测时间"],
    &["消除时间", "消除监测时间", "风险消除时间"],
    &["事项名称", "办理事项", "代办事项"],
    &["村", "村名", "行政村"],
    &["乡镇", "乡(镇)", "乡镇名称"],
];

/// A heading needs this many known columns: a title or a note can hold one or two such words.
const MATCHED_MIN: usize = 3;

/// The best heading on any sheet for any of the ledgers: index of the sheet, and what stands where.
pub(crate) fn find<'a>(
    grids: &[Grid],
    rt: &RecordType,
    ledgers: &[&'a Ledger],
) -> Option<(usize, Heading<'a>)> {
    let mut best: Option<(Score, usize, Heading<'a>)> = None;
    for (index, grid) in grids.iter().enumerate() {
        for ledger in ledgers {
            let keys = Keys::of(rt, ledger);
            for (score, heading) in candidates(grid, rt, ledger, &keys) {
                if best.as_ref().is_none_or(|(known, ..)| score > *known) {
                    best = Some((score, index, heading));
                }
            }
        }
    }
    best.map(|(_, index, heading)| (index, heading))
}

/// Known columns, and the share of the ledger's columns that they are, in thousandths.
type Score = (usize, usize);

fn candidates<'a>(
    grid: &Grid,
    rt: &RecordType,
    ledger: &'a Ledger,
    keys: &Keys,
) -> Vec<(Score, Heading<'a>)> {
    let page_unit = page_unit(grid);
    let mut found = Vec::new();
    for (row, cells) in grid.rows.iter().take(HEADING_ROWS_MAX) {
        let below = grid.rows.get(&(row + 1));
        for upper in [None, Some(cells)] {
            // With `upper`, the heading has two rows: groups above, columns below.
            let (at, texts) = match (upper, below) {
                (None, _) => (*row, one_row(cells)),
                (Some(upper), Some(below)) => (row + 1, two_rows(upper, below)),
                (Some(_), None) => continue,
            };
            let heading = bind(rt, ledger, keys, at, &texts, page_unit);
            let known = heading
                .columns
                .values()
                .filter(|bound| matches!(bound.target, Target::Column(_)))
                .count();
            if known >= MATCHED_MIN {
                found.push(((known, known * 1000 / ledger.columns.len().max(1)), heading));
            }
        }
    }
    found
}

fn one_row(cells: &GridRow) -> BTreeMap<u32, Vec<String>> {
    cells.iter().filter_map(|(column, cell)| Some((*column, vec![text_of(&cell.seen)?]))).collect()
}

/// Column texts of a heading over two rows: the lower text, the upper and lower joined, and the
/// upper text where nothing stands below.
fn two_rows(upper: &GridRow, lower: &GridRow) -> BTreeMap<u32, Vec<String>> {
    let mut texts = BTreeMap::new();
    let mut group = String::new();
    let columns: BTreeSet<u32> = upper.keys().chain(lower.keys()).copied().collect();
    for column in columns {
        let above = upper.get(&column).and_then(|cell| text_of(&cell.seen));
        let below = lower.get(&column).filter(|cell| cell.own).and_then(|c| text_of(&c.seen));
        if let Some(above) = &above {
            group.clone_from(above);
        }
        let spellings = match (above, below) {
            (_, Some(below)) => vec![format!("{group}{below}"), below],
            (Some(above), None) => vec![above],
            (None, None) => continue,
        };
        texts.insert(column, spellings);
    }
    texts
}

fn bind<'a>(
    rt: &RecordType,
    ledger: &'a Ledger,
    keys: &Keys,
    row: u32,
    texts: &BTreeMap<u32, Vec<String>>,
    page_unit: Unit,
) -> Heading<'a> {
    let mut columns = BTreeMap::new();
    let mut unknown = Vec::new();
    let mut taken = BTreeSet::new();
    for (column, spellings) in texts {
        let heading = spellings.last().cloned().unwrap_or_default();
        let heading: String = heading.split_whitespace().collect();
        let hit = spellings.iter().find_map(|text| {
            let (key, unit) = split_unit(text);
            let found = keys.find(&key)?;
            (!taken.contains(&found)).then_some((found, unit))
        });
        let Some((index, unit)) = hit else {
            match extra(rt, keys, &split_unit(&heading).0) {
                Some(path) => {
                    let target = Target::Extra(path);
                    let unit = split_unit(&heading).1;
                    columns.insert(*column, Bound { heading, target, unit });
                }
                None => unknown.push(heading),
            }
            continue;
        };
        taken.insert(index);
        let unit = if unit == Unit::Unsaid { page_unit } else { unit };
        let target = Target::Column(&ledger.columns[index]);
        columns.insert(*column, Bound { heading, target, unit });
    }
    Heading { ledger, row, columns, unknown }
}

/// The path of a field that the ledger does not list but the clerk added, by its exact label.
///
/// Only plain fields of the form, or the person that the ledger is about: a label such as 电话 inside
/// some list would be a guess.
fn extra(rt: &RecordType, keys: &Keys, key: &str) -> Option<String> {
    let canonical = SAME.iter().find(|words| words.contains(&key)).map_or(key, |words| words[0]);
    let plain = rt.fields.iter().find(|field| {
        !matches!(field.kind, Kind::Struct { .. } | Kind::List { .. })
            && split_unit(&field.zh).0 == canonical
            && !HEADER_FIELDS.contains(&field.name.as_str())
    });
    if let Some(field) = plain {
        return Some(field.name.clone());
    }
    let subject = keys.subject.as_deref()?;
    ["id_no", "phone", "address"].iter().find_map(|member| {
        let path = format!("{subject}.{member}");
        let field = rt.field(&path)?;
        (split_unit(&field.zh).0 == canonical).then_some(path)
    })
}

/// Header fields that the software fills; a column of that name is the clerk's own affair.
pub(crate) const HEADER_FIELDS: &[&str] = &[
    "record_id",
    "record_type",
    "schema_version",
    "codelist_version",
    "state",
    "state_since",
    "recorder",
    "entry_mode",
    "time_source",
    "links",
    "attachments",
];

/// The spellings under which the columns of a ledger are known.
struct Keys {
    by_text: BTreeMap<String, usize>,
    /// The person that the ledger is about, for added columns such as 身份证号.
    subject: Option<String>,
}

impl Keys {
    fn of(rt: &RecordType, ledger: &Ledger) -> Self {
        let mut by_text = BTreeMap::new();
        let names: Vec<String> =
            ledger.columns.iter().map(|column| split_unit(&column.zh).0).collect();
        // The ledger's own words win over labels of fields, and those over what clerks also say.
        for (index, name) in names.iter().enumerate() {
            by_text.entry(name.clone()).or_insert(index);
        }
        for (index, column) in ledger.columns.iter().enumerate() {
            let path = column.path.as_deref();
            if let Some(resolved) = path.and_then(|path| ledger.resolve(rt, path))
                && resolved.lists.is_empty()
                && column.special.as_deref().is_none_or(|special| special == "wan")
            {
                let (label, _) = split_unit(&resolved.field.zh);
                by_text.entry(label).or_insert(index);
            }
        }
        for (index, name) in names.iter().enumerate() {
            for word in SAME.iter().filter(|words| words.contains(&name.as_str())).flat_map(|w| *w)
            {
                by_text.entry((*word).to_owned()).or_insert(index);
            }
        }
        let subject = ledger.columns.iter().find_map(|column| {
            let path = column.path.as_deref()?.strip_suffix(".name")?;
            let holder = rt.field(path)?;
            matches!(holder.kind, Kind::Struct { .. }).then(|| path.to_owned())
        });
        Self { by_text, subject }
    }

    fn find(&self, key: &str) -> Option<usize> {
        self.by_text.get(key).copied()
    }
}

/// A heading without blanks, brackets and marks, and the unit that its brackets name.
fn split_unit(text: &str) -> (String, Unit) {
    let squeezed = squeeze(text).to_lowercase();
    let mut key = String::new();
    let mut inside = String::new();
    let mut depth = 0usize;
    for c in squeezed.chars() {
        match c {
            '(' | '[' | '【' | '〔' => depth += 1,
            ')' | ']' | '】' | '〕' => depth = depth.saturating_sub(1),
            '*' | ':' | '★' if depth == 0 => {}
            c if depth > 0 => inside.push(c),
            c => key.push(c),
        }
    }
    let unit = match inside.as_str() {
        unit if unit.contains("万元") => Unit::Wan,
        unit if unit.contains('元') => Unit::Yuan,
        _ => Unit::Unsaid,
    };
    (key, unit)
}

/// The unit that a line above the heading gives for the whole sheet: 单位：万元.
fn page_unit(grid: &Grid) -> Unit {
    let says_wan = grid
        .rows
        .values()
        .take(HEADING_ROWS_MAX)
        .flat_map(BTreeMap::values)
        .filter_map(|cell| text_of(&cell.seen))
        .any(|text| squeeze(&text).contains("单位:万元"));
    if says_wan { Unit::Wan } else { Unit::Unsaid }
}

fn text_of(seen: &Seen) -> Option<String> {
    match seen {
        Seen::Text(text) => Some(text.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heading_is_known_however_it_is_spaced_and_bracketed() {
        for text in ["总投资（万元）", "总投资\n(万元)", "总 投 资 （万 元）", "*总投资(万元)："]
        {
            assert_eq!(split_unit(text), ("总投资".to_owned(), Unit::Wan), "{text}");
        }
        assert_eq!(split_unit("证件号码（加密列）").0, "证件号码");
        assert_eq!(split_unit("金额(元)").1, Unit::Yuan);
    }
}
