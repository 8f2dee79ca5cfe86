//! What an auditor gets from this office: packs, statements, receipts, late entries. Reads what is
//! asked for out of the store; all the rest is worked out by another thread, and nothing is judged
//! here that the verifier does not judge again.

mod held;
mod late;
mod pack;

use std::collections::BTreeMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value as Json, json};
use xw_audit::completeness::{Completeness, Question, completeness};
use xw_audit::heads::{Compared, Here, borne_out, compare};
use xw_audit::holdings::Holdings;
use xw_audit::receipt::{ReceiptError, receipt, receipt_page};
use xw_audit::{json as one_spelling, signed};
use xw_schemas::id::{EntryId, NetworkId, PublicKey, RecordId};
use xw_schemas::space::{Division, Space};

use super::listing::day_start;
use super::{Office, Progress};
use crate::clock::{self, DAY_MS};
use crate::request::AuditRequest;
use crate::trouble::{Answer, Trouble};

/// Work that needs the store no more.
pub(crate) type Aside = Box<dyn FnOnce(Progress<'_>) -> Answer<Json> + Send>;

/// Where it is kept when each neighbour was last found equal.
const EQUAL: &str = "equal";

/// Bytes of a neighbour and its moment, as noted.
const EQUAL_BYTES: usize = 40;

/// Neighbours of whom that is noted: what fits in a note; a county has some 400 offices.
const EQUAL_MAX: usize = 1_600;

impl Office {
    /// Reads what a request of an auditor needs, and says how the rest is done.
    pub(crate) fn audit(&mut self, asked: &AuditRequest) -> Answer<Aside> {
        // Whoever was found equal for this request is equal at the moment of which it speaks.
        let now_ms = self.compared_ms.take().unwrap_or_else(clock::now_ms);
        match asked {
            AuditRequest::Export(export) => self.evidence_pack(export, now_ms),
            AuditRequest::Completeness { division, from, to, with } => {
                let period = period(from.as_deref(), to.as_deref(), now_ms)?;
                self.statement(division.as_deref(), period, now_ms, with)
            }
            AuditRequest::Receipt { of } => self.receipt(of),
            AuditRequest::Late { division } => self.late(division.as_deref()),
        }
    }

    /// Answers `{statement, json, cose, complete, place, compared, offices, differs}`: `json` and `cose`
    /// are base64 of what is signed and of the signed bytes, `compared` says of each statement that was
    /// brought how it lies to what is held, `offices` how many others bear out that nothing is missing.
    fn statement(
        &self,
        division: Option<&str>,
        (from_ms, to_ms): (u64, u64),
        now_ms: u64,
        with: &[String],
    ) -> Answer<Aside> {
        let division = self.audited_division(division)?;
        let by = self.own_key();
        let question =
            Question { division, from_ms, to_ms, by, now_ms, heard_ms: self.equal_at(now_ms) };
        let held = self.holdings(|space| division.covers(space.division), false)?;
        let network = held.roster().network();
        let with = with.iter().map(|one| brought(one, network)).collect::<Answer<Vec<_>>>()?;
        let node = self.node.clone();
        Ok(Box::new(move |_: Progress<'_>| {
            let statement = completeness(&held, &held.assess(), question);
            let bytes = one_spelling::write(&statement);
            let cose = signed::sign(&bytes, &node);
            let roster = held.roster();
            let (whole, excerpts) =
                (&|space: Space| division.covers(space.division), BTreeMap::new());
            let compared = compare(&Here { holdings: &held, whole, excerpts: &excerpts }, &with);
            let own = roster.node_office(&by).map(|office| office.id);
            let offices = borne_out(&compared, &[division], own).map_or(0, |(count, _)| count);
            let differs = compared.iter().any(|one| !one.differing.is_empty() || !one.same_roster);
            let told: Vec<Json> = compared.iter().map(told).collect();
            Ok(json!({
                "complete": statement.complete,
                "place": roster.place(division),
                "statement": statement,
                "json": STANDARD.encode(bytes),
                "cose": STANDARD.encode(cose),
                "compared": told, "offices": offices, "differs": differs,
            }))
        }))
    }

    /// Answers `{entry, text, html}`.
    fn receipt(&self, of: &str) -> Answer<Aside> {
        let (entry, places) = match EntryId::from_hex(of) {
            Some(entry) => (Some(entry), self.space_of(entry).into_iter().collect()),
            None => (None, self.places_of(of)?),
        };
        let spaces: Vec<Space> = places.iter().map(|(space, _): &(Space, _)| *space).collect();
        let held = self.holdings(|space| spaces.contains(&space), false)?;
        Ok(Box::new(move |_: Progress<'_>| {
            let assessed = held.assess();
            let entry = match entry {
                Some(entry) => entry,
                None => newest(&held, &places, |id| receipt(&held, &assessed, id).is_ok())?,
            };
            let told = receipt(&held, &assessed, &entry).map_err(no_receipt)?;
            let html = receipt_page(&held, &assessed, &entry).map_err(no_receipt)?;
            Ok(json!({"entry": entry, "text": told.text(), "html": html}))
        }))
    }

    /// Where an entry stands that is named by its id.
    fn space_of(&self, entry: EntryId) -> Option<(Space, Option<RecordId>)> {
        self.store.logs().iter().find_map(|(_, log)| {
            log.entries().any(|(_, id)| id == entry).then_some((log.space, None))
        })
    }

    /// A record as named by a person, in every space where entries of it are held. Its id is enough
    /// while the store is locked.
    fn places_of(&self, name: &str) -> Answer<Vec<(Space, Option<RecordId>)>> {
        let record = match RecordId::parse(name) {
            Some(record) => record,
            None => self.find_row(name)?.record,
        };
        let logs = self.store.logs();
        let mut spaces: Vec<Space> = self
            .reader
            .history(record)?
            .iter()
            .filter_map(|row| Some(logs.log(&row.entry.core().log)?.space))
            .collect();
        spaces.sort_unstable();
        spaces.dedup();
        if spaces.is_empty() {
            return Err(Trouble::missing("该记录或条目", "such record or entry"));
        }
        Ok(spaces.into_iter().map(|space| (space, Some(record))).collect())
    }

    fn audited_division(&self, named: Option<&str>) -> Answer<Division> {
        named.map_or_else(|| Ok(self.division()), |named| self.find_division(named))
    }

    /// Notes with which neighbours nothing is outstanding at this moment.
    pub(crate) fn note_equal(&mut self, peers: &[PublicKey], now_ms: u64) {
        self.equal_ms.extend(peers.iter().map(|peer| (*peer, now_ms)));
        self.compared_ms = Some(now_ms);
    }

    /// Puts on disk who was found equal and when.
    pub(crate) fn keep_equal(&mut self) -> Answer<()> {
        let noted = self.equal_ms.iter().take(EQUAL_MAX);
        let bytes: Vec<u8> =
            noted.flat_map(|(key, ms)| [&key.0[..], &ms.to_be_bytes()].concat()).collect();
        Ok(self.store.set_note(EQUAL, Some(&bytes))?)
    }

    /// Reads it again after a start.
    pub(super) fn load_equal(store: &xw_store::Store) -> Answer<BTreeMap<PublicKey, u64>> {
        let noted = store.note(EQUAL)?.unwrap_or_default();
        let one = |bytes: &[u8]| -> Option<(PublicKey, u64)> {
            let (key, ms) = bytes.split_first_chunk::<32>()?;
            Some((PublicKey(*key), u64::from_be_bytes(ms.try_into().ok()?)))
        };
        Ok(noted.chunks(EQUAL_BYTES).filter_map(one).collect())
    }

    /// When each node was last found equal, by this node's clock, which may have been set back since.
    fn equal_at(&self, now_ms: u64) -> BTreeMap<PublicKey, u64> {
        self.equal_ms.iter().map(|(key, ms)| (*key, (*ms).min(now_ms))).collect()
    }
}

/// The newest entry of a record for which there is a receipt.
fn newest(
    held: &Holdings,
    places: &[(Space, Option<RecordId>)],
    has_receipt: impl Fn(&EntryId) -> bool,
) -> Answer<EntryId> {
    let named = places.iter().filter_map(|(space, record)| Some((*space, (*record)?)));
    let mut entries: Vec<(u64, EntryId)> = named
        .flat_map(|place| {
            let told = |entry: &xw_schemas::entry::VerifiedEntry| {
                (entry.core().claimed_time_ms, entry.id())
            };
            held.of(&place).map(told).collect::<Vec<_>>()
        })
        .collect();
    entries.sort_unstable();
    let found = entries.iter().rev().map(|(_, id)| *id).find(has_receipt);
    found.ok_or_else(|| no_receipt(ReceiptError::NotWitnessed))
}

/// A statement of another office of this county.
fn brought(base64: &str, network: NetworkId) -> Answer<Completeness> {
    let bytes = STANDARD.decode(base64).ok();
    let statement = bytes.and_then(|bytes| Completeness::open(&bytes));
    statement.filter(|statement| statement.network == network).ok_or_else(|| {
        Trouble::new(
            "statement",
            "所给文件不是本县机构签名的完整性声明（.cose）",
            "a file is no signed statement of completeness (.cose) of an office of this county",
        )
    })
}

fn told(compared: &Compared) -> Json {
    let (zh, en) = compared.words();
    let mut told = json!(compared);
    told["zh"] = json!(zh);
    told["en"] = json!(en);
    told
}

fn no_receipt(error: ReceiptError) -> Trouble {
    Trouble::new("receipt", error.zh(), error.to_string())
}

/// Days, both inclusive, as moments; from the beginning until now where none are named.
fn period(from: Option<&str>, to: Option<&str>, now_ms: u64) -> Answer<(u64, u64)> {
    let from_ms = from.map(day_start).transpose()?.unwrap_or(0);
    let to_ms = to.map(day_start).transpose()?.map_or(now_ms, |start| start + DAY_MS);
    if from_ms < to_ms {
        return Ok((from_ms, to_ms));
    }
    Err(Trouble::new("date", "时段的开始晚于结束", "the period ends before it begins"))
}
