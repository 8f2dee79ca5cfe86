//! Record types as people name them, and their definitions, which the node has. Changes nothing.

use serde_json::Value as Json;
use xw_schemas::record::RecordType;

use super::filter::List;
use super::labels::resolve;
use super::perform::Desk;
use crate::render::Form;
use crate::request::Request;
use crate::trouble::{Answer, Trouble};

impl Desk<'_> {
    /// The code of a record type, given by code or name.
    pub(super) fn type_code(&mut self, typed: &str) -> Answer<String> {
        if typed.is_ascii() {
            return Ok(typed.to_ascii_uppercase());
        }
        let answer = self.client.ask(Request::Types { code: None })?;
        let known = answer["types"].as_array().map(Vec::as_slice).unwrap_or_default();
        let named = |exact: bool| {
            let fits = move |zh: &str| if exact { zh == typed } else { zh.contains(typed) };
            known.iter().filter(move |one| fits(one["zh"].as_str().unwrap_or_default()))
        };
        let mut found = named(true).chain(named(false));
        match (found.next(), named(true).count() == 1 || named(false).count() == 1) {
            (Some(one), true) => Ok(one["code"].as_str().unwrap_or_default().to_owned()),
            // The node names the types that there are.
            _ => Ok(typed.to_owned()),
        }
    }

    pub(super) fn type_codes(&mut self, typed: &[String]) -> Answer<Vec<String>> {
        typed.iter().map(|typed| self.type_code(typed)).collect()
    }

    pub(super) fn definition(&mut self, typed: &str) -> Answer<RecordType> {
        let code = self.type_code(typed)?;
        read_definition(&self.client.ask(Request::Types { code: Some(code) })?)
    }

    /// The definition of a record's type.
    pub(super) fn definition_of(&mut self, record: &str) -> Answer<RecordType> {
        let shown = self.client.ask(Request::Show { record: record.to_owned() })?;
        self.definition(shown["type"].as_str().unwrap_or_default())
    }

    /// Labels for a record that is shown anyway; without them it is shown plainer.
    pub(super) fn form_of(&mut self, shown: &Json) -> Option<Form> {
        self.definition(shown["type"].as_str()?).ok().as_ref().map(Form::of)
    }

    /// Labels of roles, which every record type has; without them roles are shown as codes.
    pub(super) fn roles(&mut self) -> Option<Form> {
        let types = self.client.ask(Request::Types { code: None }).ok()?;
        self.definition(types["types"][0]["code"].as_str()?).ok().as_ref().map(Form::of)
    }

    /// The definitions that a list needs: those asked for, all where none is.
    pub(super) fn definitions_for(
        &mut self,
        codes: &[String],
        asked: &List,
    ) -> Answer<Vec<RecordType>> {
        if asked.columns.is_empty() && asked.sort.iter().all(|key| key.is_ascii()) {
            return Ok(Vec::new());
        }
        let codes = if codes.is_empty() {
            let answer = self.client.ask(Request::Types { code: None })?;
            let known = answer["types"].as_array().cloned().unwrap_or_default();
            known.iter().filter_map(|one| one["code"].as_str().map(str::to_owned)).collect()
        } else {
            codes.to_vec()
        };
        codes.iter().map(|code| self.definition(code)).collect()
    }
}

pub(super) fn read_definition(answer: &Json) -> Answer<RecordType> {
    serde_json::from_value(answer["definition"].clone()).map_err(|error| {
        let (zh, en) = ("记录类型定义无法读取", "the definition cannot be read");
        Trouble::because("definition", zh, en, error)
    })
}

/// A column's path, from its path or label.
pub(super) fn column(definitions: &[RecordType], name: &str) -> Answer<String> {
    let mut trouble = None;
    for rt in definitions {
        match resolve(rt, name) {
            Ok(path) => return Ok(path.bare()),
            Err(found) => trouble = trouble.or(Some(found)),
        }
    }
    Err(trouble.unwrap_or_else(|| Trouble::missing("该字段", "such field")))
}

pub(super) fn sort_key(definitions: &[RecordType], key: &str) -> Answer<String> {
    let (sign, name) = match key.strip_prefix(['-', '－']) {
        Some(name) => ("-", name),
        None => ("", key),
    };
    if name.is_ascii() {
        return Ok(format!("{sign}{name}"));
    }
    Ok(format!("{sign}{}", column(definitions, name)?))
}
