//! What is done when the disk fails: space kept back for a full one; an end after a write that failed
//! or a page that is not what was written; at the next start, saving what can be read of a damaged
//! database. From the moment at which damage is met nothing more is written to its files.

mod checkup;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use xw_custody::OfficeKey;
use xw_schemas::edition::Edition;
use xw_schemas::id::PublicKey;
use xw_schemas::record::builtin;
use xw_schemas::space::Division;
use xw_store::{BALLAST_BYTES, Founding, Salvaged, Store, StoreError, StoreKeys};

use super::Office;
use crate::clock;
use crate::folder::{Folder, write_whole};
use crate::keys::is_training;
use crate::trouble::{Answer, Trouble};

pub(crate) use checkup::Checkup;

/// Space kept back in the county of exercises, where several nodes share one disk for an hour.
const TRAINING_BALLAST_BYTES: u64 = 1 << 20;

/// How often it is seen to that the space is kept back.
const BALLAST_EVERY_MS: u64 = 3_600_000;

/// Says that a salvage is under way, and where the damaged files are.
const UNDER_WAY: &str = "salvage.json";

/// The files of a database that belong together, the database itself last: with it moved, all are.
const FILES: [&str; 9] = [
    "store.db-wal",
    "store.db-shm",
    "view.db",
    "view.db-wal",
    "view.db-shm",
    "store.high",
    "store.tick",
    "store.ballast",
    "store.db",
];

/// What the person who starts the node reads when its disk has failed.
pub(crate) const DISK_FAILED_TEXT: &str = "\
磁盘读写出错，节点已停止，没有确认的内容均未视为已保存。请重新启动节点：启动时会检查数据库，如有损坏，
会把损坏的文件移到一旁，救出可读的部分，其余向邻居取回。若再次出现，请更换磁盘。
The disk failed and the node has stopped; nothing unconfirmed counts as saved. Start it again: it looks
at the database, sets damaged files aside, saves what can be read of them and fetches the rest. Replace
the disk if it happens again.";

/// The disk has failed in a way after which nothing in memory can be trusted.
static FAILED: AtomicBool = AtomicBool::new(false);

/// Notes whether an error is of that kind; the node then ends as soon as its callers have heard.
pub(crate) fn fatal(error: &StoreError) {
    if error.is_fatal() && !FAILED.swap(true, Ordering::AcqRel) {
        tracing::error!(error = %error, "the disk failed; the node ends");
    }
}

/// Whether the node is to end.
pub(crate) fn has_failed() -> bool {
    FAILED.load(Ordering::Acquire)
}

/// Space kept back for a full disk.
pub(crate) fn ballast_bytes(division: Division) -> u64 {
    if is_training(division) { TRAINING_BALLAST_BYTES } else { BALLAST_BYTES }
}

/// What was saved of a damaged database.
#[derive(Debug, Clone)]
pub(crate) struct Salvage {
    /// Where the damaged files lie.
    folder: PathBuf,
    /// Nothing when not even the first page opened.
    saved: Option<Salvaged>,
}

/// What [`UNDER_WAY`] says.
#[derive(Debug, Serialize, Deserialize)]
struct UnderWay {
    folder: String,
}

/// Opens a node's database. A damaged one is set aside, and what can be read of it goes into a new
/// one; an interrupted salvage is begun again.
pub(super) fn open(
    folder: &Folder,
    keys: &StoreKeys,
    own: PublicKey,
) -> Answer<(Store, Option<Salvage>)> {
    let under_way = folder.path().join(UNDER_WAY);
    let noted = fs::read_to_string(&under_way).ok();
    let begun = noted.and_then(|text| serde_json::from_str::<UnderWay>(&text).ok());
    if begun.is_none() {
        match Store::open(&folder.store_path(), Some(keys.clone())) {
            Ok(store) => {
                keep_founding(folder, &store, keys)?;
                return Ok((store, None));
            }
            Err(error) if error.is_damage() => {
                tracing::error!(%error, "the database is damaged and is set aside");
            }
            Err(error) => return Err(error.into()),
        }
    }
    let founding = founding(folder, keys)?;
    let name = begun.map_or_else(|| aside(folder.path()), |begun| begun.folder);
    let aside = folder.path().join(&name);
    let text = serde_json::to_string(&UnderWay { folder: name }).expect("plain data");
    write_whole(&under_way, text.as_bytes(), false)?;
    set_aside(folder.path(), &aside)?;
    let (store, saved) = salvage(&aside.join("store.db"), folder, &founding, keys, own)?;
    let salvage = Salvage { folder: aside, saved };
    salvage.tell();
    Ok((store, Some(salvage)))
}

/// The new life is noted: the salvage is done.
pub(super) fn salvaged(folder: &Folder) -> Answer<()> {
    fs::remove_file(folder.path().join(UNDER_WAY))?;
    Ok(())
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
                "数据库文件损坏，已移到 {at}，并从中救出条目 {} 个（含内容 {} 个）、名册 {} 版；读不出 {} 处、验不过 {} 个、缺前一条目 {} 个。缺少的部分将向邻居取回，本机改用新日志继续办理。请尽快检查或更换磁盘",
                saved.entries,
                saved.bodies,
                saved.editions,
                saved.unreadable,
                saved.unverified,
                saved.unplaced,
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
                "the database was damaged and lies in {at}; saved were {} entries, {} bodies and {} roster editions; {} places could not be read, {} entries do not verify, {} lack the one before. What is missing comes from neighbours, and this node goes on in new logs. Have the disk looked at",
                saved.entries,
                saved.bodies,
                saved.editions,
                saved.unreadable,
                saved.unverified,
                saved.unplaced,
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
    /// Whether the node is to end because of its disk. Then nothing more is written, and the next
    /// start looks at every page.
    pub(crate) fn disk_has_failed(&mut self) -> bool {
        if self.store.is_broken() {
            fatal(&StoreError::Broken);
        }
        if has_failed() {
            // It may have been another connection than the store's that met the damage.
            self.store.give_up();
        }
        has_failed()
    }

    /// Sees to the space kept back and to the check of everything, when either is due.
    pub(crate) fn mind_disk(&mut self) -> Answer<()> {
        let now_ms = clock::steady_ms();
        if self.checkup.ballast_is_due(now_ms, BALLAST_EVERY_MS)
            && !self.store.keep_ballast(ballast_bytes(self.division()))?
        {
            tracing::warn!("the disk is almost full: no space can be kept back");
        }
        self.mind_checkup()
    }

    /// Answers `{salvaged, checked, checking}`.
    pub(super) fn disk_json(&self) -> Json {
        json!({
            "salvaged": self.salvage.as_ref().map(Salvage::json),
            "checked": self.checkup.last(),
            "checking": self.checkup.is_running(),
        })
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

/// Moves the files together, the database last. With that one there, the rest is there too.
fn set_aside(folder: &Path, aside: &Path) -> Answer<()> {
    fs::create_dir_all(aside)?;
    if aside.join("store.db").exists() {
        return Ok(());
    }
    for name in FILES {
        match fs::rename(folder.join(name), aside.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    sync_folder(aside)?;
    Ok(sync_folder(folder)?)
}

/// Takes away what an interrupted salvage began to make.
fn clear(folder: &Path) -> Answer<()> {
    for name in FILES {
        match fs::remove_file(folder.join(name)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
            _ => {}
        }
    }
    Ok(())
}

fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    File::open(folder)?.sync_all()?;
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}
