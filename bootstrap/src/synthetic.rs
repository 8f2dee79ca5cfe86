//! The synthetic county 130599 清河川县(虚构): no code, place or person of it is real.

use xw_schemas::space::Division;

use crate::divisions::{office, posts};
use crate::found::{NamedPerson, Plan, PlannedInvite, Registrars};

/// Code of the county; unassigned in the list of 2023/24.
pub const COUNTY: &str = "130599000000";

/// The township of the demonstration.
pub const TOWNSHIP: &str = "130599201000";

/// The three villages of the demonstration.
pub const VILLAGES: [(&str, &str); 3] =
    [("130599201201", "柳河村"), ("130599201202", "东杨庄村"), ("130599201203", "石桥村")];

/// A county, a township and three villages. The founding edition invites the county's office.
#[must_use]
pub fn plan() -> Plan {
    let places = [(COUNTY, "清河川县"), (TOWNSHIP, "白杨镇")].into_iter().chain(VILLAGES);
    let mut offices = Vec::new();
    for (code, place) in places {
        offices.push(office(division(code), place));
    }
    let invites = vec![invite(division(COUNTY))];
    Plan { threshold: 2, offices, registrars: Registrars::default(), invites }
}

/// One of the codes above.
#[must_use]
pub fn division(code: &str) -> Division {
    Division::parse(code).expect("the codes above have 12 digits")
}

/// Whom an office of the county invites: one PC and people with invented names.
#[must_use]
pub fn invite(division: Division) -> PlannedInvite {
    let mut people = posts(division.tier());
    name_people(&mut people, division);
    PlannedInvite { division, node: Some("一号机".to_owned()), people }
}

/// Invented names in place of posts, so that a demonstration reads like an office.
fn name_people(people: &mut [NamedPerson], division: Division) {
    const SURNAMES: [&str; 6] = ["张", "王", "李", "刘", "赵", "杨"];
    const GIVEN: [&str; 5] = ["秀兰", "建国", "文斌", "玉梅", "志强"];
    let seed = usize::try_from(division.number() % 997).unwrap_or(0);
    for (at, (name, _)) in people.iter_mut().enumerate() {
        let surname = SURNAMES[(seed + at * 5) % SURNAMES.len()];
        let given = GIVEN[(seed / 7 + at) % GIVEN.len()];
        *name = format!("{surname}{given}");
    }
}
