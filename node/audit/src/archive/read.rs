//! Reads a pack's container: the directory at once, files when they are asked for. Refuses whatever
//! the writer would not write, before it gives memory to it.

use std::collections::BTreeMap;
use std::io::{Read, Seek, SeekFrom};

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};

use super::{
    ArchiveFault, FILE_BYTES_MAX, FILES_MAX, NAME_BYTES_MAX, PACK_BYTES_MAX, crc32, follows, form,
    is_name,
};

/// A pack's container.
#[derive(Debug)]
pub struct Archive<R> {
    from: R,
    files: BTreeMap<String, Slot>,
}

/// Where a file lies and what the directory says of it.
#[derive(Debug, Clone)]
struct Slot {
    at: u64,
    crc: u32,
    packed: usize,
    length: usize,
    /// What the head before the file must repeat.
    common: [u8; COMMON_BYTES],
}

/// Bytes that head and directory have in common, from the version needed to the extra field's length.
const COMMON_BYTES: usize = 26;

impl<R: Read + Seek> Archive<R> {
    /// Reads the directory.
    pub fn open(mut from: R) -> Result<Self, ArchiveFault> {
        let length = from.seek(SeekFrom::End(0)).map_err(failed)?;
        let end_at = length.checked_sub(form::END_BYTES as u64).ok_or(ArchiveFault::Form)?;
        let end = read_at(&mut from, end_at, form::END_BYTES)?;
        let mut end = Fields(&end);
        let (signature, disks) = (end.u32()?, end.u32()?);
        let (here, files) = (end.u16()?, end.u16()?);
        let (size, at, comment) = (end.u32()?, end.u32()?, end.u16()?);
        let sound = signature == form::END && disks == 0 && here == files && comment == 0;
        if !sound || u64::from(at) + u64::from(size) != end_at {
            return Err(ArchiveFault::Form);
        }
        let size = size as usize;
        if usize::from(files) > FILES_MAX
            || size > usize::from(files) * (form::CENTRAL_BYTES + NAME_BYTES_MAX)
        {
            return Err(ArchiveFault::TooMuch);
        }
        let directory = read_at(&mut from, u64::from(at), size)?;
        let files = directory_of(&directory, usize::from(files), u64::from(at))?;
        Ok(Self { from, files })
    }

    /// The names of all files, ascending.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// How long a file is; `None` when there is none of that name.
    #[must_use]
    pub fn length(&self, name: &str) -> Option<usize> {
        self.files.get(name).map(|slot| slot.length)
    }

    /// Unpacks a file.
    pub fn read(&mut self, name: &str) -> Result<Vec<u8>, ArchiveFault> {
        let wrong = || ArchiveFault::File(name.to_owned());
        let slot = self.files.get(name).ok_or_else(wrong)?.clone();
        let bytes = read_at(&mut self.from, slot.at, form::LOCAL_BYTES + name.len() + slot.packed)?;
        let (head, packed) = bytes.split_at(form::LOCAL_BYTES + name.len());
        let expected = [&form::LOCAL.to_le_bytes()[..], &slot.common, name.as_bytes()].concat();
        if head != expected {
            return Err(wrong());
        }
        let content = unpacked(packed, slot.length).ok_or_else(wrong)?;
        (crc32(&content) == slot.crc).then_some(content).ok_or_else(wrong)
    }
}

/// What a stream unpacks to, if that is so long and the stream ends with the bytes given: behind it
/// nothing can hide.
fn unpacked(packed: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut content = vec![0; length];
    let mut inflater = Box::<DecompressorOxide>::default();
    let flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF;
    let (status, read, written) = decompress(&mut inflater, packed, &mut content, 0, flags);
    let whole = (status, read, written) == (TINFLStatus::Done, packed.len(), length);
    whole.then_some(content)
}

/// Reads the directory. Files lie one behind the other from the first byte on, in their
/// order, with nothing between them.
fn directory_of(
    bytes: &[u8],
    count: usize,
    end: u64,
) -> Result<BTreeMap<String, Slot>, ArchiveFault> {
    let mut fields = Fields(bytes);
    let mut files: BTreeMap<String, Slot> = BTreeMap::new();
    let (mut at, mut unpacked, mut last) = (0u64, 0u64, String::new());
    for _ in 0..count {
        if fields.u32()? != form::CENTRAL || fields.u16()? != form::VERSION {
            return Err(ArchiveFault::Form);
        }
        let common: [u8; COMMON_BYTES] =
            fields.take(COMMON_BYTES)?.try_into().map_err(|_| ArchiveFault::Form)?;
        let mut inner = Fields(&common);
        let fixed = [form::VERSION, form::FLAGS, form::DEFLATE, form::TIME, form::DATE];
        for wanted in fixed {
            if inner.u16()? != wanted {
                return Err(ArchiveFault::Form);
            }
        }
        let (crc, packed, length) = (inner.u32()?, inner.u32()? as usize, inner.u32()? as usize);
        let (name_length, extra) = (usize::from(inner.u16()?), inner.u16()?);
        let nothing = fields.take(10)?.iter().all(|byte| *byte == 0);
        let offset = u64::from(fields.u32()?);
        if extra != 0 || !nothing || offset != at {
            return Err(ArchiveFault::Form);
        }
        let name =
            std::str::from_utf8(fields.take(name_length)?).map_err(|_| ArchiveFault::Name)?;
        if !is_name(name) || !follows(&last, name) {
            return Err(ArchiveFault::Name);
        }
        name.clone_into(&mut last);
        unpacked += length as u64;
        // Deflate adds five bytes to each 16 KiB that it cannot shrink; more is something else.
        let loose = packed > length + length / 1_024 + 64;
        if length > FILE_BYTES_MAX || unpacked > PACK_BYTES_MAX || loose {
            return Err(ArchiveFault::TooMuch);
        }
        files.insert(name.to_owned(), Slot { at, crc, packed, length, common });
        at += (form::LOCAL_BYTES + name_length + packed) as u64;
    }
    if at == end && fields.0.is_empty() { Ok(files) } else { Err(ArchiveFault::Form) }
}

fn read_at<R: Read + Seek>(from: &mut R, at: u64, length: usize) -> Result<Vec<u8>, ArchiveFault> {
    from.seek(SeekFrom::Start(at)).map_err(failed)?;
    let mut bytes = Vec::new();
    // Grows with what is there and not with what is announced.
    from.take(length as u64).read_to_end(&mut bytes).map_err(failed)?;
    if bytes.len() == length { Ok(bytes) } else { Err(ArchiveFault::Form) }
}

fn failed(error: std::io::Error) -> ArchiveFault {
    ArchiveFault::Read(error.to_string())
}

/// Little-endian numbers, one after another.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], ArchiveFault> {
        let (taken, rest) = self.0.split_at_checked(count).ok_or(ArchiveFault::Form)?;
        self.0 = rest;
        Ok(taken)
    }

    fn u16(&mut self) -> Result<u16, ArchiveFault> {
        let bytes = self.take(2)?;
        Ok(u16::from_le_bytes([bytes[0], bytes[1]]))
    }

    fn u32(&mut self) -> Result<u32, ArchiveFault> {
        let bytes = self.take(4)?;
        Ok(u32::from_le_bytes([bytes[0], bytes[1], bytes[2], bytes[3]]))
    }
}
