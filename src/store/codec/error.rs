//! Why encoded bytes cannot be read. Knows no file: the reader adds where they lay.

/// Encoded bytes that are not what an encoder wrote.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    /// The bytes end before the column does.
    #[error("encoded column is cut short")]
    Truncated,
    /// Bytes are left after the column.
    #[error("encoded column has bytes left over")]
    Trailing,
    /// A codec number that this version does not know.
    #[error("unknown codec {0}")]
    UnknownCodec(u8),
    /// More values than any column holds.
    #[error("encoded column claims {0} values, more than any holds")]
    TooLong(u64),
    /// The packed payload does not match its checksum.
    #[error("packed column does not match its checksum")]
    Checksum,
    /// Timestamps that do not ascend.
    #[error("timestamps do not ascend")]
    NotAscending,
    /// A part that contradicts another.
    #[error("encoded column contradicts itself: {0}")]
    Damaged(&'static str),
}
