//! Questions answered: lists, one record, its history, counts. Reads committed rows over its own
//! connection, which cannot write; never touches a document library.

use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use rusqlite::types::Value as Sql;
use rusqlite::{Connection, Row, params, params_from_iter};
use serde_json::Value as Json;
use xw_custody::OfficeKey;
use xw_ledger::judge::Definitions;
use xw_ledger::standing::Standing;
use xw_ledger::verdict::{StoredVerdict, VerdictKind};
use xw_ledger::view::View;
use xw_schemas::entry::VerifiedEntry;
use xw_schemas::id::RecordId;
use xw_schemas::space::Space;
use xw_schemas::value::Value;

use crate::connection::{self, Shown, Site};
use crate::error::{Doing, StoreError};
use crate::keys::{FileKey, StoreKeys};
use crate::limits::HITS_FEW;
use crate::load::{self, number, stood};
use crate::query::{Compiled, Cursor, GroupKey, Hits, KEY_COLUMNS, Query, QuerySlip, Scope};
use crate::settle::space;
use crate::shown::fits;
use crate::tables::{self, STANDING};
use crate::words::search_phrases;

/// A connection that can only read. Several may work at once, each on one thread at a time.
pub struct Reader {
    pub(crate) conn: Connection,
    /// Whether the store still lets rows be read.
    readable: Arc<AtomicBool>,
    /// Definitions seen so far; looked up again when a question names what they do not have.
    definitions: Mutex<Definitions>,
}

/// One record in a list.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordRow {
    /// The record.
    pub record: RecordId,
    /// Its space.
    pub space: Space,
    /// Its type.
    pub record_type: String,
    /// Its state; `conflict` when steps contradict one another; empty when sealed.
    pub state: String,
    /// How firmly it stands: the weakest of what counts.
    pub standing: Standing,
    /// Whether its bodies are withheld here.
    pub sealed: bool,
    /// Claimed time of the first change, milliseconds since 1970.
    pub created_ms: u64,
    /// Claimed time of the newest change.
    pub updated_ms: u64,
    /// Changes that count.
    pub changes: u32,
    /// Places with several values.
    pub conflicts: u32,
    /// What the record lacks or contradicts.
    pub problems: u32,
    /// Changes that do not count.
    pub refused: u32,
    /// Changes that wait.
    pub waiting: u32,
    /// Title, where the record has one.
    pub title: Option<String>,
    /// Business number, where the record has one.
    pub number: Option<String>,
    /// The content as nested JSON of stored values.
    pub doc: Json,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq)]
pub struct Page {
    /// The rows.
    pub rows: Vec<RecordRow>,
    /// Where the next page begins; `None` on the last one.
    pub next: Option<Cursor>,
    /// How many rows match in all, if that was asked.
    pub total: Option<u64>,
}

/// One record with everything that is known of it.
#[derive(Debug, Clone, PartialEq)]
pub struct RecordDetail {
    /// The row as listed.
    pub row: RecordRow,
    /// The view: content, conflicts, problems, steps.
    pub view: View,
    /// Whether entries have come since that are not judged yet.
    pub stale: bool,
}

/// One entry of a record.
#[derive(Debug, Clone, PartialEq)]
pub struct EntryRow {
    /// The entry.
    pub entry: VerifiedEntry,
    /// When it came to this node, milliseconds since 1970.
    pub received_ms: u64,
    /// How firmly it stands.
    pub standing: Standing,
    /// The verdict; `None` until it is judged.
    pub verdict: Option<StoredVerdict>,
    /// Whether its body is held here.
    pub has_body: bool,
}

/// How much is held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    /// Entries on disk.
    pub entries: u64,
    /// Records that have a view.
    pub records: u64,
}

/// How many records share some values.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The values, in the order asked for.
    pub keys: Vec<Value>,
    /// The records.
    pub count: u64,
}

impl std::fmt::Debug for Reader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reader")
    }
}

const DOING: &str = "read records";

impl Reader {
    /// Opens a database without keys for reading, also while another process owns it.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        Self::open_with(path, None, None)
    }

    /// The same, with keys: the machine's to read entries, the office's to read rows as well.
    pub fn open_with(
        path: &Path,
        keys: Option<&StoreKeys>,
        office: Option<&OfficeKey>,
    ) -> Result<Self, StoreError> {
        let site = Site::file(path, keys.map(|keys| FileKey::new(keys.machine.clone())));
        let shown = match (keys, office) {
            (Some(_), None) => None,
            (_, office) => {
                Some(site.shown(office.map(|office| FileKey::new(office.database_key()))))
            }
        };
        let mut reader = Self::over(&site, None, Arc::new(AtomicBool::new(false)))?;
        if let Some(shown) = shown
            && connection::attach(&reader.conn, &shown, false).is_ok()
        {
            reader.readable = Arc::new(AtomicBool::new(fits(&reader.conn)?));
        }
        Ok(reader)
    }

    pub(crate) fn over(
        site: &Site,
        shown: Option<&Shown>,
        readable: Arc<AtomicBool>,
    ) -> Result<Self, StoreError> {
        let conn = connection::reader(site)?;
        tables::check_format(&conn)?;
        if let Some(shown) = shown {
            connection::attach(&conn, shown, false)?;
        }
        conn.execute_batch("PRAGMA query_only = ON").doing("set up a reading connection")?;
        let definitions = Mutex::new(load::definitions(&conn)?);
        Ok(Self { conn, readable, definitions })
    }

    /// Whether rows can be read; entries always can.
    #[must_use]
    pub fn is_readable(&self) -> bool {
        self.readable.load(Ordering::Acquire)
    }

    fn see_rows(&self) -> Result<(), StoreError> {
        if self.is_readable() { Ok(()) } else { Err(StoreError::Locked) }
    }

    /// One page of the records that a question asks for.
    pub fn list(&self, query: &Query) -> Result<Page, StoreError> {
        self.see_rows()?;
        let _snapshot = self.conn.unchecked_transaction().doing(DOING)?;
        let hits = self.hits(query)?;
        let page = self.compile(query, |scope, query| Compiled::page(scope, query, hits))?;
        let mut statement = self.conn.prepare_cached(&page.sql).doing(DOING)?;
        let keys = statement.column_count() - KEY_COLUMNS;
        let mut found = statement.query(params_from_iter(page.values)).doing(DOING)?;
        let (mut rows, mut last) = (Vec::new(), None);
        while let Some(row) = found.next().doing(DOING)? {
            rows.push(record_row(row).doing(DOING)?);
            last = Some(cursor(row, keys).doing(DOING)?);
        }
        let full =
            rows.len() >= usize::try_from(query.limit).unwrap_or(usize::MAX) && query.limit > 0;
        let total = if query.count_total { Some(self.count(query)?) } else { None };
        Ok(Page { rows, next: last.filter(|_| full), total })
    }

    /// Whether the words of a question are frequent.
    fn hits(&self, query: &Query) -> Result<Hits, StoreError> {
        let Some(phrases) = query.text.as_deref().and_then(search_phrases) else {
            return Ok(Hits::Few);
        };
        let sql = "SELECT count(*) FROM (SELECT 1 FROM fts WHERE fts MATCH ?1 LIMIT ?2)";
        let many: i64 = self
            .conn
            .prepare_cached(sql)
            .and_then(|mut s| s.query_row(params![phrases, HITS_FEW], |row| row.get(0)))
            .doing(DOING)?;
        Ok(if many < HITS_FEW { Hits::Few } else { Hits::Many })
    }

    fn count(&self, query: &Query) -> Result<u64, StoreError> {
        let total = self.compile(query, Compiled::total)?;
        self.conn
            .prepare_cached(&total.sql)
            .and_then(|mut s| s.query_row(params_from_iter(total.values), |row| number(row, 0)))
            .doing(DOING)
    }

    /// How much is held; cheap enough to be asked often. Of a locked store it says what was judged
    /// before.
    pub fn size(&self) -> Result<Size, StoreError> {
        let sql = "SELECT (SELECT count(*) FROM entry),
             (SELECT count(*) FROM record WHERE standing IS NOT NULL)";
        let counted = self.conn.prepare_cached(sql).and_then(|mut statement| {
            statement.query_row([], |row| {
                Ok(Size { entries: number(row, 0)?, records: number(row, 1)? })
            })
        });
        counted.doing("count what is held")
    }

    /// How many records match, by groups; sorted by the groups' values.
    pub fn counts(&self, query: &Query, by: &[GroupKey]) -> Result<Vec<Group>, StoreError> {
        self.see_rows()?;
        let groups = self.compile(query, |scope, query| Compiled::groups(scope, query, by))?;
        let mut statement = self.conn.prepare_cached(&groups.sql).doing("count records")?;
        let rows = statement
            .query_map(params_from_iter(groups.values), |row| {
                let keys = (1..=by.len()).map(|at| value(row, at)).collect::<Result<_, _>>()?;
                Ok(Group { keys, count: number(row, 0)? })
            })
            .doing("count records")?;
        rows.collect::<Result<_, _>>().doing("count records")
    }

    /// A record as it stands in each space that holds entries of it.
    pub fn record(&self, id: RecordId) -> Result<Vec<RecordDetail>, StoreError> {
        self.see_rows()?;
        let sql = "SELECT v.record_n, r.id, v.division, v.audience, v.type, v.state, r.standing,
                v.sealed, v.created_ms, v.updated_ms, v.changes, v.conflicts, v.problems,
                v.refused, v.waiting, v.title, v.number, json(v.doc), c.bytes,
                EXISTS (SELECT 1 FROM dirty d WHERE d.record_n = v.record_n)
             FROM record r JOIN view v ON v.record_n = r.n JOIN canonical c ON c.record_n = r.n
             WHERE r.id = ?1 ORDER BY v.division, v.audience";
        let mut statement = self.conn.prepare_cached(sql).doing(DOING)?;
        let mut found = statement.query([id.0]).doing(DOING)?;
        let mut details = Vec::new();
        while let Some(row) = found.next().doing(DOING)? {
            let bytes: Vec<u8> = row.get(KEY_COLUMNS).doing(DOING)?;
            let view = serde_json::from_slice(&bytes)
                .map_err(|_| StoreError::damaged(format!("the view of record {id}")))?;
            let stale = row.get(KEY_COLUMNS + 1).doing(DOING)?;
            details.push(RecordDetail { row: record_row(row).doing(DOING)?, view, stale });
        }
        Ok(details)
    }

    /// All entries of a record, in whatever space, by claimed time.
    pub fn history(&self, id: RecordId) -> Result<Vec<EntryRow>, StoreError> {
        self.entries("JOIN record r ON r.n = e.record_n WHERE r.id = ?1", id.0)
    }

    /// The newest entries that do not count, for whoever has to look into them.
    pub fn refused(&self, limit: u32) -> Result<Vec<EntryRow>, StoreError> {
        self.entries(
            "WHERE e.n IN (SELECT entry_n FROM verdict WHERE kind = 3 ORDER BY entry_n DESC LIMIT ?1)",
            limit.min(crate::limits::PAGE_ROWS_MAX),
        )
    }

    fn entries(
        &self,
        condition: &str,
        value: impl rusqlite::ToSql,
    ) -> Result<Vec<EntryRow>, StoreError> {
        let doing = "read entries";
        let sql = format!(
            "SELECT e.bytes, e.received_ms, {STANDING}, d.kind, d.reason,
                 EXISTS (SELECT 1 FROM body b WHERE b.entry_n = e.n)
             FROM entry e JOIN log l ON l.n = e.log_n LEFT JOIN fork f ON f.entry_n = e.n
             LEFT JOIN verdict d ON d.entry_n = e.n {condition}"
        );
        let mut statement = self.conn.prepare_cached(&sql).doing(doing)?;
        let mut found = statement.query(params![value]).doing(doing)?;
        let mut rows = Vec::new();
        while let Some(row) = found.next().doing(doing)? {
            let entry = VerifiedEntry::from_store(row.get(0).doing(doing)?)
                .map_err(|fault| StoreError::damaged(format!("an entry: {fault}")))?;
            rows.push(EntryRow {
                entry,
                received_ms: number(row, 1).doing(doing)?,
                standing: stood(row, 2).doing(doing)?,
                verdict: verdict(row, 3).doing(doing)?,
                has_body: row.get(5).doing(doing)?,
            });
        }
        rows.sort_by_key(|row| (row.entry.core().claimed_time_ms, row.entry.id()));
        Ok(rows)
    }

    /// Compiles a question; definitions that came since are taken in when it names something new.
    fn compile(
        &self,
        query: &Query,
        how: impl Fn(&Scope<'_>, &Query) -> Result<Compiled, QuerySlip>,
    ) -> Result<Compiled, StoreError> {
        let mut definitions =
            self.definitions.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        match how(&Scope::of(&definitions, query), query) {
            Err(QuerySlip::UnknownField { .. }) => {
                *definitions = load::definitions(&self.conn)?;
                Ok(how(&Scope::of(&definitions, query), query)?)
            }
            compiled => Ok(compiled?),
        }
    }
}

fn record_row(row: &Row<'_>) -> rusqlite::Result<RecordRow> {
    let doc: String = row.get(17)?;
    Ok(RecordRow {
        record: RecordId(row.get(1)?),
        space: space(row, 2)?,
        record_type: row.get(4)?,
        state: row.get(5)?,
        standing: stood(row, 6)?,
        sealed: row.get(7)?,
        created_ms: number(row, 8)?,
        updated_ms: number(row, 9)?,
        changes: row.get(10)?,
        conflicts: row.get(11)?,
        problems: row.get(12)?,
        refused: row.get(13)?,
        waiting: row.get(14)?,
        title: row.get(15)?,
        number: row.get(16)?,
        doc: serde_json::from_str(&doc).map_err(|error| {
            rusqlite::Error::FromSqlConversionFailure(17, rusqlite::types::Type::Text, error.into())
        })?,
    })
}

fn cursor(row: &Row<'_>, keys: usize) -> rusqlite::Result<Cursor> {
    let keys =
        (KEY_COLUMNS..KEY_COLUMNS + keys).map(|at| value(row, at)).collect::<Result<_, _>>()?;
    Ok(Cursor { keys, row: row.get(0)? })
}

/// A value of whatever sort a field has.
fn value(row: &Row<'_>, at: usize) -> rusqlite::Result<Value> {
    Ok(match row.get::<_, Sql>(at)? {
        Sql::Null | Sql::Blob(_) | Sql::Real(_) => Value::Null,
        Sql::Integer(number) => Value::Int(number),
        Sql::Text(text) => Value::Text(text),
    })
}

/// Reads a verdict from two columns.
pub(crate) fn verdict(row: &Row<'_>, at: usize) -> rusqlite::Result<Option<StoredVerdict>> {
    let Some(number) = row.get::<_, Option<i64>>(at)? else { return Ok(None) };
    let kind = VerdictKind::ALL.into_iter().find(|kind| i64::from(kind.number()) == number);
    let kind = kind.ok_or(rusqlite::Error::IntegralValueOutOfRange(at, number))?;
    Ok(Some(StoredVerdict { kind, reason: row.get(at + 1)? }))
}
