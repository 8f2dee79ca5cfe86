//! Sets of editions and what they amount to: one for every rule of the roster.

use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::{EditionId, EntryId, LogId, NetworkId};
use xw_schemas::record::SchemaHash;
use xw_schemas::space::Division;

use crate::newcomers;
use crate::world::{
    BUREAU, COUNTY, EAST, MILL, ORCHARD, ROOTS, WEST, WILLOW, after, by, cut, delegation, first_of,
    founding, invite, invite_registrar, joining, key, next_by, node, node_of, person, public,
    registrar, registrar_of, registrar_role, root_after, sign, signer,
};

/// A name and a set of editions, the founding one first.
pub(crate) type Set = (&'static str, Vec<Edition>);

pub(crate) fn sets() -> Vec<Set> {
    let sets = [
        roots(),
        recoveries(),
        registrars(),
        areas(),
        ranks(),
        newcomers::invitations(),
        newcomers::terms(),
        newcomers::cuts(),
    ];
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
pub(crate) fn delegated() -> Edition {
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
            vec![left.clone(), right.clone(), to_left.clone(), to_right, beyond],
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
            vec![left, right, by(COUNTY, vec![invite(60, WEST, false, 1)])],
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
    let enrolled = by(COUNTY, vec![invite_registrar(60, WEST), invite(61, WILLOW, true, 0)]);
    let second = next_by(COUNTY, &enrolled, vec![delegation(WEST, 1, 1)]);
    let by_new = sign(&first_of(WEST, 1, vec![invite(62, WILLOW, false, 1)]), &[64]);
    let two = root_after(&founding(), vec![delegation(WEST, 1, 2)]);
    let pair = [registrar_of(WEST, 0), registrar_of(WEST, 1)];
    let of_two = first_of(WEST, 1, vec![invite(61, WILLOW, true, 0)]);
    let clerk = root_after(&founding(), vec![person(60, COUNTY, &["C_CLERK"])]);
    let all = first_of(COUNTY, 1, vec![invite(61, WILLOW, true, 0)]);
    let pair_of_county = [registrar_of(COUNTY, 0), registrar_of(COUNTY, 1)];
    let dismissed =
        root_after(&founding(), vec![person(registrar_of(COUNTY, 0), COUNTY, &["C_CLERK"])]);
    let before = next_by(COUNTY, &enrolled, vec![invite(63, MILL, true, 0)]);
    vec![
        (
            "a county registrar invites and delegates, and who came invites in turn",
            vec![enrolled.clone(), joining((Some(COUNTY), WEST), 60, None, &[64]), second, by_new],
        ),
        ("an edition that two of two registrars signed", vec![two.clone(), sign(&of_two, &pair)]),
        ("an edition that one of two registrars signed", vec![two, sign(&of_two, &pair[..1])]),
        ("a person without the role does not register", vec![clerk, sign(&all, &[60])]),
        ("a node does not register", vec![sign(&all, &[node_of(COUNTY)])]),
        (
            "registrars of another office do not register",
            vec![sign(&all, &[registrar_of(BUREAU, 0)])],
        ),
        ("an office without delegation", vec![by(BUREAU, vec![invite(61, WILLOW, true, 0)])]),
        (
            "a term that nobody gave",
            vec![sign(&first_of(COUNTY, 2, rules()), &[registrar_of(COUNTY, 0)])],
        ),
        ("a registrar's role is not taken away", vec![enrolled.clone(), dismissed]),
        (
            "a copy with a stranger's signature waits for one without",
            vec![
                sign(&all, &[pair_of_county[0], 60]),
                sign(&all, &pair_of_county),
                root_after(&founding(), vec![cut(pair_of_county[0])]),
            ],
        ),
        (
            "a term that an edition without effect gives",
            vec![
                by(COUNTY, vec![delegation(WEST, 1, 1), delegation(WEST, 1, 2)]),
                sign(&first_of(COUNTY, 2, vec![delegation(EAST, 1, 1)]), &pair_of_county),
                next_by(BUREAU, &by(BUREAU, vec![]), vec![]),
                root_after(
                    &founding(),
                    vec![delegation(BUREAU, 1, 1), cut(registrar_of(BUREAU, 0))],
                ),
                by(BUREAU, vec![delegation(EAST, 1, 1)]),
                by(EAST, vec![invite(65, ORCHARD, true, 0)]),
            ],
        ),
        ("a former registrar floods the place of the one in office", {
            let root =
                root_after(&founding(), vec![cut(registrar_of(WEST, 0)), delegation(WEST, 1, 1)]);
            let honest =
                sign(&first_of(WEST, 1, vec![invite(60, MILL, true, 0)]), &[registrar_of(WEST, 1)]);
            let flood = (66..70).map(|number| by(WEST, vec![invite(number, MILL, true, 0)]));
            std::iter::once(root).chain(flood).chain([honest]).collect()
        }),
        ("an edition of a registrar left out", vec![before]),
        (
            "a village registers nobody",
            vec![
                root_after(&founding(), vec![registrar(60, WILLOW), delegation(WILLOW, 1, 1)]),
                sign(&first_of(WILLOW, 1, vec![person(62, WILLOW, &[])]), &[60]),
            ],
        ),
        (
            "a copy with fewer signatures is made whole by another",
            vec![
                sign(&all, &pair_of_county[..1]),
                sign(&all, &pair_of_county),
                root_after(&founding(), vec![cut(pair_of_county[0])]),
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
        invite(61, WILLOW, true, 0),
    ];
    let outside = vec![
        registrar(60, WEST),
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
        invite(68, MILL, true, 0),
    ];
    let county = vec![
        registrar(60, COUNTY),
        registrar(62, BUREAU),
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

/// An invitation of one person with these roles.
fn invite_with(number: u8, office: OfficeId, roles: &[&str]) -> Fact {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    Fact::invite(&key(number), Scope::Root, office, None, vec![("王秀兰".to_owned(), roles)])
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
    let same = by(COUNTY, vec![invite_registrar(68, WEST), person(70, WEST, &["T_HEAD"])]);
    let levels = by(
        WEST,
        vec![
            invite_with(71, WILLOW, &["V_CLERK", "C_LEAD", "SUBJ"]),
            person(72, WILLOW, &["C_DEP", "V_HEAD", "T_CLERK", "R"]),
        ],
    );
    vec![
        (
            "roles of another level than the office's",
            vec![
                root_after(
                    &founding(),
                    vec![
                        delegation(WEST, 1, 1),
                        person(60, WILLOW, &["T_CLERK", "V_CLERK"]),
                        invite_with(61, WEST, &["V_CLERK", "T_HEAD", "C_HEAD"]),
                        Fact::Registrar {
                            office: EAST,
                            term: 1,
                            threshold: 1,
                            role: registrar_role(COUNTY),
                            closes: None,
                        },
                        person(registrar_of(EAST, 0), EAST, &[&registrar_role(COUNTY)]),
                    ],
                ),
                joining((None, WEST), 61, None, &[70]),
                levels,
                joining((Some(WEST), WILLOW), 71, None, &[72]),
                by(EAST, vec![invite(62, ORCHARD, true, 0)]),
            ],
        ),
        ("what root has said stands against a registrar", vec![by_root.clone(), by(WEST, renamed)]),
        (
            "what the county has said stands against a township",
            vec![by_root.clone(), of_county.clone(), of_west],
        ),
        ("two townships list a key that nobody invited", vec![by_root.clone(), thief, owner]),
        ("two offices of the county claim one key", vec![by_root, of_county, of_bureau]),
        (
            "two offices of the county agree about one key",
            vec![
                root_after(&founding(), vec![delegation(BUREAU, 1, 1)]),
                same,
                joining((Some(COUNTY), WEST), 68, None, &[70]),
                by(BUREAU, vec![person(70, WEST, &["T_CLERK"])]),
            ],
        ),
    ]
}
