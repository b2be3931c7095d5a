//! How values look outside: as Prometheus' text (`+Inf`, `1e-07`) and as JSON numbers, with the
//! strings `"NaN"`, `"+Inf"`, `"-Inf"` for what JSON has no number for.

use std::fmt::Write as _;

use serde::{Serialize, Serializer};

/// A value as Prometheus writes it: shortest decimal that reads back the same, with an exponent
/// below 1e-6 and from 1e21 on.
#[must_use]
pub fn format_value(v: f64) -> String {
    let mut out = String::new();
    push_value(&mut out, v);
    out
}

/// Appends a value as [`format_value`] writes it.
pub fn push_value(out: &mut String, v: f64) {
    if let Some(word) = special(v) {
        out.push_str(word);
        return;
    }
    let size = v.abs();
    // Writing to a String cannot fail.
    if size == 0.0 || (1e-6..1e21).contains(&size) {
        let _ = write!(out, "{v}");
        return;
    }
    // Go writes a sign and at least two digits of the exponent.
    let text = format!("{v:e}");
    let (mantissa, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let (sign, digits) = exponent.strip_prefix('-').map_or(('+', exponent), |digits| ('-', digits));
    let _ = write!(out, "{mantissa}e{sign}{digits:0>2}");
}

const fn special(v: f64) -> Option<&'static str> {
    if v.is_nan() {
        Some("NaN")
    } else if v.is_infinite() {
        Some(if v > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        None
    }
}

/// Reads a value of a text format: a decimal number, `NaN`, `Inf` with or without a sign.
#[must_use]
pub fn parse_value(text: &str) -> Option<f64> {
    match text {
        "NaN" | "nan" => Some(f64::NAN),
        "+Inf" | "Inf" | "+inf" | "inf" => Some(f64::INFINITY),
        "-Inf" | "-inf" => Some(f64::NEG_INFINITY),
        _ => {
            let plain = text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'.' | b'e' | b'E' | b'+' | b'-'));
            if plain { text.parse().ok() } else { None }
        }
    }
}

/// A value in the API's JSON: a number, or one of the three words.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct JsonFloat(pub f64);

impl Serialize for JsonFloat {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        json_float(&self.0, serializer)
    }
}

/// For `#[serde(serialize_with)]`: a value in the API's JSON.
///
/// # Errors
/// The serializer's.
pub fn json_float<S: Serializer>(v: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    match special(*v) {
        Some(word) => serializer.serialize_str(word),
        None => serializer.serialize_f64(*v),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn values_look_as_prometheus_writes_them() {
        for (v, text) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (-0.0, "-0"),
            (1e-7, "1e-07"),
            (1.5e-10, "1.5e-10"),
            (1e20, "100000000000000000000"),
            (1e21, "1e+21"),
            (-2.5e300, "-2.5e+300"),
            (f64::NAN, "NaN"),
            (f64::INFINITY, "+Inf"),
            (f64::NEG_INFINITY, "-Inf"),
        ] {
            assert_eq!(format_value(v), text);
        }
    }

    #[test]
    fn json_has_words_for_what_is_no_number() {
        let json = serde_json::to_string(&[JsonFloat(1.5), JsonFloat(f64::NAN), JsonFloat(f64::NEG_INFINITY)]).unwrap();
        assert_eq!(json, r#"[1.5,"NaN","-Inf"]"#);
    }

    #[test]
    fn words_and_hexadecimals_are_no_values() {
        for bad in ["", "infinity", "0x10", "1_000", "one", "nan1", "+"] {
            assert_eq!(parse_value(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn every_value_reads_back(bits: u64) {
            let v = f64::from_bits(bits);
            let back = parse_value(&format_value(v)).unwrap();
            prop_assert!(back.to_bits() == v.to_bits() || (v.is_nan() && back.is_nan()));
        }
    }
}
