//! The caller's entropy in the form that libraries take it. Never makes any of its own.

use std::convert::Infallible;

use hpke::rand_core::{TryCryptoRng, TryRng};

use crate::Entropy;

/// Entropy as a random number generator.
pub(crate) struct Dice<'a>(pub(crate) Entropy<'a>);

impl TryRng for Dice<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        (self.0)(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        (self.0)(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, buffer: &mut [u8]) -> Result<(), Infallible> {
        (self.0)(buffer);
        Ok(())
    }
}

impl TryCryptoRng for Dice<'_> {}

#[cfg(test)]
pub(crate) mod tests {
    /// Repeatable dice for tests.
    pub(crate) fn dice(seed: u64) -> impl FnMut(&mut [u8]) {
        let mut state = seed;
        move |buffer| {
            for byte in buffer {
                state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                let mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                *byte = (mixed >> 40) as u8;
            }
        }
    }
}
