//! One try of a passphrase: what takes long and much memory, apart from whoever owns the store. Holds
//! the passphrase no longer than the try, and knows nothing of who may try how often.

use xw_custody::{Cost, OpenRefusal, Passphrase};
use zeroize::Zeroizing;

use super::files::PersonFile;
use crate::clock;

/// A try to be made, on any thread.
pub(crate) struct Trial {
    pub(crate) file: PersonFile,
    pub(crate) passphrase: Passphrase,
    /// Another passphrase for the key, and what a try of it is to cost.
    pub(crate) new: Option<(Passphrase, Cost)>,
    /// Wrong tries before this one.
    pub(crate) failed_before: u32,
}

/// A try that was made.
pub(crate) struct Tried {
    pub(crate) file: PersonFile,
    pub(crate) failed_before: u32,
    pub(crate) came: Result<Came, OpenRefusal>,
}

/// What the right passphrase gave.
pub(crate) enum Came {
    /// The person's seed.
    Opened(Zeroizing<[u8; 32]>),
    /// The same key under the new passphrase, to be written.
    Changed(PersonFile),
}

impl std::fmt::Debug for Trial {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Trial({})", self.file.key.public().short())
    }
}

impl Trial {
    /// Makes it: takes a quarter of a second and 64 MiB, for a new passphrase twice.
    pub(crate) fn run(self) -> Tried {
        let Self { file, passphrase, new, failed_before } = self;
        let came = match &new {
            None => file.key.open(&passphrase).map(Came::Opened),
            Some((new, cost)) => file
                .key
                .with_passphrase(&passphrase, new, *cost, &mut clock::fill)
                .map(|key| Came::Changed(PersonFile { number: file.number, key })),
        };
        Tried { file, failed_before, came }
    }
}
