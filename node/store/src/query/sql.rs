//! A question becomes one SQL statement. Values are always bound. Paths and the few words that are
//! written into the text come from closed lists: columns, operators, and paths of definitions.

use std::fmt::Write as _;

use rusqlite::types::Value as Sql;
use xw_ledger::judge::Definitions;
use xw_schemas::record::{Kind, RecordType};
use xw_schemas::space::{Division, Tier};
use xw_schemas::value::Value;

use super::{Filter, GroupKey, Op, Order, Query, QuerySlip, Range, SortKey};
use crate::limits::{CHOICES_MAX, FILTERS_MAX, GROUPS_MAX, PAGE_ROWS_MAX, SORTS_MAX};
use crate::roster::indexed_fields;
use crate::standing::signed;
use crate::tables::field_index_name;
use crate::words::search_phrases;

/// Columns of a listed row before the sort values.
const COLUMNS: &str = "v.record_n, r.id, v.division, v.audience, v.type, v.state, r.standing, \
     v.sealed, v.created_ms, v.updated_ms, v.changes, v.conflicts, v.problems, v.refused, \
     v.waiting, v.title, v.number, json(v.doc)";

/// How many columns stand before the sort values.
pub(crate) const KEY_COLUMNS: usize = 18;

/// A statement with its values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Compiled {
    pub(crate) sql: String,
    pub(crate) values: Vec<Sql>,
}

/// The record types that a question is about, as far as their definitions are held.
pub(crate) struct Scope<'a> {
    types: Vec<&'a RecordType>,
}

/// How many records hold the words of a question.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hits {
    /// Few: they are looked up one by one.
    Few,
    /// Many: rows are passed in the order of the list and checked, which ends with the page.
    Many,
}

fn sorted_field(key: &SortKey) -> Option<&String> {
    match key {
        SortKey::Field(path) => Some(path),
        _ => None,
    }
}

/// One condition or expression of a statement.
#[derive(Default)]
struct Clause {
    text: String,
    values: Vec<Sql>,
}

impl<'a> Scope<'a> {
    pub(crate) fn of(definitions: &'a Definitions, query: &Query) -> Self {
        let wanted = |rt: &&RecordType| query.types.is_empty() || query.types.contains(&rt.code);
        Self { types: definitions.values().map(AsRef::as_ref).filter(wanted).collect() }
    }

    /// The definition of the single type asked for, if a filter or sort key names a field of it that
    /// has an index. Indexes over fields hold one type each, and SQLite uses them only for a question
    /// that says so in its text; without need it would rather misuse one.
    fn with_index(&self, query: &Query) -> Option<&RecordType> {
        let [code] = query.types.as_slice() else { return None };
        let definition = self.types.iter().find(|rt| rt.code == *code)?;
        let indexed = indexed_fields(definition);
        let sorts = query.sort.iter().filter_map(|(key, _)| sorted_field(key));
        let mut paths = query.fields.iter().map(|filter| &filter.path).chain(sorts);
        paths.any(|path| indexed.contains(path)).then_some(definition)
    }

    /// The index to walk for a list that is sorted by an indexed field, over a whole type. SQLite
    /// takes "of this type" for rarer than it is and would sort all rows. Within a township, or for
    /// a text, sorting what is found is quicker.
    fn walk(&self, query: &Query) -> Option<String> {
        let definition = self.with_index(query)?;
        let path = query.sort.first().and_then(|(key, _)| sorted_field(key))?;
        let whole = query.divisions.is_empty() && query.text.is_none();
        (whole && indexed_fields(definition).contains(path))
            .then(|| field_index_name(&definition.code, path))
    }

    /// The JSON paths of a field: one step for each list it lies in, and the rest.
    fn steps(&self, path: &str) -> Result<Vec<String>, QuerySlip> {
        let unknown = || QuerySlip::UnknownField { path: path.to_owned() };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '.';
        if !path.chars().all(plain) {
            return Err(unknown());
        }
        let definition =
            self.types.iter().find(|rt| rt.field(path).is_some()).ok_or_else(unknown)?;
        let is_value = definition
            .field(path)
            .is_some_and(|f| !matches!(f.kind, Kind::Struct { .. } | Kind::List { .. }));
        if !is_value {
            return Err(QuerySlip::NoValue { path: path.to_owned() });
        }
        let (mut steps, mut begin) = (Vec::new(), 0);
        for (dot, _) in path.match_indices('.') {
            let above = definition.field(&path[..dot]).ok_or_else(unknown)?;
            if matches!(above.kind, Kind::List { .. }) {
                steps.push(path[begin..dot].to_owned());
                begin = dot + 1;
            }
        }
        steps.push(path[begin..].to_owned());
        Ok(steps)
    }

    /// A field outside of lists, as the indexes write it.
    fn expression(&self, path: &str) -> Result<String, QuerySlip> {
        match self.steps(path)?.as_slice() {
            [one] => Ok(field_expression(one)),
            _ => Err(QuerySlip::InList { path: path.to_owned() }),
        }
    }

    fn filter(&self, filter: &Filter) -> Result<Clause, QuerySlip> {
        let steps = self.steps(&filter.path)?;
        let (last, lists) = steps.split_last().expect("a path has at least one step");
        if lists.is_empty() {
            return condition(&field_expression(last), &filter.op);
        }
        // In a list the condition holds of any item; "empty" means that no item has it filled.
        let (op, negate) = match &filter.op {
            Op::Filled(false) => (Op::Filled(true), true),
            Op::Ne(value) => (Op::Eq(value.clone()), true),
            op => (op.clone(), false),
        };
        let mut from = String::new();
        let mut source = "v.doc".to_owned();
        for (depth, list) in lists.iter().enumerate() {
            let comma = if depth > 0 { ", " } else { "" };
            let _ = write!(from, "{comma}jsonb_each({source}, '$.{list}') AS j{depth}");
            source = format!("j{depth}.value");
        }
        let inner = condition(&format!("({source} ->> '$.{last}')"), &op)?;
        let not = if negate { "NOT " } else { "" };
        let text = format!("{not}EXISTS (SELECT 1 FROM {from} WHERE {})", inner.text);
        Ok(Clause { text, values: inner.values })
    }
}

/// A field of the document. Indexes over fields must be written the same way to be used.
fn field_expression(path: &str) -> String {
    format!("(v.doc ->> '$.{path}')")
}

fn condition(expression: &str, op: &Op) -> Result<Clause, QuerySlip> {
    let one = |operator: &str, value: &Value| Clause {
        text: format!("{expression} {operator} ?"),
        values: vec![bound(value)],
    };
    let text = |operator: String, value: &str| Clause {
        text: operator,
        values: vec![Sql::Text(value.to_owned())],
    };
    Ok(match op {
        Op::Eq(Value::Null) | Op::Filled(false) => Clause {
            text: format!("({expression} IS NULL OR {expression} = '')"),
            values: Vec::new(),
        },
        Op::Ne(Value::Null) | Op::Filled(true) => Clause {
            text: format!("({expression} IS NOT NULL AND {expression} <> '')"),
            values: Vec::new(),
        },
        Op::Eq(value) => one("=", value),
        Op::Ne(value) => one("IS NOT", value),
        Op::Lt(value) => one("<", value),
        Op::Le(value) => one("<=", value),
        Op::Gt(value) => one(">", value),
        Op::Ge(value) => one(">=", value),
        Op::In(values) if values.len() > CHOICES_MAX => {
            return Err(QuerySlip::TooMany { max: CHOICES_MAX });
        }
        Op::In(values) => Clause {
            text: format!("{expression} IN ({})", marks(values.len())),
            values: values.iter().map(bound).collect(),
        },
        Op::Contains(part) => text(format!("instr({expression}, ?) > 0"), part),
        Op::StartsWith(part) => Clause {
            text: format!("({expression} >= ? AND {expression} < ?)"),
            values: vec![Sql::Text(part.clone()), Sql::Text(format!("{part}\u{10ffff}"))],
        },
        Op::HasCode(code) => {
            text(format!("instr(',' || {expression} || ',', ',' || ? || ',') > 0"), code)
        }
    })
}

fn bound(value: &Value) -> Sql {
    match value {
        Value::Null => Sql::Null,
        Value::Bool(truth) => Sql::Integer(i64::from(*truth)),
        Value::Int(number) => Sql::Integer(*number),
        Value::Text(text) => Sql::Text(text.clone()),
    }
}

fn marks(count: usize) -> String {
    vec!["?"; count].join(", ")
}

impl Compiled {
    /// One page.
    pub(crate) fn page(scope: &Scope<'_>, query: &Query, hits: Hits) -> Result<Self, QuerySlip> {
        let mut clauses = conditions(scope, query, hits)?;
        let keys = sort_keys(scope, query)?;
        if let Some(cursor) = &query.after {
            if cursor.keys.len() != keys.len() {
                return Err(QuerySlip::BadCursor);
            }
            clauses.push(beyond(&keys, &cursor.keys, cursor.row));
        }
        let mut sql = format!("SELECT {COLUMNS}");
        for key in &keys {
            let _ = write!(sql, ", {}", key.expression);
        }
        sql.push_str(" FROM view v ");
        if let Some(index) = scope.walk(query) {
            let _ = write!(sql, "INDEXED BY \"{index}\" ");
        }
        sql.push_str("JOIN record r ON r.n = v.record_n");
        let values = push_where(&mut sql, clauses);
        sql.push_str(" ORDER BY ");
        for key in &keys {
            let _ = write!(sql, "{} {}, ", key.expression, key.direction());
        }
        // The row number makes the order total, so that no page shows a row twice. It follows the
        // direction of the last key, which lets one index serve both.
        let last = keys.last().map_or("ASC", SqlKey::direction);
        let _ = write!(sql, "v.record_n {last} LIMIT {}", query.limit.min(PAGE_ROWS_MAX));
        if query.offset > 0 {
            let _ = write!(sql, " OFFSET {}", query.offset);
        }
        Ok(Self { sql, values })
    }

    /// How many rows match.
    pub(crate) fn total(scope: &Scope<'_>, query: &Query) -> Result<Self, QuerySlip> {
        let mut sql = format!("SELECT count(*) FROM {}", tables(query.standings.is_empty()));
        let values = push_where(&mut sql, conditions(scope, query, Hits::Few)?);
        Ok(Self { sql, values })
    }

    /// How many rows match, by groups.
    pub(crate) fn groups(
        scope: &Scope<'_>,
        query: &Query,
        by: &[GroupKey],
    ) -> Result<Self, QuerySlip> {
        if by.len() > SORTS_MAX {
            return Err(QuerySlip::TooMany { max: SORTS_MAX });
        }
        let expressions: Vec<String> =
            by.iter().map(|key| group_expression(scope, key)).collect::<Result<_, _>>()?;
        let alone = query.standings.is_empty() && !by.contains(&GroupKey::Standing);
        let mut sql = "SELECT count(*)".to_owned();
        for expression in &expressions {
            let _ = write!(sql, ", {expression}");
        }
        let _ = write!(sql, " FROM {}", tables(alone));
        let values = push_where(&mut sql, conditions(scope, query, Hits::Few)?);
        if !expressions.is_empty() {
            let list = expressions.join(", ");
            let _ = write!(sql, " GROUP BY {list} ORDER BY {list}");
        }
        let _ = write!(sql, " LIMIT {GROUPS_MAX}");
        Ok(Self { sql, values })
    }
}

/// The narrow table is joined only where its standing is asked for.
fn tables(alone: bool) -> &'static str {
    if alone { "view v" } else { "view v JOIN record r ON r.n = v.record_n" }
}

fn push_where(sql: &mut String, clauses: Vec<Clause>) -> Vec<Sql> {
    let mut values = Vec::new();
    for (at, clause) in clauses.into_iter().enumerate() {
        sql.push_str(if at == 0 { " WHERE " } else { " AND " });
        sql.push_str(&clause.text);
        values.extend(clause.values);
    }
    values
}

fn conditions(scope: &Scope<'_>, query: &Query, hits: Hits) -> Result<Vec<Clause>, QuerySlip> {
    if query.fields.len() > FILTERS_MAX {
        return Err(QuerySlip::TooMany { max: FILTERS_MAX });
    }
    let lists = [query.types.len(), query.divisions.len(), query.states.len()];
    if lists.iter().any(|len| *len > CHOICES_MAX) {
        return Err(QuerySlip::TooMany { max: CHOICES_MAX });
    }
    let mut all = Vec::new();
    if let Some(text) = &query.text {
        // The plus keeps SQLite from entering the rows by their numbers.
        let row = if hits == Hits::Many { "+v.record_n" } else { "v.record_n" };
        all.push(match search_phrases(text) {
            Some(phrases) => Clause {
                text: format!("{row} IN (SELECT rowid FROM fts WHERE fts MATCH ?)"),
                values: vec![Sql::Text(phrases)],
            },
            // Nothing in the text can be searched for, so nothing is found.
            None => Clause { text: "0".into(), values: Vec::new() },
        });
    }
    let texts = |values: &[String]| values.iter().cloned().map(Sql::Text).collect();
    all.extend(match scope.with_index(query) {
        Some(rt) => Some(Clause { text: format!("v.type = '{}'", rt.code), values: Vec::new() }),
        None => among("v.type", texts(&query.types)),
    });
    all.extend(within(&query.divisions));
    let audiences = query.audiences.iter().map(|a| Sql::Integer(a.number().into())).collect();
    all.extend(among("v.audience", audiences));
    all.extend(among("v.state", texts(&query.states)));
    let standings = query.standings.iter().map(|s| Sql::Integer(s.number().into())).collect();
    all.extend(among("r.standing", standings));
    for (column, wanted) in [
        ("v.sealed", query.sealed),
        ("v.conflicts", query.has_conflict),
        ("v.problems", query.has_problem),
        ("v.refused", query.has_refused),
        ("v.waiting", query.has_waiting),
    ] {
        all.extend(wanted.map(|wanted| Clause {
            text: format!("{column} {} 0", if wanted { ">" } else { "=" }),
            values: Vec::new(),
        }));
    }
    all.extend(during("v.created_ms", query.created));
    all.extend(during("v.updated_ms", query.updated));
    for filter in &query.fields {
        all.push(scope.filter(filter)?);
    }
    Ok(all)
}

fn among(column: &str, values: Vec<Sql>) -> Option<Clause> {
    match values.len() {
        0 => None,
        1 => Some(Clause { text: format!("{column} = ?"), values }),
        many => Some(Clause { text: format!("{column} IN ({})", marks(many)), values }),
    }
}

/// Each division with everything below it.
fn within(divisions: &[Division]) -> Option<Clause> {
    if divisions.is_empty() {
        return None;
    }
    let (mut parts, mut values) = (Vec::new(), Vec::new());
    for division in divisions {
        let township = division.number() / 1_000;
        let (part, codes) = match division.tier() {
            Tier::County => ("v.township BETWEEN ? AND ?", [township, township + 999]),
            Tier::Township => ("v.township = ? AND v.division >= ?", [township, division.number()]),
            Tier::Village => ("v.township = ? AND v.division = ?", [township, division.number()]),
        };
        parts.push(part);
        values.extend(codes.map(|code| Sql::Integer(signed(code))));
    }
    Some(Clause { text: format!("({})", parts.join(" OR ")), values })
}

fn during(column: &str, range: Range) -> Vec<Clause> {
    let bound = |operator: &str, moment: Option<u64>| {
        moment.map(|moment| Clause {
            text: format!("{column} {operator} ?"),
            values: vec![Sql::Integer(signed(moment))],
        })
    };
    bound(">=", range.from_ms).into_iter().chain(bound("<", range.to_ms)).collect()
}

/// One key of the order.
struct SqlKey {
    expression: String,
    order: Order,
    nullable: bool,
}

impl SqlKey {
    fn direction(&self) -> &'static str {
        match self.order {
            Order::Up => "ASC",
            Order::Down => "DESC",
        }
    }
}

fn sort_keys(scope: &Scope<'_>, query: &Query) -> Result<Vec<SqlKey>, QuerySlip> {
    if query.sort.len() > SORTS_MAX {
        return Err(QuerySlip::TooMany { max: SORTS_MAX });
    }
    let newest = [(SortKey::Updated, Order::Down)];
    let wanted = if query.sort.is_empty() { &newest[..] } else { &query.sort };
    wanted
        .iter()
        .map(|(key, order)| {
            let (expression, nullable) = match key {
                SortKey::Created => ("v.created_ms".to_owned(), false),
                SortKey::Updated => ("v.updated_ms".to_owned(), false),
                SortKey::Division => ("v.division".to_owned(), false),
                SortKey::Type => ("v.type".to_owned(), false),
                SortKey::State => ("v.state".to_owned(), false),
                SortKey::Standing => ("r.standing".to_owned(), true),
                SortKey::Title => ("v.title".to_owned(), true),
                SortKey::Number => ("v.number".to_owned(), true),
                SortKey::Field(path) => (scope.expression(path)?, true),
            };
            Ok(SqlKey { expression, order: *order, nullable })
        })
        .collect()
}

fn group_expression(scope: &Scope<'_>, key: &GroupKey) -> Result<String, QuerySlip> {
    Ok(match key {
        GroupKey::Type => "v.type".to_owned(),
        GroupKey::State => "v.state".to_owned(),
        GroupKey::Division => "v.division".to_owned(),
        GroupKey::Township => "v.township * 1000".to_owned(),
        GroupKey::Standing => "r.standing".to_owned(),
        GroupKey::CreatedMonth => {
            "strftime('%Y-%m', v.created_ms / 1000, 'unixepoch', '+8 hours')".to_owned()
        }
        GroupKey::Field(path) => scope.expression(path)?,
    })
}

/// Rows that come after the given one: beyond it in the first key, or level there and beyond it in
/// the next, and so on. Nothing sorts before everything else.
fn beyond(keys: &[SqlKey], held: &[Value], row: i64) -> Clause {
    let mut clause = Clause::default();
    // Said once by itself so that an index on the first key is entered at the right place.
    if let (Some(key), Some(value)) = (keys.first(), held.first())
        && !key.nullable
    {
        let operator = if key.order == Order::Up { ">=" } else { "<=" };
        let _ = write!(clause.text, "{} {operator} ? AND ", key.expression);
        clause.values.push(bound(value));
    }
    clause.text.push('(');
    for (at, key) in keys.iter().enumerate() {
        level(&mut clause, &keys[..at], held);
        further(&mut clause, key, &held[at]);
        clause.text.push_str(" OR ");
    }
    level(&mut clause, keys, held);
    let operator = match keys.last().map(|key| key.order) {
        Some(Order::Down) => "<",
        Some(Order::Up) | None => ">",
    };
    let _ = write!(clause.text, "v.record_n {operator} ?)");
    clause.values.push(Sql::Integer(row));
    clause
}

fn level(clause: &mut Clause, keys: &[SqlKey], held: &[Value]) {
    for (key, value) in keys.iter().zip(held) {
        let _ = write!(clause.text, "{} IS ? AND ", key.expression);
        clause.values.push(bound(value));
    }
}

fn further(clause: &mut Clause, key: &SqlKey, value: &Value) {
    let expression = &key.expression;
    let text = match (key.order, value) {
        (Order::Up, Value::Null) => format!("{expression} IS NOT NULL"),
        (Order::Down, Value::Null) => "0".to_owned(),
        (Order::Up, _) => format!("{expression} > ?"),
        (Order::Down, _) => format!("({expression} < ? OR {expression} IS NULL)"),
    };
    clause.text.push_str(&text);
    if *value != Value::Null {
        clause.values.push(bound(value));
    }
}
