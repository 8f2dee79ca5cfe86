//! Sealing to the PC's TPM 2.0 by `systemd-creds`. Offered only where that tool says the TPM works.

use std::path::Path;
use std::process::Command;

use zeroize::Zeroizing;

use super::tool::{TOOL_WAIT, run};
use super::{MachineSeal, MachineSealError};

/// As the file names it.
pub(super) const NAME: &str = "systemd-creds-tpm2";

/// Where distributions put the tool. Looked for there alone, so that no other program of the name
/// gets the secret.
const PLACES: [&str; 2] = ["/usr/bin/systemd-creds", "/bin/systemd-creds"];

/// Bound into what is sealed; the tool refuses to open it under another name.
const CREDENTIAL: &str = "--name=xiangwang-machine";

/// A TPM 2.0.
pub(super) struct Tpm2 {
    tool: &'static str,
}

impl Tpm2 {
    /// The seal, where the system has one that works.
    pub(super) fn offered() -> Result<Self, MachineSealError> {
        let tool = PLACES.into_iter().find(|place| Path::new(place).exists()).ok_or(NO_TOOL)?;
        // It answers by its exit status: 0 only when firmware, driver and system all have it.
        run(NAME, Command::new(tool).arg("has-tpm2"), &[], TOOL_WAIT).map_err(|_| NO_TPM)?;
        Ok(Self { tool })
    }

    fn call(&self, words: &[&str], input: &[u8]) -> Result<Zeroizing<Vec<u8>>, MachineSealError> {
        run(NAME, Command::new(self.tool).args(words), input, TOOL_WAIT)
    }
}

impl MachineSeal for Tpm2 {
    fn name(&self) -> &'static str {
        NAME
    }

    fn seal(&self, secret: &[u8]) -> Result<Vec<u8>, MachineSealError> {
        // Register 7 holds the state of secure boot: a disk in another PC, or another loader here,
        // opens nothing, and kernel updates change nothing.
        let words = ["encrypt", "--with-key=tpm2", "--tpm2-pcrs=7", CREDENTIAL, "-", "-"];
        self.call(&words, secret).map(|sealed| sealed.to_vec())
    }

    fn unseal(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MachineSealError> {
        self.call(&["decrypt", CREDENTIAL, "-", "-"], sealed)
    }
}

const NO_TOOL: MachineSealError = MachineSealError::NotOffered {
    zh: "本机系统没有 systemd-creds，本机密钥以普通文件保存，请使用磁盘加密",
    en: "this system has no systemd-creds; the machine's key lies in a plain file, so encrypt the disk",
};

const NO_TPM: MachineSealError = MachineSealError::NotOffered {
    zh: "本机没有可用的 TPM 2.0 安全芯片，本机密钥以普通文件保存，请使用磁盘加密",
    en: "this PC has no working TPM 2.0; the machine's key lies in a plain file, so encrypt the disk",
};

#[cfg(test)]
mod tests {
    use super::*;

    /// True on every PC: either the TPM keeps the secret or the refusal says why in two languages.
    #[test]
    fn a_tpm_keeps_the_secret_or_is_not_offered() {
        match Tpm2::offered() {
            Ok(seal) => match seal.seal(b"sixty-four bytes") {
                Ok(sealed) => {
                    assert_eq!(seal.unseal(&sealed).unwrap()[..], b"sixty-four bytes"[..])
                }
                // An account without the right to the chip: said, and nothing was sealed.
                Err(error) => assert!(matches!(error, MachineSealError::Tool { .. }), "{error}"),
            },
            Err(error) => {
                assert!(error.zh().contains("磁盘加密") && error.to_string().contains("disk"));
            }
        }
    }
}
