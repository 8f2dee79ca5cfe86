//! Forked logs, as one asks for them, and a person's word on entries that this node does not
//! remember. Decides nothing by itself.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::perform::{Desk, Done};
use crate::folder::write_whole;
use crate::render;
use crate::request::Request;
use crate::trouble::{Answer, Trouble};

#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "例：\n  xiangwang forks                     看哪些日志有分叉、哪些条目等待确认\n  xiangwang forks confirm 3f2a 77b1   这些是我们写的，重新签发\n  xiangwang forks reject all          都不是我们写的\n  xiangwang forks --proof 分叉.json    导出证据（两份签名原文） || Examples:\n  xiangwang forks\n  xiangwang forks confirm 3f2a 77b1\n  xiangwang forks reject all\n  xiangwang forks --proof proof.json"
)]
pub(crate) struct Forks {
    #[arg(
        long,
        value_name = "文件 || FILE",
        help = "把每处分叉的两份签名原文写入文件，供审计核验 || Write both signed entries of every fork to a file, for auditors"
    )]
    pub(crate) proof: Option<PathBuf>,
    #[command(subcommand)]
    pub(crate) act: Option<Act>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Act {
    #[command(
        about = "确认：这些条目是本机构写的，由确认人签名重新发出 || These entries are ours: written again, signed by whoever confirms"
    )]
    Confirm(Entries),
    #[command(
        about = "否认：这些条目不是本机构写的，不再询问 || These entries are not ours: nobody is asked again"
    )]
    Reject(Entries),
    #[command(
        about = "本机不再被还原了：还原卡已取消，恢复登记和办理 || Nothing puts this PC back any more: go on writing"
    )]
    Resume,
}

#[derive(Debug, Args)]
pub(crate) struct Entries {
    #[arg(
        required = true,
        value_name = "条目 || ENTRY",
        help = "条目编号的开头几位，可写多个；all 表示全部 || The beginning of an entry's id; several; all for every one"
    )]
    pub(crate) entries: Vec<String>,
}

impl Desk<'_> {
    pub(super) fn forks(&mut self, asked: &Forks) -> Answer<Done> {
        let who = self.global.who();
        match &asked.act {
            None => self.list_forks(asked),
            Some(Act::Confirm(Entries { entries })) => {
                let request = Request::ConfirmEntries { entries: entries.clone(), who };
                let answer = self.client.ask(request)?;
                let stuck = answer["stuck"].as_array().is_some_and(|stuck| !stuck.is_empty());
                Ok(Done::found_if(stuck, answer.clone(), render::confirmed(&answer, self.screen)))
            }
            Some(Act::Reject(Entries { entries })) => {
                let request = Request::RejectEntries { entries: entries.clone(), who };
                let answer = self.client.ask(request)?;
                Ok(Done::well(answer.clone(), render::rejected(&answer, self.screen)))
            }
            Some(Act::Resume) => {
                let answer = self.client.ask(Request::Resume)?;
                Ok(Done::well(answer.clone(), render::resumed(&answer, self.screen)))
            }
        }
    }

    fn list_forks(&mut self, asked: &Forks) -> Answer<Done> {
        let answer = self.client.ask(Request::Forks { proof: asked.proof.is_some() })?;
        if let Some(path) = &asked.proof {
            if path.exists() {
                return Err(Trouble::new(
                    "exists",
                    format!("{} 已存在，未写入", path.display()),
                    format!("{} is there already; nothing was written", path.display()),
                ));
            }
            let proofs = serde_json::json!({"forks": answer["forks"]});
            let text = serde_json::to_string_pretty(&proofs).expect("plain data");
            write_whole(path, text.as_bytes(), false)?;
        }
        Ok(Done::well(answer.clone(), render::forks(&answer, self.screen)))
    }
}
