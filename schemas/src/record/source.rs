//! Reads TOML with the place of everything, and collects what is wrong with it.
//! Knows tables, texts and lines; nothing of record types.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::schema_error::{SchemaError, SchemaFlaw};

/// One file being read.
pub(crate) struct Source<'a> {
    pub(crate) file: &'a str,
    line_starts: Vec<usize>,
    pub(crate) errors: Vec<SchemaError>,
}

/// A key with its value.
pub(crate) struct Pair<'t> {
    pub(crate) key: &'t str,
    pub(crate) at: usize,
    pub(crate) value: &'t Spanned<DeValue<'t>>,
}

impl<'a> Source<'a> {
    pub(crate) fn new(file: &'a str, text: &str) -> Source<'a> {
        let starts = std::iter::once(0).chain(text.match_indices('\n').map(|(at, _)| at + 1));
        Source { file, line_starts: starts.collect(), errors: Vec::new() }
    }

    /// The line, from 1, of a place in the file.
    pub(crate) fn line(&self, at: usize) -> u32 {
        u32::try_from(self.line_starts.partition_point(|start| *start <= at)).unwrap_or(u32::MAX)
    }

    pub(crate) fn flaw(&mut self, at: usize, flaw: SchemaFlaw) {
        let error = SchemaError { file: self.file.to_owned(), line: self.line(at), flaw };
        self.errors.push(error);
    }

    /// The pairs of a table as they stand in the file; reports keys that are not allowed.
    pub(crate) fn pairs<'t>(&mut self, table: &'t DeTable<'t>, allowed: &[&str]) -> Vec<Pair<'t>> {
        let pairs = pairs(table);
        for pair in &pairs {
            if !allowed.contains(&pair.key) {
                let flaw = SchemaFlaw::UnknownKey {
                    key: pair.key.to_owned(),
                    allowed: allowed.join(", "),
                };
                self.flaw(pair.at, flaw);
            }
        }
        pairs
    }

    pub(crate) fn table<'t>(
        &mut self,
        key: &str,
        value: &'t Spanned<DeValue<'t>>,
    ) -> Option<&'t DeTable<'t>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.wrong_sort(key, value, "一组键值 { … }", "a table { … }");
        }
        table
    }

    pub(crate) fn array<'t>(
        &mut self,
        key: &str,
        value: &'t Spanned<DeValue<'t>>,
    ) -> Option<Vec<&'t Spanned<DeValue<'t>>>> {
        let array = value.get_ref().as_array();
        if array.is_none() {
            self.wrong_sort(key, value, "一个列表 [ … ]", "a list [ … ]");
        }
        Some(array?.iter().collect())
    }

    pub(crate) fn text(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<String> {
        let text = value.get_ref().as_str();
        if text.is_none() {
            self.wrong_sort(key, value, "引号中的文字", "a text in quotes");
        }
        text.map(str::to_owned)
    }

    pub(crate) fn texts(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<Vec<String>> {
        let items = self.array(key, value)?;
        items.into_iter().map(|item| self.text(key, item)).collect()
    }

    pub(crate) fn number(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<u32> {
        let number = value
            .get_ref()
            .as_integer()
            .and_then(|n| (n.radix() == 10).then(|| n.as_str().parse::<u32>().ok()).flatten());
        if number.is_none() {
            self.wrong_sort(key, value, "一个非负整数", "a whole number, not negative");
        }
        number
    }

    pub(crate) fn truth(&mut self, key: &str, value: &Spanned<DeValue<'_>>) -> Option<bool> {
        let truth = value.get_ref().as_bool();
        if truth.is_none() {
            self.wrong_sort(key, value, "true 或 false", "true or false");
        }
        truth
    }

    pub(crate) fn wrong_sort(
        &mut self,
        key: &str,
        value: &Spanned<DeValue<'_>>,
        zh: &str,
        en: &str,
    ) {
        let flaw = SchemaFlaw::WrongSort { key: key.into(), zh: zh.into(), en: en.into() };
        self.flaw(value.span().start, flaw);
    }

    pub(crate) fn missing(&mut self, at: usize, key: &str) {
        self.flaw(at, SchemaFlaw::MissingKey { key: key.to_owned() });
    }
}

/// The pairs of a table as they stand in the file; the map itself sorts them by name.
pub(crate) fn pairs<'t>(table: &'t DeTable<'t>) -> Vec<Pair<'t>> {
    let mut pairs: Vec<Pair<'t>> = table
        .iter()
        .map(|(key, value)| Pair { key: key.get_ref().as_ref(), at: key.span().start, value })
        .collect();
    pairs.sort_by_key(|pair| pair.at);
    pairs
}
