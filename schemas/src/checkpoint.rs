//! Checkpoints and cosignatures: C2SP tlog-checkpoint notes over a log's size and root, and
//! cosignature/v1 lines by witnesses. Never says anything of what the log contains.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::cose::{self, SecretKey, SoundKey};
use crate::entry::Pin;
use crate::hash::plain;
use crate::id::{EntryId, LogId, NetworkId, PublicKey, hex};

/// Longest signed note: a body of about 130 bytes and a few signature lines.
pub const NOTE_BYTES_MAX: usize = 4_096;

/// A log's size and root, to be signed by its author.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// The network.
    pub network: NetworkId,
    /// The log.
    pub log: LogId,
    /// Number of entries.
    pub size: u64,
    /// Root of the Merkle tree over them.
    pub root: [u8; 32],
}

/// What is wrong with a signed note.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NoteFault {
    /// Not the text of a checkpoint note.
    #[error("not the text of a signed checkpoint")]
    Form,
    /// No line of this signer, or one that does not verify.
    #[error("the signer's line is missing or does not verify")]
    Signature,
}

/// Algorithm bytes of a note's key id: 1 for ed25519, 4 for a timestamped cosignature.
pub(crate) const NOTE_ED25519: u8 = 1;
pub(crate) const NOTE_COSIGNATURE: u8 = 4;

impl Checkpoint {
    /// The origin line: names the network and the log, nothing else.
    #[must_use]
    pub fn origin(network: NetworkId, log: LogId) -> String {
        format!("xiangwang/{}/{log}", hex(&network.0[..8]))
    }

    /// The body of the note (C2SP tlog-checkpoint): origin, size, root, each on a line.
    #[must_use]
    pub fn body(&self) -> String {
        let origin = Self::origin(self.network, self.log);
        format!("{origin}\n{}\n{}\n", self.size, STANDARD.encode(self.root))
    }

    /// The signed note of the log's author.
    #[must_use]
    pub fn sign(&self, node: &SecretKey) -> String {
        let body = self.body();
        let signature = node.sign_raw(body.as_bytes());
        let name = Self::origin(self.network, self.log);
        format!("{body}\n{}", line(NOTE_ED25519, &name, &node.public(), &signature))
    }

    /// Reads a signed note and checks its author's line.
    pub fn open(note: &str, network: NetworkId, node: &PublicKey) -> Result<Self, NoteFault> {
        if note.len() > NOTE_BYTES_MAX {
            return Err(NoteFault::Form);
        }
        let (body, signatures) = note.split_once("\n\n").ok_or(NoteFault::Form)?;
        let checkpoint = checkpoint_of(body, network).ok_or(NoteFault::Form)?;
        let origin = Self::origin(network, checkpoint.log);
        let signed = checkpoint.body();
        let lines = signature_lines(signatures).ok_or(NoteFault::Form)?;
        let id = key_id(NOTE_ED25519, &origin, node);
        // Lines of other keys are passed over; every line of this key must verify.
        let own: Vec<&[u8]> = lines
            .iter()
            .filter(|(name, _)| *name == origin)
            .filter_map(|(_, bytes)| bytes.strip_prefix(&id))
            .collect();
        let verifies = |bytes: &&[u8]| {
            <[u8; 64]>::try_from(*bytes)
                .is_ok_and(|signature| cose::verify_raw(node, signed.as_bytes(), &signature))
        };
        if own.is_empty() || !own.iter().all(verifies) {
            return Err(NoteFault::Signature);
        }
        Ok(checkpoint)
    }
}

/// The checkpoint of a note's body; `None` for every text that [`Checkpoint::body`] would not write.
pub(crate) fn checkpoint_of(body: &str, network: NetworkId) -> Option<Checkpoint> {
    let mut lines = body.split('\n');
    let (origin, size, root) = (lines.next()?, lines.next()?, lines.next()?);
    let prefix = format!("xiangwang/{}/", hex(&network.0[..8]));
    let log = origin.strip_prefix(&prefix).and_then(LogId::from_hex)?;
    let root = STANDARD.decode(root).ok()?.try_into().ok()?;
    let checkpoint = Checkpoint { network, log, size: size.parse().ok()?, root };
    (checkpoint.body().strip_suffix('\n') == Some(body)).then_some(checkpoint)
}

/// The name of a witness in notes: the first eight bytes of its key as hex. Names of persons never
/// stand here. (The author of a log signs under the log's origin, as tlog-checkpoint advises.)
pub(crate) fn witness_name(key: &PublicKey) -> String {
    hex(&key.0[..8])
}

/// The four-byte key id of C2SP signed-note.
pub(crate) fn key_id(algorithm: u8, name: &str, key: &PublicKey) -> [u8; 4] {
    let hash = plain(&[name.as_bytes(), b"\n", &[algorithm], &key.0]);
    std::array::from_fn(|i| hash[i])
}

fn line(algorithm: u8, name: &str, key: &PublicKey, payload: &[u8]) -> String {
    let encoded = STANDARD.encode([&key_id(algorithm, name, key)[..], payload].concat());
    format!("— {name} {encoded}\n")
}

/// The signature lines of a note as names and bytes; `None` when one is not of that form.
pub(crate) fn signature_lines(text: &str) -> Option<Vec<(&str, Vec<u8>)>> {
    let lines = text.strip_suffix('\n')?.split('\n').map(|line| {
        let (name, encoded) = line.strip_prefix("— ")?.split_once(' ')?;
        let forbidden = |c: char| c.is_whitespace() || c.is_control() || c == '+';
        let bytes = STANDARD.decode(encoded).ok()?;
        (!name.is_empty() && !name.contains(forbidden) && bytes.len() > 4).then_some((name, bytes))
    });
    lines.collect()
}

/// The message of a C2SP cosignature/v1: a header, the time, and the checkpoint's body.
fn cosigned(checkpoint: &Checkpoint, time_s: u64) -> String {
    format!("cosignature/v1\ntime {time_s}\n{}", checkpoint.body())
}

/// A witness's pin on a prefix that it holds durably.
#[must_use]
pub fn cosign(witness: &SecretKey, checkpoint: &Checkpoint, head: EntryId, time_s: u64) -> Pin {
    let cosignature = witness.sign_raw(cosigned(checkpoint, time_s).as_bytes());
    let Checkpoint { log, size, root, .. } = *checkpoint;
    Pin { log, size, head, root, time_s, cosignature }
}

/// Whether a pin's cosignature is this witness's.
#[must_use]
pub fn cosignature_verifies(witness: &SoundKey, network: NetworkId, pin: &Pin) -> bool {
    let checkpoint = Checkpoint { network, log: pin.log, size: pin.size, root: pin.root };
    let message = cosigned(&checkpoint, pin.time_s);
    witness.verifies_raw(message.as_bytes(), &pin.cosignature)
}

/// The line that a stock C2SP tool reads as this witness's cosignature.
#[must_use]
pub fn cosignature_line(witness: &PublicKey, pin: &Pin) -> String {
    let payload = [&pin.time_s.to_be_bytes()[..], &pin.cosignature].concat();
    line(NOTE_COSIGNATURE, &witness_name(witness), witness, &payload)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sound(key: &SecretKey) -> SoundKey {
        SoundKey::of(&key.public()).unwrap()
    }

    #[test]
    fn a_note_opens_for_its_author_only_and_a_pin_for_its_witness_only() {
        let (author, other) = (SecretKey::from_seed(&[1; 32]), SecretKey::from_seed(&[2; 32]));
        let network = NetworkId([3; 32]);
        let checkpoint = Checkpoint { network, log: LogId([4; 32]), size: 5, root: [6; 32] };
        let note = checkpoint.sign(&author);
        assert_eq!(Checkpoint::open(&note, network, &author.public()), Ok(checkpoint.clone()));
        assert_eq!(Checkpoint::open(&note, network, &other.public()), Err(NoteFault::Signature));
        let forged = note.replacen("\n5\n", "\n6\n", 1);
        assert_eq!(Checkpoint::open(&forged, network, &author.public()), Err(NoteFault::Signature));
        let pin = cosign(&other, &checkpoint, EntryId([7; 32]), 1_800_000_000);
        assert!(cosignature_verifies(&sound(&other), network, &pin));
        assert!(!cosignature_verifies(&sound(&author), network, &pin));
        assert!(!cosignature_verifies(&sound(&other), network, &Pin { time_s: 1, ..pin }));
    }
}
