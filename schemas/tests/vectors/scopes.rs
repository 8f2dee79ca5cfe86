//! Editions by others than root, and the facts by which root and registrars delegate, invite, decide
//! and recover: each form, and one vector for every rule that it can break.

use xw_schemas::cose::{self, CoseSignature, Purpose, SecretKey};
use xw_schemas::edition::{EditionCore, Fact, INVITED_PEOPLE_MAX, OfficeId, Scope};
use xw_schemas::id::{EditionId, EntryId, LogId, PublicKey};
use xw_schemas::limits::{SEQUENCE_MAX, TERM_EDITIONS_MAX};

use super::case::Case;
use super::craft::Crafted;
use super::editions::{accept, refuse, seal, second};
use super::world::{
    invitation, invitation_core, invitation_in, invite, joining, joining_core, log, network,
    newcomer, other_node, person, roots,
};

pub(crate) fn cases() -> Vec<Case> {
    [registrars(), joinings(), scopes(), delegations(), invitations(), decisions()].concat()
}

const RANGE: &str = "Cbor(OutOfRange)";
const SIZE: &str = "Cbor(WrongLength)";

/// Signed for one purpose, keys ascending, whatever stands in it.
fn signed(core: &EditionCore, purpose: Purpose, keys: &[SecretKey]) -> Vec<u8> {
    let payload = core.encode();
    let sign = |key| CoseSignature::make(key, purpose, &payload, true);
    let mut signatures: Vec<CoseSignature> = keys.iter().map(sign).collect();
    signatures.sort_by_key(|signature| signature.key);
    cose::encode(&payload, &signatures)
}

fn by_registrar(core: &EditionCore) -> Vec<u8> {
    signed(core, Purpose::Registrar, &[person()])
}

/// An invitation by root.
fn invited(node: Option<&str>, people: Vec<(String, Vec<String>)>) -> Fact {
    Fact::invite(&invite(), Scope::Root, OfficeId(2), node.map(str::to_owned), people)
}

fn by_newcomer(core: &EditionCore) -> Vec<u8> {
    signed(core, Purpose::Joining, &[invite(), other_node(), newcomer(0)])
}

/// A root edition of one fact.
fn stated(fact: Fact) -> Vec<u8> {
    seal(&EditionCore { facts: vec![fact], ..second() }.encode(), &roots()[..2])
}

/// The same bytes with some of them exchanged: what the types cannot say.
fn respelt(core: &EditionCore, old: &[u8], new: &[u8]) -> Vec<u8> {
    let payload = core.encode();
    let at = payload.windows(old.len()).position(|bytes| bytes == old).expect("they are there");
    let payload = [&payload[..at], new, &payload[at + old.len()..]].concat();
    let signature = CoseSignature::make(&person(), Purpose::Registrar, &payload, true);
    cose::encode(&payload, &[signature])
}

fn registrars() -> Vec<Case> {
    let next = EditionCore { number: 2, previous: EditionId([1; 32]), ..invitation_core() };
    let last = Scope::Registrar { office: OfficeId(u32::MAX), term: SEQUENCE_MAX };
    let zeroth = Scope::Registrar { office: OfficeId(0), term: 0 };
    let wrong = |name: &str, purpose| {
        refuse(name, "BadSignature", signed(&invitation_core(), purpose, &[person()]))
    };
    let bad = |name: &str, core: EditionCore| refuse(name, RANGE, by_registrar(&core));
    let at = |number| EditionCore { number, ..next.clone() };
    vec![
        accept("the last edition of a term", &by_registrar(&at(TERM_EDITIONS_MAX))),
        bad("an edition beyond the last of a term", at(TERM_EDITIONS_MAX + 1)),
        accept("the first edition of a registrar", invitation().bytes()),
        accept("the second edition of a registrar", &by_registrar(&next)),
        accept(
            "an edition of two registrars",
            &signed(&invitation_core(), Purpose::Registrar, &[person(), newcomer(1)]),
        ),
        accept(
            "a registrar's edition that nobody has signed",
            &signed(&next, Purpose::Registrar, &[]),
        ),
        accept("the highest office and term", &by_registrar(&invitation_in(last))),
        accept("a term that nobody can have", &by_registrar(&invitation_in(zeroth))),
        wrong("a registrar's edition signed as root", Purpose::Root),
        wrong("a registrar's edition signed as a newcomer", Purpose::Joining),
        wrong("a registrar's edition signed as a person", Purpose::Person),
        wrong("a registrar's edition signed as a node", Purpose::Node),
        bad("a registrar's edition without network", EditionCore { network: None, ..next.clone() }),
        bad(
            "a registrar's first edition without network",
            EditionCore { network: None, ..invitation_core() },
        ),
        bad(
            "a registrar's first edition with something before it",
            EditionCore { previous: EditionId([1; 32]), ..invitation_core() },
        ),
        bad(
            "a registrar's second edition with nothing before it",
            EditionCore { number: 2, ..invitation_core() },
        ),
        bad("a registrar's edition with number 0", EditionCore { number: 0, ..invitation_core() }),
        refuse(
            "a registrar's edition that replaces an invitation",
            "BadJoining",
            by_registrar(&EditionCore { facts: joining_core().facts, ..invitation_core() }),
        ),
    ]
}

fn joinings() -> Vec<Case> {
    let with = |facts: Vec<Fact>| EditionCore { facts, ..joining_core() };
    let replace = |node: Option<PublicKey>, people: Vec<PublicKey>| {
        let (by, office) = (Some(OfficeId(1)), OfficeId(2));
        with(vec![Fact::Replace { by, office, node, people }])
    };
    let of_root = Fact::Replace {
        by: None,
        office: OfficeId(u32::MAX),
        node: None,
        people: vec![newcomer(0).public()],
    };
    let longer = respelt(&joining_core(), &[0x85, 9, 1, 2], &[0x86, 9, 1, 2]);
    let all: Vec<SecretKey> = (0..INVITED_PEOPLE_MAX as u8).map(newcomer).collect();
    let keys: Vec<PublicKey> = all.iter().map(SecretKey::public).collect();
    let one = || joining_core().facts[0].clone();
    let rules = || Fact::Rules { version: 1 };
    let bad = |name: &str, core: EditionCore| refuse(name, "BadJoining", by_newcomer(&core));
    let wrong = |name: &str, purpose| {
        let keys = [invite(), other_node(), newcomer(0)];
        refuse(name, "BadSignature", signed(&joining_core(), purpose, &keys))
    };
    let weak = PublicKey(Crafted::small(1).public.0);
    let joined = |name: &str, core: EditionCore, keys: &[SecretKey]| {
        accept(name, &signed(&core, Purpose::Joining, &[keys, &[invite()]].concat()))
    };
    vec![
        accept("a newcomer's node and person", joining().bytes()),
        joined(
            "a newcomer's node alone",
            replace(Some(other_node().public()), vec![]),
            &[other_node()],
        ),
        joined("eight people without a node", replace(None, keys.clone()), &all),
        joined("a newcomer whom root invited", with(vec![of_root]), &[newcomer(0)]),
        refuse("a newcomer's keys with six items", RANGE, longer),
        joined("a newcomer who brings nothing", replace(None, vec![]), &[]),
        // Who had to sign is judged by the roster, not by the format.
        joined("a newcomer's keys signed by the invitation alone", joining_core(), &[]),
        wrong("a newcomer's keys signed as root", Purpose::Root),
        wrong("a newcomer's keys signed as a registrar", Purpose::Registrar),
        wrong("a newcomer's keys signed as a node", Purpose::Node),
        bad("a newcomer who says something else", with(vec![rules()])),
        bad("a newcomer who says something more", with(vec![one(), rules()])),
        bad("a newcomer who replaces the invitation twice", with(vec![one(), one()])),
        bad("a newcomer who says nothing", with(vec![])),
        bad(
            "a second edition of a newcomer",
            EditionCore { number: 2, previous: EditionId([1; 32]), ..joining_core() },
        ),
        refuse(
            "a newcomer's edition with something before it",
            RANGE,
            by_newcomer(&EditionCore { previous: EditionId([1; 32]), ..joining_core() }),
        ),
        refuse(
            "a newcomer's edition without network",
            RANGE,
            by_newcomer(&EditionCore { network: None, ..joining_core() }),
        ),
        refuse("root replaces an invitation", "BadJoining", stated(one())),
        refuse(
            "a newcomer's node key of small order",
            "WeakKey",
            by_newcomer(&replace(Some(weak), vec![])),
        ),
        refuse(
            "a newcomer's person key of small order",
            "WeakKey",
            by_newcomer(&replace(None, vec![weak])),
        ),
        refuse("nine people of one newcomer", SIZE, by_newcomer(&replace(None, vec![keys[0]; 9]))),
    ]
}

fn scopes() -> Vec<Case> {
    let core = invitation_core();
    let head = [&[0x87, 1, 0x58, 32][..], &network().0].concat();
    let scope = |new: &[u8]| {
        respelt(&core, &[&head[..], &[0x83, 1, 1, 1]].concat(), &[&head[..], new].concat())
    };
    let bad = |name: &str, new: &[u8]| refuse(name, RANGE, scope(new));
    let weak = EditionCore {
        scope: Scope::Joining { invite: PublicKey(Crafted::small(0).public.0) },
        ..joining_core()
    };
    vec![
        bad("a scope of kind 3", &[0x81, 3]),
        bad("a root scope with two items", &[0x82, 0, 0]),
        bad("a registrar's scope without term", &[0x82, 1, 1]),
        bad("a newcomer's scope without invitation", &[0x81, 2]),
        bad("an office above 32 bits in a scope", &[0x83, 1, 0x1b, 0, 0, 0, 1, 0, 0, 0, 0, 1]),
        bad("a term above 2^32 in a scope", &[0x83, 1, 1, 0x1b, 0, 0, 0, 1, 0, 0, 0, 1]),
        refuse("a scope with four items", SIZE, scope(&[0x84, 1, 1, 1, 1])),
        refuse("a number for a scope", "Cbor(WrongType)", scope(&[0])),
        refuse("an edition of six items", SIZE, respelt(&core, &[0x87, 1], &[0x86, 1])),
        refuse("an edition of eight items", SIZE, respelt(&core, &[0x87, 1], &[0x88, 1])),
        refuse("an invitation of small order in a scope", "WeakKey", by_newcomer(&weak)),
    ]
}

fn delegations() -> Vec<Case> {
    let role = || "T_REGISTRAR".to_owned();
    let delegation = |term, threshold, closes| Fact::Registrar {
        office: OfficeId(1),
        term,
        threshold,
        role: role(),
        closes,
    };
    let bad = |name: &str, fact| refuse(name, "BadRegistrar", stated(fact));
    let one = EditionId([1; 32]);
    let long = Fact::Registrar {
        office: OfficeId(1),
        term: 1,
        threshold: 1,
        role: "R".repeat(17),
        closes: None,
    };
    let closing =
        EditionCore { facts: vec![delegation(2, 1, Some((4, one)))], ..invitation_core() };
    let longer = respelt(&closing, &[0x82, 4, 0x58, 32], &[0x83, 4, 0x58, 32]);
    vec![
        accept("a delegation to two of an office", &stated(delegation(1, 2, None))),
        accept("a second term that keeps nothing of the first", &stated(delegation(2, 1, None))),
        accept(
            "a second term that keeps four editions of the first",
            &stated(delegation(2, 1, Some((4, one)))),
        ),
        accept("a second term that keeps edition 0", &stated(delegation(2, 1, Some((0, one))))),
        accept(
            "the last term of all",
            &stated(delegation(SEQUENCE_MAX, 16, Some((SEQUENCE_MAX, one)))),
        ),
        bad("a delegation without term", delegation(0, 1, None)),
        bad("a delegation to nobody", delegation(1, 0, None)),
        bad("a first term that closes another", delegation(1, 1, Some((4, one)))),
        refuse("a delegation to 17 of an office", RANGE, stated(delegation(1, 17, None))),
        refuse("a term above 2^32", RANGE, stated(delegation(SEQUENCE_MAX + 1, 1, None))),
        refuse(
            "a term that keeps more than 2^32 editions",
            RANGE,
            stated(delegation(2, 1, Some((SEQUENCE_MAX + 1, one)))),
        ),
        refuse("a registrar's role of 17 letters", SIZE, stated(long)),
        refuse("a last edition with three items", SIZE, longer),
    ]
}

fn invitations() -> Vec<Case> {
    let people = |count: usize| vec![("王秀兰".to_owned(), vec!["V_CLERK".to_owned()]); count];
    let people_only = |people| invited(None, people);
    let weak = Fact::Invite {
        key: PublicKey(Crafted::small(2).public.0),
        office: OfficeId(2),
        node: Some("一号机".to_owned()),
        people: vec![],
        proof: [0; 64],
    };
    let long_name = invited(Some(&"a".repeat(121)), vec![]);
    let roles = |count: usize, letters: usize| {
        people_only(vec![("王秀兰".to_owned(), vec!["R".repeat(letters); count])])
    };
    let person = [&[0x82, 0x69][..], "王秀兰".as_bytes()].concat();
    let longer = [&[0x83, 0x69][..], "王秀兰".as_bytes()].concat();
    vec![
        accept("an invitation of a PC", &stated(invited(Some("一号机"), vec![]))),
        accept("an invitation of a person", &stated(people_only(people(1)))),
        accept(
            "an invitation of a PC and eight people",
            &stated(invited(Some(""), people(INVITED_PEOPLE_MAX))),
        ),
        accept("an invitation of a person with 16 roles", &stated(roles(16, 16))),
        refuse("an invitation of nobody", "EmptyInvitation", stated(people_only(vec![]))),
        refuse("an invitation of small order", "WeakKey", stated(weak)),
        refuse("an invitation of nine people", SIZE, stated(people_only(people(9)))),
        refuse("an invited person with 17 roles", SIZE, stated(roles(17, 1))),
        refuse("an invited person's role of 17 letters", SIZE, stated(roles(1, 17))),
        refuse("an invited PC's name of 121 bytes", SIZE, stated(long_name)),
        refuse(
            "an invited person with three items",
            SIZE,
            respelt(&invitation_core(), &person, &longer),
        ),
    ]
    .into_iter()
    .chain(proofs())
    .collect()
}

/// The proof by which an invitation's key says who invites and to which office.
fn proofs() -> Vec<Case> {
    let registrars = |office: u32| Scope::Registrar { office: OfficeId(office), term: 1 };
    let in_scope =
        |scope, facts: Vec<Fact>| by_registrar(&EditionCore { scope, facts, ..invitation_core() });
    let with = |change: &dyn Fn(&mut PublicKey, &mut OfficeId, &mut [u8; 64])| {
        let mut facts = invitation_core().facts;
        let Fact::Invite { key, office, proof, .. } = &mut facts[0] else { return vec![] };
        change(key, office, proof);
        in_scope(registrars(1), facts)
    };
    let of = |scope| invitation_in(scope).facts;
    let large = |office: u32| {
        let scope = registrars(office);
        let one = Fact::invite(&invite(), scope, OfficeId(office - 1), Some(String::new()), vec![]);
        in_scope(scope, vec![one])
    };
    let bad = |name: &str, bytes| refuse(name, "BadInvitation", bytes);
    let short = respelt(&invitation_core(), &[0x58, 64], &[0x58, 63]);
    vec![
        accept("an invitation by office 24 to office 23", &large(24)),
        accept("an invitation by office 256 to office 255", &large(256)),
        accept("an invitation by office 65536 to office 65535", &large(65_536)),
        accept("an invitation by the highest office", &large(u32::MAX)),
        accept(
            "the proof of a term before",
            &in_scope(registrars(1), of(Scope::Registrar { office: OfficeId(1), term: 7 })),
        ),
        bad(
            "an invitation whose key another office copied",
            in_scope(registrars(3), of(registrars(1))),
        ),
        bad(
            "an invitation that a registrar copied from root",
            in_scope(registrars(1), of(Scope::Root)),
        ),
        bad("an invitation of root copied from a registrar", stated(of(registrars(1)).remove(0))),
        bad("an invitation copied to another office", with(&|_, office, _| *office = OfficeId(3))),
        bad(
            "an invitation under a key that proves nothing",
            with(&|key, _, _| *key = newcomer(5).public()),
        ),
        bad("an invitation with a changed proof", with(&|_, _, proof| proof[40] ^= 1)),
        refuse("an invitation with a proof of 63 bytes", SIZE, short),
    ]
}

fn decisions() -> Vec<Case> {
    let (log, entry) = (log(), EntryId([3; 32]));
    let recover = |numbers: &[u8]| {
        let rejected = numbers.iter().map(|number| EditionId([*number; 32])).collect();
        stated(Fact::Recover { rejected })
    };
    let many: Vec<u8> = (1..=65).collect();
    let bad = |name: &str, numbers: &[u8]| refuse(name, "BadRoot", recover(numbers));
    let adopt = EditionCore {
        facts: vec![Fact::Adopt { log: LogId([7; 32]), number: 1, entry }],
        ..invitation_core()
    };
    let longer = respelt(&adopt, &[0x84, 11, 0x58, 32], &[0x85, 11, 0x58, 32]);
    let above = SEQUENCE_MAX + 1;
    vec![
        accept(
            "a decision of a fork at the opening",
            &stated(Fact::Adjudicate { log, number: 0, entry }),
        ),
        accept(
            "the adoption of the highest entry",
            &stated(Fact::Adopt { log, number: SEQUENCE_MAX, entry }),
        ),
        accept("a recovery that names 64 rivals", &recover(&many[..64])),
        // Only root may; that is judged by the roster.
        accept("a registrar who adopts an entry", &by_registrar(&adopt)),
        bad("a recovery that names nobody", &[]),
        bad("a recovery whose rivals do not ascend", &[2, 1]),
        bad("a recovery that names a rival twice", &[1, 1]),
        refuse("a recovery that names 65 rivals", SIZE, recover(&many)),
        refuse(
            "a decision above 2^32",
            RANGE,
            stated(Fact::Adjudicate { log, number: above, entry }),
        ),
        refuse("an adoption above 2^32", RANGE, stated(Fact::Adopt { log, number: above, entry })),
        refuse("an adoption with five items", RANGE, longer),
    ]
}
