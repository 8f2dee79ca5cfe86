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
        self.lacks_none_of = None;
    }

    /// Whether it has been worked out that the neighbour lacks nothing, and the log is as it was then.
    pub(crate) fn lacks_nothing(&self, log: &Log) -> bool {
        self.lacks_none_of == Some(log.count())
    }

    /// The next entries that the neighbour lacks.
    pub(crate) fn lacking(&mut self, log: &Log, most: usize) -> Vec<Point> {
        let lacking = log.lacking(&self.points, most);
        self.lacks_none_of = lacking.is_empty().then(|| log.count());
        lacking
    }

    /// The log here is another one than it was: what it had may be gone.
    pub(crate) fn forget_lacking(&mut self) {
        self.lacks_none_of = None;
    }
}
