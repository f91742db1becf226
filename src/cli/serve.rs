//! `serve`: the HTTP service.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::Arc;

use super::{Code, Failure, Program};
use crate::config::Http;
use crate::http;
use crate::source::schedule::{Refresher, Setup, Wishes};
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
        let mut config = program.config.clone();
        config.http.listen = self.listen.unwrap_or(config.http.listen);
        let policy = program.config.policy().map_err(Failure::Usage)?;
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
        let wishes = Arc::new(Wishes::default());
        let service =
            http::Service::new(store.clone(), policy, program.clock, &config).map_err(Failure::Failed)?;
        let service = Arc::new(service.with_wishes(wishes.clone()));
        let told = service.clone();
        let _refresher = Refresher::start(Setup {
            store: store.clone(),
            clock: program.clock,
            configured: program.config.sources.clone(),
            telemetry: program.config.telemetry,
            buffer_bytes: program.config.import.buffer_mb << 20,
            wishes,
            changed: Box::new(move |registry| told.know(registry)),
        })
        .map_err(|error| Failure::Failed(format!("cannot start a thread: {error}")))?;
        served(service, &config.http, |address| {
            let scheme = if config.http.tls.is_some() { "https" } else { "http" };
            tracing::info!(%address, data, "listening on {scheme}://{address}");
        })
    }
}

/// Serves to the end. Where the first admin has to be made it says how.
pub(super) fn served(
    service: Arc<http::Service>,
    settings: &Http,
    ready: impl FnOnce(SocketAddr),
) -> Result<Code, Failure> {
    let setup = service.begin_setup().map_err(|error| Failure::Failed(error.to_string()))?;
    http::serve(service, settings, |address| {
        ready(address);
        if let Some(token) = setup {
            let scheme = if settings.tls.is_some() { "https" } else { "http" };
            // Beside the log, which others may read; nobody is left to tell where standard error is closed.
            let _ = writeln!(
                anstream::stderr(),
                "There are no users yet, so nobody can ask. Add an admin on this machine:\n  \
                 zonelens user add NAME --role admin\nor from elsewhere, once, within an hour:\n  \
                 curl --json '{{\"token\":\"{token}\",\"user\":\"NAME\",\"password\":\"PASSWORD\"}}' \
                 {scheme}://{address}/api/v1/setup"
            );
        }
    })
    .map_err(|error| {
        Failure::Failed(format!(
            "cannot listen on {}: {error}; name another address by --listen",
            settings.listen
        ))
    })?;
    Ok(Code::Done)
}
