//! One hash over everything that people see: two nodes with the same entries and roster have the
//! same. Taken over views, never over files or the order in which anything arrived.

use rusqlite::{Connection, params};
use xw_ledger::roster::Roster;
use xw_schemas::hash::tagged;
use xw_schemas::id::hex;
use xw_schemas::space::Space;

use crate::error::{Doing, StoreError};
use crate::receive::space_columns;
use crate::settle::{remaining, space};
use crate::store::Store;
use crate::tables::STANDING;

/// Digests over one space or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ViewDigest {
    /// Over roster head, rules, and every record with its view and standing.
    pub views: [u8; 32],
    /// Over every entry id with its standing: the same on nodes that hold other bodies.
    pub headers: [u8; 32],
    /// Records that have a view.
    pub records: u64,
    /// Entries held.
    pub entries: u64,
    /// Records that still wait to be judged; with any, `views` is not the last word.
    pub unsettled: u64,
}

impl std::fmt::Display for ViewDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&hex(&self.views))
    }
}

const DOING: &str = "take a digest";

impl Store {
    /// The digest over one space, or over all. It is over views, which a locked store has not.
    pub fn digest(&self, space: Option<Space>) -> Result<ViewDigest, StoreError> {
        if !self.shows() {
            return Err(StoreError::Locked);
        }
        take(&self.conn, self.roster(), space)
    }

    /// The digest over entry ids and standings alone, and how many entries there are: what a locked
    /// store can still compare with others.
    pub fn header_digest(&self, space: Option<Space>) -> Result<([u8; 32], u64), StoreError> {
        let _snapshot = self.conn.unchecked_transaction().doing(DOING)?;
        let spaces = match space {
            Some(space) => vec![space],
            None => spaces(&self.conn)?,
        };
        let (mut headers, mut entries) = (Vec::new(), 0);
        for space in spaces {
            let (sum, count) = sum_headers(&self.conn, space)?;
            headers.extend(space.bytes());
            headers.extend(sum);
            entries += count;
        }
        Ok((tagged("xw/headers/1", &[&headers]), entries))
    }
}

/// Takes the digest with whatever connection reads the tables.
pub(crate) fn take(
    conn: &Connection,
    roster: &Roster,
    space: Option<Space>,
) -> Result<ViewDigest, StoreError> {
    // One view of the tables for both sums.
    let _snapshot =
        if conn.is_autocommit() { Some(conn.unchecked_transaction().doing(DOING)?) } else { None };
    let spaces = match space {
        Some(space) => vec![space],
        None => spaces(conn)?,
    };
    let (mut views, mut headers) = (head(roster), Vec::new());
    let mut digest =
        ViewDigest { views: [0; 32], headers: [0; 32], records: 0, entries: 0, unsettled: 0 };
    for space in spaces {
        let (sum, records) = sum_views(conn, space)?;
        views.extend(space.bytes());
        views.extend(sum);
        let (sum, entries) = sum_headers(conn, space)?;
        headers.extend(space.bytes());
        headers.extend(sum);
        digest.records += records;
        digest.entries += entries;
    }
    digest.views = tagged("xw/views/1", &[&views]);
    digest.headers = tagged("xw/headers/1", &[&headers]);
    digest.unsettled = remaining(conn)?;
    Ok(digest)
}

fn head(roster: &Roster) -> Vec<u8> {
    [&roster.state().0[..], &roster.rules().to_be_bytes()].concat()
}

fn spaces(conn: &Connection) -> Result<Vec<Space>, StoreError> {
    let sql = "SELECT DISTINCT division, audience FROM log ORDER BY division, audience";
    let mut statement = conn.prepare_cached(sql).doing(DOING)?;
    let rows = statement.query_map([], |row| space(row, 0)).doing(DOING)?;
    rows.collect::<Result<_, _>>().doing(DOING)
}

fn sum_views(conn: &Connection, space: Space) -> Result<([u8; 32], u64), StoreError> {
    let sql = "SELECT r.id, r.standing, c.hash FROM record r JOIN canonical c ON c.record_n = r.n
               WHERE r.division = ?1 AND r.audience = ?2 ORDER BY r.id";
    sum(conn, sql, space, |row| {
        let (id, standing, hash): ([u8; 16], u8, [u8; 32]) =
            (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok([&id[..], &[standing], &hash].concat())
    })
}

fn sum_headers(conn: &Connection, space: Space) -> Result<([u8; 32], u64), StoreError> {
    let sql = format!(
        "SELECT e.id, {STANDING} FROM log l JOIN entry e ON e.log_n = l.n
         LEFT JOIN fork f ON f.entry_n = e.n
         WHERE l.division = ?1 AND l.audience = ?2 ORDER BY l.id, e.sequence, e.id"
    );
    sum(conn, &sql, space, |row| {
        let (id, standing): ([u8; 32], u8) = (row.get(0)?, row.get(1)?);
        Ok([&id[..], &[standing]].concat())
    })
}

fn sum(
    conn: &Connection,
    sql: &str,
    space: Space,
    read: impl Fn(&rusqlite::Row<'_>) -> rusqlite::Result<Vec<u8>>,
) -> Result<([u8; 32], u64), StoreError> {
    let mut statement = conn.prepare_cached(sql).doing(DOING)?;
    let (division, audience) = space_columns(space);
    let mut rows = statement.query(params![division, audience]).doing(DOING)?;
    let (mut bytes, mut count) = (Vec::new(), 0);
    while let Some(row) = rows.next().doing(DOING)? {
        bytes.extend(read(row).doing(DOING)?);
        count += 1;
    }
    Ok((tagged("xw/space/1", &[&bytes]), count))
}
