//! Prints what one try of a passphrase costs on this PC, for argon2id settings around the standard.
//! Never touches a real key.

use std::time::Instant;

use xw_custody::{Cost, KeyPurpose, Passphrase, SealedKey};
use zeroize::Zeroizing;

fn main() {
    // Fixed dice: nothing here is secret.
    let mut dice = |buffer: &mut [u8]| buffer.fill(7);
    let passphrase = Passphrase::generated(&mut |buffer: &mut [u8]| buffer.fill(7));
    println!("argon2id, one try:");
    for (mib, passes) in [(19, 2), (64, 3), (128, 3), (256, 3)] {
        let cost = Cost::new(mib * 1024, passes, 1).expect("within bounds");
        let seed = Zeroizing::new([7; 32]);
        let sealed =
            SealedKey::seal(KeyPurpose::Person, "cost", &seed, &passphrase, cost, &mut dice)
                .expect("a good label and enough memory");
        let began = Instant::now();
        let rounds = 3;
        for _ in 0..rounds {
            sealed.open(&passphrase).expect("its own passphrase");
        }
        let each = began.elapsed() / rounds;
        let standard = if cost == Cost::STANDARD { "  <- standard 标准" } else { "" };
        println!("{mib:>4} MiB, {passes} passes: {:>6.0} ms{standard}", each.as_secs_f64() * 1e3);
    }
}
