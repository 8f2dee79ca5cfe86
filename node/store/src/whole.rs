//! Files that are there whole or not at all, and still there after a power cut: written beside their
//! place, made durable, then given their name. Knows nothing of what is in them.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

/// Who may read a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadBy {
    /// Whoever may read the folder.
    All,
    /// Its owner alone. On Windows the user's profile, where the folder lies, says the same.
    Owner,
}

/// Names that are tried for the file beside: each one that is taken is what a power cut left, or a
/// person's.
const NAMES_MAX: usize = 1_000;

/// Writes a file anywhere, also among a person's own. What `fill` writes is there under the file's
/// name once it is all durable; after any trouble the file is as it was.
pub fn write_whole<T, E: From<io::Error>>(
    path: &Path,
    by: ReadBy,
    fill: impl FnOnce(&mut File) -> Result<T, E>,
) -> Result<T, E> {
    let (new, file) = beside(path, by)?;
    written(&new, file, path, fill)
}

/// The same for a file of which this process is the only owner: the draft has a fixed name, so that
/// what a power cut left there is written over and not left lying.
pub(crate) fn replace(
    path: &Path,
    fill: impl FnOnce(&mut File) -> io::Result<()>,
) -> io::Result<()> {
    let new = draft_of(path);
    let file = File::create(&new)?;
    written(&new, file, path, fill)
}

/// Where the one owner of a file writes it before it gets its name.
pub(crate) fn draft_of(path: &Path) -> PathBuf {
    appended(path, ".new")
}

/// Gives a file its name that somebody else has written and closed.
pub(crate) fn put_in_place(new: &Path, path: &Path) -> io::Result<()> {
    for_syncing(new)?.sync_all()?;
    name(new, path)
}

fn written<T, E: From<io::Error>>(
    new: &Path,
    mut file: File,
    path: &Path,
    fill: impl FnOnce(&mut File) -> Result<T, E>,
) -> Result<T, E> {
    let written = fill(&mut file).and_then(|told| {
        // Through the handle that wrote, which alone is sure to hear that a write failed.
        file.sync_all()?;
        drop(file);
        name(new, path)?;
        Ok(told)
    });
    if written.is_err() {
        // What was begun in vain must not stay in the way.
        let _ = fs::remove_file(new);
    }
    written
}

/// Afterwards there is the old file or the new one, whatever happens to the power.
fn name(new: &Path, path: &Path) -> io::Result<()> {
    fs::rename(new, path)?;
    sync_name(path)
}

/// Makes the names in a folder durable, where the system has a way to.
pub fn sync_folder(folder: &Path) -> io::Result<()> {
    #[cfg(unix)]
    match File::open(folder)?.sync_all() {
        // Some file systems of sticks and networks have none.
        Err(error) if matches!(error.kind(), ErrorKind::InvalidInput | ErrorKind::Unsupported) => {}
        synced => synced?,
    }
    #[cfg(not(unix))]
    let _ = folder;
    Ok(())
}

/// Makes the name of a file durable.
pub(crate) fn sync_name(path: &Path) -> io::Result<()> {
    sync_folder(folder_of(path))
}

/// Where a file lies.
pub(crate) fn folder_of(path: &Path) -> &Path {
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    folder.unwrap_or(Path::new("."))
}

/// A file opened so that every system makes it durable: Windows refuses for one that is only read.
fn for_syncing(path: &Path) -> io::Result<File> {
    OpenOptions::new().write(true).open(path)
}

/// A new file beside a place, under a name that nobody uses.
fn beside(path: &Path, by: ReadBy) -> io::Result<(PathBuf, File)> {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    if by == ReadBy::Owner {
        use std::os::unix::fs::OpenOptionsExt as _;
        options.mode(0o600);
    }
    #[cfg(not(unix))]
    let _ = by;
    for _ in 0..NAMES_MAX {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let new = appended(path, &format!(".{}-{number}.new", std::process::id()));
        match options.open(&new) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            opened => return opened.map(|file| (new, file)),
        }
    }
    Err(ErrorKind::AlreadyExists.into())
}

fn appended(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    PathBuf::from(name)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::world::Folder;

    fn place(folder: &Folder, name: &str) -> PathBuf {
        folder.file().with_file_name(name)
    }

    #[test]
    fn a_file_is_made_durable_through_a_handle_that_may_write() {
        let folder = Folder::quick();
        let path = place(&folder, "a");
        fs::write(&path, b"four").unwrap();
        // What may not write may not cut either, here as on Windows.
        for_syncing(&path).unwrap().set_len(3).unwrap();
        assert_eq!(fs::read(&path).unwrap(), b"fou");
    }

    #[test]
    fn a_file_is_written_whole_or_not_at_all_and_touches_no_other() {
        let folder = Folder::quick();
        let path = place(&folder, "甲.json");
        let persons = [place(&folder, "甲.new"), place(&folder, "甲.json.new")];
        for own in &persons {
            fs::write(own, b"a person's").unwrap();
        }
        write_whole(&path, ReadBy::Owner, |file| file.write_all(b"one")).unwrap();
        let failed = write_whole(&path, ReadBy::Owner, |file| {
            file.write_all(b"half")?;
            Err::<(), _>(io::Error::from(ErrorKind::StorageFull))
        });
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::StorageFull);
        assert_eq!(fs::read(&path).unwrap(), b"one");
        assert!(persons.iter().all(|own| fs::read(own).unwrap() == b"a person's"));
        let left = fs::read_dir(path.parent().unwrap()).unwrap().count();
        assert_eq!(left, 3, "nothing stays beside it");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
        }
    }

    #[test]
    fn a_name_without_a_folder_lies_in_the_present_one() {
        sync_name(Path::new("store.db")).unwrap();
    }
}
