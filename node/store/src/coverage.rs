//! What an answer covers: which villages have been heard, and how old their news is. "17 of 18
//! villages; the oldest heard from 3 days ago" is made of this.

use std::collections::BTreeMap;

use xw_ledger::roster::Roster;
use xw_schemas::edition::OfficeId;
use xw_schemas::id::PublicKey;
use xw_schemas::space::Division;

use crate::error::{Doing, StoreError};
use crate::load::number;
use crate::reader::Reader;
use crate::store::Store;

/// What is held of one office.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VillageCoverage {
    /// The office.
    pub office: OfficeId,
    /// Where it stands.
    pub division: Division,
    /// Its name.
    pub name: String,
    /// Its node keys on the roster.
    pub nodes: u32,
    /// Logs of its nodes held here.
    pub logs: u32,
    /// When an entry of its logs last came here, milliseconds since 1970.
    pub received_ms: Option<u64>,
    /// When one of its nodes was last heard, with or without news.
    pub heard_ms: Option<u64>,
}

impl Store {
    /// What is held of every office below a division.
    pub fn coverage(&self, above: Division) -> Result<Vec<VillageCoverage>, StoreError> {
        self.reader()?.coverage(self.roster(), above)
    }
}

impl Reader {
    /// What is held of every office below a division, by division. The roster says which there are.
    pub fn coverage(
        &self,
        roster: &Roster,
        above: Division,
    ) -> Result<Vec<VillageCoverage>, StoreError> {
        let mut offices: BTreeMap<OfficeId, VillageCoverage> = roster
            .offices()
            .filter(|office| above.covers(office.division) && office.division != above)
            .map(|office| {
                let coverage = VillageCoverage {
                    office: office.id,
                    division: office.division,
                    name: office.name.clone(),
                    nodes: 0,
                    logs: 0,
                    received_ms: None,
                    heard_ms: None,
                };
                (office.id, coverage)
            })
            .collect();
        for key in roster.live_nodes() {
            if let Some(coverage) = of_node(&mut offices, roster, &key) {
                coverage.nodes += 1;
            }
        }
        let logs = "SELECT node, max(received_ms), count(*) FROM log GROUP BY node";
        self.each_node(logs, |key, moment, count| {
            if let Some(coverage) = of_node(&mut offices, roster, &key) {
                coverage.logs += u32::try_from(count).unwrap_or(u32::MAX);
                coverage.received_ms = coverage.received_ms.max(Some(moment));
            }
        })?;
        self.each_node("SELECT node, last_ms, 1 FROM heard", |key, moment, _| {
            if let Some(coverage) = of_node(&mut offices, roster, &key) {
                coverage.heard_ms = coverage.heard_ms.max(Some(moment));
            }
        })?;
        let mut list: Vec<VillageCoverage> = offices.into_values().collect();
        list.sort_by_key(|coverage| (coverage.division, coverage.office));
        Ok(list)
    }

    fn each_node(
        &self,
        sql: &str,
        mut take: impl FnMut(PublicKey, u64, u64),
    ) -> Result<(), StoreError> {
        let doing = "read what villages have sent";
        let mut statement = self.conn.prepare_cached(sql).doing(doing)?;
        let mut rows = statement.query([]).doing(doing)?;
        while let Some(row) = rows.next().doing(doing)? {
            let key = PublicKey(row.get(0).doing(doing)?);
            take(key, number(row, 1).doing(doing)?, number(row, 2).doing(doing)?);
        }
        Ok(())
    }
}

fn of_node<'a>(
    offices: &'a mut BTreeMap<OfficeId, VillageCoverage>,
    roster: &Roster,
    key: &PublicKey,
) -> Option<&'a mut VillageCoverage> {
    offices.get_mut(&roster.node_office(key)?.id)
}
