//! One field's value: stored form, what people type, what people read.
//! Knows kinds and code lists; never which fields a record has or must have.

mod check;
mod days;
mod display;
mod enrol;
mod parse;
mod slip;
mod text;

use serde::{Deserialize, Serialize};

pub(crate) use check::check;
pub use days::Day;
pub use display::display;
pub use enrol::{credit_code_check, id_check_digit};
pub use parse::parse;
pub use slip::ValueSlip;

/// A field's value as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Value {
    /// Nothing; the field was emptied.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A count, a scaled measure, or an amount in 分.
    Int(i64),
    /// Everything else.
    Text(String),
}

/// Language of a text for people.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Lang {
    /// Simplified Chinese.
    Zh,
    /// English.
    En,
}

impl Value {
    /// Whether the value says nothing.
    pub fn is_blank(&self) -> bool {
        match self {
            Value::Null => true,
            Value::Text(text) => text.is_empty(),
            Value::Bool(_) | Value::Int(_) => false,
        }
    }

    /// The text, if it is one.
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number, if it is one.
    pub fn as_int(&self) -> Option<i64> {
        match self {
            Value::Int(number) => Some(*number),
            _ => None,
        }
    }

    /// The truth value, if it is one.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Value::Bool(truth) => Some(*truth),
            _ => None,
        }
    }
}

impl Lang {
    /// Chooses between two texts.
    pub fn pick<'a>(self, zh: &'a str, en: &'a str) -> &'a str {
        match self {
            Lang::Zh => zh,
            Lang::En => en,
        }
    }
}
