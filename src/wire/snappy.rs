//! Snappy's block format, with a cap that is checked before anything is allocated.

use super::WireError;

/// Decompresses a body of at most `max_decoded` bytes.
///
/// # Errors
/// It is larger, or not snappy.
pub fn decode(body: &[u8], max_decoded: usize) -> Result<Vec<u8>, WireError> {
    let size = snap::raw::decompress_len(body)?;
    if size > max_decoded {
        return Err(WireError::TooLarge { size, limit: max_decoded });
    }
    Ok(snap::raw::Decoder::new().decompress_vec(body)?)
}

/// Compresses a body.
///
/// # Errors
/// It has more than 4 GiB.
pub fn encode(body: &[u8]) -> Result<Vec<u8>, WireError> {
    Ok(snap::raw::Encoder::new().compress_vec(body)?)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_small_body_that_claims_gigabytes_is_refused_before_it_is_unpacked() {
        let bomb = [0xff, 0xff, 0xff, 0xff, 0x0f, 0x00];
        assert!(matches!(decode(&bomb, 1 << 20), Err(WireError::TooLarge { .. })));
    }

    proptest! {
        #[test]
        fn what_was_packed_comes_back(body: Vec<u8>) {
            prop_assert_eq!(decode(&encode(&body).unwrap(), body.len()).unwrap(), body);
        }

        #[test]
        fn garbage_never_panics(body: Vec<u8>) {
            let _ = decode(&body, 1 << 16);
        }
    }
}
