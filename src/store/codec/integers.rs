//! Columns of whole numbers: timestamps, counts, scaled decimals. Arithmetic wraps, so every
//! column comes back as it was. Knows no meaning.

use super::CodecError;
use super::bytes::{Cursor, put_varint, varint_len, zigzag};
use super::{modelled, packed};

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
    /// Count, then the distances that are not zero, each after how many that are.
    Steps = 6,
    /// The same of the distances' distances.
    Bends = 7,
    /// Through the learning coder.
    Modelled = 8,
}

impl Kind {
    const fn of(byte: u8) -> Result<Self, CodecError> {
        match byte {
            1 => Ok(Self::Linear),
            2 => Ok(Self::Plain),
            3 => Ok(Self::Delta),
            4 => Ok(Self::DeltaOfDelta),
            5 => Ok(Self::Packed),
            6 => Ok(Self::Steps),
            7 => Ok(Self::Bends),
            8 => Ok(Self::Modelled),
            other => Err(CodecError::UnknownCodec(other)),
        }
    }

    /// How many times neighbours are subtracted.
    const fn order(self) -> u8 {
        match self {
            Self::Delta | Self::Steps => 1,
            Self::DeltaOfDelta | Self::Bends => 2,
            Self::Linear | Self::Plain | Self::Packed | Self::Modelled => 0,
        }
    }
}

/// What a form is chosen for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Aim {
    /// The smallest.
    Size,
    /// One that is read fast, unless the modelled one is clearly smaller.
    Speed,
}

/// Clearly smaller is below as many hundredths.
const CLEARLY: usize = 80;

/// Without pco; the earlier is taken where two are as small.
const BY_HAND: [Kind; 5] = [Kind::Plain, Kind::Delta, Kind::DeltaOfDelta, Kind::Steps, Kind::Bends];
/// Nothing that pco packs is smaller.
const SMALLEST_PACKED: usize = 24;
/// Nothing that is modelled is much smaller.
const SMALLEST_MODELLED: usize = 8;

impl Kind {
    const fn skips_zeros(self) -> bool {
        matches!(self, Self::Steps | Self::Bends)
    }
}

/// Bytes that the differences of an order take: all of them, and those that are not zero.
#[derive(Clone, Copy, Default)]
struct Lengths {
    all: usize,
    others: usize,
    count: u64,
    zeros: u64,
}

impl Lengths {
    const fn push(&mut self, d: i64) {
        let len = varint_len(zigzag(d));
        self.all += len;
        if d == 0 {
            self.zeros += 1;
        } else {
            self.others += varint_len(self.zeros) + len;
            self.count += 1;
            self.zeros = 0;
        }
    }

    const fn steps(self) -> usize {
        varint_len(self.count) + self.others
    }
}

/// Bytes that each of [`BY_HAND`] takes, without the count.
fn lengths(values: &[i64]) -> [usize; 5] {
    let (mut plain, mut first, mut second) = (0, Lengths::default(), Lengths::default());
    let mut differ = Differ::default();
    for v in values {
        let bend = differ.forward(2, *v);
        plain += varint_len(zigzag(*v));
        first.push(differ.delta);
        second.push(bend);
    }
    [plain, first.all, second.all, first.steps(), second.steps()]
}

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

/// Appends the form that suits the aim.
pub(super) fn encode(values: &[i64], aim: Aim, out: &mut Vec<u8>) {
    if let Some((first, step)) = line(values) {
        out.push(Kind::Linear as u8);
        put_varint(values.len() as u64, out);
        if !values.is_empty() {
            put_varint(zigzag(first), out);
            put_varint(zigzag(step), out);
        }
        return;
    }
    let (len, kind) = lengths(values).into_iter().zip(BY_HAND).min_by_key(|(len, _)| *len).unwrap_or((usize::MAX, Kind::Plain));
    let len = len.saturating_add(varint_len(values.len() as u64));
    let form = match aim {
        Aim::Size => learned_form(values, len),
        Aim::Speed => fast_form(values, len),
    };
    if let Some((kind, form)) = form {
        out.push(kind as u8);
        out.extend_from_slice(&form);
        return;
    }
    out.push(kind as u8);
    put_varint(values.len() as u64, out);
    if kind.skips_zeros() {
        let steps: Vec<_> = steps(values, kind.order()).collect();
        put_varint(steps.len() as u64, out);
        for (zeros, d) in steps {
            put_varint(zeros, out);
            put_varint(zigzag(d), out);
        }
    } else {
        let mut differ = Differ::default();
        for v in values {
            put_varint(zigzag(differ.forward(kind.order(), *v)), out);
        }
    }
}

/// The smaller of what learns from the column, if it is smaller than `len`.
fn learned_form(values: &[i64], len: usize) -> Option<(Kind, Vec<u8>)> {
    if len <= SMALLEST_MODELLED || values.len() < modelled::SHORTEST {
        return None;
    }
    let mut form = Vec::new();
    modelled::Plan::of(values).encode(&mut form);
    let worth = form.len() > SMALLEST_PACKED && values.len() >= packed::SHORTEST;
    let packed = if worth { packed::pack(values) } else { None };
    let best = match packed.filter(|p| p.len() < form.len()) {
        Some(packed) => (Kind::Packed, packed),
        None => (Kind::Modelled, form),
    };
    Some(best).filter(|(_, form)| form.len() < len)
}

/// What is read fast if it is smaller than `len`, or what is modelled if it is clearly smaller. Only
/// forms are made that may win.
fn fast_form(values: &[i64], len: usize) -> Option<(Kind, Vec<u8>)> {
    if len <= SMALLEST_MODELLED || values.len() < modelled::SHORTEST {
        return None;
    }
    let plan = modelled::Plan::of(values);
    let worth = len > SMALLEST_PACKED && values.len() >= packed::SHORTEST && !plan.is_quiet();
    let packed = if worth { packed::pack_known(values, plan.order(), plan.unit()) } else { None };
    let packed = packed.filter(|form| form.len() < len);
    let modelled = clearly_smaller(&plan, packed.as_ref().map_or(len, Vec::len));
    modelled.map(|form| (Kind::Modelled, form)).or_else(|| packed.map(|form| (Kind::Packed, form)))
}

fn clearly_smaller(plan: &modelled::Plan<'_>, than: usize) -> Option<Vec<u8>> {
    let most = than * CLEARLY / 100;
    if plan.estimate() > most {
        return None;
    }
    let mut form = Vec::new();
    plan.encode(&mut form);
    (form.len() <= most).then_some(form)
}

/// Appends the modelled form where it is clearly smaller than another of `than` bytes.
pub(super) fn encode_below(values: &[i64], than: usize, out: &mut Vec<u8>) -> bool {
    let form = clearly_smaller(&modelled::Plan::of(values), than);
    let found = form.is_some();
    if let Some(form) = form {
        out.push(Kind::Modelled as u8);
        out.extend_from_slice(&form);
    }
    found
}

/// Reads what [`encode`] wrote, to the end of the bytes.
pub(super) fn decode(bytes: &[u8]) -> Result<Vec<i64>, CodecError> {
    let mut cursor = Cursor::new(bytes);
    let kind = Kind::of(cursor.byte()?)?;
    match kind {
        Kind::Packed => packed::unpack(cursor),
        Kind::Modelled => modelled::decode(cursor),
        Kind::Linear => decode_line(cursor),
        Kind::Steps | Kind::Bends => decode_steps(cursor, kind.order()),
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

fn decode_line(mut cursor: Cursor<'_>) -> Result<Vec<i64>, CodecError> {
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

fn decode_steps(mut cursor: Cursor<'_>, order: u8) -> Result<Vec<i64>, CodecError> {
    let count = cursor.count()?;
    let steps = cursor.count_of(2)?;
    let mut differ = Differ::default();
    let mut out = Vec::with_capacity(count);
    for _ in 0..steps {
        let zeros = usize::try_from(cursor.varint()?).ok().filter(|zeros| *zeros < count - out.len());
        let zeros = zeros.ok_or(CodecError::Damaged("step past the end"))?;
        out.extend((0..zeros).map(|_| differ.back(order, 0)));
        out.push(differ.back(order, cursor.signed()?));
    }
    cursor.finish()?;
    let left = count - out.len();
    out.extend((0..left).map(|_| differ.back(order, 0)));
    Ok(out)
}

/// The differences of an order that are not zero, each with how many before it are.
fn steps(values: &[i64], order: u8) -> impl Iterator<Item = (u64, i64)> {
    let mut differ = Differ::default();
    let mut zeros = 0;
    values.iter().filter_map(move |v| {
        let d = differ.forward(order, *v);
        if d == 0 {
            zeros += 1;
            return None;
        }
        Some((std::mem::take(&mut zeros), d))
    })
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
