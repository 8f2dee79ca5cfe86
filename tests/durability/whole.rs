//! A file that is written whole, as key files, settings, packs and copies are: at every moment there is
//! the old one or the new one, and the new one once it is said to be written.

use std::io::Write as _;
use std::path::Path;

use xw_store::{ReadBy, write_whole};

use crate::recording::{Machine, recorded};
use crate::world::Folder;

/// Set for the process that is recorded.
const CHILD: &str = "XW_DURABILITY_WHOLE";

const NAME: &str = "甲.json";
const TEXTS: [&str; 2] = ["一", "二二"];

#[test]
fn a_file_written_whole_is_there_after_a_power_cut() {
    if let Some(folder) = std::env::var_os(CHILD) {
        let path = Path::new(&folder).join(NAME);
        for text in TEXTS {
            write_whole(&path, ReadBy::Owner, |file| file.write_all(text.as_bytes())).unwrap();
        }
        return;
    }
    let folder = Folder::quick();
    let above = folder.file().parent().unwrap().to_owned();
    let Some((_, doings)) =
        recorded("whole::a_file_written_whole_is_there_after_a_power_cut", CHILD, &above)
    else {
        return;
    };
    let mut machine = Machine::default();
    let mut seen = Vec::new();
    for doing in doings {
        machine.step(&doing);
        for left in [machine.after_power_cut(), machine.after_kill()] {
            let held = left.get(NAME).map(|bytes| String::from_utf8(bytes.clone()).unwrap());
            assert!(
                held.as_deref().is_none_or(|held| TEXTS.contains(&held)),
                "{doing:?}: {held:?}"
            );
            seen.extend(held);
        }
    }
    assert!(TEXTS.iter().all(|text| seen.iter().any(|seen| seen == text)), "{seen:?}");
    let left = machine.after_power_cut();
    assert_eq!(left.get(NAME).map(Vec::as_slice), Some(TEXTS[1].as_bytes()));
    assert_eq!(left.len(), 1, "nothing stays beside it: {:?}", left.keys());
}
