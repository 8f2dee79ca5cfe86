//! Numbers with a rule inside: national ID, unified social credit code, telephone, division, place.
//! Checks form and check digits only; never whether such a person or firm exists.

use super::days::Day;
use super::slip::ValueSlip;

/// Telephone numbers one field may hold: a household's, a child's, a neighbour's.
pub(crate) const PHONES_MAX: usize = 3;

const ID_WEIGHTS: [u32; 17] = [7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2];
const ID_CHECKS: &[u8; 11] = b"10X98765432";
/// GB 32100 leaves out I, O, S, V and Z, which are easily misread.
const CREDIT_ALPHABET: &[u8; 31] = b"0123456789ABCDEFGHJKLMNPQRTUWXY";

/// The 18th character of a national ID number, from the first 17 digits (GB 11643).
pub fn id_check_digit(first17: &str) -> Option<char> {
    let digits = first17.as_bytes();
    if digits.len() != ID_WEIGHTS.len() || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let sum: u32 = digits.iter().zip(ID_WEIGHTS).map(|(d, w)| u32::from(d - b'0') * w).sum();
    Some(char::from(ID_CHECKS[(sum % 11) as usize]))
}

/// The 18th character of a unified social credit code, from the first 17 (GB 32100).
pub fn credit_code_check(first17: &str) -> Option<char> {
    if first17.len() != 17 {
        return None;
    }
    let mut sum = 0;
    let mut weight = 1;
    for byte in first17.bytes() {
        sum += CREDIT_ALPHABET.iter().position(|c| *c == byte)? * weight;
        weight = weight * 3 % 31;
    }
    Some(char::from(CREDIT_ALPHABET[(31 - sum % 31) % 31]))
}

/// Checks a national ID number, or lets the number of a passport or permit pass.
pub(crate) fn check_id(text: &str) -> Result<(), ValueSlip> {
    // Passports and permits begin with a letter, ID numbers never do.
    if text.as_bytes().first().is_some_and(u8::is_ascii_uppercase) {
        let sound = (5..=18).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        return if sound { Ok(()) } else { Err(ValueSlip::IdShape) };
    }
    if text.len() != 18 || !text.is_ascii() {
        return Err(ValueSlip::IdLength { found: text.chars().count() });
    }
    let expected = id_check_digit(&text[..17]).ok_or(ValueSlip::IdShape)?;
    let birth = format!("{}-{}-{}", &text[6..10], &text[10..12], &text[12..14]);
    if Day::from_stored(&birth).is_none() {
        return Err(ValueSlip::IdBirth);
    }
    if text.ends_with(expected) { Ok(()) } else { Err(ValueSlip::IdCheckDigit) }
}

/// Checks a unified social credit code.
pub(crate) fn check_credit_code(text: &str) -> Result<(), ValueSlip> {
    if text.len() != 18 || !text.is_ascii() {
        return Err(ValueSlip::CreditCodeShape);
    }
    let expected = credit_code_check(&text[..17]).ok_or(ValueSlip::CreditCodeShape)?;
    if text.ends_with(expected) { Ok(()) } else { Err(ValueSlip::CreditCodeCheck) }
}

/// Checks one to three telephone numbers joined by commas.
pub(crate) fn check_phones(text: &str) -> Result<(), ValueSlip> {
    let count = text.split(',').count();
    if count > PHONES_MAX {
        return Err(ValueSlip::TooManyChoices { max: PHONES_MAX });
    }
    if text.split(',').all(is_phone) { Ok(()) } else { Err(ValueSlip::Phone) }
}

/// A mobile number, a landline with its area code, or a test number (`100` and eight digits, which
/// no network assigns and which demo data uses).
fn is_phone(text: &str) -> bool {
    let b = text.as_bytes();
    let all_digits = |b: &[u8]| !b.is_empty() && b.iter().all(u8::is_ascii_digit);
    if let Some((area, number)) = text.split_once('-') {
        return area.starts_with('0')
            && (3..=4).contains(&area.len())
            && (7..=8).contains(&number.len())
            && all_digits(area.as_bytes())
            && all_digits(number.as_bytes());
    }
    b.len() == 11
        && all_digits(b)
        && b[0] == b'1'
        && ((b'3'..=b'9').contains(&b[1]) || text.starts_with("100"))
}

/// Checks a division code.
pub(crate) fn check_division(text: &str, digits: u8) -> Result<(), ValueSlip> {
    let sound = text.len() == usize::from(digits)
        && text.bytes().all(|b| b.is_ascii_digit())
        && !text.starts_with('0');
    if sound { Ok(()) } else { Err(ValueSlip::Division { digits }) }
}

/// Checks a place: latitude and longitude in degrees, at most six decimals (ten centimetres).
pub(crate) fn check_geo(text: &str) -> Result<(), ValueSlip> {
    let sound =
        text.split_once(',').is_some_and(|(lat, lon)| is_degrees(lat, 90) && is_degrees(lon, 180));
    if sound { Ok(()) } else { Err(ValueSlip::Geo) }
}

fn is_degrees(text: &str, most: u32) -> bool {
    let text = text.strip_prefix('-').unwrap_or(text);
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let sound = (1..=3).contains(&whole.len())
        && (1..=6).contains(&decimals.len())
        && whole.bytes().chain(decimals.bytes()).all(|b| b.is_ascii_digit());
    if !sound {
        return false;
    }
    let Ok(degrees) = whole.parse::<u32>() else {
        return false;
    };
    degrees < most || (degrees == most && decimals.bytes().all(|b| b == b'0'))
}
