//! Values as whole numbers scaled by a power of ten, where that gives back the same bits. Knows no
//! encoding.

/// The largest number of decimals tried.
pub(in crate::store) const MAX_EXPONENT: u8 = 15;

const POWERS: [f64; 16] = [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15];
/// Added and taken away it rounds to a whole number, as long as that is below 2^51.
const ROUND: f64 = 6_755_399_441_055_744.0;
const LIMIT: f64 = 2_251_799_813_685_248.0;

fn power(exponent: u8) -> f64 {
    POWERS.get(usize::from(exponent)).copied().unwrap_or(1.0)
}

/// The whole number that [`from_mantissa`] makes into exactly `v`, if there is one.
#[inline]
pub(in crate::store) fn mantissa(v: f64, exponent: u8) -> Option<i64> {
    let m = if exponent == 0 {
        v as i64
    } else {
        let scaled = v * power(exponent);
        if scaled.abs() >= LIMIT {
            return None;
        }
        ((scaled + ROUND) - ROUND) as i64
    };
    (from_mantissa(m, exponent).to_bits() == v.to_bits()).then_some(m)
}

/// `m / 10^exponent`, correctly rounded.
#[inline]
pub(in crate::store) fn from_mantissa(m: i64, exponent: u8) -> f64 {
    if exponent == 0 { m as f64 } else { m as f64 / power(exponent) }
}

/// The fewest decimals that hold `v`, up to `most`.
pub(in crate::store) fn exponent_of(v: f64, most: u8) -> Option<u8> {
    (0..=most).find(|k| mantissa(v, *k).is_some())
}
