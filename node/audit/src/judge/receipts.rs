//! Printed receipts held against a pack: whether the entry is there, in that place, under a root that a
//! witness signed. What else the paper says is bound to nothing; the verdict tells it, for comparison.

use std::borrow::Cow;
use std::io::{Read, Seek};

use serde::Serialize;
use xw_ledger::log::Log;
use xw_ledger::standing::Standing;
use xw_schemas::id::EntryId;
use xw_schemas::merkle::{Node, Tree};
use xw_schemas::proof::InclusionProof;

use super::asked::{EntryVerdict, look_up};
use super::entries::World;
use super::opening::Opened;
use super::report::FindingCode;
use crate::holdings::Assessed;
use crate::pack::FileName;
use crate::receipt::Receipt;

/// What became of one receipt.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ReceiptVerdict {
    /// The entry that the receipt names, as hex; empty when the text is none.
    pub entry: String,
    /// Whether the receipt belongs to the pack.
    pub belongs: bool,
    /// What the pack knows of the entry, to be compared with the paper.
    pub told: Option<EntryVerdict>,
    /// For a Chinese reader.
    pub zh: Cow<'static, str>,
    /// For an English reader.
    pub en: Cow<'static, str>,
}

/// What can become of a receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Belongs,
    NoText,
    NoEntry,
    OtherPlace,
    OtherRoot,
    OtherProof,
    NotWitnessed,
    /// The log has so many entries fewer than the receipt's checkpoint.
    Beyond(u64),
    NoProof,
}

impl Outcome {
    fn finding(self) -> Option<FindingCode> {
        match self {
            Self::Belongs => None,
            Self::NoText
            | Self::NoEntry
            | Self::OtherPlace
            | Self::OtherRoot
            | Self::OtherProof
            | Self::NotWitnessed => Some(FindingCode::ReceiptWrong),
            Self::Beyond(_) => Some(FindingCode::ReceiptBeyond),
            Self::NoProof => Some(FindingCode::ReceiptUnchecked),
        }
    }

    fn words(self) -> (Cow<'static, str>, Cow<'static, str>) {
        let (zh, en) = match self {
            Self::Belongs => ("回执属于本包", "the receipt belongs to this pack"),
            Self::NoText => ("不是回执文字", "this is no receipt's text"),
            Self::NoEntry => ("本包没有回执所指的条目", "the receipt's entry is not in this pack"),
            Self::OtherPlace => {
                ("条目在本包中的位置与回执不同", "the entry stands elsewhere than the receipt says")
            }
            Self::OtherRoot => (
                "日志的根与回执不同：日志被改写过，或回执不实",
                "the log has another root than the receipt: it was rewritten, or the receipt is false",
            ),
            Self::OtherProof => ("证明与回执不同", "the proof differs from the receipt's"),
            Self::NotWitnessed => (
                "本包没有见证人签过回执所指的检查点：回执不作数",
                "no witness in this pack signed the receipt's checkpoint: it counts for nothing",
            ),
            Self::Beyond(lacking) => {
                return (
                    format!("本包的日志比回执短：缺少 {lacking} 条").into(),
                    format!("the log is shorter than the receipt: {lacking} entries are missing")
                        .into(),
                );
            }
            Self::NoProof => (
                "本包是摘录，没有回执所指检查点的证明；请用含整个日志的证据包",
                "this extract has no proof for the receipt's checkpoint; use a pack with the whole log",
            ),
        };
        (zh.into(), en.into())
    }
}

/// Compares every text.
pub(super) fn check<R: Read + Seek>(
    opened: &mut Opened<R>,
    world: &World,
    assessed: &Assessed,
    texts: &[String],
) {
    for (number, text) in (1..).zip(texts) {
        let read = Receipt::find(text);
        let entry = read.as_ref().map(|receipt| receipt.entry.to_string()).unwrap_or_default();
        let told = read.as_ref().and_then(|receipt| look_up(world, assessed, &receipt.entry));
        let outcome = match (&read, &told) {
            (None, _) => Outcome::NoText,
            (Some(_), None) => Outcome::NoEntry,
            (Some(receipt), Some(told)) => compare(opened, world, assessed, receipt, told),
        };
        let (zh, en) = outcome.words();
        if let Some(code) = outcome.finding() {
            opened.add(code, format!("回执 receipt {number}"), format!("{zh} / {en}"));
        }
        let belongs = outcome == Outcome::Belongs;
        opened.report.receipts.push(ReceiptVerdict { entry, belongs, told, zh, en });
    }
}

fn compare<R: Read + Seek>(
    opened: &mut Opened<R>,
    world: &World,
    assessed: &Assessed,
    receipt: &Receipt,
    told: &EntryVerdict,
) -> Outcome {
    if (told.log, told.number) != (receipt.log, receipt.number) || receipt.number >= receipt.size {
        return Outcome::OtherPlace;
    }
    match world.holdings.logs().log(&receipt.log) {
        Some(log) => in_whole(assessed, log, receipt),
        None => in_extract(opened, world, told, receipt),
    }
}

/// On the branch of a whole log whose head a witness pinned under the receipt's root.
fn in_whole(assessed: &Assessed, log: &Log, receipt: &Receipt) -> Outcome {
    let end = log.tips().iter().map(|(number, _)| *number).max().unwrap_or(0);
    if receipt.size > end + 1 {
        return Outcome::Beyond(receipt.size - (end + 1));
    }
    let pins = assessed.pins.of(&receipt.log);
    let same = |size: u64, root: Node| (size, root) == (receipt.size, receipt.root);
    let pin = pins.iter().find(|held| same(held.pin.size, held.pin.root));
    let branches = match pin {
        Some(held) => vec![(held.pin.size - 1, held.pin.head)],
        None => log.tips(),
    };
    let paths = branches.into_iter().filter_map(|tip| log.path(tip));
    let found = paths.filter_map(|path| on_branch(&path, receipt)).next();
    match (found, pin) {
        (None, _) => Outcome::OtherRoot,
        (Some(_), None) => Outcome::NotWitnessed,
        (Some(path), Some(_)) => same_proof(receipt, &path),
    }
}

/// The path from the receipt's entry to its root, where this branch has both.
fn on_branch(path: &[EntryId], receipt: &Receipt) -> Option<Vec<Node>> {
    let size = usize::try_from(receipt.size).ok()?;
    let number = usize::try_from(receipt.number).ok()?;
    let chain = path.get(..size)?;
    if chain.get(number) != Some(&receipt.entry) {
        return None;
    }
    let tree = Tree::of(chain);
    let root = tree.root_at(receipt.size).filter(|root| *root == receipt.root);
    root.and_then(|_| tree.inclusion(receipt.number, receipt.size))
}

/// By the pins and proofs of an extract, which were checked when its entries were judged.
fn in_extract<R: Read + Seek>(
    opened: &mut Opened<R>,
    world: &World,
    told: &EntryVerdict,
    receipt: &Receipt,
) -> Outcome {
    let pins = world.extracts.pins(&receipt.log);
    let mut of_size = pins.iter().filter(|held| held.pin.size == receipt.size).peekable();
    if of_size.peek().is_none() || !matches!(told.standing, Standing::Witnessed | Standing::Final) {
        return Outcome::NoProof;
    }
    if of_size.all(|held| held.pin.root != receipt.root) {
        return Outcome::OtherRoot;
    }
    // Of an earlier checkpoint there is no path. That it is extended by the newest, under which the
    // entry is proven, has been checked, and the size is above the entry's number.
    match proof(opened, receipt) {
        Some(path) => same_proof(receipt, &path),
        None => Outcome::Belongs,
    }
}

fn same_proof(receipt: &Receipt, path: &[Node]) -> Outcome {
    let Receipt { entry, log, number, size, root, .. } = *receipt;
    let same = Receipt::of(entry, log, number, size, root, path) == *receipt;
    if same { Outcome::Belongs } else { Outcome::OtherProof }
}

/// The path that an extract has for the receipt's entry, if it is to the same checkpoint.
fn proof<R: Read + Seek>(opened: &mut Opened<R>, receipt: &Receipt) -> Option<Vec<Node>> {
    let bytes = opened.file(&FileName::Inclusion(receipt.entry))?;
    let text = std::str::from_utf8(&bytes).ok()?;
    let proof = InclusionProof::parse(text, opened.manifest.network).ok()?;
    let checkpoint = proof.note.checkpoint();
    let same = checkpoint.log == receipt.log && checkpoint.size == receipt.size;
    let holds = same && proof.check(&receipt.entry).is_ok();
    holds.then(|| proof.path.clone())
}
