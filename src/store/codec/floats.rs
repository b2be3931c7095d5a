//! Columns of values, in the smallest form that gives back every bit. Knows no meaning.

use super::bytes::{Cursor, put_varint, varint_len, zigzag};
use super::decimal::{MAX_EXPONENT, exponent_of, from_mantissa, mantissa};
use super::integers::Aim;
use super::scale::{ordered, unordered};
use super::{CodecError, integers, packed};

/// The first byte of the column. Numbers are for ever; new kinds take new ones.
#[repr(u8)]
enum Kind {
    /// Count and one value.
    Constant = 1,
    /// Decimals, exceptions with the distances between them, then the others as whole numbers.
    Decimal = 2,
    /// Count, then per value the bytes of it that differ from the one before.
    Xor = 3,
    /// Finite values through pco.
    PackedFloats = 4,
    /// Bits through pco.
    PackedBits = 5,
    /// Count and eight bytes a value.
    Raw = 6,
    /// The bits, in the order of the values, as whole numbers.
    Ordered = 7,
    /// Count and one whole number.
    ConstantWhole = 8,
    /// Places, count and one number of so many decimals.
    ConstantDecimal = 9,
}

impl Kind {
    const fn of(byte: u8) -> Result<Self, CodecError> {
        match byte {
            1 => Ok(Self::Constant),
            2 => Ok(Self::Decimal),
            3 => Ok(Self::Xor),
            4 => Ok(Self::PackedFloats),
            5 => Ok(Self::PackedBits),
            6 => Ok(Self::Raw),
            7 => Ok(Self::Ordered),
            8 => Ok(Self::ConstantWhole),
            9 => Ok(Self::ConstantDecimal),
            other => Err(CodecError::UnknownCodec(other)),
        }
    }
}

/// Below as many bytes a value decimals are taken without trying anything else: for size, for speed.
const CHEAP: [usize; 2] = [3, 6];

/// Appends the form that suits the aim.
pub(super) fn encode(values: &[f64], aim: Aim, out: &mut Vec<u8>) {
    if let Some(v) = constant(values) {
        put_constant(values.len(), v, out);
        return;
    }
    // Short columns are read in no time.
    let aim = if values.len() < packed::SHORTEST { Aim::Size } else { aim };
    let decimal = decimal_form(values, aim);
    let [size, speed] = CHEAP;
    let cheap = values.len() * if aim == Aim::Size { size } else { speed };
    let best = match decimal {
        Some(decimal) if decimal.len() < cheap => decimal,
        decimal => long_form(values, aim, decimal),
    };
    out.extend_from_slice(&best);
}

/// The best of all where decimals (if they are) are long.
fn long_form(values: &[f64], aim: Aim, decimal: Option<Vec<u8>>) -> Vec<u8> {
    let ordered = if aim == Aim::Size { Some(ordered_form(values)) } else { None };
    let mut best = raw_form(values);
    for form in [ordered, Some(xor_form(values)), packed_form(values), decimal].into_iter().flatten() {
        if form.len() < best.len() {
            best = form;
        }
    }
    if aim == Aim::Speed { ordered_below(values, best.len()).unwrap_or(best) } else { best }
}

/// Reads what [`encode`] wrote, to the end of the bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<f64>, CodecError> {
    let mut cursor = Cursor::new(bytes);
    match Kind::of(cursor.byte()?)? {
        Kind::Constant => {
            let count = cursor.count()?;
            let v = f64::from_bits(cursor.little_endian(8)?);
            cursor.finish()?;
            Ok(vec![v; count])
        }
        Kind::ConstantWhole => decode_constant(cursor, 0),
        Kind::ConstantDecimal => {
            let exponent = places(&mut cursor)?;
            decode_constant(cursor, exponent)
        }
        Kind::Ordered => Ok(integers::decode(cursor.rest())?.into_iter().map(unordered).collect()),
        Kind::Decimal => decode_decimal(cursor),
        Kind::Xor => decode_xor(cursor),
        Kind::PackedFloats => packed::unpack(cursor),
        Kind::PackedBits => Ok(packed::unpack::<u64>(cursor)?.into_iter().map(f64::from_bits).collect()),
        Kind::Raw => {
            let count = cursor.count_of(8)?;
            let values = (0..count).map(|_| cursor.little_endian(8).map(f64::from_bits)).collect::<Result<_, _>>()?;
            cursor.finish()?;
            Ok(values)
        }
    }
}

fn constant(values: &[f64]) -> Option<f64> {
    let (first, rest) = values.split_first()?;
    rest.iter().all(|v| v.to_bits() == first.to_bits()).then_some(*first)
}

fn put_constant(count: usize, v: f64, out: &mut Vec<u8>) {
    match exponent_of(v, MAX_EXPONENT).and_then(|exponent| Some((exponent, mantissa(v, exponent)?))) {
        Some((0, whole)) if varint_len(zigzag(whole)) <= 8 => {
            out.push(Kind::ConstantWhole as u8);
            put_varint(count as u64, out);
            put_varint(zigzag(whole), out);
        }
        Some((exponent, whole)) if varint_len(zigzag(whole)) < 7 => {
            out.extend([Kind::ConstantDecimal as u8, exponent]);
            put_varint(count as u64, out);
            put_varint(zigzag(whole), out);
        }
        _ => {
            out.push(Kind::Constant as u8);
            put_varint(count as u64, out);
            out.extend_from_slice(&v.to_bits().to_le_bytes());
        }
    }
}

fn decode_constant(mut cursor: Cursor<'_>, exponent: u8) -> Result<Vec<f64>, CodecError> {
    let count = cursor.count()?;
    let v = from_mantissa(cursor.signed()?, exponent);
    cursor.finish()?;
    Ok(vec![v; count])
}

fn ordered_form(values: &[f64]) -> Vec<u8> {
    let whole: Vec<i64> = values.iter().map(|v| ordered(*v)).collect();
    let mut out = vec![Kind::Ordered as u8];
    integers::encode(&whole, Aim::Size, &mut out);
    out
}

/// The same where it is clearly smaller than another form of `than` bytes.
fn ordered_below(values: &[f64], than: usize) -> Option<Vec<u8>> {
    let whole: Vec<i64> = values.iter().map(|v| ordered(*v)).collect();
    let mut out = vec![Kind::Ordered as u8];
    integers::encode_below(&whole, than, &mut out).then_some(out)
}

fn raw_form(values: &[f64]) -> Vec<u8> {
    let mut out = Vec::with_capacity(values.len() * 8 + 5);
    out.push(Kind::Raw as u8);
    put_varint(values.len() as u64, &mut out);
    for v in values {
        out.extend_from_slice(&v.to_bits().to_le_bytes());
    }
    out
}

fn packed_form(values: &[f64]) -> Option<Vec<u8>> {
    if values.len() < packed::SHORTEST {
        return None;
    }
    let (kind, packed) = if values.iter().all(|v| v.is_finite()) {
        (Kind::PackedFloats, packed::pack(values)?)
    } else {
        let bits: Vec<u64> = values.iter().map(|v| v.to_bits()).collect();
        (Kind::PackedBits, packed::pack(&bits)?)
    };
    let mut out = vec![kind as u8];
    out.extend_from_slice(&packed);
    Some(out)
}

fn xor_form(values: &[f64]) -> Vec<u8> {
    let mut out = vec![Kind::Xor as u8];
    put_varint(values.len() as u64, &mut out);
    let mut last = 0;
    for v in values {
        let diff = v.to_bits() ^ last;
        last = v.to_bits();
        let skip = if diff == 0 { 0 } else { diff.trailing_zeros() / 8 };
        let shifted = diff >> (skip * 8);
        let len = (64 - shifted.leading_zeros()).div_ceil(8);
        out.push((skip << 4) as u8 | len as u8);
        out.extend(shifted.to_le_bytes().into_iter().take(len as usize));
    }
    out
}

fn decode_xor(mut cursor: Cursor<'_>) -> Result<Vec<f64>, CodecError> {
    let count = cursor.count_of(1)?;
    let mut out = Vec::with_capacity(count);
    let mut last = 0;
    for _ in 0..count {
        let control = cursor.byte()?;
        let (skip, len) = (control >> 4, control & 0x0f);
        if skip + len > 8 || skip == 8 {
            return Err(CodecError::Damaged("more than eight bytes differ"));
        }
        last ^= cursor.little_endian(usize::from(len))? << (skip * 8);
        out.push(f64::from_bits(last));
    }
    cursor.finish()?;
    Ok(out)
}

/// Scaled to whole numbers; `None` where too many values are no short decimals.
fn decimal_form(values: &[f64], aim: Aim) -> Option<Vec<u8>> {
    let exponent = common_exponent(values)?;
    let mut whole = Vec::with_capacity(values.len());
    let mut exceptions = Vec::new();
    for (i, v) in values.iter().enumerate() {
        if let Some(m) = mantissa(*v, exponent) {
            whole.push(m);
        } else {
            exceptions.push((i, v.to_bits()));
        }
    }
    if exceptions.len() * 4 > values.len() {
        return None;
    }
    let mut out = vec![Kind::Decimal as u8, exponent];
    put_varint(exceptions.len() as u64, &mut out);
    let mut after = 0;
    for (i, bits) in exceptions {
        put_varint((i - after) as u64, &mut out);
        out.extend_from_slice(&bits.to_le_bytes());
        after = i + 1;
    }
    integers::encode(&whole, aim, &mut out);
    Some(out)
}

fn places(cursor: &mut Cursor<'_>) -> Result<u8, CodecError> {
    let exponent = cursor.byte()?;
    if exponent > MAX_EXPONENT { Err(CodecError::Damaged("too many decimals")) } else { Ok(exponent) }
}

fn decode_decimal(mut cursor: Cursor<'_>) -> Result<Vec<f64>, CodecError> {
    let exponent = places(&mut cursor)?;
    let count = cursor.count_of(9)?;
    let mut exceptions = Vec::with_capacity(count);
    for _ in 0..count {
        exceptions.push((cursor.varint()?, cursor.little_endian(8)?));
    }
    let whole = integers::decode(cursor.rest())?;
    let mut out = Vec::with_capacity(whole.len() + count);
    let mut decimals = whole.into_iter().map(|m| from_mantissa(m, exponent));
    for (skip, bits) in exceptions {
        let skip = usize::try_from(skip).ok().filter(|n| *n <= decimals.len());
        out.extend(decimals.by_ref().take(skip.ok_or(CodecError::Damaged("exception past the end"))?));
        out.push(f64::from_bits(bits));
    }
    out.extend(decimals);
    Ok(out)
}

/// The decimals that hold nearly all values: a twentieth may need more.
fn common_exponent(values: &[f64]) -> Option<u8> {
    let mut needed = [0_usize; MAX_EXPONENT as usize + 1];
    let mut misses = 0;
    let mut last = None;
    for (i, v) in values.iter().enumerate() {
        let exponent = match last {
            Some((bits, exponent)) if bits == v.to_bits() => exponent,
            _ => exponent_of(*v, MAX_EXPONENT),
        };
        last = Some((v.to_bits(), exponent));
        match exponent.and_then(|k| needed.get_mut(usize::from(k))) {
            Some(n) => *n += 1,
            None => misses += 1,
        }
        if misses > 16 && misses * 2 > i {
            return None;
        }
    }
    let most = values.len() - misses;
    let mut held = 0;
    needed.iter().zip(0..).find_map(|(n, exponent)| {
        held += n;
        (held > 0 && (most - held) * 20 <= most).then_some(exponent)
    })
}
