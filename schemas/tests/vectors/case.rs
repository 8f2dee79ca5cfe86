//! One vector: what a reader is given, what it must say, and what it must have read.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use xw_schemas::id::hex;

/// What stands in a vector file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub(crate) enum Item {
    Number(u64),
    Text(String),
    List(Vec<String>),
}

/// One vector.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Case {
    /// A sentence that says what is shown.
    pub(crate) name: String,
    /// What sort of bytes these are.
    pub(crate) kind: String,
    /// What the reader is given.
    pub(crate) given: BTreeMap<String, Item>,
    /// `valid`, or the name of the fault.
    pub(crate) expect: String,
    /// What a reader of valid bytes must have read.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) reading: BTreeMap<String, Item>,
}

/// What a reader makes of a vector.
pub(crate) type Judgement = Result<BTreeMap<String, Item>, String>;

impl Case {
    pub(crate) fn valid(kind: &str, name: &str) -> Self {
        Self::refused(kind, name, "valid")
    }

    pub(crate) fn refused(kind: &str, name: &str, fault: &str) -> Self {
        Self {
            name: name.to_owned(),
            kind: kind.to_owned(),
            given: BTreeMap::new(),
            expect: fault.to_owned(),
            reading: BTreeMap::new(),
        }
    }

    pub(crate) fn with(mut self, key: &str, item: impl Into<Item>) -> Self {
        self.given.insert(key.to_owned(), item.into());
        self
    }

    pub(crate) fn text(&self, key: &str) -> &str {
        match self.given.get(key) {
            Some(Item::Text(text)) => text,
            other => panic!("{}: {key} is {other:?} and not a text", self.name),
        }
    }

    pub(crate) fn bytes(&self, key: &str) -> Vec<u8> {
        xw_schemas::id::unhex(self.text(key)).expect("a vector holds hex")
    }

    pub(crate) fn fixed<const N: usize>(&self, key: &str) -> [u8; N] {
        self.bytes(key).try_into().expect("a vector holds as many bytes as its kind needs")
    }

    pub(crate) fn list(&self, key: &str) -> Vec<Vec<u8>> {
        match self.given.get(key) {
            Some(Item::List(list)) => list
                .iter()
                .map(|text| xw_schemas::id::unhex(text).expect("a vector holds hex"))
                .collect(),
            other => panic!("{}: {key} is {other:?} and not a list", self.name),
        }
    }

    pub(crate) fn number(&self, key: &str) -> Option<u64> {
        match self.given.get(key) {
            Some(Item::Number(number)) => Some(*number),
            _ => None,
        }
    }
}

/// A reading, item by item.
pub(crate) fn reading<const N: usize>(items: [(&str, Item); N]) -> BTreeMap<String, Item> {
    items.into_iter().map(|(key, item)| (key.to_owned(), item)).collect()
}

impl From<&[u8]> for Item {
    fn from(bytes: &[u8]) -> Self {
        Self::Text(hex(bytes))
    }
}

impl From<Vec<u8>> for Item {
    fn from(bytes: Vec<u8>) -> Self {
        bytes.as_slice().into()
    }
}

impl<const N: usize> From<[u8; N]> for Item {
    fn from(bytes: [u8; N]) -> Self {
        bytes.as_slice().into()
    }
}

impl From<&str> for Item {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Item {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<u64> for Item {
    fn from(number: u64) -> Self {
        Self::Number(number)
    }
}

impl From<&[Vec<u8>]> for Item {
    fn from(list: &[Vec<u8>]) -> Self {
        Self::List(list.iter().map(|bytes| hex(bytes)).collect())
    }
}

impl<const N: usize> From<[Vec<u8>; N]> for Item {
    fn from(list: [Vec<u8>; N]) -> Self {
        list.as_slice().into()
    }
}
