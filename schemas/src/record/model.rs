//! What a record type is made of, once its files are compiled.
//! Plain data that serialises one way; it judges nothing.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::compute::{Calendar, Compute};
use super::condition::Condition;
use super::index::Lookup;
use super::ledger::Ledger;
use crate::id::{hex, unhex};
pub use crate::space::Audience;

/// One kind of record: its form, code lists, states, steps and ledgers.
///
/// Made by [`compile`](super::compile) or [`from_canonical`](RecordType::from_canonical) and not
/// changed afterwards: look-ups are prepared on first use and kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordType {
    /// Three capital letters, such as `SVC`.
    pub code: String,
    /// Version of the definition, such as `1.0.0`; people read it, machines go by the hash.
    pub version: String,
    /// Chinese name.
    pub zh: String,
    /// English name.
    pub en: String,
    /// Audience that a new record's space gets when the clerk says nothing else.
    pub audience: Audience,
    /// Levels that receive the bodies of entries; the others receive sealed entries.
    pub body_levels: Vec<Level>,
    /// Roles of `CL_ROLE` that may change fields.
    pub edit_roles: Vec<String>,
    /// Fields in the order of the form: the shared header first, then the type's own.
    pub fields: Vec<Field>,
    /// Structures that fields and list items refer to by name.
    pub structs: BTreeMap<String, Struct>,
    /// Code lists that fields refer to by name; `CL_ROLE` is always among them.
    pub lists: BTreeMap<String, CodeList>,
    /// States in the order of the work.
    pub states: Vec<State>,
    /// Steps between states, creation (from `-`) included.
    pub transitions: Vec<Transition>,
    /// Ledgers (台账) that offices keep of this type.
    pub ledgers: Vec<Ledger>,
    /// Holidays and working weekends, for due dates in working days.
    pub calendar: Calendar,
    /// Prepared look-ups; no part of the definition.
    #[serde(skip)]
    pub(crate) lookup: Lookup,
}

/// Content address of a record type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SchemaHash(pub [u8; 32]);

/// Office level: village, township or county.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Level {
    /// Village.
    V,
    /// Township.
    T,
    /// County.
    C,
}

/// A group of fields that belongs together: a person, a household, or the item of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Struct {
    /// Name that `ref(…)` and `list<…>` use.
    pub name: String,
    /// Chinese name.
    pub zh: String,
    /// Members in the order of the form.
    pub fields: Vec<Field>,
}

/// One field of a form.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Field {
    /// Name within its form or structure; dotted paths are made of these.
    pub name: String,
    /// Chinese label.
    pub zh: String,
    /// English label.
    pub en: String,
    /// What it holds.
    pub kind: Kind,
    /// When it must be filled.
    pub required: Required,
    /// Code list, for [`Kind::Enum`] and [`Kind::EnumMany`].
    pub list: Option<String>,
    /// Class of personal information, 0 to 3; a member never has less than what holds it.
    pub pi: u8,
    /// Who may read it clear: letters of `VTCSP`. Empty in a structure: as the field that holds it.
    pub vis: String,
    /// Unit shown beside the value, such as `元/年`; may be empty.
    pub unit: String,
    /// Hint for the person who fills it in; may be empty.
    pub note: String,
    /// Confidence mark of the domain model: `S`, `K5`, `G`, `X`; may be empty.
    pub mark: String,
    /// How it follows from other fields.
    pub compute: Option<Compute>,
    /// Fewest items or codes once anything is filled; 0 when there is no floor.
    pub items_min: u32,
    /// Most items or codes; 0 when only the general limit holds.
    pub items_max: u32,
}

/// What a field holds and how it is stored.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// One line of at most so many characters.
    Str {
        /// Limit in characters.
        max: u32,
    },
    /// Several lines of at most so many characters in all.
    Text {
        /// Limit in characters.
        max: u32,
    },
    /// A count; never negative.
    Int,
    /// A measure with a fixed number of decimals, stored scaled.
    Dec {
        /// Decimals.
        scale: u8,
    },
    /// An amount, stored in 分.
    Money,
    /// Yes or no.
    Bool,
    /// A day, `YYYY-MM-DD`.
    Date,
    /// A moment in China's time, `YYYY-MM-DDTHH:MM:SS+08:00`.
    DateTime,
    /// One code of a list.
    Enum,
    /// Several codes of a list, stored sorted and joined by commas.
    EnumMany,
    /// A division code of so many digits.
    Division {
        /// 6, 9 or 12.
        digits: u8,
    },
    /// A national ID number with its check digit, or the number of another certificate.
    IdNumber,
    /// A unified social credit code.
    CreditCode,
    /// Up to three telephone numbers, joined by commas.
    Phone,
    /// Latitude and longitude in degrees, joined by a comma.
    Geo,
    /// 32 bytes in lower-case hex.
    Hash,
    /// The name or id of something kept elsewhere.
    Ref {
        /// `Staff`, `Org`, `DEL`, `Attachment`, `Record` or `Person`.
        to: String,
    },
    /// A structure, stored flat under dotted paths.
    Struct {
        /// Its name.
        name: String,
    },
    /// A list of structures.
    List {
        /// Name of the structure of an item.
        of: String,
    },
}

/// When a field must be filled.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Required {
    /// From the first save on.
    Always,
    /// Never.
    Never,
    /// Once the record enters this state, and ever after.
    From(String),
    /// Whenever the condition holds.
    When(Condition),
}

/// One state of a record.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Name in data and conditions.
    pub code: String,
    /// Chinese label.
    pub zh: String,
    /// English label.
    pub en: String,
    /// The work is over; only archiving may follow.
    pub terminal: bool,
}

/// One step from a state to another.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Transition {
    /// State before, or `-` for creation.
    pub from: String,
    /// State after.
    pub to: String,
    /// Chinese label of the action.
    pub zh: String,
    /// English label of the action.
    pub en: String,
    /// Roles of `CL_ROLE` that may take the step; `SUBJ` is the person concerned.
    pub who: Vec<String>,
    /// Time limit in words, Chinese; may be empty.
    pub deadline: String,
    /// Time limit in words, English; may be empty.
    pub deadline_en: String,
    /// Law, rule or habit behind the step; may be empty.
    pub basis: String,
    /// Confidence marks, separated by spaces; may be empty.
    pub mark: String,
    /// The step must carry a reason.
    pub needs_reason: bool,
}

/// A list of codes that a field chooses from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CodeList {
    /// Name such as `CL_SEX`.
    pub name: String,
    /// Chinese title.
    pub zh: String,
    /// Codes in the order of the form.
    pub codes: Vec<Code>,
    /// Confidence marks, separated by spaces; may be empty.
    pub mark: String,
}

/// One code of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Code {
    /// What is stored.
    pub code: String,
    /// Chinese label.
    pub zh: String,
    /// English label.
    pub en: String,
}

impl RecordType {
    /// Finds a field by dotted path, through structures and lists (`visits.todo.due`).
    ///
    /// The class of personal information and the readers are those in force at that place.
    pub fn field(&self, path: &str) -> Option<&Field> {
        self.index().field(path)
    }

    /// Every dotted path, through groups and lists, with its field, sorted by path.
    pub fn paths(&self) -> impl Iterator<Item = (&str, &Field)> {
        self.index().paths()
    }

    /// The steps by which a record of this type may be created.
    pub fn initial_transitions(&self) -> impl Iterator<Item = &Transition> {
        self.transitions.iter().filter(|t| t.from == Transition::CREATION)
    }

    /// Finds the step between two states; `-` stands for "does not exist yet".
    pub fn transition(&self, from: &str, to: &str) -> Option<&Transition> {
        self.transitions.iter().find(|t| t.from == from && t.to == to)
    }

    /// Finds a state by its code.
    pub fn state(&self, code: &str) -> Option<&State> {
        self.states.iter().find(|s| s.code == code)
    }

    /// The code list of a field, if it has one.
    pub fn code_list(&self, field: &Field) -> Option<&CodeList> {
        self.lists.get(field.list.as_deref()?)
    }
}

impl Transition {
    /// What stands in `from` when the step creates the record.
    pub const CREATION: &str = "-";
}

impl CodeList {
    /// Finds a code.
    pub fn code(&self, code: &str) -> Option<&Code> {
        self.codes.iter().find(|c| c.code == code)
    }
}

impl Level {
    /// The level of a role of `CL_ROLE`, by its first letter; the person concerned has none.
    pub fn of_role(role: &str) -> Option<Level> {
        match (role, role.as_bytes().first()) {
            ("SUBJ", _) => None,
            (_, Some(b'V')) => Some(Level::V),
            (_, Some(b'T')) => Some(Level::T),
            (_, Some(b'C')) => Some(Level::C),
            _ => None,
        }
    }
}

impl SchemaHash {
    /// Lower-case hex, 64 characters.
    pub fn to_hex(&self) -> String {
        hex(&self.0)
    }

    /// Reads the hex form.
    pub fn from_hex(text: &str) -> Option<Self> {
        unhex(text)?.try_into().ok().map(Self)
    }
}

impl fmt::Display for SchemaHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_hex())
    }
}

impl fmt::Debug for SchemaHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SchemaHash({self})")
    }
}
