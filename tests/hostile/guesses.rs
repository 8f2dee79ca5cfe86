//! Somebody at a PC, with the token of its API, tries passphrases as fast as the node answers
//! (threats.md T39).

use std::sync::Arc;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};
use tokio::task::JoinSet;
use xw_custody::FREE_TRIES;

use crate::enrol;
use crate::extent::chosen;
use crate::scene::{GROWTH_MIB, Stage};
use crate::setup::WEST_VILLAGE;

/// Guesses under way at a time.
const AT_ONCE: usize = 8;

/// The first wait after the free tries; every further one is twice as long.
const WAIT_FIRST: Duration = Duration::from_secs(30);

/// An honest request to an API under attack is answered within this time (threats.md T34).
const PROMPT: Duration = Duration::from_secs(1);

pub(crate) async fn all(stage: &Stage) {
    let scene = stage.scene("guessed passphrases");
    let count = chosen(10_000, 10_000);
    let [clerk, victim] = [0, 1].map(|at| stage.honest[WEST_VILLAGE].people[at].0.clone());
    let begun = Instant::now();
    let (mut guessing, mut said) = (JoinSet::new(), Vec::new());
    for guesser in 0..AT_ONCE {
        let (nodes, victim) = (Arc::clone(&stage.nodes), victim.clone());
        guessing.spawn(async move {
            let mut codes = Vec::new();
            for number in (guesser..count).step_by(AT_ONCE) {
                codes.push(guess(&nodes[WEST_VILLAGE], &victim, number).await);
            }
            codes
        });
    }
    let mut answers = Vec::new();
    while !guessing.is_empty() {
        let asked = Instant::now();
        // Whoever works there is neither kept out nor kept waiting.
        stage.nodes[WEST_VILLAGE].tell(json!({"do": "list"})).await;
        answers.push(asked.elapsed());
        while let Some(codes) = guessing.try_join_next() {
            said.extend(codes.expect("a guesser does not panic"));
        }
    }
    let tried = said.iter().filter(|code| *code == "passphrase").count();
    let allowed = FREE_TRIES as usize + begun.elapsed().div_duration_f64(WAIT_FIRST) as usize;
    assert!(tried <= allowed, "{tried} of {count} guesses were tried");
    assert_eq!(said.iter().filter(|code| *code == "wait").count(), count - tried);
    let s = begun.elapsed().as_secs();
    // Ending the node and starting it again makes no tries.
    let node = &stage.nodes[WEST_VILLAGE];
    tokio::task::block_in_place(|| node.stop());
    node.start();
    node.up().await;
    let after = guess(node, &victim, 0).await;
    assert!(after == "wait" || begun.elapsed() > WAIT_FIRST, "a restart forgets the guesses");
    node.tell(enrol::unlock_as(&clerk)).await;
    answers.sort_unstable();
    let at = |percent: usize| answers[(answers.len() - 1) * percent / 100];
    assert!(at(99) < PROMPT, "an honest request took {:?}", at(99));
    let said = format!(
        "{count} guesses in {s} s: {tried} tried, the rest told to wait, a restart gives none; \
         honest requests p50/p99 {}/{} ms",
        at(50).as_millis(),
        at(99).as_millis()
    );
    scene.end(&said, GROWTH_MIB).await;
}

/// Tries one passphrase; the code of the refusal.
async fn guess(node: &crate::node::Node, victim: &str, number: usize) -> String {
    let passphrase = format!("guess-{number}-brook-willow");
    let refusal = node.ask(json!({"do": "unlock", "person": victim, "passphrase": passphrase}));
    let refusal = refusal.await.expect_err("a guess does not open");
    let refusal: Json = serde_json::from_str(&refusal).unwrap_or_default();
    refusal["error"]["code"].as_str().unwrap_or_default().to_owned()
}
