//! Says whether foreign bytes are an .xlsx container of bounded size. Never looks into the sheets.

use std::io::{Cursor, Read, sink};

use crate::error::WorkbookError;
use crate::limits::{FILE_BYTES_MAX, PART_BYTES_MAX, PARTS_MAX, UNPACKED_BYTES_MAX};

/// First bytes of an OLE2 compound file: .xls, .et, and encrypted .xlsx.
const OLE2: &[u8] = &[0xD0, 0xCF, 0x11, 0xE0, 0xA1, 0xB1, 0x1A, 0xE1];

/// Checks that the bytes are a workbook that can be opened within our bounds.
///
/// Every part is really unpacked once and counted: the sizes in a zip directory are claims.
pub(crate) fn check(bytes: &[u8]) -> Result<(), WorkbookError> {
    if bytes.len() > FILE_BYTES_MAX {
        return Err(WorkbookError::TooLarge { bytes: bytes.len() });
    }
    if bytes.starts_with(OLE2) {
        let protected = contains(bytes, &utf16("EncryptedPackage"));
        return Err(if protected {
            WorkbookError::PasswordProtected
        } else {
            WorkbookError::OldFormat
        });
    }
    if !bytes.starts_with(b"PK") {
        return Err(WorkbookError::NotAWorkbook { what: looks_like(bytes) });
    }
    unpack(bytes)
}

fn unpack(bytes: &[u8]) -> Result<(), WorkbookError> {
    let mut archive =
        zip::ZipArchive::new(Cursor::new(bytes)).map_err(|_| WorkbookError::Damaged)?;
    if archive.len() > PARTS_MAX {
        return Err(WorkbookError::Bomb { what: "too many parts" });
    }
    let mut claimed = 0u64;
    let (mut has_book, mut has_binary_book) = (false, false);
    for index in 0..archive.len() {
        let part = archive.by_index_raw(index).map_err(|_| WorkbookError::Damaged)?;
        if part.encrypted() {
            return Err(WorkbookError::PasswordProtected);
        }
        claimed = claimed.saturating_add(part.size());
        if part.size() > PART_BYTES_MAX || claimed > UNPACKED_BYTES_MAX {
            return Err(WorkbookError::Bomb { what: "parts too large" });
        }
        let name = part.name().map_err(|_| WorkbookError::Damaged)?.to_ascii_lowercase();
        has_book |= name.ends_with("workbook.xml");
        has_binary_book |= name.ends_with("workbook.bin");
    }
    if !has_book {
        let what =
            if has_binary_book { "a binary workbook" } else { "a zip archive of something else" };
        return Err(WorkbookError::NotAWorkbook { what });
    }
    let mut unpacked = 0u64;
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|_| WorkbookError::Damaged)?;
        let mut bounded = part.take(PART_BYTES_MAX + 1);
        let size = std::io::copy(&mut bounded, &mut sink()).map_err(|_| WorkbookError::Damaged)?;
        unpacked = unpacked.saturating_add(size);
        if size > PART_BYTES_MAX || unpacked > UNPACKED_BYTES_MAX {
            return Err(WorkbookError::Bomb { what: "parts too large" });
        }
    }
    Ok(())
}

fn looks_like(bytes: &[u8]) -> &'static str {
    let start = bytes.trim_ascii_start();
    let start = start.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(start);
    if start.is_empty() {
        "an empty file"
    } else if start.starts_with(b"<") {
        "a web page"
    } else if start.starts_with(b"%PDF") || start.starts_with(b"\xFF\xD8") || is_png(start) {
        "a picture or PDF"
    } else if start.iter().take(512).all(|byte| *byte >= 0x20 || byte.is_ascii_whitespace()) {
        "text"
    } else {
        "unknown bytes"
    }
}

fn is_png(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\x89PNG")
}

fn utf16(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_le_bytes).collect()
}

fn contains(bytes: &[u8], wanted: &[u8]) -> bool {
    bytes.windows(wanted.len()).any(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_files_are_named_for_what_they_are() {
        for (bytes, what) in [
            (&b""[..], "an empty file"),
            (b"<html><table>", "a web page"),
            (b"%PDF-1.7", "a picture or PDF"),
            (b"a,b,c\n1,2,3", "text"),
            (&[0u8, 1, 2, 3], "unknown bytes"),
        ] {
            assert_eq!(check(bytes), Err(WorkbookError::NotAWorkbook { what }));
        }
    }

    #[test]
    fn old_and_protected_workbooks_are_told_apart() {
        let mut old = OLE2.to_vec();
        old.extend_from_slice(&[0; 600]);
        assert_eq!(check(&old), Err(WorkbookError::OldFormat));
        old.extend(utf16("EncryptedPackage"));
        assert_eq!(check(&old), Err(WorkbookError::PasswordProtected));
    }

    #[test]
    fn a_file_above_the_bound_is_not_even_looked_at() {
        let bytes = vec![b'P'; FILE_BYTES_MAX + 1];
        assert_eq!(check(&bytes), Err(WorkbookError::TooLarge { bytes: FILE_BYTES_MAX + 1 }));
    }
}
