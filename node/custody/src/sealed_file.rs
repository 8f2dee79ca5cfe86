//! A key in a file under a passphrase: `xiangwang-key-1`, one file per key, text that survives mail
//! and USB sticks (schemas/spec/key-files.md). Never holds the secret in the open, never writes.

use chacha20poly1305::XChaCha20Poly1305;
use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use serde::{Deserialize, Serialize};
use xw_schemas::cose::{SecretKey, is_sound_key};
use xw_schemas::id::{PublicKey, hex};
use zeroize::Zeroizing;

use crate::Entropy;
use crate::cost::{Cost, SALT_BYTES};
use crate::form::{LABEL_CHARACTERS_MAX, check_of, fixed, is_label, without_mark};
use crate::passphrase::Passphrase;

/// The format's name, first line of what is authenticated.
const FORMAT: &str = "xiangwang-key-1";

/// Longest key file. Ours have some 700 bytes, and a label may fill 240 more.
pub const KEY_FILE_BYTES_MAX: usize = 4096;

const NONCE_BYTES: usize = 24;

/// A sealed 32-byte seed: the seed and a tag.
const CIPHERTEXT_BYTES: usize = 32 + 16;

/// What a key in a file is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum KeyPurpose {
    /// One of the county's root keys, offline.
    Root,
    /// A registrar's, which enrols offices below.
    Registrar,
    /// A person's: signs what that person does and opens the office's key.
    Person,
    /// Kept apart to open an office's key when nobody else can.
    Recovery,
    /// A node's, on its way to the PC.
    Node,
}

impl KeyPurpose {
    /// As the file writes it.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Root => "root",
            Self::Registrar => "registrar",
            Self::Person => "person",
            Self::Recovery => "recovery",
            Self::Node => "node",
        }
    }

    /// In Chinese, for screens.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::Root => "根密钥",
            Self::Registrar => "登记密钥",
            Self::Person => "个人密钥",
            Self::Recovery => "恢复密钥",
            Self::Node => "节点密钥",
        }
    }
}

/// A key under a passphrase, as it lies in its file. Printing it shows nothing secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedKey {
    purpose: KeyPurpose,
    label: String,
    public: PublicKey,
    cost: Cost,
    salt: [u8; SALT_BYTES],
    nonce: [u8; NONCE_BYTES],
    ciphertext: [u8; CIPHERTEXT_BYTES],
}

/// Why a key cannot be sealed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealSlip {
    /// Empty, too long or not one line.
    #[error("a label is one line of at most {LABEL_CHARACTERS_MAX} characters")]
    Label,
    /// The PC has not the memory that argon2id was told to take.
    #[error("this PC cannot spare {memory_mib} MiB of memory for the passphrase")]
    Memory {
        /// What was asked.
        memory_mib: u32,
    },
}

impl SealSlip {
    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Label => format!("标签只能是一行，最多{LABEL_CHARACTERS_MAX}个字"),
            Self::Memory { memory_mib } => memory_zh(*memory_mib),
        }
    }
}

/// Why a key file cannot be read. Nothing was tried with a passphrase yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFileFault {
    /// Over [`KEY_FILE_BYTES_MAX`].
    #[error("this is no key file: longer than {KEY_FILE_BYTES_MAX} bytes")]
    TooLong,
    /// Other text, another format, a field too many or too few.
    #[error("this is no key file of format {FORMAT}")]
    OtherFormat,
    /// A field whose value is not one.
    #[error("the key file's field `{field}` cannot be read")]
    Field {
        /// Its name.
        field: &'static str,
    },
    /// Settings of argon2id that no file of ours has.
    #[error(
        "the key file asks for {memory_kib} KiB, {passes} passes, {lanes} lanes: out of bounds"
    )]
    Cost {
        /// KiB of memory.
        memory_kib: u32,
        /// Passes.
        passes: u32,
        /// Lanes.
        lanes: u32,
    },
    /// The check does not fit the rest.
    #[error("the key file is damaged; take another copy of it")]
    Damaged,
}

impl KeyFileFault {
    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::TooLong => format!("不是密钥文件：超过{KEY_FILE_BYTES_MAX}字节"),
            Self::OtherFormat => format!("不是 {FORMAT} 格式的密钥文件"),
            Self::Field { field } => format!("密钥文件的“{field}”一项无法读取"),
            Self::Cost { memory_kib, passes, lanes } => {
                format!("密钥文件要求 {memory_kib} KiB 内存、{passes} 遍、{lanes} 路，超出允许范围")
            }
            Self::Damaged => "密钥文件已损坏，请换用另一份副本".into(),
        }
    }
}

/// Why a key file stays shut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OpenRefusal {
    /// The passphrase is another one.
    #[error("the passphrase is wrong")]
    WrongPassphrase,
    /// What it holds is not the key it names.
    #[error("the file holds another key than it names")]
    OtherKey,
    /// The PC has not the memory that the file's argon2id takes.
    #[error("this PC cannot spare {memory_mib} MiB of memory for the passphrase")]
    Memory {
        /// What the file asks.
        memory_mib: u32,
    },
}

impl OpenRefusal {
    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::WrongPassphrase => "口令不对".into(),
            Self::OtherKey => "文件里的密钥与所标明的不是同一把".into(),
            Self::Memory { memory_mib } => memory_zh(*memory_mib),
        }
    }
}

fn memory_zh(memory_mib: u32) -> String {
    format!("本机内存不足：核对口令需要 {memory_mib} MiB，请先关闭其他程序")
}

impl SealedKey {
    /// Seals a seed under a passphrase. The public key is the seed's ed25519 key.
    pub fn seal(
        purpose: KeyPurpose,
        label: &str,
        seed: &Zeroizing<[u8; 32]>,
        passphrase: &Passphrase,
        cost: Cost,
        entropy: Entropy<'_>,
    ) -> Result<Self, SealSlip> {
        if !is_label(label) {
            return Err(SealSlip::Label);
        }
        let unsealed = Self {
            purpose,
            label: label.to_owned(),
            public: SecretKey::from_seed(seed).public(),
            cost,
            salt: [0; SALT_BYTES],
            nonce: [0; NONCE_BYTES],
            ciphertext: [0; CIPHERTEXT_BYTES],
        };
        let memory_mib = unsealed.memory_mib();
        unsealed.close(seed, passphrase, entropy).ok_or(SealSlip::Memory { memory_mib })
    }

    /// The seed, for the right passphrase.
    pub fn open(&self, passphrase: &Passphrase) -> Result<Zeroizing<[u8; 32]>, OpenRefusal> {
        let cipher =
            self.cipher(passphrase).ok_or(OpenRefusal::Memory { memory_mib: self.memory_mib() })?;
        let header = self.header();
        let payload = Payload { msg: &self.ciphertext[..], aad: header.as_bytes() };
        let plain = cipher
            .decrypt(&self.nonce.into(), payload)
            .map(Zeroizing::new)
            .map_err(|_| OpenRefusal::WrongPassphrase)?;
        let mut seed = Zeroizing::new([0; 32]);
        seed.copy_from_slice(&plain);
        // Whoever sealed it could have named any key: what the file says is what it must hold.
        if SecretKey::from_seed(&seed).public() != self.public {
            return Err(OpenRefusal::OtherKey);
        }
        Ok(seed)
    }

    /// The same key under another passphrase. Copies under the old one keep opening with it.
    pub fn with_passphrase(
        &self,
        old: &Passphrase,
        new: &Passphrase,
        cost: Cost,
        entropy: Entropy<'_>,
    ) -> Result<Self, OpenRefusal> {
        let seed = self.open(old)?;
        let unsealed = Self { cost, ..self.clone() };
        let memory_mib = unsealed.memory_mib();
        unsealed.close(&seed, new, entropy).ok_or(OpenRefusal::Memory { memory_mib })
    }

    /// What the key is for.
    #[must_use]
    pub fn purpose(&self) -> KeyPurpose {
        self.purpose
    }

    /// What its keeper calls it.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        self.public
    }

    /// What one try costs.
    #[must_use]
    pub fn cost(&self) -> Cost {
        self.cost
    }

    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        let form = Form {
            format: FORMAT.into(),
            purpose: self.purpose,
            label: self.label.clone(),
            public: hex(&self.public.0),
            argon2id: Argon2idForm {
                memory_kib: self.cost.memory_kib(),
                passes: self.cost.passes(),
                lanes: self.cost.lanes(),
                salt: hex(&self.salt),
            },
            xchacha20poly1305: CipherForm {
                nonce: hex(&self.nonce),
                ciphertext: hex(&self.ciphertext),
            },
            check: self.check(),
        };
        let mut text = serde_json::to_string_pretty(&form).expect("plain fields become JSON");
        text.push('\n');
        text
    }

    /// Reads a file's text. Space between the fields is free; everything else has one spelling.
    pub fn read(text: &str) -> Result<Self, KeyFileFault> {
        if text.len() > KEY_FILE_BYTES_MAX {
            return Err(KeyFileFault::TooLong);
        }
        let form: Form =
            serde_json::from_str(without_mark(text)).map_err(|_| KeyFileFault::OtherFormat)?;
        if form.format != FORMAT {
            return Err(KeyFileFault::OtherFormat);
        }
        let Argon2idForm { memory_kib, passes, lanes, salt } = form.argon2id;
        let wrong = |field| KeyFileFault::Field { field };
        let sealed = Self {
            purpose: form.purpose,
            label: Some(form.label).filter(|label| is_label(label)).ok_or(wrong("label"))?,
            public: fixed(&form.public)
                .map(PublicKey)
                .filter(is_sound_key)
                .ok_or(wrong("public"))?,
            cost: Cost::new(memory_kib, passes, lanes).ok_or(KeyFileFault::Cost {
                memory_kib,
                passes,
                lanes,
            })?,
            salt: fixed(&salt).ok_or(wrong("salt"))?,
            nonce: fixed(&form.xchacha20poly1305.nonce).ok_or(wrong("nonce"))?,
            ciphertext: fixed(&form.xchacha20poly1305.ciphertext).ok_or(wrong("ciphertext"))?,
        };
        if form.check != sealed.check() {
            return Err(KeyFileFault::Damaged);
        }
        Ok(sealed)
    }

    /// Draws salt and nonce and encrypts the seed; `None` where the memory cannot be had.
    fn close(
        mut self,
        seed: &Zeroizing<[u8; 32]>,
        passphrase: &Passphrase,
        entropy: Entropy<'_>,
    ) -> Option<Self> {
        entropy(&mut self.salt);
        entropy(&mut self.nonce);
        let header = self.header();
        let payload = Payload { msg: &seed[..], aad: header.as_bytes() };
        self.ciphertext = self
            .cipher(passphrase)?
            .encrypt(&self.nonce.into(), payload)
            .ok()
            .and_then(|ciphertext| ciphertext.try_into().ok())
            .expect("32 bytes become 48");
        Some(self)
    }

    /// All public fields in lines: what the ciphertext is bound to. No field holds a line break.
    fn header(&self) -> String {
        let Self { purpose, label, public, cost, salt, nonce, ciphertext: _ } = self;
        format!(
            "{FORMAT}\n{}\n{label}\n{}\n{} {} {}\n{}\n{}\n",
            purpose.word(),
            hex(&public.0),
            cost.memory_kib(),
            cost.passes(),
            cost.lanes(),
            hex(salt),
            hex(nonce),
        )
    }

    fn check(&self) -> String {
        check_of(&format!("{}{}\n", self.header(), hex(&self.ciphertext)))
    }

    fn cipher(&self, passphrase: &Passphrase) -> Option<XChaCha20Poly1305> {
        let key = self.cost.key(passphrase, &self.salt)?;
        Some(XChaCha20Poly1305::new((&*key).into()))
    }

    fn memory_mib(&self) -> u32 {
        self.cost.memory_kib().div_ceil(1024)
    }
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    format: String,
    purpose: KeyPurpose,
    label: String,
    public: String,
    argon2id: Argon2idForm,
    xchacha20poly1305: CipherForm,
    check: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Argon2idForm {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct CipherForm {
    nonce: String,
    ciphertext: String,
}
