//! Divisions from a CSV file (`code,level,name,parent`), as statistical offices give them out.

use xw_schemas::space::{Division, Tier};

use crate::found::{NamedPerson, Plan, PlannedOffice, Registrars};

/// Most lines read: a province has about 55,000.
const LINES_MAX: usize = 200_000;

/// What is wrong with a divisions file.
#[derive(Debug, thiserror::Error)]
pub enum DivisionsError {
    /// Not readable as CSV.
    #[error("not a CSV file of divisions")]
    Csv(#[from] csv::Error),
    /// A line that has no code or no name.
    #[error("line {line}: a 12-digit code and a name are needed")]
    Line {
        /// The line's number.
        line: usize,
    },
    /// The county asked for is not in the file.
    #[error("the file has no county {0}")]
    NoCounty(Division),
}

impl DivisionsError {
    /// What a Chinese reader is told.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Csv(_) => "不是区划 CSV 文件".to_owned(),
            Self::Line { line } => format!("第 {line} 行：需要 12 位区划代码和名称"),
            Self::NoCounty(code) => format!("文件中没有县 {code}"),
        }
    }
}

/// The divisions of one county, with their names, county first.
pub fn of_county(text: &str, county: Division) -> Result<Vec<(Division, String)>, DivisionsError> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let mut found = Vec::new();
    for (number, row) in (2..).zip(reader.records().take(LINES_MAX)) {
        let row = row?;
        let code = row.get(0).and_then(|code| Division::parse(code.trim()));
        let name = row.get(2).map(str::trim).filter(|name| !name.is_empty());
        let (Some(code), Some(name)) = (code, name) else {
            return Err(DivisionsError::Line { line: number });
        };
        // Cities and provinces above the county end in more zeros and have no office here.
        if county.covers(code) {
            found.push((code, name.to_owned()));
        }
    }
    found.sort();
    if found.first().is_none_or(|(code, _)| *code != county) {
        return Err(DivisionsError::NoCounty(county));
    }
    Ok(found)
}

/// A plan with one office per division, that invites nobody yet.
#[must_use]
pub fn plan(divisions: &[(Division, String)]) -> Plan {
    let mut offices: Vec<PlannedOffice> =
        divisions.iter().map(|(division, name)| office(*division, name)).collect();
    offices.sort_by_key(|office| (office.division.tier(), office.division));
    Plan { threshold: 2, offices, registrars: Registrars::default(), invites: Vec::new() }
}

/// An office with the usual name of its level.
#[must_use]
pub fn office(division: Division, listed: &str) -> PlannedOffice {
    let place = place_of(listed);
    let name = match division.tier() {
        Tier::County => format!("{place}乡村治理工作办公室"),
        Tier::Township => format!("{place}人民政府"),
        Tier::Village if listed.ends_with("委员会") => listed.to_owned(),
        Tier::Village => format!("{place}村民委员会"),
    };
    PlannedOffice { division, place, name }
}

/// The usual posts of a level and their roles: what a training county invites. A real office names
/// its own people.
#[must_use]
pub fn posts(tier: Tier) -> Vec<NamedPerson> {
    let posts: &[(&str, &[&str])] = match tier {
        Tier::County => &[("县经办员", &["CDEP", "CADM"]), ("县负责人", &["CLEAD", "CDEP"])],
        Tier::Township => &[
            ("便民窗口", &["TWIN", "TSOC", "TADM"]),
            ("振兴专干", &["TRUR", "TFIN"]),
            ("司法所", &["TJUS", "TMED"]),
            ("分管领导", &["TVICE", "TLEAD"]),
        ],
        Tier::Village => &[
            ("村文书", &["VCLK", "VAGT", "VGRD"]),
            ("村书记", &["VSEC", "VMED", "VTEAM"]),
            ("监督员", &["VSUP"]),
        ],
    };
    let roles = |roles: &[&str]| roles.iter().map(|role| (*role).to_owned()).collect();
    posts.iter().map(|(name, held)| ((*name).to_owned(), roles(held))).collect()
}

/// What people call a place whose committee the list names: 柳河村 of 柳河村村民委员会, 柳河村 of
/// 柳河村民委员会 too, 北关社区 of 北关社区居民委员会.
fn place_of(listed: &str) -> String {
    if let Some(community) = listed.strip_suffix("居民委员会") {
        return community.to_owned();
    }
    match listed.strip_suffix("村民委员会") {
        Some(village) if village.ends_with('村') => village.to_owned(),
        Some(village) => format!("{village}村"),
        None => listed.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: &str = "code,level,name,parent\n130500000000,city,邢台市,130000000000\n\
        130599000000,county,清河川县,130500000000\n130599201000,township,东乡,130599000000\n\
        130599201201,village,柳村村民委员会,130599201000\n";

    #[test]
    fn a_county_is_planned_from_its_divisions_and_nothing_above() {
        let county = Division::parse("130599000000").unwrap();
        let plan = plan(&of_county(SAMPLE, county).unwrap());
        let names: Vec<&str> = plan.offices.iter().map(|office| office.name.as_str()).collect();
        assert_eq!(names, ["清河川县乡村治理工作办公室", "东乡人民政府", "柳村村民委员会"]);
        assert_eq!(plan.offices[2].place, "柳村");
        assert_eq!(place_of("柳河村村民委员会"), "柳河村");
        assert_eq!(place_of("北关社区居民委员会"), "北关社区");
        let other = Division::parse("130598000000").unwrap();
        assert!(matches!(of_county(SAMPLE, other), Err(DivisionsError::NoCounty(_))));
    }
}
