//! Reads steps, ledgers and the calendar.
//! Form only, as the sections around them.

use toml::Spanned;
use toml::de::DeValue;

use super::Reader;
use crate::record::ledger::{Column, Ledger};
use crate::record::model::Transition;
use crate::record::source::Pair;

impl Reader<'_> {
    /// Reads one `[[transitions]]`; a list of states in `from` makes one step each.
    pub(super) fn transition(&mut self, value: &Spanned<DeValue<'_>>) -> Option<()> {
        let at = value.span().start;
        let table = self.source.table("transitions", value)?;
        let keys = [
            "from",
            "to",
            "zh",
            "en",
            "who",
            "deadline",
            "deadline_en",
            "basis",
            "mark",
            "needs_reason",
        ];
        let mut step = Transition {
            from: String::new(),
            to: String::new(),
            zh: String::new(),
            en: String::new(),
            who: Vec::new(),
            deadline: String::new(),
            deadline_en: String::new(),
            basis: String::new(),
            mark: String::new(),
            needs_reason: false,
        };
        let mut from = Vec::new();
        let mut first = None;
        for Pair { key, at, value } in self.source.pairs(table, &keys) {
            first.get_or_insert(at);
            match key {
                "from" => {
                    from = match value.get_ref() {
                        DeValue::String(state) => vec![state.to_string()],
                        _ => self.source.texts(key, value)?,
                    };
                }
                "to" => step.to = self.source.text(key, value)?,
                "zh" => step.zh = self.source.text(key, value)?,
                "en" => step.en = self.source.text(key, value)?,
                "who" => step.who = self.source.texts(key, value)?,
                "deadline" => step.deadline = self.source.text(key, value)?,
                "deadline_en" => step.deadline_en = self.source.text(key, value)?,
                "basis" => step.basis = self.source.text(key, value)?,
                "mark" => step.mark = self.source.text(key, value)?,
                "needs_reason" => step.needs_reason = self.source.truth(key, value)?,
                _ => {}
            }
        }
        // The span of a `[[transitions]]` block is its heading; an inline one has only its own.
        let at = first.unwrap_or(at);
        if from.is_empty() {
            self.source.missing(at, "from");
        }
        if step.to.is_empty() {
            self.source.missing(at, "to");
        }
        for from in from {
            let number = self.part.transitions.len();
            self.place(&format!("transitions.{number}"), at);
            self.part.transitions.push(Transition { from, ..step.clone() });
        }
        Some(())
    }

    pub(super) fn ledger(&mut self, pair: &Pair<'_>) -> Option<()> {
        let table = self.source.table(pair.key, pair.value)?;
        let mut ledger = Ledger {
            key: pair.key.to_owned(),
            zh: String::new(),
            en: String::new(),
            columns: Vec::new(),
            rows_from: None,
        };
        for Pair { key, value, .. } in
            self.source.pairs(table, &["zh", "en", "rows_from", "columns"])
        {
            match key {
                "zh" => ledger.zh = self.source.text(key, value)?,
                "en" => ledger.en = self.source.text(key, value)?,
                "rows_from" => ledger.rows_from = Some(self.source.text(key, value)?),
                "columns" => {
                    for (number, row) in self.source.array(key, value)?.into_iter().enumerate() {
                        let place = format!("ledgers.{}.columns.{number}", pair.key);
                        self.place(&place, row.span().start);
                        let column = self.column(row)?;
                        ledger.columns.push(column);
                    }
                }
                _ => {}
            }
        }
        self.part.ledgers.push(ledger);
        Some(())
    }

    fn column(&mut self, row: &Spanned<DeValue<'_>>) -> Option<Column> {
        let table = self.source.table("columns", row)?;
        let mut column = Column { zh: String::new(), path: None, special: None };
        for Pair { key, value, .. } in self.source.pairs(table, &["zh", "path", "special"]) {
            match key {
                "zh" => column.zh = self.source.text(key, value)?,
                "path" => column.path = Some(self.source.text(key, value)?),
                "special" => column.special = Some(self.source.text(key, value)?),
                _ => {}
            }
        }
        Some(column)
    }

    pub(super) fn calendar(&mut self, pair: &Pair<'_>) -> Option<()> {
        let table = self.source.table(pair.key, pair.value)?;
        for Pair { key, value, .. } in self.source.pairs(table, &["holidays", "workdays"]) {
            match key {
                "holidays" => self.part.calendar.holidays = self.source.texts(key, value)?,
                "workdays" => self.part.calendar.workdays = self.source.texts(key, value)?,
                _ => {}
            }
        }
        Some(())
    }
}
