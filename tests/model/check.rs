//! Visits every state of a world and tells the shortest way to whatever is broken.

use std::time::Instant;

use stateright::{Checker, HasDiscoveries, Model, Path};

use crate::arrival::check_the_ledger_says_the_same;
use crate::rules::Stands;
use crate::world::{Act, Broken, State, World};

/// Every state keeps every invariant, and the ledger agrees about everything held in them. Entries
/// stand there in all these ways: a world that shows less of the rules proves less.
pub(crate) fn check(world: World, shows: &[Stands]) {
    let name = world.name;
    let from = Instant::now();
    let checker = world.checker().threads(1).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    let visited = from.elapsed();
    if let Some((property, path)) = checker.discoveries().into_iter().next() {
        panic!("{name}: {property} is broken\n{}", tell(checker.model(), path));
    }
    let from = Instant::now();
    let compared = check_the_ledger_says_the_same(checker.model());
    println!(
        "{name}: {} states in {visited:.1?}, {} acts deep; the ledger agrees on {compared} in {:.1?}",
        checker.unique_state_count(),
        checker.max_depth() - 1,
        from.elapsed(),
    );
    let missing = shows.iter().find(|stands| !compared.seen.contains(stands));
    assert_eq!(missing, None, "{name}: no entry stands so");
}

/// What the checker finds broken in a world first; `None` when all its states are sound.
pub(crate) fn broken(world: World) -> Option<(Broken, String)> {
    let checker = world.checker().threads(1).finish_when(HasDiscoveries::Any).spawn_bfs().join();
    let (_, path) = checker.discoveries().into_iter().next()?;
    let (world, last) = (checker.model(), path.last_state());
    let broken = last.broken.or_else(|| world.lost(last)).expect("a discovery breaks something");
    Some((broken, tell(world, path)))
}

fn tell(world: &World, path: Path<State, Act>) -> String {
    let last = path.last_state().clone();
    let acts =
        path.into_actions().into_iter().map(|act| format!("  {}", world.format_action(&act)));
    let entries =
        world.existing(&last).into_iter().map(|id| format!("    {}", world.book.tell(id)));
    let broken = last.broken.or_else(|| world.lost(&last));
    let lines: Vec<String> = acts.chain([format!("{broken:?}")]).chain(entries).collect();
    lines.join("\n")
}
