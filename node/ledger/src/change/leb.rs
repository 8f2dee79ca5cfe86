//! Variable-length numbers in their shortest form, and the reader that never runs past the end.

use super::ChangeFault;

/// What is left of the bytes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Reader { rest }
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.rest
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    pub(super) fn byte(&mut self) -> Result<u8, ChangeFault> {
        let (first, rest) = self.rest.split_first().ok_or(ChangeFault::CutShort)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(super) fn take(&mut self, len: u64) -> Result<&'a [u8], ChangeFault> {
        let len = usize::try_from(len).map_err(|_| ChangeFault::CutShort)?;
        let (taken, rest) = self.rest.split_at_checked(len).ok_or(ChangeFault::CutShort)?;
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], ChangeFault> {
        let (taken, rest) = self.rest.split_first_chunk().ok_or(ChangeFault::CutShort)?;
        self.rest = rest;
        Ok(*taken)
    }

    /// Text behind its length, at most `bytes_max` long.
    pub(super) fn text(
        &mut self,
        bytes_max: usize,
        too_long: ChangeFault,
    ) -> Result<&'a str, ChangeFault> {
        let len = self.unsigned()?;
        if len > bytes_max as u64 {
            return Err(too_long);
        }
        std::str::from_utf8(self.take(len)?).map_err(|_| ChangeFault::Utf8)
    }

    pub(super) fn unsigned(&mut self) -> Result<u64, ChangeFault> {
        let mut value = 0_u64;
        for place in 0..10 {
            let byte = self.byte()?;
            // The tenth byte holds bit 63 alone.
            if place == 9 && byte > 1 {
                return Err(ChangeFault::Number);
            }
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                let overlong = place > 0 && byte == 0;
                return if overlong { Err(ChangeFault::Number) } else { Ok(value) };
            }
        }
        Err(ChangeFault::Number)
    }

    pub(super) fn signed(&mut self) -> Result<i64, ChangeFault> {
        let mut value = 0_i64;
        let mut before = 0_u8;
        for place in 0..10 {
            let byte = self.byte()?;
            // The tenth byte holds bit 63 and must repeat it as the sign.
            if place == 9 && byte != 0 && byte != 0x7f {
                return Err(ChangeFault::Number);
            }
            value |= i64::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                let sign_repeated =
                    (byte == 0 && before & 0x40 == 0) || (byte == 0x7f && before & 0x40 != 0);
                if place > 0 && sign_repeated {
                    return Err(ChangeFault::Number);
                }
                if byte & 0x40 != 0 && place < 9 {
                    value |= -1_i64 << (7 * (place + 1));
                }
                return Ok(value);
            }
            before = byte;
        }
        Err(ChangeFault::Number)
    }
}

pub(super) fn write_unsigned(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 & 0x7f | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

pub(super) fn write_signed(out: &mut Vec<u8>, mut value: i64) {
    loop {
        let byte = value as u8 & 0x7f;
        value >>= 7;
        let sign_is_told = (value == 0 && byte & 0x40 == 0) || (value == -1 && byte & 0x40 != 0);
        if sign_is_told {
            out.push(byte);
            return;
        }
        out.push(byte | 0x80);
    }
}

/// Bytes that [`write_signed`] needs.
pub(super) fn signed_len(value: i64) -> u64 {
    let magnitude = if value < 0 { !value } else { value };
    let bits = 64 - u64::from(magnitude.leading_zeros()) + 1;
    bits.div_ceil(7)
}

pub(super) fn write_text(out: &mut Vec<u8>, text: &str) {
    write_unsigned(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_lengths_agree() {
        let edges = [0, 1, 63, 64, 127, 128, 8191, 8192, (1 << 31) - 1, 1 << 40, i64::MAX];
        for value in edges.into_iter().flat_map(|edge| [edge, -edge, !edge]) {
            let mut out = Vec::new();
            write_signed(&mut out, value);
            assert_eq!(out.len() as u64, signed_len(value), "{value}");
            assert_eq!(Reader::new(&out).signed(), Ok(value));
            let mut out = Vec::new();
            write_unsigned(&mut out, value as u64);
            assert_eq!(Reader::new(&out).unsigned(), Ok(value as u64));
        }
    }

    #[test]
    fn a_number_has_one_spelling() {
        for spelling in [&[0x81, 0x00][..], &[0x80, 0x00], &[0x80; 10], &[0xff; 11]] {
            assert!(Reader::new(spelling).unsigned().is_err(), "{spelling:?}");
        }
        for spelling in [&[0x81, 0x00][..], &[0xff, 0x7f], &[0x80; 10], &[0xff; 11]] {
            assert!(Reader::new(spelling).signed().is_err(), "{spelling:?}");
        }
        // Here the last byte is needed: without it bit 6 would be read as the sign.
        assert_eq!(Reader::new(&[0xc0, 0x00]).signed(), Ok(64));
        assert_eq!(Reader::new(&[0xbf, 0x7f]).signed(), Ok(-65));
    }
}
