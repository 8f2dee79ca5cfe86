//! Merkle proofs against the recursive definition and against a library of another author: each
//! accepts what the other makes, and neither accepts what was bent.

use ct_merkle::mem_backed_tree::MemoryBackedTree;
use ct_merkle::{ConsistencyProof, InclusionProof, RootHash};
use proptest::collection::vec;
use proptest::prelude::*;
use sha2::Sha256;
use xw_schemas::id::EntryId;
use xw_schemas::merkle::{Node, Tree, extends, includes, root_of};

/// A log of up to 600 entries: nine levels, complete and ragged.
fn log() -> impl Strategy<Value = Vec<EntryId>> {
    vec(any::<[u8; 32]>().prop_map(EntryId), 1..600)
}

fn theirs(entries: &[EntryId]) -> MemoryBackedTree<Sha256, Vec<u8>> {
    let mut tree = MemoryBackedTree::new();
    entries.iter().for_each(|entry| tree.push(entry.0.to_vec()));
    tree
}

fn nodes(bytes: &[u8]) -> Vec<Node> {
    bytes.chunks(32).map(|node| node.try_into().expect("hashes of 32 bytes")).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn two_libraries_agree_on_inclusion(entries in log(), at: prop::sample::Index) {
        let (ours, theirs) = (Tree::of(&entries), theirs(&entries));
        let (size, index) = (entries.len() as u64, at.index(entries.len()));
        let root = root_of(&entries);
        prop_assert_eq!(ours.root_at(size), Some(root));
        let their_root = theirs.root();
        prop_assert_eq!(&their_root.as_bytes()[..], &root[..]);
        let path = ours.inclusion(index as u64, size).unwrap();
        let made = theirs.prove_inclusion(index);
        prop_assert_eq!(&path.concat(), made.as_bytes());
        prop_assert!(includes(&root, size, index as u64, &entries[index], &nodes(made.as_bytes())));
        let proof = InclusionProof::<Sha256>::try_from_bytes(path.concat()).unwrap();
        let verdict = theirs.root().verify_inclusion(&entries[index].0, index as u64, &proof);
        prop_assert!(verdict.is_ok());
    }

    #[test]
    fn two_libraries_agree_on_consistency(entries in log(), at: prop::sample::Index) {
        let (ours, theirs) = (Tree::of(&entries), theirs(&entries));
        let (size, old) = (entries.len() as u64, at.index(entries.len()) as u64 + 1);
        let (old_root, root) = (ours.root_at(old).unwrap(), ours.root_at(size).unwrap());
        prop_assert_eq!(old_root, root_of(&entries[..old as usize]));
        let path = ours.consistency(old, size).unwrap();
        prop_assert!(extends((old, &old_root), (size, &root), &path));
        if old < size {
            let made = theirs.prove_consistency((size - old) as usize);
            prop_assert_eq!(&path.concat(), made.as_bytes());
            let was = RootHash::<Sha256>::new(old_root.into(), old);
            let proof = ConsistencyProof::<Sha256>::try_from_bytes(path.concat()).unwrap();
            prop_assert!(theirs.root().verify_consistency(&was, &proof).is_ok());
        }
    }

    #[test]
    fn a_bent_proof_proves_nothing(
        entries in log(),
        at: prop::sample::Index,
        bend: prop::sample::Index,
        bit in 0u8..8,
        byte in 0usize..32,
    ) {
        let (tree, size) = (Tree::of(&entries), entries.len() as u64);
        let (index, root) = (at.index(entries.len()), root_of(&entries));
        let mut path = tree.inclusion(index as u64, size).unwrap();
        if !path.is_empty() {
            let which = bend.index(path.len());
            path[which][byte] ^= 1 << bit;
            prop_assert!(!includes(&root, size, index as u64, &entries[index], &path));
        }
        let old = index as u64 + 1;
        let mut path = tree.consistency(old, size).unwrap();
        if !path.is_empty() {
            let which = bend.index(path.len());
            path[which][byte] ^= 1 << bit;
            let old_root = tree.root_at(old).unwrap();
            prop_assert!(!extends((old, &old_root), (size, &root), &path));
        }
    }

    /// Proofs of one size are no proofs of another, whatever the numbers beside them say.
    #[test]
    fn a_proof_holds_at_its_own_place_and_size_only(
        entries in log(),
        at: prop::sample::Index,
        other in any::<u64>(),
    ) {
        let (tree, size) = (Tree::of(&entries), entries.len() as u64);
        let (index, root) = (at.index(entries.len()) as u64, root_of(&entries));
        let path = tree.inclusion(index, size).unwrap();
        if other != index {
            prop_assert!(!includes(&root, size, other, &entries[index as usize], &path));
        }
    }
}
