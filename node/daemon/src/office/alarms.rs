//! What somebody should look into: an office above that does not say that it has what it was given,
//! offices that have fallen silent, PCs that are put back again and again, rules that this program
//! does not know. Told in the status; stops nothing but what other modules stop.

use std::collections::BTreeMap;

use serde_json::{Value as Json, json};
use xw_schemas::id::PublicKey;
use xw_schemas::space::Tier;
use xw_store::Unreceipted;

use super::Office;
use super::incarnation::{ROLLBACK_DAYS, ROLLBACKS_MAX};
use crate::clock;
use crate::trouble::{Answer, Trouble};

/// Milliseconds of a day.
const DAY_MS: u64 = 86_400_000;

/// Days without a receipt, or without news, after which people are told.
const PATIENCE_DAYS: u64 = 7;

/// Offices named in one sentence; the rest is counted.
const NAMED_MAX: usize = 5;

impl Office {
    /// Answers a list of `{kind, zh, en, …}`, the gravest first.
    pub(super) fn alarms(&self) -> Answer<Vec<Json>> {
        let mut alarms = Vec::new();
        if let Err(trouble) = self.refuse_unknown_rules() {
            alarms.push(json!({"kind": "rules", "zh": trouble.zh, "en": trouble.en}));
        }
        let now_ms = clock::now_ms();
        let missing = self.store.unreceipted(&self.own_key(), now_ms, PATIENCE_DAYS * DAY_MS)?;
        let mut by_office: BTreeMap<(PublicKey, Tier), Vec<Unreceipted>> = BTreeMap::new();
        for one in missing {
            by_office.entry((one.node, one.by)).or_default().push(one);
        }
        alarms.extend(
            by_office.iter().map(|((node, by), logs)| self.no_receipt(*node, *by, logs, now_ms)),
        );
        let since_ms = now_ms.saturating_sub(ROLLBACK_DAYS * DAY_MS);
        let logs_min = u32::try_from(ROLLBACKS_MAX).unwrap_or(u32::MAX);
        for restless in self.store.restless(since_ms, logs_min)? {
            if restless.node != self.own_key() {
                alarms.push(self.put_back(restless.node, restless.logs));
            }
        }
        alarms.extend(self.silent(now_ms)?);
        Ok(alarms)
    }

    /// Refuses what needs rows or rules while the roster names rules that this program does not
    /// know: what it would show or write could be wrong. It goes on storing and handing on.
    pub(crate) fn refuse_unknown_rules(&self) -> Answer<()> {
        let roster = self.store.roster();
        if roster.rules_are_known() {
            return Ok(());
        }
        let (named, known) = (roster.rules(), xw_ledger::roster::RULES_VERSION);
        Err(Trouble::new(
            "rules",
            format!(
                "名册规定使用第 {named} 版规则，本程序只认识第 {known} 版。为避免显示或写入错误的内容，已停止查看和办理，接收、转发和见证照常进行。请升级本程序（向县级管理员索取新版本）"
            ),
            format!(
                "the roster names rules {named}, and this program knows {known}; it stores, hands on and witnesses, and shows and writes nothing; install the newer program"
            ),
        ))
    }

    fn no_receipt(&self, node: PublicKey, by: Tier, logs: &[Unreceipted], now_ms: u64) -> Json {
        let entries: u64 = logs.iter().map(|log| log.entries).sum();
        let since_ms = logs.iter().map(|log| log.since_ms).min().unwrap_or(now_ms);
        let heard_ms = logs.iter().map(|log| log.heard_ms).max().unwrap_or(0);
        let (days, heard) = (now_ms.saturating_sub(since_ms) / DAY_MS, clock::minute(heard_ms));
        let whose = self.office_name(&node);
        let (zh_by, en_by) = match by {
            Tier::County => ("县", "the county"),
            Tier::Township | Tier::Village => ("乡镇", "the township"),
        };
        let (zh_do, en_do) = if node == self.own_key() {
            (
                "请打电话核对；并在 node.toml 中写上县的地址，使记录不经乡镇也能到县，或导出条目用 U 盘送县",
                "telephone; and give node.toml the county's address, so that records also go there directly",
            )
        } else {
            ("请打电话向该机构和乡镇核对", "telephone both offices")
        };
        json!({
            "kind": "no-receipt", "node": node, "office": whose, "by": by,
            "entries": entries, "since_ms": since_ms, "heard_ms": heard_ms,
            "logs": logs.iter().map(|log| {
                json!({"log": log.log, "space": log.space.to_string(), "entries": log.entries})
            }).collect::<Vec<_>>(),
            "zh": format!("{whose}的 {entries} 个条目已 {days} 天没有得到{zh_by}签收，而其间曾有联系（最近 {heard}）：可能只是线路或电脑故障，也可能有人压着不报。{zh_do}"),
            "en": format!("{entries} entries of {whose} have had no receipt from {en_by} for {days} days, though there was contact (last {heard}); {en_do}"),
        })
    }

    fn put_back(&self, node: PublicKey, logs: u32) -> Json {
        let office = self.office_name(&node);
        json!({
            "kind": "put-back", "node": node, "office": office, "logs": logs,
            "zh": format!("{office}的电脑 {ROLLBACK_DAYS} 天内先后启用了 {logs} 个新日志，可能装有还原卡、一键还原或影子系统，未上传的内容会丢失。请提醒该机构取消对节点目录的还原保护"),
            "en": format!("a PC of {office} began {logs} logs within {ROLLBACK_DAYS} days: something may put its disk back; what it has not sent is lost"),
        })
    }

    /// Offices below that were heard once and have not been for long.
    fn silent(&self, now_ms: u64) -> Answer<Option<Json>> {
        let below = self.reader.coverage(self.store.roster(), self.division())?;
        let last = |heard: Option<u64>, received: Option<u64>| heard.max(received);
        let silent: Vec<(String, u64)> = below
            .into_iter()
            .filter(|office| office.nodes > 0)
            .filter_map(|office| Some((last(office.heard_ms, office.received_ms)?, office.name)))
            .filter(|(at, _)| now_ms.saturating_sub(*at) >= PATIENCE_DAYS * DAY_MS)
            .map(|(at, name)| (name, at))
            .collect();
        if silent.is_empty() {
            return Ok(None);
        }
        let named: Vec<String> = silent
            .iter()
            .take(NAMED_MAX)
            .map(|(name, at)| format!("{name}（{}）", clock::minute(*at)))
            .collect();
        let (of, names) = (silent.len(), named.join("、"));
        let more = if of > NAMED_MAX { " 等" } else { "" };
        Ok(Some(json!({
            "kind": "silent", "offices": silent.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "zh": format!("{of} 个机构 {PATIENCE_DAYS} 天以上没有消息，最后一次：{names}{more}。请打电话询问"),
            "en": format!("{of} offices have been silent for {PATIENCE_DAYS} days or more; last heard: {names}{more}"),
        })))
    }

    fn office_name(&self, node: &PublicKey) -> String {
        let office = self.store.roster().office_of(node);
        office.map_or_else(|| node.short(), |office| office.name.clone())
    }
}
