//! zonelens: what is this domain or address, and why should I believe it?
//!
//! In reading order:

pub mod access; // who may do what: users, tokens, quotas, audit
pub mod brands; // what imitates the watched ones is an event
pub mod bulk; // many values at once
pub mod cli; // the commands
pub mod clock; // where time comes in
pub mod config; // what can be set, and its defaults
pub mod contacts; // who of ours talked to something
pub mod demo; // what a new user sees first
pub mod dossier; // what is gathered of an object
pub mod explain; // how a verdict came about, step by step
pub mod export; // what others read: STIX, OpenIOC, CSV
pub mod fact; // what every input comes down to
pub mod feeds; // bytes to facts: the table of formats
pub mod generate; // telemetry of any size from a seed, for benchmarks
pub mod graph; // what is around indicators, for going from one to the next
pub mod history; // what changed, and why
pub mod http; // the service
pub mod import; // a file to one batch, all of it or nothing
pub mod indicator; // what is asked about: domain, address, URL, file; text is parsed here and nowhere else
pub mod lookalikes; // names that imitate one, all of them
pub mod lookup; // one question, one answer
pub mod network; // networks and autonomous systems: what is in them
pub mod overlap; // which sources list the same
pub mod page; // what people see: reports and tables as HTML
pub mod pdns; // passive DNS as others ask for it
pub mod people; // pins, notes, sightings and reports of false positives
pub mod publications; // intelligence reports: which there are, and what they name
pub mod request; // the parameters of a lookup as text
pub mod search; // everything known that fits a text
pub mod sections; // the sections of a report: the table of them
pub mod similar; // which names look like another
pub mod source; // where data comes from, and how it gets here
pub mod store; // facts at rest: runs, manifest, catalogue
pub mod unknown; // nothing is known: what was asked
pub mod upkeep; // what a store holds, and how fresh it is
pub mod value; // zone, category, score, time, country
pub mod verdict; // evidence, policy, score, zone
