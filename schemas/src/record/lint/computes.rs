//! Formulas: inputs exist, carry the same unit, and are there before they are needed.
//! Checks formulas, never results.

use super::Finding;
use crate::record::compute::Compute;
use crate::record::model::{Field, Kind, RecordType};
use crate::record::schema_error::SchemaFlaw;

pub(super) fn lint(rt: &RecordType, found: &mut Vec<Finding>) {
    for (number, field) in rt.fields.iter().enumerate() {
        let Some(compute) = &field.compute else {
            continue;
        };
        let before = &rt.fields[..number];
        if let Err((zh, en)) = fits(rt, field, before, compute) {
            let flaw = SchemaFlaw::BadCompute { field: field.name.clone(), zh, en };
            found.push((format!("fields.{}", field.name), flaw));
        }
    }
}

fn fits(
    rt: &RecordType,
    field: &Field,
    before: &[Field],
    compute: &Compute,
) -> Result<(), (String, String)> {
    let input = |name: &String| {
        let found =
            rt.fields.iter().find(|f| f.name == *name).ok_or_else(|| {
                (format!("没有字段“{name}”"), format!("there is no field “{name}”"))
            })?;
        let ready = found.compute.is_none() || before.iter().any(|f| f.name == *name);
        if ready {
            Ok(found)
        } else {
            Err((
                format!("“{name}”本身也要计算，应排在前面"),
                format!("“{name}” is itself computed and must stand before it"),
            ))
        }
    };
    let unsuited = |name: &str| {
        (format!("“{name}”的类型不合适"), format!("the type of “{name}” does not suit"))
    };
    match compute {
        Compute::Sum { plus, minus, over } => {
            if plus.is_empty() {
                return Err(("plus 不能为空".into(), "plus must not be empty".into()));
            }
            if !matches!(field.kind, Kind::Int | Kind::Dec { .. } | Kind::Money) {
                return Err(unsuited(&field.name));
            }
            for name in plus.iter().chain(minus) {
                if input(name)?.kind != field.kind {
                    return Err(unsuited(name));
                }
            }
            match over {
                Some(over) if input(over)?.kind != Kind::Int => Err(unsuited(over)),
                _ => Ok(()),
            }
        }
        Compute::WorkdaysAfter { from, days } => {
            if field.kind != Kind::Date {
                return Err(unsuited(&field.name));
            }
            if !matches!(input(from)?.kind, Kind::Date | Kind::DateTime) {
                return Err(unsuited(from));
            }
            if input(days)?.kind != Kind::Int { Err(unsuited(days)) } else { Ok(()) }
        }
    }
}
