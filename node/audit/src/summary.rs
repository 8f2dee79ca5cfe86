//! The page that a person opens first: what the pack is about and what its records say, in Chinese,
//! on one self-contained page that prints. Escapes everything it did not write itself.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use xw_ledger::judge::Definitions;
use xw_ledger::roster::Roster;
use xw_ledger::verdict::VerdictKind;
use xw_schemas::record::{Field, Kind, RecordType, SchemaHash};

use crate::completeness::Completeness;
use crate::pack::{Give, Manifest};
use crate::readable::{FieldTold, Readable};
use crate::words;

/// Records told in full on the page; a page of a thousand pages is read by nobody.
const TOLD_MAX: usize = 100;

/// Records listed by a line each.
const LISTED_MAX: usize = 2_000;

/// Reasons shown of a statement of completeness.
const REASONS_SHOWN_MAX: usize = 200;

/// Text of one cell, in characters; the JSON beside the page has all of it.
const CELL_CHARS_MAX: usize = 2_000;

const STYLE: &str = "body{font-family:'Songti SC','SimSun','Noto Serif CJK SC',serif;\
max-width:60em;margin:2em auto;padding:0 1em;line-height:1.6;color:#111}\
h1{font-size:1.5em}h2{font-size:1.2em;border-bottom:1px solid #999;margin-top:2em}\
h3{font-size:1em;margin:1.2em 0 .3em}table{border-collapse:collapse;width:100%;font-size:.92em}\
th,td{border:1px solid #bbb;padding:.2em .5em;text-align:left;vertical-align:top;\
overflow-wrap:anywhere}th{background:#f3f3f3;font-weight:600;white-space:nowrap}\
code{font-size:.85em;overflow-wrap:anywhere}.note{color:#555;font-size:.9em}\
@media print{body{margin:0;max-width:none}h2{page-break-after:avoid}tr{page-break-inside:avoid}}";

/// Gathers what the page tells of the records, one after another.
#[derive(Debug, Default)]
pub struct Summary {
    told: String,
    listed: String,
    count: usize,
    by_type: BTreeMap<(String, String), u64>,
}

/// Text made harmless in HTML.
#[must_use]
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            // Direction marks could make a page read otherwise than it is written.
            c if crate::plain::acts(c) && c != '\n' => {}
            c => out.push(c),
        }
    }
    out
}

/// The frame of a page: title, style, no script and nothing from elsewhere.
#[must_use]
pub fn page(title: &str, body: &str) -> String {
    format!(
        "<!DOCTYPE html>\n<html lang=\"zh-CN\"><head><meta charset=\"utf-8\">\
         <meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; \
         style-src 'unsafe-inline'; img-src data:\">\
         <title>{title}</title><style>{STYLE}</style></head><body>\n{body}</body></html>\n",
        title = escape(title)
    )
}

impl Summary {
    /// Adds a record; `definitions` tell the order of its form.
    pub fn add(&mut self, record: &Readable, definitions: &Definitions) {
        self.count += 1;
        let (kind, state) = (record.type_zh.clone(), record.state_zh.clone());
        *self.by_type.entry((kind, state)).or_default() += 1;
        if self.count <= LISTED_MAX {
            let cells = [
                &record.record.to_string(),
                &record.type_zh,
                &record.state_zh,
                record.standing_zh,
                &time(record.created_ms),
                &time(record.updated_ms),
            ];
            row(&mut self.listed, "td", &cells);
        }
        if self.count <= TOLD_MAX {
            tell(&mut self.told, record, &Form::of(record, definitions));
        }
    }

    /// The page.
    #[must_use]
    pub fn html(
        &self,
        manifest: &Manifest,
        roster: &Roster,
        statement: Option<&Completeness>,
    ) -> String {
        let mut body = String::from("<h1>乡网证据包摘要</h1>\n");
        body.push_str(
            "<p class=\"note\">本页只供阅读，不是证据。是否真实、是否完整，以 xw-verify 对本包的核验结果为准。\
             <br>This page is for reading only; xw-verify says whether the pack is sound.</p>\n",
        );
        head(&mut body, manifest, roster);
        if let Some(statement) = statement {
            complete(&mut body, statement);
        }
        body.push_str("<h2>记录</h2>\n<table>");
        row(&mut body, "th", &["类型", "状态", "件数"]);
        for ((kind, state), count) in &self.by_type {
            row(&mut body, "td", &[kind, state, &count.to_string()]);
        }
        body.push_str("</table>\n<table>");
        row(&mut body, "th", &["记录号", "类型", "状态", "见证程度", "所称创建", "所称更新"]);
        body.push_str(&self.listed);
        body.push_str("</table>\n");
        if self.count > TOLD_MAX {
            let _ = writeln!(
                body,
                "<p class=\"note\">共 {} 件，以下详列前 {TOLD_MAX} 件；全部内容见 records 文件夹。</p>",
                self.count
            );
        }
        body.push_str(&self.told);
        page("乡网证据包摘要", &body)
    }
}

fn head(body: &mut String, manifest: &Manifest, roster: &Roster) {
    let scope = words::scope(&manifest.scope, roster);
    let bodies = match manifest.bodies {
        Give::Nothing => "不含正文（密封）",
        Give::Level(_) => "含按记录类型可给的正文",
        Give::All => "含全部正文",
    };
    let by =
        roster.node_office(&manifest.by).map_or("（不在名册上）", |office| &office.name);
    let logs: Vec<String> = manifest
        .spaces
        .iter()
        .map(|space| {
            let whole = if space.whole { "全部日志" } else { "摘录及其证明" };
            format!(
                "{}・{}：{whole}",
                words::place(roster, space.space.division),
                words::audience(space.space.audience)
            )
        })
        .collect();
    body.push_str("<table>");
    for (name, value) in [
        ("范围", scope),
        ("制作机构", by.to_owned()),
        ("制作时间（所称）", words::minute(manifest.made_ms)),
        ("正文", bodies.to_owned()),
        ("日志", logs.join("\n")),
        ("记录数", manifest.records.to_string()),
        ("名册版次", manifest.roster_number.to_string()),
        ("名册状态", manifest.roster.to_string()),
        ("网络标识", manifest.network.to_string()),
        ("制作节点", manifest.by.to_string()),
    ] {
        line(body, name, &value);
    }
    body.push_str(
        "</table>\n<p>请将网络标识与县里公布的标识逐字核对：不一致即不是本县的证据包；未核对之前，不能认定本包属于本县。\
         名册版次可能已旧，请一并核对。</p>\n",
    );
}

fn complete(body: &mut String, statement: &Completeness) {
    body.push_str("<h2>完整性声明</h2>\n");
    let verdict = match (statement.complete, statement.complete_up_to_ms) {
        (true, _) => "制作机构声明：所问时段内没有遗漏。".to_owned(),
        (false, Some(up_to)) => format!("制作机构声明：截至 {} 没有遗漏。", words::minute(up_to)),
        (false, None) => "不能断言没有遗漏，理由如下。".to_owned(),
    };
    let _ = write!(
        body,
        "<p>{}</p>\n<p class=\"note\">它何时与哪些机构核对过，只凭其自述，无法由本包核验；请向其他机构索取声明，\
         用 xw-verify --statement 与本包核对。</p>\n<table>",
        escape(&verdict)
    );
    row(body, "th", &["机构", "空间", "持有", "乡镇见证至", "县见证至", "分叉"]);
    for log in &statement.logs {
        let receipt = |receipt: &Option<crate::completeness::Receipt>| match receipt {
            None => "—".to_owned(),
            Some(held) => format!("第 {} 号，{}", held.size - 1, words::minute_s(held.time_s)),
        };
        let cells = [
            log.office.clone().unwrap_or_else(|| log.node.short()),
            log.space.to_string(),
            format!("第 {} 至 {} 号", log.from, log.to),
            receipt(&log.township),
            receipt(&log.county),
            log.forks.len().to_string(),
        ];
        row(body, "td", &cells);
    }
    body.push_str("</table>\n");
    if !statement.reasons.is_empty() {
        body.push_str("<ul>");
        for reason in statement.reasons.iter().take(REASONS_SHOWN_MAX) {
            let _ = write!(body, "<li>{}</li>", escape(&reason.zh));
        }
        body.push_str("</ul>\n");
    }
}

fn tell(out: &mut String, record: &Readable, form: &Form) {
    let _ = write!(
        out,
        "<h2>{} {}</h2>\n<p>{} · {} · {}</p>\n",
        escape(&record.type_zh),
        record.record,
        escape(record.division_zh.as_deref().unwrap_or_default()),
        escape(&record.state_zh),
        record.standing_zh,
    );
    if let Some(erased) = &record.erased {
        let people: Vec<&str> = erased.people_zh.iter().flatten().map(String::as_str).collect();
        let said = format!("内容已依法删除（{}），由{}决定。", erased.ground_zh, people.join("、"));
        let _ = writeln!(out, "<p>{}</p>", escape(&said));
    } else if record.sealed {
        out.push_str("<p>正文未随包提供：签名与时间仍可核验，内容不可见。</p>\n");
    }
    contents(out, record, form);
    steps(out, record);
    out.push_str("<h3>条目</h3><table>");
    row(out, "th", &["号", "签名人", "机构", "所称时间", "首次见证", "判定", "见证程度", "条目"]);
    for entry in &record.entries {
        let first = [entry.township_s, entry.county_s].into_iter().flatten().min();
        let verdict = match entry.verdict {
            Some(VerdictKind::Admitted) => "采纳".to_owned(),
            Some(VerdictKind::Sealed) => "密封".to_owned(),
            Some(VerdictKind::Erased) => "内容已删除".to_owned(),
            Some(VerdictKind::Waiting) => "待补".to_owned(),
            Some(VerdictKind::Refused) => {
                let reason = entry.reason.rsplit('|').next().unwrap_or_default();
                format!("不予采纳：{reason}")
            }
            None => "—".to_owned(),
        };
        let cells = [
            &entry.number.to_string(),
            entry.person_zh.as_deref().unwrap_or_default(),
            entry.office_zh.as_deref().unwrap_or_default(),
            &entry.claimed_time,
            &first.map_or_else(|| "—".to_owned(), words::minute_s),
            &verdict,
            entry.standing_zh,
            &entry.entry.to_string(),
        ];
        row(out, "td", &cells);
    }
    out.push_str("</table>\n");
}

fn contents(out: &mut String, record: &Readable, form: &Form) {
    if !record.fields.is_empty() {
        out.push_str("<h3>内容</h3>");
        table(out, form.sorted(&record.fields, ""));
    }
    for list in &record.lists {
        let _ = write!(out, "<h3>{}</h3>", escape(&list.zh));
        let above = format!("{}.", list.path);
        list.items.iter().for_each(|item| table(out, form.sorted(&item.fields, &above)));
    }
    if !record.conflicts.is_empty() {
        out.push_str("<h3>有冲突的值</h3><table>");
        for conflict in &record.conflicts {
            let values: Vec<&str> =
                conflict.values.iter().map(|value| value.shown.as_str()).collect();
            line(out, &conflict.zh, &values.join(" / "));
        }
        out.push_str("</table>\n");
    }
}

fn table(out: &mut String, fields: Vec<&FieldTold>) {
    out.push_str("<table>");
    fields.into_iter().for_each(|field| line(out, &field.zh, &field.shown));
    out.push_str("</table>\n");
}

/// Where each field stands on the form.
struct Form(BTreeMap<String, usize>);

impl Form {
    fn of(record: &Readable, definitions: &Definitions) -> Self {
        let wanted = record.schema.as_deref().and_then(SchemaHash::from_hex);
        let mut form = Self(BTreeMap::new());
        if let Some(rt) = wanted.and_then(|wanted| definitions.get(&wanted)) {
            form.walk(rt, &rt.fields, "");
        }
        form
    }

    /// A definition that was read is bounded in depth and number.
    fn walk(&mut self, rt: &RecordType, fields: &[Field], above: &str) {
        for field in fields {
            let path = format!("{above}{}", field.name);
            self.0.insert(path.clone(), self.0.len());
            if let Kind::Struct { name } | Kind::List { of: name } = &field.kind
                && let Some(inner) = rt.structs.get(name)
            {
                self.walk(rt, &inner.fields, &format!("{path}."));
            }
        }
    }

    /// Fields in the order of the form, those that it does not know behind.
    fn sorted<'f>(&self, fields: &'f [FieldTold], above: &str) -> Vec<&'f FieldTold> {
        let mut sorted: Vec<&FieldTold> = fields.iter().collect();
        sorted.sort_by_key(|field| {
            let full = format!("{above}{}", field.path);
            self.0.get(&full).copied().unwrap_or(usize::MAX)
        });
        sorted
    }
}

fn steps(out: &mut String, record: &Readable) {
    if record.steps.is_empty() {
        return;
    }
    out.push_str("<h3>办理经过</h3><table>");
    row(out, "th", &["所称时间", "从", "到", "角色", "办理人", "机构", "原因"]);
    for step in &record.steps {
        let overruled = if step.overruled { "（被上级步骤取代）" } else { "" };
        let cells = [
            step.claimed_time.as_deref().unwrap_or_default(),
            &step.from_zh,
            &format!("{}{overruled}", step.to_zh),
            &step.role_zh,
            step.by.as_deref().unwrap_or_default(),
            step.office.as_deref().unwrap_or_default(),
            &step.reason,
        ];
        row(out, "td", &cells);
    }
    out.push_str("</table>\n");
}

fn row<T: AsRef<str>>(out: &mut String, tag: &str, cells: &[T]) {
    out.push_str("<tr>");
    for cell in cells {
        let short: String = cell.as_ref().chars().take(CELL_CHARS_MAX).collect();
        let _ = write!(out, "<{tag}>{}</{tag}>", escape(&short).replace('\n', "<br>"));
    }
    out.push_str("</tr>\n");
}

fn line(out: &mut String, name: &str, value: &str) {
    let short: String = value.chars().take(CELL_CHARS_MAX).collect();
    let value = escape(&short).replace('\n', "<br>");
    let _ = writeln!(out, "<tr><th>{}</th><td>{value}</td></tr>", escape(name));
}

fn time(ms: Option<u64>) -> String {
    ms.map_or_else(|| "—".to_owned(), words::minute)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_people_typed_becomes_markup() {
        let evil = "<script>alert('村')</script>\u{202e}\"&";
        assert_eq!(escape(evil), "&lt;script&gt;alert(&#39;村&#39;)&lt;/script&gt;&quot;&amp;");
        let mut out = String::new();
        row(&mut out, "td", &[evil]);
        line(&mut out, evil, evil);
        out += &page(evil, "");
        assert!(!out.contains("<script") && !out.contains("('") && !out.contains('\u{202e}'));
    }
}
