//! The fixed words of the command line, Chinese and English side by side. What depends on a record
//! type comes from its definition, what depends on a case from whoever judged it.

use xw_schemas::record::Lang;

/// One text in two languages.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Word {
    zh: &'static str,
    en: &'static str,
}

impl Word {
    /// The text in one language.
    pub(crate) fn of(self, lang: Lang) -> &'static str {
        match lang {
            Lang::Zh => self.zh,
            Lang::En => self.en,
        }
    }
}

macro_rules! words {
    ($($name:ident $zh:literal $en:literal)+) => {
        $(pub(crate) const $name: Word = Word { zh: $zh, en: $en };)+
        #[cfg(test)]
        const ALL: &[Word] = &[$($name),+];
    };
}

words! {
    // Help.
    USAGE "用法：" "Usage: "
    OPTIONS "选项" "Options"
    COMMON_OPTIONS "通用选项" "Common options"
    ARGUMENTS "参数" "Arguments"
    COMMANDS "命令" "Commands"
    COMMAND "命令" "COMMAND"
    HELP_FLAG "显示用法" "Print help"
    VERSION_FLAG "显示版本" "Print the version"

    // Long jobs.
    IMPORTING "正在导入" "importing"
    VERIFYING "正在核验" "verifying"
    REBUILDING "正在重新生成" "rebuilding"
    BACKING_UP "正在备份" "backing up"

    // What auditors get.
    LOG "日志" "Log"
    HELD_UPTO "条目号" "Numbers"
    FORK_COUNT "分叉" "Forks"
    MISSING "缺失" "Missing"
    TOWNSHIP_RECEIPT "乡镇见证（条目数）" "Township's pin"
    COUNTY_RECEIPT "县见证（条目数）" "County's pin"
    COMPARED "最近核对一致" "Last found equal"
    CLAIMED "所称时间" "Claimed"
    FIRST_WITNESS "首次见证" "Witnessed"
    CLERK "经办人" "Person"
    TIMELINESS "结论" "Label"

    // Between words.
    COLON "：" ": "
    COMMA "，" ", "
    LIST_COMMA "、" ", "

    // Columns.
    RECORD "记录标识" "Record"
    BUSINESS_NO "业务编号" "Number"
    TYPE "类型" "Type"
    TITLE "名称" "Title"
    DIVISION_CODE "区划代码" "Division code"
    DIVISION "区划" "Division"
    STATE "状态" "State"
    STANDING "到达程度" "Standing"
    CREATED "登记时间" "Made"
    UPDATED "最近变更" "Changed"
    REMARKS "提示" "Remarks"
    CONFLICTS "待裁定" "Conflicts"
    PROBLEMS "待更正" "Problems"
    FIELD "字段" "Field"
    PATH "字段路径" "Path"
    VALUE "内容" "Value"
    NUMBER "编号" "No."
    ITEM "标识" "Id"
    BY "经办人" "By"
    ROLE "角色" "Role"
    OFFICE "机构" "Office"
    AT "所称时间" "Claimed"
    INTERVAL "见证区间" "Borne out"
    FROM "从" "From"
    TO "到" "To"
    ACTION "办理" "Step"
    REASON "原因" "Reason"
    VERDICT "判定" "Verdict"
    CHANGES "变更内容" "Changes"
    OPERATOR "经办人" "Person"
    ON_ROSTER "在名册上" "On the roster"
    SIGNED_IN "已登录" "Signed in"
    PERSON_KEY "个人密钥" "Key"
    COST_OF_A_TRY "口令保护" "Passphrase"
    YES "是" "yes"
    NO "否" "no"
    FOR "代" "for "
    CODE "代码" "Code"
    NAME "名称" "Name"
    VERSION "版本" "Version"
    HASH "定义摘要" "Hash"
    FIELDS "字段" "Fields"
    STATES "状态" "States"
    STEPS "办理步骤" "Steps"
    LEDGERS "台账" "Ledgers"
    KIND "填写方式" "Kind"
    REQUIRED "必填" "Required"
    CHOICES "可选值" "Choices"
    SENSITIVITY "个人信息" "Personal"
    READERS "谁可见" "Readers"
    WHO "谁可办理" "Who"
    DEADLINE "时限" "Time limit"
    COLUMNS "列" "Columns"
    CODE_LISTS "代码表" "Code lists"
    SPACE "共享空间" "Space"
    VIEW_DIGEST "视图摘要" "View digest"
    HEADER_DIGEST "条目摘要" "Header digest"
    RECORDS "记录数" "Records"
    ENTRIES "条目数" "Entries"
    LOGS "日志数" "Logs"
    WHAT "说明" "What"
    ROW "行" "Row"
    CELL "单元格" "Cell"
    HEARD "最近联系" "Heard"
    CONNECTION "连接" "Connection"
    CONNECTED "已连接" "connected"
    NOT_CONNECTED "未连接" "not connected"
    NEVER "从未" "never"
    ADDRESS "地址" "Address"
    KEY "节点密钥" "Node key"

    // Sections of a record.
    CONTENT "内容" "Content"
    STEPS_TAKEN "办理经过" "Steps taken"
    STEPS_NEXT "下一步可办理" "What can follow"
    OVERRULED "（已被更高层级的办理取代）" " (overruled by a higher level)"
    TERMINAL "终结" "final"
    SEALED "密封：本机构不保存内容" "sealed: no contents here"
    SHOWN_NOW "目前显示" "shown"

    // Record types.
    ALWAYS "必填" "always"
    OPTIONAL "" ""
    FIRST_STEP "新建" "new"
    NEEDS_REASON "须写明原因" "reason needed"
    PI_1 "工作信息" "work contact"
    PI_2 "个人信息" "personal"
    PI_3 "敏感" "sensitive"

    // Kinds of fields.
    KIND_STR "一行文字" "text"
    KIND_TEXT "多行文字" "long text"
    KIND_INT "整数" "count"
    KIND_DEC "小数" "decimal"
    KIND_MONEY "金额" "amount"
    KIND_BOOL "是/否" "yes/no"
    KIND_DATE "日期" "date"
    KIND_DATETIME "日期时间" "date and time"
    KIND_ENUM "选一项" "one of"
    KIND_ENUM_MANY "选多项" "some of"
    KIND_DIVISION "区划代码" "division code"
    KIND_ID "证件号码" "ID number"
    KIND_CREDIT "统一社会信用代码" "credit code"
    KIND_PHONE "电话" "telephone"
    KIND_GEO "经纬度" "coordinates"
    KIND_HASH "文件摘要" "file hash"
    KIND_REF "引用" "reference"
    KIND_GROUP "分组" "group"
    KIND_LIST "清单" "list"
    COMPUTED "自动计算" "computed"
}

/// How far a record has travelled, in English; the node says it in Chinese.
pub(crate) fn standing_en(zh: &str) -> Option<&'static str> {
    Some(match zh {
        "仅存本机" => "only here",
        "乡镇已收" => "township has it",
        "县已收到" => "county has it",
        "县已见证" => "county witnessed",
        "县级记录" => "county record",
        "待补" => "incomplete",
        "有争议" => "disputed",
        "无效" => "void",
        _ => return None,
    })
}

/// A verdict's word.
pub(crate) fn verdict(code: &str) -> Option<Word> {
    Some(match code {
        "admitted" => Word { zh: "有效", en: "admitted" },
        "sealed" => Word { zh: "密封", en: "sealed" },
        "waiting" => Word { zh: "等待", en: "waiting" },
        "refused" => Word { zh: "未采纳", en: "refused" },
        _ => return None,
    })
}

/// A level of `vis`, or the person concerned, or the public.
pub(crate) fn reader(letter: char) -> Option<Word> {
    Some(match letter {
        'V' => Word { zh: "村", en: "village" },
        'T' => Word { zh: "乡镇", en: "township" },
        'C' => Word { zh: "县", en: "county" },
        'S' => Word { zh: "本人", en: "person concerned" },
        'P' => Word { zh: "公开", en: "public" },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_in_the_wrong_language() {
        let han = |text: &str| text.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
        for word in ALL {
            assert!(!han(word.en), "{word:?}");
            assert!(han(word.zh) || word.zh.chars().all(|c| !c.is_ascii_alphabetic()), "{word:?}");
        }
    }
}
