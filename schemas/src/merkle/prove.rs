//! Inclusion and consistency proofs over a log (RFC 6962 sections 2.1.1 and 2.1.2): made from all of
//! its entry ids, checked from roots and a few hashes. Never knows whose roots they are.

use super::{Node, leaf, parent};
use crate::id::EntryId;

/// Most hashes in one proof: a tree of 2^63 leaves has paths of 63, and no log comes near.
pub const PROOF_HASHES_MAX: usize = 63;

/// A whole tree: all complete subtrees, so that any proof takes a few look-ups.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    /// By height: the roots of all complete subtrees of 2^height leaves, left to right.
    levels: Vec<Vec<Node>>,
}

impl Tree {
    /// The tree over a log's entries in order.
    #[must_use]
    pub fn of(entries: &[EntryId]) -> Self {
        let mut levels = vec![entries.iter().map(leaf).collect::<Vec<Node>>()];
        while let Some(below) = levels.last().filter(|below| below.len() > 1) {
            let pairs = below.chunks_exact(2).map(|pair| parent(&pair[0], &pair[1])).collect();
            levels.push(pairs);
        }
        Self { levels }
    }

    /// How many leaves it has.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.levels.first().map_or(0, |leaves| leaves.len() as u64)
    }

    /// The root over the first `size` leaves; `None` when there are fewer.
    #[must_use]
    pub fn root_at(&self, size: u64) -> Option<Node> {
        match size {
            _ if size > self.size() => None,
            0 => Some(super::root_of(&[])),
            _ => Some(self.over(0, size)),
        }
    }

    /// The proof that leaf `index` stands in the tree of the first `size` leaves, from its sibling
    /// up; `None` when there is no such leaf.
    #[must_use]
    pub fn inclusion(&self, index: u64, size: u64) -> Option<Vec<Node>> {
        if index >= size || size > self.size() {
            return None;
        }
        let (mut low, mut high) = (0, size);
        let mut path = Vec::new();
        while high - low > 1 {
            let middle = low + split(high - low);
            if index < middle {
                path.push(self.over(middle, high));
                high = middle;
            } else {
                path.push(self.over(low, middle));
                low = middle;
            }
        }
        path.reverse();
        Some(path)
    }

    /// The proof that the first `old` leaves of the tree of `new` leaves are the tree of `old`
    /// leaves; `None` for an empty or a larger old tree, and beyond the leaves held.
    #[must_use]
    pub fn consistency(&self, old: u64, new: u64) -> Option<Vec<Node>> {
        if old == 0 || old > new || new > self.size() {
            return None;
        }
        let (mut low, mut high) = (0, new);
        let mut path = Vec::new();
        // The old tree's right edge is sought; its own root is left out while it is the whole of it.
        let mut is_old_root = true;
        while old < high {
            let middle = low + split(high - low);
            if old <= middle {
                path.push(self.over(middle, high));
                high = middle;
            } else {
                path.push(self.over(low, middle));
                low = middle;
                is_old_root = false;
            }
        }
        if !is_old_root {
            path.push(self.over(low, high));
        }
        path.reverse();
        Some(path)
    }

    /// The root over leaves `low..high`, which are a subtree of some prefix of the log.
    fn over(&self, low: u64, high: u64) -> Node {
        let width = high - low;
        if width.is_power_of_two() {
            let at = usize::try_from(low >> width.trailing_zeros()).unwrap_or(usize::MAX);
            return self.levels[width.trailing_zeros() as usize][at];
        }
        let middle = low + split(width);
        parent(&self.over(low, middle), &self.over(middle, high))
    }
}

/// The largest power of two below a width of two or more.
fn split(width: u64) -> u64 {
    width.next_power_of_two() / 2
}

/// Whether the proof leads from an entry at `index` to the root of a tree of `size` leaves.
#[must_use]
pub fn includes(root: &Node, size: u64, index: u64, entry: &EntryId, path: &[Node]) -> bool {
    if index >= size || path.len() > PROOF_HASHES_MAX {
        return false;
    }
    let (mut at, mut last, mut node) = (index, size - 1, leaf(entry));
    for hash in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            node = parent(hash, &node);
            // On the right edge the levels without a sibling are passed over.
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            node = parent(&node, hash);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && node == *root
}

/// Whether the tree of `new` leaves under `new_root` begins with the tree of `old` leaves under
/// `old_root`. An empty old tree is no evidence of anything and is refused.
#[must_use]
pub fn extends(old: (u64, &Node), new: (u64, &Node), path: &[Node]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size == 0 || old_size > new_size || path.len() > PROOF_HASHES_MAX {
        return false;
    }
    if old_size == new_size {
        return path.is_empty() && old_root == new_root;
    }
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    // A complete old tree is its own first hash.
    let mut rest = path.iter();
    let first = if old_size.is_power_of_two() { Some(old_root) } else { rest.next() };
    let Some(first) = first else { return false };
    let (mut was, mut is) = (*first, *first);
    for hash in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            (was, is) = (parent(hash, &was), parent(hash, &is));
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            is = parent(&is, hash);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && was == *old_root && is == *new_root
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::merkle::root_of;

    fn entries(count: u8) -> Vec<EntryId> {
        (0..count).map(|i| EntryId([i; 32])).collect()
    }

    #[test]
    fn every_proof_of_every_small_tree_holds_and_holds_for_nothing_else() {
        let all = entries(36);
        let tree = Tree::of(&all);
        for size in 1..=36u64 {
            let root = root_of(&all[..size as usize]);
            assert_eq!(tree.root_at(size), Some(root));
            for index in 0..size {
                let path = tree.inclusion(index, size).unwrap();
                for other in 0..=size {
                    let entry = &all[(other as usize).min(35)];
                    let same = other == index;
                    assert_eq!(includes(&root, size, other, entry, &path), same && other < size);
                }
                assert!(!includes(&root, size, index, &EntryId([99; 32]), &path));
                if let Some((_, shorter)) = path.split_last() {
                    assert!(!includes(&root, size, index, &all[index as usize], shorter));
                }
                let longer = [&path[..], &[[0; 32]]].concat();
                assert!(!includes(&root, size, index, &all[index as usize], &longer));
            }
        }
    }

    #[test]
    fn every_prefix_is_proven_and_nothing_but_a_prefix() {
        let all = entries(36);
        let tree = Tree::of(&all);
        for new in 1..=36u64 {
            let new_root = tree.root_at(new).unwrap();
            for old in 1..=new {
                let old_root = tree.root_at(old).unwrap();
                let path = tree.consistency(old, new).unwrap();
                assert!(extends((old, &old_root), (new, &new_root), &path), "{old} to {new}");
                assert!(!extends((old, &[7; 32]), (new, &new_root), &path));
                assert!(!extends((old, &old_root), (new, &[7; 32]), &path));
                let longer = [&path[..], &[[0; 32]]].concat();
                assert!(!extends((old, &old_root), (new, &new_root), &longer));
                for at in 0..path.len() {
                    let mut bent = path.clone();
                    bent[at][0] ^= 1;
                    assert!(!extends((old, &old_root), (new, &new_root), &bent));
                }
            }
        }
        assert_eq!((tree.consistency(0, 3), tree.consistency(4, 3)), (None, None));
        assert_eq!((tree.inclusion(3, 3), tree.inclusion(0, 37)), (None, None));
    }

    #[test]
    fn a_proof_has_at_most_so_many_hashes() {
        let path = vec![[1; 32]; PROOF_HASHES_MAX + 1];
        assert!(!includes(&[0; 32], u64::MAX, 0, &EntryId([0; 32]), &path));
        assert!(!extends((1, &[0; 32]), (u64::MAX, &[0; 32]), &path));
    }
}
