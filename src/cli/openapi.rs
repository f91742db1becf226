//! `openapi`: the interface's own description.

use std::io::Write;

use super::{Code, Failure};
use crate::http;

const EXAMPLE: &str = "\
Example:
  zonelens openapi > openapi.json

A service that runs answers the same at /openapi.json, and as a page at /docs.";

/// Print what the HTTP interface takes and answers, as OpenAPI 3.1
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Openapi {}

impl Openapi {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<Code, Failure> {
        writeln!(out, "{:#}", http::description())?;
        Ok(Code::Done)
    }
}
