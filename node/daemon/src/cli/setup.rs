//! Commands that make, run or look after a node, as they are typed.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Args)]
#[command(
    after_help = "演示数据默认放在临时目录；要留下来查看，用 --dir 指定一个空目录 || The nodes live in a temporary folder; name an empty one with --dir to keep them"
)]
pub(crate) struct Demo {
    #[arg(long, help = "演示完即退出，不停留 || End after the story; do not stay up")]
    pub(crate) once: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Bootstrap {
    #[command(
        about = "由区划表建立一个县：根密钥、名册和每个机构的开户包 || Found a county from its divisions: root keys, roster, one kit per office",
        after_help = "例：\n  xiangwang bootstrap found --divisions 区划.csv --county 130599 --out 建县\n区划表为 CSV，列为 code,level,name,parent || Example:\n  xiangwang bootstrap found --divisions divisions.csv --county 130599 --out county\nThe CSV has the columns code,level,name,parent"
    )]
    Found(Found),
}

#[derive(Debug, Args)]
pub(crate) struct Found {
    #[arg(long, value_name = "文件 || FILE", help = "区划 CSV 文件 || CSV file of divisions")]
    pub(crate) divisions: PathBuf,
    #[arg(
        long,
        value_name = "代码 || CODE",
        help = "县的区划代码，6 位或 12 位 || The county's code, 6 or 12 digits"
    )]
    pub(crate) county: String,
    #[arg(
        long,
        value_name = "目录 || DIR",
        help = "结果放在哪里，必须是不存在的或空的目录 || Where the files go: a folder that is empty or does not exist"
    )]
    pub(crate) out: PathBuf,
    #[arg(
        long,
        value_name = "目录 || DIR",
        help = "记录类型定义文件所在目录，默认使用内置的四种 || Folder of record-type files; the four built-in types by default"
    )]
    pub(crate) schemas: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "例：\n  xiangwang init --kit kit-130599201201-柳河村.json --neighbour 白杨镇人民政府=10.8.0.2:7130\n开户包内有密钥：谁拿到它，谁就能以本机构名义签名。建好节点后请把开户包锁进保险柜 || Example:\n  xiangwang init --kit kit-130599201201.json --neighbour 3f2a=10.8.0.2:7130\nA kit holds secret keys: whoever has it signs as the office. Lock it away once the node is made"
)]
pub(crate) struct Init {
    #[arg(
        long,
        value_name = "文件 || FILE",
        help = "县里发给本机构的开户包 || The kit that the county made for this office"
    )]
    pub(crate) kit: PathBuf,
    #[arg(
        long,
        value_name = "地址:端口 || ADDR:PORT",
        value_delimiter = ',',
        default_value = "0.0.0.0:7130",
        help = "邻居从哪里连到本机，默认 0.0.0.0:7130，可写多个 || Where neighbours reach this node; 0.0.0.0:7130 by default; may be repeated"
    )]
    pub(crate) listen: Vec<SocketAddr>,
    #[arg(
        long,
        value_name = "地址:端口 || ADDR:PORT",
        default_value = "127.0.0.1:7131",
        help = "本机程序接口，只能是本机地址，默认 127.0.0.1:7131 || Where programs of this PC reach it: loopback only; 127.0.0.1:7131 by default"
    )]
    pub(crate) api: SocketAddr,
    #[arg(
        long = "neighbour",
        value_name = "机构或密钥=地址:端口 || OFFICE_OR_KEY=ADDR:PORT",
        help = "邻居的地址：机构名称、名称的一部分或节点密钥的开头，等号后写地址，可写多个 || A neighbour's address, by office name or the beginning of its node key; may be repeated"
    )]
    pub(crate) neighbours: Vec<String>,
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
