//! The search index against a fresh one made of the same words. Nothing else would notice an index
//! that quietly finds less than there is.

use rusqlite::{Connection, params};

use super::{Check, FindingCode, Report};

/// A fresh index in memory.
pub(super) struct Words {
    fresh: rusqlite::Result<Connection>,
}

/// Every place of every word.
const PLACES: &str = "SELECT term, doc, offset FROM temp.places";

impl Words {
    pub(super) fn new() -> Self {
        let fresh = Connection::open_in_memory().and_then(|conn| {
            conn.execute_batch(
                "CREATE VIRTUAL TABLE fts USING fts5(words, content='', contentless_delete=1,
                     tokenize='unicode61 remove_diacritics 0');
                 BEGIN;",
            )?;
            Ok(conn)
        });
        Self { fresh }
    }

    pub(super) fn add(&mut self, n: i64, words: &str) {
        if let Ok(conn) = &self.fresh {
            let inserted = conn
                .prepare_cached("INSERT INTO fts(rowid, words) VALUES (?1, ?2)")
                .and_then(|mut s| s.execute(params![n, words]));
            if let Err(error) = inserted {
                self.fresh = Err(error);
            }
        }
    }

    /// Compares both indexes. `complete` says that no record was passed over.
    pub(super) fn compare(self, check: &mut Check<'_>, complete: bool) {
        if !complete {
            return;
        }
        let compared = self
            .fresh
            .map_err(|error| error.to_string())
            .and_then(|fresh| check.source.read(|held| first_difference(held, &fresh)));
        match compared {
            Ok(None) => {}
            // The word itself may be personal and is not shown.
            Ok(Some(doc)) => {
                let place = format!("fts, record row {doc}");
                check.report.add(FindingCode::Search, place, "words differ");
            }
            Err(error) => check.report.add(FindingCode::Search, "fts", error),
        }
    }
}

impl Report {
    /// Adds what SQLite itself finds in the index.
    pub(super) fn add_search(&mut self, writer: &Connection) {
        let own = writer.execute("INSERT INTO fts(fts) VALUES ('integrity-check')", []);
        if let Err(error) = own {
            self.add(FindingCode::Search, "fts", error);
        }
    }
}

/// The record of the first word that only one index has, or has elsewhere.
fn first_difference(held: &Connection, fresh: &Connection) -> rusqlite::Result<Option<i64>> {
    for (conn, schema) in [(held, "shown"), (fresh, "main")] {
        conn.execute_batch(&format!(
            "DROP TABLE IF EXISTS temp.places;
             CREATE VIRTUAL TABLE temp.places USING fts5vocab({schema}, fts, instance);"
        ))?;
    }
    let (mut left, mut right) = (held.prepare(PLACES)?, fresh.prepare(PLACES)?);
    let (mut left, mut right) = (left.query([])?, right.query([])?);
    loop {
        let a = left.next()?.map(place).transpose()?;
        let b = right.next()?.map(place).transpose()?;
        match (a, b) {
            (None, None) => return Ok(None),
            (a, b) if a == b => {}
            (a, b) => return Ok(a.or(b).map(|(_, doc, _)| doc)),
        }
    }
}

fn place(row: &rusqlite::Row<'_>) -> rusqlite::Result<(Vec<u8>, i64, i64)> {
    let term = row.get_ref(0)?.as_bytes()?.to_vec();
    Ok((term, row.get(1)?, row.get(2)?))
}
