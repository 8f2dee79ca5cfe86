//! Entries of a damaged database that have no place yet: what they follow on was lost with other pages
//! and comes back from neighbours, or not. Until then they lie only in the folder of the damaged
//! files, and are tried again as roster and logs grow.

use serde::{Deserialize, Serialize};
use xw_schemas::id::EditionId;
use xw_store::{Salvaged, Store};

use crate::clock;
use crate::office::Office;
use crate::trouble::Answer;

/// Where the store remembers the folders.
const NOTE: &str = "leftovers";

/// A pass over a damaged database is not begun sooner after the one before: neighbours send for some
/// seconds at a time.
const EVERY_MS: u64 = 10_000;

/// The folders of damaged files out of which something is still to be taken.
#[derive(Default)]
pub(crate) struct Leftovers {
    folders: Vec<Left>,
    /// The pass under way, over the first folder.
    pass: Option<xw_store::Leftovers>,
    /// No pass is begun before, by the steady clock.
    not_before_ms: u64,
}

/// One of them.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Left {
    /// Its name in the node's folder.
    folder: String,
    entries: u64,
    editions: u64,
    /// What was held when it was last tried.
    #[serde(skip)]
    tried: Option<Known>,
}

/// What decides whether a try can come to anything new.
type Known = (EditionId, u64);

impl Leftovers {
    pub(crate) fn load(store: &Store) -> Answer<Self> {
        let noted = store.note(NOTE)?;
        let folders = noted.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        Ok(Self { folders: folders.unwrap_or_default(), ..Self::default() })
    }

    /// Notes what a salvage left behind, or a folder that is to be tried from the beginning.
    pub(super) fn note(store: &mut Store, folder: &str, left: &Salvaged) -> Answer<()> {
        let mut all = Self::load(store)?;
        all.folders.retain(|one| one.folder != folder);
        all.folders.push(Left {
            folder: folder.to_owned(),
            entries: left.unplaced,
            editions: left.editions_unplaced,
            tried: None,
        });
        all.keep(store)
    }

    fn keep(&self, store: &mut Store) -> Answer<()> {
        let bytes = serde_json::to_vec(&self.folders).expect("plain data");
        Ok(store.set_note(NOTE, (!self.folders.is_empty()).then_some(&bytes[..]))?)
    }

    /// What a person is told of them, in Chinese and English; nothing when there are none.
    pub(super) fn told(&self, node: &std::path::Path) -> Option<(String, String)> {
        let waiting = self.folders.iter().filter(|left| left.entries + left.editions > 0);
        let (zh, en): (Vec<String>, Vec<String>) = waiting
            .map(|left| {
                let Left { folder, entries, editions, .. } = left;
                let at = node.join(folder);
                let at = at.display();
                (
                    format!(
                        "还有条目 {entries} 个、名册 {editions} 版只在 {at} 中：它们所接续的部分尚未取回，取回后会自动补入，此前请勿删除该目录"
                    ),
                    format!(
                        "{entries} entries and {editions} roster editions lie only in {at}: what they follow on has not come back yet. They are taken in when it has; keep the folder until then"
                    ),
                )
            })
            .unzip();
        (!zh.is_empty()).then(|| (zh.join("；"), en.join("; ")))
    }
}

impl Office {
    /// Tries some of what has no place yet, when something has come on which it may follow.
    pub(super) fn mind_leftovers(&mut self) -> Answer<()> {
        if self.leftovers.pass.is_none() && !self.begin_leftovers()? {
            return Ok(());
        }
        let Some(pass) = &mut self.leftovers.pass else { return Ok(()) };
        let tried = self.store.try_leftovers(pass)?;
        // Neighbours are told as of anything that is stored here.
        self.fresh.extend(tried.placed);
        let Some(done) = tried.pass else { return Ok(()) };
        self.leftovers.pass = None;
        self.leftovers.not_before_ms = clock::steady_ms() + EVERY_MS;
        self.roster_grown |= done.editions > 0;
        let mut left = self.leftovers.folders.remove(0);
        tracing::info!(folder = left.folder, ?done, "a damaged database was read once more");
        (left.entries, left.editions) = (done.unplaced, done.editions_unplaced);
        if done.leaves_some() {
            // Another one's turn.
            self.leftovers.folders.push(left);
        }
        self.leftovers.keep(&mut self.store)
    }

    /// Begins a pass over the first folder; says whether one is begun.
    fn begin_leftovers(&mut self) -> Answer<bool> {
        if self.leftovers.folders.is_empty() || clock::steady_ms() < self.leftovers.not_before_ms {
            return Ok(false);
        }
        self.leftovers.not_before_ms = clock::steady_ms() + EVERY_MS;
        let known = (
            self.store.roster().state(),
            self.store.logs().iter().map(|(_, log)| log.size()).sum::<u64>(),
        );
        let Some(left) = self.leftovers.folders.first_mut() else { return Ok(false) };
        if left.tried.replace(known) == Some(known) {
            self.leftovers.folders.rotate_left(1);
            return Ok(false);
        }
        let database = self.folder.path().join(&left.folder).join("store.db");
        match self.store.leftovers(&database) {
            Ok(pass) => {
                self.leftovers.pass = Some(pass);
                Ok(true)
            }
            Err(error) => {
                tracing::warn!(%error, folder = left.folder, "what was left there cannot be read");
                left.tried = None;
                // A person may have taken the folder away, or restored a backup elsewhere.
                if database.exists() {
                    self.leftovers.folders.rotate_left(1);
                } else {
                    self.leftovers.folders.remove(0);
                    self.leftovers.keep(&mut self.store)?;
                }
                Ok(false)
            }
        }
    }
}
