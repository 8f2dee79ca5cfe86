//! A node's folder: what lies where. Key files and the API token are readable by their owner only.
//!
//! `node.toml` settings · `keys/` key files · `store.db` the entries · `view.db` what is worked out
//! from them · `api.json` while running.

mod private;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xw_bootstrap::bundle::Neighbour;
use xw_custody::{Cost, Passphrase};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::Edition;
use xw_schemas::record::RecordType;
use xw_schemas::space::Division;
use xw_store::{ReadBy, Store, StoreKeys};
use zeroize::Zeroizing;

use crate::keys::{KeyFiles, NewKeys, Protection};
use crate::trouble::{Answer, Trouble};

/// Minutes without an act of a person after which everybody is signed out: a clerk who is called
/// away leaves nothing open for longer.
const LOCK_MINUTES: u64 = 10;

/// Minutes for which the store stays open to the mesh after that, and to nobody else: what was typed
/// today still travels in the evening, when the line comes back.
const OPEN_MINUTES: u64 = 480;

/// Records that may be opened one by one within an hour. A clerk opens some dozens on a busy day.
const READS_PER_HOUR: u64 = 200;

/// What making a node's folder puts into it before the settings.
const MADE: [&str; 11] = [
    "keys",
    "store.db",
    "store.db-wal",
    "store.db-shm",
    "view.db",
    "view.db-wal",
    "view.db-shm",
    "store.high",
    "store.tick",
    "store.ballast",
    "founding.edition",
];

/// Settings that a person may change with an editor.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Settings {
    /// The office's division.
    pub(crate) division: Division,
    /// The office's name.
    pub(crate) office: String,
    /// Which PC of the office this is: A, B, … Part of business numbers.
    pub(crate) letter: char,
    /// Where neighbours reach this node.
    pub(crate) listen: Vec<SocketAddr>,
    /// Where the API listens: loopback only.
    pub(crate) api: SocketAddr,
    /// An entry witnessed so many days after its claimed time is shown as a late one (补录).
    #[serde(default = "late_days")]
    pub(crate) late_days: u64,
    /// Whether this PC is the one of its office that witnesses; two that do could say two things.
    /// Left out: the first PC (A) does, and any that is the only one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) witness: Option<bool>,
    /// When everybody is signed out.
    #[serde(default)]
    pub(crate) idle: Idle,
    /// Whom to dial.
    #[serde(default, rename = "neighbour")]
    pub(crate) neighbours: Vec<Neighbour>,
}

pub(crate) fn late_days() -> u64 {
    xw_ledger::interval::LATE_DAYS
}

/// When people who sign in are signed out again without asking for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Idle {
    /// Minutes without an act of a person until nobody is signed in any more; 0 means never.
    pub(crate) lock_minutes: u64,
    /// Minutes after that for which bodies still go to neighbours and records are judged. Nobody can
    /// read at this PC meanwhile.
    pub(crate) open_minutes: u64,
    /// Records opened one by one within an hour until everybody is signed out; 0 means any number.
    pub(crate) reads_per_hour: u64,
}

impl Default for Idle {
    fn default() -> Self {
        Self {
            lock_minutes: LOCK_MINUTES,
            open_minutes: OPEN_MINUTES,
            reads_per_hour: READS_PER_HOUR,
        }
    }
}

impl Idle {
    /// For the demonstration and for measuring, where a program stands in for the clerks.
    pub(crate) const NEVER: Self = Self { lock_minutes: 0, open_minutes: 0, reads_per_hour: 0 };
}

/// What a new node's folder is made of.
pub(crate) struct NewNode {
    pub(crate) settings: Settings,
    /// The founding edition first.
    pub(crate) editions: Vec<Edition>,
    pub(crate) definitions: Vec<RecordType>,
    pub(crate) node: SecretKey,
    /// At least one: what comes here is sealed for them, and nobody else could ever read it.
    pub(crate) people: Vec<NewPerson>,
    /// What a try of a passphrase costs, by [`crate::keys::cost`].
    pub(crate) cost: Cost,
}

/// A person whose key is to lie in the folder, under a passphrase.
pub(crate) struct NewPerson {
    pub(crate) name: String,
    pub(crate) key: SecretKey,
    pub(crate) passphrase: Passphrase,
}

/// How other programs of the same user reach the running node.
#[derive(Serialize, Deserialize)]
pub(crate) struct ApiFile {
    pub(crate) address: SocketAddr,
    pub(crate) token: Zeroizing<String>,
    pub(crate) process: u32,
}

/// A node's folder.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    pub(crate) fn path(&self) -> &Path {
        &self.0
    }

    pub(crate) fn store_path(&self) -> PathBuf {
        self.0.join("store.db")
    }

    /// The edition that begins the network, kept beside the database for the day that one is damaged.
    pub(crate) fn founding_path(&self) -> PathBuf {
        self.0.join("founding.edition")
    }

    fn settings_path(&self) -> PathBuf {
        self.0.join("node.toml")
    }

    fn api_path(&self) -> PathBuf {
        self.0.join("api.json")
    }

    /// Whether a node lies here already. The settings are written last: without them it is no node,
    /// and nobody has heard of its keys.
    pub(crate) fn is_taken(&self) -> bool {
        self.settings_path().exists()
    }

    /// Moves aside what an interrupted making left behind, so that it is made anew.
    fn set_unfinished_aside(&self) -> std::io::Result<()> {
        let here = |name: &&&str| self.0.join(name).exists();
        let left: Vec<&str> = MADE.iter().filter(here).copied().collect();
        if left.is_empty() {
            return Ok(());
        }
        let name =
            |n: u32| if n == 1 { "unfinished".to_owned() } else { format!("unfinished-{n}") };
        let aside = (1..).map(|n| self.0.join(name(n))).find(|path| !path.exists());
        let aside = aside.expect("there is always another number");
        fs::create_dir_all(&aside)?;
        left.iter().try_for_each(|name| fs::rename(self.0.join(name), aside.join(name)))
    }

    /// Makes the folder of a new node, and says what protects the PC's own keys. No key of a person
    /// and not the office's is written otherwise than under a passphrase. More people are let in
    /// later by [`crate::request::Request::AddOperator`].
    pub(crate) fn init(&self, new: &NewNode) -> Answer<Protection> {
        if self.is_taken() {
            return Err(Trouble::new(
                "exists",
                format!("{} 已经是一个节点目录", self.0.display()),
                format!("{} already holds a node", self.0.display()),
            ));
        }
        let NewNode { settings, editions, definitions, node, people, cost } = new;
        let (founding, later) = editions.split_first().expect("a roster begins with its founding");
        let keys = NewKeys::make(node, people, *cost)?;
        self.make()?;
        self.set_unfinished_aside()?;
        self.key_files().write_new(&keys)?;
        let store_keys =
            StoreKeys { machine: keys.machine.database.clone(), sealing: keys.operators.office() };
        let (founding, definitions) = (founding.clone(), definitions.clone());
        let (path, own) = (self.store_path(), Some(node.public()));
        let mut store = Store::create(&path, founding, definitions, own, Some(store_keys))?;
        for edition in later {
            store.add_edition(edition.clone())?.map_err(Trouble::of_roster)?;
        }
        store.keep_ballast(crate::office::ballast_bytes(settings.division))?;
        store.close()?;
        // Written last: a folder with settings is a whole one.
        self.write_settings(settings)?;
        Ok(keys.protection)
    }

    /// Makes the folder itself, for its owner alone.
    pub(crate) fn make(&self) -> std::io::Result<()> {
        fs::create_dir_all(&self.0)?;
        if let Some(above) = self.0.parent().filter(|above| !above.as_os_str().is_empty()) {
            // Where the folder above may not be read, the system brings the name to disk in its time.
            let _ = xw_store::sync_folder(above);
        }
        private::restrict(&self.0)
    }

    /// What lies in `keys/`.
    pub(crate) fn key_files(&self) -> KeyFiles {
        KeyFiles::at(self.0.join("keys"))
    }

    pub(crate) fn settings(&self) -> Answer<Settings> {
        let path = self.settings_path();
        let text = fs::read_to_string(&path).map_err(|error| {
            let at = self.0.display();
            let zh = format!("{at} 不是节点目录（没有 node.toml）。请先运行 xiangwang join");
            let en = format!("{at} holds no node; run xiangwang join first (node.toml)");
            Trouble::because("no-node", zh, &en, error)
        })?;
        toml::from_str(&text).map_err(|error| {
            let zh = format!("设置文件 {} 有误，请按详情所指的行改正", path.display());
            Trouble::because("settings", zh, &format!("{} is not valid", path.display()), error)
        })
    }

    pub(crate) fn write_settings(&self, settings: &Settings) -> Answer<()> {
        let text = toml::to_string_pretty(settings)
            .map_err(|error| Trouble::because("settings", "设置无法写出", "settings", error))?;
        let head = "\
# 本节点的设置，可用记事本修改，改后重新启动生效。Settings; restart after editing.
# idle.lock_minutes：无人操作多少分钟后自动退出登录，0 为不退出。Minutes until everybody is signed out; 0: never.
# idle.open_minutes：退出后还有多少分钟继续与邻居交换内容，期间本机不能查看。Minutes after that for neighbours alone.
# idle.reads_per_hour：一小时内逐条查看多少条记录后须重新登录，0 为不限。Records opened in an hour; 0: any number.
";
        Ok(write_whole(&self.settings_path(), format!("{head}{text}").as_bytes(), false)?)
    }

    pub(crate) fn write_api(&self, api: &ApiFile) -> Answer<()> {
        let text = Zeroizing::new(serde_json::to_string(api).expect("plain data"));
        Ok(write_secret(&self.api_path(), &text)?)
    }

    pub(crate) fn remove_api(&self) {
        // Gone already is as good.
        let _ = fs::remove_file(self.api_path());
    }

    pub(crate) fn api(&self) -> Option<ApiFile> {
        let text = Zeroizing::new(fs::read_to_string(self.api_path()).ok()?);
        serde_json::from_str(&text).ok()
    }
}

/// Writes a file that its owner alone may read.
pub(crate) fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    write_whole(path, text.as_bytes(), true)
}

/// Writes a file whole or not at all, durably; see [`xw_store::write_whole`].
pub(crate) fn write_whole(path: &Path, bytes: &[u8], secret: bool) -> std::io::Result<()> {
    use std::io::Write as _;
    let by = if secret { ReadBy::Owner } else { ReadBy::All };
    xw_store::write_whole(path, by, |file| file.write_all(bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::world::{World, new_node};

    #[test]
    fn a_folder_that_was_not_finished_is_made_anew_and_nothing_is_thrown_away() {
        let code = xw_bootstrap::synthetic::TOWNSHIP;
        let world = World::of(code, "unfinished");
        let new = new_node(code);
        assert_eq!(world.folder.init(&new).unwrap_err().code, "exists");
        // Joining was interrupted before its last step, twice.
        for aside in ["unfinished", "unfinished-2"] {
            fs::remove_file(world.folder.path().join("node.toml")).unwrap();
            let begun = fs::read(world.folder.path().join("keys/office.json")).unwrap();
            world.folder.init(&new).unwrap();
            let kept = world.folder.path().join(aside);
            assert_eq!(fs::read(kept.join("keys/office.json")).unwrap(), begun);
            assert!(kept.join("store.db").exists());
        }
        drop(world.open());
        // Half of it lies there: the keys alone.
        let half = Folder::at(&world.folder.path().join("half"));
        half.make().unwrap();
        half.key_files().make().unwrap();
        half.init(&new).unwrap();
        assert!(half.is_taken());
    }
}
