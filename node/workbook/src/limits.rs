//! Every bound on foreign workbooks, with its reason.

/// Largest file that is read. A township ledger of 10,000 rows has about 1 MiB; photos pasted into a
/// sheet are what makes files larger than this.
pub const FILE_BYTES_MAX: usize = 32 << 20;

/// Parts in the zip container. A real workbook of twelve monthly sheets has about 40.
pub(crate) const PARTS_MAX: usize = 2_000;

/// Bytes of one unpacked part. 100,000 rows of 20 short cells are about 100 MiB of XML.
pub(crate) const PART_BYTES_MAX: u64 = 192 << 20;

/// Bytes of all XML parts unpacked.
pub(crate) const UNPACKED_BYTES_MAX: u64 = 384 << 20;

/// Rows with something in them, per sheet. A county-year has about 10,000 service cases a township.
pub const ROWS_MAX: usize = 100_000;

/// Columns with something in them. The widest ledger of domain section 14.5 has 29.
pub const COLUMNS_MAX: u32 = 200;

/// Characters kept of one cell: Excel's own limit.
pub(crate) const CELL_CHARS_MAX: usize = 32_767;

/// Bytes of text kept of one sheet. One long shared string can stand in every cell, so the size of
/// the file says nothing about this.
pub(crate) const SHEET_TEXT_BYTES_MAX: usize = 64 << 20;

/// Merged regions looked at per sheet; real ledgers merge a title and some names.
pub(crate) const MERGES_MAX: usize = 20_000;

/// Cells that merged regions may fill, so that a region over the whole sheet costs nothing.
pub(crate) const MERGE_FILL_MAX: usize = 200_000;

/// Sheets that are searched for a heading: twelve months and some.
pub(crate) const SHEETS_MAX: usize = 64;

/// Rows from the top in which the heading is sought: title, office, date, notes.
pub(crate) const HEADING_ROWS_MAX: usize = 30;

/// Slips reported per row; a row with more is wrong as a whole.
pub(crate) const SLIPS_PER_ROW_MAX: usize = 40;

/// Digits that a numeric Excel cell keeps exactly.
pub(crate) const NUMBER_DIGITS_MAX: usize = 15;
