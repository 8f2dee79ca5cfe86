//! Acts said again after a fork: whichever forms of them stand, the record is the same, every act
//! counts once, and what others wrote meanwhile is a conflict and never lost.

mod desk;

use std::collections::BTreeSet;

use xw_ledger::judge::{Evidence, judge};
use xw_ledger::republish::RepublishError;
use xw_ledger::standing::Standing;
use xw_ledger::verdict::{Refusal, Verdict};
use xw_schemas::record::Value;

use crate::cases;
use crate::check::check_same_judgement;
use crate::county::county;
use crate::dice::Dice;
use crate::republish::desk::{Desk, gist};
use crate::world::put;

/// Worlds drawn in CI; each tries every prefix of both logs.
const WORLDS: u32 = 60;

/// ONCE: any mixture of an act's old and new forms gives the view of one of them alone. Left out are
/// the few worlds in which an act takes one of several values and that one is shown by the names of
/// the one log and not by those of the other: there taking it is written as two different things.
#[test]
fn whichever_forms_of_an_act_stand_the_record_is_the_same() {
    let (mut mixtures, mut conflicts, mut stepped, mut others) = (0, 0, 0, 0);
    for seed in 0..u64::from(cases(WORLDS)) {
        let dice = &mut Dice(seed);
        let mut desk = Desk::new();
        let (old, new) = desk.forked(dice);
        if desk.said_otherwise(&old, &new) {
            others += 1;
            continue;
        }
        let later = desk.work_on(dice);
        let acts = old.len();
        let view = |keep_old: usize, keep_new: usize, later: &[usize]| {
            let lost = old[keep_old..].iter().chain(&new[keep_new..]);
            let lost: BTreeSet<usize> = lost.copied().chain(later.iter().copied()).collect();
            gist(&desk.judged(&lost), &format!("seed {seed}, {keep_old} old, {keep_new} new"))
        };
        let renewed = view(0, acts, &[]);
        for keep in 0..=acts {
            assert_eq!(
                view(keep, acts, &[]),
                renewed,
                "seed {seed}, {keep} of the old stand again"
            );
            // What was written on the new forms does not count where these do not.
            let alone = view(acts, 0, &later);
            assert_eq!(view(acts, keep, &later), alone, "seed {seed}, {keep} of the new stand");
            mixtures += 2;
        }
        conflicts += usize::from(!renewed.conflicts.is_empty());
        stepped += usize::from(renewed.steps.len() > 1);
    }
    assert!(others < cases(WORLDS) / 20, "{others} worlds say something in other words");
    assert!(mixtures > 300 && conflicts > 2 && stepped > 20, "{mixtures} {conflicts} {stepped}");
}

/// ORDER: with several forms of an act standing, the order of arrival still decides nothing.
#[test]
fn repeated_acts_are_judged_alike_in_any_order() {
    for seed in 0..u64::from(cases(WORLDS / 4)) {
        let dice = &mut Dice(1_000 + seed);
        let mut desk = Desk::new();
        let (old, _) = desk.forked(dice);
        desk.work_on(dice);
        let lost: BTreeSet<usize> = old.iter().copied().skip(dice.below(old.len() + 1)).collect();
        let mut evidence = desk.evidence(&lost);
        let (roster, definitions) = (desk.roster(), &county().definitions);
        let first = judge(roster, definitions, desk.record, &evidence);
        for _ in 0..8 {
            dice.shuffle(&mut evidence);
            let again = judge(roster, definitions, desk.record, &evidence);
            check_same_judgement(&first, &again, &format!("in another order, seed {seed}"));
        }
    }
}

#[test]
fn what_was_written_meanwhile_stands_beside_what_is_said_again() {
    let mut desk = Desk::new();
    desk.create();
    let lost = desk.village(vec![put("remarks", "断网时登记")], None);
    // The township does not know of it and writes the same field.
    desk.township(&[lost], vec![put("remarks", "乡镇登记")], None);
    desk.move_on();
    let again = desk.again(lost, &[lost]).expect("it can be said again");
    let judged = desk.judged(&BTreeSet::from([lost]));
    let view = judged.view.expect("the record is there");
    assert_eq!(view.conflicts.len(), 1, "{view:?}");
    let values: BTreeSet<&Value> = view.conflicts[0].values.iter().map(|v| &v.value).collect();
    let text = |text: &str| Value::Text(text.into());
    assert_eq!(values, BTreeSet::from([&text("断网时登记"), &text("乡镇登记")]));
    assert_eq!(view.changes, 3);
    // The old form standing as well adds nothing.
    let both = desk.judged(&BTreeSet::new()).view.expect("the record is there");
    assert_eq!((both.conflicts.len(), both.conflicts[0].values.len(), both.changes), (1, 2, 3));
    let (old, new) = (desk.core(lost), desk.core(again));
    assert_eq!((old.operation, old.claimed_time_ms), (new.operation, new.claimed_time_ms));
    assert_eq!(new.republishes, Some(desk.id(lost)));
}

#[test]
fn what_replaces_one_form_of_a_value_replaces_all() {
    let mut desk = Desk::new();
    desk.create();
    let lost = desk.village(vec![put("remarks", "旧")], None);
    desk.move_on();
    desk.again(lost, &[lost]).expect("it can be said again");
    // The township has seen the new form only.
    desk.township(&[lost], vec![put("remarks", "新")], None);
    let view = desk.judged(&BTreeSet::new()).view.expect("the record is there");
    assert_eq!(view.content.text("remarks"), Some("新"));
    assert!(view.conflicts.is_empty(), "{:?}", view.conflicts);
}

#[test]
fn a_record_is_created_again_under_its_own_id() {
    let mut desk = Desk::new();
    let lost = desk.create();
    desk.move_on();
    let again = desk.again(lost, &[lost]).expect("it can be said again");
    let judged = desk.judged(&BTreeSet::from([lost]));
    assert_eq!(judged.verdicts[&desk.id(again)], Verdict::Admitted);
    let both = desk.judged(&BTreeSet::new());
    let admitted = both.verdicts.values().all(|verdict| *verdict == Verdict::Admitted);
    assert!(admitted, "{:?}", both.verdicts);
    let (one, two) = (judged.view.expect("a view"), both.view.expect("a view"));
    assert_eq!((one.content, one.changes, one.steps.len()), (two.content, 1, 1));
    assert_eq!((two.changes, two.steps.len()), (1, 1));
}

#[test]
fn a_log_that_has_gone_on_with_the_record_does_not_take_an_older_act() {
    let mut desk = Desk::new();
    desk.create();
    let lost = desk.village(vec![put("remarks", "旧")], None);
    desk.move_on();
    desk.village(vec![put("remarks", "后来写的")], Some(&[lost]));
    let refused = desk.again(lost, &[lost]);
    assert!(matches!(refused, Err(RepublishError::LogWentOn)), "{refused:?}");
    // In a log of its own it stands beside what was written since.
    desk.move_on();
    desk.again(lost, &[lost]).expect("it can be said again");
    let view = desk.judged(&BTreeSet::from([lost])).view.expect("the record is there");
    assert_eq!(view.conflicts.len(), 1, "{view:?}");
}

#[test]
fn an_act_whose_ground_does_not_count_waits() {
    let mut desk = Desk::new();
    let first = desk.create();
    let second = desk.village(vec![put("remarks", "旧")], None);
    desk.move_on();
    let refused = desk.again(second, &[first, second]);
    assert!(matches!(refused, Err(RepublishError::Ground(_))), "{refused:?}");
    desk.again(first, &[first, second]).expect("the ground comes first");
    desk.again(second, &[first, second]).expect("it can be said again");
    assert_eq!(desk.judged(&BTreeSet::from([first, second])).view.expect("a view").changes, 2);
}

#[test]
fn nobody_speaks_for_another_node() {
    // The township claims the village's act by its operation: two acts, two values.
    let mut desk = Desk::new();
    desk.create();
    let village = desk.village(vec![put("remarks", "村里写的")], None);
    let operation = desk.core(village).operation;
    desk.township_as(operation, &[village], vec![put("remarks", "乡里写的")]);
    let view = desk.judged(&BTreeSet::new()).view.expect("the record is there");
    assert_eq!((view.conflicts.len(), view.changes), (1, 3));
}

#[test]
fn an_act_in_other_words_is_no_repetition() {
    // A node that signs another value under an old operation does not make the old one go away.
    let mut desk = Desk::new();
    desk.create();
    let one = desk.village(vec![put("remarks", "甲")], None);
    let operation = desk.core(one).operation;
    desk.move_on();
    desk.village_as(operation, &[one], vec![put("remarks", "乙")]);
    let view = desk.judged(&BTreeSet::new()).view.expect("the record is there");
    assert_eq!(view.conflicts.len(), 1, "{view:?}");
}

#[test]
fn an_act_stands_again_as_soon_as_another_form_of_it_counts() {
    let mut desk = Desk::new();
    desk.create();
    let lost = desk.village(vec![put("remarks", "旧")], None);
    let stands = |desk: &Desk, lost_too: &[usize]| {
        let evidence: Vec<Evidence<'_>> = desk.evidence(&lost_too.iter().copied().collect());
        desk.stands_again(lost, &evidence)
    };
    assert!(!stands(&desk, &[lost]));
    desk.move_on();
    let again = desk.again(lost, &[lost]).expect("it can be said again");
    assert!(stands(&desk, &[lost]));
    assert!(!stands(&desk, &[lost, again]), "a form that does not stand is none");
    assert_eq!(desk.evidence(&BTreeSet::new())[0].standing, Standing::Local);
}

#[test]
fn what_a_thief_of_the_pc_says_under_an_operation_does_not_say_the_act() {
    // Whoever has the PC's key and no person's puts the operation of a typed act into another log.
    // The judge refuses that entry; the act is not said by it and is said again.
    let mut desk = Desk::new();
    desk.create();
    let lost = desk.village(vec![put("remarks", "经办人登记的")], None);
    desk.move_on();
    let stolen = desk.stolen(lost, vec![put("remarks", "经办人登记的")], &[lost]);
    let without = BTreeSet::from([lost]);
    let verdict = &desk.judged(&without).verdicts[&desk.id(stolen)];
    assert_eq!(*verdict, Verdict::Refused(Refusal::NoPerson));
    assert!(!desk.stands_again(lost, &desk.evidence(&without)), "it counts as said by a thief");
    desk.move_on();
    desk.again(lost, &[lost]).expect("it can be said again");
    assert!(desk.stands_again(lost, &desk.evidence(&without)));
    let view = desk.judged(&without).view.expect("the record is there");
    assert_eq!((view.content.text("remarks"), view.changes), (Some("经办人登记的"), 2));
}

#[test]
fn a_first_request_for_an_erasure_stands_again_while_it_waits_for_the_second() {
    let mut desk = Desk::new();
    let created = desk.create();
    let lost = desk.ask_erasure(None);
    assert!(!desk.stands_again(lost, &desk.evidence(&BTreeSet::from([lost]))));
    desk.move_on();
    desk.ask_erasure(Some(lost));
    assert!(desk.stands_again(lost, &desk.evidence(&BTreeSet::from([lost]))));
    assert!(!desk.stands_again(created, &desk.evidence(&BTreeSet::from([created]))));
}
