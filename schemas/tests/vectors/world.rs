//! The people, keys and statements that the vectors are made of: all from fixed seeds.

use xw_schemas::cbor::Writer;
use xw_schemas::checkpoint::{Checkpoint, cosign};
use xw_schemas::cose::{self, CoseSignature, Purpose, SecretKey};
use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::entry::{
    Body, ChangeStatement, Core, Erasure, ErasureGround, ErasureReceipt, Opening, Pin, Statement,
};
use xw_schemas::hash::plain;
use xw_schemas::id::{
    EditionId, EntryId, Incarnation, LogId, NetworkId, OperationId, PublicKey, RecordId,
};
use xw_schemas::merkle;
use xw_schemas::record::SchemaHash;
use xw_schemas::space::{Audience, Division, Space};

/// 2026-11-20 in milliseconds, the day on which the vectors play.
pub(crate) const DAY_MS: u64 = 1_795_132_800_000;

/// The PC of the township office; writes the log of the vectors.
pub(crate) fn node() -> SecretKey {
    SecretKey::from_seed(&[1; 32])
}

/// A clerk there.
pub(crate) fn person() -> SecretKey {
    SecretKey::from_seed(&[2; 32])
}

/// The PC of a village.
pub(crate) fn other_node() -> SecretKey {
    SecretKey::from_seed(&[3; 32])
}

/// Three root keys, ascending.
pub(crate) fn roots() -> Vec<SecretKey> {
    let mut roots: Vec<SecretKey> =
        [11, 12, 13].into_iter().map(|seed| SecretKey::from_seed(&[seed; 32])).collect();
    roots.sort_by_key(SecretKey::public);
    roots
}

pub(crate) fn division(code: u64) -> Division {
    Division::from_number(code).expect("the codes of the vectors have twelve digits")
}

/// The founding edition: two of three root keys, one office, its node and its clerk.
pub(crate) fn founding_core() -> EditionCore {
    let office = OfficeId(1);
    let signer = |key: &SecretKey, kind, name: &str, roles: &[&str]| Fact::Signer {
        key: key.public(),
        kind,
        office,
        name: name.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
    };
    EditionCore {
        scope: Scope::Root,
        network: None,
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: DAY_MS,
        facts: vec![
            Fact::Root { threshold: 2, keys: roots().iter().map(SecretKey::public).collect() },
            Fact::Rules { version: 1 },
            Fact::Place { division: division(130_599_201_000), name: "柳河镇".to_owned() },
            Fact::Office {
                office,
                division: division(130_599_201_000),
                name: "柳河镇人民政府".to_owned(),
            },
            signer(&node(), SignerKind::Node, "镇政府一号机", &[]),
            signer(&person(), SignerKind::Person, "李明", &["T_CLERK"]),
            Fact::Schema { record_type: "SVC".to_owned(), definition: schema() },
        ],
    }
}

pub(crate) fn founding() -> Edition {
    Edition::sign(&founding_core(), &roots()[..2]).expect("the founding edition is sound")
}

/// The temporary key that a newcomer carries home.
pub(crate) fn invite() -> SecretKey {
    SecretKey::from_seed(&[21; 32])
}

/// The first edition of an office's registrars: an invitation of a PC and a person.
pub(crate) fn invitation_core() -> EditionCore {
    invitation_in(Scope::Registrar { office: OfficeId(1), term: 1 })
}

/// The same in another scope.
pub(crate) fn invitation_in(scope: Scope) -> EditionCore {
    let people = vec![("王秀兰".to_owned(), vec!["V_CLERK".to_owned()])];
    let node = Some("村委会一号机".to_owned());
    let invitation = Fact::invite(&invite(), scope, OfficeId(2), node, people);
    EditionCore {
        network: Some(network()),
        scope,
        number: 1,
        previous: EditionId([0; 32]),
        claimed_time_ms: DAY_MS + 1,
        facts: vec![invitation],
    }
}

pub(crate) fn invitation() -> Edition {
    Edition::sign(&invitation_core(), &[person()]).expect("the registrar's edition is sound")
}

/// A person who is new.
pub(crate) fn newcomer(number: u8) -> SecretKey {
    SecretKey::from_seed(&[30 + number; 32])
}

/// The newcomer's own keys, in the place of the invitation.
pub(crate) fn joining_core() -> EditionCore {
    let (node, people) = (Some(other_node().public()), vec![newcomer(0).public()]);
    EditionCore {
        scope: Scope::Joining { invite: invite().public() },
        facts: vec![Fact::Replace { by: Some(OfficeId(1)), office: OfficeId(2), node, people }],
        ..invitation_core()
    }
}

pub(crate) fn joining() -> Edition {
    let keys = [invite(), other_node(), newcomer(0)];
    Edition::sign(&joining_core(), &keys).expect("the newcomer's edition is sound")
}

pub(crate) fn network() -> NetworkId {
    founding().network()
}

pub(crate) fn schema() -> SchemaHash {
    SchemaHash(plain(&[b"the definition of a service case"]))
}

pub(crate) fn space() -> Space {
    Space { division: division(130_599_201_000), audience: Audience::Township }
}

pub(crate) fn opening() -> Opening {
    Opening {
        node: node().public(),
        space: space(),
        incarnation: Incarnation([0x11; 16]),
        successor_of: None,
    }
}

pub(crate) fn log() -> LogId {
    let Opening { node, space, incarnation, .. } = opening();
    LogId::of(network(), node, space, incarnation)
}

pub(crate) fn operation(number: u8) -> OperationId {
    OperationId([number; 16])
}

/// The record that the vectors write.
pub(crate) fn record() -> RecordId {
    RecordId::of(network(), node().public(), operation(1), DAY_MS)
}

/// An opening, ready to be spoilt.
pub(crate) fn open_core() -> Core {
    Core {
        network: network(),
        log: log(),
        sequence: 0,
        previous: EntryId([0; 32]),
        root: merkle::root_of(&[]),
        seen: None,
        claimed_time_ms: DAY_MS,
        operation: operation(0),
        republishes: None,
        person: None,
        statement: Statement::Open(opening()),
    }
}

/// An Automerge change of one operation: puts a text under a key of the root map.
pub(crate) fn change(before: Option<&[u8]>, key: &str, text: &str) -> Vec<u8> {
    let (seq, deps) = match before {
        None => (1, vec![0]),
        Some(before) => (2, [&[1][..], &plain(&[&before[8..]])].concat()),
    };
    let literal = |bytes: &[u8]| [&[0x7f][..], bytes].concat();
    let length = u8::try_from(text.len()).expect("the texts of the vectors are short");
    let key_length = u8::try_from(key.len()).expect("so are the keys");
    let meta = u16::from(length) << 4 | 6;
    let mut columns = vec![
        (0x15, literal(&[&[key_length][..], key.as_bytes()].concat())),
        (0x34, vec![1]),
        (0x42, literal(&[1])),
        (0x56, literal(&[(meta & 0x7f | 0x80) as u8, (meta >> 7) as u8])),
        (0x57, text.as_bytes().to_vec()),
        (0x70, literal(&[u8::from(before.is_some())])),
    ];
    if before.is_some() {
        columns.extend([(0x71, literal(&[0])), (0x73, literal(&[1]))]);
    }
    let actor = log().actor(record());
    let mut body = [&deps[..], &[16], &actor, &[seq, seq]].concat();
    body.extend(signed_leb(DAY_MS / 1_000));
    body.extend([0, 0]);
    // The columns' numbers and lengths are all below 128 or need two bytes of LEB128.
    body.push(columns.len() as u8);
    for (number, data) in &columns {
        body.extend([*number, data.len() as u8]);
    }
    columns.iter().for_each(|(_, data)| body.extend(data));
    let length = [(body.len() & 0x7f | 0x80) as u8, (body.len() >> 7) as u8];
    let length = if body.len() < 0x80 { vec![body.len() as u8] } else { length.to_vec() };
    let hashed = [&[1][..], &length, &body].concat();
    [&[0x85, 0x6f, 0x4a, 0x83][..], &plain(&[&hashed])[..4], &hashed].concat()
}

fn signed_leb(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value >= 0x40 {
        out.push((value & 0x7f | 0x80) as u8);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A body with a fixed salt. Real salts are random.
pub(crate) fn body() -> Body {
    Body::new([0x5a; 16], &change(None, "summary", "村东机井水泵损坏"))
}

pub(crate) fn change_statement(body: &Body) -> ChangeStatement {
    ChangeStatement {
        record: record(),
        record_type: "SVC".to_owned(),
        schema: schema(),
        commitment: body.commitment(),
        length: body.change().len() as u64,
    }
}

/// A change by the clerk, in slot 1.
pub(crate) fn change_core() -> Core {
    let first = open_core().id();
    Core {
        sequence: 1,
        previous: first,
        root: merkle::root_of(&[first]),
        operation: operation(1),
        person: Some(person().public()),
        statement: Statement::Change(change_statement(&body())),
        ..open_core()
    }
}

/// Unattended work of the node alone, in slot 1.
pub(crate) fn node_core() -> Core {
    Core { person: None, ..change_core() }
}

/// A pin on a log that is not otherwise shown; `number` decides where it sorts.
pub(crate) fn pin(number: u8) -> Pin {
    pin_by(&node(), network(), number)
}

pub(crate) fn pin_by(witness: &SecretKey, network: NetworkId, number: u8) -> Pin {
    let size = u64::from(number);
    let checkpoint =
        Checkpoint { network, log: LogId([number; 32]), size, root: plain(&[b"root", &[number]]) };
    cosign(witness, &checkpoint, EntryId([number ^ 0xff; 32]), DAY_MS / 1_000 + size)
}

pub(crate) fn witness_core(pins: Vec<Pin>) -> Core {
    Core { operation: operation(7), statement: Statement::Witness(pins), ..node_core() }
}

/// The clerk asks for the record's contents to be removed.
pub(crate) fn erase_core(ground: ErasureGround) -> Core {
    let erasure = Erasure { record: record(), record_type: "SVC".to_owned(), ground };
    let statement = Statement::Erase(erasure);
    Core { operation: operation(8), person: Some(person().public()), statement, ..node_core() }
}

/// The node has removed them, because of two entries.
pub(crate) fn erased_core(because: [u8; 2]) -> Core {
    let because = because.map(|number| EntryId([number; 32]));
    let statement = Statement::Erased(ErasureReceipt { record: record(), because });
    Core { operation: operation(9), statement, ..node_core() }
}

/// Signs any payload, sound or not, in the right way.
pub(crate) fn seal(payload: &[u8], node: &SecretKey, person: Option<&SecretKey>) -> Vec<u8> {
    let mut signatures = vec![CoseSignature::make(node, Purpose::Node, payload, true)];
    let by_person = |person| CoseSignature::make(person, Purpose::Person, payload, false);
    signatures.extend(person.map(by_person));
    cose::encode(payload, &signatures)
}

/// The right envelope of a core that may be wrong.
pub(crate) fn sealed(core: &Core) -> Vec<u8> {
    let person = core.person.map(|_| person());
    seal(&core.encode(), &node(), person.as_ref())
}

/// An envelope whose one signature is given, under any key.
pub(crate) fn signed_with(payload: &[u8], key: PublicKey, signature: [u8; 64]) -> Vec<u8> {
    cose::encode(payload, &[CoseSignature { key: Some(key), signature }])
}

/// What a signature with a keyed header covers, written out from RFC 9052 and not by `cose`.
pub(crate) fn sig_structure(purpose: &str, key: &PublicKey, payload: &[u8]) -> Vec<u8> {
    let header = [&[0xa2, 0x01, 0x32, 0x04, 0x58, 0x20][..], &key.0].concat();
    let mut writer = Writer::new();
    writer.array(5).text("Signature").bytes(b"").bytes(&header);
    writer.bytes(purpose.as_bytes()).bytes(payload);
    writer.into_bytes()
}
