//! Asking a person for a passphrase: at the terminal without echo, or one line of standard input for
//! whoever scripts it. Never from an argument, the environment or a setting.

use std::io::{BufRead, Read as _, Write as _};

use zeroize::Zeroizing;

use crate::passphrase::{PASSPHRASE_BYTES_MAX, Passphrase, PassphraseSlip};

/// Times that a person may mistype a new passphrase before the command ends.
const ATTEMPTS_MAX: usize = 5;

/// Where the passphrase comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// The terminal, without echo, even when standard input is a pipe.
    Terminal,
    /// One line of standard input for each passphrase; the caller's flag says so in full.
    StdinLine,
}

/// Why there is no passphrase.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// What was typed does not serve.
    #[error(transparent)]
    Slip(#[from] PassphraseSlip),
    /// There is no terminal, or it is gone.
    #[error("no passphrase could be read from the terminal")]
    Terminal(#[source] std::io::Error),
    /// Standard input failed.
    #[error("no passphrase could be read from standard input")]
    Stdin(#[source] std::io::Error),
    /// Standard input ended.
    #[error("standard input ended where a passphrase was to come")]
    Ended,
    /// A line of standard input that is not UTF-8.
    #[error("the passphrase on standard input is not UTF-8")]
    NotUtf8,
}

impl AskError {
    /// In Chinese.
    #[must_use]
    pub fn zh(&self) -> String {
        match self {
            Self::Slip(slip) => slip.zh(),
            Self::Terminal(_) => "无法从终端读取口令".into(),
            Self::Stdin(_) => "无法从标准输入读取口令".into(),
            Self::Ended => "标准输入已结束，没有读到口令".into(),
            Self::NotUtf8 => "标准输入中的口令不是 UTF-8 编码".into(),
        }
    }
}

/// Asks for the passphrase of something that exists. The prompt says of what, Chinese first.
pub fn existing(source: Source, prompt: &str) -> Result<Passphrase, AskError> {
    match source {
        Source::Terminal => Ok(Passphrase::typed(&hidden(prompt)?)?),
        Source::StdinLine => Ok(Passphrase::typed(&line(&mut std::io::stdin().lock())?)?),
    }
}

/// Asks for a new passphrase: twice at the terminal, again while it is too weak or differs.
pub fn new(source: Source, prompt: &str) -> Result<Passphrase, AskError> {
    match source {
        Source::StdinLine => Ok(Passphrase::chosen(&line(&mut std::io::stdin().lock())?)?),
        Source::Terminal => agreed(|again| hidden(if again { AGAIN } else { prompt }), tell),
    }
}

const AGAIN: &str = "再输入一次 Once more: ";

/// One line, however long standard input is.
fn line(input: &mut impl BufRead) -> Result<Zeroizing<String>, AskError> {
    // Room at once, so that the text never moves and leaves a copy behind. One byte over the limit
    // and a line break: what is cut here is refused as too long.
    let room = PASSPHRASE_BYTES_MAX + 2;
    let mut bytes = Zeroizing::new(Vec::with_capacity(room));
    input.take(room as u64).read_until(b'\n', &mut bytes).map_err(AskError::Stdin)?;
    if bytes.is_empty() {
        return Err(AskError::Ended);
    }
    let text = std::str::from_utf8(&bytes).map_err(|_| AskError::NotUtf8)?;
    Ok(Zeroizing::new(text.trim_end_matches(['\r', '\n']).to_owned()))
}

fn hidden(prompt: &str) -> Result<Zeroizing<String>, AskError> {
    rpassword::prompt_password(prompt).map(Zeroizing::new).map_err(AskError::Terminal)
}

fn tell(slip: PassphraseSlip) {
    // Nobody reads a screen that is gone, and then the next question fails.
    let _ = writeln!(std::io::stderr(), "{}\n{slip}", slip.zh());
}

/// Asks until a good passphrase was typed twice.
fn agreed(
    mut ask: impl FnMut(bool) -> Result<Zeroizing<String>, AskError>,
    mut tell: impl FnMut(PassphraseSlip),
) -> Result<Passphrase, AskError> {
    let mut last = PassphraseSlip::Empty;
    for _ in 0..ATTEMPTS_MAX {
        match twice(&mut ask) {
            Err(AskError::Slip(slip)) => {
                tell(slip);
                last = slip;
            }
            settled => return settled,
        }
    }
    Err(AskError::Slip(last))
}

fn twice(
    ask: &mut impl FnMut(bool) -> Result<Zeroizing<String>, AskError>,
) -> Result<Passphrase, AskError> {
    let passphrase = Passphrase::chosen(&ask(false)?)?;
    let again = Passphrase::typed(&ask(true)?)?;
    if !passphrase.is_same(&again) {
        return Err(PassphraseSlip::TypedDifferently.into());
    }
    Ok(passphrase)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_passphrase_takes_one_line() {
        let mut input = "第一句 口令\r\nsecond\n\nlast".as_bytes();
        let mut next = || line(&mut input).map(|text| text.to_string());
        assert_eq!(next().unwrap(), "第一句 口令");
        assert_eq!(next().unwrap(), "second");
        assert_eq!(next().unwrap(), "");
        assert_eq!(next().unwrap(), "last");
        assert!(matches!(next(), Err(AskError::Ended)));
    }

    #[test]
    fn a_line_without_end_is_not_read_to_its_end() {
        let endless = "x".repeat(10 * PASSPHRASE_BYTES_MAX);
        let text = line(&mut endless.as_bytes()).unwrap();
        assert_eq!(Passphrase::typed(&text).unwrap_err(), PassphraseSlip::TooLong);
        let full = format!("{}\n", "y".repeat(PASSPHRASE_BYTES_MAX));
        assert!(Passphrase::typed(&line(&mut full.as_bytes()).unwrap()).is_ok());
        assert!(matches!(line(&mut &b"\xc4\xe3\n"[..]), Err(AskError::NotUtf8)));
    }

    #[test]
    fn a_new_one_is_typed_twice_and_the_weak_are_told_why() {
        let mut typed =
            ["short", "Kx3-mill-brook", "other", "Kx3-mill-brook", "Kx3-mill-brook"].into_iter();
        let mut told = Vec::new();
        let ask = |_| Ok(Zeroizing::new(typed.next().unwrap().to_owned()));
        let passphrase = agreed(ask, |slip| told.push(slip)).unwrap();
        assert_eq!(passphrase.reveal(), "Kx3-mill-brook");
        assert_eq!(told, [PassphraseSlip::TooShort, PassphraseSlip::TypedDifferently]);
    }

    #[test]
    fn nobody_is_asked_for_ever() {
        let mut asked = 0;
        let ask = |_| {
            asked += 1;
            Ok(Zeroizing::new("weak".to_owned()))
        };
        let given_up = agreed(ask, |_| ());
        assert!(matches!(given_up, Err(AskError::Slip(PassphraseSlip::TooShort))));
        assert_eq!(asked, ATTEMPTS_MAX);
    }
}
