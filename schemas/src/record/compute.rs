//! Fields that follow from others: sums, means per head, due dates in working days.
//! The formula is data; it is offered and compared, never forced on what a clerk has written.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::content::Content;
use super::model::{Field, Kind, RecordType, Required};
use crate::value::{Day, Lang, Value, display};

/// Working days one deadline may count: ten years.
const WORKDAYS_MAX: i64 = 2_500;

/// How a field follows from others of the same form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compute {
    /// The sum of `plus` less the sum of `minus`, divided by `over` if that is named.
    Sum {
        /// Fields added. An empty optional field counts as nothing.
        plus: Vec<String>,
        /// Fields taken away.
        minus: Vec<String>,
        /// Count to divide by; halves of the last digit are rounded away from zero.
        over: Option<String>,
    },
    /// The day that lies so many working days after another.
    WorkdaysAfter {
        /// Date or moment to count from; that day itself is not counted.
        from: String,
        /// Field with the number of working days.
        days: String,
    },
}

/// Holidays that fall on working days, and weekends that are worked.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Calendar {
    /// Days off from Monday to Friday, stored form, sorted.
    pub holidays: Vec<String>,
    /// Saturdays and Sundays that are worked, stored form, sorted.
    pub workdays: Vec<String>,
}

/// Fills computed fields that are empty and whose inputs are there; the rest stays as it is.
pub fn fill_computed(rt: &RecordType, content: &mut Content) {
    for field in computed(rt) {
        if content.value(&field.name).is_none()
            && let Some(value) = due(rt, field, &content.values)
        {
            content.values.insert(field.name.clone(), value);
        }
    }
}

/// A computed field that holds something else than its inputs give.
pub(crate) struct Mismatch<'a> {
    pub(crate) field: &'a Field,
    pub(crate) held_zh: String,
    pub(crate) due_zh: String,
    pub(crate) held_en: String,
    pub(crate) due_en: String,
}

/// Computed fields that differ from what their inputs give, in the order of the form.
pub(crate) fn mismatches<'a>(rt: &'a RecordType, content: &Content) -> Vec<Mismatch<'a>> {
    let differing = computed(rt).filter_map(|field| {
        let held = content.value(&field.name)?;
        let due = due(rt, field, &content.values)?;
        (*held != due).then(|| Mismatch {
            field,
            held_zh: display(rt, field, held, Lang::Zh),
            due_zh: display(rt, field, &due, Lang::Zh),
            held_en: display(rt, field, held, Lang::En),
            due_en: display(rt, field, &due, Lang::En),
        })
    });
    differing.collect()
}

fn computed(rt: &RecordType) -> impl Iterator<Item = &Field> {
    rt.fields.iter().filter(|field| field.compute.is_some())
}

fn due(rt: &RecordType, field: &Field, values: &BTreeMap<String, Value>) -> Option<Value> {
    match field.compute.as_ref()? {
        Compute::Sum { plus, minus, over } => {
            let mut sum: i128 = 0;
            for name in plus {
                sum += i128::from(input(rt, name, values)?);
            }
            for name in minus {
                sum -= i128::from(input(rt, name, values)?);
            }
            if let Some(over) = over {
                let count = i128::from(values.get(over)?.as_int()?);
                if count <= 0 {
                    return None;
                }
                sum = divide(sum, count);
            }
            Some(Value::Int(i64::try_from(sum).ok()?))
        }
        Compute::WorkdaysAfter { from, days } => {
            let from = Day::from_stored(values.get(from)?.as_text()?.get(..10)?)?;
            let day = rt.calendar.workdays_after(from, values.get(days)?.as_int()?)?;
            match field.kind {
                Kind::Date => Some(Value::Text(day.to_stored())),
                _ => None,
            }
        }
    }
}

fn input(rt: &RecordType, name: &str, values: &BTreeMap<String, Value>) -> Option<i64> {
    match values.get(name) {
        Some(Value::Int(number)) => Some(*number),
        Some(Value::Null) | None => {
            let optional =
                rt.fields.iter().any(|f| f.name == name && f.required == Required::Never);
            optional.then_some(0)
        }
        Some(_) => None,
    }
}

fn divide(sum: i128, count: i128) -> i128 {
    let (whole, rest) = (sum / count, sum % count);
    if 2 * rest.abs() >= count { whole + sum.signum() } else { whole }
}

impl Calendar {
    /// The day that lies `count` working days after `from`.
    pub fn workdays_after(&self, from: Day, count: i64) -> Option<Day> {
        if !(0..=WORKDAYS_MAX).contains(&count) {
            return None;
        }
        let mut number = from.number();
        let mut left = count;
        while left > 0 {
            number += 1;
            if self.is_workday(Day::from_number(number)?) {
                left -= 1;
            }
        }
        Day::from_number(number)
    }

    /// Whether offices work on that day.
    pub fn is_workday(&self, day: Day) -> bool {
        let stored = day.to_stored();
        let listed = |days: &[String]| days.binary_search(&stored).is_ok();
        if day.weekday() >= 5 { listed(&self.workdays) } else { !listed(&self.holidays) }
    }
}
