//! The container of an evidence pack: a zip file of one exact form, so that every program that reads
//! it reads the same files. Never unpacks more than was announced and allowed, and knows nothing of
//! what the files mean.

mod read;
mod write;

pub use read::Archive;
pub use write::ArchiveWriter;

/// Most files in a pack: without the wide form of zip there can be no more.
pub const FILES_MAX: usize = 65_000;

/// Largest single file, unpacked. A chunk of entries has 4 MiB and one entry more, a group of records
/// is closed at 4 MiB and may end with one that has grown to its limit.
pub const FILE_BYTES_MAX: usize = 32 << 20;

/// Most bytes of all files together, unpacked: ten thousand records of a year in twenty villages.
pub const PACK_BYTES_MAX: u64 = 2 << 30;

/// Longest name of a file, in bytes.
pub const NAME_BYTES_MAX: usize = 200;

/// The summary's name is the only one that is not plain ASCII: it is what a person opens first.
pub const SUMMARY: &str = "摘要.html";

/// Fixed parts of the form.
mod form {
    pub(super) const LOCAL: u32 = 0x0403_4b50;
    pub(super) const CENTRAL: u32 = 0x0201_4b50;
    pub(super) const END: u32 = 0x0605_4b50;
    pub(super) const LOCAL_BYTES: usize = 30;
    pub(super) const CENTRAL_BYTES: usize = 46;
    pub(super) const END_BYTES: usize = 22;
    /// Version 2.0; names are UTF-8; deflate; the first day that the format can tell.
    pub(super) const VERSION: u16 = 20;
    pub(super) const FLAGS: u16 = 0x0800;
    pub(super) const DEFLATE: u16 = 8;
    pub(super) const TIME: u16 = 0;
    pub(super) const DATE: u16 = 0x0021;
}

/// What is wrong with a container.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveFault {
    /// Not the one form of zip that packs have.
    #[error("not a zip file of the form that packs have")]
    Form,
    /// Too many files, or more bytes than a pack may unpack to.
    #[error("too many files or bytes")]
    TooMuch,
    /// A name that leads elsewhere, is written otherwise or stands twice.
    #[error("a file's name is not allowed")]
    Name,
    /// A file does not unpack to what the directory says of it.
    #[error("the file {0} does not unpack to what the directory says")]
    File(String),
    /// The bytes cannot be read.
    #[error("the pack cannot be read: {0}")]
    Read(String),
}

impl ArchiveFault {
    /// What a Chinese reader is told.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Form => "不是证据包格式的 zip 文件".to_owned(),
            Self::TooMuch => "文件过多或解压后过大".to_owned(),
            Self::Name => "包内有不允许的文件名".to_owned(),
            Self::File(name) => format!("文件 {name} 解压结果与目录不符"),
            Self::Read(what) => format!("无法读取证据包：{what}"),
        }
    }
}

/// The order of files: by name, and the manifest behind all others, whose hashes it holds.
fn follows(last: &str, next: &str) -> bool {
    let place = |name: &str| name.starts_with("manifest.");
    (place(last), last) < (place(next), next)
}

/// Whether a name may stand in a pack: one to three parts of small letters, digits, `-`, `_` and
/// `.`, none of which begins with a dot; or the summary's.
fn is_name(name: &str) -> bool {
    let sound = |part: &str| {
        let digit =
            |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit() || matches!(b, b'-' | b'_' | b'.');
        !part.is_empty() && !part.starts_with('.') && part.bytes().all(digit)
    };
    let parts = name.split('/').count();
    name == SUMMARY || (name.len() <= NAME_BYTES_MAX && parts <= 3 && name.split('/').all(sound))
}

/// CRC-32 as zip has it, eight bytes at a time. It guards against damage only; the manifest's hashes
/// guard against people.
fn crc32(bytes: &[u8]) -> u32 {
    let (eights, rest) = bytes.as_chunks::<8>();
    let mut crc = u32::MAX;
    for eight in eights {
        let low = crc.to_le_bytes();
        crc = (0..8).fold(0, |sum, at| {
            let byte = if at < 4 { eight[at] ^ low[at] } else { eight[at] };
            sum ^ TABLES[7 - at][usize::from(byte)]
        });
    }
    !rest
        .iter()
        .fold(crc, |crc, byte| TABLES[0][usize::from(crc.to_le_bytes()[0] ^ byte)] ^ (crc >> 8))
}

/// What a byte does to the sum, by how many bytes follow it in its eight.
static TABLES: [[u32; 256]; 8] = tables();

const fn tables() -> [[u32; 256]; 8] {
    let mut tables = [[0; 256]; 8];
    let mut at = 0;
    while at < 256 {
        let (mut value, mut bit) = (at as u32, 0);
        while bit < 8 {
            value = if value & 1 == 1 { 0xedb8_8320 ^ (value >> 1) } else { value >> 1 };
            bit += 1;
        }
        tables[0][at] = value;
        at += 1;
    }
    let mut further = 1;
    while further < 8 {
        let mut at = 0;
        while at < 256 {
            let before = tables[further - 1][at];
            tables[further][at] = tables[0][(before & 0xff) as usize] ^ (before >> 8);
            at += 1;
        }
        further += 1;
    }
    tables
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Cursor;

    fn packed(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut writer = ArchiveWriter::new(&mut bytes);
        for (name, content) in files {
            writer.add(name, content).unwrap();
        }
        writer.finish().unwrap();
        bytes
    }

    #[test]
    fn what_is_packed_is_unpacked() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        assert_eq!(crc32(b"The quick brown fox jumps over the lazy dog"), 0x414f_a339);
        let long = b"entry ".repeat(10_000);
        let files =
            [("a.json", &b"{}"[..]), ("entries/00/1.cbor", &long), (SUMMARY, "村".as_bytes())];
        let mut archive = Archive::open(Cursor::new(packed(&files))).unwrap();
        let names: Vec<&str> = archive.names().collect();
        assert_eq!(names, ["a.json", "entries/00/1.cbor", SUMMARY]);
        for (name, content) in files {
            assert_eq!(archive.read(name).unwrap(), content);
        }
    }

    #[test]
    fn names_that_lead_elsewhere_are_refused() {
        for name in
            ["", "/a", "../a", "a/../b", "a//b", "a\\b", "C:a", "A", "a/", ".a", "村", "a/b/c/d"]
        {
            assert!(!is_name(name), "{name}");
        }
        let mut bytes = Vec::new();
        assert_eq!(ArchiveWriter::new(&mut bytes).add("../a", b""), Err(ArchiveFault::Name));
    }

    #[test]
    fn a_changed_byte_of_the_container_is_seen() {
        let good = packed(&[("a.json", b"first"), ("b.json", b"second")]);
        let read_all = |bytes: Vec<u8>| -> Result<Vec<Vec<u8>>, ArchiveFault> {
            let mut archive = Archive::open(Cursor::new(bytes))?;
            let names: Vec<String> = archive.names().map(str::to_owned).collect();
            names.iter().map(|name| archive.read(name)).collect()
        };
        let whole = read_all(good.clone()).unwrap();
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut bent = good.clone();
                bent[at] ^= 1 << bit;
                // A name of the directory may change to another name that both places bear.
                assert!(read_all(bent).map_or(true, |read| read == whole), "byte {at} bit {bit}");
            }
        }
        for cut in 0..good.len() {
            assert!(read_all(good[..cut].to_vec()).is_err());
        }
        assert!(read_all([&b"x"[..], &good].concat()).is_err());
        assert!(read_all([&good[..], b"x"].concat()).is_err());
    }

    #[test]
    fn a_bomb_unpacks_to_nothing() {
        let zeros = vec![0; 4 << 20];
        let mut bytes = packed(&[("bomb", &zeros)]);
        assert!(bytes.len() < 16_000, "four mebibytes of nothing pack well");
        // The directory announces less; so does the head before the file.
        let honest = u32::try_from(zeros.len()).unwrap().to_le_bytes();
        for at in 0..bytes.len() - 4 {
            if bytes[at..at + 4] == honest {
                bytes[at..at + 4].copy_from_slice(&100_000u32.to_le_bytes());
            }
        }
        let mut archive = Archive::open(Cursor::new(bytes)).unwrap();
        assert_eq!(archive.read("bomb"), Err(ArchiveFault::File("bomb".into())));
        assert_eq!(
            ArchiveWriter::new(&mut Vec::new()).add("bomb", &vec![0; FILE_BYTES_MAX + 1]),
            Err(ArchiveFault::TooMuch)
        );
    }

    #[test]
    fn nothing_hides_behind_a_stream() {
        let (good, hidden) = (packed(&[("a", b"first")]), b"HIDDEN");
        let directory = good.len() - form::END_BYTES - form::CENTRAL_BYTES - 1;
        let mut bytes = [&good[..directory], hidden, &good[directory..]].concat();
        let more = u8::try_from(hidden.len()).unwrap();
        let end = bytes.len() - form::END_BYTES;
        // The packed length in head and directory, and where the directory begins.
        for at in [18, directory + hidden.len() + 20, end + 16] {
            bytes[at] += more;
        }
        let mut archive = Archive::open(Cursor::new(bytes)).unwrap();
        assert_eq!(archive.read("a"), Err(ArchiveFault::File("a".into())));
    }

    #[test]
    fn files_stand_in_order_and_once() {
        let mut bytes = Vec::new();
        let mut writer = ArchiveWriter::new(&mut bytes);
        writer.add("b", b"").unwrap();
        assert_eq!(writer.add("b", b""), Err(ArchiveFault::Name));
        assert_eq!(writer.add("a", b""), Err(ArchiveFault::Name));
        writer.add("manifest.json", b"").unwrap();
        assert_eq!(writer.add("n", b""), Err(ArchiveFault::Name));
    }
}
