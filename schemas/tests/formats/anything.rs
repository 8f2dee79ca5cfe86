//! Values of every format, and ways to spoil their bytes.

use proptest::prelude::*;
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{EditionCore, Fact, INVITED_PEOPLE_MAX, OfficeId, Scope, SignerKind};
use xw_schemas::entry::{
    ChangeStatement, Core, Erasure, ErasureGround, ErasureReceipt, Opening, Pin, Statement,
};
use xw_schemas::id::{
    CopyId, EditionId, EntryId, Incarnation, LogId, NetworkId, OperationId, PublicKey, RecordId,
};
use xw_schemas::limits::{
    CHANGE_BYTES_MAX, ROOT_KEYS_MAX, SEQUENCE_MAX, TERM_EDITIONS_MAX, TIME_MS_MAX, TIME_MS_MIN,
};
use xw_schemas::merkle::root_of;
use xw_schemas::record::SchemaHash;
use xw_schemas::space::{Audience, Division, Space};
use xw_schemas::wire::{BlobChunk, Digests, Frame, Have, Hello, PackedEntries};

/// One way to spoil bytes.
#[derive(Debug, Clone)]
pub(crate) enum Spoil {
    Flip(prop::sample::Index, u8),
    Set(prop::sample::Index, u8),
    Insert(prop::sample::Index, u8),
    Remove(prop::sample::Index),
    Cut(prop::sample::Index),
    Repeat(prop::sample::Index, u8),
}

impl Spoil {
    pub(crate) fn apply(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let length = bytes.len();
        match self {
            Self::Flip(at, bit) => bytes[at.index(length)] ^= 1 << (bit % 8),
            Self::Set(at, value) => bytes[at.index(length)] = *value,
            Self::Insert(at, value) => bytes.insert(at.index(length), *value),
            Self::Remove(at) => drop(bytes.remove(at.index(length))),
            Self::Cut(at) => bytes.truncate(at.index(length)),
            Self::Repeat(at, count) => {
                let at = at.index(length);
                let end = (at + usize::from(*count)).min(length);
                let piece = bytes[at..end].to_vec();
                bytes.splice(at..at, piece);
            }
        }
    }
}

pub(crate) fn spoil() -> impl Strategy<Value = Spoil> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        (at(), any::<u8>()).prop_map(|(at, bit)| Spoil::Flip(at, bit)),
        (at(), any::<u8>()).prop_map(|(at, value)| Spoil::Set(at, value)),
        (at(), any::<u8>()).prop_map(|(at, value)| Spoil::Insert(at, value)),
        at().prop_map(Spoil::Remove),
        at().prop_map(Spoil::Cut),
        (at(), any::<u8>()).prop_map(|(at, count)| Spoil::Repeat(at, count)),
    ]
}

fn bytes<const N: usize>() -> impl Strategy<Value = [u8; N]> {
    any::<[u8; N]>()
}

fn number() -> impl Strategy<Value = u64> {
    prop_oneof![0..=SEQUENCE_MAX, 0..300_u64]
}

fn division() -> impl Strategy<Value = Division> {
    let code = 100_000_000_000..1_000_000_000_000_u64;
    code.prop_filter_map("twelve digits", Division::from_number)
}

fn audience() -> impl Strategy<Value = Audience> {
    prop::sample::select(vec![Audience::Office, Audience::Township, Audience::County])
}

/// A core of any statement.
pub(crate) fn core() -> impl Strategy<Value = Core> {
    let ids = (bytes(), bytes(), bytes(), bytes::<32>(), prop::option::of(bytes()));
    let again = prop::option::of(bytes().prop_map(EntryId));
    let acts = (TIME_MS_MIN..=TIME_MS_MAX, bytes(), again, bytes(), any::<bool>());
    (ids, acts, 1..=SEQUENCE_MAX, statement()).prop_map(|(ids, acts, sequence, statement)| {
        let (network, log, previous, root, seen) = ids;
        let (claimed_time_ms, operation, republishes, person, by_person) = acts;
        let core = Core {
            network: NetworkId(network),
            log: LogId(log),
            sequence,
            previous: EntryId(previous),
            root,
            seen: seen.map(EntryId),
            claimed_time_ms,
            operation: OperationId(operation),
            republishes,
            person: by_person.then_some(PublicKey(person)),
            statement,
        };
        match &core.statement {
            Statement::Change(_) if by_person => core,
            Statement::Change(_) => Core { republishes: None, ..core },
            Statement::Erase(_) => Core { person: Some(PublicKey(person)), ..core },
            Statement::Witness(_) | Statement::Erased(_) => {
                Core { person: None, republishes: None, ..core }
            }
            Statement::Open(opening) => Core {
                republishes: None,
                log: LogId::of(core.network, opening.node, opening.space, opening.incarnation),
                sequence: 0,
                previous: EntryId([0; 32]),
                root: root_of(&[]),
                ..core
            },
        }
    })
}

fn statement() -> impl Strategy<Value = Statement> {
    let space = (division(), audience());
    let space = space.prop_map(|(division, audience)| Space { division, audience });
    let opening = (bytes(), space, bytes(), prop::option::of(bytes()));
    let opening = opening.prop_map(|(node, space, incarnation, successor)| Opening {
        node: PublicKey(node),
        space,
        incarnation: Incarnation(incarnation),
        successor_of: successor.map(EntryId),
    });
    let change = (bytes(), "[A-Z0-9_]{1,16}", bytes(), bytes(), 0..=CHANGE_BYTES_MAX as u64);
    let change = change.prop_map(|(record, record_type, schema, commitment, length)| {
        let (record, schema) = (RecordId(record), SchemaHash(schema));
        ChangeStatement { record, record_type, schema, commitment, length }
    });
    let pins =
        prop::collection::btree_map(bytes(), (number(), bytes(), bytes(), bytes::<64>()), 1..5);
    let pins = pins.prop_map(|pins| {
        let pin = |(log, (size, head, root, cosignature)): (_, (u64, _, _, _))| Pin {
            log: LogId(log),
            size: size.max(1),
            head: EntryId(head),
            root,
            time_s: size,
            cosignature,
        };
        pins.into_iter().map(pin).collect()
    });
    let ground = prop::sample::select(ErasureGround::ALL.to_vec());
    let erase = (bytes(), "[A-Z0-9_]{1,16}", ground).prop_map(|(record, record_type, ground)| {
        Erasure { record: RecordId(record), record_type, ground }
    });
    let erased = (bytes(), prop::collection::btree_set(bytes::<32>(), 2));
    let erased = erased.prop_map(|(record, because)| {
        let mut because = because.into_iter().map(EntryId);
        let because = std::array::from_fn(|_| because.next().expect("the set has two"));
        ErasureReceipt { record: RecordId(record), because }
    });
    prop_oneof![
        opening.prop_map(Statement::Open),
        change.prop_map(Statement::Change),
        pins.prop_map(Statement::Witness),
        erase.prop_map(Statement::Erase),
        erased.prop_map(Statement::Erased),
    ]
}

/// An edition of any scope and facts.
pub(crate) fn edition_core() -> impl Strategy<Value = EditionCore> {
    let head = (bytes(), 2..=SEQUENCE_MAX, bytes(), TIME_MS_MIN..=TIME_MS_MAX, any::<bool>());
    let said = prop_oneof![
        (Just(Scope::Root), prop::collection::vec(fact(), 0..6)),
        (registrar(), prop::collection::vec(fact(), 0..6)),
        (key().prop_map(|invite| Scope::Joining { invite }), replace().prop_map(|one| vec![one])),
    ];
    (head, said).prop_map(|(head, (scope, facts))| {
        let (network, number, previous, claimed_time_ms, first) = head;
        let core = EditionCore {
            network: Some(NetworkId(network)),
            scope,
            number,
            previous: EditionId(previous),
            claimed_time_ms,
            facts,
        };
        if !first && !matches!(scope, Scope::Joining { .. }) {
            let most = if scope == Scope::Root { SEQUENCE_MAX } else { TERM_EDITIONS_MAX };
            return EditionCore { number: 2 + core.number % (most - 1), ..core };
        }
        let network = core.network.filter(|_| scope != Scope::Root);
        EditionCore { network, number: 1, previous: EditionId([0; 32]), ..core }
    })
}

fn registrar() -> impl Strategy<Value = Scope> {
    let scope = (any::<u32>(), 0..=SEQUENCE_MAX);
    scope.prop_map(|(office, term)| Scope::Registrar { office: OfficeId(office), term })
}

fn key() -> impl Strategy<Value = PublicKey> {
    any::<u8>().prop_map(|seed| SecretKey::from_seed(&[seed; 32]).public())
}

fn roles() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[A-Z_]{1,16}", 0..4)
}

fn replace() -> impl Strategy<Value = Fact> {
    let invited = (prop::option::of(any::<u32>()), any::<u32>());
    let people = prop::collection::vec(key(), 0..=INVITED_PEOPLE_MAX);
    (invited, prop::option::of(key()), people).prop_map(|((by, office), node, people)| {
        Fact::Replace { by: by.map(OfficeId), office: OfficeId(office), node, people }
    })
}

/// Facts that root and registrars state; what a newcomer states is [`replace`].
fn fact() -> impl Strategy<Value = Fact> {
    let office = || any::<u32>().prop_map(OfficeId);
    let name = || "[\\PC]{0,20}";
    let root = prop::collection::btree_set(key(), 1..6).prop_map(|keys| Fact::Root {
        threshold: (keys.len() as u64).div_ceil(2),
        keys: keys.into_iter().collect(),
    });
    let kind = prop::sample::select(vec![SignerKind::Node, SignerKind::Person]);
    let signer = (key(), kind, office(), name(), roles());
    let kept = prop::collection::btree_map(bytes(), (number(), bytes()), 0..4);
    prop_oneof![
        root,
        any::<u64>().prop_map(|version| Fact::Rules { version }),
        (division(), name()).prop_map(|(division, name)| Fact::Place { division, name }),
        (office(), division(), name()).prop_map(|(office, division, name)| Fact::Office {
            office,
            division,
            name
        }),
        signer.prop_map(|(key, kind, office, name, roles)| Fact::Signer {
            key,
            kind,
            office,
            name,
            roles
        }),
        (bytes(), kept).prop_map(|(key, kept)| {
            let entry = |(log, (number, entry))| (LogId(log), number, EntryId(entry));
            Fact::Cut { key: PublicKey(key), kept: kept.into_iter().map(entry).collect() }
        }),
        ("[A-Z]{1,16}", bytes()).prop_map(|(record_type, definition)| Fact::Schema {
            record_type,
            definition: SchemaHash(definition)
        }),
        delegation(),
        invitation(),
        place().prop_map(|(log, number, entry)| Fact::Adjudicate { log, number, entry }),
        place().prop_map(|(log, number, entry)| Fact::Adopt { log, number, entry }),
        prop::collection::btree_set(bytes::<32>(), 1..5).prop_map(|rejected| Fact::Recover {
            rejected: rejected.into_iter().map(EditionId).collect()
        }),
    ]
}

fn delegation() -> impl Strategy<Value = Fact> {
    let closes = prop::option::of((number(), bytes().prop_map(EditionId)));
    let terms = (1..=SEQUENCE_MAX, 1..=ROOT_KEYS_MAX as u64, "[A-Z_]{1,16}", closes);
    (any::<u32>(), terms).prop_map(|(office, (term, threshold, role, closes))| Fact::Registrar {
        office: OfficeId(office),
        term,
        threshold,
        role,
        closes: closes.filter(|_| term > 1),
    })
}

fn invitation() -> impl Strategy<Value = Fact> {
    let name = || "[\\PC]{0,20}";
    let people = prop::collection::vec((name(), roles()), 0..=INVITED_PEOPLE_MAX);
    (any::<u8>(), registrar(), any::<u32>(), prop::option::of(name()), people).prop_map(
        |(seed, scope, office, node, people)| {
            let node = node.or_else(|| people.is_empty().then(|| "一号机".to_owned()));
            let key = SecretKey::from_seed(&[seed; 32]);
            Fact::invite(&key, scope, OfficeId(office), node, people)
        },
    )
}

fn place() -> impl Strategy<Value = (LogId, u64, EntryId)> {
    (bytes().prop_map(LogId), number(), bytes().prop_map(EntryId))
}

/// A frame of any kind.
pub(crate) fn frame() -> impl Strategy<Value = Frame> {
    let divisions = || prop::collection::vec(division(), 0..5);
    let points = || prop::collection::vec((number(), bytes().prop_map(EntryId)), 0..5);
    let hello = (bytes(), number(), bytes(), number(), bytes());
    let blob = (bytes(), number(), prop::collection::vec(any::<u8>(), 0..50));
    let tips =
        prop::collection::vec((bytes().prop_map(LogId), number(), bytes().prop_map(EntryId)), 0..5);
    let packed = (0..500_000_u64, prop::collection::vec(any::<u8>(), 0..50));
    prop_oneof![
        hello.prop_map(|(network, roster_number, roster, editions, digest)| {
            let (network, roster) = (NetworkId(network), EditionId(roster));
            Frame::Hello(Hello { network, roster_number, roster, editions, digest })
        }),
        number().prop_map(|from| Frame::WantEditions { from }),
        (bytes(), 0..4_000_000_u64).prop_map(|(hash, offset)| Frame::WantBlob { hash, offset }),
        blob.prop_map(|(hash, offset, bytes)| {
            let offset = offset % 4_000_000;
            let total = offset + bytes.len() as u64;
            Frame::Blob(BlobChunk { hash, offset, total, bytes })
        }),
        (divisions(), prop::collection::vec((division(), bytes()), 0..5))
            .prop_map(|(groups, items)| Frame::Digests(Digests { groups, items })),
        (prop::option::of(divisions()), tips, any::<bool>())
            .prop_map(|(divisions, tips, answer)| Frame::Have(Have { divisions, tips, answer })),
        bytes().prop_map(|log| Frame::Locate { log: LogId(log) }),
        (bytes(), points()).prop_map(|(log, points)| Frame::Known { log: LogId(log), points }),
        packed.prop_map(|(unpacked, packed)| Frame::Entries(PackedEntries { unpacked, packed })),
        any::<u64>().prop_map(|bytes| Frame::Ack { bytes }),
        ("[\\PC]{0,50}", any::<u64>())
            .prop_map(|(reason, retry_after_ms)| Frame::Bye { reason, retry_after_ms }),
        prop::collection::vec(bytes().prop_map(CopyId), 0..5).prop_map(Frame::Editions),
    ]
}

/// A frame of each kind that holds lists, to be spoilt.
pub(crate) fn some_frames() -> Vec<Frame> {
    let division = Division::from_number(130_599_201_203).expect("it has twelve digits");
    let (log, entry) = (LogId([1; 32]), EntryId([2; 32]));
    vec![
        Frame::Digests(Digests { groups: vec![division], items: vec![(division, [3; 32])] }),
        Frame::Have(Have {
            divisions: Some(vec![division]),
            tips: vec![(log, 5, entry)],
            answer: true,
        }),
        Frame::Known { log, points: vec![(9, entry), (4, entry)] },
        Frame::Blob(BlobChunk { hash: [1; 32], offset: 2, total: 5, bytes: vec![1, 2, 3] }),
        Frame::Editions(vec![CopyId([1; 32])]),
        Frame::Bye { reason: "再见".to_owned(), retry_after_ms: 5 },
    ]
}
