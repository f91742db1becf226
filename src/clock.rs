//! The one place that asks the machine for the time. Everywhere else time is a parameter.

use crate::value::Timestamp;

/// The clock: the machine's, or a fixed moment given by `--now` or `ZONELENS_NOW`.
#[derive(Clone, Copy, Debug, Default)]
pub struct Clock {
    fixed: Option<Timestamp>,
}

impl Clock {
    /// A clock that stands at a moment; `None`: the machine's.
    pub fn new(fixed: Option<Timestamp>) -> Clock {
        Clock { fixed }
    }

    /// The moment it stands at, where it does.
    pub fn fixed(&self) -> Option<Timestamp> {
        self.fixed
    }

    /// Now.
    #[expect(clippy::disallowed_methods, reason = "this is where time comes in")]
    pub fn now(&self) -> Timestamp {
        self.fixed.unwrap_or_else(|| Timestamp(jiff::Timestamp::now().as_second()))
    }
}
