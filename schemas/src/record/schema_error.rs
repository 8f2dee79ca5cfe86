//! What can be wrong with a record type's definition, with the file and line to look at.
//! Written for the county official who changed the file, not for a programmer.

use std::fmt;

/// A definition that was refused: where and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SchemaError {
    /// File name; empty when the definition came over the wire.
    pub file: String,
    /// Line, from 1; 0 when there is none.
    pub line: u32,
    /// What is wrong.
    pub flaw: SchemaFlaw,
}

impl std::error::Error for SchemaError {}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.file.is_empty() {
            write!(f, "{}:{}: ", self.file, self.line)?;
        }
        write!(f, "{} ({})", self.flaw.zh(), self.flaw.en())
    }
}

macro_rules! flaws {
    ($($(#[doc = $doc:literal])+ $name:ident { $($field:ident: $kind:ty),* } $zh:literal $en:literal)+) => {
        /// One thing that is wrong with a definition.
        #[derive(Debug, Clone, PartialEq, Eq)]
        #[expect(missing_docs, reason = "the members are named by the two sentences beside them")]
        pub enum SchemaFlaw {
            $($(#[doc = $doc])+ $name { $($field: $kind),* },)+
        }

        impl SchemaFlaw {
            /// What is wrong, in Chinese.
            pub fn zh(&self) -> String {
                match self {
                    $(Self::$name { $($field),* } => format!($zh, $($field = $field),*),)+
                }
            }

            /// What is wrong, in English.
            pub fn en(&self) -> String {
                match self {
                    $(Self::$name { $($field),* } => format!($en, $($field = $field),*),)+
                }
            }
        }
    };
}

flaws! {
    /// The file is no TOML.
    Syntax { message: String }
        "文件格式有误：{message}"
        "the file is not well formed: {message}"
    /// A key that means nothing here.
    UnknownKey { key: String, allowed: String }
        "不认识的键“{key}”，此处可用：{allowed}"
        "unknown key “{key}”, known here: {allowed}"
    /// A key that must be there.
    MissingKey { key: String }
        "缺少“{key}”"
        "“{key}” is missing"
    /// A value of another sort than the key takes.
    WrongSort { key: String, zh: String, en: String }
        "“{key}”应为{zh:.0}{zh}{en:.0}"
        "“{key}” must be {zh:.0}{en:.0}{en}"
    /// A word that is none of those allowed.
    NotAllowed { key: String, found: String, allowed: String }
        "“{key}”不能是“{found}”，可用：{allowed}"
        "“{key}” cannot be “{found}”, allowed: {allowed}"
    /// A field type that does not exist.
    UnknownType { found: String }
        "不认识的字段类型“{found}”"
        "unknown field type “{found}”"
    /// A label is empty.
    MissingLabel { name: String }
        "“{name}”缺少中文或英文名称"
        "“{name}” lacks its Chinese or English label"
    /// A name with characters that names must not have.
    BadName { found: String }
        "名称“{found}”不合规则（字段和状态用小写字母、数字、下划线，代码不含逗号和空格）"
        "“{found}” is no proper name (fields and states: lower case, digits, underscores; codes: no comma, no blank)"
    /// Something is there twice.
    Duplicate { name: String }
        "“{name}”重复出现"
        "“{name}” appears twice"
    /// A field of choices names no code list.
    EnumWithoutList { field: String }
        "选项字段“{field}”没有指定代码表（list）"
        "the choice field “{field}” names no code list"
    /// A field that is no choice names a code list.
    ListWithoutEnum { field: String }
        "“{field}”不是选项字段，不应指定代码表"
        "“{field}” is no choice field and must not name a code list"
    /// A code list that is not defined.
    UnknownList { name: String }
        "代码表“{name}”没有定义"
        "the code list “{name}” is not defined"
    /// A code list without codes.
    EmptyList { name: String }
        "代码表“{name}”没有代码"
        "the code list “{name}” has no codes"
    /// A structure that is not defined.
    UnknownStruct { name: String }
        "结构“{name}”没有定义"
        "the structure “{name}” is not defined"
    /// A structure that holds itself.
    StructRecursion { name: String }
        "结构“{name}”包含了自己"
        "the structure “{name}” holds itself"
    /// Structures and lists inside each other too deep.
    TooDeep { field: String, max: usize }
        "“{field}”嵌套过深：分组和清单合计最多{max}层，清单最多2层"
        "“{field}” nests too deep: at most {max} groups and lists, of them 2 lists"
    /// More paths than a record type may have.
    TooManyFields { max: usize }
        "展开后的字段超过{max}个"
        "more than {max} fields once structures are laid out"
    /// A state that is not defined.
    UnknownState { name: String }
        "状态“{name}”没有定义"
        "the state “{name}” is not defined"
    /// A state that no step leads to.
    Unreachable { state: String }
        "状态“{state}”没有任何流转可以到达"
        "no chain of steps reaches the state “{state}”"
    /// A state that is not terminal and that no step leaves.
    DeadEnd { state: String }
        "状态“{state}”不是终结状态，却没有任何流转可以离开"
        "the state “{state}” is not terminal, yet no step leaves it"
    /// A terminal state that a step leaves for work.
    TerminalLeft { state: String, to: String }
        "终结状态“{state}”只能归档，不能流转到“{to}”"
        "the terminal state “{state}” may only be archived, not go on to “{to}”"
    /// No step creates a record.
    NoCreation { code: String }
        "“{code}”没有新建流转（from = \"-\"）"
        "no step creates a record of “{code}” (from = \"-\")"
    /// A role that is not in `CL_ROLE`.
    UnknownRole { name: String }
        "角色“{name}”不在 CL_ROLE 中"
        "the role “{name}” is not in CL_ROLE"
    /// Someone may edit who does not receive the contents.
    EditorWithoutBody { role: String }
        "角色“{role}”所在层级不接收内容（body_levels），不能列入 edit_roles"
        "the level of the role “{role}” gets no bodies (body_levels), so it cannot be in edit_roles"
    /// Someone may create who may not edit.
    CreatorCannotEdit { role: String }
        "角色“{role}”可以新建，却不在 edit_roles 中"
        "the role “{role}” may create records but is not in edit_roles"
    /// Sensitive personal information marked as public.
    PublicSensitive { field: String }
        "“{field}”是敏感个人信息（pi = 3），不能公开（vis 含 P）"
        "“{field}” is sensitive (pi = 3) and cannot be public (P in vis)"
    /// A class of personal information that does not exist.
    BadPi { field: String }
        "“{field}”的 pi 应为 0 至 3"
        "pi of “{field}” must be 0 to 3"
    /// Readers that do not exist.
    BadVis { field: String }
        "“{field}”的 vis 应由 V、T、C、S、P 组成且不重复"
        "vis of “{field}” must be made of V, T, C, S, P, each at most once"
    /// A confidence mark that does not exist.
    BadMark { found: String }
        "标记“{found}”应为 S、K（可带编号）、G、X，用空格分开"
        "the mark “{found}” must be S, K (with a number), G or X, separated by blanks"
    /// A condition names a field that is not there.
    ConditionField { name: String }
        "条件中的字段“{name}”不在同一表单内"
        "the condition names “{name}”, which is no field of the same form"
    /// A condition asks a field what it cannot say.
    ConditionKind { name: String }
        "条件与字段“{name}”的类型不符"
        "the condition does not suit the type of “{name}”"
    /// A condition names a code that is not in the list.
    ConditionCode { name: String, code: String }
        "条件中的代码“{code}”不在“{name}”的代码表内"
        "the condition names “{code}”, which “{name}” cannot hold"
    /// A condition that says nothing or too much.
    ConditionShape { key: String }
        "条件写法有误（{key}）：每个条件只能用一种写法，且不能为空"
        "the condition is ill formed ({key}): one test each, and none empty"
    /// A condition nested too deep.
    ConditionDepth { max: usize }
        "条件嵌套超过{max}层"
        "the condition nests deeper than {max}"
    /// A formula that cannot work.
    BadCompute { field: String, zh: String, en: String }
        "“{field}”的计算公式有误：{en:.0}{zh}"
        "the formula of “{field}” cannot work: {zh:.0}{en}"
    /// A floor above its ceiling, or on a field without items.
    BadCount { field: String }
        "“{field}”的 min/max 有误：只用于清单和多选，且 min 不大于 max"
        "min/max of “{field}” are wrong: only for lists and several-choice fields, min not above max"
    /// A limit of characters, digits or decimals that cannot be.
    BadLimit { field: String }
        "“{field}”的长度或位数不合规则"
        "the length or number of digits of “{field}” cannot be"
    /// A ledger column that leads nowhere.
    ColumnPath { path: String }
        "台账列“{path}”在本类记录中找不到"
        "the ledger column “{path}” leads nowhere in this record type"
    /// A special column that does not exist, or one without what it needs.
    ColumnSpecial { found: String, allowed: String }
        "台账列的 special “{found}”有误，可用：{allowed}"
        "the special column “{found}” is wrong, known: {allowed}"
    /// A day of the calendar that is no day, or stands on the wrong side.
    BadCalendarDay { found: String }
        "日历中的“{found}”有误：holidays 填周一至周五，workdays 填周六周日，按日期排列"
        "“{found}” in the calendar is wrong: holidays lie on Monday to Friday, workdays on weekends, sorted"
    /// Definitions were given without the shared file.
    NoShared { name: String }
        "缺少公共文件 {name}"
        "the shared file {name} is missing"
    /// A definition too large to be honest.
    TooLarge { max: usize }
        "定义超过{max}字节"
        "the definition is larger than {max} bytes"
    /// Bytes that are no canonical definition.
    NotCanonical { }
        "不是规范形式的定义"
        "the definition is not in canonical form"
}
