//! Dice that fall the same way for the same seed, on every machine and in every release.

/// SplitMix64, written out here so that no library update can change the demo county.
pub(super) struct Dice {
    state: u64,
}

/// The odd constant of SplitMix64: 2^64 divided by the golden ratio.
const GAMMA: u64 = 0x9E37_79B9_7F4A_7C15;

impl Dice {
    /// Dice for one village: the same seed gives other villages other people.
    pub(super) fn seeded(seed: u64, place: &str) -> Self {
        let mut dice = Self { state: seed };
        for byte in place.bytes() {
            dice.state = dice.next().wrapping_add(u64::from(byte));
        }
        dice
    }

    pub(super) fn next(&mut self) -> u64 {
        self.state = self.state.wrapping_add(GAMMA);
        let mut z = self.state;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `end`, which is at least 1.
    pub(super) fn below(&mut self, end: u32) -> u32 {
        u32::try_from(self.next() % u64::from(end.max(1))).expect("smaller than a u32")
    }

    /// A number from `low` to `high`, both included.
    pub(super) fn between(&mut self, low: u32, high: u32) -> u32 {
        low + self.below(high - low + 1)
    }

    /// True in `per_mille` of a thousand throws.
    pub(super) fn chance(&mut self, per_mille: u32) -> bool {
        self.below(1000) < per_mille
    }

    pub(super) fn pick<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        let index = self.below(u32::try_from(of.len()).expect("a short list"));
        &of[index as usize]
    }

    /// Picks by weight; the weights need not add up to anything.
    pub(super) fn weighted<'a, T>(&mut self, of: &'a [(u32, T)]) -> &'a T {
        let total: u32 = of.iter().map(|(weight, _)| weight).sum();
        let mut at = self.below(total);
        for (weight, item) in of {
            if at < *weight {
                return item;
            }
            at -= weight;
        }
        &of[of.len() - 1].1
    }

    /// A log-normal number, as money and delays are spread. Domain section 17.4 gives the parameters.
    pub(super) fn log_normal(&mut self, median: f64, sigma: f64) -> f64 {
        // Twelve uniform throws less six are normal enough for a ledger.
        let normal: f64 =
            (0..12).map(|_| f64::from(self.below(1 << 24)) / f64::from(1 << 24)).sum();
        median * (sigma * (normal - 6.0)).exp()
    }
}
