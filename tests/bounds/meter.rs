//! Time and memory of one thing at a time.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use xw_tests::Dice;

use crate::spoil::spoilt;

/// Longest time that one input may take a decoder (threats.md T31).
const SLOWEST: Duration = Duration::from_millis(50);

/// Memory by which all inputs of one decoder may make the process grow (threats.md T31).
const GROWTH_KIB_MAX: u64 = 64 << 10;

/// Tries of the input that seemed slowest.
const TRIES: usize = 5;

/// Nothing else is measured while this is held.
pub(crate) fn alone() -> MutexGuard<'static, ()> {
    static ONE: Mutex<()> = Mutex::new(());
    // A test that has failed leaves nothing behind that disturbs the next.
    let held = ONE.lock().unwrap_or_else(PoisonError::into_inner);
    // Where the peak cannot be reset, what was before counts as growth: the stricter reading.
    let _ = std::fs::write("/proc/self/clear_refs", "5");
    held
}

/// Kilobytes by name of this process; nothing where the system does not tell.
fn kib(name: &str) -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix(name))?;
    line.trim().strip_suffix(" kB")?.trim().parse().ok()
}

/// Memory before something.
pub(crate) struct Before(Option<u64>);

impl Before {
    pub(crate) fn now() -> Self {
        Self(kib("VmRSS:"))
    }

    /// How far the process grew at most since then, KiB.
    pub(crate) fn grown(&self) -> u64 {
        match (self.0, kib("VmHWM:")) {
            (Some(before), Some(peak)) => peak.saturating_sub(before),
            _ => 0,
        }
    }
}

/// The shortest of several tries.
pub(crate) fn time_of(mut act: impl FnMut()) -> Duration {
    let tries = (0..TRIES).map(|_| {
        let begun = Instant::now();
        act();
        begun.elapsed()
    });
    tries.min().unwrap_or_default()
}

/// Throws spoilt samples at a decoder, which says whether it took them: no panic, no input slower or
/// dearer than allowed; and it takes what is sound, or it would be no decoder.
pub(crate) fn assault(
    name: &str,
    inputs: u64,
    samples: &[Vec<u8>],
    decode: impl Fn(&[u8]) -> bool,
) {
    let _alone = alone();
    for sample in samples {
        assert!(decode(sample), "{name}: a sound sample of {} bytes is refused", sample.len());
    }
    let (mut dice, before) = (Dice::new(0x626f_756e_6473), Before::now());
    let (mut taken, mut slowest, mut worst) = (0_u64, Duration::ZERO, Vec::new());
    for _ in 0..inputs {
        let bytes = spoilt(samples, &mut dice);
        let begun = Instant::now();
        taken += u64::from(decode(&bytes));
        let took = begun.elapsed();
        if took > slowest {
            (slowest, worst) = (took, bytes);
        }
    }
    // A busy machine holds up any input, not one and the same five times.
    let slowest = slowest.min(time_of(|| {
        decode(&worst);
    }));
    let grown = before.grown();
    println!(
        "{name:<28} | {inputs} inputs, {taken} taken | slowest {} µs | +{grown} KiB",
        slowest.as_micros()
    );
    assert!(slowest <= SLOWEST, "{name}: {slowest:?} for {} bytes", worst.len());
    assert!(grown <= GROWTH_KIB_MAX, "{name}: the process grew by {grown} KiB");
}
