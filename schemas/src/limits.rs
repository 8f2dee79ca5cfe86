//! Every limit of the formats and of replication, with its unit and its reason. Tested at the limit
//! and at ten times it.

/// Largest Automerge change. A full mediation file with transcripts is about 12 KiB; the limit leaves
/// room for a whole imported record and keeps a hostile change cheap to refuse.
pub const CHANGE_BYTES_MAX: usize = 64 << 10;

/// Most operations in one change: an imported record with a hundred list items has about 1,500.
pub const CHANGE_OPS_MAX: usize = 4_096;

/// Most changes in one record; a successor record continues it. A case sees 5 to 30.
pub const RECORD_CHANGES_MAX: usize = 1_000;

/// Most bytes of changes in one record, for the same reason.
pub const RECORD_BYTES_MAX: usize = 1 << 20;

/// Random bytes that hide a body behind its commitment: 128 bits against guessing.
pub const SALT_BYTES: usize = 16;

/// Most logs that one witness statement covers. A county has about 530 villages; it splits its
/// statement beyond this, so that an entry core stays below [`CORE_BYTES_MAX`].
pub const WITNESS_PINS_MAX: usize = 256;

/// Largest entry core: a witness statement of [`WITNESS_PINS_MAX`] pins of about 190 bytes.
pub const CORE_BYTES_MAX: usize = 64 << 10;

/// Largest envelope: a core and two signatures.
pub const ENVELOPE_BYTES_MAX: usize = CORE_BYTES_MAX + 1_024;

/// Claimed times lie in 2000-01-01 ..= 2200-01-01 (milliseconds since 1970); a dead CMOS battery
/// gives 1980 or 2010, and what lies outside is the clerk's clock to mend before signing.
pub const TIME_MS_MIN: u64 = 946_684_800_000;
/// See [`TIME_MS_MIN`].
pub const TIME_MS_MAX: u64 = 7_258_118_400_000;

/// Highest sequence number in a log: a village writes about 3,000 entries a year.
pub const SEQUENCE_MAX: u64 = 1 << 32;

/// Different entries kept in one slot of a log: two are the proof of a fork.
pub const VARIANTS_KEPT: usize = 2;

/// Further entries kept in a slot while one is awaited that a pin, a cut or root names there or
/// above: any of them may lead to it. Honest nodes hold two each, and differ in few.
pub const VARIANTS_AWAITED: usize = 16;

/// Largest roster edition: 600 offices and 2,000 signers take about 250 KiB.
pub const EDITION_BYTES_MAX: usize = 4 << 20;

/// Most facts in one roster edition.
pub const EDITION_FACTS_MAX: usize = 20_000;

/// Most invitations in one roster edition: each is proven by a signature, and whoever may connect can
/// make others check them, 50 ms in all. A county invites its 600 offices in one.
pub const EDITION_INVITES_MAX: usize = 1_024;

/// Most editions in one term of an office's registrars: a county that enrols 600 offices one by one
/// makes as many in its first year, a township some hundred. Each makes every node work the roster out
/// anew, so nobody may go on for ever; a superior opens the next term, which closes this one.
pub const TERM_EDITIONS_MAX: u64 = 1_024;

/// Most root keys, and most signatures on an edition.
pub const ROOT_KEYS_MAX: usize = 16;

/// Largest record-type definition in canonical form; the longest of ours takes about 60 KiB.
pub const DEFINITION_BYTES_MAX: usize = 1 << 20;

/// Largest frame on the wire. It must hold one largest entry with its body, packed: 66 KiB.
pub const FRAME_BYTES_MAX: usize = 128 << 10;

/// Largest unpacked content of an entries frame: bounds decompression before it begins.
pub const ENTRIES_UNPACKED_MAX: usize = 512 << 10;

/// Entries are gathered into a frame until it holds this many unpacked bytes: about 35 records,
/// 0.4 s on a 512 kbit/s link.
pub const ENTRIES_UNPACKED_AIM: usize = 64 << 10;

/// Most entries in one frame: bounds the work of verifying it to about 30 ms.
pub const ENTRIES_PER_FRAME_MAX: usize = 512;

/// Unpacked bytes that a sender may have under way before the first acknowledgement.
pub const CREDIT_BYTES_START: u64 = 256 << 10;

/// Most unpacked bytes that may be under way to one neighbour: what its disk takes in 100 ms.
pub const CREDIT_BYTES_MAX: u64 = 2 << 20;

/// Most tips listed in one message, of 72 bytes each; longer lists are split.
pub const HAVE_TIPS_MAX: usize = 1_024;

/// Most tips listed of one division: a hundred times those of its years. Somebody who forks a log
/// more often than that is sent the others of its branches again in every conversation.
pub const LISTED_TIPS_MAX: usize = 64 * HAVE_TIPS_MAX;

/// Most digests in one message: one county's townships and villages.
pub const DIGESTS_MAX: usize = 1_024;

/// Bytes of a public blob (roster edition, definition) carried in one message.
pub const BLOB_CHUNK_BYTES: usize = 48 << 10;
