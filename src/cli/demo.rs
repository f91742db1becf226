//! `demo`: a store with something in it, served.

use std::fs;
use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Instant;

use super::{Code, Failure, Program};
use crate::page::path_of;
use crate::store::Store;
use crate::{demo, http};

const EXAMPLE: &str = "\
Examples:
  zonelens demo
  zonelens demo --listen 127.0.0.1:9000 --data zonelens-demo

Then: curl http://127.0.0.1:8080/api/domain/full.example";

/// Build a store from data that ships with the program, and serve it
///
/// In the folder that --data names, where it is kept and served again the next time; else in a temporary one.
#[derive(clap::Args)]
#[command(after_help = EXAMPLE)]
pub(super) struct Demo {
    /// Address and port [default: the configuration's, 127.0.0.1:8080]
    #[arg(long, value_name = "ADDR:PORT")]
    listen: Option<SocketAddr>,
    /// Build only: what building takes in memory goes with the process that did it
    #[arg(long, hide = true)]
    prepare: bool,
}

impl Demo {
    pub(super) fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        let mut config = program.config.clone();
        config.http.listen = self.listen.unwrap_or(config.http.listen);
        let policy = program.policy()?;
        let temporary = Temporary::create()?;
        let folder = program.data.clone().unwrap_or_else(|| temporary.path.join("store"));
        if self.prepare {
            build(&folder, &temporary.path.join("files"), program)?;
            return Ok(Code::Done);
        }
        let store = built(&folder, program)?;
        let service = http::Service::new(store, policy, program.clock, &config).map_err(Failure::Failed)?;
        // The store is open, so whoever can connect finds the service ready.
        let mut shown = Ok(());
        let code = super::serve::served(service.into(), &config.http, |address| shown = show(address, out))?;
        shown?;
        Ok(code)
    }
}

/// The demo's store in a folder, built where it is not there yet.
fn built(folder: &Path, program: &Program) -> Result<Store, Failure> {
    if !folder.exists() || fs::read_dir(folder)?.next().is_none() {
        let mut child = Command::new(std::env::current_exe()?);
        child.arg("--data").arg(folder);
        if let Some(file) = &program.config_file {
            child.arg("--config").arg(file);
        }
        if let Some(now) = program.clock.fixed() {
            child.arg("--now").arg(now.0.to_string());
        }
        let status = child.args(["demo", "--prepare"]).stdin(Stdio::null()).stdout(Stdio::null()).status()?;
        if !status.success() {
            return Err(Failure::Failed(format!("the demo was not built ({status}): the log says why")));
        }
        return Ok(Store::open(folder)?);
    }
    let store = Store::open_or_create(folder, demo::SEED)?;
    if demo::is_built(&store)? {
        tracing::info!(data = %folder.display(), "serving the demo that is there already");
        return Ok(store);
    }
    Err(Failure::Usage(format!(
        "{} is not empty and holds no whole demo: name an empty or new folder by --data",
        folder.display()
    )))
}

/// Builds the demo's store in a new folder.
fn build(folder: &Path, files: &Path, program: &Program) -> Result<(), Failure> {
    let start = Instant::now();
    let store = Store::open_or_create(folder, demo::SEED)?;
    demo::build(&store, files, program.clock.now(), |line| tracing::info!("{line}"))
        .map_err(|error| Failure::Failed(error.to_string()))?;
    tracing::info!(seconds = start.elapsed().as_secs_f32(), data = %folder.display(), "the demo is built");
    Ok(())
}

/// One line an object to look up: kind, value, address of its page, what it shows; then where to begin, for people and
/// for programs.
fn show(address: SocketAddr, out: &mut dyn Write) -> io::Result<()> {
    let host = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    let address = SocketAddr::new(host, address.port());
    let all = demo::indicators();
    let width = all.iter().map(|shown| shown.value.len()).max().unwrap_or_default();
    for shown in all {
        let report = format!("http://{address}{}", path_of(shown.kind, shown.value));
        let url_width = width + format!("http://{address}/domain/").len();
        writeln!(out, "{:<6}  {:<width$}  {report:<url_width$}  {}", shown.kind, shown.value, shown.shows)?;
    }
    writeln!(
        out,
        "\nOpen http://{address}/ in a browser. The same as JSON: curl http://{address}/api/domain/full.example"
    )?;
    out.flush()
}

/// A folder that is removed at the end.
struct Temporary {
    path: PathBuf,
}

impl Temporary {
    fn create() -> io::Result<Temporary> {
        for number in 0.. {
            let path = std::env::temp_dir().join(format!("zonelens-demo-{}-{number}", std::process::id()));
            match fs::create_dir(&path) {
                Ok(()) => return Ok(Temporary { path }),
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(io::Error::new(error.kind(), format!("{}: {error}", path.display())));
                }
            }
        }
        Err(io::Error::other("no name left for a temporary folder"))
    }
}

impl Drop for Temporary {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.path) {
            tracing::debug!(path = %self.path.display(), %error, "a temporary folder stays");
        }
    }
}
