//! Long columns through pco, behind a checksum so that damaged bytes never reach its decoder.

use pco::data_types::Number;
use pco::standalone::{simple_compress, simple_decompress_into};
use pco::{ChunkConfig, DeltaSpec, ModeSpec};
use xxhash_rust::xxh3::xxh3_64_with_seed;

use super::CodecError;
use super::bytes::{Cursor, put_varint};

/// Shorter columns are smaller without the header.
pub(super) const SHORTEST: usize = 24;
/// How hard pco tries.
const LEVEL: usize = 8;

/// Count, checksum and packed values; `None` where pco refuses.
pub(super) fn pack<T: Number>(values: &[T]) -> Option<Vec<u8>> {
    pack_as(values, &ChunkConfig::default())
}

/// The same of whole numbers where it is known how often neighbours are to be subtracted, and what
/// all distances are multiples of, so that pco need not find out.
pub(super) fn pack_known(values: &[i64], order: usize, unit: i64) -> Option<Vec<u8>> {
    let delta = if order == 0 { DeltaSpec::NoOp } else { DeltaSpec::TryConsecutive(order) };
    let mode = if unit > 1 { ModeSpec::TryIntMult(unit.unsigned_abs()) } else { ModeSpec::Classic };
    pack_as(values, &ChunkConfig::default().with_compression_level(LEVEL).with_mode_spec(mode).with_delta_spec(delta))
}

fn pack_as<T: Number>(values: &[T], config: &ChunkConfig) -> Option<Vec<u8>> {
    let packed = simple_compress(values, config).ok()?;
    let mut out = Vec::with_capacity(packed.len() + 8);
    put_varint(values.len() as u64, &mut out);
    out.extend_from_slice(&checksum(values.len(), &packed).to_le_bytes());
    out.extend_from_slice(&packed);
    Some(out)
}

/// Reads what [`pack`] wrote, to the end of the bytes.
pub(super) fn unpack<T: Number + Default>(mut cursor: Cursor<'_>) -> Result<Vec<T>, CodecError> {
    let count = cursor.count()?;
    let sum = cursor.little_endian(4)?;
    let packed = cursor.rest();
    if u64::from(checksum(count, packed)) != sum {
        return Err(CodecError::Checksum);
    }
    let mut values = vec![T::default(); count];
    let progress = simple_decompress_into(packed, &mut values).map_err(|_| CodecError::Damaged("packed values"))?;
    if progress.finished && progress.n_processed == count { Ok(values) } else { Err(CodecError::Damaged("count of packed values")) }
}

/// Of the count too: pco is asked for exactly as many values as it was given.
fn checksum(count: usize, bytes: &[u8]) -> u32 {
    xxh3_64_with_seed(bytes, count as u64) as u32
}
