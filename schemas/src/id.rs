//! The names of things: every id is its own type, printed as hex (records as 26 characters of
//! Crockford base32, the text form of a ULID). Never carries personal data.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::hash::tagged;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:expr) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub [u8; $len]);

        impl $name {
            /// The first four bytes as hex, enough for a log line.
            #[must_use]
            pub fn short(&self) -> String {
                hex(&self.0[..4])
            }

            /// Reads the full hex form.
            #[must_use]
            pub fn from_hex(text: &str) -> Option<Self> {
                unhex(text)?.try_into().ok().map(Self)
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, "{}({})", stringify!($name), self.short())
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&hex(&self.0))
            }
        }

        impl Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&hex(&self.0))
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = String::deserialize(deserializer)?;
                Self::from_hex(&text).ok_or_else(|| serde::de::Error::custom("not the hex of an id"))
            }
        }
    };
}

id!(
    /// The network: the id of the founding (first) roster edition.
    NetworkId, 32);
id!(
    /// One log: hash of network, node key, space and incarnation.
    LogId, 32);
id!(
    /// One entry: hash of its core. Signatures stand outside, so signing twice is no fork.
    EntryId, 32);
id!(
    /// One roster edition: hash of its core.
    EditionId, 32);
id!(
    /// One copy of a roster edition, as neighbours list and fetch it. Of a registrar's edition a hash
    /// of all bytes, for copies with other signatures may count where this one does not; of any other
    /// the edition's id.
    CopyId, 32);
id!(
    /// An ed25519 public key (RFC 8032) of a node, a person or a root holder.
    PublicKey, 32);
id!(
    /// Sixteen random bytes chosen when a person acts; the same in every republication of that act.
    OperationId, 16);
id!(
    /// Sixteen random bytes chosen when a node opens a log.
    Incarnation, 16);

impl LogId {
    /// The id of the log that a node writes in a space in one incarnation.
    #[must_use]
    pub fn of(
        network: NetworkId,
        node: PublicKey,
        space: crate::space::Space,
        incarnation: Incarnation,
    ) -> Self {
        Self(tagged("xw/log/1", &[&network.0, &node.0, &space.bytes(), &incarnation.0]))
    }

    /// The Automerge actor that changes of this log must bear on this record: a change counts only
    /// in the log its actor comes from.
    #[must_use]
    pub fn actor(&self, record: RecordId) -> [u8; 16] {
        let hash = tagged("xw/actor/1", &[&self.0, &record.0]);
        std::array::from_fn(|i| hash[i])
    }
}

/// One record: 48 bits of milliseconds and 80 bits bound to the node and operation that made it.
///
/// It sorts by the claimed time of creation, and nobody but the node that chose the operation id can
/// create a record under it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordId(pub [u8; 16]);

/// Crockford's base32 alphabet, as ULID prescribes it.
const CROCKFORD: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";

impl RecordId {
    /// The record that `node` creates by operation `op` at the claimed time.
    #[must_use]
    pub fn of(network: NetworkId, node: PublicKey, op: OperationId, time_ms: u64) -> Self {
        let time = time_ms.to_be_bytes();
        let hash = tagged("xw/record/1", &[&network.0, &node.0, &op.0, &time]);
        Self(std::array::from_fn(|i| if i < 6 { time[i + 2] } else { hash[i - 6] }))
    }

    /// Whether `node` by operation `op` at that time is the creator of this record.
    #[must_use]
    pub fn is_created_by(
        &self,
        network: NetworkId,
        node: PublicKey,
        op: OperationId,
        time_ms: u64,
    ) -> bool {
        *self == Self::of(network, node, op, time_ms)
    }

    /// Reads the 26-character form, in either case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 26 {
            return None;
        }
        let mut value: u128 = 0;
        for (at, byte) in text.bytes().enumerate() {
            let digit = CROCKFORD.iter().position(|c| *c == byte.to_ascii_uppercase())?;
            if at == 0 && digit > 7 {
                return None;
            }
            value = value << 5 | digit as u128;
        }
        Some(Self(value.to_be_bytes()))
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let value = u128::from_be_bytes(self.0);
        for at in (0..26).rev() {
            let digit = (value >> (at * 5)) as usize & 31;
            write!(f, "{}", char::from(CROCKFORD[digit]))?;
        }
        Ok(())
    }
}

impl fmt::Debug for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RecordId({self})")
    }
}

impl Serialize for RecordId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for RecordId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a record id"))
    }
}

/// Lower-case hex.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// Reads hex of either case; `None` for any other text.
#[must_use]
pub fn unhex(text: &str) -> Option<Vec<u8>> {
    // `from_str_radix` alone would also read a sign.
    if !text.len().is_multiple_of(2) || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..text.len() / 2).map(|i| u8::from_str_radix(&text[i * 2..i * 2 + 2], 16).ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_id_survives_its_text_form_and_belongs_to_its_creator() {
        let (network, node, op) = (NetworkId([1; 32]), PublicKey([2; 32]), OperationId([3; 16]));
        let id = RecordId::of(network, node, op, 1_800_000_000_123);
        assert_eq!(RecordId::parse(&id.to_string()), Some(id));
        assert_eq!(RecordId::parse(&id.to_string().to_lowercase()), Some(id));
        assert!(id.is_created_by(network, node, op, 1_800_000_000_123));
        assert!(!id.is_created_by(network, PublicKey([9; 32]), op, 1_800_000_000_123));
        assert!(id < RecordId::of(network, node, op, 1_800_000_000_124));
        assert_eq!(RecordId::parse("8ZZZZZZZZZZZZZZZZZZZZZZZZZ"), None);
    }

    #[test]
    fn hex_has_digits_only() {
        assert_eq!(unhex("00fF"), Some(vec![0, 255]));
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(unhex(&hex(&all)), Some(all));
        assert_eq!(hex(&[0x00, 0x0f, 0xf0, 0xab]), "000ff0ab");
        assert!(["+1", "-1", "0", "0g", " 1"].into_iter().all(|text| unhex(text).is_none()));
    }
}
