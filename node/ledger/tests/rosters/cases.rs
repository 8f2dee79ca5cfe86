//! Sets of editions and what they amount to: one for every rule of the roster.

use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, SignerKind};
use xw_schemas::id::{EditionId, EntryId, LogId, NetworkId};
use xw_schemas::record::SchemaHash;
use xw_schemas::space::Division;

use crate::world::{
    BUREAU, COUNTY, EAST, MILL, ORCHARD, REGISTRAR, ROOTS, WEST, WILLOW, after, by, closing, cut,
    delegation, first_of, founding, invite, joining, joining_core, next_by, node, node_of, person,
    public, registrar_of, root_after, sign, signer,
};

/// A name and a set of editions, the founding one first.
pub(crate) type Set = (&'static str, Vec<Edition>);

pub(crate) fn sets() -> Vec<Set> {
    let sets =
        [roots(), recoveries(), registrars(), areas(), ranks(), invitations(), terms(), cuts()];
    let mut sets: Vec<Set> = sets.concat();
    for (_, editions) in &mut sets {
        editions.insert(0, founding());
    }
    sets
}

fn rules() -> Vec<Fact> {
    vec![Fact::Rules { version: 1 }]
}

fn place(name: &str) -> Vec<Fact> {
    let division = Division::from_number(130_599_201_201).expect("twelve digits");
    vec![Fact::Place { division, name: name.to_owned() }]
}

/// Both townships have registrars, one person signs.
fn delegated() -> Edition {
    let facts = [WEST, EAST].map(|office| delegation(office, 1, 1));
    root_after(&founding(), facts.to_vec())
}

fn roots() -> Vec<Set> {
    let log = LogId([7; 32]);
    let (first, second) = (founding(), root_after(&founding(), place("柳河村")));
    let entry = EntryId([8; 32]);
    let says_all = root_after(
        &second,
        vec![
            Fact::Rules { version: 2 },
            person(60, WILLOW, &["V_CLERK"]),
            person(60, WILLOW, &["V_CLERK", "V_HEAD"]),
            node(61, WILLOW),
            Fact::Schema { record_type: "SVC".to_owned(), definition: SchemaHash([1; 32]) },
            Fact::Schema { record_type: "SVC".to_owned(), definition: SchemaHash([2; 32]) },
            Fact::Cut { key: public(61), kept: vec![(log, 3, entry)] },
            Fact::Adjudicate { log, number: 1, entry },
            Fact::Adjudicate { log, number: 2, entry },
            Fact::Adopt { log, number: 2, entry },
            Fact::Adopt { log, number: 5, entry: EntryId([9; 32]) },
            invite(62, MILL, true, 1),
            delegation(EAST, 1, 2),
        ],
    );
    let mut keys = [ROOTS[0], 4, 5].map(public).to_vec();
    keys.sort();
    let rekey = after(&first, vec![Fact::Root { threshold: 2, keys }]);
    let rekeyed = sign(&rekey, &[ROOTS[0], ROOTS[1], 4]);
    let foreign = EditionCore { network: Some(NetworkId([9; 32])), ..after(&first, rules()) };
    let moved = after(&first, vec![person(registrar_of(WEST, 0), EAST, &[])]);
    let place_of = |office, code| Fact::Office {
        office,
        division: Division::from_number(code).expect("twelve digits"),
        name: "新址".to_owned(),
    };
    let turned = signer(node_of(WEST), SignerKind::Person, WEST, &[]);
    let refused = |facts| root_after(&first, facts);
    vec![
        ("the founding edition alone", vec![]),
        ("three root editions", vec![second.clone(), says_all]),
        ("an edition left out", vec![root_after(&second, rules())]),
        (
            "new root keys, which sign from then on",
            vec![
                rekeyed.clone(),
                sign(&after(&rekeyed, rules()), &[4, 5]),
                sign(&after(&rekeyed, place("旧")), &ROOTS[1..]),
            ],
        ),
        (
            "root editions that no chain takes up",
            vec![
                sign(&foreign, &ROOTS),
                sign(&after(&first, rules()), &ROOTS[..1]),
                sign(&rekey, &ROOTS[..2]),
                sign(&moved, &ROOTS),
                refused(vec![place_of(WEST, 130_599_202_000)]),
                refused(vec![turned]),
                refused(vec![person(60, OfficeId(99), &[])]),
                refused(vec![delegation(OfficeId(99), 1, 1)]),
                refused(vec![invite(62, OfficeId(99), true, 0)]),
                refused(vec![invite(62, WILLOW, true, 0), invite(62, WILLOW, true, 0)]),
            ],
        ),
    ]
}

fn recover(before: &Edition, rejected: &[&Edition]) -> Edition {
    let mut rejected: Vec<EditionId> = rejected.iter().map(|edition| edition.id()).collect();
    rejected.sort();
    root_after(before, vec![Fact::Recover { rejected }])
}

fn recoveries() -> Vec<Set> {
    let first = founding();
    let [left, right, third] = ["左", "右", "中"].map(|name| root_after(&first, place(name)));
    let longer = root_after(&left, rules());
    let to_left = recover(&left, &[&right]);
    let to_right = recover(&right, &[&left]);
    let beyond = recover(&to_right, &[&to_left]);
    let later = root_after(&longer, place("后"));
    vec![
        ("two root editions of one number freeze", vec![left.clone(), right.clone()]),
        ("a longer chain does not win", vec![left.clone(), right.clone(), longer.clone(), later]),
        ("a recovery names the rival", vec![left.clone(), right.clone(), to_left.clone()]),
        (
            "a recovery that names nobody who is there",
            vec![left.clone(), right.clone(), recover(&left, &[&third])],
        ),
        (
            "a recovery of two rivals of three",
            vec![left.clone(), right.clone(), third.clone(), to_left.clone()],
        ),
        (
            "a recovery of all rivals of three",
            vec![left.clone(), right.clone(), third.clone(), recover(&left, &[&right, &third])],
        ),
        (
            "a recovery after the chain went on",
            vec![left.clone(), longer.clone(), right.clone(), recover(&longer, &[&right])],
        ),
        (
            "two recoveries that name each other's editions",
            vec![left.clone(), right.clone(), to_left.clone(), to_right.clone()],
        ),
        (
            "the later of two recoveries names the other",
            vec![left.clone(), right.clone(), to_left.clone(), to_right.clone(), beyond],
        ),
        ("three recoveries in a circle", circle(&left, &right, &third)),
        (
            "rivals of a recovery freeze behind it",
            vec![
                left.clone(),
                right.clone(),
                to_left.clone(),
                root_after(&to_left, place("甲")),
                root_after(&to_left, place("乙")),
            ],
        ),
        (
            "registrars of the founding edition act while root is frozen",
            vec![left, right, by(COUNTY, vec![person(60, WEST, &["T_CLERK"])])],
        ),
    ]
}

/// Each names the next one's first edition.
fn circle(left: &Edition, right: &Edition, third: &Edition) -> Vec<Edition> {
    let own = [left.clone(), right.clone(), third.clone()];
    let one = recover(left, &[right]);
    let two = recover(right, &[third]);
    let three = recover(third, &[left]);
    let again = recover(&one, &[&two]);
    own.into_iter().chain([one, two, three, again]).collect()
}

fn registrars() -> Vec<Set> {
    let enrolled = by(COUNTY, vec![person(60, WEST, &[REGISTRAR]), node(61, WILLOW)]);
    let second = next_by(COUNTY, &enrolled, vec![delegation(WEST, 1, 1)]);
    let by_new = sign(&first_of(WEST, 1, vec![person(62, WILLOW, &["V_CLERK"])]), &[60]);
    let two = root_after(&founding(), vec![delegation(WEST, 1, 2)]);
    let pair = [registrar_of(WEST, 0), registrar_of(WEST, 1)];
    let of_two = first_of(WEST, 1, vec![node(61, WILLOW)]);
    let clerk = root_after(&founding(), vec![person(60, COUNTY, &["C_CLERK"])]);
    let all = first_of(COUNTY, 1, vec![node(61, WILLOW)]);
    let dismissed = root_after(&founding(), vec![person(registrar_of(COUNTY, 0), COUNTY, &[])]);
    let before = next_by(COUNTY, &enrolled, vec![node(63, MILL)]);
    vec![
        (
            "a county registrar enrols people and delegates, and a new one enrols in turn",
            vec![enrolled.clone(), second, by_new],
        ),
        ("an edition that two of two registrars signed", vec![two.clone(), sign(&of_two, &pair)]),
        ("an edition that one of two registrars signed", vec![two, sign(&of_two, &pair[..1])]),
        ("a person without the role does not register", vec![clerk, sign(&all, &[60])]),
        ("a node does not register", vec![sign(&all, &[node_of(COUNTY)])]),
        (
            "registrars of another office do not register",
            vec![sign(&all, &[registrar_of(BUREAU, 0)])],
        ),
        ("an office without delegation", vec![by(BUREAU, vec![node(61, WILLOW)])]),
        (
            "a term that nobody gave",
            vec![sign(&first_of(COUNTY, 2, rules()), &[registrar_of(COUNTY, 0)])],
        ),
        ("a registrar who lost the role", vec![enrolled.clone(), dismissed]),
        ("an edition of a registrar left out", vec![before]),
        (
            "a village registers nobody",
            vec![
                root_after(
                    &founding(),
                    vec![person(60, WILLOW, &[REGISTRAR]), delegation(WILLOW, 1, 1)],
                ),
                sign(&first_of(WILLOW, 1, vec![person(62, WILLOW, &[])]), &[60]),
            ],
        ),
        (
            "a registrar's edition counts once, whoever signed",
            vec![
                sign(&after(&enrolled, vec![]), &[registrar_of(COUNTY, 0)]),
                enrolled,
                sign(&all, &[registrar_of(COUNTY, 0), registrar_of(COUNTY, 1)]),
            ],
        ),
    ]
}

fn areas() -> Vec<Set> {
    let (log, entry) = (LogId([7; 32]), EntryId([8; 32]));
    let mut keys = ROOTS.map(public).to_vec();
    keys.sort();
    let office = Fact::Office {
        office: OfficeId(9),
        division: Division::from_number(130_599_201_203).expect("twelve digits"),
        name: "新村".to_owned(),
    };
    let not_his = vec![
        Fact::Root { threshold: 1, keys },
        Fact::Rules { version: 2 },
        place("改名").remove(0),
        office,
        Fact::Schema { record_type: "SVC".to_owned(), definition: SchemaHash([1; 32]) },
        Fact::Adjudicate { log, number: 1, entry },
        Fact::Adopt { log, number: 1, entry },
        Fact::Recover { rejected: vec![EditionId([1; 32])] },
        node(61, WILLOW),
    ];
    let outside = vec![
        person(60, WEST, &[REGISTRAR]),
        person(62, EAST, &[]),
        person(63, ORCHARD, &[]),
        person(64, COUNTY, &[]),
        person(65, OfficeId(99), &[]),
        invite(66, ORCHARD, true, 0),
        invite(67, WEST, false, 1),
        delegation(EAST, 2, 1),
        delegation(WEST, 2, 1),
        cut(registrar_of(EAST, 0)),
        cut(node_of(COUNTY)),
        cut(registrar_of(WEST, 1)),
        cut(99),
        node(68, MILL),
    ];
    let county = vec![
        person(60, COUNTY, &[REGISTRAR]),
        person(62, BUREAU, &[REGISTRAR]),
        cut(registrar_of(BUREAU, 0)),
        delegation(BUREAU, 1, 1),
        person(63, ORCHARD, &[]),
        cut(node_of(EAST)),
    ];
    vec![
        ("a registrar says what only root may say", vec![delegated(), by(WEST, not_his)]),
        (
            "a registrar speaks of offices outside of its own area",
            vec![delegated(), by(WEST, outside)],
        ),
        ("a county's registrar speaks of offices at its own division", vec![by(COUNTY, county)]),
    ]
}

fn ranks() -> Vec<Set> {
    let by_root = root_after(
        &founding(),
        vec![
            delegation(WEST, 1, 1),
            delegation(EAST, 1, 1),
            delegation(BUREAU, 1, 1),
            person(60, WILLOW, &["V_CLERK"]),
            invite(61, WILLOW, false, 1),
        ],
    );
    let renamed = vec![
        person(60, WILLOW, &[]),
        person(61, WILLOW, &[]),
        invite(60, WILLOW, true, 0),
        invite(61, WILLOW, true, 0),
        person(62, WILLOW, &["V_CLERK"]),
        person(62, WILLOW, &["V_HEAD"]),
        node(62, WILLOW),
        person(62, MILL, &[]),
        invite(63, WILLOW, true, 0),
        invite(63, MILL, true, 0),
        person(63, MILL, &[]),
    ];
    let of_county = by(COUNTY, vec![person(64, WILLOW, &[]), invite(65, MILL, true, 0)]);
    let of_west = by(WEST, vec![person(64, WILLOW, &["V_HEAD"]), invite(65, MILL, false, 1)]);
    let thief = by(WEST, vec![node(66, WILLOW), person(67, WILLOW, &[])]);
    let owner = by(EAST, vec![node(66, ORCHARD), person(67, ORCHARD, &["V_CLERK"])]);
    let of_bureau = by(BUREAU, vec![person(64, MILL, &[]), person(68, WEST, &["T_CLERK"])]);
    let same = by(COUNTY, vec![person(68, WEST, &["T_HEAD"]), node(69, EAST)]);
    vec![
        ("what root has said stands against a registrar", vec![by_root.clone(), by(WEST, renamed)]),
        (
            "what the county has said stands against a township",
            vec![by_root.clone(), of_county.clone(), of_west],
        ),
        ("two townships claim one key", vec![by_root.clone(), thief, owner]),
        ("two offices of the county claim one key", vec![by_root, of_county, of_bureau]),
        (
            "two offices of the county agree about one key",
            vec![
                root_after(&founding(), vec![delegation(BUREAU, 1, 1)]),
                same,
                by(BUREAU, vec![person(68, WEST, &["T_CLERK"])]),
            ],
        ),
    ]
}

fn invitations() -> Vec<Set> {
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
    let unsigned = |keys: &[u8]| sign(&joining_core(60, Some(70), &[71]), keys);
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
                root_after(
                    &founding(),
                    vec![
                        delegation(WEST, 1, 1),
                        Fact::Invite {
                            key: public(60),
                            office: WEST,
                            node: None,
                            people: vec![("王秀兰".to_owned(), vec![REGISTRAR.to_owned()])],
                        },
                    ],
                ),
                joining(60, None, &[71]),
                sign(&first_of(WEST, 1, vec![invite(61, WILLOW, true, 0)]), &[71]),
                joining(61, Some(72), &[]),
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
                sign(&joining_core(62, Some(62), &[]), &[62]),
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
        (
            "a newcomer whose invitation does not count",
            vec![
                delegated(),
                by(WEST, vec![invite(61, ORCHARD, true, 0)]),
                joining(61, Some(70), &[]),
            ],
        ),
        (
            "a registrar lists a newcomer's key before it joins",
            vec![
                invited,
                by(WEST, vec![node(70, MILL), person(71, WILLOW, &[])]),
                joining(62, Some(70), &[]),
                joining(61, None, &[71, 72]),
            ],
        ),
    ]
}

fn terms() -> Vec<Set> {
    let one = by(COUNTY, vec![node(60, WILLOW)]);
    let two = next_by(COUNTY, &one, vec![node(61, MILL)]);
    let three = next_by(COUNTY, &two, vec![node(62, ORCHARD)]);
    let rival = next_by(COUNTY, &one, vec![node(63, MILL)]);
    let behind = next_by(COUNTY, &rival, vec![node(64, ORCHARD)]);
    let all = || vec![one.clone(), two.clone(), three.clone()];
    let with = |editions: &[&Edition]| {
        all().into_iter().chain(editions.iter().copied().cloned()).collect::<Vec<_>>()
    };
    let root = |fact| root_after(&founding(), vec![fact]);
    let close_two = root(closing(COUNTY, 2, &two));
    let next_term = sign(&first_of(COUNTY, 2, vec![node(65, WEST)]), &[registrar_of(COUNTY, 1)]);
    let removed = root(cut(registrar_of(COUNTY, 0)));
    let handed_over =
        root_after(&founding(), vec![cut(registrar_of(COUNTY, 0)), closing(COUNTY, 2, &two)]);
    let lost = Fact::Registrar {
        office: COUNTY,
        term: 2,
        threshold: 1,
        role: REGISTRAR.to_owned(),
        closes: Some((9, EditionId([9; 32]))),
    };
    let misnamed = Fact::Registrar {
        office: COUNTY,
        term: 2,
        threshold: 1,
        role: REGISTRAR.to_owned(),
        closes: Some((1, two.id())),
    };
    let by_other = sign(&after(&two, vec![node(66, WEST)]), &[registrar_of(COUNTY, 1)]);
    let third_term = root_after(&close_two, vec![closing(COUNTY, 3, &next_term)]);
    let of_west = by(WEST, vec![node(67, WILLOW)]);
    let west_two = next_by(WEST, &of_west, vec![node(68, MILL)]);
    let closed_by_county = by(COUNTY, vec![closing(WEST, 2, &of_west), delegation(WEST, 2, 1)]);
    let higher = by(COUNTY, vec![delegation(WEST, 1, 2), delegation(EAST, 5, 1)]);
    vec![
        ("three editions of one registrar", all()),
        ("a chain stops where two contradict each other", with(&[&rival, &behind])),
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
            vec![one.clone(), sign(&after(&one, vec![node(61, MILL)]), &[registrar_of(BUREAU, 0)])],
        ),
        (
            "a county's registrar closes a township's term that root gave",
            vec![delegated(), of_west, west_two, closed_by_county],
        ),
        ("terms that a county's registrar gives beside those of root", vec![delegated(), higher]),
    ]
}

fn cuts() -> Vec<Set> {
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
                by(WEST, vec![cut(70), node(70, WILLOW), cut(71), invite(71, MILL, true, 0)]),
                joining(71, Some(72), &[]),
            ],
        ),
    ]
}
