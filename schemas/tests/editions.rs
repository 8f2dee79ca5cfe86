//! Root keys lie in different places, and each holder signs a copy: the copies become one edition.

use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, EditionFault};

#[expect(dead_code, reason = "made for the vectors; some of it serves here")]
#[path = "vectors/world.rs"]
mod world;

fn signed(core: &EditionCore, keys: &[SecretKey]) -> Edition {
    Edition::sign(core, keys).expect("the edition is sound")
}

#[test]
fn copies_that_were_signed_apart_are_joined_in_any_order() {
    let (core, roots) = (world::founding_core(), world::roots());
    let whole = signed(&core, &roots);
    let parts: Vec<Edition> =
        roots.iter().map(|key| signed(&core, std::slice::from_ref(key))).collect();
    for order in [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]] {
        let [first, second, third] = order.map(|at| &parts[at]);
        let joined = first.join(second).and_then(|two| two.join(third));
        assert_eq!(joined.as_ref(), Ok(&whole), "{order:?}");
        assert_eq!(joined.map(|edition| edition.bytes().to_vec()), Ok(whole.bytes().to_vec()));
    }
}

#[test]
fn a_copy_joined_with_itself_or_with_nothing_stays_what_it_is() {
    let (core, roots) = (world::founding_core(), world::roots());
    let two = signed(&core, &roots[..2]);
    assert_eq!(two.join(&two), Ok(two.clone()));
    assert_eq!(two.join(&signed(&core, &[])), Ok(two.clone()));
    assert_eq!(signed(&core, &[]).join(&two), Ok(two.clone()));
    assert_eq!(two.join(&signed(&core, &roots[1..])), Ok(signed(&core, &roots)));
}

#[test]
fn copies_that_say_different_things_are_not_joined() {
    let (core, roots) = (world::founding_core(), world::roots());
    let later = EditionCore { claimed_time_ms: core.claimed_time_ms + 1, ..core.clone() };
    let joined = signed(&core, &roots[..1]).join(&signed(&later, &roots[1..2]));
    assert_eq!(joined, Err(EditionFault::BadSignature));
}

#[test]
fn of_more_than_sixteen_signatures_those_of_the_lowest_keys_stay() {
    let core = world::founding_core();
    let mut keys: Vec<SecretKey> =
        (100..120).map(|seed| SecretKey::from_seed(&[seed; 32])).collect();
    keys.sort_by_key(SecretKey::public);
    let lowest = signed(&core, &keys[..16]);
    let parts = [0..8, 6..14, 12..20].map(|range| signed(&core, &keys[range]));
    for order in [[0, 1, 2], [2, 1, 0], [1, 2, 0]] {
        let [one, two, three] = order.map(|at| &parts[at]);
        let joined = one.join(two).and_then(|joined| joined.join(three));
        assert_eq!(joined.as_ref(), Ok(&lowest), "{order:?}");
    }
}
