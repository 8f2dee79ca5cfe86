//! How many connections the API holds at once, and which one gives way when one more comes. Reads no
//! byte of any of them.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::task::AbortHandle;

/// Connections at once: twice the requests at work, and far from the 1,024 files that a program may
/// have open by default, of which the database and the mesh want theirs.
const CONNECTIONS_MAX: usize = 64;

/// Whether a connection has shown the token.
#[derive(Clone, Default)]
pub(super) struct Known(Arc<AtomicBool>);

impl Known {
    pub(super) fn note(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    fn is_noted(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// The connections that are open, in the order in which they came.
#[derive(Default)]
pub(super) struct Places(Vec<Place>);

struct Place {
    known: Known,
    task: AbortHandle,
}

impl Places {
    /// Makes room for one more, and says whether there is. Whoever has not said who they are gives
    /// way, the oldest first: a client of ours says it at once, and whoever opens connections and says
    /// nothing keeps nobody out.
    pub(super) fn make_room(&mut self) -> bool {
        self.0.retain(|place| !place.task.is_finished());
        if self.0.len() < CONNECTIONS_MAX {
            return true;
        }
        let Some(silent) = self.0.iter().position(|place| !place.known.is_noted()) else {
            return false;
        };
        self.0.remove(silent).task.abort();
        true
    }

    /// Holds a place until the task ends.
    pub(super) fn take(&mut self, known: Known, task: AbortHandle) {
        self.0.push(Place { known, task });
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::task::JoinHandle;

    use super::*;

    #[tokio::test]
    async fn the_oldest_who_says_nothing_gives_way_and_whoever_is_known_never() {
        let mut places = Places::default();
        let come = |places: &mut Places| {
            let known = Known::default();
            let task: JoinHandle<()> = tokio::spawn(pending());
            places.take(known.clone(), task.abort_handle());
            (known, task)
        };
        let mut open = Vec::new();
        for _ in 0..CONNECTIONS_MAX {
            assert!(places.make_room());
            open.push(come(&mut places));
        }
        open[0].0.note();
        // The second is the oldest silent one.
        assert!(places.make_room());
        let (_, second) = open.remove(1);
        assert!(second.await.unwrap_err().is_cancelled());
        open.push(come(&mut places));
        open.iter().for_each(|(known, _)| known.note());
        assert!(!places.make_room(), "all are at work");
        let (_, ended) = open.remove(5);
        ended.abort();
        assert!(ended.await.unwrap_err().is_cancelled());
        assert!(places.make_room(), "one has ended");
    }
}
