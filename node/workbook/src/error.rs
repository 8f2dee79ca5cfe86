//! Why a whole file cannot be read or written. Trouble in one cell is a [`crate::CellSlip`] and
//! never ends up here; no message here ever carries the contents of a cell.

use crate::limits;

/// A workbook that cannot be read or written as a whole.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum WorkbookError {
    /// More bytes than a ledger of an office ever has.
    #[error("the file has {bytes} bytes, at most {max} are read", max = limits::FILE_BYTES_MAX)]
    TooLarge {
        /// Size of the file.
        bytes: usize,
    },
    /// An OLE2 file: old Excel or WPS.
    #[error("an old .xls or WPS .et file; save it as .xlsx and try again")]
    OldFormat,
    /// An encrypted workbook.
    #[error("the workbook is protected by a password; save it without one and try again")]
    PasswordProtected,
    /// Text, a web page or a picture under an Excel file name.
    #[error("not an Excel workbook: {what}; save it as .xlsx and try again")]
    NotAWorkbook {
        /// What the bytes look like.
        what: &'static str,
    },
    /// A workbook whose end or middle is missing.
    #[error("the file is damaged or was not copied completely; copy it again")]
    Damaged,
    /// Parts that unpack to more than a ledger ever needs.
    #[error("the file unpacks to far more than a ledger needs and is not opened: {what}")]
    Bomb {
        /// The bound that was passed.
        what: &'static str,
    },
    /// More rows than one import takes.
    #[error("more than {max} rows; split the ledger", max = limits::ROWS_MAX)]
    TooManyRows,
    /// More columns than any ledger has.
    #[error("more than {max} columns; remove what does not belong to the ledger", max = limits::COLUMNS_MAX)]
    TooManyColumns,
    /// The caller named a ledger that the record type does not have.
    #[error("record type {record_type} has no ledger {ledger}")]
    NoSuchLedger {
        /// Record type code.
        record_type: String,
        /// The ledger asked for.
        ledger: String,
    },
    /// No row of any sheet looks like the heading of a ledger of this type.
    #[error("no heading row of a ledger of type {record_type} found; ledgers: {ledgers}")]
    NoHeading {
        /// Record type code.
        record_type: String,
        /// Chinese names of the ledgers that would be accepted.
        ledgers: String,
        /// Chinese columns that the best matching ledger expects, for the message.
        expected: String,
    },
    /// The heading lacks columns without which no row can become a record.
    #[error("ledger {ledger}: missing columns {columns}")]
    MissingColumns {
        /// Chinese name of the ledger.
        ledger: String,
        /// Chinese names of the missing columns, joined by 、.
        columns: String,
    },
    /// Our own writing failed.
    #[error("could not write the workbook: {what}")]
    Write {
        /// What the writing library said.
        what: String,
    },
}

impl WorkbookError {
    /// The message for the clerk: what is wrong and how to mend it.
    pub fn zh(&self) -> String {
        match self {
            Self::TooLarge { bytes } => format!(
                "文件太大（{} MiB），最多 {} MiB；请拆分台账或删去图片后再导入",
                bytes.div_ceil(1 << 20),
                limits::FILE_BYTES_MAX >> 20
            ),
            Self::OldFormat => {
                "这是旧版 .xls 或 WPS .et 文件；请用 Excel 或 WPS 打开，“另存为”.xlsx 后再导入"
                    .into()
            }
            Self::PasswordProtected => "工作簿设有打开密码；请取消密码、另存后再导入".into(),
            Self::NotAWorkbook { what } => {
                format!("这不是 Excel 工作簿（{}）；请另存为 .xlsx 后再导入", what_zh(what))
            }
            Self::Damaged => "文件已损坏或没有复制完整；请重新复制后再导入".into(),
            Self::Bomb { what } => {
                format!("文件展开后过大，为安全起见没有打开（{}）", what_zh(what))
            }
            Self::TooManyRows => format!("超过 {} 行；请拆分台账后再导入", limits::ROWS_MAX),
            Self::TooManyColumns => {
                format!("超过 {} 列；请删去不属于台账的列后再导入", limits::COLUMNS_MAX)
            }
            Self::NoSuchLedger { record_type, ledger } => {
                format!("{record_type} 没有名为“{ledger}”的台账")
            }
            Self::NoHeading { ledgers, expected, .. } => {
                format!("没有找到台账表头；可导入的台账：{ledgers}；表头应有：{expected}")
            }
            Self::MissingColumns { ledger, columns } => {
                format!("《{ledger}》缺少必须的列：{columns}；请补上列名后再导入")
            }
            Self::Write { what } => format!("写出工作簿失败：{what}"),
        }
    }

    /// The message in English.
    pub fn en(&self) -> String {
        self.to_string()
    }
}

/// The Chinese of the short English causes that [`WorkbookError`] carries.
fn what_zh(what: &str) -> &str {
    match what {
        "text" => "文本文件",
        "a web page" => "网页文件",
        "a picture or PDF" => "图片或 PDF",
        "an empty file" => "空文件",
        "a zip archive of something else" => "其他压缩文件",
        "a binary workbook" => "二进制工作簿 .xlsb",
        "unknown bytes" => "无法识别的内容",
        "too many parts" => "部件太多",
        "parts too large" => "部件太大",
        "too much text" => "文字太多",
        "too many merged cells" => "合并单元格太多",
        other => other,
    }
}
