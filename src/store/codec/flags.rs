//! Columns of yes and no, of which nearly all are no, as buckets had them at first. Knows no meaning.

use super::CodecError;
use super::bytes::Cursor;

/// Reads `count` flags.
pub(super) fn decode(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<bool>, CodecError> {
    match cursor.byte()? {
        // Nothing is set.
        0 => Ok(vec![false; count]),
        // How many are set, and the distances between them.
        1 => {
            let mut flags = vec![false; count];
            let mut rest = flags.iter_mut();
            for _ in 0..cursor.count_of(1)? {
                let gap = usize::try_from(cursor.varint()?).map_err(|_| CodecError::Damaged("flag past the end"))?;
                *rest.nth(gap).ok_or(CodecError::Damaged("flag past the end"))? = true;
            }
            Ok(flags)
        }
        // A bit each.
        2 => {
            let bytes = cursor.take(count.div_ceil(8))?;
            Ok(bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1)).take(count).collect())
        }
        other => Err(CodecError::UnknownCodec(other)),
    }
}
