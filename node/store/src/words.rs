//! Text made ready for the search index. Each Chinese character becomes a word of its own, so that
//! every part of a name or address is found, however short; the index does the rest.

use crate::limits::{SEARCH_CHARS_MAX, SEARCH_WORDS_MAX};

/// Stands between two fields, so that no search matches across their border. A private character,
/// which the index takes for a word and nobody types.
pub(crate) const BORDER: char = '\u{e000}';

/// Text with blanks around each Chinese character and with half-width letters and digits.
#[must_use]
pub fn spaced(text: &str) -> String {
    let mut out = String::with_capacity(text.len() * 2);
    for c in text.chars().map(half_width) {
        if is_han(c) {
            if !out.ends_with(' ') {
                out.push(' ');
            }
            out.push(c);
            out.push(' ');
        } else if is_private(c) {
            out.push(' ');
        } else {
            out.push(c);
        }
    }
    out
}

/// The query for a text as people type it: every word must occur; a word that ends in a letter or
/// digit also finds what begins so. `None` when nothing in it can be searched for.
#[must_use]
pub fn search_phrases(text: &str) -> Option<String> {
    let text: String = text.chars().take(SEARCH_CHARS_MAX).collect();
    let mut phrases = Vec::new();
    for word in text.split_whitespace().take(SEARCH_WORDS_MAX) {
        let spaced = spaced(word);
        // What the index takes for no word would make an empty phrase.
        let tokens: String =
            spaced.chars().map(|c| if c.is_alphanumeric() { c } else { ' ' }).collect();
        let tokens = tokens.split_whitespace().collect::<Vec<_>>().join(" ");
        if tokens.is_empty() {
            continue;
        }
        let open =
            word.chars().last().is_some_and(|c| half_width(c).is_alphanumeric() && !is_han(c));
        phrases.push(format!("\"{tokens}\"{}", if open { " *" } else { "" }));
    }
    (!phrases.is_empty()).then(|| phrases.join(" AND "))
}

/// Full-width forms as Chinese input methods type them.
fn half_width(c: char) -> char {
    match c {
        '\u{3000}' => ' ',
        '\u{ff01}'..='\u{ff5e}' => char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c),
        _ => c,
    }
}

/// Characters that are words by themselves: Han, the iteration mark and zero, kana.
fn is_han(c: char) -> bool {
    matches!(c,
        '\u{3005}' | '\u{3007}' | '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{4dbf}'
        | '\u{4e00}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

fn is_private(c: char) -> bool {
    matches!(c, '\u{e000}'..='\u{f8ff}' | '\u{f0000}'..='\u{10ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chinese_characters_stand_alone_and_numbers_stay_together() {
        assert_eq!(spaced("张三13800001111"), " 张 三 13800001111");
        assert_eq!(spaced("１２ａ"), "12a");
    }

    #[test]
    fn a_search_is_phrases_and_never_syntax() {
        assert_eq!(search_phrases("张三 1380").as_deref(), Some("\"张 三\" AND \"1380\" *"));
        assert_eq!(search_phrases("\" OR *"), Some("\"OR\" *".to_owned()));
        assert_eq!(search_phrases("…… ！"), None);
        assert_eq!(search_phrases("A座-3"), Some("\"A 座 3\" *".to_owned()));
    }
}
