//! The smallest record to try a rule on.

use xw_ledger::document::Edit;
use xw_ledger::steps::Step;
use xw_schemas::cose::SecretKey;

use crate::county::{EAST, TOWN, county};
use crate::world::{Bend, Wish, World, put, step};

/// A service case of the eastern village, and logs of village and township to go on in.
pub(crate) struct Case {
    pub(crate) world: World,
    pub(crate) east: usize,
    pub(crate) town: usize,
    /// The entry that created the record.
    pub(crate) first: usize,
}

impl Case {
    pub(crate) fn new() -> Self {
        let mut world = World::new();
        let (east, town) = (world.open_in(EAST, EAST), world.open_in(TOWN, EAST));
        world.create(east, "SVC", county().offices[EAST].person("VAGT"), "VAGT");
        let first = world.written.len() - 1;
        Self { world, east, town, first }
    }

    /// A change by a person of the village in a role.
    pub(crate) fn village(&mut self, role: &str, on: Option<&[usize]>, what: What) -> usize {
        let person = county().offices[EAST].person(role);
        self.write(self.east, Some(person), on, what, Bend::Honest)
    }

    /// A change by a person of the township in a role.
    pub(crate) fn township(&mut self, role: &str, on: Option<&[usize]>, what: What) -> usize {
        let person = county().offices[TOWN].person(role);
        self.write(self.town, Some(person), on, what, Bend::Honest)
    }

    /// The village's agent edits in a bent way.
    pub(crate) fn bent(&mut self, bend: Bend) -> usize {
        let person = county().offices[EAST].person("VAGT");
        self.write(self.east, Some(person), None, edits(put("remarks", "甲")), bend)
    }

    pub(crate) fn write(
        &mut self,
        pen: usize,
        person: Option<&SecretKey>,
        on: Option<&[usize]>,
        (edits, step): What,
        bend: Bend,
    ) -> usize {
        let wish = Wish { pen, record: 0, on, edits, step, person, bend };
        self.world.change(wish).expect("a change that can be written")
    }

    pub(crate) fn state(&self) -> String {
        let judged = self.world.judged(county().chain().roster(), 0);
        judged.view.expect("the record is there").state
    }
}

/// Edits and a step.
pub(crate) type What = (Vec<Edit>, Option<Step>);

pub(crate) fn edits(edit: Edit) -> What {
    (vec![edit], None)
}

pub(crate) fn stepping(from: &str, to: &str, role: &str) -> What {
    (Vec::new(), Some(step(from, to, role)))
}
