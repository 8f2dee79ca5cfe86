//! The nouns of a small world, with small numbers for ids: who writes, what an entry says, what the
//! roster says. Knows no rule.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex};

/// An entry. Two worlds that write the same entry give it the same number.
pub(crate) type Id = u16;

/// What one person typed once; the same in every republication.
pub(crate) type Op = u8;

/// Operations from this number on are a thief's.
pub(crate) const THIEVES: Op = 32;

/// The key of one PC. The order is that of rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Key {
    County,
    /// A second PC of the county.
    SecondCounty,
    /// The county's key after its first one was cut.
    NewCounty,
    /// The township of the village.
    Town,
    /// A township that the village does not belong to.
    Stranger,
    Village,
    /// The village's key after its first one was cut.
    Successor,
}

/// How high an office stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Rank {
    County,
    Township,
    Village,
}

/// One log: a key and its incarnation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Log {
    pub(crate) key: Key,
    pub(crate) incarnation: u8,
}

/// Who really wrote an entry. No rule may ask; the properties do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Hand {
    Honest,
    /// Whoever has copied the key.
    Thief,
    /// The office itself, lying.
    Liar,
}

/// A place in a log that a witness pins: everything up to this entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Pin {
    pub(crate) log: Log,
    pub(crate) number: u8,
    pub(crate) head: Id,
}

/// What an entry says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Said {
    /// The opening; a liar makes more than one.
    Open(u8),
    /// Something that a person typed.
    Typed(Op),
    /// A liar's statement: which of several in its slot.
    Variant(u8),
    /// A witness's.
    Pins(Vec<Pin>),
}

/// One entry.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Entry {
    pub(crate) log: Log,
    pub(crate) number: u8,
    pub(crate) previous: Option<Id>,
    pub(crate) said: Said,
    pub(crate) hand: Hand,
    /// From the opening to this entry.
    pub(crate) path: Vec<Id>,
}

/// Who signed a reduction of rights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Office {
    Root,
    Registrar,
}

/// What one roster edition changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Edict {
    /// A key is cut: of each listed log what lies up to the entry stands. Its successor is enrolled
    /// with it.
    Cut { by: Office, key: Key, kept: Vec<(Log, Id)> },
    /// Root decides a fork: the branch up to this entry stands.
    Adjudicate(Log, Id),
    /// Root lets one entry count that a cut or a fork has taken.
    Adopt(Id),
}

/// Every entry of all worlds visited, once.
#[derive(Default)]
pub(crate) struct Book(Mutex<Pages>);

#[derive(Default)]
struct Pages {
    entries: Vec<Arc<Entry>>,
    numbers: BTreeMap<(Log, Option<Id>, Said, Hand), Id>,
}

impl Key {
    pub(crate) fn rank(self) -> Rank {
        match self {
            Self::County | Self::SecondCounty | Self::NewCounty => Rank::County,
            Self::Town | Self::Stranger => Rank::Township,
            Self::Village | Self::Successor => Rank::Village,
        }
    }

    /// With which rank this key witnesses the logs of another: the county over all below it, a
    /// township over its own villages.
    pub(crate) fn witnesses(self, author: Self) -> Option<Rank> {
        match (self.rank(), author.rank()) {
            (Rank::County, Rank::Township | Rank::Village) => Some(Rank::County),
            (Rank::Township, Rank::Village) if self == Self::Town => Some(Rank::Township),
            _ => None,
        }
    }

    /// The key that its office goes on with once it is cut.
    pub(crate) fn successor(self) -> Option<Self> {
        match self {
            Self::County => Some(Self::NewCounty),
            Self::Village => Some(Self::Successor),
            _ => None,
        }
    }

    /// Whether it is enrolled with the cut of that key.
    pub(crate) fn succeeds(self, key: Self) -> bool {
        key.successor() == Some(self)
    }
}

impl Book {
    /// The number of an entry, which is written if it is new.
    pub(crate) fn write(&self, log: Log, previous: Option<Id>, said: Said, hand: Hand) -> Id {
        let mut pages = self.0.lock().unwrap();
        if let Some(id) = pages.numbers.get(&(log, previous, said.clone(), hand)) {
            return *id;
        }
        let id = Id::try_from(pages.entries.len()).expect("a small world has few entries");
        pages.numbers.insert((log, previous, said.clone(), hand), id);
        let before = previous.map(|id| pages.entries[usize::from(id)].clone());
        let number = before.as_ref().map_or(0, |before| before.number + 1);
        let mut path = before.map(|before| before.path.clone()).unwrap_or_default();
        path.push(id);
        pages.entries.push(Arc::new(Entry { log, number, previous, said, hand, path }));
        id
    }

    pub(crate) fn read(&self, id: Id) -> Arc<Entry> {
        self.0.lock().unwrap().entries[usize::from(id)].clone()
    }

    /// How many entries there are.
    pub(crate) fn len(&self) -> usize {
        self.0.lock().unwrap().entries.len()
    }

    /// An entry in words, for a trace.
    pub(crate) fn tell(&self, id: Id) -> String {
        let entry = self.read(id);
        let Entry { log, number, previous, said, hand, .. } = &*entry;
        let behind = previous.map(|id| format!(" behind e{id}")).unwrap_or_default();
        let said = match said {
            Said::Open(0) => "opening".to_owned(),
            Said::Open(variant) => format!("opening again ({variant})"),
            Said::Typed(op) if *op >= THIEVES => format!("op {op} of a thief"),
            Said::Typed(op) => format!("op {op}"),
            Said::Variant(variant) => format!("statement {variant}"),
            Said::Pins(pins) => {
                let pins: Vec<_> =
                    pins.iter().map(|pin| format!("{:?}: e{}", pin.log, pin.head)).collect();
                format!("pins {}", pins.join(", "))
            }
        };
        format!("e{id} = {log:?} number {number}{behind}: {said} ({hand:?})")
    }
}

impl fmt::Debug for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}.{}", self.key, self.incarnation)
    }
}

impl fmt::Debug for Book {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Book({})", self.len())
    }
}
