//! What an auditor brings beside the pack: bodies, statements, receipts, out of files. Reads no more of a
//! file than what it is brought as may have.

use std::ffi::OsStr;
use std::fs::File;
use std::io::{Error, ErrorKind, Read as _};
use std::path::Path;

use xw_audit::archive::{Archive, FILE_BYTES_MAX};
use xw_audit::pack::{FileName, read_bodies};
use xw_audit::receipt::PAGE_BYTES_MAX;

/// First bytes of a pack's container.
const PACK: &[u8] = b"PK";

/// First letters of a receipt's text.
const RECEIPT: &str = "XW1";

/// The bodies in a file: those of a pack, those of a pack's file of bodies, or a single one.
pub(crate) fn bodies(path: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    // One byte more than any may have, so that a longer file matches nothing.
    let bytes = read_up_to(path, FILE_BYTES_MAX + 1)?;
    if bytes.starts_with(PACK) {
        return bodies_of_pack(path);
    }
    Ok(match read_bodies(&bytes) {
        Ok(bodies) => bodies.into_iter().map(|(_, body)| body.to_vec()).collect(),
        Err(_) => vec![bytes],
    })
}

/// Nothing but the bodies is taken from such a pack, and each proves itself by what its entry binds.
fn bodies_of_pack(path: &Path) -> std::io::Result<Vec<Vec<u8>>> {
    let unreadable = |why: String| Error::new(ErrorKind::InvalidData, why);
    let mut archive = Archive::open(File::open(path)?)
        .map_err(|fault| unreadable(format!("{} / {fault}", fault.zh())))?;
    let is_bodies = |name: &&str| matches!(FileName::parse(name), Some(FileName::Bodies(_)));
    let names: Vec<String> = archive.names().filter(is_bodies).map(str::to_owned).collect();
    let mut all = Vec::new();
    for name in names {
        let bytes = archive.read(&name).map_err(|fault| unreadable(fault.to_string()))?;
        let bodies = read_bodies(&bytes).map_err(|fault| unreadable(fault.to_string()))?;
        all.extend(bodies.into_iter().map(|(_, body)| body.to_vec()));
    }
    Ok(all)
}

/// A signed statement; what is longer than any is read in part and verifies as nothing.
pub(crate) fn statement(path: &Path) -> std::io::Result<Vec<u8>> {
    read_up_to(path, FILE_BYTES_MAX)
}

/// A receipt's text as it was given, or out of the page that was saved.
pub(crate) fn receipt(given: &OsStr) -> std::io::Result<String> {
    let text = given.to_string_lossy();
    if text.trim_start().to_ascii_uppercase().starts_with(RECEIPT) {
        return Ok(text.into_owned());
    }
    let bytes = read_up_to(Path::new(given), PAGE_BYTES_MAX)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn read_up_to(path: &Path, most: usize) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(most as u64).read_to_end(&mut bytes)?;
    Ok(bytes)
}
