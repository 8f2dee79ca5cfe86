//! Backups, as they are typed: making one of a node, trying one, and making a node of one. A backup is
//! never run where it lies.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Args;
use serde_json::{Value as Json, json};
use xw_custody::ask::{self, Source};
use xw_custody::machine::{Lock, MachineFile};
use xw_custody::{Cost, OfficeKey};
use xw_store::{Report, Store, StoreKeys, ViewDigest};

use super::keys::{RECOVERY_PROMPT, read_bounded};
use super::perform::{Desk, Done};
use crate::client;
use crate::clock;
use crate::folder::Folder;
use crate::keys::{KeyFiles, Protection, first_of, protect, recovery_key};
use crate::office::{About, open_keys};
use crate::render;
use crate::request::Request;
use crate::trouble::{Answer, Trouble};

#[derive(Debug, Args)]
#[command(
    after_help = "例：\n  xiangwang backup /media/usb/柳河村-20261123\n  xiangwang backup /media/usb/柳河村-20261123 --check\n节点运行时也可备份。备份里的一切都要用本机构经办人的口令才能打开；放到另一个地方保存，并定期用 --check 试一试 || Example:\n  xiangwang backup /media/usb/backup-20261123\n  xiangwang backup /media/usb/backup-20261123 --check\nThe node may be running. Nothing in a backup opens without a passphrase of this office; keep it elsewhere"
)]
pub(crate) struct Backup {
    #[arg(
        value_name = "目录 || FOLDER",
        help = "备份放在哪里：一个还不存在的目录，最好在 U 盘上 || Where it goes: a folder that does not exist yet, best on a USB stick"
    )]
    pub(crate) to: PathBuf,
    #[arg(
        long,
        help = "不备份，而是检验这个已有的备份：打开、逐条核验，并与制作时的视图摘要对照；不改动备份和节点 || Make none, but try this one: open it, check every entry, and compare its view digest with that of the day it was made; changes neither backup nor node"
    )]
    pub(crate) check: bool,
    #[arg(
        id = "operator",
        long = "person",
        requires = "check",
        value_name = "姓名 || NAME",
        help = "检验时用哪位经办人的口令打开；只有一人时不必写 || Whose passphrase opens it; not needed where one person works alone"
    )]
    pub(crate) operator: Option<String>,
}

#[derive(Debug, Args)]
#[command(
    after_help = "例：\n  xiangwang restore /media/usb/柳河村-20261123 --folder xiangwang --person 王秀兰\n  xiangwang restore /media/usb/柳河村-20261123 --folder xiangwang --recovery /media/usb2/恢复密钥.json\n恢复后运行节点：它先向邻居取回备份之后的条目，再用新日志继续办理。原来的电脑不要再用旧目录运行 || Example:\n  xiangwang restore /media/usb/backup-20261123 --folder xiangwang\n  xiangwang restore /media/usb/backup-20261123 --folder xiangwang --recovery /media/usb2/recovery.json\nThen run the node: it fetches from its neighbours what came after the backup and goes on in new logs. Never run the old folder again"
)]
pub(crate) struct Restore {
    #[arg(value_name = "备份目录 || BACKUP", help = "备份所在目录 || The backup")]
    pub(crate) from: PathBuf,
    #[arg(
        long,
        value_name = "目录 || FOLDER",
        help = "恢复成哪个节点目录，必须还不存在 || The node's folder to be made; it must not exist"
    )]
    pub(crate) folder: PathBuf,
    #[arg(
        id = "operator",
        long = "person",
        value_name = "姓名 || NAME",
        help = "用哪位经办人的口令打开；只有一人时不必写 || Whose passphrase opens it; not needed where one person works alone"
    )]
    pub(crate) operator: Option<String>,
    #[arg(
        long,
        value_name = "文件 || FILE",
        conflicts_with = "operator",
        help = "经办人都忘了口令时：用恢复密钥文件打开 || When everybody has forgotten their passphrase: the file of the recovery key"
    )]
    pub(crate) recovery: Option<PathBuf>,
}

impl Desk<'_> {
    pub(super) fn backup(&mut self, asked: &Backup) -> Answer<Done> {
        if asked.check {
            let mut bar = self.bar(crate::words::VERIFYING);
            let answer = check(asked, self.global.source(), &mut |done, of| bar.show(done, of));
            bar.clear();
            let answer = answer?;
            let well = answer["sound"] == true && answer["same"] != false;
            return Ok(Done::found_if(!well, answer.clone(), render::tried(&answer, self.screen)));
        }
        // The node may have been started elsewhere than this command.
        let to = std::path::absolute(&asked.to)?;
        let mut bar = self.bar(crate::words::BACKING_UP);
        let answer =
            self.client.ask_long(Request::Backup { to }, &mut |done, total| bar.show(done, total));
        bar.clear();
        let answer = answer?;
        Ok(Done::well(answer.clone(), render::backed_up(&answer, self.screen)))
    }
}

/// Makes a node's folder of a backup. Answers `{office, folder, entries, made_ms, keys}`.
pub(super) fn restore(asked: &Restore, source: Source) -> Answer<Json> {
    let (from, to) = (Folder::at(&asked.from), Folder::at(&asked.folder));
    let about = About::read(&asked.from)?;
    if asked.folder.exists() {
        return Err(Trouble::new(
            "exists",
            format!("{} 已存在，未恢复；请写一个不存在的目录", asked.folder.display()),
            format!("{} is there already; name a folder that is not", asked.folder.display()),
        ));
    }
    let (office, cost) = match &asked.recovery {
        Some(path) => opened_by_recovery(&from.key_files(), path, source)?,
        None => opened_by_operator(&from.key_files(), asked.operator.as_deref(), source)?,
    };
    let machine = open_keys(&asked.from, &office)?;
    // Exercises run anywhere, and must not depend on what the PC offers.
    let (file, protection) = if cost == Cost::FOR_TESTS {
        (MachineFile::plain(&machine), Protection::of(Lock::Open))
    } else {
        protect(&machine, &office)
    };
    let made = fill(&from, &to, &file);
    let checked = made.and_then(|()| {
        let contents = to.key_files().operators()?.contents(&office)?;
        let keys = StoreKeys { machine: machine.database.clone(), sealing: contents.public() };
        let mut store = Store::open_read_only(&to.store_path(), Some(keys))?;
        store.unlock(contents)?;
        Ok(store.reader()?.size()?.entries)
    });
    if checked.is_err() {
        let _ = fs::remove_dir_all(&asked.folder);
    }
    Ok(json!({
        "office": about.office, "folder": asked.folder.display().to_string(),
        "entries": checked?, "made_ms": about.made_ms, "keys": protection.json(),
    }))
}

/// The office's key by the passphrase of somebody who worked there, and what a try of it costs.
fn opened_by_operator(
    files: &KeyFiles,
    person: Option<&str>,
    source: Source,
) -> Answer<(OfficeKey, Cost)> {
    let people = files.of_person(person)?;
    let passphrase = client::existing(source, Some(people[0].key.label()), &[])?.typed()?;
    let operators = files.operators()?;
    first_of(&people, |file| {
        let seed = file.key.open(&passphrase)?;
        Ok((operators.open(&seed)?, file.key.cost()))
    })
}

/// The same by the recovery key, when everybody has forgotten their passphrase.
fn opened_by_recovery(files: &KeyFiles, path: &Path, source: Source) -> Answer<(OfficeKey, Cost)> {
    let key = recovery_key(&read_bounded(path)?)?;
    let passphrase = ask::existing(source, RECOVERY_PROMPT).map_err(client::no_terminal)?;
    Ok((files.operators()?.open(&key.open(&passphrase)?)?, key.cost()))
}

/// Tries a backup: restores its entries into a place of their own, works every view out, checks
/// everything, and takes it away again. Answers `{office, made_ms, entries, records, digest, expected,
/// same, sound, findings, more_findings, seconds}`; `same` is null where the backup says nothing.
fn check(asked: &Backup, source: Source, progress: &mut dyn FnMut(u64, u64)) -> Answer<Json> {
    let from = Folder::at(&asked.to);
    let about = About::read(&asked.to)?;
    let (office, _) = opened_by_operator(&from.key_files(), asked.operator.as_deref(), source)?;
    let begun_ms = clock::steady_ms();
    let place = std::env::temp_dir().join(format!("xiangwang-check-{}", clock::token()));
    let tried = try_in(&place, &from, &office, progress);
    let _ = fs::remove_dir_all(&place);
    let (report, digest) = tried?;
    let (expected, found) = (about.digest, digest.to_string());
    let mut answer = crate::office::report(&report);
    answer["office"] = json!(about.office);
    answer["made_ms"] = json!(about.made_ms);
    answer["records"] = json!(digest.records);
    answer["same"] = json!(expected.as_ref().map(|expected| *expected == found));
    answer["digest"] = json!(found);
    answer["expected"] = json!(expected);
    answer["seconds"] = json!(clock::steady_ms().saturating_sub(begun_ms) / 1_000);
    Ok(answer)
}

/// Works everything out in a place of its own. Both files there are encrypted, and their keys are in
/// memory only.
fn try_in(
    place: &Path,
    from: &Folder,
    office: &OfficeKey,
    progress: &mut dyn FnMut(u64, u64),
) -> Answer<(Report, ViewDigest)> {
    let folder = Folder::at(place);
    folder.make()?;
    copy_synced(&from.store_path(), &folder.store_path())?;
    let machine = open_keys(from.path(), office)?;
    let contents = from.key_files().operators()?.contents(office)?;
    let keys = StoreKeys { machine: machine.database, sealing: contents.public() };
    let mut store = Store::open(&folder.store_path(), Some(keys))?;
    store.unlock(contents)?;
    store.settle_all()?;
    let (report, digest) = (store.verify(progress)?, store.digest(None)?);
    store.close()?;
    Ok((report, digest))
}

fn fill(from: &Folder, to: &Folder, machine: &MachineFile) -> Answer<()> {
    to.make()?;
    copy_synced(&from.store_path(), &to.store_path())?;
    let (old, new) = (from.key_files(), to.key_files());
    new.make()?;
    new.write_operators(&old.operators()?)?;
    for person in old.people()? {
        new.write_person(&person)?;
    }
    new.write_machine(machine)?;
    // Written last: a folder with settings is a whole one.
    to.write_settings(&from.settings()?)
}

fn copy_synced(from: &Path, to: &Path) -> std::io::Result<()> {
    fs::copy(from, to)?;
    fs::File::options().write(true).open(to)?.sync_all()
}
