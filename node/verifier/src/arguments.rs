//! What the verifier is asked for. Reads words; opens nothing but bodies and statements, and reads no
//! more of them than either may have.

use std::fs::File;
use std::io::Read as _;

use xw_audit::signed::STATEMENT_BYTES_MAX;
use xw_schemas::id::{EntryId, NetworkId};
use xw_schemas::limits::{CHANGE_BYTES_MAX, SALT_BYTES};

/// What `--help` says.
pub(crate) const HELP: &str = "\
xw-verify 证据包.xwproof.zip [选项]
核验乡网证据包，不需要网络、数据库或节点。
Judges an evidence pack of Xiangwang; needs no network, database or node.

  --roster-id 十六进制   本县公布的网络标识；不一致即不是本县的证据包
                         the network id that your county has published
  --body 文件            另行取得的正文，证明它属于哪个条目；可多次
                         a body got elsewhere, to be matched with its entry; may be repeated
  --statement 文件       另行取得的完整性声明（.cose）；可多次
                         a signed statement of completeness got elsewhere; may be repeated
  --receipt 文字         纸质回执上的文字（XW1:…）；可多次
                         the text of a printed receipt; may be repeated
  --entry 条目           查问某一条目；可多次
                         asks for an entry by id; may be repeated
  --json                 以 JSON 输出 / prints JSON

退出码 exit code：0 可信 sound，1 有问题 findings，2 用法错误或无法读取 usage or unreadable
";

/// A call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Arguments {
    pub(crate) pack: String,
    pub(crate) json: bool,
    pub(crate) network: Option<NetworkId>,
    pub(crate) bodies: Vec<String>,
    pub(crate) statements: Vec<String>,
    pub(crate) receipts: Vec<String>,
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
    pub(crate) fn read(words: &[String]) -> Result<Self, Slip> {
        let mut arguments = Self::default();
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let mut value = || {
                words.next().cloned().ok_or_else(|| {
                    Slip::of(format!("{word} 后面缺少内容"), format!("{word} needs a value"))
                })
            };
            match word.as_str() {
                "--json" => arguments.json = true,
                "--roster-id" => arguments.network = Some(id(&value()?, NetworkId::from_hex)?),
                "--entry" => arguments.entries.push(id(&value()?, EntryId::from_hex)?),
                "--body" => arguments.bodies.push(value()?),
                "--statement" => arguments.statements.push(value()?),
                "--receipt" => arguments.receipts.push(value()?),
                other if other.starts_with("--") => {
                    let (zh, en) = ("不认识的选项", "unknown option");
                    return Err(Slip::of(
                        format!("{zh} {other}；见 --help"),
                        format!("{en} {other}; see --help"),
                    ));
                }
                pack if arguments.pack.is_empty() => pack.clone_into(&mut arguments.pack),
                _ => return Err(Slip::of("一次只能核验一个证据包", "one pack at a time")),
            }
        }
        if arguments.pack.is_empty() {
            let (zh, en) = ("请给出证据包文件；见 --help", "name a pack; see --help");
            return Err(Slip::of(zh, en));
        }
        Ok(arguments)
    }
}

fn id<T>(text: &str, read: impl Fn(&str) -> Option<T>) -> Result<T, Slip> {
    read(text.trim()).ok_or_else(|| {
        Slip::of(
            format!("“{text}”不是 64 位十六进制标识"),
            format!("\"{text}\" is not an id of 64 hex digits"),
        )
    })
}

/// Reads a body, and one byte more than any may have, so that a longer file matches nothing.
pub(crate) fn read_body(path: &str) -> std::io::Result<Vec<u8>> {
    read_up_to(path, SALT_BYTES + CHANGE_BYTES_MAX + 1)
}

/// Reads a signed statement; what is longer than any is read in part and verifies as nothing.
pub(crate) fn read_statement(path: &str) -> std::io::Result<Vec<u8>> {
    read_up_to(path, STATEMENT_BYTES_MAX)
}

fn read_up_to(path: &str, most: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(words: &[&str]) -> Result<Arguments, Slip> {
        let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
        Arguments::read(&words)
    }

    #[test]
    fn options_stand_anywhere_and_strange_ones_are_refused() {
        let id = "ab".repeat(32);
        let read_one =
            read(&["--json", "a.zip", "--body", "b", "--roster-id", &id, "--body", "c"]).unwrap();
        assert_eq!((read_one.pack.as_str(), read_one.json), ("a.zip", true));
        assert_eq!((read_one.bodies.len(), read_one.network), (2, NetworkId::from_hex(&id)));
        for words in
            [&[][..], &["a", "b"], &["a", "--what"], &["a", "--body"], &["a", "--entry", "1"]]
        {
            assert!(read(words).is_err(), "{words:?}");
        }
    }
}
