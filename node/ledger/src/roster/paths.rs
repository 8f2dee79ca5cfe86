//! Which chain of root editions leads, when several are held: the one that root has named against
//! its rivals, or none. Never by length and never by hash.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::edition::{Edition, Fact, Scope};
use xw_schemas::id::EditionId;

use super::chain::Chain;

/// The root editions that count, from the founding one on.
pub(super) struct Leading<'a> {
    pub(super) path: Vec<&'a Edition>,
    /// Whether rivals keep it from going on.
    pub(super) frozen: bool,
    /// Root editions that are held and do not count.
    pub(super) passed: BTreeSet<EditionId>,
}

/// One of several chains of root editions, as ids.
struct Path<'a> {
    editions: Vec<&'a Edition>,
    ids: BTreeSet<EditionId>,
}

/// Chooses among all chains of root editions held.
pub(super) fn leading(chain: &Chain) -> Leading<'_> {
    let paths = all_paths(chain);
    let undominated: Vec<&Path<'_>> =
        paths.iter().filter(|path| !paths.iter().any(|rival| dominates(rival, path))).collect();
    let all: BTreeSet<EditionId> = paths.iter().flat_map(|path| &path.ids).copied().collect();
    let (path, frozen) = match undominated.as_slice() {
        [one] => (one.editions.clone(), false),
        // Where all are named against one another, none of them is.
        [] => (common(&paths.iter().collect::<Vec<_>>()), true),
        several => (common(several), true),
    };
    let counted: BTreeSet<EditionId> = path.iter().map(|edition| edition.id()).collect();
    Leading { path, frozen, passed: all.difference(&counted).copied().collect() }
}

/// Every chain from the founding edition to an edition that no other follows.
fn all_paths(chain: &Chain) -> Vec<Path<'_>> {
    let mut children: BTreeMap<EditionId, Vec<&Edition>> = BTreeMap::new();
    for number in 2.. {
        let mut any = false;
        for edition in chain.at(Scope::Root, number) {
            children.entry(edition.core().previous).or_default().push(edition);
            any = true;
        }
        if !any {
            break;
        }
    }
    let mut whole = Vec::new();
    let mut open = vec![vec![chain.founding()]];
    while let Some(path) = open.pop() {
        let tip = path[path.len() - 1].id();
        match children.get(&tip) {
            None => whole.push(path),
            Some(next) => open.extend(next.iter().map(|edition| {
                let mut longer = path.clone();
                longer.push(edition);
                longer
            })),
        }
    }
    let ids = |path: &Vec<&Edition>| path.iter().map(|edition| edition.id()).collect();
    whole.into_iter().map(|path| Path { ids: ids(&path), editions: path }).collect()
}

/// Whether `path` rejects `rival`: it names the rival's last recovery, or where the rival has none
/// the edition by which it parted. So of two recoveries that reject each other neither leads, until a
/// later one names the other.
fn dominates(path: &Path<'_>, rival: &Path<'_>) -> bool {
    let own: Vec<&&Edition> =
        path.editions.iter().filter(|edition| !rival.ids.contains(&edition.id())).collect();
    let parted: Vec<&&Edition> =
        rival.editions.iter().filter(|edition| !path.ids.contains(&edition.id())).collect();
    let recovers = |edition: &&&&Edition| recovered(edition).next().is_some();
    let key = parted.iter().rev().find(recovers).or_else(|| parted.first());
    let rejected: BTreeSet<EditionId> = own.iter().flat_map(|edition| recovered(edition)).collect();
    key.is_some_and(|edition| rejected.contains(&edition.id()))
}

fn recovered(edition: &Edition) -> impl Iterator<Item = EditionId> {
    let facts = edition.core().facts.iter();
    facts.flat_map(|fact| match fact {
        Fact::Recover { rejected } => rejected.clone(),
        _ => Vec::new(),
    })
}

fn common<'a>(paths: &[&Path<'a>]) -> Vec<&'a Edition> {
    let Some((first, rest)) = paths.split_first() else { return Vec::new() };
    let shared = |edition: &&&Edition| rest.iter().all(|path| path.ids.contains(&edition.id()));
    first.editions.iter().take_while(shared).copied().collect()
}
