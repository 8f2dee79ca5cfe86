//! A forger who has a key on the roster: changes files of a pack and lists and signs them anew, so
//! that only what the files say can give him away.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::io::Cursor;

use xw_audit::archive::{Archive, ArchiveWriter};
use xw_audit::json;
use xw_audit::pack::{FileName, Manifest, PackFile};
use xw_audit::signed;
use xw_schemas::cose::SecretKey;

/// The files of a pack, each as the forger leaves it; `None` drops it.
pub(crate) fn forged(
    pack: &[u8],
    by: &SecretKey,
    mut change: impl FnMut(FileName, Vec<u8>) -> Option<Vec<u8>>,
    bend: impl Fn(&mut Manifest),
) -> Vec<u8> {
    let mut archive = Archive::open(Cursor::new(pack)).unwrap();
    let mut names: Vec<String> = archive.names().map(str::to_owned).collect();
    names.sort();
    let manifest = archive.read("manifest.json").unwrap();
    let mut manifest: Manifest = json::read(&manifest).unwrap();
    manifest.files.clear();
    let mut out = Vec::new();
    let mut writer = ArchiveWriter::new(&mut out);
    for name in names.iter().filter(|name| !name.starts_with("manifest.")) {
        let read = archive.read(name).unwrap();
        let parsed = FileName::parse(name).unwrap();
        if let Some(content) = change(parsed, read) {
            manifest.files.push(PackFile::of(&parsed, &content));
            writer.add(name, &content).unwrap();
        }
    }
    manifest.by = by.public();
    bend(&mut manifest);
    let bytes = json::write(&manifest);
    writer.add("manifest.cose", &signed::sign(&bytes, by)).unwrap();
    writer.add("manifest.json", &bytes).unwrap();
    writer.finish().unwrap();
    out
}
