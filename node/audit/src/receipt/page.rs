//! The page that a citizen takes home, with a QR code drawn as SVG. Says what was recorded when and by
//! which office, never what it says.

use std::fmt::Write as _;

use fast_qr::{ECL, QRBuilder};
use xw_ledger::interval::Interval;
use xw_schemas::entry::{Statement, VerifiedEntry};
use xw_schemas::id::EntryId;
use xw_schemas::merkle::Tree;

use super::Receipt;
use crate::holdings::{Assessed, Holdings};
use crate::summary::{escape, page};
use crate::words;

/// Light border around a QR code, in modules, as the standard asks.
const BORDER: usize = 4;

/// Digits of a printed group: a typist keeps so many in mind.
const GROUP: usize = 8;

/// Why there is no receipt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ReceiptError {
    /// The entry is not held.
    #[error("the entry is not held")]
    NotHeld,
    /// No witness covers the entry yet.
    #[error("no witness covers the entry yet; ask again when the township has received it")]
    NotWitnessed,
    /// The log forks; its entries are judged whole.
    #[error("the entry's log forks; there is no simple receipt for it")]
    Forked,
    /// The text does not fit into a QR code.
    #[error("the text does not fit into a QR code")]
    Code,
}

impl ReceiptError {
    /// What a Chinese reader is told.
    #[must_use]
    pub fn zh(self) -> &'static str {
        match self {
            Self::NotHeld => "本机没有这个条目",
            Self::NotWitnessed => "该条目尚无见证，请待乡镇收到后再打印",
            Self::Forked => "该条目所在日志有分叉，不能出具简单回执",
            Self::Code => "内容过长，无法生成二维码",
        }
    }
}

/// The receipt of an entry under the newest checkpoint of its log that a witness signed.
pub fn receipt(
    holdings: &Holdings,
    assessed: &Assessed,
    id: &EntryId,
) -> Result<Receipt, ReceiptError> {
    let entry = holdings.entry(id).ok_or(ReceiptError::NotHeld)?;
    let core = entry.core();
    let log = holdings.logs().log(&core.log).ok_or(ReceiptError::NotHeld)?;
    if log.fork().is_some() {
        return Err(ReceiptError::Forked);
    }
    let newest = assessed.pins.covering(&core.log, core.sequence).last();
    let size = newest.ok_or(ReceiptError::NotWitnessed)?.pin.size;
    let chain: Vec<EntryId> = (0..size).filter_map(|number| log.at(number)).collect();
    let tree = Tree::of(&chain);
    let (root, path) = tree
        .root_at(size)
        .zip(tree.inclusion(core.sequence, size))
        .ok_or(ReceiptError::NotWitnessed)?;
    Ok(Receipt::of(*id, core.log, core.sequence, size, root, &path))
}

/// The printable page for an entry.
pub fn receipt_page(
    holdings: &Holdings,
    assessed: &Assessed,
    id: &EntryId,
) -> Result<String, ReceiptError> {
    let receipt = receipt(holdings, assessed, id)?;
    let entry = holdings.entry(id).ok_or(ReceiptError::NotHeld)?;
    let interval = holdings.interval(assessed, entry);
    let code = svg(&receipt.text())?;
    let mut body = String::from("<h1>乡网登记回执</h1>\n<table>");
    for (name, value) in facts(holdings, entry, &interval, &receipt) {
        let _ = writeln!(body, "<tr><th>{name}</th><td>{}</td></tr>", escape(&value));
    }
    let _ = write!(
        body,
        "</table>\n{code}\n<p><code>{}</code></p>\n\
         <p>如何核对：到任一使用乡网的机构，请其以 xw-verify 核验含有该条目的证据包，并给出县里公布的网络标识，\
         以及上面的文字、二维码的内容或本页的文件：<br>\
         <code>xw-verify 证据包.xwproof.zip --network 网络标识 --receipt \"XW1:…\"</code><br>\
         结果为“回执属于本包”，只说明这一条目自见证之时起未被更改；该记录此后可能已有更正、办结或依法删除，\
         请查问记录现状。本页其余文字不受保护，请与核验所列逐项核对。本页不含登记内容。</p>\n",
        escape(&grouped(&receipt.text()))
    );
    Ok(page("乡网登记回执", &body))
}

fn facts(
    holdings: &Holdings,
    entry: &VerifiedEntry,
    interval: &Interval,
    receipt: &Receipt,
) -> Vec<(&'static str, String)> {
    let (roster, core) = (holdings.roster(), entry.core());
    let office = roster.office_of(&entry.node()).map(|office| office.name.clone());
    let time = |time: Option<u64>| time.map_or_else(|| "—".to_owned(), words::minute_s);
    let mut facts = vec![
        ("登记机构", office.unwrap_or_else(|| "（不在名册上）".to_owned())),
        ("所称时间", words::minute(core.claimed_time_ms)),
        ("乡镇见证时间", time(interval.township)),
        ("县见证时间", time(interval.county)),
    ];
    if let Statement::Change(change) = &core.statement {
        let rt = holdings.definition(&change.schema);
        facts.push(("事项", rt.map_or_else(|| change.record_type.clone(), |rt| rt.zh.clone())));
        facts.push(("记录号", change.record.to_string()));
    }
    facts.push(("条目", receipt.entry.to_string()));
    facts.push(("日志", receipt.log.to_string()));
    facts.push(("条目号", receipt.number.to_string()));
    facts.push(("见证的条目数", receipt.size.to_string()));
    facts.push(("网络标识", roster.network().to_string()));
    facts
}

/// The text in groups that can be typed.
fn grouped(text: &str) -> String {
    let parts = text.split(':').map(|part| {
        let digits: Vec<char> = part.chars().collect();
        let groups: Vec<String> =
            digits.chunks(GROUP).map(|group| group.iter().collect()).collect();
        groups.join(" ")
    });
    parts.collect::<Vec<_>>().join(" : ")
}

/// A QR code as SVG: one square a dark module, merged by rows.
fn svg(text: &str) -> Result<String, ReceiptError> {
    let code = QRBuilder::new(text).ecl(ECL::M).build().map_err(|_| ReceiptError::Code)?;
    let side = code.size + 2 * BORDER;
    let mut path = String::new();
    for row in 0..code.size {
        let mut column = 0;
        while column < code.size {
            if !code[row][column].value() {
                column += 1;
                continue;
            }
            let from = column;
            while column < code.size && code[row][column].value() {
                column += 1;
            }
            let (x, y, width) = (from + BORDER, row + BORDER, column - from);
            let _ = write!(path, "M{x} {y}h{width}v1h-{width}z");
        }
    }
    Ok(format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" \
         width=\"60mm\" height=\"60mm\" shape-rendering=\"crispEdges\" role=\"img\" \
         aria-label=\"二维码\"><rect width=\"{side}\" height=\"{side}\" fill=\"#fff\"/>\
         <path d=\"{path}\" fill=\"#000\"/></svg>"
    ))
}
