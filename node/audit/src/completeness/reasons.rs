//! What stands against a statement that nothing is missing, each with its sentence.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use xw_schemas::id::{EntryId, LogId};

use super::{LogState, OfficeState, Question, is_pending};
use crate::holdings::Holdings;
use crate::words;

/// One reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Reason {
    /// Stable name.
    pub code: String,
    /// For a Chinese reader.
    pub zh: String,
    /// For an English reader.
    pub en: String,
    /// The log concerned.
    pub log: Option<LogId>,
    /// The office concerned.
    pub office: Option<u32>,
}

impl Reason {
    /// Whether it stands against the end of the period alone: what is held may still be whole up to
    /// an earlier moment.
    #[must_use]
    pub fn is_of_the_period(&self) -> bool {
        self.code == "heard-before-the-end"
    }
}

/// All reasons, in the order of logs and offices.
pub(super) fn all(
    holdings: &Holdings,
    question: &Question,
    logs: &[LogState],
    lost: &BTreeMap<LogId, BTreeSet<(Option<u64>, EntryId)>>,
    offices: &[OfficeState],
) -> Vec<Reason> {
    let mut reasons = Vec::new();
    of_the_asker(holdings, question, &mut reasons);
    for log in logs {
        of_a_log(holdings, log, &mut reasons);
    }
    for log in lost.keys() {
        let (zh, en) = (
            "已知存在此日志，但本机没有它的开头",
            "this log is known to exist and its opening is not held",
        );
        reasons.push(reason("log-missing", zh, en, Some(*log), None));
    }
    for office in offices {
        of_an_office(question, office, &mut reasons);
    }
    reasons
}

fn reason(code: &str, zh: &str, en: &str, log: Option<LogId>, office: Option<u32>) -> Reason {
    Reason { code: code.to_owned(), zh: zh.to_owned(), en: en.to_owned(), log, office }
}

/// Whether the answering node can know at all.
fn of_the_asker(holdings: &Holdings, question: &Question, reasons: &mut Vec<Reason>) {
    let roster = holdings.roster();
    let mut push = |code, zh, en| reasons.push(reason(code, zh, en, None, None));
    let office = roster.node_office(&question.by);
    if office.is_none_or(|office| !office.division.covers(question.division)) {
        push(
            "not-its-area",
            "出具机构不在该区划之上，看不到其全部日志",
            "the answering office does not stand above the division and does not get all of its logs",
        );
    }
    if roster.cut(&question.by).is_some() {
        push("asker-cut", "出具节点的密钥已被吊销", "the answering node's key is revoked");
    }
    if roster.is_frozen() {
        push(
            "roster-frozen",
            "名册出现两个互相矛盾的版次，在根密钥裁定之前不能断言完整",
            "two roster editions contradict each other; nothing can be called complete until root decides",
        );
    }
    if !roster.rules_are_known() {
        push(
            "rules-unknown",
            "本程序不认识名册规定的规则版本",
            "the roster names rules that this program does not know",
        );
    }
    if question.to_ms > question.now_ms {
        push("not-over", "所问时段尚未结束", "the period is not over yet");
    }
}

fn of_a_log(holdings: &Holdings, log: &LogState, reasons: &mut Vec<Reason>) {
    let name = log.office.clone().unwrap_or_else(|| log.node.short());
    let mut push = |code, zh: String, en: String| {
        reasons.push(reason(code, &zh, &en, Some(log.log), None));
    };
    for (number, ids) in &log.forks {
        push(
            "fork",
            format!("{name}的日志在第 {number} 号分叉，有 {} 个不同条目", ids.len()),
            format!("the log forks at number {number}: {} different entries", ids.len()),
        );
    }
    for (number, id) in &log.missing {
        let (zh, en) = match number {
            Some(number) => (format!("第 {number} 号"), format!("number {number}")),
            None => ("某条".to_owned(), "an entry".to_owned()),
        };
        push(
            "entry-missing",
            format!("{name}：已知存在{zh}条目 {}，但本机没有", id.short()),
            format!("{en} ({}) is known to exist and is not held", id.short()),
        );
    }
    if is_pending(holdings, log) {
        push(
            "cut-pending",
            format!("{name}的密钥已吊销，但吊销所保留的条目本机还没有"),
            "the author's key is revoked and the entry that the cut keeps is not held".to_owned(),
        );
    }
}

fn of_an_office(question: &Question, office: &OfficeState, reasons: &mut Vec<Reason>) {
    let name = &office.name;
    let mut push = |code, zh: String, en: &str| {
        reasons.push(reason(code, &zh, en, None, Some(office.office)));
    };
    // What a revoked node has kept to itself counts for nothing; nobody waits for it. What its cut
    // keeps must be held, and is a reason of its log or of a missing one.
    if office.cut {
        return;
    }
    // Who was heard and has no log has written nothing.
    if office.logs == 0 && office.heard_ms.is_none() {
        push(
            "no-log",
            format!("名册上的{name}在本区划没有任何日志；可能从未启用，也可能全部缺失"),
            "no log of this office is held: it may never have written, or all of it is missing",
        );
    }
    match office.heard_ms {
        None => push(
            "never-heard",
            format!("从未与{name}核对过，无法断言没有遗漏"),
            "this office was never compared with: that nothing is missing cannot be said",
        ),
        Some(heard) if heard < question.to_ms => push(
            "heard-before-the-end",
            format!("最后一次与{name}核对一致是 {}，早于时段结束", words::minute(heard)),
            "this office was last found equal before the end of the period",
        ),
        Some(_) => {}
    }
}
