//! The examples of the written formats open as the page says.

use xw_custody::machine::MachineFile;
use xw_custody::{Operators, Passphrase, SealedKey};
use xw_schemas::id::unhex;

use crate::seed;

#[test]
fn the_examples_of_the_page_open() {
    let [key, office, machine] = &blocks("json")[..] else { panic!("three files") };
    let passphrase = Passphrase::chosen("柳河东边第三棵老槐树").unwrap();
    let key = SealedKey::read(key).unwrap();
    let person = key.open(&passphrase).unwrap();
    assert_eq!(person, seed(1));

    let office = Operators::read(office).unwrap();
    let opened = office.open(&person).unwrap();
    assert_eq!(opened.seed(), seed(2));
    assert_eq!(office.earlier(&opened).unwrap()[0].seed(), seed(3));

    let machine = MachineFile::read(machine).unwrap().open().unwrap();
    assert_eq!((machine.node, machine.database), (seed(4), seed(5)));

    let [sealed, encrypted] = &blocks("text")[..] else { panic!("two texts") };
    let bytes = |text: &String| unhex(text.trim()).unwrap();
    assert_eq!(opened.open(&bytes(sealed)).unwrap(), "柳河村".as_bytes());
    assert_eq!(opened.decrypt(&bytes(encrypted)).unwrap(), "柳河村".as_bytes());
}

#[test]
fn the_examples_are_what_is_written() {
    let [key, office, machine] = &blocks("json")[..] else { panic!("three files") };
    assert_eq!(SealedKey::read(key).unwrap().text(), *key);
    assert_eq!(Operators::read(office).unwrap().text(), *office);
    assert_eq!(*MachineFile::read(machine).unwrap().text(), *machine);
}

/// The page's fenced blocks of a language.
fn blocks(language: &str) -> Vec<String> {
    let page = include_str!("../../../../schemas/spec/key-files.md");
    page.split("\n```")
        .filter_map(|part| part.strip_prefix(language)?.strip_prefix('\n'))
        .map(|block| format!("{block}\n"))
        .collect()
}
