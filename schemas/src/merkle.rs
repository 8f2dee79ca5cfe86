//! The Merkle tree over a log (RFC 6962 section 2.1): leaves are entry ids in log order. Keeps only
//! the peaks of the complete subtrees, which is enough to extend the tree and to know its root.

mod prove;

pub use prove::{PROOF_HASHES_MAX, Tree, extends, includes};

use crate::hash::plain;
use crate::id::EntryId;

/// A node of the tree.
pub type Node = [u8; 32];

/// Hash of one leaf: `SHA-256(0x00 || entry id)`.
#[must_use]
pub fn leaf(entry: &EntryId) -> Node {
    plain(&[&[0], &entry.0])
}

/// Hash of an inner node: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn parent(left: &Node, right: &Node) -> Node {
    plain(&[&[1], left, right])
}

/// The right edge of a tree: one root per complete subtree, largest first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Node>,
}

impl Frontier {
    /// The frontier of an empty log.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// How many leaves the tree has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds the next leaf.
    pub fn push(&mut self, entry: &EntryId) {
        let mut node = leaf(entry);
        let mut complete = self.size;
        while complete & 1 == 1 {
            let left = self.peaks.pop().expect("a peak stands for every set bit of the size");
            node = parent(&left, &node);
            complete >>= 1;
        }
        self.peaks.push(node);
        self.size += 1;
    }

    /// The root of the tree; of an empty log the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Node {
        let mut peaks = self.peaks.iter().rev();
        match peaks.next() {
            None => plain(&[]),
            Some(last) => peaks.fold(*last, |root, peak| parent(peak, &root)),
        }
    }

    /// The peaks, largest subtree first, to be stored.
    #[must_use]
    pub fn peaks(&self) -> &[Node] {
        &self.peaks
    }

    /// Takes up a stored frontier; `None` when the number of peaks does not fit the size.
    #[must_use]
    pub fn from_parts(size: u64, peaks: Vec<Node>) -> Option<Self> {
        (peaks.len() == size.count_ones() as usize).then_some(Self { size, peaks })
    }
}

/// The root over a list of leaves, by the recursive definition of RFC 6962.
#[must_use]
pub fn root_of(entries: &[EntryId]) -> Node {
    match entries {
        [] => plain(&[]),
        [one] => leaf(one),
        many => {
            let left = many.len().next_power_of_two() / 2;
            parent(&root_of(&many[..left]), &root_of(&many[left..]))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_frontier_has_the_root_of_the_definition() {
        let entries: Vec<EntryId> = (0..70u8).map(|i| EntryId([i; 32])).collect();
        let mut frontier = Frontier::new();
        for size in 0..entries.len() {
            assert_eq!(frontier.root(), root_of(&entries[..size]), "size {size}");
            let stored = Frontier::from_parts(frontier.size(), frontier.peaks().to_vec());
            assert_eq!(stored.as_ref(), Some(&frontier));
            frontier.push(&entries[size]);
        }
    }
}
