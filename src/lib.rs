//! zonelens: what is this domain or address, and why should I believe it?
pub mod indicator;
