//! What a ledger does not say but a record needs from its first save. Each value here is a choice
//! that the office can see and change; nothing is invented about a person.

use std::collections::{BTreeMap, BTreeSet};

use xw_schemas::record::{Content, Field, Kind, Lang, RecordType, Value, display, parse};

/// Values for fields that the ledger leaves open, in the order in which they are tried.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Defaults {
    rules: Vec<(String, Rule)>,
}

/// One default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// When it applies at all.
    pub when: When,
    /// What it gives.
    pub give: Give,
}

/// When a default applies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum When {
    /// Whenever the field is empty.
    Always,
    /// When this other field is filled.
    Filled(String),
    /// When this other field holds this code.
    Is(String, String),
}

/// What a default gives.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Give {
    /// A fixed value in stored form.
    Value(Value),
    /// What the first filled of these fields shows. In an item, a path that begins with a point
    /// names a member of the same item.
    Copy(Vec<String>),
    /// The code whose label another field shows, or a fixed value if there is none.
    Match {
        /// The other field.
        from: String,
        /// Given if its text is no label.
        or: Value,
    },
}

impl Defaults {
    /// Sets the default of one field; it wins over what stood there. Members of list items are named
    /// as `materials.form`.
    pub fn set(&mut self, path: &str, value: Value) {
        self.rule(path, When::Always, Give::Value(value));
    }

    /// Sets a default that depends on other fields.
    pub fn rule(&mut self, path: &str, when: When, give: Give) {
        self.rules.retain(|(known, _)| known != path);
        self.rules.push((path.to_owned(), Rule { when, give }));
    }

    /// Adds a default that is tried after those that already stand there for its field.
    pub(crate) fn also(&mut self, path: &str, when: When, give: Give) {
        self.rules.push((path.to_owned(), Rule { when, give }));
    }

    /// The fixed text given for a field, for the few places that need it before a row is read.
    pub(crate) fn fixed(&self, path: &str) -> Option<&str> {
        self.rules.iter().find(|(known, _)| known == path).and_then(|(_, rule)| match &rule.give {
            Give::Value(Value::Text(text)) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Fills what is empty. Values that would not fit their field are left out: the check of the
    /// whole record says what is missing better than a wrong default could.
    ///
    /// Returns which members of list items were filled: a list takes more guessing than a field.
    pub fn fill(
        &self,
        rt: &RecordType,
        content: &mut Content,
    ) -> BTreeMap<String, BTreeSet<String>> {
        let mut filled: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        // Twice, since one default may follow from another that stands behind it.
        for (path, rule) in self.rules.iter().chain(&self.rules) {
            if let Some((list, member)) = list_member(rt, path) {
                if fill_items(rt, content, &list, &member, rule) {
                    filled.entry(list).or_default().insert(member);
                }
            } else if let Some(field) = rt.field(path)
                && content.value(path).is_none()
                && let Some(value) = rule.value(rt, field, content, None)
            {
                content.values.insert(path.clone(), value);
            }
        }
        filled
    }
}

impl Rule {
    /// `item` is the list and the item that the field belongs to, if it belongs to one.
    fn value(
        &self,
        rt: &RecordType,
        field: &Field,
        content: &Content,
        item: Option<(&str, &Content)>,
    ) -> Option<Value> {
        let applies = match &self.when {
            When::Always => true,
            When::Filled(path) => content.value(path).is_some(),
            When::Is(path, code) => content.text(path) == Some(code.as_str()),
        };
        if !applies {
            return None;
        }
        match &self.give {
            Give::Value(value) => {
                let text = match value {
                    Value::Text(text) => text.clone(),
                    value => return Some(value.clone()),
                };
                parse(rt, field, &text).ok()
            }
            Give::Copy(paths) => paths.iter().find_map(|path| {
                let shown = shown(rt, content, item, path)?;
                parse(rt, field, &cut(field, &shown)).ok().filter(|value| !value.is_blank())
            }),
            Give::Match { from, or } => {
                let shown = shown(rt, content, item, from)?;
                Some(parse(rt, field, &shown).unwrap_or_else(|_| or.clone()))
            }
        }
    }
}

/// Fills one member of every item of a list; one level of lists inside an item is made if need be.
fn fill_items(
    rt: &RecordType,
    content: &mut Content,
    list: &str,
    member: &str,
    rule: &Rule,
) -> bool {
    let Some(field) = rt.field(&format!("{list}.{member}")) else {
        return false;
    };
    let items = content.items(list).len();
    // One sum of money cannot be the amount of each of several items.
    if items == 0 || (items > 1 && field.kind == Kind::Money) {
        return false;
    }
    let values: Vec<Option<Value>> = content
        .items(list)
        .iter()
        .map(|item| rule.value(rt, field, content, Some((list, &item.content))))
        .collect();
    let inner = member.split_once('.').filter(|(inner, _)| {
        rt.field(&format!("{list}.{inner}")).is_some_and(|f| matches!(f.kind, Kind::List { .. }))
    });
    let mut any = false;
    for (item, value) in content.lists.get_mut(list).into_iter().flatten().zip(values) {
        let Some(value) = value else { continue };
        let Some((inner, leaf)) = inner else {
            if item.content.value(member).is_none() {
                item.content.values.insert(member.to_owned(), value);
                any = true;
            }
            continue;
        };
        let inner_items = item.content.lists.entry(inner.to_owned()).or_default();
        if inner_items.is_empty() {
            inner_items.push(xw_schemas::record::Item {
                id: format!("{}-1", item.id),
                content: Content::default(),
            });
        }
        for inner_item in inner_items {
            any |= inner_item.content.value(leaf).is_none();
            inner_item.content.values.entry(leaf.to_owned()).or_insert_with(|| value.clone());
        }
    }
    any
}

/// The list that a path leads into, and the path within its items.
fn list_member(rt: &RecordType, path: &str) -> Option<(String, String)> {
    path.match_indices('.').find_map(|(at, _)| {
        let list = &path[..at];
        matches!(rt.field(list)?.kind, Kind::List { .. })
            .then(|| (list.to_owned(), path[at + 1..].to_owned()))
    })
}

/// What a field shows; a path that begins with a point names a member of the same item.
fn shown(
    rt: &RecordType,
    content: &Content,
    item: Option<(&str, &Content)>,
    path: &str,
) -> Option<String> {
    match (path.strip_prefix('.'), item) {
        (Some(member), Some((list, item))) => {
            let field = rt.field(&format!("{list}.{member}"))?;
            Some(display(rt, field, item.value(member)?, Lang::Zh))
        }
        (Some(_), None) => None,
        (None, _) => Some(display(rt, rt.field(path)?, content.value(path)?, Lang::Zh)),
    }
}

/// A title is cut to its field's length; other kinds are left to fail.
fn cut(field: &Field, text: &str) -> String {
    match field.kind {
        Kind::Str { max } | Kind::Text { max } => text.chars().take(max as usize).collect(),
        _ => text.to_owned(),
    }
}
