//! The machine's keys, in the open and sealed.

use xw_custody::OfficeKey;
use xw_custody::machine::{
    Lock, MachineFile, MachineFileFault, MachineKeys, MachineSeal, MachineSealError, offered,
};
use xw_schemas::id::hex;
use zeroize::Zeroizing;

use crate::dice;

#[test]
fn a_plain_file_starts_the_node() {
    let keys = MachineKeys::generate(&mut dice(1));
    let file = MachineFile::plain(&keys);
    assert_eq!(file.lock(), Lock::Open);
    let opened = MachineFile::read(&file.text()).unwrap().open().unwrap();
    assert_eq!((opened.node, opened.database), (keys.node, keys.database));
}

#[test]
fn a_sealed_file_opens_on_its_own_machine_only() {
    let keys = MachineKeys::generate(&mut dice(1));
    let office = OfficeKey::generate(&mut dice(2));
    let file = MachineFile::sealed(&keys, &Chip(1), &office.public(), &mut dice(3)).unwrap();
    let text = file.text();
    assert!(!text.contains(&hex(&keys.node[..])) && !text.contains(&hex(&keys.database[..])));
    let file = MachineFile::read(&text).unwrap();
    assert_eq!((file.lock(), file.node()), (Lock::SystemdTpm2, keys.public()));
    assert_eq!(file.open_with(&Chip(1)).unwrap().node, keys.node);
    assert!(file.open_with(&Chip(2)).is_err(), "another PC's chip");
}

#[test]
fn an_operator_opens_what_the_chip_forgot() {
    let keys = MachineKeys::generate(&mut dice(1));
    let office = OfficeKey::generate(&mut dice(2));
    let file = MachineFile::sealed(&keys, &Chip(1), &office.public(), &mut dice(3)).unwrap();
    let file = MachineFile::read(&file.text()).unwrap();
    assert_eq!(file.recover(&office).unwrap().database, keys.database);
    let other = OfficeKey::generate(&mut dice(9));
    assert_eq!(file.recover(&other).unwrap_err(), MachineSealError::OtherKey);
    let plain = MachineFile::plain(&keys);
    assert_eq!(plain.recover(&office).unwrap_err(), MachineSealError::NoRecovery);
}

#[test]
fn a_seal_that_does_not_give_back_is_found_before_anything_is_deleted() {
    let keys = MachineKeys::generate(&mut dice(1));
    let office = OfficeKey::generate(&mut dice(2)).public();
    let sealed = MachineFile::sealed(&keys, &Forgetful, &office, &mut dice(3));
    assert_eq!(sealed.unwrap_err(), MachineSealError::NotTheSame);
    let sealed = MachineFile::sealed(&keys, &Broken, &office, &mut dice(3));
    assert!(matches!(sealed, Err(MachineSealError::Tool { .. })));
}

#[test]
fn a_file_of_another_node_is_said() {
    let (one, two) = (MachineKeys::generate(&mut dice(1)), MachineKeys::generate(&mut dice(2)));
    let one = MachineFile::plain(&one);
    let forged = one.text().replace(&hex(&one.node().0), &hex(&two.public().0));
    assert_eq!(MachineFile::read(&forged).unwrap_err(), MachineFileFault::Damaged);
}

#[test]
fn every_changed_byte_of_the_file_is_refused() {
    let text = MachineFile::plain(&MachineKeys::generate(&mut dice(1))).text();
    for at in 0..text.len() {
        for bit in 0..7 {
            let mut changed = text.as_bytes().to_vec();
            changed[at] ^= 1 << bit;
            let changed = String::from_utf8(changed).unwrap();
            if let Ok(read) = MachineFile::read(&changed) {
                assert_eq!(*read.text(), *text, "byte {at} bit {bit}");
            }
        }
    }
}

#[test]
fn this_pc_seals_or_says_why_not() {
    match offered() {
        Ok(seal) => {
            assert!([Lock::SystemdTpm2, Lock::WindowsDpapi].map(Lock::name).contains(&seal.name()))
        }
        Err(error) => {
            assert!(matches!(error, MachineSealError::NotOffered { .. }));
            assert!(!error.zh().is_ascii() && error.to_string().is_ascii());
        }
    }
}

#[test]
fn keys_are_never_printed() {
    let keys = MachineKeys::generate(&mut dice(1));
    let shown = format!("{keys:?} {:?}", MachineFile::plain(&keys));
    assert!(!shown.contains(&hex(&keys.node[..])) && !shown.contains(&hex(&keys.database[..])));
}

/// A chip that flips every bit and knows its own.
struct Chip(u8);

impl MachineSeal for Chip {
    fn name(&self) -> &'static str {
        Lock::SystemdTpm2.name()
    }

    fn seal(&self, secret: &[u8]) -> Result<Vec<u8>, MachineSealError> {
        Ok([&[self.0][..], &secret.iter().map(|byte| !byte).collect::<Vec<u8>>()].concat())
    }

    fn unseal(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MachineSealError> {
        match sealed.split_first() {
            Some((chip, rest)) if *chip == self.0 => {
                Ok(Zeroizing::new(rest.iter().map(|byte| !byte).collect()))
            }
            _ => Err(failed()),
        }
    }
}

/// A chip that gives back something else.
struct Forgetful;

impl MachineSeal for Forgetful {
    fn name(&self) -> &'static str {
        Lock::SystemdTpm2.name()
    }

    fn seal(&self, secret: &[u8]) -> Result<Vec<u8>, MachineSealError> {
        Ok(secret.to_vec())
    }

    fn unseal(&self, sealed: &[u8]) -> Result<Zeroizing<Vec<u8>>, MachineSealError> {
        Ok(Zeroizing::new(vec![0; sealed.len()]))
    }
}

/// A chip that seals and never opens.
struct Broken;

impl MachineSeal for Broken {
    fn name(&self) -> &'static str {
        Lock::WindowsDpapi.name()
    }

    fn seal(&self, secret: &[u8]) -> Result<Vec<u8>, MachineSealError> {
        Ok(secret.to_vec())
    }

    fn unseal(&self, _: &[u8]) -> Result<Zeroizing<Vec<u8>>, MachineSealError> {
        Err(failed())
    }
}

fn failed() -> MachineSealError {
    MachineSealError::Tool { tool: "chip", detail: "no".into() }
}
