//! Under which keys the store keeps what: the machine's over the whole file, the office's over what
//! can be read. Holds no passphrase and writes no file.

use xw_custody::{OfficeKey, SealingKey};
use xw_schemas::hash::tagged;
use zeroize::Zeroizing;

use crate::error::StoreError;

/// What a store is opened with. Neither key reads a body or a row; [`crate::Store::unlock`] does.
#[derive(Clone)]
pub struct StoreKeys {
    /// Encrypts the file of entries. It lies on this PC, for starting without a person.
    pub machine: Zeroizing<[u8; 32]>,
    /// Seals bodies that come while the office's key is not there.
    pub sealing: SealingKey,
}

impl std::fmt::Debug for StoreKeys {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("StoreKeys")
    }
}

/// The key of one database file.
#[derive(Clone)]
pub(crate) struct FileKey(Zeroizing<[u8; 32]>);

impl FileKey {
    pub(crate) fn new(key: Zeroizing<[u8; 32]>) -> Self {
        Self(key)
    }

    /// As SQLCipher takes a key that is not derived from a passphrase.
    pub(crate) fn text(&self) -> Zeroizing<String> {
        use std::fmt::Write as _;
        // Filled within its first allocation, so that no copy of the key is left behind.
        let mut text = Zeroizing::new(String::with_capacity(2 * 32 + 3));
        text.push_str("x'");
        for byte in &self.0[..] {
            write!(text, "{byte:02x}").expect("a string takes everything");
        }
        text.push('\'');
        text
    }

    /// Says nothing of the key and tells it from others: for seeing whether a file or its key is
    /// at fault.
    pub(crate) fn mark(&self) -> [u8; 32] {
        tagged("xw/store/machine-key/1", &[&self.0[..]])
    }
}

/// First byte of a kept body: what the rest is.
const PLAIN: u8 = 0;
const ENCRYPTED: u8 = 1;
const SEALED: u8 = 2;

/// How bodies are kept and read.
pub(crate) enum Vault {
    /// The store has no keys: bodies lie open. For simulations and training counties.
    Plain,
    /// The office's key is not there: bodies can be kept and not read.
    Locked(SealingKey),
    /// The office's key is there.
    Open(Box<OfficeKey>),
}

/// What a kept body turned out to be.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Opened {
    /// Its bytes.
    Bytes(Vec<u8>),
    /// It is there and the store is locked.
    Locked,
    /// It does not open under the office's key, or is nothing that this program wrote.
    Damaged,
}

impl Vault {
    /// The bytes to keep of a body.
    pub(crate) fn keep(&self, body: &[u8]) -> Result<Vec<u8>, StoreError> {
        let mut dice = Dice::default();
        let mut entropy = |buffer: &mut [u8]| dice.fill(buffer);
        let (mark, kept) = match self {
            Self::Plain => (PLAIN, body.to_vec()),
            Self::Locked(sealing) => (SEALED, sealing.seal(body, &mut entropy)),
            Self::Open(office) => (ENCRYPTED, office.encrypt(body, &mut entropy)),
        };
        dice.check()?;
        Ok([&[mark][..], &kept].concat())
    }

    /// The body that was kept as these bytes.
    pub(crate) fn read(&self, kept: &[u8]) -> Opened {
        let bytes = match (self, kept.split_first()) {
            (Self::Plain, Some((&PLAIN, body))) => Some(body.to_vec()),
            (Self::Locked(_), Some((&(ENCRYPTED | SEALED), _))) => return Opened::Locked,
            (Self::Open(office), Some((&ENCRYPTED, body))) => office.decrypt(body),
            (Self::Open(office), Some((&SEALED, body))) => office.open(body),
            _ => None,
        };
        bytes.map_or(Opened::Damaged, Opened::Bytes)
    }

    /// Whether bodies can be read.
    pub(crate) fn is_open(&self) -> bool {
        !matches!(self, Self::Locked(_))
    }

    /// What a fingerprint is kept as. It is made from few digits that could be tried out, so under
    /// keys it depends on the office's.
    pub(crate) fn blind(&self, fingerprint: [u8; 32]) -> Result<[u8; 32], StoreError> {
        match self {
            Self::Plain => Ok(fingerprint),
            Self::Locked(_) => Err(StoreError::Locked),
            Self::Open(office) => {
                Ok(tagged("xw/store/import/1", &[&office.database_key()[..], &fingerprint]))
            }
        }
    }
}

/// Whether a body was sealed while the office's key was away: a seal opens twenty times slower.
pub(crate) fn is_sealed(kept: &[u8]) -> bool {
    kept.first() == Some(&SEALED)
}

/// The system's dice. That they fail is remembered, because whoever draws cannot be told.
#[derive(Default)]
struct Dice {
    failed: Option<getrandom::Error>,
}

impl Dice {
    fn fill(&mut self, buffer: &mut [u8]) {
        if let Err(error) = getrandom::fill(buffer) {
            self.failed = Some(error);
        }
    }

    fn check(self) -> Result<(), StoreError> {
        self.failed.map_or(Ok(()), |error| Err(StoreError::Dice { source: error }))
    }
}

/// Random bytes that tell one thing from every other.
pub(crate) fn token() -> Result<[u8; 16], StoreError> {
    let mut token = [0; 16];
    getrandom::fill(&mut token).map_err(|source| StoreError::Dice { source })?;
    Ok(token)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn office(seed: u8) -> Box<OfficeKey> {
        Box::new(OfficeKey::from_seed(&Zeroizing::new([seed; 32])))
    }

    #[test]
    fn what_a_locked_store_keeps_the_office_reads_and_nobody_else() {
        let locked = Vault::Locked(office(1).public());
        let kept = locked.keep("王秀英".as_bytes()).unwrap();
        assert!(is_sealed(&kept));
        assert_eq!(locked.read(&kept), Opened::Locked);
        assert_eq!(Vault::Open(office(1)).read(&kept), Opened::Bytes("王秀英".into()));
        assert_eq!(Vault::Open(office(2)).read(&kept), Opened::Damaged);
        assert_eq!(Vault::Plain.read(&kept), Opened::Damaged);
    }

    #[test]
    fn what_an_open_store_keeps_is_encrypted() {
        let open = Vault::Open(office(1));
        let kept = open.keep(b"130599199001011234").unwrap();
        assert!(!is_sealed(&kept) && !kept.windows(6).any(|part| part == b"130599"));
        assert_eq!(open.read(&kept), Opened::Bytes(b"130599199001011234".into()));
        assert_eq!(Vault::Open(office(2)).read(&kept), Opened::Damaged);
        assert_eq!(open.read(&[]), Opened::Damaged);
    }

    #[test]
    fn a_fingerprint_is_kept_otherwise_by_every_office() {
        let print = [7; 32];
        let (one, two) = (Vault::Open(office(1)), Vault::Open(office(2)));
        assert_ne!(one.blind(print).unwrap(), two.blind(print).unwrap());
        assert_ne!(one.blind(print).unwrap(), print);
        assert!(Vault::Locked(office(1).public()).blind(print).is_err());
    }

    #[test]
    fn keys_are_never_printed() {
        let keys = StoreKeys { machine: Zeroizing::new([5; 32]), sealing: office(1).public() };
        assert_eq!(format!("{keys:?}"), "StoreKeys");
        assert_eq!(FileKey::new(keys.machine).text().len(), 67);
    }
}
