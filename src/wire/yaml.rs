//! YAML into typed documents. Never through untyped values: there `no` becomes a boolean and `010`
//! a decimal. Booleans are `true` and `false` alone; keys that stand twice are errors.

use serde::de::DeserializeOwned;

use super::WireError;

/// Reads one document.
///
/// # Errors
/// It is malformed or of other types; says line and column.
pub fn from_str<T: DeserializeOwned>(text: &str) -> Result<T, WireError> {
    let options = serde_saphyr::options! { strict_booleans: true, with_snippet: false };
    serde_saphyr::from_str_with_options(text, options).map_err(|error| {
        let error = error.without_snippet();
        let (line, column) = error.location().map_or((0, 0), |at| (at.line(), at.column()));
        WireError::Yaml { line, column, reason: error.to_string() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Debug, Deserialize, PartialEq)]
    #[serde(deny_unknown_fields)]
    struct Doc {
        on: bool,
        word: String,
    }

    #[test]
    fn words_stay_words_and_booleans_are_strict() {
        assert_eq!(from_str::<Doc>("on: true\nword: \"no\"\n").unwrap(), Doc { on: true, word: "no".into() });
        assert!(from_str::<Doc>("on: yes\nword: a\n").is_err());
    }

    #[test]
    fn an_error_says_line_and_column() {
        for bad in ["on: true\nwrod: x\n", "on: true\nword: a\nword: b\n", "on: true\nword: [\n"] {
            match from_str::<Doc>(bad) {
                Err(WireError::Yaml { line, column, reason }) => assert!(line >= 2 && column >= 1, "{line}:{column} {reason}"),
                other => panic!("{other:?}"),
            }
        }
    }
}
