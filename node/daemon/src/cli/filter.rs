//! Which rows: the options of `list`, shared by `export`, and the request they amount to.

use clap::Args;

use crate::request::ListRecords;

/// Rows of a page when nothing else is asked.
const PAGE_ROWS: usize = 50;

#[derive(Debug, Args)]
#[command(
    after_help = "例：\n  xiangwang list --type SVC --state 办理中 --sort -updated\n  xiangwang list --type IND --where 总投资>=50万元 --columns 项目名称,总投资\n  xiangwang list --text 低保 --csv > 清单.csv\n条件写法：字段=值、字段!=值、字段>=值、字段<=值、字段>值、字段<值、字段~文字；“字段=”表示未填，“字段!=”表示已填 || Examples:\n  xiangwang list --type SVC --state accepted --sort -updated\n  xiangwang list --type IND --where budget_total>=500000 --columns project_name,budget_total\nConditions: path=value, path!=value, path>=value, path<=value, path>value, path<value, path~text; path= is empty, path!= is filled"
)]
pub(crate) struct List {
    #[command(flatten)]
    pub(crate) filter: Filter,
    #[arg(
        long,
        value_name = "字段 || PATH",
        value_delimiter = ',',
        allow_hyphen_values = true,
        help = "排序字段，前面加减号为从大到小；也可用 created updated division type state standing title number || Sort by a field, with - from the largest; also created, updated, division, type, state, standing, title, number"
    )]
    pub(crate) sort: Vec<String>,
    #[arg(
        long,
        value_name = "字段,… || PATHS",
        value_delimiter = ',',
        help = "另外显示的字段，用逗号分开 || More columns, separated by commas"
    )]
    pub(crate) columns: Vec<String>,
    #[arg(long, value_name = "行数 || ROWS", value_parser = clap::value_parser!(u32).range(1..=1_000),
        help = "每页行数，1 到 1000，默认 50 || Rows of a page, 1 to 1000; 50 by default")]
    pub(crate) limit: Option<u32>,
    #[arg(long, value_name = "页码 || PAGE", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..),
        help = "第几页，从 1 开始 || Which page, from 1")]
    pub(crate) page: u32,
    #[arg(long, conflicts_with_all = ["page", "limit"], help = "不分页，全部列出 || All rows, no pages")]
    pub(crate) all: bool,
    #[arg(
        long,
        conflicts_with = "json",
        help = "输出 CSV，可用 WPS 或 Excel 打开；不写页码和行数时为全部 || CSV for a spreadsheet; all rows unless --limit or --page is given"
    )]
    pub(crate) csv: bool,
}

/// Conditions that rows must meet.
#[derive(Debug, Args, Default)]
pub(crate) struct Filter {
    #[arg(
        id = "filter_types",
        long = "type",
        value_name = "类型 || TYPE",
        value_delimiter = ',',
        help = "记录类型，代码或名称，可写多个 || Record types, several separated by commas"
    )]
    pub(crate) types: Vec<String>,
    #[command(flatten)]
    pub(crate) rows: Rows,
}

/// Conditions that fit rows of any type.
#[derive(Debug, Args, Default)]
pub(crate) struct Rows {
    #[arg(
        long = "division",
        value_name = "区划 || DIVISION",
        value_delimiter = ',',
        help = "区划代码或名称，县、乡镇包含其下各村 || Divisions by code or name; a county's or township's stands for all below"
    )]
    pub(crate) divisions: Vec<String>,
    #[arg(
        long = "state",
        value_name = "状态 || STATE",
        value_delimiter = ',',
        help = "状态，中文名称或代码，可写多个 || States, several separated by commas"
    )]
    pub(crate) states: Vec<String>,
    #[arg(
        long = "standing",
        value_name = "到达程度 || STANDING",
        value_delimiter = ',',
        help = "到达程度：local（仅存本机）、township（乡镇已收）、county（县已见证） || How far it has travelled: local, township or county"
    )]
    pub(crate) standings: Vec<String>,
    #[arg(long, help = "只列有矛盾、待裁定的 || Only records with conflicts")]
    pub(crate) conflicts: bool,
    #[arg(long, help = "只列有问题、待更正的 || Only records with problems")]
    pub(crate) problems: bool,
    #[arg(
        long,
        value_name = "日期 || DATE",
        help = "登记日期从，如 2026-01-05 || Made on this day or later, as 2026-01-05"
    )]
    pub(crate) created_from: Option<String>,
    #[arg(
        long,
        value_name = "日期 || DATE",
        help = "登记日期到（含当日） || Made on this day or earlier"
    )]
    pub(crate) created_to: Option<String>,
    #[arg(
        long,
        value_name = "日期 || DATE",
        help = "最近变更日期从 || Last changed on this day or later"
    )]
    pub(crate) updated_from: Option<String>,
    #[arg(
        long,
        value_name = "日期 || DATE",
        help = "最近变更日期到（含当日） || Last changed on this day or earlier"
    )]
    pub(crate) updated_to: Option<String>,
    #[arg(
        long = "where",
        value_name = "条件 || CONDITION",
        help = "字段条件，如 总投资>=50万元，可写多个，须同时满足 || A condition on a field, such as budget_total>=500000; all must hold"
    )]
    pub(crate) fields: Vec<String>,
    #[arg(
        long,
        value_name = "文字 || TEXT",
        help = "记录中任何位置的文字，两个字起 || Text anywhere in the record, two characters and more"
    )]
    pub(crate) text: Option<String>,
}

impl Rows {
    /// Whether anything but a division is asked.
    pub(crate) fn is_conditional(&self) -> bool {
        let asked = ListRecords { divisions: Vec::new(), ..self.request() };
        asked != ListRecords::default()
    }

    /// The conditions of a request.
    pub(crate) fn request(&self) -> ListRecords {
        let rows = self;
        ListRecords {
            divisions: rows.divisions.clone(),
            states: rows.states.clone(),
            standings: rows.standings.clone(),
            conflicts_only: rows.conflicts,
            problems_only: rows.problems,
            created_from: rows.created_from.clone(),
            created_to: rows.created_to.clone(),
            updated_from: rows.updated_from.clone(),
            updated_to: rows.updated_to.clone(),
            fields: rows.fields.clone(),
            text: rows.text.clone(),
            ..ListRecords::default()
        }
    }
}

impl List {
    /// The request for one page, without the record types and field names that need looking up.
    pub(crate) fn request(&self) -> ListRecords {
        let limit =
            self.limit.map_or(PAGE_ROWS, |limit| usize::try_from(limit).unwrap_or(PAGE_ROWS));
        let pages_before = usize::try_from(self.page - 1).unwrap_or(usize::MAX);
        ListRecords {
            limit: Some(limit),
            offset: pages_before.saturating_mul(limit),
            ..self.filter.rows.request()
        }
    }

    /// Whether every row is wanted.
    pub(crate) fn wants_all(&self) -> bool {
        self.all || (self.csv && self.limit.is_none() && self.page == 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_are_counted_from_one() {
        let list = List {
            filter: Filter::default(),
            sort: Vec::new(),
            columns: Vec::new(),
            limit: Some(20),
            page: 3,
            all: false,
            csv: true,
        };
        let request = list.request();
        assert_eq!((request.limit, request.offset), (Some(20), 40));
        assert!(!list.wants_all());
        assert!(List { limit: None, page: 1, ..list }.wants_all());
    }
}
