//! What witnesses say of whole logs, held against the logs: roots, missing entries, contradictions.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use xw_ledger::log::{Log, Point};
use xw_schemas::entry::{Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, LogId, PublicKey};
use xw_schemas::merkle::{Node, Tree};

use super::entries::World;
use super::opening::Opened;
use super::report::FindingCode;

/// One witness's word on one log.
type Word = (u64, EntryId, Node, EntryId);

/// Checks every pin of every witness entry in whole spaces, counting or not.
pub(super) fn check<R: Read + Seek>(opened: &mut Opened<R>, world: &World) {
    let holdings = &world.holdings;
    let mut words: BTreeMap<(LogId, PublicKey), Vec<Word>> = BTreeMap::new();
    for entry in holdings.entries() {
        named(opened, world, entry);
        let Statement::Witness(pins) = &entry.core().statement else { continue };
        for pin in pins {
            let word = (pin.size, pin.head, pin.root, entry.id());
            words.entry((pin.log, entry.node())).or_default().push(word);
        }
    }
    let mut tree: Option<(LogId, Roots)> = None;
    for ((log, witness), mut words) in words {
        words.sort_unstable();
        let Some(held) = holdings.logs().log(&log) else {
            opened.add(FindingCode::PinnedMissing, log, format!("见证人 pinned by {witness}"));
            continue;
        };
        if tree.as_ref().is_none_or(|(of, _)| *of != log) {
            tree = Some((log, Roots::of(held)));
        }
        let Some((_, roots)) = &tree else { continue };
        judge(opened, held, witness, &words, roots);
    }
}

/// What an entry says that its author had seen, or that its log succeeds, must be there.
fn named<R: Read + Seek>(opened: &mut Opened<R>, world: &World, entry: &VerifiedEntry) {
    let before = match &entry.core().statement {
        Statement::Open(opening) => opening.successor_of,
        _ => None,
    };
    let missing = |named: &EntryId| world.holdings.entry(named).is_none();
    for named in entry.core().seen.into_iter().chain(before).filter(missing) {
        opened.add(FindingCode::NamedMissing, named, format!("见 named by {}", entry.id()));
    }
}

fn judge<R: Read + Seek>(
    opened: &mut Opened<R>,
    log: &Log,
    witness: PublicKey,
    words: &[Word],
    roots: &Roots,
) {
    let mut last: Option<(Point, &Word)> = None;
    for word in words {
        let (size, head, root, entry) = word;
        let point = (size - 1, *head);
        if !log.holds(point.0, head) {
            let detail = format!("第 {} 号 number {head}，见 pinned in {entry}", point.0);
            opened.add(FindingCode::PinnedMissing, log.id, detail);
            continue;
        }
        if roots.at(log, point) != Some(*root) {
            opened.add(
                FindingCode::PinRoot,
                log.id,
                format!("条目数 size {size}，见 in {entry}，见证人 by {witness}"),
            );
        }
        if let Some((before, held)) = last
            && !roots.runs_through(log, point, before)
        {
            let detail = format!("{} / {entry}，见证人 by {witness}", held.3);
            opened.add(FindingCode::WitnessContradicts, log.id, detail);
        }
        last = Some((point, word));
    }
}

/// Roots of a log at any size, made once for its first branch.
struct Roots(Tree);

impl Roots {
    fn of(log: &Log) -> Self {
        let chain: Vec<EntryId> = (0..log.size()).filter_map(|number| log.at(number)).collect();
        Self(Tree::of(&chain))
    }

    fn at(&self, log: &Log, point: Point) -> Option<Node> {
        if log.at(point.0) == Some(point.1) {
            return self.0.root_at(point.0 + 1);
        }
        Some(xw_schemas::merkle::root_of(&log.path(point)?))
    }

    /// Whether the branch to `tip` runs through an earlier point.
    fn runs_through(&self, log: &Log, tip: Point, earlier: Point) -> bool {
        if log.at(tip.0) == Some(tip.1) {
            return log.at(earlier.0) == Some(earlier.1);
        }
        let at = usize::try_from(earlier.0).unwrap_or(usize::MAX);
        log.path(tip).is_some_and(|path| path.get(at) == Some(&earlier.1))
    }
}
