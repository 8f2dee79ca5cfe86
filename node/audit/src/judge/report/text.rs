//! The report for people: Chinese first, English beside it. Every line is ours; what others chose stands
//! in it spelled out and cut to a bounded length.

use xw_schemas::record::Lang;

use super::{CompletenessVerdict, Report, RestingOn, Severity, Verdict};
use crate::heads::{Compared, OFFICES_ADVISED};
use crate::judge::asked::EntryVerdict;
use crate::pack::Give;
use crate::plain::{line, plain};
use crate::words;

/// Reasons shown of a statement; the JSON has all.
const REASONS_SHOWN_MAX: usize = 20;

/// What has been said so far.
struct Text(String);

impl Text {
    /// A line with its head; an empty one continues the line above.
    fn say(&mut self, head: &str, what: &str) {
        let wide: usize = head.chars().map(|c| if c.is_ascii() { 1 } else { 2 }).sum();
        let blanks = " ".repeat(HEAD_COLUMNS.saturating_sub(wide));
        self.0.push_str(&line(&format!("{head}{blanks}{what}")));
        self.0.push('\n');
    }
}

/// Columns of a line's head; a Chinese character takes two.
const HEAD_COLUMNS: usize = 18;

impl Report {
    /// The report for people.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = Text(String::new());
        self.say_pack(&mut out);
        self.say_counts(&mut out);
        self.say_completeness(&mut out);
        for proven in &self.proven {
            let (body, entry, record) = (proven.body, proven.entry, proven.record);
            let head = format!("正文 body {body}");
            out.say(&head, &format!("与条目 {entry} 相符（记录 {record}）/ matches this entry"));
        }
        for entry in &self.entries {
            say_entry(&mut out, "条目 entry", entry);
        }
        for receipt in &self.receipts {
            out.say("回执 receipt", &format!("{} / {}", receipt.zh, receipt.en));
            if let Some(entry) = &receipt.told {
                say_entry(&mut out, "", entry);
                out.say("", "请与纸面逐项核对，纸上文字本身不受保护 / compare each with the paper");
            }
        }
        self.say_findings(&mut out);
        out.say("结论 verdict", self.verdict.words());
        out.0
    }

    fn say_pack(&self, out: &mut Text) {
        out.say("网络 network", &self.network.to_string());
        let known = match self.network_known {
            Some(true) => "与所给标识一致 / the one you named",
            Some(false) => "与所给标识不一致 / NOT the one you named",
            None => "未与公布的标识核对（--network）/ not compared",
        };
        out.say("", known);
        let roster = &self.roster;
        let (number, newest) = (roster.number, words::minute(roster.newest_ms));
        out.say(
            "名册 roster",
            &format!("第 {number} 版，最新版次 {newest}（所称）/ number, newest edition"),
        );
        out.say("", &format!("状态 state {}", roster.state));
        let known = match roster.known {
            Some(true) => "与所给状态一致 / the one you named",
            Some(false) => "与所给状态不一致 / NOT the one you named",
            None => {
                "未与现行名册核对（--roster-state），旧名册看不出来 / not compared; it may be old"
            }
        };
        out.say("", known);
        out.say("范围 scope", &plain(&self.scope_zh));
        let whole = self.spaces.iter().filter(|space| space.whole).count();
        let extracts = self.spaces.len() - whole;
        out.say("", &format!("完整空间 whole spaces {whole}，摘录 extracts {extracts}"));
        let bodies = match self.bodies {
            Give::Nothing => "不含正文（密封）/ none, sealed",
            Give::Level(_) => "含按记录类型可给的正文 / those that the maker's level may give",
            Give::All => "含全部正文 / all",
        };
        out.say("正文 bodies", bodies);
        let office = self.by_office.as_deref().map_or_else(nobody, plain);
        let made = words::minute(self.made_ms);
        out.say("制作 made by", &format!("{office}，{made}（所称）"));
    }

    fn say_counts(&self, out: &mut Text) {
        let c = &self.counts;
        out.say(
            "核验 checked",
            &format!(
                "{} 个文件，{} 个日志，{} 个条目，{} 个签名，{} 份证明，{} 件记录",
                c.files, c.logs, c.entries, c.signatures, c.proofs, c.records
            ),
        );
        out.say(
            "",
            &format!(
                "{} files, {} logs, {} entries, {} signatures, {} proofs, {} records",
                c.files, c.logs, c.entries, c.signatures, c.proofs, c.records
            ),
        );
        out.say(
            "记录 records",
            &format!(
                "密封 sealed {}，未采纳条目 refused {}，尚未见证 unwitnessed {}，补录 late {}",
                c.sealed, c.refused, c.unwitnessed, c.late
            ),
        );
    }

    fn say_completeness(&self, out: &mut Text) {
        match &self.completeness {
            None => out.say("完整 complete", "包内没有完整性声明 / no statement of completeness"),
            Some(verdict) => self.say_verdict(out, verdict),
        }
        for compared in &self.statements {
            say_compared(out, compared);
        }
        if let Some(CompletenessVerdict { resting_on: RestingOn::Offices { count, .. }, .. }) =
            &self.completeness
        {
            let said = |lang| words::compared_with(*count, OFFICES_ADVISED, lang);
            out.say("核对 compared", &format!("{} / {}", said(Lang::Zh), said(Lang::En)));
        }
    }

    fn say_verdict(&self, out: &mut Text, verdict: &CompletenessVerdict) {
        let holds = verdict.checked && self.verdict != Verdict::Findings;
        out.say("完整 complete", &verdict.words(holds));
        let reasons = verdict.reasons_zh.iter().zip(&verdict.reasons_en);
        for (zh, en) in reasons.take(REASONS_SHOWN_MAX) {
            out.say("", &format!("· {} / {}", plain(zh), plain(en)));
        }
        let more = verdict.reasons_zh.len().saturating_sub(REASONS_SHOWN_MAX);
        if more > 0 {
            out.say("", &format!("· 另有 {more} 条理由 / more reasons"));
        }
    }

    fn say_findings(&self, out: &mut Text) {
        for finding in &self.findings {
            let mark = match finding.severity {
                Severity::Error => "错误 ERROR",
                Severity::Warning => "注意 WARNING",
                Severity::Note => "说明 NOTE",
            };
            out.say(mark, &format!("[{}] {} / {}", finding.code, finding.zh, finding.en));
            let about = [plain(&finding.place), plain(&finding.detail)].join("  ");
            if !about.trim().is_empty() {
                out.say("", about.trim());
            }
        }
        if self.more_findings > 0 {
            out.say("", &format!("另有 {} 条未列出 / more not listed", self.more_findings));
        }
    }
}

impl Verdict {
    fn words(self) -> &'static str {
        match self {
            Self::Sound => "可信：未发现问题 / SOUND: nothing wrong was found",
            Self::Consistent => {
                "自洽，但未与公布的网络标识核对，不能认定属于本县 / CONSISTENT, but not compared with a \
                 published network id: it may be of an invented county"
            }
            Self::Findings => "有问题，见上 / NOT SOUND, see above",
        }
    }
}

impl CompletenessVerdict {
    /// What is said of it; `holds` when every check was made anew and nothing stands against the pack.
    fn words(&self, holds: bool) -> String {
        let until = self.up_to_ms.map(words::minute);
        if !holds {
            return if self.complete {
                "声明称没有遗漏，但本包不能证实 / stated, but this pack does not bear it out"
            } else {
                "声明未断言没有遗漏 / not stated, and not checkable from this pack"
            }
            .to_owned();
        }
        match (self.complete, until, self.resting_on) {
            (false, None, _) => {
                "不能断言没有遗漏 / that nothing is missing cannot be said".to_owned()
            }
            (complete, until, RestingOn::Maker) => {
                let until = until.filter(|_| !complete).map_or_else(String::new, until_words);
                format!(
                    "{until}制作者称没有遗漏：日志已逐项核验，但它与各机构核对的时间只凭其自述，无法核验 / \
                     on the maker's word: the logs were checked anew, when it compared with whom cannot \
                     be; bring statements of other offices (--statement)"
                )
            }
            (complete, until, RestingOn::Offices { count, up_to_ms }) => {
                let until = until.filter(|_| !complete).map_or_else(String::new, until_words);
                format!(
                    "{until}没有遗漏（已逐项核验，另有 {count} 个机构声明至 {} 无缺，且与之一致）/ \
                     nothing is missing: checked anew and borne out by {count} other offices",
                    words::minute(up_to_ms)
                )
            }
        }
    }
}

fn until_words(until: String) -> String {
    format!("截至 {until} ")
}

fn nobody() -> String {
    "不在名册上 / not on the roster".to_owned()
}

fn say_compared(out: &mut Text, compared: &Compared) {
    let office = compared.office.as_deref().map_or_else(nobody, plain);
    let (zh, en) = compared.words();
    let (stated, agrees) = (words::minute(compared.stated_ms), compared.agrees);
    out.say("声明 statement", &format!("{office}，{stated}（所称）"));
    out.say("", &format!("{zh}（一致 {agrees} 处）/ {en}"));
}

fn say_entry(out: &mut Text, head: &str, entry: &EntryVerdict) {
    let office = entry.office.as_deref().map_or_else(nobody, plain);
    let time = |time: Option<u64>| time.map_or_else(|| "—".to_owned(), words::minute_s);
    out.say(head, &format!("{} {}", entry.entry, words::standing(entry.standing)));
    out.say(
        "",
        &format!("登记机构 office {office}，日志 log {} 第 {} 号", entry.log, entry.number),
    );
    if let Some(record) = &entry.record {
        let matter = entry.matter.as_deref().map_or_else(|| "—".to_owned(), plain);
        out.say("", &format!("事项 matter {matter}，记录号 record {record}"));
    }
    out.say(
        "",
        &format!(
            "所称 claimed {}，乡镇见证 township {}，县见证 county {}",
            words::minute(entry.claimed_time_ms),
            time(entry.township_s),
            time(entry.county_s)
        ),
    );
    if entry.witnesses_differ {
        out.say(
            "",
            "两级见证时间相差超过 10 分钟 / the two witnesses' clocks differ by 10 minutes or more",
        );
    }
}
