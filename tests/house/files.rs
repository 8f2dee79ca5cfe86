//! Finding the project's files.

use std::path::{Path, PathBuf};

/// The top of the project.
pub(crate) fn top() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().expect("tests/ lies in the project").to_owned()
}

/// Every Rust file of the project.
pub(crate) fn rust_files() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for room in ["schemas", "node", "bootstrap", "tests"] {
        walk(&top().join(room), &mut found);
    }
    assert!(found.len() > 50, "the search found only {} files", found.len());
    found
}

fn walk(dir: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(dir).expect("a folder of the project") {
        let path = entry.expect("an entry of it").path();
        if path.is_dir() {
            if path.file_name().is_none_or(|name| name != "target" && name != "__pycache__") {
                walk(&path, found);
            }
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

/// A file's text.
pub(crate) fn text_of(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
