//! Why a record of a log yields nothing more.

use std::io;

use super::Emit;

/// Why a record yields nothing more.
pub(super) enum Stop {
    /// It is not right: the reason in a word and what was wrong.
    Bad(&'static str, String),
    /// The input cannot be read on, or the sink takes no more.
    Io(io::Error),
}

impl From<io::Error> for Stop {
    fn from(error: io::Error) -> Stop {
        Stop::Io(error)
    }
}

/// Rejects a record that was not right; what cannot be read on ends the input.
pub(super) fn settle(read: Result<(), Stop>, number: u64, line: &str, out: &mut Emit<'_>) -> io::Result<()> {
    match read {
        Ok(()) => Ok(()),
        Err(Stop::Bad(reason, detail)) => out.reject(number, reason, detail, line.as_bytes()),
        Err(Stop::Io(error)) => Err(error),
    }
}
