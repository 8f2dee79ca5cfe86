//! Sealing to the Windows account by DPAPI, through the PowerShell that every Windows brings.
//! Offered on Windows only. It keeps a disk taken out of the PC shut as well as the account's
//! password does; BitLocker does better and is recommended beside it.

use std::process::Command;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use zeroize::Zeroizing;

use super::tool::{TOOL_WAIT, run};
use super::{MachineSeal, MachineSealError};

/// As the file names it.
pub(super) const NAME: &str = "windows-dpapi";

/// Reads base64 from standard input, writes base64 to standard output. The second argument of the
/// call binds the result to this use.
const PROTECT: &str = "$ErrorActionPreference='Stop';Add-Type -AssemblyName System.Security;\
    $b=[Convert]::FromBase64String([Console]::In.ReadToEnd().Trim());\
    $e=[Text.Encoding]::ASCII.GetBytes('xiangwang/machine/1');\
    $r=[Security.Cryptography.ProtectedData]::Protect($b,$e,'CurrentUser');\
    [Console]::Out.Write([Convert]::ToBase64String($r))";
const UNPROTECT: &str = "$ErrorActionPreference='Stop';Add-Type -AssemblyName System.Security;\
    $b=[Convert]::FromBase64String([Console]::In.ReadToEnd().Trim());\
    $e=[Text.Encoding]::ASCII.GetBytes('xiangwang/machine/1');\
    $r=[Security.Cryptography.ProtectedData]::Unprotect($b,$e,'CurrentUser');\
    [Console]::Out.Write([Convert]::ToBase64String($r))";

/// The account's own protection.
pub(super) struct Dpapi;

impl MachineSeal for Dpapi {
    fn name(&self) -> &'static str {
        NAME
    }

    fn seal(&self, secret: &[u8]) -> Result<Vec<u8>, MachineSealError> {
        call(PROTECT, secret).map(|sealed| sealed.to_vec())
    }

    fn unseal(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MachineSealError> {
        call(UNPROTECT, sealed)
    }
}

fn call(script: &str, bytes: &[u8]) -> Result<Zeroizing<Vec<u8>>, MachineSealError> {
    let input = Zeroizing::new(STANDARD.encode(bytes));
    let words = ["-NoProfile", "-NonInteractive", "-Command", script];
    let output = run(NAME, Command::new(powershell()).args(words), input.as_bytes(), TOOL_WAIT)?;
    STANDARD.decode(output.trim_ascii()).map(Zeroizing::new).map_err(|_| MachineSealError::Tool {
        tool: NAME,
        detail: "its answer is no base64".into(),
    })
}

/// Named in full, so that no other program of the name gets the secret.
fn powershell() -> std::path::PathBuf {
    let windows = std::env::var_os("SystemRoot").unwrap_or_else(|| "C:\\Windows".into());
    std::path::Path::new(&windows).join("System32\\WindowsPowerShell\\v1.0\\powershell.exe")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    #[cfg(windows)]
    fn the_account_keeps_the_secret() {
        let sealed = Dpapi.seal(b"sixty-four bytes").unwrap();
        assert_ne!(sealed, b"sixty-four bytes");
        assert_eq!(Dpapi.unseal(&sealed).unwrap()[..], b"sixty-four bytes"[..]);
    }

    #[test]
    fn the_scripts_are_fixed_words() {
        for script in [PROTECT, UNPROTECT] {
            assert!(script.contains("[Console]::In") && script.contains("'CurrentUser'"));
            assert!(!script.contains('\n') && !script.contains('"'));
        }
        assert!(powershell().ends_with("System32\\WindowsPowerShell\\v1.0\\powershell.exe"));
    }
}
