//! The clock and the dice of the program. No other module reads either.

use std::time::{SystemTime, UNIX_EPOCH};

use xw_ledger::draft::Act;
use xw_schemas::id::{Incarnation, OperationId};

/// Milliseconds of a day.
pub(crate) const DAY_MS: u64 = 86_400_000;

/// Milliseconds since 1970 by this PC's clock; a clock before 1970 reads as 0 and is refused when
/// something is signed.
#[expect(clippy::disallowed_methods, reason = "the one place that reads the clock")]
pub(crate) fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Milliseconds since the program began, by a clock that nobody can set: for delays and deadlines.
pub(crate) fn steady_ms() -> u64 {
    static BEGAN: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
    let began = BEGAN.get_or_init(std::time::Instant::now);
    u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX)
}

/// Random bytes from the operating system.
pub(crate) fn fill(buffer: &mut [u8]) {
    getrandom::fill(buffer)
        .expect("an operating system without randomness cannot run this program");
}

fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    fill(&mut bytes);
    bytes
}

/// A fresh act.
pub(crate) fn act() -> Act {
    Act { operation: OperationId(random()), time_ms: now_ms(), salt: random(), republishes: None }
}

/// A fresh incarnation of a log.
pub(crate) fn incarnation() -> Incarnation {
    Incarnation(random())
}

/// A fresh secret for the local API.
pub(crate) fn token() -> String {
    xw_schemas::id::hex(&random::<32>())
}

/// China Standard Time, which all records use.
const OFFSET_MS: i64 = 8 * 3_600_000;

/// `2026-11-23T09:30:00+08:00`.
pub(crate) fn stamp(ms: u64) -> String {
    let shifted = i64::try_from(ms).unwrap_or(i64::MAX / 2).saturating_add(OFFSET_MS);
    match jiff::Timestamp::from_millisecond(shifted) {
        Ok(time) => {
            let civil = time.to_zoned(jiff::tz::TimeZone::UTC).datetime();
            format!("{}+08:00", civil.strftime("%Y-%m-%dT%H:%M:%S"))
        }
        Err(_) => "-".to_owned(),
    }
}

/// `2026-11-23`.
pub(crate) fn day(ms: u64) -> String {
    stamp(ms).chars().take(10).collect()
}

/// `2026-11-23 09:30`.
pub(crate) fn minute(ms: u64) -> String {
    stamp(ms).chars().take(16).collect::<String>().replace('T', " ")
}
