//! The text of `machine.json`, written and read. Opens nothing.

use serde::Deserialize;
use xw_schemas::cose::is_sound_key;
use xw_schemas::id::{PublicKey, hex};
use zeroize::Zeroizing;

use crate::form::{check_of, fixed, variable, without_mark};
use crate::seal::SEAL_OVERHEAD_BYTES;

use super::{Lock, MachineFile, SEALED_BYTES_MAX, SECRET_BYTES};

const FORMAT: &str = "xiangwang-machine-1";

/// Longest `machine.json`: a sealed secret in hex, and the rest.
pub const MACHINE_FILE_BYTES_MAX: usize = 20 * 1024;

/// Why the file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum MachineFileFault {
    /// Over [`MACHINE_FILE_BYTES_MAX`].
    #[error("this is no machine key file: longer than {MACHINE_FILE_BYTES_MAX} bytes")]
    TooLong,
    /// Other text, another format, a field too many or too few.
    #[error("this is no machine key file of format {FORMAT}")]
    OtherFormat,
    /// A field whose value is not one.
    #[error("the machine key file's field `{field}` cannot be read")]
    Field {
        /// Its name.
        field: &'static str,
    },
    /// The check does not fit the rest.
    #[error("the machine key file is damaged; restore it from the last backup")]
    Damaged,
}

impl MachineFileFault {
    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::TooLong => format!("不是本机密钥文件：超过{MACHINE_FILE_BYTES_MAX}字节"),
            Self::OtherFormat => format!("不是 {FORMAT} 格式的本机密钥文件"),
            Self::Field { field } => format!("本机密钥文件的“{field}”一项无法读取"),
            Self::Damaged => "本机密钥文件已损坏，请从最近的备份恢复".into(),
        }
    }
}

impl MachineFile {
    /// The file's text; a secret while [`Lock::Open`].
    #[must_use]
    pub fn text(&self) -> Zeroizing<String> {
        let secret = Zeroizing::new(hex(&self.secret));
        let recovery = self.recovery.as_ref().map(|bytes| hex(bytes)).unwrap_or_default();
        let (node, lock) = (hex(&self.node.0), self.lock.name());
        let check = check_of(&lines(&node, lock, &secret, &recovery));
        // All values are hex and names, which JSON takes as they are; a serialiser would leave
        // copies of the secret in buffers that it gives back.
        Zeroizing::new(format!(
            "{{\n  \"format\": \"{FORMAT}\",\n  \"node\": \"{node}\",\n  \"lock\": \"{lock}\",\n  \
             \"secret\": \"{}\",\n  \"recovery\": \"{recovery}\",\n  \"check\": \"{check}\"\n}}\n",
            *secret
        ))
    }

    /// Reads a file's text. Space between the fields is free; everything else has one spelling.
    pub fn read(text: &str) -> Result<Self, MachineFileFault> {
        if text.len() > MACHINE_FILE_BYTES_MAX {
            return Err(MachineFileFault::TooLong);
        }
        let form: Form =
            serde_json::from_str(without_mark(text)).map_err(|_| MachineFileFault::OtherFormat)?;
        if form.format != FORMAT {
            return Err(MachineFileFault::OtherFormat);
        }
        if form.check != check_of(&lines(&form.node, &form.lock, &form.secret, &form.recovery)) {
            return Err(MachineFileFault::Damaged);
        }
        let wrong = |field| MachineFileFault::Field { field };
        let lock = Lock::named(&form.lock).ok_or(wrong("lock"))?;
        let recovery = variable(&form.recovery, SECRET_BYTES + SEAL_OVERHEAD_BYTES)
            .filter(|bytes| bytes.is_empty() || bytes.len() == SECRET_BYTES + SEAL_OVERHEAD_BYTES)
            .ok_or(wrong("recovery"))?;
        Ok(Self {
            node: fixed(&form.node).map(PublicKey).filter(is_sound_key).ok_or(wrong("node"))?,
            lock,
            secret: variable(&form.secret, SEALED_BYTES_MAX)
                .filter(|bytes| !bytes.is_empty())
                .filter(|bytes| lock != Lock::Open || bytes.len() == SECRET_BYTES)
                .ok_or(wrong("secret"))?,
            recovery: Some(recovery.to_vec()).filter(|bytes| !bytes.is_empty()),
        })
    }
}

fn lines(node: &str, lock: &str, secret: &str, recovery: &str) -> Zeroizing<String> {
    Zeroizing::new(format!("{FORMAT}\n{node}\n{lock}\n{secret}\n{recovery}\n"))
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    format: String,
    node: String,
    lock: String,
    secret: Zeroizing<String>,
    recovery: String,
    check: String,
}
