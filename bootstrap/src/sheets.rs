//! Ledgers as village clerks really keep them: invented people of county 130599, real untidiness.
//! Never a real place, firm or person, and never a call to the product's own ledger writer.

mod dice;
mod industry;
mod mediation;
mod page;
mod people;
mod poverty;
mod service;

use std::collections::BTreeMap;

use serde::Serialize;

pub use people::{check_digit, village_names};

use dice::Dice;
use people::Village;

/// How many rows each ledger of a village gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Counts {
    /// Service cases.
    pub svc: u32,
    /// Monitored households.
    pub pvm: u32,
    /// Industry projects.
    pub ind: u32,
    /// Mediations.
    pub med: u32,
}

impl Default for Counts {
    /// One year of a small village, in the proportions of domain section 17.3.
    fn default() -> Self {
        Self { svc: 120, pvm: 24, ind: 8, med: 20 }
    }
}

/// One ledger file of a village, with what was planted in it.
#[derive(Debug, Clone)]
pub struct PlantedLedger {
    /// File name as a clerk would give it, ending in `.xlsx`.
    pub file_name: String,
    /// The workbook.
    pub bytes: Vec<u8>,
    /// What an import of it must say.
    pub planted: Planted,
}

/// What an import of a generated ledger must say, row by row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Planted {
    /// Record type code, e.g. `SVC`.
    pub record_type: String,
    /// Chinese name of the ledger as domain section 14.5 gives it.
    pub ledger_zh: String,
    /// Every data row in sheet order.
    pub rows: Vec<PlantedRow>,
}

/// One data row of a generated ledger.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct PlantedRow {
    /// Row number as Excel shows it.
    pub number: u32,
    /// Why the row must be refused, or `None` if it must be accepted.
    pub refused: Option<Wrong>,
    /// Untidiness that an import must see through.
    pub dirt: Vec<Dirt>,
    /// Entered days after it happened (补录).
    pub late: bool,
}

/// A mistake that only the clerk can mend.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Wrong {
    /// One digit of an ID number is wrong, so the check digit does not fit.
    IdTypo,
    /// Excel turned the ID number into a number and lost its last digits.
    IdNumeric,
    /// The ID number stands there as 1.30599E+17.
    IdScientific,
    /// A day that no calendar has.
    ImpossibleDate,
    /// A label that stands in no code list.
    UnknownLabel,
    /// The one cell without which the row means nothing is empty.
    MissingName,
    /// The same household a second time, with other contents.
    SameHousehold,
}

/// Untidiness that an import must see through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Dirt {
    /// 2026.1.5, 20260105, 2026年1月5日 or a bare day number.
    DateStyle,
    /// Digits as wide as Chinese characters.
    FullWidth,
    /// 元, 万元, 个工作日, 户 behind the number.
    Suffix,
    /// √, 是, 有 and their opposites.
    Tick,
    /// Two phone numbers in one cell, the first of them the one in use.
    SeveralPhones,
    /// Blanks, apostrophes and invisible characters around the value.
    StraySpace,
    /// The value stands in a cell merged with the row above.
    Merged,
    /// A person who already stands in an earlier row.
    KnownPerson,
}

impl Planted {
    /// Rows that an import must accept.
    pub fn accepted(&self) -> usize {
        self.rows.iter().filter(|row| row.refused.is_none()).count()
    }

    /// Rows that an import must refuse.
    pub fn refused(&self) -> usize {
        self.rows.len() - self.accepted()
    }

    /// How often each mistake was planted.
    pub fn reasons(&self) -> BTreeMap<Wrong, usize> {
        let mut reasons = BTreeMap::new();
        for wrong in self.rows.iter().filter_map(|row| row.refused) {
            *reasons.entry(wrong).or_insert(0) += 1;
        }
        reasons
    }

    /// How often each kind of untidiness was planted in rows that must be accepted.
    pub fn dirt(&self) -> BTreeMap<Dirt, usize> {
        let mut dirt = BTreeMap::new();
        for row in self.rows.iter().filter(|row| row.refused.is_none()) {
            for kind in &row.dirt {
                *dirt.entry(*kind).or_insert(0) += 1;
            }
        }
        dirt
    }
}

/// A ledger could not be made.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SheetsError {
    /// Only the synthetic county may be filled with invented people.
    #[error("{village_code} is not a village of the synthetic county 130599")]
    NotSynthetic {
        /// The division asked for.
        village_code: String,
    },
    /// The workbook library refused.
    #[error("could not write the ledger {file_name}")]
    Write {
        /// The file being written.
        file_name: String,
        /// What the library said.
        source: rust_xlsxwriter::XlsxError,
    },
}

/// The four ledgers of one village for one year. The same arguments give the same bytes.
///
/// `village_code` has 12 digits and lies in county 130599, `village_name` is how the clerk writes
/// the village, `year` the year of the ledgers. A ledger with no rows is left out.
pub fn village_ledgers(
    seed: u64,
    village_code: &str,
    village_name: &str,
    year: u16,
    counts: Counts,
) -> Result<Vec<PlantedLedger>, SheetsError> {
    let is_synthetic = village_code.len() == 12
        && village_code.starts_with("130599")
        && village_code.bytes().all(|byte| byte.is_ascii_digit());
    if !is_synthetic {
        return Err(SheetsError::NotSynthetic { village_code: village_code.to_owned() });
    }
    let mut dice = Dice::seeded(seed, village_code);
    let village = Village::populated(&mut dice, village_code, village_name, year);
    let pages = [
        service::page(&mut dice, &village, counts.svc),
        poverty::page(&mut dice, &village, counts.pvm),
        industry::page(&mut dice, &village, counts.ind),
        mediation::page(&mut dice, &village, counts.med),
    ];
    pages.into_iter().filter(|page| !page.rows.is_empty()).map(page::Page::printed).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_gives_the_same_bytes() {
        let make = |seed| {
            village_ledgers(seed, "130599101201", "东张庄村", 2026, Counts::default()).unwrap()
        };
        let (first, again, other) = (make(7), make(7), make(8));
        assert_eq!(first.len(), 4);
        for (one, two) in first.iter().zip(&again) {
            assert_eq!(one.bytes, two.bytes, "{}", one.file_name);
            assert_eq!(one.planted, two.planted);
        }
        assert_ne!(first[0].planted, other[0].planted);
    }

    #[test]
    fn a_real_county_is_never_filled_with_invented_people() {
        for code in ["130525101201", "1305991012", "13059910120x"] {
            let made = village_ledgers(1, code, "东张庄村", 2026, Counts::default());
            assert!(matches!(made, Err(SheetsError::NotSynthetic { .. })), "{code}");
        }
    }

    #[test]
    fn every_kind_of_mistake_and_dirt_is_planted_somewhere() {
        let mut reasons = BTreeMap::new();
        let mut dirt = BTreeMap::new();
        for seed in 0..4 {
            for made in
                village_ledgers(seed, "130599102203", "西李屯村", 2026, Counts::default()).unwrap()
            {
                assert_eq!(
                    made.planted.accepted() + made.planted.refused(),
                    made.planted.rows.len()
                );
                reasons.extend(made.planted.reasons());
                dirt.extend(made.planted.dirt());
            }
        }
        assert_eq!(reasons.len(), 7, "{reasons:?}");
        assert_eq!(dirt.len(), 8, "{dirt:?}");
    }
}
