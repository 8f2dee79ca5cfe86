//! Text that others chose, made harmless for a terminal and a page: whatever could move the cursor,
//! colour or hide a line, or turn the direction of reading is spelled out.

use std::fmt::Write as _;

/// Characters of a foreign text that are shown: names and reasons are far shorter.
const CHARS_MAX: usize = 300;

/// Whether a character does something beside being read: controls, line ends and marks of direction.
#[must_use]
pub fn acts(c: char) -> bool {
    c.is_control()
        || matches!(
            c,
            '\u{61c}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{2069}'
                | '\u{feff}'
        )
}

/// A foreign text of bounded length, on one line, with every acting character spelled out.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len().min(4 * CHARS_MAX));
    let mut chars = text.chars();
    spell(&mut out, chars.by_ref().take(CHARS_MAX));
    if chars.next().is_some() {
        out.push('…');
    }
    out
}

/// A line of ours, in which a foreign text may stand.
#[must_use]
pub(crate) fn line(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    spell(&mut out, text.chars());
    out
}

fn spell(out: &mut String, chars: impl Iterator<Item = char>) {
    for c in chars {
        if acts(c) {
            let _ = write!(out, "\\u{{{:x}}}", u32::from(c));
        } else {
            out.push(c);
        }
    }
}

/// JSON whose texts hold no acting character; the values are the same.
#[must_use]
pub(crate) fn escaped_json(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        // All of them lie below U+10000 and stand within texts, where JSON allows this spelling.
        if acts(c) {
            let _ = write!(out, "\\u{:04x}", u32::from(c));
        } else {
            out.push(c);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_acts_gets_through() {
        let evil = "\u{1b}[2J\n结论\u{61c}\u{202e}\u{9b}\u{2028}x";
        let shown = plain(evil);
        assert_eq!(shown, r"\u{1b}[2J\u{a}结论\u{61c}\u{202e}\u{9b}\u{2028}x");
        assert_eq!(line(&shown), shown);
        assert_eq!(plain(&"长".repeat(CHARS_MAX + 1)).chars().count(), CHARS_MAX + 1);
        let json = serde_json::to_string(evil).unwrap();
        let escaped = escaped_json(&json);
        assert!(!escaped.chars().any(acts));
        assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), evil);
    }
}
