//! The text of `office.json`, written and read. Opens nothing: a list that reads well is still only
//! a claim until the office's key finds its code right.

use serde::{Deserialize, Serialize};
use xw_schemas::cose::is_sound_key;
use xw_schemas::id::{PublicKey, hex};

use crate::form::{fixed, is_label, variable, without_mark};
use crate::office::ENCRYPT_OVERHEAD_BYTES;
use crate::seal::{SEAL_OVERHEAD_BYTES, SealingKey};

use super::{EARLIER_MAX, Earlier, FORMAT, OPERATORS_MAX, Operator, Operators};

/// Longest `office.json`: 64 operators and 64 earlier keys have some 60 kB.
pub const OFFICE_FILE_BYTES_MAX: usize = 128 * 1024;

/// A wrapped seed.
const WRAPPED_BYTES: usize = 32 + SEAL_OVERHEAD_BYTES;

/// An encrypted seed.
const ENCRYPTED_BYTES: usize = 32 + ENCRYPT_OVERHEAD_BYTES;

/// Why the file cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum OfficeFileFault {
    /// Over [`OFFICE_FILE_BYTES_MAX`].
    #[error("this is no list of operators: longer than {OFFICE_FILE_BYTES_MAX} bytes")]
    TooLong,
    /// Other text, another format, a field too many or too few.
    #[error("this is no list of operators of format {FORMAT}")]
    OtherFormat,
    /// A field whose value is not one.
    #[error("the list of operators' field `{field}` cannot be read")]
    Field {
        /// Its name.
        field: &'static str,
    },
    /// None, too many, or one twice.
    #[error("the list of operators is empty, too long or names one twice")]
    Count,
}

impl OfficeFileFault {
    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::TooLong => format!("不是经办人名单文件：超过{OFFICE_FILE_BYTES_MAX}字节"),
            Self::OtherFormat => format!("不是 {FORMAT} 格式的经办人名单文件"),
            Self::Field { field } => format!("经办人名单文件的“{field}”一项无法读取"),
            Self::Count => "经办人名单为空、过长或有重复".into(),
        }
    }
}

impl Operators {
    /// The file's text.
    #[must_use]
    pub fn text(&self) -> String {
        let operator = |operator: &Operator| OperatorForm {
            person: hex(&operator.person.0),
            sealing: hex(&operator.sealing.bytes()),
            label: operator.label.clone(),
            wrapped: hex(&operator.wrapped),
        };
        let earlier = |earlier: &Earlier| EarlierForm {
            office: hex(&earlier.office.bytes()),
            encrypted: hex(&earlier.encrypted),
        };
        let form = Form {
            format: FORMAT.into(),
            office: hex(&self.office.bytes()),
            operators: self.operators.iter().map(operator).collect(),
            earlier: self.earlier.iter().map(earlier).collect(),
            code: hex(&self.code),
        };
        let mut text = serde_json::to_string_pretty(&form).expect("plain fields become JSON");
        text.push('\n');
        text
    }

    /// Reads a file's text. Space between the fields is free; everything else has one spelling.
    pub fn read(text: &str) -> Result<Self, OfficeFileFault> {
        if text.len() > OFFICE_FILE_BYTES_MAX {
            return Err(OfficeFileFault::TooLong);
        }
        let form: Form =
            serde_json::from_str(without_mark(text)).map_err(|_| OfficeFileFault::OtherFormat)?;
        if form.format != FORMAT {
            return Err(OfficeFileFault::OtherFormat);
        }
        let list = Self {
            office: point(&form.office, "office")?,
            operators: form.operators.into_iter().map(operator).collect::<Result<_, _>>()?,
            earlier: form.earlier.iter().map(earlier).collect::<Result<_, _>>()?,
            code: fixed(&form.code).ok_or(OfficeFileFault::Field { field: "code" })?,
        };
        let mut people: Vec<PublicKey> = list.operators.iter().map(|one| one.person).collect();
        people.sort_unstable();
        people.dedup();
        let counts = (1..=OPERATORS_MAX).contains(&list.operators.len())
            && people.len() == list.operators.len()
            && list.earlier.len() <= EARLIER_MAX;
        counts.then_some(list).ok_or(OfficeFileFault::Count)
    }
}

fn operator(form: OperatorForm) -> Result<Operator, OfficeFileFault> {
    let wrong = |field| OfficeFileFault::Field { field };
    Ok(Operator {
        person: fixed(&form.person).map(PublicKey).filter(is_sound_key).ok_or(wrong("person"))?,
        sealing: point(&form.sealing, "sealing")?,
        label: Some(form.label).filter(|label| is_label(label)).ok_or(wrong("label"))?,
        wrapped: exactly(&form.wrapped, WRAPPED_BYTES).ok_or(wrong("wrapped"))?,
    })
}

fn earlier(form: &EarlierForm) -> Result<Earlier, OfficeFileFault> {
    Ok(Earlier {
        office: point(&form.office, "earlier.office")?,
        encrypted: exactly(&form.encrypted, ENCRYPTED_BYTES)
            .ok_or(OfficeFileFault::Field { field: "encrypted" })?,
    })
}

fn point(text: &str, field: &'static str) -> Result<SealingKey, OfficeFileFault> {
    fixed(text).and_then(SealingKey::from_bytes).ok_or(OfficeFileFault::Field { field })
}

fn exactly(text: &str, bytes: usize) -> Option<Vec<u8>> {
    variable(text, bytes).filter(|read| read.len() == bytes).map(|read| read.to_vec())
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Form {
    format: String,
    office: String,
    operators: Vec<OperatorForm>,
    earlier: Vec<EarlierForm>,
    code: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct OperatorForm {
    person: String,
    sealing: String,
    label: String,
    wrapped: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EarlierForm {
    office: String,
    encrypted: String,
}
