//! What a liar does with a key that is on the roster.

use crate::county::County;

impl County {
    /// One of the liars does something.
    pub fn misbehave(&mut self) {}
}
