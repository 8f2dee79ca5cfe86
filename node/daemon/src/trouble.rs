//! What a command answers when it cannot do what was asked: a code, Chinese and English, and for
//! forms the fields. The shape is the same on the command line and over the API.

mod trust;

use serde::{Deserialize, Serialize};
use xw_ledger::draft::DraftError;
use xw_ledger::verdict::Refusal;
use xw_net::NetError;
use xw_schemas::record::{Lang, Problem, ValueSlip};
use xw_store::StoreError;

/// Why something was not done.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Trouble {
    /// A stable name, such as `no-right`.
    pub(crate) code: String,
    /// What happened and what to do, in Chinese.
    pub(crate) zh: String,
    /// The same in English.
    pub(crate) en: String,
    /// What a system or a library said of it, in whatever words: for whoever is asked for help.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub(crate) detail: String,
    /// For forms: what is wrong in which field.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) fields: Vec<FieldTrouble>,
}

/// What is wrong in one field.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct FieldTrouble {
    /// Dotted path.
    pub(crate) path: String,
    /// Its Chinese label.
    pub(crate) label: String,
    pub(crate) zh: String,
    pub(crate) en: String,
}

pub(crate) type Answer<T> = Result<T, Trouble>;

impl std::fmt::Display for Trouble {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.text(Lang::Zh))
    }
}

impl std::error::Error for Trouble {}

impl Trouble {
    pub(crate) fn new(code: &str, zh: impl Into<String>, en: impl Into<String>) -> Self {
        let (code, zh, en) = (code.to_owned(), zh.into(), en.into());
        Self { code, zh, en, detail: String::new(), fields: Vec::new() }
    }

    /// A trouble with a cause that knows no Chinese: the clerk reads a sentence, and the cause behind it.
    pub(crate) fn because(
        code: &str,
        zh: impl Into<String>,
        en: &str,
        cause: impl std::fmt::Display,
    ) -> Self {
        let detail = cause.to_string();
        Self { detail, ..Self::new(code, zh, format!("{en}: {cause}")) }
    }

    pub(crate) fn text(&self, lang: Lang) -> String {
        let (line, sep) = match lang {
            Lang::Zh => (&self.zh, "："),
            Lang::En => (&self.en, ": "),
        };
        let mut text = line.clone();
        // The English sentence names the cause itself.
        if lang == Lang::Zh && !self.detail.is_empty() {
            text.push_str(&format!("\n详情：{}", self.detail));
        }
        for field in &self.fields {
            let said = if lang == Lang::Zh { &field.zh } else { &field.en };
            text.push_str(&format!("\n  {}（{}）{sep}{said}", field.label, field.path));
        }
        text
    }

    pub(crate) fn of_problems(problems: Vec<Problem>, label: impl Fn(&str) -> String) -> Self {
        let mut trouble = Self::new(
            "invalid",
            format!("有 {} 处需要填写或更正，未保存", problems.len()),
            format!("{} fields need attention; nothing was saved", problems.len()),
        );
        trouble.fields = problems
            .into_iter()
            .map(|problem| FieldTrouble {
                label: label(&problem.path),
                zh: problem.zh().to_owned(),
                en: problem.en().to_owned(),
                path: problem.path,
            })
            .collect();
        trouble
    }

    pub(crate) fn of_slips(
        slips: Vec<(String, ValueSlip)>,
        label: impl Fn(&str) -> String,
    ) -> Self {
        let mut trouble = Self::new(
            "invalid",
            format!("有 {} 处填写有误，未保存", slips.len()),
            format!("{} values cannot be read; nothing was saved", slips.len()),
        );
        trouble.fields = slips
            .into_iter()
            .map(|(path, slip)| FieldTrouble {
                label: label(&path),
                zh: slip.zh(),
                en: slip.en(),
                path,
            })
            .collect();
        trouble
    }

    pub(crate) fn of_refusal(refusal: &Refusal) -> Self {
        Self::new(
            refusal.code(),
            format!("按规则不能这样做，未保存：{}", refusal.zh()),
            format!("the rules do not allow this; nothing was saved: {refusal}"),
        )
    }

    pub(crate) fn missing(what_zh: &str, what_en: &str) -> Self {
        Self::new("not-found", format!("没有找到{what_zh}"), format!("there is no {what_en}"))
    }
}

impl Trouble {
    /// A port on which the node should listen and cannot; `setting` is its name in the settings.
    pub(crate) fn no_port(
        zh: &str,
        setting: &str,
        at: std::net::SocketAddr,
        error: &std::io::Error,
    ) -> Self {
        let port = at.port();
        let zh = match error.kind() {
            std::io::ErrorKind::AddrInUse => format!(
                "{zh}端口 {port} 已被另一个程序占用（也可能是另一个乡网节点正在运行），节点没有启动。请关闭那个程序，或在 node.toml 的 {setting} 中换一个端口"
            ),
            _ => format!(
                "{zh}地址 {at} 无法使用，节点没有启动。请检查 node.toml 的 {setting}，应为本机的地址"
            ),
        };
        let en = format!(
            "port {port} cannot be listened on at {at}, so the node did not start; see {setting} in node.toml"
        );
        Self::because("run", zh, &en, error)
    }
}

impl From<StoreError> for Trouble {
    fn from(error: StoreError) -> Self {
        if matches!(error, StoreError::Locked) {
            return crate::office::locked(None);
        }
        crate::office::fatal(&error);
        let chain = with_causes(&error);
        let told = Self::new("store", error.zh(), format!("{} ({chain})", error.en()));
        let plain = error.is_disk_full() || error.is_damage() || error.is_fatal();
        let zh = match &error {
            StoreError::Sql { .. } if !plain => "数据库操作失败，本次内容未保存，请重试".to_owned(),
            StoreError::File { path, source } => {
                format!("无法读写文件 {}：{}", path.display(), file_zh(source))
            }
            StoreError::Damaged { .. } => "数据库内容已损坏，请运行 xiangwang verify".to_owned(),
            StoreError::Copy { path, .. } => format!("备份文件不完整：{}", path.display()),
            _ => return told,
        };
        Self { zh, detail: chain, ..told }
    }
}

impl From<DraftError> for Trouble {
    fn from(error: DraftError) -> Self {
        let zh = "无法生成这次变更，未保存。请检查本机日期时间和所填内容后重试";
        Self::because("draft", zh, "no change was made", with_causes(&error))
    }
}

impl From<std::io::Error> for Trouble {
    fn from(error: std::io::Error) -> Self {
        let zh = format!("文件无法读写：{}", file_zh(&error));
        Self::because("file", zh, "cannot read or write a file", error)
    }
}

/// What keeps a file from being read or written, in Chinese.
pub(crate) fn file_zh(error: &std::io::Error) -> &'static str {
    use std::io::ErrorKind;
    match error.kind() {
        ErrorKind::NotFound => "文件或目录不存在",
        ErrorKind::PermissionDenied => "没有权限",
        ErrorKind::AlreadyExists => "同名文件已存在",
        ErrorKind::StorageFull | ErrorKind::QuotaExceeded => "磁盘已满",
        ErrorKind::ReadOnlyFilesystem => "存储设备为只读",
        ErrorKind::IsADirectory | ErrorKind::NotADirectory => "路径不对，文件与目录弄混了",
        ErrorKind::InvalidData => "内容不是 UTF-8 文本",
        _ => "存储设备出错",
    }
}

impl Trouble {
    /// Whatever kept the program from going on.
    pub(crate) fn of_any(error: anyhow::Error) -> Self {
        let error = match error.downcast::<Self>() {
            Ok(trouble) => return trouble,
            Err(error) => error,
        };
        if let Some(NetError::Listen { addr, source }) = error.downcast_ref() {
            return Self::no_port("邻居连接", "listen", *addr, source);
        }
        let zh = "程序无法继续，请重新启动；若再次出现，请把下面的详情告知上级管理员";
        Self::because("run", zh, "the program cannot go on", format!("{error:#}"))
    }
}

/// An error and its causes, each once.
pub(crate) fn with_causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(inner) = cause {
        text.push_str(&format!(": {inner}"));
        cause = inner.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use std::io;

    use xw_ledger::draft::DraftError;
    use xw_schemas::entry::EntryFault;

    use super::*;

    #[test]
    fn a_clerk_reads_a_chinese_sentence_and_the_cause_behind_it() {
        let io = |kind| Trouble::from(io::Error::from(kind));
        let taken = io::Error::from(io::ErrorKind::AddrInUse);
        for trouble in [
            io(io::ErrorKind::NotFound),
            io(io::ErrorKind::TimedOut),
            Trouble::from(DraftError::Entry(EntryFault::BadSignature)),
            Trouble::from(anyhow::anyhow!("a queue broke").context("it could not start")),
            Trouble::no_port("本机接口", "api", ([127, 0, 0, 1], 7131).into(), &taken),
        ] {
            let words = trouble.zh.replace("node.toml", "").replace(" api ", "");
            let english = words.chars().any(|letter| letter.is_ascii_alphabetic());
            assert!(!english && !trouble.detail.is_empty(), "{}", trouble.zh);
            assert_eq!(trouble.text(Lang::Zh), format!("{}\n详情：{}", trouble.zh, trouble.detail));
            assert!(trouble.en.ends_with(&trouble.detail), "{}", trouble.en);
        }
        let taken = Trouble::from(anyhow::Error::from(Trouble::new("locked", "未登录", "locked")));
        assert_eq!((taken.code.as_str(), taken.text(Lang::Zh)), ("locked", "未登录".to_owned()));
    }
}
