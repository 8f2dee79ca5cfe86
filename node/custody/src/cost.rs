//! What a try of a passphrase costs: argon2id (RFC 9106), its settings and their bounds. Takes no
//! memory before the settings are found within bounds.

use argon2::{Algorithm, Argon2, Block, Params, Version};
use zeroize::Zeroizing;

use crate::passphrase::Passphrase;

/// Most memory that a file may ask for, 1 GiB: what an old office PC can just give.
pub const MEMORY_KIB_MAX: u32 = 1 << 20;

/// Most passes over it: with 1 GiB some 20 seconds on one core, longer than anyone waits.
pub const PASSES_MAX: u32 = 16;

/// Most lanes; they run one after the other here and only change the result.
pub const LANES_MAX: u32 = 4;

/// Bytes of salt, as RFC 9106 section 3.1 recommends.
pub(crate) const SALT_BYTES: usize = 16;

/// What argon2id is asked to spend on one try.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cost {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
}

impl Cost {
    /// For every key of a real office: a quarter of a second here, a second on an old PC.
    pub const STANDARD: Self = Self { memory_kib: 64 * 1024, passes: 3, lanes: 1 };

    /// For tests and the synthetic county, whose passphrases stand in the documentation. Code
    /// chooses it; no setting, argument or environment does.
    pub const FOR_TESTS: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    /// A cost within bounds, else `None`.
    #[must_use]
    pub fn new(memory_kib: u32, passes: u32, lanes: u32) -> Option<Self> {
        let bounded = (1..=LANES_MAX).contains(&lanes)
            && (1..=PASSES_MAX).contains(&passes)
            && (8 * lanes..=MEMORY_KIB_MAX).contains(&memory_kib);
        bounded.then_some(Self { memory_kib, passes, lanes })
    }

    /// Memory of one try in KiB.
    #[must_use]
    pub fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub fn passes(&self) -> u32 {
        self.passes
    }

    /// Lanes.
    #[must_use]
    pub fn lanes(&self) -> u32 {
        self.lanes
    }

    /// The key that a passphrase gives with a salt; `None` where the memory cannot be had.
    pub(crate) fn key(
        self,
        passphrase: &Passphrase,
        salt: &[u8; SALT_BYTES],
    ) -> Option<Zeroizing<[u8; 32]>> {
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32))
            .expect("a cost is within the bounds of RFC 9106");
        let mut memory = Zeroizing::new(Vec::new());
        memory.try_reserve_exact(params.block_count()).ok()?;
        memory.resize(params.block_count(), Block::default());
        let mut key = Zeroizing::new([0; 32]);
        Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
            .hash_password_into_with_memory(passphrase.bytes(), salt, &mut key[..], &mut memory[..])
            .expect("passphrase, salt and memory have the lengths that argon2id takes");
        Some(key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn costs_out_of_bounds_are_none() {
        assert_eq!(Cost::new(64 * 1024, 3, 1), Some(Cost::STANDARD));
        assert_eq!(Cost::new(8, 1, 1), Some(Cost::FOR_TESTS));
        assert!(Cost::new(MEMORY_KIB_MAX, PASSES_MAX, LANES_MAX).is_some());
        for (memory_kib, passes, lanes) in [
            (MEMORY_KIB_MAX + 1, 1, 1),
            (4 << 20, 3, 1),
            (u32::MAX, 3, 1),
            (7, 1, 1),
            (0, 1, 1),
            (31, 1, 4),
            (64, 0, 1),
            (64, PASSES_MAX + 1, 1),
            (64, 1, 0),
            (1 << 20, 1, LANES_MAX + 1),
            (64, 1, u32::MAX),
        ] {
            assert_eq!(Cost::new(memory_kib, passes, lanes), None, "{memory_kib} {passes} {lanes}");
        }
    }

    #[test]
    fn argon2id_gives_what_other_programs_give() {
        // Computed with OpenSSL by way of Python's `cryptography`.
        const EXPECTED: &str = "08a19ee7f6d7f589c2ab6af18d6e724172b19f7d6fd462b38430ab31ceabeaf0";
        let passphrase = Passphrase::typed("password").unwrap();
        let cost = Cost::new(1024, 2, 1).unwrap();
        let key = cost.key(&passphrase, b"somesaltsomesalt").unwrap();
        assert_eq!(xw_schemas::id::hex(&key[..]), EXPECTED);
    }

    #[test]
    fn passphrase_salt_and_every_setting_change_the_key() {
        let passphrase = Passphrase::typed("one").unwrap();
        let key = |text: &str, salt, cost: (u32, u32, u32)| {
            let cost = Cost::new(cost.0, cost.1, cost.2).unwrap();
            cost.key(&Passphrase::typed(text).unwrap(), &[salt; 16]).unwrap()
        };
        let first = Cost::new(16, 1, 1).unwrap().key(&passphrase, &[0; 16]).unwrap();
        assert_eq!(key("one", 0, (16, 1, 1)), first);
        for other in [
            key("two", 0, (16, 1, 1)),
            key("one", 1, (16, 1, 1)),
            key("one", 0, (24, 1, 1)),
            key("one", 0, (16, 2, 1)),
            key("one", 0, (16, 1, 2)),
        ] {
            assert_ne!(other, first);
        }
    }
}
