//! Where an attack begins: a hostile village that has first done what an honest one does. What is
//! refused afterwards is refused for what it is, and not because nothing ever got through.

use std::time::{Duration, Instant};

use serde_json::json;
use xw_schemas::id::RecordId;
use xw_schemas::space::{Audience, Space};

use crate::line::Line;
use crate::node::LOOK_EVERY;
use crate::pen::{Pen, parcel};
use crate::scene::{Digest, Stage};
use crate::setup::{COUNTY, EAST, Keys};

/// A village with an honest record that the county has witnessed.
pub(crate) struct Foothold {
    pub(crate) keys: Keys,
    pub(crate) pen: Pen,
    /// Its session with the township.
    pub(crate) line: Line,
    pub(crate) record: RecordId,
    /// Digests of its space at the township and the county.
    pub(crate) calm: [Digest; 2],
}

/// Nothing new in a space for so long: nobody above has another word to say. A witness waits 0.3 s.
const QUIET: Duration = Duration::from_millis(1_500);

/// A village that has done its honest part, and waits to be used.
pub(crate) struct Prepared {
    keys: Keys,
    pen: Pen,
    record: RecordId,
}

impl Stage {
    /// Lets villages do their honest part all at once: one log and one record each, witnessed by
    /// the county.
    pub(crate) async fn prepare(&mut self, count: usize, audience: Audience) {
        let mut fresh = Vec::new();
        for _ in 0..count {
            let keys = self.village();
            let (mut pen, opening) = Pen::open(&self.world, &keys, audience);
            let (record, created) = pen.create();
            let mut line = self.live(&keys, EAST).await;
            assert!(line.hand_over(&[opening, parcel(&created)]).await, "honest entries are taken");
            fresh.push(Prepared { keys, pen, record });
        }
        for prepared in &fresh {
            self.until_final(EAST, prepared.record).await;
            self.until_final(COUNTY, prepared.record).await;
        }
        let (mut last, mut since) = (self.spaces(&fresh).await, Instant::now());
        while since.elapsed() < QUIET {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = self.spaces(&fresh).await;
            if now != last {
                (last, since) = (now, Instant::now());
            }
        }
        self.prepared.entry(audience).or_default().extend(fresh);
    }

    async fn spaces(&self, prepared: &[Prepared]) -> Vec<Digest> {
        let spaces: Vec<Space> = prepared.iter().map(|prepared| prepared.pen.space).collect();
        let mut all = self.digests(EAST, &spaces).await;
        all.extend(self.digests(COUNTY, &spaces).await);
        all
    }

    /// A village that stands where an attack begins.
    pub(crate) async fn foothold(&mut self) -> Foothold {
        self.foothold_in(Audience::Office).await
    }

    /// The same, in a space that more offices read.
    pub(crate) async fn foothold_in(&mut self, audience: Audience) -> Foothold {
        let prepared = self.prepared.get_mut(&audience).and_then(Vec::pop);
        let Prepared { keys, pen, record } = prepared.expect("villages enough are prepared");
        let line = self.live(&keys, EAST).await;
        let calm = [self.digest(EAST, pen.space).await, self.digest(COUNTY, pen.space).await];
        Foothold { keys, pen, line, record, calm }
    }

    /// Waits until a node shows a record as witnessed by the county, and has witnessed all it will.
    pub(crate) async fn until_final(&self, seat: usize, record: RecordId) {
        let asked = json!({"do": "show", "record": record});
        self.nodes[seat]
            .wait_for("the county's word", asked, |shown| shown["standing"] == "final")
            .await;
    }

    /// NOTHING KEPT: township and county hold in this village's space what they held before.
    pub(crate) async fn check_nothing_kept(&self, foothold: &Foothold) {
        for (seat, before) in [EAST, COUNTY].into_iter().zip(&foothold.calm) {
            let now = self.digest(seat, foothold.pen.space).await;
            assert_eq!(now, *before, "{} keeps something", self.nodes[seat].name);
        }
    }

    /// What a person sees of a record: fields, state, steps and how many changes count.
    pub(crate) async fn shown(&self, seat: usize, record: RecordId) -> serde_json::Value {
        let shown = self.nodes[seat].tell(json!({"do": "show", "record": record})).await;
        let seen = ["fields", "lists", "state", "steps", "conflicts", "changes", "standing"];
        seen.into_iter().map(|name| (name.to_owned(), shown[name].clone())).collect()
    }
}
