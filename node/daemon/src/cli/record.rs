//! Commands on one record, as they are typed.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Record {
    #[command(about = "登记一条新记录 || Make a new record")]
    New(New),
    #[command(about = "修改字段，或向清单中添加内容 || Change fields, or add items to lists")]
    Edit(Edit),
    #[command(about = "办理下一步：转到另一个状态 || Take a step: move to another state")]
    Step(Step),
    #[command(about = "查看一条记录的全部内容 || Show everything about one record")]
    Show(One),
    #[command(
        about = "查看一条记录的全部变更，包括未被采纳的 || Every change of one record, refused ones included"
    )]
    History(One),
    #[command(
        about = "查看几处同时修改而互相矛盾的内容 || Values that contradict each other after edits in several places"
    )]
    Conflicts(Conflicts),
    #[command(
        about = "从互相矛盾的内容中选定一个 || Choose between values that contradict each other"
    )]
    Resolve(Resolve),
    #[command(
        about = "依法删除一条记录的内容：两人分别提出，其中至少一人属于乡镇或县 || Erase a record's contents by law: two persons ask, at least one of the township or county"
    )]
    Erase(Erase),
}

#[derive(Debug, Args)]
#[command(
    after_help = "法定事由（个人信息保护法第四十七条）：1 处理目的已实现、无法实现或不再必要；2 停止服务或保存期限届满；3 个人撤回同意；4 违法违约处理；5 法律法规规定的其他情形。\n第二人在另一台电脑上执行同一命令后生效：内容从各节点删除，签名条目保留并仍可核验。 || Grounds (PIPL art. 47): 1 purpose ended; 2 service ended or retention over; 3 consent withdrawn; 4 unlawful processing; 5 other cases in law.\nIt takes effect when a second person gives the same command elsewhere: contents go from every node, signed entries stay and still verify."
)]
pub(crate) struct Erase {
    #[arg(
        value_name = "记录 || RECORD",
        help = "记录标识或业务编号 || The record's id or business number"
    )]
    pub(crate) record: String,
    #[arg(
        long,
        value_name = "编号 || NUMBER",
        value_parser = clap::value_parser!(u64).range(1..=5),
        help = "法定事由的编号，1 至 5 || The ground in law, 1 to 5"
    )]
    pub(crate) ground: u64,
}

/// Fields given on the command line or in a file.
#[derive(Debug, Args, Default)]
pub(crate) struct Fields {
    #[arg(
        long = "set",
        value_name = "字段=值 || PATH=VALUE",
        help = "填写一个字段：用中文名称或字段路径都可以；值留空表示清除；可写多个 || Fill in a field, by its path or label; empty clears it; may be repeated"
    )]
    pub(crate) set: Vec<String>,
    #[arg(
        long,
        value_name = "文件 || FILE",
        help = "从 JSON 文件读取字段，“-”表示标准输入；--set 优先 || Read fields from a JSON file, - for standard input; --set comes first"
    )]
    pub(crate) json_file: Option<PathBuf>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "例：\n  xiangwang record new SVC --set 事项名称=高龄津贴申请 --set 申请人.姓名=张三\n清单里的内容用编号：--set 材料清单[1].名称=身份证 --set 材料清单[1].份数=1\n有哪些字段：xiangwang types SVC || Example:\n  xiangwang record new SVC --set matter_name=allowance --set applicant.name=Zhang\nItems of lists are numbered: --set materials[1].name=card\nWhich fields there are: xiangwang types SVC"
)]
pub(crate) struct New {
    #[arg(
        value_name = "类型 || TYPE",
        help = "类型代码或名称，如 SVC || A record type, such as SVC"
    )]
    pub(crate) record_type: String,
    #[command(flatten)]
    pub(crate) fields: Fields,
    #[arg(
        long,
        value_name = "状态 || STATE",
        help = "起始状态；有多种起始状态时才需要 || The first state, where the type has several"
    )]
    pub(crate) to: Option<String>,
    #[arg(
        long,
        value_name = "区划 || DIVISION",
        help = "记录属于哪里：区划代码或名称，默认为本机构 || Whose record it is, by code or name; this office's by default"
    )]
    pub(crate) division: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Edit {
    #[arg(
        value_name = "记录 || RECORD",
        help = "记录标识或业务编号 || The record's id or business number"
    )]
    pub(crate) record: String,
    #[command(flatten)]
    pub(crate) fields: Fields,
    #[arg(
        long = "item",
        value_name = "清单[标识].字段=值 || LIST[ID].PATH=VALUE",
        help = "修改清单中已有的一项；标识见 record show；可写多个 || Change an item that is there; record show gives the id; may be repeated"
    )]
    pub(crate) items: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Step {
    #[arg(
        value_name = "记录 || RECORD",
        help = "记录标识或业务编号 || The record's id or business number"
    )]
    pub(crate) record: String,
    #[arg(
        value_name = "状态 || STATE",
        help = "转到哪个状态，写中文名称或代码；可办理的见 record show || The state to move to; record show names those that can follow"
    )]
    pub(crate) to: String,
    #[arg(
        long,
        default_value = "",
        value_name = "原因 || REASON",
        help = "原因；有的步骤必须写明 || The reason; some steps must have one"
    )]
    pub(crate) reason: String,
    #[arg(
        long = "for",
        default_value = "",
        value_name = "姓名 || WHO",
        help = "代当事人办理时写当事人姓名 || The person concerned, when the step is entered for them"
    )]
    pub(crate) on_behalf_of: String,
    #[command(flatten)]
    pub(crate) fields: Fields,
}

#[derive(Debug, Args)]
pub(crate) struct One {
    #[arg(
        value_name = "记录 || RECORD",
        help = "记录标识或业务编号 || The record's id or business number"
    )]
    pub(crate) record: String,
}

#[derive(Debug, Args)]
pub(crate) struct Conflicts {
    #[arg(
        value_name = "记录 || RECORD",
        help = "记录标识或业务编号；不写则列出全部有矛盾的记录 || A record's id or number; all that have conflicts when left out"
    )]
    pub(crate) record: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Resolve {
    #[arg(
        value_name = "记录 || RECORD",
        help = "记录标识或业务编号 || The record's id or business number"
    )]
    pub(crate) record: String,
    #[arg(
        value_name = "位置 || PATH",
        help = "哪一处，写法见 record conflicts；状态矛盾写 state 或 状态 || The place, as record conflicts names it; state for contradicting steps"
    )]
    pub(crate) path: String,
    #[arg(
        long,
        value_name = "编号 || N",
        help = "采用第几个值，编号见 record conflicts || The number of the value to take, as record conflicts lists them"
    )]
    pub(crate) take: usize,
    #[arg(
        long,
        default_value = "",
        value_name = "原因 || REASON",
        help = "为什么这样选 || Why this one"
    )]
    pub(crate) reason: String,
}
