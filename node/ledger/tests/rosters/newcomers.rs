//! Sets of editions about newcomers, the terms of registrars, and cuts.

use xw_schemas::edition::{Edition, EditionCore, Fact};
use xw_schemas::id::{EditionId, EntryId, LogId};

use crate::cases::{Set, delegated};
use crate::world::{
    BUREAU, COUNTY, EAST, Invited, MILL, ORCHARD, WEST, WILLOW, after, by, closing, cut,
    delegation, first_of, founding, invite, invite_registrar, joining as joins, joining_core,
    next_by, node, node_of, person, public, registrar_of, registrar_role, root_after, sign,
};

/// Whom these sets invite under which key.
fn of_root(invite: u8) -> Invited {
    match invite {
        60 => (None, WEST),
        62 => (None, MILL),
        63 => (Some(WEST), MILL),
        _ => (None, WILLOW),
    }
}

fn under_one_key() -> Vec<Fact> {
    vec![invite(60, ORCHARD, true, 0), invite(60, WEST, true, 0)]
}

fn joining(invite: u8, node: Option<u8>, people: &[u8]) -> Edition {
    joins(of_root(invite), invite, node, people)
}

pub(crate) fn invitations() -> Vec<Set> {
    let invited = root_after(
        &founding(),
        vec![
            delegation(WEST, 1, 1),
            invite(60, WEST, true, 1),
            invite(61, WILLOW, false, 2),
            invite(62, MILL, true, 0),
        ],
    );
    let of_west = by(WEST, vec![invite(63, MILL, true, 1)]);
    let unsigned = |keys: &[u8]| sign(&joining_core(of_root(60), 60, Some(70), &[71]), keys);
    let misfits = vec![
        invited.clone(),
        joining(60, None, &[71]),
        joining(60, Some(72), &[]),
        joining(61, None, &[73, 74, 75]),
        joining(62, Some(76), &[]),
    ];
    vec![
        (
            "newcomers replace three invitations of root",
            vec![
                invited.clone(),
                joining(60, Some(70), &[71]),
                joining(61, None, &[73, 72]),
                joining(62, Some(74), &[]),
            ],
        ),
        (
            "a township invites and its newcomer joins",
            vec![invited.clone(), of_west.clone(), joining(63, Some(70), &[71])],
        ),
        (
            "a newcomer who was invited as registrar registers",
            vec![
                root_after(&founding(), vec![delegation(WEST, 1, 1), invite_registrar(60, WEST)]),
                joining(60, None, &[71]),
                sign(&first_of(WEST, 1, vec![invite(61, WILLOW, true, 0)]), &[71]),
                joins((Some(WEST), WILLOW), 61, Some(72), &[]),
            ],
        ),
        ("newcomers who bring other keys than were invited", misfits),
        (
            "an invitation used twice",
            vec![invited.clone(), joining(60, Some(70), &[71]), joining(60, Some(72), &[73])],
        ),
        (
            "an invitation used twice, once in a way that does not fit",
            vec![invited.clone(), joining(60, Some(70), &[71]), joining(60, Some(72), &[])],
        ),
        (
            "a newcomer with a key that is on the roster already",
            vec![
                invited.clone(),
                joining(60, Some(node_of(EAST)), &[71]),
                sign(&joining_core(of_root(62), 62, Some(62), &[]), &[62]),
            ],
        ),
        (
            "one key in the place of two invitations",
            vec![invited.clone(), joining(60, Some(70), &[71]), joining(62, Some(70), &[])],
        ),
        (
            "a newcomer's key that an invitation has",
            vec![invited.clone(), joining(60, Some(62), &[71])],
        ),
        (
            "an invitation withdrawn by root",
            vec![
                invited.clone(),
                root_after(&invited, vec![cut(60)]),
                joining(60, Some(70), &[71]),
            ],
        ),
        (
            "an invitation withdrawn by the registrar who made it",
            vec![
                invited.clone(),
                of_west.clone(),
                next_by(WEST, &of_west, vec![cut(63)]),
                joining(63, Some(70), &[71]),
            ],
        ),
        (
            "an invitation of root withdrawn too late by a township",
            vec![invited.clone(), by(WEST, vec![cut(61), cut(62)]), joining(61, None, &[72, 73])],
        ),
        (
            "editions of newcomers that no chain takes up",
            vec![invited.clone(), unsigned(&[70, 71]), joining(99, Some(70), &[71])],
        ),
        (
            "a newcomer who brings a stranger's signature",
            vec![invited.clone(), unsigned(&[60, 70, 71, 72])],
        ),
        ("a confirmed newcomer among four uses of his invitation, after a withdrawal", {
            let confirmed = next_by(WEST, &of_west, vec![person(71, MILL, &[]), node(70, MILL)]);
            let last = next_by(WEST, &confirmed, vec![cut(63)]);
            let mut all = vec![invited.clone(), of_west.clone(), confirmed, last];
            all.push(joining(63, Some(70), &[71]));
            all.extend((80..82).map(|number| joining(63, Some(number), &[number + 10])));
            all.push(joining(63, None, &[79]));
            all
        }),
        (
            "a newcomer who is confirmed in part",
            vec![
                invited.clone(),
                of_west.clone(),
                next_by(WEST, &of_west, vec![node(70, MILL), node(71, MILL)]),
                joining(63, Some(70), &[71]),
                joining(63, Some(72), &[73]),
            ],
        ),
        (
            "a newcomer of root whom root lists",
            vec![
                invited.clone(),
                root_after(
                    &invited,
                    vec![node(70, WEST), person(71, WEST, &["T_HEAD"]), cut(60), cut(61)],
                ),
                joining(60, Some(70), &[71]),
                joining(60, Some(72), &[73]),
                joining(61, None, &[74, 75]),
            ],
        ),
        (
            "a township's newcomer whom the county and root list between them",
            vec![
                invited.clone(),
                of_west.clone(),
                root_after(&invited, vec![node(70, MILL)]),
                by(COUNTY, vec![person(71, MILL, &["V_HEAD"])]),
                joining(63, Some(70), &[71]),
                joining(63, Some(72), &[73]),
            ],
        ),
        (
            "two confirmed newcomers of one invitation, and two with the same keys",
            vec![
                invited.clone(),
                of_west.clone(),
                next_by(
                    WEST,
                    &of_west,
                    vec![
                        node(72, MILL),
                        node(70, MILL),
                        person(71, MILL, &[]),
                        person(73, MILL, &[]),
                    ],
                ),
                joining(63, Some(70), &[71]),
                joining(63, Some(72), &[73]),
            ],
        ),
        ("a newcomer who joins twice with the same confirmed keys", {
            let again = joining_core(of_root(63), 63, Some(70), &[71]);
            let again = EditionCore { claimed_time_ms: 1_795_132_800_999, ..again };
            vec![
                invited.clone(),
                of_west.clone(),
                next_by(WEST, &of_west, vec![node(70, MILL), person(71, MILL, &[])]),
                joining(63, Some(70), &[71]),
                sign(&again, &[63, 70, 71]),
            ]
        }),
        (
            "a key that joins in the place of two invitations, of which one is confirmed",
            vec![
                invited.clone(),
                of_west.clone(),
                next_by(WEST, &of_west, vec![node(70, MILL), person(71, MILL, &[])]),
                joining(63, Some(70), &[71]),
                joining(61, None, &[71, 72]),
            ],
        ),
        (
            "a newcomer whose invitation does not count",
            vec![
                delegated(),
                by(WEST, vec![invite(61, ORCHARD, true, 0)]),
                joins((Some(WEST), ORCHARD), 61, Some(70), &[]),
            ],
        ),
        (
            "a registrar lists a newcomer's key before it joins",
            vec![
                invited.clone(),
                by(WEST, vec![node(70, MILL), person(71, WILLOW, &[])]),
                joining(62, Some(70), &[]),
                joining(61, None, &[71, 72]),
            ],
        ),
        (
            "three uses of an invitation of which one fits",
            vec![
                invited.clone(),
                joining(60, Some(70), &[]),
                joining(60, Some(71), &[]),
                joining(60, Some(72), &[73]),
            ],
        ),
        (
            "an invitation used four times is burnt",
            vec![
                invited.clone(),
                joining(60, Some(70), &[]),
                joining(60, Some(71), &[]),
                joining(60, Some(72), &[]),
                joining(60, Some(73), &[74]),
            ],
        ),
        (
            "two townships invite under one key",
            vec![
                delegated(),
                by(WEST, vec![invite(60, WILLOW, true, 0), invite(61, MILL, true, 0)]),
                by(EAST, under_one_key()),
                joins((Some(WEST), WILLOW), 60, Some(70), &[]),
                joins((Some(WEST), MILL), 61, Some(71), &[]),
                joins((Some(EAST), ORCHARD), 60, Some(72), &[]),
                joins((Some(COUNTY), ORCHARD), 60, Some(73), &[]),
                next_by(EAST, &by(EAST, under_one_key()), vec![cut(60)]),
            ],
        ),
        (
            "one office invites twice under one key",
            vec![
                delegated(),
                by(
                    WEST,
                    vec![
                        invite(60, WILLOW, true, 0),
                        invite(60, MILL, true, 1),
                        invite(60, WILLOW, false, 1),
                    ],
                ),
                joins((Some(WEST), WILLOW), 60, Some(70), &[]),
                joins((Some(WEST), MILL), 60, Some(71), &[72]),
                joins((Some(WEST), MILL), 60, Some(73), &[]),
            ],
        ),
        (
            "a township invites under the key that a neighbour's newcomer brought",
            vec![
                delegated(),
                by(EAST, vec![invite(60, ORCHARD, true, 1)]),
                joins((Some(EAST), ORCHARD), 60, Some(70), &[71]),
                by(WEST, vec![invite(70, WILLOW, true, 0), invite(71, MILL, true, 0)]),
            ],
        ),
        (
            "registrars change names and roles of newcomers",
            vec![
                delegated(),
                by(
                    COUNTY,
                    vec![
                        invite_registrar(60, WEST),
                        person(70, WEST, &["T_REGISTRAR", "T_CLERK"]),
                        person(71, WILLOW, &["V_HEAD"]),
                    ],
                ),
                joins((Some(COUNTY), WEST), 60, None, &[70]),
                sign(
                    &first_of(
                        WEST,
                        1,
                        vec![
                            invite(61, WILLOW, false, 2),
                            person(72, WILLOW, &["V_HEAD"]),
                            person(71, WILLOW, &["V_CLERK"]),
                            person(73, WILLOW, &["V_CLERK"]),
                            node(72, WILLOW),
                        ],
                    ),
                    &[70],
                ),
                joins((Some(WEST), WILLOW), 61, None, &[71, 72]),
            ],
        ),
    ]
}

pub(crate) fn terms() -> Vec<Set> {
    let one = by(COUNTY, vec![invite(60, WILLOW, true, 0)]);
    let two = next_by(COUNTY, &one, vec![invite(61, MILL, true, 0)]);
    let three = next_by(COUNTY, &two, vec![invite(62, ORCHARD, true, 0)]);
    // By the other registrar: what somebody says behind his own contradiction nobody need take up.
    let other = [registrar_of(COUNTY, 1)];
    let rival = sign(&after(&one, vec![invite(63, MILL, true, 0)]), &other);
    let behind = sign(&after(&rival, vec![invite(64, ORCHARD, true, 0)]), &other);
    let all = || vec![one.clone(), two.clone(), three.clone()];
    let with = |editions: &[&Edition]| {
        all().into_iter().chain(editions.iter().copied().cloned()).collect::<Vec<_>>()
    };
    let root = |fact| root_after(&founding(), vec![fact]);
    let close_two = root(closing(COUNTY, 2, &two));
    let next_term =
        sign(&first_of(COUNTY, 2, vec![invite(65, WEST, true, 0)]), &[registrar_of(COUNTY, 1)]);
    let removed = root(cut(registrar_of(COUNTY, 0)));
    let handed_over =
        root_after(&founding(), vec![cut(registrar_of(COUNTY, 0)), closing(COUNTY, 2, &two)]);
    let lost = Fact::Registrar {
        office: COUNTY,
        term: 2,
        threshold: 1,
        role: registrar_role(COUNTY),
        closes: Some((9, EditionId([9; 32]))),
    };
    let misnamed = Fact::Registrar {
        office: COUNTY,
        term: 2,
        threshold: 1,
        role: registrar_role(COUNTY),
        closes: Some((1, two.id())),
    };
    let by_other = sign(&after(&two, vec![invite(66, WEST, true, 0)]), &[registrar_of(COUNTY, 1)]);
    let third_term = root_after(&close_two, vec![closing(COUNTY, 3, &next_term)]);
    let of_west = by(WEST, vec![invite(67, WILLOW, true, 0)]);
    let west_two = next_by(WEST, &of_west, vec![invite(68, MILL, true, 0)]);
    let closed_by_county = by(COUNTY, vec![closing(WEST, 2, &of_west), delegation(WEST, 2, 1)]);
    let higher = by(COUNTY, vec![delegation(WEST, 1, 2), delegation(EAST, 5, 1)]);
    vec![
        ("three editions of one registrar", all()),
        ("a chain stops where two contradict each other", with(&[&rival, &behind])),
        ("newcomers of a chain that stopped are suspended", {
            let with_people = next_by(
                COUNTY,
                &three,
                vec![
                    invite(69, WILLOW, true, 1),
                    person(71, WILLOW, &["V_HEAD", "T_HEAD"]),
                    cut(72),
                ],
            );
            with(&[
                &with_people,
                &joins((Some(COUNTY), WILLOW), 69, Some(70), &[71]),
                &joins((Some(COUNTY), WILLOW), 60, Some(72), &[]),
                &joins((Some(COUNTY), MILL), 61, Some(73), &[]),
                &joins((Some(COUNTY), ORCHARD), 62, Some(73), &[]),
                &rival,
                &behind,
                &root_after(&founding(), vec![delegation(WEST, 1, 1)]),
                &by(WEST, vec![cut(70), cut(71), cut(73)]),
            ])
        }),
        ("a new term keeps two of three editions", with(&[&close_two, &next_term])),
        (
            "a new term decides between two rivals",
            with(&[&rival, &behind, &root(closing(COUNTY, 2, &behind))]),
        ),
        ("a new term keeps nothing of the one before", with(&[&root(delegation(COUNTY, 2, 1))])),
        ("a new term keeps an edition that is not held", with(&[&root(lost)])),
        ("a new term names an edition under a wrong number", with(&[&root(misnamed)])),
        ("a third term closes the second", with(&[&close_two, &next_term, &third_term])),
        ("terms may skip numbers", with(&[&root(closing(COUNTY, 7, &one))])),
        ("a registrar who was cut is heard no more in the open term", with(&[&removed])),
        ("what another registrar built on it falls with it", with(&[&by_other, &removed])),
        ("a registrar who was cut stays heard in a term that was closed", with(&[&handed_over])),
        (
            "an edition behind one that too few signed",
            vec![
                one.clone(),
                sign(&after(&one, vec![invite(61, MILL, true, 0)]), &[registrar_of(BUREAU, 0)]),
            ],
        ),
        (
            "a county's registrar closes a township's term that root gave",
            vec![delegated(), of_west, west_two, closed_by_county],
        ),
        ("terms that a county's registrar gives beside those of root", vec![delegated(), higher]),
    ]
}

pub(crate) fn cuts() -> Vec<Set> {
    let (log, other) = (LogId([7; 32]), LogId([8; 32]));
    let kept = |number, log: LogId, last| Fact::Cut {
        key: public(number),
        kept: vec![(log, last, EntryId([last as u8; 32]))],
    };
    let enrolled = root_after(
        &founding(),
        vec![
            delegation(WEST, 1, 1),
            node(60, WILLOW),
            person(61, MILL, &["V_CLERK"]),
            node(62, ORCHARD),
        ],
    );
    let by_root = root_after(&enrolled, vec![kept(60, log, 1), kept(60, log, 2)]);
    let by_county = by(COUNTY, vec![kept(60, log, 3), kept(61, other, 4), kept(61, other, 5)]);
    let by_west = by(WEST, vec![kept(60, log, 6), kept(61, log, 7), kept(62, log, 8)]);
    let no_registrar = by(COUNTY, vec![cut(registrar_of(WEST, 0))]);
    let brought_back = next_by(COUNTY, &by_county, vec![person(61, MILL, &["V_CLERK"])]);
    vec![
        (
            "root's cut stands against all others and its last word counts",
            vec![enrolled.clone(), by_root, by_county.clone(), by_west.clone()],
        ),
        (
            "a county's cut stands against a township's, and its first word counts",
            vec![enrolled.clone(), by_county.clone(), by_west.clone()],
        ),
        ("a township's cut of its own villages", vec![enrolled.clone(), by_west.clone()]),
        (
            "a registrar who was cut by the county cuts nobody",
            vec![enrolled.clone(), no_registrar, by_west],
        ),
        (
            "a key that was cut stays cut when it is listed again",
            vec![enrolled, by_county, brought_back],
        ),
        (
            "a cut before its key is listed",
            vec![
                delegated(),
                by(
                    WEST,
                    vec![cut(70), invite(70, WILLOW, true, 0), cut(71), invite(71, MILL, true, 0)],
                ),
                joins((Some(WEST), MILL), 71, Some(72), &[]),
            ],
        ),
    ]
}
