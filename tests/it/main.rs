//! Integration tests, one binary. Each module says what belongs into it.

mod cli;
mod demo;
mod explain;
mod faults;
mod feeds;
mod history;
mod http;
mod model;
mod mutate;
mod notes;
mod order;
mod overlap;
mod program;
mod recompute;
mod report;
mod schema;
mod tidy;
mod unknown;
mod world;
