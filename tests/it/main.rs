//! Integration tests, one binary. Each module says what belongs into it.

mod feeds;
mod order;
mod recompute;
mod report;
mod schema;
mod world;
