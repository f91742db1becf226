//! Integration tests, one binary. Each module says what belongs into it.

mod feeds;
