//! The key files of a node, all in `keys/`: `machine.json`, `office.json`, `people/<n>.json`, and the
//! wrong tries at each in `tries.json`. Writes nothing that opens without a passphrase or this PC.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use xw_custody::machine::{MachineFile, MachineKeys};
use xw_custody::{KeyPurpose, Operators, SealedKey, Tries, Wait};
use xw_schemas::id::PublicKey;
use zeroize::Zeroizing;

use super::making::NewKeys;
use crate::clock;
use crate::folder::{write_secret, write_whole};
use crate::trouble::{Answer, Trouble, file_zh};

/// Largest file read here: far over the limit of each kind, which its own reader knows.
const FILE_BYTES_MAX: u64 = 1 << 20;

/// Where a node's key files lie.
#[derive(Debug, Clone)]
pub(crate) struct KeyFiles(PathBuf);

/// A person's key under a passphrase, and the number of its file.
#[derive(Debug, Clone)]
pub(crate) struct PersonFile {
    pub(crate) number: u32,
    pub(crate) key: SealedKey,
}

impl KeyFiles {
    pub(crate) fn at(folder: PathBuf) -> Self {
        Self(folder)
    }

    fn machine_path(&self) -> PathBuf {
        self.0.join("machine.json")
    }

    fn office_path(&self) -> PathBuf {
        self.0.join("office.json")
    }

    fn tries_path(&self) -> PathBuf {
        self.0.join("tries.json")
    }

    fn people_path(&self) -> PathBuf {
        self.0.join("people")
    }

    /// Whether a node's keys lie here.
    pub(crate) fn are_there(&self) -> bool {
        self.machine_path().exists()
    }

    /// Makes the folders that the files lie in.
    pub(crate) fn make(&self) -> std::io::Result<()> {
        fs::create_dir_all(self.people_path())
    }

    /// Writes the files of a new node.
    pub(crate) fn write_new(&self, new: &NewKeys) -> Answer<()> {
        self.make()?;
        for (number, key) in (1..).zip(&new.people) {
            self.write_person(&PersonFile { number, key: key.clone() })?;
        }
        self.write_operators(&new.operators)?;
        self.write_machine(&new.file)
    }

    /// The file of the PC's own keys.
    pub(crate) fn machine(&self) -> Answer<MachineFile> {
        let path = self.machine_path();
        let text = read(&path)?;
        MachineFile::read(&text).map_err(|fault| damaged(&path, &fault.zh(), &fault.to_string()))
    }

    /// The PC's own keys, opened by whatever sealed them.
    pub(crate) fn machine_keys(&self) -> Answer<MachineKeys> {
        self.machine()?.open().map_err(|error| {
            Trouble::new(
                "key",
                format!(
                    "本机密钥无法打开：{}。可运行 xiangwang keys reseal 用口令恢复",
                    error.zh()
                ),
                format!("the PC's keys do not open: {error}; xiangwang keys reseal restores them"),
            )
        })
    }

    pub(crate) fn write_machine(&self, file: &MachineFile) -> Answer<()> {
        Ok(write_secret(&self.machine_path(), &file.text())?)
    }

    /// The operators and the office's key, wrapped for each.
    pub(crate) fn operators(&self) -> Answer<Operators> {
        let path = self.office_path();
        let text = read(&path)?;
        Operators::read(&text).map_err(|fault| damaged(&path, &fault.zh(), &fault.to_string()))
    }

    pub(crate) fn write_operators(&self, operators: &Operators) -> Answer<()> {
        Ok(write_secret(&self.office_path(), &operators.text())?)
    }

    /// The people's keys, by the numbers of their files.
    pub(crate) fn people(&self) -> Answer<Vec<PersonFile>> {
        let mut people = Vec::new();
        for entry in fs::read_dir(self.people_path())? {
            let path = entry?.path();
            let number = path.file_stem().and_then(|stem| stem.to_str()?.parse().ok());
            let (Some(number), true) = (number, path.extension().is_some_and(|e| e == "json"))
            else {
                continue;
            };
            let key = SealedKey::read(&read(&path)?)
                .map_err(|fault| damaged(&path, &fault.zh(), &fault.to_string()))?;
            if key.purpose() != KeyPurpose::Person {
                return Err(damaged(&path, "不是个人密钥", "it holds no person's key"));
            }
            people.push(PersonFile { number, key });
        }
        people.sort_by_key(|person| person.number);
        Ok(people)
    }

    /// The key files of one person, the newest first: who joined twice has an old key and a new one,
    /// perhaps under two passphrases, and whichever a passphrase opens is meant. The name is not needed
    /// where one person works alone.
    pub(crate) fn of_person(&self, person: Option<&str>) -> Answer<Vec<PersonFile>> {
        let mut people = self.people()?;
        people.reverse();
        let mut names: Vec<&str> = people.iter().map(|file| file.key.label()).collect();
        names.sort_unstable();
        names.dedup();
        let name = match (person, names.as_slice()) {
            (Some(name), names) if names.contains(&name) => name.to_owned(),
            (None, [only]) => (*only).to_owned(),
            (Some(name), _) => return Err(unknown_person(name, &names)),
            (None, _) => return Err(which_person(&names)),
        };
        people.retain(|file| file.key.label() == name);
        Ok(people)
    }

    pub(crate) fn write_person(&self, person: &PersonFile) -> Answer<()> {
        let path = self.people_path().join(format!("{}.json", person.number));
        Ok(write_secret(&path, &person.key.text())?)
    }

    /// Keeps one more person's key, or the same one's anew.
    pub(crate) fn add_person(&self, key: &SealedKey) -> Answer<()> {
        let people = self.people()?;
        let same = people.iter().find(|person| person.key.public() == key.public());
        let free = people.iter().map(|person| person.number).max().unwrap_or(0) + 1;
        let number = same.map_or(free, |person| person.number);
        self.write_person(&PersonFile { number, key: key.clone() })
    }

    /// Takes a person's key away.
    pub(crate) fn remove_person(&self, key: &PublicKey) -> Answer<()> {
        for person in self.people()?.iter().filter(|person| person.key.public() == *key) {
            fs::remove_file(self.people_path().join(format!("{}.json", person.number)))?;
        }
        Ok(())
    }

    /// Asks for a try at the keys of one person, and writes down that it was made: who ends the program
    /// and starts it again has not begun anew. Answers the keys that may be tried now, and how many
    /// wrong tries came before.
    pub(crate) fn begin_try(&self, files: Vec<PersonFile>) -> Answer<(Vec<PersonFile>, u32)> {
        let (mut all, now_ms) = (self.tries(), clock::now_ms());
        let (mut before, mut first_wait) = (0, None);
        let mut begins = |file: &PersonFile| {
            let tries = all.entry(file.key.public().to_string()).or_default();
            let failed = tries.failed();
            match tries.begin(now_ms) {
                Ok(()) => before = before.max(failed),
                Err(wait) => {
                    first_wait.get_or_insert(wait);
                    return false;
                }
            }
            true
        };
        let files: Vec<PersonFile> = files.into_iter().filter(|file| begins(file)).collect();
        if let (true, Some(wait)) = (files.is_empty(), first_wait) {
            return Err(too_soon(&wait));
        }
        self.write_tries(&all)?;
        Ok((files, before))
    }

    /// The try was right for one of them: whoever made it is that person.
    pub(crate) fn try_succeeded(&self, files: &[PersonFile]) -> Answer<()> {
        let mut all = self.tries();
        for file in files {
            all.remove(&file.key.public().to_string());
        }
        self.write_tries(&all)
    }

    /// A file that cannot be read holds nobody up: whoever can write here can also copy the keys.
    fn tries(&self) -> BTreeMap<String, Tries> {
        let text = fs::read_to_string(self.tries_path()).unwrap_or_default();
        serde_json::from_str(&text).unwrap_or_default()
    }

    fn write_tries(&self, tries: &BTreeMap<String, Tries>) -> Answer<()> {
        let text = serde_json::to_string(tries).expect("plain data");
        Ok(write_whole(&self.tries_path(), text.as_bytes(), true)?)
    }
}

/// A recovery key out of the text of its file, which lies elsewhere.
pub(crate) fn recovery_key(text: &str) -> Answer<SealedKey> {
    let key = SealedKey::read(text)?;
    match key.purpose() {
        KeyPurpose::Recovery => Ok(key),
        other => Err(Trouble::new(
            "key",
            format!("该文件不是恢复密钥，而是{}", other.zh()),
            format!("that file holds no recovery key but a {} key", other.word()),
        )),
    }
}

fn unknown_person(name: &str, names: &[&str]) -> Trouble {
    Trouble::new(
        "person",
        format!("这里没有经办人“{name}”的密钥。经办人有：{}", names.join("、")),
        format!("no key of {name} lies here; people here: {}", names.join(", ")),
    )
}

fn which_person(names: &[&str]) -> Trouble {
    Trouble::new(
        "which-person",
        format!("有多名经办人（{}），请用 --person 写明是谁", names.join("、")),
        format!("several people work here ({}); say who: --person", names.join(", ")),
    )
}

fn too_soon(wait: &Wait) -> Trouble {
    Trouble::new("wait", wait.zh(), wait.to_string())
}

fn read(path: &Path) -> Answer<Zeroizing<String>> {
    let bounded = || {
        use std::io::Read as _;
        let mut text = Zeroizing::new(String::with_capacity(64 * 1024));
        fs::File::open(path)?.take(FILE_BYTES_MAX).read_to_string(&mut text)?;
        Ok::<_, std::io::Error>(text)
    };
    bounded().map_err(|error| {
        let zh = format!("密钥文件 {} 无法读取：{}", path.display(), file_zh(&error));
        Trouble::because("key", zh, &format!("cannot read the key file {}", path.display()), error)
    })
}

fn damaged(path: &Path, zh: &str, en: &str) -> Trouble {
    Trouble::new(
        "key",
        format!("密钥文件 {} 有误：{zh}", path.display()),
        format!("the key file {} is not valid: {en}", path.display()),
    )
}
