//! Inclusion proofs as C2SP tlog-proof, and consistency proofs, over a log of eleven entries.

use xw_schemas::checkpoint::{Checkpoint, cosign};
use xw_schemas::hash::plain;
use xw_schemas::id::EntryId;
use xw_schemas::merkle::Tree;
use xw_schemas::proof::{ConsistencyProof, InclusionProof, Note};

use super::case::Case;
use super::world::{DAY_MS, log, network, other_node};

const SIZE: u64 = 11;

fn entries() -> Vec<EntryId> {
    (0..SIZE).map(|number| EntryId(plain(&[b"entry", &number.to_be_bytes()]))).collect()
}

fn note(size: u64) -> Note {
    let tree = Tree::of(&entries());
    let root = tree.root_at(size).expect("the log has so many entries");
    let checkpoint = Checkpoint { network: network(), log: log(), size, root };
    let head = entries()[size as usize - 1];
    let pin = cosign(&other_node(), &checkpoint, head, DAY_MS / 1_000);
    Note::cosigned(checkpoint, &[(other_node().public(), pin)])
}

pub(crate) fn cases() -> Vec<Case> {
    [inclusion(), consistency()].concat()
}

fn inclusion() -> Vec<Case> {
    let (entries, tree) = (entries(), Tree::of(&entries()));
    let text = |index: u64, size: u64| {
        let path = tree.inclusion(index, size).expect("the entry stands there");
        InclusionProof { index, path, note: note(size) }.text()
    };
    let given = |case: Case, text: &str, entry: &EntryId| {
        case.with("text", text).with("network", network().0).with("entry", entry.0)
    };
    let accept = |name: &str, text: &str, entry: &EntryId| {
        given(Case::valid("inclusion", name), text, entry)
    };
    let refuse = |name: &str, fault: &str, text: &str| {
        given(Case::refused("inclusion", name, fault), text, &entries[4])
    };
    let good = text(4, SIZE);
    let line = good.lines().nth(2).expect("a proof has hashes").to_owned();
    let other = text(5, SIZE).lines().nth(2).expect("a proof has hashes").to_owned();
    let many = format!("{line}\n").repeat(64);
    vec![
        accept("an entry in the middle", &good, &entries[4]),
        accept("the first entry", &text(0, SIZE), &entries[0]),
        accept("the last entry, on the ragged edge", &text(10, SIZE), &entries[10]),
        accept("the only entry: no hashes", &text(0, 1), &entries[0]),
        accept("in a complete tree", &text(7, 8), &entries[7]),
        given(Case::refused("inclusion", "of another entry", "Path"), &good, &entries[5]),
        refuse("at another number", "Path", &good.replacen("index 4", "index 5", 1)),
        refuse("beyond the tree", "Path", &good.replacen("index 4", "index 11", 1)),
        refuse("with another hash", "Path", &good.replacen(&line, &other, 1)),
        refuse("with a hash less", "Path", &good.replacen(&format!("{line}\n"), "", 1)),
        refuse("with a hash more", "Path", &good.replacen(&line, &format!("{line}\n{line}"), 1)),
        refuse(
            "with more hashes than any tree has",
            "Form",
            &good.replacen(&format!("{line}\n"), &many, 1),
        ),
        refuse("of another version", "Form", &good.replacen("@v1", "@v2", 1)),
        refuse("with extra data", "Form", &good.replacen("index 4", "extra eHc=\nindex 4", 1)),
        refuse("with a leading zero", "Form", &good.replacen("index 4", "index 04", 1)),
        refuse("with a sign", "Form", &good.replacen("index 4", "index +4", 1)),
        refuse(
            "with a hash without padding",
            "Form",
            &good.replacen(&line, line.trim_end_matches('='), 1),
        ),
        refuse("without the empty line", "Form", good.split_once("\n\n").expect("it has one").0),
        refuse(
            "without a checkpoint",
            "Note(Form)",
            &good[..=good.find("\n\n").expect("it has one") + 1],
        ),
        refuse(
            "without signature lines",
            "Note(Form)",
            good.rsplit_once('—').expect("it has a line").0,
        ),
        refuse("with other line ends", "Form", &good.replace('\n', "\r\n")),
    ]
}

fn consistency() -> Vec<Case> {
    let tree = Tree::of(&entries());
    let text = |old: u64, new: u64| {
        let path = tree.consistency(old, new).expect("the log has so many entries");
        ConsistencyProof { old, path, note: note(new) }.text()
    };
    let given = |case: Case, text: &str, old: u64| {
        let root = tree.root_at(old).expect("the log has so many entries");
        case.with("text", text).with("network", network().0).with("old_root", root)
    };
    let accept = |name: &str, old: u64, new: u64| {
        given(Case::valid("consistency", name), &text(old, new), old)
    };
    let refuse = |name: &str, fault: &str, text: &str| {
        given(Case::refused("consistency", name, fault), text, 6)
    };
    let good = text(6, SIZE);
    let line = good.lines().nth(1).expect("a proof has hashes").to_owned();
    vec![
        accept("from a ragged tree", 6, SIZE),
        accept("from a complete tree", 8, SIZE),
        accept("from one entry", 1, SIZE),
        accept("between equal trees: no hashes", SIZE, SIZE),
        given(Case::refused("consistency", "from another root", "Path"), &good, 5),
        refuse("from another size", "Path", &good.replacen("old 6", "old 7", 1)),
        refuse("from an empty tree", "Path", &good.replacen("old 6", "old 0", 1)),
        refuse("from a larger tree", "Path", &good.replacen("old 6", "old 12", 1)),
        refuse("with a hash less", "Path", &good.replacen(&format!("{line}\n"), "", 1)),
        refuse("with a leading zero", "Form", &good.replacen("old 6", "old 06", 1)),
        refuse("with another first word", "Form", &good.replacen("old 6", "index 6", 1)),
    ]
}
