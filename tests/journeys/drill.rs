//! The drill that every office makes now and then: a backup is made while people work, tried, put back
//! elsewhere, and shows what the office showed.

use std::time::Instant;

use crate::clones::{
    COUNTY, TOWNSHIP, VILLAGE, World, everything_is_witnessed, items, register, sorted, titles,
};
use crate::nodes::process::Node;
use crate::program;

/// Hours that the county gives an office to be back.
const RTO_HOURS: u64 = 4;

#[test]
fn a_backup_is_tried_and_put_back_and_shows_what_the_office_showed() {
    let world = World::new("drill");
    let (mut county, mut township, mut village) = world.nodes();
    world.start(&mut county, COUNTY);
    world.start(&mut township, TOWNSHIP);
    world.start(&mut village, VILLAGE);
    let all = ["演练甲", "演练乙", "演练丙", "演练丁"];
    for title in all {
        register(&village, title);
    }
    everything_is_witnessed(&village);
    village.wait(&["status"], "the county's word", |status| status["county"] == 4);
    township.stop();
    county.stop();
    let shown = village.told(&["digest"]);
    let backup = world.dir.join("backup").display().to_string();
    let made = village.told(&["backup", &backup]);
    assert_eq!(made["digest"], shown["total"], "{made}");
    register(&village, "备份之后");
    village.kill();

    // Tried by whoever keeps it, on a PC that is no node.
    let (clerk, typed) = world.clerk(VILLAGE);
    let anywhere = Node::at(program::path(), world.dir.join("anywhere"));
    let person = ["--person", &clerk, "--passphrase-from-stdin"];
    let check = [&["backup", &backup, "--check"][..], &person].concat();
    let (code, tried) = anywhere.say(&check, &typed);
    assert_eq!(code, 0, "{tried}");
    assert_eq!((&tried["same"], &tried["sound"]), (&true.into(), &true.into()), "{tried}");
    assert_eq!((&tried["digest"], &tried["records"]), (&shown["total"], &4.into()), "{tried}");
    assert_eq!(std::fs::read_dir(anywhere.folder.join("tmp")).expect("a folder").count(), 0);

    // Put back on another PC whose line is down.
    let begun = Instant::now();
    let mut back = Node::at(program::path(), world.dir.join("back"));
    let folder = back.folder.display().to_string();
    let restore = [&["restore", &backup, "--folder", &folder][..], &person].concat();
    let (code, restored) = anywhere.say(&restore, &typed);
    assert_eq!(code, 0, "{restored}");
    world.start(&mut back, VILLAGE);
    assert_eq!(back.told(&["digest"])["total"], shown["total"]);
    let took = begun.elapsed();
    println!("back in {took:.1?}, of {RTO_HOURS} hours");
    assert!(took.as_secs() < RTO_HOURS * 3_600);
    assert_eq!(titles(&back.told(&["list"])), sorted(&all));
    back.stop();

    // A stick that lost something is found out before it is needed.
    let database = world.dir.join("backup").join("store.db");
    let mut bytes = std::fs::read(&database).expect("a file");
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&database, &bytes).expect("a file");
    let (code, tried) = anywhere.say(&check, &typed);
    assert_ne!(code, 0, "{tried}");
    // So is one on which other entries lie than were backed up.
    bytes[middle] ^= 1;
    std::fs::write(&database, &bytes).expect("a file");
    let about = world.dir.join("backup").join("backup.json");
    let text = std::fs::read_to_string(&about).expect("a file");
    let digest = shown["total"].as_str().expect("hex");
    std::fs::write(&about, text.replace(digest, &"00".repeat(32))).expect("a file");
    let (code, tried) = anywhere.say(&check, &typed);
    assert_eq!((code, &tried["same"]), (1, &false.into()), "{tried}");
    assert_eq!(items(&tried, "findings").len(), 0, "{tried}");
    world.end();
}
