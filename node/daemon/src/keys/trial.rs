//! One try of a passphrase: what takes long and much memory, apart from whoever owns the store. Holds
//! the passphrase no longer than the try, and knows nothing of who may try how often.

use xw_custody::{Cost, OpenRefusal, Passphrase};
use zeroize::Zeroizing;

use super::files::PersonFile;
use crate::clock;

/// A try to be made, on any thread.
pub(crate) struct Trial {
    /// The keys of one person, in the order in which they are tried; at least one.
    pub(crate) files: Vec<PersonFile>,
    pub(crate) passphrase: Passphrase,
    /// Another passphrase for the key, and what a try of it is to cost.
    pub(crate) new: Option<(Passphrase, Cost)>,
    /// Wrong tries before this one.
    pub(crate) failed_before: u32,
}

/// A try that was made.
pub(crate) struct Tried {
    pub(crate) files: Vec<PersonFile>,
    pub(crate) failed_before: u32,
    pub(crate) came: Result<Came, OpenRefusal>,
}

/// What the right passphrase gave.
pub(crate) enum Came {
    /// The key that it opened, and that key's seed.
    Opened(PersonFile, Zeroizing<[u8; 32]>),
    /// Every key that the old passphrase opened, under the new one, to be written.
    Changed(Vec<PersonFile>),
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let keys: Vec<String> = self.files.iter().map(|file| file.key.public().short()).collect();
        write!(f, "Trial({})", keys.join(" "))
    }
}

impl Trial {
    /// Makes it: takes a quarter of a second and 64 MiB a key, for a new passphrase twice.
    pub(crate) fn run(self) -> Tried {
        let Self { files, passphrase, new, failed_before } = self;
        let came = match &new {
            None => first_of(&files, |file| Ok((file.clone(), file.key.open(&passphrase)?)))
                .map(|(file, seed)| Came::Opened(file, seed)),
            Some((new, cost)) => changed(&files, &passphrase, new, *cost).map(Came::Changed),
        };
        Tried { files, failed_before, came }
    }
}

fn changed(
    files: &[PersonFile],
    passphrase: &Passphrase,
    new: &Passphrase,
    cost: Cost,
) -> Result<Vec<PersonFile>, OpenRefusal> {
    let (mut changed, mut refused) = (Vec::new(), None);
    for file in files {
        match file.key.with_passphrase(passphrase, new, cost, &mut clock::fill) {
            Ok(key) => changed.push(PersonFile { number: file.number, key }),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    match refused {
        Some(refusal) if changed.is_empty() => Err(refusal),
        _ => Ok(changed),
    }
}

/// What the first key gives that opens; where none does, why the first one does not.
pub(crate) fn first_of<T, E>(
    files: &[PersonFile],
    mut open: impl FnMut(&PersonFile) -> Result<T, E>,
) -> Result<T, E> {
    let mut refused = None;
    for file in files {
        match open(file) {
            Ok(opened) => return Ok(opened),
            Err(refusal) => refused = refused.or(Some(refusal)),
        }
    }
    Err(refused.expect("somebody has at least one key"))
}
