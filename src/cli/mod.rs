//! The command line: one file a command. What was typed is checked here; the work is the library's.
//!
//! Standard output is data, standard error is talk. Exit codes: 0 done, 1 failed, 2 asked wrongly,
//! 3 nothing known. A reader that closes its end of the pipe is no failure.

use std::ffi::OsString;
use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::clock::Clock;
use crate::config::{Config, LogFormat};
use crate::export::tree::shown;
use crate::import::ImportError;
use crate::lookup::LookupError;
use crate::source::Registry;
use crate::store::{Store, StoreError};
use crate::value::Timestamp;
use crate::verdict::Policy;

// What commands share.
mod password;
mod progress;
mod table;
mod text;

// The commands.
mod audit;
mod batches;
mod completions;
mod config;
mod demo;
mod diff;
mod forget;
mod formats;
mod generate;
mod import;
mod lookup;
mod merge;
mod network;
mod parse;
mod people;
mod policy;
mod retire;
mod search;
mod serve;
mod similar;
mod source;
mod stats;
mod timeline;
mod token;
mod users;
mod verify;

/// What is typed.
#[derive(Parser)]
#[command(name = "zonelens", version, about = "What is this domain or address, and why should I believe it?")]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    command: Command,
}

/// What every command takes.
#[derive(clap::Args)]
struct Global {
    /// The data folder [default: the configuration's, zonelens-data]
    #[arg(long, global = true, value_name = "DIR", help_heading = "Everywhere")]
    data: Option<PathBuf>,
    /// The configuration file [default: zonelens.toml in the working directory, where there is one]
    #[arg(long, global = true, value_name = "FILE", env = "ZONELENS_CONFIG", help_heading = "Everywhere")]
    config: Option<PathBuf>,
    /// Take this moment for now: 2024-05-28, 2024-05-28T07:03Z or Unix seconds
    #[arg(long, global = true, value_name = "TIME", env = "ZONELENS_NOW", help_heading = "Everywhere")]
    now: Option<Timestamp>,
}

#[derive(Subcommand)]
enum Command {
    Demo(demo::Demo),
    Diff(diff::Diff),
    Import(import::Import),
    Lookup(lookup::Lookup),
    Search(search::Search),
    Network(network::Network),
    Asn(network::System),
    Pin(people::Pin),
    Note(people::Note),
    Sighting(people::Sighting),
    FalsePositive(people::FalsePositive),
    Parse(parse::Parse),
    Policy(policy::PolicyCommand),
    Formats(formats::Formats),
    Forget(forget::Forget),
    Serve(serve::Serve),
    Similar(similar::Similar),
    Merge(merge::Merge),
    Batches(batches::Batches),
    Retire(retire::Retire),
    Verify(verify::Verify),
    #[command(alias = "sources")]
    Source(source::Source),
    Stats(stats::Stats),
    Timeline(timeline::Timeline),
    User(users::User),
    Group(users::Group),
    Token(token::Token),
    Audit(audit::Audit),
    Config(config::PrintConfig),
    Completions(completions::Completions),
    #[command(hide = true)]
    Generate(generate::Generate),
}

impl Command {
    fn run(self, program: &Program, out: &mut dyn Write) -> Result<Code, Failure> {
        match self {
            Command::Demo(command) => command.run(program, out),
            Command::Diff(command) => command.run(program, out),
            Command::Import(command) => command.run(program, out),
            Command::Lookup(command) => command.run(program, out),
            Command::Search(command) => command.run(program, out),
            Command::Network(command) => command.run(program, out),
            Command::Asn(command) => command.run(program, out),
            Command::Pin(command) => command.run(program, out),
            Command::Note(command) => command.run(program, out),
            Command::Sighting(command) => command.run(program, out),
            Command::FalsePositive(command) => command.run(program, out),
            Command::Parse(command) => command.run(out),
            Command::Policy(command) => command.run(program, out),
            Command::Formats(command) => command.run(out),
            Command::Forget(command) => command.run(program, out),
            Command::Serve(command) => command.run(program, out),
            Command::Similar(command) => command.run(program, out),
            Command::Merge(command) => command.run(program, out),
            Command::Batches(command) => command.run(program, out),
            Command::Retire(command) => command.run(program, out),
            Command::Verify(command) => command.run(program, out),
            Command::Source(command) => command.run(program, out),
            Command::Stats(command) => command.run(program, out),
            Command::Timeline(command) => command.run(program, out),
            Command::User(command) => command.run(program, out),
            Command::Group(command) => command.run(program, out),
            Command::Token(command) => command.run(program, out),
            Command::Audit(command) => command.run(program, out),
            Command::Config(command) => command.run(program, out),
            Command::Completions(command) => command.run(out),
            Command::Generate(command) => command.run(program),
        }
    }
}

/// What every command works with.
struct Program {
    config: Config,
    clock: Clock,
    /// The data folder that was typed.
    data: Option<PathBuf>,
    /// The configuration file that was typed.
    config_file: Option<PathBuf>,
}

impl Program {
    /// The store, which must be there.
    fn store(&self) -> Result<Store, Failure> {
        Ok(Store::open(&self.config.data)?.watching(self.config.watch.brands.clone()))
    }

    /// All sources: of the configuration, and added by commands.
    fn registry(&self) -> Result<Registry, Failure> {
        Registry::read(&self.config.sources, &self.config.data).map_err(Failure::Failed)
    }

    /// The policy, with the weights that sources say of themselves.
    fn policy(&self) -> Result<Policy, Failure> {
        let mut policy = self.config.policy().map_err(Failure::Usage)?;
        policy.weigh(&self.registry()?);
        Ok(policy)
    }

    /// The store, which is made where there is none.
    fn store_or_new(&self) -> Result<Store, Failure> {
        use std::hash::{BuildHasher, RandomState};
        let seed = RandomState::new().hash_one("the seed of a new store");
        Ok(Store::open_or_create(&self.config.data, seed)?.watching(self.config.watch.brands.clone()))
    }
}

impl Program {
    /// Writes down what a command did, by whom its system knows it is.
    fn audit(&self, action: &str, object: &str) -> Result<(), Failure> {
        use crate::access::audit::{self, Entry};
        if self.config.audit.days == 0 {
            return Ok(());
        }
        let user = std::env::var("USER").unwrap_or_else(|_| "unknown".to_owned());
        let (at, object) = (self.clock.now(), Some(audit::cut(object)));
        let command = Some("zonelens".to_owned());
        let entry =
            Entry { at, user, action: action.to_owned(), object, request: command, ..Entry::default() };
        audit::append_entry(&self.config.data, &entry)
            .map_err(|error| Failure::Failed(format!("done, but the audit cannot be written: {error}")))
    }
}

/// How a command ended that did its work.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Code {
    /// Done.
    Done = 0,
    /// Done, and what was found is bad.
    Bad = 1,
    /// Some of the input was wrong.
    WrongInput = 2,
    /// Of some of what was asked nothing is known.
    NothingKnown = 3,
}

/// Why a command ended without doing its work. The text ends with what to do.
#[derive(Debug, thiserror::Error)]
enum Failure {
    /// It was asked for wrongly.
    #[error("{0}")]
    Usage(String),
    /// It could not.
    #[error("{0}")]
    Failed(String),
    /// Its output could not be written.
    #[error("cannot write the output: {0}")]
    Output(#[from] io::Error),
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Failure {
        Failure::Failed(error.to_string())
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Failure {
        match error {
            ImportError::Usage(text) => Failure::Usage(text),
            other => Failure::Failed(other.to_string()),
        }
    }
}

/// What the file system says of files that are not the output.
fn failed(error: io::Error) -> Failure {
    Failure::Failed(error.to_string())
}

/// Runs the command that was typed.
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let cli = match Cli::try_parse_from(arguments) {
        Ok(cli) => cli,
        Err(error) => {
            // A closed pipe is no failure here either.
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(2));
        }
    };
    let result = Program::new(cli.global).and_then(|program| {
        let mut out = io::BufWriter::new(anstream::stdout());
        let code = cli.command.run(&program, &mut out)?;
        out.flush()?;
        Ok(code)
    });
    match result {
        Ok(code) => ExitCode::from(code as u8),
        Err(Failure::Output(error)) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(failure) => {
            talk(&failure);
            ExitCode::from(if matches!(failure, Failure::Usage(_)) { 2 } else { 1 })
        }
    }
}

/// How a question about one indicator ends that has no answer.
fn unanswered(error: LookupError) -> Result<Code, Failure> {
    match error {
        LookupError::Unknown(_) => {
            // Not an error: an answer that is talk.
            let _ = writeln!(anstream::stderr(), "{error}");
            Ok(Code::NothingKnown)
        }
        LookupError::BadRequest(problem) => Err(Failure::Usage(problem)),
        LookupError::Store(error) => Err(error.into()),
    }
}

/// Says on standard error, in one line, what went wrong.
fn talk(problem: &dyn std::fmt::Display) {
    let text = problem.to_string().replace('\n', " ");
    // Nobody is left to tell where standard error is closed.
    let _ = writeln!(anstream::stderr(), "error: {text}");
}

impl Program {
    fn new(global: Global) -> Result<Program, Failure> {
        let mut config = Config::read(global.config.as_deref()).map_err(Failure::Usage)?;
        if let Some(data) = &global.data {
            config.data.clone_from(data);
        }
        log_to_stderr(&config);
        if let Some(now) = global.now {
            tracing::info!(now = %now.rfc3339(), "the clock stands still: --now or ZONELENS_NOW is set");
        }
        Ok(Program { config, clock: Clock::new(global.now), data: global.data, config_file: global.config })
    }
}

fn log_to_stderr(config: &Config) {
    let filter = tracing_subscriber::EnvFilter::new(&config.log.level);
    let builder = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(io::stderr)
        .with_ansi(io::stderr().is_terminal());
    match config.log.format {
        LogFormat::Text => builder.with_target(false).init(),
        LogFormat::Json => builder.json().flatten_event(true).init(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_sound_and_every_command_shows_an_example() {
        use clap::CommandFactory as _;
        Cli::command().debug_assert();
        for command in Cli::command().get_subcommands() {
            let example = command.get_after_help().map(ToString::to_string).unwrap_or_default();
            assert!(example.contains("zonelens "), "{} has no example", command.get_name());
            assert!(command.get_about().is_some(), "{} does not say what it does", command.get_name());
        }
    }
}
