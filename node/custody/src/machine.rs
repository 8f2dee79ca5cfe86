//! The machine's own keys for unattended start: `machine.json`, format `xiangwang-machine-1`
//! (schemas/spec/key-files.md), in the open or sealed to the operating system. Runs the system's
//! tools; never puts a secret into their arguments, and never writes or deletes a file.

mod file;
mod systemd;
mod tool;
mod windows;

use zeroize::Zeroizing;

use xw_schemas::cose::SecretKey;
use xw_schemas::id::PublicKey;

use crate::Entropy;
use crate::office::OfficeKey;
use crate::seal::SealingKey;

pub use file::{MACHINE_FILE_BYTES_MAX, MachineFileFault};

/// Node seed and database key, one behind the other.
const SECRET_BYTES: usize = 64;

/// Most bytes that a system's tool makes of them. A sealed TPM credential has under 1 kB.
const SEALED_BYTES_MAX: usize = 8 * 1024;

/// What a PC needs to start and to sync without a person.
pub struct MachineKeys {
    /// Seed of the node's key.
    pub node: Zeroizing<[u8; 32]>,
    /// Key of the machine's layer of the store.
    pub database: Zeroizing<[u8; 32]>,
}

impl std::fmt::Debug for MachineKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MachineKeys(of {})", self.public().short())
    }
}

impl MachineKeys {
    /// New ones.
    #[must_use]
    pub fn generate(entropy: Entropy<'_>) -> Self {
        let mut keys = Self { node: Zeroizing::new([0; 32]), database: Zeroizing::new([0; 32]) };
        entropy(&mut keys.node[..]);
        entropy(&mut keys.database[..]);
        keys
    }

    /// The node's public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        SecretKey::from_seed(&self.node).public()
    }

    fn bytes(&self) -> Zeroizing<[u8; SECRET_BYTES]> {
        let mut bytes = Zeroizing::new([0; SECRET_BYTES]);
        bytes[..32].copy_from_slice(&self.node[..]);
        bytes[32..].copy_from_slice(&self.database[..]);
        bytes
    }

    fn of(bytes: &[u8]) -> Option<Self> {
        let (node, database) = bytes.split_first_chunk::<32>()?;
        let database: &[u8; 32] = database.try_into().ok()?;
        Some(Self { node: Zeroizing::new(*node), database: Zeroizing::new(*database) })
    }
}

/// What an operating system offers to keep a secret to itself.
pub trait MachineSeal {
    /// As the file names it.
    fn name(&self) -> &'static str;
    /// Seals a secret to this PC (and, on Windows, to this account).
    fn seal(&self, secret: &[u8]) -> Result<Vec<u8>, MachineSealError>;
    /// Opens it again, here.
    fn unseal(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MachineSealError>;
}

/// Why the operating system's seal does not serve.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MachineSealError {
    /// This PC has no such seal.
    #[error("{en}")]
    NotOffered {
        /// Why, in Chinese, for the screen.
        zh: &'static str,
        /// Why, in English.
        en: &'static str,
    },
    /// The file was sealed by something that this PC does not have.
    #[error("the machine's key was sealed by `{name}`, which this PC does not offer")]
    OtherSeal {
        /// Its name.
        name: &'static str,
    },
    /// The tool could not be run, failed, or did not come to an end.
    #[error("{tool} failed: {detail}")]
    Tool {
        /// Its name.
        tool: &'static str,
        /// What it said, bounded.
        detail: String,
    },
    /// What came back is not what was sealed. Nothing may be deleted.
    #[error("the sealed key did not come back as it was; the open one must stay")]
    NotTheSame,
    /// The file holds another node's key than it names.
    #[error("the file holds another key than it names")]
    OtherKey,
    /// There is no copy for the operators in the file.
    #[error("this file holds no copy that an operator could open")]
    NoRecovery,
}

impl MachineSealError {
    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::NotOffered { zh, .. } => (*zh).into(),
            Self::OtherSeal { name } => format!("本机密钥由“{name}”封存，本机没有该功能"),
            Self::Tool { tool, detail } => format!("{tool} 运行失败：{detail}"),
            Self::NotTheSame => "封存后取回的密钥与原来不一致，请保留未封存的文件".into(),
            Self::OtherKey => "文件里的密钥与所标明的不是同一把".into(),
            Self::NoRecovery => "文件里没有可由经办人打开的副本".into(),
        }
    }
}

/// The seal of this PC, asked of the system each time: a TPM may be switched off.
pub fn offered() -> Result<Box<dyn MachineSeal>, MachineSealError> {
    if cfg!(windows) {
        return Ok(Box::new(windows::Dpapi));
    }
    if cfg!(target_os = "linux") {
        return systemd::Tpm2::offered().map(|seal| Box::new(seal) as Box<dyn MachineSeal>);
    }
    Err(MachineSealError::NotOffered {
        zh: "本系统没有可用的密钥封存功能，本机密钥以普通文件保存，请使用磁盘加密",
        en: "this system offers no seal for keys; the machine's key lies in a plain file, so encrypt the disk",
    })
}

/// Where the machine's keys lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lock {
    /// In the open: only the file's permissions and the disk's encryption protect them.
    Open,
    /// Sealed by a TPM 2.0 through systemd.
    SystemdTpm2,
    /// Sealed to the Windows account.
    WindowsDpapi,
}

impl Lock {
    const ALL: [Self; 3] = [Self::Open, Self::SystemdTpm2, Self::WindowsDpapi];

    /// As the file names it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::SystemdTpm2 => systemd::NAME,
            Self::WindowsDpapi => windows::NAME,
        }
    }

    fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|lock| lock.name() == name)
    }
}

/// The machine's keys as they lie in their file.
pub struct MachineFile {
    node: PublicKey,
    lock: Lock,
    secret: Zeroizing<Vec<u8>>,
    /// Sealed to the office: a TPM forgets when the firmware changes, and an operator does not.
    recovery: Option<Vec<u8>>,
}

impl std::fmt::Debug for MachineFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MachineFile({}, of {})", self.lock.name(), self.node.short())
    }
}

impl MachineFile {
    /// The keys in the open, for a file that only the daemon's account reads.
    #[must_use]
    pub fn plain(keys: &MachineKeys) -> Self {
        let secret = Zeroizing::new(keys.bytes().to_vec());
        Self { node: keys.public(), lock: Lock::Open, secret, recovery: None }
    }

    /// The keys sealed to this PC, and a copy sealed to the office. It was opened again and compared
    /// before it is returned; only then may the plain file be deleted.
    pub fn sealed(
        keys: &MachineKeys,
        seal: &dyn MachineSeal,
        office: &SealingKey,
        entropy: Entropy<'_>,
    ) -> Result<Self, MachineSealError> {
        let lock =
            Lock::named(seal.name()).ok_or(MachineSealError::OtherSeal { name: seal.name() })?;
        let bytes = keys.bytes();
        let secret = seal.seal(&bytes[..])?;
        if secret.len() > SEALED_BYTES_MAX || seal.unseal(&secret)?[..] != bytes[..] {
            return Err(MachineSealError::NotTheSame);
        }
        Ok(Self {
            node: keys.public(),
            lock,
            secret: Zeroizing::new(secret),
            recovery: Some(office.seal(&bytes[..], entropy)),
        })
    }

    /// The keys, opened by whatever sealed them on this PC.
    pub fn open(&self) -> Result<MachineKeys, MachineSealError> {
        match self.lock {
            Lock::Open => self.named(&self.secret),
            Lock::SystemdTpm2 | Lock::WindowsDpapi => self.open_with(&*offered()?),
        }
    }

    /// The keys, opened by this seal.
    pub fn open_with(&self, seal: &dyn MachineSeal) -> Result<MachineKeys, MachineSealError> {
        if seal.name() != self.lock.name() {
            return Err(MachineSealError::OtherSeal { name: self.lock.name() });
        }
        self.named(&seal.unseal(&self.secret)?)
    }

    /// The keys, opened by an operator after the seal forgot them (new firmware, new board).
    pub fn recover(&self, office: &OfficeKey) -> Result<MachineKeys, MachineSealError> {
        let recovery = self.recovery.as_ref().ok_or(MachineSealError::NoRecovery)?;
        let bytes = office.open(recovery).map(Zeroizing::new);
        self.named(&bytes.ok_or(MachineSealError::OtherKey)?)
    }

    /// Whose key it is.
    #[must_use]
    pub fn node(&self) -> PublicKey {
        self.node
    }

    /// Where the secret lies.
    #[must_use]
    pub fn lock(&self) -> Lock {
        self.lock
    }

    fn named(&self, bytes: &[u8]) -> Result<MachineKeys, MachineSealError> {
        MachineKeys::of(bytes)
            .filter(|keys| keys.public() == self.node)
            .ok_or(MachineSealError::OtherKey)
    }
}
