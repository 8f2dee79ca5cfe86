//! From records to a ledger as an office prints it. A ledger with no lines is the blank template.

use rust_xlsxwriter::{
    DataValidation, DocProperties, ExcelDateTime, Format, FormatAlign, FormatBorder, Workbook,
    Worksheet, XlsxError,
};
use xw_schemas::record::{Content, Field, Kind, Lang, Ledger, RecordType};

use crate::error::WorkbookError;
use crate::limits::ROWS_MAX;

mod show;

use show::{Shower, Shown};

/// What stands around the table.
#[derive(Clone, Copy)]
pub struct Head<'a> {
    /// Name of the office that keeps the ledger.
    pub office_zh: &'a str,
    /// Title; the ledger's own name when empty.
    pub title: &'a str,
    /// Day of the print-out, `YYYY-MM-DD`.
    pub date: &'a str,
    /// Language of code labels; headings stay Chinese, as the office knows them.
    pub lang: Lang,
    /// Names of divisions by code, for columns such as 村.
    pub division_name: &'a dyn Fn(&str) -> Option<String>,
}

/// One record of the ledger.
#[derive(Clone, Copy)]
pub struct Line<'a> {
    /// What the record holds.
    pub content: &'a Content,
    /// Its state's code.
    pub state: &'a str,
}

/// First row of data, 0-based: title, office line, heading.
const DATA_ROW: u32 = 3;

/// Excel's own limit for the choices of a drop-down, in characters.
const CHOICES_CHARS_MAX: usize = 255;

/// Rows below the data of a template that get drop-downs, so that a clerk can begin at once.
const TEMPLATE_ROWS: u32 = 200;

/// A4 in Excel's numbering of paper sizes.
const PAPER_A4: u8 = 9;

/// Writes a ledger. The same arguments give the same bytes.
pub fn write(
    ledger: &Ledger,
    rt: &RecordType,
    lines: &[Line<'_>],
    head: &Head<'_>,
) -> Result<Vec<u8>, WorkbookError> {
    let shower = Shower { rt, ledger, head };
    let rows = shower.rows(lines);
    if rows.len() > ROWS_MAX {
        return Err(WorkbookError::TooManyRows);
    }
    let mut book = Workbook::new();
    print(&mut book, &shower, &rows)
        .and_then(|()| book.save_to_buffer())
        .map_err(|error| WorkbookError::Write { what: error.to_string() })
}

fn print(book: &mut Workbook, shower: &Shower<'_>, rows: &[Vec<Shown>]) -> Result<(), XlsxError> {
    let (ledger, head) = (shower.ledger, shower.head);
    let columns =
        u16::try_from(ledger.columns.len()).map_err(|_| XlsxError::RowColumnLimitError)?;
    let last = columns.saturating_sub(1);
    // The library would write the present time into the file.
    let created = ExcelDateTime::parse_from_str(head.date)
        .or_else(|_| ExcelDateTime::from_ymd(2026, 1, 1))?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&created));
    let sheet = book.add_worksheet();
    sheet.set_name(sheet_name(&ledger.zh))?;
    page_setup(sheet, last)?;

    let title = if head.title.is_empty() { ledger.zh.as_str() } else { head.title };
    let big = Format::new().set_bold().set_font_size(18).set_align(FormatAlign::Center);
    spread(sheet, 0, last, title, &big)?;
    let office = format!("单位：{}　　日期：{}", head.office_zh, head.date);
    spread(sheet, 1, last, &office, &Format::new())?;

    let bold = boxed().set_bold().set_align(FormatAlign::Center).set_text_wrap();
    for (index, column) in (0u16..).zip(&ledger.columns) {
        sheet.write_string_with_format(2, index, &column.zh, &bold)?;
        sheet.set_column_width(index, shower.width(column))?;
        drop_down(sheet, shower, index, row_after(rows.len()))?;
    }
    let (text, number) = (boxed().set_num_format("@").set_text_wrap(), boxed());
    for (at, row) in (DATA_ROW..).zip(rows) {
        for (index, shown) in (0u16..).zip(row) {
            match shown {
                Shown::Nothing => sheet.write_blank(at, index, &text)?,
                // Always as a string: what begins with = or + is a name or a note, never a formula.
                Shown::Text(words) => sheet.write_string_with_format(at, index, words, &text)?,
                Shown::Number { value, places } => {
                    let format = number.clone().set_num_format(number_format(*places));
                    sheet.write_number_with_format(at, index, *value, &format)?
                }
            };
        }
    }
    totals(sheet, shower, rows, last)?;
    foot(sheet, row_after(rows.len()) + 1, last, head)
}

fn page_setup(sheet: &mut Worksheet, last: u16) -> Result<(), XlsxError> {
    sheet.set_paper_size(PAPER_A4).set_landscape().set_print_fit_to_pages(1, 0);
    sheet.set_margins(0.4, 0.4, 0.6, 0.6, 0.3, 0.3);
    sheet.set_repeat_rows(2, 2)?;
    sheet.set_freeze_panes(DATA_ROW, if last > 2 { 2 } else { 0 })?;
    sheet.set_footer("&C第 &P 页 共 &N 页");
    Ok(())
}

fn drop_down(
    sheet: &mut Worksheet,
    shower: &Shower<'_>,
    index: u16,
    end: u32,
) -> Result<(), XlsxError> {
    let Some(field) = shower.choice_field(index) else {
        return Ok(());
    };
    let Some(list) = shower.rt.code_list(field) else {
        return Ok(());
    };
    let labels: Vec<&str> =
        list.codes.iter().map(|code| shower.head.lang.pick(&code.zh, &code.en)).collect();
    let chars: usize = labels.iter().map(|label| label.chars().count() + 1).sum();
    // A comma would split a label in two.
    if chars > CHOICES_CHARS_MAX || labels.iter().any(|label| label.contains(',')) {
        return Ok(());
    }
    let choices = DataValidation::new().allow_list_strings(&labels)?;
    let last_row = if end == DATA_ROW { DATA_ROW + TEMPLATE_ROWS } else { end - 1 };
    sheet.add_data_validation(DATA_ROW, index, last_row, index, &choices)?;
    Ok(())
}

/// The totals line: how many rows, and the sums of money.
fn totals(
    sheet: &mut Worksheet,
    shower: &Shower<'_>,
    rows: &[Vec<Shown>],
    last: u16,
) -> Result<(), XlsxError> {
    let at = row_after(rows.len());
    let bold = boxed().set_bold();
    sheet.write_string_with_format(at, 0, "合计", &bold)?;
    for index in 1..=last {
        let sum = shower.money_sum(rows, usize::from(index));
        match (index, sum) {
            (_, Some((value, places))) => {
                let format = bold.clone().set_num_format(number_format(places));
                sheet.write_number_with_format(at, index, value, &format)?;
            }
            (1, None) => {
                sheet.write_string_with_format(at, 1, format!("共 {} 条", rows.len()), &bold)?;
            }
            _ => {
                sheet.write_blank(at, index, &bold)?;
            }
        }
    }
    Ok(())
}

fn foot(sheet: &mut Worksheet, at: u32, last: u16, head: &Head<'_>) -> Result<(), XlsxError> {
    let words =
        format!("填表人：　　　　　　审核人：　　　　　　日期：{}　　　　　　（公章）", head.date);
    spread(sheet, at, last, &words, &Format::new())
}

fn spread(
    sheet: &mut Worksheet,
    row: u32,
    last: u16,
    words: &str,
    format: &Format,
) -> Result<(), XlsxError> {
    if last == 0 {
        sheet.write_string_with_format(row, 0, words, format)?;
    } else {
        sheet.merge_range(row, 0, row, last, words, format)?;
    }
    Ok(())
}

fn boxed() -> Format {
    Format::new().set_border(FormatBorder::Thin).set_align(FormatAlign::VerticalCenter)
}

fn number_format(places: usize) -> String {
    if places == 0 { "0".to_owned() } else { format!("0.{}", "0".repeat(places)) }
}

fn row_after(rows: usize) -> u32 {
    DATA_ROW + u32::try_from(rows).unwrap_or(u32::MAX - DATA_ROW)
}

/// Sheet names take 31 characters and none of `[]:*?/\`.
fn sheet_name(zh: &str) -> String {
    let name: String = zh
        .chars()
        .filter(|c| !matches!(c, '[' | ']' | ':' | '*' | '?' | '/' | '\\' | '\''))
        .collect();
    let name: String = name.chars().take(31).collect();
    if name.is_empty() { "台账".to_owned() } else { name }
}

impl std::fmt::Debug for Head<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Head").field("title", &self.title).finish_non_exhaustive()
    }
}

impl std::fmt::Debug for Line<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Line").field("state", &self.state).finish_non_exhaustive()
    }
}

/// Whether a field's cells are numbers in Excel: only what is summed. IDs, phones and dates are text.
pub(crate) fn is_amount(field: &Field) -> bool {
    field.kind == Kind::Money
}
