//! The limits of the store, with their units and reasons.

/// The least SQLite that is used: below it, known faults in WAL resets and in the search index.
pub(crate) const SQLITE_VERSION_MIN: i32 = 3_054_000;

/// Longest value or row. The largest thing kept is a roster edition of 4 MiB.
pub(crate) const VALUE_BYTES_MAX: i32 = 16 << 20;

/// Longest SQL statement; the longest query that can be asked for takes about 20 KiB.
pub(crate) const SQL_BYTES_MAX: i32 = 1 << 20;

/// The writer copies the WAL back when so many pages wait: 4 MiB, as SQLite itself would.
pub(crate) const WAL_PAGES_AIM: i64 = 1_000;

/// The WAL file is cut to this length when it starts again.
pub(crate) const WAL_BYTES_KEPT: i64 = 64 << 20;

/// How long a connection waits for another's lock. Only checkpoints and readers can hold one.
pub(crate) const BUSY_MS: u64 = 5_000;

/// Page cache of the writer, in KiB.
pub(crate) const WRITER_CACHE_KIB: i64 = 32 << 10;

/// Page cache of each reader, in KiB: the rows of a township fit.
pub(crate) const READER_CACHE_KIB: i64 = 64 << 10;

/// Page size of both files. SQLCipher must be told before it reads the first page.
pub(crate) const PAGE_BYTES: i64 = 8_192;

/// Prepared statements kept by each connection.
pub(crate) const STATEMENTS_KEPT: usize = 96;

/// Records judged in one transaction when all are to be settled: about 0.2 s of work.
pub(crate) const SETTLE_RECORDS: usize = 500;

/// Entries verified together: the threads get even shares and the memory stays below 100 MB.
pub(crate) const VERIFY_ENTRIES: usize = 1_024;

/// Threads that check signatures: the offices' PCs have two cores.
pub(crate) const VERIFY_THREADS: usize = 2;

/// Findings listed in one report; what lies beyond is only counted.
pub(crate) const FINDINGS_MAX: usize = 1_000;

/// Rows of one page.
pub(crate) const PAGE_ROWS_MAX: u32 = 1_000;

/// Groups of one count.
pub(crate) const GROUPS_MAX: u32 = 10_000;

/// Conditions on fields in one query.
pub(crate) const FILTERS_MAX: usize = 32;

/// Sort keys of one query.
pub(crate) const SORTS_MAX: usize = 4;

/// Values in one list of a condition.
pub(crate) const CHOICES_MAX: usize = 200;

/// Words of one search text.
pub(crate) const SEARCH_WORDS_MAX: usize = 16;

/// Characters of one search text.
pub(crate) const SEARCH_CHARS_MAX: usize = 200;

/// From so many hits on a search text on, rows are passed in the order of the list and checked
/// against the hits. Measured with 200,000 rows: 5,600 hits took 30 ms when looked up one by one.
pub(crate) const HITS_FEW: i64 = 1_000;

/// Disk space set aside beside the database, to be given up when the disk is full: copying back a
/// write-ahead log of the usual size and clearing up after it need less than this.
pub const BALLAST_BYTES: u64 = 64 << 20;

/// Commits that lengthen an own log after which the high-water file is written anew. Each writing
/// costs two fsyncs, so that one commit in twenty takes three times as long.
pub(crate) const HIGH_WATER_COMMITS: u32 = 20;

/// Longest high-water file that is read: a node has a handful of logs of its own, 140 bytes each.
pub(crate) const HIGH_WATER_BYTES_MAX: u64 = 1 << 20;

/// Entries of each own log that are verified from their bytes at every start: about 0.1 s.
pub(crate) const START_ENTRIES: usize = 1_000;

/// Openings of the store that are remembered, to tell whether the rows belong to these entries.
pub(crate) const SESSIONS_KEPT: i64 = 1_000;

/// Longest note that the daemon may keep here.
pub(crate) const NOTE_BYTES_MAX: usize = 64 << 10;

/// Pages copied between two looks at the progress of a backup: 0.8 MB.
pub(crate) const BACKUP_PAGES: i32 = 100;
