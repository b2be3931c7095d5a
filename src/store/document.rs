//! Documents as bytes: bincode 2 with a limit on what a forged length can ask for. The only user of `bincode`.

use bincode::config::{Configuration, Fixint, Limit, LittleEndian};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::StoreError;

/// No document is larger.
const LIMIT_BYTES: usize = 16 << 20;

const CONFIG: Configuration<LittleEndian, Fixint, Limit<LIMIT_BYTES>> = bincode::config::legacy().with_limit::<LIMIT_BYTES>();

/// Encodes a document.
pub(super) fn encode<T: Serialize>(what: &str, body: &T) -> Result<Vec<u8>, StoreError> {
    bincode::serde::encode_to_vec(body, CONFIG).map_err(|e| StoreError::Damaged { what: what.to_owned(), reason: e.to_string() })
}

/// Decodes a document; every byte must be used.
pub(super) fn decode<T: DeserializeOwned>(what: &str, bytes: &[u8]) -> Result<T, StoreError> {
    let damaged = |reason: String| StoreError::Damaged { what: what.to_owned(), reason };
    let (body, used) = bincode::serde::decode_from_slice(bytes, CONFIG).map_err(|e| damaged(e.to_string()))?;
    if used == bytes.len() { Ok(body) } else { Err(damaged("it has bytes behind its end".into())) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{Category, MetricMeta, MetricType};

    #[test]
    fn a_document_has_the_bytes_it_always_had() {
        let meta = MetricMeta { kind: MetricType::Gauge, unit: "s".into(), help: "h".into(), category: Category::Rag };
        let bytes = encode("x", &meta).unwrap();
        assert_eq!(bytes, [1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, b's', 1, 0, 0, 0, 0, 0, 0, 0, b'h', 3, 0, 0, 0]);
        assert_eq!(decode::<MetricMeta>("x", &bytes).unwrap(), meta);
        assert!(decode::<MetricMeta>("x", &bytes[..bytes.len() - 1]).is_err());
        let mut forged = bytes;
        forged[4..12].fill(0xff);
        assert!(decode::<MetricMeta>("x", &forged).is_err());
    }
}
