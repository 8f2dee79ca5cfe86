//! An entry on paper: a short text, as a QR code and in letters, by which a clerk without a phone can
//! check against a pack that this entry stands in its log under a witnessed checkpoint.

use xw_schemas::hash::tagged;
use xw_schemas::id::{EntryId, LogId, hex, unhex};
use xw_schemas::merkle::Node;

mod page;

pub use page::{ReceiptError, receipt, receipt_page};

/// First word of a receipt's text.
const TITLE: &str = "XW1";

/// Longest text of a receipt that is read.
const TEXT_BYTES_MAX: usize = 400;

/// Largest page of a receipt that is read: one with its QR code has some 30 KiB.
pub const PAGE_BYTES_MAX: usize = 1 << 20;

/// Places of a page that are tried: ours has the title twice.
const TITLES_MAX: usize = 16;

/// Bytes of the proof's hash that are printed: 64 bits that nobody can steer, since all that goes
/// into them is signed.
const PROOF_BYTES: usize = 8;

/// What a receipt says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The entry.
    pub entry: EntryId,
    /// Its log.
    pub log: LogId,
    /// Its number there.
    pub number: u64,
    /// How many entries the checkpoint covers.
    pub size: u64,
    /// The checkpoint's root.
    pub root: Node,
    /// Hash over the path from the entry to the root.
    pub proof: [u8; PROOF_BYTES],
}

impl Receipt {
    /// The receipt of an entry with its path to a root.
    #[must_use]
    pub fn of(
        entry: EntryId,
        log: LogId,
        number: u64,
        size: u64,
        root: Node,
        path: &[Node],
    ) -> Self {
        let (number_bytes, size_bytes) = (number.to_be_bytes(), size.to_be_bytes());
        let mut parts: Vec<&[u8]> = vec![&entry.0, &log.0, &number_bytes, &size_bytes, &root];
        parts.extend(path.iter().map(|node| &node[..]));
        let hash = tagged("xw/receipt/1", &parts);
        let proof = std::array::from_fn(|at| hash[at]);
        Self { entry, log, number, size, root, proof }
    }

    /// The text: capitals, digits and colons only, which a QR code packs best.
    #[must_use]
    pub fn text(&self) -> String {
        let Self { entry, log, number, size, root, proof } = self;
        let text = format!("{TITLE}:{entry}:{log}:{number}:{size}:{}:{}", hex(root), hex(proof));
        text.to_uppercase()
    }

    /// Finds the receipt in a text or in the saved page.
    #[must_use]
    pub fn find(text: &str) -> Option<Self> {
        let starts = text.match_indices(TITLE).take(TITLES_MAX);
        let within = |(at, _): (usize, &str)| {
            let rest = &text[at..];
            let end = rest.find(['<', '"', '&']).unwrap_or(rest.len());
            Self::parse(&rest[..end])
        };
        Self::parse(text).or_else(|| starts.map(within).find_map(|found| found))
    }

    /// Reads a text as printed, whatever blanks and letters a typist made of it.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let plain: String = text.chars().filter(|c| !c.is_whitespace()).collect();
        let plain = plain.to_ascii_uppercase();
        let parts: Vec<&str> = plain.split(':').collect();
        let [TITLE, entry, log, number, size, root, proof] = parts.as_slice() else { return None };
        Some(Self {
            entry: EntryId::from_hex(entry)?,
            log: LogId::from_hex(log)?,
            number: number.parse().ok()?,
            size: size.parse().ok()?,
            root: unhex(root)?.try_into().ok()?,
            proof: unhex(proof)?.try_into().ok()?,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_receipt_is_read_back_as_typed() {
        let path = [[3; 32], [4; 32]];
        let made = Receipt::of(EntryId([1; 32]), LogId([2; 32]), 7, 9, [5; 32], &path);
        let typed = made.text().to_lowercase().replace(':', " :\n");
        assert_eq!(Receipt::parse(&typed), Some(made.clone()));
        assert!(
            made.text().bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b':')
        );
        assert_eq!(Receipt::parse(&made.text().replace("XW1", "XW2")), None);
        let page = format!("<b>XW1:…</b><code>{}</code>", made.text().replace(':', " : "));
        assert_eq!(Receipt::find(&page), Some(made.clone()));
        assert_eq!(Receipt::find("<code>XW1</code>"), None);
        let other = Receipt::of(made.entry, made.log, 7, 9, made.root, &path[..1]);
        assert_ne!(other.proof, made.proof);
    }
}
