//! Small blocks, deflated where that makes them smaller, behind a checksum: what is read back is what
//! was written, or nothing. Knows nothing of what a block means.
//!
//! ```text
//! packed := checksum (4 bytes: low half of XXH3 of the rest) · 0 · bytes
//!                                                            | 1 · length · deflated bytes
//! ```

use std::io::Write;

use flate2::write::DeflateEncoder;
use flate2::{Compression, Decompress, FlushDecompress, Status};

use crate::store::codec::{Cursor, put_varint};

const STORED: u8 = 0;
const DEFLATED: u8 = 1;
/// No block is longer; a larger length is damage.
const MAX_BYTES: usize = 64 << 20;

/// Appends a block to `out` and yields how many bytes it takes.
pub(super) fn pack(bytes: &[u8], out: &mut Vec<u8>) -> usize {
    let from = out.len();
    out.extend_from_slice(&[0; 4]);
    match deflate(bytes) {
        Some(deflated) if deflated.len() + 4 < bytes.len() => {
            out.push(DEFLATED);
            put_varint(bytes.len() as u64, out);
            out.extend_from_slice(&deflated);
        }
        _ => {
            out.push(STORED);
            out.extend_from_slice(bytes);
        }
    }
    let (_, block) = out.split_at_mut(from);
    let (sum, rest) = block.split_at_mut(4);
    sum.copy_from_slice(&checksum(rest).to_le_bytes());
    block.len()
}

/// Reads what [`pack`] wrote; `None` where the bytes are not that.
pub(super) fn unpack(packed: &[u8]) -> Option<Vec<u8>> {
    let mut cursor = Cursor::new(packed);
    if cursor.little_endian(4).ok()? != u64::from(checksum(cursor.rest())) {
        return None;
    }
    match cursor.byte().ok()? {
        STORED => Some(cursor.rest().to_vec()),
        DEFLATED => {
            let length = usize::try_from(cursor.varint().ok()?).ok().filter(|length| *length <= MAX_BYTES)?;
            let mut out = Vec::with_capacity(length);
            let status = Decompress::new(false).decompress_vec(cursor.rest(), &mut out, FlushDecompress::Finish).ok()?;
            (status == Status::StreamEnd && out.len() == length).then_some(out)
        }
        _ => None,
    }
}

fn deflate(bytes: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).ok()?;
    encoder.finish().ok()
}

fn checksum(bytes: &[u8]) -> u32 {
    xxhash_rust::xxh3::xxh3_64(bytes) as u32
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn blocks_come_back_and_damage_is_found(bytes in prop::collection::vec(0u8..4, 0..600), at in any::<prop::sample::Index>(), bit in 0u8..8) {
            let mut packed = Vec::new();
            prop_assert_eq!(pack(&bytes, &mut packed), packed.len());
            prop_assert_eq!(unpack(&packed), Some(bytes));
            let at = at.index(packed.len());
            packed[at] ^= 1 << bit;
            prop_assert_eq!(unpack(&packed), None);
        }

        #[test]
        fn any_bytes_are_refused_or_read(bytes in prop::collection::vec(any::<u8>(), 0..80)) {
            let mut sound = checksum(&bytes).to_le_bytes().to_vec();
            sound.extend_from_slice(&bytes);
            let _ = (unpack(&bytes), unpack(&sound));
        }
    }
}
