//! Commands that make, run or look after a node, as they are typed.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
#[command(
    after_help = "演示数据默认放在临时目录；要留下来查看，用 --dir 指定一个空目录 || The nodes live in a temporary folder; name an empty one with --dir to keep them"
)]
pub(crate) struct Demo {
    #[arg(long, help = "演示完即退出，不停留 || End after the story; do not stay up")]
    pub(crate) once: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Types {
    #[arg(
        value_name = "类型 || TYPE",
        help = "类型代码或名称，如 SVC 或 政务服务办件；不写则列出全部 || A record type, such as SVC; all in short when left out"
    )]
    pub(crate) code: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "退出码：0 无误，1 有发现，2 无法读取 || Exit codes: 0 sound; 1 findings; 2 cannot read"
)]
pub(crate) struct Verify {
    #[arg(
        value_name = "路径 || PATH",
        help = "另一个节点目录或 store.db 文件；不写则核验本节点 || Another node's folder or a store.db file; this node when left out"
    )]
    pub(crate) path: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct CheckTypes {
    #[arg(
        value_name = "目录 || DIR",
        help = "含 shared.toml 和各类型 .toml 文件的目录 || Folder with shared.toml and one .toml file per record type"
    )]
    pub(crate) folder: PathBuf,
}
