//! A small county on paper for the roster's tests: two offices of the county, two townships, three
//! villages, their keys, and the pens with which editions are written, honest or not.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use xw_ledger::roster::{Chain, RosterRefusal};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::{EditionId, NetworkId, PublicKey};
use xw_schemas::space::Division;

/// 2026-11-20 in milliseconds, the day on which these editions play.
pub(crate) const DAY_MS: u64 = 1_795_132_800_000;

/// The role of those who register for an office: of the office's own level.
pub(crate) fn registrar_role(office: OfficeId) -> String {
    format!("{}_REGISTRAR", level_of(office))
}

/// The letter with which the roles of an office begin.
fn level_of(office: OfficeId) -> char {
    match office {
        COUNTY | BUREAU => 'C',
        WEST | EAST => 'T',
        _ => 'V',
    }
}

pub(crate) const COUNTY: OfficeId = OfficeId(1);
pub(crate) const BUREAU: OfficeId = OfficeId(2);
pub(crate) const WEST: OfficeId = OfficeId(3);
pub(crate) const EAST: OfficeId = OfficeId(4);
pub(crate) const WILLOW: OfficeId = OfficeId(5);
pub(crate) const MILL: OfficeId = OfficeId(6);
pub(crate) const ORCHARD: OfficeId = OfficeId(7);

/// All offices with their divisions and names. West has the villages Willow and Mill, East Orchard.
pub(crate) const OFFICES: [(OfficeId, u64, &str); 7] = [
    (COUNTY, 130_599_000_000, "县人民政府"),
    (BUREAU, 130_599_000_000, "县民政局"),
    (WEST, 130_599_201_000, "柳河镇人民政府"),
    (EAST, 130_599_202_000, "石桥乡人民政府"),
    (WILLOW, 130_599_201_201, "柳河村村民委员会"),
    (MILL, 130_599_201_202, "磨坊村村民委员会"),
    (ORCHARD, 130_599_202_201, "果园村村民委员会"),
];

/// A key of these tests; the number says whose.
pub(crate) fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

pub(crate) fn public(number: u8) -> PublicKey {
    key(number).public()
}

static NUMBERS: LazyLock<BTreeMap<PublicKey, u8>> =
    LazyLock::new(|| (0..=u8::MAX).map(|number| (public(number), number)).collect());

/// The PC that the founding edition lists for an office.
pub(crate) fn node_of(office: OfficeId) -> u8 {
    10 + office.0 as u8
}

/// A person whom the founding edition lists as registrar of an office: two each, first and second.
pub(crate) fn registrar_of(office: OfficeId, which: u8) -> u8 {
    20 + 2 * office.0 as u8 + which
}

pub(crate) const ROOTS: [u8; 3] = [1, 2, 3];

pub(crate) fn signer(number: u8, kind: SignerKind, office: OfficeId, roles: &[&str]) -> Fact {
    Fact::Signer {
        key: public(number),
        kind,
        office,
        name: format!("签名人{number}"),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    }
}

pub(crate) fn node(number: u8, office: OfficeId) -> Fact {
    signer(number, SignerKind::Node, office, &[])
}

pub(crate) fn person(number: u8, office: OfficeId, roles: &[&str]) -> Fact {
    signer(number, SignerKind::Person, office, roles)
}

/// A person who may register for an office.
pub(crate) fn registrar(number: u8, office: OfficeId) -> Fact {
    person(number, office, &[&registrar_role(office)])
}

pub(crate) fn delegation(office: OfficeId, term: u64, threshold: u64) -> Fact {
    Fact::Registrar { office, term, threshold, role: registrar_role(office), closes: None }
}

pub(crate) fn closing(office: OfficeId, term: u64, last: &Edition) -> Fact {
    let closes = Some((last.core().number, last.id()));
    Fact::Registrar { office, term, threshold: 1, role: registrar_role(office), closes }
}

pub(crate) fn cut(number: u8) -> Fact {
    Fact::Cut { key: public(number), kept: Vec::new() }
}

/// An invitation of a PC, where one is invited, and of some people, by root.
pub(crate) fn invite(number: u8, office: OfficeId, node: bool, people: usize) -> Fact {
    let person = |at| (format!("受邀人{at}"), vec![format!("{}_CLERK", level_of(office))]);
    let node = node.then(|| "一号机".to_owned());
    let people = (0..people).map(person).collect();
    Fact::invite(&key(number), Scope::Root, office, node, people)
}

/// The same fact in an edition of another scope: whoever writes these tests holds every secret.
fn spoken_in(scope: Scope, fact: Fact) -> Fact {
    let Fact::Invite { key, office, node, people, .. } = fact else { return fact };
    let number = NUMBERS.get(&key).expect("the keys of these tests have numbers");
    Fact::invite(&self::key(*number), scope, office, node, people)
}

/// An invitation of one person who is to register.
pub(crate) fn invite_registrar(number: u8, office: OfficeId) -> Fact {
    let people = vec![(format!("受邀人{number}"), vec![registrar_role(office)])];
    Fact::invite(&key(number), Scope::Root, office, None, people)
}

/// The founding edition: offices, PCs and registrars down to the townships, and the county's
/// delegation. The rest is for later editions to say.
pub(crate) fn founding() -> Edition {
    let mut keys = ROOTS.map(public).to_vec();
    keys.sort();
    let mut facts = vec![Fact::Root { threshold: 2, keys }, Fact::Rules { version: 1 }];
    facts.extend(OFFICES.map(|(office, code, name)| Fact::Office {
        office,
        division: Division::from_number(code).expect("twelve digits"),
        name: name.to_owned(),
    }));
    for office in [COUNTY, BUREAU, WEST, EAST] {
        facts.push(node(node_of(office), office));
        facts.extend([0, 1].map(|which| {
            let number = registrar_of(office, which);
            registrar(number, office)
        }));
    }
    facts.push(delegation(COUNTY, 1, 1));
    let core = EditionCore {
        network: None,
        scope: Scope::Root,
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: DAY_MS,
        facts,
    };
    sign(&core, &ROOTS[..2])
}

/// Signs an edition; its invitations are proven in its own scope.
pub(crate) fn sign(core: &EditionCore, keys: &[u8]) -> Edition {
    let keys: Vec<SecretKey> = keys.iter().map(|number| key(*number)).collect();
    let facts = core.facts.iter().cloned().map(|fact| spoken_in(core.scope, fact)).collect();
    let core = EditionCore { facts, ..core.clone() };
    Edition::sign(&core, &keys).expect("the editions of these tests are sound")
}

pub(crate) fn network() -> NetworkId {
    founding().network()
}

/// The next root edition.
pub(crate) fn root_after(before: &Edition, facts: Vec<Fact>) -> Edition {
    sign(&after(before, facts), &ROOTS[..2])
}

/// What follows an edition in its own scope.
pub(crate) fn after(before: &Edition, facts: Vec<Fact>) -> EditionCore {
    EditionCore {
        network: Some(before.network()),
        scope: before.core().scope,
        number: before.core().number + 1,
        previous: before.id(),
        claimed_time_ms: DAY_MS + before.core().number,
        facts,
    }
}

/// The first edition of an office's term.
pub(crate) fn first_of(office: OfficeId, term: u64, facts: Vec<Fact>) -> EditionCore {
    EditionCore {
        network: Some(network()),
        scope: Scope::Registrar { office, term },
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: DAY_MS,
        facts,
    }
}

/// The first edition of an office's first term, by its first registrar.
pub(crate) fn by(office: OfficeId, facts: Vec<Fact>) -> Edition {
    sign(&first_of(office, 1, facts), &[registrar_of(office, 0)])
}

/// What an office's first registrar says after another edition.
pub(crate) fn next_by(office: OfficeId, before: &Edition, facts: Vec<Fact>) -> Edition {
    sign(&after(before, facts), &[registrar_of(office, 0)])
}

/// Who invites, `None` for root, and to which office.
pub(crate) type Invited = (Option<OfficeId>, OfficeId);

pub(crate) fn joining_core(
    (by, office): Invited,
    invite: u8,
    node: Option<u8>,
    people: &[u8],
) -> EditionCore {
    let people = people.iter().map(|number| public(*number)).collect();
    EditionCore {
        scope: Scope::Joining { invite: public(invite) },
        facts: vec![Fact::Replace { by, office, node: node.map(public), people }],
        ..first_of(COUNTY, 1, vec![])
    }
}

/// A newcomer's own keys in the place of an invitation, signed by all of them.
pub(crate) fn joining(invited: Invited, invite: u8, node: Option<u8>, people: &[u8]) -> Edition {
    let keys: Vec<u8> = node.iter().chain(people).copied().chain([invite]).collect();
    sign(&joining_core(invited, invite, node, people), &keys)
}

/// Hands editions to a chain until nothing more is taken: what arrives too early comes again.
/// Gives back what is never taken, with the reason.
pub(crate) fn deliver<'a>(
    chain: &mut Chain,
    editions: impl IntoIterator<Item = &'a Edition>,
) -> Vec<(EditionId, RosterRefusal)> {
    let mut waiting: Vec<&Edition> = editions.into_iter().collect();
    loop {
        let mut refused = Vec::new();
        for edition in &waiting {
            if let Err(why) = chain.add((*edition).clone()) {
                refused.push((*edition, why));
            }
        }
        if refused.len() == waiting.len() {
            let mut refused: Vec<_> =
                refused.into_iter().map(|(edition, why)| (edition.id(), why)).collect();
            refused.sort_by_key(|(id, _)| *id);
            return refused;
        }
        waiting = refused.into_iter().map(|(edition, _)| edition).collect();
    }
}
