//! What can be typed: commands, options and their help in both languages. Each help text stands
//! beside its option as `中文 || English`; one half is taken before anything is parsed.

pub(crate) mod exit;
pub(crate) mod perform;

mod audit;
mod backup;
mod bootstrap;
mod ceremony;
mod fields;
mod filter;
mod forks;
mod found;
mod inspect;
mod join;
mod keys;
mod labels;
mod ledger;
mod localise;
mod lookup;
mod offline;
mod people;
mod record;
mod registrar;
mod roster;
mod setup;
mod slip;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{Args, CommandFactory as _, FromArgMatches as _, Parser, Subcommand};
use xw_custody::ask::Source;
use xw_schemas::record::Lang;

use crate::client::Asking;
use crate::folder::Folder;
use crate::request::Who;
use crate::trouble::Trouble;

/// The language when no option says otherwise.
const LANG_VARIABLE: &str = "XIANGWANG_LANG";

/// The node's folder when no option says otherwise.
const DIR_VARIABLE: &str = "XIANGWANG_DIR";

/// The node's folder when nothing says otherwise.
const DIR: &str = "xiangwang";

/// What a command line asks for.
pub(crate) enum Asked {
    /// To do something.
    Do(Box<Cli>),
    /// To be told how.
    Help(String),
    /// Nothing that can be understood.
    Slip(Trouble),
}

/// The whole command line.
#[derive(Debug, Parser)]
#[command(
    name = "xiangwang",
    version,
    about = "乡网：村、乡镇、县三级业务记录，断网也能办，签名可查验 || Xiangwang: records of villages, townships and the county; works offline, every entry signed",
    after_help = "先试一试：xiangwang demo（自动建立一个虚构的县并演示全过程）\n退出码：0 完成，1 被拒绝、填写有误或查出问题，2 无法读取、用法有误或没有节点 || Try it: xiangwang demo (founds an invented county and shows everything)\nExit codes: 0 done; 1 refused, invalid, or findings; 2 cannot read, wrong usage, or no node"
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
pub(crate) struct Global {
    #[arg(
        long,
        global = true,
        value_name = "目录 || DIR",
        help = "节点目录，默认为当前目录下的 xiangwang，也可用环境变量 XIANGWANG_DIR 指定 || Folder of the node; ./xiangwang by default, or the variable XIANGWANG_DIR"
    )]
    pub(crate) dir: Option<PathBuf>,
    #[arg(long, global = true, value_name = "zh|en", value_parser = ["zh", "en"],
        help = "显示语言：zh 中文，en 英文；也可用环境变量 XIANGWANG_LANG 指定 || Language: zh or en; or the variable XIANGWANG_LANG")]
    pub(crate) lang: Option<String>,
    #[arg(
        long,
        global = true,
        help = "输出 JSON，供程序读取（出错时也是） || JSON on standard output, errors included"
    )]
    pub(crate) json: bool,
    #[arg(
        long,
        global = true,
        help = "总是显示进度（默认只在终端上显示） || Show progress even when standard error is no terminal"
    )]
    pub(crate) progress: bool,
    #[arg(
        long = "as",
        global = true,
        value_name = "姓名 || NAME",
        help = "以本机哪位经办人的名义办理，默认自动选择有权办理的人 || The person of this office who acts; whoever may, by default"
    )]
    pub(crate) person: Option<String>,
    #[arg(
        long,
        global = true,
        value_name = "角色 || ROLE",
        help = "以该经办人的哪个角色办理，写角色代码，如 VCLK（村文书） || The role in which that person acts, such as VCLK (village clerk)"
    )]
    pub(crate) role: Option<String>,
    #[arg(
        long,
        alias = "passphrases-from-stdin",
        global = true,
        help = "从标准输入读取口令，每个口令一行，不在终端询问（供程序使用）；口令不能写在命令行或环境变量里 || Read passphrases from standard input, one line each, instead of asking at the terminal; never an argument or a variable"
    )]
    pub(crate) passphrase_from_stdin: bool,
    /// Keys as cheap as the documented passphrases of the synthetic county: for tests and exercises,
    /// refused for every other county, and in no help.
    #[arg(long, global = true, hide = true, help = "仅供演练 || For exercises only")]
    pub(crate) training: bool,
}

impl Global {
    /// Where passphrases come from.
    pub(crate) fn source(&self) -> Source {
        if self.passphrase_from_stdin { Source::StdinLine } else { Source::Terminal }
    }

    /// How the passphrase is asked for that opens a stopped node's store.
    pub(crate) fn asking(&self) -> Asking {
        Asking { source: self.source(), person: self.person.clone() }
    }

    /// The node's folder.
    pub(crate) fn folder(&self) -> Folder {
        let named =
            || std::env::var_os(DIR_VARIABLE).filter(|dir| !dir.is_empty()).map(PathBuf::from);
        Folder::at(&self.dir.clone().or_else(named).unwrap_or_else(|| PathBuf::from(DIR)))
    }

    /// Who acts.
    pub(crate) fn who(&self) -> Who {
        Who { person: self.person.clone(), role: self.role.clone() }
    }
}

/// The commands, in the order in which an office meets them.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    #[command(
        about = "演示：建立虚构的县、乡镇和三个村，走完全过程 || Demonstration: an invented county, a township, three villages"
    )]
    Demo(setup::Demo),
    #[command(
        subcommand,
        about = "县级：建立一个县，根密钥的决定，查看名册文件 || County: found a county, root decisions, explain roster files"
    )]
    Bootstrap(bootstrap::Bootstrap),
    #[command(
        about = "凭邀请加入：建立本机节点，或在本机增加经办人 || Join by an invitation: make this PC's node, or add people to it"
    )]
    Join(join::Join),
    #[command(
        subcommand,
        about = "名册：查看、邀请、撤销、换届、接收带来的文件 || The roster: explain, invite, cut, new terms, take what was carried"
    )]
    Roster(roster::Roster),
    #[command(
        about = "运行节点：与邻居交换记录，直到按 Ctrl-C || Run the node: exchange records until Ctrl-C"
    )]
    Run,
    #[command(
        about = "经办人登录：输入口令，打开本机资料 || Sign in: your passphrase opens what is kept here"
    )]
    Unlock(keys::Whose),
    #[command(
        about = "退出登录：忘掉口令，关闭本机资料 || Sign out: forget the passphrase and close what is kept here"
    )]
    Lock(keys::Whose),
    #[command(about = "更换本人口令 || Change your passphrase")]
    Passphrase(keys::Whose),
    #[command(
        subcommand,
        about = "本机密钥：由什么保护、谁能打开 || This PC's keys: what protects them, who opens them"
    )]
    Keys(keys::Keys),
    #[command(
        subcommand,
        about = "登记、修改、办理和查看单条记录 || Make, change, step and show one record"
    )]
    Record(record::Record),
    #[command(
        alias = "query",
        about = "查询记录（query 与 list 相同） || List records (query is the same)"
    )]
    List(filter::List),
    #[command(about = "从 Excel 台账导入 || Import an Excel ledger")]
    Import(ledger::Import),
    #[command(about = "导出 Excel 台账 || Export an Excel ledger")]
    Export(ledger::Export),
    #[command(about = "查看记录类型：字段、状态、办理步骤 || Record types: fields, states, steps")]
    Types(setup::Types),
    #[command(
        about = "本节点情况：哪些只存在本机，哪些上级已收到 || This node: what only it holds, who was heard from"
    )]
    Status,
    #[command(
        about = "逐字节核验全部条目、日志、检查点和视图 || Check every entry, log, checkpoint and view from its bytes"
    )]
    Verify(setup::Verify),
    #[command(
        about = "从条目重新生成全部视图和检索索引 || Work out all views and the search index again from the entries"
    )]
    Rebuild,
    #[command(
        about = "分叉的日志、等待确认的条目；确认或否认 || Forked logs and entries that wait for a person's word"
    )]
    Forks(forks::Forks),
    #[command(about = "备份本节点（运行时也可以） || Back this node up, running or not")]
    Backup(backup::Backup),
    #[command(about = "从备份恢复成新的节点目录 || Make a node's folder of a backup")]
    Restore(backup::Restore),
    #[command(
        subcommand,
        about = "审计：证据包、完整性声明、登记回执、补录 || Auditors: evidence packs, completeness, receipts, late entries"
    )]
    Audit(audit::Audit),
    #[command(
        about = "视图摘要，用于与其他节点核对 || Digests of the views, to compare with another node"
    )]
    Digest,
    #[command(
        about = "检查一个目录中的记录类型定义文件 || Check the record-type files of a folder"
    )]
    CheckTypes(setup::CheckTypes),
}

/// The language that the arguments or the environment ask for. Looks before parsing, so that help
/// and usage errors are in it too.
pub(crate) fn language(arguments: &[OsString]) -> Lang {
    let mut asked = std::env::var(LANG_VARIABLE).ok();
    let texts: Vec<String> = options(arguments).collect();
    for (at, text) in texts.iter().enumerate() {
        if text == "--lang" {
            asked = texts.get(at + 1).cloned();
        } else if let Some(value) = text.strip_prefix("--lang=") {
            asked = Some(value.to_owned());
        }
    }
    match asked.as_deref() {
        Some("en") => Lang::En,
        _ => Lang::Zh,
    }
}

/// Whether a program reads the answer; asked when the command line could not be parsed.
pub(crate) fn wants_json(arguments: &[OsString]) -> bool {
    options(arguments).any(|text| text == "--json")
}

/// What stands before `--`, after the program's name.
fn options(arguments: &[OsString]) -> impl Iterator<Item = String> + '_ {
    let texts = arguments.iter().skip(1).map(|text| text.to_string_lossy().into_owned());
    texts.take_while(|text| text != "--")
}

/// Parses the command line.
pub(crate) fn read(arguments: &[OsString], lang: Lang) -> Asked {
    let command = localise::localise(Cli::command(), lang);
    let matches = match command.try_get_matches_from(arguments) {
        Ok(matches) => matches,
        Err(error) => return slip::asked(&error, lang),
    };
    match Cli::from_arg_matches(&matches) {
        Ok(cli) => Asked::Do(Box::new(cli)),
        Err(error) => slip::asked(&error, lang),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(line: &str) -> Asked {
        let arguments: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        read(&arguments, language(&arguments))
    }

    fn understood(line: &str) -> Cli {
        match typed(line) {
            Asked::Do(cli) => *cli,
            Asked::Help(text) => panic!("{line}: {text}"),
            Asked::Slip(trouble) => panic!("{line}: {}", trouble.zh),
        }
    }

    /// Every command with the way to it.
    fn commands(command: &clap::Command, way: &str, found: &mut Vec<String>) {
        found.push(way.to_owned());
        for sub in command.get_subcommands() {
            commands(sub, &format!("{way} {}", sub.get_name()), found);
        }
    }

    #[test]
    fn every_command_explains_itself_in_both_languages() {
        let mut ways = Vec::new();
        commands(&Cli::command(), "xiangwang", &mut ways);
        assert!(ways.len() > 20, "{ways:?}");
        for way in ways {
            for (option, chinese) in [("--lang zh", true), ("--lang en", false)] {
                let Asked::Help(text) = typed(&format!("{way} {option} --help")) else {
                    panic!("{way}: no help");
                };
                let han = |line: &str| line.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
                assert!(!text.contains("||"), "{way}: {text}");
                for line in text.lines().filter(|line| !line.trim().is_empty()) {
                    // Lines to be typed are the same in every language.
                    let typed = line.trim_start().starts_with("xiangwang ");
                    assert!(typed || han(line) == chinese, "{way} {option}: {line}");
                }
            }
        }
    }

    #[test]
    fn the_examples_of_the_help_name_fields_that_there_are() {
        let types = xw_schemas::record::builtin();
        let service = types.iter().find(|rt| rt.code == "SVC").unwrap();
        let mut found = 0;
        for lang in ["zh", "en"] {
            let Asked::Help(text) = typed(&format!("xiangwang record new --lang {lang} --help"))
            else {
                panic!("no help");
            };
            for set in
                text.split("--set ").skip(1).filter_map(|rest| rest.split_whitespace().next())
            {
                if let Some((path, _)) =
                    set.split_once('=').filter(|(path, _)| !path.starts_with('<'))
                {
                    assert!(labels::resolve(service, path).is_ok(), "{path}");
                    found += 1;
                }
            }
        }
        assert!(found >= 6, "{found}");
    }

    #[test]
    fn the_definition_of_the_command_line_is_sound() {
        localise::localise(Cli::command(), Lang::Zh).debug_assert();
        localise::localise(Cli::command(), Lang::En).debug_assert();
    }

    #[test]
    fn every_text_of_the_command_line_has_two_halves() {
        fn check(command: &clap::Command, way: &str) {
            let two = |text: &str| text.split(localise::BETWEEN).count() == 2;
            let about = command.get_about().map(ToString::to_string).unwrap_or_default();
            assert!(two(&about), "{way}: {about}");
            for argument in command.get_arguments() {
                let help = argument.get_help().map(ToString::to_string).unwrap_or_default();
                assert!(two(&help), "{way} {}: {help}", argument.get_id());
            }
            command
                .get_subcommands()
                .for_each(|sub| check(sub, &format!("{way} {}", sub.get_name())));
        }
        check(&Cli::command(), "xiangwang");
    }

    #[test]
    fn the_last_language_option_counts_and_nothing_after_two_dashes() {
        let of = |line: &str| language(&line.split(' ').map(OsString::from).collect::<Vec<_>>());
        assert_eq!(of("xiangwang --lang en status"), Lang::En);
        assert_eq!(of("xiangwang status --lang=en --lang zh"), Lang::Zh);
        assert_eq!(of("xiangwang record show -- --lang=en"), Lang::Zh);
    }

    #[test]
    fn slips_are_told_in_the_language_asked_for() {
        for (line, zh) in [
            ("xiangwang recrod", "没有“recrod”这个命令"),
            ("xiangwang status --fast", "没有“--fast”这个选项"),
            ("xiangwang record show", "缺少"),
            ("xiangwang --lang fr status", "“fr”不可用"),
            ("xiangwang list --limit many", "“many”"),
        ] {
            let Asked::Slip(trouble) = typed(line) else { panic!("{line}") };
            assert!(trouble.zh.contains(zh), "{line}: {}", trouble.zh);
            assert!(
                !trouble.en.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)),
                "{}",
                trouble.en
            );
            assert_eq!(trouble.code, "usage");
        }
        assert!(matches!(typed("xiangwang"), Asked::Slip(_)));
        assert!(matches!(typed("xiangwang --version"), Asked::Help(text) if text.contains("0.1")));
    }

    #[test]
    fn query_is_list_and_global_options_stand_anywhere() {
        let cli = understood(
            "xiangwang query --type SVC,MED --where 项目=1 --json --as 王芳 --role VCLK",
        );
        assert!(cli.global.json);
        assert_eq!(cli.global.who().person.as_deref(), Some("王芳"));
        let Command::List(list) = cli.command else { panic!("not a list") };
        assert_eq!(list.filter.types, ["SVC", "MED"]);
        let cli = understood("xiangwang --dir /tmp/a record step X1 accepted");
        assert_eq!(cli.global.folder().path(), std::path::Path::new("/tmp/a"));
        assert!(matches!(understood("xiangwang list --sort -updated").command,
            Command::List(list) if list.sort == ["-updated"]));
    }
}
