//! People with roles as somebody typed them: `王秀兰:VSEC,VCLK`, or a list in a file.

use std::fs;
use std::path::Path;

use serde::Deserialize;

use crate::request::InvitedPerson;
use crate::trouble::{Answer, Trouble};

/// Largest list of people: an invitation names eight.
const LIST_BYTES_MAX: u64 = 64 << 10;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ListForm {
    people: Vec<InvitedPerson>,
}

/// All people typed and listed.
pub(super) fn people(typed: &[String], list: Option<&Path>) -> Answer<Vec<InvitedPerson>> {
    let mut people: Vec<InvitedPerson> =
        typed.iter().map(|text| person(text)).collect::<Answer<_>>()?;
    if let Some(path) = list {
        people.extend(listed(path)?);
    }
    Ok(people)
}

/// One person: name, colon, roles.
pub(super) fn person(text: &str) -> Answer<InvitedPerson> {
    let parts = text.split_once([':', '：']).map(|(name, roles)| (name.trim(), roles_of(roles)));
    match parts {
        Some((name, roles)) if !name.is_empty() && !roles.is_empty() => {
            Ok(InvitedPerson { name: name.to_owned(), roles })
        }
        _ => Err(Trouble::new(
            "usage",
            format!("“{text}”应写成 姓名:角色,角色，如 王秀兰:VSEC,VCLK"),
            format!("{text} is not written as NAME:ROLE,ROLE, such as Wang:VSEC,VCLK"),
        )),
    }
}

/// Role codes with commas, semicolons or spaces between.
pub(super) fn roles_of(text: &str) -> Vec<String> {
    let between = |c: char| c.is_whitespace() || matches!(c, ',' | '，' | '、' | ';' | '；' | '+');
    text.split(between).filter(|role| !role.is_empty()).map(str::to_ascii_uppercase).collect()
}

fn listed(path: &Path) -> Answer<Vec<InvitedPerson>> {
    if fs::metadata(path)?.len() > LIST_BYTES_MAX {
        return Err(Trouble::new("file", "人员名单过大", "the list of people is too large"));
    }
    let text = fs::read_to_string(path)?;
    let text = text.trim_start_matches('\u{feff}');
    if path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("toml")) {
        let form: ListForm = toml::from_str(text).map_err(|error| {
            let zh = "人员名单有误：应为 [[people]] 下的 name 和 roles";
            Trouble::because("people", zh, "the list of people cannot be read", error)
        })?;
        return Ok(form.people);
    }
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    lines
        .filter(|line| !line.starts_with("姓名") && !line.starts_with("name"))
        .map(|line| {
            let (name, roles) = line.split_once([',', '，', '\t']).unwrap_or((line, ""));
            person(&format!("{}:{}", name.trim_matches('"'), roles.replace('"', " ")))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_read_as_typed_and_as_listed() {
        let one = InvitedPerson {
            name: "王秀兰".to_owned(),
            roles: vec!["VSEC".to_owned(), "VCLK".to_owned()],
        };
        assert_eq!(person("王秀兰：vsec，VCLK").unwrap(), one);
        assert!(person("王秀兰").is_err() && person(":VSEC").is_err());
        let folder = std::env::temp_dir().join(format!("xw-people-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let (csv, toml) = (folder.join("名单.csv"), folder.join("名单.toml"));
        fs::write(&csv, "\u{feff}姓名,角色\r\n王秀兰,\"VSEC,VCLK\"\r\n").unwrap();
        fs::write(&toml, "[[people]]\nname = '王秀兰'\nroles = ['VSEC', 'VCLK']\n").unwrap();
        for path in [csv, toml] {
            assert_eq!(people(&[], Some(&path)).unwrap(), std::slice::from_ref(&one));
        }
        fs::remove_dir_all(folder).unwrap();
    }
}
