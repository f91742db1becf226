//! Integration tests, one binary. Each module says what belongs into it.

mod cli;
mod demo;
mod explain;
mod faults;
mod feeds;
mod history;
mod http;
mod large;
mod model;
mod mutate;
mod notes;
mod order;
mod overlap;
mod people;
mod program;
mod recompute;
mod related;
mod report;
mod retention;
mod schema;
mod tidy;
mod unknown;
mod url_and_file;
mod verdict;
mod world;
