//! What can be wrong with one value, said so that the clerk can put it right.
//! Never repeats a person's number.

/// A value that a clerk wrote and that the field cannot hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}（{}）", self.zh(), self.en())]
pub enum ValueSlip {
    /// Not a day of the calendar.
    NotADay,
    /// Not a moment.
    NotAMoment,
    /// Not a number.
    NotANumber,
    /// A number in scientific notation has lost digits.
    Scientific,
    /// A count below zero.
    Negative,
    /// Larger than the field can mean.
    OutOfRange,
    /// More decimals than the field keeps.
    TooManyDecimals {
        /// Decimals kept.
        max: u8,
    },
    /// Neither yes nor no.
    NotYesNo,
    /// Not one of the code list.
    NotInList {
        /// What was written, shortened.
        found: String,
        /// Chinese labels to choose from.
        zh: String,
        /// English labels to choose from.
        en: String,
    },
    /// Fits several of the code list.
    Ambiguous {
        /// What was written, shortened.
        found: String,
        /// Chinese labels it fits.
        zh: String,
        /// English labels it fits.
        en: String,
    },
    /// More choices than allowed.
    TooManyChoices {
        /// Most.
        max: usize,
    },
    /// Fewer choices than asked for.
    TooFewChoices {
        /// Fewest.
        min: usize,
    },
    /// Codes not in stored order, or twice.
    ChoicesUnsorted,
    /// More characters than the field holds.
    TooLong {
        /// Most, in characters.
        max: usize,
        /// How many there are.
        found: usize,
    },
    /// A character that cannot be seen or printed.
    ControlCharacter,
    /// An ID number of the wrong length.
    IdLength {
        /// Characters found.
        found: usize,
    },
    /// An ID number with characters that do not belong there.
    IdShape,
    /// An ID number whose birth date is no date.
    IdBirth,
    /// An ID number whose last character does not fit the others.
    IdCheckDigit,
    /// A credit code of the wrong length or with wrong characters.
    CreditCodeShape,
    /// A credit code whose last character does not fit the others.
    CreditCodeCheck,
    /// Not a telephone number.
    Phone,
    /// Not a division code.
    Division {
        /// Digits asked for.
        digits: u8,
    },
    /// Not a place.
    Geo,
    /// Not a hash.
    Hash,
    /// A value of another sort than the field stores.
    WrongSort,
    /// The type has no such field.
    UnknownField,
    /// The field is a group or list and was given a single value, or the other way round.
    WrongShape,
    /// More items than a list holds.
    TooManyItems {
        /// Most.
        max: usize,
    },
    /// Two items, or two ways of writing one path, with the same name.
    Twice,
}

impl ValueSlip {
    /// What is wrong and what is right, in Chinese.
    pub fn zh(&self) -> String {
        match self {
            Self::NotADay => "不是有效日期，请写成 2026-01-05 或 2026.1.5".into(),
            Self::NotAMoment => "不是有效时间，请写成 2026-01-05 08:30".into(),
            Self::NotANumber => "不是数字，请只填数字".into(),
            Self::Scientific => {
                "数字被表格改成了科学计数法，已丢失位数，请把单元格设为文本后重新填写".into()
            }
            Self::Negative => "不能为负数".into(),
            Self::OutOfRange => "数字过大，请核对单位".into(),
            Self::TooManyDecimals { max } => format!("小数最多{max}位"),
            Self::NotYesNo => "请填“是”或“否”".into(),
            Self::NotInList { found, zh, .. } => format!("“{found}”不在选项内，可选：{zh}"),
            Self::Ambiguous { found, zh, .. } => format!("“{found}”不够明确，可能是：{zh}"),
            Self::TooManyChoices { max } => format!("最多{max}项"),
            Self::TooFewChoices { min } => format!("至少{min}项"),
            Self::ChoicesUnsorted => "多选代码须按顺序且不重复".into(),
            Self::TooLong { max, found } => format!("最多{max}个字，现有{found}个字"),
            Self::ControlCharacter => "含有不可显示的字符".into(),
            Self::IdLength { found } => format!("身份证号应为18位，现为{found}位"),
            Self::IdShape => "证件号码含有不应出现的字符".into(),
            Self::IdBirth => "身份证号中的出生日期不存在，请核对第7至14位".into(),
            Self::IdCheckDigit => "身份证号最后一位与前面不符，请核对是否抄错".into(),
            Self::CreditCodeShape => {
                "统一社会信用代码应为18位数字和大写字母，不含 I、O、S、V、Z".into()
            }
            Self::CreditCodeCheck => "统一社会信用代码最后一位与前面不符，请核对是否抄错".into(),
            Self::Phone => "请填11位手机号，或带区号的固定电话，如 0319-1234567".into(),
            Self::Division { digits } => format!("区划代码应为{digits}位数字"),
            Self::Geo => "请填纬度和经度，如 37.0682,114.5044".into(),
            Self::Hash => "应为64位小写十六进制摘要".into(),
            Self::WrongSort => "内容的种类与此项不符".into(),
            Self::UnknownField => "本类记录没有此项".into(),
            Self::WrongShape => "此项的结构不符：单项、分组与清单不能互换".into(),
            Self::TooManyItems { max } => format!("最多{max}条"),
            Self::Twice => "同一项出现了两次".into(),
        }
    }

    /// What is wrong and what is right, in English.
    pub fn en(&self) -> String {
        match self {
            Self::NotADay => "not a real date; write 2026-01-05 or 2026.1.5".into(),
            Self::NotAMoment => "not a real time; write 2026-01-05 08:30".into(),
            Self::NotANumber => "not a number; write digits only".into(),
            Self::Scientific => {
                "the spread-sheet turned the number into scientific notation and lost digits; \
                 set the cell to text and write it again"
                    .into()
            }
            Self::Negative => "must not be negative".into(),
            Self::OutOfRange => "too large; check the unit".into(),
            Self::TooManyDecimals { max } => format!("at most {max} decimals"),
            Self::NotYesNo => "write 是 or 否 (yes or no)".into(),
            Self::NotInList { found, en, .. } => {
                format!("“{found}” is not a choice; choose one of: {en}")
            }
            Self::Ambiguous { found, en, .. } => format!("“{found}” may mean: {en}"),
            Self::TooManyChoices { max } => format!("at most {max}"),
            Self::TooFewChoices { min } => format!("at least {min}"),
            Self::ChoicesUnsorted => "codes must be sorted and named once".into(),
            Self::TooLong { max, found } => format!("at most {max} characters, there are {found}"),
            Self::ControlCharacter => "holds a character that cannot be shown".into(),
            Self::IdLength { found } => {
                format!("an ID number has 18 characters, this one has {found}")
            }
            Self::IdShape => "holds characters that do not belong in a certificate number".into(),
            Self::IdBirth => "the birth date in the ID number (7th to 14th) is not real".into(),
            Self::IdCheckDigit => "the last character of the ID number does not fit".into(),
            Self::CreditCodeShape => {
                "a credit code has 18 digits and capital letters without I, O, S, V, Z".into()
            }
            Self::CreditCodeCheck => "the last character of the credit code does not fit".into(),
            Self::Phone => {
                "write a mobile number of 11 digits, or a landline with area code, as 0319-1234567"
                    .into()
            }
            Self::Division { digits } => format!("a division code of {digits} digits"),
            Self::Geo => "write latitude and longitude, as 37.0682,114.5044".into(),
            Self::Hash => "64 lower-case hex characters".into(),
            Self::WrongSort => "not the sort of value this field stores".into(),
            Self::UnknownField => "this record type has no such field".into(),
            Self::WrongShape => {
                "a single value, a group and a list cannot stand for each other".into()
            }
            Self::TooManyItems { max } => format!("at most {max} items"),
            Self::Twice => "named twice".into(),
        }
    }
}
