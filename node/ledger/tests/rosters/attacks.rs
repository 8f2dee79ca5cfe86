//! What a former registrar, a thief of an invitation, a relay and a neighbouring township try: in
//! whichever order it comes, every node has one roster, and honest editions count in it.

use xw_ledger::roster::{Chain, PassedOver, Roster, RosterRefusal};
use xw_schemas::edition::{Edition, EditionCore, EditionFault, Fact};
use xw_schemas::id::EditionId;

use crate::world::{
    COUNTY, EAST, MILL, ORCHARD, WEST, WILLOW, after, by, closing, cut, delegation, deliver,
    first_of, founding, invite, invite_registrar, joining, key as secret, next_by, node, person,
    public, registrar, registrar_of, root_after, sign,
};

/// The roster that a set amounts to, handed over in the order written and in the opposite one.
/// Which surplus editions are held may differ; what counts and who signs may not.
fn either_way(editions: &[Edition]) -> Roster {
    let [there, back] =
        [editions.to_vec(), editions.iter().rev().cloned().collect()].map(|order: Vec<Edition>| {
            let mut chain = Chain::founded(founding()).expect("the county is founded");
            deliver(&mut chain, &order);
            chain.roster().clone()
        });
    assert_eq!(there.counted(), back.counted());
    assert_eq!(there.state(), back.state());
    let [one, other] = [&there, &back].map(|roster| roster.signers().collect::<Vec<_>>());
    assert_eq!(one, other);
    assert!(there.invitations().eq(back.invitations()));
    there
}

/// Why an edition, or a fact of it, has no effect.
fn why(roster: &Roster, edition: &Edition, at: Option<usize>) -> Option<PassedOver> {
    let id = edition.id();
    let own = roster.passed_over().find(|(passed, place, _)| (*passed, *place) == (id, at));
    own.map(|(.., why)| *why)
}

fn delegated(threshold: u64) -> Edition {
    root_after(&founding(), vec![delegation(WEST, 1, threshold), delegation(EAST, 1, 1)])
}

/// West's first registrar is cut, and West has a new term in which the second one acts.
fn dismissed() -> Edition {
    root_after(&founding(), vec![cut(registrar_of(WEST, 0)), delegation(WEST, 2, 1)])
}

fn of_new_term(number: u8, registrar: u8) -> Edition {
    sign(&first_of(WEST, 2, vec![invite(number, MILL, true, 0)]), &[registrar])
}

#[test]
fn a_former_registrar_does_not_fill_the_place_of_the_one_in_office() {
    let honest = of_new_term(60, registrar_of(WEST, 1));
    let flood = (61..66).map(|number| of_new_term(number, registrar_of(WEST, 0)));
    let mut editions = vec![dismissed()];
    editions.extend(flood.clone());
    editions.push(honest.clone());
    let roster = either_way(&editions);
    assert!(roster.counted().contains(&honest.id()));
    assert!(roster.open_invitation(&public(60)).is_some());
    // What he alone has signed is kept a few times and no more.
    let mut chain = Chain::founded(founding()).expect("the county is founded");
    chain.add(dismissed()).unwrap();
    let refused: Vec<_> = flood.map(|edition| chain.add(edition).err()).collect();
    assert_eq!(refused[..4], [None; 4]);
    assert_eq!(refused[4], Some(RosterRefusal::EnoughRivals));
}

/// He leads the surplus astray behind an edition of his own, with a registrar in office who helps.
#[test]
fn editions_behind_another_one_take_no_place() {
    let (former, insider) = (registrar_of(WEST, 0), registrar_of(WEST, 1));
    let (good, stray) = (of_new_term(60, insider), of_new_term(61, former));
    let behind = |before: &Edition, number| {
        sign(&after(before, vec![invite(number, MILL, true, 0)]), &[insider])
    };
    let second = behind(&good, 62);
    let mut editions = vec![dismissed(), good, stray.clone()];
    editions.extend((63..69).map(|number| behind(&stray, number)));
    editions.push(second.clone());
    assert!(either_way(&editions).counted().contains(&second.id()));
}

/// Behind his own contradiction nobody adds anything, so a registrar's editions are as many as one
/// term has, and four in each place.
#[test]
fn a_registrar_fills_nobodys_disk() {
    let mut chain = Chain::founded(founding()).expect("the county is founded");
    let mut way = vec![by(COUNTY, vec![])];
    while way.len() < 5 {
        way.push(next_by(COUNTY, &way[way.len() - 1], vec![]));
    }
    let mut tree: Vec<Edition> = (60..66).map(|n| by(COUNTY, vec![cut(n)])).collect();
    for before in &way[..4] {
        tree.extend((60..66).map(|n| next_by(COUNTY, before, vec![cut(n)])));
    }
    let behind: Vec<Edition> = tree.iter().map(|rival| next_by(COUNTY, rival, vec![])).collect();
    // The deepest first: once there are two at one place, nothing of his is taken up behind them.
    tree.reverse();
    chain.add_set([way, tree, behind].concat());
    assert_eq!(chain.count(), 1 + 5 * 4, "the founding edition and four in each place");
    let roster = chain.roster();
    assert_eq!(roster.counted().len(), 1, "the chain ends where it contradicts itself");
}

#[test]
fn an_edition_that_a_superior_names_is_held_with_all_that_it_stands_on() {
    let mut rivals: Vec<Edition> =
        (60..66).map(|number| by(COUNTY, vec![invite(number, MILL, true, 0)])).collect();
    let chosen = rivals[0].clone();
    let tip = next_by(COUNTY, &chosen, vec![invite(70, MILL, true, 0)]);
    rivals.push(tip.clone());
    rivals.push(root_after(&founding(), vec![closing(COUNTY, 2, &tip)]));
    let roster = either_way(&rivals);
    assert!([&chosen, &tip].iter().all(|edition| roster.counted().contains(&edition.id())));
}

#[test]
fn an_invitation_used_four_times_is_burnt_whichever_uses_are_held() {
    let invited = root_after(&founding(), vec![invite(60, WILLOW, true, 1)]);
    let honest = joining((None, WILLOW), 60, Some(70), &[71]);
    let mut editions = vec![invited];
    editions.extend((80..85).map(|number| joining((None, WILLOW), 60, Some(number), &[])));
    editions.push(honest.clone());
    let roster = either_way(&editions);
    assert!(!roster.counted().contains(&honest.id()) && roster.signer(&public(70)).is_none());
    // Fewer that do not fit leave the honest one alone.
    let roster = either_way(&[&editions[..3], std::slice::from_ref(&honest)].concat());
    assert!(roster.counted().contains(&honest.id()));
}

/// Months later somebody who saw the text joins with keys of his own, again and again; and the
/// invitation's key is cut, as if that could still matter.
#[test]
fn a_confirmed_newcomer_stays_whatever_is_made_of_his_invitation() {
    let invited = by(WEST, vec![invite(60, WILLOW, true, 1)]);
    let of = (Some(WEST), WILLOW);
    let honest = joining(of, 60, Some(70), &[71]);
    let listed = vec![node(70, WILLOW), person(71, WILLOW, &["V_CLERK"])];
    let confirmed = next_by(WEST, &invited, listed.clone());
    let thieves = (80..90).map(|number| joining(of, 60, Some(number), &[number + 10]));
    let cut = next_by(WEST, &confirmed, vec![cut(60)]);
    let east = by(EAST, vec![invite(60, ORCHARD, true, 1)]);
    let mut editions = vec![delegated(1), invited.clone(), honest.clone(), cut, east];
    editions.extend(thieves.clone());
    let without = either_way(&editions);
    assert!(without.signer(&public(70)).is_none(), "an unconfirmed one is burnt");
    editions.push(confirmed);
    let roster = either_way(&editions);
    assert!(roster.counted().contains(&honest.id()));
    assert!(roster.live_nodes().contains(&public(70)));
    let held = roster.invitations_of(&public(60)).find(|held| held.by == Some(WEST)).unwrap();
    assert!(held.confirmed && held.replaced == Some(honest.id()));
    // By the county, or by root, as well; not by a neighbour or by a fact about another office.
    let editions = [delegated(1), invited, honest.clone(), joining(of, 60, Some(80), &[90])];
    let counts = |confirming: Edition| {
        let all = [&editions[..], &[confirming]].concat();
        either_way(&all).counted().contains(&honest.id())
    };
    assert!(counts(by(COUNTY, listed.clone())));
    assert!(counts(root_after(&delegated(1), listed.clone())));
    assert!(!counts(by(EAST, listed)));
    assert!(!counts(by(COUNTY, vec![node(70, MILL), person(71, WILLOW, &[])])));
    assert!(!counts(by(COUNTY, vec![node(70, WILLOW)])), "all of the keys must be listed");
}

/// Who joins twice by own keys, here and elsewhere, takes nobody with him who was confirmed.
#[test]
fn a_person_who_joins_elsewhere_takes_no_office_with_him() {
    let own = by(WEST, vec![invite(60, WILLOW, true, 1)]);
    let honest = joining((Some(WEST), WILLOW), 60, Some(70), &[71]);
    let county = by(COUNTY, vec![invite(61, ORCHARD, false, 1)]);
    let elsewhere = joining((Some(COUNTY), ORCHARD), 61, None, &[71]);
    let confirmed = next_by(WEST, &own, vec![node(70, WILLOW), person(71, WILLOW, &[])]);
    let editions = [delegated(1), own, honest.clone(), county, elsewhere.clone(), confirmed];
    let roster = either_way(&editions);
    assert!(roster.counted().contains(&honest.id()));
    assert_eq!(why(&roster, &elsewhere, None), Some(PassedOver::BadReplacement));
}

#[test]
fn of_two_confirmed_the_first_counts_and_a_higher_rank_before_all() {
    let invited = by(WEST, vec![invite(60, WILLOW, true, 0)]);
    let of = (Some(WEST), WILLOW);
    let (one, other) = (joining(of, 60, Some(70), &[]), joining(of, 60, Some(80), &[]));
    let first = next_by(WEST, &invited, vec![node(70, WILLOW)]);
    let second = next_by(WEST, &first, vec![node(80, WILLOW)]);
    let editions = [delegated(1), invited, one.clone(), other.clone(), first, second];
    assert!(either_way(&editions).counted().contains(&one.id()));
    let county = [&editions[..], &[by(COUNTY, vec![node(80, WILLOW)])]].concat();
    let roster = either_way(&county);
    assert!(roster.counted().contains(&other.id()) && !roster.counted().contains(&one.id()));
}

/// What a rival takes from the roster is suspended: its place and its roles are known.
#[test]
fn whom_a_registrars_rival_takes_off_the_roster_is_suspended() {
    let own =
        by(WEST, vec![invite(60, WILLOW, true, 1), person(71, WILLOW, &["V_HEAD", "T_HEAD"])]);
    let newcomer = joining((Some(WEST), WILLOW), 60, Some(70), &[71]);
    let rival = by(WEST, vec![invite(61, MILL, true, 0)]);
    let editions = [delegated(1), own, newcomer];
    assert_eq!(either_way(&editions).all_suspended().count(), 0);
    let roster = either_way(&[&editions[..], &[rival]].concat());
    assert!(roster.live_nodes().iter().all(|key| *key != public(70)));
    assert_eq!(roster.suspended(&public(70)).map(|held| held.office), Some(WILLOW));
    assert_eq!(roster.writing_office(&public(70)).map(|office| office.id), Some(WILLOW));
    let roles = roster.suspended(&public(71)).map(|held| held.roles.clone());
    assert_eq!(roles, Some(vec!["V_CLERK".to_owned(), "V_HEAD".to_owned()]));
    // A listing alone brings nobody, and an office beside or below brings nobody either.
    let listed = by(WEST, vec![node(90, WILLOW)]);
    let beside = by(EAST, vec![invite(62, WILLOW, true, 0)]);
    let stray = joining((Some(EAST), WILLOW), 62, Some(91), &[]);
    let roster = either_way(&[delegated(1), listed, beside, stray]);
    assert_eq!(roster.all_suspended().count(), 0);
}

#[test]
fn strangers_signatures_keep_nobodys_own_away() {
    let both = [registrar_of(WEST, 0), registrar_of(WEST, 1)];
    let core = first_of(WEST, 1, vec![invite(60, MILL, true, 0)]);
    let strangers: Vec<u8> = (100..115).collect();
    let stuffed = sign(&core, &[&both[..1], &strangers].concat());
    let (whole, stripped) = (sign(&core, &both), sign(&core, &both[..1]));
    let second = root_after(&delegated(1), vec![cut(both[0])]);
    let roster = either_way(&[delegated(1), stuffed.clone(), stripped, whole.clone(), second]);
    assert!(roster.counted().contains(&whole.id()), "the second registrar's signature is held");
    let mut chain = Chain::founded(founding()).expect("the county is founded");
    chain.add(delegated(1)).unwrap();
    assert_eq!(chain.add(stuffed.clone()), Err(RosterRefusal::Stranger));
    chain.add(whole.clone()).unwrap();
    assert_eq!(chain.add(stuffed), Err(RosterRefusal::Stranger));
    assert_eq!(chain.edition(&whole.id()).map(Edition::bytes), Some(whole.bytes()));
}

/// Nobody can make an edition wait for his own, which waits for that one: only superiors say who may
/// sign.
#[test]
fn a_key_that_a_subordinate_lists_is_a_stranger_above() {
    let first = by(COUNTY, vec![invite_registrar(60, WEST), delegation(WEST, 1, 1)]);
    let below = sign(&first_of(WEST, 1, vec![registrar(90, COUNTY)]), &[64]);
    let stuffed = sign(first.core(), &[registrar_of(COUNTY, 0), 90]);
    let mut chain = Chain::founded(founding()).expect("the county is founded");
    let editions = [first, joining((Some(COUNTY), WEST), 60, None, &[64]), below, stuffed];
    assert_eq!(
        deliver(&mut chain, &editions),
        [(editions[3].id(), RosterRefusal::Stranger)],
        "the signature is not taken although the key is listed"
    );
}

#[test]
fn a_township_takes_no_neighbours_key() {
    let own = by(EAST, vec![invite(60, ORCHARD, true, 1)]);
    let newcomer = joining((Some(EAST), ORCHARD), 60, Some(70), &[71]);
    let theft = by(
        WEST,
        vec![
            node(70, WILLOW),
            person(71, WILLOW, &[]),
            invite(70, WILLOW, true, 0),
            invite(71, MILL, true, 0),
            cut(70),
        ],
    );
    let roster = either_way(&[delegated(1), own, newcomer.clone(), theft.clone()]);
    assert_eq!(roster.node_office(&public(70)).map(|office| office.id), Some(ORCHARD));
    assert!(roster.counted().contains(&newcomer.id()) && roster.cut(&public(70)).is_none());
    let reasons: Vec<_> = (0..5).map(|at| why(&roster, &theft, Some(at))).collect();
    // The invitations are his own: he holds these secrets here, and takes one back.
    assert_eq!(
        reasons,
        [Some(PassedOver::Outranked), Some(PassedOver::Outranked), None, None, None]
    );
}

/// A bare copy of the key does not get in; with the secret, which a thief of the text has, it is an
/// invitation of his own, and nobody's office leaves the roster for it.
#[test]
fn who_invites_under_anothers_key_touches_nobody() {
    let own = by(EAST, vec![invite(60, ORCHARD, true, 0)]);
    let newcomer = joining((Some(EAST), ORCHARD), 60, Some(70), &[]);
    let theft = by(WEST, vec![invite(60, WILLOW, true, 0), cut(60)]);
    let thief = joining((Some(WEST), WILLOW), 60, Some(80), &[]);
    let roster = either_way(&[delegated(1), own.clone(), newcomer.clone(), theft.clone(), thief]);
    assert_eq!(roster.node_office(&public(70)).map(|office| office.id), Some(ORCHARD));
    assert!(roster.counted().contains(&newcomer.id()) && roster.signer(&public(80)).is_none());
    let roster = either_way(&[delegated(1), own, theft]);
    let open: Vec<_> =
        roster.invitations_of(&public(60)).map(|held| (held.by, held.is_open())).collect();
    assert_eq!(open, [(Some(WEST), false), (Some(EAST), true)]);
}

#[test]
fn nobody_invites_under_a_key_that_he_does_not_hold() {
    let own = by(EAST, vec![invite(60, ORCHARD, true, 0)]);
    let Fact::Invite { key, node, people, proof, .. } = own.core().facts[0].clone() else {
        panic!("it invites")
    };
    let copied = |office, scope| {
        let (node, people) = (node.clone(), people.clone());
        let facts = vec![Fact::Invite { key, office, node, people, proof }];
        let core = EditionCore { scope, facts, ..own.core().clone() };
        Edition::sign(&core, &[secret(registrar_of(EAST, 0))]).map(drop)
    };
    let (own, west) = (own.core().scope, first_of(WEST, 1, vec![]).scope);
    assert_eq!(copied(ORCHARD, own), Ok(()));
    for (office, scope) in [(ORCHARD, west), (MILL, west), (MILL, own)] {
        assert_eq!(copied(office, scope), Err(EditionFault::BadInvitation), "{office:?} {scope:?}");
    }
}

#[test]
fn a_township_makes_no_villager_a_head_of_the_county() {
    let roles = ["C_LEAD", "T_HEAD", "V_CLERK", "SUBJ"];
    let own = by(WEST, vec![invite(60, WILLOW, false, 1), person(71, WILLOW, &roles)]);
    let root = root_after(&delegated(1), vec![person(72, MILL, &roles)]);
    let roster = either_way(&[
        delegated(1),
        root.clone(),
        own.clone(),
        joining((Some(WEST), WILLOW), 60, None, &[71]),
    ]);
    for key in [71, 72] {
        let held = roster.signer(&public(key)).map(|signer| signer.roles.clone());
        assert_eq!(held, Some(vec!["V_CLERK".to_owned()]), "{key}");
    }
    assert_eq!(why(&roster, &own, Some(1)), Some(PassedOver::OtherLevel));
    assert_eq!(why(&roster, &root, Some(0)), Some(PassedOver::OtherLevel));
    assert_eq!(why(&roster, &own, Some(0)), None);
}

#[test]
fn a_superior_changes_the_roles_of_a_newcomer_whoever_invited_him() {
    let own = by(WEST, vec![invite(60, WILLOW, false, 1), person(71, WILLOW, &["V_CLERK"])]);
    let county = by(COUNTY, vec![person(71, WILLOW, &["V_HEAD"])]);
    let editions =
        [delegated(1), own.clone(), joining((Some(WEST), WILLOW), 60, None, &[71]), county];
    let roster = either_way(&editions);
    assert_eq!(
        roster.signer(&public(71)).map(|signer| &signer.roles[..]),
        Some(&["V_CLERK".to_owned(), "V_HEAD".to_owned()][..])
    );
    assert_eq!(why(&roster, &own, Some(1)), Some(PassedOver::Outranked));
    let roster = either_way(&editions[..3]);
    assert_eq!(
        roster.signer(&public(71)).map(|signer| &signer.roles[..]),
        Some(&["V_CLERK".to_owned()][..])
    );
}

/// What was done in a role stays done: only a cut takes a right away, and says from where on.
#[test]
fn a_role_once_given_is_never_taken_away() {
    let first = by(COUNTY, vec![invite(60, MILL, true, 0)]);
    let without = person(registrar_of(COUNTY, 0), COUNTY, &["C_CLERK"]);
    let roster = either_way(&[first.clone(), root_after(&founding(), vec![without])]);
    assert!(roster.counted().contains(&first.id()));
    let held = roster.signer(&public(registrar_of(COUNTY, 0))).map(|signer| signer.roles.clone());
    assert_eq!(held, Some(vec!["C_REGISTRAR".to_owned(), "C_CLERK".to_owned()]));
}

#[test]
fn a_registrar_gives_no_term_that_a_superior_has_given_or_passed() {
    let root = root_after(&founding(), vec![delegation(WEST, 3, 1)]);
    let county = by(COUNTY, vec![delegation(WEST, 2, 1), delegation(WEST, 3, 2)]);
    let roster = either_way(&[root, county.clone()]);
    assert_eq!(roster.delegation(WEST).map(|(term, held)| (term, held.threshold)), Some((3, 1)));
    for at in 0..2 {
        assert_eq!(why(&roster, &county, Some(at)), Some(PassedOver::Outranked));
    }
}

#[test]
fn a_set_is_taken_up_in_whatever_order_it_comes() {
    let first = by(COUNTY, vec![invite_registrar(60, WEST), delegation(WEST, 1, 1)]);
    let below = sign(&first_of(WEST, 1, vec![invite(61, MILL, true, 0)]), &[64]);
    let lost = next_by(EAST, &by(EAST, vec![]), vec![]);
    let editions = [below, lost.clone(), joining((Some(COUNTY), WEST), 60, None, &[64]), first];
    let mut chain = Chain::founded(founding()).expect("the county is founded");
    let refused: Vec<(EditionId, RosterRefusal)> = chain.add_set(editions);
    assert_eq!(refused, [(lost.id(), RosterRefusal::Stranger)]);
    assert_eq!(chain.count(), 4);
}
