//! A county goes over to rules that the program on some PC does not know: it stores and hands on what
//! comes, shows and writes nothing, says what to do, and shows everything again when it knows them.

use xw_bootstrap::bundle::Bundle;
use xw_ledger::roster::RULES_VERSION;
use xw_schemas::edition::{Edition, Fact};

use crate::clones::{
    COUNTY, TOWNSHIP, VILLAGE, World, everything_is_witnessed, items, register, sorted, titles,
};
use crate::nodes::process::Node;

#[test]
fn a_program_that_does_not_know_the_rules_shows_nothing_and_loses_nothing() {
    let world = World::new("upgrade");
    let (mut county, mut township, mut village) = world.nodes();
    world.start(&mut county, COUNTY);
    world.start(&mut township, TOWNSHIP);
    world.start(&mut village, VILLAGE);
    register(&village, "新规则之前");
    everything_is_witnessed(&village);
    township.stop();
    county.stop();
    register(&village, "断网时登记");
    let entries = |node: &Node| node.told(&["status"])["entries"].as_u64().expect("a number");
    let written = entries(&village);

    world.start(&mut county, COUNTY);
    let newer = world.county.decree(&world.county.founding, vec![rules(RULES_VERSION + 1)]);
    take(&world, &county, &newer);
    world.start(&mut township, TOWNSHIP);
    for node in [&county, &township, &village] {
        let status = node.wait(&["status"], "the new rules and the village's work", |status| {
            status["roster"]["number"] == 2 && status["entries"].as_u64() >= Some(written)
        });
        let alarms = items(&status, "alarms");
        assert_eq!(alarms[0]["kind"], "rules", "{status}");
        assert!(status["only_here"].is_null(), "figures of rows are rows: {status}");
        let new = crate::clones::new_case("不应写入");
        let new = crate::clones::words(&new);
        for words in [&["list"][..], &["digest"], &["rebuild"], &new] {
            let (code, said) = node.ask(words);
            assert_eq!((code, &said["error"]["code"]), (1, &"rules".into()), "{words:?}: {said}");
            assert!(said["error"]["zh"].as_str().is_some_and(|zh| zh.contains("请升级")), "{said}");
        }
    }
    // The same after a restart.
    village.kill();
    world.start(&mut village, VILLAGE);
    assert_eq!(village.ask(&["list"]).1["error"]["code"], "rules");

    // Rules that it knows: here the old ones again, elsewhere a newer program.
    let older = world.county.decree(&newer, vec![rules(RULES_VERSION)]);
    take(&world, &county, &older);
    for node in [&village, &township] {
        node.wait(&["list"], "everything again", |list| {
            titles(list) == sorted(&["新规则之前", "断网时登记"])
        });
    }
    register(&village, "恢复之后");
    everything_is_witnessed(&village);
    assert_eq!(items(&village.told(&["status"]), "alarms").len(), 0);
    world.end();
}

fn rules(version: u64) -> Fact {
    Fact::Rules { version }
}

/// The county is given an edition by hand.
fn take(world: &World, county: &Node, edition: &Edition) {
    let editions = vec![world.county.founding.clone(), edition.clone()];
    let bundle = Bundle { editions, definitions: Vec::new(), draft: None, invitation: None };
    let file = world.dir.join(format!("{}.xwroster", edition.core().number));
    std::fs::write(&file, bundle.text().as_bytes()).expect("a file");
    let taken = county.told(&["roster", "take", &file.display().to_string()]);
    assert_eq!(taken["new"], 1, "{taken}");
}
