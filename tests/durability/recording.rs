//! A recorded process's doings with its files, and what of them a crash can leave. Files are told by
//! number and not by name, because a name can go from one to another before the disk knows.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One thing done to the files of the folder.
#[derive(Debug, Clone)]
pub(crate) enum Doing {
    /// A file came to be under a name.
    Made { file: i32, name: String },
    /// Bytes were written.
    Written { file: i32, at: usize, bytes: Vec<u8> },
    /// A file was cut or lengthened.
    Cut { file: i32, length: usize },
    /// A file was made durable.
    Synced { file: i32 },
    /// The names of the folder were made durable.
    NamesSynced,
    /// A name was removed.
    Removed { name: String },
    /// A name was given to another file.
    Renamed { from: String, to: String },
    /// The process acknowledged that so many entries are stored.
    Acknowledged { entries: u32 },
}

/// Runs a test of this program once more as a process that is recorded, told by the variable `child` in
/// which folder to live. Gives the folder and what was done there; nothing, and says so, where the
/// system cannot record.
pub(crate) fn recorded(test: &str, child: &str, above: &Path) -> Option<(PathBuf, Vec<Doing>)> {
    let Some(library) = recorder(above) else {
        println!("NOT TRIED: recording needs Linux and a C compiler");
        return None;
    };
    let (lived, record) = (above.join("lived"), above.join("record"));
    std::fs::create_dir_all(&lived).unwrap();
    let done = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test])
        .env(child, &lived)
        .env("LD_PRELOAD", &library)
        .env("XW_RECORD_TO", &record)
        .env("XW_RECORD_FOLDER", &lived)
        .output()
        .unwrap();
    assert!(done.status.success(), "{done:?}");
    Some((lived, read(&std::fs::read(&record).unwrap())))
}

/// The library that records, made with the C compiler that the store needs as well.
pub(crate) fn recorder(folder: &Path) -> Option<PathBuf> {
    let library = folder.join("recorder.so");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("durability/recorder.c");
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".into());
    let made = Command::new(compiler)
        .args(["-O1", "-shared", "-fPIC", "-o"])
        .args([&library, &source])
        .arg("-ldl")
        .status();
    (cfg!(target_os = "linux") && made.is_ok_and(|status| status.success())).then_some(library)
}

/// Reads a record.
fn read(record: &[u8]) -> Vec<Doing> {
    let (mut doings, mut rest) = (Vec::new(), record);
    let mut acknowledgements = None;
    while let Some((head, after)) = rest.split_first_chunk::<32>() {
        let file = i32::from_ne_bytes(head[4..8].try_into().unwrap());
        let number = |at: usize| {
            usize::try_from(u64::from_ne_bytes(head[at..at + 8].try_into().unwrap())).unwrap()
        };
        let (at, (bytes, after)) = (number(8), after.split_at(number(16)));
        rest = after;
        let text = || String::from_utf8(bytes.to_vec()).unwrap();
        let acknowledges = acknowledgements == Some(file);
        doings.push(match head[0] {
            b'O' if text() == "ACK" => {
                acknowledgements = Some(file);
                continue;
            }
            b'O' if at == 1 => Doing::Made { file, name: text() },
            b'O' => continue,
            b'W' if acknowledges => {
                let entries = u32::from_be_bytes(bytes.try_into().unwrap());
                Doing::Acknowledged { entries }
            }
            b'T' | b'F' if acknowledges => continue,
            b'W' => Doing::Written { file, at, bytes: bytes.to_vec() },
            b'T' => Doing::Cut { file, length: at },
            b'F' => Doing::Synced { file },
            b'D' => Doing::NamesSynced,
            b'U' => Doing::Removed { name: text() },
            b'R' => {
                let both = text();
                let (from, to) = both.split_once('\0').unwrap();
                Doing::Renamed { from: from.into(), to: to.into() }
            }
            other => panic!("an unknown record {other}"),
        });
    }
    doings
}

/// Files by name, as they stand on a disk.
pub(crate) type Disk = BTreeMap<String, Vec<u8>>;

/// What is on the disk for sure, and what is on its way.
#[derive(Clone, Default)]
pub(crate) struct Machine {
    contents: BTreeMap<i32, Vec<u8>>,
    names: BTreeMap<String, i32>,
    pending: Vec<Doing>,
}

impl Machine {
    /// One more thing happens.
    pub(crate) fn step(&mut self, doing: &Doing) {
        match doing {
            // A journalling file system keeps the order of names: making one file durable makes
            // durable what was done to names before.
            Doing::Synced { file } => {
                self.settle(|pending| of(pending).is_none_or(|other| other == *file));
            }
            Doing::NamesSynced => self.settle(|pending| of(pending).is_none()),
            Doing::Acknowledged { .. } => {}
            other => self.pending.push(other.clone()),
        }
    }

    /// What is on its way and chosen arrives, in its order.
    fn settle(&mut self, chosen: impl Fn(&Doing) -> bool) {
        let (arrived, rest) = std::mem::take(&mut self.pending).into_iter().partition(chosen);
        self.pending = rest;
        let arrived: Vec<Doing> = arrived;
        arrived.iter().for_each(|doing| self.apply(doing));
    }

    fn apply(&mut self, doing: &Doing) {
        match doing {
            Doing::Made { file, name } => {
                self.names.insert(name.clone(), *file);
            }
            Doing::Written { file, at, bytes } => {
                let content = self.contents.entry(*file).or_default();
                content.resize(content.len().max(at + bytes.len()), 0);
                content[*at..at + bytes.len()].copy_from_slice(bytes);
            }
            Doing::Cut { file, length } => {
                self.contents.entry(*file).or_default().resize(*length, 0);
            }
            Doing::Removed { name } => {
                self.names.remove(name);
            }
            Doing::Renamed { from, to } => {
                if let Some(file) = self.names.remove(from) {
                    self.names.insert(to.clone(), file);
                }
            }
            Doing::Synced { .. } | Doing::NamesSynced | Doing::Acknowledged { .. } => {}
        }
    }

    fn disk(self) -> Disk {
        let content = |file: i32| self.contents.get(&file).cloned().unwrap_or_default();
        self.names.iter().map(|(name, file)| (name.clone(), content(*file))).collect()
    }

    /// The process was killed: the system still writes everything.
    pub(crate) fn after_kill(&self) -> Disk {
        let mut all = self.clone();
        all.settle(|_| true);
        all.disk()
    }

    /// The power was cut and nothing arrived that was on its way.
    pub(crate) fn after_power_cut(&self) -> Disk {
        let mut none = self.clone();
        none.pending.clear();
        none.disk()
    }

    /// The power was cut and some of it arrived: any sectors of 512 bytes, and of the names a
    /// beginning.
    pub(crate) fn after_torn_power_cut(&self, dice: &mut impl FnMut(usize) -> usize) -> Disk {
        let mut some = self.clone();
        let pending = std::mem::take(&mut some.pending);
        let names = pending.iter().filter(|doing| of(doing).is_none()).count();
        let mut names_left = dice(names + 1);
        for doing in pending {
            match &doing {
                Doing::Written { file, at, bytes } => {
                    for (nth, sector) in bytes.chunks(512).enumerate() {
                        if dice(2) == 0 {
                            let (at, bytes) = (at + nth * 512, sector.to_vec());
                            some.apply(&Doing::Written { file: *file, at, bytes });
                        }
                    }
                }
                Doing::Cut { .. } if dice(2) == 0 => {}
                Doing::Cut { .. } => some.apply(&doing),
                _ if names_left == 0 => {}
                _ => {
                    names_left -= 1;
                    some.apply(&doing);
                }
            }
        }
        some.disk()
    }
}

/// The file whose content something changes; nothing for names.
fn of(doing: &Doing) -> Option<i32> {
    match doing {
        Doing::Written { file, .. } | Doing::Cut { file, .. } => Some(*file),
        _ => None,
    }
}
