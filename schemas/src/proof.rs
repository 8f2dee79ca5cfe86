//! Proofs as files: an entry's place under a checkpoint (C2SP tlog-proof) and one checkpoint's
//! growth from another (the request body of C2SP tlog-witness). Written one way and read strictly;
//! says whether the hashes lead to the root, never whether the signers had the right.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::id::{EntryId, NetworkId};
use crate::merkle::{Node, PROOF_HASHES_MAX, extends, includes};

mod note;

pub use note::{Note, NoteLine};

use crate::checkpoint::{Checkpoint, NOTE_BYTES_MAX, NoteFault};

/// First line of a tlog-proof.
const TITLE: &str = "c2sp.org/tlog-proof@v1";

/// Longest proof: its head, 63 lines of 44 digits, and a note.
pub const PROOF_BYTES_MAX: usize = 64 + PROOF_HASHES_MAX * 45 + NOTE_BYTES_MAX;

/// What is wrong with a proof.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ProofFault {
    /// Not the text of a proof.
    #[error("not the text of a proof")]
    Form,
    /// Not the text of a checkpoint of this network behind it.
    #[error("the checkpoint of the proof cannot be read")]
    Note(#[from] NoteFault),
    /// The hashes do not lead to the checkpoint's root.
    #[error("the hashes of the proof do not lead to the root")]
    Path,
}

/// That an entry stands at a place of a log, under a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InclusionProof {
    /// The entry's number in its log.
    pub index: u64,
    /// From the leaf's sibling up to the root's child.
    pub path: Vec<Node>,
    /// The checkpoint with the signatures that it has.
    pub note: Note,
}

/// That a checkpoint's log begins with the first `old` entries of an earlier checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConsistencyProof {
    /// Size of the earlier checkpoint.
    pub old: u64,
    /// As in RFC 6962 section 2.1.2.
    pub path: Vec<Node>,
    /// The later checkpoint with the signatures that it has.
    pub note: Note,
}

impl InclusionProof {
    /// The text of a `.tlog-proof` file. We write no extra data: nobody could trust it.
    #[must_use]
    pub fn text(&self) -> String {
        format!("{TITLE}\nindex {}\n{}\n{}", self.index, hash_lines(&self.path), self.note.text())
    }

    /// Reads what [`InclusionProof::text`] writes and nothing else.
    pub fn parse(text: &str, network: NetworkId) -> Result<Self, ProofFault> {
        let rest = text.strip_prefix(TITLE).and_then(|rest| rest.strip_prefix("\nindex "));
        let (index, path, note) = parse(text, rest, network)?;
        Ok(Self { index, path, note })
    }

    /// Whether the hashes lead from this entry to the checkpoint's root.
    pub fn check(&self, entry: &EntryId) -> Result<(), ProofFault> {
        let Checkpoint { size, root, .. } = self.note.checkpoint();
        let holds = includes(root, *size, self.index, entry, &self.path);
        holds.then_some(()).ok_or(ProofFault::Path)
    }
}

impl ConsistencyProof {
    /// The text of a consistency file.
    #[must_use]
    pub fn text(&self) -> String {
        format!("old {}\n{}\n{}", self.old, hash_lines(&self.path), self.note.text())
    }

    /// Reads what [`ConsistencyProof::text`] writes and nothing else.
    pub fn parse(text: &str, network: NetworkId) -> Result<Self, ProofFault> {
        let (old, path, note) = parse(text, text.strip_prefix("old "), network)?;
        Ok(Self { old, path, note })
    }

    /// Whether the later checkpoint extends the earlier one with this root.
    pub fn check(&self, old_root: &Node) -> Result<(), ProofFault> {
        let Checkpoint { size, root, .. } = self.note.checkpoint();
        let holds = extends((self.old, old_root), (*size, root), &self.path);
        holds.then_some(()).ok_or(ProofFault::Path)
    }
}

fn hash_lines(path: &[Node]) -> String {
    path.iter().map(|hash| STANDARD.encode(hash) + "\n").collect()
}

/// The number, the hashes and the note that follow a proof's head.
fn parse(
    whole: &str,
    rest: Option<&str>,
    network: NetworkId,
) -> Result<(u64, Vec<Node>, Note), ProofFault> {
    if whole.len() > PROOF_BYTES_MAX {
        return Err(ProofFault::Form);
    }
    let (number, mut rest) = rest.and_then(|rest| rest.split_once('\n')).ok_or(ProofFault::Form)?;
    let value: u64 = number.parse().map_err(|_| ProofFault::Form)?;
    if value.to_string() != number {
        return Err(ProofFault::Form);
    }
    let mut path = Vec::new();
    loop {
        let (line, after) = rest.split_once('\n').ok_or(ProofFault::Form)?;
        rest = after;
        if line.is_empty() {
            break;
        }
        let hash = STANDARD.decode(line).ok().and_then(|hash| Node::try_from(hash).ok());
        if path.len() == PROOF_HASHES_MAX {
            return Err(ProofFault::Form);
        }
        path.push(hash.ok_or(ProofFault::Form)?);
    }
    Ok((value, path, Note::parse(rest, network)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::checkpoint::cosign;
    use crate::cose::SecretKey;
    use crate::id::LogId;
    use crate::merkle::Tree;

    const NETWORK: NetworkId = NetworkId([3; 32]);

    fn entries() -> Vec<EntryId> {
        (0..21).map(|i| EntryId([i; 32])).collect()
    }

    fn witnessed(size: u64) -> Note {
        let (entries, witness) = (entries(), SecretKey::from_seed(&[2; 32]));
        let root = Tree::of(&entries).root_at(size).unwrap();
        let checkpoint = Checkpoint { network: NETWORK, log: LogId([4; 32]), size, root };
        let pin = cosign(&witness, &checkpoint, entries[size as usize - 1], 1_800_000_000);
        Note::cosigned(checkpoint, &[(witness.public(), pin)])
    }

    #[test]
    fn an_inclusion_proof_is_read_back_and_holds_for_its_entry_only() {
        let path = Tree::of(&entries()).inclusion(7, 21).unwrap();
        let proof = InclusionProof { index: 7, path, note: witnessed(21) };
        let read = InclusionProof::parse(&proof.text(), NETWORK).unwrap();
        assert_eq!(read, proof);
        assert_eq!(read.check(&entries()[7]), Ok(()));
        assert_eq!(read.check(&entries()[8]), Err(ProofFault::Path));
        assert!(proof.text().starts_with("c2sp.org/tlog-proof@v1\nindex 7\n"));
    }

    #[test]
    fn a_consistency_proof_is_read_back_and_holds_for_its_checkpoints_only() {
        let tree = Tree::of(&entries());
        let path = tree.consistency(9, 21).unwrap();
        let proof = ConsistencyProof { old: 9, path, note: witnessed(21) };
        assert_eq!(ConsistencyProof::parse(&proof.text(), NETWORK).as_ref(), Ok(&proof));
        assert_eq!(proof.check(&tree.root_at(9).unwrap()), Ok(()));
        assert_eq!(proof.check(&tree.root_at(8).unwrap()), Err(ProofFault::Path));
    }

    #[test]
    fn a_proof_has_one_spelling() {
        let path = Tree::of(&entries()).inclusion(7, 21).unwrap();
        let good = InclusionProof { index: 7, path, note: witnessed(21) }.text();
        let first = good.lines().nth(2).unwrap().to_owned();
        for bent in [
            good.replacen("@v1", "@v2", 1),
            good.replacen("index 7", "index 07", 1),
            good.replacen("index 7", "index +7", 1),
            good.replacen("index 7", "extra eHc=\nindex 7", 1),
            good.replacen("\n\n", "\n", 1),
            good.replacen(&first, first.trim_end_matches('='), 1),
            good.replacen(&first, "", 1),
            good.replace('\n', "\r\n"),
            good.trim_end().to_owned(),
            good.replacen(&first, &format!("{first}\n").repeat(64), 1),
        ] {
            assert!(InclusionProof::parse(&bent, NETWORK).is_err(), "{bent}");
        }
        assert!(InclusionProof::parse(&good, NetworkId([9; 32])).is_err());
    }
}
