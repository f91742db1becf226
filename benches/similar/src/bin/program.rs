//! The program as this package builds it, so that one build does for all that is measured.

fn main() -> std::process::ExitCode {
    zonelens::cli::run(std::env::args_os())
}
