//! The words that open a key: what makes them good enough, and a generator of good ones. Never
//! printed, never stored, zeroised when dropped.

use zeroize::Zeroizing;

use crate::Entropy;

/// Fewest characters of a passphrase in letters: under 64 MiB of argon2id a guesser's ten thousand
/// tries a second need centuries for random ones, and years for people's usual ones.
pub const CHARACTERS_MIN: usize = 12;

/// Fewest words where spaces separate them; four common words have some 44 bits.
pub const WORDS_MIN: usize = 4;

/// Fewest Chinese characters; eight common ones have some 70 bits when they are no phrase.
pub const HAN_MIN: usize = 8;

/// Fewest different characters (or words' letters) among them: "aaaaaaaaaaaa" is long and nothing.
const DISTINCT_MIN: usize = 6;

/// Longest passphrase in bytes; nobody types more, and a reader must stop somewhere.
pub const PASSPHRASE_BYTES_MAX: usize = 512;

/// Letters and digits that look alike in no handwriting: without 0 o 1 l i.
const ALPHABET: &[u8; 31] = b"abcdefghjkmnpqrstuvwxyz23456789";

/// A generated passphrase: 4 groups of 4, 79 bits.
const GROUPS: usize = 4;
const GROUP_LETTERS: usize = 4;

/// A passphrase, in the one spelling that keys are derived from.
pub struct Passphrase(Zeroizing<String>);

impl std::fmt::Debug for Passphrase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Passphrase")
    }
}

/// Why a passphrase cannot protect a key. Says what to do; never repeats what was typed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PassphraseSlip {
    /// Nothing was typed.
    #[error("no passphrase was typed")]
    Empty,
    /// More than [`PASSPHRASE_BYTES_MAX`].
    #[error("the passphrase is longer than {PASSPHRASE_BYTES_MAX} bytes")]
    TooLong,
    /// Fewer than any of the three measures.
    #[error(
        "too short: at least {CHARACTERS_MIN} characters, or {WORDS_MIN} words, or {HAN_MIN} Chinese characters"
    )]
    TooShort,
    /// Repeats itself, or runs along the alphabet.
    #[error("too simple: it repeats a few characters or counts them up")]
    TooSimple,
    /// A telephone or identity number is known to others.
    #[error("digits alone are too easy to guess (telephone and identity numbers are known)")]
    DigitsOnly,
    /// Tabulators and the like cannot be typed again.
    #[error("it contains a character that cannot be seen")]
    ControlCharacter,
    /// The two times it was typed differ.
    #[error("the two passphrases differ")]
    TypedDifferently,
}

impl PassphraseSlip {
    /// In Chinese, for the clerk.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Empty => "没有输入口令".into(),
            Self::TooLong => format!("口令过长，最多{PASSPHRASE_BYTES_MAX}字节"),
            Self::TooShort => format!(
                "口令太短：至少{CHARACTERS_MIN}个字符，或{WORDS_MIN}个单词，或{HAN_MIN}个汉字"
            ),
            Self::TooSimple => "口令太简单：不要重复几个字符，也不要按顺序排列".into(),
            Self::DigitsOnly => "不能只用数字：电话号码、身份证号别人也知道".into(),
            Self::ControlCharacter => "口令里有看不见的字符，请重新输入".into(),
            Self::TypedDifferently => "两次输入的口令不一致，请重新输入".into(),
        }
    }
}

impl Passphrase {
    /// A new passphrase that a person chose, if it is good enough to protect a key.
    pub fn chosen(text: &str) -> Result<Self, PassphraseSlip> {
        let typed = Self::typed(text)?;
        judge(&typed.0)?;
        Ok(typed)
    }

    /// A passphrase typed to open what exists; whether it is right, the file says.
    pub fn typed(text: &str) -> Result<Self, PassphraseSlip> {
        if text.len() > PASSPHRASE_BYTES_MAX {
            return Err(PassphraseSlip::TooLong);
        }
        let spelled = spell(text);
        if spelled.is_empty() {
            return Err(PassphraseSlip::Empty);
        }
        if spelled.chars().any(char::is_control) {
            return Err(PassphraseSlip::ControlCharacter);
        }
        Ok(Self(spelled))
    }

    /// A random one that a clerk can write down: `xxxx-xxxx-xxxx-xxxx`.
    #[must_use]
    pub fn generated(entropy: Entropy<'_>) -> Self {
        let mut text = Zeroizing::new(String::with_capacity(GROUPS * (GROUP_LETTERS + 1)));
        for at in 0..GROUPS * GROUP_LETTERS {
            if at > 0 && at % GROUP_LETTERS == 0 {
                text.push('-');
            }
            text.push(letter(entropy));
        }
        Self(text)
    }

    /// The text, to be shown once to the person who must write it down.
    #[must_use]
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether both are the same passphrase: a new one is typed twice.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        *self.0 == *other.0
    }

    /// What keys are derived from.
    pub(crate) fn bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// One letter, every one equally likely.
fn letter(entropy: Entropy<'_>) -> char {
    // 248 is the largest multiple of 31 in a byte: what lies above would favour the first letters.
    const FAIR: u8 = (u8::MAX as usize / ALPHABET.len() * ALPHABET.len()) as u8;
    loop {
        let mut byte = [0];
        entropy(&mut byte);
        if byte[0] < FAIR {
            return char::from(ALPHABET[usize::from(byte[0]) % ALPHABET.len()]);
        }
    }
}

/// The one spelling: an input method left on full width must not lock a clerk out, nor must a space
/// at the end. Case and everything else counts.
fn spell(text: &str) -> Zeroizing<String> {
    // Twice the room, so that the text never moves and leaves a copy behind.
    let mut spelled = Zeroizing::new(String::with_capacity(text.len() * 2));
    for character in text.trim().chars() {
        let narrow = match character {
            '\u{3000}' | '\u{a0}' => ' ',
            '\u{ff01}'..='\u{ff5e}' => {
                char::from_u32(u32::from(character) - 0xfee0).unwrap_or(character)
            }
            other => other,
        };
        if narrow != ' ' || !spelled.ends_with(' ') {
            spelled.push(narrow);
        }
    }
    spelled
}

fn judge(text: &str) -> Result<(), PassphraseSlip> {
    let visible = || text.chars().filter(|character| *character != ' ');
    if visible().all(|character| character.is_ascii_digit()) {
        return Err(PassphraseSlip::DigitsOnly);
    }
    let words = text.split(' ').filter(|word| word.chars().count() >= 3);
    let long_enough = visible().count() >= CHARACTERS_MIN
        || words.count() >= WORDS_MIN
        || visible().filter(|character| is_han(*character)).count() >= HAN_MIN;
    if !long_enough {
        return Err(PassphraseSlip::TooShort);
    }
    let distinct: std::collections::BTreeSet<char> = visible().collect();
    let counts_up = visible().zip(visible().skip(1)).all(|(a, b)| u32::from(a) + 1 == u32::from(b));
    if distinct.len() < DISTINCT_MIN || counts_up {
        return Err(PassphraseSlip::TooSimple);
    }
    Ok(())
}

/// A Chinese character of the unified blocks.
fn is_han(character: char) -> bool {
    matches!(character, '\u{3400}'..='\u{4dbf}' | '\u{4e00}'..='\u{9fff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::dice::tests::dice;

    #[test]
    fn each_of_the_three_measures_suffices() {
        for good in [
            "Kx3-mill-brook",
            "horse battery staple wind",
            "柳河东边第三棵老槐树",
            "石桥槐树南坡水井",
            "ab3 cd4 ef5 gh6",
            "口令abc123DEF456",
        ] {
            assert!(Passphrase::chosen(good).is_ok(), "{good}");
        }
    }

    #[test]
    fn each_weakness_is_named() {
        use PassphraseSlip::*;
        for (bad, slip) in [
            ("", Empty),
            ("   \u{3000} ", Empty),
            ("Kx3-mill-br", TooShort),
            ("one two three", TooShort),
            ("a b c d", TooShort),
            ("石桥槐树南坡水", TooShort),
            ("13800138000138", DigitsOnly),
            ("1305 9919 9001 0112", DigitsOnly),
            ("aaaaaaaaaaaaaaaa", TooSimple),
            ("abababababababab", TooSimple),
            ("abcdefghijklmnop", TooSimple),
            ("一一一一一一一一", TooSimple),
            ("good enough\tbut for the tab", ControlCharacter),
        ] {
            assert_eq!(Passphrase::chosen(bad).unwrap_err(), slip, "{bad}");
        }
        let long = "长".repeat(PASSPHRASE_BYTES_MAX / 3 + 1);
        assert_eq!(Passphrase::chosen(&long).unwrap_err(), TooLong);
        assert_eq!(Passphrase::typed(&long).unwrap_err(), TooLong);
    }

    #[test]
    fn a_slip_speaks_chinese_and_english() {
        use PassphraseSlip::*;
        for slip in
            [Empty, TooLong, TooShort, TooSimple, DigitsOnly, ControlCharacter, TypedDifferently]
        {
            assert!(slip.zh().chars().any(is_han) && slip.to_string().is_ascii());
        }
    }

    #[test]
    fn full_width_and_spaces_around_do_not_lock_out() {
        let typed = |text| Passphrase::typed(text).unwrap();
        assert!(typed("ＡＢｃ－１２　x").is_same(&typed(" ABc-12  x ")));
        assert!(!typed("abc").is_same(&typed("Abc")));
    }

    #[test]
    fn what_opens_need_not_be_good() {
        assert!(Passphrase::typed("1234").is_ok());
    }

    #[test]
    fn a_generated_one_is_good_and_written_easily() {
        let mut dice = dice(1);
        let mut seen = std::collections::BTreeMap::new();
        for _ in 0..1_000 {
            let passphrase = Passphrase::generated(&mut dice);
            let text = passphrase.reveal();
            assert_eq!(text.split('-').map(str::len).collect::<Vec<_>>(), [4, 4, 4, 4]);
            assert!(Passphrase::chosen(text).is_ok(), "{text}");
            for letter in text.chars().filter(|letter| *letter != '-') {
                *seen.entry(letter).or_insert(0) += 1;
            }
        }
        assert_eq!(seen.len(), ALPHABET.len());
        // 16,000 letters: 516 of each, with a deviation of 22.
        assert!(seen.values().all(|count| (400..640).contains(count)), "{seen:?}");
        assert!(16.0 * 31_f64.log2() > 75.0);
    }

    #[test]
    fn a_passphrase_is_never_printed() {
        assert_eq!(format!("{:?}", Passphrase::typed("secret").unwrap()), "Passphrase");
    }

    proptest! {
        #[test]
        fn judging_never_panics_and_spelling_is_settled(text in "\\PC{0,60}") {
            if let Ok(once) = Passphrase::typed(&text) {
                let twice = Passphrase::typed(once.reveal()).unwrap();
                prop_assert!(twice.is_same(&once));
            }
            let _ = Passphrase::chosen(&text);
        }

        #[test]
        fn eleven_characters_are_never_enough(text in "[a-zA-Z!-9]{1,11}") {
            prop_assert!(Passphrase::chosen(&text).is_err());
        }
    }
}
