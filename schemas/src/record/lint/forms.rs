//! Fields and structures: types, limits, lists, readers, and how deep they nest.
//! Looks at forms only; states and conditions have their own rules.

use std::collections::{BTreeMap, BTreeSet};

use super::Finding;
use crate::record::index::{CONTAINERS_MAX, PATHS_MAX};
use crate::record::model::{Field, Kind, RecordType};
use crate::record::schema_error::SchemaFlaw;

/// Longest text one field may hold, in characters; an entry's body is limited to 64 KiB.
const TEXT_CHARS_MAX: u32 = 5_000;
/// Most decimals of a measure.
const SCALE_MAX: u8 = 6;
/// Lists inside lists, as the document's shape allows.
const LISTS_MAX: usize = 2;

pub(super) fn lint(rt: &RecordType, found: &mut Vec<Finding>) {
    lint_fields(rt, &rt.fields, "fields", true, found);
    for one in rt.structs.values() {
        lint_fields(rt, &one.fields, &format!("structs.{}.fields", one.name), false, found);
    }
    let mut depths = Depths { rt, known: BTreeMap::new(), open: BTreeSet::new() };
    for name in rt.structs.keys() {
        if depths.of(name).is_none() {
            let flaw = SchemaFlaw::StructRecursion { name: name.clone() };
            found.push((format!("structs.{name}"), flaw));
        }
    }
    for field in &rt.fields {
        let inside = target(field).and_then(|name| depths.of(name));
        if let Some((containers, lists)) = inside {
            let is_list = matches!(field.kind, Kind::List { .. });
            if containers + 1 > CONTAINERS_MAX || lists + usize::from(is_list) > LISTS_MAX {
                let flaw = SchemaFlaw::TooDeep { field: field.name.clone(), max: CONTAINERS_MAX };
                found.push((format!("fields.{}", field.name), flaw));
            }
        }
    }
}

/// Rules on paths as they are in force: sizes, and public readers of sensitive members.
pub(super) fn lint_paths(rt: &RecordType, found: &mut Vec<Finding>) {
    if rt.index().len() >= PATHS_MAX {
        found.push(("fields".into(), SchemaFlaw::TooManyFields { max: PATHS_MAX }));
        return;
    }
    for (path, field) in rt.index().paths() {
        if field.pi == 3 && field.vis.contains('P') {
            let root = path.split('.').next().unwrap_or(path);
            let flaw = SchemaFlaw::PublicSensitive { field: path.to_owned() };
            found.push((format!("fields.{root}"), flaw));
        }
    }
}

fn target(field: &Field) -> Option<&str> {
    match &field.kind {
        Kind::Struct { name } | Kind::List { of: name } => Some(name),
        _ => None,
    }
}

fn lint_fields(
    rt: &RecordType,
    fields: &[Field],
    place: &str,
    is_root: bool,
    found: &mut Vec<Finding>,
) {
    for field in fields {
        let name = || field.name.clone();
        let mut report = |flaw| found.push((format!("{place}.{}", field.name), flaw));
        let chooses = matches!(field.kind, Kind::Enum | Kind::EnumMany);
        match &field.list {
            None if chooses => report(SchemaFlaw::EnumWithoutList { field: name() }),
            Some(_) if !chooses => report(SchemaFlaw::ListWithoutEnum { field: name() }),
            Some(list) if !rt.lists.contains_key(list) => {
                report(SchemaFlaw::UnknownList { name: list.clone() });
            }
            _ => {}
        }
        if let Some(target) = target(field)
            && !rt.structs.contains_key(target)
        {
            report(SchemaFlaw::UnknownStruct { name: target.to_owned() });
        }
        if field.pi > 3 {
            report(SchemaFlaw::BadPi { field: name() });
        }
        if !are_readers(&field.vis) || (is_root && field.vis.is_empty()) {
            report(SchemaFlaw::BadVis { field: name() });
        }
        if field.pi == 3 && field.vis.contains('P') {
            report(SchemaFlaw::PublicSensitive { field: name() });
        }
        if !limits_fit(&field.kind) {
            report(SchemaFlaw::BadLimit { field: name() });
        }
        let counted = matches!(field.kind, Kind::List { .. } | Kind::EnumMany);
        let (min, max) = (field.items_min, field.items_max);
        if (!counted && (min, max) != (0, 0)) || (max != 0 && min > max) {
            report(SchemaFlaw::BadCount { field: name() });
        }
        if !is_root && field.compute.is_some() {
            report(SchemaFlaw::BadCompute {
                field: name(),
                zh: "只有主表单的字段可以计算".into(),
                en: "only fields of the main form are computed".into(),
            });
        }
    }
}

fn are_readers(vis: &str) -> bool {
    vis.chars().all(|c| "VTCSP".contains(c))
        && vis.chars().collect::<BTreeSet<_>>().len() == vis.len()
}

fn limits_fit(kind: &Kind) -> bool {
    match kind {
        Kind::Str { max } | Kind::Text { max } => (1..=TEXT_CHARS_MAX).contains(max),
        Kind::Dec { scale } => (1..=SCALE_MAX).contains(scale),
        Kind::Division { digits } => matches!(digits, 6 | 9 | 12),
        _ => true,
    }
}

/// Depth of structures, counting each once, so that a wide definition is still quick to judge.
struct Depths<'a> {
    rt: &'a RecordType,
    known: BTreeMap<&'a str, Option<(usize, usize)>>,
    open: BTreeSet<&'a str>,
}

impl<'a> Depths<'a> {
    /// Containers and lists below a structure; none when it holds itself.
    fn of(&mut self, name: &'a str) -> Option<(usize, usize)> {
        if let Some(known) = self.known.get(name) {
            return *known;
        }
        if !self.open.insert(name) {
            return None;
        }
        let rt = self.rt;
        let fields = rt.structs.get(name).map_or(&[][..], |s| &s.fields);
        let mut depth = Some((0, 0));
        for field in fields {
            let Some(inner) = target(field) else { continue };
            let is_list = usize::from(matches!(field.kind, Kind::List { .. }));
            // Past the limit the exact depth no longer matters, and the recursion must end.
            let below = if self.open.len() > CONTAINERS_MAX + 1 {
                if self.open.contains(inner) { None } else { Some((CONTAINERS_MAX, 0)) }
            } else {
                self.of(inner)
            };
            depth = match (depth, below) {
                (Some((c, l)), Some((bc, bl))) => Some((c.max(bc + 1), l.max(bl + is_list))),
                _ => None,
            };
        }
        self.open.remove(name);
        self.known.insert(name, depth);
        depth
    }
}
