//! Look-ups prepared once per record type, so that judging a record is a handful of tree searches.
//! Derived from the definition alone; never part of it.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, OnceLock};

use super::model::{Field, Kind, RecordType, Required};

/// Paths one record type may have in all. The largest of ours has under 500.
pub(crate) const PATHS_MAX: usize = 4_000;
/// Structures and lists may stand inside each other this deep, counted as containers.
pub(crate) const CONTAINERS_MAX: usize = 4;

/// The look-ups of one record type, made on first use.
#[derive(Clone, Default)]
pub(crate) struct Lookup(OnceLock<Arc<Index>>);

// Two definitions are the same whether or not someone has used one of them.
impl PartialEq for Lookup {
    fn eq(&self, _: &Lookup) -> bool {
        true
    }
}

impl fmt::Debug for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Lookup")
    }
}

/// All paths of a record type.
pub(crate) struct Index {
    /// The form itself.
    pub(crate) root: Scope,
    fields: BTreeMap<String, Field>,
}

/// The paths of one map of values: the form, or one item of a list.
pub(crate) struct Scope {
    /// Groups stand before their members.
    pub(crate) entries: Vec<Entry>,
    by_path: BTreeMap<String, usize>,
}

/// One path of a scope.
pub(crate) struct Entry {
    /// Dotted path within the scope.
    pub(crate) path: String,
    /// Length of the part before the field's own name.
    pub(crate) prefix: usize,
    /// The group (structure) that holds it.
    pub(crate) group: Option<usize>,
    /// The field with the class and readers in force here.
    pub(crate) field: Field,
    pub(crate) shape: Shape,
}

pub(crate) enum Shape {
    Value,
    Group { has_required: bool },
    List(Scope),
}

impl RecordType {
    pub(crate) fn index(&self) -> &Index {
        self.lookup.0.get_or_init(|| Arc::new(Index::new(self)))
    }
}

impl Index {
    fn new(rt: &RecordType) -> Index {
        let mut build = Build { rt, fields: BTreeMap::new() };
        let root = build.scope(&rt.fields, None, "", 0);
        Index { root, fields: build.fields }
    }

    pub(crate) fn field(&self, path: &str) -> Option<&Field> {
        self.fields.get(path)
    }

    /// Every dotted path, through groups and lists, with its field.
    pub(crate) fn paths(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.fields.iter().map(|(path, field)| (path.as_str(), field))
    }

    pub(crate) fn len(&self) -> usize {
        self.fields.len()
    }
}

impl Scope {
    pub(crate) fn find(&self, path: &str) -> Option<(usize, &Entry)> {
        let at = *self.by_path.get(path)?;
        Some((at, &self.entries[at]))
    }
}

struct Build<'a> {
    rt: &'a RecordType,
    fields: BTreeMap<String, Field>,
}

impl Build<'_> {
    fn scope(&mut self, fields: &[Field], holder: Option<&Field>, at: &str, depth: usize) -> Scope {
        let mut scope = Scope { entries: Vec::new(), by_path: BTreeMap::new() };
        self.fill(&mut scope, fields, holder, "", None, at, depth);
        scope
    }

    #[expect(
        clippy::too_many_arguments,
        reason = "one recursion over a tree, called from two places"
    )]
    fn fill(
        &mut self,
        scope: &mut Scope,
        fields: &[Field],
        holder: Option<&Field>,
        prefix: &str,
        group: Option<usize>,
        at: &str,
        depth: usize,
    ) {
        for field in fields {
            // The linter refuses larger definitions; this keeps an unlinted one from growing.
            if self.fields.len() >= PATHS_MAX {
                return;
            }
            let field = inherit(field, holder);
            let path = format!("{prefix}{}", field.name);
            self.fields.insert(format!("{at}{path}"), field.clone());
            let number = scope.entries.len();
            scope.by_path.insert(path.clone(), number);
            let inner: &[Field] = match &field.kind {
                Kind::Struct { name } | Kind::List { of: name } if depth < CONTAINERS_MAX => {
                    self.rt.structs.get(name).map_or(&[], |s| &s.fields)
                }
                _ => &[],
            };
            let below = format!("{at}{path}.");
            let shape = match &field.kind {
                Kind::Struct { .. } => Shape::Group {
                    has_required: inner.iter().any(|f| f.required == Required::Always),
                },
                Kind::List { .. } => {
                    Shape::List(self.scope(inner, Some(&field), &below, depth + 1))
                }
                _ => Shape::Value,
            };
            let is_group = matches!(shape, Shape::Group { .. });
            let (prefix_length, holder) = (prefix.len(), is_group.then(|| field.clone()));
            scope.entries.push(Entry {
                path: path.clone(),
                prefix: prefix_length,
                group,
                field,
                shape,
            });
            if is_group {
                let prefix = format!("{path}.");
                self.fill(scope, inner, holder.as_ref(), &prefix, Some(number), at, depth + 1);
            }
        }
    }
}

/// A member is at least as personal as what holds it, and is read by the same people unless it
/// names its own readers.
fn inherit(field: &Field, holder: Option<&Field>) -> Field {
    let mut field = field.clone();
    if let Some(holder) = holder {
        field.pi = field.pi.max(holder.pi);
        if field.vis.is_empty() {
            field.vis.clone_from(&holder.vis);
        }
    }
    field
}
