//! Contents to and from JSON: nested objects, as forms and the command line send them.
//! Reads values as people write them; checks no rule that spans fields.

use serde_json::{Map, Number, Value as Json};

use super::content::{Content, Item, is_bookkeeping};
use super::index::{Scope, Shape};
use super::model::{Field, Kind, RecordType};
use super::problems::ITEMS_MAX;
use crate::value::{Value, ValueSlip, check, parse};

/// Slips reported at once; a form has fewer fields, and a file of nonsense is not worth more.
const SLIPS_MAX: usize = 500;

/// Reads a JSON object as contents of a record.
///
/// Groups may be nested objects or dotted names. A text is read as people write it, so `"12.5"` in
/// an amount means 元; a JSON integer is taken as stored, so `1250` there means 分.
/// Items without an `id` are numbered by position.
pub fn from_json(rt: &RecordType, json: &Json) -> Result<Content, Vec<(String, ValueSlip)>> {
    let mut reading = Reading { rt, slips: Vec::new() };
    let mut content = Content::default();
    match json {
        Json::Object(map) => reading.object(&rt.index().root, map, "", "", &mut content),
        _ => reading.slip("", ValueSlip::WrongShape),
    }
    if reading.slips.is_empty() { Ok(content) } else { Err(reading.slips) }
}

/// Contents as a nested JSON object of stored values.
pub fn to_json(content: &Content) -> Json {
    let mut root = Map::new();
    for (path, value) in &content.values {
        let json = match value {
            Value::Null => Json::Null,
            Value::Bool(truth) => Json::Bool(*truth),
            Value::Int(number) => Json::Number((*number).into()),
            Value::Text(text) => Json::String(text.clone()),
        };
        place(&mut root, path, json);
    }
    for (path, items) in &content.lists {
        let items = items.iter().map(item_json).collect();
        place(&mut root, path, Json::Array(items));
    }
    Json::Object(root)
}

fn item_json(item: &Item) -> Json {
    let mut json = to_json(&item.content);
    if let Json::Object(map) = &mut json {
        map.insert("id".to_owned(), Json::String(item.id.clone()));
    }
    json
}

/// Puts a value under a dotted path; where a path runs into a scalar it stays dotted.
fn place(map: &mut Map<String, Json>, path: &str, json: Json) {
    if let Some((head, tail)) = path.split_once('.') {
        let inner = map.entry(head).or_insert_with(|| Json::Object(Map::new()));
        if let Json::Object(inner) = inner {
            return place(inner, tail, json);
        }
    }
    map.insert(path.to_owned(), json);
}

struct Reading<'a> {
    rt: &'a RecordType,
    slips: Vec<(String, ValueSlip)>,
}

impl Reading<'_> {
    fn slip(&mut self, path: &str, slip: ValueSlip) {
        if self.slips.len() < SLIPS_MAX {
            self.slips.push((path.to_owned(), slip));
        }
    }

    /// Reads one object; `prefix` is the group within the scope, `at` where the scope stands.
    fn object(
        &mut self,
        scope: &Scope,
        map: &Map<String, Json>,
        prefix: &str,
        at: &str,
        content: &mut Content,
    ) {
        for (name, json) in map {
            if name == "id" && !at.is_empty() && prefix.is_empty() {
                continue;
            }
            let path = format!("{prefix}{name}");
            if is_bookkeeping(&path) {
                continue;
            }
            let full = format!("{at}{path}");
            let Some((_, entry)) = scope.find(&path) else {
                self.slip(&full, ValueSlip::UnknownField);
                continue;
            };
            match (&entry.shape, json) {
                (Shape::Group { .. }, Json::Object(inner)) => {
                    self.object(scope, inner, &format!("{path}."), at, content);
                }
                (Shape::List(inner), Json::Array(items)) => {
                    let items = self.items(inner, items, &full);
                    if content.lists.insert(path, items).is_some() {
                        self.slip(&full, ValueSlip::Twice);
                    }
                }
                (Shape::Group { .. } | Shape::List(_), Json::Null) => {}
                (Shape::Group { .. } | Shape::List(_), _) => {
                    self.slip(&full, ValueSlip::WrongShape);
                }
                (Shape::Value, json) => match self.value(&entry.field, json) {
                    Ok(value) => {
                        if content.values.insert(path, value).is_some() {
                            self.slip(&full, ValueSlip::Twice);
                        }
                    }
                    Err(slip) => self.slip(&full, slip),
                },
            }
        }
    }

    fn items(&mut self, scope: &Scope, items: &[Json], at: &str) -> Vec<Item> {
        if items.len() > ITEMS_MAX {
            self.slip(at, ValueSlip::TooManyItems { max: ITEMS_MAX });
            return Vec::new();
        }
        let mut read: Vec<Item> = Vec::with_capacity(items.len());
        for (number, json) in items.iter().enumerate() {
            let Json::Object(map) = json else {
                self.slip(&format!("{at}[{}]", number + 1), ValueSlip::WrongShape);
                continue;
            };
            let id = match map.get("id") {
                Some(Json::String(id)) if !id.is_empty() => id.clone(),
                _ => (number + 1).to_string(),
            };
            let at = format!("{at}[{id}]");
            if read.iter().any(|item| item.id == id) {
                self.slip(&at, ValueSlip::Twice);
            }
            let mut content = Content::default();
            self.object(scope, map, "", &format!("{at}."), &mut content);
            read.push(Item { id, content });
        }
        read
    }

    fn value(&self, field: &Field, json: &Json) -> Result<Value, ValueSlip> {
        let value = match json {
            Json::Null => return Ok(Value::Null),
            Json::Bool(truth) if field.kind == Kind::Bool => return Ok(Value::Bool(*truth)),
            Json::Bool(_) => return Err(ValueSlip::WrongSort),
            Json::String(text) => return parse(self.rt, field, text),
            Json::Number(number) => self.number(field, number)?,
            Json::Array(parts) if field.kind == Kind::EnumMany => self.many(field, parts)?,
            Json::Array(_) | Json::Object(_) => return Err(ValueSlip::WrongShape),
        };
        check(self.rt, field, &value)?;
        Ok(value)
    }

    fn number(&self, field: &Field, number: &Number) -> Result<Value, ValueSlip> {
        let counts = matches!(field.kind, Kind::Int | Kind::Dec { .. } | Kind::Money);
        match (counts, number.as_i64()) {
            (true, Some(number)) => Ok(Value::Int(number)),
            // Years, codes and numbers of papers arrive as numbers; decimals as people write them.
            _ => parse(self.rt, field, &number.to_string()),
        }
    }

    fn many(&self, field: &Field, parts: &[Json]) -> Result<Value, ValueSlip> {
        let mut codes: Vec<String> = Vec::new();
        for part in parts.iter().take(ITEMS_MAX) {
            match self.value(field, part)? {
                Value::Text(text) => codes.extend(text.split(',').map(str::to_owned)),
                _ => return Err(ValueSlip::WrongSort),
            }
        }
        codes.sort_unstable();
        codes.dedup();
        Ok(Value::Text(codes.join(",")))
    }
}
