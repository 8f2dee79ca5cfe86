//! Lists: from what a person asks for to a question about rows, and the answer with what it covers.

use serde_json::{Map, Value as Json, json};
use xw_ledger::standing::Standing;
use xw_schemas::id::RecordId;
use xw_schemas::record::{Field, Kind, Lang, RecordType, display, from_json, parse};
use xw_schemas::space::Division;
use xw_store::{Filter, Op, Order, Query, Range, RecordRow, SortKey, VillageCoverage};

use super::Office;
use super::form::state_zh;
use crate::clock::{self, DAY_MS};
use crate::request::ListRecords;
use crate::trouble::{Answer, Trouble};

/// Rows of a page when nothing else is asked.
const PAGE_ROWS: usize = 50;

/// Found by a name that a person typed.
pub(super) struct FoundRow {
    pub(super) record: RecordId,
    pub(super) division: Division,
    pub(super) audience: xw_schemas::space::Audience,
}

impl Office {
    /// Answers `{total, rows, coverage}`.
    pub(crate) fn list(&self, asked: &ListRecords) -> Answer<Json> {
        let mut query = self.query(asked)?;
        query.count_total = true;
        let page = self.reader.list(&query)?;
        let rows: Vec<Json> = page.rows.iter().map(|row| self.row(row, &asked.columns)).collect();
        Ok(json!({
            "total": page.total.unwrap_or(rows.len() as u64),
            "rows": rows,
            "coverage": self.coverage()?,
        }))
    }

    /// The question that a person's words amount to.
    pub(super) fn query(&self, asked: &ListRecords) -> Answer<Query> {
        let types: Vec<String> = asked.types.iter().map(|t| t.to_ascii_uppercase()).collect();
        for code in &types {
            self.current(code)?;
        }
        let definitions = self.asked_types(&types);
        let divisions =
            asked.divisions.iter().map(|d| self.find_division(d)).collect::<Answer<Vec<_>>>()?;
        let states =
            asked.states.iter().map(|s| find_state(&definitions, s)).collect::<Answer<Vec<_>>>()?;
        let standings =
            asked.standings.iter().map(|s| find_standing(s)).collect::<Answer<Vec<_>>>()?;
        let fields = asked
            .fields
            .iter()
            .map(|condition| find_filter(&definitions, condition))
            .collect::<Answer<Vec<_>>>()?;
        let sort = asked.sort.iter().map(|key| sort_key(key)).collect();
        Ok(Query {
            types,
            divisions,
            states,
            standings,
            has_conflict: asked.conflicts_only.then_some(true),
            has_problem: asked.problems_only.then_some(true),
            created: range(asked.created_from.as_deref(), asked.created_to.as_deref())?,
            updated: range(asked.updated_from.as_deref(), asked.updated_to.as_deref())?,
            fields,
            text: asked.text.clone(),
            sort,
            limit: u32::try_from(asked.limit.unwrap_or(PAGE_ROWS)).unwrap_or(u32::MAX),
            offset: u32::try_from(asked.offset).unwrap_or(u32::MAX),
            ..Query::default()
        })
    }

    fn asked_types(&self, types: &[String]) -> Vec<std::sync::Arc<RecordType>> {
        let roster = self.store.roster();
        let current = roster.schemas().filter(|(code, _)| types.is_empty() || types.contains(code));
        current.filter_map(|(_, hash)| self.store.definitions().get(hash).cloned()).collect()
    }

    pub(super) fn row(&self, row: &RecordRow, columns: &[String]) -> Json {
        let definition = self.current(&row.record_type).ok();
        let rt = definition.as_deref();
        let mut fields = Map::new();
        for path in columns {
            let shown = rt.map(|rt| show_path(rt, row, path)).unwrap_or_default();
            fields.insert(path.clone(), Json::String(shown));
        }
        json!({
            "record": row.record,
            "type": row.record_type,
            "type_zh": rt.map_or(row.record_type.clone(), |rt| rt.zh.clone()),
            "business_no": row.number,
            "title": row.title,
            "division": row.space.division,
            "division_zh": self.place_name(row.space.division),
            "state": row.state,
            "state_zh": rt.map_or(row.state.clone(), |rt| state_zh(rt, &row.state)),
            "standing": row.standing,
            "standing_zh": self.standing_zh(row.standing, row.space.division),
            "created": clock::minute(row.created_ms),
            "updated": clock::minute(row.updated_ms),
            "conflicts": row.conflicts,
            "problems": row.problems,
            "sealed": row.sealed,
            "fields": fields,
        })
    }

    /// How far a record has travelled, in a clerk's words.
    pub(super) fn standing_zh(&self, standing: Standing, division: Division) -> &'static str {
        use xw_schemas::space::Tier;
        match (standing, division.tier(), self.division().tier()) {
            (Standing::Final, _, _) => "县已见证",
            (Standing::Witnessed, _, _) => "乡镇已收",
            // What a county or township wrote itself lies there already.
            (Standing::Local, Tier::County, _) => "县级记录",
            (Standing::Local, _, Tier::County) => "县已收到",
            (Standing::Local, _, Tier::Township) => "乡镇已收",
            (Standing::Local, Tier::Township, Tier::Village) => "乡镇已收",
            (Standing::Local, Tier::Village, Tier::Village) => "仅存本机",
            (Standing::Pending, _, _) => "待补",
            (Standing::Disputed, _, _) => "有争议",
            (Standing::Void, _, _) => "无效",
        }
    }

    /// What an answer covers; null for a village, which has nobody below.
    pub(super) fn coverage(&self) -> Answer<Json> {
        let villages = self.villages()?;
        if villages.is_empty() {
            return Ok(Json::Null);
        }
        let now = clock::now_ms();
        let last = |v: &VillageCoverage| v.heard_ms.max(v.received_ms);
        let heard = villages.iter().filter(|v| last(v).is_some()).count();
        let oldest = villages.iter().filter_map(last).min();
        let of = villages.len();
        let age_ms = oldest.map(|oldest| now.saturating_sub(oldest));
        let (zh, en) = match age_ms {
            None => (format!("{of} 个村均未联系上"), format!("0 of {of} villages")),
            Some(age) => (
                format!("{of} 个村中已收到 {heard} 个，最久一次联系在 {}", ago_zh(age)),
                format!("{heard} of {of} villages, oldest heard from {} ago", ago_en(age)),
            ),
        };
        Ok(json!({"zh": zh, "en": en, "heard": heard, "of": of, "oldest_ms": oldest}))
    }

    /// The village offices below.
    pub(super) fn villages(&self) -> Answer<Vec<VillageCoverage>> {
        let all = self.reader.coverage(self.store.roster(), self.division())?;
        let own = self.division();
        let village = |v: &VillageCoverage| {
            v.division.tier() == xw_schemas::space::Tier::Village && v.division != own
        };
        Ok(all.into_iter().filter(village).collect())
    }

    /// A division by its code or name.
    pub(super) fn find_division(&self, text: &str) -> Answer<Division> {
        let roster = self.store.roster();
        let named =
            || roster.places().find(|(_, name)| *name == text).map(|(division, _)| *division);
        Division::parse(text).or_else(named).ok_or_else(|| {
            Trouble::new(
                "division",
                format!("没有区划“{text}”"),
                format!("there is no division {text}"),
            )
        })
    }

    /// A record by id, by the beginning of its id, or by business number.
    pub(super) fn find_row(&self, name: &str) -> Answer<FoundRow> {
        if let Some(id) = RecordId::parse(name) {
            let found = self.reader.record(id)?;
            let space = match found.first() {
                Some(detail) => detail.row.space,
                // None of its entries counts, so it has no row; its entries are there all the same.
                None => {
                    let entries = self.reader.history(id)?;
                    let log = entries.first().map(|row| row.entry.core().log);
                    let log = log.and_then(|log| self.store.logs().log(&log));
                    log.ok_or_else(|| Trouble::missing("该记录", "such record"))?.space
                }
            };
            return Ok(FoundRow { record: id, division: space.division, audience: space.audience });
        }
        let query = Query {
            fields: vec![Filter {
                path: "business_no".to_owned(),
                op: Op::Eq(xw_schemas::value::Value::Text(name.to_owned())),
            }],
            limit: 2,
            ..Query::default()
        };
        let page = self.reader.list(&query)?;
        match page.rows.as_slice() {
            [row] => Ok(FoundRow {
                record: row.record,
                division: row.space.division,
                audience: row.space.audience,
            }),
            [] => Err(Trouble::missing("该记录（请用记录标识或业务编号）", "such record")),
            _ => Err(Trouble::new(
                "ambiguous",
                "有多条记录使用这个业务编号，请改用记录标识",
                "several records bear this number; use the record id",
            )),
        }
    }
}

fn show_path(rt: &RecordType, row: &RecordRow, path: &str) -> String {
    let Ok(content) = from_json(rt, &row.doc) else { return String::new() };
    match (rt.field(path), content.values.get(path)) {
        (Some(field), Some(value)) => display(rt, field, value, Lang::Zh),
        _ => content.lists.get(path).map_or_else(String::new, |items| format!("{}项", items.len())),
    }
}

fn find_state(definitions: &[std::sync::Arc<RecordType>], text: &str) -> Answer<String> {
    if text == "conflict" || text == "待裁定" {
        return Ok("conflict".to_owned());
    }
    let mut states = definitions.iter().flat_map(|rt| &rt.states);
    let found = states.find(|state| state.code == text || state.zh == text);
    found.map(|state| state.code.clone()).ok_or_else(|| {
        Trouble::new("state", format!("没有状态“{text}”"), format!("there is no state {text}"))
    })
}

fn find_standing(text: &str) -> Answer<Standing> {
    match text {
        "local" | "仅存本机" => Ok(Standing::Local),
        "township" | "witnessed" | "乡镇已收" => Ok(Standing::Witnessed),
        "county" | "final" | "县已见证" => Ok(Standing::Final),
        _ => Err(Trouble::new(
            "standing",
            format!(
                "到达程度“{text}”无效，可选：local（仅存本机）、township（乡镇已收）、county（县已见证）"
            ),
            format!("{text} is no standing; choose local, township or county"),
        )),
    }
}

/// Operators, the longer ones first.
const OPERATORS: [&str; 7] = ["!=", ">=", "<=", "~", "=", ">", "<"];

fn find_filter(definitions: &[std::sync::Arc<RecordType>], condition: &str) -> Answer<Filter> {
    let bad = || {
        Trouble::new(
            "condition",
            format!("条件“{condition}”无法识别，应写成 字段=值、字段>=值、字段~文字 等"),
            format!("{condition} is no condition; write path=value, path>=value or path~text"),
        )
    };
    let at = OPERATORS
        .iter()
        .filter_map(|op| condition.find(op).map(|at| (at, *op)))
        .min_by_key(|(at, op)| (*at, std::cmp::Reverse(op.len())));
    let (at, operator) = at.ok_or_else(bad)?;
    let (path, text) = (condition[..at].trim(), condition[at + operator.len()..].trim());
    let (rt, field) = definitions
        .iter()
        .find_map(|rt| find_field(rt, path).map(|(path, field)| (rt, (path, field))))
        .ok_or_else(|| {
            Trouble::new("field", format!("没有字段“{path}”"), format!("there is no field {path}"))
        })?;
    let (path, field) = field;
    if operator == "~" {
        return Ok(Filter { path, op: Op::Contains(text.to_owned()) });
    }
    if text.is_empty() {
        return Ok(Filter { path, op: Op::Filled(operator == "!=") });
    }
    let value = parse(rt, field, text)
        .map_err(|slip| Trouble::of_slips(vec![(path.clone(), slip)], |_| field.zh.clone()))?;
    let many = matches!(field.kind, Kind::EnumMany);
    let op = match operator {
        "=" if many => Op::HasCode(value.as_text().unwrap_or_default().to_owned()),
        "=" => Op::Eq(value),
        "!=" => Op::Ne(value),
        ">=" => Op::Ge(value),
        "<=" => Op::Le(value),
        ">" => Op::Gt(value),
        _ => Op::Lt(value),
    };
    Ok(Filter { path, op })
}

/// A field by its path or its Chinese label.
fn find_field<'a>(rt: &'a RecordType, name: &str) -> Option<(String, &'a Field)> {
    if let Some(field) = rt.field(name) {
        return Some((name.to_owned(), field));
    }
    rt.paths().find(|(_, field)| field.zh == name).map(|(path, field)| (path.to_owned(), field))
}

fn sort_key(text: &str) -> (SortKey, Order) {
    let (key, order) = match text.strip_prefix('-') {
        Some(key) => (key, Order::Down),
        None => (text, Order::Up),
    };
    let key = match key {
        "created" => SortKey::Created,
        "updated" => SortKey::Updated,
        "division" => SortKey::Division,
        "type" => SortKey::Type,
        "state" => SortKey::State,
        "standing" => SortKey::Standing,
        "title" => SortKey::Title,
        "business_no" | "number" => SortKey::Number,
        field => SortKey::Field(field.to_owned()),
    };
    (key, order)
}

/// Days, both inclusive, in China's time.
fn range(from: Option<&str>, to: Option<&str>) -> Answer<Range> {
    Ok(Range {
        from_ms: from.map(day_start).transpose()?,
        to_ms: to.map(day_start).transpose()?.map(|start| start + DAY_MS),
    })
}

pub(super) fn day_start(text: &str) -> Answer<u64> {
    let bad = || {
        Trouble::new(
            "date",
            format!("日期“{text}”无效，应写成 2026-11-23"),
            format!("{text} is no date; write 2026-11-23"),
        )
    };
    let date: jiff::civil::Date = text.parse().map_err(|_| bad())?;
    let offset = jiff::tz::TimeZone::fixed(jiff::tz::offset(8));
    let start = date.to_zoned(offset).map_err(|_| bad())?.timestamp().as_millisecond();
    u64::try_from(start).map_err(|_| bad())
}

fn ago_zh(ms: u64) -> String {
    match ms / 1_000 {
        seconds @ 0..=59 => format!("{seconds} 秒前"),
        seconds @ 60..=3_599 => format!("{} 分钟前", seconds / 60),
        seconds @ 3_600..=86_399 => format!("{} 小时前", seconds / 3_600),
        seconds => format!("{} 天前", seconds / 86_400),
    }
}

fn ago_en(ms: u64) -> String {
    match ms / 1_000 {
        seconds @ 0..=59 => format!("{seconds} s"),
        seconds @ 60..=3_599 => format!("{} min", seconds / 60),
        seconds @ 3_600..=86_399 => format!("{} h", seconds / 3_600),
        seconds => format!("{} days", seconds / 86_400),
    }
}
