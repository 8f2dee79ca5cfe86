//! Small repairs to typed text: full-width forms, blanks, look-alike signs.
//! Never guesses at meaning.

/// Full-width letters, digits and signs as their half-width forms; the wide blank as a blank.
pub(crate) fn half_width(text: &str) -> String {
    text.chars()
        .map(|c| match c {
            '\u{3000}' | '\u{a0}' => ' ',
            '\u{ff01}'..='\u{ff5e}' => {
                char::from_u32(u32::from(c) - 0xfee0).expect("the wide forms mirror ASCII")
            }
            '—' | '–' | '−' => '-',
            _ => c,
        })
        .collect()
}

/// Whether the text only says that there is nothing to say, as clerks fill empty cells.
pub(crate) fn is_blank_mark(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|c| matches!(c, '-' | '/' | '\\' | ' '))
}

/// The first characters of a text, for a message.
pub(crate) fn shorten(text: &str) -> String {
    /// A message shows this much of what was written.
    const SHOWN_CHARS: usize = 20;
    let mut shown: String = text.chars().take(SHOWN_CHARS).collect();
    if shown.len() < text.len() {
        shown.push('…');
    }
    shown
}
