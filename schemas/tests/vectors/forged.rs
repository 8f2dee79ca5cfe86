//! Entries whose signatures no honest program makes, and entries with one bit changed.

use xw_schemas::cose;
use xw_schemas::entry::{Core, Statement};
use xw_schemas::id::{EntryId, PublicKey};

use super::case::Case;
use super::craft::{self, Crafted};
use super::entries::{accept, refuse};
use super::world::{change_core, log, node, node_core, sealed, sig_structure, signed_with};

pub(crate) fn cases() -> Vec<Case> {
    [crafted(), flips()].concat()
}

fn crafted() -> Vec<Case> {
    let core = node_core();
    let payload = core.encode();
    let message = |key: &Crafted| sig_structure("xiangwang/node/1", &key.public, &payload);
    let sound = Crafted::from_seed(&[1; 32]);
    let mixed = Crafted::mixed(&[5; 32]);
    let with = |key: &Crafted, signature| signed_with(&payload, key.public, signature);
    let over = message(&sound);
    let forged = |name: &str, signature| refuse(name, "BadSignature", with(&sound, signature));
    let weak = |name: &str, key: Crafted| {
        let signature = key.plain(&message(&key));
        refuse(name, "WeakKey", with(&key, signature))
    };
    let weak_person = Core { person: Some(PublicKey(Crafted::small(1).public.0)), ..change_core() };
    vec![
        accept("a signature put together by hand", with(&sound, sound.plain(&over))),
        accept(
            "a key with a part of order 8 and a signature for which the equation holds",
            with(&mixed, mixed.mixed_signature(&message(&mixed), true)),
        ),
        refuse(
            "a key with a part of order 8 and a signature that needs the cofactor",
            "BadSignature",
            with(&mixed, mixed.mixed_signature(&message(&mixed), false)),
        ),
        forged("S + L in place of S", craft::s_plus_l(sound.plain(&over))),
        forged("an R that only the cofactored check accepts", sound.cofactored(&over)),
        forged("an R of small order, accepted by the relaxed check", sound.identity_r(&over)),
        forged("an R of small order that is misspelt", sound.misspelt_r(&over)),
        weak("a key of order 1, under which every message verifies", Crafted::small(0)),
        weak("a key of order 8", Crafted::small(1)),
        weak("a key of order 4", Crafted::small(2)),
        weak("a key of order 2", Crafted::small(4)),
        weak("a key of order 1 that is misspelt", Crafted::small(0).spelled(craft::plus_p(1))),
        weak(
            "a key that is misspelt and not of small order",
            Crafted::from_seed(&[6; 32]).spelled(craft::misspelt_sound_point()),
        ),
        weak(
            "a key that is no point of the curve",
            Crafted::from_seed(&[6; 32]).spelled(craft::no_point()),
        ),
        refuse("a person's key of small order", "WeakKey", sealed(&weak_person)),
    ]
}

/// One bit changed in each region of an envelope that carries every field.
fn flips() -> Vec<Case> {
    let core = Core {
        seen: Some(EntryId([0x66; 32])),
        republishes: Some(EntryId([0x55; 32])),
        ..change_core()
    };
    let envelope = sealed(&core);
    let Statement::Change(change) = &core.statement else {
        return vec![];
    };
    let signature_of = |at: usize| {
        let (_, signatures) = cose::decode(&envelope, 1 << 16).expect("the envelope is sound");
        signatures[at].signature
    };
    let (by_node, by_person) = (signature_of(0), signature_of(1));
    let (schema, key) = (change.schema.0, node().public().0);
    let regions: [(&str, &[u8], &str); 17] = [
        ("network", &core.network.0, "OtherNetwork"),
        ("log", &log().0, "BadSignature"),
        ("previous entry", &core.previous.0, "BadSignature"),
        ("root", &core.root, "BadSignature"),
        ("newest witness", &[0x66; 32], "BadSignature"),
        ("republished entry", &[0x55; 32], "BadSignature"),
        ("time", &core.claimed_time_ms.to_be_bytes()[..], "BadSignature"),
        ("operation", &core.operation.0, "BadSignature"),
        ("record", &change.record.0, "BadSignature"),
        ("record type", b"SVC", "BadSignature"),
        ("schema", &schema, "BadSignature"),
        ("commitment", &change.commitment, "BadSignature"),
        ("R of the node's signature", &by_node[..32], "BadSignature"),
        ("S of the node's signature", &by_node[32..], "BadSignature"),
        ("R of the person's signature", &by_person[..32], "BadSignature"),
        ("S of the person's signature", &by_person[32..], "BadSignature"),
        ("node's key, which is then a key of nobody", &key, "BadSignature"),
    ];
    let flip = |(name, region, fault): (&str, &[u8], &str)| {
        let at = envelope.windows(region.len()).position(|bytes| bytes == region);
        let at = at.expect("the region stands in the envelope");
        let mut flipped = envelope.clone();
        flipped[at + region.len() - 2] ^= 1;
        refuse(&format!("one bit of the {name}"), fault, flipped)
    };
    regions.into_iter().map(flip).collect()
}
