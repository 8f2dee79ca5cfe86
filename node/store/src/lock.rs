//! One process owns a database: an operating-system lock on a file beside it, which the system
//! itself lifts when the process ends, however it ends.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// The lock, held as long as this value lives.
#[derive(Debug)]
pub(crate) struct Ownership {
    _file: File,
}

/// Takes the lock of a database, or says that somebody else has it.
pub(crate) fn own(database: &Path) -> Result<Ownership, StoreError> {
    let path = lock_path(database);
    let failed = |source| StoreError::File { path: path.clone(), source };
    let file = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .read(true)
        .open(&path)
        .map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(Ownership { _file: file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::Owned { path: database.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}
