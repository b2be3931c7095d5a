//! Columns of whole numbers: timestamps, counts, scaled decimals. Arithmetic wraps, so every
//! column comes back as it was. Knows no meaning.

use super::CodecError;
use super::bytes::{Cursor, put_varint, varint_len, zigzag};
use super::packed;

/// The first byte of the column. Numbers are for ever; new kinds take new ones.
#[repr(u8)]
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Count, first value, step.
    Linear = 1,
    /// Count, each value.
    Plain = 2,
    /// Count, each value's distance from the one before.
    Delta = 3,
    /// Count, each distance's distance from the one before.
    DeltaOfDelta = 4,
    /// Through pco.
    Packed = 5,
}

impl Kind {
    const fn of(byte: u8) -> Result<Self, CodecError> {
        match byte {
            1 => Ok(Self::Linear),
            2 => Ok(Self::Plain),
            3 => Ok(Self::Delta),
            4 => Ok(Self::DeltaOfDelta),
            5 => Ok(Self::Packed),
            other => Err(CodecError::UnknownCodec(other)),
        }
    }

    /// How many times neighbours are subtracted.
    const fn order(self) -> u8 {
        match self {
            Self::Delta => 1,
            Self::DeltaOfDelta => 2,
            Self::Linear | Self::Plain | Self::Packed => 0,
        }
    }
}

const VARINTS: [Kind; 3] = [Kind::Plain, Kind::Delta, Kind::DeltaOfDelta];

/// Turns values into differences of an order, one by one, and back.
#[derive(Default)]
struct Differ {
    value: i64,
    delta: i64,
}

impl Differ {
    fn forward(&mut self, order: u8, v: i64) -> i64 {
        let delta = v.wrapping_sub(self.value);
        let second = delta.wrapping_sub(self.delta);
        (self.value, self.delta) = (v, delta);
        match order {
            0 => v,
            1 => delta,
            _ => second,
        }
    }

    fn back(&mut self, order: u8, d: i64) -> i64 {
        match order {
            0 => self.value = d,
            1 => self.value = self.value.wrapping_add(d),
            _ => {
                self.delta = self.delta.wrapping_add(d);
                self.value = self.value.wrapping_add(self.delta);
            }
        }
        self.value
    }
}

/// Appends the smallest form.
pub(super) fn encode(values: &[i64], out: &mut Vec<u8>) {
    if let Some((first, step)) = line(values) {
        out.push(Kind::Linear as u8);
        put_varint(values.len() as u64, out);
        if !values.is_empty() {
            put_varint(zigzag(first), out);
            put_varint(zigzag(step), out);
        }
        return;
    }
    let sized = VARINTS.map(|kind| (varints_len(values, kind.order()), kind));
    let (len, kind) = sized.into_iter().min_by_key(|(len, _)| *len).unwrap_or((usize::MAX, Kind::Plain));
    let packed = if values.len() < packed::SHORTEST { None } else { packed::pack(values) };
    if let Some(packed) = packed.filter(|p| p.len() < len + varint_len(values.len() as u64)) {
        out.push(Kind::Packed as u8);
        out.extend_from_slice(&packed);
        return;
    }
    out.push(kind as u8);
    put_varint(values.len() as u64, out);
    let mut differ = Differ::default();
    for v in values {
        put_varint(zigzag(differ.forward(kind.order(), *v)), out);
    }
}

/// Reads what [`encode`] wrote, to the end of the bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<i64>, CodecError> {
    let mut cursor = Cursor::new(bytes);
    let kind = Kind::of(cursor.byte()?)?;
    match kind {
        Kind::Packed => packed::unpack(cursor),
        Kind::Linear => {
            let count = cursor.count()?;
            let (mut value, step) = if count == 0 { (0, 0) } else { (cursor.signed()?, cursor.signed()?) };
            cursor.finish()?;
            let mut out = Vec::with_capacity(count);
            for _ in 0..count {
                out.push(value);
                value = value.wrapping_add(step);
            }
            Ok(out)
        }
        Kind::Plain | Kind::Delta | Kind::DeltaOfDelta => {
            let count = cursor.count_of(1)?;
            let mut differ = Differ::default();
            let mut out = Vec::with_capacity(count);
            for _ in 0..count {
                out.push(differ.back(kind.order(), cursor.signed()?));
            }
            cursor.finish()?;
            Ok(out)
        }
    }
}

/// First value and step, where every step is the same.
fn line(values: &[i64]) -> Option<(i64, i64)> {
    let (first, rest) = match values {
        [] => return Some((0, 0)),
        [only] => return Some((*only, 0)),
        [first, rest @ ..] => (*first, rest),
    };
    let step = rest.first()?.wrapping_sub(first);
    let mut expected = first;
    let straight = rest.iter().all(|v| {
        expected = expected.wrapping_add(step);
        *v == expected
    });
    straight.then_some((first, step))
}

fn varints_len(values: &[i64], order: u8) -> usize {
    let mut differ = Differ::default();
    values.iter().map(|v| varint_len(zigzag(differ.forward(order, *v)))).sum()
}
