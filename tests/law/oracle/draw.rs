//! Draws worlds: offices that write, exchange part of what they hold and witness; a secretary who
//! forks his log, a stolen key, a hostile township, cuts. Every fact is a signed entry as well.

use std::collections::{BTreeMap, BTreeSet};

use xw_ledger::roster::{Chain, RULES_VERSION};
use xw_ledger::standing::Standing;
use xw_schemas::checkpoint::{Checkpoint, cosign};
use xw_schemas::cose::SecretKey;
use xw_schemas::edition::{Edition, EditionCore, Fact as Line, OfficeId, SignerKind};
use xw_schemas::entry::{ChangeStatement, Opening, Statement, VerifiedEntry};
use xw_schemas::id::{EditionId, Incarnation, RecordId};
use xw_schemas::record::SchemaHash;
use xw_schemas::space::{Audience, Division, Space};

use super::{COUNTY, Cuts, Fact, Feed, Id, KEYS, Key, Said, TOWNSHIPS, oracle, township_of};
use crate::county::{NOW_MS, key, signer};
use crate::dice::Dice;
use crate::pen::{Pen, Stamp, operation};

/// The secretary who forks his own log.
const SECRETARY: Key = 8;
/// Whose key is stolen.
const VICTIM: Key = 7;

pub(super) struct Sim {
    pub(super) seed: u64,
    pub(super) all: BTreeMap<Id, Fact>,
    pub(super) entries: BTreeMap<Id, VerifiedEntry>,
    /// What every office holds in the end.
    pub(super) held: Vec<BTreeSet<Id>>,
    pub(super) cuts: Cuts,
    pub(super) chain: Chain,
    pens: BTreeMap<Feed, Pen>,
    /// The incarnation and head of every office.
    heads: Vec<Option<(Feed, Id)>>,
    hostile_township: bool,
    dice: Dice,
    acts: u64,
}

fn node(at: Key) -> SecretKey {
    key(500 + at as u64)
}

fn division(at: Key) -> Division {
    let code = match (at, township_of(at)) {
        (COUNTY, _) => 130_599_000_000,
        (township, None) => 130_599_200_000 + 1_000 * township as u64,
        (village, Some(township)) => 130_599_200_000 + 1_000 * township as u64 + village as u64,
    };
    Division::from_number(code).unwrap()
}

/// Signs the founding edition once; every world has the same offices.
fn founding() -> &'static (SecretKey, Edition) {
    static FOUNDED: std::sync::LazyLock<(SecretKey, Edition)> = std::sync::LazyLock::new(|| {
        let root = key(999);
        let keys = vec![root.public()];
        let mut facts =
            vec![Line::Root { threshold: 1, keys }, Line::Rules { version: RULES_VERSION }];
        for at in 0..KEYS {
            let office = OfficeId(u32::try_from(at).unwrap());
            let (division, key) = (division(at), node(at).public());
            facts.push(Line::Office { office, division, name: "机构".into() });
            facts.push(signer(key, SignerKind::Node, office, &[]));
        }
        let core = EditionCore {
            scope: xw_schemas::edition::Scope::Root,
            network: None,
            number: 1,
            previous: EditionId([0; 32]),
            claimed_time_ms: NOW_MS,
            facts,
        };
        let edition = Edition::sign(&core, std::slice::from_ref(&root)).unwrap();
        (root, edition)
    });
    &FOUNDED
}

impl Sim {
    pub(super) fn run(seed: u64) -> Self {
        let mut sim = Self {
            seed,
            all: BTreeMap::new(),
            entries: BTreeMap::new(),
            held: vec![BTreeSet::new(); KEYS],
            cuts: Cuts::new(),
            chain: Chain::founded(founding().1.clone()).unwrap(),
            pens: BTreeMap::new(),
            heads: vec![None; KEYS],
            hostile_township: seed.is_multiple_of(3),
            dice: Dice(seed.wrapping_mul(0x0123_4567).wrapping_add(7)),
            acts: 0,
        };
        let steps = 40 + sim.dice.below(60);
        for _ in 0..steps {
            let at = 3 + sim.dice.below(KEYS - 3);
            match sim.dice.below(100) {
                0..28 => sim.append(at, Said::Something),
                28..58 => sim.sync(),
                58..72 => {
                    let witness = sim.dice.below(3);
                    sim.witness(witness);
                }
                72..75 => sim.heads[at] = None,
                75..79 => sim.fork(at, 1),
                79..91 => sim.fork(SECRETARY, 8),
                91..97 => sim.steal(),
                _ => sim.cut(),
            }
        }
        sim
    }

    fn stamp(&mut self) -> Stamp<'static> {
        self.acts += 1;
        Stamp { time_ms: NOW_MS + self.acts, operation: self.acts, person: None }
    }

    fn keep(&mut self, feed: Feed, said: Said, entry: VerifiedEntry) -> Id {
        let (id, core) = (entry.id(), entry.core());
        let previous = (core.sequence > 0).then_some(core.previous);
        self.all.insert(id, Fact { feed, number: core.sequence, previous, said });
        self.entries.insert(id, entry);
        id
    }

    fn open(&mut self, at: Key) -> (Feed, Id) {
        let stamp = self.stamp();
        let feed = (at, stamp.operation);
        let space = Space { division: division(at), audience: Audience::Office };
        let network = founding().1.network();
        let (pen, entry) = Pen::open(network, &node(at), space, stamp.operation, stamp);
        self.pens.insert(feed, pen);
        (feed, self.keep(feed, Said::Something, entry))
    }

    /// Writes behind an entry of a feed.
    fn put(&mut self, feed: Feed, behind: Id, said: Said) -> Id {
        let stamp = self.stamp();
        let statement = match &said {
            Said::Something => Statement::Change(ChangeStatement {
                record: RecordId([1; 16]),
                record_type: "SVC".into(),
                schema: SchemaHash([2; 32]),
                commitment: [3; 32],
                length: 1,
            }),
            Said::Pins(pins) => {
                let mut pins: Vec<_> = pins
                    .iter()
                    .map(|(target, number, head)| {
                        let (pen, network) = (&self.pens[target], founding().1.network());
                        let (log, root) = (pen.log, pen.root(head));
                        let checkpoint = Checkpoint { network, log, size: number + 1, root };
                        cosign(&node(feed.0), &checkpoint, *head, NOW_MS / 1_000)
                    })
                    .collect();
                pins.sort_by_key(|pin| pin.log);
                Statement::Witness(pins)
            }
        };
        let pen = self.pens.get_mut(&feed).unwrap();
        pen.tip = behind;
        let entry = pen.write(stamp, statement);
        self.keep(feed, said, entry)
    }

    /// Writes at the office's own head.
    fn append(&mut self, at: Key, said: Said) {
        let (feed, head) = match self.heads[at] {
            Some(head) => head,
            None => self.open(at),
        };
        let id = self.put(feed, head, said);
        self.held[at].extend([head, id]);
        self.heads[at] = Some((feed, id));
    }

    /// Part of what one office holds goes to another, in log order.
    fn sync(&mut self) {
        let (from, to) = (self.dice.below(KEYS), self.dice.below(KEYS));
        let partial = self.dice.percent(40);
        let mut new: Vec<Id> = self.held[from].difference(&self.held[to]).copied().collect();
        new.sort_by_key(|id| self.all[id].number);
        for id in new {
            let skipped = partial && self.dice.percent(30);
            let has_previous = self.all[&id].previous.is_none_or(|p| self.held[to].contains(&p));
            if !skipped && has_previous {
                self.held[to].insert(id);
            }
        }
    }

    fn witness(&mut self, at: Key) {
        let below = |target: Key| match at {
            COUNTY => target != COUNTY,
            township => township_of(target) == Some(township),
        };
        let feeds: BTreeSet<Feed> = self.held[at].iter().map(|id| self.all[id].feed).collect();
        let feeds = feeds.into_iter().filter(|feed| below(feed.0));
        let hostile = at == TOWNSHIPS[1] && self.hostile_township;
        let mut pins = Vec::new();
        if hostile {
            // Random branches, held by others perhaps, and a fork of its own witness log.
            let feeds: Vec<Feed> = self.pens.keys().copied().filter(|f| f.0 != at).collect();
            for feed in feeds {
                let ids: Vec<Id> = self.pens[&feed].all();
                let id = ids[self.dice.below(ids.len())];
                if self.dice.percent(40) {
                    pins.push((feed, self.all[&id].number, id));
                }
            }
            if self.dice.percent(40) {
                self.fork(at, 1);
            }
        } else {
            let stands = oracle(&self.all, &self.held[at], &Cuts::new());
            pins.extend(feeds.filter_map(|feed| self.honest_pin(at, feed, &stands)));
        }
        if !pins.is_empty() {
            self.append(at, Said::Pins(pins));
        }
    }

    /// An honest witness pins the head of an unforked log; of a forked one what lies below the
    /// fork, or the county the branch that the township pinned.
    fn honest_pin(
        &self,
        at: Key,
        feed: Feed,
        stands: &BTreeMap<Id, Standing>,
    ) -> Option<(Feed, u64, Id)> {
        let held: Vec<(u64, Id)> = self.held[at]
            .iter()
            .filter(|id| self.all[id].feed == feed)
            .map(|id| (self.all[id].number, *id))
            .collect();
        let count = |number: u64| held.iter().filter(|(held, _)| *held == number).count();
        let fork = (0..).take_while(|number| count(*number) > 0).find(|number| count(*number) > 1);
        let pinned = held.iter().filter(|(_, id)| match at {
            COUNTY => stands[id] <= Standing::Witnessed,
            _ => false,
        });
        let open = held.iter().filter(|(number, _)| fork.is_none_or(|fork| *number < fork));
        let (number, id) = open.chain(pinned).max()?;
        Some((feed, *number, *id))
    }

    /// Continues an old entry or the head, and shows it to somebody only.
    fn fork(&mut self, at: Key, of_ten: usize) {
        let Some((feed, head)) = self.heads[at] else {
            return self.append(at, Said::Something);
        };
        if self.dice.below(10) >= of_ten.max(4) {
            return self.append(at, Said::Something);
        }
        let own: Vec<Id> = self.pens[&feed].all();
        let victim = own[self.dice.below(own.len())];
        let id = match self.all[&victim].previous {
            Some(before) => self.put(feed, before, Said::Something),
            None => self.reopen(feed),
        };
        let shown = self.dice.below(3);
        if self.all[&id].previous.is_none_or(|before| self.held[shown].contains(&before)) {
            self.held[shown].insert(id);
        }
        self.held[at].insert(id);
        let stays = self.dice.percent(50);
        self.heads[at] = Some((feed, if stays { head } else { id }));
    }

    /// A second opening of the same log.
    fn reopen(&mut self, feed: Feed) -> Id {
        let stamp = self.stamp();
        let pen = self.pens.get_mut(&feed).unwrap();
        let opening = Opening {
            node: pen.node.public(),
            space: pen.space,
            incarnation: Incarnation(operation(feed.1).0),
            successor_of: None,
        };
        let entry = pen.write(stamp, Statement::Open(opening));
        self.keep(feed, Said::Something, entry)
    }

    /// The thief writes behind what he knows of the victim's log, or opens one of his own.
    fn steal(&mut self) {
        let shown = self.dice.below(KEYS);
        let (feed, behind) = match self.heads[VICTIM] {
            Some((feed, _)) if self.dice.percent(60) => {
                let all: Vec<Id> = self.pens[&feed].all();
                (feed, all[self.dice.below(all.len())])
            }
            _ => self.open(VICTIM),
        };
        let id = self.put(feed, behind, Said::Something);
        if self.all[&behind].previous.is_none() || self.held[shown].contains(&behind) {
            self.held[shown].extend([behind, id]);
        }
    }

    /// The county cuts a key: mostly the stolen one, sometimes a township. Some of its feeds are
    /// listed at some entry.
    fn cut(&mut self) {
        if self.chain.roster().number() > 1 {
            return;
        }
        let target = if self.dice.percent(80) { VICTIM } else { TOWNSHIPS[self.dice.below(2)] };
        let mut kept = BTreeMap::new();
        let feeds: Vec<Feed> = self.pens.keys().copied().filter(|f| f.0 == target).collect();
        for feed in feeds {
            let ids = self.pens[&feed].all();
            let id = ids[self.dice.below(ids.len())];
            if self.dice.percent(80) {
                kept.insert(feed, (self.all[&id].number, id));
            }
        }
        let (root, founding) = founding();
        let mut listed: Vec<_> =
            kept.iter().map(|(feed, (number, id))| (self.pens[feed].log, *number, *id)).collect();
        listed.sort_by_key(|(log, ..)| *log);
        let core = EditionCore {
            scope: xw_schemas::edition::Scope::Root,
            network: Some(founding.network()),
            number: 2,
            previous: founding.id(),
            claimed_time_ms: NOW_MS,
            facts: vec![Line::Cut { key: node(target).public(), kept: listed }],
        };
        let edition = Edition::sign(&core, std::slice::from_ref(root)).unwrap();
        assert_eq!(self.chain.add(edition), Ok(true));
        self.cuts.insert(target, kept);
    }
}
