//! Business numbers: `<org code><node letter>-<TYPE>-<YYYY>-<5 digits>` (domain section 1.6). The
//! letter differs between the PCs of one office, so that two never give the same number offline.

use std::collections::BTreeMap;

use xw_schemas::record::{Content, RecordType, Value};
use xw_schemas::space::Division;
use xw_store::{Filter, Op, Order, Query, SortKey};

use super::Office;
use crate::clock;
use crate::trouble::Answer;

const FIELD: &str = "business_no";

/// The last number given out, by stem, while several records are made in one go.
#[derive(Debug, Default)]
pub(super) struct Numbers(BTreeMap<String, u64>);

impl Office {
    /// Gives the next number unless one is there.
    pub(super) fn give_number(
        &self,
        definition: &RecordType,
        content: &mut Content,
        division: Division,
        now_ms: u64,
        numbers: &mut Numbers,
    ) -> Answer<()> {
        if content.text(FIELD).is_some() {
            return Ok(());
        }
        let today = clock::day(now_ms);
        let year = today.get(..4).unwrap_or("0000");
        let stem = format!("{division}{}-{}-{year}-", self.settings.letter, definition.code);
        let last = match numbers.0.get(&stem) {
            Some(last) => *last,
            None => self.last_number(definition, &stem)?,
        };
        numbers.0.insert(stem.clone(), last + 1);
        content.values.insert(FIELD.to_owned(), Value::Text(format!("{stem}{:05}", last + 1)));
        Ok(())
    }

    fn last_number(&self, definition: &RecordType, stem: &str) -> Answer<u64> {
        let query = Query {
            types: vec![definition.code.clone()],
            fields: vec![Filter { path: FIELD.to_owned(), op: Op::StartsWith(stem.to_owned()) }],
            sort: vec![(SortKey::Number, Order::Down)],
            limit: 1,
            ..Query::default()
        };
        let page = self.reader.list(&query)?;
        let last = page.rows.first().and_then(|row| row.number.as_deref()?.strip_prefix(stem));
        Ok(last.and_then(|digits| digits.parse().ok()).unwrap_or(0))
    }
}
