//! Disk space kept back for the day the disk is full: without it not even clearing up works, because
//! copying the write-ahead log back needs room too.

use std::fs::File;
use std::io::{self, Write as _};
use std::path::PathBuf;

use crate::connection::beside;
use crate::error::StoreError;
use crate::store::Store;
use crate::whole::{folder_of, replace};

impl Store {
    /// Sees that a file of so many bytes stands beside the database as a reserve; makes it only
    /// where as much again stays free, and touches nothing where it does not. Asked for after making
    /// or opening a store, and now and then. Says whether the reserve is there. A store in memory
    /// needs none.
    pub fn keep_ballast(&mut self, bytes: u64) -> Result<bool, StoreError> {
        let Some(path) = self.ballast() else { return Ok(true) };
        if path.metadata().is_ok_and(|file| file.len() == bytes) {
            return Ok(true);
        }
        let made = fs4::available_space(folder_of(&path)).and_then(|free| {
            if free / 2 < bytes {
                return Err(io::ErrorKind::StorageFull.into());
            }
            replace(&path, |file| fill(file, bytes))
        });
        match made {
            Ok(()) => Ok(true),
            Err(error) if is_full(&error) => Ok(false),
            Err(source) => Err(StoreError::File { path, source }),
        }
    }

    /// Gives the reserve up and tidies the files with it, so that the next try may succeed.
    pub(crate) fn make_room(&mut self) {
        let Some(path) = self.ballast() else { return };
        match std::fs::remove_file(&path) {
            Ok(()) => tracing::warn!("the disk is full; the space kept back is given up"),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                tracing::warn!("the disk is full and no space was kept back");
            }
            Err(error) => tracing::error!(error = %error, "the space kept back cannot be given up"),
        }
        for schema in ["main", "shown"].into_iter().take(1 + usize::from(self.shows())) {
            let tidied = self.empty_wal(schema).and_then(|_| self.shrink(schema));
            if let Err(error) = tidied {
                tracing::warn!(error = %error, schema, "the full disk cannot be tidied yet");
            }
        }
    }

    /// Gives the free pages of a file back to the disk.
    pub(crate) fn shrink(&self, schema: &str) -> Result<(), StoreError> {
        use crate::error::Doing as _;
        let doing = "give free pages back";
        let sql = format!("PRAGMA {schema}.incremental_vacuum");
        let mut statement = self.conn.prepare(&sql).doing(doing)?;
        let mut freed = statement.query([]).doing(doing)?;
        while freed.next().doing(doing)?.is_some() {}
        Ok(())
    }

    fn ballast(&self) -> Option<PathBuf> {
        self.site.path().filter(|_| !self.read_only).map(|path| beside(path, "ballast"))
    }
}

fn fill(file: &mut File, bytes: u64) -> io::Result<()> {
    let mut left = bytes;
    let mut state = 0x9e37_79b9_7f4a_7c15_u64;
    let mut noise = vec![0; 1 << 16];
    while left > 0 {
        // Not zeroes: some file systems would pack them into nothing.
        for chunk in noise.chunks_exact_mut(8) {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            chunk.copy_from_slice(&state.to_le_bytes());
        }
        let share = usize::try_from(left).unwrap_or(usize::MAX).min(noise.len());
        file.write_all(&noise[..share])?;
        left -= share as u64;
    }
    Ok(())
}

fn is_full(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::FileTooLarge
    )
}
