//! What each cell of a ledger shows. Knows columns and contents; nothing of Excel.

use xw_schemas::record::{
    Column, ColumnStep, Content, Field, Item, Kind, Ledger, RecordType, Value, display,
};

use super::{Head, Line, is_amount};
use crate::moment::printed;

/// What a cell shows.
#[derive(Clone, PartialEq)]
pub(super) enum Shown {
    Nothing,
    Text(String),
    Number { value: f64, places: usize },
}

pub(super) struct Shower<'a> {
    pub(super) rt: &'a RecordType,
    pub(super) ledger: &'a Ledger,
    pub(super) head: &'a Head<'a>,
}

/// 分 in one 万元.
const FEN_PER_WAN: i64 = 1_000_000;

/// Several values in one cell are set apart by this.
const JOINED_BY: &str = "、";

impl Shower<'_> {
    /// All cells: one row per record, or per item where the ledger says so.
    pub(super) fn rows(&self, lines: &[Line<'_>]) -> Vec<Vec<Shown>> {
        let mut rows = Vec::new();
        for line in lines {
            let items: Vec<Option<&Item>> = match &self.ledger.rows_from {
                Some(list) => line.content.items(list).iter().map(Some).collect(),
                None => vec![None],
            };
            for item in items {
                let number = rows.len() + 1;
                let cells = self.ledger.columns.iter();
                rows.push(cells.map(|column| self.cell(column, line, item, number)).collect());
            }
        }
        rows
    }

    fn cell(&self, column: &Column, line: &Line<'_>, row: Option<&Item>, number: usize) -> Shown {
        let path = column.path.as_deref().unwrap_or_default();
        let values = || self.values(path, line.content, row);
        match column.special.as_deref() {
            Some("seq") => Shown::Text(number.to_string()),
            Some("state") => self.state(line.state),
            Some("township") => self.division(line.content, 9),
            Some("village") => self.division(line.content, 12),
            Some("year") => {
                let dates = values();
                let year = dates.first().and_then(|(_, value)| value.as_text()?.get(..4));
                year.map_or(Shown::Nothing, |year| Shown::Text(year.to_owned()))
            }
            Some("wan") => match self.sum(&values()) {
                Some(fen) => amount(fen, FEN_PER_WAN, 6),
                None => Shown::Nothing,
            },
            Some("sum") => match self.sum(&values()) {
                Some(fen) => amount(fen, 100, 2),
                None => Shown::Nothing,
            },
            Some("count") => {
                let count = line.content.items(path).len();
                if count == 0 { Shown::Nothing } else { Shown::Text(count.to_string()) }
            }
            Some("yes_if_filled") => {
                let yes = !values().is_empty();
                let (zh, en) = if yes { ("是", "yes") } else { ("否", "no") };
                Shown::Text(self.head.lang.pick(zh, en).to_owned())
            }
            Some(_) => Shown::Nothing,
            None if path == "state" => self.state(line.state),
            None if path == "business_no" && line.content.value(path).is_none() => {
                self.joined(&self.values("official_doc_no", line.content, row))
            }
            None => self.joined(&values()),
        }
    }

    fn joined(&self, values: &[(&Field, &Value)]) -> Shown {
        if let [(field, Value::Int(fen))] = values
            && is_amount(field)
        {
            return amount(*fen, 100, 2);
        }
        let texts: Vec<String> =
            values.iter().map(|(field, value)| self.text(field, value)).collect();
        match texts.len() {
            0 => Shown::Nothing,
            _ => Shown::Text(texts.join(JOINED_BY)),
        }
    }

    fn text(&self, field: &Field, value: &Value) -> String {
        match (&field.kind, value) {
            (Kind::DateTime, Value::Text(stored)) => printed(stored),
            (Kind::Division { .. }, Value::Text(code)) => {
                (self.head.division_name)(code).unwrap_or_else(|| code.clone())
            }
            _ => display(self.rt, field, value, self.head.lang),
        }
    }

    /// The values that a path leads to, with the field they belong to.
    fn values<'c>(
        &self,
        path: &str,
        content: &'c Content,
        row: Option<&'c Item>,
    ) -> Vec<(&Field, &'c Value)> {
        let Some(resolved) = self.ledger.resolve(self.rt, path) else {
            return Vec::new();
        };
        let mut scopes = vec![content];
        for (list, step) in &resolved.lists {
            scopes = scopes.into_iter().flat_map(|scope| taken(scope, list, step, row)).collect();
        }
        scopes
            .into_iter()
            .filter_map(|scope| Some((resolved.field, scope.value(&resolved.leaf)?)))
            .collect()
    }

    fn sum(&self, values: &[(&Field, &Value)]) -> Option<i64> {
        let amounts = values.iter().filter_map(|(_, value)| value.as_int());
        (!values.is_empty()).then(|| amounts.fold(0i64, i64::saturating_add))
    }

    fn state(&self, code: &str) -> Shown {
        match self.rt.state(code) {
            Some(state) => Shown::Text(self.head.lang.pick(&state.zh, &state.en).to_owned()),
            None => Shown::Text(code.to_owned()),
        }
    }

    fn division(&self, content: &Content, digits: usize) -> Shown {
        let Some(code) = content.text("division_code").and_then(|code| code.get(..digits)) else {
            return Shown::Nothing;
        };
        let code = format!("{code:0<12}");
        Shown::Text((self.head.division_name)(&code).unwrap_or(code))
    }

    /// The enum field of a column, if a drop-down helps there.
    pub(super) fn choice_field(&self, index: u16) -> Option<&Field> {
        let column = self.ledger.columns.get(usize::from(index))?;
        let path = column.path.as_deref().filter(|_| column.special.is_none())?;
        let resolved = self.ledger.resolve(self.rt, path)?;
        (resolved.lists.is_empty() && resolved.field.kind == Kind::Enum).then_some(resolved.field)
    }

    /// Width in characters of a Latin font; Chinese ones take two.
    pub(super) fn width(&self, column: &Column) -> f64 {
        let heading = f64::from(u32::try_from(column.zh.chars().count()).unwrap_or(10)) * 2.2 + 2.0;
        let path = column.path.as_deref().unwrap_or_default();
        let needed = match self.ledger.resolve(self.rt, path).map(|path| &path.field.kind) {
            Some(Kind::IdNumber | Kind::CreditCode) => 21.0,
            Some(Kind::Text { .. }) => 32.0,
            Some(Kind::Date | Kind::Phone | Kind::Money) => 13.0,
            Some(Kind::DateTime | Kind::Enum | Kind::EnumMany) => 16.0,
            Some(Kind::Str { max }) if *max > 40 => 24.0,
            _ => 8.0,
        };
        heading.max(needed)
    }

    /// The sum of a column of money, in the column's own unit.
    pub(super) fn money_sum(&self, rows: &[Vec<Shown>], index: usize) -> Option<(f64, usize)> {
        let mut sum = None;
        for row in rows {
            if let Some(Shown::Number { value, places }) = row.get(index) {
                let (known, _) = sum.unwrap_or((0.0, 0));
                sum = Some((known + value, *places));
            }
        }
        sum
    }
}

/// The items of a list that a column takes.
fn taken<'c>(
    scope: &'c Content,
    list: &str,
    step: &ColumnStep,
    row: Option<&'c Item>,
) -> Vec<&'c Content> {
    let items = scope.items(list);
    match step {
        ColumnStep::Row => row.map(|item| &item.content).into_iter().collect(),
        ColumnStep::First => items.first().map(|item| &item.content).into_iter().collect(),
        ColumnStep::Last => items.last().map(|item| &item.content).into_iter().collect(),
        ColumnStep::All => items.iter().map(|item| &item.content).collect(),
        ColumnStep::Where { field, code } => items
            .iter()
            .map(|item| &item.content)
            .filter(|content| content.text(field) == Some(code.as_str()))
            .collect(),
    }
}

/// An amount in 分 as a number of `per` 分 each, with at least two places and as many as it needs.
fn amount(fen: i64, per: i64, places_max: usize) -> Shown {
    let mut places = places_max;
    let mut rest = fen.unsigned_abs() % per.unsigned_abs();
    let mut unit = per.unsigned_abs();
    let mut needed = 0;
    while rest != 0 && needed < places_max {
        unit /= 10;
        rest %= unit;
        needed += 1;
    }
    places = places.min(needed.max(2));
    #[expect(
        clippy::cast_precision_loss,
        reason = "amounts have at most 14 digits, which f64 and Excel keep exactly"
    )]
    let value = fen as f64 / per as f64;
    Shown::Number { value, places }
}
