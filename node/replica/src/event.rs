//! All that can happen to a replica and all that it can ask for.

use std::collections::BTreeMap;

use xw_ledger::log::{DoorRefusal, Point};
use xw_schemas::edition::Edition;
use xw_schemas::entry::{Body, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::record::SchemaHash;
use xw_schemas::space::Space;
use xw_schemas::wire::{Frame, Parcel};

/// One conversation with one neighbour, named by the shell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub u64);

/// An entry that was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TurnedAway {
    /// Its log.
    pub log: LogId,
    /// Its place there.
    pub point: Point,
    /// The entry before it.
    pub previous: EntryId,
    /// Why.
    pub why: Why,
}

/// Why an entry was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// Something before it is not held.
    Gap,
    /// Enough others are held in its place.
    Surplus,
    /// It will never be taken.
    Never,
}

impl From<DoorRefusal> for Why {
    fn from(refusal: DoorRefusal) -> Self {
        match refusal {
            DoorRefusal::MissingPrevious | DoorRefusal::UnknownLog => Self::Gap,
            DoorRefusal::EnoughVariants => Self::Surplus,
            DoorRefusal::UnknownKey
            | DoorRefusal::OtherNode
            | DoorRefusal::WrongRoot
            | DoorRefusal::NotItsSpace => Self::Never,
        }
    }
}

/// What happened.
#[derive(Debug)]
pub enum Event {
    /// A connection to a rostered key stands.
    Opened {
        /// Its name.
        session: SessionId,
        /// Who is at the other end; proven by the transport.
        peer: PublicKey,
        /// Whether this side dialled.
        dialer: bool,
    },
    /// The connection is gone.
    Closed {
        /// Which.
        session: SessionId,
    },
    /// A frame other than entries arrived.
    Frame {
        /// From whom.
        session: SessionId,
        /// What.
        frame: Frame,
    },
    /// Entries arrived whose signatures verify.
    Received {
        /// From whom.
        session: SessionId,
        /// The entries, in the order of the frame.
        entries: Vec<(VerifiedEntry, Option<Body>)>,
        /// The sum of [`Parcel::unpacked_bytes`] over them, to be acknowledged: what the sender
        /// counted.
        bytes: u64,
    },
    /// What was asked to be stored is on disk (or was refused at the door).
    Stored {
        /// Who sent it; `None` for this node's own entries.
        session: Option<SessionId>,
        /// Unpacked bytes, to be acknowledged.
        bytes: u64,
        /// Entries now held, new or not: log and place.
        held: Vec<(LogId, Point)>,
        /// Entries that were not taken.
        turned_away: Vec<TurnedAway>,
    },
    /// Parcels that were asked for.
    Loaded {
        /// For whom.
        session: SessionId,
        /// Of which log.
        log: LogId,
        /// Where the last of them stands.
        upto: Point,
        /// The parcels.
        parcels: Vec<Parcel>,
    },
    /// Bytes of a blob that was asked for; `None` when this node lacks it.
    BlobRead {
        /// For whom.
        session: SessionId,
        /// Which.
        hash: [u8; 32],
        /// From which byte.
        offset: u64,
        /// The whole blob.
        bytes: Option<Vec<u8>>,
    },
    /// The roster or the definitions held have changed; said once at every start too, so that what
    /// a crash kept from being witnessed is witnessed then.
    RosterChanged,
    /// In these logs, from these numbers on, bodies are lacking that this office may have: the
    /// entries came by way of an office that gets none. The whole list, whenever it changes and
    /// after a start.
    BodiesLacking {
        /// Log and lowest number.
        logs: BTreeMap<LogId, u64>,
    },
    /// Time has passed.
    Ticked,
}

/// What must be done.
#[derive(Debug, PartialEq)]
pub enum Effect {
    /// Send a frame.
    Send {
        /// To whom.
        session: SessionId,
        /// What.
        frame: Frame,
    },
    /// Pack parcels into an entries frame and send it.
    SendEntries {
        /// To whom.
        session: SessionId,
        /// What.
        parcels: Vec<Parcel>,
    },
    /// Put entries on disk, then say [`Event::Stored`].
    Store {
        /// Who sent them.
        session: SessionId,
        /// The entries.
        entries: Vec<(VerifiedEntry, Option<Body>)>,
        /// Unpacked bytes.
        bytes: u64,
    },
    /// Load parcels from disk, then say [`Event::Loaded`]. Bodies go along only where the reader's
    /// office gets the bodies of that record type.
    Load {
        /// For whom.
        session: SessionId,
        /// The reader.
        reader: PublicKey,
        /// From which log.
        log: LogId,
        /// Which entries, in order; fewer may be loaded.
        points: Vec<Point>,
        /// At most so many unpacked bytes, but at least one entry.
        bytes_max: usize,
    },
    /// Read a public blob, then say [`Event::BlobRead`].
    ReadBlob {
        /// For whom.
        session: SessionId,
        /// Which.
        hash: [u8; 32],
        /// From which byte.
        offset: u64,
    },
    /// Take up a roster edition; say [`Event::RosterChanged`] when it changed anything.
    AddEdition {
        /// Who sent it.
        session: SessionId,
        /// It.
        edition: Edition,
    },
    /// Take up a definition whose hash is right; then say [`Event::RosterChanged`].
    AddDefinition {
        /// Its hash.
        hash: SchemaHash,
        /// Its canonical bytes.
        bytes: Vec<u8>,
    },
    /// Sign and store a witness entry in this space over these logs, as far as they stand then.
    Witness {
        /// The space.
        space: Space,
        /// The logs.
        logs: Vec<LogId>,
    },
    /// A neighbour knows entries of this node's own log that are not held here: the disk was put
    /// back, or somebody else writes with this node's key. Write there no more; they are coming.
    OwnLogElsewhere {
        /// Which.
        log: LogId,
    },
    /// The neighbour has said hello properly: its back-off may be reset.
    Confirm {
        /// Which.
        session: SessionId,
    },
    /// End a conversation.
    Close {
        /// Which.
        session: SessionId,
        /// Why, for the log.
        reason: &'static str,
    },
}
