//! Integration tests, one binary. Each module says what belongs into it.

mod cli;
mod demo;
mod faults;
mod feeds;
mod http;
mod large;
mod model;
mod mutate;
mod order;
mod people;
mod program;
mod recompute;
mod related;
mod report;
mod retention;
mod schema;
mod tidy;
mod world;
