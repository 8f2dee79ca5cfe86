//! Printed receipts held against a pack: whether the entry is there, in that place, under that root.

use std::io::{Read, Seek};

use serde::Serialize;
use xw_schemas::merkle::Tree;
use xw_schemas::proof::InclusionProof;

use super::entries::World;
use super::opening::Opened;
use super::report::FindingCode;
use crate::pack::FileName;
use crate::receipt::Receipt;

/// What became of one receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceiptVerdict {
    /// The entry that the receipt names, as hex; empty when the text is none.
    pub entry: String,
    /// Whether the receipt belongs to the pack.
    pub belongs: bool,
    /// For a Chinese reader.
    pub zh: &'static str,
    /// For an English reader.
    pub en: &'static str,
}

const BELONGS: (&str, &str) = ("回执属于本包", "the receipt belongs to this pack");
const NO_TEXT: (&str, &str) = ("不是回执文字", "this is no receipt's text");
const NO_ENTRY: (&str, &str) =
    ("本包没有回执所指的条目", "the receipt's entry is not in this pack");
const OTHER_PLACE: (&str, &str) =
    ("条目在本包中的位置与回执不同", "the entry stands elsewhere than the receipt says");
const OTHER_ROOT: (&str, &str) = (
    "日志的根与回执不同：日志被改写过",
    "the log has another root than the receipt: it was rewritten",
);
const OTHER_PROOF: (&str, &str) = ("证明与回执不同", "the proof differs from the receipt's");
const NO_PROOF: (&str, &str) = (
    "本包是摘录，没有回执所指检查点的证明；请用含整个日志的证据包",
    "this extract has no proof for the receipt's checkpoint; use a pack with the whole log",
);

/// Compares every text.
pub(super) fn check<R: Read + Seek>(opened: &mut Opened<R>, world: &World, texts: &[String]) {
    for (number, text) in (1..).zip(texts) {
        let read = Receipt::parse(text);
        let entry = read.as_ref().map(|receipt| receipt.entry.to_string()).unwrap_or_default();
        let words = match &read {
            None => NO_TEXT,
            Some(receipt) => compare(opened, world, receipt),
        };
        let belongs = words == BELONGS;
        if !belongs {
            opened.add(FindingCode::ReceiptWrong, format!("receipt {number}"), words.0);
        }
        let (zh, en) = words;
        opened.report.receipts.push(ReceiptVerdict { entry, belongs, zh, en });
    }
}

fn compare<R: Read + Seek>(
    opened: &mut Opened<R>,
    world: &World,
    receipt: &Receipt,
) -> (&'static str, &'static str) {
    let entry =
        world.holdings.entry(&receipt.entry).or_else(|| world.extracts.entry(&receipt.entry));
    let Some(entry) = entry else { return NO_ENTRY };
    let core = entry.core();
    if (core.log, core.sequence) != (receipt.log, receipt.number) {
        return OTHER_PLACE;
    }
    let known = match world.holdings.logs().log(&receipt.log) {
        Some(log) => {
            let chain: Vec<_> =
                (0..receipt.size.min(log.size())).filter_map(|number| log.at(number)).collect();
            let tree = Tree::of(&chain);
            tree.root_at(receipt.size).zip(tree.inclusion(receipt.number, receipt.size))
        }
        None => proof(opened, receipt),
    };
    let Some((root, path)) = known else { return NO_PROOF };
    if root != receipt.root {
        return OTHER_ROOT;
    }
    let Receipt { entry, log, number, size, .. } = *receipt;
    if Receipt::of(entry, log, number, size, root, &path) == *receipt {
        BELONGS
    } else {
        OTHER_PROOF
    }
}

/// The proof that an extract has for the receipt's entry, if it is of the same checkpoint.
fn proof<R: Read + Seek>(
    opened: &mut Opened<R>,
    receipt: &Receipt,
) -> Option<(xw_schemas::merkle::Node, Vec<xw_schemas::merkle::Node>)> {
    let bytes = opened.file(&FileName::Inclusion(receipt.entry))?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let proof = InclusionProof::parse(text, opened.manifest.network).ok()?;
    let checkpoint = proof.note.checkpoint();
    let same = checkpoint.log == receipt.log && checkpoint.size == receipt.size;
    let holds = same && proof.check(&receipt.entry).is_ok();
    holds.then(|| (checkpoint.root, proof.path.clone()))
}
