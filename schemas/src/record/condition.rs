//! When a field is required: a small closed language of conditions, kept as data.
//! It looks at one record only; never at other records, clocks or people.

use serde::{Deserialize, Serialize};

use super::model::{CodeList, Field, RecordType};
use crate::value::Lang;

/// Conditions may nest this deep: `any` of `all` of `not` of one test is more than any form needs.
pub const CONDITION_DEPTH_MAX: usize = 4;

/// A test on a record. Field names are those of the same form, structure or list item.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Condition {
    /// The field holds one of these codes; for yes-or-no fields `true` or `false`.
    In {
        /// Field tested.
        field: String,
        /// Codes that satisfy.
        codes: Vec<String>,
    },
    /// The several-choice field holds this code among others.
    Has {
        /// Field tested.
        field: String,
        /// Code looked for.
        code: String,
    },
    /// The field holds anything.
    Filled {
        /// Field tested.
        field: String,
    },
    /// At least one of these yes-or-no fields says no.
    AnyFalse {
        /// Fields tested.
        fields: Vec<String>,
    },
    /// The record stands in one of these states.
    State {
        /// State codes.
        states: Vec<String>,
    },
    /// The record has left this state, whichever way.
    Left {
        /// State code.
        state: String,
    },
    /// The record holds personal information of this class or a higher one, anywhere.
    PiAtLeast {
        /// Class, 1 to 3.
        class: u8,
    },
    /// All hold.
    All(Vec<Condition>),
    /// At least one holds.
    Any(Vec<Condition>),
    /// It does not hold.
    Not(Box<Condition>),
}

/// What a condition may ask about the record it is tested on.
pub(crate) trait Facts {
    /// The stored text of a field of the same scope; yes-or-no as `true` or `false`.
    fn text(&self, field: &str) -> Option<&str>;
    /// Whether the field of the same scope holds anything.
    fn filled(&self, field: &str) -> bool;
    /// The record's state.
    fn state(&self) -> &str;
    /// Whether the record has left that state.
    fn left(&self, state: &str) -> bool;
    /// Whether the record holds personal information of that class or a higher one.
    fn holds_pi(&self, class: u8) -> bool;
}

impl Condition {
    /// Whether the condition holds for a record.
    pub(crate) fn holds(&self, facts: &impl Facts) -> bool {
        match self {
            Condition::In { field, codes } => {
                facts.text(field).is_some_and(|text| codes.iter().any(|code| code == text))
            }
            Condition::Has { field, code } => {
                facts.text(field).is_some_and(|text| text.split(',').any(|one| one == code))
            }
            Condition::Filled { field } => facts.filled(field),
            Condition::AnyFalse { fields } => {
                fields.iter().any(|field| facts.text(field) == Some("false"))
            }
            Condition::State { states } => states.iter().any(|state| state == facts.state()),
            Condition::Left { state } => facts.left(state),
            Condition::PiAtLeast { class } => facts.holds_pi(*class),
            Condition::All(parts) => parts.iter().all(|part| part.holds(facts)),
            Condition::Any(parts) => parts.iter().any(|part| part.holds(facts)),
            Condition::Not(part) => !part.holds(facts),
        }
    }

    /// How deep the condition nests; a single test has depth 1. Stops counting past the limit.
    pub(crate) fn depth(&self) -> usize {
        fn walk(condition: &Condition, room: usize) -> usize {
            if room == 0 {
                return 1;
            }
            match condition {
                Condition::All(parts) | Condition::Any(parts) => {
                    1 + parts.iter().map(|part| walk(part, room - 1)).max().unwrap_or(0)
                }
                Condition::Not(part) => 1 + walk(part, room - 1),
                _ => 1,
            }
        }
        walk(self, CONDITION_DEPTH_MAX)
    }
}

/// Says a condition in words, with the labels of the root form of `rt`.
pub fn sentence(rt: &RecordType, condition: &Condition, lang: Lang) -> String {
    Words { rt, scope: &rt.fields, lang }.say(condition)
}

/// Says a condition of one form, structure or item in words.
pub(crate) fn sentence_in(
    rt: &RecordType,
    scope: &[Field],
    condition: &Condition,
    lang: Lang,
) -> String {
    Words { rt, scope, lang }.say(condition)
}

struct Words<'a> {
    rt: &'a RecordType,
    scope: &'a [Field],
    lang: Lang,
}

impl Words<'_> {
    fn say(&self, condition: &Condition) -> String {
        match condition {
            Condition::In { field, codes } => {
                let codes = self.join(codes.iter().map(|code| self.code(field, code)));
                self.pick(
                    format!("“{}”为“{codes}”", self.label(field)),
                    format!("“{}” is {codes}", self.label(field)),
                )
            }
            Condition::Has { field, code } => {
                let code = self.code(field, code);
                self.pick(
                    format!("“{}”含“{code}”", self.label(field)),
                    format!("“{}” includes {code}", self.label(field)),
                )
            }
            Condition::Filled { field } => self.pick(
                format!("填写了“{}”", self.label(field)),
                format!("“{}” is filled in", self.label(field)),
            ),
            Condition::AnyFalse { fields } => {
                let fields = self.join(fields.iter().map(|field| self.label(field)));
                self.pick(format!("“{fields}”中任一项为“否”"), format!("any of “{fields}” is no"))
            }
            Condition::State { states } => {
                let states = self.join(states.iter().map(|state| self.state(state)));
                self.pick(format!("状态为“{states}”"), format!("the state is {states}"))
            }
            Condition::Left { state } => {
                let state = self.state(state);
                self.pick(
                    format!("已离开“{state}”状态"),
                    format!("the record has left the state {state}"),
                )
            }
            Condition::PiAtLeast { class } => self.pick(
                format!("记录含{class}级及以上个人信息"),
                format!("the record holds personal information of class {class} or higher"),
            ),
            Condition::All(parts) => self.nested(parts, "，并且", " and "),
            Condition::Any(parts) => self.nested(parts, "，或者", " or "),
            Condition::Not(part) => {
                let part = self.say(part);
                self.pick(format!("并非（{part}）"), format!("not ({part})"))
            }
        }
    }

    fn nested(&self, parts: &[Condition], zh: &str, en: &str) -> String {
        let parts: Vec<String> = parts
            .iter()
            .map(|part| match part {
                Condition::All(_) | Condition::Any(_) => {
                    let part = self.say(part);
                    self.pick(format!("（{part}）"), format!("({part})"))
                }
                _ => self.say(part),
            })
            .collect();
        parts.join(match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        })
    }

    fn pick(&self, zh: String, en: String) -> String {
        match self.lang {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }

    fn join(&self, parts: impl Iterator<Item = String>) -> String {
        parts.collect::<Vec<_>>().join(match self.lang {
            Lang::Zh => "”或“",
            Lang::En => " or ",
        })
    }

    fn label(&self, name: &str) -> String {
        match (self.scope.iter().find(|field| field.name == name), self.lang) {
            (Some(field), Lang::Zh) => field.zh.clone(),
            (Some(field), Lang::En) => field.en.clone(),
            (None, _) => name.to_owned(),
        }
    }

    fn code(&self, field: &str, code: &str) -> String {
        match (code, self.lang) {
            ("true", Lang::Zh) => return "是".to_owned(),
            ("true", Lang::En) => return "yes".to_owned(),
            ("false", Lang::Zh) => return "否".to_owned(),
            ("false", Lang::En) => return "no".to_owned(),
            _ => {}
        }
        let found = self
            .scope
            .iter()
            .find(|f| f.name == field)
            .and_then(|f| self.rt.code_list(f))
            .and_then(|list: &CodeList| list.code(code));
        match (found, self.lang) {
            (Some(found), Lang::Zh) => found.zh.clone(),
            (Some(found), Lang::En) => found.en.clone(),
            (None, _) => code.to_owned(),
        }
    }

    fn state(&self, code: &str) -> String {
        match (self.rt.state(code), self.lang) {
            (Some(state), Lang::Zh) => state.zh.clone(),
            (Some(state), Lang::En) => state.en.clone(),
            (None, _) => code.to_owned(),
        }
    }
}
