//! The program as a person starts it.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

/// Builds the program once and says where it lies.
pub(crate) fn path() -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    BUILT.get_or_init(|| built("xiangwang", "xiangwang")).clone()
}

/// Builds a program of ours and says where it lies.
pub(crate) fn built(package: &str, name: &str) -> PathBuf {
    let status = Command::new(env!("CARGO"))
        .args(["build", "--locked", "-p", package])
        .current_dir(concat!(env!("CARGO_MANIFEST_DIR"), "/.."))
        .status()
        .expect("cargo runs");
    assert!(status.success(), "the program does not build");
    // The test lies in target/<profile>/deps; the program two floors up.
    let test = std::env::current_exe().expect("the test has a path");
    let deps = test.parent().expect("it lies in a folder");
    let name = format!("{name}{}", std::env::consts::EXE_SUFFIX);
    deps.parent().expect("deps lies in the profile's folder").join(name)
}

/// A folder of this test's own, empty.
pub(crate) fn folder(name: &str) -> PathBuf {
    let dir = std::env::temp_dir().join(format!("xw-journey-{name}-{}", std::process::id()));
    let _ = std::fs::remove_dir_all(&dir);
    std::fs::create_dir_all(&dir).expect("a temporary folder");
    dir
}
