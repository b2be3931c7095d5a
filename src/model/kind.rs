//! How an error looks from outside. HTTP status and exit code are chosen from it, each in one place.

/// What a caller can do about an error.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The input is wrong and will be wrong again.
    Invalid,
    /// What is asked for does not exist.
    NotFound,
    /// It contradicts what is there.
    Conflict,
    /// Understood, but it cannot be carried out (PromQL's `execution`).
    Unprocessable,
    /// Known in the standard, not built here yet.
    Unsupported,
    /// A limit on size was passed.
    TooLarge,
    /// Too much at once; later it may work.
    Busy,
    /// It took too long.
    Timeout,
    /// The caller went away or asked to stop.
    Canceled,
    /// Not allowed for this caller.
    Forbidden,
    /// The disk is full or the store cannot write now; later it may work.
    Unavailable,
    /// The data directory is in use or cannot be written.
    Locked,
    /// The configuration, or a newer data format, forbids it.
    Config,
    /// Stored bytes are not what was written.
    Corrupt,
    /// A fault of the program or the machine.
    Internal,
}
