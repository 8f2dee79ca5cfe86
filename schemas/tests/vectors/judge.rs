//! The first reader: this crate, asked about every vector through its public functions alone.

use std::collections::BTreeMap;

use xw_schemas::checkpoint::{Checkpoint, cosignature_line, cosignature_verifies};
use xw_schemas::cose::SoundKey;
use xw_schemas::edition::{Edition, Fact, Scope};
use xw_schemas::entry::{Body, EntryFault, Pin, RawEntry, Statement, VerifiedEntry};
use xw_schemas::id::{EntryId, Incarnation, LogId, NetworkId, OperationId, PublicKey, RecordId};
use xw_schemas::merkle::{Frontier, root_of};
use xw_schemas::proof::{ConsistencyProof, InclusionProof};
use xw_schemas::space::{Audience, Division, Space};
use xw_schemas::wire::Frame;

use super::case::{Case, Item, Judgement, reading};

pub(crate) fn judge(case: &Case) -> Judgement {
    match case.kind.as_str() {
        "entry" => entry(case),
        "log" => log(case),
        "checkpoint" => checkpoint(case),
        "cosignature" => cosignature(case),
        "edition" => edition(case),
        "chain" => chain(case),
        "frame" => frame(case),
        "id" => id(case),
        "inclusion" => inclusion(case),
        "consistency" => consistency(case),
        other => panic!("no vector is of kind {other}"),
    }
}

fn name(fault: impl std::fmt::Debug) -> String {
    format!("{fault:?}")
}

fn verified(bytes: Vec<u8>, network: NetworkId) -> Result<VerifiedEntry, EntryFault> {
    RawEntry::decode(bytes)?.verify(network)
}

fn entry(case: &Case) -> Judgement {
    let mut envelope = case.bytes("envelope");
    if let Some(length) = case.number("padded_to") {
        envelope.resize(length as usize, 0);
    }
    let raw = RawEntry::decode(envelope.clone()).map_err(name)?;
    if case.given.contains_key("body") {
        let body = Body::from_bytes(case.bytes("body")).ok_or("BadBody")?;
        if !raw.binds(&body) {
            return Err("BadBody".to_owned());
        }
    }
    let entry = raw.verify(NetworkId(case.fixed("network"))).map_err(name)?;
    assert_eq!(entry.bytes(), envelope, "the bytes received are the bytes kept");
    let core = entry.core();
    assert_eq!(core.id(), entry.id(), "what was read is written again as the same bytes");
    let statement = match &core.statement {
        Statement::Open(_) => "open",
        Statement::Change(_) => "change",
        Statement::Witness(_) => "witness",
        Statement::Erase(_) => "erase",
        Statement::Erased(_) => "erased",
    };
    Ok(reading([
        ("id", entry.id().0.into()),
        ("log", core.log.0.into()),
        ("node", entry.node().0.into()),
        ("person", core.person.map_or("".into(), |key| key.0.into())),
        ("record", core.statement.record().map_or("".into(), |record| record.0.into())),
        ("republishes", core.republishes.map_or("".into(), |id| id.0.into())),
        ("sequence", core.sequence.into()),
        ("statement", statement.into()),
    ]))
}

/// A log from its opening on, as the door of a store reads it. Forks are not shown here.
fn log(case: &Case) -> Judgement {
    let network = NetworkId(case.fixed("network"));
    let (mut frontier, mut roots) = (Frontier::new(), vec![]);
    let mut at: Option<(LogId, PublicKey, EntryId)> = None;
    for bytes in case.list("entries") {
        let entry = verified(bytes, network).map_err(name)?;
        let core = entry.core();
        match at {
            None if core.sequence == 0 => {}
            Some((log, ..)) if log == core.log => {}
            _ => return Err("UnknownLog".to_owned()),
        }
        if let Some((_, node, head)) = at {
            if node != entry.node() {
                return Err("OtherNode".to_owned());
            }
            if core.sequence != frontier.size() || core.previous != head {
                return Err("MissingPrevious".to_owned());
            }
            if core.root != frontier.root() {
                return Err("WrongRoot".to_owned());
            }
        }
        frontier.push(&entry.id());
        roots.push(frontier.root().to_vec());
        at = Some((core.log, entry.node(), entry.id()));
    }
    let (log, _, head) = at.ok_or("UnknownLog")?;
    let roots = roots.as_slice().into();
    Ok(reading([("log", log.0.into()), ("head", head.0.into()), ("roots", roots)]))
}

fn checkpoint(case: &Case) -> Judgement {
    let (network, node) = (NetworkId(case.fixed("network")), PublicKey(case.fixed("node")));
    let checkpoint = Checkpoint::open(case.text("note"), network, &node).map_err(name)?;
    Ok(reading([
        ("log", checkpoint.log.0.into()),
        ("root", checkpoint.root.into()),
        ("size", checkpoint.size.into()),
    ]))
}

fn cosignature(case: &Case) -> Judgement {
    let (network, witness) = (NetworkId(case.fixed("network")), PublicKey(case.fixed("witness")));
    let number = |key| case.number(key).expect("the vector gives the number");
    let pin = Pin {
        log: LogId(case.fixed("log")),
        size: number("size"),
        head: EntryId([0; 32]),
        root: case.fixed("root"),
        time_s: number("time_s"),
        cosignature: case.fixed("cosignature"),
    };
    if !SoundKey::of(&witness).is_some_and(|key| cosignature_verifies(&key, network, &pin)) {
        return Err("BadSignature".to_owned());
    }
    Ok(reading([("line", cosignature_line(&witness, &pin).into())]))
}

fn edition(case: &Case) -> Judgement {
    let edition = Edition::decode(case.bytes("edition")).map_err(name)?;
    let signers: Vec<Vec<u8>> = edition.signers().iter().map(|key| key.0.to_vec()).collect();
    let kinds: Vec<u8> = edition.core().facts.iter().map(kind).collect();
    let scope = match edition.core().scope {
        Scope::Root => "root".to_owned(),
        Scope::Registrar { office, term } => {
            format!("registrar of office {}, term {term}", office.0)
        }
        Scope::Joining { invite } => format!("joining {invite}"),
    };
    Ok(reading([
        ("facts", kinds.into()),
        ("scope", scope.into()),
        ("id", edition.id().0.into()),
        ("copy", edition.copy_id().0.into()),
        ("network", edition.network().0.into()),
        ("number", edition.core().number.into()),
        ("signers", signers.as_slice().into()),
    ]))
}

/// The number of a fact in the format.
fn kind(fact: &Fact) -> u8 {
    match fact {
        Fact::Root { .. } => 0,
        Fact::Rules { .. } => 1,
        Fact::Place { .. } => 2,
        Fact::Office { .. } => 3,
        Fact::Signer { .. } => 4,
        Fact::Cut { .. } => 5,
        Fact::Schema { .. } => 6,
        Fact::Registrar { .. } => 7,
        Fact::Invite { .. } => 8,
        Fact::Replace { .. } => 9,
        Fact::Adjudicate { .. } => 10,
        Fact::Adopt { .. } => 11,
        Fact::Recover { .. } => 12,
    }
}

/// Root editions one after another, as far as root keys decide. The other facts are the ledger's.
fn chain(case: &Case) -> Judgement {
    let mut head: Option<Edition> = None;
    let mut root = (0, vec![]);
    for bytes in case.list("editions") {
        let edition = Edition::decode(bytes).map_err(name)?;
        let named = edition.core().facts.iter().rev().find_map(|fact| match fact {
            Fact::Root { threshold, keys } => Some((*threshold, keys.clone())),
            _ => None,
        });
        let number = head.as_ref().map_or(0, |head| head.core().number);
        let previous = head.as_ref().map_or([0; 32], |head| head.id().0);
        if head.as_ref().is_some_and(|head| head.network() != edition.network()) {
            return Err("OtherNetwork".to_owned());
        }
        if edition.core().number != number + 1 || edition.core().previous.0 != previous {
            return Err("Gap".to_owned());
        }
        if head.is_none() {
            root = named.clone().ok_or("NoRoot")?;
        }
        let next = named.unwrap_or_else(|| root.clone());
        for (threshold, keys) in [&root, &next] {
            let signed = edition.signers().iter().filter(|key| keys.contains(key)).count();
            if (signed as u64) < *threshold {
                return Err("Threshold".to_owned());
            }
        }
        root = next;
        head = Some(edition);
    }
    let head = head.ok_or("Gap")?;
    Ok(reading([
        ("head", head.id().0.into()),
        ("network", head.network().0.into()),
        ("threshold", root.0.into()),
    ]))
}

fn frame(case: &Case) -> Judgement {
    let mut bytes = case.bytes("frame");
    if let Some(length) = case.number("padded_to") {
        bytes.resize(length as usize, 0);
    }
    let frame = Frame::decode(&bytes).map_err(name)?;
    assert_eq!(frame.encode(), bytes, "{}: a frame has one writing", case.name);
    let Frame::Entries(packed) = frame else {
        return Ok(BTreeMap::new());
    };
    let entries = packed.unpack().map_err(name)?;
    let ids: Vec<Vec<u8>> = entries.iter().map(|(entry, _)| entry.id().0.to_vec()).collect();
    let bodies = entries.iter().filter(|(_, body)| body.is_some()).count() as u64;
    Ok(reading([("bodies", bodies.into()), ("entries", ids.as_slice().into())]))
}

fn id(case: &Case) -> Judgement {
    let number = |key| case.number(key).expect("the vector gives the number");
    let space = || Space {
        division: Division::from_number(number("division")).expect("twelve digits"),
        audience: Audience::from_number(number("audience")).expect("0, 1 or 2"),
    };
    let network = || NetworkId(case.fixed("network"));
    let node = || PublicKey(case.fixed("node"));
    Ok(match case.text("of") {
        "log" => {
            let incarnation = Incarnation(case.fixed("incarnation"));
            reading([("id", LogId::of(network(), node(), space(), incarnation).0.into())])
        }
        "record" => {
            let operation = OperationId(case.fixed("operation"));
            let record = RecordId::of(network(), node(), operation, number("time_ms"));
            reading([("id", record.0.into()), ("text", record.to_string().into())])
        }
        "actor" => {
            let actor = LogId(case.fixed("log")).actor(RecordId(case.fixed("record")));
            reading([("id", actor.into())])
        }
        "record text" => match RecordId::parse(case.text("text")) {
            Some(record) => reading([("id", record.0.into())]),
            None => return Err("NoRecordId".to_owned()),
        },
        "division text" => match Division::parse(case.text("text")) {
            Some(division) => reading([("number", division.number().into())]),
            None => return Err("NoDivision".to_owned()),
        },
        "body" => {
            let body = Body::from_bytes(case.bytes("body")).ok_or("BadBody")?;
            reading([("commitment", body.commitment().into())])
        }
        "root" => {
            let leaves: Vec<EntryId> = case
                .list("entries")
                .into_iter()
                .map(|leaf| EntryId(leaf.try_into().expect("32 bytes")))
                .collect();
            reading([("root", Item::from(root_of(&leaves)))])
        }
        other => panic!("no vector asks for the id of a {other}"),
    })
}

fn inclusion(case: &Case) -> Judgement {
    let network = NetworkId(case.fixed("network"));
    let proof = InclusionProof::parse(case.text("text"), network).map_err(name)?;
    proof.check(&EntryId(case.fixed("entry"))).map_err(name)?;
    assert_eq!(proof.text(), case.text("text"), "what was read is written again the same");
    let checkpoint = proof.note.checkpoint();
    Ok(reading([
        ("index", proof.index.into()),
        ("log", checkpoint.log.0.into()),
        ("root", checkpoint.root.into()),
        ("size", checkpoint.size.into()),
    ]))
}

fn consistency(case: &Case) -> Judgement {
    let network = NetworkId(case.fixed("network"));
    let proof = ConsistencyProof::parse(case.text("text"), network).map_err(name)?;
    proof.check(&case.fixed("old_root")).map_err(name)?;
    assert_eq!(proof.text(), case.text("text"), "what was read is written again the same");
    let checkpoint = proof.note.checkpoint();
    Ok(reading([
        ("log", checkpoint.log.0.into()),
        ("old", proof.old.into()),
        ("root", checkpoint.root.into()),
        ("size", checkpoint.size.into()),
    ]))
}
