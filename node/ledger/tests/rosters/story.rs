//! Random histories of a roster: root, registrars and newcomers, honest and hostile, who enrol,
//! delegate, close, cut, invite, join, contradict each other and overreach.

use xw_schemas::edition::{Edition, EditionCore, Fact, OfficeId, Scope, SignerKind};
use xw_schemas::id::{EditionId, PublicKey};

use crate::world::{
    BUREAU, COUNTY, EAST, Invited, MILL, OFFICES, ORCHARD, ROOTS, WEST, WILLOW, after, cut,
    first_of, founding, invite, invite_registrar, joining_core, node_of, person, public, registrar,
    registrar_of, registrar_role, sign, signer,
};

/// Editions of one scope and number that a story writes: as many as every chain keeps.
const RIVALS_MAX: usize = 4;

/// Numbers of keys that newcomers and strangers have.
const POOL: std::ops::Range<u64> = 40..100;

/// Those of them that several newcomers bring now and then.
const SHARED: std::ops::Range<u64> = 60..68;

/// Numbers of keys of invitations.
const INVITES: std::ops::Range<u64> = 100..115;

/// Repeatable dice (SplitMix64).
pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15))
    }

    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % bound
    }

    pub(crate) fn one_in(&mut self, bound: u64) -> bool {
        self.below(bound) == 0
    }

    pub(crate) fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len() as u64) as usize]
    }

    fn number(&mut self, range: std::ops::Range<u64>) -> u8 {
        (range.start + self.below(range.end - range.start)) as u8
    }

    pub(crate) fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at as u64 + 1) as usize);
        }
    }
}

/// One history. `editions` holds every edition once and copies of some with fewer signatures.
pub(crate) struct Story {
    pub(crate) founding: Edition,
    pub(crate) editions: Vec<Edition>,
    dice: Dice,
}

impl Story {
    pub(crate) fn of(seed: u64) -> Self {
        let mut story = Self { founding: founding(), editions: Vec::new(), dice: Dice::new(seed) };
        story.root(0);
        let length = 8 + story.dice.below(16);
        for step in 0..length {
            match story.dice.below(20) {
                0..3 => story.root(step),
                3 => story.rival(step),
                4 => story.recovery(step),
                5..12 => story.registrar(step),
                _ => story.newcomer(),
            }
        }
        story
    }

    fn of_scope(&self, scope: Scope) -> Vec<Edition> {
        let all = std::iter::once(&self.founding).chain(&self.editions);
        all.filter(|edition| edition.core().scope == scope).cloned().collect()
    }

    fn write(&mut self, core: &EditionCore, keys: &[u8]) {
        let place = (core.scope, core.number);
        let there: std::collections::BTreeSet<EditionId> = self
            .editions
            .iter()
            .filter(|other| (other.core().scope, other.core().number) == place)
            .map(Edition::id)
            .collect();
        let mut keys = keys.to_vec();
        keys.sort_unstable();
        keys.dedup();
        let edition = sign(core, &keys);
        if self.would_be_too_many(&edition) {
            return;
        }
        if there.len() >= RIVALS_MAX && !there.contains(&edition.id()) {
            return;
        }
        // Whoever passes an edition on can leave signatures out.
        if keys.len() > 1 && self.dice.one_in(4) {
            let kept = self.dice.pick(&keys);
            self.editions.push(sign(core, &[kept]));
        }
        self.editions.push(edition);
    }

    /// Whether a chain may refuse an edition, or what stands on one beside it, for what else its signers
    /// have said: which it holds would depend on what comes first.
    fn would_be_too_many(&self, edition: &Edition) -> bool {
        let core = edition.core();
        if !matches!(core.scope, Scope::Registrar { .. }) {
            return false;
        }
        let of_scope = self.of_scope(core.scope);
        let beside = |one: &Edition| {
            let place = (one.core().number, one.core().previous);
            let there =
                move |other: &&Edition| (other.core().number, other.core().previous) == place;
            of_scope.iter().filter(there).cloned().collect::<Vec<_>>()
        };
        let signs = |one: &Edition| one.signers().iter().any(|key| edition.signers().contains(key));
        let is_behind = |one: &Edition| of_scope.iter().any(|e| e.core().previous == one.id());
        if beside(edition)
            .iter()
            .any(|one| one.id() != edition.id() && signs(one) && is_behind(one))
        {
            return true;
        }
        let mut before = core.previous;
        while let Some(one) = of_scope.iter().find(|one| one.id() == before) {
            let mut there: Vec<EditionId> =
                beside(one).iter().filter(|other| signs(other)).map(Edition::id).collect();
            there.sort();
            there.dedup();
            if there.len() > 1 {
                return true;
            }
            before = one.core().previous;
        }
        false
    }

    /// The next root edition on the newest one, as root itself sees it.
    fn root(&mut self, step: u64) {
        let tip = self.of_scope(Scope::Root).into_iter().max_by_key(|e| e.core().number);
        let before = tip.unwrap_or_else(|| self.founding.clone());
        self.root_on(&before, step);
    }

    fn rival(&mut self, step: u64) {
        let roots = self.of_scope(Scope::Root);
        let before = roots[self.dice.below(roots.len() as u64) as usize].clone();
        self.root_on(&before, step);
    }

    fn root_on(&mut self, before: &Edition, step: u64) {
        let count = 1 + self.dice.below(5);
        let mut facts: Vec<Fact> = (0..count).map(|_| self.root_fact()).collect();
        if self.dice.one_in(8) {
            facts.extend(self.confirmation());
        }
        let mut core = after(before, facts);
        core.claimed_time_ms += step;
        let keys = if self.dice.one_in(3) { &ROOTS[..] } else { &ROOTS[1..] };
        self.write(&core, keys);
    }

    fn recovery(&mut self, step: u64) {
        let roots = self.of_scope(Scope::Root);
        let before = roots[self.dice.below(roots.len() as u64) as usize].clone();
        let mut rejected: Vec<EditionId> =
            roots.iter().map(Edition::id).filter(|_| self.dice.one_in(2)).collect();
        rejected.sort();
        rejected.dedup();
        if rejected.is_empty() {
            return;
        }
        let mut core = after(&before, vec![Fact::Recover { rejected }]);
        core.claimed_time_ms += step;
        self.write(&core, &ROOTS[..2]);
    }

    fn root_fact(&mut self) -> Fact {
        let everywhere = OFFICES.map(|(office, ..)| office);
        match self.dice.below(10) {
            0..4 => {
                let office = self.dice.pick(&[WEST, EAST, BUREAU, COUNTY, WILLOW]);
                self.delegation(office)
            }
            4 => self.cut(),
            5 => {
                // Takes a registrar's role away, or gives it.
                let office = self.dice.pick(&[COUNTY, BUREAU, WEST, EAST]);
                let which = self.dice.below(2) as u8;
                match self.dice.one_in(2) {
                    true => registrar(registrar_of(office, which), office),
                    false => person(registrar_of(office, which), office, &["C_LEAD", "T_LEAD"]),
                }
            }
            _ => {
                let office = self.dice.pick(&everywhere);
                self.enrolment(office)
            }
        }
    }

    fn delegation(&mut self, office: OfficeId) -> Fact {
        let term = 1 + self.dice.below(3);
        let scope = Scope::Registrar { office, term: term - 1 };
        let of_term = self.of_scope(scope);
        let closes = match self.dice.below(4) {
            0 => None,
            _ if term == 1 || of_term.is_empty() => None,
            _ => {
                let last = &of_term[self.dice.below(of_term.len() as u64) as usize];
                Some((last.core().number, last.id()))
            }
        };
        let threshold = 1 + u64::from(self.dice.one_in(4));
        Fact::Registrar { office, term, threshold, role: registrar_role(office), closes }
    }

    fn cut(&mut self) -> Fact {
        let offices = OFFICES.map(|(office, ..)| office);
        let number = match self.dice.below(4) {
            0 => node_of(self.dice.pick(&offices)),
            1 => registrar_of(self.dice.pick(&[COUNTY, WEST, EAST]), self.dice.below(2) as u8),
            2 => self.dice.number(POOL),
            _ => self.dice.number(INVITES),
        };
        cut(number)
    }

    fn enrolment(&mut self, office: OfficeId) -> Fact {
        let number = self.dice.number(POOL);
        match self.dice.below(6) {
            0 => signer(number, SignerKind::Node, office, &[]),
            1 if self.dice.one_in(3) => {
                let role = self.dice.pick(&["C_LEAD", "T_LEAD", "V_LEAD", "SUBJ", "R"]);
                person(number, office, &[role])
            }
            1 => registrar(number, office),
            2 => invite_registrar(self.dice.number(INVITES), office),
            _ => {
                let people = self.dice.below(3) as usize;
                let node = people == 0 || self.dice.one_in(2);
                // Now and then the key of somebody who comes by another invitation.
                let range = if self.dice.one_in(8) { POOL } else { INVITES };
                invite(self.dice.number(range), office, node, people)
            }
        }
    }

    /// Lists the keys that some newcomer brought, mostly all of them and where he joined.
    fn confirmation(&mut self) -> Vec<Fact> {
        let brought = self.editions.iter().filter_map(|edition| match &edition.core().facts[..] {
            [Fact::Replace { office, node, people, .. }] => {
                let node = node.map(|key| (key, SignerKind::Node));
                let people = people.iter().map(|key| (*key, SignerKind::Person));
                Some((*office, node.into_iter().chain(people).collect()))
            }
            _ => None,
        });
        let brought: Vec<(OfficeId, Vec<(PublicKey, SignerKind)>)> = brought.collect();
        if brought.is_empty() {
            return Vec::new();
        }
        let (joined, keys) = brought[self.dice.below(brought.len() as u64) as usize].clone();
        let mut facts = Vec::new();
        for (key, kind) in keys {
            let office = if self.dice.one_in(16) { MILL } else { joined };
            let roles = match kind {
                SignerKind::Person => vec!["V_CLERK".to_owned()],
                SignerKind::Node => Vec::new(),
            };
            facts.push(Fact::Signer { key, kind, office, name: "确认".to_owned(), roles });
        }
        facts
    }

    /// An edition of an office's registrars, in a term that may be closed or never given, on any
    /// edition before it; what it says reaches as far as its author likes.
    fn registrar(&mut self, step: u64) {
        let office = self.dice.pick(&[COUNTY, COUNTY, BUREAU, WEST, WEST, EAST, EAST, WILLOW]);
        let term = 1 + self.dice.below(4) / 2;
        let scope = Scope::Registrar { office, term };
        let before = self.of_scope(scope);
        let reach: &[OfficeId] = match office {
            _ if self.dice.one_in(4) => &[COUNTY, BUREAU, WEST, EAST, WILLOW, MILL, ORCHARD],
            WEST => &[WILLOW, MILL],
            EAST => &[ORCHARD],
            _ => &[WEST, EAST, WILLOW, MILL, ORCHARD],
        };
        let mut facts: Vec<Fact> = (0..1 + self.dice.below(4))
            .map(|_| match self.dice.below(8) {
                0 => self.cut(),
                1 => {
                    let office = self.dice.pick(reach);
                    self.delegation(office)
                }
                2 if self.dice.one_in(4) => Fact::Rules { version: 2 },
                _ => {
                    let office = self.dice.pick(reach);
                    self.enrolment(office)
                }
            })
            .collect();
        if self.dice.one_in(3) {
            facts.extend(self.confirmation());
        }
        let mut core = match before.iter().max_by_key(|edition| edition.core().number) {
            Some(tip) if !self.dice.one_in(5) => after(tip, facts),
            Some(_) if self.dice.one_in(2) => {
                after(&before[self.dice.below(before.len() as u64) as usize], facts)
            }
            Some(_) | None => first_of(office, term, facts),
        };
        core.claimed_time_ms += step;
        let mut keys = vec![registrar_of(office, 0), registrar_of(office, 1)];
        match self.dice.below(5) {
            0 => keys.truncate(1),
            1 => keys = vec![keys[1]],
            2 => keys = vec![self.dice.number(POOL)],
            3 => keys.push(registrar_of(EAST, 1)),
            _ => {}
        }
        self.write(&core, &keys);
    }

    /// A newcomer who brings what was invited, or something else.
    fn newcomer(&mut self) {
        let spoken = |edition: &Edition| {
            let scope = edition.core().scope;
            edition.core().facts.clone().into_iter().map(move |fact| (scope, fact))
        };
        let facts = self.editions.iter().flat_map(spoken);
        let invited: Vec<(Invited, u8, bool, usize)> = facts
            .filter_map(|(scope, fact)| match fact {
                Fact::Invite { key, office, node, people, .. } => {
                    let number = INVITES.map(|n| n as u8).find(|n| public(*n) == key)?;
                    Some(((scope.office(), office), number, node.is_some(), people.len()))
                }
                _ => None,
            })
            .collect();
        let (mut invited, number, node, people) = match invited.as_slice() {
            [] => ((None, WILLOW), self.dice.number(INVITES), true, 0),
            some => self.dice.pick(some),
        };
        if self.dice.one_in(12) {
            invited.0 = self.dice.pick(&[None, Some(COUNTY), Some(WEST), Some(EAST)]);
        }
        let people = if self.dice.one_in(6) { people + 1 } else { people };
        let range = if self.dice.one_in(4) { SHARED } else { POOL };
        let mut keys: Vec<u8> = range.map(|number| number as u8).collect();
        self.dice.shuffle(&mut keys);
        keys.truncate(usize::from(node) + people);
        let (own, rest) = keys.split_at(usize::from(node).min(keys.len()));
        let core = joining_core(invited, number, own.first().copied(), rest);
        let mut signers = [&keys[..], &[number]].concat();
        if self.dice.one_in(8) {
            signers.remove(0);
        }
        self.write(&core, &signers);
    }
}
