//! zonelens: what is this domain or address, and why should I believe it?
//!
//! In reading order:

pub mod clock; // where time comes in
pub mod demo; // what a new user sees first
pub mod fact; // what every input comes down to
pub mod feeds; // bytes to facts: the table of formats
pub mod generate; // telemetry of any size from a seed, for benchmarks
pub mod indicator; // what is asked about: domain, address, URL, file; text is parsed here and nowhere else
pub mod lookup; // one question, one answer
pub mod store; // facts at rest: runs, manifest, catalogue
pub mod value; // zone, category, score, time, country
pub mod verdict; // evidence, policy, score, zone
