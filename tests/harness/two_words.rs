//! Lives with one great lie each: a township that suppresses a village, an office that says two things
//! to two others, a township that has forgotten what it said, a county whose own log forks.

use std::collections::BTreeMap;

use xw_ledger::standing::Standing;
use xw_schemas::edition::Fact;
use xw_schemas::id::{EntryId, LogId};
use xw_schemas::space::{Audience, Space};

use crate::agreement::{check_converge, check_evidence, check_one_word};
use crate::checks::check_keep;
use crate::county::{County, Node};
use crate::founding::{COUNTY, Seat};
use crate::ordeals::one_township;
use crate::plan::{Life, STEPS, happen};

/// The longest that a node of these counties waits before it looks whom to dial, and what the
/// slowest conversation takes: one round of exchange.
const ROUND_MS: u64 = 4_000;

/// Rounds in which an entry has to find another way to the county.
const ROUNDS_MAX: u64 = 3;

/// The township acknowledges what a village sends and keeps it from everybody. What the village
/// writes reaches the county in a few rounds as soon as there is another way, and not before.
pub const SUPPRESSION: Life = Life { found: one_township, live: live_suppression };

fn live_suppression(county: &mut County) -> Result<(), String> {
    let (town, victim) = (1, 2);
    county.two_lines = !county.habits.keeps_one_line;
    county.hostile.insert(town);
    county.censor = Some((town, victim));
    county.cut(victim, COUNTY);
    county.run_for(10_000);
    let space = county.registry.offices[victim].own_space();
    let mut written = Vec::new();
    for _ in 0..1 + county.dice.below(4) {
        written.extend(county.write(victim, space, "SVC"));
        let ms = county.dice.below(2_000);
        county.run_for(ms);
    }
    county.run_for(60_000);
    let held = |county: &County, seat: Seat| {
        let records = &county.nodes[seat].memory.records;
        written.iter().filter(|record| records.contains_key(&(space, **record))).count()
    };
    if held(county, COUNTY) + held(county, town) > 0 {
        return Err("suppressed: the township did not suppress anything".to_owned());
    }
    county.join(victim, COUNTY);
    county.run_for(ROUNDS_MAX * ROUND_MS);
    if held(county, COUNTY) < written.len() {
        return Err(format!(
            "suppressed: after {ROUNDS_MAX} rounds the county holds {} of {}",
            held(county, COUNTY),
            written.len()
        ));
    }
    // The county's word comes back by the same way.
    county.run_for(ROUNDS_MAX * ROUND_MS);
    let (memory, own) = (&county.nodes[victim].memory, county.nodes[victim].key);
    for kept in memory.entries.values().filter(|kept| kept.entry.node() == own) {
        let stands = memory.standing(&kept.entry);
        if kept.entry.change().is_some() && stands != Standing::Final {
            return Err(format!("suppressed: {} is {stands:?}", kept.entry.id()));
        }
    }
    check_keep(county)?;
    Ok(())
}

/// A village shows one entry to its township and another of the same number to the county. As soon
/// as those two have talked, both know, and nothing that was final has moved.
pub const SPLIT: Life = Life { found: one_township, live: live_split };

fn live_split(county: &mut County) -> Result<(), String> {
    live_honestly(county)?;
    let (town, liar) = (1, 2);
    let space = county.registry.offices[liar].own_space();
    county.hostile.insert(liar);
    county.cut(liar, town);
    county.cut(liar, COUNTY);
    county.cut(town, COUNTY);
    county.run_for(10_000);
    let before = finals(county, &[COUNTY, town]);
    let Some((log, slot, [one, other])) = county.equivocate(liar, space) else {
        return Err("split: the liar has nothing to say".to_owned());
    };
    county.hand_over(town, one);
    county.hand_over(COUNTY, other);
    county.run_for(10_000);
    knows(&county.nodes[town], log, None)?;
    knows(&county.nodes[COUNTY], log, None)?;
    county.join(town, COUNTY);
    county.run_for(2 * ROUND_MS);
    for seat in [town, COUNTY] {
        knows(&county.nodes[seat], log, Some(slot))?;
    }
    check_finals(county, &before)?;
    // The county has put its word to what it saw: that branch stands, for everybody.
    county.run_until_quiet()?;
    check_converge(county)?;
    check_evidence(county)?;
    Ok(())
}

/// A village shows an entry to its township, whose disk is then put back to the day before; now the
/// village shows it another one of the same number. The township, which has forgotten its word, gives
/// none any more; the county, which has not, settles it.
pub const LOST_WITNESS: Life = Life { found: one_township, live: live_lost_witness };

fn live_lost_witness(county: &mut County) -> Result<(), String> {
    live_honestly(county)?;
    let (town, liar) = (1, 2);
    let space = county.registry.offices[liar].own_space();
    county.own_log(liar, space);
    county.run_until_quiet()?;
    county.back_up(town);
    county.hostile.insert(liar);
    county.cut(liar, town);
    county.cut(liar, COUNTY);
    county.run_for(10_000);
    let before = finals(county, &[COUNTY, town]);
    let Some((log, slot, [one, other])) = county.equivocate(liar, space) else {
        return Err("lost witness: the liar has nothing to say".to_owned());
    };
    county.hand_over(town, one);
    county.run_until_quiet()?;
    county.cut(town, COUNTY);
    county.run_for(10_000);
    county.restore(town);
    county.run_for(10_000);
    county.hand_over(town, other);
    county.run_for(10_000);
    county.join(town, COUNTY);
    county.run_until_quiet()?;
    for seat in [town, COUNTY] {
        knows(&county.nodes[seat], log, Some(slot))?;
    }
    check_one_word(county)?;
    check_finals(county, &before)?;
    check_converge(county)?;
    check_evidence(county)
}

/// The county's own log says two things of one number, one to each township, and then the county
/// talks to nobody. As soon as the townships have met, both have the proof; neither entry counts, for
/// nobody chooses; what was final before is final. Root decides, and all go on alike.
pub const COUNTY_FORK: Life = Life { found: two_townships, live: live_county_fork };

fn live_county_fork(county: &mut County) -> Result<(), String> {
    live_honestly(county)?;
    let author = county.registry.villages().start;
    let division = county.registry.offices[author].division;
    let space = Space { division, audience: Audience::County };
    county.write(author, space, "IND");
    county.run_until_quiet()?;
    let towns: Vec<Seat> = (1..=county.registry.townships).collect();
    let before = finals(county, &towns);
    county.hostile.insert(COUNTY);
    for seat in 1..county.nodes.len() {
        county.cut(seat, COUNTY);
    }
    county.run_for(10_000);
    // What the village writes now is held by its township, and the county is told of it.
    county.write(author, space, "IND");
    county.run_for(10_000);
    let Some((log, slot, [one, other])) = county.two_statements(space, author, towns[0]) else {
        return Err("county fork: the county has nothing to say".to_owned());
    };
    let ids: [EntryId; 2] = [one.0.id(), other.0.id()];
    county.hand_over(towns[0], one);
    county.hand_over(towns[1], other);
    county.run_for(10_000);
    for seat in &towns {
        knows(&county.nodes[*seat], log, None)?;
    }
    county.connect(towns[0], towns[1]);
    county.run_for(ROUND_MS);
    for seat in &towns {
        let node = &county.nodes[*seat];
        knows(node, log, Some(slot))?;
        let standings = county.standings(node);
        for id in ids {
            let stands = standings[&log].of(slot, &id);
            if stands != Standing::Disputed {
                return Err(format!("county fork: {seat} chose: {id} is {stands:?}"));
            }
        }
    }
    check_finals(county, &before)?;
    // The villages hear of it from their townships.
    county.run_until_quiet()?;
    for seat in county.registry.villages() {
        knows(&county.nodes[seat], log, Some(slot))?;
    }
    agree(county, 1)?;
    check_finals(county, &before)?;
    let chosen = usize::from(county.dice.chance(50));
    let decided = Fact::Adjudicate { log, number: slot, entry: ids[chosen] };
    let edition = county.registry.next_edition(vec![decided]);
    county.take_edition(towns[0], edition);
    county.connect(towns[0], towns[1]);
    county.run_until_quiet()?;
    agree(county, 1)?;
    for node in &county.nodes[1..] {
        let standings = county.standings(node);
        let stands = ids.map(|id| standings[&log].of(slot, &id));
        if stands[chosen] != Standing::Final || stands[1 - chosen] != Standing::Disputed {
            return Err(format!("county fork: root decided, and at {} {stands:?}", node.seat));
        }
    }
    check_finals(county, &before)?;
    Ok(())
}

/// A county that has lived honestly for a while and is quiet.
fn live_honestly(county: &mut County) -> Result<(), String> {
    county.run_for(2_000);
    for seat in 1..county.nodes.len() {
        let space = county.registry.offices[seat].own_space();
        county.write(seat, space, "SVC");
    }
    for _ in 0..STEPS / 4 {
        happen(county);
        let ms = county.dice.below(1_200);
        county.run_for(ms);
    }
    county.heal();
    county.run_until_quiet()
}

fn two_townships(seed: u64) -> County {
    County::founded(seed, 2)
}

/// Whether a node knows of a fork of a log, and where.
fn knows(node: &Node, log: LogId, slot: Option<u64>) -> Result<(), String> {
    let fork = node.memory.logs.log(&log).map(xw_ledger::log::Log::fork);
    if fork == Some(slot) {
        return Ok(());
    }
    Err(format!("evidence: {} says of {log:?}: {fork:?}, expected {slot:?}", node.seat))
}

/// Everything that is final at these offices, with its place.
type Finals = Vec<(Seat, LogId, u64, EntryId)>;

fn finals(county: &County, seats: &[Seat]) -> Finals {
    let mut finals = Finals::new();
    for seat in seats {
        let memory = &county.nodes[*seat].memory;
        let standings = county.standings(&county.nodes[*seat]);
        for kept in memory.entries.values() {
            let (core, id) = (kept.entry.core(), kept.entry.id());
            if standings[&core.log].of(core.sequence, &id) == Standing::Final {
                finals.push((*seat, core.log, core.sequence, id));
            }
        }
    }
    finals
}

fn check_finals(county: &County, before: &Finals) -> Result<(), String> {
    if before.is_empty() {
        return Err("final: nothing was final before".to_owned());
    }
    for (seat, log, sequence, id) in before {
        let stands = county.standings(&county.nodes[*seat])[log].of(*sequence, id);
        if stands != Standing::Final {
            return Err(format!("final: at {seat} {id} was final and is {stands:?}"));
        }
    }
    Ok(())
}

/// All nodes from a seat on say the same of every entry that they share.
fn agree(county: &County, from: Seat) -> Result<(), String> {
    let mut first = BTreeMap::new();
    for node in &county.nodes[from..] {
        let standings = county.standings(node);
        for kept in node.memory.entries.values() {
            let (core, id) = (kept.entry.core(), kept.entry.id());
            let here = standings[&core.log].of(core.sequence, &id);
            let there = *first.entry(id).or_insert(here);
            if there != here {
                return Err(format!(
                    "converge: at {} {id} is {here:?}, elsewhere {there:?}",
                    node.seat
                ));
            }
        }
    }
    Ok(())
}
