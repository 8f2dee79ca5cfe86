//! From a workbook to rows that can become records. Writes nothing anywhere.

use std::collections::BTreeMap;

use xw_schemas::record::{Ledger, RecordType};

use crate::cell::{Divisions, Reading, decimal, plain};
use crate::complete::{complete, missing_columns};
use crate::defaults::Defaults;
use crate::draft::{Draft, draft};
use crate::error::WorkbookError;
use crate::grid::{Grid, GridRow, Seen, load};
use crate::heading::{Heading, Target, find};
use crate::identity::{digest, fingerprint, item_id, natural_key};
use crate::row::{CellSlip, CellWarning, Row};
use crate::text::squeeze;

/// What reading a ledger needs besides the file.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// What the ledger leaves open; see [`crate::defaults_for`].
    pub defaults: &'a Defaults,
    /// Names of villages to their 12-digit codes.
    pub divisions: Divisions<'a>,
}

/// One ledger as it was read.
#[derive(Debug, Clone)]
pub struct Sheet {
    /// Name of the sheet in the workbook.
    pub name: String,
    /// Key of the ledger that was recognised.
    pub ledger_key: String,
    /// Its Chinese name.
    pub ledger_zh: String,
    /// Row of the heading as Excel shows it.
    pub heading_row: u32,
    /// Data rows in sheet order, those with slips included.
    pub rows: Vec<Row>,
    /// Columns that belong to no field and were passed over.
    pub unknown_columns: Vec<String>,
    /// Remarks on the file as a whole, in Chinese.
    pub notes: Vec<String>,
}

/// Reads the ledger of a record type in a workbook.
///
/// `ledger` is a ledger's key or Chinese name; without it the one whose columns fit best is taken.
/// Ledgers with one row per list item are written only: a row of theirs does not say which record
/// it belongs to. Each row is whole or refused; the caller imports those without slips.
pub fn read(
    bytes: &[u8],
    rt: &RecordType,
    ledger: Option<&str>,
    context: &Context<'_>,
) -> Result<Sheet, WorkbookError> {
    let ledgers = wanted(rt, ledger)?;
    let grids = load(bytes)?;
    let (index, heading) = find(&grids, rt, &ledgers).ok_or_else(|| no_heading(rt, &ledgers))?;
    let missing = missing_columns(rt, &heading, context.defaults);
    if !missing.is_empty() {
        let ledger = heading.ledger.zh.clone();
        return Err(WorkbookError::MissingColumns { ledger, columns: missing.join("、") });
    }
    let grid = &grids[index];
    let mut notes = Vec::new();
    let others: Vec<&str> = grids
        .iter()
        .enumerate()
        .filter(|(other, grid)| *other != index && !grid.rows.is_empty())
        .map(|(_, grid)| grid.name.as_str())
        .collect();
    if !others.is_empty() {
        notes.push(format!("只读取了工作表“{}”，未读取：{}", grid.name, others.join("、")));
    }
    let mut rows = rows(rt, grid, &heading, context, &mut notes);
    mark_repeats(&mut rows);
    Ok(Sheet {
        name: grid.name.clone(),
        ledger_key: heading.ledger.key.clone(),
        ledger_zh: heading.ledger.zh.clone(),
        heading_row: heading.row + 1,
        rows,
        unknown_columns: heading.unknown.clone(),
        notes,
    })
}

fn wanted<'a>(rt: &'a RecordType, name: Option<&str>) -> Result<Vec<&'a Ledger>, WorkbookError> {
    let readable = rt.ledgers.iter().filter(|ledger| ledger.rows_from.is_none());
    let Some(name) = name else {
        return Ok(readable.collect());
    };
    let found: Vec<&Ledger> =
        readable.filter(|ledger| ledger.key == name || ledger.zh == name).collect();
    if found.is_empty() {
        return Err(WorkbookError::NoSuchLedger {
            record_type: rt.code.clone(),
            ledger: name.to_owned(),
        });
    }
    Ok(found)
}

fn no_heading(rt: &RecordType, ledgers: &[&Ledger]) -> WorkbookError {
    let names: Vec<String> = ledgers.iter().map(|ledger| format!("《{}》", ledger.zh)).collect();
    let expected = ledgers.first().map_or_else(String::new, |ledger| {
        ledger.columns.iter().map(|column| column.zh.as_str()).collect::<Vec<_>>().join("、")
    });
    WorkbookError::NoHeading { record_type: rt.code.clone(), ledgers: names.join("、"), expected }
}

fn rows(
    rt: &RecordType,
    grid: &Grid,
    heading: &Heading<'_>,
    context: &Context<'_>,
    notes: &mut Vec<String>,
) -> Vec<Row> {
    let reading = Reading { rt, from_1904: grid.from_1904, divisions: context.divisions };
    let mut rows = Vec::new();
    let mut after_end = 0usize;
    let mut ended = false;
    for (at, cells) in grid.rows.range(heading.row + 1..) {
        match kind_of(cells, heading) {
            RowKind::Data if ended => after_end += 1,
            RowKind::Data => rows.push(row(&reading, heading, context, cells, at + 1)),
            RowKind::End => ended = true,
            RowKind::Nothing => {}
        }
    }
    if after_end > 0 {
        notes.push(format!("合计行或落款之后还有 {after_end} 行内容，没有读取"));
    }
    rows
}

enum RowKind {
    Data,
    /// Totals or foot: what follows is no data.
    End,
    /// Empty, only numbered, a subtotal, or the row that numbers the columns.
    Nothing,
}

/// Words that begin the totals line or the foot.
const ENDS: &[&str] =
    &["填表人", "制表人", "填报人", "审核人", "负责人", "(公章)", "公章", "(盖章)"];

fn kind_of(cells: &GridRow, heading: &Heading<'_>) -> RowKind {
    let own: Vec<(u32, String)> = cells
        .iter()
        .filter(|(_, cell)| cell.own)
        .map(|(column, cell)| (*column, squeeze(&plain(&cell.seen))))
        .filter(|(column, text)| !text.is_empty() || cells[column].seen == Seen::Wrong)
        .collect();
    let Some((_, first)) = own.first() else {
        return RowKind::Nothing;
    };
    let bare = first.trim_end_matches(':');
    if matches!(bare, "合计" | "总计" | "共计") || ENDS.iter().any(|end| first.starts_with(end))
    {
        return RowKind::End;
    }
    if matches!(bare, "小计" | "本页小计" | "本月小计") || first.starts_with("注:") {
        return RowKind::Nothing;
    }
    let is_numbering = own.len() >= 5
        && own.iter().zip(1..).all(|((_, text), index)| *text == decimal(f64::from(index)));
    let says_something = own.iter().any(|(column, _)| {
        heading.columns.get(column).is_some_and(|bound| match bound.target {
            Target::Column(column) => column.special.as_deref() != Some("seq"),
            Target::Extra(_) => true,
        })
    });
    if says_something && !is_numbering { RowKind::Data } else { RowKind::Nothing }
}

fn row(
    reading: &Reading<'_>,
    heading: &Heading<'_>,
    context: &Context<'_>,
    cells: &GridRow,
    number: u32,
) -> Row {
    let rt = reading.rt;
    let mut draft: Draft = draft(reading, heading, cells, number);
    let digest = digest(&draft);
    let natural_key = natural_key(&draft.given);
    let division = draft.given.text("division_code").or(context.defaults.fixed("division_code"));
    let fingerprint = fingerprint(
        &rt.code,
        &heading.ledger.key,
        division.unwrap_or_default(),
        natural_key.as_ref(),
        &digest,
    );
    let sources = draft.take_items(|list, index| item_id(&fingerprint, list, index));
    let content = complete(rt, heading, context.defaults, &mut draft, sources, number);
    Row {
        number,
        content,
        claimed_state: draft.claimed_state,
        natural_key,
        fingerprint,
        digest,
        slips: draft.slips,
        warnings: draft.warnings,
    }
}

/// The same row twice is one row; the same number with other contents is a mistake.
fn mark_repeats(rows: &mut [Row]) {
    let mut first: BTreeMap<String, (u32, String)> = BTreeMap::new();
    for row in rows {
        let Some((number, digest)) = first.get(&row.fingerprint) else {
            first.insert(row.fingerprint.clone(), (row.number, row.digest.clone()));
            continue;
        };
        let cell = row.number.to_string();
        if *digest == row.digest {
            row.warnings.push(CellWarning {
                cell,
                column_zh: "整行".to_owned(),
                zh: format!("与第 {number} 行完全相同，只作一条"),
                en: format!("the same as row {number}; counted once"),
            });
        } else {
            row.slips.push(CellSlip {
                cell,
                column_zh: "整行".to_owned(),
                value: String::new(),
                zh: format!(
                    "与第 {number} 行的编号或名称相同而内容不同；请核对后只留一行，或改正编号"
                ),
                en: format!("same number or name as row {number} with other contents; keep one"),
            });
        }
    }
}

impl std::fmt::Debug for Context<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Context").field("defaults", self.defaults).finish_non_exhaustive()
    }
}
