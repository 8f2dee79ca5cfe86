//! The door of the store: every refusal by the smallest example, with nothing kept; and the pins,
//! cuts and forks that decide standings one at a time.

use xw_ledger::log::{DoorRefusal, Logs, PassedOver, Placed, Restood};
use xw_ledger::roster::{Chain, RosterRefusal};
use xw_ledger::standing::Standing;
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, SignerKind};
use xw_schemas::entry::{VerifiedEntry, sign};
use xw_schemas::space::Audience;

use crate::case::{Case, edits};
use crate::check::{Spot, check_every_change_of_standing_is_announced, standings};
use crate::county::{COUNTY, EAST, FAR, NOW_MS, OTHER_TOWN, TOWN, WEST, county, key, signer};
use crate::world::{Bend, World, put};

/// A node with a roster.
struct Node {
    chain: Chain,
    logs: Logs,
    held: Vec<Spot>,
}

impl Node {
    fn new(chain: Chain) -> Self {
        Self { chain, logs: Logs::new(), held: Vec::new() }
    }

    /// Places an entry and checks that every change of standing is announced.
    fn place(&mut self, entry: &VerifiedEntry) -> Result<Placed, DoorRefusal> {
        let roster = self.chain.roster();
        let before = standings(&self.logs, roster, &self.held);
        let (placed, restood) = self.logs.place(roster, entry)?;
        let after = standings(&self.logs, roster, &self.held);
        check_every_change_of_standing_is_announced(&before, &after, &restood);
        self.held.push((entry.core().log, entry.core().sequence, entry.id()));
        Ok(placed)
    }

    fn take(&mut self, world: &World, which: &[usize]) {
        for at in which {
            let placed = self.place(&world.written[*at].entry);
            assert!(matches!(placed, Ok(Placed::Appended | Placed::Forked)), "{at}: {placed:?}");
        }
    }

    fn stands(&self, world: &World, at: usize) -> Standing {
        let entry = &world.written[at].entry;
        let (log, number) = (entry.core().log, entry.core().sequence);
        self.logs.standing(self.chain.roster(), &log, number, &entry.id())
    }
}

/// NOTHING KEPT: the door refuses so, and holds what it held.
fn check_not_taken(node: &mut Node, entry: &VerifiedEntry, refusal: DoorRefusal) {
    let before = format!("{:?}", node.logs);
    assert_eq!(node.place(entry), Err(refusal));
    assert_eq!(format!("{:?}", node.logs), before);
}

/// The case's village log: opening, creation and two edits.
fn village_log() -> (Case, [usize; 4]) {
    let mut case = Case::new();
    let a = case.village("VAGT", None, edits(put("remarks", "甲")));
    let b = case.village("VAGT", None, edits(put("remarks", "乙")));
    let first = case.first;
    (case, [0, first, a, b])
}

#[test]
fn a_log_comes_in_order_and_once() {
    let (case, log) = village_log();
    let mut node = Node::new(county().chain());
    let entry = |at: usize| &case.world.written[log[at]].entry;
    check_not_taken(&mut node, entry(1), DoorRefusal::UnknownLog);
    assert_eq!(node.place(entry(0)), Ok(Placed::Appended));
    check_not_taken(&mut node, entry(2), DoorRefusal::MissingPrevious);
    assert_eq!(node.place(entry(1)), Ok(Placed::Appended));
    for at in [0, 1] {
        let held = node.logs.place(node.chain.roster(), entry(at));
        assert_eq!(held, Ok((Placed::Duplicate, Restood::default())));
    }
}

#[test]
fn a_key_that_no_edition_lists_stays_outside() {
    let mut node = Node::new(county().chain());
    let stranger = key(12_345);
    let mut world = World::new();
    let space = county().offices[EAST].space(Audience::Office);
    world.open_for(&stranger, space);
    check_not_taken(&mut node, &world.written[0].entry, DoorRefusal::UnknownKey);
    // A person's key opens no log.
    let mut world = World::new();
    world.open_for(county().offices[EAST].person("VAGT"), space);
    check_not_taken(&mut node, &world.written[0].entry, DoorRefusal::UnknownKey);
    // A PC of the county with a person nobody knows.
    let mut case = Case::new();
    let what = edits(put("remarks", "甲"));
    let at = case.write(case.east, Some(&stranger), None, what, Bend::Honest);
    node.take(&case.world, &[0, case.first]);
    check_not_taken(&mut node, &case.world.written[at].entry, DoorRefusal::UnknownKey);
}

/// Whether two openings of a log are a fork must not depend on which came first.
#[test]
fn an_opening_in_the_name_of_an_unknown_person_stays_outside_first_or_second() {
    let mut world = World::new();
    let pen = world.open_in(EAST, EAST);
    let stranger = key(12_345);
    let mut core = world.written[0].entry.core().clone();
    core.person = Some(stranger.public());
    let second = sign(core, &world.pens[pen].node, Some(&stranger)).unwrap();
    for opened in [false, true] {
        let mut node = Node::new(county().chain());
        if opened {
            node.take(&world, &[0]);
        }
        check_not_taken(&mut node, &second, DoorRefusal::UnknownKey);
    }
}

#[test]
fn nobody_else_writes_in_a_log() {
    let (case, log) = village_log();
    let mut node = Node::new(county().chain());
    node.take(&case.world, &log[..2]);
    let core = case.world.written[log[2]].entry.core().clone();
    let forged = sign(core, &county().offices[WEST].node, Some(person())).unwrap();
    check_not_taken(&mut node, &forged, DoorRefusal::OtherNode);
}

fn person() -> &'static SecretKey {
    county().offices[EAST].person("VAGT")
}

#[test]
fn an_entry_carries_the_root_of_what_lies_before_it_on_its_branch() {
    let (mut case, log) = village_log();
    let mut core = case.world.written[log[3]].entry.core().clone();
    core.root[0] ^= 1;
    let wrong = sign(core, &county().offices[EAST].node, Some(person())).unwrap();
    let mut node = Node::new(county().chain());
    node.take(&case.world, &log[..3]);
    check_not_taken(&mut node, &wrong, DoorRefusal::WrongRoot);
    node.take(&case.world, &log[3..]);
    check_not_taken(&mut node, &wrong, DoorRefusal::WrongRoot);
    // Behind an older entry the root is the one of that branch.
    case.world.pens[case.east].tip = case.world.id(log[1]);
    let branch = case.village("VAGT", None, edits(put("remarks", "丙")));
    assert_eq!(node.place(&case.world.written[branch].entry), Ok(Placed::Forked));
}

#[test]
fn an_office_opens_logs_at_and_below_its_own_division_only() {
    let mut node = Node::new(county().chain());
    let east = |audience| county().offices[EAST].space(audience);
    for (office, audience, writes) in [
        (EAST, Audience::Office, true),
        (TOWN, Audience::Office, true),
        (COUNTY, Audience::Office, true),
        (WEST, Audience::Office, false),
        (OTHER_TOWN, Audience::Office, false),
        (WEST, Audience::Township, false),
        (FAR, Audience::Township, false),
        (FAR, Audience::County, false),
        (TOWN, Audience::County, true),
    ] {
        let mut world = World::new();
        world.open(office, east(audience));
        let entry = &world.written[0].entry;
        if writes {
            assert_eq!(node.place(entry), Ok(Placed::Appended));
        } else {
            check_not_taken(&mut node, entry, DoorRefusal::NotItsSpace);
        }
    }
}

/// A village log of which slot 2 has `variants` variants; gives the entries of that slot.
fn forked(variants: usize) -> (Case, Vec<usize>) {
    let mut case = Case::new();
    let fork = case.world.id(case.first);
    let slot = (0..variants).map(|at| {
        case.world.pens[case.east].tip = fork;
        case.village("VAGT", Some(&[]), edits(put("remarks", &format!("第{at}"))))
    });
    let slot = slot.collect();
    (case, slot)
}

#[test]
fn of_a_forked_slot_two_variants_are_kept_and_the_rest_is_disputed() {
    let (case, slot) = forked(3);
    let mut node = Node::new(county().chain());
    node.take(&case.world, &[0, case.first, slot[0], slot[1]]);
    let third = &case.world.written[slot[2]].entry;
    check_not_taken(&mut node, third, DoorRefusal::EnoughVariants);
    let stand = [case.first, slot[0], slot[1]].map(|at| node.stands(&case.world, at));
    assert_eq!(stand, [Standing::Local, Standing::Disputed, Standing::Disputed]);
}

/// An office whose disk was copied twice has three honest branches. What lies on the third is passed
/// over, not asked for again and again, until somebody above puts its word to it.
#[test]
fn what_follows_a_variant_that_is_not_kept_is_passed_over_with_it() {
    let (mut case, slot) = forked(3);
    case.world.pens[case.east].tip = case.world.id(slot[2]);
    let tip = case.village("VAGT", Some(&[]), edits(put("title", "丁")));
    let town = case.world.open_in(TOWN, TOWN);
    let opening = case.world.written.len() - 1;
    let head = case.world.id(tip);
    let witness = case.world.witness(town, &[(case.east, head)]).unwrap();
    let entry = |at: usize| &case.world.written[at].entry;
    let mut node = Node::new(county().chain());
    node.take(&case.world, &[0, case.first, slot[0], slot[1]]);
    let mut passed_over = PassedOver::default();
    let mut refused = |at: usize| {
        let core = entry(at).core();
        let reason = node.place(entry(at)).unwrap_err();
        passed_over.refused(core.log, &core.previous, entry(at).id(), reason)
    };
    assert_eq!(refused(tip), DoorRefusal::MissingPrevious);
    assert_eq!(refused(slot[2]), DoorRefusal::EnoughVariants);
    assert_eq!(refused(tip), DoorRefusal::EnoughVariants);
    assert!(passed_over.is_wanted_by(entry(witness), &node.logs));
    assert!(!PassedOver::default().is_wanted_by(entry(witness), &node.logs));
    // With the township's word all of it comes in, and is wanted no more.
    node.take(&case.world, &[opening, witness, slot[2], tip]);
    assert!(!passed_over.is_wanted_by(entry(witness), &node.logs));
}

/// Whoever floods a slot before the pinned variant arrives must not keep it out: the branch that
/// the county holds final would be missing here for ever.
#[test]
fn a_pinned_branch_comes_in_however_many_variants_are_held() {
    let (mut case, slot) = forked(6);
    case.world.pens[case.east].tip = case.world.id(slot[5]);
    let tip = case.village("VAGT", Some(&[]), edits(put("title", "丁")));
    let town = case.world.open_in(TOWN, TOWN);
    let opening = case.world.written.len() - 1;
    let head = case.world.id(tip);
    let witness = case.world.witness(town, &[(case.east, head)]).unwrap();
    let mut node = Node::new(county().chain());
    node.take(&case.world, &[0, case.first, slot[0], slot[1]]);
    let entry = |at: usize| &case.world.written[at].entry;
    check_not_taken(&mut node, entry(slot[5]), DoorRefusal::EnoughVariants);
    node.take(&case.world, &[opening, witness]);
    // The township's word opens the door; what the flood still sends comes in with the branch.
    node.take(&case.world, &[slot[2], slot[3], slot[5], tip]);
    check_not_taken(&mut node, entry(slot[4]), DoorRefusal::EnoughVariants);
    assert_eq!(node.stands(&case.world, slot[5]), Standing::Witnessed);
    assert_eq!(node.stands(&case.world, tip), Standing::Witnessed);
    assert_eq!(node.stands(&case.world, slot[0]), Standing::Disputed);
}

#[test]
fn what_a_cut_keeps_comes_in_however_many_variants_are_held() {
    let (case, slot) = forked(3);
    let log = case.world.pens[case.east].log;
    let kept = vec![(log, 2, case.world.id(slot[2]))];
    let key = county().offices[EAST].node.public();
    let mut node = Node::new(county().chain_with(vec![Fact::Cut { key, kept }]));
    node.take(&case.world, &[0, case.first, slot[0], slot[1]]);
    assert_eq!(node.stands(&case.world, case.first), Standing::Pending);
    node.take(&case.world, &[slot[2]]);
    let stand = [case.first, slot[0], slot[2]].map(|at| node.stands(&case.world, at));
    assert_eq!(stand, [Standing::Final, Standing::Void, Standing::Final]);
}

/// A township's witness entries count again when the county pins the branch they stand on, and
/// what they pinned is witnessed again.
#[test]
fn a_disputed_witness_counts_again_when_the_county_pins_its_branch() {
    let mut case = Case::new();
    let (town, county_log) = (case.world.open_in(TOWN, TOWN), case.world.open_in(COUNTY, COUNTY));
    let openings = [case.world.written.len() - 2, case.world.written.len() - 1];
    let head = case.world.id(case.first);
    let opened = case.world.pens[town].tip;
    let witness = case.world.witness(town, &[(case.east, head)]).unwrap();
    let branch = case.world.pens[town].tip;
    case.world.pens[town].tip = opened;
    let rival = case.world.witness(town, &[(case.east, case.world.id(0))]).unwrap();
    let pin = case.world.witness(county_log, &[(town, branch)]).unwrap();
    let mut node = Node::new(county().chain());
    node.take(&case.world, &[0, case.first, openings[0], openings[1], witness]);
    assert_eq!(node.stands(&case.world, case.first), Standing::Witnessed);
    node.take(&case.world, &[rival]);
    assert_eq!(node.stands(&case.world, case.first), Standing::Local);
    node.take(&case.world, &[pin]);
    assert_eq!(node.stands(&case.world, witness), Standing::Final);
    assert_eq!(node.stands(&case.world, rival), Standing::Disputed);
    assert_eq!(node.stands(&case.world, case.first), Standing::Witnessed);
}

/// A pin of an office that has no business there means nothing, also when it comes before the log.
#[test]
fn only_offices_above_witness_a_log() {
    for witness_first in [false, true] {
        let mut case = Case::new();
        let head = case.world.id(case.first);
        let mut witnesses = Vec::new();
        for office in [OTHER_TOWN, FAR, WEST] {
            let pen = case.world.open_in(office, office);
            witnesses.push(case.world.written.len() - 1);
            witnesses.push(case.world.witness(pen, &[(case.east, head)]).unwrap());
        }
        let mut node = Node::new(county().chain());
        let log = [0, case.first];
        let order = if witness_first { [&witnesses[..], &log] } else { [&log[..], &witnesses] };
        node.take(&case.world, &order.concat());
        assert_eq!(node.stands(&case.world, case.first), Standing::Local);
    }
}

#[test]
fn the_county_s_pin_goes_before_the_township_s() {
    let (mut case, slot) = forked(2);
    let (town, county_log) = (case.world.open_in(TOWN, TOWN), case.world.open_in(COUNTY, COUNTY));
    let openings = [case.world.written.len() - 2, case.world.written.len() - 1];
    let heads = slot.clone().into_iter().map(|at| case.world.id(at)).collect::<Vec<_>>();
    let by_town = case.world.witness(town, &[(case.east, heads[0])]).unwrap();
    let by_county = case.world.witness(county_log, &[(case.east, heads[1])]).unwrap();
    for county_first in [false, true] {
        let mut node = Node::new(county().chain());
        node.take(&case.world, &[0, case.first, slot[0], slot[1], openings[0], openings[1]]);
        let mut pins = [by_town, by_county];
        if county_first {
            pins.reverse();
        }
        node.take(&case.world, &pins);
        let stand = [case.first, slot[0], slot[1]].map(|at| node.stands(&case.world, at));
        assert_eq!(stand, [Standing::Final, Standing::Disputed, Standing::Final]);
    }
}

#[test]
fn a_cut_closes_the_world_of_a_key() {
    let (mut case, log) = village_log();
    case.world.open_in(EAST, EAST);
    let unlisted = case.world.written.len() - 1;
    let kept = vec![(case.world.pens[case.east].log, 2, case.world.id(log[2]))];
    let key = county().offices[EAST].node.public();
    let mut node = Node::new(county().chain_with(vec![Fact::Cut { key, kept }]));
    node.take(&case.world, &[log[0], log[1], unlisted]);
    assert_eq!(node.stands(&case.world, log[1]), Standing::Pending);
    node.take(&case.world, &log[2..]);
    let stand = [log[1], log[2], log[3], unlisted].map(|at| node.stands(&case.world, at));
    assert_eq!(stand, [Standing::Final, Standing::Final, Standing::Void, Standing::Void]);
}

#[test]
fn an_edition_signed_by_other_root_keys_is_the_same_edition() {
    let mut core = EditionCore {
        scope: xw_schemas::edition::Scope::Root,
        network: Some(county().network),
        number: 2,
        previous: county().founding.id(),
        claimed_time_ms: NOW_MS,
        facts: vec![Fact::Rules { version: 1 }],
    };
    let (roots, mut chain) = (&county().roots, county().chain());
    let edition = Edition::sign(&core, roots).unwrap();
    assert_eq!(chain.add(edition.clone()), Ok(true));
    // Whoever passes it on may strip a signature.
    let stripped = Edition::sign(&core, &roots[1..]).unwrap();
    assert_eq!(stripped.id(), edition.id());
    assert_eq!(chain.add(stripped), Ok(false));
    assert!(!chain.roster().is_frozen() && chain.roster().number() == 2);
    // Other facts under the number freeze everything before both.
    core.facts.push(Fact::Rules { version: 1 });
    let rival = Edition::sign(&core, roots).unwrap();
    assert_eq!(chain.add(rival), Ok(true));
    assert!(chain.roster().is_frozen() && chain.roster().number() == 1);
}

#[test]
fn rosters_do_not_depend_on_the_order_of_editions() {
    let (root, late) = (&county().founding, key(4_711).public());
    let east = county().offices[EAST].id;
    let second = county().edition_after(root, vec![signer(late, SignerKind::Person, east, &[])]);
    let third = county().edition_after(&second, vec![Fact::Rules { version: 1 }]);
    let rival = county().edition_after(root, vec![Fact::Rules { version: 1 }]);
    let rosters = [
        [&second, &third, &rival],
        [&second, &rival, &third],
        [&rival, &second, &third],
        [&rival, &third, &second],
        [&third, &rival, &second],
        [&third, &second, &rival],
    ]
    .map(|order| {
        let mut chain = county().chain();
        let mut todo: Vec<&Edition> = order.to_vec();
        for _ in 0..order.len() {
            todo.retain(|edition| chain.add((*edition).clone()) == Err(RosterRefusal::Gap));
        }
        chain.roster().clone()
    });
    assert!(rosters.iter().all(|roster| *roster == rosters[0] && roster.is_frozen()));
}

#[test]
fn an_edition_of_one_root_key_or_of_strangers_is_refused() {
    let core = EditionCore {
        scope: xw_schemas::edition::Scope::Root,
        network: Some(county().network),
        number: 2,
        previous: county().founding.id(),
        claimed_time_ms: NOW_MS,
        facts: vec![Fact::Rules { version: 2 }],
    };
    let strangers = [key(1), key(2), key(3)];
    for signers in [&county().roots[..1], &strangers] {
        let edition = Edition::sign(&core, signers).unwrap();
        assert_eq!(county().chain().add(edition), Err(RosterRefusal::Threshold));
    }
}
