//! Deterministic CBOR (RFC 8949 section 4.2.1), the closed subset that our formats use: unsigned
//! and negative integers, byte and text strings, arrays, small maps, null. Never accepts a longer
//! form than the shortest, an indefinite length, a float or a tag: bytes that pass have one reading
//! and one writing.

/// Writes deterministic CBOR.
#[derive(Debug, Default)]
pub struct Writer(Vec<u8>);

impl Writer {
    /// An empty writer.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty writer with room for so many bytes.
    #[must_use]
    pub fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// The bytes written so far.
    #[must_use]
    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    fn head(&mut self, major: u8, value: u64) {
        let major = major << 5;
        match value {
            0..=23 => self.0.push(major | value.to_be_bytes()[7]),
            24..=0xff => self.0.extend([major | 24, value.to_be_bytes()[7]]),
            0x100..=0xffff => {
                self.0.push(major | 25);
                self.0.extend(&value.to_be_bytes()[6..]);
            }
            0x1_0000..=0xffff_ffff => {
                self.0.push(major | 26);
                self.0.extend(&value.to_be_bytes()[4..]);
            }
            _ => {
                self.0.push(major | 27);
                self.0.extend(value.to_be_bytes());
            }
        }
    }

    /// An unsigned integer.
    pub fn uint(&mut self, value: u64) -> &mut Self {
        self.head(0, value);
        self
    }

    /// A negative integer, given as -1 - value (RFC 8949 major type 1).
    pub fn negative(&mut self, minus_one_minus: u64) -> &mut Self {
        self.head(1, minus_one_minus);
        self
    }

    /// A byte string.
    pub fn bytes(&mut self, value: &[u8]) -> &mut Self {
        self.head(2, value.len() as u64);
        self.0.extend(value);
        self
    }

    /// A text string.
    pub fn text(&mut self, value: &str) -> &mut Self {
        self.head(3, value.len() as u64);
        self.0.extend(value.as_bytes());
        self
    }

    /// The head of an array of `len` items, which follow.
    pub fn array(&mut self, len: usize) -> &mut Self {
        self.head(4, len as u64);
        self
    }

    /// The head of a map of `len` pairs, which follow in bytewise order of their encoded keys.
    pub fn map(&mut self, len: usize) -> &mut Self {
        self.head(5, len as u64);
        self
    }

    /// Null.
    pub fn null(&mut self) -> &mut Self {
        self.0.push(0xf6);
        self
    }

    /// A byte string, or null.
    pub fn optional(&mut self, value: Option<&[u8]>) -> &mut Self {
        match value {
            Some(bytes) => self.bytes(bytes),
            None => self.null(),
        }
    }
}

/// Why bytes are not in our subset of deterministic CBOR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CborFault {
    /// The bytes end inside an item.
    #[error("the bytes end inside an item")]
    Truncated,
    /// An integer or length is written in a longer form than needed, or with an unused form.
    #[error("an integer is not in its shortest form")]
    NotShortest,
    /// Another type of item stands where this one is required.
    #[error("another type of item was required here")]
    WrongType,
    /// A length is not the required one, or above its limit.
    #[error("a length is not allowed here")]
    WrongLength,
    /// A text is not UTF-8.
    #[error("a text is not UTF-8")]
    NotUtf8,
    /// A value is outside of its allowed range.
    #[error("a value is outside its range")]
    OutOfRange,
    /// Bytes follow the last item.
    #[error("bytes follow the last item")]
    Trailing,
}

/// Reads deterministic CBOR from a slice, refusing every other form.
#[derive(Debug, Clone)]
pub struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// A reader over all of `bytes`.
    #[must_use]
    pub fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// Succeeds when nothing is left.
    pub fn end(&self) -> Result<(), CborFault> {
        if self.0.is_empty() { Ok(()) } else { Err(CborFault::Trailing) }
    }

    fn take(&mut self, len: usize) -> Result<&'a [u8], CborFault> {
        let (taken, rest) = self.0.split_at_checked(len).ok_or(CborFault::Truncated)?;
        self.0 = rest;
        Ok(taken)
    }

    fn head(&mut self, major: u8) -> Result<u64, CborFault> {
        let first = *self.0.first().ok_or(CborFault::Truncated)?;
        if first >> 5 != major {
            return Err(CborFault::WrongType);
        }
        self.0 = &self.0[1..];
        let (len, least) = match first & 0x1f {
            small @ 0..=23 => return Ok(u64::from(small)),
            24 => (1, 24),
            25 => (2, 0x100),
            26 => (4, 0x1_0000),
            27 => (8, 0x1_0000_0000),
            _ => return Err(CborFault::NotShortest),
        };
        let value = self.take(len)?.iter().fold(0u64, |value, byte| value << 8 | u64::from(*byte));
        if value < least { Err(CborFault::NotShortest) } else { Ok(value) }
    }

    /// An unsigned integer.
    pub fn uint(&mut self) -> Result<u64, CborFault> {
        self.head(0)
    }

    /// An unsigned integer of at most `max`.
    pub fn uint_to(&mut self, max: u64) -> Result<u64, CborFault> {
        let value = self.uint()?;
        if value > max { Err(CborFault::OutOfRange) } else { Ok(value) }
    }

    /// A negative integer, as -1 - value.
    pub fn negative(&mut self) -> Result<u64, CborFault> {
        self.head(1)
    }

    /// A byte string of at most `max` bytes.
    pub fn bytes(&mut self, max: usize) -> Result<&'a [u8], CborFault> {
        let len = self.length(2, max)?;
        self.take(len)
    }

    /// A byte string of exactly `N` bytes.
    pub fn fixed<const N: usize>(&mut self) -> Result<[u8; N], CborFault> {
        self.bytes(N)?.try_into().map_err(|_| CborFault::WrongLength)
    }

    /// A byte string of exactly `N` bytes, or null.
    pub fn optional<const N: usize>(&mut self) -> Result<Option<[u8; N]>, CborFault> {
        if self.is_null() { self.null().map(|()| None) } else { self.fixed().map(Some) }
    }

    /// A text of at most `max` bytes.
    pub fn text(&mut self, max: usize) -> Result<&'a str, CborFault> {
        let len = self.length(3, max)?;
        std::str::from_utf8(self.take(len)?).map_err(|_| CborFault::NotUtf8)
    }

    /// The head of an array of at most `max` items.
    pub fn array(&mut self, max: usize) -> Result<usize, CborFault> {
        self.length(4, max)
    }

    /// The head of an array of exactly `len` items.
    pub fn array_of(&mut self, len: usize) -> Result<(), CborFault> {
        if self.array(len)? == len { Ok(()) } else { Err(CborFault::WrongLength) }
    }

    /// The head of a map of exactly `len` pairs.
    pub fn map_of(&mut self, len: usize) -> Result<(), CborFault> {
        if self.length(5, len)? == len { Ok(()) } else { Err(CborFault::WrongLength) }
    }

    /// Whether null comes next.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.0.first() == Some(&0xf6)
    }

    /// Null.
    pub fn null(&mut self) -> Result<(), CborFault> {
        if self.is_null() {
            self.0 = &self.0[1..];
            Ok(())
        } else {
            Err(CborFault::WrongType)
        }
    }

    fn length(&mut self, major: u8, max: usize) -> Result<usize, CborFault> {
        let len = self.head(major)?;
        usize::try_from(len).ok().filter(|len| *len <= max).ok_or(CborFault::WrongLength)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_integer_has_one_form() {
        for value in [0, 23, 24, 255, 256, 65_535, 65_536, u64::from(u32::MAX), u64::MAX] {
            let mut writer = Writer::new();
            writer.uint(value);
            let bytes = writer.into_bytes();
            let mut reader = Reader::new(&bytes);
            assert_eq!(reader.uint(), Ok(value));
            assert_eq!(reader.end(), Ok(()));
        }
        for long in [&[0x18, 23][..], &[0x19, 0, 255], &[0x1a, 0, 0, 255, 255], &[0x1f]] {
            assert_eq!(Reader::new(long).uint(), Err(CborFault::NotShortest));
        }
    }

    #[test]
    fn a_length_beyond_the_bytes_allocates_nothing() {
        let bomb = [0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(Reader::new(&bomb).bytes(1 << 20), Err(CborFault::WrongLength));
        assert_eq!(Reader::new(&[0x59, 0xff, 0xff, 0]).bytes(1 << 20), Err(CborFault::Truncated));
        assert_eq!(Reader::new(&[0x9f, 0xff]).array(9), Err(CborFault::NotShortest));
    }
}
