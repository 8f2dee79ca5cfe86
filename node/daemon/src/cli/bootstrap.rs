//! The county's beginnings and root decisions, as they are typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Bootstrap {
    #[command(
        about = "由区划表建立一个县：根密钥、首版名册和县级机构的邀请 || Found a county from its divisions: root keys, first roster, the county office's invitation",
        after_help = "例：\n  xiangwang bootstrap found --divisions 区划.csv --county 130599 --person 张建国:CADM,CDEP --root-keys 根密钥 --out 建县\n区划表为 CSV，列为 code,level,name,parent。每把根密钥由一人当面设定口令，各存一个 U 盘 || Example:\n  xiangwang bootstrap found --divisions divisions.csv --county 130599 --person Zhang:CADM,CDEP --root-keys keys --out county\nThe CSV has the columns code,level,name,parent. Each root key gets its passphrase from the person who keeps it"
    )]
    Found(Found),
    #[command(
        about = "根密钥决定：由事项文件写成待签名的草案 || Root decisions: a draft from a file of facts",
        after_help = "事项文件为 TOML，可写：\n  撤销 [[cut]] key, keep=[{log,number,entry}]\n  裁定分叉 [[adjudicate]]、采纳作废条目 [[adopt]] log, number, entry\n  解除冻结 [[recover]] rejected=[版次]\n  新机构 [[office]] division, name, place\n  区划名称 [[place]] division, name\n  记录类型 [[schema]] record_type\n  登记任期 [[registrar]] office, role, threshold, closes=版次或\"none\"\n  邀请 [[invite]] office, node, people=[{name,roles}]\n  撤回邀请 [[withdraw]] invitation\n  更换根密钥 [root] threshold, keys || The file is TOML and may hold:\n  [[cut]] key, keep=[{log,number,entry}]\n  [[adjudicate]] or [[adopt]] log, number, entry\n  [[recover]] rejected=[editions]\n  [[office]] division, name, place\n  [[place]] division, name\n  [[schema]] record_type\n  [[registrar]] office, role, threshold, closes=edition or \"none\"\n  [[invite]] office, node, people=[{name,roles}]\n  [[withdraw]] invitation\n  [root] threshold, keys"
    )]
    Propose(Propose),
    #[command(
        about = "用一把根密钥给草案签名：先逐项显示内容，再问口令 || Sign a draft with one root key: shows all of it, then asks for the passphrase"
    )]
    Sign(Sign),
    #[command(
        about = "用通俗的话说明名册、版次、草案、邀请或节点目录 || Explain a roster, an edition, a draft, an invitation or a node's folder in plain sentences"
    )]
    Inspect(Inspect),
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
        value_name = "名称 || NAME",
        help = "县级机构的名称，默认由区划名称生成 || The name of the county's office; made from the division's by default"
    )]
    pub(crate) name: Option<String>,
    #[arg(
        long,
        value_name = "数目 || N",
        default_value_t = 3,
        help = "根密钥共几把，默认 3 || How many root keys; 3 by default"
    )]
    pub(crate) keys_of: usize,
    #[arg(
        long,
        value_name = "数目 || K",
        default_value_t = 2,
        help = "须几把根密钥签名，默认 2 || How many of them must sign; 2 by default"
    )]
    pub(crate) threshold: u64,
    #[arg(
        long = "root-keys",
        value_name = "目录 || DIR",
        help = "根密钥文件放在哪里；可写多次，每把一个目录（如各自的 U 盘）；默认为结果目录下的“根密钥” || Where the root keys go; may be repeated, one folder for each; a folder beside the results by default"
    )]
    pub(crate) root_keys: Vec<PathBuf>,
    #[arg(
        long,
        value_name = "目录 || DIR",
        help = "结果放在哪里，必须是不存在的或空的目录 || Where the files go: a folder that is empty or does not exist"
    )]
    pub(crate) out: PathBuf,
    #[arg(
        long,
        value_name = "电脑名 || NAME",
        default_value = "一号机",
        help = "县级机构电脑的名称，默认“一号机” || What the county office's PC is called"
    )]
    pub(crate) node: String,
    #[arg(
        long = "person",
        value_name = "姓名:角色,角色 || NAME:ROLE,ROLE",
        help = "县级机构的人员及角色，至少一人为登记员（CADM），可写多次 || A person of the county's office with roles, at least one of them a registrar (CADM); may be repeated"
    )]
    pub(crate) persons: Vec<String>,
    #[arg(
        long,
        value_name = "文件 || FILE",
        help = "人员名单：TOML 的 [[people]] name、roles，或 CSV 的两列：姓名、角色 || A list of people: TOML with [[people]] name, roles, or CSV with two columns"
    )]
    pub(crate) people: Option<PathBuf>,
    #[arg(
        long,
        value_name = "角色 || ROLE",
        default_value = "CADM",
        help = "县级登记员的角色 || The role of the county's registrars"
    )]
    pub(crate) county_role: String,
    #[arg(
        long,
        value_name = "角色 || ROLE",
        default_value = "TADM",
        help = "乡镇登记员的角色 || The role of a township's registrars"
    )]
    pub(crate) township_role: String,
    #[arg(
        long,
        value_name = "人数 || N",
        default_value_t = 1,
        help = "县级登记须几人签名，默认 1 || How many county registrars must sign; 1 by default"
    )]
    pub(crate) county_threshold: u64,
    #[arg(
        long,
        value_name = "人数 || N",
        default_value_t = 1,
        help = "乡镇登记须几人签名，默认 1 || How many township registrars must sign; 1 by default"
    )]
    pub(crate) township_threshold: u64,
    #[arg(
        long,
        value_name = "目录 || DIR",
        help = "记录类型定义文件所在目录，默认使用内置的四种 || Folder of record-type files; the four built-in types by default"
    )]
    pub(crate) schemas: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Propose {
    #[arg(
        long,
        value_name = "文件 || FILE",
        help = "现行名册文件（xiangwang roster export 导出） || The roster as it is (from xiangwang roster export)"
    )]
    pub(crate) roster: PathBuf,
    #[arg(
        long,
        value_name = "文件 || FILE",
        required_unless_present = "confirm",
        help = "事项文件，TOML；只确认加入者时可不写 || The facts, TOML; may be left out when only newcomers are confirmed"
    )]
    pub(crate) facts: Option<PathBuf>,
    #[arg(
        long,
        help = "确认凭根密钥的邀请加入的机构（如县级机构）：此后旁人再用同一邀请码也动摇不了它 || Confirm who joined by the root keys' invitations, the county's office for one: no second use of the invitation touches it from then on"
    )]
    pub(crate) confirm: bool,
    #[arg(long, value_name = "文件 || FILE", help = "草案写到哪里 || Where the draft goes")]
    pub(crate) out: PathBuf,
    #[arg(
        long,
        value_name = "目录 || DIR",
        help = "记录类型定义文件所在目录，默认使用内置的四种 || Folder of record-type files; the four built-in types by default"
    )]
    pub(crate) schemas: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Sign {
    #[arg(value_name = "草案 || DRAFT", help = "草案文件 || The draft")]
    pub(crate) draft: PathBuf,
    #[arg(long, value_name = "文件 || FILE", help = "根密钥文件 || The root key's file")]
    pub(crate) key: PathBuf,
    #[arg(
        long,
        value_name = "文件 || FILE",
        help = "另一份已有他人签名的同一草案，将签名合并 || Another copy of the draft, whose signatures are joined"
    )]
    pub(crate) join: Vec<PathBuf>,
    #[arg(
        long,
        value_name = "文件 || FILE",
        help = "签名后写到哪里，默认写回草案文件 || Where the signed draft goes; the same file by default"
    )]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Inspect {
    #[arg(
        value_name = "文件或邀请码 || FILE_OR_TEXT",
        help = "名册、版次、草案、邀请文件，或邀请码；不写则说明本机节点的名册 || A roster, edition, draft or invitation file, or an invitation's text; this node's roster when left out"
    )]
    pub(crate) what: Option<String>,
    #[arg(
        long,
        value_name = "目录 || DIR",
        conflicts_with = "what",
        help = "说明另一个节点目录的名册 || Another node's folder"
    )]
    pub(crate) folder: Option<PathBuf>,
}
