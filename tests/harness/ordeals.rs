//! Lives with one great trouble each: a PC that is put back every night, an office that is away for
//! three months, two versions of the rules in one county.

use std::collections::BTreeSet;

use xw_schemas::edition::Fact;
use xw_schemas::id::RecordId;

use crate::agreement::{
    check_converge, check_evidence, check_one_word, check_quiet, check_witnessed,
};
use crate::checks::{
    check_all, check_keep, check_now, check_old_programs_show_nothing, check_scope,
};
use crate::county::County;
use crate::founding::COUNTY;
use crate::plan::{Life, STEPS, anyone, come_home, county_of, happen, village};

/// Nights on which the disk is put back.
const NIGHTS: u64 = 30;

/// Days for which an office is away.
const DAYS_AWAY: u64 = 90;

/// The version of the rules that only some programs know.
const NEWER_RULES: u64 = 2;

/// Every night the disk of a village is put back to the first morning. Whether the PC hears its
/// neighbours before the clerk begins differs from day to day. What reached the township counts in
/// the end, some of it when a person has vouched for it.
pub const ROLLBACKS: Life = Life { found: one_township, live: live_rollbacks };

fn live_rollbacks(county: &mut County) -> Result<(), String> {
    let (town, seat) = (1, 2);
    let space = county.registry.offices[seat].own_space();
    county.write(seat, space, "SVC");
    county.run_until_quiet()?;
    county.back_up(seat);
    let mut reached: BTreeSet<RecordId> = BTreeSet::new();
    let mut forks_allowed = false;
    for _ in 0..NIGHTS {
        let hears_first = county.dice.chance(60);
        if hears_first {
            county.run_until_quiet()?;
        } else {
            forks_allowed = true;
            county.cut(seat, town);
            county.cut(seat, COUNTY);
        }
        let written = 1 + county.dice.below(3);
        let mut today: Vec<RecordId> = Vec::new();
        for _ in 0..written {
            today.extend(county.write(seat, space, "SVC"));
            let ms = county.dice.below(2_000);
            county.run_for(ms);
        }
        county.join(seat, town);
        county.join(seat, COUNTY);
        // The day may end before everything has gone out.
        let evening_ms = county.dice.below(12_000);
        county.run_for(evening_ms);
        let held = &county.nodes[town].memory;
        reached.extend(today.iter().filter(|record| held.records.contains_key(&(space, **record))));
        county.roll_back(seat);
        county.let_days_pass(1);
    }
    county.run_until_quiet()?;
    county.vouch(seat);
    county.run_until_quiet()?;
    for node in [&county.nodes[COUNTY], &county.nodes[town], &county.nodes[seat]] {
        let (memory, standings) = (&node.memory, node.memory.standings());
        let lost = reached
            .iter()
            .find(|record| memory.judged(&standings, &(space, **record)).view.is_none());
        if let Some(record) = lost {
            return Err(format!(
                "rolled back: {} shows no {record}, which had come out",
                node.seat
            ));
        }
    }
    if !forks_allowed {
        check_all(county)?;
    }
    check_keep(county)?;
    check_scope(county)?;
    check_quiet(county)?;
    check_evidence(county)?;
    check_converge(county)?;
    check_witnessed(county)?;
    Ok(())
}

/// One village is away for ninety days, switched off or at work without a line, while the county
/// lives on; then it comes back.
pub const ABSENCE: Life = Life { found: county_of, live: live_absence };

fn live_absence(county: &mut County) -> Result<(), String> {
    county.run_for(2_000);
    let away = county.registry.villages().start;
    let above = county.registry.above(away);
    let switched_off = county.dice.chance(50);
    if switched_off {
        county.crash(away);
    }
    for _ in 0..DAYS_AWAY {
        county.cut(away, above);
        county.cut(away, COUNTY);
        happen(county);
        if switched_off {
            county.crash(away);
        }
        let ms = county.dice.below(1_200);
        county.run_for(ms);
        check_now(county)?;
        county.let_days_pass(1);
    }
    come_home(county)?;
    check_all(county)
}

/// A new version of the rules comes while some programs are older; programs are replaced by newer
/// and by older ones all the time. In the end all are new.
pub const UPGRADE: Life = Life { found: county_of, live: live_upgrade };

fn live_upgrade(county: &mut County) -> Result<(), String> {
    for seat in 0..county.nodes.len() {
        if county.dice.chance(60) {
            county.install(seat, NEWER_RULES);
        }
    }
    county.run_for(2_000);
    for step in 0..STEPS {
        if step == STEPS / 4 {
            county.enact(vec![Fact::Rules { version: NEWER_RULES }]);
        }
        if county.dice.chance(20) {
            let (seat, newer) = (anyone(county), county.dice.chance(60));
            county.install(seat, if newer { NEWER_RULES } else { NEWER_RULES - 1 });
        }
        happen(county);
        let ms = county.dice.below(1_200);
        county.run_for(ms);
        check_now(county)?;
    }
    county.heal();
    county.run_until_quiet()?;
    let old = county.nodes.iter().filter(|node| node.rules_known < NEWER_RULES).count();
    if old == 0 {
        let seat = village(county);
        county.install(seat, NEWER_RULES - 1);
        county.run_until_quiet()?;
    }
    // What an old program has to say again waits until it is new: all else holds.
    let still_old = county.nodes.iter().any(|node| node.rules_known < NEWER_RULES);
    check_now(county)?;
    check_quiet(county)?;
    check_evidence(county)?;
    check_converge(county)?;
    check_witnessed(county)?;
    check_one_word(county)?;
    check_old_programs_show_nothing(county)?;
    for seat in 0..county.nodes.len() {
        county.install(seat, NEWER_RULES);
    }
    come_home(county)?;
    check_all(county)?;
    if still_old { Ok(()) } else { Err("mixed: every program was new".to_owned()) }
}

pub(crate) fn one_township(seed: u64) -> County {
    County::founded(seed, 1)
}
