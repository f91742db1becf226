//! Integration tests, one binary. Each module says what belongs into it.

mod cli;
mod feeds;
mod http;
mod program;
mod schema;
