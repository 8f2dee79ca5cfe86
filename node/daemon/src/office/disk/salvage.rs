//! A damaged database is set aside with everything that belongs to it, and what can be read of it goes
//! into a new one. Wherever that is cut short, the next start goes on or begins again; what people
//! have typed since is never undone. Writes nothing in the damaged files.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use xw_custody::OfficeKey;
use xw_schemas::edition::Edition;
use xw_schemas::id::PublicKey;
use xw_schemas::record::builtin;
use xw_store::{Founding, Salvaged, Store, StoreError, StoreKeys, sync_folder};

use super::Leftovers;
use crate::clock;
use crate::folder::{Folder, write_whole};
use crate::office::Office;
use crate::trouble::{Answer, Trouble};

/// Says that a salvage is under way, and where the damaged files are.
const UNDER_WAY: &str = "salvage.json";

/// Where the new database remembers which salvage it came from, once that is done.
const DONE: &str = "salvaged";

/// The files that belong to a database and lie beside [`DATABASE`].
const BESIDE: [&str; 8] = [
    "store.db-wal",
    "store.db-shm",
    "view.db",
    "view.db-wal",
    "view.db-shm",
    "store.high",
    "store.tick",
    "store.ballast",
];

/// Moved last, and taken away last: with it moved, all are.
const DATABASE: &str = "store.db";

/// What was saved of a damaged database.
#[derive(Debug, Clone)]
pub(crate) struct Salvage {
    /// Where the damaged files lie.
    folder: PathBuf,
    /// Nothing when not even the first page opened.
    saved: Option<Salvaged>,
    begun: UnderWay,
}

/// What [`UNDER_WAY`] says.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct UnderWay {
    /// The name of the folder of the damaged files.
    folder: String,
    /// Tells this salvage from every other: the new database has it when it is done.
    #[serde(default)]
    token: String,
    /// Folders of salvages that this one came in the middle of.
    #[serde(default)]
    before: Vec<String>,
}

impl UnderWay {
    fn new(folder: String, before: Vec<String>) -> Self {
        Self { folder, token: clock::token(), before }
    }

    fn read(folder: &Path) -> Option<Self> {
        let text = fs::read_to_string(folder.join(UNDER_WAY)).ok()?;
        serde_json::from_str(&text).ok()
    }

    fn write(&self, folder: &Path) -> io::Result<()> {
        let text = serde_json::to_string(self).expect("plain data");
        write_whole(&folder.join(UNDER_WAY), text.as_bytes(), false)
    }

    fn remove(folder: &Path) -> io::Result<()> {
        fs::remove_file(folder.join(UNDER_WAY))?;
        // Some file systems give an old name back after a power cut, and with it this salvage.
        sync_folder(folder)
    }
}

/// Opens a node's database. A damaged one is set aside, and what can be read of it goes into a new
/// one; an interrupted salvage is begun again.
pub(crate) fn open(
    folder: &Folder,
    keys: &StoreKeys,
    own: PublicKey,
) -> Answer<(Store, Option<Salvage>)> {
    let begun = match UnderWay::read(folder.path()) {
        Some(begun) if !folder.path().join(&begun.folder).join(DATABASE).exists() => begun,
        noted => match try_open(folder, keys, noted)? {
            Tried::Sound(store) => return Ok((*store, None)),
            Tried::Unfinished(begun) => begun,
            Tried::Damaged(before) => UnderWay::new(aside(folder.path()), before),
        },
    };
    let founding = founding(folder, keys)?;
    let aside = folder.path().join(&begun.folder);
    begun.write(folder.path())?;
    set_aside(folder.path(), &aside)?;
    let (store, saved) = salvage(&aside.join(DATABASE), folder, &founding, keys, own)?;
    let salvage = Salvage { folder: aside, saved, begun };
    salvage.tell();
    Ok((store, Some(salvage)))
}

/// What the database in its place is.
enum Tried {
    Sound(Box<Store>),
    /// What a salvage had begun to make.
    Unfinished(UnderWay),
    /// Damaged; with the folders of salvages that had not come to their end.
    Damaged(Vec<String>),
}

/// Opens the database in its place, beside which a salvage may be noted that moved an earlier one.
fn try_open(folder: &Folder, keys: &StoreKeys, noted: Option<UnderWay>) -> Answer<Tried> {
    match (Store::open(&folder.store_path(), Some(keys.clone())), noted) {
        (Ok(store), None) => {
            keep_founding(folder, &store, keys)?;
            Ok(Tried::Sound(Box::new(store)))
        }
        (Ok(store), Some(noted)) => {
            let done = store.note(DONE)?;
            if done.is_none_or(|token| token != noted.token.as_bytes()) {
                return Ok(Tried::Unfinished(noted));
            }
            // It was done, and people have gone on working: only its note is still there.
            UnderWay::remove(folder.path())?;
            Ok(Tried::Sound(Box::new(store)))
        }
        (Err(StoreError::Missing { .. }), Some(noted)) => Ok(Tried::Unfinished(noted)),
        (Err(error), noted) if error.is_damage() => {
            tracing::error!(%error, "the database is damaged and is set aside");
            let before = noted.into_iter().flat_map(|noted| {
                let UnderWay { folder, mut before, .. } = noted;
                before.push(folder);
                before
            });
            Ok(Tried::Damaged(before.collect()))
        }
        (Err(error), _) => Err(error.into()),
    }
}

/// The new life is noted: the salvage is done.
pub(crate) fn salvaged(folder: &Folder, store: &mut Store, salvage: &Salvage) -> Answer<()> {
    for before in &salvage.begun.before {
        Leftovers::note(store, before, &Salvaged::default())?;
    }
    if let Some(saved) = salvage.saved.filter(Salvaged::leaves_some) {
        Leftovers::note(store, &salvage.begun.folder, &saved)?;
    }
    store.set_note(DONE, Some(salvage.begun.token.as_bytes()))?;
    Ok(UnderWay::remove(folder.path())?)
}

fn salvage(
    damaged: &Path,
    folder: &Folder,
    founding: &Edition,
    keys: &StoreKeys,
    own: PublicKey,
) -> Answer<(Store, Option<Salvaged>)> {
    let fresh = folder.store_path();
    let begin = || Founding { founding: founding.clone(), definitions: builtin(), own: Some(own) };
    clear(folder.path())?;
    match Store::salvage(damaged, &fresh, begin(), Some(keys.clone())) {
        Ok((store, saved)) => return Ok((store, Some(saved))),
        Err(error) if error.is_damage() || matches!(error, StoreError::WrongMachineKey { .. }) => {
            tracing::error!(%error, "nothing can be read of the damaged database");
        }
        Err(error) => return Err(error.into()),
    }
    clear(folder.path())?;
    let Founding { founding, definitions, own } = begin();
    Ok((Store::create(&fresh, founding, definitions, own, Some(keys.clone()))?, None))
}

impl Salvage {
    fn zh(&self) -> String {
        let at = self.folder.display();
        match &self.saved {
            Some(saved) => format!(
                "数据库文件损坏，已移到 {at}，并从中救出条目 {} 个（含内容 {} 个）、名册 {} 版；读不出 {} 处、验不过 {} 个、暂无所接续的 {} 个。缺少的部分将向邻居取回，本机改用新日志继续办理。请尽快检查或更换磁盘",
                saved.entries,
                saved.bodies,
                saved.editions,
                saved.unreadable,
                saved.unverified,
                saved.unplaced + saved.editions_unplaced,
            ),
            None => format!(
                "数据库文件损坏，已移到 {at}，从中读不出任何内容。全部条目将向邻居取回；只存在本机、邻居没有的内容无法恢复，请用备份或纸质材料核对。请尽快更换磁盘"
            ),
        }
    }

    fn en(&self) -> String {
        let at = self.folder.display();
        match &self.saved {
            Some(saved) => format!(
                "the database was damaged and lies in {at}; saved were {} entries, {} bodies and {} roster editions; {} places could not be read, {} entries do not verify, {} lack what they follow on. What is missing comes from neighbours, and this node goes on in new logs. Have the disk looked at",
                saved.entries,
                saved.bodies,
                saved.editions,
                saved.unreadable,
                saved.unverified,
                saved.unplaced + saved.editions_unplaced,
            ),
            None => format!(
                "the database was damaged, lies in {at}, and nothing in it can be read. Everything is fetched from neighbours; what no neighbour has is lost, unless a backup has it. Replace the disk"
            ),
        }
    }

    /// Tells the person who starts the node or runs a command.
    fn tell(&self) {
        use io::Write as _;
        tracing::error!(saved = ?self.saved, "a damaged database was set aside");
        let _ = writeln!(io::stderr(), "{}\n{}", self.zh(), self.en());
    }

    fn json(&self) -> Json {
        let saved = self.saved.as_ref().map(|saved| {
            json!({
                "entries": saved.entries, "bodies": saved.bodies, "editions": saved.editions,
                "unreadable": saved.unreadable, "unverified": saved.unverified,
                "unplaced": saved.unplaced,
            })
        });
        let folder = self.folder.display().to_string();
        json!({"folder": folder, "saved": saved, "zh": self.zh(), "en": self.en()})
    }
}

impl Office {
    /// What a salvage brought, and what it left behind until now, which later starts say too.
    pub(super) fn salvage_json(&self) -> Option<Json> {
        let left = self.leftovers.told(self.folder.path());
        let Some(salvage) = &self.salvage else {
            return left.map(|(zh, en)| json!({"zh": zh, "en": en}));
        };
        let mut told = salvage.json();
        if let Some((zh, en)) = left {
            told["zh"] = json!(format!("{}。{zh}", salvage.zh()));
            told["en"] = json!(format!("{}. {en}", salvage.en()));
        }
        Some(told)
    }
}

/// Keeps the edition that begins the network where a damaged database does not take it along.
/// The edition names people of the county, and so it lies under the PC's own key as the database does.
fn keep_founding(folder: &Folder, store: &Store, keys: &StoreKeys) -> Answer<()> {
    let path = folder.founding_path();
    if path.exists() {
        return Ok(());
    }
    let under = OfficeKey::from_seed(&keys.machine);
    let bytes = under.encrypt(store.chain().founding().bytes(), &mut clock::fill);
    Ok(write_whole(&path, &bytes, true)?)
}

fn founding(folder: &Folder, keys: &StoreKeys) -> Answer<Edition> {
    let path = folder.founding_path();
    let under = OfficeKey::from_seed(&keys.machine);
    let bytes = fs::read(&path).ok().and_then(|bytes| under.decrypt(&bytes));
    let edition = bytes.and_then(|bytes| Edition::decode(bytes).ok());
    edition.ok_or_else(|| {
        Trouble::new(
            "store",
            format!(
                "数据库文件已损坏，且找不到 {}，无法自动恢复。请勿改动节点目录，把它整个另存，然后用备份恢复（xiangwang restore）或请乡镇重新邀请",
                path.display()
            ),
            format!(
                "the database is damaged and {} is not there, so nothing is done by itself; keep the whole folder as it is, then restore a backup or ask the township for an invitation",
                path.display()
            ),
        )
    })
}

/// A name for the damaged files that is not taken.
fn aside(folder: &Path) -> String {
    let day = clock::stamp(clock::now_ms());
    let plain: String = day.chars().filter(char::is_ascii_digit).collect();
    let name = format!("damaged-{plain}");
    let taken = |name: &str| folder.join(name).exists();
    let more = (2..).map(|n| format!("{name}-{n}"));
    std::iter::once(name.clone()).chain(more).find(|name| !taken(name)).unwrap_or(name)
}

/// Moves the files together, the database last and only when the others are sure to have moved. With
/// that one there, the rest is there too.
fn set_aside(folder: &Path, aside: &Path) -> Answer<()> {
    fs::create_dir_all(aside)?;
    if aside.join(DATABASE).exists() {
        return Ok(());
    }
    for names in [&BESIDE[..], &[DATABASE]] {
        for name in names {
            unless_missing(fs::rename(folder.join(name), aside.join(name)))?;
        }
        sync_folder(aside)?;
        sync_folder(folder)?;
    }
    Ok(())
}

/// Takes away what an interrupted salvage began to make.
fn clear(folder: &Path) -> io::Result<()> {
    for name in BESIDE.into_iter().chain([DATABASE]) {
        unless_missing(fs::remove_file(folder.join(name)))?;
    }
    Ok(())
}

fn unless_missing(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
