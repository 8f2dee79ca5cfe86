//! A hostile village against real nodes. It is on the roster, speaks the protocol and knows every
//! rule; its keys are the test's. Each attack says what honest nodes did, that none of them was
//! harmed or grew beyond its bounds, and that an honest village's record arrived meanwhile.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod extent;
#[path = "../journeys/program.rs"]
mod program;

mod enrol;
#[path = "../nodes/folder.rs"]
#[expect(dead_code, reason = "other tests look for secrets on the disk")]
mod folder;
mod setup;

mod node;
mod pulse;
mod scene;

mod pen;

mod by_hand;
mod door;
mod line;
#[path = "../../node/net/tests/loopback/raw.rs"]
#[expect(
    dead_code,
    reason = "the network's own tests wait for connections on which nothing is opened"
)]
mod raw;

#[path = "../../node/ledger/tests/change_checks/expanding.rs"]
mod expanding;
mod foothold;
mod reading;

mod bodies;
mod chunks;
mod eclipse;
mod floods;
mod forgeries;
mod forks;
mod guesses;
mod packings;
mod poison;
mod rights;
mod rosters;
mod shapes;
mod stalls;
mod theft;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde_json::json;
use xw_schemas::space::Audience;

use pulse::Pulse;
use scene::Stage;
use setup::{COUNTY, EAST, EAST_VILLAGE, Founding};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hostile_village_harms_nobody() {
    let begun = Instant::now();
    let dir = program::folder("hostile");
    let Founding { world, honest, liars } = setup::found();
    let nodes = enrol::all(&dir, &world, &honest);
    nodes.iter().for_each(node::Node::start);
    for (node, keys) in nodes.iter().zip(&honest) {
        node.up().await;
        node.tell(enrol::unlock(keys)).await;
    }
    let nodes = Arc::new(nodes);
    let pulse = Pulse::start(Arc::clone(&nodes));
    pulse.since(begun).await;
    println!("{} nodes up after {} ms", nodes.len(), begun.elapsed().as_millis());
    let prepared = BTreeMap::new();
    let tip = world.founding.clone();
    let mut stage = Stage { world, nodes, pulse, tip, honest, unused: liars, prepared };
    stage.prepare(24, Audience::Office).await;
    stage.prepare(2, Audience::County).await;
    println!("the hostile villages are known after {} ms", begun.elapsed().as_millis());

    let stalls = stalls::begin(&mut stage).await;
    if extent::wanted("forgeries") {
        forgeries::all(&mut stage).await;
    }
    if extent::wanted("shapes") {
        shapes::all(&mut stage).await;
    }
    if extent::wanted("bodies") {
        bodies::all(&mut stage).await;
    }
    if extent::wanted("poison") {
        poison::all(&mut stage).await;
    }
    if extent::wanted("rights") {
        rights::all(&mut stage).await;
    }
    if extent::wanted("forks") {
        forks::all(&mut stage).await;
    }
    if extent::wanted("rosters") {
        rosters::all(&mut stage).await;
    }
    if extent::wanted("floods") {
        floods::all(&mut stage).await;
    }
    if extent::wanted("stalls") {
        stalls::all(&mut stage).await;
    }
    if extent::wanted("eclipse") {
        eclipse::all(&mut stage).await;
    }
    if extent::wanted("rivals") {
        rosters::rivals(&mut stage).await;
    }
    if extent::wanted("theft") {
        theft::all(&mut stage).await;
    }
    stalls.end(&stage).await;

    check_the_county_is_whole(stage).await;
    println!("everything took {} ms", begun.elapsed().as_millis());
    let _ = std::fs::remove_dir_all(dir);
}

/// After everything: every node finds its own store sound, and all who share a space show the same.
async fn check_the_county_is_whole(stage: Stage) {
    let Stage { nodes, pulse, .. } = stage;
    let records = pulse.stop().await;
    let space = format!("{}/office", setup::division(EAST_VILLAGE));
    let digest = json!({"do": "digest"});
    let of = |answer: &serde_json::Value| {
        let spaces = answer["spaces"].as_array().cloned().unwrap_or_default();
        spaces.into_iter().find(|found| found["space"] == space.as_str())
    };
    let county = nodes[COUNTY].tell(digest.clone()).await;
    for seat in [EAST, EAST_VILLAGE] {
        let same = |answer: &serde_json::Value| {
            let (here, there) = (of(answer), of(&county));
            here.is_some() && here == there
        };
        nodes[seat].wait_for("the same views as the county", digest.clone(), same).await;
    }
    for node in nodes.iter() {
        let report = node.tell(json!({"do": "verify"})).await;
        assert_eq!(report["sound"], true, "{}: {report}", node.name);
        node.check_unharmed();
        node.stop();
    }
    println!("{records} honest records meanwhile; every store is sound, every view the same");
}
