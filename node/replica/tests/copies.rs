//! Two nodes hold copies of one registrar's edition that different people have signed. Which of them
//! counts may change with the next cut, so both end with all signatures, over the wire alone.

#![expect(clippy::unwrap_used, reason = "what a test makes itself is there")]

use std::collections::VecDeque;

use xw_ledger::log::Logs;
use xw_ledger::roster::Chain;
use xw_replica::{Effect, Event, Held, Replica, SessionId};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::EditionId;
use xw_schemas::space::Division;

const DAY_MS: u64 = 1_795_132_800_000;
const SESSION: SessionId = SessionId(1);

/// The numbers of keys: the root, three registrars of the township, the two nodes.
const ROOT: u8 = 1;
const REGISTRARS: [u8; 3] = [2, 3, 4];
const NODES: [u8; 2] = [5, 6];

fn key(number: u8) -> SecretKey {
    SecretKey::from_seed(&[number; 32])
}

fn sign(core: &EditionCore, keys: &[u8]) -> Edition {
    let keys: Vec<SecretKey> = keys.iter().map(|number| key(*number)).collect();
    Edition::sign(core, &keys).unwrap()
}

fn signer(number: u8, kind: SignerKind, role: &str) -> Fact {
    let roles = if role.is_empty() { Vec::new() } else { vec![role.to_owned()] };
    let (key, office) = (key(number).public(), OfficeId(1));
    Fact::Signer { key, kind, office, name: "某".to_owned(), roles }
}

/// A township with two PCs and three registrars, of whom two must sign.
fn founding() -> Edition {
    let division = Division::from_number(130_599_201_000).unwrap();
    let mut facts = vec![
        Fact::Root { threshold: 1, keys: vec![key(ROOT).public()] },
        Fact::Rules { version: xw_ledger::roster::RULES_VERSION },
        Fact::Office { office: OfficeId(1), division, name: "镇".to_owned() },
    ];
    facts.extend(REGISTRARS.map(|number| signer(number, SignerKind::Person, "TADM")));
    facts.extend(NODES.map(|number| signer(number, SignerKind::Node, "")));
    facts.push(Fact::Registrar {
        office: OfficeId(1),
        term: 1,
        threshold: 2,
        role: "TADM".to_owned(),
        closes: None,
    });
    let core = EditionCore {
        network: None,
        scope: Scope::Root,
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: DAY_MS,
        facts,
    };
    sign(&core, &[ROOT])
}

/// What the registrars say, as some of them have signed it.
fn said(founding: &Edition, signers: &[u8]) -> Edition {
    let core = EditionCore {
        network: Some(founding.network()),
        scope: Scope::Registrar { office: OfficeId(1), term: 1 },
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: DAY_MS,
        facts: Vec::new(),
    };
    sign(&core, signers)
}

/// Root dismisses a registrar.
fn dismissal(founding: &Edition, number: u8) -> Edition {
    let core = EditionCore {
        network: Some(founding.network()),
        scope: Scope::Root,
        number: 2,
        previous: founding.id(),
        claimed_time_ms: DAY_MS,
        facts: vec![Fact::Cut { key: key(number).public(), kept: Vec::new() }],
    };
    sign(&core, &[ROOT])
}

struct Node {
    chain: Chain,
    logs: Logs,
    replica: Replica,
}

impl Node {
    fn new(at: usize, editions: Vec<Edition>) -> Self {
        let mut chain = Chain::founded(founding()).unwrap();
        chain.add_all(editions).unwrap();
        Self { chain, logs: Logs::new(), replica: Replica::new(key(NODES[at]).public()) }
    }

    /// What comes of an event: events of its own, and frames for the other side.
    fn handle(&mut self, event: Event) -> Vec<Event> {
        let (mut own, mut frames) = (VecDeque::from([event]), Vec::new());
        while let Some(event) = own.pop_front() {
            let (chain, logs) = (&self.chain, &self.logs);
            let held = Held { chain, logs, missing_definitions: &[] };
            for effect in self.replica.handle(held, 0, event) {
                match effect {
                    Effect::Send { session, frame } => {
                        frames.push(Event::Frame { session, frame });
                    }
                    Effect::ReadBlob { session, hash, offset } => {
                        let copy = self.chain.copy(&xw_schemas::id::CopyId(hash));
                        let bytes = copy.map(|edition| edition.bytes().to_vec());
                        own.push_back(Event::BlobRead { session, hash, offset, bytes });
                    }
                    Effect::AddEdition { edition, .. } => {
                        self.chain.add(edition).unwrap();
                        own.push_back(Event::RosterChanged);
                    }
                    Effect::Close { reason, .. } => panic!("the conversation ends: {reason}"),
                    _ => {}
                }
            }
        }
        frames
    }
}

/// Lets two nodes talk until both are silent.
fn converse(nodes: &mut [Node; 2]) {
    let mut queue: VecDeque<(usize, Event)> = VecDeque::new();
    for at in 0..2 {
        let peer = key(NODES[1 - at]).public();
        let opened = Event::Opened { session: SESSION, peer, dialer: at == 0 };
        queue.push_back((at, opened));
    }
    for _ in 0..1_000 {
        let Some((at, event)) = queue.pop_front() else { return };
        queue.extend(nodes[at].handle(event).into_iter().map(|frame| (1 - at, frame)));
    }
    panic!("they never fall silent");
}

#[test]
fn copies_with_other_signatures_are_fetched_and_joined() {
    let founding = founding();
    let copies = [&[2, 3], &[2, 4]].map(|signers| said(&founding, signers));
    let id = copies[0].id();
    assert_ne!(copies[0].copy_id(), copies[1].copy_id());
    // The second registrar is dismissed: where his signature is one of two the edition falls.
    let cut = dismissal(&founding, 3);
    let [one, other] = copies.map(|copy| vec![copy, cut.clone()]);
    let mut nodes = [Node::new(0, one), Node::new(1, other)];
    assert_ne!(nodes[0].chain.roster().state(), nodes[1].chain.roster().state());
    converse(&mut nodes);
    for node in &nodes {
        assert!(node.chain.roster().counted().contains(&id));
        assert_eq!(node.chain.edition(&id).unwrap().signers().len(), 3);
    }
    assert_eq!(nodes[0].chain.roster().state(), nodes[1].chain.roster().state());
}

/// A dismissed registrar signs a copy once more: whoever has it hands it on, and all end alike.
#[test]
fn a_copy_that_somebody_signed_once_more_keeps_nobody_apart() {
    let founding = founding();
    let cut = dismissal(&founding, 4);
    let copies = [&[2, 3][..], &[2, 3, 4]].map(|signers| said(&founding, signers));
    let behind = EditionCore { number: 2, previous: copies[0].id(), ..copies[0].core().clone() };
    let behind = sign(&behind, &[2, 3]);
    let [whole, more] = copies;
    let mut nodes = [Node::new(0, vec![whole, cut.clone()]), Node::new(1, vec![more, cut, behind])];
    converse(&mut nodes);
    let bytes = nodes.each_ref().map(|node| {
        let held: Vec<Vec<u8>> = node.chain.editions().map(|one| one.bytes().to_vec()).collect();
        held
    });
    assert_eq!(bytes[0], bytes[1]);
}
