//! The synthetic county 130599 清河川县(虚构): no code, place or person of it is real.

use xw_schemas::space::Division;

use crate::divisions::office;
use crate::found::Plan;

/// Code of the county; unassigned in the list of 2023/24.
pub const COUNTY: &str = "130599000000";

/// The township of the demonstration.
pub const TOWNSHIP: &str = "130599201000";

/// The three villages of the demonstration.
pub const VILLAGES: [(&str, &str); 3] =
    [("130599201201", "柳河村"), ("130599201202", "东杨庄村"), ("130599201203", "石桥村")];

/// A county, a township and three villages.
#[must_use]
pub fn plan() -> Plan {
    let places = [(COUNTY, "清河川县"), (TOWNSHIP, "白杨镇")].into_iter().chain(VILLAGES);
    let offices = places
        .map(|(code, place)| {
            let division = Division::parse(code).expect("the codes above have 12 digits");
            let mut office = office(division, place);
            name_people(&mut office.people, division);
            office
        })
        .collect();
    Plan { roots: 3, threshold: 2, offices }
}

/// Invented names in place of posts, so that a demonstration reads like an office.
fn name_people(people: &mut [(String, Vec<String>)], division: Division) {
    const SURNAMES: [&str; 6] = ["张", "王", "李", "刘", "赵", "杨"];
    const GIVEN: [&str; 5] = ["秀兰", "建国", "文斌", "玉梅", "志强"];
    let seed = usize::try_from(division.number() % 997).unwrap_or(0);
    for (at, (name, _)) in people.iter_mut().enumerate() {
        let surname = SURNAMES[(seed + at * 5) % SURNAMES.len()];
        let given = GIVEN[(seed / 7 + at) % GIVEN.len()];
        *name = format!("{surname}{given}");
    }
}
