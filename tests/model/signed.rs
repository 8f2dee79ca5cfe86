//! Every entry and edition of a small world as signed bytes, made once. Decides nothing.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::sync::LazyLock;

use xw_ledger::roster::{Chain, RULES_VERSION, Roster};
use xw_schemas::checkpoint::{Checkpoint, cosign};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::entry::{ChangeStatement, Core, Opening, Statement, VerifiedEntry, sign};
use xw_schemas::id::{
    EditionId, EntryId, Incarnation, LogId, NetworkId, OperationId, PublicKey, RecordId,
};
use xw_schemas::merkle::{Frontier, root_of};
use xw_schemas::record::SchemaHash;
use xw_schemas::space::{Audience, Division, Space};

use crate::fact::{Book, Edict, Id, Key, Log, Office, Said};

/// When everything happens, milliseconds since 1970.
const NOW_MS: u64 = 1_800_000_000_000;

/// The role that makes a person of the township a registrar.
const REGISTRAR: &str = "TADM";

const KEYS: [Key; 7] = [
    Key::County,
    Key::SecondCounty,
    Key::NewCounty,
    Key::Town,
    Key::Stranger,
    Key::Village,
    Key::Successor,
];

/// The signed form of a book.
pub(crate) struct Signed<'a> {
    book: &'a Book,
    founding: Edition,
    entries: RefCell<BTreeMap<Id, Rc<Made>>>,
    logs: RefCell<BTreeMap<Log, LogId>>,
    rosters: RefCell<BTreeMap<Vec<Edict>, Rc<Roster>>>,
}

struct Made {
    entry: VerifiedEntry,
    /// The tree up to it.
    tree: Frontier,
}

impl<'a> Signed<'a> {
    pub(crate) fn new(book: &'a Book) -> Self {
        let founding = founding();
        Self {
            book,
            founding,
            entries: Default::default(),
            logs: Default::default(),
            rosters: Default::default(),
        }
    }

    fn network(&self) -> NetworkId {
        self.founding.network()
    }

    /// The id of a log.
    pub(crate) fn log(&self, log: Log) -> LogId {
        let of = || LogId::of(self.network(), node(log.key), space(log.key), incarnation(log));
        *self.logs.borrow_mut().entry(log).or_insert_with(of)
    }

    /// The id of an entry.
    pub(crate) fn id(&self, id: Id) -> EntryId {
        self.made(id).entry.id()
    }

    /// An entry, signed.
    pub(crate) fn entry(&self, id: Id) -> VerifiedEntry {
        self.made(id).entry.clone()
    }

    fn made(&self, id: Id) -> Rc<Made> {
        if let Some(made) = self.entries.borrow().get(&id) {
            return made.clone();
        }
        let entry = self.book.read(id);
        let before = entry.previous.map(|before| self.made(before));
        let core = Core {
            network: self.network(),
            log: self.log(entry.log),
            sequence: entry.number.into(),
            previous: before.as_ref().map_or(EntryId([0; 32]), |before| before.entry.id()),
            root: before.as_ref().map_or_else(|| root_of(&[]), |before| before.tree.root()),
            seen: None,
            claimed_time_ms: NOW_MS + u64::from(id),
            operation: operation(&entry.said, id),
            republishes: None,
            person: None,
            statement: self.statement(entry.log, &entry.said),
        };
        let signed = sign(core, secret(entry.log.key), None)
            .expect("an entry of a small world can be signed");
        let mut tree = before.map_or_else(Frontier::new, |before| before.tree.clone());
        tree.push(&signed.id());
        let made = Rc::new(Made { entry: signed, tree });
        self.entries.borrow_mut().insert(id, made.clone());
        made
    }

    fn statement(&self, log: Log, said: &Said) -> Statement {
        match said {
            Said::Open(_) => Statement::Open(Opening {
                node: node(log.key),
                space: space(log.key),
                incarnation: incarnation(log),
                successor_of: None,
            }),
            Said::Typed(_) | Said::Variant(_) => Statement::Change(ChangeStatement {
                record: RecordId([1; 16]),
                record_type: "SVC".into(),
                schema: SchemaHash([2; 32]),
                commitment: [3; 32],
                length: 1,
            }),
            Said::Pins(pins) => {
                let cosigned = pins.iter().map(|pin| {
                    let head = self.made(pin.head);
                    let checkpoint = Checkpoint {
                        network: self.network(),
                        log: self.log(pin.log),
                        size: u64::from(pin.number) + 1,
                        root: head.tree.root(),
                    };
                    cosign(secret(log.key), &checkpoint, head.entry.id(), NOW_MS / 1_000)
                });
                let mut pins: Vec<_> = cosigned.collect();
                pins.sort_by_key(|pin| pin.log);
                Statement::Witness(pins)
            }
        }
    }

    /// The roster that these editions amount to.
    pub(crate) fn roster(&self, edicts: &[Edict]) -> Rc<Roster> {
        if let Some(roster) = self.rosters.borrow().get(edicts) {
            return roster.clone();
        }
        let mut chain = Chain::founded(self.founding.clone()).unwrap();
        for edict in edicts {
            let edition = self.edition(&chain, edict);
            assert_eq!(chain.add(edition), Ok(true), "{edict:?}");
            if let Edict::Cut { by: Office::Registrar, key, .. } = edict
                && let Some(successor) = key.successor()
            {
                let joins = joining(self.network(), successor);
                // Invited twice, it joins once.
                assert!(chain.add(joins).is_ok(), "{edict:?}");
            }
        }
        let roster = Rc::new(chain.roster().clone());
        self.rosters.borrow_mut().insert(edicts.to_vec(), roster.clone());
        roster
    }

    fn edition(&self, chain: &Chain, edict: &Edict) -> Edition {
        let point = |id: Id| {
            let entry = self.book.read(id);
            (self.log(entry.log), u64::from(entry.number), self.id(id))
        };
        let (by, facts) = match edict {
            Edict::Cut { by, key, kept } => {
                let mut kept: Vec<_> = kept.iter().map(|(_, id)| point(*id)).collect();
                kept.sort_by_key(|(log, ..)| *log);
                let mut facts = vec![Fact::Cut { key: node(*key), kept }];
                // Root lists a successor's key; a registrar invites it, and it proves itself.
                facts.extend(key.successor().map(|key| match by {
                    Office::Root => enrolled(key),
                    Office::Registrar => invited(key),
                }));
                (*by, facts)
            }
            Edict::Adjudicate(_, id) => {
                let (log, number, entry) = point(*id);
                (Office::Root, vec![Fact::Adjudicate { log, number, entry }])
            }
            Edict::Adopt(id) => {
                let (log, number, entry) = point(*id);
                (Office::Root, vec![Fact::Adopt { log, number, entry }])
            }
        };
        let (scope, key) = match by {
            Office::Root => (Scope::Root, root()),
            Office::Registrar => (registrars(), registrar()),
        };
        let (number, previous) = chain.tip(scope).unwrap_or((0, EditionId([0; 32])));
        let core = EditionCore {
            network: Some(self.network()),
            scope,
            number: number + 1,
            previous,
            claimed_time_ms: NOW_MS,
            facts,
        };
        Edition::sign(&core, &[key]).unwrap()
    }
}

/// One root key, one registrar of the township, and everybody's node but the successor's.
fn founding() -> Edition {
    let mut facts = vec![
        Fact::Root { threshold: 1, keys: vec![root().public()] },
        Fact::Rules { version: RULES_VERSION },
    ];
    for key in [Key::County, Key::Town, Key::Stranger, Key::Village] {
        let (office, division) = (office(key), division(key));
        facts.push(Fact::Office { office, division, name: "机构".into() });
        facts.push(enrolled(key));
    }
    facts.push(enrolled(Key::SecondCounty));
    facts.push(Fact::Signer {
        key: registrar().public(),
        kind: SignerKind::Person,
        office: office(Key::Town),
        name: "某".into(),
        roles: vec![REGISTRAR.into()],
    });
    facts.push(Fact::Registrar {
        office: office(Key::Town),
        term: 1,
        threshold: 1,
        role: REGISTRAR.into(),
        closes: None,
    });
    let core = EditionCore {
        network: None,
        scope: Scope::Root,
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: NOW_MS,
        facts,
    };
    Edition::sign(&core, &[root()]).unwrap()
}

fn registrars() -> Scope {
    Scope::Registrar { office: office(Key::Town), term: 1 }
}

fn enrolled(key: Key) -> Fact {
    Fact::Signer {
        key: node(key),
        kind: SignerKind::Node,
        office: office(key),
        name: "某".into(),
        roles: Vec::new(),
    }
}

/// The temporary key of an invitation.
fn invite(key: Key) -> SecretKey {
    SecretKey::from_seed(&[100 + key as u8; 32])
}

fn invited(key: Key) -> Fact {
    Fact::invite(&invite(key), registrars(), office(key), Some("某".into()), Vec::new())
}

/// The successor replaces its invitation.
fn joining(network: NetworkId, key: Key) -> Edition {
    let invite = invite(key);
    let core = EditionCore {
        network: Some(network),
        scope: Scope::Joining { invite: invite.public() },
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: NOW_MS,
        facts: vec![Fact::Replace {
            by: registrars().office(),
            office: office(key),
            node: Some(node(key)),
            people: Vec::new(),
        }],
    };
    Edition::sign(&core, &[invite, secret(key).clone()]).unwrap()
}

fn office(key: Key) -> OfficeId {
    OfficeId(match key {
        Key::County | Key::SecondCounty | Key::NewCounty => 1,
        Key::Town => 2,
        Key::Stranger => 3,
        Key::Village | Key::Successor => 4,
    })
}

fn division(key: Key) -> Division {
    Division::from_number(match key {
        Key::County | Key::SecondCounty | Key::NewCounty => 130_599_000_000,
        Key::Town => 130_599_201_000,
        Key::Stranger => 130_599_202_000,
        Key::Village | Key::Successor => 130_599_201_201,
    })
    .unwrap()
}

fn space(key: Key) -> Space {
    Space { division: division(key), audience: Audience::Office }
}

/// The keys of all members, made once: making one costs more than placing a hundred entries.
static SECRETS: LazyLock<BTreeMap<Key, (SecretKey, PublicKey)>> = LazyLock::new(|| {
    let pair = |key: Key| {
        let secret = SecretKey::from_seed(&[10 + key as u8; 32]);
        let public = secret.public();
        (key, (secret, public))
    };
    KEYS.into_iter().map(pair).collect()
});

fn secret(key: Key) -> &'static SecretKey {
    &SECRETS[&key].0
}

fn root() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

fn registrar() -> SecretKey {
    SecretKey::from_seed(&[2; 32])
}

/// The node key of a member.
pub(crate) fn node(key: Key) -> PublicKey {
    SECRETS[&key].1
}

fn incarnation(log: Log) -> Incarnation {
    Incarnation([log.incarnation; 16])
}

/// What was typed keeps its operation in every republication; all else is an act of its own.
fn operation(said: &Said, id: Id) -> OperationId {
    let mut bytes = [0; 16];
    match said {
        Said::Typed(op) => bytes[0] = 1 + op,
        _ => bytes[8..10].copy_from_slice(&(1 + id).to_le_bytes()),
    }
    OperationId(bytes)
}
