//! A record type's labels in the order of its form: fields, roles, states. Made from a definition.

use std::collections::BTreeMap;

use xw_schemas::record::{Field, Kind, Lang, RecordType};

/// Labels of one record type.
#[derive(Debug)]
pub(crate) struct Form {
    fields: BTreeMap<String, Label>,
    roles: BTreeMap<String, (String, String)>,
    states: BTreeMap<String, (String, String)>,
    type_en: String,
}

#[derive(Debug)]
struct Label {
    /// Place in the form, from 0.
    place: usize,
    zh: String,
    en: String,
    is_count: bool,
}

impl Form {
    /// The labels of a definition.
    pub(crate) fn of(rt: &RecordType) -> Self {
        let mut fields = BTreeMap::new();
        enter(rt, &rt.fields, "", &mut fields);
        let roles = rt.lists.get("CL_ROLE").map(|list| {
            list.codes.iter().map(|c| (c.code.clone(), (c.zh.clone(), c.en.clone()))).collect()
        });
        let states =
            rt.states.iter().map(|s| (s.code.clone(), (s.zh.clone(), s.en.clone()))).collect();
        Self { fields, roles: roles.unwrap_or_default(), states, type_en: rt.en.clone() }
    }

    /// Where a field stands in the form; behind all others when it is not of it.
    pub(super) fn place(&self, path: &str) -> usize {
        self.fields.get(path).map_or(usize::MAX, |label| label.place)
    }

    /// A field's label without the group that it stands in.
    pub(super) fn own_label(&self, path: &str, lang: Lang) -> Option<&str> {
        self.fields.get(path).map(|label| lang.pick(&label.zh, &label.en))
    }

    /// A field's label with its groups: 申请人.姓名.
    pub(super) fn label(&self, path: &str, lang: Lang) -> Option<String> {
        self.own_label(path, lang)?;
        let ends = path.match_indices('.').map(|(at, _)| at).chain([path.len()]);
        let parts: Vec<&str> = ends.filter_map(|end| self.own_label(&path[..end], lang)).collect();
        Some(parts.join("."))
    }

    /// Whether a field holds a number to be counted or added.
    pub(super) fn is_count(&self, path: &str) -> bool {
        self.fields.get(path).is_some_and(|label| label.is_count)
    }

    pub(super) fn role(&self, code: &str, lang: Lang) -> Option<&str> {
        self.roles.get(code).map(|(zh, en)| lang.pick(zh, en))
    }

    pub(super) fn state(&self, code: &str, lang: Lang) -> Option<&str> {
        self.states.get(code).map(|(zh, en)| lang.pick(zh, en))
    }

    pub(super) fn type_en(&self) -> &str {
        &self.type_en
    }
}

fn enter(rt: &RecordType, fields: &[Field], prefix: &str, found: &mut BTreeMap<String, Label>) {
    for field in fields {
        let path = format!("{prefix}{}", field.name);
        let label = Label {
            place: found.len(),
            zh: field.zh.clone(),
            en: field.en.clone(),
            is_count: matches!(field.kind, Kind::Int | Kind::Dec { .. } | Kind::Money),
        };
        found.insert(path.clone(), label);
        if let Kind::Struct { name } | Kind::List { of: name } = &field.kind
            && let Some(inner) = rt.structs.get(name)
        {
            enter(rt, &inner.fields, &format!("{path}."), found);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_stand_as_in_the_form_and_are_named_with_their_groups() {
        let types = xw_schemas::record::builtin();
        let rt = types.iter().find(|rt| rt.code == "SVC").unwrap();
        let form = Form::of(rt);
        assert!(form.place("matter_name") < form.place("applicant.name"));
        assert!(form.place("applicant.name") < form.place("due_date"));
        assert_eq!(form.place("nowhere"), usize::MAX);
        assert_eq!(form.label("applicant.name", Lang::Zh).as_deref(), Some("申请人.姓名"));
        assert_eq!(form.role("VCLK", Lang::Zh), Some("村文书/会计"));
        assert_eq!(form.state("accepted", Lang::En), Some("Accepted"));
        assert!(form.is_count("promised_days") && !form.is_count("matter_name"));
    }
}
