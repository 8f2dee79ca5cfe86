//! README and ARCHITECTURE name only what exists, and no heading stands empty.

use crate::files::{text_of, top};

const DOCUMENTS: [&str; 2] = ["README.md", "ARCHITECTURE.md"];

/// Beginnings of paths that documents name between backticks.
const ROOMS: [&str; 8] =
    ["schemas/", "node/", "bootstrap/", "tests/", ".ci/", ".config/", "docker-compose", "Cargo"];

#[test]
fn every_path_in_a_document_exists() {
    let mut missing = Vec::new();
    for document in DOCUMENTS {
        let text = text_of(&top().join(document));
        for quoted in text.split('`').skip(1).step_by(2) {
            let path = quoted.split([' ', '·', '(']).next().unwrap_or_default();
            let is_path = ROOMS.iter().any(|room| path.starts_with(room)) && !path.contains('*');
            if is_path && !top().join(path).exists() {
                missing.push(format!("{document}: {path}"));
            }
        }
    }
    assert!(missing.is_empty(), "documents name what does not exist:\n{}", missing.join("\n"));
}

#[test]
fn no_heading_stands_empty() {
    for document in DOCUMENTS {
        let text = text_of(&top().join(document));
        let mut last: Option<(&str, usize)> = None;
        let mut fenced = false;
        for line in text.lines().chain(["# end"]) {
            fenced ^= line.starts_with("```");
            let depth = line.bytes().take_while(|byte| *byte == b'#').count();
            if depth > 0 && !fenced {
                if let Some((heading, above)) = last {
                    assert!(depth > above, "{document}: nothing under “{heading}”");
                }
                last = Some((line, depth));
            } else if !line.trim().is_empty() {
                last = None;
            }
        }
    }
}

#[test]
fn the_readme_gives_the_two_commands() {
    let readme = text_of(&top().join("README.md"));
    for command in
        ["cargo run --release --locked -p xiangwang -- demo", "cargo test --workspace --locked"]
    {
        assert!(readme.contains(command), "README lacks `{command}`");
    }
    let ci = text_of(&top().join(".ci/run"));
    assert!(ci.contains("cargo test --workspace --locked"), "CI runs another test command");
}
