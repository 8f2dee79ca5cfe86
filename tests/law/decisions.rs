//! Who decides what: registrars within their area, root over forks and voided entries, and how a
//! frozen roster goes on.

use xw_ledger::log::{Logs, Placed};
use xw_ledger::roster::{Chain, PassedOver, Rank, RosterRefusal};
use xw_ledger::standing::Standing;
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::EditionId;
use xw_schemas::space::Tier;

use crate::case::{Case, edits};
use crate::county::{COUNTY, EAST, FAR, NOW_MS, OTHER_TOWN, TOWN, county, key, signer};
use crate::world::{World, put};

const ROLE: &str = "TADM";

/// The key of a registrar of an office.
fn registrar_of(office: usize) -> SecretKey {
    key(70_000 + office as u64)
}

/// A county whose offices of these numbers register those below them.
pub(crate) fn delegated(offices: &[usize]) -> Chain {
    let facts = offices.iter().flat_map(|office| {
        let id = county().offices[*office].id;
        [signer(registrar_of(*office).public(), SignerKind::Person, id, &[ROLE]), term(*office, 1)]
    });
    county().chain_with(facts.collect())
}

fn term(office: usize, term: u64) -> Fact {
    let office = county().offices[office].id;
    Fact::Registrar { office, term, threshold: 1, role: ROLE.into(), closes: None }
}

/// An edition of an office's registrar in its first term, behind `before`.
pub(crate) fn registers(office: usize, before: Option<&Edition>, facts: Vec<Fact>) -> Edition {
    let core = EditionCore {
        network: Some(county().network),
        scope: Scope::Registrar { office: county().offices[office].id, term: 1 },
        number: before.map_or(1, |edition| edition.core().number + 1),
        previous: before.map_or(EditionId([0; 32]), Edition::id),
        claimed_time_ms: NOW_MS,
        facts,
    };
    Edition::sign(&core, &[registrar_of(office)]).unwrap()
}

pub(crate) fn invitation(by: usize, invite: &SecretKey, office: OfficeId) -> Fact {
    let people = vec![("新人".to_owned(), vec!["VCLK".to_owned()])];
    Fact::invite(invite, scope(by), office, Some("新电脑".into()), people)
}

fn scope(office: usize) -> Scope {
    Scope::Registrar { office: county().offices[office].id, term: 1 }
}

/// A newcomer whom the township has invited to East.
pub(crate) fn joins(invite: &SecretKey, node: &SecretKey, person: &SecretKey) -> Edition {
    let core = EditionCore {
        network: Some(county().network),
        scope: Scope::Joining { invite: invite.public() },
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: NOW_MS,
        facts: vec![Fact::Replace {
            by: Some(county().offices[TOWN].id),
            office: county().offices[EAST].id,
            node: Some(node.public()),
            people: vec![person.public()],
        }],
    };
    Edition::sign(&core, &[invite.clone(), node.clone(), person.clone()]).unwrap()
}

#[test]
fn an_invitation_is_replaced_once_by_the_newcomers_own_keys() {
    let (invite, node, person) = (key(50_001), key(50_002), key(50_003));
    let mut chain = delegated(&[TOWN]);
    let east = county().offices[EAST].id;
    assert_eq!(chain.add(joins(&invite, &node, &person)), Err(RosterRefusal::Gap));
    assert_eq!(chain.add(registers(TOWN, None, vec![invitation(TOWN, &invite, east)])), Ok(true));
    assert!(chain.roster().open_invitation(&invite.public()).is_some());
    assert!(chain.roster().admitted_peers().contains(&invite.public()));
    assert_eq!(chain.add(joins(&invite, &node, &person)), Ok(true));
    let roster = chain.roster();
    assert_eq!(roster.node_office(&node.public()).unwrap().id, east);
    let joined = roster.signer(&person.public()).unwrap();
    assert_eq!(joined.roles, ["VCLK"]);
    assert_eq!(joined.rank, Rank::Registrar(Tier::Township));
    assert!(!roster.admitted_peers().contains(&invite.public()));
    // A second use takes the first with it: nobody can tell which of the two was meant.
    assert_eq!(chain.add(joins(&invite, &key(50_004), &key(50_005))), Ok(true));
    assert!(chain.roster().signer(&node.public()).is_none());
    assert!(chain.roster().is_known(&node.public()));
    // Until the registrar says so: then no use of the invitation touches it any more.
    let first = chain.tip(scope(TOWN)).and_then(|(_, id)| chain.edition(&id)).unwrap().clone();
    let listed = vec![
        signer(node.public(), SignerKind::Node, east, &[]),
        signer(person.public(), SignerKind::Person, east, &["VCLK"]),
    ];
    assert_eq!(chain.add(registers(TOWN, Some(&first), listed)), Ok(true));
    assert!(chain.roster().live_nodes().contains(&node.public()));
    assert_eq!(chain.add(joins(&invite, &key(50_006), &key(50_007))), Ok(true));
    assert!(chain.roster().live_nodes().contains(&node.public()));
}

#[test]
fn a_newcomer_proves_every_key() {
    let (invite, node, person) = (key(50_001), key(50_002), key(50_003));
    let mut chain = delegated(&[TOWN]);
    let east = county().offices[EAST].id;
    chain.add(registers(TOWN, None, vec![invitation(TOWN, &invite, east)])).unwrap();
    let core = joins(&invite, &node, &person).core().clone();
    for signers in [[&invite, &node], [&node, &person]].map(|keys| keys.map(SecretKey::clone)) {
        let edition = Edition::sign(&core, &signers).unwrap();
        assert_eq!(chain.add(edition), Err(RosterRefusal::Threshold));
    }
}

#[test]
fn a_registrar_acts_strictly_below_its_own_office() {
    let outside = [COUNTY, TOWN, OTHER_TOWN, FAR];
    for office in outside {
        let mut chain = delegated(&[TOWN]);
        let (late, id) = (key(50_009), county().offices[office].id);
        let facts = vec![
            signer(late.public(), SignerKind::Person, id, &["VCLK"]),
            invitation(TOWN, &key(50_001), id),
            Fact::Cut { key: county().offices[office].node.public(), kept: vec![] },
        ];
        let edition = registers(TOWN, None, facts);
        let id = edition.id();
        chain.add(edition).unwrap();
        let roster = chain.roster();
        assert!(roster.signer(&late.public()).is_none(), "{office}");
        assert!(roster.open_invitation(&key(50_001).public()).is_none(), "{office}");
        assert!(roster.cut(&county().offices[office].node.public()).is_none(), "{office}");
        let passed: Vec<_> = roster.passed_over().filter(|(edition, ..)| *edition == id).collect();
        assert!(passed.iter().all(|(_, _, why)| *why == PassedOver::OutsidePrefix), "{passed:?}");
        assert!(passed.len() >= 2, "{passed:?}");
    }
}

#[test]
fn a_registrar_says_nothing_that_is_roots_to_say() {
    let mut chain = delegated(&[TOWN]);
    let before = chain.roster().clone();
    let log = xw_schemas::id::LogId([1; 32]);
    let entry = xw_schemas::id::EntryId([2; 32]);
    let facts = vec![
        Fact::Root { threshold: 1, keys: vec![registrar_of(TOWN).public()] },
        Fact::Rules { version: 2 },
        Fact::Adjudicate { log, number: 1, entry },
        Fact::Adopt { log, number: 1, entry },
        Fact::Recover { rejected: vec![before.head()] },
    ];
    let count = facts.len();
    let edition = registers(TOWN, None, facts);
    let id = edition.id();
    chain.add(edition).unwrap();
    let roster = chain.roster();
    assert_eq!((roster.roots(), roster.rules()), (before.roots(), before.rules()));
    assert!(roster.adjudicated(&log).is_none() && roster.adopted_entries(&log).is_none());
    assert_eq!(roster.passed_over().filter(|(edition, ..)| *edition == id).count(), count);
}

#[test]
fn a_strangers_edition_stays_outside_and_a_cut_registrars_has_no_effect() {
    let mut chain = delegated(&[TOWN]);
    let east = county().offices[EAST].id;
    let core = registers(TOWN, None, vec![invitation(TOWN, &key(50_001), east)]).core().clone();
    for stranger in [key(50_008), registrar_of(OTHER_TOWN)] {
        let edition = Edition::sign(&core, &[stranger]).unwrap();
        assert_eq!(chain.add(edition), Err(RosterRefusal::Stranger));
    }
    // A person of the office without the role must not keep the true edition out.
    let clerk = county().offices[TOWN].person("TWIN").clone();
    let edition = Edition::sign(&core, &[clerk]).unwrap();
    assert_eq!(chain.add(edition), Err(RosterRefusal::Stranger));
    let head = chain.roster().head();
    let before = chain.edition(&head).unwrap().clone();
    chain.add(registers(TOWN, None, vec![invitation(TOWN, &key(50_002), east)])).unwrap();
    assert!(chain.roster().open_invitation(&key(50_002).public()).is_some());
    let cut = Fact::Cut { key: registrar_of(TOWN).public(), kept: vec![] };
    chain.add(county().edition_after(&before, vec![cut])).unwrap();
    assert!(chain.roster().open_invitation(&key(50_002).public()).is_none());
}

#[test]
fn a_closed_term_keeps_what_the_superior_names() {
    let east = county().offices[EAST].id;
    let first = registers(TOWN, None, vec![invitation(TOWN, &key(50_001), east)]);
    let second = registers(TOWN, Some(&first), vec![invitation(TOWN, &key(50_002), east)]);
    let mut chain = delegated(&[TOWN]);
    let before = chain.edition(&chain.roster().head()).unwrap().clone();
    chain.add(first.clone()).unwrap();
    chain.add(second).unwrap();
    let office = county().offices[TOWN].id;
    let closes = Some((1, first.id()));
    let next = Fact::Registrar { office, term: 2, threshold: 1, role: ROLE.into(), closes };
    let cut = Fact::Cut { key: registrar_of(TOWN).public(), kept: vec![] };
    chain.add(county().edition_after(&before, vec![next, cut])).unwrap();
    assert!(chain.roster().open_invitation(&key(50_001).public()).is_some());
    assert!(chain.roster().open_invitation(&key(50_002).public()).is_none());
}

#[test]
fn registrars_that_contradict_themselves_stop_their_own_chain_only() {
    let (east, far) = (county().offices[EAST].id, county().offices[FAR].id);
    let mut chain = delegated(&[TOWN, OTHER_TOWN]);
    chain.add(registers(TOWN, None, vec![invitation(TOWN, &key(50_001), east)])).unwrap();
    chain.add(registers(TOWN, None, vec![invitation(TOWN, &key(50_002), east)])).unwrap();
    chain
        .add(registers(OTHER_TOWN, None, vec![invitation(OTHER_TOWN, &key(50_003), far)]))
        .unwrap();
    let open = |at: u64| chain.roster().open_invitation(&key(50_000 + at).public()).is_some();
    assert_eq!([open(1), open(2), open(3)], [false, false, true]);
    assert!(!chain.roster().is_frozen());
}

#[test]
fn a_freeze_ends_when_root_names_the_rival_and_never_by_length() {
    let rules = || vec![Fact::Rules { version: 1 }];
    let (one, other) = (
        county().edition_after(&county().founding, rules()),
        county().edition_after(&county().founding, vec![]),
    );
    let longer = county().edition_after(&one, rules());
    let mut chain = county().chain();
    for edition in [&one, &other, &longer] {
        chain.add(edition.clone()).unwrap();
    }
    assert!(chain.roster().is_frozen() && chain.roster().number() == 1);
    let recovers = |before: &Edition, rejected: &Edition| {
        county().edition_after(before, vec![Fact::Recover { rejected: vec![rejected.id()] }])
    };
    let here = recovers(&other, &one);
    chain.add(here.clone()).unwrap();
    assert!(!chain.roster().is_frozen());
    assert_eq!(chain.roster().head(), here.id());
    // A recovery on the other side brings the freeze back, until one names the other's.
    let there = recovers(&longer, &other);
    chain.add(there.clone()).unwrap();
    assert!(chain.roster().is_frozen() && chain.roster().number() == 1);
    let last = recovers(&here, &there);
    chain.add(last.clone()).unwrap();
    assert!(!chain.roster().is_frozen());
    assert_eq!(chain.roster().head(), last.id());
}

/// A village log with three changes, its entries placed, and the county's pin on the second.
struct Pinned {
    case: Case,
    logs: Logs,
    own: [usize; 4],
}

fn pinned() -> Pinned {
    let mut case = Case::new();
    let a = case.village("VAGT", None, edits(put("remarks", "甲")));
    let b = case.village("VAGT", None, edits(put("remarks", "乙")));
    let own = [0, case.first, a, b];
    let witness = case.world.open_in(COUNTY, EAST);
    let opened = case.world.written.len() - 1;
    let pin = (case.east, case.world.id(a));
    let pin = case.world.witness(witness, &[pin]).unwrap();
    let mut logs = Logs::new();
    let chain = county().chain();
    for at in own.into_iter().chain([opened, pin]) {
        let placed = logs.place(chain.roster(), &case.world.written[at].entry);
        assert!(matches!(placed, Ok((Placed::Appended, _))), "{placed:?}");
    }
    Pinned { case, logs, own }
}

fn stand(world: &World, logs: &Logs, chain: &Chain, own: &[usize]) -> Vec<Standing> {
    let mut logs = logs.clone();
    logs.reassess(chain.roster(), &mut Default::default());
    own.iter()
        .map(|at| {
            let core = world.written[*at].entry.core();
            logs.standing(chain.roster(), &core.log, core.sequence, &world.id(*at))
        })
        .collect()
}

#[test]
fn a_registrars_cut_keeps_what_the_county_has_witnessed_and_roots_is_exact() {
    let Pinned { case, logs, own } = pinned();
    let node = county().offices[EAST].node.public();
    let log = case.world.pens[case.east].log;
    let kept = |at: usize| vec![(log, at as u64, case.world.id(own[at]))];
    let mut chain = delegated(&[TOWN]);
    chain.add(registers(TOWN, None, vec![Fact::Cut { key: node, kept: kept(1) }])).unwrap();
    use Standing::{Final, Void};
    assert_eq!(stand(&case.world, &logs, &chain, &own), [Final, Final, Final, Void]);
    let mut unlisted = delegated(&[TOWN]);
    unlisted.add(registers(TOWN, None, vec![Fact::Cut { key: node, kept: vec![] }])).unwrap();
    assert_eq!(stand(&case.world, &logs, &unlisted, &own), [Final, Final, Final, Void]);
    let before = chain.edition(&chain.roster().head()).unwrap().clone();
    let cut = Fact::Cut { key: node, kept: kept(1) };
    chain.add(county().edition_after(&before, vec![cut])).unwrap();
    assert_eq!(stand(&case.world, &logs, &chain, &own), [Final, Final, Void, Void]);
    // Root may give one entry back and leave the rest void.
    let adopt = Fact::Adopt { log, number: 3, entry: case.world.id(own[3]) };
    let cut = Fact::Cut { key: node, kept: kept(1) };
    let adopting = county().chain_with(vec![cut, adopt]);
    assert_eq!(stand(&case.world, &logs, &adopting, &own), [Final, Final, Void, Final]);
}

#[test]
fn root_decides_a_fork_against_every_witness() {
    let Pinned { mut case, mut logs, own } = pinned();
    let chain = county().chain();
    let stem = case.world.id(own[1]);
    case.world.pens[case.east].tip = stem;
    let rival = case.village("VAGT", Some(&[]), edits(put("remarks", "丙")));
    logs.place(chain.roster(), &case.world.written[rival].entry).unwrap();
    let all = [own[1], own[2], own[3], rival];
    use Standing::{Disputed, Final, Pending};
    assert_eq!(stand(&case.world, &logs, &chain, &all), [Final, Final, Disputed, Disputed]);
    let log = case.world.pens[case.east].log;
    let decide = Fact::Adjudicate { log, number: 2, entry: case.world.id(rival) };
    let decided = county().chain_with(vec![decide]);
    assert_eq!(stand(&case.world, &logs, &decided, &all), [Final, Disputed, Disputed, Final]);
    let absent = Fact::Adjudicate { log, number: 2, entry: xw_schemas::id::EntryId([9; 32]) };
    let waits = county().chain_with(vec![absent]);
    assert_eq!(stand(&case.world, &logs, &waits, &all), [Pending; 4]);
}
