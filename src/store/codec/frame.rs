//! The frame of a series' buckets: when each ends, how many samples it holds and when they lie. All
//! series of one scrape have the same. Knows no value.

use std::time::Duration;

use super::bytes::{Cursor, put_block, put_varint, zigzag};
use super::coder::{Bit, Coder, Decoder, Encoder};
use super::residual::Residual;
use super::{CodecError, priors};
use crate::model::BucketColumns;

/// One bucket, relative to its width.
#[derive(Clone, Copy, Default)]
struct Cell {
    /// Beyond the end of the one before, and a width.
    gap: i64,
    count: i64,
    /// How long after the beginning the first sample lies.
    from: i64,
    /// How long before the end the last sample lies.
    to: i64,
    ended: bool,
    approximate: bool,
}

/// Each part is guessed to be as in the cell before.
struct Model {
    gap: Residual,
    count: Residual,
    from: Residual,
    to: Residual,
    ended: [Bit; 2],
    approximate: [Bit; 2],
    before: Cell,
}

impl Model {
    fn new() -> Self {
        let part = |expected| Residual::new(priors::frame(), expected);
        let never = [Bit::learned(1000, 8), Bit::learned(512, 1)];
        Self { gap: part(16), count: part(3), from: part(10), to: part(10), ended: never, approximate: never, before: Cell::default() }
    }

    fn cell<C: Coder>(&mut self, coder: &mut C, cell: Cell) -> Cell {
        let before = self.before;
        let mut part = |model: &mut Residual, before: i64, v: i64| before.wrapping_add(model.code(coder, 0, v.wrapping_sub(before)));
        let gap = part(&mut self.gap, 0, cell.gap);
        let count = part(&mut self.count, before.count, cell.count);
        let from = part(&mut self.from, before.from, cell.from);
        let to = part(&mut self.to, before.to, cell.to);
        let mut flag = |states: &mut [Bit; 2], before: bool, v: bool| {
            let [no, yes] = states;
            coder.bit(if before { yes } else { no }, v)
        };
        let ended = flag(&mut self.ended, before.ended, cell.ended);
        let approximate = flag(&mut self.approximate, before.approximate, cell.approximate);
        self.before = Cell { gap, count, from, to, ended, approximate };
        self.before
    }
}

/// How many buckets, their width, the end before the first, then a block of cells.
pub(super) fn encode(b: &BucketColumns, width: Duration, out: &mut Vec<u8>) {
    let width = (width.as_millis() as u64).cast_signed();
    let mut end = b.end.first().map_or(0, |end| end.wrapping_sub(width));
    put_varint(b.len() as u64, out);
    put_varint(width.cast_unsigned(), out);
    put_varint(zigzag(end), out);
    let (mut coder, mut model) = (Encoder::new(), Model::new());
    for bucket in b.iter() {
        let cell = Cell {
            gap: bucket.end.0.wrapping_sub(end).wrapping_sub(width),
            count: bucket.count.cast_signed(),
            from: bucket.first_t.0.wrapping_sub(bucket.end.0.wrapping_sub(width)),
            to: bucket.end.0.wrapping_sub(bucket.last_t.0),
            ended: bucket.ended,
            approximate: bucket.approximate,
        };
        model.cell(&mut coder, cell);
        end = bucket.end.0;
    }
    put_block(out, |block| block.extend(coder.finish()));
}

/// Reads what [`encode`] wrote; the columns of values stay empty.
pub(super) fn decode(bytes: &[u8]) -> Result<BucketColumns, CodecError> {
    let mut cursor = Cursor::new(bytes);
    let count = cursor.count()?;
    let width = cursor.varint()?.cast_signed();
    let mut end = cursor.signed()?;
    let (mut coder, mut model) = (Decoder::new(cursor.block()?), Model::new());
    cursor.finish()?;
    let mut b = BucketColumns::default();
    for _ in 0..count {
        let cell = model.cell(&mut coder, Cell::default());
        let start = end.wrapping_add(cell.gap);
        let next = start.wrapping_add(width);
        if coder.is_beyond() {
            return Err(CodecError::Truncated);
        }
        if !b.end.is_empty() && next <= end {
            return Err(CodecError::NotAscending);
        }
        end = next;
        b.end.push(end);
        b.count.push(cell.count.cast_unsigned());
        b.first_t.push(start.wrapping_add(cell.from));
        b.last_t.push(end.wrapping_sub(cell.to));
        b.ended.push(cell.ended);
        b.approximate.push(cell.approximate);
    }
    coder.finish()?;
    Ok(b)
}
