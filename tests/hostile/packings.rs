//! Packings written by hand: what they say of their contents is the sender's choice.

/// A zstd frame written by hand (RFC 8878): magic number, a window of 128 KiB and no content size.
fn zstd(blocks: &[(u32, Vec<u8>)]) -> Vec<u8> {
    let mut out = vec![0x28, 0xb5, 0x2f, 0xfd, 0x00, 0x38];
    for (at, (kind_and_size, bytes)) in blocks.iter().enumerate() {
        let last = u32::from(at + 1 == blocks.len());
        out.extend(&(kind_and_size | last).to_le_bytes()[..3]);
        out.extend(bytes);
    }
    out
}

/// Bytes as they are, in one block.
pub(crate) fn stored(plain: &[u8]) -> Vec<u8> {
    let size = u32::try_from(plain.len()).expect("a short text");
    zstd(&[(size << 3, plain.to_vec())])
}

/// One byte said 128 Ki times, and that again and again: four bytes stand for 128 KiB.
pub(crate) fn exploding(blocks: usize) -> Vec<u8> {
    const REPEATED: u32 = 1 << 1;
    zstd(&vec![((128 << 10) << 3 | REPEATED, vec![0x81]); blocks])
}
