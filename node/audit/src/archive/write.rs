//! Writes a pack's container, file after file, in the order of their names.

use std::io::Write;

use super::{
    ArchiveFault, FILE_BYTES_MAX, FILES_MAX, PACK_BYTES_MAX, crc32, follows, form, is_name,
};

/// How hard the deflater tries: the middle of its scale; signatures and hashes do not shrink anyway.
const DEFLATE_LEVEL: u8 = 6;

/// Takes files and writes them out at once; only the directory is kept.
#[derive(Debug)]
pub struct ArchiveWriter<W: Write> {
    out: W,
    directory: Vec<u8>,
    last: String,
    files: u16,
    written: u32,
    unpacked: u64,
}

impl<W: Write> ArchiveWriter<W> {
    /// An empty container.
    pub fn new(out: W) -> Self {
        let (directory, last) = (Vec::new(), String::new());
        Self { out, directory, last, files: 0, written: 0, unpacked: 0 }
    }

    /// Adds a file. Names ascend, the manifest's last, so that a set of files has one container.
    pub fn add(&mut self, name: &str, content: &[u8]) -> Result<(), ArchiveFault> {
        if !is_name(name) || !follows(&self.last, name) {
            return Err(ArchiveFault::Name);
        }
        self.unpacked += content.len() as u64;
        let crowded = usize::from(self.files) >= FILES_MAX;
        if crowded || content.len() > FILE_BYTES_MAX || self.unpacked > PACK_BYTES_MAX {
            return Err(ArchiveFault::TooMuch);
        }
        let packed = miniz_oxide::deflate::compress_to_vec(content, DEFLATE_LEVEL);
        let common = common(name, content, &packed)?;
        let mut head = form::LOCAL.to_le_bytes().to_vec();
        head.extend(&common);
        head.extend(name.as_bytes());
        self.directory.extend(form::CENTRAL.to_le_bytes());
        self.directory.extend(form::VERSION.to_le_bytes());
        self.directory.extend(&common);
        // No comment, first disk, no attributes.
        self.directory.extend([0; 10]);
        self.directory.extend(self.written.to_le_bytes());
        self.directory.extend(name.as_bytes());
        self.write(&head)?;
        self.write(&packed)?;
        name.clone_into(&mut self.last);
        self.files += 1;
        Ok(())
    }

    /// Writes the directory; gives back what was written to.
    pub fn finish(mut self) -> Result<W, ArchiveFault> {
        let directory = std::mem::take(&mut self.directory);
        let (at, files) = (self.written, self.files.to_le_bytes());
        let length = u32::try_from(directory.len()).map_err(|_| ArchiveFault::TooMuch)?;
        let mut end = form::END.to_le_bytes().to_vec();
        end.extend([0; 4]);
        end.extend([files, files].concat());
        end.extend(length.to_le_bytes());
        end.extend(at.to_le_bytes());
        end.extend([0; 2]);
        self.write(&directory)?;
        self.write(&end)?;
        self.out.flush().map_err(|error| ArchiveFault::Read(error.to_string()))?;
        Ok(self.out)
    }

    fn write(&mut self, bytes: &[u8]) -> Result<(), ArchiveFault> {
        let length = u32::try_from(bytes.len()).map_err(|_| ArchiveFault::TooMuch)?;
        self.written = self.written.checked_add(length).ok_or(ArchiveFault::TooMuch)?;
        self.out.write_all(bytes).map_err(|error| ArchiveFault::Read(error.to_string()))
    }
}

/// What head and directory say alike, from the version needed to the length of the extra field.
fn common(name: &str, content: &[u8], packed: &[u8]) -> Result<Vec<u8>, ArchiveFault> {
    let length = |bytes: &[u8]| u32::try_from(bytes.len()).map_err(|_| ArchiveFault::TooMuch);
    let name_length = u16::try_from(name.len()).map_err(|_| ArchiveFault::Name)?;
    let fixed = [form::VERSION, form::FLAGS, form::DEFLATE, form::TIME, form::DATE];
    let mut bytes: Vec<u8> = fixed.into_iter().flat_map(u16::to_le_bytes).collect();
    for value in [crc32(content), length(packed)?, length(content)?] {
        bytes.extend(value.to_le_bytes());
    }
    bytes.extend(name_length.to_le_bytes());
    bytes.extend([0; 2]);
    Ok(bytes)
}
