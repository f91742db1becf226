//! A password as it is given to a command: typed without echo, or read from a file. Never as an argument, which
//! everybody on the machine can see.

use std::fs::File;
use std::io::{self, IsTerminal, Read, Write};
use std::path::{Path, PathBuf};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

use super::Failure;
use crate::access::secret::PASSWORD_BYTES_MAX;

/// Where a password comes from.
#[derive(clap::Args)]
pub(super) struct PasswordFrom {
    /// Read the password from the first line of a file; `-` is standard input [default: it is asked for]
    #[arg(long, value_name = "FILE")]
    password_file: Option<PathBuf>,
}

impl PasswordFrom {
    /// Reads it.
    pub(super) fn read(&self) -> Result<String, Failure> {
        match &self.password_file {
            Some(path) if path == Path::new("-") => first_line(io::stdin().lock(), path),
            Some(path) => {
                let file = File::open(path).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
                first_line(file, path)
            }
            None if io::stdin().is_terminal() => {
                let password = typed("Password: ")?;
                if typed("The same again: ")? != password {
                    return Err(Failure::Usage("the two are not the same: try again".to_owned()));
                }
                Ok(password)
            }
            None => Err(Failure::Usage(
                "there is no terminal to ask for the password: name a file by --password-file, - for standard input"
                    .to_owned(),
            )),
        }
    }
}

fn first_line(reader: impl Read, path: &Path) -> Result<String, Failure> {
    let mut text = String::new();
    let bytes_max = PASSWORD_BYTES_MAX as u64 + 2;
    reader.take(bytes_max).read_to_string(&mut text).map_err(|error| {
        Failure::Usage(format!("{}: {error}; it holds a password as text", path.display()))
    })?;
    Ok(text.lines().next().unwrap_or_default().to_owned())
}

/// The terminal's settings, put back at the end.
struct Silence(Termios);

impl Drop for Silence {
    fn drop(&mut self) {
        if tcsetattr(io::stdin(), OptionalActions::Flush, &self.0).is_err() {
            tracing::warn!("the terminal does not echo any more: type `stty echo`");
        }
    }
}

/// Asks for a line that is not shown.
fn typed(prompt: &str) -> Result<String, Failure> {
    let failed = |error: io::Error| Failure::Failed(format!("the terminal cannot be read: {error}"));
    let before = tcgetattr(io::stdin()).map_err(|error| failed(error.into()))?;
    let mut silent = before.clone();
    silent.local_modes.remove(LocalModes::ECHO);
    let mut talk = anstream::stderr();
    write!(talk, "{prompt}").and_then(|()| talk.flush()).map_err(failed)?;
    let silence = Silence(before);
    tcsetattr(io::stdin(), OptionalActions::Flush, &silent).map_err(|error| failed(error.into()))?;
    let mut line = String::new();
    let read = io::stdin().read_line(&mut line);
    drop(silence);
    // The end of the line was not shown either.
    writeln!(talk).map_err(failed)?;
    read.map_err(failed)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
