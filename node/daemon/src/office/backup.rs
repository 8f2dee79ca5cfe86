//! A backup: a folder with a copy of the entries, the settings and the key files, of which nothing
//! opens without the passphrase of a person of this office. Never a copy of an open key.

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use xw_custody::machine::MachineKeys;
use xw_custody::{OfficeKey, Operators};
use xw_schemas::id::{hex, unhex};
use xw_schemas::space::Division;
use xw_store::{Copied, Copier};
use zeroize::Zeroizing;

use super::{Aside, Office, Progress};
use crate::clock;
use crate::folder::{Folder, Settings, write_secret, write_whole};
use crate::keys::PersonFile;
use crate::trouble::{Answer, Trouble};

/// What a backup says of itself; written last, so that a folder with it is a whole one.
pub(crate) const ABOUT: &str = "backup.json";

/// The PC's own keys, sealed for the people of the office.
pub(crate) const SEALED_KEYS: &str = "pc-keys.sealed";

/// Version of the backup's form.
const VERSION: u64 = 1;

/// What [`ABOUT`] says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct About {
    pub(crate) version: u64,
    pub(crate) office: String,
    pub(crate) division: Division,
    pub(crate) made_ms: u64,
    pub(crate) entries: u64,
    /// What the office showed at that moment, as `xiangwang digest` says it. Nothing, where nobody was
    /// signed in, something came in meanwhile, or the program does not know the roster's rules.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) digest: Option<String>,
}

impl About {
    pub(crate) fn read(backup: &Path) -> Answer<Self> {
        let text =
            fs::read_to_string(backup.join(ABOUT)).map_err(|error| not_one(backup, &error))?;
        let about: Self = serde_json::from_str(&text).map_err(|error| not_one(backup, &error))?;
        if about.version == VERSION {
            return Ok(about);
        }
        Err(Trouble::new(
            "backup",
            "该备份由更新版本的程序制作，请先升级本程序",
            "this backup was made by a newer program",
        ))
    }
}

fn not_one(backup: &Path, error: &dyn std::error::Error) -> Trouble {
    let at = backup.display();
    let (zh, en) = (format!("{at} 不是完整的备份目录"), format!("{at} is no whole backup"));
    Trouble::because("backup", zh, &en, error)
}

impl Office {
    /// What makes a backup while the node works on. Answers `{to, entries, made_ms, digest}`.
    pub(crate) fn backup(&mut self, to: &Path) -> Answer<Aside> {
        if to.exists() {
            return Err(Trouble::new(
                "exists",
                format!("{} 已存在，备份未制作；请写一个不存在的目录", to.display()),
                format!("{} is there already; name a folder that is not", to.display()),
            ));
        }
        let mut database = Zeroizing::new([0; 32]);
        clock::fill(&mut database[..]);
        let (files, settings) = (&self.keys.files, self.settings.clone());
        let (operators, people) = (files.operators()?, files.people()?);
        let sealed = seal_keys(&self.node.seed(), &database, &operators.office());
        let (to, copier) = (to.to_owned(), self.store.copier());
        let shown = self.shown()?;
        let contents =
            Contents { to, copier, database, sealed, operators, people, settings, shown };
        Ok(Box::new(move |progress: Progress<'_>| contents.make(progress)))
    }

    fn shown(&mut self) -> Answer<Shown> {
        self.settle_all()?;
        let known = self.store.is_unlocked() && self.store.roster().rules_are_known();
        let digest = if known { Some(self.store.digest(None)?.to_string()) } else { None };
        Ok(Shown { held: self.store.held()?, digest })
    }
}

/// Everything that goes into a backup, read and not written yet. A stick takes minutes, and nobody
/// waits for them but who asked for it.
struct Contents {
    to: PathBuf,
    copier: Copier,
    database: Zeroizing<[u8; 32]>,
    sealed: Vec<u8>,
    operators: Operators,
    people: Vec<PersonFile>,
    settings: Settings,
    shown: Shown,
}

/// What the office shows before the copy is made.
struct Shown {
    held: Copied,
    digest: Option<String>,
}

impl Contents {
    fn make(self, progress: Progress<'_>) -> Answer<Json> {
        Folder::at(&self.to).make()?;
        let made = self.fill(progress);
        if made.is_err() {
            // Half a backup is worse than none.
            let _ = fs::remove_dir_all(&self.to);
        }
        made
    }

    fn fill(&self, progress: Progress<'_>) -> Answer<Json> {
        let (made_ms, copy) = (clock::now_ms(), Folder::at(&self.to));
        // The copier tells what is left; a person wants to know what is done.
        let mut told = |left: u64, of: u64| progress(of.saturating_sub(left), of);
        let key = Some(self.database.clone());
        let held = self.copier.copy(&copy.store_path(), key, made_ms, &mut told)?;
        write_secret(&self.to.join(SEALED_KEYS), &hex(&self.sealed))?;
        let keys = copy.key_files();
        keys.make()?;
        keys.write_operators(&self.operators)?;
        for person in &self.people {
            keys.write_person(person)?;
        }
        copy.write_settings(&self.settings)?;
        // What came in meanwhile is in the copy, and the digest speaks of what was there before.
        let digest = self.shown.digest.clone().filter(|_| held == self.shown.held);
        let (office, division) = (self.settings.office.clone(), self.settings.division);
        let entries = held.entries;
        let about = About { version: VERSION, office, division, made_ms, entries, digest };
        let text = serde_json::to_string(&about).expect("plain data");
        write_whole(&self.to.join(ABOUT), text.as_bytes(), false)?;
        Ok(json!({
            "to": self.to.display().to_string(), "entries": entries, "made_ms": made_ms,
            "digest": about.digest,
        }))
    }
}

fn seal_keys(
    node: &Zeroizing<[u8; 32]>,
    database: &Zeroizing<[u8; 32]>,
    office: &xw_custody::SealingKey,
) -> Vec<u8> {
    let both = Zeroizing::new([&node[..], &database[..]].concat());
    office.seal(&both, &mut clock::fill)
}

/// The PC's own keys out of a backup, opened with the office's.
pub(crate) fn open_keys(backup: &Path, office: &OfficeKey) -> Answer<MachineKeys> {
    let damaged =
        || Trouble::new("backup", "备份中的本机密钥无法打开", "the keys in it do not open");
    let sealed = unhex(fs::read_to_string(backup.join(SEALED_KEYS))?.trim()).ok_or_else(damaged)?;
    let both = Zeroizing::new(office.open(&sealed).ok_or_else(damaged)?);
    let (node, database) = both.split_at_checked(32).ok_or_else(damaged)?;
    let read = |bytes: &[u8]| bytes.try_into().map(Zeroizing::new).map_err(|_| damaged());
    Ok(MachineKeys { node: read(node)?, database: read(database)? })
}
