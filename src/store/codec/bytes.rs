//! Variable-length integers, and a cursor that never reads past the end. Knows no codec.

use super::{CodecError, MAX_VALUES};

/// Small magnitudes of either sign become small numbers.
pub(in crate::store) const fn zigzag(v: i64) -> u64 {
    ((v << 1) ^ (v >> 63)).cast_unsigned()
}

/// Undoes [`zigzag`].
pub(in crate::store) const fn unzigzag(v: u64) -> i64 {
    (v >> 1).cast_signed() ^ -((v & 1).cast_signed())
}

/// Appends seven bits a byte, the lowest first.
pub(in crate::store) fn put_varint(mut v: u64, out: &mut Vec<u8>) {
    while v >= 0x80 {
        out.push(v as u8 | 0x80);
        v >>= 7;
    }
    out.push(v as u8);
}

/// Bytes that [`put_varint`] takes.
pub(super) const fn varint_len(v: u64) -> usize {
    ((64 - (v | 1).leading_zeros()) as usize).div_ceil(7)
}

/// Appends a length and the bytes that `write` makes.
pub(super) fn put_block(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let mut block = Vec::new();
    write(&mut block);
    put_varint(block.len() as u64, out);
    out.extend_from_slice(&block);
}

/// Reads encoded bytes from front to back.
pub(in crate::store) struct Cursor<'a> {
    rest: &'a [u8],
}

impl<'a> Cursor<'a> {
    pub(in crate::store) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What is unread, without taking it.
    pub(in crate::store) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    #[inline]
    pub(in crate::store) fn byte(&mut self) -> Result<u8, CodecError> {
        let (first, rest) = self.rest.split_first().ok_or(CodecError::Truncated)?;
        self.rest = rest;
        Ok(*first)
    }

    pub(in crate::store) fn take(&mut self, n: usize) -> Result<&'a [u8], CodecError> {
        let (head, rest) = self.rest.split_at_checked(n).ok_or(CodecError::Truncated)?;
        self.rest = rest;
        Ok(head)
    }

    /// `n` bytes (at most eight) as a little-endian number.
    pub(in crate::store) fn little_endian(&mut self, n: usize) -> Result<u64, CodecError> {
        Ok(self.take(n)?.iter().rev().fold(0, |v, b| (v << 8) | u64::from(*b)))
    }

    #[inline]
    pub(in crate::store) fn varint(&mut self) -> Result<u64, CodecError> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let mut v = u64::from(first & 0x7f);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            v |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                return Ok(v);
            }
        }
        Err(CodecError::Damaged("a number of more than 64 bits"))
    }

    pub(in crate::store) fn signed(&mut self) -> Result<i64, CodecError> {
        Ok(unzigzag(self.varint()?))
    }

    /// A count of values, refused above what any column holds.
    pub(super) fn count(&mut self) -> Result<usize, CodecError> {
        let claimed = self.varint()?;
        let count = usize::try_from(claimed).map_err(|_| CodecError::TooLong(claimed))?;
        if count > MAX_VALUES { Err(CodecError::TooLong(claimed)) } else { Ok(count) }
    }

    /// A count of values that take at least `each` bytes, so that nothing is reserved in vain.
    pub(in crate::store) fn count_of(&mut self, each: usize) -> Result<usize, CodecError> {
        let count = self.count()?;
        if count.saturating_mul(each) > self.rest.len() { Err(CodecError::Truncated) } else { Ok(count) }
    }

    /// A length and that many bytes.
    pub(in crate::store) fn block(&mut self) -> Result<&'a [u8], CodecError> {
        let len = usize::try_from(self.varint()?).map_err(|_| CodecError::Truncated)?;
        self.take(len)
    }

    pub(in crate::store) const fn finish(self) -> Result<(), CodecError> {
        if self.rest.is_empty() { Ok(()) } else { Err(CodecError::Trailing) }
    }
}
