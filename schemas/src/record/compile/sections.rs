//! Reads one file of definitions section by section and remembers on which line each part stands.
//! Form only; what the parts mean together is the linter's business.

mod flow;

use std::collections::BTreeMap;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::fields::{DraftField, read_field};
use crate::record::compute::Calendar;
use crate::record::ledger::Ledger;
use crate::record::model::{Audience, Code, CodeList, Level, State, Transition};
use crate::record::schema_error::{SchemaError, SchemaFlaw};
use crate::record::source::{Pair, Source};

/// One file, read.
pub(super) struct Part {
    file: String,
    places: BTreeMap<String, u32>,
    pub(super) head: Option<TypeHead>,
    pub(super) fields: Vec<DraftField>,
    pub(super) structs: BTreeMap<String, DraftStruct>,
    pub(super) lists: BTreeMap<String, CodeList>,
    pub(super) states: Vec<State>,
    pub(super) transitions: Vec<Transition>,
    pub(super) ledgers: Vec<Ledger>,
    pub(super) calendar: Calendar,
}

/// The `[type]` section.
pub(super) struct TypeHead {
    pub(super) code: String,
    pub(super) version: String,
    pub(super) zh: String,
    pub(super) en: String,
    pub(super) audience: Audience,
    pub(super) body_levels: Vec<Level>,
    pub(super) edit_roles: Vec<String>,
}

/// A structure as written.
#[derive(Clone)]
pub(super) struct DraftStruct {
    pub(super) name: String,
    pub(super) zh: String,
    pub(super) fields: Vec<DraftField>,
}

impl Part {
    /// File and line of a place, or of the nearest place around it.
    pub(super) fn line(&self, place: &str) -> Option<(&str, u32)> {
        let mut place = place;
        loop {
            if let Some(line) = self.places.get(place) {
                return Some((&self.file, *line));
            }
            // A companion stands where its choice stands.
            if let Some(line) = place.strip_suffix("_other").and_then(|p| self.places.get(p)) {
                return Some((&self.file, *line));
            }
            place = place.rsplit_once('.').map(|(around, _)| around).filter(|p| p.contains('.'))?;
        }
    }

    pub(super) fn error(&self, place: &str, flaw: SchemaFlaw) -> SchemaError {
        let line = self.places.get(place).copied().unwrap_or(1);
        SchemaError { file: self.file.clone(), line, flaw }
    }
}

/// Reads one file; all its flaws of form, or the part it defines.
pub(super) fn read_part(file: &str, text: &str, shared: bool) -> Result<Part, Vec<SchemaError>> {
    let mut source = Source::new(file, text);
    let root = match DeTable::parse(text) {
        Ok(root) => root,
        Err(error) => {
            let at = error.span().map_or(0, |span| span.start);
            source.flaw(at, SchemaFlaw::Syntax { message: error.message().replace('\n', "; ") });
            return Err(source.errors);
        }
    };
    let mut reader = Reader {
        part: Part {
            file: file.to_owned(),
            places: BTreeMap::new(),
            head: None,
            fields: Vec::new(),
            structs: BTreeMap::new(),
            lists: BTreeMap::new(),
            states: Vec::new(),
            transitions: Vec::new(),
            ledgers: Vec::new(),
            calendar: Calendar::default(),
        },
        source,
    };
    reader.read(root.get_ref(), shared);
    if reader.source.errors.is_empty() { Ok(reader.part) } else { Err(reader.source.errors) }
}

struct Reader<'a> {
    source: Source<'a>,
    part: Part,
}

impl Reader<'_> {
    fn read(&mut self, root: &DeTable<'_>, shared: bool) {
        let allowed: &[&str] = if shared {
            &["fields", "structs", "lists", "states", "calendar"]
        } else {
            &["type", "fields", "structs", "lists", "states", "transitions", "ledgers"]
        };
        let sections = self.source.pairs(root, allowed);
        if !shared && !sections.iter().any(|pair| pair.key == "type") {
            self.source.missing(0, "[type]");
        }
        for pair in sections {
            self.place(pair.key, pair.at);
            // A section that is not what it should be has been reported; the others are still read.
            let _ = self.section(&pair);
        }
    }

    fn section(&mut self, pair: &Pair<'_>) -> Option<()> {
        match pair.key {
            "transitions" => {
                for step in self.source.array(pair.key, pair.value)? {
                    let _ = self.transition(step);
                }
                return Some(());
            }
            "type" => return self.head(pair),
            "calendar" => return self.calendar(pair),
            _ => {}
        }
        let table = self.source.table(pair.key, pair.value)?;
        for one in crate::record::source::pairs(table) {
            self.place(&format!("{}.{}", pair.key, one.key), one.at);
            match pair.key {
                "fields" => {
                    let field = read_field(&mut self.source, &one, false);
                    self.part.fields.extend(field);
                }
                "structs" => {
                    let _ = self.structure(&one);
                }
                "lists" => {
                    let _ = self.list(&one);
                }
                "states" => {
                    let _ = self.state(&one);
                }
                "ledgers" => {
                    let _ = self.ledger(&one);
                }
                _ => {}
            }
        }
        Some(())
    }

    fn place(&mut self, place: &str, at: usize) {
        let line = self.source.line(at);
        self.part.places.insert(place.to_owned(), line);
    }

    fn head(&mut self, pair: &Pair<'_>) -> Option<()> {
        let table = self.source.table(pair.key, pair.value)?;
        let keys = ["code", "version", "zh", "en", "audience", "body_levels", "edit_roles"];
        let (mut code, mut version, mut zh, mut en) = <(String, String, String, String)>::default();
        let (mut audience, mut body_levels, mut edit_roles) = (None, Vec::new(), Vec::new());
        let mut seen = Vec::new();
        for Pair { key, at, value } in self.source.pairs(table, &keys) {
            self.place(&format!("type.{key}"), at);
            seen.push(key);
            match key {
                "code" => code = self.source.text(key, value)?,
                "version" => version = self.source.text(key, value)?,
                "zh" => zh = self.source.text(key, value)?,
                "en" => en = self.source.text(key, value)?,
                "edit_roles" => edit_roles = self.source.texts(key, value)?,
                "audience" => {
                    let text = self.source.text(key, value)?;
                    audience = match text.as_str() {
                        "office" => Some(Audience::Office),
                        "township" => Some(Audience::Township),
                        "county" => Some(Audience::County),
                        _ => {
                            self.not_allowed(at, key, &text, "office, township, county");
                            None
                        }
                    };
                }
                "body_levels" => {
                    for text in self.source.texts(key, value)? {
                        match text.as_str() {
                            "V" => body_levels.push(Level::V),
                            "T" => body_levels.push(Level::T),
                            "C" => body_levels.push(Level::C),
                            _ => self.not_allowed(at, key, &text, "V, T, C"),
                        }
                    }
                }
                _ => {}
            }
        }
        for key in keys.iter().filter(|key| !seen.contains(key)) {
            self.source.missing(pair.at, key);
        }
        let audience = audience?;
        let head = TypeHead { code, version, zh, en, audience, body_levels, edit_roles };
        self.part.head = Some(head);
        Some(())
    }

    fn not_allowed(&mut self, at: usize, key: &str, found: &str, allowed: &str) {
        let flaw = SchemaFlaw::NotAllowed {
            key: key.to_owned(),
            found: found.to_owned(),
            allowed: allowed.to_owned(),
        };
        self.source.flaw(at, flaw);
    }

    fn structure(&mut self, pair: &Pair<'_>) -> Option<()> {
        let table = self.source.table(pair.key, pair.value)?;
        let name = pair.key.to_owned();
        let mut one = DraftStruct { name: name.clone(), zh: String::new(), fields: Vec::new() };
        for Pair { key, value, .. } in self.source.pairs(table, &["zh", "fields"]) {
            match key {
                "zh" => one.zh = self.source.text(key, value)?,
                "fields" => {
                    let members = self.source.table(key, value)?;
                    for member in crate::record::source::pairs(members) {
                        self.place(&format!("structs.{name}.fields.{}", member.key), member.at);
                        one.fields.extend(read_field(&mut self.source, &member, true));
                    }
                }
                _ => {}
            }
        }
        if one.fields.is_empty() {
            self.source.missing(pair.at, "fields");
        }
        self.part.structs.insert(name, one);
        Some(())
    }

    fn list(&mut self, pair: &Pair<'_>) -> Option<()> {
        let table = self.source.table(pair.key, pair.value)?;
        let name = pair.key.to_owned();
        let mut list = CodeList {
            name: name.clone(),
            zh: String::new(),
            codes: Vec::new(),
            mark: String::new(),
        };
        for Pair { key, value, .. } in self.source.pairs(table, &["zh", "mark", "codes"]) {
            match key {
                "zh" => list.zh = self.source.text(key, value)?,
                "mark" => list.mark = self.source.text(key, value)?,
                "codes" => {
                    for (number, row) in self.source.array(key, value)?.into_iter().enumerate() {
                        let at = row.span().start;
                        self.place(&format!("lists.{name}.codes.{number}"), at);
                        list.codes.push(self.code(row)?);
                    }
                }
                _ => {}
            }
        }
        self.part.lists.insert(name, list);
        Some(())
    }

    fn code(&mut self, row: &Spanned<DeValue<'_>>) -> Option<Code> {
        match self.source.texts("codes", row)?.as_slice() {
            [code, zh, en] => Some(Code { code: code.clone(), zh: zh.clone(), en: en.clone() }),
            _ => {
                self.source.wrong_sort(
                    "codes",
                    row,
                    "[代码, 中文, 英文]",
                    "[code, Chinese, English]",
                );
                None
            }
        }
    }

    fn state(&mut self, pair: &Pair<'_>) -> Option<()> {
        let table = self.source.table(pair.key, pair.value)?;
        let mut state = State {
            code: pair.key.to_owned(),
            zh: String::new(),
            en: String::new(),
            terminal: false,
        };
        for Pair { key, value, .. } in self.source.pairs(table, &["zh", "en", "terminal"]) {
            match key {
                "zh" => state.zh = self.source.text(key, value)?,
                "en" => state.en = self.source.text(key, value)?,
                "terminal" => state.terminal = self.source.truth(key, value)?,
                _ => {}
            }
        }
        self.part.states.push(state);
        Some(())
    }
}
