//! Names a row by what stands in it, so that the same ledger can be imported again.
//! Hashes stay on the office's own machine: they are made of personal data.

use sha2::{Digest, Sha256};
use xw_schemas::record::{Content, Value};

use crate::draft::{Draft, Leftover};
use crate::row::NaturalKey;

/// Fields by which an office knows its own row again, the surest first.
const NATURAL: &[&str] = &[
    "business_no",
    "official_doc_no",
    "file_no",
    "asset_no",
    "project_name",
    "household.head.id_no",
];

/// The office's own number or name for a row.
pub(crate) fn natural_key(given: &Content) -> Option<NaturalKey> {
    NATURAL.iter().find_map(|path| {
        let value = given.text(path)?.to_owned();
        Some(NaturalKey { path: (*path).to_owned(), value })
    })
}

/// Digest of everything that the ledger says in the row.
pub(crate) fn digest(draft: &Draft) -> String {
    let mut hash = Fields::new("xw/ledger-row-digest/1");
    hash.content(&draft.given);
    for ((list, step), items) in &draft.items {
        for item in items {
            hash.text(list).text(step).content(&item.content);
        }
    }
    for Leftover { heading, text, .. } in &draft.leftovers {
        hash.text(heading).text(text);
    }
    hash.text(draft.claimed_state.as_deref().unwrap_or_default());
    hash.hex()
}

/// Identity of the row: its natural key within division, type and ledger, or all its values.
pub(crate) fn fingerprint(
    record_type: &str,
    ledger: &str,
    division: &str,
    natural: Option<&NaturalKey>,
    digest: &str,
) -> String {
    let mut hash = Fields::new("xw/ledger-row/1");
    hash.text(record_type).text(ledger).text(division);
    match natural {
        Some(key) => hash.text(&key.path).text(&key.value),
        None => hash.text("*").text(digest),
    };
    hash.hex()
}

/// Id of the `index`-th item of a list in the row.
pub(crate) fn item_id(fingerprint: &str, list: &str, index: usize) -> String {
    let mut hash = Fields::new("xw/ledger-item/1");
    hash.text(fingerprint).text(list).text(&index.to_string());
    // 64 bits tell the few items of one record apart; ids are unique within a list only.
    hash.hex()[..16].to_owned()
}

/// SHA-256 of any bytes, hex. Callers note the file that a record came from.
pub fn sha256_hex(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// Hashes fields with their lengths, so that no two lists of fields give the same bytes.
struct Fields(Sha256);

impl Fields {
    fn new(domain: &str) -> Self {
        let mut fields = Self(Sha256::new());
        fields.text(domain);
        fields
    }

    fn text(&mut self, text: &str) -> &mut Self {
        self.0.update((text.len() as u64).to_be_bytes());
        self.0.update(text.as_bytes());
        self
    }

    fn content(&mut self, content: &Content) -> &mut Self {
        for (path, value) in content.values.iter().filter(|(_, value)| !value.is_blank()) {
            self.text(path);
            match value {
                Value::Null => self.text("-"),
                Value::Bool(flag) => self.text(if *flag { "b1" } else { "b0" }),
                Value::Int(number) => self.text(&format!("i{number}")),
                Value::Text(text) => self.text("t").text(text),
            };
        }
        self.text("")
    }

    fn hex(self) -> String {
        hex(&self.0.finalize())
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
