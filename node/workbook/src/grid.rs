//! The sheets of a workbook as bounded, sparse rows of cells. Knows nothing of ledgers.

use std::collections::BTreeMap;
use std::io::Cursor;
use std::panic::{AssertUnwindSafe, catch_unwind};

use calamine::{DataRef, Reader, SheetType, SheetVisible, Xlsx, XlsxError};

use crate::container;
use crate::error::WorkbookError;
use crate::limits::{
    CELL_CHARS_MAX, COLUMNS_MAX, MERGE_FILL_MAX, MERGES_MAX, ROWS_MAX, SHEET_TEXT_BYTES_MAX,
    SHEETS_MAX,
};
use crate::moment::Moment;

/// What stands in a cell, before anyone decides what it means.
#[derive(Clone, PartialEq)]
pub(crate) enum Seen {
    Text(String),
    Number(f64),
    Bool(bool),
    /// A cell that Excel itself shows as a date.
    Moment(Moment),
    /// An Excel error such as #REF!.
    Wrong,
}

/// One cell; `own` is false where a merged region lends the value of its first row.
#[derive(Clone)]
pub(crate) struct GridCell {
    pub(crate) seen: Seen,
    pub(crate) own: bool,
}

/// One row: 0-based column to cell. Empty cells are absent.
pub(crate) type GridRow = BTreeMap<u32, GridCell>;

/// One visible sheet.
pub(crate) struct Grid {
    pub(crate) name: String,
    /// 0-based row to cells. Empty rows are absent.
    pub(crate) rows: BTreeMap<u32, GridRow>,
    /// True when day numbers count from 1904, as in workbooks of old Macs.
    pub(crate) from_1904: bool,
}

/// Reads every visible worksheet.
pub(crate) fn load(bytes: &[u8]) -> Result<Vec<Grid>, WorkbookError> {
    container::check(bytes)?;
    // The parser meets bytes that anyone may have made, and its authors do not promise that it
    // never panics. A clerk's bad file must not take the office's node down with it; nothing is
    // shared with the closure, so no half-changed state can be left behind.
    catch_unwind(AssertUnwindSafe(|| load_checked(bytes))).unwrap_or(Err(WorkbookError::Damaged))
}

fn load_checked(bytes: &[u8]) -> Result<Vec<Grid>, WorkbookError> {
    let mut book: Xlsx<_> = Xlsx::new(Cursor::new(bytes)).map_err(of_parser)?;
    let from_1904 = book.has_1904_epoch();
    let names: Vec<String> = book
        .sheets_metadata()
        .iter()
        .filter(|sheet| sheet.typ == SheetType::WorkSheet && sheet.visible == SheetVisible::Visible)
        .map(|sheet| sheet.name.clone())
        .take(SHEETS_MAX)
        .collect();
    names
        .into_iter()
        .map(|name| {
            let mut rows = cells(&mut book, &name)?;
            lend_merged(&mut rows, &book.merge_cells_by_sheet_name(&name).map_err(of_parser)?)?;
            Ok(Grid { name, rows, from_1904 })
        })
        .collect()
}

fn cells(
    book: &mut Xlsx<Cursor<&[u8]>>,
    name: &str,
) -> Result<BTreeMap<u32, GridRow>, WorkbookError> {
    let mut rows: BTreeMap<u32, GridRow> = BTreeMap::new();
    let mut text_bytes = 0usize;
    // Cells are streamed: a dense range would let one cell in the last corner of the sheet claim
    // memory for seventeen thousand million others.
    let mut reader = book.worksheet_cells_reader(name).map_err(of_parser)?;
    while let Some(cell) = reader.next_cell().map_err(of_parser)? {
        let Some(seen) = seen(cell.get_value()) else {
            continue;
        };
        let (row, column) = cell.get_position();
        if column >= COLUMNS_MAX {
            return Err(WorkbookError::TooManyColumns);
        }
        if let Seen::Text(text) = &seen {
            text_bytes = text_bytes.saturating_add(text.len());
            if text_bytes > SHEET_TEXT_BYTES_MAX {
                return Err(WorkbookError::Bomb { what: "too much text" });
            }
        }
        rows.entry(row).or_default().insert(column, GridCell { seen, own: true });
        if rows.len() > ROWS_MAX {
            return Err(WorkbookError::TooManyRows);
        }
    }
    Ok(rows)
}

fn seen(value: &DataRef<'_>) -> Option<Seen> {
    match value {
        DataRef::Empty => None,
        DataRef::Int(number) => {
            #[expect(clippy::cast_precision_loss, reason = "Excel stores every number as f64")]
            let number = *number as f64;
            Some(Seen::Number(number))
        }
        DataRef::Float(number) => Some(Seen::Number(*number)),
        DataRef::Bool(flag) => Some(Seen::Bool(*flag)),
        DataRef::DateTime(stamp) if stamp.is_duration() => Some(Seen::Number(stamp.as_f64())),
        DataRef::DateTime(stamp) => Some(Moment::of_excel(stamp).map_or(Seen::Wrong, Seen::Moment)),
        DataRef::String(text) | DataRef::DateTimeIso(text) | DataRef::DurationIso(text) => {
            seen_text(text)
        }
        DataRef::SharedString(text) => seen_text(text),
        DataRef::Error(_) => Some(Seen::Wrong),
    }
}

fn seen_text(text: &str) -> Option<Seen> {
    let kept: String = text.chars().take(CELL_CHARS_MAX).collect();
    (!kept.trim().is_empty()).then_some(Seen::Text(kept))
}

/// Lends the first row's value of a merged region to its other rows.
///
/// Only the leftmost column: a region over several columns is one value that Excel shows wide.
fn lend_merged(
    rows: &mut BTreeMap<u32, GridRow>,
    regions: &[calamine::Dimensions],
) -> Result<(), WorkbookError> {
    let Some(last) = rows.last_key_value().map(|(row, _)| *row) else {
        return Ok(());
    };
    let mut lent = 0usize;
    for region in regions.iter().take(MERGES_MAX) {
        let (top, left) = region.start;
        let Some(value) = rows.get(&top).and_then(|row| row.get(&left)).map(|c| c.seen.clone())
        else {
            continue;
        };
        for row in top.saturating_add(1)..=region.end.0.min(last) {
            lent += 1;
            if lent > MERGE_FILL_MAX {
                return Err(WorkbookError::Bomb { what: "too many merged cells" });
            }
            // A row without cells of its own is an empty row, whatever is merged into it.
            if let Some(cells) = rows.get_mut(&row) {
                cells.entry(left).or_insert_with(|| GridCell { seen: value.clone(), own: false });
            }
        }
    }
    Ok(())
}

/// The parser's message may quote the file, so only its kind is passed on.
fn of_parser(error: XlsxError) -> WorkbookError {
    match error {
        XlsxError::Password => WorkbookError::PasswordProtected,
        _ => WorkbookError::Damaged,
    }
}
