//! `parse`: what an indicator is read as.

use std::io::Write;

use serde::Serialize;

use super::{Code, Failure};
use crate::indicator::Indicator;

const EXAMPLE: &str = "\
Example:
  zonelens parse 'hxxp://EXAMPLE[.]com/a/../b' bücher.example";

/// Show how indicators are read: one JSON object a line
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Parse {
    /// Domains, addresses, URLs or file hashes, defanged or not
    #[arg(required = true, value_name = "INDICATOR")]
    indicators: Vec<String>,
}

#[derive(Default, Serialize)]
struct Parsed {
    #[serde(skip_serializing_if = "Option::is_none")]
    kind: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    value: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    unicode: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    registrable: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    normalised: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    host: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<String>,
}

impl Parse {
    pub(super) fn run(self, out: &mut dyn Write) -> Result<Code, Failure> {
        let mut code = Code::Done;
        for text in &self.indicators {
            let parsed = parsed(text);
            if parsed.error.is_some() {
                code = Code::WrongInput;
            }
            writeln!(out, "{}", serde_json::to_string(&parsed).expect("only texts"))?;
        }
        Ok(code)
    }
}

fn parsed(text: &str) -> Parsed {
    let indicator = match Indicator::parse(text) {
        Ok(indicator) => indicator,
        Err(error) => return Parsed { error: Some(error.to_string()), ..Parsed::default() },
    };
    let parsed = Parsed {
        kind: Some(indicator.kind().as_str()),
        value: Some(indicator.to_string()),
        ..Parsed::default()
    };
    match indicator {
        Indicator::Domain(name) => Parsed {
            unicode: Some(name.unicode()),
            registrable: name.registrable().map(str::to_owned),
            ..parsed
        },
        Indicator::Url(url) => Parsed {
            value: Some(url.spelled().to_owned()),
            normalised: Some(url.key().to_owned()),
            host: Some(url.host_str().to_owned()),
            ..parsed
        },
        Indicator::Address(_) | Indicator::File(_) => parsed,
    }
}
