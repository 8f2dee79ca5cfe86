//! Writes entries into one log at any point, honestly or not: the only hand that signs here.

use std::collections::BTreeMap;

use xw_schemas::cose::SecretKey;
use xw_schemas::entry::{Core, Opening, Statement, VerifiedEntry, sign};
use xw_schemas::id::{EntryId, Incarnation, LogId, NetworkId, OperationId};
use xw_schemas::merkle::{Frontier, root_of};
use xw_schemas::space::Space;

/// One log with all its branches.
#[derive(Clone)]
pub(crate) struct Pen {
    network: NetworkId,
    pub(crate) node: SecretKey,
    pub(crate) space: Space,
    pub(crate) log: LogId,
    /// Every entry: its number, the one before and the tree up to it.
    points: BTreeMap<EntryId, (u64, EntryId, Frontier)>,
    /// Where the next entry goes.
    pub(crate) tip: EntryId,
}

/// Who acts and when.
#[derive(Clone, Copy)]
pub(crate) struct Stamp<'a> {
    pub(crate) time_ms: u64,
    pub(crate) operation: u64,
    pub(crate) person: Option<&'a SecretKey>,
}

/// The operation of a number.
pub(crate) fn operation(number: u64) -> OperationId {
    let mut id = [0; 16];
    id[..8].copy_from_slice(&number.to_le_bytes());
    OperationId(id)
}

impl Pen {
    pub(crate) fn open(
        network: NetworkId,
        node: &SecretKey,
        space: Space,
        incarnation: u64,
        stamp: Stamp<'_>,
    ) -> (Self, VerifiedEntry) {
        let incarnation = Incarnation(operation(incarnation).0);
        let log = LogId::of(network, node.public(), space, incarnation);
        let points = BTreeMap::new();
        let mut pen =
            Self { network, node: node.clone(), space, log, points, tip: EntryId([0; 32]) };
        let opening = Opening { node: node.public(), space, incarnation, successor_of: None };
        let entry = pen.write(stamp, Statement::Open(opening));
        (pen, entry)
    }

    /// Signs the next entry behind the tip and moves there.
    pub(crate) fn write(&mut self, stamp: Stamp<'_>, statement: Statement) -> VerifiedEntry {
        let core = self.core(stamp, statement);
        self.put(core, stamp.person)
    }

    /// What the next entry would say.
    pub(crate) fn core(&self, stamp: Stamp<'_>, statement: Statement) -> Core {
        let opens = matches!(statement, Statement::Open(_));
        let tip = self.points.get(&self.tip).filter(|_| !opens);
        Core {
            network: self.network,
            log: self.log,
            sequence: tip.map_or(0, |(number, ..)| number + 1),
            previous: tip.map_or(EntryId([0; 32]), |_| self.tip),
            root: tip.map_or(root_of(&[]), |(_, _, frontier)| frontier.root()),
            seen: None,
            claimed_time_ms: stamp.time_ms,
            operation: operation(stamp.operation),
            republishes: None,
            person: stamp.person.map(SecretKey::public),
            statement,
        }
    }

    /// Signs a core as it is.
    pub(crate) fn put(&mut self, core: Core, person: Option<&SecretKey>) -> VerifiedEntry {
        let (sequence, previous) = (core.sequence, core.previous);
        let mut frontier =
            self.points.get(&previous).map_or_else(Frontier::new, |(_, _, tree)| tree.clone());
        let entry = sign(core, &self.node, person).expect("a core that can be signed");
        frontier.push(&entry.id());
        self.points.insert(entry.id(), (sequence, previous, frontier));
        self.tip = entry.id();
        entry
    }

    /// The number of an entry.
    pub(crate) fn number(&self, entry: &EntryId) -> u64 {
        self.points[entry].0
    }

    /// The root over a log up to an entry.
    pub(crate) fn root(&self, entry: &EntryId) -> [u8; 32] {
        self.points[entry].2.root()
    }

    /// The entries from the opening to the tip.
    pub(crate) fn path(&self) -> Vec<EntryId> {
        let mut path = Vec::new();
        let mut at = self.tip;
        while let Some((_, previous, _)) = self.points.get(&at) {
            path.push(at);
            at = *previous;
        }
        path.reverse();
        path
    }

    /// Every entry written, by id.
    pub(crate) fn all(&self) -> Vec<EntryId> {
        self.points.keys().copied().collect()
    }
}
