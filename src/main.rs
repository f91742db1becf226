//! The program: what was typed, and the exit code. All else is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    zonelens::cli::run(std::env::args_os())
}
