//! A database whose bytes the disk has changed: it is set aside, what can be read is saved, the rest
//! comes from the neighbours, and nothing that was acknowledged is lost.

use std::path::{Path, PathBuf};

use serde_json::Value as Json;

use crate::clones::{
    COUNTY, TOWNSHIP, VILLAGE, World, everything_is_witnessed, items, register, sorted, titles,
};
use crate::nodes::process::Node;

#[test]
fn a_damaged_database_is_set_aside_and_nothing_acknowledged_is_lost() {
    let world = World::new("damage");
    let (mut county, mut township, mut village) = world.nodes();
    world.start(&mut county, COUNTY);
    world.start(&mut township, TOWNSHIP);
    world.start(&mut village, VILLAGE);
    let before: Vec<String> = (1..=12).map(|n| format!("损坏之前{n}")).collect();
    for title in &before {
        register(&village, title);
    }
    everything_is_witnessed(&village);
    village.kill();

    // Pages in the middle of the file and to its end go bad.
    let database = village.folder.join("store.db");
    let length = std::fs::metadata(&database).expect("a database").len();
    flip(&database, (length / 3..length).step_by(4_096));
    flip(&village.folder.join("store.db-wal"), (1_000..u64::MAX).step_by(4_096));
    let all = recovers(&world, &mut village, &before, "损坏之后");
    let salvaged = &village.told(&["status"])["disk"]["salvaged"];
    assert!(salvaged["zh"].as_str().is_some_and(|zh| zh.contains("数据库文件损坏")), "{salvaged}");
    township.wait(&["list"], "what was typed since", |list| titles(list) == sorted_texts(&all));
    village.stop();

    // Not even the first page opens: everything comes from the neighbours.
    flip(&database, 0..4_096);
    let all = recovers(&world, &mut village, &all, "全部丢失之后");
    for node in [&township, &county] {
        node.wait(&["list"], "what was typed since", |list| titles(list).len() == all.len());
        let seen = node.told(&["forks"]);
        assert_eq!(items(&seen, "forks").len(), 0, "{seen}");
    }
    let seen = village.told(&["forks"]);
    assert_eq!((&seen["life"]["why"], items(&seen, "forks").len()), (&"salvaged".into(), 0));
    assert_eq!(items(&seen, "unremembered").len(), 0, "{seen}");

    // A sound database opens as ever, and the damaged ones stay where they were put.
    village.stop();
    world.start(&mut village, VILLAGE);
    assert_eq!(village.told(&["status"])["disk"]["salvaged"], Json::Null);
    assert_eq!(village.told(&["verify"])["sound"], true);
    assert_eq!(set_aside(&village.folder).len(), 2);
    world.end();
}

#[test]
fn damage_met_at_work_ends_the_node_and_the_next_start_mends_it() {
    let world = World::new("damage-at-work");
    let (_, mut township, mut village) = world.nodes();
    world.start(&mut township, TOWNSHIP);
    world.start(&mut village, VILLAGE);
    let before: Vec<String> = (1..=12).map(|n| format!("损坏之前{n}")).collect();
    for title in &before {
        register(&village, title);
    }
    everything_is_witnessed(&village);
    // So that everything is in the file and nothing in memory.
    village.stop();
    world.start(&mut village, VILLAGE);
    let database = village.folder.join("store.db");
    let length = std::fs::metadata(&database).expect("a database").len();
    flip(&database, (length / 3..length).step_by(4_096));
    let (code, said) = village.ask(&["rebuild"]);
    assert!(code != 0, "{said}");
    assert_eq!(village.ended(), Some(74), "{}", village.log());
    assert!(village.log().contains("磁盘读写出错"), "{}", village.log());
    recovers(&world, &mut village, &before, "损坏之后");
    assert_eq!(village.told(&["verify"])["sound"], true);
    world.end();
}

/// What a service manager sends, and a system that shuts down.
#[cfg(unix)]
#[test]
fn a_node_that_the_system_ends_stops_in_order() {
    let world = World::new("terminated");
    let (_, _, mut village) = world.nodes();
    world.start(&mut village, VILLAGE);
    register(&village, "关机之前");
    assert_eq!(village.terminate(), Some(0), "{}", village.log());
    assert!(!village.folder.join("api.json").exists());
    let waiting = village.folder.join("store.db-wal").metadata().map_or(0, |file| file.len());
    assert_eq!(waiting, 0, "everything is in its file");
    world.end();
}

/// Starts the node on its damaged database, waits until it has everything again, and goes on.
fn recovers(world: &World, village: &mut Node, held: &[String], next: &str) -> Vec<String> {
    let aside = set_aside(&village.folder).len();
    world.start(village, VILLAGE);
    assert_eq!(set_aside(&village.folder).len(), aside + 1, "{}", village.log());
    village.wait(&["list"], "everything acknowledged", |list| titles(list) == sorted_texts(held));
    register(village, next);
    everything_is_witnessed(village);
    held.iter().cloned().chain([next.to_owned()]).collect()
}

fn sorted_texts(titles: &[String]) -> Vec<String> {
    sorted(&titles.iter().map(String::as_str).collect::<Vec<_>>())
}

fn set_aside(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let paths = entries.map(|entry| entry.expect("an entry").path());
    paths.filter(|path| path.join("store.db").exists()).collect()
}

/// Changes a byte at each of these places, as far as the file goes.
fn flip(path: &Path, places: impl Iterator<Item = u64>) {
    let Ok(mut bytes) = std::fs::read(path) else { return };
    let length = bytes.len();
    for at in places.map_while(|at| usize::try_from(at).ok().filter(|at| *at < length)) {
        bytes[at] ^= 0x55;
    }
    std::fs::write(path, bytes).expect("a file");
}
