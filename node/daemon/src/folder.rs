//! A node's folder: what lies where. Key files and the API token are readable by their owner only.
//!
//! `node.toml` settings · `keys/` secret keys · `store.db` the entries · `api.json` while running.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use xw_bootstrap::kit::{KIT_BYTES_MAX, Kit, KitError, KitNeighbour, key_of, seed_text};
use xw_schemas::cose::SecretKey;
use xw_schemas::space::Division;
use xw_store::Store;
use zeroize::Zeroizing;

use crate::trouble::{Answer, Trouble, with_causes};

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
    /// Whom to dial.
    #[serde(default, rename = "neighbour")]
    pub(crate) neighbours: Vec<KitNeighbour>,
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

    fn settings_path(&self) -> PathBuf {
        self.0.join("node.toml")
    }

    fn api_path(&self) -> PathBuf {
        self.0.join("api.json")
    }

    /// Makes the folder of a new node from its kit.
    pub(crate) fn init(&self, kit: &Kit, listen: Vec<SocketAddr>, api: SocketAddr) -> Answer<()> {
        if self.settings_path().exists() || self.store_path().exists() {
            return Err(Trouble::new(
                "exists",
                format!("{} 已经是一个节点目录", self.0.display()),
                format!("{} already holds a node", self.0.display()),
            ));
        }
        let (edition, definitions) = (kit.edition()?, kit.definitions()?);
        let (node, people) = (kit.node()?, kit.people()?);
        fs::create_dir_all(self.0.join("keys"))?;
        restrict_folder(&self.0)?;
        let settings = Settings {
            division: kit.division,
            office: kit.office.clone(),
            letter: 'A',
            listen,
            api,
            neighbours: kit.neighbours.clone(),
        };
        Store::create(&self.store_path(), edition, definitions, Some(node.public()))?.close()?;
        write_secret(&self.key_path("node"), &seed_text(&node))?;
        for (at, (name, key)) in people.iter().enumerate() {
            let text = Zeroizing::new(format!("{name}\n{}", *seed_text(key)));
            write_secret(&self.key_path(&format!("person-{}", at + 1)), &text)?;
        }
        // Written last: a folder with settings is a whole one.
        self.write_settings(&settings)
    }

    fn key_path(&self, name: &str) -> PathBuf {
        self.0.join("keys").join(format!("{name}.key"))
    }

    pub(crate) fn settings(&self) -> Answer<Settings> {
        let path = self.settings_path();
        let text = fs::read_to_string(&path).map_err(|error| {
            Trouble::new(
                "no-node",
                format!(
                    "{} 不是节点目录（缺少 node.toml：{error}）。请先运行 xiangwang init",
                    self.0.display()
                ),
                format!(
                    "{} holds no node (node.toml: {error}); run xiangwang init first",
                    self.0.display()
                ),
            )
        })?;
        toml::from_str(&text).map_err(|error| {
            Trouble::new(
                "settings",
                format!("{} 有误：{error}", path.display()),
                format!("{} is not valid: {error}", path.display()),
            )
        })
    }

    pub(crate) fn write_settings(&self, settings: &Settings) -> Answer<()> {
        let text = toml::to_string_pretty(settings)
            .map_err(|error| Trouble::new("settings", error.to_string(), error.to_string()))?;
        let head =
            "# 本节点的设置，可用记事本修改，改后重新启动生效。Settings; restart after editing.\n";
        Ok(write_whole(&self.settings_path(), format!("{head}{text}").as_bytes(), false)?)
    }

    pub(crate) fn node_key(&self) -> Answer<SecretKey> {
        let text = read_secret(&self.key_path("node"))?;
        Ok(key_of(&text)?)
    }

    /// The people whose keys lie here, by name.
    pub(crate) fn people(&self) -> Answer<Vec<(String, SecretKey)>> {
        let mut people = Vec::new();
        for at in 1.. {
            let path = self.key_path(&format!("person-{at}"));
            if !path.exists() {
                break;
            }
            let text = read_secret(&path)?;
            let (name, seed) = text.split_once('\n').unwrap_or(("", &text));
            people.push((name.to_owned(), key_of(seed)?));
        }
        Ok(people)
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

/// Reads a kit file.
pub(crate) fn read_kit(path: &Path) -> Answer<Kit> {
    let length = fs::metadata(path)?.len();
    if length > KIT_BYTES_MAX {
        return Err(Trouble::new("kit", "文件过大，不是开户包", "too large to be a kit"));
    }
    Ok(Kit::read(&Zeroizing::new(fs::read_to_string(path)?))?)
}

impl From<KitError> for Trouble {
    fn from(error: KitError) -> Self {
        let chain = with_causes(&error);
        Self::new(
            "kit",
            format!("开户包或密钥文件无效：{chain}"),
            format!("bad kit or key file: {chain}"),
        )
    }
}

fn read_secret(path: &Path) -> Answer<Zeroizing<String>> {
    fs::read_to_string(path).map(Zeroizing::new).map_err(|error| {
        Trouble::new(
            "key",
            format!("密钥文件 {} 无法读取：{error}", path.display()),
            format!("cannot read the key file {}: {error}", path.display()),
        )
    })
}

/// Writes a file that its owner alone may read.
pub(crate) fn write_secret(path: &Path, text: &str) -> std::io::Result<()> {
    write_whole(path, text.as_bytes(), true)
}

/// Writes a file whole or not at all: beside it first, then in its place.
pub(crate) fn write_whole(path: &Path, bytes: &[u8], secret: bool) -> std::io::Result<()> {
    use std::io::Write as _;
    let beside = path.with_extension("new");
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    if secret {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = secret;
    let mut file = options.open(&beside)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    fs::rename(&beside, path)
}

/// On Windows the folder lies in the user's profile, which others cannot read; elsewhere its mode
/// says the same.
fn restrict_folder(path: &Path) -> std::io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        fs::set_permissions(path, fs::Permissions::from_mode(0o700))?;
    }
    #[cfg(not(unix))]
    let _ = path;
    Ok(())
}
