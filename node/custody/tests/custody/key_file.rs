//! Key files under passphrases.

use xw_custody::{
    Cost, KEY_FILE_BYTES_MAX, KeyFileFault, KeyPurpose, OpenRefusal, SealSlip, SealedKey,
};
use xw_schemas::cose::SecretKey;
use xw_schemas::id::hex;

use crate::{dice, sealed_root, seed, words};

#[test]
fn a_key_comes_back_from_its_file() {
    let (sealed, passphrase) = sealed_root();
    let read = SealedKey::read(&sealed.text()).unwrap();
    assert_eq!(read, sealed);
    assert_eq!((read.purpose(), read.label()), (KeyPurpose::Root, "第1把，共3把"));
    let opened = read.open(&passphrase).unwrap();
    assert_eq!(opened, seed(7));
    assert_eq!(read.public(), SecretKey::from_seed(&opened).public());
}

#[test]
fn the_wrong_passphrase_opens_nothing() {
    let (sealed, _) = sealed_root();
    for wrong in ["柳河东边第三棵老槐", "柳河东边第三棵老槐樹", "Kx3-mill-brook"]
    {
        assert_eq!(sealed.open(&words(wrong)), Err(OpenRefusal::WrongPassphrase));
    }
}

#[test]
fn nothing_secret_stands_in_the_file() {
    let (sealed, passphrase) = sealed_root();
    let shown = format!("{}{sealed:?}", sealed.text());
    assert!(!shown.contains(&hex(&seed(7)[..])) && !shown.contains(passphrase.reveal()));
    assert!(sealed.text().contains("\"label\": \"第1把，共3把\""), "people read the label");
}

#[test]
fn two_files_of_one_key_share_nothing_secret() {
    let passphrase = words("Kx3-mill-brook");
    let mut dice = dice(2);
    let mut seal = || {
        let cost = Cost::FOR_TESTS;
        SealedKey::seal(KeyPurpose::Person, "王秀兰", &seed(1), &passphrase, cost, &mut dice)
            .unwrap()
            .text()
    };
    let (one, two) = (seal(), seal());
    let field = |text: &str, name: &str| {
        text.lines().find(|line| line.contains(name)).expect("the field").to_owned()
    };
    for name in ["salt", "nonce", "ciphertext"] {
        assert_ne!(field(&one, name), field(&two, name));
    }
}

#[test]
fn a_changed_passphrase_replaces_the_old_one() {
    let (sealed, old) = sealed_root();
    let new = words("Kx3-mill-brook");
    let cost = Cost::new(16, 2, 1).unwrap();
    let changed = sealed.with_passphrase(&old, &new, cost, &mut dice(3)).unwrap();
    assert_eq!(changed.open(&new).unwrap(), seed(7));
    assert_eq!(changed.open(&old), Err(OpenRefusal::WrongPassphrase));
    assert_eq!((changed.public(), changed.label()), (sealed.public(), sealed.label()));
    assert_eq!(changed.cost(), cost);
    let refused = sealed.with_passphrase(&new, &new, cost, &mut dice(4));
    assert_eq!(refused, Err(OpenRefusal::WrongPassphrase));
}

#[test]
fn every_changed_byte_is_refused() {
    let (sealed, _) = sealed_root();
    let text = sealed.text().into_bytes();
    let mut tried = 0;
    for at in 0..text.len() {
        for byte in (0..=255).filter(|byte| *byte != text[at]) {
            let mut changed = text.clone();
            changed[at] = byte;
            let Ok(changed) = String::from_utf8(changed) else { continue };
            tried += 1;
            // Space for space is the one change that a reader passes, and it changes nothing.
            if let Ok(read) = SealedKey::read(&changed) {
                assert!(text[at].is_ascii_whitespace() && byte.is_ascii_whitespace(), "{changed}");
                assert_eq!(read, sealed);
            }
        }
    }
    assert!(tried > 50_000, "{tried}");
}

#[test]
fn every_cut_is_refused() {
    let (sealed, _) = sealed_root();
    let text = sealed.text();
    let whole = text.trim_end().len();
    for at in (0..whole).filter(|at| text.is_char_boundary(*at)) {
        assert_eq!(SealedKey::read(&text[..at]), Err(KeyFileFault::OtherFormat));
    }
}

#[test]
fn a_changed_field_with_a_new_check_still_does_not_open() {
    let (sealed, passphrase) = sealed_root();
    let text = sealed.text();
    let other_key = hex(&SecretKey::from_seed(&seed(8)).public().0);
    for (from, to) in [
        ("\"root\"", "\"person\""),
        ("第1把", "第2把"),
        (&*hex(&sealed.public().0), &*other_key),
        ("\"memory_kib\": 8", "\"memory_kib\": 9"),
        ("\"passes\": 1", "\"passes\": 2"),
    ] {
        let forged = with_check(&text.replace(from, to));
        let read = SealedKey::read(&forged).unwrap_or_else(|fault| panic!("{fault}: {forged}"));
        assert_eq!(read.open(&passphrase), Err(OpenRefusal::WrongPassphrase), "{to}");
    }
}

#[test]
fn a_notepad_may_have_saved_it() {
    let (sealed, passphrase) = sealed_root();
    let saved = format!("\u{feff}{}", sealed.text().replace('\n', "\r\n"));
    assert_eq!(SealedKey::read(&saved).unwrap().open(&passphrase).unwrap(), seed(7));
}

#[test]
fn settings_out_of_bounds_are_refused_before_memory_is_taken() {
    let text = sealed_root().0.text();
    for (memory_kib, passes, lanes) in [
        (4 << 20, 3, 1),
        (u32::MAX, 1, 1),
        (64 << 10, 17, 1),
        (64 << 10, 3, 5),
        (0, 0, 0),
        (7, 1, 1),
    ] {
        let hostile = with_check(
            &text
                .replace("\"memory_kib\": 8", &format!("\"memory_kib\": {memory_kib}"))
                .replace("\"passes\": 1", &format!("\"passes\": {passes}"))
                .replace("\"lanes\": 1", &format!("\"lanes\": {lanes}")),
        );
        // No `SealedKey` of such settings exists, so nothing could even try.
        let refused = SealedKey::read(&hostile);
        assert_eq!(refused, Err(KeyFileFault::Cost { memory_kib, passes, lanes }));
    }
    let beyond = text.replace("\"memory_kib\": 8", "\"memory_kib\": 4294967296");
    assert_eq!(SealedKey::read(&beyond), Err(KeyFileFault::OtherFormat));
}

#[test]
fn the_largest_cost_allowed_reads_and_is_not_run_by_reading() {
    let text = sealed_root().0.text().replace("\"memory_kib\": 8", "\"memory_kib\": 1048576");
    let read = SealedKey::read(&with_check(&text)).unwrap();
    assert_eq!(read.cost().memory_kib(), 1 << 20);
}

#[test]
fn unknown_missing_and_doubled_fields_are_refused() {
    let text = sealed_root().0.text();
    for changed in [
        text.replacen('{', "{\"note\": 1,", 1),
        text.replacen('{', "{\"format\": \"xiangwang-key-1\",", 1),
        text.replace("\"passes\": 1,", ""),
        text.replace("\"passes\": 1", "\"passes\": 1.0"),
        text.replace("\"passes\": 1", "\"passes\": -1"),
        text.replace("\"root\"", "\"ROOT\""),
        text.replace("xiangwang-key-1", "xiangwang-key-2"),
        format!("{text}{text}"),
        String::new(),
    ] {
        assert_eq!(SealedKey::read(&changed), Err(KeyFileFault::OtherFormat), "{changed}");
    }
    let upper = hex(&sealed_root().0.public().0);
    let upper = text.replace(&upper, &upper.to_uppercase());
    assert_eq!(SealedKey::read(&upper), Err(KeyFileFault::Field { field: "public" }));
    let weak = text.replace(&hex(&sealed_root().0.public().0), &"0".repeat(64));
    assert_eq!(SealedKey::read(&weak), Err(KeyFileFault::Field { field: "public" }));
}

#[test]
fn a_file_too_long_is_refused_unread() {
    let long = sealed_root().0.text() + &" ".repeat(KEY_FILE_BYTES_MAX);
    assert_eq!(SealedKey::read(&long), Err(KeyFileFault::TooLong));
    let longest = "长".repeat(xw_custody::LABEL_CHARACTERS_MAX);
    let sealed = sealed_with(&longest).unwrap();
    assert!(sealed.text().len() <= KEY_FILE_BYTES_MAX);
    assert_eq!(SealedKey::read(&sealed.text()).unwrap(), sealed);
}

#[test]
fn a_label_is_one_short_line() {
    let longer = "长".repeat(xw_custody::LABEL_CHARACTERS_MAX + 1);
    for bad in ["", "two\nlines", "tab\t", &longer] {
        assert_eq!(sealed_with(bad).unwrap_err(), SealSlip::Label);
    }
    let quoted = sealed_with("a \"quoted\" \\ label").unwrap();
    assert_eq!(SealedKey::read(&quoted.text()).unwrap(), quoted);
}

#[test]
fn every_trouble_is_told_in_both_languages() {
    let told = [
        (KeyFileFault::TooLong.zh(), KeyFileFault::TooLong.to_string()),
        (KeyFileFault::OtherFormat.zh(), KeyFileFault::OtherFormat.to_string()),
        (KeyFileFault::Damaged.zh(), KeyFileFault::Damaged.to_string()),
        (OpenRefusal::WrongPassphrase.zh(), OpenRefusal::WrongPassphrase.to_string()),
        (OpenRefusal::OtherKey.zh(), OpenRefusal::OtherKey.to_string()),
        (SealSlip::Label.zh(), SealSlip::Label.to_string()),
    ];
    for (zh, en) in told {
        assert!(!zh.is_ascii() && en.is_ascii());
    }
}

fn sealed_with(label: &str) -> Result<SealedKey, SealSlip> {
    let cost = Cost::FOR_TESTS;
    let passphrase = words("Kx3-mill-brook");
    SealedKey::seal(KeyPurpose::Root, label, &seed(7), &passphrase, cost, &mut dice(5))
}

/// The text with the check that its fields ask for, as a forger would write it.
fn with_check(text: &str) -> String {
    use sha2::Digest as _;
    let form: serde_json::Value = serde_json::from_str(text).unwrap();
    let (word, number) = (
        |at: &str| form.pointer(at).unwrap().as_str().unwrap().to_owned(),
        |at: &str| form.pointer(at).unwrap().as_u64().unwrap(),
    );
    let lines = format!(
        "{}\n{}\n{}\n{}\n{} {} {}\n{}\n{}\n{}\n",
        word("/format"),
        word("/purpose"),
        word("/label"),
        word("/public"),
        number("/argon2id/memory_kib"),
        number("/argon2id/passes"),
        number("/argon2id/lanes"),
        word("/argon2id/salt"),
        word("/xchacha20poly1305/nonce"),
        word("/xchacha20poly1305/ciphertext"),
    );
    let check = hex(&sha2::Sha256::digest(lines.as_bytes())[..8]);
    text.replace(&word("/check"), &check)
}
