//! Guessing slowed down: how long until a passphrase may be tried again. Never locks anyone out for
//! good, because the only clerk of a village must get in on market day. `now_ms` is the caller's and
//! best comes from a clock that nobody sets.

use serde::{Deserialize, Serialize};

/// Wrong tries in a row before anyone waits: a clerk mistypes.
pub const FREE_TRIES: u32 = 5;

/// First wait after the free tries.
const WAIT_FIRST_MS: u64 = 30_000;

/// Longest wait between two tries, and the quiet after which tries are free again. A guesser who
/// waits for the quiet gets 5 tries a quarter of an hour; who does not gets 4 an hour.
const WAIT_MAX_MS: u64 = 15 * 60 * 1_000;

/// The wrong tries at one lock (an operator's file, an account). Whoever ends a program and starts it
/// again must not begin anew, so it can be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tries {
    failed: u32,
    last_ms: u64,
}

/// Too soon for another try.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many wrong passphrases; try again in {} s", .wait_ms.div_ceil(1_000))]
pub struct Wait {
    /// How long to wait.
    pub wait_ms: u64,
}

impl Wait {
    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        let seconds = self.wait_ms.div_ceil(1_000);
        match (seconds / 60, seconds % 60) {
            (0, seconds) => format!("口令多次不对，请{seconds}秒后再试"),
            (minutes, 0) => format!("口令多次不对，请{minutes}分钟后再试"),
            (minutes, seconds) => format!("口令多次不对，请{minutes}分{seconds}秒后再试"),
        }
    }
}

impl Tries {
    /// No wrong try yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Asks for a try and counts it as failed until [`Tries::succeeded`] says otherwise, so that
    /// many at once gain nothing. A try that must wait is not counted: asking lengthens no wait.
    pub fn begin(&mut self, now_ms: u64) -> Result<(), Wait> {
        // A clock set back must not make a long wait of a short one.
        let last_ms = self.last_ms.min(now_ms);
        self.last_ms = last_ms;
        let quiet_ms = now_ms - last_ms;
        if quiet_ms >= WAIT_MAX_MS {
            self.failed = 0;
        }
        let wait_ms = self.wait_ms().saturating_sub(quiet_ms);
        if wait_ms > 0 {
            return Err(Wait { wait_ms });
        }
        self.failed = self.failed.saturating_add(1);
        self.last_ms = now_ms;
        Ok(())
    }

    /// The passphrase was right: the count begins anew.
    pub fn succeeded(&mut self) {
        *self = Self::default();
    }

    /// Wrong tries in a row; from [`FREE_TRIES`] on somebody should be told.
    #[must_use]
    pub fn failed(&self) -> u32 {
        self.failed
    }

    /// The wait after the last try: 30 s, doubling.
    fn wait_ms(&self) -> u64 {
        match self.failed.checked_sub(FREE_TRIES) {
            None => 0,
            Some(doublings) => (WAIT_FIRST_MS << doublings.min(16)).min(WAIT_MAX_MS),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HOUR_MS: u64 = 3_600_000;

    /// The effective rate that a guesser may reach.
    const TRIES_AN_HOUR_MAX: usize = 60;

    #[test]
    fn a_clerk_who_mistypes_waits_for_nothing() {
        let mut tries = Tries::new();
        for now_ms in 0..5 {
            assert_eq!(tries.begin(now_ms), Ok(()));
        }
        assert_eq!(tries.begin(5), Err(Wait { wait_ms: 29_999 }));
        assert_eq!(tries.begin(30_004), Ok(()));
        tries.succeeded();
        assert_eq!(tries, Tries::new());
    }

    #[test]
    fn waits_double_to_a_quarter_of_an_hour_and_no_further() {
        let (mut tries, mut now_ms, mut waits) = (Tries::new(), 0, Vec::new());
        for _ in 0..13 {
            if let Err(wait) = tries.begin(now_ms) {
                waits.push(wait.wait_ms / 1_000);
                // A millisecond early is early; in time is in time.
                assert!(tries.begin(now_ms + wait.wait_ms - 1).is_err());
                now_ms += wait.wait_ms;
                assert_eq!(tries.begin(now_ms), Ok(()));
            }
        }
        // After the longest wait a quarter of an hour was quiet, and tries are free again.
        assert_eq!(waits, [30, 60, 120, 240, 480, 900]);
    }

    #[test]
    fn ten_thousand_tries_as_fast_as_allowed_take_a_week_and_more() {
        let mut guesser = Guesser::new();
        while guesser.made.len() < 10_000 {
            guesser.ask_now_or_when_allowed();
        }
        let took_ms = guesser.made.last().unwrap() - guesser.made[0];
        assert!(took_ms / HOUR_MS >= 7 * 24, "{} h", took_ms / HOUR_MS);
        check_rate(&guesser.made);
    }

    #[test]
    fn asking_ten_thousand_times_lengthens_no_wait() {
        let mut tries = Tries::new();
        (0..5).for_each(|now_ms| tries.begin(now_ms).unwrap());
        for now_ms in 5..10_005 {
            assert!(tries.begin(now_ms).is_err());
        }
        assert_eq!(tries.begin(30_004), Ok(()), "the clerk gets in when it is time");
    }

    #[test]
    fn a_clock_set_back_locks_nobody_out() {
        let mut tries = Tries::new();
        (0..5).for_each(|_| tries.begin(1 << 50).unwrap());
        let Err(wait) = tries.begin(1_000) else { panic!("the wait was forgotten") };
        assert!(wait.wait_ms <= WAIT_MAX_MS);
        assert_eq!(tries.begin(1_000 + wait.wait_ms), Ok(()));
    }

    #[test]
    fn waits_are_told_in_both_languages() {
        assert_eq!(Wait { wait_ms: 29_001 }.zh(), "口令多次不对，请30秒后再试");
        assert_eq!(Wait { wait_ms: 61_000 }.zh(), "口令多次不对，请1分1秒后再试");
        assert_eq!(Wait { wait_ms: 900_000 }.zh(), "口令多次不对，请15分钟后再试");
        assert!(Wait { wait_ms: 61_000 }.to_string().ends_with("in 61 s"));
    }

    proptest! {
        #[test]
        fn no_schedule_of_guesses_beats_the_rate(
            pauses in prop::collection::vec(prop_oneof![
                Just(0_u64), 0..60_000_u64, 0..2_000_000_u64, Just(WAIT_MAX_MS), Just(WAIT_MAX_MS - 1)
            ], 1..600)
        ) {
            let mut guesser = Guesser::new();
            for pause_ms in pauses {
                guesser.now_ms += pause_ms;
                guesser.ask_now_or_when_allowed();
            }
            check_rate(&guesser.made);
        }

        #[test]
        fn nobody_ever_waits_longer_than_a_quarter_of_an_hour(
            moments in prop::collection::vec(any::<u64>(), 1..300)
        ) {
            let mut tries = Tries::new();
            for now_ms in moments {
                if let Err(wait) = tries.begin(now_ms) {
                    prop_assert!((1..=WAIT_MAX_MS).contains(&wait.wait_ms));
                    if let Some(then_ms) = now_ms.checked_add(wait.wait_ms) {
                        prop_assert_eq!(tries.begin(then_ms), Ok(()));
                    }
                }
            }
        }
    }

    /// Tries as often as it is let.
    struct Guesser {
        tries: Tries,
        now_ms: u64,
        made: Vec<u64>,
    }

    impl Guesser {
        fn new() -> Self {
            Self { tries: Tries::new(), now_ms: 1_000_000, made: Vec::new() }
        }

        fn ask_now_or_when_allowed(&mut self) {
            if let Err(wait) = self.tries.begin(self.now_ms) {
                self.now_ms += wait.wait_ms;
                assert_eq!(self.tries.begin(self.now_ms), Ok(()));
            }
            self.made.push(self.now_ms);
        }
    }

    /// No hour, wherever it begins, holds more tries than [`TRIES_AN_HOUR_MAX`].
    fn check_rate(made: &[u64]) {
        for (at, first_ms) in made.iter().enumerate() {
            let in_hour = made[at..].iter().take_while(|ms| **ms - first_ms < HOUR_MS).count();
            assert!(in_hour <= TRIES_AN_HOUR_MAX, "{in_hour} tries in an hour");
        }
    }
}
