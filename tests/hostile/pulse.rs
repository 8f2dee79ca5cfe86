//! Honest work that goes on through every attack: a village registers a project again and again,
//! and each must reach its township and the county promptly.

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tokio::task::JoinHandle;

use crate::node::{LOOK_EVERY, Node};
use crate::setup::{COUNTY, EAST, EAST_VILLAGE, division};

/// Longest time from a clerk's "save" until the township shows the record, under any attack. An
/// honest line needs some milliseconds; the deadline allows for a busy machine of two cores.
const PROMPT: Duration = Duration::from_secs(15);

/// Between two records.
const PAUSE: Duration = Duration::from_millis(100);

/// One record on its way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Beat {
    begun: Instant,
    pub(crate) township_ms: u64,
    pub(crate) county_ms: u64,
}

/// The village at work.
pub(crate) struct Pulse {
    beats: Arc<Mutex<Vec<Beat>>>,
    working: JoinHandle<()>,
}

impl Pulse {
    /// Begins; ends with this value.
    pub(crate) fn start(nodes: Arc<Vec<Node>>) -> Self {
        let beats = Arc::new(Mutex::new(Vec::new()));
        let heard = Arc::clone(&beats);
        let working = tokio::spawn(async move {
            loop {
                let beat = beat(&nodes).await;
                heard.lock().expect("no panic while it is held").push(beat);
                tokio::time::sleep(PAUSE).await;
            }
        });
        Self { beats, working }
    }

    /// The beats that began after a moment and are done; waits for the first of them.
    pub(crate) async fn since(&self, moment: Instant) -> Vec<Beat> {
        loop {
            assert!(!self.working.is_finished(), "the honest village could not work");
            let beats = self.beats.lock().expect("no panic while it is held").clone();
            let since: Vec<Beat> = beats.into_iter().filter(|beat| beat.begun >= moment).collect();
            if !since.is_empty() {
                return since;
            }
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }

    /// Stops working and says how many records were made.
    pub(crate) async fn stop(self) -> usize {
        // A record half on its way is let go; whoever counts asks the nodes.
        self.working.abort();
        let _ = self.working.await;
        self.beats.lock().expect("no panic while it is held").len()
    }
}

/// Registers a project and waits until both offices above show it.
async fn beat(nodes: &[Node]) -> Beat {
    let begun = Instant::now();
    let request = proposal(&division(EAST_VILLAGE).to_string());
    let made = nodes[EAST_VILLAGE].tell(request).await;
    let record = made["record"].as_str().expect("the id of the new record").to_owned();
    let township_ms = shown(&nodes[EAST], &record, begun).await;
    let county_ms = shown(&nodes[COUNTY], &record, begun).await;
    Beat { begun, township_ms, county_ms }
}

/// The request by which a clerk registers a project of a division.
pub(crate) fn proposal(division: &str) -> Json {
    json!({
        "do": "new", "record_type": "IND", "division": division, "fields": {
            "project_name": "2026年光伏项目", "project_class": "2", "nature": "1", "site": "村东",
            "content_scale": "一百千瓦", "need_basis": "日照充足",
        },
    })
}

async fn shown(node: &Node, record: &str, begun: Instant) -> u64 {
    loop {
        let answer = node.ask(json!({"do": "show", "record": record})).await;
        let elapsed = begun.elapsed();
        assert!(elapsed < PROMPT, "{} waits for an honest record: {answer:?}", node.name);
        if answer.is_ok_and(|answer: Json| answer["state"] == "proposed") {
            return u64::try_from(elapsed.as_millis()).unwrap_or(u64::MAX);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}
