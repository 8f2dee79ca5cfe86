//! Rules that every record type keeps, whether it came from files or over the wire.
//! Says what is wrong and at which place of the definition; fixes nothing.

mod computes;
mod conditions;
mod flow;
mod forms;
mod names;

use super::index::CONTAINERS_MAX;
use super::ledger::SPECIALS;
use super::model::{Kind, RecordType};
use super::schema_error::SchemaFlaw;
use crate::value::Day;

/// Groups and lists may stand inside each other this deep.
pub const STRUCT_DEPTH_MAX: usize = CONTAINERS_MAX;

/// A place in a definition, such as `fields.title`, with what is wrong there.
pub(crate) type Finding = (String, SchemaFlaw);

/// Everything that is wrong with a record type.
pub(crate) fn lint(rt: &RecordType) -> Vec<Finding> {
    let mut found = Vec::new();
    names::lint(rt, &mut found);
    lint_lists(rt, &mut found);
    forms::lint(rt, &mut found);
    flow::lint(rt, &mut found);
    conditions::lint(rt, &mut found);
    computes::lint(rt, &mut found);
    lint_calendar(rt, &mut found);
    // Paths can only be followed where structures are known to end.
    if found.is_empty() {
        forms::lint_paths(rt, &mut found);
    }
    if found.is_empty() {
        lint_ledgers(rt, &mut found);
    }
    found
}

fn lint_lists(rt: &RecordType, found: &mut Vec<Finding>) {
    for list in rt.lists.values() {
        let place = format!("lists.{}", list.name);
        if list.codes.is_empty() {
            found.push((place.clone(), SchemaFlaw::EmptyList { name: list.name.clone() }));
        }
        for (number, code) in list.codes.iter().enumerate() {
            let at = || format!("{place}.codes.{number}");
            if !names::is_code(&code.code) {
                found.push((at(), SchemaFlaw::BadName { found: code.code.clone() }));
            }
            if code.zh.is_empty() || code.en.is_empty() {
                found.push((at(), SchemaFlaw::MissingLabel { name: code.code.clone() }));
            }
            let earlier = &list.codes[..number];
            if earlier.iter().any(|earlier| earlier.code == code.code) {
                let name = format!("{} {}", list.name, code.code);
                found.push((at(), SchemaFlaw::Duplicate { name }));
            }
            // Ledgers hold labels, not codes: two codes of one label could not be told apart.
            if let Some(twin) = earlier.iter().find(|e| e.zh == code.zh || e.en == code.en) {
                let name = format!("{} {}／{}", list.name, twin.zh, twin.en);
                found.push((at(), SchemaFlaw::Duplicate { name }));
            }
        }
    }
}

fn lint_calendar(rt: &RecordType, found: &mut Vec<Finding>) {
    let sides = [(&rt.calendar.holidays, false), (&rt.calendar.workdays, true)];
    for (days, weekend) in sides {
        let mut last = "";
        for day in days {
            let right = Day::from_stored(day).is_some_and(|d| (d.weekday() >= 5) == weekend);
            if !right || day.as_str() <= last {
                let flaw = SchemaFlaw::BadCalendarDay { found: day.clone() };
                found.push(("calendar".to_owned(), flaw));
            }
            last = day;
        }
    }
}

fn lint_ledgers(rt: &RecordType, found: &mut Vec<Finding>) {
    for (number, ledger) in rt.ledgers.iter().enumerate() {
        let place = format!("ledgers.{}", ledger.key);
        if rt.ledgers[..number].iter().any(|earlier| earlier.key == ledger.key) {
            found.push((place.clone(), SchemaFlaw::Duplicate { name: ledger.key.clone() }));
        }
        if let Some(list) = &ledger.rows_from
            && !rt.fields.iter().any(|f| f.name == *list && matches!(f.kind, Kind::List { .. }))
        {
            found.push((place.clone(), SchemaFlaw::ColumnPath { path: list.clone() }));
        }
        for (number, column) in ledger.columns.iter().enumerate() {
            let at = || format!("{place}.columns.{number}");
            if column.zh.is_empty() {
                found.push((at(), SchemaFlaw::MissingLabel { name: ledger.key.clone() }));
            }
            if let Some(path) = &column.path
                && ledger.resolve(rt, path).is_none()
            {
                found.push((at(), SchemaFlaw::ColumnPath { path: path.clone() }));
            }
            if !special_fits(column.special.as_deref(), column.path.is_some()) {
                let found_word = column.special.clone().unwrap_or_default();
                let allowed = SPECIALS.join(", ");
                found.push((at(), SchemaFlaw::ColumnSpecial { found: found_word, allowed }));
            }
        }
    }
}

/// A column shows a path, or is special; some specials work on a path and some without one.
fn special_fits(special: Option<&str>, has_path: bool) -> bool {
    match special {
        None => has_path,
        Some("seq" | "state" | "township" | "village" | "blank") => !has_path,
        Some("year" | "wan" | "sum" | "count" | "yes_if_filled") => has_path,
        Some(_) => false,
    }
}
