//! From the files of a folder to record types, or to a list of what is wrong with which line.
//! Text in, definitions out; it opens no file.

mod companions;
mod conditions;
mod fields;
mod sections;

use std::collections::{BTreeMap, BTreeSet};

use super::compute::Calendar;
use super::index::Lookup;
use super::lint::lint;
use super::model::{CodeList, Field, Kind, RecordType, Struct};
use super::schema_error::{SchemaError, SchemaFlaw};
use sections::{Part, TypeHead, read_part};

/// The file with what all record types share.
const SHARED_FILE: &str = "shared.toml";
/// Kept in every type even when no field chooses from it: steps name its codes.
const ROLE_LIST: &str = "CL_ROLE";

/// Compiles the files of one folder, given by name: `shared.toml` and one file per record type.
///
/// Either all are sound, or every flaw that could be found is returned with its file and line.
pub fn compile(files: &[(String, String)]) -> Result<Vec<RecordType>, Vec<SchemaError>> {
    let is_shared = |name: &str| name.rsplit(['/', '\\']).next() == Some(SHARED_FILE);
    let mut errors = Vec::new();
    let mut shared = None;
    let mut parts = Vec::new();
    for (name, text) in files {
        match read_part(name, text, is_shared(name)) {
            Ok(part) if is_shared(name) => shared = Some(part),
            Ok(part) => parts.push(part),
            Err(found) => errors.extend(found),
        }
    }
    if !files.iter().any(|(name, _)| is_shared(name)) {
        let flaw = SchemaFlaw::NoShared { name: SHARED_FILE.to_owned() };
        errors.push(SchemaError { file: SHARED_FILE.to_owned(), line: 0, flaw });
    }
    let Some(shared) = shared.filter(|_| errors.is_empty()) else {
        return Err(errors);
    };
    let mut types: Vec<RecordType> = Vec::new();
    for part in &parts {
        let Some(head) = &part.head else { continue };
        let (rt, found) = join(&shared, part, head);
        for error in found {
            // What is wrong with the shared file is wrong in every type, and said once.
            if !errors.contains(&error) {
                errors.push(error);
            }
        }
        if types.iter().any(|earlier| earlier.code == rt.code) {
            let flaw = SchemaFlaw::Duplicate { name: rt.code.clone() };
            errors.push(part.error("type", flaw));
        }
        types.push(rt);
    }
    if errors.is_empty() { Ok(types) } else { Err(errors) }
}

/// Joins a type's file with the shared one and checks the whole.
fn join(shared: &Part, own: &Part, head: &TypeHead) -> (RecordType, Vec<SchemaError>) {
    let mut errors = Vec::new();
    let mut structs = shared.structs.clone();
    let mut lists = shared.lists.clone();
    for (name, one) in &own.structs {
        if structs.insert(name.clone(), one.clone()).is_some() {
            let flaw = SchemaFlaw::Duplicate { name: name.clone() };
            errors.push(own.error(&format!("structs.{name}"), flaw));
        }
    }
    for (name, list) in &own.lists {
        if lists.insert(name.clone(), list.clone()).is_some() {
            let flaw = SchemaFlaw::Duplicate { name: name.clone() };
            errors.push(own.error(&format!("lists.{name}"), flaw));
        }
    }
    let mut fields = shared.fields.clone();
    fields.extend(own.fields.iter().cloned());
    companions::add(&mut fields, &lists);
    let structs = structs.into_values().map(|mut one| {
        companions::add(&mut one.fields, &lists);
        one
    });
    let rt = RecordType {
        code: head.code.clone(),
        version: head.version.clone(),
        zh: head.zh.clone(),
        en: head.en.clone(),
        audience: head.audience,
        body_levels: head.body_levels.clone(),
        edit_roles: head.edit_roles.clone(),
        fields: fields.into_iter().map(|draft| draft.field).collect(),
        structs: structs
            .map(|one| {
                let fields = one.fields.into_iter().map(|draft| draft.field).collect();
                (one.name.clone(), Struct { name: one.name, zh: one.zh, fields })
            })
            .collect(),
        lists,
        states: own.states.iter().chain(&shared.states).cloned().collect(),
        transitions: own.transitions.clone(),
        ledgers: own.ledgers.clone(),
        calendar: shared.calendar.clone(),
        lookup: Lookup::default(),
    };
    errors.extend(lint(&rt).into_iter().map(|(place, flaw)| {
        // The type's own places come first: where both files have one, the type's was read last.
        match own.line(&place).or_else(|| shared.line(&place).map(|found| (found.0, found.1))) {
            Some((file, line)) => SchemaError { file: file.to_owned(), line, flaw },
            None => own.error("type", flaw),
        }
    }));
    (prune(rt), errors)
}

/// Leaves out structures, lists and holidays that the type does not use, so that its content
/// address changes only when the type does.
fn prune(mut rt: RecordType) -> RecordType {
    let mut used = Used { structs: BTreeSet::new(), lists: BTreeSet::from([ROLE_LIST.to_owned()]) };
    used.follow(&rt.fields, &rt.structs);
    rt.structs.retain(|name, _| used.structs.contains(name));
    rt.lists.retain(|name: &String, _: &mut CodeList| used.lists.contains(name));
    let counts_days = rt
        .fields
        .iter()
        .any(|f| matches!(f.compute, Some(super::compute::Compute::WorkdaysAfter { .. })));
    if !counts_days {
        rt.calendar = Calendar::default();
    }
    rt.lookup = Lookup::default();
    rt
}

struct Used {
    structs: BTreeSet<String>,
    lists: BTreeSet<String>,
}

impl Used {
    fn follow(&mut self, fields: &[Field], structs: &BTreeMap<String, Struct>) {
        for field in fields {
            self.lists.extend(field.list.clone());
            if let Kind::Struct { name } | Kind::List { of: name } = &field.kind
                && self.structs.insert(name.clone())
                && let Some(one) = structs.get(name)
            {
                self.follow(&one.fields, structs);
            }
        }
    }
}
