//! One seed: a random life of a county, then healing, then every check.

use xw_ledger::standing::Standing;
use xw_schemas::edition::Fact;
use xw_schemas::space::{Audience, Space};

use crate::checks::{check_all, check_now};
use crate::county::County;
use crate::forms::CODES;
use crate::founding::{COUNTY, Seat, definition_of};
use crate::habits::Habits;

/// Steps of one random life.
pub(crate) const STEPS: u64 = 40;

/// Twenty years, by which a clock may be wrong.
const TWENTY_YEARS_MS: i64 = 20 * 365 * 86_400_000;

/// What a seed came to.
#[derive(Debug, Clone, Copy, Default)]
pub struct Figures {
    /// Entries held by the county.
    pub entries: u64,
    /// Records that clerks were told are saved.
    pub saved: u64,
    /// Frames sent.
    pub frames: u64,
    /// Bytes of frames.
    pub frame_bytes: u64,
    /// Crashes.
    pub crashes: u64,
    /// Forked logs in the end.
    pub forks: u64,
    /// Acts that were said again.
    pub republished: u64,
    /// Records whose contents were removed.
    pub erased: u64,
    /// Virtual milliseconds.
    pub virtual_ms: u64,
}

impl Figures {
    /// Adds another seed's figures.
    pub fn add(&mut self, other: &Self) {
        self.entries += other.entries;
        self.saved += other.saved;
        self.frames += other.frames;
        self.frame_bytes += other.frame_bytes;
        self.crashes += other.crashes;
        self.forks += other.forks;
        self.republished += other.republished;
        self.erased += other.erased;
        self.virtual_ms += other.virtual_ms;
    }
}

/// How counties of a sort are founded and what befalls them. A seed of it lives the same life every
/// time.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    pub(crate) found: fn(u64) -> County,
    pub(crate) live: fn(&mut County) -> Result<(), String>,
}

impl Life {
    /// Lives a seed; what was violated, or the figures.
    pub fn run(self, seed: u64, habits: Habits) -> Result<Figures, String> {
        let mut county = self.county(seed, habits);
        (self.live)(&mut county)?;
        Ok(figures(&county))
    }

    /// Lives a seed again and keeps the journal of everything that happened.
    #[must_use]
    pub fn journal(self, seed: u64, habits: Habits) -> String {
        let mut county = self.county(seed, habits);
        county.keep_journal();
        let end = (self.live)(&mut county);
        format!("{}\nseed {seed}: {end:?}\n", county.journal())
    }

    fn county(self, seed: u64, habits: Habits) -> County {
        let mut county = (self.found)(seed);
        county.habits = habits;
        county
    }
}

/// A random life: everything happens to everybody, then all is healed and every promise is checked.
pub const RANDOM: Life = Life { found: county_of, live };

pub(crate) fn county_of(seed: u64) -> County {
    // In every third county a township lies; there are two then, so that villages of an honest one
    // are watched too.
    let township_lies = seed % 3 == 1;
    let two = seed.is_multiple_of(4) || township_lies;
    let mut county = County::founded(seed, if two { 2 } else { 1 });
    if !seed.is_multiple_of(3) {
        let liar = county.registry.villages().end - 1;
        county.hostile.insert(liar);
    }
    if township_lies {
        county.hostile.insert(county.registry.townships);
    }
    county
}

fn figures(county: &County) -> Figures {
    let logs = &county.nodes[COUNTY].memory.logs;
    Figures {
        entries: county.nodes[COUNTY].memory.entries.len() as u64,
        saved: county.promises.saved.len() as u64,
        frames: county.frames,
        frame_bytes: county.frame_bytes,
        crashes: county.crashes,
        forks: logs.iter().filter(|(_, log)| log.fork().is_some()).count() as u64,
        republished: county.republished,
        erased: county.nodes.iter().map(|node| node.memory.erased.len() as u64).max().unwrap_or(0),
        virtual_ms: county.now_ms,
    }
}

fn live(county: &mut County) -> Result<(), String> {
    county.run_for(2_000);
    for _ in 0..STEPS {
        happen(county);
        let ms = county.dice.below(1_200);
        county.run_for(ms);
        check_now(county)?;
    }
    come_home(county)?;
    check_all(county)
}

/// Everything works again and comes to rest. Each of two PCs with one key comes on once more and
/// hears what became of its work.
pub(crate) fn come_home(county: &mut County) -> Result<(), String> {
    county.heal();
    county.run_until_quiet()?;
    let cloned: Vec<Seat> =
        county.registry.villages().filter(|seat| county.nodes[*seat].spare.is_some()).collect();
    for seat in cloned {
        for _ in 0..2 {
            county.swap(seat);
            county.run_until_quiet()?;
        }
    }
    Ok(())
}

pub(crate) fn anyone(county: &mut County) -> Seat {
    let end = county.nodes.len() as u64;
    usize::try_from(county.dice.below(end)).unwrap_or(COUNTY)
}

pub(crate) fn village(county: &mut County) -> Seat {
    let villages: Vec<Seat> = county.registry.villages().collect();
    county.dice.pick(&villages).copied().unwrap_or(COUNTY)
}

pub(crate) fn happen(county: &mut County) {
    match county.dice.below(100) {
        0..=25 => write(county),
        26..=39 => edit(county),
        40..=47 => step(county),
        48..=54 => {
            let seat = anyone(county);
            let above = county.registry.above(seat);
            if seat != above {
                county.cut(seat, above);
            }
        }
        55..=60 => {
            let cuts: Vec<(Seat, Seat)> = county.cuts.iter().copied().collect();
            if let Some((a, b)) = county.dice.pick(&cuts).copied() {
                county.join(a, b);
            }
        }
        61..=64 => {
            let (seat, slow) = (anyone(county), county.dice.chance(60));
            let above = county.registry.above(seat);
            county.set_slow(seat, above, slow);
        }
        65..=71 => {
            let (seat, effects) = (anyone(county), county.dice.below(12));
            county.crash_after(seat, u32::try_from(effects).unwrap_or(0));
        }
        72..=74 => {
            let seat = anyone(county);
            let by = i64::try_from(county.dice.below(2 * TWENTY_YEARS_MS.unsigned_abs()));
            county.clock_wrong(seat, by.unwrap_or(0) - TWENTY_YEARS_MS);
        }
        75..=78 => edition(county),
        79..=80 => erase(county),
        81..=90 => mishandle(county),
        _ => county.misbehave(),
    }
}

/// Two persons ask for the erasure of a record, the second one now or never.
fn erase(county: &mut County) {
    let seat = village(county);
    let Some((space, record)) = some_record(county, seat) else { return };
    if county.hostile.contains(&seat) {
        return;
    }
    county.ask_erasure(seat, space, record);
    let above = county.registry.above(seat);
    if county.dice.chance(70)
        && !county.hostile.contains(&above)
        && county.nodes[above].up
        && county.nodes[above].memory.records.contains_key(&(space, record))
    {
        county.ask_erasure(above, space, record);
    }
}

/// What befalls the PCs of honest villages: in some counties backups are put back, in others a disk
/// is cloned and both copies are used.
fn mishandle(county: &mut County) {
    // Misfortune strikes the same two again and again.
    let seat = county.registry.villages().start + usize::from(county.dice.chance(50));
    // Now and then it is the township's own disk that is lost: an office that gives its word.
    let seat = if county.seed % 4 == 1 && county.dice.chance(20) { 1 } else { seat };
    let cloned = county.nodes[seat].spare.is_some();
    match county.seed % 4 {
        1 if county.dice.chance(60) => work_alone(county, seat, County::restore),
        1 => county.back_up(seat),
        2 if cloned => work_alone(county, seat, County::swap),
        2 => county.clone_disk(seat),
        3 if county.dice.chance(40) => county.steal(seat),
        _ => county.misbehave(),
    }
}

/// A PC is used whose disk is not that of yesterday, mostly before it has heard what others hold.
fn work_alone(county: &mut County, seat: Seat, comes_back: fn(&mut County, Seat)) {
    let above = county.registry.above(seat);
    let alone = county.dice.chance(80);
    if alone {
        county.cut(seat, above);
    }
    comes_back(county, seat);
    county.run_for(2_500);
    for _ in 0..2 {
        let space = county.registry.offices[seat].own_space();
        county.write(seat, space, "SVC");
        if let Some((space, record)) = some_record(county, seat) {
            county.edit(seat, space, record, "在另一台电脑上写的");
        }
    }
    if alone && county.dice.chance(60) {
        county.join(seat, above);
    }
}

/// A space in which an office writes: of its own division, read more or less widely.
fn space_for(county: &mut County, seat: Seat) -> Space {
    let audience = match county.dice.below(10) {
        0..=5 => Audience::Office,
        6..=8 => Audience::Township,
        _ => Audience::County,
    };
    Space { division: county.registry.offices[seat].division, audience }
}

fn write(county: &mut County) {
    let seat = if county.dice.chance(80) { village(county) } else { anyone(county) };
    let space = space_for(county, seat);
    let village = county.registry.villages().contains(&seat);
    // The county makes no case itself; townships make cases and mediations.
    let codes = if village { &CODES[..] } else { &CODES[..2] };
    let code = county.dice.pick(codes).copied().unwrap_or("SVC");
    // What the whole county reads goes by way of the county, which has no bodies of cases.
    let code = if space.audience == Audience::County { "IND" } else { code };
    if code == "IND" && !village {
        return;
    }
    if seat != COUNTY && !county.hostile.contains(&seat) {
        county.write(seat, space, code);
    }
}

fn edit(county: &mut County) {
    let seat = anyone(county);
    if let Some((space, record)) = some_record(county, seat) {
        let text = format!("备注{}", county.dice.below(1_000));
        county.edit(seat, space, record, &text);
        // Often somebody else edits the same record before hearing of it.
        let other = anyone(county);
        if county.dice.chance(50) && some_holder(county, other, space, record) {
            let text = format!("另记{}", county.dice.below(1_000));
            county.edit(other, space, record, &text);
        }
    }
}

fn step(county: &mut County) {
    let seat = anyone(county);
    if let Some((space, record)) = some_record(county, seat) {
        county.step(seat, space, record);
        let other = anyone(county);
        if county.dice.chance(60) && some_holder(county, other, space, record) {
            county.step(other, space, record);
        }
    }
}

type Found = Option<(Space, xw_schemas::id::RecordId)>;

/// A record that this office reads and whose type it may write.
fn some_record(county: &mut County, seat: Seat) -> Found {
    if county.hostile.contains(&seat) || !county.nodes[seat].up {
        return None;
    }
    let records: Vec<_> = county.nodes[seat].memory.records.keys().copied().collect();
    let (space, record) = county.dice.pick(&records).copied()?;
    some_holder(county, seat, space, record).then_some((space, record))
}

/// Whether the office can write on: it is honest, stands at the space's division or above, sees the
/// record's bodies and has a role for it.
fn some_holder(
    county: &County,
    seat: Seat,
    space: Space,
    record: xw_schemas::id::RecordId,
) -> bool {
    let node = &county.nodes[seat];
    let judged = node.memory.judged(&node.memory.standings(), &(space, record));
    let view = judged.view.filter(|view| !view.sealed && view.erased.is_none());
    !county.hostile.contains(&seat)
        && county.registry.offices[seat].division.covers(space.division)
        && view.is_some_and(|view| seat != COUNTY || view.record_type == "IND")
}

fn edition(county: &mut County) {
    let number = county.registry.offices[COUNTY].people.len();
    if number == 1 && county.dice.chance(40) {
        let hired = county.registry.hire(COUNTY);
        let definition = definition_of("SVC", true);
        county.enact(vec![hired, Fact::Schema { record_type: "SVC".to_owned(), definition }]);
        return;
    }
    let seat = village(county);
    let mut facts = vec![county.registry.hire(seat)];
    let liars: Vec<Seat> = county.hostile.iter().copied().collect();
    if let Some(liar) = liars.first()
        && county.nodes[COUNTY].up
        && county.dice.chance(15)
    {
        facts.push(cut_of(county, COUNTY, *liar));
    }
    county.enact(facts);
    if let Some(liar) = liars.last()
        && county.dice.chance(15)
    {
        revoke_by_township(county, *liar);
    }
}

/// A township's registrar revokes a village that lies, while others build on what it wrote.
fn revoke_by_township(county: &mut County, liar: Seat) {
    let above = county.registry.above(liar);
    if above == COUNTY || county.hostile.contains(&above) || !county.nodes[above].up {
        return;
    }
    let cut = cut_of(county, above, liar);
    county.log(|_| format!("{above} revokes {liar}"));
    let edition = county.registry.registrars_edition(above, vec![cut]);
    county.take_edition(above, edition);
}

/// A cut that keeps what the office has seen witnessed by its own word or the county's.
fn cut_of(county: &County, by: Seat, liar: Seat) -> Fact {
    let (memory, key) = (&county.nodes[by].memory, county.nodes[liar].key);
    let firm = if by == COUNTY { Standing::Final } else { Standing::Witnessed };
    let kept = memory.logs.iter().filter(|(_, log)| log.node == key).filter_map(|(id, log)| {
        let standing = memory.logs.assess(memory.chain.roster(), id)?;
        let tips = log.tips().into_iter();
        let points = tips.flat_map(|tip| (0..).zip(log.path(tip).unwrap_or_default()));
        let last = points.filter(|(at, entry)| standing.of(*at, entry) <= firm).max()?;
        Some((*id, last.0, last.1))
    });
    Fact::Cut { key, kept: kept.collect() }
}
