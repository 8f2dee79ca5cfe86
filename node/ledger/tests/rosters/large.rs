//! A whole county on paper: 600 offices and 2,000 signers, who came by the founding edition, by the
//! townships' invitations and by their own joining.

use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::EditionId;
use xw_schemas::space::Division;

const TOWNSHIPS: u64 = 20;
const VILLAGES: u64 = 579;
/// Signers of each township: one PC, two registrars and other people.
const OF_TOWNSHIP: u64 = 42;
const DAY_MS: u64 = 1_795_132_800_000;

/// The editions, those first that others need.
pub(crate) fn county() -> Vec<Edition> {
    let founding = founding();
    let mut editions = vec![founding.clone(), by_county(&founding)];
    for township in 0..TOWNSHIPS {
        editions.push(by_township(&founding, township));
    }
    editions.extend((0..VILLAGES).map(|village| joining(&founding, village)));
    editions
}

/// The next root edition.
pub(crate) fn next(before: &Edition, facts: Vec<Fact>) -> Edition {
    let core = EditionCore {
        scope: Scope::Root,
        number: before.core().number + 1,
        previous: before.id(),
        ..first(before, Scope::Root, facts)
    };
    sign(&core, &[key(0)])
}

fn key(number: u64) -> SecretKey {
    SecretKey::from_seed(&std::array::from_fn(
        |at| if at < 8 { number.to_be_bytes()[at] } else { 1 },
    ))
}

fn township(number: u64) -> (OfficeId, Division) {
    office(1 + number, 130_599_200_000 + number * 1_000)
}

fn village(number: u64) -> (OfficeId, Division) {
    let (above, place) = (number % TOWNSHIPS, number / TOWNSHIPS);
    office(1 + TOWNSHIPS + number, 130_599_200_201 + above * 1_000 + place)
}

fn office(id: u64, code: u64) -> (OfficeId, Division) {
    let id = u32::try_from(id).expect("there are 600 offices");
    (OfficeId(id), Division::from_number(code).expect("twelve digits"))
}

fn signer(number: u64, kind: SignerKind, office: OfficeId, roles: &[&str]) -> Fact {
    Fact::Signer {
        key: key(number).public(),
        kind,
        office,
        name: format!("签名人{number}"),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    }
}

fn delegation(office: OfficeId, role: &str) -> Fact {
    Fact::Registrar { office, term: 1, threshold: 1, role: role.to_owned(), closes: None }
}

fn founding() -> Edition {
    let county = office(0, 130_599_000_000);
    let offices = std::iter::once(county)
        .chain((0..TOWNSHIPS).map(township))
        .chain((0..VILLAGES).map(village));
    let mut facts =
        vec![Fact::Root { threshold: 1, keys: vec![key(0).public()] }, Fact::Rules { version: 1 }];
    facts.extend(offices.map(|(office, division)| Fact::Office {
        office,
        division,
        name: format!("机构{}", office.0),
    }));
    facts.push(signer(1, SignerKind::Node, county.0, &[]));
    facts.push(signer(2, SignerKind::Person, county.0, &["C_REGISTRAR"]));
    facts.push(delegation(county.0, "C_REGISTRAR"));
    facts.extend((0..TOWNSHIPS).flat_map(of_township));
    let core = EditionCore {
        network: None,
        scope: Scope::Root,
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: DAY_MS,
        facts,
    };
    sign(&core, &[key(0)])
}

fn first(founding: &Edition, scope: Scope, facts: Vec<Fact>) -> EditionCore {
    EditionCore {
        network: Some(founding.network()),
        scope,
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: DAY_MS,
        facts,
    }
}

/// The number of a township's first signer.
fn first_signer(township: u64) -> u64 {
    1_000 + township * OF_TOWNSHIP
}

fn of_township(number: u64) -> impl Iterator<Item = Fact> {
    let ((office, _), from) = (township(number), first_signer(number));
    let people = (1..OF_TOWNSHIP).map(move |at| {
        let roles = if at < 3 { &["T_REGISTRAR"] } else { &["T_CLERK"] };
        signer(from + at, SignerKind::Person, office, roles)
    });
    std::iter::once(signer(from, SignerKind::Node, office, &[])).chain(people)
}

fn by_county(founding: &Edition) -> Edition {
    let facts = (0..TOWNSHIPS).map(|number| delegation(township(number).0, "T_REGISTRAR"));
    let facts = facts.collect();
    let scope = Scope::Registrar { office: OfficeId(0), term: 1 };
    sign(&first(founding, scope, facts), &[key(2)])
}

fn by_township(founding: &Edition, number: u64) -> Edition {
    let villages = (0..VILLAGES).filter(|village| village % TOWNSHIPS == number);
    let scope = Scope::Registrar { office: township(number).0, term: 1 };
    let invitations = villages.map(|number| {
        let people = vec![("文书".to_owned(), vec!["V_CLERK".to_owned()])];
        let (key, office) = (key(10_000 + number), village(number).0);
        Fact::invite(&key, scope, office, Some("一号机".to_owned()), people)
    });
    sign(&first(founding, scope, invitations.collect()), &[key(first_signer(number) + 1)])
}

fn joining(founding: &Edition, number: u64) -> Edition {
    let (invite, node, person) = (key(10_000 + number), key(20_000 + number), key(30_000 + number));
    let replace = Fact::Replace {
        by: Some(township(number % TOWNSHIPS).0),
        office: village(number).0,
        node: Some(node.public()),
        people: vec![person.public()],
    };
    let scope = Scope::Joining { invite: invite.public() };
    sign(&first(founding, scope, vec![replace]), &[invite, node, person])
}

fn sign(core: &EditionCore, keys: &[SecretKey]) -> Edition {
    Edition::sign(core, keys).expect("the editions of the county are sound")
}
