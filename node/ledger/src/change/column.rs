//! The three column forms of a change: runs, deltas and flags, read row by row and written whole.
//! A run is never expanded: a claimed length costs nothing until a row asks for it.

use super::ChangeFault;
use super::leb::{Reader, write_signed, write_unsigned};

/// A column of runs: value runs, literal runs and null runs.
pub(super) struct Runs<'a, T> {
    reader: Reader<'a>,
    read: fn(&mut Reader<'a>) -> Result<T, ChangeFault>,
    run: Run<T>,
    left: u64,
    absent: bool,
}

enum Run<T> {
    Same(T),
    Nulls,
    Literal,
}

impl<'a, T: Copy> Runs<'a, T> {
    /// `None` is a column that is not there: every row is null.
    pub(super) fn new(
        bytes: Option<&'a [u8]>,
        read: fn(&mut Reader<'a>) -> Result<T, ChangeFault>,
    ) -> Self {
        let reader = Reader::new(bytes.unwrap_or_default());
        Runs { reader, read, run: Run::Nulls, left: 0, absent: bytes.is_none() }
    }

    /// Whether every row has been read.
    pub(super) fn is_done(&self) -> bool {
        self.left == 0 && self.reader.is_empty()
    }

    pub(super) fn row(&mut self) -> Result<Option<T>, ChangeFault> {
        if self.absent {
            return Ok(None);
        }
        while self.left == 0 {
            if self.reader.is_empty() {
                return Err(ChangeFault::Rows);
            }
            self.next_run()?;
        }
        self.left -= 1;
        match &self.run {
            Run::Same(value) => Ok(Some(*value)),
            Run::Nulls => Ok(None),
            Run::Literal => (self.read)(&mut self.reader).map(Some),
        }
    }

    pub(super) fn value(&mut self) -> Result<T, ChangeFault> {
        self.row()?.ok_or(ChangeFault::Rows)
    }

    fn next_run(&mut self) -> Result<(), ChangeFault> {
        let count = self.reader.signed()?;
        self.left = count.unsigned_abs();
        self.run = match count {
            1.. => Run::Same((self.read)(&mut self.reader)?),
            0 => {
                self.left = self.reader.unsigned()?;
                Run::Nulls
            }
            _ => Run::Literal,
        };
        Ok(())
    }
}

/// A column of runs whose values are the steps between neighbouring numbers.
pub(super) struct Deltas<'a> {
    steps: Runs<'a, i64>,
    at: i64,
}

impl<'a> Deltas<'a> {
    pub(super) fn new(bytes: Option<&'a [u8]>) -> Self {
        Deltas { steps: Runs::new(bytes, |reader| reader.signed()), at: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.steps.is_done()
    }

    pub(super) fn row(&mut self) -> Result<Option<u64>, ChangeFault> {
        let Some(step) = self.steps.row()? else {
            return Ok(None);
        };
        self.at = self.at.checked_add(step).ok_or(ChangeFault::Counter)?;
        u64::try_from(self.at).map(Some).map_err(|_| ChangeFault::Counter)
    }
}

/// A column of booleans: lengths of alternating runs, the first of them false.
pub(super) struct Flags<'a> {
    reader: Reader<'a>,
    value: bool,
    left: u64,
}

impl<'a> Flags<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Flags { reader: Reader::new(bytes), value: true, left: 0 }
    }

    pub(super) fn is_done(&self) -> bool {
        self.left == 0 && self.reader.is_empty()
    }

    pub(super) fn row(&mut self) -> Result<bool, ChangeFault> {
        while self.left == 0 {
            if self.reader.is_empty() {
                return Err(ChangeFault::Rows);
            }
            self.left = self.reader.unsigned()?;
            self.value = !self.value;
        }
        self.left -= 1;
        Ok(self.value)
    }
}

/// Writes rows as runs; a column of nothing but nulls is empty.
pub(super) fn write_runs<T: PartialEq + Copy>(
    out: &mut Vec<u8>,
    rows: &[Option<T>],
    write: fn(&mut Vec<u8>, T),
) {
    if rows.iter().all(Option::is_none) {
        return;
    }
    let mut rest = rows;
    while let Some(first) = rest.first() {
        let same = rest.iter().take_while(|row| *row == first).count();
        let taken = match first {
            None => {
                write_signed(out, 0);
                write_unsigned(out, same as u64);
                same
            }
            Some(value) if same > 1 => {
                write_signed(out, same as i64);
                write(out, *value);
                same
            }
            Some(_) => {
                let literal = literal_len(rest);
                write_signed(out, -(literal as i64));
                rest[..literal].iter().flatten().for_each(|value| write(out, *value));
                literal
            }
        };
        rest = &rest[taken..];
    }
}

/// How many values stand at the front before a null or the first of two equal ones.
fn literal_len<T: PartialEq>(rows: &[Option<T>]) -> usize {
    (0..rows.len())
        .find(|at| rows[*at].is_none() || rows.get(at + 1).is_some_and(|next| *next == rows[*at]))
        .unwrap_or(rows.len())
}

pub(super) fn write_deltas(out: &mut Vec<u8>, rows: &[Option<u64>]) {
    let mut at = 0_i64;
    let steps: Vec<Option<i64>> = rows
        .iter()
        .map(|row| {
            row.map(|value| {
                let value = value as i64;
                let step = value.wrapping_sub(at);
                at = value;
                step
            })
        })
        .collect();
    write_runs(out, &steps, write_signed);
}

pub(super) fn write_flags(out: &mut Vec<u8>, rows: impl Iterator<Item = bool>) {
    let (mut value, mut count) = (false, 0_u64);
    for row in rows {
        if row != value {
            write_unsigned(out, count);
            (value, count) = (row, 0);
        }
        count += 1;
    }
    if count > 0 {
        write_unsigned(out, count);
    }
}
