//! `serve`: the HTTP service.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use super::{Code, Failure, Program};
use crate::http;
use crate::source::schedule::{Refresher, Setup};
use crate::upkeep::{Joiner, Kept};

const EXAMPLE: &str = "\
Examples:
  zonelens serve
  zonelens serve --listen 127.0.0.1:9000

Then: curl http://127.0.0.1:8080/api/domain/example.com";

/// Answer lookups over HTTP until SIGINT or SIGTERM
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Serve {
    /// Address and port [default: the configuration's, 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub(super) fn run(self, program: &Program, _out: &mut dyn Write) -> Result<Code, Failure> {
        let mut settings = program.config.http.clone();
        settings.listen = self.listen.unwrap_or(settings.listen);
        let policy = program.policy()?;
        // A new store answers 404 until something is imported: a service may start before its first import.
        let store = Arc::new(program.store_or_new()?);
        let data = store.folder().display().to_string();
        let upkeep = &program.config.store;
        let _joiner = if upkeep.merge {
            let retention = program.config.retention.into();
            let kept = Kept {
                configured: program.config.sources.clone(),
                contact_days: program.config.retention.contact_days,
            };
            let joiner = Joiner::start(store.clone(), program.clock, upkeep.alike_runs_max, retention, kept);
            Some(joiner.map_err(|error| Failure::Failed(format!("cannot start a thread: {error}")))?)
        } else {
            None
        };
        let _refresher = Refresher::start(Setup {
            store: store.clone(),
            clock: program.clock,
            configured: program.config.sources.clone(),
            telemetry: program.config.telemetry,
            buffer_bytes: program.config.import.buffer_mb << 20,
            changed: Box::new(|_| {}),
        })
        .map_err(|error| Failure::Failed(format!("cannot start a thread: {error}")))?;
        let service =
            Arc::new(http::Service::new(store, policy, program.clock, &settings).taking_in(&program.config));
        http::serve(service, &settings, |address| {
            tracing::info!(%address, data, "listening on http://{address}");
        })
        .map_err(|error| {
            Failure::Failed(format!(
                "cannot listen on {}: {error}; name another address by --listen",
                settings.listen
            ))
        })?;
        Ok(Code::Done)
    }
}
