//! Where entries live: divisions (12-digit statistical codes), audiences and spaces. Knows the
//! prefix rule of jurisdiction and nothing of the roster.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A 12-digit statistical division code (统计用区划代码): county `130599000000`, township
/// `130599201000`, village `130599201203`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Division(u64);

/// The level of a division in the tree of jurisdiction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Tier {
    /// 县 county: the last six digits are zero.
    County,
    /// 乡镇 township: the last three digits are zero.
    Township,
    /// 村 village.
    Village,
}

impl Division {
    /// Reads a code: exactly 12 digits, not beginning with zero.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() != 12 || !text.bytes().all(|b| b.is_ascii_digit()) {
            return None;
        }
        text.parse().ok().and_then(Self::from_number)
    }

    /// The division of a number with exactly 12 digits.
    #[must_use]
    pub fn from_number(code: u64) -> Option<Self> {
        (100_000_000_000..1_000_000_000_000).contains(&code).then_some(Self(code))
    }

    /// The code as a number.
    #[must_use]
    pub fn number(self) -> u64 {
        self.0
    }

    /// The level that the trailing zeros tell.
    #[must_use]
    pub fn tier(self) -> Tier {
        if self.0.is_multiple_of(1_000_000) {
            Tier::County
        } else if self.0.is_multiple_of(1_000) {
            Tier::Township
        } else {
            Tier::Village
        }
    }

    /// The county above (or the division itself, if it is one).
    #[must_use]
    pub fn county(self) -> Self {
        Self(self.0 / 1_000_000 * 1_000_000)
    }

    /// The township above a village, or itself for a township; `None` for a county.
    #[must_use]
    pub fn township(self) -> Option<Self> {
        (self.tier() != Tier::County).then_some(Self(self.0 / 1_000 * 1_000))
    }

    /// Whether `other` lies under this division's code prefix, itself included.
    #[must_use]
    pub fn covers(self, other: Self) -> bool {
        let unit = match self.tier() {
            Tier::County => 1_000_000,
            Tier::Township => 1_000,
            Tier::Village => 1,
        };
        self.0 / unit == other.0 / unit
    }
}

impl fmt::Display for Division {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

impl fmt::Debug for Division {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Division({})", self.0)
    }
}

impl Serialize for Division {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Division {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom("not a 12-digit division code"))
    }
}

/// How far beyond its own office and the offices above a space is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Audience {
    /// The office itself and the offices above it.
    Office,
    /// Every office of the township.
    Township,
    /// Every office of the county.
    County,
}

impl Audience {
    /// The number that stands in signed bytes.
    #[must_use]
    pub fn number(self) -> u8 {
        match self {
            Self::Office => 0,
            Self::Township => 1,
            Self::County => 2,
        }
    }

    /// The audience of a number in signed bytes.
    #[must_use]
    pub fn from_number(number: u64) -> Option<Self> {
        [Self::Office, Self::Township, Self::County].into_iter().nth(usize::try_from(number).ok()?)
    }
}

/// A division and an audience: decides who replicates the entries written there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Space {
    /// Whose records these are.
    pub division: Division,
    /// Who beside the offices above reads them.
    pub audience: Audience,
}

impl Space {
    /// The fixed nine bytes that are hashed into log ids.
    #[must_use]
    pub fn bytes(self) -> [u8; 9] {
        let code = self.division.number().to_be_bytes();
        std::array::from_fn(|i| if i < 8 { code[i] } else { self.audience.number() })
    }

    /// Whether an office at `reader` replicates this space: the offices above always, others as
    /// the audience says.
    #[must_use]
    pub fn is_read_by(self, reader: Division) -> bool {
        let wide = match self.audience {
            Audience::Office => false,
            Audience::Township => {
                self.division.township().is_some_and(|township| township.covers(reader))
            }
            Audience::County => self.division.county().covers(reader),
        };
        wide || reader.covers(self.division)
    }
}

impl fmt::Display for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let audience = match self.audience {
            Audience::Office => "office",
            Audience::Township => "township",
            Audience::County => "county",
        };
        write!(f, "{}/{audience}", self.division)
    }
}

impl fmt::Debug for Space {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Space({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn division(text: &str) -> Division {
        Division::parse(text).unwrap()
    }

    #[test]
    fn a_village_never_reads_another_villages_office_space() {
        let (county, town) = (division("130599000000"), division("130599201000"));
        let (east, west) = (division("130599201201"), division("130599201202"));
        let office = Space { division: east, audience: Audience::Office };
        assert!([county, town, east].into_iter().all(|reader| office.is_read_by(reader)));
        assert!(!office.is_read_by(west) && !office.is_read_by(division("130599202000")));
        let town_wide = Space { division: town, audience: Audience::Township };
        assert!(town_wide.is_read_by(west) && !town_wide.is_read_by(division("130599202201")));
        let county_wide = Space { division: county, audience: Audience::County };
        assert!(county_wide.is_read_by(west));
        assert!(!Space { division: town, audience: Audience::Office }.is_read_by(east));
        assert_eq!(Division::parse("013059920120"), None);
    }
}
