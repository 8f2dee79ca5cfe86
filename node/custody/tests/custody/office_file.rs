//! The office's key and its operators.

use xw_custody::{
    Cost, KeyPurpose, OPERATORS_MAX, OfficeFileFault, OfficeKey, OfficeRefusal, Operators,
    SealedKey, sealing_key_of,
};
use xw_schemas::cose::SecretKey;
use xw_schemas::id::{PublicKey, hex};
use zeroize::Zeroizing;

use crate::{dice, seed, words};

#[test]
fn one_passphrase_opens_the_person_and_by_it_the_office() {
    let (office, mut list) = founded();
    list.add(&office, key(2), sealing_key_of(&seed(2)), "李建国", &mut dice(2)).unwrap();
    let list = Operators::read(&list.text()).unwrap();
    let passphrase = words("Kx3-mill-brook");
    let cost = Cost::FOR_TESTS;
    for person in [1, 2] {
        let purpose = KeyPurpose::Person;
        let file =
            SealedKey::seal(purpose, "person", &seed(person), &passphrase, cost, &mut dice(3));
        let opened = file.unwrap().open(&passphrase).unwrap();
        assert_eq!(list.open(&opened).unwrap().seed(), office.seed());
    }
    assert_eq!(list.open(&seed(3)).unwrap_err(), OfficeRefusal::NotAnOperator);
    assert_eq!(list.office(), office.public());
}

#[test]
fn the_machine_seals_knowing_only_the_list() {
    let (office, list) = founded();
    let sealed = list.office().seal(b"body", &mut dice(4));
    assert_eq!(office.open(&sealed).unwrap(), b"body");
    assert_eq!(list.open(&seed(1)).unwrap().open(&sealed).unwrap(), b"body");
}

#[test]
fn a_removed_operator_is_out_and_the_last_one_stays() {
    let (office, mut list) = founded();
    assert_eq!(list.remove(&office, &key(1)), Err(OfficeRefusal::LastOperator));
    list.add(&office, key(2), sealing_key_of(&seed(2)), "successor", &mut dice(2)).unwrap();
    list.remove(&office, &key(1)).unwrap();
    assert_eq!(list.open(&seed(1)).unwrap_err(), OfficeRefusal::NotAnOperator);
    assert!(list.open(&seed(2)).is_ok());
    assert_eq!(list.remove(&office, &key(1)), Err(OfficeRefusal::NotAnOperator));
}

#[test]
fn a_kept_copy_opens_the_old_key_and_never_the_next() {
    let (office, mut list) = founded();
    list.add(&office, key(2), sealing_key_of(&seed(2)), "successor", &mut dice(2)).unwrap();
    let kept = list.clone();
    list.remove(&office, &key(1)).unwrap();
    let (next, rotated) = list.rotate(&office, &mut dice(5)).unwrap();
    // The dismissed clerk's copy is as good as ever for what was sealed before.
    assert_eq!(kept.open(&seed(1)).unwrap().seed(), office.seed());
    let before = office.public().seal(b"before", &mut dice(6));
    let after = rotated.office().seal(b"after", &mut dice(7));
    assert_eq!(kept.open(&seed(1)).unwrap().open(&after), None);
    assert_eq!(rotated.open(&seed(1)).unwrap_err(), OfficeRefusal::NotAnOperator);
    // The successor reads both, with their own passphrase and nobody else's.
    let opened = rotated.open(&seed(2)).unwrap();
    assert_eq!(opened.seed(), next.seed());
    assert_eq!(opened.open(&after).unwrap(), b"after");
    let earlier = rotated.earlier(&opened).unwrap();
    assert_eq!(earlier.len(), 1);
    assert_eq!(earlier[0].open(&before).unwrap(), b"before");
}

#[test]
fn rotations_keep_earlier_keys_up_to_the_limit_and_the_first_for_ever() {
    let (mut office, mut list) = founded();
    let first = office.public();
    let mut dice = dice(100);
    for _ in 0..64 {
        (office, list) = list.rotate(&office, &mut dice).unwrap();
    }
    assert_eq!(list.earlier(&office).unwrap()[0].public(), first);
    assert_eq!(Operators::read(&list.text()).unwrap(), list);
    (office, list) = list.rotate(&office, &mut dice).unwrap();
    let earlier = list.earlier(&office).unwrap();
    assert_eq!((earlier.len(), earlier[0].public()), (64, first));
    assert_eq!(Operators::read(&list.text()).unwrap(), list);
}

#[test]
fn the_contents_stay_under_the_first_key() {
    let (mut office, mut list) = founded();
    let first = office.public();
    assert_eq!(list.contents(&office).unwrap().public(), first);
    for n in 0..3 {
        (office, list) = list.rotate(&office, &mut dice(40 + n)).unwrap();
        assert_ne!(list.office(), first);
        assert_eq!(list.contents(&office).unwrap().public(), first);
        assert_eq!(list.contents_sealing(), first);
    }
}

#[test]
fn a_stranger_written_into_the_file_gets_nothing() {
    let (office, list) = founded();
    let (_, theirs) = founded_by(9, 77);
    // The thief's own line, well-formed, copied behind the clerk's.
    let line = |list: &Operators| {
        let form: serde_json::Value = serde_json::from_str(&list.text()).unwrap();
        form["operators"][0].clone()
    };
    let mut form: serde_json::Value = serde_json::from_str(&list.text()).unwrap();
    form["operators"].as_array_mut().unwrap().push(line(&theirs));
    let planted = Operators::read(&form.to_string()).unwrap();
    assert_eq!(planted.open(&seed(9)).unwrap_err(), OfficeRefusal::WrapDamaged);
    assert_eq!(planted.open(&seed(1)).unwrap_err(), OfficeRefusal::ListAltered);
    assert_eq!(planted.rotate(&office, &mut dice(1)).unwrap_err(), OfficeRefusal::ListAltered);
    let mut again = planted.clone();
    let added = again.add(&office, key(2), sealing_key_of(&seed(2)), "two", &mut dice(1));
    assert_eq!(added, Err(OfficeRefusal::ListAltered));
    assert_eq!(again, planted, "a refused act changes nothing");
}

#[test]
fn a_wrap_moved_to_another_person_or_office_does_not_open() {
    let (office, mut list) = founded();
    list.add(&office, key(2), sealing_key_of(&seed(2)), "two", &mut dice(2)).unwrap();
    let mut form: serde_json::Value = serde_json::from_str(&list.text()).unwrap();
    let first = form["operators"][0]["wrapped"].clone();
    form["operators"][1]["wrapped"] = first;
    let moved = Operators::read(&form.to_string()).unwrap();
    assert_eq!(moved.open(&seed(2)).unwrap_err(), OfficeRefusal::WrapDamaged);
    let other = OfficeKey::generate(&mut dice(8));
    let refused = list.remove(&other, &key(2)).unwrap_err();
    assert_eq!(refused, OfficeRefusal::OtherOffice);
}

#[test]
fn every_changed_byte_of_the_list_is_refused() {
    let (_, list) = founded();
    let text = list.text().into_bytes();
    for at in 0..text.len() {
        for bit in 0..7 {
            let mut changed = text.clone();
            changed[at] ^= 1 << bit;
            let Ok(changed) = String::from_utf8(changed) else { continue };
            if let Ok(read) = Operators::read(&changed) {
                assert!(read == list || read.open(&seed(1)).is_err(), "byte {at} bit {bit}");
            }
        }
    }
}

#[test]
fn a_list_is_bounded() {
    let (office, mut list) = founded();
    for number in 2..=OPERATORS_MAX as u8 {
        list.add(&office, key(number), sealing_key_of(&seed(number)), "one", &mut dice(1)).unwrap();
    }
    let more = list.add(&office, key(200), sealing_key_of(&seed(200)), "more", &mut dice(1));
    assert_eq!(more, Err(OfficeRefusal::TooMany));
    // The same person again takes no further place.
    list.add(&office, key(2), sealing_key_of(&seed(2)), "renamed", &mut dice(1)).unwrap();
    assert_eq!(list.operators().len(), OPERATORS_MAX);
    assert!(list.text().len() < xw_custody::OFFICE_FILE_BYTES_MAX);
    assert_eq!(Operators::read(&list.text()).unwrap(), list);

    let mut form: serde_json::Value = serde_json::from_str(&list.text()).unwrap();
    let first = form["operators"][0].clone();
    form["operators"].as_array_mut().unwrap().push(first.clone());
    assert_eq!(Operators::read(&form.to_string()), Err(OfficeFileFault::Count));
    form["operators"] = serde_json::json!([]);
    assert_eq!(Operators::read(&form.to_string()), Err(OfficeFileFault::Count));
    form["operators"] = serde_json::json!([first.clone(), first]);
    assert_eq!(Operators::read(&form.to_string()), Err(OfficeFileFault::Count));
    let long = " ".repeat(xw_custody::OFFICE_FILE_BYTES_MAX + 1);
    assert_eq!(Operators::read(&long), Err(OfficeFileFault::TooLong));
}

#[test]
fn a_point_of_small_order_is_no_operators_key() {
    let (_, list) = founded();
    let sealing = hex(&sealing_key_of(&seed(1)).bytes());
    let weak = list.text().replace(&sealing, &"0".repeat(64));
    assert_eq!(Operators::read(&weak), Err(OfficeFileFault::Field { field: "sealing" }));
}

#[test]
fn the_list_holds_no_secret() {
    let (office, list) = founded();
    let shown = format!("{}{list:?}", list.text());
    assert!(!shown.contains(&hex(&office.seed()[..])) && !shown.contains(&hex(&seed(1)[..])));
}

fn founded() -> (OfficeKey, Operators) {
    founded_by(1, 1)
}

fn founded_by(person: u8, dice_seed: u64) -> (OfficeKey, Operators) {
    let mut dice = dice(dice_seed);
    let office = OfficeKey::generate(&mut dice);
    let sealing = sealing_key_of(&seed(person));
    let list = Operators::founded(&office, key(person), sealing, "王秀兰", &mut dice).unwrap();
    (office, list)
}

fn key(person: u8) -> PublicKey {
    let seed: Zeroizing<[u8; 32]> = seed(person);
    SecretKey::from_seed(&seed).public()
}
