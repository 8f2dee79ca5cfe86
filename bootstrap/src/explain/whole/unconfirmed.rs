//! Who joined and is not confirmed, and who is suspended: what it means and what to do about it.

use xw_ledger::roster::Roster;
use xw_schemas::edition::SignerKind;

use super::super::{Part, office, said};
use super::NAMES_LISTED_MAX;
use crate::propose::unconfirmed;

/// Newcomers whom a second use of their invitation could still undo.
pub(super) fn newcomers(roster: &Roster) -> Part {
    let mut part = Part::new("尚未确认的加入", "Joined, not confirmed");
    let all: Vec<_> = unconfirmed(roster).collect();
    if all.is_empty() {
        return part;
    }
    for held in all.iter().take(NAMES_LISTED_MAX) {
        let to = office(roster, held.office);
        let by = held.by.map_or_else(|| said("根密钥", "the root keys"), |by| office(roster, by));
        let (what_zh, what_en) = match held.by {
            None => ("须由根密钥确认", "the root keys confirm it"),
            Some(_) => ("由其登记员确认", "its registrars confirm it"),
        };
        part.lines.push(said(
            format!("{}：凭 {} 的邀请加入，{what_zh}", to.zh, by.zh),
            format!("{}: joined by the invitation of {}; {what_en}", to.en, by.en),
        ));
    }
    if let Some(more) = all.len().checked_sub(NAMES_LISTED_MAX).filter(|more| *more > 0) {
        part.lines.push(said(format!("另有 {more} 个"), format!("and {more} more")));
    }
    part.lines.push(said(
        "为何要紧：确认之前，看到过邀请码的人只要再用它一次，该机构就会从名册上掉下来；确认之后谁也动摇不了",
        "why it matters: until then whoever has seen the invitation can use it once more, and the office drops off the roster; afterwards nobody can",
    ));
    part.lines.push(said(
        "怎么办：邀请机构的登记员登录后本机自动确认，须多人签名时用 roster confirm；根密钥的邀请用 bootstrap propose --confirm",
        "what to do: the inviting office's node confirms by itself once a registrar signs in, or by roster confirm where several must sign; for the root keys, bootstrap propose --confirm",
    ));
    part
}

/// Keys that editions held brought and that are not on the roster.
pub(super) fn suspended(roster: &Roster) -> Part {
    let mut part = Part::new("暂停的密钥", "Suspended keys");
    let all: Vec<_> = roster.all_suspended().collect();
    if all.is_empty() {
        return part;
    }
    for (key, held) in all.iter().take(NAMES_LISTED_MAX) {
        let (of, short) = (office(roster, held.office), key.short());
        let (zh, en) = match held.kind {
            SignerKind::Node => ("电脑", "PC"),
            SignerKind::Person => ("人员", "person"),
        };
        part.lines.push(said(
            format!("{} 的{zh}（密钥 {short}）", of.zh),
            format!("a {en} of {} (key {short})", of.en),
        ));
    }
    if let Some(more) = all.len().checked_sub(NAMES_LISTED_MAX).filter(|more| *more > 0) {
        part.lines.push(said(format!("另有 {more} 把"), format!("and {more} more")));
    }
    part.lines.push(said(
        "它们因版次互相矛盾、邀请被用两次等原因不在名册上：不能连接，新写的不算数；县已见证的一直有效。由上级用 roster term --last 指明最后有效的一版，或由根密钥决定，即可恢复",
        "editions that contradict each other, or a second use of an invitation, keep them off the roster: they may not connect and nothing new counts; what the county has witnessed stands. A superior brings them back by naming the last good edition (roster term --last), or the root keys do",
    ));
    part
}
