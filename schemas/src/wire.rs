//! What neighbours say to each other: one frame, one deterministic CBOR array. Reads refuse early;
//! nothing here knows what a frame will do.

use crate::cbor::{CborFault, Reader, Writer};
use crate::entry::{Body, EntryFault, RawEntry};
use crate::id::{CopyId, EditionId, EntryId, LogId, NetworkId};
use crate::limits::{
    BLOB_CHUNK_BYTES, CHANGE_BYTES_MAX, DIGESTS_MAX, EDITION_BYTES_MAX, ENTRIES_PER_FRAME_MAX,
    ENTRIES_UNPACKED_MAX, ENVELOPE_BYTES_MAX, FRAME_BYTES_MAX, HAVE_TIPS_MAX, SALT_BYTES,
    SEQUENCE_MAX,
};
use crate::space::Division;

/// Version of the conversation.
pub const PROTOCOL_VERSION: u64 = 1;

/// Level of zstd: 3 costs about 10 µs a record and packs as well as level 9 on these bytes.
const PACK_LEVEL: i32 = 3;

/// Longest text in a farewell.
const BYE_TEXT_MAX: usize = 200;

/// Most roster editions listed at once; the asker asks again for the rest.
pub const EDITIONS_LISTED_MAX: usize = 256;

/// Most known points listed when two branches look for their common stem.
pub const KNOWN_MAX: usize = 128;

/// One frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    /// First of each side, and again when its roster grows.
    Hello(Hello),
    /// Asks for the list of all roster editions, from a place on.
    WantEditions {
        /// How many of the list the asker has.
        from: u64,
    },
    /// Asks for the next piece of a roster edition or record-type definition.
    WantBlob {
        /// Edition id or schema hash.
        hash: [u8; 32],
        /// How many bytes the asker has.
        offset: u64,
    },
    /// A piece of a roster edition or definition.
    Blob(BlobChunk),
    /// Digests of parts of the common tree.
    Digests(Digests),
    /// Everything that the sender holds in these divisions, log by log.
    Have(Have),
    /// Asks where the sender's branch of a log stands: its head is unknown here.
    Locate {
        /// The log.
        log: LogId,
    },
    /// Points of the sender's branch of a log, newest first, ever farther apart.
    Known {
        /// The log.
        log: LogId,
        /// Sequence numbers and entries.
        points: Vec<(u64, EntryId)>,
    },
    /// Entries in log order, packed.
    Entries(PackedEntries),
    /// What arrived is on this disk.
    Ack {
        /// Unpacked bytes that are done with.
        bytes: u64,
    },
    /// The end of the conversation.
    Bye {
        /// Why, for the log of the other side.
        reason: String,
        /// Not to be dialled again before so many milliseconds.
        retry_after_ms: u64,
    },
    /// The copies of the roster editions asked for, those first that others need.
    Editions(Vec<CopyId>),
}

/// Digests of parts of the tree of divisions that both sides share.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// Empty in the first message, whose items are whole townships (and the county's own spaces).
    /// In the answer: the townships that differ, whose single divisions the items are.
    pub groups: Vec<Division>,
    /// A township or division and the digest over its logs.
    pub items: Vec<(Division, [u8; 32])>,
}

/// The first frame.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hello {
    /// The network.
    pub network: NetworkId,
    /// Number of the newest root edition that counts.
    pub roster_number: u64,
    /// The digest over all editions that count.
    pub roster: EditionId,
    /// How many editions are held, rival ones included.
    pub editions: u64,
    /// Digest over all spaces that both may read, by this roster.
    pub digest: [u8; 32],
}

/// A piece of a public blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BlobChunk {
    /// Hash of the whole: an edition id or a schema hash.
    pub hash: [u8; 32],
    /// Where this piece begins.
    pub offset: u64,
    /// Length of the whole.
    pub total: u64,
    /// The piece.
    pub bytes: Vec<u8>,
}

/// What the sender holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Have {
    /// The divisions that this list is complete for; `None` for everything shared. An answer is
    /// complete for the logs that were listed in the question.
    pub divisions: Option<Vec<Division>>,
    /// Every tip of every log there: log, number and id of its last entry.
    pub tips: Vec<(LogId, u64, EntryId)>,
    /// Whether the other side is asked to send its own list for these divisions.
    pub answer: bool,
}

/// Entries of one frame, packed with zstd.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedEntries {
    /// Length when unpacked, known before unpacking.
    pub unpacked: u64,
    /// zstd frame.
    pub packed: Vec<u8>,
}

/// An entry on the wire: its envelope, and its body where the receiver may have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parcel {
    /// The exact envelope bytes.
    pub envelope: Vec<u8>,
    /// Salt and change.
    pub body: Option<Vec<u8>>,
}

/// What a neighbour's frame did wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameFault {
    /// Not our deterministic CBOR.
    #[error("not a frame of this protocol")]
    Cbor(#[from] CborFault),
    /// Longer than a frame may be.
    #[error("longer than a frame may be")]
    TooLong,
    /// An unknown kind of frame.
    #[error("an unknown kind of frame")]
    UnknownKind,
    /// Another version of the conversation.
    #[error("another version of the protocol")]
    UnknownVersion,
    /// A packed list that does not unpack to its announced length.
    #[error("packed entries do not unpack as announced")]
    BadPacking,
    /// An entry in the list is malformed.
    #[error("an entry in the frame is malformed")]
    Entry(#[from] EntryFault),
}

impl Frame {
    /// The bytes of the frame.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut w = Writer::new();
        match self {
            Self::Hello(hello) => {
                w.array(7).uint(0).uint(PROTOCOL_VERSION).bytes(&hello.network.0);
                w.uint(hello.roster_number).bytes(&hello.roster.0).uint(hello.editions);
                w.bytes(&hello.digest);
            }
            Self::WantEditions { from } => {
                w.array(2).uint(1).uint(*from);
            }
            Self::WantBlob { hash, offset } => {
                w.array(3).uint(2).bytes(hash).uint(*offset);
            }
            Self::Blob(chunk) => {
                w.array(5).uint(3).bytes(&chunk.hash).uint(chunk.offset).uint(chunk.total);
                w.bytes(&chunk.bytes);
            }
            Self::Digests(digests) => {
                w.array(3).uint(4).array(digests.groups.len());
                for group in &digests.groups {
                    w.uint(group.number());
                }
                w.array(digests.items.len());
                for (division, digest) in &digests.items {
                    w.array(2).uint(division.number()).bytes(digest);
                }
            }
            Self::Have(have) => {
                w.array(4).uint(5);
                match &have.divisions {
                    None => {
                        w.null();
                    }
                    Some(divisions) => {
                        w.array(divisions.len());
                        for division in divisions {
                            w.uint(division.number());
                        }
                    }
                }
                w.array(have.tips.len());
                for (log, sequence, entry) in &have.tips {
                    w.array(3).bytes(&log.0).uint(*sequence).bytes(&entry.0);
                }
                w.uint(u64::from(have.answer));
            }
            Self::Locate { log } => {
                w.array(2).uint(6).bytes(&log.0);
            }
            Self::Known { log, points } => {
                w.array(3).uint(7).bytes(&log.0).array(points.len());
                for (sequence, entry) in points {
                    w.array(2).uint(*sequence).bytes(&entry.0);
                }
            }
            Self::Entries(entries) => {
                w.array(3).uint(8).uint(entries.unpacked).bytes(&entries.packed);
            }
            Self::Ack { bytes } => {
                w.array(2).uint(9).uint(*bytes);
            }
            Self::Bye { reason, retry_after_ms } => {
                w.array(3).uint(10).text(reason).uint(*retry_after_ms);
            }
            Self::Editions(editions) => {
                w.array(2).uint(11).array(editions.len());
                for edition in editions {
                    w.bytes(&edition.0);
                }
            }
        }
        w.into_bytes()
    }

    /// Reads a frame; refuses whatever [`Frame::encode`] would not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, FrameFault> {
        if bytes.len() > FRAME_BYTES_MAX {
            return Err(FrameFault::TooLong);
        }
        let mut r = Reader::new(bytes);
        let items = r.array(7)?;
        let frame = match (r.uint()?, items) {
            (0, 7) => {
                if r.uint()? != PROTOCOL_VERSION {
                    return Err(FrameFault::UnknownVersion);
                }
                Self::Hello(Hello {
                    network: NetworkId(r.fixed()?),
                    roster_number: r.uint_to(SEQUENCE_MAX)?,
                    roster: EditionId(r.fixed()?),
                    editions: r.uint_to(SEQUENCE_MAX)?,
                    digest: r.fixed()?,
                })
            }
            (1, 2) => Self::WantEditions { from: r.uint_to(SEQUENCE_MAX)? },
            (2, 3) => {
                Self::WantBlob { hash: r.fixed()?, offset: r.uint_to(EDITION_BYTES_MAX as u64)? }
            }
            (3, 5) => Self::Blob(decode_blob(&mut r)?),
            (4, 3) => {
                let count = r.array(DIGESTS_MAX)?;
                let groups = (0..count).map(|_| division(&mut r)).collect::<Result<_, _>>()?;
                let count = r.array(DIGESTS_MAX)?;
                let mut items = Vec::with_capacity(count);
                for _ in 0..count {
                    r.array_of(2)?;
                    items.push((division(&mut r)?, r.fixed()?));
                }
                Self::Digests(Digests { groups, items })
            }
            (5, 4) => Self::Have(decode_have(&mut r)?),
            (6, 2) => Self::Locate { log: LogId(r.fixed()?) },
            (7, 3) => {
                let log = LogId(r.fixed()?);
                let count = r.array(KNOWN_MAX)?;
                let mut points = Vec::with_capacity(count);
                for _ in 0..count {
                    r.array_of(2)?;
                    points.push((r.uint_to(SEQUENCE_MAX)?, EntryId(r.fixed()?)));
                }
                Self::Known { log, points }
            }
            (8, 3) => Self::Entries(PackedEntries {
                unpacked: r.uint_to(ENTRIES_UNPACKED_MAX as u64)?,
                packed: r.bytes(FRAME_BYTES_MAX)?.to_vec(),
            }),
            (9, 2) => Self::Ack { bytes: r.uint()? },
            (10, 3) => {
                Self::Bye { reason: r.text(BYE_TEXT_MAX)?.to_owned(), retry_after_ms: r.uint()? }
            }
            (11, 2) => {
                let count = r.array(EDITIONS_LISTED_MAX)?;
                Self::Editions((0..count).map(|_| r.fixed().map(CopyId)).collect::<Result<_, _>>()?)
            }
            _ => return Err(FrameFault::UnknownKind),
        };
        r.end()?;
        Ok(frame)
    }
}

fn decode_blob(r: &mut Reader<'_>) -> Result<BlobChunk, FrameFault> {
    let hash = r.fixed()?;
    // Nobody takes a larger whole, and whoever gathers pieces need not fear an overflow.
    let offset = r.uint_to(EDITION_BYTES_MAX as u64)?;
    let total = r.uint_to(EDITION_BYTES_MAX as u64)?;
    let bytes = r.bytes(BLOB_CHUNK_BYTES)?.to_vec();
    if offset + bytes.len() as u64 > total {
        return Err(FrameFault::Cbor(CborFault::OutOfRange));
    }
    Ok(BlobChunk { hash, offset, total, bytes })
}

fn decode_have(r: &mut Reader<'_>) -> Result<Have, FrameFault> {
    let divisions = if r.is_null() {
        r.null()?;
        None
    } else {
        let count = r.array(DIGESTS_MAX)?;
        Some((0..count).map(|_| division(r)).collect::<Result<_, _>>()?)
    };
    let count = r.array(HAVE_TIPS_MAX)?;
    let mut tips = Vec::with_capacity(count);
    for _ in 0..count {
        r.array_of(3)?;
        let log = LogId(r.fixed()?);
        tips.push((log, r.uint_to(SEQUENCE_MAX)?, EntryId(r.fixed()?)));
    }
    Ok(Have { divisions, tips, answer: r.uint_to(1)? == 1 })
}

fn division(r: &mut Reader<'_>) -> Result<Division, CborFault> {
    Division::from_number(r.uint()?).ok_or(CborFault::OutOfRange)
}

impl PackedEntries {
    /// Packs entries. The caller keeps the sum of [`Parcel::unpacked_bytes`] within
    /// [`ENTRIES_UNPACKED_MAX`] and their number within [`ENTRIES_PER_FRAME_MAX`].
    #[must_use]
    pub fn pack(parcels: &[Parcel]) -> Self {
        let mut w = Writer::new();
        w.array(parcels.len());
        for parcel in parcels {
            w.array(2).bytes(&parcel.envelope).optional(parcel.body.as_deref());
        }
        let plain = w.into_bytes();
        let packed = zstd::bulk::compress(&plain, PACK_LEVEL)
            .expect("compressing from memory to memory fails only without memory");
        Self { unpacked: plain.len() as u64, packed }
    }

    /// Unpacks, into no more memory than announced, reads every envelope and compares every body
    /// with its commitment. Signatures are not checked here.
    pub fn unpack(&self) -> Result<Vec<(RawEntry, Option<Body>)>, FrameFault> {
        let unpacked = usize::try_from(self.unpacked).map_err(|_| FrameFault::BadPacking)?;
        if unpacked > ENTRIES_UNPACKED_MAX {
            return Err(FrameFault::BadPacking);
        }
        let plain =
            zstd::bulk::decompress(&self.packed, unpacked).map_err(|_| FrameFault::BadPacking)?;
        if plain.len() != unpacked {
            return Err(FrameFault::BadPacking);
        }
        let mut r = Reader::new(&plain);
        let count = r.array(ENTRIES_PER_FRAME_MAX)?;
        let mut entries = Vec::with_capacity(count);
        for _ in 0..count {
            r.array_of(2)?;
            let raw = RawEntry::decode(r.bytes(ENVELOPE_BYTES_MAX)?.to_vec())?;
            let body = if r.is_null() {
                r.null()?;
                None
            } else {
                let bytes = r.bytes(SALT_BYTES + CHANGE_BYTES_MAX)?.to_vec();
                Some(Body::from_bytes(bytes).ok_or(FrameFault::Entry(EntryFault::BadBody))?)
            };
            if let Some(body) = &body
                && !raw.binds(body)
            {
                return Err(FrameFault::Entry(EntryFault::BadBody));
            }
            entries.push((raw, body));
        }
        r.end()?;
        Ok(entries)
    }
}

/// What an entry of such a length counts towards the credit, heads included. Sender and receiver
/// count alike, so that an acknowledgement gives back what was spent.
#[must_use]
pub fn entry_bytes(envelope: usize, body: usize) -> usize {
    envelope + body + 12
}

impl Parcel {
    /// How much it adds to an unpacked list, heads included.
    #[must_use]
    pub fn unpacked_bytes(&self) -> usize {
        entry_bytes(self.envelope.len(), self.body.as_ref().map_or(0, Vec::len))
    }
}
