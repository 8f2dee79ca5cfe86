//! One attack: what stood before, what honest nodes did, and that nobody was harmed by it. Prints
//! one line for each.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use serde_json::{Value as Json, json};
use xw_schemas::edition::Edition;
use xw_schemas::space::{Audience, Space};

use crate::by_hand::ByHand;
use crate::foothold::Prepared;
use crate::line::Line;
use crate::node::{Memory, Node};
use crate::pulse::{Beat, Pulse};
use crate::setup::{Keys, World};

/// Growth allowed in an attack that says too much or too deep (threats.md T32): MiB.
pub(crate) const GROWTH_SHAPE_MIB: u64 = 8;

/// Growth allowed in any other attack (threats.md I12, T31, T35): MiB.
pub(crate) const GROWTH_MIB: u64 = 64;

/// The running county with everything that attacks need.
pub(crate) struct Stage {
    pub(crate) world: Arc<World>,
    pub(crate) nodes: Arc<Vec<Node>>,
    pub(crate) pulse: Pulse,
    /// The last edition of root's chain that everybody holds.
    pub(crate) tip: Edition,
    /// The keys of the honest offices by seat: some are stolen.
    pub(crate) honest: Vec<Keys>,
    /// Villages whose keys no attack has used yet.
    pub(crate) unused: Vec<Keys>,
    /// Villages that stand where an attack begins.
    pub(crate) prepared: BTreeMap<Audience, Vec<Prepared>>,
}

/// Reasons told in a line; the rest is counted.
const REASONS_TOLD: usize = 2;

/// What a node holds of a space: a digest of its views, one of its entries, how many entries.
pub(crate) type Digest = Option<(String, String, u64)>;

/// One attack in progress.
pub(crate) struct Scene<'a> {
    stage: &'a Stage,
    name: &'static str,
    begun: Instant,
    before: Vec<Option<Memory>>,
    /// How long each node's log was.
    logs: Vec<usize>,
}

impl Stage {
    /// The keys of a village that nobody has heard of yet.
    pub(crate) fn village(&mut self) -> Keys {
        self.unused.pop().expect("the county has villages enough for every attack")
    }

    /// A session in which entries may flow.
    pub(crate) async fn live(&self, keys: &Keys, seat: usize) -> Line {
        Line::live(&self.world, keys, &self.nodes[seat]).await
    }

    /// A session spoken byte by byte.
    pub(crate) async fn by_hand(&self, keys: &Keys, seat: usize) -> ByHand {
        ByHand::open(&self.world, keys, &self.nodes[seat]).await
    }

    /// Begins an attack.
    pub(crate) fn scene(&self, name: &'static str) -> Scene<'_> {
        self.nodes.iter().for_each(Node::reset_peak);
        let before = self.nodes.iter().map(Node::memory).collect();
        let logs = self.nodes.iter().map(|node| node.log().len()).collect();
        Scene { stage: self, name, begun: Instant::now(), before, logs }
    }

    /// Digests of a space at a node: of what people see and of every entry held, and how many
    /// entries. Nothing when the node holds nothing there.
    pub(crate) async fn digest(&self, seat: usize, space: Space) -> Digest {
        self.digests(seat, &[space]).await.remove(0)
    }

    /// The same of several spaces at one moment.
    pub(crate) async fn digests(&self, seat: usize, spaces: &[Space]) -> Vec<Digest> {
        let answer = self.nodes[seat].tell(json!({"do": "digest"})).await;
        let held = answer["spaces"].as_array().expect("a list of spaces");
        let of = |space: &Space| {
            let found = held.iter().find(|found| found["space"] == space.to_string())?;
            let text = |name: &str| found[name].as_str().unwrap_or_default().to_owned();
            Some((text("view"), text("headers"), found["entries"].as_u64().unwrap_or_default()))
        };
        spaces.iter().map(of).collect()
    }

    /// The verdict on every entry of a record at a node, with its reason and standing.
    pub(crate) async fn verdicts(&self, seat: usize, record: &str) -> BTreeMap<String, Judged> {
        let asked = json!({"do": "history", "record": record});
        let Ok(answer) = self.nodes[seat].ask(asked).await else { return BTreeMap::new() };
        let text = |row: &Json, name: &str| row[name].as_str().unwrap_or_default().to_owned();
        let judged = |row: &Json| Judged {
            verdict: text(row, "verdict"),
            reason: text(row, "reason"),
            standing: text(row, "standing"),
        };
        let rows = answer["entries"].as_array().cloned().unwrap_or_default();
        rows.iter().map(|row| (text(row, "entry"), judged(row))).collect()
    }
}

/// What a node says of an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Judged {
    pub(crate) verdict: String,
    pub(crate) reason: String,
    pub(crate) standing: String,
}

impl Scene<'_> {
    /// Milliseconds since the attack began.
    pub(crate) fn ms(&self) -> u128 {
        self.begun.elapsed().as_millis()
    }

    /// Checks that a node has ended sessions with a village for these reasons, and tells them.
    pub(crate) fn why(&self, seat: usize, keys: &Keys, expected: &[&str]) -> String {
        let node = &self.stage.nodes[seat];
        let Some(reasons) = node.reasons(&keys.node.public(), self.logs[seat]) else {
            return "(it keeps no log)".to_owned();
        };
        for reason in expected {
            let told = reasons.keys().any(|told| told.contains(reason));
            assert!(told, "{}: no “{reason}” in {reasons:?}", self.name);
        }
        let mut all: Vec<(&String, &usize)> = reasons.iter().collect();
        all.sort_by_key(|(_, times)| std::cmp::Reverse(**times));
        let rest = all.len().saturating_sub(REASONS_TOLD);
        all.truncate(REASONS_TOLD);
        let told: Vec<String> = all.iter().map(|(why, times)| format!("{why} ×{times}")).collect();
        let rest = if rest == 0 { String::new() } else { format!(", {rest} others") };
        format!("({}{rest})", told.join(", "))
    }

    /// Ends an attack: nobody is harmed, nobody has grown beyond `growth_mib`, and an honest
    /// record that was begun during it is where it belongs.
    pub(crate) async fn end(self, reaction: &str, growth_mib: u64) {
        let ms = self.ms();
        let beats = self.stage.pulse.since(self.begun).await;
        let mut most = 0;
        for (node, before) in self.stage.nodes.iter().zip(&self.before) {
            node.check_unharmed();
            let (Some(before), Some(now)) = (before, node.memory()) else { continue };
            let grown = now.peak.saturating_sub(before.resident) / 1_024;
            assert!(
                grown <= growth_mib,
                "{}: {} grew by {grown} MiB, allowed are {growth_mib}",
                self.name,
                node.name
            );
            most = most.max(grown);
        }
        let (township, county) =
            (spread(&beats, |b| b.township_ms), spread(&beats, |b| b.county_ms));
        println!(
            "{:<34} | {reaction} | {ms} ms | +{most} MiB | honest record, p50/max: township \
             {township} ms, county {county} ms",
            self.name
        );
    }
}

fn spread(beats: &[Beat], of: impl Fn(&Beat) -> u64) -> String {
    let mut all: Vec<u64> = beats.iter().map(of).collect();
    all.sort_unstable();
    let last = all.len().saturating_sub(1);
    match all.get(last / 2) {
        Some(middle) => format!("{middle}/{}", all[last]),
        None => "–".to_owned(),
    }
}
