//! Hostile text: nothing panics, takes long, or reads as something that it is not.

use proptest::prelude::*;
use xw_custody::machine::{MachineFile, MachineKeys};
use xw_custody::{Cost, OfficeKey, Operators, SealedKey, sealing_key_of};
use xw_schemas::cose::SecretKey;

use crate::{dice, sealed_root, seed, words};

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn any_text_is_refused(text in "\\PC{0,400}") {
        prop_assert!(SealedKey::read(&text).is_err());
        prop_assert!(Operators::read(&text).is_err());
        prop_assert!(MachineFile::read(&text).is_err());
    }

    #[test]
    fn any_json_is_refused(value in json()) {
        let text = value.to_string();
        prop_assert!(SealedKey::read(&text).is_err());
        prop_assert!(Operators::read(&text).is_err());
        prop_assert!(MachineFile::read(&text).is_err());
    }

    /// Fields of real files replaced by anything: what still reads is the same file.
    #[test]
    fn a_field_replaced_by_anything_is_refused(which in 0_usize..16, value in json()) {
        for text in files() {
            let mut form: serde_json::Value = serde_json::from_str(&text).unwrap();
            let mut places = places(&form, String::new());
            let place = places.swap_remove(which % places.len());
            let before = form.clone();
            *form.pointer_mut(&place).unwrap() = value.clone();
            if form == before {
                continue;
            }
            let changed = form.to_string();
            prop_assert!(SealedKey::read(&changed).is_err(), "{}", changed);
            prop_assert!(MachineFile::read(&changed).is_err(), "{}", changed);
            // A list that reads is a claim; its code refuses it.
            if let Ok(list) = Operators::read(&changed) {
                prop_assert!(list.open(&seed(1)).is_err(), "{}", changed);
            }
        }
    }

    #[test]
    fn pieces_of_real_files_put_together_wrongly_are_refused(cuts in prop::collection::vec((0_usize..3, any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..6)) {
        let files = files();
        let text: String = cuts.iter().map(|(which, from, to)| {
            let characters: Vec<char> = files[*which].chars().collect();
            let (from, to) = (from.index(characters.len()), to.index(characters.len()));
            characters[from.min(to)..from.max(to)].iter().collect::<String>()
        }).collect();
        prop_assert!(SealedKey::read(&text).is_err());
        prop_assert!(Operators::read(&text).is_err());
        prop_assert!(MachineFile::read(&text).is_err());
    }

    #[test]
    fn any_seed_passphrase_and_label_come_back(
        secret: [u8; 32], phrase in "[a-z]{4}[A-Z]{4}[^\\pC \u{3000}]{6,40}", label in "[^\\pC]{1,60}"
    ) {
        let secret = zeroize::Zeroizing::new(secret);
        let purpose = xw_custody::KeyPurpose::Person;
        let passphrase = words(&phrase);
        let cost = Cost::FOR_TESTS;
        let sealed =
            SealedKey::seal(purpose, &label, &secret, &passphrase, cost, &mut dice(1)).unwrap();
        let read = SealedKey::read(&sealed.text()).unwrap();
        prop_assert_eq!(read.open(&passphrase).unwrap(), secret);
        prop_assert_eq!(read.label(), label);
    }
}

#[test]
fn brackets_a_thousand_deep_are_refused() {
    for text in ["[".repeat(4_000), "{\"format\":".repeat(400)] {
        assert!(SealedKey::read(&text).is_err());
        assert!(Operators::read(&text).is_err());
        assert!(MachineFile::read(&text).is_err());
    }
}

/// One good file of each format.
fn files() -> [String; 3] {
    let office = OfficeKey::generate(&mut dice(1));
    let person = SecretKey::from_seed(&seed(1)).public();
    let list =
        Operators::founded(&office, person, sealing_key_of(&seed(1)), "one", &mut dice(2)).unwrap();
    let machine = MachineFile::plain(&MachineKeys::generate(&mut dice(3)));
    [sealed_root().0.text(), list.text(), machine.text().to_string()]
}

/// Pointers to every value that holds no other.
fn places(value: &serde_json::Value, at: String) -> Vec<String> {
    match value {
        serde_json::Value::Object(fields) => {
            fields.iter().flat_map(|(name, value)| places(value, format!("{at}/{name}"))).collect()
        }
        serde_json::Value::Array(items) if !items.is_empty() => items
            .iter()
            .enumerate()
            .flat_map(|(number, item)| places(item, format!("{at}/{number}")))
            .collect(),
        _ => vec![at],
    }
}

fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<u32>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        "[0-9a-f]{0,96}".prop_map(Into::into),
        "\\PC{0,20}".prop_map(Into::into),
        Just("xiangwang-key-1".into()),
    ];
    let name = prop_oneof![
        Just("format".to_owned()),
        Just("purpose".to_owned()),
        Just("argon2id".to_owned()),
        Just("operators".to_owned()),
        "[a-z]{1,8}",
    ];
    leaf.prop_recursive(4, 40, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::btree_map(name.clone(), inner, 0..6)
                .prop_map(|fields| serde_json::Value::Object(fields.into_iter().collect())),
        ]
    })
}
