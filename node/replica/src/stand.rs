//! Where a neighbour stands in one log: which ends of which branches it is known to hold. Never more
//! of them than the log has tips here, however many entries come and go.

use xw_ledger::log::{Log, Point};

/// What a neighbour is known to hold of one log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Stand {
    points: Vec<Point>,
    /// How many entries were held here when the neighbour lacked none of them.
    lacks_none_of: Option<usize>,
}

impl Stand {
    /// Standing at these points, whatever was known before.
    pub(crate) fn at(points: Vec<Point>) -> Self {
        Self { points, lacks_none_of: None }
    }

    /// The points.
    pub(crate) fn points(&self) -> &[Point] {
        &self.points
    }

    /// Notes that the neighbour holds these entries too. Only points before another one are left out,
    /// so that a log with many branches is not sent for ever.
    pub(crate) fn add(&mut self, log: &Log, points: impl IntoIterator<Item = Point>) {
        self.points.extend(points);
        self.points = log.foremost(self.points.drain(..));
    }

    /// The next entries that the neighbour lacks. That there are none is worked out once for as long
    /// as the log stays as it is: it is asked on every tick.
    pub(crate) fn lacking(&mut self, log: &Log, most: usize) -> Vec<Point> {
        if self.lacks_none_of == Some(log.count()) {
            return Vec::new();
        }
        let lacking = log.lacking(&self.points, most);
        self.lacks_none_of = lacking.is_empty().then(|| log.count());
        lacking
    }

    /// The log here is another one than it was: what it had may be gone.
    pub(crate) fn forget_lacking(&mut self) {
        self.lacks_none_of = None;
    }
}
