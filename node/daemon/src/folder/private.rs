//! Folders that their owner alone may read: by their mode, and on Windows by their list of rights,
//! wherever they lie. What lies in them inherits it.

use std::path::Path;

/// Makes a folder its owner's alone. On Windows a volume without rights, such as a USB stick, cannot:
/// then the person who runs the program is told.
pub(super) fn restrict(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o700))?;
    }
    #[cfg(windows)]
    if let Err(what) = icacls(path) {
        use std::io::Write as _;
        let at = path.display();
        let _ = writeln!(
            std::io::stderr(),
            "无法限制 {at} 的访问权限，本机的其他账户可能读到其中的文件；请改用自己用户目录下的文件夹。详情：{what}\n\
             the rights of {at} could not be restricted: {what}; use a folder of your own profile"
        );
    }
    Ok(())
}

#[cfg(windows)]
fn icacls(path: &Path) -> Result<(), String> {
    let name = |key: &str| std::env::var(key).map_err(|_| format!("no {key}"));
    let account = format!("{}\\{}", name("USERDOMAIN")?, name("USERNAME")?);
    // Named in full, so that no other program of the name is run.
    let windows = std::env::var_os("SystemRoot").unwrap_or_else(|| "C:\\Windows".into());
    let tool = Path::new(&windows).join("System32\\icacls.exe");
    let output = std::process::Command::new(tool)
        .arg(path)
        .args(words(&account))
        .output()
        .map_err(|error| error.to_string())?;
    match output.status.success() {
        true => Ok(()),
        false => Err(String::from_utf8_lossy(&output.stderr).trim().to_owned()),
    }
}

/// Nothing is inherited from above, and the account has everything here and below.
#[cfg(any(windows, test))]
fn words(account: &str) -> [String; 3] {
    ["/inheritance:r".into(), "/grant:r".into(), format!("{account}:(OI)(CI)F")]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_alone_gets_rights_and_files_inherit_them() {
        let words = words("PC-7\\王秀兰");
        assert_eq!(words, ["/inheritance:r", "/grant:r", "PC-7\\王秀兰:(OI)(CI)F"]);
    }

    #[test]
    #[cfg(unix)]
    fn a_folder_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt as _;
        let path = std::env::temp_dir().join(format!("xiangwang-private-{}", std::process::id()));
        std::fs::create_dir_all(&path).unwrap();
        restrict(&path).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        std::fs::remove_dir(&path).unwrap();
        assert_eq!(mode & 0o777, 0o700);
    }
}
