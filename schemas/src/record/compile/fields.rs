//! Reads one field of a form or structure.
//! Form only: whether lists, structures and states exist is the linter's business.

use toml::Spanned;
use toml::de::DeValue;

use super::conditions::read_required;
use crate::record::compute::Compute;
use crate::record::model::{Field, Kind};
use crate::record::schema_error::SchemaFlaw;
use crate::record::source::{Pair, Source};

/// Keys of a field.
const KEYS: [&str; 14] = [
    "zh", "en", "type", "req", "list", "pi", "vis", "unit", "note", "mark", "compute", "other",
    "min", "max",
];
/// What `ref(…)` may point at besides other records.
const REFERENCES: [&str; 4] = ["Staff", "Org", "Attachment", "Record"];

/// A field as written, before the companions of choices are made.
#[derive(Debug, Clone)]
pub(crate) struct DraftField {
    pub(crate) field: Field,
    /// The field that takes the free text of "other", when not a companion.
    pub(crate) other: Option<String>,
}

/// Reads `name = { … }`. In a structure, class and readers may be left to what holds it.
pub(crate) fn read_field(
    source: &mut Source<'_>,
    pair: &Pair<'_>,
    in_struct: bool,
) -> Option<DraftField> {
    let table = source.table(pair.key, pair.value)?;
    let mut field = Field {
        name: pair.key.to_owned(),
        zh: String::new(),
        en: String::new(),
        kind: Kind::Bool,
        required: crate::record::model::Required::Never,
        list: None,
        pi: 0,
        vis: String::new(),
        unit: String::new(),
        note: String::new(),
        mark: String::new(),
        compute: None,
        items_min: 0,
        items_max: 0,
    };
    let mut other = None;
    let mut seen = Vec::new();
    for Pair { key, at, value } in source.pairs(table, &KEYS) {
        seen.push(key);
        match key {
            "zh" => field.zh = source.text(key, value).unwrap_or_default(),
            "en" => field.en = source.text(key, value).unwrap_or_default(),
            "unit" => field.unit = source.text(key, value)?,
            "note" => field.note = source.text(key, value)?,
            "mark" => field.mark = source.text(key, value)?,
            "vis" => field.vis = source.text(key, value)?,
            "list" => field.list = Some(source.text(key, value)?),
            "other" => other = Some(source.text(key, value)?),
            "min" => field.items_min = source.number(key, value)?,
            "max" => field.items_max = source.number(key, value)?,
            "pi" => field.pi = u8::try_from(source.number(key, value)?).unwrap_or(u8::MAX),
            "req" => field.required = read_required(source, value)?,
            "compute" => field.compute = Some(read_compute(source, value)?),
            "type" => {
                let text = source.text(key, value)?;
                match read_kind(&text) {
                    Some(kind) => field.kind = kind,
                    None => {
                        source.flaw(at, SchemaFlaw::UnknownType { found: text });
                        return None;
                    }
                }
            }
            _ => {}
        }
    }
    let wanted: &[&str] = if in_struct {
        &["zh", "en", "type", "req"]
    } else {
        &["zh", "en", "type", "req", "pi", "vis"]
    };
    for key in wanted.iter().filter(|key| !seen.contains(key)) {
        match *key {
            "zh" | "en" => {}
            key => source.missing(pair.at, key),
        }
    }
    Some(DraftField { field, other })
}

/// Reads a type such as `str(80)`, `enum[]` or `list<Material>`.
fn read_kind(text: &str) -> Option<Kind> {
    let inside = |open: &str, close: char| text.strip_prefix(open)?.strip_suffix(close);
    if let Some(max) = inside("str(", ')') {
        return Some(Kind::Str { max: max.parse().ok()? });
    }
    if let Some(max) = inside("text(", ')') {
        return Some(Kind::Text { max: max.parse().ok()? });
    }
    if let Some(sizes) = inside("dec(", ')') {
        let (digits, scale) = sizes.split_once(',')?;
        let (digits, scale): (u8, u8) = (digits.trim().parse().ok()?, scale.trim().parse().ok()?);
        return (scale < digits).then_some(Kind::Dec { scale });
    }
    if let Some(name) = inside("struct(", ')') {
        return Some(Kind::Struct { name: name.to_owned() });
    }
    if let Some(of) = inside("list<", '>') {
        return Some(Kind::List { of: of.to_owned() });
    }
    if let Some(to) = inside("ref(", ')') {
        let is_type = to.len() == 3 && to.bytes().all(|b| b.is_ascii_uppercase());
        return (is_type || REFERENCES.contains(&to)).then(|| Kind::Ref { to: to.to_owned() });
    }
    Some(match text {
        "int" => Kind::Int,
        "money" => Kind::Money,
        "bool" => Kind::Bool,
        "date" => Kind::Date,
        "dt" => Kind::DateTime,
        "enum" => Kind::Enum,
        "enum[]" => Kind::EnumMany,
        "div12" => Kind::Division { digits: 12 },
        "div9" => Kind::Division { digits: 9 },
        "div6" => Kind::Division { digits: 6 },
        "id18" => Kind::IdNumber,
        "uscc" => Kind::CreditCode,
        "phone" => Kind::Phone,
        "geo" => Kind::Geo,
        "hash" => Kind::Hash,
        "att[]" => Kind::List { of: "Attachment".to_owned() },
        _ => return None,
    })
}

fn read_compute(source: &mut Source<'_>, value: &Spanned<DeValue<'_>>) -> Option<Compute> {
    let table = source.table("compute", value)?;
    let (mut plus, mut minus, mut over) = (Vec::new(), Vec::new(), None);
    let (mut from, mut days) = (None, None);
    let keys = ["plus", "minus", "over", "workdays_after", "days"];
    for Pair { key, value, .. } in source.pairs(table, &keys) {
        match key {
            "plus" => plus = source.texts(key, value)?,
            "minus" => minus = source.texts(key, value)?,
            "over" => over = Some(source.text(key, value)?),
            "workdays_after" => from = Some(source.text(key, value)?),
            "days" => days = Some(source.text(key, value)?),
            _ => return None,
        }
    }
    match (from, days) {
        (Some(from), Some(days)) if plus.is_empty() => Some(Compute::WorkdaysAfter { from, days }),
        (None, None) => Some(Compute::Sum { plus, minus, over }),
        _ => {
            source.wrong_sort(
                "compute",
                value,
                "{ plus, minus, over } 或 { workdays_after, days }",
                "{ plus, minus, over } or { workdays_after, days }",
            );
            None
        }
    }
}
