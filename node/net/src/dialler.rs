//! Whom to call and when: one state per neighbour. Opens no socket and reads no clock.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};

use crate::limits::ADDRS_PER_PEER_MAX;
use crate::peer::PeerKey;

/// First wait after a failed call.
const WAIT_MS_MIN: u64 = 1_000;
/// First wait on the same machine, where a neighbour is starting and nobody is disturbed.
const WAIT_MS_MIN_LOOPBACK: u64 = 200;
/// Longest wait. A village whose township was down for a day is back five minutes after it.
const WAIT_MS_MAX: u64 = 300_000;
/// Longest wait inside a building or an office network.
const WAIT_MS_MAX_NEAR: u64 = 30_000;

/// The neighbours this node calls.
#[derive(Debug)]
pub(crate) struct Dialler {
    targets: BTreeMap<PeerKey, Target>,
    dice: u64,
}

#[derive(Debug)]
struct Target {
    addrs: Vec<SocketAddr>,
    /// Addresses where somebody else answered in this round.
    strangers: BTreeSet<SocketAddr>,
    wait_ms: u64,
    stage: Stage,
    allowed: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting {
        until_ms: u64,
    },
    Dialling,
    /// There is a session, whichever side called.
    Held,
}

impl Dialler {
    /// `seed` makes the waits of two nodes differ, so that a county does not call in step.
    pub(crate) fn new(seed: u64) -> Self {
        Self { targets: BTreeMap::new(), dice: seed }
    }

    /// Calls this neighbour from now on, and at once unless it is on the line.
    pub(crate) fn keep(&mut self, now_ms: u64, peer: PeerKey, addrs: &[SocketAddr], held: bool) {
        let addrs: Vec<_> = addrs.iter().copied().take(ADDRS_PER_PEER_MAX).collect();
        let wait_ms = wait_bounds(&addrs).0;
        let target = self.targets.entry(peer).or_insert(Target {
            addrs: Vec::new(),
            strangers: BTreeSet::new(),
            wait_ms,
            stage: if held { Stage::Held } else { Stage::Waiting { until_ms: now_ms } },
            allowed: false,
        });
        target.addrs = addrs;
        target.strangers.clear();
        if matches!(target.stage, Stage::Waiting { .. }) {
            target.stage = Stage::Waiting { until_ms: now_ms };
        }
    }

    /// Calls this neighbour no more.
    pub(crate) fn stop(&mut self, peer: &PeerKey) {
        self.targets.remove(peer);
    }

    /// Whether this neighbour is to be called.
    pub(crate) fn wants(&self, peer: &PeerKey) -> bool {
        self.targets.contains_key(peer)
    }

    /// Calls wait while the neighbour is off the allow-list; one that comes onto it is called at once.
    pub(crate) fn allow(&mut self, now_ms: u64, allowed: &BTreeSet<PeerKey>) {
        for (peer, target) in &mut self.targets {
            let may = allowed.contains(peer);
            if may && !target.allowed && matches!(target.stage, Stage::Waiting { .. }) {
                target.stage = Stage::Waiting { until_ms: now_ms };
            }
            target.allowed = may;
        }
    }

    /// The next neighbour to call now, with its addresses. The call counts as begun.
    pub(crate) fn due(&mut self, now_ms: u64) -> Option<(PeerKey, Vec<SocketAddr>)> {
        let (peer, target) = self
            .targets
            .iter_mut()
            .find(|(_, t)| t.waits_until().is_some_and(|at| at <= now_ms))?;
        target.stage = Stage::Dialling;
        let untried = |addr: &&SocketAddr| !target.strangers.contains(addr);
        Some((*peer, target.addrs.iter().filter(untried).copied().collect()))
    }

    /// When the next call is due.
    pub(crate) fn next_ms(&self) -> Option<u64> {
        self.targets.values().filter_map(Target::waits_until).min()
    }

    /// The call led to no session.
    pub(crate) fn failed(&mut self, now_ms: u64, peer: &PeerKey) {
        self.wait(now_ms, peer, Stage::Dialling);
    }

    /// Another node answered at this address: the others are tried at once, and all of them again
    /// after a wait.
    pub(crate) fn stranger_at(&mut self, now_ms: u64, peer: &PeerKey, addr: SocketAddr) {
        let Some(target) = self.targets.get_mut(peer) else {
            return;
        };
        target.strangers.insert(addr);
        if target.addrs.iter().all(|addr| target.strangers.contains(addr)) {
            target.strangers.clear();
            return self.failed(now_ms, peer);
        }
        if target.stage == Stage::Dialling {
            target.stage = Stage::Waiting { until_ms: now_ms };
        }
    }

    /// There is a session with this neighbour.
    pub(crate) fn held(&mut self, peer: &PeerKey) {
        if let Some(target) = self.targets.get_mut(peer) {
            target.stage = Stage::Held;
            target.strangers.clear();
        }
    }

    /// The session is over.
    pub(crate) fn released(&mut self, now_ms: u64, peer: &PeerKey) {
        self.wait(now_ms, peer, Stage::Held);
    }

    /// The neighbour's daemon has answered: the next wait is a short one again.
    ///
    /// An established connection is no such proof, because the caller sees one even when the other
    /// side refuses it.
    pub(crate) fn confirmed(&mut self, peer: &PeerKey) {
        if let Some(target) = self.targets.get_mut(peer) {
            target.wait_ms = wait_bounds(&target.addrs).0;
        }
    }

    fn wait(&mut self, now_ms: u64, peer: &PeerKey, from: Stage) {
        let roll = roll(&mut self.dice);
        let Some(target) = self.targets.get_mut(peer) else {
            return;
        };
        if target.stage == from {
            target.wait_ms = next_wait_ms(wait_bounds(&target.addrs), target.wait_ms, roll);
            target.stage = Stage::Waiting { until_ms: now_ms + target.wait_ms };
        }
    }
}

impl Target {
    fn waits_until(&self) -> Option<u64> {
        match self.stage {
            Stage::Waiting { until_ms } if self.allowed && !self.addrs.is_empty() => Some(until_ms),
            _ => None,
        }
    }
}

/// Anywhere between the last wait and three times it, up to the longest and with enough left below
/// it to spread. Waits that may also shrink at each step wander for hours before they are long.
fn next_wait_ms((min, max): (u64, u64), last: u64, roll: u64) -> u64 {
    let low = last.clamp(min, max / 3);
    let high = last.saturating_mul(3).clamp(low, max);
    low + roll % (high - low + 1)
}

/// Shortest and longest wait, by the nearest of the addresses.
fn wait_bounds(addrs: &[SocketAddr]) -> (u64, u64) {
    if addrs.iter().any(|addr| addr.ip().is_loopback()) {
        (WAIT_MS_MIN_LOOPBACK, WAIT_MS_MAX_NEAR)
    } else if addrs.iter().any(|addr| is_near(addr.ip())) {
        (WAIT_MS_MIN, WAIT_MS_MAX_NEAR)
    } else {
        (WAIT_MS_MIN, WAIT_MS_MAX)
    }
}

fn is_near(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => ip.is_private() || ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unique_local() || ip.is_unicast_link_local(),
    }
}

/// One step of the SplitMix64 generator: jitter needs spread, not secrecy.
fn roll(dice: &mut u64) -> u64 {
    *dice = dice.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *dice;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOWN: PeerKey = PeerKey([1; 32]);
    const FAR: &str = "203.0.113.7:4001";
    const FAR_TOO: &str = "203.0.113.8:4001";

    #[test]
    fn a_neighbour_is_called_at_once_and_only_once_at_a_time() {
        let mut dialler = calling(&[FAR]);
        assert_eq!(dialler.due(0), Some((TOWN, addrs(&[FAR]))));
        assert_eq!(dialler.due(1_000_000), None);
        dialler.keep(1, TOWN, &addrs(&[FAR]), false);
        assert_eq!(dialler.due(1_000_000), None);
    }

    #[test]
    fn waits_grow_to_five_minutes_and_no_further() {
        for seed in 0..200 {
            let mut dialler = calling_with(seed, &[FAR]);
            let mut longest = 0;
            for _ in 0..40 {
                longest = longest.max(fail_once(&mut dialler));
            }
            assert!((WAIT_MS_MAX / 3..=WAIT_MS_MAX).contains(&longest), "seed {seed}: {longest}");
        }
    }

    #[test]
    fn waits_on_a_lan_stay_under_half_a_minute() {
        for near in ["192.168.1.9:4001", "127.0.0.1:4001", "[fd00::1]:4001"] {
            let mut dialler = calling(&[near]);
            let longest = fail_times(&mut dialler, 60);
            assert!(longest <= WAIT_MS_MAX_NEAR && longest > WAIT_MS_MAX_NEAR / 4);
        }
    }

    #[test]
    fn a_session_alone_does_not_shorten_the_wait_but_an_answer_does() {
        let grown = |confirm: bool| {
            let mut dialler = calling(&[FAR]);
            fail_times(&mut dialler, 20);
            let at = dialler.next_ms().unwrap();
            dialler.due(at).unwrap();
            dialler.held(&TOWN);
            if confirm {
                dialler.confirmed(&TOWN);
            }
            dialler.released(at, &TOWN);
            dialler.targets[&TOWN].wait_ms
        };
        assert!(grown(true) <= 3 * WAIT_MS_MIN);
        assert!(grown(false) > 3 * WAIT_MS_MIN);
    }

    #[test]
    fn asking_again_calls_again_at_once() {
        let mut dialler = calling(&[FAR]);
        fail_times(&mut dialler, 10);
        let before = dialler.next_ms().unwrap() - 1;
        assert_eq!(dialler.due(before), None);
        dialler.keep(before, TOWN, &addrs(&[FAR]), false);
        assert!(dialler.due(before).is_some());
    }

    #[test]
    fn nobody_off_the_list_is_called() {
        let mut dialler = calling(&[FAR]);
        dialler.allow(0, &BTreeSet::new());
        assert_eq!((dialler.next_ms(), dialler.due(u64::MAX)), (None, None));
        dialler.allow(50, &BTreeSet::from([TOWN]));
        assert!(dialler.due(50).is_some());
    }

    #[test]
    fn an_address_where_another_node_answers_does_not_hide_the_right_one() {
        let mut dialler = calling(&[FAR, FAR_TOO]);
        dialler.due(0).unwrap();
        dialler.stranger_at(0, &TOWN, FAR.parse().unwrap());
        assert_eq!(dialler.due(0), Some((TOWN, addrs(&[FAR_TOO]))));
        dialler.stranger_at(0, &TOWN, FAR_TOO.parse().unwrap());
        assert_eq!(dialler.due(0), None);
        let at = dialler.next_ms().unwrap();
        assert_eq!(dialler.due(at), Some((TOWN, addrs(&[FAR, FAR_TOO]))));
    }

    fn calling(texts: &[&str]) -> Dialler {
        calling_with(1, texts)
    }

    fn calling_with(seed: u64, texts: &[&str]) -> Dialler {
        let mut dialler = Dialler::new(seed);
        dialler.keep(0, TOWN, &addrs(texts), false);
        dialler.allow(0, &BTreeSet::from([TOWN]));
        dialler
    }

    fn fail_once(dialler: &mut Dialler) -> u64 {
        let at = dialler.next_ms().unwrap();
        dialler.due(at).unwrap();
        dialler.failed(at, &TOWN);
        dialler.next_ms().unwrap() - at
    }

    /// Returns the longest of the waits.
    fn fail_times(dialler: &mut Dialler, times: usize) -> u64 {
        (0..times).map(|_| fail_once(dialler)).max().unwrap()
    }

    fn addrs(texts: &[&str]) -> Vec<SocketAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }
}
