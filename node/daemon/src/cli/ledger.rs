//! Excel ledgers in and out, as they are typed.

use std::path::PathBuf;

use clap::Args;

use super::filter::Rows;

#[derive(Debug, Args)]
#[command(
    after_help = "每一行要么完整导入，要么不导入并说明原因；重复导入同一台账不会产生重复记录。\n退出码：0 全部导入，1 有未导入的行，2 文件无法读取 || Each row goes in whole or is refused with its reason; importing the same ledger again makes no duplicates.\nExit codes: 0 all rows in; 1 some rows refused; 2 the file cannot be read"
)]
pub(crate) struct Import {
    #[arg(
        value_name = "文件.xlsx || FILE.xlsx",
        help = "Excel 台账文件（.xlsx，WPS 可另存为此格式） || The Excel ledger (.xlsx)"
    )]
    pub(crate) file: PathBuf,
    #[arg(
        long = "type",
        value_name = "类型 || TYPE",
        help = "记录类型，代码或名称 || The record type"
    )]
    pub(crate) record_type: String,
    #[arg(
        long,
        value_name = "台账 || LEDGER",
        help = "哪一种台账，默认按表头识别 || Which ledger of the type; known by its headings by default"
    )]
    pub(crate) ledger: Option<String>,
    #[arg(long, help = "只说明将会怎样，不保存 || Only say what would be done")]
    pub(crate) preview: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[arg(value_name = "文件.xlsx || FILE.xlsx", help = "写到哪个文件 || Where to write")]
    pub(crate) file: PathBuf,
    #[arg(
        long = "type",
        value_name = "类型 || TYPE",
        help = "记录类型，代码或名称 || The record type"
    )]
    pub(crate) record_type: String,
    #[arg(
        long,
        value_name = "台账 || LEDGER",
        help = "哪一种台账，默认第一种；见 xiangwang types 类型 || Which ledger of the type; the first by default"
    )]
    pub(crate) ledger: Option<String>,
    #[arg(long, help = "空白模板，只有表头 || A blank template: headings only")]
    pub(crate) blank: bool,
    #[arg(long, help = "文件已存在时覆盖 || Overwrite a file that is there")]
    pub(crate) force: bool,
    #[command(flatten)]
    pub(crate) rows: Rows,
}
