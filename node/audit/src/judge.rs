//! Judges a pack as a stranger: every byte against the manifest, every signature, the roster, the logs,
//! the proofs, and every record anew by the same rules as a node. Believes nothing that the pack says
//! of itself, and says in two languages what it found.

use std::io::{Read, Seek};

use xw_schemas::id::{EditionId, EntryId, NetworkId};

use crate::archive::ArchiveFault;
use crate::spread::Spread;

mod asked;
mod entries;
mod extract;
mod opening;
mod receipts;
mod records;
mod report;
mod roster;
mod sentence;
mod statement;
mod witnesses;

pub use asked::EntryVerdict;
pub use receipts::ReceiptVerdict;
pub use report::{
    CompletenessVerdict, Counts, Finding, FindingCode, Proven, Report, RestingOn, RosterVerdict,
    Severity, Verdict,
};

use opening::Opened;

/// Findings of one code that are listed; the rest are counted. So no crowd of one hides another.
pub const FINDINGS_PER_CODE_MAX: usize = 100;

/// What the judge is given beside the pack.
pub struct Checking<'a> {
    /// The network that the reader got from elsewhere, such as a notice board.
    pub network: Option<NetworkId>,
    /// The state of the roster that the reader got from elsewhere.
    pub roster: Option<EditionId>,
    /// Files with bodies that somebody brought: of each body salt and change, as they were signed.
    pub bodies: Vec<Vec<Vec<u8>>>,
    /// Texts of printed receipts, to be compared with the pack.
    pub receipts: Vec<String>,
    /// Signed statements of completeness that came apart from the pack.
    pub statements: Vec<Vec<u8>>,
    /// Entries that the reader asks for.
    pub entries: Vec<EntryId>,
    /// Hands for signatures and records.
    pub spread: Spread<'a>,
}

impl std::fmt::Debug for Checking<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Checking({} bodies, {} receipts)", self.bodies.len(), self.receipts.len())
    }
}

/// Why there is nothing to judge.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// The container cannot be read.
    #[error("this is no evidence pack: {0}")]
    Archive(#[from] ArchiveFault),
    /// There is no manifest of a known form.
    #[error("the pack has no manifest of a form that this program knows")]
    Manifest,
    /// The founding edition of the roster is missing or none.
    #[error("the pack does not hold the founding edition of its roster")]
    Founding,
}

impl Unreadable {
    /// What a Chinese reader is told.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Archive(fault) => format!("不是证据包：{}", fault.zh()),
            Self::Manifest => "证据包没有本程序认识的清单（manifest.json）".to_owned(),
            Self::Founding => "证据包中没有名册的创始版次".to_owned(),
        }
    }
}

/// Judges a pack.
pub fn judge_pack<R: Read + Seek + Send>(
    from: R,
    checking: &Checking<'_>,
) -> Result<Report, Unreadable> {
    let mut opened = Opened::open(from, checking)?;
    let world = roster::read(&mut opened)?;
    let mut world = entries::read(&mut opened, world, checking.spread);
    extract::stand(&mut opened, &mut world);
    let assessed = world.holdings.assess();
    witnesses::check(&mut opened, &world);
    let brought = records::Brought::of(&mut opened, &world, &checking.bodies);
    let summary = records::check(&mut opened, &world, &assessed, &brought, checking.spread);
    statement::check(&mut opened, &world, &assessed, &summary);
    statement::check_brought(&mut opened, &world, &checking.statements);
    asked::check(&mut opened, &world, &assessed, &checking.entries);
    receipts::check(&mut opened, &world, &assessed, &checking.receipts);
    Ok(opened.close())
}
