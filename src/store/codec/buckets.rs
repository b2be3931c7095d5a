//! Buckets: what they share with the buckets of other series (when, how many) in a frame that is
//! stored once, their values as one model of all columns. Knows no tier and no file.

use std::time::Duration;

use super::bytes::{Cursor, put_block, put_varint};
use super::{CodecError, apart, frame, joint};
use crate::model::BucketColumns;

/// The first byte: columns one by one.
const APART: u8 = 1;
/// The first byte: the number of a frame, then a block of values.
const JOINT: u8 = 2;

/// Appends values; `share` stores a frame, unless it has it, and gives it a number.
pub(super) fn encode(b: &BucketColumns, width: Duration, share: impl FnOnce(Vec<u8>) -> u32, out: &mut Vec<u8>) {
    out.push(JOINT);
    put_varint(u64::from(share(frame::encode(b, width))), out);
    put_block(out, |block| block.extend(joint::encode(b)));
}

/// Reads what [`encode`] wrote, to the end of the bytes; `shared` yields the frame of a number.
pub(super) fn decode<E: From<CodecError>>(bytes: &[u8], shared: impl FnOnce(u32) -> Result<Vec<u8>, E>) -> Result<BucketColumns, E> {
    let mut cursor = Cursor::new(bytes);
    match cursor.byte()? {
        APART => Ok(apart::decode(cursor)?),
        JOINT => {
            let number = u32::try_from(cursor.varint()?).map_err(|_| CodecError::Damaged("number of a frame"))?;
            let values = cursor.block()?;
            cursor.finish()?;
            let mut b = frame::decode(&shared(number)?)?;
            joint::decode(values, &mut b)?;
            Ok(b)
        }
        other => Err(CodecError::UnknownCodec(other).into()),
    }
}
