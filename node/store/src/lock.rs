//! One process owns a database: an operating-system lock on a file beside it, which the system
//! itself lifts when the process ends, however it ends.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};

use crate::error::StoreError;

/// The lock, held as long as this value lives.
#[derive(Debug)]
pub(crate) struct Ownership {
    file: File,
}

impl Drop for Ownership {
    /// Closing the file would not do: a child process that is just being started has a copy of it
    /// for a moment, and the lock lasts as long as any copy.
    fn drop(&mut self) {
        // What cannot be lifted ends with the process.
        let _ = self.file.unlock();
    }
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
        Ok(()) => Ok(Ownership { file }),
        Err(TryLockError::WouldBlock) => Err(StoreError::Owned { path: database.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn lock_path(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_of_the_file_in_another_process_does_not_keep_the_lock() {
        let database = std::env::temp_dir().join(format!("xw-lock-{}", std::process::id()));
        let ownership = own(&database).unwrap();
        let copy = ownership.file.try_clone().unwrap();
        assert!(matches!(own(&database), Err(StoreError::Owned { .. })));
        drop(ownership);
        own(&database).unwrap();
        drop(copy);
        std::fs::remove_file(lock_path(&database)).unwrap();
    }
}
