//! One line on the error stream that says how far a long job has come. Shown to people only.

use std::io::{self, IsTerminal as _, Write as _};

use super::grouped;

/// Characters of the bar.
const BAR_CHARS: u64 = 24;

/// Redrawn when so many thousandths have passed: a screen shows no finer steps.
const STEP_PERMILLE: u64 = 5;

/// A progress line.
pub(crate) struct Bar {
    doing: &'static str,
    shown: bool,
    drawn: Option<u64>,
}

impl Bar {
    /// For a job with this name; drawn on a terminal, or wherever it is asked for.
    pub(crate) fn new(doing: &'static str, always: bool) -> Self {
        Self { doing, shown: always || io::stderr().is_terminal(), drawn: None }
    }

    /// So much is done, of so much.
    pub(crate) fn show(&mut self, done: u64, total: u64) {
        if !self.shown {
            return;
        }
        let step = permille(done, total) / STEP_PERMILLE;
        if self.drawn.is_none_or(|drawn| drawn != step) {
            self.drawn = Some(step);
            let mut err = io::stderr().lock();
            // A line that cannot be drawn is not worth stopping for.
            let _ = write!(err, "\r{}", line(self.doing, done, total)).and_then(|()| err.flush());
        }
    }

    /// Ends the line.
    pub(crate) fn clear(&mut self) {
        if self.drawn.take().is_some() {
            let _ = writeln!(io::stderr().lock());
        }
    }
}

fn permille(done: u64, total: u64) -> u64 {
    done.min(total).saturating_mul(1_000).checked_div(total).unwrap_or(0)
}

fn line(doing: &str, done: u64, total: u64) -> String {
    let permille = permille(done, total);
    let full = permille * BAR_CHARS / 1_000;
    let bar: String = (0..BAR_CHARS).map(|at| if at < full { '#' } else { '.' }).collect();
    format!("{doing} [{bar}] {} / {}  {}%", grouped(done), grouped(total), permille / 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_gives_figures() {
        assert_eq!(
            line("正在核验", 1_234, 2_468),
            "正在核验 [############............] 1,234 / 2,468  50%"
        );
        assert_eq!(permille(7, 0), 0);
        assert_eq!(permille(9, 5), 1_000);
    }
}
