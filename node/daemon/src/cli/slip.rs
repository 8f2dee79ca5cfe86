//! What is wrong with a command line, said in Chinese and English. Never lets clap speak, whose
//! sentences are English only.

use clap::Error;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use xw_schemas::record::Lang;

use super::Asked;
use crate::trouble::Trouble;

/// What a refused command line amounts to: help that was asked for, or a slip.
pub(super) fn asked(error: &Error, lang: Lang) -> Asked {
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => Asked::Help(error.to_string()),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            let help = error.to_string();
            Asked::Slip(Trouble::new("usage", help.clone(), help))
        }
        _ => {
            let (zh, en) = said(error);
            let more = lang.pick("查看用法：在命令后加 --help", "add --help for usage");
            let text = |said: &str| format!("{said}\n{more}");
            // The second line is for the screen that shows it; both texts stay in one language.
            Asked::Slip(match lang {
                Lang::Zh => Trouble::new("usage", text(&zh), en),
                Lang::En => Trouble::new("usage", zh, text(&en)),
            })
        }
    }
}

fn said(error: &Error) -> (String, String) {
    let about = |kind| error.get(kind).map(plain).unwrap_or_default();
    let argument = about(ContextKind::InvalidArg);
    let value = about(ContextKind::InvalidValue);
    match error.kind() {
        ErrorKind::InvalidSubcommand => {
            let name = about(ContextKind::InvalidSubcommand);
            let (zh, en) = guess(&about(ContextKind::SuggestedSubcommand));
            (format!("没有“{name}”这个命令{zh}"), format!("there is no command {name}{en}"))
        }
        ErrorKind::UnknownArgument => {
            let (zh, en) = guess(&about(ContextKind::SuggestedArg));
            (format!("没有“{argument}”这个选项{zh}"), format!("there is no option {argument}{en}"))
        }
        ErrorKind::MissingRequiredArgument => {
            (format!("缺少：{argument}"), format!("missing: {}", ascii(&argument)))
        }
        ErrorKind::MissingSubcommand => ("缺少命令".to_owned(), "a command is missing".to_owned()),
        ErrorKind::InvalidValue if value.is_empty() => (
            format!("选项 {argument} 后面缺少内容"),
            format!("a value is missing after {}", ascii(&argument)),
        ),
        ErrorKind::InvalidValue | ErrorKind::ValueValidation => {
            let valid = about(ContextKind::ValidValue);
            let (zh, en) = match valid.as_str() {
                "" => (String::new(), String::new()),
                valid => (format!("，可选：{valid}"), format!("; choose from {valid}")),
            };
            (
                format!("{argument} 中的“{value}”不可用{zh}"),
                format!("“{value}” cannot be used for {}{en}", ascii(&argument)),
            )
        }
        ErrorKind::ArgumentConflict => {
            let other = about(ContextKind::PriorArg);
            (
                format!("{argument} 不能与 {other} 同时使用"),
                format!("{} cannot be used together with {}", ascii(&argument), ascii(&other)),
            )
        }
        ErrorKind::InvalidUtf8 => (
            "命令中有无法识别的字符".to_owned(),
            "the command line has characters that cannot be read".to_owned(),
        ),
        _ => (
            format!("{argument} 的写法有误"),
            format!("{} is not written as it should be", ascii(&argument)),
        ),
    }
}

fn guess(name: &str) -> (String, String) {
    match name {
        "" => (String::new(), String::new()),
        name => (format!("，是否要用“{name}”？"), format!("; did you mean {name}?")),
    }
}

fn plain(value: &ContextValue) -> String {
    match value {
        ContextValue::Strings(texts) => texts.join("、"),
        ContextValue::StyledStrs(texts) => {
            texts.iter().map(ToString::to_string).collect::<Vec<_>>().join("、")
        }
        other => other.to_string(),
    }
}

/// An option without its Chinese value name.
fn ascii(argument: &str) -> String {
    argument.chars().filter(char::is_ascii).collect::<String>().replace(" <>", "").replace("<>", "")
}
