//! Folds what clerks type into one spelling. Never decides what a text means.

/// Full-width digits, letters and signs to ASCII, odd spaces to one, invisible characters away.
///
/// A leading apostrophe is Excel's mark for "this is text" that some programs write into the cell.
pub(crate) fn fold(text: &str) -> String {
    let folded: String = text.chars().filter_map(fold_char).collect();
    let trimmed = folded.trim();
    let trimmed = trimmed.strip_prefix(['\'', '\u{2018}', '\u{2019}']).unwrap_or(trimmed);
    trimmed.trim().to_owned()
}

/// [`fold`], and Chinese punctuation kept as the clerk wrote it, for text that a person reads.
pub(crate) fn tidy(text: &str) -> String {
    let visible: String = text
        .chars()
        .filter_map(|c| match c {
            '\r' => None,
            c if is_invisible(c) => None,
            c if c != '\n' && c.is_whitespace() => Some(' '),
            c => Some(c),
        })
        .collect();
    let trimmed = visible.trim();
    trimmed.strip_prefix('\'').unwrap_or(trimmed).trim().to_owned()
}

/// [`fold`] without any white space: for headings, codes, numbers and marks.
pub(crate) fn squeeze(text: &str) -> String {
    fold(text).chars().filter(|c| !c.is_whitespace()).collect()
}

/// The text with everything but its first and last character hidden; what may reach a log.
pub(crate) fn mask(text: &str) -> String {
    let count = text.chars().count();
    match (text.chars().next(), text.chars().next_back()) {
        (Some(first), Some(last)) if count > 4 => format!("{first}***{last}"),
        (Some(first), _) if count > 1 => format!("{first}*"),
        (Some(_), _) => "*".to_owned(),
        _ => String::new(),
    }
}

/// The column letters of a 0-based column: 0 → A, 26 → AA.
pub(crate) fn column_letters(column: u32) -> String {
    let mut letters = Vec::new();
    let mut rest = column + 1;
    while rest > 0 {
        let digit = u8::try_from((rest - 1) % 26).expect("a remainder of 26 fits a byte");
        letters.push(char::from(b'A' + digit));
        rest = (rest - 1) / 26;
    }
    letters.into_iter().rev().collect()
}

fn fold_char(c: char) -> Option<char> {
    match c {
        c if is_invisible(c) => None,
        '\u{FF01}'..='\u{FF5E}' => char::from_u32(u32::from(c) - 0xFEE0),
        '\u{2010}'..='\u{2015}' | '\u{2212}' => Some('-'),
        '。' => Some('.'),
        c if c.is_whitespace() => Some(' '),
        c => Some(c),
    }
}

fn is_invisible(c: char) -> bool {
    matches!(c, '\u{200B}'..='\u{200F}' | '\u{202A}'..='\u{202E}' | '\u{2060}' | '\u{FEFF}' | '\u{AD}')
        || (c.is_control() && !c.is_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_spelling_for_what_looks_the_same() {
        assert_eq!(fold(" ２０２６．１．５\u{3000}"), "2026.1.5");
        assert_eq!(fold("'130599"), "130599");
        assert_eq!(fold("100\u{A0}1234\u{200B}"), "100 1234");
        assert_eq!(squeeze("总 投 资\n（万元）"), "总投资(万元)");
        assert_eq!(tidy("第一，\r\n第二。 "), "第一，\n第二。");
    }

    #[test]
    fn columns_are_named_as_excel_names_them() {
        for (column, letters) in [(0, "A"), (25, "Z"), (26, "AA"), (701, "ZZ"), (702, "AAA")] {
            assert_eq!(column_letters(column), letters);
        }
    }

    #[test]
    fn a_masked_text_does_not_give_the_number_away() {
        assert_eq!(mask("130599199001011234"), "1***4");
        assert_eq!(mask("张三"), "张*");
        assert_eq!(mask(""), "");
    }
}
