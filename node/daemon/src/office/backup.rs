//! A backup: a folder with a copy of the entries, the settings and the key files, of which nothing
//! opens without the passphrase of a person of this office. Never a copy of an open key.

use std::fs;
use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use xw_custody::OfficeKey;
use xw_custody::machine::MachineKeys;
use xw_schemas::id::{hex, unhex};
use xw_schemas::space::Division;
use zeroize::Zeroizing;

use super::{Office, Progress};
use crate::clock;
use crate::folder::{Folder, write_secret, write_whole};
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
    /// What the office showed at that moment, as `xiangwang digest` says it; of a node whose program
    /// does not know the roster's rules, nothing.
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
    Trouble::new(
        "backup",
        format!("{} 不是完整的备份目录：{error}", backup.display()),
        format!("{} is no whole backup: {error}", backup.display()),
    )
}

impl Office {
    /// Makes a backup while the node works on. Answers `{to, entries, made_ms, digest}`.
    pub(crate) fn backup(&mut self, to: &Path, progress: Progress<'_>) -> Answer<Json> {
        if to.exists() {
            return Err(Trouble::new(
                "exists",
                format!("{} 已存在，备份未制作；请写一个不存在的目录", to.display()),
                format!("{} is there already; name a folder that is not", to.display()),
            ));
        }
        self.settle_all()?;
        Folder::at(to).make()?;
        let made = self.fill_backup(to, progress);
        if made.is_err() {
            // Half a backup is worse than none.
            let _ = fs::remove_dir_all(to);
        }
        made
    }

    fn fill_backup(&self, to: &Path, progress: Progress<'_>) -> Answer<Json> {
        let made_ms = clock::now_ms();
        let mut database = Zeroizing::new([0; 32]);
        clock::fill(&mut database[..]);
        let copy = Folder::at(to);
        // The copier tells what is left; a person wants to know what is done.
        let mut told = |left: u64, of: u64| progress(of.saturating_sub(left), of);
        let copier = self.store.copier();
        copier.copy(&copy.store_path(), Some(database.clone()), made_ms, &mut told)?;
        let sealed = seal_keys(&self.node.seed(), &database, &self.keys.sealing());
        write_secret(&to.join(SEALED_KEYS), &hex(&sealed))?;
        let (from, keys) = (&self.keys.files, copy.key_files());
        keys.make()?;
        keys.write_operators(&from.operators()?)?;
        for person in from.people()? {
            keys.write_person(&person)?;
        }
        copy.write_settings(&self.settings)?;
        let entries = self.reader.size()?.entries;
        // Nothing is written between the copy and this: both are of one moment.
        let digest = match self.store.roster().rules_are_known() {
            true => Some(self.store.digest(None)?.to_string()),
            false => None,
        };
        let (office, division) = (self.settings.office.clone(), self.settings.division);
        let about = About { version: VERSION, office, division, made_ms, entries, digest };
        let text = serde_json::to_string(&about).expect("plain data");
        write_whole(&to.join(ABOUT), text.as_bytes(), false)?;
        Ok(json!({
            "to": to.display().to_string(), "entries": entries, "made_ms": made_ms,
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
