//! What witnesses say of whole logs, held against the logs: roots, missing entries, contradictions.

use std::collections::BTreeMap;
use std::io::{Read, Seek};

use xw_ledger::log::{Log, Point};
use xw_schemas::entry::Statement;
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
            opened.add(FindingCode::PinnedMissing, log, format!("pinned by {witness}"));
            continue;
        };
        if tree.as_ref().is_none_or(|(of, _)| *of != log) {
            tree = Some((log, Roots::of(held)));
        }
        let Some((_, roots)) = &tree else { continue };
        judge(opened, held, witness, &words, roots);
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
            let detail = format!("number {} {head} pinned in {entry}", point.0);
            opened.add(FindingCode::PinnedMissing, log.id, detail);
            continue;
        }
        if roots.at(log, point) != Some(*root) {
            opened.add(
                FindingCode::PinRoot,
                log.id,
                format!("size {size} in {entry} by {witness}"),
            );
        }
        if let Some((before, held)) = last
            && !roots.runs_through(log, point, before)
        {
            let detail = format!("{} and {entry} by {witness}", held.3);
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
