//! Columns of yes and no, of which nearly all are no. Knows no meaning.

use super::CodecError;
use super::bytes::{Cursor, put_varint, varint_len};

/// The first byte of the column. Numbers are for ever; new kinds take new ones.
#[repr(u8)]
enum Kind {
    /// Nothing is set.
    Unset = 0,
    /// How many are set, and the distances between them.
    Positions = 1,
    /// A bit each.
    Bitmap = 2,
}

/// Appends the smallest form; the count is the reader's to know.
pub(super) fn encode(flags: &[bool], out: &mut Vec<u8>) {
    let mut gaps = Vec::new();
    let mut gap = 0_u64;
    for flag in flags {
        if *flag {
            gaps.push(gap);
            gap = 0;
        } else {
            gap += 1;
        }
    }
    if gaps.is_empty() {
        out.push(Kind::Unset as u8);
    } else if gaps.iter().map(|g| varint_len(*g)).sum::<usize>() < flags.len().div_ceil(8) {
        out.push(Kind::Positions as u8);
        put_varint(gaps.len() as u64, out);
        for gap in gaps {
            put_varint(gap, out);
        }
    } else {
        out.push(Kind::Bitmap as u8);
        out.extend(flags.chunks(8).map(|eight| eight.iter().rev().fold(0_u8, |bits, f| (bits << 1) | u8::from(*f))));
    }
}

/// Reads `count` flags that [`encode`] wrote.
pub(super) fn decode(cursor: &mut Cursor<'_>, count: usize) -> Result<Vec<bool>, CodecError> {
    match cursor.byte()? {
        0 => Ok(vec![false; count]),
        1 => {
            let mut flags = vec![false; count];
            let mut rest = flags.iter_mut();
            for _ in 0..cursor.count_of(1)? {
                let gap = usize::try_from(cursor.varint()?).map_err(|_| CodecError::Damaged("flag past the end"))?;
                *rest.nth(gap).ok_or(CodecError::Damaged("flag past the end"))? = true;
            }
            Ok(flags)
        }
        2 => {
            let bytes = cursor.take(count.div_ceil(8))?;
            Ok(bytes.iter().flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1)).take(count).collect())
        }
        other => Err(CodecError::UnknownCodec(other)),
    }
}
