//! Chinese labels as people type them, to the paths that records are stored under. Reads
//! definitions only.

use xw_schemas::record::{Field, Kind, RecordType};

use crate::trouble::{Answer, Trouble};

/// A place in a record: names with, for items of lists, what stood in brackets.
pub(super) struct Path(pub(super) Vec<(String, Option<String>)>);

impl Path {
    /// `visits[id].note`, also with full stops and brackets as Chinese keyboards give them.
    pub(super) fn parse(text: &str) -> Self {
        let text: String = text
            .trim()
            .chars()
            .map(|c| match c {
                '．' | '。' => '.',
                '［' | '【' => '[',
                '］' | '】' => ']',
                c => c,
            })
            .collect();
        let part = |part: &str| match part.split_once('[') {
            Some((name, rest)) => {
                (name.trim().to_owned(), Some(rest.trim_end_matches(']').trim().to_owned()))
            }
            None => (part.trim().to_owned(), None),
        };
        Self(split(&text).map(part).collect())
    }

    /// The path in text.
    pub(super) fn text(&self) -> String {
        let part = |(name, item): &(String, Option<String>)| match item {
            Some(item) => format!("{name}[{item}]"),
            None => name.clone(),
        };
        self.0.iter().map(part).collect::<Vec<_>>().join(".")
    }

    /// The path without what stands in brackets, as definitions name it.
    pub(super) fn bare(&self) -> String {
        self.0.iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>().join(".")
    }
}

/// Dots outside of brackets separate.
fn split(text: &str) -> impl Iterator<Item = &str> {
    let mut inside = false;
    text.split(move |c| {
        match c {
            '[' => inside = true,
            ']' => inside = false,
            _ => {}
        }
        c == '.' && !inside
    })
}

/// Puts stored names in the place of labels.
///
/// A single label that stands in no outer form is looked for everywhere; it must be the only one.
pub(super) fn resolve(rt: &RecordType, typed: &str) -> Answer<Path> {
    let mut path = Path::parse(typed);
    let mut scope: &[Field] = &rt.fields;
    for at in 0..path.0.len() {
        let name = &path.0[at].0;
        let found = scope.iter().find(|f| f.name == *name || f.zh == *name);
        let Some(field) = found else {
            return if at == 0 && path.0.len() == 1 {
                anywhere(rt, path, typed)
            } else {
                Err(unknown(rt, typed))
            };
        };
        path.0[at].0.clone_from(&field.name);
        scope = match &field.kind {
            Kind::Struct { name } | Kind::List { of: name } => {
                rt.structs.get(name).map_or(&[], |one| &one.fields)
            }
            _ => &[],
        };
    }
    Ok(path)
}

/// A label within groups, never within lists: an item must be named.
fn anywhere(rt: &RecordType, path: Path, typed: &str) -> Answer<Path> {
    let name = &path.0[0].0;
    let in_list = |path: &str| {
        path.match_indices('.').any(|(at, _)| {
            rt.field(&path[..at]).is_some_and(|outer| matches!(outer.kind, Kind::List { .. }))
        })
    };
    let found: Vec<&str> = rt
        .paths()
        .filter(|(path, field)| field.zh == *name && !in_list(path))
        .map(|(path, _)| path)
        .collect();
    match found.as_slice() {
        [one] => Ok(Path::parse(one)),
        [] => Err(unknown(rt, typed)),
        several => {
            let said: Vec<String> = several.iter().map(|path| spelled(rt, path)).collect();
            Err(Trouble::new(
                "field",
                format!("“{typed}”不止一处，请写明是哪一个：{}", said.join("、")),
                format!("{typed} stands in several places: {}", several.join(", ")),
            ))
        }
    }
}

/// A path in labels: 申请人.姓名.
pub(super) fn spelled(rt: &RecordType, path: &str) -> String {
    let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
    let label = |end: usize| {
        let inner = &path[..end];
        rt.field(inner).map_or(inner, |field| field.zh.as_str()).to_owned()
    };
    ends.map(label).collect::<Vec<_>>().join(".")
}

fn unknown(rt: &RecordType, typed: &str) -> Trouble {
    Trouble::new(
        "field",
        format!("“{}”没有字段“{typed}”。全部字段见 xiangwang types {}", rt.zh, rt.code),
        format!("{} has no field {typed}; see xiangwang types {}", rt.code, rt.code),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn service() -> RecordType {
        let found = xw_schemas::record::builtin().into_iter().find(|rt| rt.code == "SVC");
        found.expect("SVC is built in")
    }

    #[test]
    fn labels_and_paths_name_the_same_places() {
        let rt = service();
        for (typed, path) in [
            ("matter_name", "matter_name"),
            ("事项名称", "matter_name"),
            ("申请人.姓名", "applicant.name"),
            ("applicant.姓名", "applicant.name"),
            ("材料清单[2].name", "materials[2].name"),
            ("材料清单【a.b】。name", "materials[a.b].name"),
        ] {
            assert_eq!(resolve(&rt, typed).unwrap().text(), path, "{typed}");
        }
        assert_eq!(spelled(&rt, "applicant.name"), "申请人.姓名");
    }

    #[test]
    fn a_label_of_several_places_is_not_guessed() {
        let trouble = resolve(&service(), "姓名").err().unwrap();
        assert!(trouble.zh.contains("申请人.姓名"), "{}", trouble.zh);
        assert!(resolve(&service(), "没有的字段").err().unwrap().zh.contains("types SVC"));
        assert!(resolve(&service(), "申请人.没有").is_err());
    }
}
