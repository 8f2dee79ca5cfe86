//! What does not come back as it should: entries to which an office above has not put its word though
//! it was heard, and PCs that begin new logs again and again. Decides nothing: people are told.

use std::collections::BTreeMap;

use rusqlite::params;
use xw_ledger::roster::Roster;
use xw_schemas::id::{LogId, PublicKey};
use xw_schemas::space::{Space, Tier};

use crate::error::{Doing, StoreError};
use crate::settle::space;
use crate::standing::signed;
use crate::store::Store;

/// An office says within seconds that it has an entry. Where it was heard so long after the entry
/// came, it has had the time, also over a bad line and after a locked night.
const CONTACT_MS: u64 = 3_600_000;

/// Entries of one log to which an office above has not put its word.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unreceipted {
    /// The node that wrote them.
    pub node: PublicKey,
    /// Their log.
    pub log: LogId,
    /// Where the log lives.
    pub space: Space,
    /// The level of the office whose word is missing.
    pub by: Tier,
    /// How many entries.
    pub entries: u64,
    /// When the first of them came here, milliseconds since 1970.
    pub since_ms: u64,
    /// When the office, or who would bring its word, was last heard.
    pub heard_ms: u64,
}

/// A node that began several logs of one space lately.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restless {
    /// The node.
    pub node: PublicKey,
    /// The space.
    pub space: Space,
    /// How many logs.
    pub logs: u32,
}

impl Store {
    /// Entries by this office and those below it to which an office above them, other than this one,
    /// has not put its word for `patience_ms`, though it was heard meanwhile.
    pub fn unreceipted(
        &self,
        own: &PublicKey,
        now_ms: u64,
        patience_ms: u64,
    ) -> Result<Vec<Unreceipted>, StoreError> {
        let roster = self.roster();
        let Some(office) = roster.node_office(own) else { return Ok(Vec::new()) };
        let (division, tier) = (office.division, office.division.tier());
        let heard = self.heard()?;
        let mut missing = Vec::new();
        for (id, log) in self.logs().iter() {
            let author = roster.node_office(&log.node).map(|office| office.division);
            let Some(author) = author.filter(|author| division.covers(*author)) else { continue };
            // A fork and a cut are told elsewhere.
            if log.fork().is_some() || roster.cut(&log.node).is_some() {
                continue;
            }
            for by in [Tier::Township, Tier::County] {
                let from = log.pinned(by).map_or(0, |(sequence, _)| sequence + 1);
                if by == tier || by >= author.tier() || from >= log.size() {
                    continue;
                }
                let Some(first) = log.at(from) else { continue };
                let Some(since_ms) = self.received_ms(*id, from, first)? else { continue };
                let contact = last_contact(roster, &heard, own, &log.node, by);
                let Some(heard_ms) = contact.filter(|at| *at >= since_ms + CONTACT_MS) else {
                    continue;
                };
                if now_ms.saturating_sub(since_ms) >= patience_ms {
                    missing.push(Unreceipted {
                        node: log.node,
                        log: *id,
                        space: log.space,
                        by,
                        entries: log.size() - from,
                        since_ms,
                        heard_ms,
                    });
                }
            }
        }
        Ok(missing)
    }

    /// Nodes of which at least so many logs of one space have come here since, their openings
    /// included.
    pub fn restless(&self, since_ms: u64, logs_min: u32) -> Result<Vec<Restless>, StoreError> {
        let doing = "count the logs that began lately";
        let sql = "SELECT l.node, l.division, l.audience, count(DISTINCT l.n) AS logs FROM log l
                   JOIN entry e ON e.log_n = l.n AND e.sequence = 0 WHERE e.received_ms >= ?1
                   GROUP BY l.node, l.division, l.audience HAVING logs >= ?2 ORDER BY l.node";
        let mut statement = self.conn.prepare_cached(sql).doing(doing)?;
        let rows = statement.query_map(params![signed(since_ms), logs_min], |row| {
            Ok(Restless { node: PublicKey(row.get(0)?), space: space(row, 1)?, logs: row.get(3)? })
        });
        rows.doing(doing)?.collect::<Result<_, _>>().doing(doing)
    }
}

/// When somebody was last heard who has the word of the author's office above at this level, or would
/// bring it: the county's also comes by way of the township.
fn last_contact(
    roster: &Roster,
    heard: &BTreeMap<PublicKey, u64>,
    own: &PublicKey,
    author: &PublicKey,
    by: Tier,
) -> Option<u64> {
    let brings = |node: &PublicKey| {
        let rank = roster.witness_rank(node, author);
        rank == Some(by) || (by == Tier::County && rank == Some(Tier::Township) && own == author)
    };
    heard.iter().filter(|(node, _)| brings(node)).map(|(_, at)| *at).max()
}
