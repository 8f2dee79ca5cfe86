//! What an auditor gets, as it is typed: packs, statements of completeness, receipts, late entries.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use clap::{Args, Subcommand};
use serde_json::Value as Json;
use xw_audit::archive::FILE_BYTES_MAX;
use xw_audit::pack::ENDING;

use super::filter::Filter;
use super::perform::{Desk, Done};
use crate::folder::write_whole;
use crate::render;
use crate::request::{AuditExport, AuditRequest, Request};
use crate::trouble::{Answer, Trouble};

#[derive(Debug, Subcommand)]
pub(crate) enum Audit {
    #[command(
        about = "导出证据包（.xwproof.zip），由 xw-verify 独立核验 || Write an evidence pack, which xw-verify judges without a node"
    )]
    Export(Box<Pack>),
    #[command(
        about = "完整性声明：本区划各日志收到何处、缺什么，由本节点签名 || A signed statement of what is held of a division and what is missing"
    )]
    Completeness(Complete),
    #[command(
        about = "登记回执：可打印、带二维码的网页，交给群众 || A printable page with a QR code for the citizen concerned"
    )]
    Receipt(Paper),
    #[command(
        about = "补录、倒填和时间超前的条目 || Entries that came late, are backdated, or claim a time to come"
    )]
    Late(Late),
}

#[derive(Debug, Args)]
#[command(
    after_help = "例：\n  xiangwang audit export --record 130599-201-201-SVC-2026-00001 --out 案卷.xwproof.zip\n  xiangwang audit export --records --type SVC --state 已办结 --out 清单.xwproof.zip\n  xiangwang audit export --division 柳河村 --from 2026-01-01 --to 2026-06-30 --out 上半年.xwproof.zip\n对方核验：xw-verify 案卷.xwproof.zip || Examples:\n  xiangwang audit export --record NUMBER --out case.xwproof.zip\n  xiangwang audit export --division 130599201201 --without-bodies --out village.xwproof.zip\nWho gets it checks it: xw-verify case.xwproof.zip"
)]
pub(crate) struct Pack {
    #[arg(
        long = "record",
        value_name = "记录 || RECORD",
        value_delimiter = ',',
        conflicts_with = "listed",
        help = "记录标识或业务编号，可写多个 || Records by id or business number, several separated by commas"
    )]
    pub(crate) records: Vec<String>,
    #[arg(
        id = "listed",
        long = "records",
        help = "所有符合下列查询条件的记录 || All records that meet the conditions below"
    )]
    pub(crate) listed: bool,
    #[arg(
        long,
        value_name = "日期 || DATE",
        help = "时段从（含当日），与 --division 合用 || The period's first day, with --division"
    )]
    pub(crate) from: Option<String>,
    #[arg(
        long,
        value_name = "日期 || DATE",
        help = "时段到（含当日），与 --division 合用 || The period's last day, with --division"
    )]
    pub(crate) to: Option<String>,
    #[arg(
        long,
        value_name = "文件 || FILE",
        help = "写到哪个文件，以 .xwproof.zip 结尾 || Where to write; ends in .xwproof.zip"
    )]
    pub(crate) out: PathBuf,
    #[arg(
        long,
        help = "不含登记内容：只证明有哪些条目、何时见证 || Without what records say: entries, proofs and times alone"
    )]
    pub(crate) without_bodies: bool,
    #[command(flatten)]
    pub(crate) filter: Filter,
}

#[derive(Debug, Args)]
#[command(
    after_help = "退出码：0 本机未见缺失，且与所给声明一致；1 有缺失、不能断言完整，或与所给声明不一致。写出两个文件：同名 .json 供阅读，.cose 供其他机构用 --with、审计人员用 xw-verify --statement 核对 || Exit codes: 0 nothing is missing as far as this office sees, and the statements brought agree; 1 something is missing, it cannot be said, or a statement differs. Two files of one name: .json to read, .cose for --with elsewhere and for xw-verify --statement"
)]
pub(crate) struct Complete {
    #[arg(
        long,
        value_name = "区划 || DIVISION",
        help = "区划代码或名称，默认为本机构的 || A division by code or name; the office's own by default"
    )]
    pub(crate) division: Option<String>,
    #[arg(long, value_name = "日期 || DATE", help = "时段从（含当日） || The period's first day")]
    pub(crate) from: Option<String>,
    #[arg(
        long,
        value_name = "日期 || DATE",
        help = "时段到（含当日），默认到此刻 || The period's last day; this moment by default"
    )]
    pub(crate) to: Option<String>,
    #[arg(
        long,
        value_name = "文件 || FILE",
        help = "把声明写入文件 || Write the statement to files of this name"
    )]
    pub(crate) out: Option<PathBuf>,
    #[arg(
        long,
        value_name = "文件.cose || FILE.cose",
        num_args = 1..,
        help = "其他机构的声明，与本机所持核对；建议至少 3 个机构 || Other offices' statements, compared with what is held here; three are advised"
    )]
    pub(crate) with: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Paper {
    #[arg(
        value_name = "条目或记录 || ENTRY|RECORD",
        help = "条目编号；或记录标识、业务编号，取其最新的已见证条目 || An entry's id; or a record, of which the newest witnessed entry is taken"
    )]
    pub(crate) of: String,
    #[arg(long, value_name = "文件.html || FILE.html", help = "写到哪个文件 || Where to write")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Late {
    #[arg(
        long,
        value_name = "区划 || DIVISION",
        help = "区划代码或名称，默认为本机构的 || A division by code or name; the office's own by default"
    )]
    pub(crate) division: Option<String>,
}

impl Desk<'_> {
    pub(super) fn audit(&mut self, asked: &Audit) -> Answer<Done> {
        match asked {
            Audit::Export(pack) => self.evidence_pack(pack),
            Audit::Completeness(asked) => self.completeness(asked),
            Audit::Receipt(paper) => self.receipt(paper),
            Audit::Late(late) => {
                let division = late.division.clone();
                let answer = self.client.ask(Request::Audit(AuditRequest::Late { division }))?;
                Ok(Done::well(answer.clone(), render::late(&answer, self.screen)))
            }
        }
    }

    fn evidence_pack(&mut self, asked: &Pack) -> Answer<Done> {
        let named = asked.out.to_string_lossy().ends_with(&format!(".{ENDING}"));
        if !named {
            return Err(Trouble::new(
                "usage",
                format!("证据包的文件名须以 .{ENDING} 结尾"),
                format!("the name of a pack ends in .{ENDING}"),
            ));
        }
        // The node may have been started elsewhere than this command.
        let out = std::path::absolute(&asked.out)?;
        let mut export = AuditExport {
            records: asked.records.clone(),
            from: asked.from.clone(),
            to: asked.to.clone(),
            bodies: !asked.without_bodies,
            out,
            ..AuditExport::default()
        };
        if asked.listed {
            let mut list = asked.filter.rows.request();
            list.types = self.type_codes(&asked.filter.types)?;
            export.list = Some(list);
        } else {
            export.division = one_division(asked)?;
        }
        let answer = self.client.ask(Request::Audit(AuditRequest::Export(Box::new(export))))?;
        Ok(Done::well(answer.clone(), render::evidence_pack(&answer, self.screen)))
    }

    fn completeness(&mut self, asked: &Complete) -> Answer<Done> {
        let Complete { division, from, to, out, with } = asked;
        let paths =
            out.as_ref().map(|out| (out.with_extension("json"), out.with_extension("cose")));
        if let Some((json, cose)) = &paths {
            not_there(json)?;
            not_there(cose)?;
        }
        let (division, from, to) = (division.clone(), from.clone(), to.clone());
        let with = with.iter().map(|path| statement_in(path)).collect::<Answer<Vec<_>>>()?;
        let request = Request::Audit(AuditRequest::Completeness { division, from, to, with });
        let mut answer = self.client.ask(request)?;
        let (json, cose) = (taken(&mut answer, "json")?, taken(&mut answer, "cose")?);
        if let Some((at_json, at_cose)) = &paths {
            write_whole(at_json, &json, false)?;
            write_whole(at_cose, &cose, false)?;
            answer["files"] = serde_json::json!([at_json, at_cose]);
        }
        let is = |name: &str| answer[name].as_bool() == Some(true);
        let found = !is("complete") || is("differs");
        Ok(Done::found_if(found, answer.clone(), render::completeness(&answer, self.screen)))
    }

    fn receipt(&mut self, asked: &Paper) -> Answer<Done> {
        not_there(&asked.out)?;
        let request = Request::Audit(AuditRequest::Receipt { of: asked.of.clone() });
        let mut answer = self.client.ask(request)?;
        let html = answer.as_object_mut().and_then(|answer| answer.remove("html"));
        let html = html.as_ref().and_then(Json::as_str).unwrap_or_default();
        write_whole(&asked.out, html.as_bytes(), false)?;
        answer["file"] = serde_json::json!(asked.out.display().to_string());
        Ok(Done::well(answer.clone(), render::receipt(&answer, self.screen)))
    }
}

/// The division of a pack; conditions on rows belong to `--records`.
fn one_division(asked: &Pack) -> Answer<Option<String>> {
    let conditions = asked.filter.rows.is_conditional() || !asked.filter.types.is_empty();
    match (conditions, asked.filter.rows.divisions.as_slice()) {
        (false, []) => Ok(None),
        (false, [one]) => Ok(Some(one.clone())),
        _ => Err(Trouble::new(
            "usage",
            "按条件选取记录请加 --records；不加时只能写一个 --division",
            "conditions need --records; without it one --division alone may stand",
        )),
    }
}

/// A statement out of a file, for the node to read; no more of it than any has.
fn statement_in(path: &Path) -> Answer<String> {
    let mut bytes = Vec::new();
    File::open(path)?.take(FILE_BYTES_MAX as u64).read_to_end(&mut bytes)?;
    Ok(STANDARD.encode(bytes))
}

fn not_there(path: &Path) -> Answer<()> {
    if !path.exists() {
        return Ok(());
    }
    Err(Trouble::new(
        "exists",
        format!("{} 已存在，未写入", path.display()),
        format!("{} is there already; nothing was written", path.display()),
    ))
}

fn taken(answer: &mut Json, name: &str) -> Answer<Vec<u8>> {
    let text = answer.as_object_mut().and_then(|answer| answer.remove(name));
    let bytes = text.as_ref().and_then(Json::as_str).and_then(|text| STANDARD.decode(text).ok());
    bytes.ok_or_else(|| {
        Trouble::new("base64", "节点给出的声明无法读取", "the node's statement cannot be read")
    })
}
