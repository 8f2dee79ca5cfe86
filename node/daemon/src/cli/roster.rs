//! The roster, as a registrar or anybody types about it.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::{ArgGroup, Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Roster {
    #[command(
        alias = "inspect",
        about = "用通俗的话说明名册：谁有什么权限，谁被邀请、谁被撤销 || Explain the roster in plain sentences: who may what, who is invited, who is cut"
    )]
    Show,
    #[command(
        about = "因撤销等原因不算数、但仍保留的条目 || Entries that are kept and do not count, after a cut for instance"
    )]
    Void,
    #[command(
        about = "登记员邀请下级机构的电脑和人员加入 || Registrars: invite the PC and people of an office below",
        after_help = "例：\n  xiangwang roster invite --office 130599101203 --node 一号机 --person 王秀兰:VSEC,VCLK\n  xiangwang roster invite --office 柳河村 --person 李敏:VCLK\n不写 --node 则只邀请人员，用于在原有电脑上增加经办人 || Example:\n  xiangwang roster invite --office 130599101203 --node PC1 --person Wang:VSEC,VCLK\n  xiangwang roster invite --office 130599101203 --person Li:VCLK\nWithout --node only people are invited, for the PC that the office has"
    )]
    Invite(Invite),
    #[command(about = "撤回尚未使用的邀请 || Take back an invitation that nobody has used")]
    Withdraw(Withdraw),
    #[command(
        about = "撤销一个人或一台电脑的密钥：此前的保留，此后的作废但仍可查看 || Cut a person's or a PC's key: what was stands, what comes after is void and still shown",
        after_help = "例：\n  xiangwang roster revoke --person 王秀兰 --office 柳河村\n  xiangwang roster revoke --node 柳河村\n  xiangwang roster revoke --node 柳河村 --keep 保留.toml\n--keep 文件：[[keep]] log、number、entry || Example:\n  xiangwang roster revoke --person Wang --office 130599101203\n  xiangwang roster revoke --node 130599101203\n  xiangwang roster revoke --node 130599101203 --keep kept.toml\nThe file of --keep: [[keep]] log, number, entry"
    )]
    Revoke(Revoke),
    #[command(
        about = "登记员：确认凭本机构邀请加入的电脑和人员，此后旁人再用同一邀请码也动摇不了他们。登记员登录期间本机会自动确认；须多人签名时用本命令 || Registrars: confirm who joined by this office's invitations, so that no second use of an invitation touches them. The node does it by itself while a registrar is signed in; use this where several must sign"
    )]
    Confirm(Confirm),
    #[command(
        about = "给一个人增加角色；已有的角色不能单独收回 || Give a person more roles; those that are held cannot be taken back singly",
        after_help = "角色只增不减：以某一角色办过的事一直有效。要收回权限，先撤销其密钥，再邀请其换新密钥：\n  xiangwang roster revoke --person 王秀兰 --office 柳河村\n  xiangwang roster invite --office 柳河村 --person 王秀兰:VCLK || Roles only grow: what was done in one stands. To take rights away, cut the key and invite the person to a new one:\n  xiangwang roster revoke --person Wang --office 130599101203\n  xiangwang roster invite --office 130599101203 --person Wang:VCLK"
    )]
    Roles(Roles),
    #[command(
        about = "县登记员：结束乡镇登记员的任期并开始下一任期 || County registrars: close a township's term and open the next"
    )]
    Term(Term),
    #[command(about = "登记员：在同事起草的草案上签名 || Registrars: sign a colleague's draft")]
    Sign(SignDraft),
    #[command(
        about = "接收带来的文件：版次、加入答复、签好的草案 || Take up what was carried here: editions, answers, signed drafts"
    )]
    Take(Take),
    #[command(about = "导出整个名册，供携带或根密钥使用 || Write the whole roster into a file")]
    Export(Export),
    #[command(
        about = "登记员：本机恢复后连不上任何机构时，确认别处没有更新的名册，恢复登记 || Registrars: after a restore without any line, say that nobody holds a newer roster, and register again",
        after_help = "只在别处确实没有更新的名册时使用：此前签发而本机没有的版次一旦出现，会与新版次重号，本机构的登记全部停摆，须由上级另开任期 || Only when nobody holds a newer roster: should an edition turn up that was issued before and is not held here, the two contradict each other and the whole term stops until the office above opens the next"
    )]
    Resume(Resume),
}

#[derive(Debug, Args)]
pub(crate) struct Resume {
    #[arg(
        long,
        required = true,
        help = "我确认：别处都没有更新的名册 || I confirm that nobody holds a newer roster"
    )]
    pub(crate) no_newer_elsewhere: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Invite {
    #[arg(
        long,
        value_name = "机构 || OFFICE",
        help = "机构的区划代码或名称 || The office, by code or name"
    )]
    pub(crate) office: String,
    #[arg(
        long,
        value_name = "电脑名 || NAME",
        help = "邀请一台电脑，写其名称 || Invite a PC of this name"
    )]
    pub(crate) node: Option<String>,
    #[arg(
        long = "person",
        value_name = "姓名:角色,角色 || NAME:ROLE,ROLE",
        help = "邀请一个人及其角色，可写多次，最多 8 人 || Invite a person with roles; may be repeated, eight at most"
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
        value_name = "地址:端口 || ADDR:PORT",
        help = "对方从哪里连到本机，默认取本机地址 || Where the newcomer reaches this node; this PC's address by default"
    )]
    pub(crate) address: Vec<SocketAddr>,
    #[arg(
        long,
        value_name = "目录 || DIR",
        help = "把邀请文件和二维码写到这个目录 || Write the invitation's file and QR code into this folder"
    )]
    pub(crate) out: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Withdraw {
    #[arg(
        value_name = "邀请 || INVITATION",
        help = "邀请的临时密钥的开头，见 roster show || The beginning of its temporary key, as roster show has it"
    )]
    pub(crate) invitation: String,
}

#[derive(Debug, Args)]
#[command(group = ArgGroup::new("cut").required(true).args(["whom", "node"]))]
pub(crate) struct Revoke {
    #[arg(
        long = "person",
        value_name = "姓名或密钥 || NAME_OR_KEY",
        help = "撤销一个人 || Cut a person"
    )]
    pub(crate) whom: Option<String>,
    #[arg(
        long,
        value_name = "机构、电脑名或密钥 || OFFICE_NAME_OR_KEY",
        help = "撤销一台电脑 || Cut a PC"
    )]
    pub(crate) node: Option<String>,
    #[arg(
        long,
        value_name = "机构 || OFFICE",
        help = "其所在机构，重名时写明 || The office, where the name alone does not say whom"
    )]
    pub(crate) office: Option<String>,
    #[arg(
        long,
        conflicts_with_all = ["keep", "keep_witnessed"],
        help = "保留本机持有的全部条目（默认） || Everything held here stands (the default)"
    )]
    pub(crate) keep_all_held: bool,
    #[arg(
        long,
        conflicts_with = "keep",
        help = "只保留县级已见证的条目，用于密钥被盗 || Only what the county has witnessed stands, for a stolen key"
    )]
    pub(crate) keep_witnessed: bool,
    #[arg(
        long,
        value_name = "文件 || FILE",
        help = "只保留文件所列的日志和条目 || Only the logs and entries of this file stand"
    )]
    pub(crate) keep: Option<PathBuf>,
    #[command(flatten)]
    pub(crate) draft: Draft,
}

/// Where a draft goes that others must sign.
#[derive(Debug, Args, Default)]
pub(crate) struct Draft {
    #[arg(
        long,
        value_name = "文件 || FILE",
        help = "须多人签名时，草案写到哪里，默认“草案.xwedition” || Where the draft goes when more must sign"
    )]
    pub(crate) draft: Option<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Confirm {
    #[command(flatten)]
    pub(crate) draft: Draft,
}

#[derive(Debug, Args)]
pub(crate) struct Roles {
    #[arg(
        long = "person",
        value_name = "姓名:角色,角色 || NAME:ROLE,ROLE",
        help = "姓名和要增加的角色 || The name and the roles to be added"
    )]
    pub(crate) whom: String,
    #[arg(
        long,
        value_name = "机构 || OFFICE",
        help = "其所在机构，重名时写明 || The office, where the name alone does not say whom"
    )]
    pub(crate) office: Option<String>,
    #[command(flatten)]
    pub(crate) draft: Draft,
}

#[derive(Debug, Args)]
pub(crate) struct Term {
    #[arg(
        long,
        value_name = "机构 || OFFICE",
        help = "乡镇机构的区划代码或名称 || The township's office, by code or name"
    )]
    pub(crate) office: String,
    #[arg(
        long,
        value_name = "角色 || ROLE",
        help = "下一任期登记员的角色，默认不变 || The registrars' role; as before by default"
    )]
    pub(crate) registrar_role: Option<String>,
    #[arg(
        long,
        value_name = "人数 || N",
        help = "下一任期须几人签名，默认不变 || How many must sign; as before by default"
    )]
    pub(crate) threshold: Option<u64>,
    #[arg(
        long,
        value_name = "版次 || EDITION",
        help = "上一任期止于哪一版，默认为本机持有的最后一版 || The last edition of the old term that stands; the last one held here by default"
    )]
    pub(crate) last: Option<String>,
    #[arg(
        long,
        conflicts_with = "last",
        help = "上一任期所做的登记全部不算 || Nothing of the old term stands"
    )]
    pub(crate) nothing: bool,
    #[command(flatten)]
    pub(crate) draft: Draft,
}

#[derive(Debug, Args)]
pub(crate) struct SignDraft {
    #[arg(value_name = "草案 || DRAFT", help = "草案文件 || The draft")]
    pub(crate) file: PathBuf,
    #[command(flatten)]
    pub(crate) draft: Draft,
}

#[derive(Debug, Args)]
pub(crate) struct Take {
    #[arg(
        value_name = "文件 || FILE",
        required = true,
        help = "带来的文件，可写多个 || The files"
    )]
    pub(crate) files: Vec<PathBuf>,
}

#[derive(Debug, Args)]
pub(crate) struct Export {
    #[arg(value_name = "文件 || FILE", help = "写到哪里 || Where it goes")]
    pub(crate) file: PathBuf,
}
