//! A checkpoint note with all its signature lines: the author's and those of witnesses. Reads the
//! text strictly; whose keys count is the caller's to know.

use crate::checkpoint::{
    Checkpoint, NOTE_BYTES_MAX, NOTE_COSIGNATURE, NOTE_ED25519, NoteFault, checkpoint_of,
    cosignature_line, cosignature_verifies, key_id, signature_lines, witness_name,
};
use crate::cose::SoundKey;
use crate::entry::Pin;
use crate::id::{EntryId, NetworkId, PublicKey};

/// Bytes of a timestamped cosignature behind its key id: the time and the signature.
const COSIGNATURE_BYTES: usize = 8 + 64;

/// A checkpoint and who signed it, read and not yet believed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    text: String,
    checkpoint: Checkpoint,
    lines: Vec<NoteLine>,
}

/// One signature line of a note.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoteLine {
    /// The signer's name in notes.
    pub name: String,
    /// Four bytes of the hash over name, algorithm and key.
    pub key_id: [u8; 4],
    /// What follows the key id.
    pub payload: Vec<u8>,
}

impl Note {
    /// Reads a note of a network: a checkpoint and one or more signature lines.
    pub fn parse(text: &str, network: NetworkId) -> Result<Self, NoteFault> {
        if text.len() > NOTE_BYTES_MAX {
            return Err(NoteFault::Form);
        }
        let (body, signatures) = text.split_once("\n\n").ok_or(NoteFault::Form)?;
        let checkpoint = checkpoint_of(body, network).ok_or(NoteFault::Form)?;
        let lines = signature_lines(signatures).ok_or(NoteFault::Form)?;
        let line = |(name, bytes): (&str, Vec<u8>)| NoteLine {
            name: name.to_owned(),
            key_id: std::array::from_fn(|at| bytes[at]),
            payload: bytes[4..].to_vec(),
        };
        let lines = lines.into_iter().map(line).collect();
        Ok(Self { text: text.to_owned(), checkpoint, lines })
    }

    /// A note that bears the cosignatures of these pins; each must be over this checkpoint.
    #[must_use]
    pub fn cosigned(checkpoint: Checkpoint, pins: &[(PublicKey, Pin)]) -> Self {
        let lines: String = pins.iter().map(|(key, pin)| cosignature_line(key, pin)).collect();
        let text = format!("{}\n{lines}", checkpoint.body());
        Self::parse(&text, checkpoint.network)
            .expect("a checkpoint's body and cosignature lines make a note")
    }

    /// The note as written.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What was signed.
    #[must_use]
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// All signature lines, in order.
    #[must_use]
    pub fn lines(&self) -> &[NoteLine] {
        &self.lines
    }

    /// Whether the log's author signed. Every line under its name and key id must verify.
    pub fn author(&self, node: &SoundKey) -> Result<bool, NoteFault> {
        let key = node.public();
        let origin = Checkpoint::origin(self.checkpoint.network, self.checkpoint.log);
        let body = self.checkpoint.body();
        let lines: Vec<&NoteLine> = self.of(NOTE_ED25519, &origin, &key).collect();
        let verifies = |line: &&NoteLine| {
            <[u8; 64]>::try_from(&line.payload[..])
                .is_ok_and(|signature| node.verifies_raw(body.as_bytes(), &signature))
        };
        verdict(lines.len(), lines.iter().all(verifies))
    }

    /// When this witness co-signed, seconds since 1970 by its clock; `None` when it did not. Every
    /// line under its name and key id must verify; of several the earliest time is told.
    pub fn witness(&self, witness: &SoundKey) -> Result<Option<u64>, NoteFault> {
        let key = witness.public();
        let Checkpoint { network, log, size, root } = self.checkpoint;
        let mut earliest: Option<u64> = None;
        for line in self.of(NOTE_COSIGNATURE, &witness_name(&key), &key) {
            let payload = <[u8; COSIGNATURE_BYTES]>::try_from(&line.payload[..]);
            let payload = payload.map_err(|_| NoteFault::Signature)?;
            let time_s = u64::from_be_bytes(std::array::from_fn(|at| payload[at]));
            let cosignature = std::array::from_fn(|at| payload[8 + at]);
            // The head is no part of what is co-signed.
            let pin = Pin { log, size, head: EntryId([0; 32]), root, time_s, cosignature };
            if !cosignature_verifies(witness, network, &pin) {
                return Err(NoteFault::Signature);
            }
            earliest = Some(earliest.map_or(time_s, |held| held.min(time_s)));
        }
        Ok(earliest)
    }

    fn of<'a>(
        &'a self,
        algorithm: u8,
        name: &str,
        key: &PublicKey,
    ) -> impl Iterator<Item = &'a NoteLine> {
        let (id, name) = (key_id(algorithm, name, key), name.to_owned());
        self.lines.iter().filter(move |line| line.name == name && line.key_id == id)
    }
}

fn verdict(lines: usize, all_verify: bool) -> Result<bool, NoteFault> {
    if all_verify { Ok(lines > 0) } else { Err(NoteFault::Signature) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::cosign;
    use crate::cose::SecretKey;
    use crate::id::LogId;

    fn sound(key: &SecretKey) -> SoundKey {
        SoundKey::of(&key.public()).unwrap()
    }

    #[test]
    fn a_note_tells_each_of_its_signers_apart() {
        let key = |seed: u8| SecretKey::from_seed(&[seed; 32]);
        let (author, county, town, stranger) = (key(1), key(2), key(3), key(4));
        let network = NetworkId([3; 32]);
        let checkpoint = Checkpoint { network, log: LogId([4; 32]), size: 5, root: [6; 32] };
        let pin = |key: &SecretKey, time_s| cosign(key, &checkpoint, EntryId([7; 32]), time_s);
        let mut text = checkpoint.sign(&author);
        text += &cosignature_line(&county.public(), &pin(&county, 1_800_000_000));
        text += &cosignature_line(&town.public(), &pin(&town, 1_700_000_000));
        text += &cosignature_line(&town.public(), &pin(&town, 1_600_000_000));
        let note = Note::parse(&text, network).unwrap();
        assert_eq!((note.checkpoint(), note.lines().len()), (&checkpoint, 4));
        assert_eq!(note.author(&sound(&author)), Ok(true));
        assert_eq!(note.author(&sound(&county)), Ok(false));
        assert_eq!(note.witness(&sound(&county)), Ok(Some(1_800_000_000)));
        assert_eq!(note.witness(&sound(&town)), Ok(Some(1_600_000_000)));
        assert_eq!(note.witness(&sound(&stranger)), Ok(None));
        // A cosignature over another size under the witness's name spoils its word.
        let other = Checkpoint { size: 6, ..checkpoint.clone() };
        let forged = cosign(&county, &other, EntryId([7; 32]), 1_800_000_000);
        text += &cosignature_line(&county.public(), &forged);
        let note = Note::parse(&text, network).unwrap();
        assert_eq!(note.witness(&sound(&county)), Err(NoteFault::Signature));
        assert_eq!(note.author(&sound(&author)), Ok(true));
    }
}
