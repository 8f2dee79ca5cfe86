//! What an office of a level may read of a record whose contents it holds: the personal-information
//! class and the readers of every field decide. Hides values; never changes a record.

use super::content::{Content, Item};
use super::model::{Level, RecordType};
use crate::space::Tier;

/// From this class on a value is personal and shown only to those whom its field names: 2 personal,
/// 3 sensitive (个人信息保护法 article 28).
pub const PERSONAL_CLASS: u8 = 2;

impl From<Tier> for Level {
    fn from(tier: Tier) -> Self {
        match tier {
            Tier::County => Self::C,
            Tier::Township => Self::T,
            Tier::Village => Self::V,
        }
    }
}

impl Level {
    /// The letter by which `vis` names a level.
    #[must_use]
    pub fn letter(self) -> char {
        match self {
            Self::V => 'V',
            Self::T => 'T',
            Self::C => 'C',
        }
    }
}

/// A place in a record without the ids of list items, as its type knows it: `visits[…].note` is
/// `visits.note`.
#[must_use]
pub fn path_of_place(place: &str) -> String {
    let mut inside = false;
    let outside = |letter: &char| {
        inside = (inside || *letter == '[') && *letter != ']';
        !inside && *letter != ']'
    };
    place.chars().filter(outside).collect()
}

/// Whether an office of a level may read the value at a dotted path. Personal values are read by
/// those whom the field and everything around it names; what the type does not know is no secret.
#[must_use]
pub fn may_read_field(rt: &RecordType, path: &str, level: Level) -> bool {
    let dots = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
    dots.filter_map(|end| rt.field(&path[..end]))
        .all(|field| field.pi < PERSONAL_CLASS || field.vis.contains(level.letter()))
}

/// A content without what an office of a level may not read, and the paths that are left out.
#[must_use]
pub fn readable(rt: &RecordType, content: &Content, level: Level) -> (Content, Vec<String>) {
    let mut withheld = Vec::new();
    let kept = keep(rt, content, "", level, &mut withheld);
    withheld.sort();
    withheld.dedup();
    (kept, withheld)
}

fn keep(
    rt: &RecordType,
    content: &Content,
    above: &str,
    level: Level,
    withheld: &mut Vec<String>,
) -> Content {
    let mut kept = Content::default();
    for (path, value) in &content.values {
        let full = format!("{above}{path}");
        if may_read_field(rt, &full, level) {
            kept.values.insert(path.clone(), value.clone());
        } else {
            withheld.push(full);
        }
    }
    for (path, items) in &content.lists {
        let full = format!("{above}{path}");
        if !may_read_field(rt, &full, level) {
            withheld.push(full);
            continue;
        }
        let inner = format!("{full}.");
        let mut item = |item: &Item| Item {
            id: item.id.clone(),
            content: keep(rt, &item.content, &inner, level, withheld),
        };
        let items = items.iter().map(&mut item).collect();
        kept.lists.insert(path.clone(), items);
    }
    kept
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::builtin;
    use crate::value::Value;

    #[test]
    fn a_place_is_known_to_its_type_without_the_ids_of_items() {
        assert_eq!(path_of_place("visits[01J8].met.names[a]"), "visits.met.names");
        assert_eq!(path_of_place("remarks"), "remarks");
    }

    #[test]
    fn the_county_reads_a_follow_up_without_what_its_fields_keep_from_it() {
        let types = builtin();
        let pvm = types.iter().find(|rt| rt.code == "PVM").unwrap();
        let mut content = Content::default();
        for path in ["clue_text", "category", "household.head.id_no"] {
            content.values.insert(path.into(), Value::Text("样例".into()));
        }
        let (township, nothing) = readable(pvm, &content, Level::T);
        assert_eq!((&township, nothing.is_empty()), (&content, true));
        let (county, withheld) = readable(pvm, &content, Level::C);
        assert_eq!(withheld, ["clue_text", "household.head.id_no"]);
        assert_eq!(county.values.len(), 1);
    }
}
