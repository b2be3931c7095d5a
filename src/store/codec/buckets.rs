//! Buckets: what they share with the buckets of other series (when, how many) is a frame of its own,
//! which is stored once; their values are one model of all columns. Knows no tier and no file.

use super::bytes::{Cursor, put_block};
use super::{CodecError, apart, joint};
use crate::model::BucketColumns;

/// The first byte: columns one by one, and no frame.
const APART: u8 = 1;
/// The first byte: a block of values that belong to a frame.
const JOINT: u8 = 2;

/// Appends the values.
pub(super) fn encode(b: &BucketColumns, out: &mut Vec<u8>) {
    out.push(JOINT);
    put_block(out, |block| block.extend(joint::encode(b)));
}

/// Reads what [`encode`] wrote, to the end of the bytes, into its frame.
pub(super) fn decode(bytes: &[u8], frame: Option<BucketColumns>) -> Result<BucketColumns, CodecError> {
    let mut cursor = Cursor::new(bytes);
    match cursor.byte()? {
        APART => apart::decode(cursor),
        JOINT => {
            let values = cursor.block()?;
            cursor.finish()?;
            let mut b = frame.ok_or(CodecError::Damaged("values of buckets without their frame"))?;
            joint::decode(values, &mut b)?;
            Ok(b)
        }
        other => Err(CodecError::UnknownCodec(other)),
    }
}
