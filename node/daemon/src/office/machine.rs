//! Which PC this is: a random id beside the database, and what the operating system says of itself.
//! Says nothing about a person, and never leaves the PC.

use std::fs;
use std::path::Path;
use std::process::Command;

use serde::{Deserialize, Serialize};
use xw_schemas::hash::tagged;
use xw_schemas::id::hex;

use crate::clock;
use crate::folder::write_whole;
use crate::trouble::Answer;

/// The file in the node's folder. A database that is put into another folder does not find its own.
const FILE: &str = "pc.json";

#[derive(Serialize, Deserialize)]
struct Noted {
    id: String,
}

/// This PC and this folder, in one word that says nothing of either.
pub(super) fn mark(folder: &Path) -> Answer<String> {
    let path = folder.join(FILE);
    let noted = fs::read_to_string(&path).ok().and_then(|text| serde_json::from_str(&text).ok());
    let Noted { id } = match noted {
        Some(noted) => noted,
        None => {
            let noted = Noted { id: clock::token() };
            let text = serde_json::to_string(&noted).expect("plain data");
            write_whole(&path, text.as_bytes(), false)?;
            noted
        }
    };
    Ok(hex(&tagged("xw/daemon/pc/1", &[id.as_bytes(), facts().as_bytes()])))
}

/// What the operating system calls this installation. Empty where it says nothing: then the id in
/// the folder alone tells PCs apart, and a fork tells the rest.
fn facts() -> String {
    if cfg!(windows) { windows() } else { unix() }
}

fn unix() -> String {
    let read = |path: &str| fs::read_to_string(path).ok();
    let id = ["/etc/machine-id", "/var/lib/dbus/machine-id"].into_iter().find_map(read);
    id.map(|text| text.trim().to_owned()).unwrap_or_default()
}

fn windows() -> String {
    let key = r"HKLM\SOFTWARE\Microsoft\Cryptography";
    let said = Command::new("reg").args(["query", key, "/v", "MachineGuid"]).output();
    let said = said.map(|output| String::from_utf8_lossy(&output.stdout).into_owned());
    let guid = said.ok().and_then(|text| {
        let line = text.lines().find(|line| line.contains("MachineGuid"))?.to_owned();
        line.split_whitespace().last().map(str::to_owned)
    });
    guid.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_is_the_same_pc_again_and_another_folder_is_not() {
        let base = std::env::temp_dir().join(format!("xw-pc-{}", std::process::id()));
        let (one, other) = (base.join("one"), base.join("other"));
        fs::create_dir_all(&one).unwrap();
        fs::create_dir_all(&other).unwrap();
        let first = mark(&one).unwrap();
        assert_eq!(first, mark(&one).unwrap());
        assert_ne!(first, mark(&other).unwrap());
        // The whole folder copied on one PC is told by its fork alone.
        fs::copy(one.join(FILE), other.join(FILE)).unwrap();
        assert_eq!(first, mark(&other).unwrap());
        fs::remove_dir_all(base).unwrap();
    }
}
