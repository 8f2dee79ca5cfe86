//! What the verifier is asked for. Reads words, whatever bytes they are made of; opens nothing.

use std::ffi::OsString;
use std::path::PathBuf;

use xw_schemas::id::{EditionId, EntryId, NetworkId};

/// What `--help` says.
pub(crate) const HELP: &str = "\
xw-verify 证据包.xwproof.zip [选项]
核验乡网证据包，不需要网络、数据库或节点。
Judges an evidence pack of Xiangwang; needs no network, database or node.

  --network 十六进制     本县公布的网络标识；不给则只能说明本包自洽，不能认定属于本县
                         the network id that your county has published (xiangwang status)
  --roster-state 十六进制
                         现行名册的状态；不一致说明包内名册可能已旧
                         the state of the roster in force (xiangwang status --json: roster.head)
  --statement 文件       其他机构的完整性声明（.cose），与本包核对；可多次，建议至少 3 个机构
                         another office's signed statement of completeness, to be compared with
                         the pack; may be repeated, three offices are advised
  --body 文件            另行取得的正文：含正文的证据包、其中的 .bodies 文件，或单条正文；可多次
                         bodies got elsewhere, to be matched with their entries: a pack that has
                         them, a .bodies file of one, or a single body; may be repeated
  --receipt 文字|文件    纸质回执上的文字（XW1:…）或所存的回执网页；可多次
                         the text of a printed receipt, or its saved page; may be repeated
  --entry 条目           查问某一条目；可多次
                         asks for an entry by id; may be repeated
  --json                 以 JSON 输出 / prints JSON

退出码 exit code：0 可信 sound，1 有问题 findings，2 用法错误或无法读取 usage or unreadable，
3 自洽但未与公布的网络标识核对 consistent, but not compared with a published network id
";

/// A call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) pack: PathBuf,
    pub(crate) json: bool,
    pub(crate) network: Option<NetworkId>,
    pub(crate) roster: Option<EditionId>,
    pub(crate) bodies: Vec<PathBuf>,
    pub(crate) statements: Vec<PathBuf>,
    pub(crate) receipts: Vec<OsString>,
    pub(crate) entries: Vec<EntryId>,
}

/// A wrong call, or a file that cannot be had.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Slip {
    pub(crate) zh: String,
    pub(crate) en: String,
}

impl Slip {
    pub(crate) fn of(zh: impl Into<String>, en: impl Into<String>) -> Self {
        Self { zh: zh.into(), en: en.into() }
    }
}

impl Arguments {
    /// Reads the words behind the program's name.
    pub(crate) fn read(words: &[OsString]) -> Result<Self, Slip> {
        let mut arguments = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let shown = word.to_string_lossy();
            let mut value = || {
                words.next().cloned().ok_or_else(|| {
                    Slip::of(format!("{shown} 后面缺少内容"), format!("{shown} needs a value"))
                })
            };
            match &*shown {
                "--json" => arguments.json = true,
                "--network" => arguments.network = Some(id(&value()?, NetworkId::from_hex)?),
                "--roster-state" => arguments.roster = Some(id(&value()?, EditionId::from_hex)?),
                "--entry" => arguments.entries.push(id(&value()?, EntryId::from_hex)?),
                "--body" => arguments.bodies.push(value()?.into()),
                "--statement" => arguments.statements.push(value()?.into()),
                "--receipt" => arguments.receipts.push(value()?),
                other if other.starts_with("--") => {
                    let (zh, en) = ("不认识的选项", "unknown option");
                    return Err(Slip::of(
                        format!("{zh} {other}；见 --help"),
                        format!("{en} {other}; see --help"),
                    ));
                }
                _ if arguments.pack.as_os_str().is_empty() => arguments.pack = word.into(),
                _ => return Err(Slip::of("一次只能核验一个证据包", "one pack at a time")),
            }
        }
        if arguments.pack.as_os_str().is_empty() {
            let (zh, en) = ("请给出证据包文件；见 --help", "name a pack; see --help");
            return Err(Slip::of(zh, en));
        }
        Ok(arguments)
    }
}

fn id<T>(word: &OsString, read: impl Fn(&str) -> Option<T>) -> Result<T, Slip> {
    let text = word.to_string_lossy();
    read(text.trim()).ok_or_else(|| {
        Slip::of(
            format!("“{text}”不是 64 位十六进制标识"),
            format!("\"{text}\" is not an id of 64 hex digits"),
        )
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Arguments, Slip> {
        let words: Vec<OsString> = words.iter().map(Into::into).collect();
        Arguments::read(&words)
    }

    #[test]
    fn options_stand_anywhere_and_strange_ones_are_refused() {
        let id = "ab".repeat(32);
        let read_one =
            read(&["--json", "a.zip", "--body", "b", "--network", &id, "--body", "c"]).unwrap();
        assert_eq!((read_one.pack.to_str(), read_one.json), (Some("a.zip"), true));
        assert_eq!((read_one.bodies.len(), read_one.network), (2, NetworkId::from_hex(&id)));
        for words in
            [&[][..], &["a", "b"], &["a", "--what"], &["a", "--body"], &["a", "--entry", "1"]]
        {
            assert!(read(words).is_err(), "{words:?}");
        }
    }
}
