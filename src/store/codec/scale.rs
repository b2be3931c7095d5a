//! Values as whole numbers, of which near ones lie near: decimals of so many places, or, where there
//! are none, the bits in the order of the values. Knows no encoding.

use super::decimal::{MAX_EXPONENT, exponent_of, from_mantissa, mantissa};

/// How values are whole numbers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Scale {
    /// `m / 10^exponent`.
    Decimal(u8),
    /// The bits, ordered as the values are.
    Bits,
}

impl Scale {
    /// The fewest places that hold every value, or bits.
    pub(super) fn holding<'a>(values: impl Iterator<Item = &'a f64>) -> Self {
        let mut exponent = 0;
        for v in values {
            while mantissa(*v, exponent).is_none() {
                match exponent_of(*v, MAX_EXPONENT) {
                    // A larger value may leave no room for as many places as a smaller one needs.
                    Some(needed) if needed > exponent => exponent = needed,
                    _ => return Self::Bits,
                }
            }
        }
        Self::Decimal(exponent)
    }

    /// Decimals as their places, bits as the number after them.
    pub(super) const fn number(self) -> u8 {
        match self {
            Self::Decimal(exponent) => exponent,
            Self::Bits => MAX_EXPONENT + 1,
        }
    }

    pub(super) const fn of(number: u8) -> Option<Self> {
        match number {
            0..=MAX_EXPONENT => Some(Self::Decimal(number)),
            n if n == MAX_EXPONENT + 1 => Some(Self::Bits),
            _ => None,
        }
    }

    pub(super) fn whole(self, v: f64) -> Option<i64> {
        match self {
            Self::Decimal(exponent) => mantissa(v, exponent),
            Self::Bits => Some(ordered(v)),
        }
    }

    pub(super) fn value(self, whole: i64) -> f64 {
        match self {
            Self::Decimal(exponent) => from_mantissa(whole, exponent),
            Self::Bits => unordered(whole),
        }
    }

    /// The whole number as one that can be calculated with: itself, or the value.
    pub(super) fn level(self, whole: i64) -> f64 {
        match self {
            Self::Decimal(_) => whole as f64,
            Self::Bits => unordered(whole),
        }
    }

    /// The whole number nearest to a level of a scale.
    pub(super) fn nearest(self, level: f64, of: Self) -> i64 {
        let level = if level.is_finite() { level } else { 0.0 };
        match (self, of) {
            (Self::Bits, Self::Bits) => ordered(level),
            (Self::Bits, Self::Decimal(_)) => ordered(level / of.unit()),
            (Self::Decimal(_), _) if self == of => rounded(level),
            (Self::Decimal(_), _) => rounded(level / of.unit() * self.unit()),
        }
    }

    /// A level of 1, in whole numbers.
    pub(super) fn unit(self) -> f64 {
        match self {
            Self::Decimal(exponent) => 1.0 / from_mantissa(1, exponent),
            Self::Bits => 1.0,
        }
    }
}

/// The nearest whole number, halves away from zero, and the last where there is none: as `f64::round`
/// has it, which is a call where the machine has no such instruction.
pub(super) fn rounded(v: f64) -> i64 {
    let whole = v as i64;
    let rest = v - whole as f64;
    whole.saturating_add(i64::from(rest >= 0.5) - i64::from(rest <= -0.5))
}

/// The bits as a number that rises with the value.
pub(super) const fn ordered(v: f64) -> i64 {
    turned(v.to_bits().cast_signed())
}

/// Undoes [`ordered`].
pub(super) const fn unordered(whole: i64) -> f64 {
    f64::from_bits(turned(whole).cast_unsigned())
}

const fn turned(bits: i64) -> i64 {
    bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed()
}
